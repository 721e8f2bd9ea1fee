//! Blood glucose (Glucose Service 1.0: Glucose Measurement 0x2A18, Glucose Measurement Context
//! 0x2A34). Records are asked for through [`crate::racp`].

use medfloat::Sfloat;

use crate::Characteristic;
use crate::bytes::{GattError, Reader, Writer, bit, codes, flag, status};
use crate::time::DateTime;

/// One record of a glucose meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glucose {
    /// A context with the same sequence number follows.
    pub context_follows: bool,
    /// Counts records; the meter's own number of this one.
    pub sequence: u16,
    /// The meter's clock before the user moved it.
    pub base_time: DateTime,
    /// Minutes that the user moved the clock by.
    pub offset_min: Option<i16>,
    /// The units bit: mol/L, not kg/L. Sent even without a concentration.
    pub molar: bool,
    /// Concentration, in mol/L or kg/L, and what was measured where.
    pub concentration: Option<(Sfloat, Sample)>,
    /// What is known against it.
    pub status: Option<SensorStatus>,
}

/// What was measured, and where it was taken: a nibble each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// What.
    pub fluid: Fluid,
    /// Where.
    pub location: Location,
}

impl Sample {
    /// From its byte.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Self {
        Self { fluid: Fluid::from_code(byte & 15), location: Location::from_code(byte >> 4) }
    }

    /// Its byte.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self.fluid.code() & 15 | self.location.code() << 4
    }
}

codes! {
    /// What the glucose was measured in.
    Fluid: u8 {
        /// Capillary whole blood.
        CapillaryBlood = 1,
        /// Capillary plasma.
        CapillaryPlasma = 2,
        /// Venous whole blood.
        VenousBlood = 3,
        /// Venous plasma.
        VenousPlasma = 4,
        /// Arterial whole blood.
        ArterialBlood = 5,
        /// Arterial plasma.
        ArterialPlasma = 6,
        /// Whole blood of somewhere.
        Blood = 7,
        /// Plasma of somewhere.
        Plasma = 8,
        /// Interstitial fluid.
        Interstitial = 9,
        /// Control solution: no patient.
        Control = 10,
    }
}

codes! {
    /// Where the sample was taken.
    Location: u8 {
        /// Finger.
        Finger = 1,
        /// Another place.
        AlternateSite = 2,
        /// Ear lobe.
        EarLobe = 3,
        /// Control solution: no patient.
        Control = 4,
        /// Under the skin.
        Subcutaneous = 5,
        /// Not told.
        NotAvailable = 15,
    }
}

status! {
    /// What a glucose meter says of a record (Sensor Status Annunciation).
    SensorStatus: u16 {
        /// The battery was low.
        BATTERY_LOW = 0,
        /// The sensor did not work or was faulty.
        SENSOR_FAULT = 1,
        /// Too little blood.
        SAMPLE_TOO_SMALL = 2,
        /// The strip was inserted wrongly.
        STRIP_INSERTION = 3,
        /// The wrong strip.
        STRIP_TYPE = 4,
        /// Above what the sensor measures.
        TOO_HIGH = 5,
        /// Below what the sensor measures.
        TOO_LOW = 6,
        /// The sensor was too warm.
        TOO_WARM = 7,
        /// The sensor was too cold.
        TOO_COLD = 8,
        /// The strip was pulled out too soon.
        INTERRUPTED = 9,
        /// A general fault of the device.
        DEVICE_FAULT = 10,
        /// The clock was wrong or not set.
        TIME_FAULT = 11,
    }
}

impl Characteristic for Glucose {
    const UUID: u16 = 0x2a18;
    const NAME: &'static str = "glucose measurement";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let flags = u32::from(reader.u8("flags")?);
        Ok(Self {
            context_follows: bit(flags, 4),
            sequence: reader.u16("sequence number")?,
            base_time: DateTime::read(reader)?,
            offset_min: reader.when(bit(flags, 0), |r| r.i16("time offset"))?,
            molar: bit(flags, 2),
            concentration: reader.when(bit(flags, 1), |r| {
                let value = r.sfloat("glucose concentration")?;
                Ok((value, Sample::from_byte(r.u8("type-sample location")?)))
            })?,
            status: reader
                .when(bit(flags, 3), |r| r.u16("sensor status annunciation"))?
                .map(SensorStatus::from_bits_retain),
        })
    }

    fn write(&self, writer: &mut Writer) {
        let flags = flag(self.offset_min.is_some(), 0)
            | flag(self.concentration.is_some(), 1)
            | flag(self.molar, 2)
            | flag(self.status.is_some(), 3)
            | flag(self.context_follows, 4);
        writer.put([flags as u8]);
        writer.put(self.sequence.to_le_bytes());
        writer.put(self.base_time.bytes());
        writer.short(self.offset_min.map(i16::cast_unsigned));
        if let Some((value, sample)) = self.concentration {
            writer.sfloat(value);
            writer.put([sample.byte()]);
        }
        writer.short(self.status.map(|status| status.bits()));
    }
}

