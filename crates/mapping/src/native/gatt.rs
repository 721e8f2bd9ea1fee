//! The GATT topic: payloads of Bluetooth characteristics as a phone or a gateway forwards them,
//! one object or a list of them in order. The characteristic's number and its bytes say what was
//! measured; the forwarder adds when it received them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use vitals::{Content, Device, DeviceAlarm, DeviceId, DeviceTime, DirectoryEvent, ProblemKind};
use wire_gatt::Payload;
use wire_gatt::insulin_history::EventData;
use wire_gatt::measure::{Timing, measure};
use wire_gatt::time::{DateTime, LocalTime};

use super::gatt_device::about;
use crate::time::TimeFormat;
use crate::{MAX_RECORDS, Mapped, RawMessage, dedup_key};

/// The largest value that an attribute can have (Bluetooth core specification, vol 3 part F 3.2.9).
const MAX_BYTES: usize = 512;

/// What lies between the Bluetooth numbers of 16 and of 128 bits.
const BASE_UUID: &str = "-0000-1000-8000-00805f9b34fb";

/// Maps `{"characteristic":…, "hex":…, "received":…}`, or a list of such.
pub(super) fn map(raw: &RawMessage<'_>, device: &DeviceId, profile: &str) -> Mapped {
    let mut mapped = Mapped::new(profile);
    let items = match serde_json::from_slice(raw.payload) {
        Ok(Value::Array(items)) => items,
        Ok(item @ Value::Object(_)) => vec![item],
        Ok(_) => {
            mapped.problem(ProblemKind::Syntax, "$", "send an object, or a list of objects");
            return mapped;
        }
        Err(error) => {
            let detail = format!("not JSON at line {} column {}", error.line(), error.column());
            mapped.problem(ProblemKind::Syntax, "$", detail);
            return mapped;
        }
    };
    if items.len() > MAX_RECORDS {
        let detail = format!("more than {MAX_RECORDS} values: send several messages");
        mapped.problem(ProblemKind::Limit, "$", detail);
    }
    let mut session = Session::default();
    for (at, item) in items.iter().take(MAX_RECORDS).enumerate() {
        let taken = match item {
            Value::Object(fields) => session.take(&mut mapped, device, at, fields),
            _ => Err((ProblemKind::Syntax, "", "a value is a JSON object".to_owned())),
        };
        if let Err((kind, key, detail)) = taken {
            let dot = if key.is_empty() { "" } else { "." };
            mapped.problem(kind, format!("$[{at}]{dot}{key}"), detail);
        }
    }
    if let Some(details) = session.details {
        mapped.content.insert(0, Content::Directory(DirectoryEvent::Device(details)));
    }
    // Without a time of its own two like payloads may be two readings.
    let timed = mapped.measurements().all(|measurement| measurement.device_time.is_some());
    if timed && mapped.measurements().next().is_some() {
        mapped.dedup = Some(dedup_key(raw));
    }
    mapped
}

/// What a value says of those after it in the same message.
#[derive(Default)]
struct Session {
    /// Where relative times count from: a session's start, a pump's reference, a meter's record.
    base: Option<DeviceTime>,
    /// What the device is called, as far as the message says.
    details: Option<Device>,
}

