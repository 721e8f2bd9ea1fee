//! Stores of episodes (PM-store, IEEE 11073-20601 §6.3.7 and 6.3.8, annex A.11.6): which segments
//! a store has, how their entries are written, the events that carry them, and clearing.

use crate::apdu::{attributes, put_attributes};
use crate::bytes::{Fault, PhdError, Reader, Writer};
use crate::config::{Configuration, ValueMap, attr, value_map, whole};
use crate::scan::{Observation, mapped};

/// The class of stores.
pub const CLASS: u16 = 61;
/// Actions of a store: clear segments, tell of segments, send a segment.
pub const CLEAR: u16 = 3084;
/// Tell of segments.
pub const GET_INFO: u16 = 3085;
/// Send a segment.
pub const TRANSFER: u16 = 3100;
/// The event that carries entries.
pub const DATA: u16 = 3361;

/// Bits of a segment event's status, bit 0 being the highest.
pub mod status {
    /// The event has the segment's first entry.
    pub const FIRST: u16 = 0x8000;
    /// …its last.
    pub const LAST: u16 = 0x4000;
    /// The device ends the transfer.
    pub const AGENT_ABORT: u16 = 0x0800;
    /// The manager took the entries.
    pub const CONFIRM: u16 = 0x0080;
    /// The manager ends the transfer.
    pub const MANAGER_ABORT: u16 = 0x0008;
}

/// Which segments are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// All.
    All,
    /// These.
    These(Vec<u16>),
    /// Those within two times of the device's clock.
    Between([u8; 8], [u8; 8]),
    /// The same in base-offset time.
    BetweenOffsets([u8; 8], [u8; 8]),
}

impl Selection {
    /// Reads `SegmSelection`.
    ///
    /// # Errors
    /// When it is cut or no such choice.
    pub fn decode(bytes: &[u8]) -> Result<Self, PhdError> {
        whole(bytes, |reader| {
            let at = reader.clone();
            let choice = reader.u16("segm-selection")?;
            let mut body = reader.counted("segm-selection")?;
            let time = |body: &mut Reader<'_>| {
                let mut bytes = [0; 8];
                bytes.copy_from_slice(body.take("time", 8)?);
                Ok(bytes)
            };
            let selection = match choice {
                1 => {
                    body.u16("all-segments")?;
                    Self::All
                }
                2 => Self::These(body.list("segm-id-list", |r| r.u16("inst-number"))?),
                3 => Self::Between(time(&mut body)?, time(&mut body)?),
                4 => Self::BetweenOffsets(time(&mut body)?, time(&mut body)?),
                code => {
                    return Err(at.error("segm-selection", Fault::Code { code: u32::from(code) }));
                }
            };
            body.end("segm-selection")?;
            Ok(selection)
        })
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.shorts([match self {
            Self::All => 1,
            Self::These(_) => 2,
            Self::Between(..) => 3,
            Self::BetweenOffsets(..) => 4,
        }]);
        writer.counted(|w| match self {
            Self::All => w.shorts([0]),
            Self::These(numbers) => w.list(numbers, |w, number| w.shorts([*number])),
            Self::Between(from, to) | Self::BetweenOffsets(from, to) => {
                w.put(from);
                w.put(to);
            }
        });
        writer.bytes
    }
}

/// What a store says of its segments: instance number and attributes.
pub type Segments = Vec<(u16, Vec<(u16, Vec<u8>)>)>;

/// Reads `SegmentInfoList`.
///
/// # Errors
/// When it is cut.
pub fn segments(bytes: &[u8]) -> Result<Segments, PhdError> {
    whole(bytes, |reader| {
        reader.list("segment-info-list", |r| Ok((r.u16("seg-inst-no")?, attributes(r, "seg-info")?)))
    })
}

/// Writes `SegmentInfoList`.
#[must_use]
pub fn put_segments(segments: &Segments) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.list(segments, |w, (number, attributes)| {
        w.shorts([*number]);
        put_attributes(w, attributes);
    });
    writer.bytes
}

/// How the entries of a segment are written, and whose they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Its instance number.
    pub number: u16,
    /// Whose, as the device numbers its users.
    pub person: Option<u16>,
    /// How many entries it has, if it says so.
    pub usage: Option<u32>,
    /// How long its transfer may take, 1/8 ms, if it says so.
    pub timeout: Option<u32>,
    /// The times before each entry, as bits: 0 absolute, 1 relative, 2 fine, 3 base-offset.
    pub header: u16,
    /// Object and attributes of each element.
    pub elements: Vec<(u16, ValueMap)>,
}

/// The times of an entry's header: bit, attribute, bytes.
const HEADER: [(u16, u16, usize); 4] = [
    (0x8000, attr::TIME_ABSOLUTE, 8),
    (0x4000, attr::TIME_RELATIVE, 4),
    (0x2000, attr::TIME_FINE, 8),
    (0x1000, attr::TIME_BASE_OFFSET, 8),
];

