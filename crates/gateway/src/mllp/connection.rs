//! One MLLP connection: frames in, messages to the journal, answers out in order.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use journal::{AckQueue, Closed, Draft, Lane, Outcome};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout};
use vitals::{Event, ReceiveTime};
use wire_hl7::mllp::{self, Decoder, Item};
use wire_hl7::{Inbound, Kept, Kind, Received, Reply};

use super::server::Shared;
use super::{count_refused, response};
use crate::stream::stopped;
use crate::quota::tell;
use crate::{Allowance, ClientIdentity, told};

/// How much is read at a time, bytes.
const READ: usize = 32 * 1024;
/// Frames above this size are read on a thread of their own, so that neighbours don't wait.
const LARGE: usize = 64 * 1024;

/// Why a connection ended, other than by its peer.
enum End {
    /// Its peer closed it, or it broke.
    Peer,
    /// The program stops.
    Shutdown,
    /// It was cut off, for this reason.
    Cut(&'static str),
}

/// Messages of one frame that wait for the journal.
struct Waiting {
    /// The first message's token; the others follow.
    first: u64,
    /// Each message's answer and, once it is known, what became of it.
    parts: Vec<(Reply, Option<Kept>)>,
    /// Whether they came as a batch.
    batch: bool,
    bytes: usize,
}

impl Waiting {
    fn is_settled(&self) -> bool {
        self.parts.iter().all(|(_, kept)| kept.is_some())
    }
}

pub(super) struct Connection<S> {
    shared: Arc<Shared>,
    identity: ClientIdentity,
    /// Where it speaks from.
    address: Option<IpAddr>,
    /// How much it may send, and until when nothing is read because it sent more.
    allowance: Option<Allowance>,
    slowed: Option<Instant>,
    io: S,
    decoder: Decoder,
    acks: Arc<AckQueue>,
    waiting: VecDeque<Waiting>,
    next_token: u64,
    in_flight: usize,
    in_flight_bytes: usize,
    messages: metrics::Counter,
    quarantined: metrics::Counter,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    pub(super) fn new(shared: Arc<Shared>, identity: ClientIdentity, address: Option<IpAddr>, io: S) -> Self {
        Self {
            allowance: shared.doors.identify.allowance(&identity),
            slowed: None,
            address,
            decoder: Decoder::new(shared.limits.frame_bytes),
            shared,
            identity,
            io,
            acks: AckQueue::new(),
            waiting: VecDeque::new(),
            next_token: 0,
            in_flight: 0,
            in_flight_bytes: 0,
            messages: metrics::counter!("vitalwire_gateway_messages_total", "protocol" => "mllp"),
            quarantined: metrics::counter!("vitalwire_gateway_quarantined_total", "protocol" => "mllp"),
        }
    }

    /// Serves the connection to its end; what the journal has taken by then is still answered.
    pub(super) async fn serve(mut self) {
        let mut end = self.talk().await;
        // A peer that sent its last message and closed its half still gets its answers.
        if !matches!(end, End::Cut("write-timeout"))
            && let Err(cut) = self.drain().await
        {
            end = cut;
        }
        while let Some(item) = self.decoder.finish() {
            match item {
                Item::Garbage(_) => count_refused("garbage"),
                _ => count_refused("half-frame"),
            }
        }
        if let End::Cut(reason) = end {
            count_refused(reason);
            tracing::warn!("mllp: {}: connection cut off: {reason}", self.identity.name);
        }
        let _ = timeout(self.shared.limits.patience, self.io.shutdown()).await;
    }

