//! MQTT 5 properties (2.2.2.2): which packet may carry which, each at most once.

use super::reader::Reader;
use crate::MqttError;

/// Which packets a property may stand in, as a set of bits.
pub(super) mod place {
    pub(in super::super) const CONNECT: u16 = 1;
    pub(in super::super) const WILL: u16 = 2;
    pub(in super::super) const PUBLISH: u16 = 4;
    pub(in super::super) const ACK: u16 = 8;
    pub(in super::super) const SUBSCRIBE: u16 = 16;
    pub(in super::super) const UNSUBSCRIBE: u16 = 32;
    pub(in super::super) const DISCONNECT: u16 = 64;
    pub(in super::super) const CONNACK: u16 = 128;
}

/// Property identifiers.
pub(super) mod id {
    pub(in super::super) const PAYLOAD_FORMAT: u8 = 0x01;
    pub(in super::super) const EXPIRY: u8 = 0x02;
    pub(in super::super) const CONTENT_TYPE: u8 = 0x03;
    pub(in super::super) const RESPONSE_TOPIC: u8 = 0x08;
    pub(in super::super) const CORRELATION: u8 = 0x09;
    pub(in super::super) const SUBSCRIPTION_ID: u8 = 0x0b;
    pub(in super::super) const SESSION_EXPIRY: u8 = 0x11;
    pub(in super::super) const ASSIGNED_CLIENT_ID: u8 = 0x12;
    pub(in super::super) const SERVER_KEEP_ALIVE: u8 = 0x13;
    pub(in super::super) const AUTH_METHOD: u8 = 0x15;
    pub(in super::super) const AUTH_DATA: u8 = 0x16;
    pub(in super::super) const REQUEST_PROBLEM: u8 = 0x17;
    pub(in super::super) const WILL_DELAY: u8 = 0x18;
    pub(in super::super) const REQUEST_RESPONSE: u8 = 0x19;
    pub(in super::super) const RESPONSE_INFO: u8 = 0x1a;
    pub(in super::super) const SERVER_REFERENCE: u8 = 0x1c;
    pub(in super::super) const REASON_STRING: u8 = 0x1f;
    pub(in super::super) const RECEIVE_MAXIMUM: u8 = 0x21;
    pub(in super::super) const ALIAS_MAXIMUM: u8 = 0x22;
    pub(in super::super) const ALIAS: u8 = 0x23;
    pub(in super::super) const MAXIMUM_QOS: u8 = 0x24;
    pub(in super::super) const RETAIN_AVAILABLE: u8 = 0x25;
    pub(in super::super) const USER: u8 = 0x26;
    pub(in super::super) const MAXIMUM_PACKET: u8 = 0x27;
    pub(in super::super) const WILDCARD_AVAILABLE: u8 = 0x28;
    pub(in super::super) const SUBSCRIPTION_ID_AVAILABLE: u8 = 0x29;
    pub(in super::super) const SHARED_AVAILABLE: u8 = 0x2a;
}

/// The properties of one packet, borrowed. What the packet does not carry is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Properties<'a> {
    raw: &'a [u8],
    /// Whether the payload claims to be UTF-8 text (payload format indicator 1).
    pub utf8: bool,
    /// Message expiry interval, seconds.
    pub expiry_s: Option<u32>,
    /// Content type.
    pub content_type: Option<&'a str>,
    /// Response topic.
    pub response_topic: Option<&'a str>,
    /// Correlation data.
    pub correlation: Option<&'a [u8]>,
    /// Subscription identifier (the first, where there are several).
    pub subscription_id: Option<u32>,
    /// Session expiry interval, seconds; `u32::MAX` is for ever.
    pub session_expiry_s: Option<u32>,
    /// Assigned client identifier.
    pub assigned_client_id: Option<&'a str>,
    /// Server keep alive, seconds.
    pub server_keep_alive_s: Option<u16>,
    /// Authentication method.
    pub auth_method: Option<&'a str>,
    /// Whether the client wants reason strings and user properties in acknowledgements.
    pub request_problem: Option<bool>,
    /// Will delay interval, seconds.
    pub will_delay_s: Option<u32>,
    /// Reason string.
    pub reason_string: Option<&'a str>,
    /// Receive maximum; never 0.
    pub receive_maximum: Option<u16>,
    /// Topic alias maximum.
    pub alias_maximum: Option<u16>,
    /// Topic alias.
    pub alias: Option<u16>,
    /// Maximum packet size in bytes; never 0.
    pub maximum_packet: Option<u32>,
}

