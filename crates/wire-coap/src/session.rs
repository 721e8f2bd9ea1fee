//! The server's half of LwM2M for one connection: a state machine that takes datagrams and the time,
//! and says what to send and what was learned. Values are answered when [`Session::settled`] says
//! that they are kept (DU-1).

use std::collections::BTreeMap;

use coap_lite::{CoapOption, MessageClass, MessageType, Packet, RequestType, ResponseType};

use crate::asks::Asks;
use crate::block::{Blocks, Fetch, Joined};
use crate::content::{self, ContentError, Record};
use crate::packet::{answer, bytes, confirmable, content_format, empty, id, number, texts, uint};
use crate::registration::{LIFETIME_S, Told, measuring};
use crate::replies::{Known, Replies};

/// What a session may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a request that comes in blocks.
    pub request_bytes: usize,
    /// Values that wait to be kept.
    pub waiting: usize,
    /// Objects that are observed.
    pub observed: usize,
}

impl Default for Limits {
    /// 64 KiB, 32 messages, 32 objects.
    fn default() -> Self {
        Self { request_bytes: 64 << 10, waiting: 32, observed: 32 }
    }
}

/// Why something was refused, for counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Not CoAP.
    Syntax,
    /// It registers as another than it proved to be.
    Identity,
    /// It sends before it has registered.
    Unregistered,
    /// A path or method that is not here.
    NotFound,
    /// A payload that can't be read; the values that it may have held are lost to nobody: it is handed
    /// over whole.
    Content,
    /// More than the limits allow.
    Limit,
    /// A block that does not follow.
    Block,
    /// It did not answer what we asked, or answered with an error.
    Unanswered,
}

impl Refusal {
    /// Lower kebab-case name, for counting.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Identity => "other-endpoint",
            Self::Unregistered => "unregistered",
            Self::NotFound => "no-such-path",
            Self::Content => "content",
            Self::Limit => "limit",
            Self::Block => "block",
            Self::Unanswered => "unanswered",
        }
    }
}

/// What is to be done, and what was learned.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send this.
    Send(Vec<u8>),
    /// Keep this, then call [`Session::settled`] with its number.
    Deliver {
        /// Its number.
        exchange: u64,
        /// What was understood; none of content that can't be read.
        records: Vec<Record>,
        /// The content's format and bytes as they came.
        raw: (u16, Vec<u8>),
        /// Why it can't be read, if so.
        fault: Option<ContentError>,
    },
    /// The sensor has registered, or said that it is still there.
    Registered {
        /// What it calls itself, where it says so.
        endpoint: Option<String>,
        /// For how long, in seconds.
        lifetime_s: u32,
    },
    /// It is registered no more.
    Gone {
        /// Whether it said goodbye; else it was not heard for its lifetime.
        goodbye: bool,
    },
    /// Something was refused.
    Refused(Refusal),
}

/// A message whose values are being kept.
#[derive(Debug)]
struct Waiting {
    /// The answer when they are; none where none is wanted.
    kept: Option<Packet>,
    /// The message's number; none if it is one of ours, which it answers.
    id: Option<u16>,
    request: bool,
}

/// An object that is observed.
#[derive(Debug)]
pub(crate) struct Observed {
    pub(crate) path: Vec<u16>,
    /// Sequence and time of the newest notification.
    pub(crate) newest: Option<(u32, u64)>,
    /// The format that is asked for; none: whichever the sensor likes.
    pub(crate) format: Option<u16>,
}

/// One sensor's connection.
#[derive(Debug)]
pub struct Session {
    /// What it may call itself; empty: anything.
    endpoints: Vec<String>,
    limits: Limits,
    pub(crate) next_id: u16,
    next_exchange: u64,
    until_ms: Option<u64>,
    lifetime_s: u32,
    /// Whether it sleeps, and until when it listens.
    sleeps: bool,
    awake_until_ms: u64,
    /// Whether there is a connection to ask over.
    connected: bool,
    old: bool,
    pub(crate) replies: Replies,
    blocks: Blocks,
    /// What it holds that is to be observed.
    objects: Vec<Vec<u16>>,
    waiting: BTreeMap<u64, Waiting>,
    pub(crate) observed: BTreeMap<Vec<u8>, Observed>,
    pub(crate) asks: Asks,
    pub(crate) fetch: Option<Fetch>,
}

