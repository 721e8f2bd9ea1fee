//! What devices say that they can do: Glucose Feature 0x2A51, Blood Pressure Feature 0x2A49, Weight Scale
//! Feature 0x2A9E, Body Composition Feature 0x2A9B, RSC Feature 0x2A54, PLX Features 0x2A60, from the
//! services of those names. A pump's are in [`crate::insulin_reader`], a CGM sensor's in [`crate::cgm`].

use crate::Characteristic;
use crate::bytes::{GattError, Reader, Writer, bit, flag, status};

macro_rules! features {
    ($name:ident, $int:ident, $uuid:literal, $text:literal) => {
        impl Characteristic for $name {
            const UUID: u16 = $uuid;
            const NAME: &'static str = $text;

            fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
                reader.$int("features").map(Self::from_bits_retain)
            }

            fn write(&self, writer: &mut Writer) {
                writer.put(self.bits().to_le_bytes());
            }
        }
    };
}

status! {
    /// A glucose meter's.
    GlucoseFeatures: u16 {
        /// Tells that its battery is low while it measures.
        LOW_BATTERY = 0,
        /// Tells a fault of the sensor.
        SENSOR_FAULT = 1,
        /// Tells too small a sample.
        SAMPLE_SIZE = 2,
        /// Tells a badly inserted strip.
        STRIP_INSERTION = 3,
        /// Tells a wrong strip.
        STRIP_TYPE = 4,
        /// Tells a result beyond its range.
        RESULT_HIGH_LOW = 5,
        /// Tells a temperature beyond its range.
        TEMPERATURE_HIGH_LOW = 6,
        /// Tells an interrupted reading.
        READ_INTERRUPT = 7,
        /// Tells a fault of its own.
        DEVICE_FAULT = 8,
        /// Tells a fault of its clock.
        TIME_FAULT = 9,
        /// Is bound to more than one phone.
        MULTIPLE_BOND = 10,
    }
}
features!(GlucoseFeatures, u16, 0x2a51, "glucose feature");

status! {
    /// A blood pressure monitor's.
    PressureFeatures: u16 {
        /// Tells that the body moved.
        BODY_MOVEMENT = 0,
        /// Tells a loose cuff.
        CUFF_FIT = 1,
        /// Tells an irregular pulse.
        IRREGULAR_PULSE = 2,
        /// Tells a pulse beyond its range.
        PULSE_RANGE = 3,
        /// Tells a wrong position.
        POSITION = 4,
        /// Is bound to more than one phone.
        MULTIPLE_BOND = 5,
    }
}
features!(PressureFeatures, u16, 0x2a49, "blood pressure feature");

status! {
    /// A scale's; bits 3 to 6 and 7 to 9 say how finely it weighs and measures height.
    WeightFeatures: u32 {
        /// Sends the time.
        TIME = 0,
        /// Knows several people.
        USERS = 1,
        /// Sends the body mass index.
        BMI = 2,
    }
}
features!(WeightFeatures, u32, 0x2a9e, "weight scale feature");

status! {
    /// A body composition scale's; bits 11 to 14 and 15 to 17 say how finely it weighs and measures height.
    CompositionFeatures: u32 {
        /// Sends the time.
        TIME = 0,
        /// Knows several people.
        USERS = 1,
        /// Sends the basal metabolism.
        BASAL_METABOLISM = 2,
        /// Sends the percentage of muscle.
        MUSCLE_PERCENTAGE = 3,
        /// Sends the mass of muscle.
        MUSCLE_MASS = 4,
        /// Sends the mass that is not fat.
        FAT_FREE_MASS = 5,
        /// Sends the soft lean mass.
        SOFT_LEAN_MASS = 6,
        /// Sends the mass of water.
        WATER_MASS = 7,
        /// Sends the impedance.
        IMPEDANCE = 8,
        /// Sends the weight.
        WEIGHT = 9,
        /// Sends the height.
        HEIGHT = 10,
    }
}
features!(CompositionFeatures, u32, 0x2a9b, "body composition feature");

status! {
    /// A foot pod's.
    RunningFeatures: u16 {
        /// Sends the length of a stride.
        STRIDE_LENGTH = 0,
        /// Sends the distance.
        DISTANCE = 1,
        /// Tells walking from running.
        GAIT = 2,
        /// Can be calibrated.
        CALIBRATION = 3,
        /// Sits in several places.
        LOCATIONS = 4,
    }
}
features!(RunningFeatures, u16, 0x2a54, "rsc feature");

/// An oximeter's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OximeterFeatures {
    /// Bits 2 to 7: stores measurements, sends times, sends SpO2 and pulse fast, slow, sends the pulse
    /// amplitude, is bound to more than one phone. Bits 0 and 1 stand for the two fields below.
    pub supported: u16,
    /// The bits of a measurement's status that it knows.
    pub measurement_status: Option<u16>,
    /// The bits of device and sensor status that it knows; 24 bits.
    pub sensor_status: Option<u32>,
}

impl Characteristic for OximeterFeatures {
    const UUID: u16 = 0x2a60;
    const NAME: &'static str = "plx features";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let supported = reader.u16("supported features")?;
        let bits = u32::from(supported);
        Ok(Self {
            supported: supported & !0b11,
            measurement_status: reader.when(bit(bits, 0), |r| r.u16("measurement status support"))?,
            sensor_status: reader.when(bit(bits, 1), |r| r.u24("device and sensor status support"))?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        let announced = flag(self.measurement_status.is_some(), 0) | flag(self.sensor_status.is_some(), 1);
        writer.put((self.supported & !0b11 | announced as u16).to_le_bytes());
        writer.short(self.measurement_status);
        if let Some(status) = self.sensor_status {
            writer.u24(status);
        }
    }
}
