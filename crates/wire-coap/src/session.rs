//! The server's half of LwM2M for one connection: a state machine that takes datagrams and the time,
//! and says what to send and what was learned. Values are answered when [`Session::settled`] says
//! that they are kept (DU-1).

use std::collections::BTreeMap;

use coap_lite::{CoapOption, MessageClass, MessageType, Packet, RequestType, ResponseType};

use crate::block::{Blocks, Joined};
use crate::content::{self, Record};
use crate::packet::{answer, bytes, confirmable, empty, id, number, texts, uint};
use crate::replies::{Known, Replies};

/// What a session may use.
#[derive(Debug, Clone, Copy)]
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
    },
    /// The sensor has registered, or said that it is still there.
    Registered {
        /// For how long, in seconds.
        lifetime_s: u32,
    },
    /// It has said goodbye, or was not heard for its lifetime.
    Gone,
    /// Something was refused.
    Refused(Refusal),
}

/// A message whose values are being kept.
#[derive(Debug)]
struct Waiting {
    /// The answer when they are; none where none is wanted.
    kept: Option<Packet>,
    /// The message's number.
    id: u16,
    request: bool,
}

/// An object that is observed.
#[derive(Debug)]
struct Observed {
    path: Vec<u16>,
    /// Sequence and time of the newest notification.
    newest: Option<(u32, u64)>,
}

/// One sensor's connection.
#[derive(Debug)]
pub struct Session {
    endpoint: String,
    limits: Limits,
    next_id: u16,
    next_exchange: u64,
    until_ms: Option<u64>,
    lifetime_s: u32,
    replies: Replies,
    blocks: Blocks,
    waiting: BTreeMap<u64, Waiting>,
    observed: BTreeMap<Vec<u8>, Observed>,
}

/// Where a registration stands.
const LOCATION: &str = "1";
/// A lifetime without one told (LwM2M 1.1, 6.2.1), and the longest that is believed, in seconds.
const LIFETIME_S: u32 = 86_400;
const LIFETIME_MOST_S: u32 = 30 * 86_400;
/// Notifications told later than this are newer whatever their number says (RFC 7641 3.4).
const ORDER_MS: u64 = 128_000;

