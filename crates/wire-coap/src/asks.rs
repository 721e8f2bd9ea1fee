//! Our own confirmable requests: one at a time (NSTART), sent again until they are answered (RFC 7252
//! 4.2, 4.7), and held back while the sensor sleeps (LwM2M 1.1, queue mode).

use std::collections::VecDeque;

use coap_lite::Packet;

use crate::packet::bytes;

/// The first wait for an answer, its random part on top, and how often a request is sent again
/// (ACK_TIMEOUT, ACK_RANDOM_FACTOR, MAX_RETRANSMIT).
const TIMEOUT_MS: u64 = 2_000;
const RANDOM_MS: u64 = 1_000;
const REPEATS: u8 = 4;

/// A request that was sent and not answered yet.
#[derive(Debug)]
struct Flight {
    packet: Packet,
    bytes: Vec<u8>,
    next_ms: u64,
    timeout_ms: u64,
    left: u8,
}

/// What is to be done now.
#[derive(Debug, Default)]
pub(crate) struct Due {
    /// Send these.
    pub(crate) send: Vec<Vec<u8>>,
    /// These requests, by token, were never answered.
    pub(crate) given_up: Vec<Vec<u8>>,
}

/// Requests to one sensor.
#[derive(Debug, Default)]
pub(crate) struct Asks {
    waiting: VecDeque<Packet>,
    flight: Option<Flight>,
}

impl Asks {
    /// Asks when its turn comes.
    pub(crate) fn push(&mut self, packet: Packet) {
        self.waiting.push_back(packet);
    }

    /// Asks before all others.
    pub(crate) fn push_first(&mut self, packet: Packet) {
        self.waiting.push_front(packet);
    }

    /// Asks nothing any more.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The request in flight goes back in line: it is asked anew, on another connection or when the
    /// sensor is awake.
    pub(crate) fn take_back(&mut self) {
        if let Some(flight) = self.flight.take() {
            self.waiting.push_front(flight.packet);
        }
    }

    /// An answer with this token came; whether it answers the request in flight.
    pub(crate) fn answered(&mut self, token: &[u8]) -> bool {
        let fits = self.flight.as_ref().is_some_and(|flight| flight.packet.get_token() == token);
        if fits {
            self.flight = None;
        }
        fits
    }

    /// The message of this number was received, whatever comes of it.
    pub(crate) fn received(&mut self, id: u16) -> Option<Vec<u8>> {
        let fits = self.flight.as_ref().is_some_and(|flight| flight.packet.header.message_id == id);
        fits.then(|| self.flight.take()).flatten().map(|flight| flight.packet.get_token().to_vec())
    }

    /// What is to be sent, for the first time or again. `number` is the next message's number and
    /// moves on with each.
    pub(crate) fn due(&mut self, now_ms: u64, awake: bool, number: &mut u16) -> Due {
        let mut due = Due::default();
        if !awake {
            self.take_back();
            return due;
        }
        if let Some(flight) = &mut self.flight {
            if now_ms < flight.next_ms {
                return due;
            }
            if flight.left > 0 {
                flight.left -= 1;
                flight.timeout_ms *= 2;
                flight.next_ms = now_ms + flight.timeout_ms;
                due.send.push(flight.bytes.clone());
                return due;
            }
            due.given_up.push(flight.packet.get_token().to_vec());
            self.flight = None;
        }
        if let Some(mut packet) = self.waiting.pop_front() {
            packet.header.message_id = *number;
            *number = number.wrapping_add(1);
            // The number began at random, and that is random enough to keep sensors apart.
            let random = u64::from(packet.header.message_id).wrapping_mul(0x9e37_79b9) >> 7;
            let timeout_ms = TIMEOUT_MS + random % RANDOM_MS;
            let bytes = bytes(&packet);
            due.send.push(bytes.clone());
            self.flight = Some(Flight { packet, bytes, next_ms: now_ms + timeout_ms, timeout_ms, left: REPEATS });
        }
        due
    }
}
