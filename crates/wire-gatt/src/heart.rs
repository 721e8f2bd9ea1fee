//! Heart rate (Heart Rate Service 1.0, Heart Rate Measurement 0x2A37; Body Sensor Location 0x2A38).

use crate::Characteristic;
use crate::bytes::{GattError, Reader, Writer, bit, codes, flag};

/// One notification of a heart rate sensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeartRate {
    /// Beats a minute.
    pub rate: Rate,
    /// Whether the sensor touches skin; none where it can't tell.
    pub contact: Option<bool>,
    /// The lower of the two contact bits where the sensor can't tell: no meaning, kept as sent.
    pub contact_bit: bool,
    /// Energy spent since the last reset, in kJ; stops at 65,535.
    pub energy_kj: Option<u16>,
    /// Intervals between beats since the last notification, oldest first, in 1/1024 s. None: the
    /// flag that announces them is not set.
    pub rr_1024: Option<Vec<u16>>,
}

/// A heart rate in the width that it was sent in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// In eight bits.
    Byte(u8),
    /// In sixteen.
    Short(u16),
}

impl Rate {
    /// Beats a minute.
    #[must_use]
    pub const fn per_minute(self) -> u16 {
        match self {
            Self::Byte(rate) => rate as u16,
            Self::Short(rate) => rate,
        }
    }
}

impl Characteristic for HeartRate {
    const UUID: u16 = 0x2a37;
    const NAME: &'static str = "heart rate measurement";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let flags = u32::from(reader.u8("flags")?);
        let rate = if bit(flags, 0) {
            Rate::Short(reader.u16("heart rate")?)
        } else {
            Rate::Byte(reader.u8("heart rate")?)
        };
        let contact = bit(flags, 2).then_some(bit(flags, 1));
        let energy_kj = reader.when(bit(flags, 3), |r| r.u16("energy expended"))?;
        let rr_1024 = reader.when(bit(flags, 4), |r| {
            let mut intervals = Vec::with_capacity(r.left() / 2);
            while r.left() > 0 {
                intervals.push(r.u16("rr-interval")?);
            }
            Ok(intervals)
        })?;
        let contact_bit = contact.is_none() && bit(flags, 1);
        Ok(Self { rate, contact, contact_bit, energy_kj, rr_1024 })
    }

    fn write(&self, writer: &mut Writer) {
        let touching = self.contact.unwrap_or(self.contact_bit);
        let flags = flag(matches!(self.rate, Rate::Short(_)), 0)
            | flag(touching, 1)
            | flag(self.contact.is_some(), 2)
            | flag(self.energy_kj.is_some(), 3)
            | flag(self.rr_1024.is_some(), 4);
        writer.put([flags as u8]);
        match self.rate {
            Rate::Byte(rate) => writer.put([rate]),
            Rate::Short(rate) => writer.put(rate.to_le_bytes()),
        }
        writer.short(self.energy_kj);
        for interval in self.rr_1024.iter().flatten() {
            writer.put(interval.to_le_bytes());
        }
    }
}

codes! {
    /// Where a heart rate sensor sits.
    BodySensorLocation: u8 {
        /// Anywhere else.
        Elsewhere = 0,
        /// On the chest.
        Chest = 1,
        /// On the wrist.
        Wrist = 2,
        /// On a finger.
        Finger = 3,
        /// On the hand.
        Hand = 4,
        /// On an ear lobe.
        EarLobe = 5,
        /// On the foot.
        Foot = 6,
    }
}

impl Characteristic for BodySensorLocation {
    const UUID: u16 = 0x2a38;
    const NAME: &'static str = "body sensor location";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        reader.u8("location").map(Self::from_code)
    }

    fn write(&self, writer: &mut Writer) {
        writer.put([self.code()]);
    }
}
