//! What a device says of itself in the attributes of its medical device system (IEEE 11073-20601
//! §6.3.2): maker and model, versions, clock, certification, the specialisations that it follows.

use vitals::property::{self, clock_method, sync_name};
use vitals::{ClockMethod, Identifier, Measurement};

use crate::bytes::{PhdError, Reader};
use crate::config::{attr, whole};

/// System of identifiers of 64 bits, as HL7's guide for personal health devices has them.
pub const SYSTEM_ID: &str = "urn:oid:1.2.840.10004.1.1.1.0.0.1.0.0.1.2680";
/// Microseconds of a unit of relative time.
const RELATIVE_US: f64 = 125.0;
/// Microseconds of a unit of absolute time's resolution.
const ABSOLUTE_US: f64 = 10_000.0;
/// Nobody knows how well a clock is set.
const UNKNOWN_ACCURACY: u32 = u32::MAX;

/// Attributes of the medical device system that are read here alone.
mod mds {
    /// Serial number, revisions.
    pub const PRODUCTION: u16 = 2349;
    /// Clock.
    pub const TIME_INFO: u16 = 2629;
    /// Certification.
    pub const CERTIFICATION: u16 = 2635;
}

/// What a device says of itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Described {
    /// Manufacturer; may be empty.
    pub manufacturer: String,
    /// Model; may be empty.
    pub model: String,
    /// Serial number; may be empty.
    pub serial: String,
    /// Firmware revision; may be empty.
    pub firmware: String,
    /// Identifiers.
    pub identifiers: Vec<Identifier>,
    /// How its clock is set.
    pub clock: ClockMethod,
    /// Everything else, as properties of the device.
    pub properties: Vec<Measurement>,
}

/// Reads the attributes of a medical device system. One that can't be read costs only itself.
#[must_use]
pub fn described(attributes: &[(u16, Vec<u8>)]) -> (Described, Vec<PhdError>) {
    let (mut found, mut wrong) = (Described::default(), Vec::new());
    for (id, bytes) in attributes {
        let read = match *id {
            attr::MODEL => whole(bytes, |r| model(r, &mut found)),
            attr::SYSTEM_ID => whole(bytes, |r| system_id(r, &mut found)),
            attr::SPECIALISATIONS => whole(bytes, |r| specialisations(r, &mut found)),
            mds::PRODUCTION => whole(bytes, |r| production(r, &mut found)),
            mds::TIME_INFO => whole(bytes, |r| time_info(r, &mut found)),
            mds::CERTIFICATION => certification(bytes).map(|all| found.properties.extend(all)),
            _ => Ok(()),
        };
        wrong.extend(read.err());
    }
    (found, wrong)
}

/// The bytes behind a length.
fn any<'a>(reader: &mut Reader<'a>, field: &'static str) -> Result<&'a [u8], PhdError> {
    let length = reader.u16(field)?;
    reader.take(field, usize::from(length))
}

/// A text with its length before it, without the zero bytes that fill it up.
fn text(reader: &mut Reader<'_>, field: &'static str) -> Result<String, PhdError> {
    let text = String::from_utf8_lossy(any(reader, field)?);
    Ok(text.trim_end_matches('\0').trim().to_owned())
}

fn model(reader: &mut Reader<'_>, found: &mut Described) -> Result<(), PhdError> {
    found.manufacturer = text(reader, "manufacturer")?;
    found.model = text(reader, "model-number")?;
    Ok(())
}

fn system_id(reader: &mut Reader<'_>, found: &mut Described) -> Result<(), PhdError> {
    let bytes = any(reader, "system-id")?;
    let digits: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    found.identifiers.push(Identifier { system: SYSTEM_ID.to_owned(), value: digits.join("-"), kind: "SYSID".to_owned() });
    Ok(())
}

/// `TypeVerList`: codes of partition 8 with their versions.
fn specialisations(reader: &mut Reader<'_>, found: &mut Described) -> Result<(), PhdError> {
    let list = reader.list("system-type-spec-list", |r| {
        let code = u32::from(r.u16("type")?);
        let version = r.u16("version")?;
        Ok(format!("{}:{version}", 8 << 16 | code))
    })?;
    if !list.is_empty() {
        found.properties.push(property::text(property::SPECIALISATIONS, list.join(" "), None));
    }
    Ok(())
}

