//! Answers to what we asked, and notifications: in one message, or in blocks that are fetched.

use coap_lite::{CoapOption, MessageClass, MessageType, Packet, ResponseType};

use crate::block::{Fetch, Joined};
use crate::packet::{bytes, confirmable, content_format, empty, id, number};
use crate::replies::Known;
use crate::session::{Output, Refusal, Session, asking};

/// Notifications told later than this are newer whatever their number says (RFC 7641 3.4).
const ORDER_MS: u64 = 128_000;

impl Session {
    /// An answer to our asking, or a notification.
    pub(crate) fn response(&mut self, packet: &Packet, code: ResponseType, now_ms: u64) -> Vec<Output> {
        let token = packet.get_token().to_vec();
        let asked = self.asks.answered(&token);
        let ours = packet.header.get_type() == MessageType::Acknowledgement;
        if ours && !asked {
            // An acknowledgement that comes twice answered the first time.
            return Vec::new();
        }
        if self.fetch.as_ref().is_some_and(|fetch| fetch.token == token) {
            return self.block(packet, code);
        }
        if !self.observed.contains_key(&token) {
            // Nobody asked, or not any more: a reset ends it (RFC 7641 3.6).
            return if ours { Vec::new() } else { vec![Output::Send(empty(MessageType::Reset, id(packet)))] };
        }
        if code != ResponseType::Content {
            let mut outputs: Vec<_> = acknowledgement(packet).iter().map(|reply| Output::Send(bytes(reply))).collect();
            outputs.extend(self.declined(&token, code));
            return outputs;
        }
        if !ours {
            match self.replies.take(id(packet), now_ms) {
                Known::New => {}
                Known::Pending => return Vec::new(),
                Known::Answered(reply) => return vec![Output::Send(reply)],
            }
        }
        let option = number(packet, CoapOption::Block2);
        if let Some(option) = option.filter(|option| option & 8 != 0) {
            return self.fetch_rest(packet, option);
        }
        self.told(&token, packet, now_ms);
        let path = self.observed.get(&token).map_or_else(Vec::new, |observed| observed.path.clone());
        let raw = (content_format(packet), packet.payload.clone());
        self.deliver(packet, acknowledgement(packet), false, raw, &path)
    }

    /// Notes the order of notifications; one out of order is a value all the same: it has its place in
    /// the past.
    fn told(&mut self, token: &[u8], packet: &Packet, now_ms: u64) {
        let Some(observed) = self.observed.get_mut(token) else { return };
        let Some(sequence) = number(packet, CoapOption::Observe) else { return };
        let late = observed.newest.is_some_and(|newest| older(newest, sequence, now_ms));
        if !late {
            observed.newest = Some((sequence, now_ms));
        }
    }

    /// The sensor will not do what we asked: in another format, perhaps; else it is not observed.
    fn declined(&mut self, token: &[u8], code: ResponseType) -> Vec<Output> {
        let Some(mut observed) = self.observed.remove(token) else { return Vec::new() };
        let other = [ResponseType::NotAcceptable, ResponseType::BadOption, ResponseType::UnsupportedContentFormat];
        if other.contains(&code) && observed.format.take().is_some() {
            let token = self.fresh_token(b'o');
            self.asks.push_first(asking(&token, &observed.path, None, None));
            self.observed.insert(token, observed);
            return Vec::new();
        }
        vec![Output::Refused(Refusal::Unanswered)]
    }

    /// What we asked under this token has no answer.
    pub(crate) fn unanswered(&mut self, token: &[u8]) -> Vec<Output> {
        if self.fetch.as_ref().is_some_and(|fetch| fetch.token == token) {
            return self.give_up(Refusal::Unanswered);
        }
        let lost = self.observed.remove(token).is_some();
        if lost { vec![Output::Refused(Refusal::Unanswered)] } else { Vec::new() }
    }

    /// The first block of a notification came: the others are asked for, and the whole is
    /// acknowledged when it is kept.
    fn fetch_rest(&mut self, packet: &Packet, option: u32) -> Vec<Output> {
        let whole = option >> 4 == 0 && option & 7 < 7 && packet.payload.len() == 16 << (option & 7);
        if !whole || self.fetch.is_some() {
            // One at a time: unacknowledged, it comes again.
            self.replies.forget(id(packet));
            return vec![Output::Refused(if whole { Refusal::Limit } else { Refusal::Block })];
        }
        let token = self.fresh_token(b'b');
        let fetch = Fetch::new(token, packet.clone(), etag(packet));
        self.ask_next(&fetch, option & 7);
        self.fetch = Some(fetch);
        Vec::new()
    }

    fn ask_next(&mut self, fetch: &Fetch, exponent: u32) {
        let path = self.observed.get(&fetch.observation).map_or_else(Vec::new, |observed| observed.path.clone());
        let format = content_format(&fetch.first);
        self.asks.push_first(asking(&fetch.token, &path, Some(format), Some(fetch.next(exponent))));
    }

    /// A further block.
    fn block(&mut self, packet: &Packet, code: ResponseType) -> Vec<Output> {
        let mut outputs: Vec<_> = acknowledgement(packet).iter().map(|reply| Output::Send(bytes(reply))).collect();
        let Some(mut fetch) = self.fetch.take() else { return outputs };
        let option = number(packet, CoapOption::Block2).filter(|_| code == ResponseType::Content);
        let joined = option.map_or(Joined::Gap, |option| {
            fetch.take(option, etag(packet).as_deref(), &packet.payload, self.request_bytes())
        });
        match joined {
            Joined::Whole(payload) => {
                let path = self.observed.get(&fetch.observation).map_or_else(Vec::new, |observed| observed.path.clone());
                let first = fetch.first;
                let raw = (content_format(&first), payload);
                outputs.extend(self.deliver(&first, acknowledgement(&first), false, raw, &path));
            }
            Joined::Continue => {
                self.ask_next(&fetch, option.unwrap_or_default() & 7);
                self.fetch = Some(fetch);
            }
            Joined::Gap | Joined::TooLarge => {
                self.fetch = Some(fetch);
                outputs.extend(self.give_up(if joined == Joined::Gap { Refusal::Block } else { Refusal::Limit }));
            }
        }
        outputs
    }

    /// The blocks are not to be had: the notification is not acknowledged, and comes again.
    fn give_up(&mut self, why: Refusal) -> Vec<Output> {
        if let Some(fetch) = self.fetch.take() {
            self.replies.forget(id(&fetch.first));
        }
        vec![Output::Refused(why)]
    }
}

/// What acknowledges a message; none if it wants nothing.
fn acknowledgement(packet: &Packet) -> Option<Packet> {
    confirmable(packet).then(|| {
        let mut reply = Packet::new();
        reply.header.set_version(1);
        reply.header.set_type(MessageType::Acknowledgement);
        reply.header.message_id = id(packet);
        reply.header.code = MessageClass::Empty;
        reply
    })
}

fn etag(packet: &Packet) -> Option<Vec<u8>> {
    packet.get_option(CoapOption::ETag)?.front().cloned()
}

/// Whether a notification is older than the newest (RFC 7641 3.4).
fn older((newest, at_ms): (u32, u64), number: u32, now_ms: u64) -> bool {
    let ahead = number.wrapping_sub(newest) & 0xff_ffff;
    now_ms.saturating_sub(at_ms) <= ORDER_MS && (ahead == 0 || ahead >= 1 << 23)
}