/// Where a registration stands.
const LOCATION: &str = "1";
/// How long a sensor that sleeps still listens when it has spoken (MAX_TRANSMIT_WAIT; LwM2M 1.1, 6.5).
const AWAKE_MS: u64 = 93_000;

impl Session {
    /// A connection of the sensor that proved to be one of `endpoints`; of anybody when that is empty.
    /// `first_id` is the first number of our own messages.
    #[must_use]
    pub fn new(endpoints: &[String], limits: Limits, first_id: u16) -> Self {
        Self {
            endpoints: endpoints.to_vec(),
            limits,
            next_id: first_id,
            next_exchange: 0,
            until_ms: None,
            lifetime_s: LIFETIME_S,
            sleeps: false,
            awake_until_ms: 0,
            connected: true,
            old: false,
            replies: Replies::default(),
            blocks: Blocks::default(),
            objects: Vec::new(),
            waiting: BTreeMap::new(),
            observed: BTreeMap::new(),
            asks: Asks::default(),
            fetch: None,
        }
    }

    /// The sensor speaks over a new connection: numbers of messages begin anew, the registration and
    /// what is observed stand.
    pub fn reconnected(&mut self) {
        self.replies = Replies::default();
        self.blocks = Blocks::default();
        self.waiting.clear();
        self.fetch = None;
        self.asks.take_back();
        self.connected = true;
    }

    /// The connection is no more; the registration stands, and nothing is asked until there is another.
    pub fn disconnected(&mut self) {
        self.connected = false;
    }

    /// Until when the sensor is registered; none while it is not.
    #[must_use]
    pub fn registered_until_ms(&self) -> Option<u64> {
        self.until_ms
    }

    /// Takes a datagram that was received at `now_ms`, in milliseconds of any clock that runs forward.
    pub fn step(&mut self, datagram: &[u8], now_ms: u64) -> Vec<Output> {
        let Ok(packet) = Packet::from_bytes(datagram) else { return vec![Output::Refused(Refusal::Syntax)] };
        self.awake_until_ms = now_ms + AWAKE_MS;
        let mut outputs = match packet.header.code {
            MessageClass::Request(method) => match self.replies.take(id(&packet), now_ms) {
                Known::New => self.request(&packet, method, now_ms),
                Known::Pending => Vec::new(),
                Known::Answered(reply) => vec![Output::Send(reply)],
            },
            MessageClass::Response(code) => self.response(&packet, code, now_ms),
            // A ping is answered with a reset (RFC 7252 4.3); acknowledgements and resets are not.
            MessageClass::Empty if confirmable(&packet) => {
                vec![Output::Send(empty(MessageType::Reset, id(&packet)))]
            }
            MessageClass::Empty => {
                let token = self.asks.received(id(&packet));
                match token.filter(|_| packet.header.get_type() == MessageType::Reset) {
                    Some(token) => self.unanswered(&token),
                    None => Vec::new(),
                }
            }
            MessageClass::Reserved(_) => vec![Output::Refused(Refusal::Syntax)],
        };
        self.ask(now_ms, &mut outputs);
        outputs
    }

    /// Time has passed: called every second or so.
    pub fn tick(&mut self, now_ms: u64) -> Vec<Output> {
        if self.until_ms.is_some_and(|until| now_ms > until) {
            self.forget();
            return vec![Output::Gone { goodbye: false }];
        }
        let mut outputs = Vec::new();
        self.ask(now_ms, &mut outputs);
        outputs
    }

    /// Sends what is to be asked now.
    fn ask(&mut self, now_ms: u64, outputs: &mut Vec<Output>) {
        let awake = self.connected && (!self.sleeps || now_ms < self.awake_until_ms);
        let due = self.asks.due(now_ms, awake, &mut self.next_id);
        outputs.extend(due.send.into_iter().map(Output::Send));
        for token in due.given_up {
            outputs.extend(self.unanswered(&token));
        }
    }

    /// The sensor is registered no more.
    fn forget(&mut self) {
        self.until_ms = None;
        self.objects.clear();
        self.observed.clear();
        self.asks.clear();
        self.fetch = None;
    }