/// What is wrong with a value: kind, key, and what to do.
type Refused = (ProblemKind, &'static str, String);

impl Session {
    fn take(
        &mut self,
        mapped: &mut Mapped,
        device: &DeviceId,
        at: usize,
        fields: &Map<String, Value>,
    ) -> Result<(), Refused> {
        let number = characteristic(fields)?;
        let bytes = bytes(fields)?;
        let received = time(fields, "received")?;
        let offset = whole(fields, "utcOffset", -1_080..=1_080)?.unwrap_or(0) as i32;
        let user = whole(fields, "user", 0..=255)?;
        if let Some(base) = time(fields, "base")? {
            self.base = Some(base);
        }
        let payload = wire_gatt::decode(number, &bytes)
            .map_err(|error| (ProblemKind::Syntax, "hex", error.to_string()))?;
        self.learn(&payload, offset);
        let said = about(&payload, device, &mut self.details, received);
        let said = said.map_err(|detail| (ProblemKind::Syntax, "hex", detail))?;
        said.into_iter().for_each(|property| mapped.push(device, None, property));
        let meaning = measure(&payload, Timing { utc_offset_minutes: offset, base: self.base });
        if user.is_some() && meaning.user.is_some() && user != meaning.user.map(i64::from) {
            let detail = "the device measured another of its users than the one told".to_owned();
            return Err((ProblemKind::Forbidden, "user", detail));
        }
        let fault = meaning.problems.iter().any(|problem| problem.kind == ProblemKind::BadTime);
        for mut measurement in meaning.measurements {
            // A value that was sent as it was measured is of the time that it was received; one
            // with a broken time of its own is of no known time.
            if measurement.device_time.is_none() && !fault {
                measurement.device_time = received;
            }
            mapped.push(device, None, measurement);
        }
        for alarm in meaning.alarms {
            mapped.content.push(Content::Alarm(DeviceAlarm {
                device: device.clone(),
                patient: None,
                id: alarm.id.to_owned(),
                kind: alarm.kind,
                priority: alarm.priority,
                state: alarm.state,
                signal: alarm.signal,
                code: None,
                text: alarm.text.to_owned(),
                source: None,
                channel: 0,
                device_time: received,
            }));
        }
        for problem in meaning.problems {
            mapped.problem(problem.kind, format!("$[{at}] {}", problem.path), problem.detail);
        }
        Ok(())
    }

    /// Keeps the times that later values count from.
    fn learn(&mut self, payload: &Payload, offset: i32) {
        let local = |time: DateTime, zone: LocalTime| {
            time.to_device_time(zone.utc_offset_minutes().unwrap_or(offset)).ok()
        };
        match payload {
            Payload::SessionStart(start) => self.base = local(start.time, start.zone),
            Payload::HistoryEvent(event) => {
                if let EventData::ReferenceTime(_, time, zone) = event.data {
                    self.base = local(time, zone);
                }
            }
            Payload::Glucose(record) => {
                let moved = i64::from(record.offset_min.unwrap_or(0)) * vitals::time::MINUTE;
                let time = record.base_time.to_device_time(offset).ok();
                self.base = time.map(|time| time.plus(moved));
            }
            _ => {}
        }
    }
}

/// The number: `2a37`, `0x2A37`, or the 128-bit form of it.
fn characteristic(fields: &Map<String, Value>) -> Result<u16, Refused> {
    let key = "characteristic";
    let missing = || (ProblemKind::Missing, key, "say which characteristic: 2a37".to_owned());
    let text = fields.get(key).and_then(Value::as_str).ok_or_else(missing)?.to_ascii_lowercase();
    let short = text.strip_suffix(BASE_UUID).and_then(|head| head.strip_prefix("0000"));
    let digits = short.unwrap_or_else(|| text.strip_prefix("0x").unwrap_or(&text));
    let number = u16::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 4);
    let refused = || (ProblemKind::BadValue, key, "a number of the Bluetooth SIG: four hexadecimal digits".to_owned());
    number.ok_or_else(refused)
}

/// The bytes, in hexadecimal or base64.
fn bytes(fields: &Map<String, Value>) -> Result<Vec<u8>, Refused> {
    let text = |key: &str| fields.get(key).and_then(Value::as_str);
    let (key, bytes) = match (text("hex"), text("base64")) {
        (Some(text), None) => ("hex", from_hex(text)),
        (None, Some(text)) => ("base64", STANDARD.decode(text).ok()),
        _ => return Err((ProblemKind::Missing, "hex", "send the bytes as hex or as base64".to_owned())),
    };
    match bytes {
        None => Err((ProblemKind::BadValue, key, format!("the bytes are not {key}"))),
        Some(bytes) if bytes.len() > MAX_BYTES => {
            Err((ProblemKind::Limit, key, format!("a value has {MAX_BYTES} bytes at most")))
        }
        Some(bytes) => Ok(bytes),
    }
}

/// Two digits a byte; spaces, colons and dashes between them are disregarded.
fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|byte| !b" :-".contains(byte)).collect();
    if digits.len() % 2 != 0 {
        return None;
    }
    digits
        .chunks_exact(2)
        .map(|pair| {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()
        })
        .collect()
}

fn time(fields: &Map<String, Value>, key: &'static str) -> Result<Option<DeviceTime>, Refused> {
    let read = |value| TimeFormat::Rfc3339.read(value, &TimeZone::UTC);
    fields.get(key).map(read).transpose().map_err(|why| (ProblemKind::BadTime, key, why))
}

fn whole(
    fields: &Map<String, Value>,
    key: &'static str,
    range: std::ops::RangeInclusive<i64>,
) -> Result<Option<i64>, Refused> {
    let Some(value) = fields.get(key) else { return Ok(None) };
    let number = value.as_i64().filter(|number| range.contains(number));
    let refused = || {
        let detail = format!("a whole number from {} to {}", range.start(), range.end());
        (ProblemKind::BadValue, key, detail)
    };
    number.map(Some).ok_or_else(refused)
}
