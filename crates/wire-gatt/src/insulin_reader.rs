//! What a pump can do (IDD Features 0x2B23), and asking it how it is (IDD Status Reader Control Point
//! 0x2B24): requests, answers, how a request ended. Insulin Delivery Service 1.0.1 §3.5 and §3.6.
//!
//! A counter and a check sum may stand behind each value; that they do is told by the length.

use medfloat::{Float, Sfloat};

use crate::Characteristic;
use crate::bytes::{Fault, GattError, Reader, Writer, bit, codes, flag, status};
use crate::crc::{e2e_crc, put_protection, take_protection};
use crate::insulin::Changes;
use crate::insulin_history::Bolus;

status! {
    /// What a pump can do; 24 bits.
    Features: u32 {
        /// Counter and check sum stand behind every value.
        E2E_PROTECTION = 0,
        /// Basal rates.
        BASAL_RATE = 1,
        /// Temporary basal rates in IU/h.
        TBR_ABSOLUTE = 2,
        /// Temporary basal rates as a factor.
        TBR_RELATIVE = 3,
        /// Templates of temporary basal rates.
        TBR_TEMPLATE = 4,
        /// Boluses at once.
        FAST_BOLUS = 5,
        /// Boluses over a time.
        EXTENDED_BOLUS = 6,
        /// Boluses of both parts.
        MULTIWAVE_BOLUS = 7,
        /// Boluses that begin later.
        BOLUS_DELAY = 8,
        /// Templates of boluses.
        BOLUS_TEMPLATE = 9,
        /// Why a bolus is given.
        BOLUS_ACTIVATION = 10,
        /// Several bonds.
        MULTIPLE_BOND = 11,
        /// Profiles of insulin sensitivity.
        SENSITIVITY_PROFILE = 12,
        /// Profiles of insulin to carbohydrate.
        CARBOHYDRATE_PROFILE = 13,
        /// Profiles of target glucose.
        TARGET_PROFILE = 14,
        /// Insulin on board.
        INSULIN_ON_BOARD = 15,
        /// More bytes of features follow (none are defined).
        EXTENSION = 23,
    }
}

/// What a pump can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PumpFeatures {
    /// The E2E-counter; its check sum stands before it. None: the pump sends 0xFFFF for "not supported".
    pub counter: Option<u8>,
    /// Insulin in a volume, in IU/mL.
    pub concentration: Sfloat,
    /// What it can.
    pub features: Features,
}

impl Characteristic for PumpFeatures {
    const UUID: u16 = 0x2b23;
    const NAME: &'static str = "idd features";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let at = reader.clone();
        let sum = reader.u16("e2e-crc")?;
        let start = reader.offset();
        let counter = reader.u8("e2e-counter")?;
        let concentration = reader.sfloat("insulin concentration")?;
        let features = Features::from_bits_retain(reader.u24("flags")?);
        let protected = features.contains(Features::E2E_PROTECTION);
        // Without protection the sum is 0xFFFF and the counter 0; nothing is compared then.
        if protected && e2e_crc(reader.since(start)) != sum {
            return Err(at.error("e2e-crc", Fault::Checksum));
        }
        let unprotected = sum == 0xffff && counter == 0;
        if !protected && !unprotected {
            return Err(at.error("e2e-crc", Fault::Code { code: u32::from(sum) }));
        }
        Ok(Self { counter: protected.then_some(counter), concentration, features })
    }

    fn write(&self, writer: &mut Writer) {
        let mut rest = Writer::default();
        rest.put([self.counter.unwrap_or(0)]);
        rest.sfloat(self.concentration);
        rest.u24(self.features.bits());
        let sum = if self.counter.is_some() { e2e_crc(&rest.bytes) } else { 0xffff };
        writer.put(sum.to_le_bytes());
        writer.put(rest.bytes);
    }
}

codes! {
    /// How a request to a pump ended.
    PumpOutcome: u8 {
        /// Done.
        Success = 0x0f,
        /// The pump does not know the request.
        OpCodeNotSupported = 0x70,
        /// The operand does not fit.
        InvalidOperand = 0x71,
        /// Could not be finished.
        NotCompleted = 0x72,
        /// Out of range.
        OutOfRange = 0x73,
        /// Not now.
        NotApplicable = 0x74,
        /// The pump holds it for implausible.
        Implausible = 0x75,
        /// No more boluses at a time.
        TooManyBoluses = 0x76,
    }
}

codes! {
    /// Which amount of a bolus is asked for.
    BolusValue: u8 {
        /// What was programmed.
        Programmed = 0x0f,
        /// What is still to be given.
        Remaining = 0x33,
        /// What was given.
        Delivered = 0x3c,
    }
}

codes! {
    /// How a temporary basal rate is told.
    TbrType: u8 {
        /// Not known.
        Undetermined = 0x0f,
        /// In IU/h.
        Absolute = 0x33,
        /// As a factor of the profile's.
        Relative = 0x3c,
    }
}

