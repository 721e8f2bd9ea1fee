//! Blood pressure (Blood Pressure Service 1.1: Blood Pressure Measurement 0x2A35, Intermediate
//! Cuff Pressure 0x2A36, Blood Pressure Feature 0x2A49).

use medfloat::Sfloat;

use crate::Characteristic;
use crate::bytes::{GattError, Reader, Writer, bit, flag, status};
use crate::time::DateTime;

/// A blood pressure, or the pressure of a cuff on the way to one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pressures {
    /// Pressures are in kPa, not mmHg.
    pub kilopascal: bool,
    /// Systolic; of a cuff on the way, its present pressure.
    pub systolic: Sfloat,
    /// Diastolic; NaN of a cuff on the way.
    pub diastolic: Sfloat,
    /// Mean arterial; NaN of a cuff on the way.
    pub mean: Sfloat,
    /// When it was measured.
    pub time: Option<DateTime>,
    /// Pulse rate a minute.
    pub pulse: Option<Sfloat>,
    /// Which of the device's users; 255: not known.
    pub user: Option<u8>,
    /// What is known against it.
    pub status: Option<PressureStatus>,
}

status! {
    /// What a cuff knows against its measurement. Bits 3 and 4 are one number: see
    /// [`PressureStatus::pulse_range`].
    PressureStatus: u16 {
        /// The body moved.
        BODY_MOVEMENT = 0,
        /// The cuff is too loose.
        CUFF_TOO_LOOSE = 1,
        /// The pulse is irregular.
        IRREGULAR_PULSE = 2,
        /// The pulse rate is above the upper limit.
        PULSE_TOO_HIGH = 3,
        /// The pulse rate is below the lower limit.
        PULSE_TOO_LOW = 4,
        /// The cuff is not at the height of the heart.
        IMPROPER_POSITION = 5,
    }
}

impl PressureStatus {
    /// 0: the pulse rate is in range; 1: above; 2: below; 3: reserved.
    #[must_use]
    pub const fn pulse_range(self) -> u16 {
        self.bits() >> 3 & 3
    }
}

impl Pressures {
    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let flags = u32::from(reader.u8("flags")?);
        Ok(Self {
            kilopascal: bit(flags, 0),
            systolic: reader.sfloat("systolic")?,
            diastolic: reader.sfloat("diastolic")?,
            mean: reader.sfloat("mean arterial pressure")?,
            time: reader.when(bit(flags, 1), DateTime::read)?,
            pulse: reader.when(bit(flags, 2), |r| r.sfloat("pulse rate"))?,
            user: reader.when(bit(flags, 3), |r| r.u8("user id"))?,
            status: reader
                .when(bit(flags, 4), |r| r.u16("measurement status"))?
                .map(PressureStatus::from_bits_retain),
        })
    }

    fn write(&self, writer: &mut Writer) {
        let flags = flag(self.kilopascal, 0)
            | flag(self.time.is_some(), 1)
            | flag(self.pulse.is_some(), 2)
            | flag(self.user.is_some(), 3)
            | flag(self.status.is_some(), 4);
        writer.put([flags as u8]);
        writer.sfloat(self.systolic);
        writer.sfloat(self.diastolic);
        writer.sfloat(self.mean);
        writer.time(self.time);
        writer.decimal(self.pulse);
        writer.byte(self.user);
        writer.short(self.status.map(|status| status.bits()));
    }
}

/// A finished measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BloodPressure(pub Pressures);

/// The cuff's pressure while it measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CuffPressure(pub Pressures);

impl Characteristic for BloodPressure {
    const UUID: u16 = 0x2a35;
    const NAME: &'static str = "blood pressure measurement";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        Pressures::read(reader).map(Self)
    }

    fn write(&self, writer: &mut Writer) {
        self.0.write(writer);
    }
}

impl Characteristic for CuffPressure {
    const UUID: u16 = 0x2a36;
    const NAME: &'static str = "intermediate cuff pressure";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        Pressures::read(reader).map(Self)
    }

    fn write(&self, writer: &mut Writer) {
        self.0.write(writer);
    }
}