/// `ProductionSpec`: kinds 1 serial number, 2 part number, 3 hardware, 4 software, 5 firmware,
/// 6 protocol.
fn production(reader: &mut Reader<'_>, found: &mut Described) -> Result<(), PhdError> {
    let list = reader.list("production-specification", |r| {
        let kind = r.u16("spec-type")?;
        r.u16("component-id")?;
        Ok((kind, text(r, "prod-spec")?))
    })?;
    for (kind, value) in list.into_iter().filter(|(_, value)| !value.is_empty()) {
        let metric = match kind {
            1 => {
                found.serial = value;
                continue;
            }
            5 => {
                found.firmware.clone_from(&value);
                property::FIRMWARE
            }
            2 => property::PART,
            3 => property::HARDWARE,
            4 => property::SOFTWARE,
            6 => property::PROTOCOL,
            _ => continue,
        };
        found.properties.push(property::text(metric, value, None));
    }
    Ok(())
}

/// `MdsTimeInfo`: capabilities, protocol, accuracy, three resolutions; 0 where there is no such clock.
fn time_info(reader: &mut Reader<'_>, found: &mut Described) -> Result<(), PhdError> {
    let capabilities = reader.u16("mds-time-cap-state")?;
    let protocol = 8 << 16 | u32::from(reader.u16("time-sync-protocol")?);
    let accuracy = reader.u32("time-sync-accuracy")?;
    let absolute = reader.u16("time-resolution-abs-time")?;
    let relative = reader.u16("time-resolution-rel-time")?;
    let high = reader.u32("time-resolution-high-res-time")?;
    let mut add = |measurement| found.properties.push(measurement);
    add(property::state(property::TIME_CAPABILITIES, i32::from(capabilities), "", None));
    if let (Some(name), Ok(code)) = (sync_name(protocol), i32::try_from(protocol)) {
        add(property::state(property::TIME_SYNC, code, name, None));
    }
    if accuracy != UNKNOWN_ACCURACY {
        add(property::number(property::TIME_ACCURACY, f64::from(accuracy) * RELATIVE_US, None));
    }
    for (metric, number) in [
        (property::RESOLUTION_ABSOLUTE, f64::from(absolute) * ABSOLUTE_US),
        (property::RESOLUTION_RELATIVE, f64::from(relative) * RELATIVE_US),
        (property::RESOLUTION_HIGH, f64::from(high)),
    ] {
        if number > 0.0 {
            add(property::number(metric, number, None));
        }
    }
    found.clock = clock_method(protocol).unwrap_or_default();
    Ok(())
}

/// `RegCertDataList`: what a body certified the device for (2, Continua: 1 version and certified
/// interfaces, 2 regulation). Bluetooth's characteristic 0x2A2A holds the same bytes.
///
/// # Errors
/// Names the field that is cut off.
pub fn certification(bytes: &[u8]) -> Result<Vec<Measurement>, PhdError> {
    let entries = whole(bytes, |reader| {
        reader.list("reg-cert-data-list", |r| {
            let (body, kind) = (r.u8("auth-body")?, r.u8("auth-body-struc-type")?);
            Ok((body, kind, any(r, "auth-body-data")?.to_vec()))
        })
    })?;
    let mut found = Vec::new();
    for (body, kind, data) in entries {
        match (body, kind) {
            (2, 1) => whole(&data, |r| continua(r, &mut found))?,
            (2, 2) => {
                // Bit 0 of a BITS-16 is its highest: unregulated-device.
                let unregulated = whole(&data, |r| r.u16("regulation-bit-field"))? & 0x8000 != 0;
                let (state, name) = if unregulated { (2, "unregulated") } else { (1, "regulated") };
                found.push(property::state(property::REGULATION, state, name, None));
            }
            _ => {}
        }
    }
    Ok(found)
}

