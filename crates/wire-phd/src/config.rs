//! A device's configuration: its objects and their attributes (IEEE 11073-20601 §6.3, annex
//! A.11), as the device sends it or as a specialisation fixes it.

use crate::apdu::{attributes, put_attributes};
use crate::bytes::{PhdError, Reader, Writer};

/// Attributes, by their number in the nomenclature's partition 1.
pub mod attr {
    /// What an object measures: partition and code.
    pub const TYPE: u16 = 2351;
    /// The unit, a code of partition 4.
    pub const UNIT: u16 = 2454;
    /// The order and lengths of the attributes in a fixed report.
    pub const VALUE_MAP: u16 = 2645;
    /// The same of a scanner over several objects.
    pub const SCAN_VALUE_MAP: u16 = 2643;
    /// The codes of a compound's parts.
    pub const PHYSIO_LIST: u16 = 2678;
    /// The code of a part of its own partition.
    pub const PHYSIO: u16 = 2347;
    /// The partition of `PHYSIO`.
    pub const METRIC_ID_PARTITION: u16 = 2655;
    /// A FLOAT with what it is of.
    pub const NU_OBS: u16 = 2384;
    /// A FLOAT.
    pub const NU_SIMPLE: u16 = 2646;
    /// An SFLOAT.
    pub const NU_BASIC: u16 = 2636;
    /// Several FLOATs.
    pub const NU_COMPOUND_SIMPLE: u16 = 2676;
    /// Several SFLOATs.
    pub const NU_COMPOUND_BASIC: u16 = 2677;
    /// What is known against a value.
    pub const STATUS: u16 = 2375;
    /// When, by the device's clock.
    pub const TIME_ABSOLUTE: u16 = 2448;
    /// When, in 1/8 ms since some event.
    pub const TIME_RELATIVE: u16 = 2449;
    /// Equidistant samples.
    pub const SAMPLES: u16 = 2632;
    /// How many, and how they are written.
    pub const SAMPLE_SPEC: u16 = 2413;
    /// From counts of 8 bits to values.
    pub const SCALE_8: u16 = 2417;
    /// From counts of 16 bits to values.
    pub const SCALE_16: u16 = 2415;
    /// From counts of 32 bits to values.
    pub const SCALE_32: u16 = 2416;
    /// From one sample to the next, in 1/8 ms.
    pub const SAMPLE_PERIOD: u16 = 2445;
    /// When, in base-offset time.
    pub const TIME_BASE_OFFSET: u16 = 2690;
    /// When, in microseconds since some event.
    pub const TIME_FINE: u16 = 2537;
    /// For how long a measurement was active: a FLOAT of seconds.
    pub const TIME_ACTIVE: u16 = 2649;
    /// A state that is a term.
    pub const ENUM_TERM: u16 = 2633;
    /// A state that is a text.
    pub const ENUM_TEXT: u16 = 2634;
    /// A state of 16 bits.
    pub const ENUM_BITS_16: u16 = 2662;
    /// A state of 32 bits.
    pub const ENUM_BITS_32: u16 = 2661;
    /// A state with what it is of.
    pub const ENUM_OBS: u16 = 2462;
    /// The partition of states that are terms.
    pub const ENUM_PARTITION: u16 = 2656;
    /// Whether a scanner or a segment is at work.
    pub const OPERATIONAL: u16 = 2387;
    /// What a device's clock can do, and how it is set.
    pub const TIME_INFO: u16 = 2629;
    /// The date and time on the device's clock.
    pub const CLOCK_ABSOLUTE: u16 = 2439;
    /// The same as base-offset time.
    pub const CLOCK_BASE_OFFSET: u16 = 2689;
    /// The device's relative time, 1/8 ms.
    pub const CLOCK_RELATIVE: u16 = 2447;
    /// The device's high-resolution relative time, microseconds.
    pub const CLOCK_FINE: u16 = 2536;
    /// Battery charge, %.
    pub const BATTERY: u16 = 2460;
    /// How long the battery lasts: a FLOAT and its unit.
    pub const BATTERY_LEFT: u16 = 2440;
    /// How many segments a store has.
    pub const SEGMENTS: u16 = 2385;
    /// How the entries of a segment are written.
    pub const SEGMENT_MAP: u16 = 2638;
    /// Whose a segment is.
    pub const SEGMENT_PERSON: u16 = 2639;
    /// How many entries a segment has.
    pub const SEGMENT_USAGE: u16 = 2427;
    /// How long a transfer may take, 1/8 ms.
    pub const TRANSFER_TIMEOUT: u16 = 2660;
    /// The device's identifier.
    pub const SYSTEM_ID: u16 = 2436;
    /// Manufacturer and model.
    pub const MODEL: u16 = 2344;
    /// The specialisations that a device follows.
    pub const SPECIALISATIONS: u16 = 2650;
}