/// A bolus that is being given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveBolus {
    /// Bits 3 and 4: given as a correction, with a meal; the other bits that announce nothing.
    pub reason: u8,
    /// The bolus.
    pub bolus: Bolus,
    /// Begins after so many minutes.
    pub delay_min: Option<u16>,
    /// The template that it was made from.
    pub template: Option<u8>,
    /// Who or what began it, as sent.
    pub activation: Option<u8>,
}

/// A temporary basal rate that is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tbr {
    /// How it is told.
    pub kind: TbrType,
    /// IU/h, or a factor.
    pub value: Sfloat,
    /// For how long it was set, in minutes.
    pub duration_min: u16,
    /// How long it has still to go, in minutes.
    pub remaining_min: u16,
}

/// The basal rate that is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ActiveBasal {
    /// The profile's number.
    pub profile: u8,
    /// The profile's rate now, in IU/h.
    pub rate: Sfloat,
    /// What stands in for it at present.
    pub temporary: Option<Tbr>,
    /// The template of that.
    pub template: Option<u8>,
    /// Why it is given, as sent.
    pub context: Option<u8>,
}

/// What is asked or answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// How a request ended: its number, how.
    Answer(u16, PumpOutcome),
    /// These changes have been seen: clear them.
    ResetStatus(Changes),
    /// Which boluses are being given?
    GetBolusIds,
    /// These.
    BolusIds(Vec<u16>),
    /// How is that bolus?
    GetBolus(u16, BolusValue),
    /// So.
    Bolus(ActiveBolus),
    /// Which basal rate is in force?
    GetBasal,
    /// This one.
    Basal(ActiveBasal),
    /// How much insulin since midnight?
    GetTotalDaily,
    /// Boluses, basal, both, in IU.
    TotalDaily(Sfloat, Sfloat, Sfloat),
    /// How does a counter stand: its type, and which value of it.
    GetCounter(u8, u8),
    /// So, in minutes.
    Counter(u8, u8, i32),
    /// How much insulin so far?
    GetDelivered,
    /// Boluses and basal since they last began anew, in IU.
    Delivered(Float, Float),
    /// How much insulin still works?
    GetOnBoard,
    /// So much in IU, and for how many minutes.
    OnBoard(Sfloat, Option<u16>),
}

/// A request to the status reader, or its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusReader {
    /// What is asked or answered.
    pub reading: Reading,
    /// The E2E-counter, if the value is protected.
    pub counter: Option<u8>,
}

