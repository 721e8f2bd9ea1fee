//! One connection from CONNACK to its end: one task that reads, queues, answers and delivers.

use std::cell::RefCell;
use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use journal::{AckQueue, Appender, Closed, Draft, JournalError};
use parking_lot::MutexGuard;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::Instant;
use vitals::DeviceId;
use wire_mqtt::codec::encode::{self, AckKind, Block};
use wire_mqtt::codec::split;
use wire_mqtt::session::Sent;
use wire_mqtt::{MqttError, Qos, Reason, Version};

use super::broker::{Broker, RouteCache, count_refused, is_command};
use super::handshake::Peer;
use super::inbound;
use super::pace::Pace;
use super::registry::State;
use super::window::{Answer, Settled, Window};
use crate::{Allowance, Refused};

/// Read from a socket at a time, bytes. What is read and can't be queued yet stays in memory, so
/// this times the number of connections bounds the memory of an overload.
const READ_BYTES: usize = 16 << 10;
/// Events queued for the journal in one go.
pub(super) const BURST: usize = 64;
/// More than this unsent, bytes, and nothing more is delivered to the client.
const OUT_LOW: usize = 32 << 10;
/// More than this unsent, bytes, and nothing more is read from it.
const OUT_HIGH: usize = 256 << 10;
/// The kind of packet that subscribes.
const SUBSCRIBE: u8 = 8;
/// How long a last DISCONNECT may take.
const GOODBYE: Duration = Duration::from_secs(2);

