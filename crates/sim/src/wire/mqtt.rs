//! The few MQTT 5 packets that a publishing device needs (OASIS MQTT 5.0), QoS 1 only.

/// What a device says when it connects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connect<'a> {
    /// Client id.
    pub client_id: &'a str,
    /// Account, if authentication is on.
    pub user: Option<&'a str>,
    /// Password.
    pub password: Option<&'a str>,
    /// Topic and payload that the server publishes should the device vanish.
    pub will: Option<(&'a str, &'a [u8])>,
    /// Keep-alive in seconds; 0 turns it off.
    pub keep_alive_s: u16,
}

impl Connect<'_> {
    /// The CONNECT packet: clean start, QoS 1 will.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut flags = 0x02;
        let mut body = Vec::new();
        string(&mut body, b"MQTT");
        body.push(5);
        if self.will.is_some() {
            flags |= 0x04 | (1 << 3);
        }
        if self.password.is_some() {
            flags |= 0x40;
        }
        if self.user.is_some() {
            flags |= 0x80;
        }
        body.push(flags);
        body.extend(self.keep_alive_s.to_be_bytes());
        body.push(0);
        string(&mut body, self.client_id.as_bytes());
        if let Some((topic, payload)) = self.will {
            body.push(0);
            string(&mut body, topic.as_bytes());
            string(&mut body, payload);
        }
        for text in [self.user, self.password].into_iter().flatten() {
            string(&mut body, text.as_bytes());
        }
        packet(0x10, &body)
    }
}

/// A PUBLISH packet at QoS 1. The packet id is at [`packet_id_at`].
#[must_use]
pub fn publish(topic: &str, packet_id: u16, content_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(topic.len() + payload.len() + content_type.len() + 12);
    string(&mut body, topic.as_bytes());
    body.extend(packet_id.to_be_bytes());
    if content_type.is_empty() {
        body.push(0);
    } else {
        variable(&mut body, content_type.len() + 3);
        body.push(0x03);
        string(&mut body, content_type.as_bytes());
    }
    body.extend(payload);
    packet(0x32, &body)
}

/// A SUBSCRIBE to one filter at QoS 1.
#[must_use]
pub fn subscribe(packet_id: u16, filter: &str) -> Vec<u8> {
    let mut body = packet_id.to_be_bytes().to_vec();
    body.push(0);
    string(&mut body, filter.as_bytes());
    body.push(1);
    packet(0x82, &body)
}

/// The PUBACK of a publish that came in.
#[must_use]
pub fn puback(packet_id: u16) -> [u8; 4] {
    let [high, low] = packet_id.to_be_bytes();
    [0x40, 2, high, low]
}

/// What a PUBLISH that came in says: its packet id, none at QoS 0, and its payload; none for every
/// other packet. `packet` is one whole packet, as [`parse`] measured it.
#[must_use]
pub fn delivered(packet: &[u8]) -> Option<(Option<u16>, &[u8])> {
    let first = *packet.first().filter(|first| **first >> 4 == 3)?;
    let (_, header) = remaining_length(packet)?;
    let two = |at: usize| Some(u16::from_be_bytes([*packet.get(at)?, *packet.get(at + 1)?]));
    let mut at = header + 2 + usize::from(two(header)?);
    let id = if first & 0x06 == 0 { None } else { Some(two(at)?) };
    at += if id.is_some() { 2 } else { 0 };
    let (properties, length) = variable_at(packet.get(at..)?)?;
    Some((id, packet.get(at + length + properties..)?))
}

/// Where the packet id of a PUBLISH made by [`publish`] stands, to reuse the packet.
#[must_use]
pub fn packet_id_at(packet: &[u8], topic: &str) -> usize {
    let mut at = 1;
    while packet[at] & 0x80 != 0 {
        at += 1;
    }
    at + 1 + 2 + topic.len()
}

/// A PINGREQ.
pub const PING: [u8; 2] = [0xc0, 0];
/// A DISCONNECT that keeps the will from being published.
pub const DISCONNECT: [u8; 2] = [0xe0, 0];

/// What the server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// CONNACK.
    Connected {
        /// Reason code; 0 is success.
        reason: u8,
        /// How many unacknowledged publishes the server takes.
        receive_maximum: u16,
    },
    /// PUBACK.
    Acknowledged {
        /// Which publish.
        packet_id: u16,
        /// Reason code; below 0x80 the server has it.
        reason: u8,
    },
    /// DISCONNECT.
    Disconnected(u8),
    /// Anything else.
    Other,
}

