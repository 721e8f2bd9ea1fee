//! Scan reports (IEEE 11073-20601 annex A.11.5): what a device observed, as attributes by object.
//! The device itself reports in a fixed or a variable shape, scanners also in a grouped one; each
//! for one person or for several.

use crate::apdu::Apdu;
use crate::bytes::{Fault, PhdError, Reader, Writer};
use crate::config::{Configuration, ValueMap, whole};
use crate::data::{Data, Event, Message};

/// The event by which a device sends its configuration.
pub const CONFIG: u16 = 3356;

/// What was observed of one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// Whom, as the device numbers its users; none where it does not tell.
    pub person: Option<u16>,
    /// The object.
    pub object: u16,
    /// Its attributes, in the report's order.
    pub attributes: Vec<(u16, Vec<u8>)>,
}

impl Observation {
    /// As an entry of a variable report.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.shorts([self.object]);
        crate::apdu::put_attributes(&mut writer, &self.attributes);
        writer.bytes
    }
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Fixed,
    Variable,
    Grouped,
}

/// The shape of an event's report, and whether it is of several persons; none for other events.
const fn shape(kind: u16) -> Option<(Shape, bool)> {
    Some(match kind {
        // MDC_NOTI_SCAN_REPORT_FIXED, _VAR, and of scanners, unbuffered and buffered.
        3357 | 3363 | 3369 => (Shape::Fixed, false),
        3358 | 3362 | 3368 => (Shape::Variable, false),
        3364 | 3370 => (Shape::Grouped, false),
        3359 | 3366 | 3372 => (Shape::Fixed, true),
        3360 | 3365 | 3371 => (Shape::Variable, true),
        3367 | 3373 => (Shape::Grouped, true),
        _ => return None,
    })
}

/// The observations in an event; none if the event is no scan report.
///
/// # Errors
/// Names the field that is cut off, or the object that the configuration does not describe.
pub fn observations(
    event: &Event,
    configuration: &Configuration,
) -> Result<Option<Vec<Observation>>, PhdError> {
    let Some((shape, several)) = shape(event.kind) else { return Ok(None) };
    let mut found = Vec::new();
    let mut read = |person: Option<u16>, reader: &mut Reader<'_>| {
        let groups = reader.list("obs-scan", |r| match shape {
            Shape::Fixed => fixed(person, r, configuration),
            Shape::Variable => Ok(vec![Observation {
                person,
                object: r.u16("obj-handle")?,
                attributes: crate::apdu::attributes(r, "attributes")?,
            }]),
            Shape::Grouped => grouped(person, r, configuration, event.object),
        })?;
        found.extend(groups.into_iter().flatten());
        Ok(())
    };
    whole(&event.info, |reader| {
        reader.u16("data-req-id")?;
        reader.u16("scan-report-no")?;
        if several {
            reader.list("scan-per", |r| {
                let person = r.u16("person-id")?;
                // 0xFFFF: the device does not know whom.
                read(Some(person).filter(|person| *person != 0xffff), r)
            })?;
            Ok(())
        } else {
            read(None, reader)
        }
    })?;
    Ok(Some(found))
}

fn fixed(
    person: Option<u16>,
    reader: &mut Reader<'_>,
    configuration: &Configuration,
) -> Result<Vec<Observation>, PhdError> {
    let at = reader.clone();
    let object = reader.u16("obj-handle")?;
    let unknown = || at.error("obj-handle", Fault::Code { code: u32::from(object) });
    let map = configuration.object(object).ok_or_else(unknown)?.value_map()?.ok_or_else(unknown)?;
    let mut values = reader.counted("obs-val-data")?;
    let attributes = mapped(&map, &mut values)?;
    values.end("obs-val-data")?;
    Ok(vec![Observation { person, object, attributes }])
}

fn grouped(
    person: Option<u16>,
    reader: &mut Reader<'_>,
    configuration: &Configuration,
    scanner: u16,
) -> Result<Vec<Observation>, PhdError> {
    let unknown = reader.error("obj-handle", Fault::Code { code: u32::from(scanner) });
    let scanner = configuration.object(scanner).ok_or_else(|| unknown.clone())?;
    let map = scanner.scan_map()?.ok_or(unknown)?;
    let mut values = reader.counted("observation-scan-grouped")?;
    let mut found = Vec::new();
    for (object, map) in map {
        found.push(Observation { person, object, attributes: mapped(&map, &mut values)? });
    }
    values.end("observation-scan-grouped")?;
    Ok(found)
}

pub(crate) fn mapped(map: &ValueMap, values: &mut Reader<'_>) -> Result<Vec<(u16, Vec<u8>)>, PhdError> {
    map.iter()
        .map(|(id, length)| Ok((*id, values.take("obs-val-data", usize::from(*length))?.to_vec())))
        .collect()
}

/// A variable report (APDU) with these entries ([`Observation::bytes`]) alone, of one user or of
/// nobody in particular: what was said of them, without the rest of the report that they came in.
#[must_use]
pub fn report(person: Option<u16>, entries: &[&[u8]]) -> Vec<u8> {
    let mut writer = Writer::default();
    // 0xF000: the device reports by itself.
    writer.shorts([0xf000, 0]);
    let list = |w: &mut Writer| w.list(entries, |w, entry| w.put(entry));
    match person {
        None => list(&mut writer),
        Some(person) => {
            writer.shorts([1]);
            writer.counted(|w| {
                w.shorts([person]);
                list(w);
            });
        }
    }
    let kind = if person.is_some() { 3360 } else { 3358 };
    let event = Event { object: 0, time: 0, kind, info: writer.bytes };
    Apdu::Data(Data { invoke: 0, message: Message::Event { confirmed: false, event } }).encode()
}
