//! CoAP packets by the few things that are asked of them here.

use coap_lite::{CoapOption, MessageClass, MessageType, Packet, ResponseType};

/// A message's number (RFC 7252 3).
pub(crate) fn id(packet: &Packet) -> u16 {
    packet.header.message_id
}

/// Whether the sender waits for an acknowledgement.
pub(crate) fn confirmable(packet: &Packet) -> bool {
    packet.header.get_type() == MessageType::Confirmable
}

/// The texts of an option, in order; none if one is no text.
pub(crate) fn texts(packet: &Packet, option: CoapOption) -> Option<Vec<String>> {
    let values = packet.get_option(option).into_iter().flatten();
    values.map(|value| String::from_utf8(value.clone()).ok()).collect()
}

/// The number in an option (RFC 7252 3.2: big-endian, without leading zeros); none if it is not there
/// or too long.
pub(crate) fn number(packet: &Packet, option: CoapOption) -> Option<u32> {
    let value = packet.get_option(option)?.front()?;
    (value.len() <= 4).then(|| value.iter().fold(0, |sum, byte| sum << 8 | u32::from(*byte)))
}

/// The content's format; text where none is told.
pub(crate) fn content_format(packet: &Packet) -> u16 {
    number(packet, CoapOption::ContentFormat).and_then(|format| u16::try_from(format).ok()).unwrap_or_default()
}

/// A number as an option holds it.
pub(crate) fn uint(number: u32) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    bytes[bytes.iter().take_while(|byte| **byte == 0).count()..].to_vec()
}

/// An answer to a request: an acknowledgement that carries it, or, of a request that wants no
/// acknowledgement, a message of its own with the number `own`.
pub(crate) fn answer(request: &Packet, code: ResponseType, own: u16) -> Packet {
    let mut packet = Packet::new();
    packet.header.set_version(1);
    let confirmed = confirmable(request);
    packet.header.set_type(if confirmed { MessageType::Acknowledgement } else { MessageType::NonConfirmable });
    packet.header.message_id = if confirmed { id(request) } else { own };
    packet.header.code = MessageClass::Response(code);
    packet.set_token(request.get_token().to_vec());
    packet
}

/// An empty message (RFC 7252 4.1): an acknowledgement without an answer, or a reset.
pub(crate) fn empty(kind: MessageType, id: u16) -> Vec<u8> {
    let mut packet = Packet::new();
    packet.header.set_version(1);
    packet.header.set_type(kind);
    packet.header.message_id = id;
    packet.header.code = MessageClass::Empty;
    bytes(&packet)
}

/// A packet's bytes. Ours are within all limits of the format; one that were not would be silence.
pub(crate) fn bytes(packet: &Packet) -> Vec<u8> {
    packet.to_bytes().unwrap_or_default()
}
