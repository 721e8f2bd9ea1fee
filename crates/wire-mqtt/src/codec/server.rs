//! What a server may send: for load generators, simulated devices and tests.

use super::packet::{self, Ack, Publish};
use super::properties::{Properties, place};
use super::reader::Reader;
use crate::{MqttError, Reason, Version};

/// A packet from a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromServer<'a> {
    /// CONNACK.
    ConnAck(ConnAck<'a>),
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
    /// SUBACK or UNSUBACK: packet id and one reason a filter (none from a 3.1.1 UNSUBACK).
    Answer(u16, Vec<Reason>),
    /// PINGRESP.
    PingResp,
    /// DISCONNECT.
    Disconnect(Reason),
}

/// A CONNACK packet (3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnAck<'a> {
    /// The server still had the session.
    pub session_present: bool,
    /// Reason code, or return code in 3.1.1.
    pub reason: Reason,
    /// Properties; empty in 3.1.1.
    pub properties: Properties<'a>,
}

/// Reads a packet that a server sent.
///
/// # Errors
/// [`MqttError`] when the bytes are no such packet.
pub fn decode_server(
    header: u8,
    body: &[u8],
    version: Version,
) -> Result<FromServer<'_>, MqttError> {
    match header >> 4 {
        2 => conn_ack(body, version).map(FromServer::ConnAck),
        3 => packet::publish(header & 0x0f, body, version).map(FromServer::Publish),
        4 => packet::ack(body, version).map(FromServer::PubAck),
        5 => packet::ack(body, version).map(FromServer::PubRec),
        6 => packet::ack(body, version).map(FromServer::PubRel),
        7 => packet::ack(body, version).map(FromServer::PubComp),
        9 | 11 => answer(body, version),
        13 => Ok(FromServer::PingResp),
        14 => Ok(FromServer::Disconnect(Reason(body.first().copied().unwrap_or(0)))),
        _ => Err(MqttError::Malformed("packet type")),
    }
}

fn conn_ack(body: &[u8], version: Version) -> Result<ConnAck<'_>, MqttError> {
    let mut from = Reader(body);
    let session_present = from.u8()? & 1 != 0;
    let reason = Reason(from.u8()?);
    let properties = match version {
        Version::V5 if !from.is_empty() => Properties::read(&mut from, place::CONNACK)?,
        _ => Properties::default(),
    };
    Ok(ConnAck { session_present, reason, properties })
}

fn answer(body: &[u8], version: Version) -> Result<FromServer<'_>, MqttError> {
    let mut from = Reader(body);
    let packet_id = from.packet_id()?;
    if version == Version::V5 {
        Properties::read(&mut from, place::ACK)?;
    }
    Ok(FromServer::Answer(packet_id, from.0.iter().copied().map(Reason).collect()))
}
