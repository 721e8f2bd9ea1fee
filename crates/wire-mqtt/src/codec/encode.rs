//! Writing packets to the end of a buffer, so that many leave in one write.

use super::properties::id;
use crate::{Qos, Reason, Version};

/// What a server tells of itself in CONNACK; none leaves the property out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ConnAckProperties<'a> {
    /// Session expiry that is granted, when it differs from the one asked for; seconds.
    pub session_expiry_s: Option<u32>,
    /// Receive maximum of the server.
    pub receive_maximum: u16,
    /// Largest packet that the server takes, bytes.
    pub maximum_packet: u32,
    /// Client id that the server made up.
    pub assigned_client_id: Option<&'a str>,
    /// Highest topic alias that the server takes.
    pub alias_maximum: u16,
    /// Keep alive that the client must use instead of its own, seconds.
    pub server_keep_alive_s: Option<u16>,
    /// Why not, for people.
    pub reason_string: Option<&'a str>,
}

/// A property block under construction.
#[derive(Debug, Default, Clone)]
pub struct Block(Vec<u8>);

impl Block {
    /// An empty block.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Session expiry interval, seconds.
    #[must_use]
    pub fn session_expiry_s(mut self, seconds: u32) -> Self {
        self.0.push(id::SESSION_EXPIRY);
        self.0.extend_from_slice(&seconds.to_be_bytes());
        self
    }

    /// A user property.
    #[must_use]
    pub fn user(mut self, key: &str, value: &str) -> Self {
        self.0.push(id::USER);
        text(&mut self.0, key);
        text(&mut self.0, value);
        self
    }

    /// Reason string.
    #[must_use]
    pub fn reason_string(mut self, reason: &str) -> Self {
        self.0.push(id::REASON_STRING);
        text(&mut self.0, reason);
        self
    }

    /// Receive maximum.
    #[must_use]
    pub fn receive_maximum(mut self, count: u16) -> Self {
        self.0.push(id::RECEIVE_MAXIMUM);
        self.0.extend_from_slice(&count.to_be_bytes());
        self
    }
}

/// CONNACK. In 3.1.1 `reason` is turned into the return code that comes closest.
pub fn conn_ack(
    out: &mut Vec<u8>,
    version: Version,
    session_present: bool,
    reason: Reason,
    properties: &ConnAckProperties<'_>,
) {
    if version == Version::V3 {
        out.extend_from_slice(&[0x20, 2, u8::from(session_present), return_code(reason)]);
        return;
    }
    let mut block = Vec::with_capacity(64);
    if let Some(expiry) = properties.session_expiry_s {
        block.push(id::SESSION_EXPIRY);
        block.extend_from_slice(&expiry.to_be_bytes());
    }
    if !reason.is_error() {
        block.push(id::RECEIVE_MAXIMUM);
        block.extend_from_slice(&properties.receive_maximum.to_be_bytes());
        block.push(id::MAXIMUM_PACKET);
        block.extend_from_slice(&properties.maximum_packet.to_be_bytes());
        block.push(id::ALIAS_MAXIMUM);
        block.extend_from_slice(&properties.alias_maximum.to_be_bytes());
    }
    if let Some(client_id) = properties.assigned_client_id {
        block.push(id::ASSIGNED_CLIENT_ID);
        text(&mut block, client_id);
    }
    if let Some(seconds) = properties.server_keep_alive_s {
        block.push(id::SERVER_KEEP_ALIVE);
        block.extend_from_slice(&seconds.to_be_bytes());
    }
    if let Some(why) = properties.reason_string {
        block.push(id::REASON_STRING);
        text(&mut block, why);
    }
    out.push(0x20);
    varint(out, 2 + varint_size(block.len()) + block.len());
    out.extend_from_slice(&[u8::from(session_present), reason.0]);
    varint(out, block.len());
    out.extend_from_slice(&block);
}

/// The 3.1.1 return code for a reason (3.2.2.3 of 3.1.1).
const fn return_code(reason: Reason) -> u8 {
    match reason {
        Reason::SUCCESS => 0,
        Reason::UNSUPPORTED_VERSION => 1,
        Reason::CLIENT_ID => 2,
        Reason::BAD_CREDENTIALS => 4,
        Reason::NOT_AUTHORISED | Reason::BANNED | Reason::BAD_METHOD => 5,
        _ => 3,
    }
}