impl Segment {
    /// From what its store says of it.
    ///
    /// # Errors
    /// When an attribute is cut, or says what is not there, such as another kind of time.
    pub fn read(number: u16, attributes: &[(u16, Vec<u8>)]) -> Result<Self, PhdError> {
        let find = |id: u16| attributes.iter().find(|(known, _)| *known == id).map(|(_, value)| &value[..]);
        let (header, elements) = match find(attr::SEGMENT_MAP) {
            Some(bytes) => whole(bytes, entry_map)?,
            None => (0, Vec::new()),
        };
        let long = |id| find(id).map(|bytes| whole(bytes, |r| r.u32("segment"))).transpose();
        let person = find(attr::SEGMENT_PERSON).map(|bytes| whole(bytes, |r| r.u16("person-id"))).transpose()?;
        Ok(Self {
            number,
            person: person.filter(|person| *person != 0xffff),
            usage: long(attr::SEGMENT_USAGE)?,
            timeout: long(attr::TRANSFER_TIMEOUT)?,
            header,
            elements,
        })
    }

    /// The observations of `count` entries.
    ///
    /// # Errors
    /// When the entries are cut or longer than the map says.
    pub fn entries(&self, count: u32, bytes: &[u8]) -> Result<Vec<Observation>, PhdError> {
        whole(bytes, |reader| {
            let mut found = Vec::new();
            for _ in 0..count {
                if self.elements.is_empty() || reader.left() == 0 {
                    return Err(reader.error("segm-data", Fault::TooShort { needed: 1, left: 0 }));
                }
                self.entry(reader, &mut found)?;
            }
            Ok(found)
        })
    }

    fn entry(&self, reader: &mut Reader<'_>, found: &mut Vec<Observation>) -> Result<(), PhdError> {
        let mut times = Vec::new();
        for (bit, id, length) in HEADER {
            if self.header & bit != 0 {
                times.push((id, reader.take("segm-entry-header", length)?.to_vec()));
            }
        }
        for (object, map) in &self.elements {
            let mut attributes = mapped(map, reader)?;
            // An element's own time goes before the entry's.
            let missing = times.iter().filter(|(id, _)| map.iter().all(|(own, _)| own != id));
            attributes.extend(missing.cloned());
            found.push(Observation { person: self.person, object: *object, attributes });
        }
        Ok(())
    }
}

/// `PmSegmentEntryMap`: header bits, then elements.
fn entry_map(reader: &mut Reader<'_>) -> Result<(u16, Vec<(u16, ValueMap)>), PhdError> {
    let at = reader.clone();
    let header = reader.u16("segm-entry-header")?;
    if header & 0x0fff != 0 {
        // A time of unknown length: nothing behind it could be read.
        return Err(at.error("segm-entry-header", Fault::Code { code: u32::from(header) }));
    }
    let elements = reader.list("segm-entry-elem-list", |r| {
        r.u16("class-id")?;
        r.u32("metric-type")?;
        Ok((r.u16("handle")?, value_map(r)?))
    })?;
    Ok((header, elements))
}

/// The bytes of an entry map; classes and types are those of the configuration.
#[must_use]
pub fn put_entry_map(segment: &Segment, configuration: &Configuration) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.shorts([segment.header]);
    writer.list(&segment.elements, |w, (handle, map)| {
        let object = configuration.object(*handle);
        w.shorts([object.map_or(0, |object| object.class)]);
        w.put(object.and_then(|object| object.attribute(attr::TYPE)).filter(|kind| kind.len() == 4).unwrap_or(&[0; 4]));
        w.shorts([*handle]);
        w.list(map, |w, (id, length)| w.shorts([*id, *length]));
    });
    writer.bytes
}

/// What an event says of the entries that it carries (`SegmDataEventDescr`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// The segment.
    pub segment: u16,
    /// Index of the first entry, from 0.
    pub index: u32,
    /// How many.
    pub count: u32,
    /// Bits of [`status`].
    pub status: u16,
}

impl Description {
    fn read(reader: &mut Reader<'_>) -> Result<Self, PhdError> {
        Ok(Self {
            segment: reader.u16("segm-instance")?,
            index: reader.u32("segm-evt-entry-index")?,
            count: reader.u32("segm-evt-entry-count")?,
            status: reader.u16("segm-evt-status")?,
        })
    }

    /// Reads a result: a description alone.
    ///
    /// # Errors
    /// When it is cut.
    pub fn decode(bytes: &[u8]) -> Result<Self, PhdError> {
        whole(bytes, Self::read)
    }

    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.shorts([self.segment]);
        writer.long(self.index);
        writer.long(self.count);
        writer.shorts([self.status]);
        writer.bytes
    }
}

/// Reads `SegmentDataEvent`: a description and the bytes of its entries.
///
/// # Errors
/// When it is cut.
pub fn event(bytes: &[u8]) -> Result<(Description, &[u8]), PhdError> {
    let mut reader = Reader::new(bytes);
    let description = Description::read(&mut reader)?;
    let length = reader.u16("segm-data-event-entries")?;
    let entries = reader.take("segm-data-event-entries", usize::from(length))?;
    reader.end("segment-data-event")?;
    Ok((description, entries))
}

/// Writes `SegmentDataEvent`.
#[must_use]
pub fn put_event(description: &Description, entries: &[u8]) -> Vec<u8> {
    let mut writer = Writer { bytes: description.encode() };
    writer.counted(|w| w.put(entries));
    writer.bytes
}
