//! What an insulin pump did (IDD History Data 0x2B28, Insulin Delivery Service 1.0.1 §4.13). The
//! events that tell of insulin given and of the pump's state are read; all others keep their bytes.
//!
//! Their data being of any length, a protection behind them is told by its check sum: where the
//! last two bytes are the check sum of the rest, they and the counter before them are taken for one.

use medfloat::Sfloat;

use crate::Characteristic;
use crate::bytes::{GattError, Reader, Writer, bit, codes};
use crate::crc::{e2e_crc, put_protection};
use crate::insulin::{Operation, Therapy};
use crate::time::{DateTime, LocalTime};

/// One event of a pump's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryEvent {
    /// Counts events.
    pub sequence: u32,
    /// Seconds since the last event that told the time.
    pub offset_s: u16,
    /// What happened.
    pub data: EventData,
    /// The E2E-counter, if the value is protected.
    pub counter: Option<u8>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EventData {
    /// From here times count: why (0x0F not known, 0x33 set, 0x3C periodic, 0x55 lost), when, where.
    ReferenceTime(u8, DateTime, LocalTime),
    /// A bolus was programmed.
    BolusProgrammed(Bolus),
    /// A bolus was delivered.
    BolusDelivered(Bolus),
    /// The basal rate changed: flags, the rates before and after in IU/h, and why if that is told.
    BasalChanged(u8, Sfloat, Sfloat, Option<u8>),
    /// Insulin of a day: flags, boluses and basal in IU, and the day as year, month, day.
    TotalDaily(u8, Sfloat, Sfloat, (u16, u8, u8)),
    /// Whether insulin flows: before and after.
    TherapyChanged(Therapy, Therapy),
    /// What the pump does: before and after.
    OperationChanged(Operation, Operation),
    /// Insulin left in the reservoir, in IU.
    Reservoir(Sfloat),
    /// Anything else: its type, and its bytes.
    Other(u16, Vec<u8>),
}

/// A bolus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bolus {
    /// Its number.
    pub id: u16,
    /// How it is given.
    pub kind: BolusType,
    /// Given at once, in IU.
    pub fast: Sfloat,
    /// Given over a time, in IU.
    pub extended: Sfloat,
    /// That time, in minutes.
    pub duration_min: u16,
}

codes! {
    /// How a bolus is given.
    BolusType: u8 {
        /// Not known.
        Undetermined = 0x0f,
        /// At once.
        Fast = 0x33,
        /// Over a time.
        Extended = 0x3c,
        /// Part at once, part over a time.
        Multiwave = 0x55,
    }
}

const REFERENCE_TIME: u16 = 0x000f;
const BOLUS_PROGRAMMED: u16 = 0x005a;
const BOLUS_DELIVERED: u16 = 0x0069;
const BASAL_CHANGED: u16 = 0x0099;
const TOTAL_DAILY: u16 = 0x00ff;
const THERAPY_CHANGED: u16 = 0x0303;
const OPERATION_CHANGED: u16 = 0x030c;
const RESERVOIR: u16 = 0x0330;

impl Bolus {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        Ok(Self {
            id: reader.u16("bolus id")?,
            kind: BolusType::from_code(reader.u8("bolus type")?),
            fast: reader.sfloat("bolus fast amount")?,
            extended: reader.sfloat("bolus extended amount")?,
            duration_min: reader.u16("bolus duration")?,
        })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.put(self.id.to_le_bytes());
        writer.put([self.kind.code()]);
        writer.sfloat(self.fast);
        writer.sfloat(self.extended);
        writer.put(self.duration_min.to_le_bytes());
    }
}

impl EventData {
    /// Its type's number.
    #[must_use]
    pub const fn code(&self) -> u16 {
        match self {
            Self::ReferenceTime(..) => REFERENCE_TIME,
            Self::BolusProgrammed(_) => BOLUS_PROGRAMMED,
            Self::BolusDelivered(_) => BOLUS_DELIVERED,
            Self::BasalChanged(..) => BASAL_CHANGED,
            Self::TotalDaily(..) => TOTAL_DAILY,
            Self::TherapyChanged(..) => THERAPY_CHANGED,
            Self::OperationChanged(..) => OPERATION_CHANGED,
            Self::Reservoir(_) => RESERVOIR,
            Self::Other(code, _) => *code,
        }
    }