/// Which of the four acknowledgements of a publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AckKind {
    /// PUBACK.
    PubAck,
    /// PUBREC.
    PubRec,
    /// PUBREL.
    PubRel,
    /// PUBCOMP.
    PubComp,
}

impl AckKind {
    const fn header(self) -> u8 {
        match self {
            Self::PubAck => 0x40,
            Self::PubRec => 0x50,
            Self::PubRel => 0x62,
            Self::PubComp => 0x70,
        }
    }
}

/// An acknowledgement; reason and properties only leave in version 5.
pub fn ack(
    out: &mut Vec<u8>,
    version: Version,
    kind: AckKind,
    packet_id: u16,
    reason: Reason,
    block: &Block,
) {
    let [high, low] = packet_id.to_be_bytes();
    let plain = reason == Reason::SUCCESS && block.0.is_empty();
    if version == Version::V3 || plain {
        out.extend_from_slice(&[kind.header(), 2, high, low]);
    } else if block.0.is_empty() {
        out.extend_from_slice(&[kind.header(), 3, high, low, reason.0]);
    } else {
        out.push(kind.header());
        varint(out, 3 + varint_size(block.0.len()) + block.0.len());
        out.extend_from_slice(&[high, low, reason.0]);
        varint(out, block.0.len());
        out.extend_from_slice(&block.0);
    }
}

/// SUBACK: one reason a filter; 3.1.1 knows only "granted" and 0x80.
pub fn sub_ack(out: &mut Vec<u8>, version: Version, packet_id: u16, reasons: &[Reason]) {
    let extra = usize::from(version == Version::V5);
    out.push(0x90);
    varint(out, 2 + extra + reasons.len());
    out.extend_from_slice(&packet_id.to_be_bytes());
    out.extend(std::iter::repeat_n(0, extra));
    for reason in reasons {
        out.push(match version {
            Version::V3 if reason.is_error() => 0x80,
            _ => reason.0,
        });
    }
}

/// UNSUBACK: in 3.1.1 without reasons.
pub fn unsub_ack(out: &mut Vec<u8>, version: Version, packet_id: u16, reasons: &[Reason]) {
    let [high, low] = packet_id.to_be_bytes();
    if version == Version::V3 {
        out.extend_from_slice(&[0xb0, 2, high, low]);
        return;
    }
    out.push(0xb0);
    varint(out, 3 + reasons.len());
    out.extend_from_slice(&[high, low, 0]);
    out.extend(reasons.iter().map(|reason| reason.0));
}

/// PINGRESP.
pub fn ping_resp(out: &mut Vec<u8>) {
    out.extend_from_slice(&[0xd0, 0]);
}

/// DISCONNECT of version 5 with a reason for people.
pub fn disconnect(out: &mut Vec<u8>, reason: Reason, why: &str) {
    let mut block = Vec::new();
    if !why.is_empty() {
        block.push(id::REASON_STRING);
        text(&mut block, why);
    }
    out.push(0xe0);
    varint(out, 1 + varint_size(block.len()) + block.len());
    out.push(reason.0);
    varint(out, block.len());
    out.extend_from_slice(&block);
}

/// What a PUBLISH carries besides topic and payload.
#[derive(Debug, Clone, Copy, Default)]
pub struct PublishHead<'a> {
    /// Sent before.
    pub dup: bool,
    /// Quality of service.
    pub qos: Qos,
    /// Retain flag.
    pub retain: bool,
    /// Packet identifier; not sent with QoS 0.
    pub packet_id: u16,
    /// Topic alias to set or use.
    pub alias: Option<u16>,
    /// Remaining message expiry, seconds.
    pub expiry_s: Option<u32>,
    /// Subscription identifiers.
    pub identifiers: &'a [u32],
    /// Other properties, already encoded.
    pub properties: &'a [u8],
}