impl<'a> Properties<'a> {
    /// Reads a property block; `here` is the packet it stands in.
    pub(super) fn read(reader: &mut Reader<'a>, here: u16) -> Result<Self, MqttError> {
        let length = reader.varint()? as usize;
        let raw = reader.take(length)?;
        let mut found = Self { raw, ..Self::default() };
        if raw.is_empty() {
            return Ok(found);
        }
        let mut seen = 0_u64;
        let mut block = Reader(raw);
        while !block.is_empty() {
            let id = block.u8()?;
            if allowed(id)? & here == 0 {
                return Err(MqttError::Protocol("property not allowed in this packet"));
            }
            let repeatable = id == id::USER || (id == id::SUBSCRIPTION_ID && here == place::PUBLISH);
            if seen & (1 << id) != 0 && !repeatable {
                return Err(MqttError::Protocol("property given twice"));
            }
            seen |= 1 << id;
            found.one(id, &mut block)?;
        }
        Ok(found)
    }

    fn one(&mut self, id: u8, from: &mut Reader<'a>) -> Result<(), MqttError> {
        match id {
            id::PAYLOAD_FORMAT => self.utf8 = flag(from)?,
            id::EXPIRY => self.expiry_s = Some(from.u32()?),
            id::CONTENT_TYPE => self.content_type = Some(from.text()?),
            id::RESPONSE_TOPIC => self.response_topic = Some(response_topic(from.text()?)?),
            id::CORRELATION => self.correlation = Some(from.binary()?),
            id::SUBSCRIPTION_ID => {
                let value = above_zero(from.varint()?)?;
                self.subscription_id = self.subscription_id.or(Some(value));
            }
            id::SESSION_EXPIRY => self.session_expiry_s = Some(from.u32()?),
            id::ASSIGNED_CLIENT_ID => self.assigned_client_id = Some(from.text()?),
            id::SERVER_KEEP_ALIVE => self.server_keep_alive_s = Some(from.u16()?),
            id::AUTH_METHOD => self.auth_method = Some(from.text()?),
            id::AUTH_DATA => drop(from.binary()?),
            id::REQUEST_PROBLEM => self.request_problem = Some(flag(from)?),
            id::WILL_DELAY => self.will_delay_s = Some(from.u32()?),
            id::REASON_STRING => self.reason_string = Some(from.text()?),
            id::RECEIVE_MAXIMUM => self.receive_maximum = Some(above_zero(from.u16()?)?),
            id::ALIAS_MAXIMUM => self.alias_maximum = Some(from.u16()?),
            id::ALIAS => match from.u16()? {
                0 => return Err(MqttError::Alias("0 is not an alias")),
                alias => self.alias = Some(alias),
            },
            id::MAXIMUM_PACKET => self.maximum_packet = Some(above_zero(from.u32()?)?),
            id::USER => drop((from.text()?, from.text()?)),
            id::RESPONSE_INFO | id::SERVER_REFERENCE => drop(from.text()?),
            _ => drop(flag(from)?), // The rest of the known ones are flags.
        }
        Ok(())
    }

    /// User properties in the order sent.
    pub fn user(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.each().filter(|(id, _)| *id == id::USER).filter_map(|(_, raw)| {
            let mut pair = Reader(raw.get(1..)?);
            Some((pair.text().ok()?, pair.text().ok()?))
        })
    }