    async fn talk(&mut self) -> End {
        let mut shutdown = self.shared.doors.shutdown.clone();
        let mut moved = self.shared.doors.identify.moved();
        let acks = Arc::clone(&self.acks);
        loop {
            let limits = &self.shared.limits;
            let partial = self.decoder.pending() > 0;
            let silence = if partial { limits.frame_timeout } else { limits.idle_timeout };
            let deadline = Instant::now() + silence;
            let buffer = self.decoder.buffer();
            buffer.reserve(READ);
            tokio::select! {
                () = stopped(&mut shutdown) => return End::Shutdown,
                () = told(&mut moved) => {
                    if !self.shared.doors.identify.still_stands(&self.identity) {
                        return End::Cut("revoked");
                    }
                }
                outcomes = acks.wait() => {
                    if let Err(end) = self.settle(outcomes).await {
                        return end;
                    }
                }
                () = until(self.slowed), if self.slowed.is_some() => self.slowed = None,
                read = self.io.read_buf(buffer), if self.slowed.is_none() => match read {
                    Ok(0) | Err(_) => return End::Peer,
                    Ok(_) => if let Err(end) = self.take_frames().await {
                        return end;
                    }
                },
                () = tokio::time::sleep_until(deadline), if self.in_flight == 0 && self.slowed.is_none() => {
                    return End::Cut(if partial { "frame-timeout" } else { "idle-timeout" });
                }
            }
        }
    }

    /// Hands every complete frame to the journal, waiting where too much is in flight.
    async fn take_frames(&mut self) -> Result<(), End> {
        while let Some(item) = self.decoder.next_item() {
            let received = (self.shared.doors.clock)();
            match item {
                Item::Frame(frame) => {
                    let bytes = frame.len();
                    let messages = self.read(frame, received).await;
                    self.submit(messages, bytes).await?;
                }
                Item::TooLong { head, length } => {
                    count_refused("too-long");
                    let inbound = wire_hl7::too_long(&head, length, received);
                    self.submit(single(inbound), head.len()).await?;
                }
                Item::CutOff(bytes) => {
                    count_refused("half-frame");
                    let inbound = wire_hl7::cut_off(&bytes, received);
                    self.submit(single(inbound), bytes.len()).await?;
                }
                Item::Garbage(_) => count_refused("garbage"),
            }
        }
        if self.decoder.garbage() > self.shared.limits.garbage_bytes {
            return Err(End::Cut("not-mllp"));
        }
        Ok(())
    }

    async fn read(&self, frame: Bytes, received: ReceiveTime) -> Received {
        if frame.len() < LARGE {
            return wire_hl7::read(&frame, received, &self.shared.options);
        }
        let options = Arc::clone(&self.shared.options);
        let copy = frame.clone();
        match tokio::task::spawn_blocking(move || wire_hl7::read(&copy, received, &options)).await {
            Ok(messages) => messages,
            // The runtime is going down, or the reader failed: the frame is refused, not lost.
            Err(_) => single(wire_hl7::too_long(&frame, frame.len() as u64, received)),
        }
    }

    async fn submit(&mut self, received: Received, bytes: usize) -> Result<(), End> {
        let limits = &self.shared.limits;
        let (most, most_bytes) = (limits.in_flight.max(1), limits.in_flight_bytes);
        while self.in_flight >= most
            || (self.in_flight > 0 && self.in_flight_bytes + bytes > most_bytes)
        {
            self.settle_some().await?;
        }
        if let Some(allowance) = self.allowance {
            let messages = received.messages.len().max(1);
            let wait = self.shared.quotas.charge(&self.identity, allowance, messages, bytes);
            self.slowed = wait.map(|wait| Instant::now() + wait).or(self.slowed);
        }
        let count = received.messages.len();
        let mut drafts = Vec::with_capacity(count);
        let mut parts = Vec::with_capacity(count);
        for mut inbound in received.messages {
            if let Some(device) = &self.identity.device {
                inbound.restrict_to(device);
            }
            self.keep_within(&mut inbound);
            let response = response::of(&mut inbound, &self.shared.alert_managers, self.identity.device.is_some());
            let programmed = response::of_order(&inbound);
            self.messages.increment(1);
            tell(self.shared.doors.identify.as_ref(), &inbound.message, "hl7", self.address);
            if !inbound.message.problems.is_empty() {
                self.quarantined.increment(1);
            }
            parts.push((inbound.reply, None));
            drafts.push(Draft {
                lane: lane(inbound.kind),
                dedup: inbound.dedup,
                event: Event::Message(inbound.message),
            });
            for (reply, draft) in response.into_iter().chain(programmed) {
                parts.push((reply, None));
                drafts.push(draft);
            }
        }
        let first = self.next_token;
        let count = drafts.len();
        self.next_token += count as u64;
        self.in_flight += count;
        self.in_flight_bytes += bytes;
        self.waiting.push_back(Waiting { first, parts, batch: received.batch, bytes });
        for (token, draft) in (first..).zip(drafts) {
            let enqueued = self.shared.doors.appender.enqueue(draft, token, &self.acks).await;
            if let Err(Closed) = enqueued {
                // The program stops: what was not taken is answered as not stored.
                let rest: Vec<u64> = (token..first + count as u64).collect();
                rest.into_iter().for_each(|token| self.mark(token, Kept::NotStored));
                self.answer().await?;
                return Err(End::Shutdown);
            }
        }
        Ok(())
    }

