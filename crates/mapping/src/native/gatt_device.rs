//! What a Bluetooth device says of itself: the Device Information Service. Maker, model, serial
//! number, firmware and identifiers are details of the device; the rest are its properties.

use vitals::property;
use vitals::{Device, DeviceId, DeviceTime, Identifier, Measurement};
use wire_gatt::Payload;
use wire_gatt::device::{PnpId, SystemId, Text, TextKind, Udi};
use wire_phd::device::{SYSTEM_ID, certification};

/// Takes what a payload says of the device into `details`; gives what are properties. Other
/// payloads say nothing of it.
pub(super) fn about(
    payload: &Payload,
    device: &DeviceId,
    details: &mut Option<Device>,
    received: Option<DeviceTime>,
) -> Result<Vec<Measurement>, String> {
    let mut properties = Vec::new();
    match payload {
        Payload::Text(Text { kind, text }) if !text.trim().is_empty() => {
            let text = text.trim().to_owned();
            let said = |metric| property::text(metric, text.clone(), received);
            match kind {
                TextKind::Model => known(details, device).model = text,
                TextKind::Serial => known(details, device).serial = text,
                TextKind::Manufacturer => known(details, device).manufacturer = text,
                TextKind::Firmware => {
                    properties.push(said(property::FIRMWARE));
                    known(details, device).version = text;
                }
                TextKind::Hardware => properties.push(said(property::HARDWARE)),
                TextKind::Software => properties.push(said(property::SOFTWARE)),
            }
        }
        Payload::SystemId(id) => known(details, device).identifiers.push(system_id(*id)),
        Payload::PnpId(id) => known(details, device).identifiers.push(pnp(*id)),
        Payload::Udi(udi) => known(details, device).identifiers.extend(label(udi)),
        Payload::Certification(list) => {
            let said = certification(&list.0).map_err(|error| error.to_string())?;
            properties.extend(said.into_iter().map(|one| Measurement { device_time: received, ..one }));
        }
        _ => {}
    }
    Ok(properties)
}

fn known<'a>(details: &'a mut Option<Device>, device: &DeviceId) -> &'a mut Device {
    details.get_or_insert_with(|| Device::announced(device.clone()))
}

/// An EUI-64, as HL7's guide for personal health devices writes it.
fn system_id(id: SystemId) -> Identifier {
    let whole = u64::from(id.organisation) << 40 | id.manufacturer;
    let digits: Vec<String> = whole.to_be_bytes().iter().map(|byte| format!("{byte:02X}")).collect();
    Identifier { system: SYSTEM_ID.to_owned(), value: digits.join("-"), kind: "SYSID".to_owned() }
}

fn pnp(id: PnpId) -> Identifier {
    let PnpId { source, vendor, product, version } = id;
    let value = format!("VID_{vendor:04X}:PID_{product:04X}:REV_{version:04X}");
    let by = match source {
        1 => "bluetooth",
        2 => "usb",
        _ => "unknown",
    };
    Identifier { system: format!("urn:vitalwire:pnp:{by}"), value, kind: "PNP".to_owned() }
}

fn label(udi: &Udi) -> Option<Identifier> {
    let value = udi.label.clone().or_else(|| udi.device.clone()).filter(|text| !text.trim().is_empty())?;
    Some(Identifier { system: "urn:vitalwire:udi".to_owned(), value, kind: "UDI".to_owned() })
}
