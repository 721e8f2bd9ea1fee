//! What a client may send after the fixed header has been read.

use super::connect::{self, Connect};
use super::properties::{Properties, place};
use super::reader::Reader;
use crate::{MqttError, Qos, Reason, Version};

/// A packet from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Packet<'a> {
    /// CONNECT.
    Connect(Connect<'a>),
    /// PUBLISH.
    Publish(Publish<'a>),
    /// PUBACK.
    PubAck(Ack),
    /// PUBREC.
    PubRec(Ack),
    /// PUBREL.
    PubRel(Ack),
    /// PUBCOMP.
    PubComp(Ack),
    /// SUBSCRIBE.
    Subscribe(Subscribe<'a>),
    /// UNSUBSCRIBE.
    Unsubscribe(Unsubscribe<'a>),
    /// PINGREQ.
    PingReq,
    /// DISCONNECT, with the session expiry that it may change.
    Disconnect(Reason, Option<u32>),
    /// AUTH.
    Auth,
}

/// A PUBLISH packet (3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Publish<'a> {
    /// Sent before, perhaps.
    pub dup: bool,
    /// Quality of service.
    pub qos: Qos,
    /// Retain flag.
    pub retain: bool,
    /// Topic name; empty when an alias stands for it.
    pub topic: &'a str,
    /// Packet identifier; 0 with QoS 0.
    pub packet_id: u16,
    /// Properties; empty in 3.1.1.
    pub properties: Properties<'a>,
    /// Payload.
    pub payload: &'a [u8],
}

/// PUBACK, PUBREC, PUBREL or PUBCOMP (3.4 to 3.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// Packet identifier.
    pub packet_id: u16,
    /// Reason code; success in 3.1.1.
    pub reason: Reason,
}

/// A SUBSCRIBE packet (3.8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscribe<'a> {
    /// Packet identifier.
    pub packet_id: u16,
    /// Subscription identifier.
    pub identifier: Option<u32>,
    /// At least one filter.
    pub entries: Vec<SubscribeEntry<'a>>,
}

/// One filter of a SUBSCRIBE packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SubscribeEntry<'a> {
    /// Topic filter, unvalidated.
    pub filter: &'a str,
    /// Highest QoS wanted.
    pub qos: Qos,
    /// Do not send back what this client published itself.
    pub no_local: bool,
    /// Keep the retain flag as published.
    pub retain_as_published: bool,
    /// Which retained messages to send at once: 0 all, 1 when the subscription is new, 2 none.
    pub retain_handling: u8,
}

/// An UNSUBSCRIBE packet (3.10).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsubscribe<'a> {
    /// Packet identifier.
    pub packet_id: u16,
    /// At least one filter.
    pub filters: Vec<&'a str>,
}

/// Reads a packet that a client sent. CONNECT says its version itself.
///
/// # Errors
/// [`MqttError`] when the bytes are no such packet, or one that only a server may send.
pub fn decode(header: u8, body: &[u8], version: Version) -> Result<Packet<'_>, MqttError> {
    let flags = header & 0x0f;
    let kind = header >> 4;
    let wanted = if matches!(kind, 6 | 8 | 10) { 2 } else { 0 };
    if kind != 3 && flags != wanted {
        return Err(MqttError::Malformed("fixed header flags"));
    }
    match kind {
        1 => connect::read(body).map(Packet::Connect),
        3 => publish(flags, body, version).map(Packet::Publish),
        4 => ack(body, version).map(Packet::PubAck),
        5 => ack(body, version).map(Packet::PubRec),
        6 => ack(body, version).map(Packet::PubRel),
        7 => ack(body, version).map(Packet::PubComp),
        8 => subscribe(body, version).map(Packet::Subscribe),
        10 => unsubscribe(body, version).map(Packet::Unsubscribe),
        12 if body.is_empty() => Ok(Packet::PingReq),
        14 => disconnect(body, version),
        15 if version == Version::V5 => Ok(Packet::Auth),
        2 | 9 | 11 | 13 => Err(MqttError::Protocol("a packet that only servers send")),
        _ => Err(MqttError::Malformed("packet type")),
    }
}

