//! Weight (Weight Scale Service 1.0: Weight Measurement 0x2A9D) and body composition (Body
//! Composition Service 1.0: Body Composition Measurement 0x2A9C).

use crate::Characteristic;
use crate::bytes::{GattError, Reader, Writer, bit, flag};
use crate::time::DateTime;

/// What a scale sends in place of a weight or a body fat that it could not measure.
pub const UNSUCCESSFUL: u16 = 0xffff;

/// One weighing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Weight {
    /// In pounds and inches, not kilograms and metres.
    pub imperial: bool,
    /// In 0.005 kg or 0.01 lb; [`UNSUCCESSFUL`].
    pub weight: u16,
    /// When.
    pub time: Option<DateTime>,
    /// Which of the scale's users; 255: not known.
    pub user: Option<u8>,
    /// Body mass index in 0.1 kg/m², and height in 0.001 m or 0.1 in.
    pub bmi_height: Option<(u16, u16)>,
}

impl Characteristic for Weight {
    const UUID: u16 = 0x2a9d;
    const NAME: &'static str = "weight measurement";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let flags = u32::from(reader.u8("flags")?);
        Ok(Self {
            imperial: bit(flags, 0),
            weight: reader.u16("weight")?,
            time: reader.when(bit(flags, 1), DateTime::read)?,
            user: reader.when(bit(flags, 2), |r| r.u8("user id"))?,
            bmi_height: reader.when(bit(flags, 3), |r| Ok((r.u16("bmi")?, r.u16("height")?)))?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        let flags = flag(self.imperial, 0)
            | flag(self.time.is_some(), 1)
            | flag(self.user.is_some(), 2)
            | flag(self.bmi_height.is_some(), 3);
        writer.put([flags as u8]);
        writer.put(self.weight.to_le_bytes());
        writer.time(self.time);
        writer.byte(self.user);
        writer.short(self.bmi_height.map(|both| both.0));
        writer.short(self.bmi_height.map(|both| both.1));
    }
}

/// What a scale tells of a body's parts. Masses are in 0.005 kg or 0.01 lb.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BodyComposition {
    /// In pounds and inches, not kilograms and metres.
    pub imperial: bool,
    /// More of the same measurement is in the next packet.
    pub multiple_packets: bool,
    /// Body fat in 0.1 %; [`UNSUCCESSFUL`].
    pub fat: u16,
    /// When.
    pub time: Option<DateTime>,
    /// Which of the scale's users; 255: not known.
    pub user: Option<u8>,
    /// Basal metabolism in kJ a day.
    pub basal_metabolism: Option<u16>,
    /// Muscle in 0.1 %.
    pub muscle_percentage: Option<u16>,
    /// Muscle mass.
    pub muscle_mass: Option<u16>,
    /// Fat-free mass.
    pub fat_free_mass: Option<u16>,
    /// Soft lean mass.
    pub soft_lean_mass: Option<u16>,
    /// Mass of body water.
    pub water_mass: Option<u16>,
    /// Impedance in 0.1 Ω.
    pub impedance: Option<u16>,
    /// Weight.
    pub weight: Option<u16>,
    /// Height in 0.001 m or 0.1 in.
    pub height: Option<u16>,
}

impl BodyComposition {
    /// The sixteen-bit fields after the user, in order, under the names of the supplement.
    const SHORTS: [&'static str; 9] = [
        "basal metabolism",
        "muscle percentage",
        "muscle mass",
        "fat free mass",
        "soft lean mass",
        "body water mass",
        "impedance",
        "weight",
        "height",
    ];

    const fn shorts(&self) -> [Option<u16>; 9] {
        [
            self.basal_metabolism,
            self.muscle_percentage,
            self.muscle_mass,
            self.fat_free_mass,
            self.soft_lean_mass,
            self.water_mass,
            self.impedance,
            self.weight,
            self.height,
        ]
    }
}

impl Characteristic for BodyComposition {
    const UUID: u16 = 0x2a9c;
    const NAME: &'static str = "body composition measurement";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let flags = u32::from(reader.u16("flags")?);
        let fat = reader.u16("body fat percentage")?;
        let time = reader.when(bit(flags, 1), DateTime::read)?;
        let user = reader.when(bit(flags, 2), |r| r.u8("user id"))?;
        let mut shorts = [None; 9];
        for ((value, name), number) in shorts.iter_mut().zip(Self::SHORTS).zip(3..) {
            *value = reader.when(bit(flags, number), |r| r.u16(name))?;
        }
        let [basal_metabolism, muscle_percentage, muscle_mass, fat_free_mass, soft_lean_mass, ..] =
            shorts;
        let [.., water_mass, impedance, weight, height] = shorts;
        Ok(Self {
            imperial: bit(flags, 0),
            multiple_packets: bit(flags, 12),
            fat,
            time,
            user,
            basal_metabolism,
            muscle_percentage,
            muscle_mass,
            fat_free_mass,
            soft_lean_mass,
            water_mass,
            impedance,
            weight,
            height,
        })
    }

    fn write(&self, writer: &mut Writer) {
        let shorts = self.shorts();
        let mut flags = flag(self.imperial, 0)
            | flag(self.time.is_some(), 1)
            | flag(self.user.is_some(), 2)
            | flag(self.multiple_packets, 12);
        for (value, number) in shorts.iter().zip(3..) {
            flags |= flag(value.is_some(), number);
        }
        writer.put((flags as u16).to_le_bytes());
        writer.put(self.fat.to_le_bytes());
        writer.time(self.time);
        writer.byte(self.user);
        for value in shorts {
            writer.short(value);
        }
    }
}