    /// Every subscription identifier in the order sent.
    pub fn subscription_ids(&self) -> impl Iterator<Item = u32> {
        self.each()
            .filter(|(id, _)| *id == id::SUBSCRIPTION_ID)
            .filter_map(|(_, raw)| Reader(raw.get(1..)?).varint().ok())
    }

    /// What a server must pass on unaltered (3.3.2.3): all but expiry, alias, subscription
    /// identifiers and what concerns the will alone.
    pub(crate) fn forwarded(&self) -> Vec<u8> {
        let mut kept = Vec::new();
        for (id, raw) in self.each() {
            if !matches!(id, id::EXPIRY | id::ALIAS | id::SUBSCRIPTION_ID | id::WILL_DELAY) {
                kept.extend_from_slice(raw);
            }
        }
        kept
    }

    /// Each property with its identifier and its bytes, identifier included.
    fn each(&self) -> impl Iterator<Item = (u8, &'a [u8])> {
        let mut rest = Reader(self.raw);
        std::iter::from_fn(move || {
            let before = rest.0;
            let id = rest.u8().ok()?;
            Properties::default().one(id, &mut rest).ok()?;
            Some((id, &before[..before.len() - rest.0.len()]))
        })
    }
}

/// The packets that a property may stand in (table 2-4).
fn allowed(id: u8) -> Result<u16, MqttError> {
    use place::{ACK, CONNACK, CONNECT, DISCONNECT, PUBLISH, SUBSCRIBE, UNSUBSCRIBE, WILL};
    Ok(match id {
        id::PAYLOAD_FORMAT
        | id::EXPIRY
        | id::CONTENT_TYPE
        | id::RESPONSE_TOPIC
        | id::CORRELATION => PUBLISH | WILL,
        id::SUBSCRIPTION_ID => PUBLISH | SUBSCRIBE,
        id::SESSION_EXPIRY => CONNECT | CONNACK | DISCONNECT,
        id::ASSIGNED_CLIENT_ID
        | id::SERVER_KEEP_ALIVE
        | id::RESPONSE_INFO
        | id::MAXIMUM_QOS
        | id::RETAIN_AVAILABLE
        | id::WILDCARD_AVAILABLE
        | id::SUBSCRIPTION_ID_AVAILABLE
        | id::SHARED_AVAILABLE => CONNACK,
        id::AUTH_METHOD | id::AUTH_DATA => CONNECT | CONNACK,
        id::REQUEST_PROBLEM | id::REQUEST_RESPONSE => CONNECT,
        id::WILL_DELAY => WILL,
        id::SERVER_REFERENCE => CONNACK | DISCONNECT,
        id::REASON_STRING => ACK | CONNACK | DISCONNECT,
        id::RECEIVE_MAXIMUM | id::ALIAS_MAXIMUM | id::MAXIMUM_PACKET => CONNECT | CONNACK,
        id::ALIAS => PUBLISH,
        id::USER => {
            CONNECT | WILL | PUBLISH | ACK | SUBSCRIBE | UNSUBSCRIBE | DISCONNECT | CONNACK
        }
        _ => return Err(MqttError::Malformed("unknown property")),
    })
}

fn flag(from: &mut Reader<'_>) -> Result<bool, MqttError> {
    match from.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(MqttError::Protocol("a flag property is neither 0 nor 1")),
    }
}

fn above_zero<T: PartialEq + From<u8>>(value: T) -> Result<T, MqttError> {
    if value == T::from(0) { Err(MqttError::Protocol("property must not be 0")) } else { Ok(value) }
}

fn response_topic(topic: &str) -> Result<&str, MqttError> {
    if topic.contains(['+', '#']) {
        return Err(MqttError::Protocol("wildcard in the response topic"));
    }
    Ok(topic)
}