/// A configuration.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Configuration {
    /// Its number; 0x4000 to 0x7FFF are a device's own.
    pub id: u16,
    /// Its objects.
    pub objects: Vec<Object>,
}

/// An object of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its class, a code of partition 1 (6 numeric, 5 enumeration, 9 real-time sample array, 16 and
    /// 17 scanners, 61 store).
    pub class: u16,
    /// Its handle.
    pub handle: u16,
    /// Its attributes.
    pub attributes: Vec<(u16, Vec<u8>)>,
}

/// The attributes of a fixed report: number and length.
pub type ValueMap = Vec<(u16, u16)>;

impl Object {
    /// The bytes of an attribute.
    #[must_use]
    pub fn attribute(&self, id: u16) -> Option<&[u8]> {
        self.attributes.iter().find(|(known, _)| *known == id).map(|(_, value)| &value[..])
    }

    /// The object's attributes in a fixed report.
    ///
    /// # Errors
    /// When the attribute is there but cut.
    pub fn value_map(&self) -> Result<Option<ValueMap>, PhdError> {
        self.attribute(attr::VALUE_MAP).map(|bytes| whole(bytes, value_map)).transpose()
    }

    /// A scanner's attributes in a grouped report, by object.
    ///
    /// # Errors
    /// When the attribute is there but cut.
    pub fn scan_map(&self) -> Result<Option<Vec<(u16, ValueMap)>>, PhdError> {
        let read = |reader: &mut Reader<'_>| {
            reader.list("handle-attr-val-map", |r| Ok((r.u16("obj-handle")?, value_map(r)?)))
        };
        self.attribute(attr::SCAN_VALUE_MAP).map(|bytes| whole(bytes, read)).transpose()
    }
}

/// What `read` makes of all the bytes.
pub(crate) fn whole<T>(
    bytes: &[u8],
    read: impl FnOnce(&mut Reader<'_>) -> Result<T, PhdError>,
) -> Result<T, PhdError> {
    let mut reader = Reader::new(bytes);
    let value = read(&mut reader)?;
    reader.end("attribute-value")?;
    Ok(value)
}

pub(crate) fn value_map(reader: &mut Reader<'_>) -> Result<ValueMap, PhdError> {
    reader.list("attr-val-map", |r| Ok((r.u16("attribute-id")?, r.u16("attribute-len")?)))
}

impl Configuration {
    /// The object with this handle.
    #[must_use]
    pub fn object(&self, handle: u16) -> Option<&Object> {
        self.objects.iter().find(|object| object.handle == handle)
    }

    /// From the bytes of a configuration report (`ConfigReport`).
    ///
    /// # Errors
    /// Names the field that is cut off.
    pub fn decode(bytes: &[u8]) -> Result<Self, PhdError> {
        whole(bytes, |reader| {
            Ok(Self {
                id: reader.u16("config-report-id")?,
                objects: reader.list("config-obj-list", |r| {
                    Ok(Object {
                        class: r.u16("obj-class")?,
                        handle: r.u16("obj-handle")?,
                        attributes: attributes(r, "attributes")?,
                    })
                })?,
            })
        })
    }

    /// The bytes of its report.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.shorts([self.id]);
        writer.list(&self.objects, |w, object| {
            w.shorts([object.class, object.handle]);
            put_attributes(w, &object.attributes);
        });
        writer.bytes
    }
}