fn continua(reader: &mut Reader<'_>, found: &mut Vec<Measurement>) -> Result<(), PhdError> {
    let (major, minor) = (reader.u8("major-IG-version")?, reader.u8("minor-IG-version")?);
    let certified = reader.list("certified-devices", |r| Ok(r.u16("certified-device-class")?.to_string()))?;
    found.push(property::text(property::CERTIFIED_FOR, format!("{major}.{minor}"), None));
    if !certified.is_empty() {
        found.push(property::text(property::CERTIFIED, certified.join(" "), None));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitals::Value;

    fn field(text: &str) -> Vec<u8> {
        [&u16::try_from(text.len()).expect("short").to_be_bytes(), text.as_bytes()].concat()
    }

    fn list(items: &[Vec<u8>]) -> Vec<u8> {
        let bytes = items.concat();
        let count = u16::try_from(items.len()).expect("few");
        let length = u16::try_from(bytes.len()).expect("short");
        [&count.to_be_bytes(), &length.to_be_bytes(), &bytes[..]].concat()
    }

    fn spec(kind: u16, text: &str) -> Vec<u8> {
        [&kind.to_be_bytes()[..], &[0, 0], &field(text)].concat()
    }

    /// Version 6.0 with an oximeter over Bluetooth low energy; regulated.
    fn certified() -> Vec<u8> {
        let interfaces = list(&[32_772_u16.to_be_bytes().to_vec()]);
        let version = [&[2, 1][..], &[0, 8], &[6, 0], &interfaces].concat();
        list(&[version, vec![2, 2, 0, 2, 0, 0]])
    }

    #[test]
    fn a_device_says_what_it_is() {
        let attributes = [
            (attr::MODEL, [field("Acme\0"), field("OX-1")].concat()),
            (attr::SYSTEM_ID, [&[0, 8][..], &[0x71, 0x10, 0, 0xfe, 0xff, 0x5f, 0x49, 0xb0]].concat()),
            (attr::SPECIALISATIONS, list(&[vec![0x10, 0x04, 0, 2]])),
            (mds::PRODUCTION, list(&[spec(1, "S-1"), spec(5, "1.2"), spec(3, "B"), spec(0, "?")])),
            (mds::TIME_INFO, vec![0x80, 0, 0x1f, 0x0a, 0, 0, 0, 8, 0, 100, 0, 0, 0, 0, 0, 0]),
            (mds::CERTIFICATION, certified()),
            (attr::UNIT, vec![1]),
        ];
        let (found, wrong) = described(&attributes);
        assert_eq!(wrong, []);
        assert_eq!((found.manufacturer.as_str(), found.model.as_str()), ("Acme", "OX-1"));
        assert_eq!((found.serial.as_str(), found.firmware.as_str()), ("S-1", "1.2"));
        assert_eq!(found.identifiers[0].value, "71-10-00-FE-FF-5F-49-B0");
        assert_eq!(found.clock, ClockMethod::Manual);
        let said = |metric| found.properties.iter().find(|one| one.metric == metric).map(|one| one.value.clone());
        for (metric, expected) in [
            (property::SPECIALISATIONS, Value::Text("528388:2".into())),
            (property::HARDWARE, Value::Text("B".into())),
            (property::TIME_SYNC, Value::Enumeration(532_234, "MDC_TIME_SYNC_EBWW".into())),
            (property::TIME_ACCURACY, Value::Numeric(1_000.0)),
            (property::RESOLUTION_ABSOLUTE, Value::Numeric(1_000_000.0)),
            (property::CERTIFIED_FOR, Value::Text("6.0".into())),
            (property::CERTIFIED, Value::Text("32772".into())),
            (property::REGULATION, Value::Enumeration(1, "regulated".into())),
        ] {
            assert_eq!(said(metric), Some(expected), "{metric:?}");
        }
        assert_eq!(said(property::RESOLUTION_RELATIVE), None);
    }

    #[test]
    fn what_is_cut_costs_only_itself() {
        let whole = certified();
        for end in 1..whole.len() {
            let attributes = [(mds::CERTIFICATION, whole[..end].to_vec()), (attr::MODEL, [field("A"), field("B")].concat())];
            let (found, wrong) = described(&attributes);
            assert_eq!((found.model.as_str(), wrong.len()), ("B", 1), "{end}");
        }
    }
}
