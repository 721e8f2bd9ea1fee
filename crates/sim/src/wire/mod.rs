//! What the virtual devices say, as bytes: SenML, waveform frames, HL7 v2, FHIR JSON, MQTT packets. Written by hand
//! and apart from the platform's own codecs on purpose, so that the two check each other. No
//! sockets and no clock here.

pub mod fhir;
pub mod frame;
pub mod hl7;
pub mod mqtt;
pub mod senml;