    fn read(code: u16, reader: &mut Reader<'_>) -> Result<Self, GattError> {
        Ok(match code {
            REFERENCE_TIME => {
                let reason = reader.u8("recording reason")?;
                Self::ReferenceTime(reason, DateTime::read(reader)?, LocalTime::read(reader)?)
            }
            BOLUS_PROGRAMMED => Self::BolusProgrammed(Bolus::read(reader)?),
            BOLUS_DELIVERED => Self::BolusDelivered(Bolus::read(reader)?),
            BASAL_CHANGED => {
                let flags = reader.u8("flags")?;
                Self::BasalChanged(
                    flags,
                    reader.sfloat("old basal rate value")?,
                    reader.sfloat("new basal rate value")?,
                    reader.when(bit(u32::from(flags), 0), |r| r.u8("basal delivery context"))?,
                )
            }
            TOTAL_DAILY => Self::TotalDaily(
                reader.u8("flags")?,
                reader.sfloat("sum of bolus delivered")?,
                reader.sfloat("sum of basal delivered")?,
                (reader.u16("year")?, reader.u8("month")?, reader.u8("day")?),
            ),
            THERAPY_CHANGED => Self::TherapyChanged(
                Therapy::from_code(reader.u8("old therapy control state")?),
                Therapy::from_code(reader.u8("new therapy control state")?),
            ),
            OPERATION_CHANGED => Self::OperationChanged(
                Operation::from_code(reader.u8("old operational state")?),
                Operation::from_code(reader.u8("new operational state")?),
            ),
            RESERVOIR => Self::Reservoir(reader.sfloat("reservoir remaining amount")?),
            code => Self::Other(code, reader.rest().to_vec()),
        })
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::ReferenceTime(reason, time, zone) => {
                writer.put([*reason]);
                writer.put(time.bytes());
                zone.write(writer);
            }
            Self::BolusProgrammed(bolus) | Self::BolusDelivered(bolus) => bolus.write(writer),
            Self::BasalChanged(flags, old, new, context) => {
                writer.put([flags & !1 | u8::from(context.is_some())]);
                writer.sfloat(*old);
                writer.sfloat(*new);
                writer.byte(*context);
            }
            Self::TotalDaily(flags, bolus, basal, (year, month, day)) => {
                writer.put([*flags]);
                writer.sfloat(*bolus);
                writer.sfloat(*basal);
                writer.put(year.to_le_bytes());
                writer.put([*month, *day]);
            }
            Self::TherapyChanged(old, new) => writer.put([old.code(), new.code()]),
            Self::OperationChanged(old, new) => writer.put([old.code(), new.code()]),
            Self::Reservoir(amount) => writer.sfloat(*amount),
            Self::Other(_, bytes) => writer.put(bytes),
        }
    }
}

impl Characteristic for HistoryEvent {
    const UUID: u16 = 0x2b28;
    const NAME: &'static str = "idd history data";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let code = reader.u16("event type")?;
        let sequence = reader.u32("sequence number")?;
        let offset_s = reader.u16("relative offset")?;
        let counter = counter_of(reader);
        let left = reader.left() - if counter.is_some() { 3 } else { 0 };
        let mut part = reader.part("event data", left)?;
        let data = EventData::read(code, &mut part)?;
        part.end()?;
        reader.rest();
        Ok(Self { sequence, offset_s, data, counter })
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(self.data.code().to_le_bytes());
        writer.put(self.sequence.to_le_bytes());
        writer.put(self.offset_s.to_le_bytes());
        self.data.write(writer);
        put_protection(writer, self.counter);
    }
}

/// The counter of a protection at the end of the payload, if its check sum fits.
fn counter_of(reader: &Reader<'_>) -> Option<u8> {
    let mut ahead = reader.clone();
    if ahead.rest().len() < 3 {
        return None;
    }
    let (rest, sum) = ahead.since(0).split_last_chunk::<2>()?;
    (e2e_crc(rest) == u16::from_le_bytes(*sum)).then(|| rest.last().copied()).flatten()
}