/// PUBLISH. Returns its length, or nothing (and writes nothing) when that exceeds `max_bytes`.
pub fn publish(
    out: &mut Vec<u8>,
    version: Version,
    head: &PublishHead<'_>,
    topic: &str,
    payload: &[u8],
    max_bytes: usize,
) -> Option<usize> {
    let id_bytes = if head.qos == Qos::AtMostOnce { 0 } else { 2 };
    let block = if version == Version::V3 { 0 } else { publish_block_size(head) };
    let block_bytes = if version == Version::V3 { 0 } else { varint_size(block) + block };
    let remaining = 2 + topic.len() + id_bytes + block_bytes + payload.len();
    let length = 1 + varint_size(remaining) + remaining;
    if length > max_bytes || topic.len() > usize::from(u16::MAX) || remaining > 268_435_455 {
        return None;
    }
    out.reserve(length);
    let dup = u8::from(head.dup) << 3;
    out.push(0x30 | dup | (head.qos.bits() << 1) | u8::from(head.retain));
    varint(out, remaining);
    text(out, topic);
    if id_bytes > 0 {
        out.extend_from_slice(&head.packet_id.to_be_bytes());
    }
    if version == Version::V5 {
        varint(out, block);
        publish_block(out, head);
    }
    out.extend_from_slice(payload);
    Some(length)
}

fn publish_block_size(head: &PublishHead<'_>) -> usize {
    let identifiers: usize =
        head.identifiers.iter().map(|id| 1 + varint_size(*id as usize)).sum();
    head.properties.len()
        + identifiers
        + if head.alias.is_some() { 3 } else { 0 }
        + if head.expiry_s.is_some() { 5 } else { 0 }
}

fn publish_block(out: &mut Vec<u8>, head: &PublishHead<'_>) {
    out.extend_from_slice(head.properties);
    if let Some(alias) = head.alias {
        out.push(id::ALIAS);
        out.extend_from_slice(&alias.to_be_bytes());
    }
    if let Some(expiry) = head.expiry_s {
        out.push(id::EXPIRY);
        out.extend_from_slice(&expiry.to_be_bytes());
    }
    for identifier in head.identifiers {
        out.push(id::SUBSCRIPTION_ID);
        varint(out, *identifier as usize);
    }
}

/// CONNECT of a client without will; `user` and `password` may be empty.
pub fn connect(
    out: &mut Vec<u8>,
    version: Version,
    client_id: &str,
    clean: bool,
    keep_alive_s: u16,
    credentials: Option<(&str, &str)>,
    block: &Block,
) {
    let mut body = Vec::with_capacity(32 + client_id.len());
    text(&mut body, "MQTT");
    body.push(if version == Version::V3 { 4 } else { 5 });
    let login = if credentials.is_some() { 0xc0 } else { 0 };
    body.push(login | (u8::from(clean) << 1));
    body.extend_from_slice(&keep_alive_s.to_be_bytes());
    if version == Version::V5 {
        varint(&mut body, block.0.len());
        body.extend_from_slice(&block.0);
    }
    text(&mut body, client_id);
    if let Some((user, password)) = credentials {
        text(&mut body, user);
        text(&mut body, password);
    }
    out.push(0x10);
    varint(out, body.len());
    out.extend_from_slice(&body);
}

/// SUBSCRIBE to filters, each with its option byte (QoS in the low bits).
pub fn subscribe(out: &mut Vec<u8>, version: Version, packet_id: u16, filters: &[(&str, u8)]) {
    let mut body = packet_id.to_be_bytes().to_vec();
    if version == Version::V5 {
        body.push(0);
    }
    for (filter, options) in filters {
        text(&mut body, filter);
        body.push(*options);
    }
    out.push(0x82);
    varint(out, body.len());
    out.extend_from_slice(&body);
}

/// PINGREQ.
pub fn ping_req(out: &mut Vec<u8>) {
    out.extend_from_slice(&[0xc0, 0]);
}

/// DISCONNECT of a client that leaves as planned.
pub fn disconnect_normal(out: &mut Vec<u8>) {
    out.extend_from_slice(&[0xe0, 0]);
}

fn text(out: &mut Vec<u8>, text: &str) {
    let mut kept = text.len().min(usize::from(u16::MAX));
    while !text.is_char_boundary(kept) {
        kept -= 1;
    }
    out.extend_from_slice(&u16::try_from(kept).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(&text.as_bytes()[..kept]);
}

fn varint(out: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

const fn varint_size(value: usize) -> usize {
    match value {
        0..0x80 => 1,
        0x80..0x4000 => 2,
        0x4000..0x20_0000 => 3,
        _ => 4,
    }
}