    /// What was delivered under this number is kept, or could not be.
    pub fn settled(&mut self, exchange: u64, kept: bool) -> Vec<Output> {
        let Some(waiting) = self.waiting.remove(&exchange) else { return Vec::new() };
        let Some(mut reply) = waiting.kept else {
            if let Some(id) = waiting.id.filter(|_| !kept) {
                self.replies.forget(id);
            }
            return Vec::new();
        };
        if kept {
            let reply = bytes(&reply);
            waiting.id.iter().for_each(|id| self.replies.answered(*id, &reply));
            return vec![Output::Send(reply)];
        }
        waiting.id.iter().for_each(|id| self.replies.forget(*id));
        if !waiting.request {
            // Without an acknowledgement the sensor notifies again.
            return Vec::new();
        }
        reply.header.code = MessageClass::Response(ResponseType::ServiceUnavailable);
        vec![Output::Send(bytes(&reply))]
    }

    fn request(&mut self, packet: &Packet, method: RequestType, now_ms: u64) -> Vec<Output> {
        let path = texts(packet, CoapOption::UriPath).map(|parts| parts.join("/"));
        match (method, path.as_deref()) {
            (RequestType::Post, Some("rd")) => self.register(packet, now_ms),
            (RequestType::Post, Some("dp")) => self.send(packet),
            (RequestType::Post, Some("rd/1")) => self.update(packet, now_ms),
            (RequestType::Delete, Some("rd/1")) if self.until_ms.is_some() => {
                self.forget();
                vec![self.reply(packet, ResponseType::Deleted), Output::Gone { goodbye: true }]
            }
            _ => self.refuse(packet, ResponseType::NotFound, Refusal::NotFound),
        }
    }

    fn reply(&mut self, request: &Packet, code: ResponseType) -> Output {
        let packet = answer(request, code, self.fresh_id());
        self.keep_reply(request, &packet)
    }

    fn keep_reply(&mut self, request: &Packet, packet: &Packet) -> Output {
        let reply = bytes(packet);
        self.replies.answered(id(request), &reply);
        Output::Send(reply)
    }

    fn refuse(&mut self, request: &Packet, code: ResponseType, why: Refusal) -> Vec<Output> {
        vec![self.reply(request, code), Output::Refused(why)]
    }

    pub(crate) fn request_bytes(&self) -> usize {
        self.limits.request_bytes
    }

    fn fresh_id(&mut self) -> u16 {
        let id = self.next_id;
        self.next_id = id.wrapping_add(1);
        id
    }

    fn register(&mut self, packet: &Packet, now_ms: u64) -> Vec<Output> {
        let told = Told::read(&texts(packet, CoapOption::UriQuery).unwrap_or_default());
        let known = |endpoint: &String| self.endpoints.is_empty() || self.endpoints.contains(endpoint);
        if told.endpoint.as_ref().is_some_and(|endpoint| !known(endpoint)) {
            return self.refuse(packet, ResponseType::Forbidden, Refusal::Identity);
        }
        let Some(objects) = measuring(&packet.payload, self.limits.observed) else {
            return self.refuse(packet, ResponseType::BadRequest, Refusal::Content);
        };
        self.forget();
        self.lifetime_s = told.lifetime_s.unwrap_or(LIFETIME_S);
        self.until_ms = Some(now_ms + u64::from(self.lifetime_s) * 1_000);
        self.sleeps = told.queue == Some(true);
        self.old = told.old;
        let mut created = answer(packet, ResponseType::Created, self.fresh_id());
        created.add_option(CoapOption::LocationPath, b"rd".to_vec());
        created.add_option(CoapOption::LocationPath, LOCATION.as_bytes().to_vec());
        self.objects = objects;
        self.observe_rest();
        let registered = Output::Registered { endpoint: told.endpoint, lifetime_s: self.lifetime_s };
        vec![self.keep_reply(packet, &created), registered]
    }

    fn update(&mut self, packet: &Packet, now_ms: u64) -> Vec<Output> {
        if self.until_ms.is_none() {
            return self.refuse(packet, ResponseType::NotFound, Refusal::Unregistered);
        }
        let told = Told::read(&texts(packet, CoapOption::UriQuery).unwrap_or_default());
        self.lifetime_s = told.lifetime_s.unwrap_or(self.lifetime_s);
        self.sleeps = told.queue.unwrap_or(self.sleeps);
        self.until_ms = Some(now_ms + u64::from(self.lifetime_s) * 1_000);
        if let Some(objects) = measuring(&packet.payload, self.limits.observed).filter(|_| !packet.payload.is_empty()) {
            self.objects = objects;
        }
        self.observe_rest();
        let registered = Output::Registered { endpoint: None, lifetime_s: self.lifetime_s };
        vec![self.reply(packet, ResponseType::Changed), registered]
    }