thread_local! {
    /// Read buffer of whichever connection reads: idle ones need none.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// Why a connection ends.
#[derive(Debug)]
pub(super) enum End {
    /// The client said goodbye; no will.
    Normal,
    /// The client said goodbye and wants its will published.
    WithWill,
    /// It vanished.
    Lost(&'static str),
    /// It broke the rules.
    Refused(MqttError),
    /// The session has a new connection, or ended.
    TakenOver,
    /// The program stops.
    Shutdown,
    /// The journal could not keep what it sent.
    NotKept(Arc<JournalError>),
    /// Its account or its right was taken away.
    Revoked,
    /// No record could be kept of what it asked for.
    NoRecord,
}

type Work<E> = Pin<Box<dyn Future<Output = Result<(), E>> + Send>>;
type Placing = Work<Closed>;
type Recording = Work<Refused>;

/// A connection.
pub(super) struct Connection<S> {
    pub(super) broker: Arc<Broker>,
    pub(super) peer: Peer,
    io: S,
    inbox: Vec<u8>,
    /// Whether the inbox may hold a whole packet.
    unparsed: bool,
    pub(super) out: Vec<u8>,
    sent: usize,
    pub(super) window: Window,
    pub(super) burst: Vec<(Draft, u64)>,
    placing: Option<Placing>,
    pub(super) pace: Pace,
    /// The record of a subscription, which waits for it (SE-1).
    recording: Option<Recording>,
    /// Whether that record was kept.
    pub(super) recorded: bool,
    pub(super) acks: Arc<AckQueue>,
    pub(super) routes: RouteCache,
    pub(super) aliases: HashMap<u16, Arc<str>>,
    /// Whether something may wait in the session for the client.
    pub(super) outgoing: bool,
    pub(super) last_device: Option<DeviceId>,
    last_heard: Instant,
    /// How much it may send, and until when nothing is read because it sent more.
    allowance: Option<Allowance>,
    slowed: Option<Instant>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// After a handshake, with what it has read ahead and what is still to be sent.
    pub(super) fn new(
        broker: Arc<Broker>,
        peer: Peer,
        io: S,
        inbox: Vec<u8>,
        out: Vec<u8>,
    ) -> Self {
        Self {
            allowance: broker.doors.identify.allowance(&peer.identity),
            slowed: None,
            broker,
            peer,
            io,
            unparsed: !inbox.is_empty(),
            inbox,
            out,
            sent: 0,
            window: Window::default(),
            burst: Vec::new(),
            placing: None,
            pace: Pace::default(),
            recording: None,
            recorded: false,
            acks: AckQueue::in_order(),
            routes: RouteCache::default(),
            aliases: HashMap::new(),
            outgoing: true,
            last_device: None,
            last_heard: Instant::now(),
        }
    }

    /// Serves the client until it leaves, or has to.
    pub(super) async fn serve(&mut self) -> End {
        if let Err(end) = self.resume() {
            return end;
        }
        let patience = self.peer.patience;
        let mut timer = pin!(tokio::time::sleep(patience.unwrap_or_default()));
        loop {
            if let Err(end) = self.advance() {
                return end;
            }
            let may_read = self.placing.is_none()
                && self.recording.is_none()
                && !self.unparsed
                && self.slowed.is_none()
                && self.out.len() < OUT_HIGH;
            tokio::select! { biased;
                placed = drive(&mut self.placing), if self.placing.is_some() => {
                    self.placing = None;
                    self.pace.end();
                    if placed.is_err() {
                        return End::Shutdown;
                    }
                }
                kept = drive(&mut self.recording), if self.recording.is_some() => {
                    self.recording = None;
                    self.recorded = true;
                    if kept.is_err() {
                        return End::NoRecord;
                    }
                }
                () = self.pace.wait(), if self.pace.waits() => {}
                () = until(self.slowed), if self.slowed.is_some() => self.slowed = None,
                ready = self.acks.wait(), if !self.window.is_empty() => {
                    for (token, outcome) in ready {
                        self.window.complete(token, outcome);
                    }
                    if let Err(end) = self.settle() {
                        return end;
                    }
                }
                () = self.peer.wake.notified() => {
                    if let Err(end) = self.woken() {
                        return end;
                    }
                }
                moved = move_bytes(&mut self.io, &mut self.out, &mut self.sent, &mut self.inbox, may_read) => {
                    match moved {
                        Ok(Moved::Sent) => {}
                        Ok(Moved::Received) => {
                            self.last_heard = Instant::now();
                            self.unparsed = true;
                        }
                        Ok(Moved::Closed) => return End::Lost("connection closed without goodbye"),
                        Err(_) => return End::Lost("connection broke"),
                    }
                }
                () = timer.as_mut(), if patience.is_some() => {
                    let allowed = patience.unwrap_or_default();
                    // Silence that comes from our not reading is not the client's.
                    if may_read && self.last_heard.elapsed() >= allowed {
                        return End::Lost("keep-alive expired");
                    }
                    let from = if may_read { self.last_heard } else { Instant::now() };
                    timer.as_mut().reset(from + allowed);
                }
            }
        }
    }

    /// Sends again what an earlier connection left in flight.
    fn resume(&mut self) -> Result<(), End> {
        let now_ms = self.broker.now_ms();
        let client = Arc::clone(&self.peer.client);
        let mut state = client.state.lock();
        if state.epoch != self.peer.epoch {
            return Err(End::TakenOver);
        }
        // A command is sent once: what became of it when the connection broke, nobody knows.
        state.session.withdraw(|publication| publication.expires_ms.is_some() && is_command(publication));
        state.session.resend(&mut self.peer.link, now_ms, &mut self.out);
        Ok(())
    }

    /// Does everything that needs no waiting.
    fn advance(&mut self) -> Result<(), End> {
        let free = self.unparsed
            && self.placing.is_none()
            && self.recording.is_none()
            && self.slowed.is_none();
        if free && self.pace.begin(&self.broker.turns, self.window.first()) {
            self.parse()?;
            if self.burst.is_empty() {
                self.pace.end();
            }
            // What needed no journal is settled at once.
            self.settle()?;
        }
        if !self.burst.is_empty() && self.placing.is_none() {
            self.place();
        }
        if self.outgoing && self.out.len() < OUT_LOW {
            self.pump()?;
        }
        Ok(())
    }

    /// Acts on the packets in the inbox, as far as there is room for what they cause.
    fn parse(&mut self) -> Result<(), End> {
        let inbox = std::mem::take(&mut self.inbox);
        let (max, in_flight) =
            (self.broker.limits.packet_bytes as usize, self.broker.limits.in_flight);
        let burst = self.begin_burst();
        let mut at = 0;
        let mut result = Ok(());
        self.unparsed = false;
        loop {
            if self.burst.len() >= BURST
                || self.window.len() >= in_flight
                || self.out.len() >= OUT_HIGH
                || !self.pace.may_go_on(self.window.first())
            {
                self.unparsed = true;
                break;
            }
            match split(&inbox[at..], max) {
                Ok(Some(frame)) => {
                    if self.must_record(frame.header) {
                        self.record(frame.header, frame.body);
                        self.unparsed = true;
                        break;
                    }
                    at += frame.length;
                    result = self.packet(&burst, frame.header, frame.body);
                    if result.is_err() {
                        break;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    result = Err(End::Refused(error));
                    break;
                }
            }
        }
        self.end_burst();
        self.charge(at);
        self.keep_rest(inbox, at);
        result
    }

    /// Takes what was just read from the identity's allowance.
    fn charge(&mut self, bytes: usize) {
        if let Some(allowance) = self.allowance
            && bytes > 0
        {
            let messages = self.burst.len().max(1);
            let wait = self.broker.quotas.charge(&self.peer.identity, allowance, messages, bytes);
            self.slowed = wait.map(|wait| Instant::now() + wait);
        }
    }

    /// Whether a packet has to wait until a record of it is kept.
    fn must_record(&self, header: u8) -> bool {
        header >> 4 == SUBSCRIBE && self.peer.identity.device.is_none() && !self.recorded
    }

    /// Begins to keep the record of a subscription; the packet stays where it is meanwhile.
    fn record(&mut self, header: u8, body: &[u8]) {
        let what = inbound::followed(header, body, self.peer.version);
        let (identify, identity) =
            (Arc::clone(&self.broker.doors.identify), self.peer.identity.clone());
        let keep = move || identify.follows(&identity, &what);
        self.recording = Some(Box::pin(async move {
            tokio::task::spawn_blocking(keep).await.unwrap_or(Err(Refused::NotAllowed))
        }));
    }

    /// Keeps what was not parsed; an empty inbox gives its memory back.
    fn keep_rest(&mut self, mut inbox: Vec<u8>, parsed: usize) {
        if parsed < inbox.len() {
            inbox.drain(..parsed);
            self.inbox = inbox;
        }
    }

    /// Hands the burst to the journal, which may make us wait.
    fn place(&mut self) {
        let drafts = std::mem::take(&mut self.burst);
        let appender = self.broker.doors.appender.clone();
        self.placing = Some(Box::pin(place(appender, drafts, Arc::clone(&self.acks))));
    }

    /// Answers and delivers what is settled, in the order received.
    fn settle(&mut self) -> Result<(), End> {
        let mut failure = None;
        while let Some(settled) = self.window.next() {
            match settled {
                Settled::Durable(answer) => {
                    if let Some(publication) = &answer.publication {
                        self.broker.deliver(publication, &mut self.routes);
                    }
                    self.answer(&answer);
                }
                Settled::Known(answer) => self.answer(&answer),
                Settled::Failed(answer, error) => {
                    if answer.qos == Qos::ExactlyOnce {
                        self.peer.client.state.lock().session.forget(answer.packet_id);
                    }
                    failure = Some(error);
                }
            }
        }
        if self.window.waits_for_earlier() {
            let state = self.peer.client.state.lock();
            self.window.look_again(|id| state.session.incoming(id));
        }
        failure.map_or(Ok(()), |error| Err(End::NotKept(error)))
    }

    fn answer(&mut self, answer: &Answer) {
        let kind = match answer.qos {
            Qos::AtMostOnce => return,
            Qos::AtLeastOnce => AckKind::PubAck,
            Qos::ExactlyOnce => {
                let mut state = self.peer.client.state.lock();
                if answer.reason.is_some_and(Reason::is_error) {
                    state.session.forget(answer.packet_id);
                } else {
                    state.session.committed(answer.packet_id);
                }
                if state.epoch != self.peer.epoch {
                    state.wake.notify_one(); // A later connection may wait for this one.
                }
                AckKind::PubRec
            }
        };
        let block = match &answer.quarantined {
            Some(why) if self.peer.explain => Block::new().user("quarantined", why),
            _ => Block::new(),
        };
        let reason = answer.reason.unwrap_or(Reason::SUCCESS);
        encode::ack(&mut self.out, self.peer.version, kind, answer.packet_id, reason, &block);
    }

    /// Somebody delivered something, took the session over, or the program stops.
    fn woken(&mut self) -> Result<(), End> {
        if self.broker.closing() {
            return Err(End::Shutdown);
        }
        self.outgoing = true;
        let standing = self.broker.standing();
        if standing != self.peer.standing {
            self.peer.standing = standing;
            if !self.broker.doors.identify.still_stands(&self.peer.identity) {
                return Err(End::Revoked);
            }
        }
        drop(self.session()?);
        if self.window.waits_for_earlier() {
            let state = self.peer.client.state.lock();
            self.window.look_again(|id| state.session.incoming(id));
            drop(state);
            self.settle()?;
        }
        Ok(())
    }

    /// Moves waiting messages from the session to the socket's buffer.
    fn pump(&mut self) -> Result<(), End> {
        let now_ms = self.broker.now_ms();
        let client = Arc::clone(&self.peer.client);
        let mut state = client.state.lock();
        if state.epoch != self.peer.epoch {
            return Err(End::TakenOver);
        }
        while self.out.len() < OUT_LOW {
            match state.session.send_next(&mut self.peer.link, now_ms, &mut self.out) {
                Sent::One => {}
                Sent::Idle => {
                    self.outgoing = false;
                    break;
                }
                Sent::Expired => self.broker.count_dropped("expired"),
                Sent::TooLarge => self.broker.count_dropped("larger-than-subscriber-takes"),
            }
        }
        Ok(())
    }

    /// The session, as long as this connection owns it.
    pub(super) fn session(&self) -> Result<MutexGuard<'_, State>, End> {
        let state = self.peer.client.state.lock();
        if state.epoch == self.peer.epoch { Ok(state) } else { Err(End::TakenOver) }
    }

    /// Says goodbye, closes the socket, and waits until everything taken in is durable and
    /// delivered. What remains of the client is carried on by its afterlife.
    pub(super) async fn close(mut self, end: &End) -> Peer {
        if let Some((reason, why)) = farewell(end) {
            if let End::Refused(error) = end {
                count_refused(error.name());
                tracing::debug!(client = %self.peer.client.id, "mqtt: connection closed: {error}");
            }
            if self.peer.version == Version::V5 {
                let why = if self.peer.explain { why.as_str() } else { "" };
                encode::disconnect(&mut self.out, reason, why);
            }
        }
        let unsent = self.out.split_off(self.sent);
        // Whoever is gone can't be told; whoever does not read is not waited for.
        let _ = tokio::time::timeout(GOODBYE, async {
            let _ = self.io.write_all(&unsent).await;
            let _ = self.io.shutdown().await;
        })
        .await;
        if let Ok(mut state) = self.session() {
            state.connected = false;
        }
        self.drain().await;
        self.peer
    }

    /// Waits for the journal to take and commit everything that was read.
    async fn drain(&mut self) {
        if let Some(placing) = self.placing.take()
            && placing.await.is_err()
        {
            return;
        }
        let drafts = std::mem::take(&mut self.burst);
        let appender = self.broker.doors.appender.clone();
        if place(appender, drafts, Arc::clone(&self.acks)).await.is_err() {
            return;
        }
        let _ = self.settle();
        while !self.window.is_empty() && !self.window.waits_for_earlier() {
            for (token, outcome) in self.acks.wait().await {
                self.window.complete(token, outcome);
            }
            let _ = self.settle();
            self.out.clear();
        }
    }
}

/// What a server says when it closes, if it does.
fn farewell(end: &End) -> Option<(Reason, String)> {
    Some(match end {
        End::Normal | End::WithWill => return None,
        End::Lost("keep-alive expired") => (Reason::KEEP_ALIVE, String::from("keep alive expired")),
        End::Lost(_) => return None,
        End::Refused(error) => (error.reason(), error.to_string()),
        End::TakenOver => (Reason::TAKEN_OVER, String::from("another connection has this client id")),
        End::Revoked => (Reason::NOT_AUTHORISED, String::from("this account may not connect any more")),
        End::NoRecord => (Reason::IMPLEMENTATION, String::from("no audit record can be kept: nothing is given out")),
        End::Shutdown => (Reason::SHUTTING_DOWN, String::from("the server stops")),
        End::NotKept(error) => match &**error {
            JournalError::DiskFull { .. } => (
                Reason::QUOTA,
                String::from("the server's disk is full: what was not acknowledged is not kept, send it again"),
            ),
            _ => (
                Reason::IMPLEMENTATION,
                String::from("what was not acknowledged is not kept: send it again"),
            ),
        },
    })
}

async fn place(
    appender: Appender,
    drafts: Vec<(Draft, u64)>,
    acks: Arc<AckQueue>,
) -> Result<(), Closed> {
    appender.enqueue_all(drafts, &acks).await
}

/// Waits until a time; forever without one.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}

async fn drive<E>(work: &mut Option<Work<E>>) -> Result<(), E> {
    match work {
        Some(work) => work.await,
        None => std::future::pending().await,
    }
}

enum Moved {
    Sent,
    Received,
    Closed,
}

/// Sends what is to be sent and, when allowed, reads once.
async fn move_bytes<S: AsyncRead + AsyncWrite + Unpin>(
    io: &mut S,
    out: &mut Vec<u8>,
    sent: &mut usize,
    inbox: &mut Vec<u8>,
    may_read: bool,
) -> io::Result<Moved> {
    let was_full = out.len() >= OUT_LOW;
    poll_fn(|cx| {
        if !out.is_empty()
            && let Poll::Ready(done) = send(io, out, sent, cx)
        {
            done?;
            if was_full {
                return Poll::Ready(Ok(Moved::Sent));
            }
        }
        if may_read { receive(io, inbox, cx) } else { Poll::Pending }
    })
    .await
}

fn send<S: AsyncWrite + Unpin>(
    io: &mut S,
    out: &mut Vec<u8>,
    sent: &mut usize,
    cx: &mut Context<'_>,
) -> Poll<io::Result<()>> {
    while *sent < out.len() {
        let count = ready!(Pin::new(&mut *io).poll_write(cx, &out[*sent..]))?;
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        *sent += count;
    }
    // TLS keeps what it has encrypted until it is flushed.
    ready!(Pin::new(io).poll_flush(cx))?;
    *sent = 0;
    out.clear();
    if out.capacity() > OUT_LOW {
        *out = Vec::new();
    }
    Poll::Ready(Ok(()))
}

fn receive<S: AsyncRead + Unpin>(
    io: &mut S,
    inbox: &mut Vec<u8>,
    cx: &mut Context<'_>,
) -> Poll<io::Result<Moved>> {
    SCRATCH.with_borrow_mut(|scratch| {
        let mut buffer = ReadBuf::new(scratch);
        ready!(Pin::new(io).poll_read(cx, &mut buffer))?;
        if buffer.filled().is_empty() {
            return Poll::Ready(Ok(Moved::Closed));
        }
        inbox.extend_from_slice(buffer.filled());
        Poll::Ready(Ok(Moved::Received))
    })
}