impl Session {
    /// A connection of the sensor that proved to be `endpoint`; `first_id` is the first number of our
    /// own messages.
    #[must_use]
    pub fn new(endpoint: &str, limits: Limits, first_id: u16) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            limits,
            next_id: first_id,
            next_exchange: 1,
            until_ms: None,
            lifetime_s: LIFETIME_S,
            replies: Replies::default(),
            blocks: Blocks::default(),
            waiting: BTreeMap::new(),
            observed: BTreeMap::new(),
        }
    }

    /// Takes a datagram that was received at `now_ms`, in milliseconds of any clock that runs forward.
    pub fn step(&mut self, datagram: &[u8], now_ms: u64) -> Vec<Output> {
        let Ok(packet) = Packet::from_bytes(datagram) else { return vec![Output::Refused(Refusal::Syntax)] };
        match packet.header.code {
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
            MessageClass::Empty => Vec::new(),
            MessageClass::Reserved(_) => vec![Output::Refused(Refusal::Syntax)],
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now_ms: u64) -> Vec<Output> {
        if self.until_ms.is_some_and(|until| now_ms > until) {
            self.until_ms = None;
            self.observed.clear();
            return vec![Output::Gone];
        }
        Vec::new()
    }

    /// What was delivered under this number is kept, or could not be.
    pub fn settled(&mut self, exchange: u64, kept: bool) -> Vec<Output> {
        let Some(waiting) = self.waiting.remove(&exchange) else { return Vec::new() };
        let Some(mut reply) = waiting.kept else {
            if !kept {
                self.replies.forget(waiting.id);
            }
            return Vec::new();
        };
        if kept {
            let reply = bytes(&reply);
            self.replies.answered(waiting.id, &reply);
            return vec![Output::Send(reply)];
        }
        self.replies.forget(waiting.id);
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
                self.until_ms = None;
                self.observed.clear();
                vec![self.reply(packet, ResponseType::Deleted), Output::Gone]
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

    fn fresh_id(&mut self) -> u16 {
        let id = self.next_id;
        self.next_id = id.wrapping_add(1);
        id
    }

    fn register(&mut self, packet: &Packet, now_ms: u64) -> Vec<Output> {
        let query = texts(packet, CoapOption::UriQuery).unwrap_or_default();
        let told = |key: &str| query.iter().find_map(|part| part.strip_prefix(key));
        if told("ep=").is_some_and(|endpoint| endpoint != self.endpoint) {
            return self.refuse(packet, ResponseType::Forbidden, Refusal::Identity);
        }
        let Ok(links) = std::str::from_utf8(&packet.payload) else {
            return self.refuse(packet, ResponseType::BadRequest, Refusal::Content);
        };
        let links: Vec<Vec<u16>> = links.split(',').filter_map(instance).collect();
        self.lifetime_s = lifetime(&query).unwrap_or(LIFETIME_S);
        self.until_ms = Some(now_ms + u64::from(self.lifetime_s) * 1_000);
        self.observed.clear();
        let mut created = answer(packet, ResponseType::Created, self.fresh_id());
        created.add_option(CoapOption::LocationPath, b"rd".to_vec());
        created.add_option(CoapOption::LocationPath, LOCATION.as_bytes().to_vec());
        let mut outputs = vec![self.keep_reply(packet, &created)];
        outputs.push(Output::Registered { lifetime_s: self.lifetime_s });
        for path in links.into_iter().filter(|path| measures(path)).take(self.limits.observed) {
            outputs.push(Output::Send(self.observe(path)));
        }
        outputs
    }

    fn update(&mut self, packet: &Packet, now_ms: u64) -> Vec<Output> {
        if self.until_ms.is_none() {
            return self.refuse(packet, ResponseType::NotFound, Refusal::Unregistered);
        }
        let query = texts(packet, CoapOption::UriQuery).unwrap_or_default();
        self.lifetime_s = lifetime(&query).unwrap_or(self.lifetime_s);
        self.until_ms = Some(now_ms + u64::from(self.lifetime_s) * 1_000);
        vec![self.reply(packet, ResponseType::Changed), Output::Registered { lifetime_s: self.lifetime_s }]
    }

    /// Asks for an object's instance and to be told of its changes.
    fn observe(&mut self, path: Vec<u16>) -> Vec<u8> {
        let own = self.fresh_id();
        let token = [b'o', own.to_be_bytes()[0], own.to_be_bytes()[1]].to_vec();
        let mut packet = Packet::new();
        packet.header.set_version(1);
        packet.header.set_type(MessageType::Confirmable);
        packet.header.message_id = own;
        packet.header.code = MessageClass::Request(RequestType::Get);
        packet.set_token(token.clone());
        packet.add_option(CoapOption::Observe, Vec::new());
        for part in &path {
            packet.add_option(CoapOption::UriPath, part.to_string().into_bytes());
        }
        packet.add_option(CoapOption::Accept, uint(u32::from(content::format::SENML_CBOR)));
        self.observed.insert(token, Observed { path, newest: None });
        bytes(&packet)
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
        let format = number(packet, CoapOption::ContentFormat).and_then(|format| u16::try_from(format).ok());
        self.deliver(packet, Some(reply), true, (format.unwrap_or_default(), payload), &[])
    }

    /// An answer to our asking, or a notification.
    fn response(&mut self, packet: &Packet, code: ResponseType, now_ms: u64) -> Vec<Output> {
        let acknowledge = confirmable(packet).then(|| {
            let mut reply = Packet::new();
            reply.header.set_version(1);
            reply.header.set_type(MessageType::Acknowledgement);
            reply.header.message_id = id(packet);
            reply.header.code = MessageClass::Empty;
            reply
        });
        let token = packet.get_token().to_vec();
        let Some(observed) = self.observed.get_mut(&token) else {
            // Nobody asked, or not any more: a reset ends it (RFC 7641 3.6).
            return vec![Output::Send(empty(MessageType::Reset, id(packet)))];
        };
        if code != ResponseType::Content {
            self.observed.remove(&token);
            return acknowledge.iter().map(|reply| Output::Send(bytes(reply))).collect();
        }
        if packet.header.get_type() != MessageType::Acknowledgement {
            match self.replies.take(id(packet), now_ms) {
                Known::New => {}
                Known::Pending => return Vec::new(),
                Known::Answered(reply) => return vec![Output::Send(reply)],
            }
        }
        if let Some(sequence) = number(packet, CoapOption::Observe) {
            if observed.newest.is_some_and(|newest| older(newest, sequence, now_ms)) {
                // Out of order, but a value all the same: it has its place in the past.
                observed.newest = observed.newest.map(|(number, _)| (number, now_ms));
            } else {
                observed.newest = Some((sequence, now_ms));
            }
        }
        let path = observed.path.clone();
        let format = number(packet, CoapOption::ContentFormat).and_then(|format| u16::try_from(format).ok());
        self.deliver(packet, acknowledge, false, (format.unwrap_or_default(), packet.payload.clone()), &path)
    }

    fn deliver(
        &mut self,
        packet: &Packet,
        kept: Option<Packet>,
        request: bool,
        raw: (u16, Vec<u8>),
        base: &[u16],
    ) -> Vec<Output> {
        if self.waiting.len() >= self.limits.waiting {
            self.replies.forget(id(packet));
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
        self.waiting.insert(exchange, Waiting { kept, id: id(packet), request });
        let (records, refused) = match content::read(raw.0, base, &raw.1) {
            Ok(records) => (records, None),
            Err(_) => (Vec::new(), Some(Output::Refused(Refusal::Content))),
        };
        std::iter::once(Output::Deliver { exchange, records, raw }).chain(refused).collect()
    }
}

/// Whether a notification is older than the newest (RFC 7641 3.4).
fn older((newest, at_ms): (u32, u64), number: u32, now_ms: u64) -> bool {
    let ahead = number.wrapping_sub(newest) & 0xff_ffff;
    now_ms.saturating_sub(at_ms) <= ORDER_MS && (ahead == 0 || ahead >= 1 << 23)
}

fn lifetime(query: &[String]) -> Option<u32> {
    let told = query.iter().find_map(|part| part.strip_prefix("lt="))?;
    told.parse().ok().map(|seconds: u32| seconds.clamp(1, LIFETIME_MOST_S))
}

/// The object's instance in a link such as `</3303/0>;ver=1.1`.
fn instance(link: &str) -> Option<Vec<u16>> {
    let (path, _) = link.trim().strip_prefix('<')?.split_once('>')?;
    content::path(path).filter(|path| path.len() == 2)
}

/// Whether an object holds measurements: the sensors among the IPSO objects, and the device's battery.
fn measures(path: &[u16]) -> bool {
    matches!(path.first(), Some(3 | 3300..=3305 | 3313..=3331 | 3336 | 3337 | 3346))
}