    /// Takes out what its devices may not say, and keeps note of it.
    fn keep_within(&self, inbound: &mut Inbound) {
        let identify = &self.shared.doors.identify;
        let Some(restrictions) = identify.restrictions() else { return };
        let violations = restrictions.keep_within(&mut inbound.message);
        if !violations.is_empty() {
            inbound.restricted();
            violations.iter().for_each(|violation| identify.violated(&self.identity, violation));
        }
    }

    /// Waits for outcomes and answers what can be answered.
    async fn settle_some(&mut self) -> Result<(), End> {
        let acks = Arc::clone(&self.acks);
        let outcomes = acks.wait().await;
        self.settle(outcomes).await
    }

    async fn settle(&mut self, outcomes: Vec<(u64, Outcome)>) -> Result<(), End> {
        for (token, outcome) in outcomes {
            let kept = match outcome {
                Outcome::Committed(_) | Outcome::Duplicate(_) => Kept::Durable,
                Outcome::Failed(error) => {
                    count_refused("not-stored");
                    tracing::error!("mllp: a message could not be stored: {error}");
                    Kept::NotStored
                }
            };
            self.mark(token, kept);
        }
        self.answer().await
    }

    fn mark(&mut self, token: u64, kept: Kept) {
        let at = self.waiting.partition_point(|w| w.first + w.parts.len() as u64 <= token);
        let part = self.waiting.get_mut(at).and_then(|waiting| {
            let index = usize::try_from(token.checked_sub(waiting.first)?).ok()?;
            waiting.parts.get_mut(index)
        });
        if let Some((_, slot)) = part {
            *slot = Some(kept);
        }
    }

    /// Writes the answers of the frames at the front that are settled, in one go.
    async fn answer(&mut self) -> Result<(), End> {
        let now = (self.shared.doors.clock)();
        let mut out = Vec::new();
        while self.waiting.front().is_some_and(Waiting::is_settled) {
            let Some(waiting) = self.waiting.pop_front() else { break };
            self.in_flight -= waiting.parts.len();
            self.in_flight_bytes -= waiting.bytes;
            let answers: Vec<Vec<u8>> = waiting
                .parts
                .iter()
                .filter_map(|(reply, kept)| reply.encode((*kept)?, now))
                .collect();
            if waiting.batch && !answers.is_empty() {
                out.extend_from_slice(&mllp::frame(&wire_hl7::batch(&answers)));
            } else {
                answers.iter().for_each(|answer| out.extend_from_slice(&mllp::frame(answer)));
            }
        }
        if out.is_empty() {
            return Ok(());
        }
        let write = async {
            self.io.write_all(&out).await?;
            self.io.flush().await
        };
        match timeout(self.shared.limits.patience, write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(End::Peer),
            Err(_) => Err(End::Cut("write-timeout")),
        }
    }

    /// Answers everything that is still in flight.
    async fn drain(&mut self) -> Result<(), End> {
        while self.in_flight > 0 {
            match timeout(self.shared.limits.patience, self.settle_some()).await {
                Ok(result) => result?,
                Err(_) => return Err(End::Cut("journal-timeout")),
            }
        }
        Ok(())
    }
}

/// Waits until a time; forever without one.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

fn single(inbound: Inbound) -> Received {
    Received { messages: vec![inbound], batch: false }
}

const fn lane(kind: Kind) -> Lane {
    match kind {
        Kind::Directory => Lane::Urgent,
        Kind::Numeric | Kind::Refused => Lane::Numeric,
        Kind::Waveform => Lane::Waveform,
    }
}