/// What the user noted beside a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// The record that it belongs to.
    pub sequence: u16,
    /// Flags of the extension; all reserved.
    pub extended: Option<u8>,
    /// Which meal the carbohydrates were of (1 breakfast, 2 lunch, 3 dinner, 4 snack, 5 drink, 6
    /// supper, 7 brunch), and how much, in kg.
    pub carbohydrate: Option<(u8, Sfloat)>,
    /// How the measurement lies to a meal.
    pub meal: Option<Meal>,
    /// Lower nibble: who measured (1 the person, 2 a professional, 3 a laboratory, 15 not told);
    /// upper: health (1 minor, 2 major issues, 3 menses, 4 stress, 5 none, 15 not told).
    pub tester_health: Option<u8>,
    /// Exercise: seconds (65,535: overrun) and effort in %.
    pub exercise: Option<(u16, u8)>,
    /// The units bit of the medication: litres, not kilograms. Sent even without a medication.
    pub medication_litre: bool,
    /// Medication: which (1 rapid, 2 short, 3 intermediate, 4 long acting, 5 mixed insulin), and
    /// how much, in kg or L.
    pub medication: Option<(u8, Sfloat)>,
    /// Glycated haemoglobin in %.
    pub hba1c: Option<Sfloat>,
}

codes! {
    /// How a measurement lies to a meal.
    Meal: u8 {
        /// Before a meal.
        Before = 1,
        /// After a meal.
        After = 2,
        /// Fasting.
        Fasting = 3,
        /// In between: snacks, drinks.
        Casual = 4,
        /// At bed time.
        Bedtime = 5,
    }
}

impl Characteristic for Context {
    const UUID: u16 = 0x2a34;
    const NAME: &'static str = "glucose measurement context";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let flags = u32::from(reader.u8("flags")?);
        Ok(Self {
            sequence: reader.u16("sequence number")?,
            extended: reader.when(bit(flags, 7), |r| r.u8("extended flags"))?,
            carbohydrate: reader.when(bit(flags, 0), |r| {
                Ok((r.u8("carbohydrate id")?, r.sfloat("carbohydrate")?))
            })?,
            meal: reader.when(bit(flags, 1), |r| r.u8("meal"))?.map(Meal::from_code),
            tester_health: reader.when(bit(flags, 2), |r| r.u8("tester-health"))?,
            exercise: reader.when(bit(flags, 3), |r| {
                Ok((r.u16("exercise duration")?, r.u8("exercise intensity")?))
            })?,
            medication_litre: bit(flags, 5),
            medication: reader
                .when(bit(flags, 4), |r| Ok((r.u8("medication id")?, r.sfloat("medication")?)))?,
            hba1c: reader.when(bit(flags, 6), |r| r.sfloat("hba1c"))?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        let flags = flag(self.carbohydrate.is_some(), 0)
            | flag(self.meal.is_some(), 1)
            | flag(self.tester_health.is_some(), 2)
            | flag(self.exercise.is_some(), 3)
            | flag(self.medication.is_some(), 4)
            | flag(self.medication_litre, 5)
            | flag(self.hba1c.is_some(), 6)
            | flag(self.extended.is_some(), 7);
        writer.put([flags as u8]);
        writer.put(self.sequence.to_le_bytes());
        writer.byte(self.extended);
        writer.byte(self.carbohydrate.map(|both| both.0));
        writer.decimal(self.carbohydrate.map(|both| both.1));
        writer.byte(self.meal.map(Meal::code));
        writer.byte(self.tester_health);
        writer.short(self.exercise.map(|both| both.0));
        writer.byte(self.exercise.map(|both| both.1));
        writer.byte(self.medication.map(|both| both.0));
        writer.decimal(self.medication.map(|both| both.1));
        writer.decimal(self.hba1c);
    }
}