impl ActiveBolus {
    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let flags = reader.u8("flags")?;
        let bits = u32::from(flags);
        Ok(Self {
            reason: flags & !0b111,
            bolus: Bolus::read(reader)?,
            delay_min: reader.when(bit(bits, 0), |r| r.u16("bolus delay time"))?,
            template: reader.when(bit(bits, 1), |r| r.u8("bolus template number"))?,
            activation: reader.when(bit(bits, 2), |r| r.u8("bolus activation type"))?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        let announced = flag(self.delay_min.is_some(), 0)
            | flag(self.template.is_some(), 1)
            | flag(self.activation.is_some(), 2);
        writer.put([self.reason & !0b111 | announced as u8]);
        self.bolus.write(writer);
        writer.short(self.delay_min);
        writer.byte(self.template);
        writer.byte(self.activation);
    }
}

impl ActiveBasal {
    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let flags = u32::from(reader.u8("flags")?);
        Ok(Self {
            profile: reader.u8("active basal rate profile template number")?,
            rate: reader.sfloat("active basal rate current config value")?,
            temporary: reader.when(bit(flags, 0), |r| {
                Ok(Tbr {
                    kind: TbrType::from_code(r.u8("tbr type")?),
                    value: r.sfloat("tbr adjustment value")?,
                    duration_min: r.u16("tbr duration programmed")?,
                    remaining_min: r.u16("tbr duration remaining")?,
                })
            })?,
            template: reader.when(bit(flags, 1), |r| r.u8("tbr template number"))?,
            context: reader.when(bit(flags, 2), |r| r.u8("basal delivery context"))?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        let announced = flag(self.temporary.is_some(), 0)
            | flag(self.template.is_some(), 1)
            | flag(self.context.is_some(), 2);
        writer.put([announced as u8, self.profile]);
        writer.sfloat(self.rate);
        if let Some(tbr) = self.temporary {
            writer.put([tbr.kind.code()]);
            writer.sfloat(tbr.value);
            writer.put(tbr.duration_min.to_le_bytes());
            writer.put(tbr.remaining_min.to_le_bytes());
        }
        writer.byte(self.template);
        writer.byte(self.context);
    }
}

impl Reading {
    /// Its op code.
    #[must_use]
    pub const fn code(&self) -> u16 {
        match self {
            Self::Answer(..) => 0x0303,
            Self::ResetStatus(_) => 0x030c,
            Self::GetBolusIds => 0x0330,
            Self::BolusIds(_) => 0x033f,
            Self::GetBolus(..) => 0x0356,
            Self::Bolus(_) => 0x0359,
            Self::GetBasal => 0x0365,
            Self::Basal(_) => 0x036a,
            Self::GetTotalDaily => 0x0395,
            Self::TotalDaily(..) => 0x039a,
            Self::GetCounter(..) => 0x03a6,
            Self::Counter(..) => 0x03a9,
            Self::GetDelivered => 0x03c0,
            Self::Delivered(..) => 0x03cf,
            Self::GetOnBoard => 0x03f3,
            Self::OnBoard(..) => 0x03fc,
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let at = reader.clone();
        Ok(match reader.u16("op code")? {
            0x0303 => {
                Self::Answer(reader.u16("request op code")?, PumpOutcome::from_code(reader.u8("response code value")?))
            }
            0x030c => Self::ResetStatus(Changes::from_bits_retain(reader.u16("flags")?)),
            0x0330 => Self::GetBolusIds,
            0x033f => {
                let count = reader.u8("number of active boluses")?;
                let ids = (0..count).map(|_| reader.u16("bolus id")).collect::<Result<_, _>>()?;
                Self::BolusIds(ids)
            }
            0x0356 => Self::GetBolus(reader.u16("bolus id")?, BolusValue::from_code(reader.u8("bolus value selection")?)),
            0x0359 => Self::Bolus(ActiveBolus::read(reader)?),
            0x0365 => Self::GetBasal,
            0x036a => Self::Basal(ActiveBasal::read(reader)?),
            0x0395 => Self::GetTotalDaily,
            0x039a => Self::TotalDaily(
                reader.sfloat("sum of bolus delivered")?,
                reader.sfloat("sum of basal delivered")?,
                reader.sfloat("sum of bolus and basal delivered")?,
            ),
            0x03a6 => Self::GetCounter(reader.u8("counter type")?, reader.u8("counter value selection")?),
            0x03a9 => Self::Counter(
                reader.u8("counter type")?,
                reader.u8("counter value selection")?,
                reader.u32("counter value")?.cast_signed(),
            ),
            0x03c0 => Self::GetDelivered,
            0x03cf => Self::Delivered(reader.float("bolus amount delivered")?, reader.float("basal amount delivered")?),
            0x03f3 => Self::GetOnBoard,
            0x03fc => {
                let flags = u32::from(reader.u8("flags")?);
                let amount = reader.sfloat("insulin on board")?;
                Self::OnBoard(amount, reader.when(bit(flags, 0), |r| r.u16("remaining duration"))?)
            }
            code => return Err(at.error("op code", Fault::Code { code: u32::from(code) })),
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(self.code().to_le_bytes());
        match self {
            Self::Answer(request, outcome) => {
                writer.put(request.to_le_bytes());
                writer.put([outcome.code()]);
            }
            Self::ResetStatus(changes) => writer.put(changes.bits().to_le_bytes()),
            Self::GetBolusIds | Self::GetBasal | Self::GetTotalDaily | Self::GetDelivered | Self::GetOnBoard => {}
            Self::BolusIds(ids) => {
                // The count is a byte; more are never given at once.
                writer.put([u8::try_from(ids.len()).unwrap_or(u8::MAX)]);
                ids.iter().take(usize::from(u8::MAX)).for_each(|id| writer.put(id.to_le_bytes()));
            }
            Self::GetBolus(id, value) => {
                writer.put(id.to_le_bytes());
                writer.put([value.code()]);
            }
            Self::Bolus(bolus) => bolus.write(writer),
            Self::Basal(basal) => basal.write(writer),
            Self::TotalDaily(bolus, basal, both) => [bolus, basal, both].into_iter().for_each(|sum| writer.sfloat(*sum)),
            Self::GetCounter(kind, value) => writer.put([*kind, *value]),
            Self::Counter(kind, value, minutes) => {
                writer.put([*kind, *value]);
                writer.put(minutes.to_le_bytes());
            }
            Self::Delivered(bolus, basal) => [bolus, basal].into_iter().for_each(|sum| writer.float(*sum)),
            Self::OnBoard(amount, minutes) => {
                writer.put([flag(minutes.is_some(), 0) as u8]);
                writer.sfloat(*amount);
                writer.short(*minutes);
            }
        }
    }
}

impl Characteristic for StatusReader {
    const UUID: u16 = 0x2b24;
    const NAME: &'static str = "idd status reader control point";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let reading = Reading::read(reader)?;
        Ok(Self { reading, counter: take_protection(reader)? })
    }

    fn write(&self, writer: &mut Writer) {
        self.reading.write(writer);
        put_protection(writer, self.counter);
    }
}
