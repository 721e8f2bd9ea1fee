//! CONNECT (3.1): who the client is and what it wants.

use super::properties::{Properties, place};
use super::reader::Reader;
use crate::{MqttError, Qos, Version};

/// A CONNECT packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connect<'a> {
    /// Protocol version.
    pub version: Version,
    /// Clean start (5.0) or clean session (3.1.1).
    pub clean: bool,
    /// Keep alive, seconds; 0 turns it off.
    pub keep_alive_s: u16,
    /// Properties; empty in 3.1.1.
    pub properties: Properties<'a>,
    /// Client identifier; may be empty.
    pub client_id: &'a str,
    /// What to publish when the client vanishes.
    pub will: Option<Will<'a>>,
    /// User name.
    pub user: Option<&'a str>,
    /// Password.
    pub password: Option<&'a [u8]>,
}

/// The will of a CONNECT packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Will<'a> {
    /// Topic.
    pub topic: &'a str,
    /// Payload.
    pub payload: &'a [u8],
    /// Quality of service.
    pub qos: Qos,
    /// Retain flag.
    pub retain: bool,
    /// Properties; empty in 3.1.1.
    pub properties: Properties<'a>,
}

const USER: u8 = 0x80;
const PASSWORD: u8 = 0x40;
const WILL_RETAIN: u8 = 0x20;
const WILL_QOS: u8 = 0x18;
const WILL: u8 = 0x04;
const CLEAN: u8 = 0x02;
const RESERVED: u8 = 0x01;

pub(super) fn read(body: &[u8]) -> Result<Connect<'_>, MqttError> {
    let mut from = Reader(body);
    let version = match (from.binary()?, from.u8()?) {
        (b"MQTT", 4) | (b"MQIsdp", 3) => Version::V3,
        (b"MQTT", 5) => Version::V5,
        (b"MQTT" | b"MQIsdp", _) => return Err(MqttError::UnsupportedVersion),
        _ => return Err(MqttError::Malformed("protocol name")),
    };
    let flags = from.u8()?;
    if flags & RESERVED != 0 || (flags & WILL == 0 && flags & (WILL_RETAIN | WILL_QOS) != 0) {
        return Err(MqttError::Malformed("connect flags"));
    }
    if version == Version::V3 && flags & PASSWORD != 0 && flags & USER == 0 {
        return Err(MqttError::Malformed("password without user name")); // 3.1.2-22 of 3.1.1
    }
    let keep_alive_s = from.u16()?;
    let properties = block(&mut from, version, place::CONNECT)?;
    let client_id = from.text()?;
    let will = if flags & WILL == 0 {
        None
    } else {
        let properties = block(&mut from, version, place::WILL)?;
        Some(Will {
            properties,
            topic: from.text()?,
            payload: from.binary()?,
            qos: Qos::from_bits((flags & WILL_QOS) >> 3).ok_or(MqttError::Malformed("will QoS"))?,
            retain: flags & WILL_RETAIN != 0,
        })
    };
    let user = if flags & USER == 0 { None } else { Some(from.text()?) };
    let password = if flags & PASSWORD == 0 { None } else { Some(from.binary()?) };
    if !from.is_empty() {
        return Err(MqttError::Malformed("bytes after the end"));
    }
    let clean = flags & CLEAN != 0;
    Ok(Connect { version, clean, keep_alive_s, properties, client_id, will, user, password })
}

fn block<'a>(
    from: &mut Reader<'a>,
    version: Version,
    here: u16,
) -> Result<Properties<'a>, MqttError> {
    match version {
        Version::V3 => Ok(Properties::default()),
        Version::V5 => Properties::read(from, here),
    }
}