/// The first answer in `bytes` and its length; none while it is incomplete.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<(Answer, usize)> {
    let (length, header) = remaining_length(bytes)?;
    let total = header + length;
    let body = bytes.get(header..total)?;
    let byte = |at: usize| body.get(at).copied().unwrap_or(0);
    let answer = match bytes[0] >> 4 {
        2 => Answer::Connected { reason: byte(1), receive_maximum: receive_maximum(body) },
        4 => Answer::Acknowledged {
            packet_id: u16::from_be_bytes([byte(0), byte(1)]),
            reason: byte(2),
        },
        14 => Answer::Disconnected(byte(0)),
        _ => Answer::Other,
    };
    Some((answer, total))
}

/// The Receive Maximum property of a CONNACK (3.2.2.3.3), 65,535 if absent.
fn receive_maximum(body: &[u8]) -> u16 {
    let Some((length, header)) = variable_at(body.get(2..).unwrap_or(&[])) else {
        return u16::MAX;
    };
    let properties = body.get(2 + header..2 + header + length).unwrap_or(&[]);
    let mut at = 0;
    while let Some(id) = properties.get(at) {
        let value = at + 1;
        let two = |at: usize| -> usize {
            match (properties.get(at), properties.get(at + 1)) {
                (Some(a), Some(b)) => usize::from(u16::from_be_bytes([*a, *b])),
                _ => 0,
            }
        };
        at = match id {
            0x21 => return two(value) as u16,
            0x11 | 0x27 => value + 4,
            0x22 | 0x13 => value + 2,
            0x24 | 0x25 | 0x28 | 0x29 | 0x2a => value + 1,
            0x26 => value + 4 + two(value) + two(value + 2 + two(value)),
            _ => value + 2 + two(value),
        };
    }
    u16::MAX
}

fn remaining_length(bytes: &[u8]) -> Option<(usize, usize)> {
    variable_at(bytes.get(1..)?).map(|(length, header)| (length, header + 1))
}

fn variable_at(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0;
    for (at, byte) in bytes.iter().take(4).enumerate() {
        value |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return Some((value, at + 1));
        }
    }
    None
}

fn variable(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let byte = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u16).to_be_bytes());
    out.extend(bytes);
}

fn packet(first: u8, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 5);
    out.push(first);
    variable(&mut out, body.len());
    out.extend(body);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_publish_carries_its_packet_id_where_it_says() {
        for size in [1, 100, 20_000] {
            let bytes = publish("a/b", 0x1234, "", &vec![7; size]);
            let at = packet_id_at(&bytes, "a/b");
            assert_eq!(bytes[at..at + 2], [0x12, 0x34]);
        }
    }

    #[test]
    fn a_publish_that_comes_in_is_taken_apart() {
        for size in [0, 1, 300, 20_000] {
            let payload = vec![7; size];
            let bytes = publish("vitalwire/p/command", 513, "text/plain", &payload);
            assert_eq!(delivered(&bytes), Some((Some(513), payload.as_slice())));
            assert_eq!(delivered(&bytes[..6]), None);
        }
        assert_eq!(delivered(&[0x30, 4, 0, 1, b'a', 0]), Some((None, &[][..])));
        assert_eq!(delivered(&puback(9)), None);
        assert_eq!(subscribe(1, "a"), [0x82, 7, 0, 1, 0, 0, 1, b'a', 1]);
    }

    #[test]
    fn answers_are_read_and_half_ones_wait() {
        let connack = [0x20, 6, 0, 0, 3, 0x21, 0, 20];
        assert_eq!(
            parse(&connack),
            Some((Answer::Connected { reason: 0, receive_maximum: 20 }, 8))
        );
        assert_eq!(parse(&connack[..5]), None);
        for (bytes, answer) in [
            (&[0x40, 2, 0, 9][..], Answer::Acknowledged { packet_id: 9, reason: 0 }),
            (&[0x40, 4, 0, 9, 0x97, 0], Answer::Acknowledged { packet_id: 9, reason: 0x97 }),
            (&[0xe0, 2, 0x8b, 0], Answer::Disconnected(0x8b)),
            (&[0xd0, 0], Answer::Other),
        ] {
            assert_eq!(parse(bytes), Some((answer, bytes.len())));
        }
    }

    #[test]
    fn an_independent_codec_reads_the_connect() {
        let connect = Connect { client_id: "m1", will: Some(("w", b"x")), ..Connect::default() };
        let bytes = connect.encode();
        let (_, header) = remaining_length(&bytes).expect("complete");
        let parsed =
            mqtt_protocol_core::mqtt::packet::v5_0::Connect::parse(&bytes[header..]);
        assert!(parsed.is_ok(), "{parsed:?}");
    }
}