    /// Observes what is not observed yet, or not any more.
    fn observe_rest(&mut self) {
        let known = |path: &&Vec<u16>| !self.observed.values().any(|observed| observed.path == **path);
        let rest: Vec<_> = self.objects.iter().filter(known).cloned().collect();
        rest.into_iter().for_each(|path| self.observe(path));
    }

    /// Asks for an object's instance and to be told of its changes, when the sensor listens.
    fn observe(&mut self, path: Vec<u16>) {
        let format = if self.old { content::format::TLV } else { content::format::SENML_CBOR };
        let token = self.fresh_token(b'o');
        let observed = Observed { path, newest: None, format: Some(format) };
        self.asks.push(asking(&token, &observed.path, observed.format, None));
        self.observed.insert(token, observed);
    }

    pub(crate) fn fresh_token(&mut self, kind: u8) -> Vec<u8> {
        let own = self.fresh_id().to_be_bytes();
        vec![kind, own[0], own[1]]
    }

    /// The Send operation (LwM2M 1.1, 6.4.6), in blocks or not.
    fn send(&mut self, packet: &Packet) -> Vec<Output> {
        if self.until_ms.is_none() {
            return self.refuse(packet, ResponseType::NotFound, Refusal::Unregistered);
        }
        let block = number(packet, CoapOption::Block1);
        let mut reply = answer(packet, ResponseType::Changed, self.fresh_id());
        let payload = match block {
            None => packet.payload.clone(),
            Some(option) => {
                reply.add_option(CoapOption::Block1, uint(option));
                match self.blocks.take("dp", option, &packet.payload, self.limits.request_bytes) {
                    Joined::Whole(payload) => payload,
                    Joined::Continue => {
                        reply.header.code = MessageClass::Response(ResponseType::Continue);
                        return vec![self.keep_reply(packet, &reply)];
                    }
                    Joined::Gap => {
                        return self.refuse(packet, ResponseType::RequestEntityIncomplete, Refusal::Block);
                    }
                    Joined::TooLarge => {
                        return self.refuse(packet, ResponseType::RequestEntityTooLarge, Refusal::Limit);
                    }
                }
            }
        };
        self.deliver(packet, Some(reply), true, (content_format(packet), payload), &[])
    }

    pub(crate) fn deliver(
        &mut self,
        packet: &Packet,
        kept: Option<Packet>,
        request: bool,
        raw: (u16, Vec<u8>),
        base: &[u16],
    ) -> Vec<Output> {
        // What answers a request of ours bears our number, and is none to remember.
        let number = Some(id(packet)).filter(|_| packet.header.get_type() != MessageType::Acknowledgement);
        if self.waiting.len() >= self.limits.waiting {
            number.iter().for_each(|number| self.replies.forget(*number));
            let mut outputs = vec![Output::Refused(Refusal::Limit)];
            if request {
                let busy = answer(packet, ResponseType::ServiceUnavailable, self.fresh_id());
                outputs.insert(0, Output::Send(bytes(&busy)));
            }
            return outputs;
        }
        let exchange = self.next_exchange;
        self.next_exchange += 1;
        // An unconfirmed request is answered all the same; an unconfirmed notification is not.
        self.waiting.insert(exchange, Waiting { kept, id: number, request });
        let (records, fault) = match content::read(raw.0, base, &raw.1) {
            Ok(records) => (records, None),
            Err(fault) => (Vec::new(), Some(fault)),
        };
        let refused = fault.is_some().then_some(Output::Refused(Refusal::Content));
        std::iter::once(Output::Deliver { exchange, records, raw, fault }).chain(refused).collect()
    }
}

/// A GET of this path: with an observation, or for a block of what was observed.
pub(crate) fn asking(token: &[u8], path: &[u16], format: Option<u16>, block: Option<u32>) -> Packet {
    let mut packet = Packet::new();
    packet.header.set_version(1);
    packet.header.set_type(MessageType::Confirmable);
    packet.header.code = MessageClass::Request(RequestType::Get);
    packet.set_token(token.to_vec());
    match block {
        None => packet.add_option(CoapOption::Observe, Vec::new()),
        Some(block) => packet.add_option(CoapOption::Block2, uint(block)),
    }
    for part in path {
        packet.add_option(CoapOption::UriPath, part.to_string().into_bytes());
    }
    if let Some(format) = format {
        packet.add_option(CoapOption::Accept, uint(u32::from(format)));
    }
    packet
}