pub(super) fn publish(
    flags: u8,
    body: &[u8],
    version: Version,
) -> Result<Publish<'_>, MqttError> {
    let qos = Qos::from_bits((flags >> 1) & 3).ok_or(MqttError::Malformed("QoS 3"))?;
    let dup = flags & 8 != 0;
    if dup && qos == Qos::AtMostOnce {
        return Err(MqttError::Malformed("DUP with QoS 0"));
    }
    let mut from = Reader(body);
    let topic = from.text()?;
    let packet_id = if qos == Qos::AtMostOnce { 0 } else { from.packet_id()? };
    let properties = match version {
        Version::V3 => Properties::default(),
        Version::V5 => Properties::read(&mut from, place::PUBLISH)?,
    };
    if topic.is_empty() && properties.alias.is_none() {
        return Err(MqttError::Protocol("neither topic nor alias"));
    }
    let retain = flags & 1 != 0;
    Ok(Publish { dup, qos, retain, topic, packet_id, properties, payload: from.0 })
}

pub(super) fn ack(body: &[u8], version: Version) -> Result<Ack, MqttError> {
    let mut from = Reader(body);
    let packet_id = from.packet_id()?;
    let mut reason = Reason::SUCCESS;
    if version == Version::V5 && !from.is_empty() {
        reason = Reason(from.u8()?);
        if !from.is_empty() {
            Properties::read(&mut from, place::ACK)?;
        }
    }
    if !from.is_empty() {
        return Err(MqttError::Malformed("bytes after the end"));
    }
    Ok(Ack { packet_id, reason })
}

fn subscribe(body: &[u8], version: Version) -> Result<Subscribe<'_>, MqttError> {
    let mut from = Reader(body);
    let packet_id = from.packet_id()?;
    let identifier = match version {
        Version::V3 => None,
        Version::V5 => Properties::read(&mut from, place::SUBSCRIBE)?.subscription_id,
    };
    let mut entries = Vec::new();
    while !from.is_empty() {
        let filter = from.text()?;
        let options = from.u8()?;
        let reserved = if version == Version::V3 { 0xfc } else { 0xc0 };
        let retain_handling = (options >> 4) & 3;
        if options & reserved != 0 || retain_handling == 3 {
            return Err(MqttError::Malformed("subscription options"));
        }
        entries.push(SubscribeEntry {
            filter,
            qos: Qos::from_bits(options & 3).ok_or(MqttError::Malformed("QoS 3"))?,
            no_local: options & 4 != 0,
            retain_as_published: options & 8 != 0,
            retain_handling,
        });
    }
    if entries.is_empty() {
        return Err(MqttError::Protocol("no topic filter"));
    }
    Ok(Subscribe { packet_id, identifier, entries })
}

fn unsubscribe(body: &[u8], version: Version) -> Result<Unsubscribe<'_>, MqttError> {
    let mut from = Reader(body);
    let packet_id = from.packet_id()?;
    if version == Version::V5 {
        Properties::read(&mut from, place::UNSUBSCRIBE)?;
    }
    let mut filters = Vec::new();
    while !from.is_empty() {
        filters.push(from.text()?);
    }
    if filters.is_empty() {
        return Err(MqttError::Protocol("no topic filter"));
    }
    Ok(Unsubscribe { packet_id, filters })
}

fn disconnect(body: &[u8], version: Version) -> Result<Packet<'_>, MqttError> {
    let mut from = Reader(body);
    if from.is_empty() {
        return Ok(Packet::Disconnect(Reason::SUCCESS, None));
    }
    if version == Version::V3 {
        return Err(MqttError::Malformed("bytes in DISCONNECT"));
    }
    let reason = Reason(from.u8()?);
    let mut expiry = None;
    if !from.is_empty() {
        expiry = Properties::read(&mut from, place::DISCONNECT)?.session_expiry_s;
    }
    if !from.is_empty() {
        return Err(MqttError::Malformed("bytes after the end"));
    }
    Ok(Packet::Disconnect(reason, expiry))
}
