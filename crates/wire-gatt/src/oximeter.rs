//! Pulse oximetry (Pulse Oximeter Service 1.0: PLX Spot-Check Measurement 0x2A5E, PLX Continuous
//! Measurement 0x2A5F).

use medfloat::Sfloat;

use crate::Characteristic;
use crate::bytes::{GattError, Reader, Writer, bit, flag, status};
use crate::time::DateTime;

/// Oxygen saturation in % and pulse rate a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Oximetry {
    /// Oxygen saturation in %.
    pub spo2: Sfloat,
    /// Pulse rate a minute.
    pub pulse: Sfloat,
}

impl Oximetry {
    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        Ok(Self { spo2: reader.sfloat("spo2")?, pulse: reader.sfloat("pulse rate")? })
    }

    fn write(self, writer: &mut Writer) {
        writer.sfloat(self.spo2);
        writer.sfloat(self.pulse);
    }
}

status! {
    /// What is known of the measurement.
    MeasurementStatus: u16 {
        /// Still measuring.
        ONGOING = 5,
        /// An early estimate.
        EARLY_ESTIMATE = 6,
        /// Validated.
        VALIDATED = 7,
        /// Fully qualified.
        FULLY_QUALIFIED = 8,
        /// Out of the device's memory.
        FROM_STORAGE = 9,
        /// For demonstration.
        DEMONSTRATION = 10,
        /// For a test.
        TEST = 11,
        /// The device is calibrating.
        CALIBRATING = 12,
        /// There is no measurement.
        UNAVAILABLE = 13,
        /// Questionable.
        QUESTIONABLE = 14,
        /// Invalid.
        INVALID = 15,
    }
}

status! {
    /// What is known of device and sensor; 24 bits.
    SensorStatus: u32 {
        /// The display lags behind.
        EXTENDED_DISPLAY_UPDATE = 0,
        /// The equipment is out of order.
        EQUIPMENT_MALFUNCTION = 1,
        /// The signal's processing is irregular.
        PROCESSING_IRREGULARITY = 2,
        /// The signal does not suffice.
        INADEQUATE_SIGNAL = 3,
        /// The signal is poor.
        POOR_SIGNAL = 4,
        /// Perfusion is low.
        LOW_PERFUSION = 5,
        /// The signal is erratic.
        ERRATIC_SIGNAL = 6,
        /// The signal does not pulsate.
        NON_PULSATILE = 7,
        /// The pulse is questionable.
        QUESTIONABLE_PULSE = 8,
        /// The signal is being analysed.
        ANALYSIS_ONGOING = 9,
        /// Something disturbs the sensor.
        INTERFERENCE = 10,
        /// The sensor is not on a person.
        NOT_ON_USER = 11,
        /// The sensor is of an unknown kind.
        UNKNOWN_SENSOR = 12,
        /// The sensor has moved.
        DISPLACED = 13,
        /// The sensor is out of order.
        SENSOR_MALFUNCTION = 14,
        /// The sensor is unplugged.
        DISCONNECTED = 15,
    }
}

/// A single measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpotCheck {
    /// The device's clock is not set: its time says only how far apart measurements are.
    pub clock_not_set: bool,
    /// The values.
    pub value: Oximetry,
    /// When.
    pub time: Option<DateTime>,
    /// What is known of the measurement.
    pub status: Option<MeasurementStatus>,
    /// What is known of device and sensor.
    pub sensor: Option<SensorStatus>,
    /// Pulse amplitude index in %.
    pub amplitude: Option<Sfloat>,
}

impl Characteristic for SpotCheck {
    const UUID: u16 = 0x2a5e;
    const NAME: &'static str = "plx spot-check measurement";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let flags = u32::from(reader.u8("flags")?);
        Ok(Self {
            clock_not_set: bit(flags, 4),
            value: Oximetry::read(reader)?,
            time: reader.when(bit(flags, 0), DateTime::read)?,
            status: reader.when(bit(flags, 1), measurement_status)?,
            sensor: reader.when(bit(flags, 2), sensor_status)?,
            amplitude: reader.when(bit(flags, 3), |r| r.sfloat("pulse amplitude index"))?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        let flags = flag(self.time.is_some(), 0)
            | flag(self.status.is_some(), 1)
            | flag(self.sensor.is_some(), 2)
            | flag(self.amplitude.is_some(), 3)
            | flag(self.clock_not_set, 4);
        writer.put([flags as u8]);
        self.value.write(writer);
        writer.time(self.time);
        writer.short(self.status.map(|status| status.bits()));
        if let Some(sensor) = self.sensor {
            writer.u24(sensor.bits());
        }
        writer.decimal(self.amplitude);
    }
}

/// One of a stream of measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Continuous {
    /// At the usual speed of response.
    pub normal: Oximetry,
    /// At a fast one.
    pub fast: Option<Oximetry>,
    /// At a slow one.
    pub slow: Option<Oximetry>,
    /// What is known of the measurement.
    pub status: Option<MeasurementStatus>,
    /// What is known of device and sensor.
    pub sensor: Option<SensorStatus>,
    /// Pulse amplitude index in %.
    pub amplitude: Option<Sfloat>,
}

impl Characteristic for Continuous {
    const UUID: u16 = 0x2a5f;
    const NAME: &'static str = "plx continuous measurement";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let flags = u32::from(reader.u8("flags")?);
        Ok(Self {
            normal: Oximetry::read(reader)?,
            fast: reader.when(bit(flags, 0), Oximetry::read)?,
            slow: reader.when(bit(flags, 1), Oximetry::read)?,
            status: reader.when(bit(flags, 2), measurement_status)?,
            sensor: reader.when(bit(flags, 3), sensor_status)?,
            amplitude: reader.when(bit(flags, 4), |r| r.sfloat("pulse amplitude index"))?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        let flags = flag(self.fast.is_some(), 0)
            | flag(self.slow.is_some(), 1)
            | flag(self.status.is_some(), 2)
            | flag(self.sensor.is_some(), 3)
            | flag(self.amplitude.is_some(), 4);
        writer.put([flags as u8]);
        self.normal.write(writer);
        for other in [self.fast, self.slow].into_iter().flatten() {
            other.write(writer);
        }
        writer.short(self.status.map(|status| status.bits()));
        if let Some(sensor) = self.sensor {
            writer.u24(sensor.bits());
        }
        writer.decimal(self.amplitude);
    }
}

fn measurement_status(reader: &mut Reader<'_>) -> Result<MeasurementStatus, GattError> {
    reader.u16("measurement status").map(MeasurementStatus::from_bits_retain)
}

fn sensor_status(reader: &mut Reader<'_>) -> Result<SensorStatus, GattError> {
    reader.u24("device and sensor status").map(SensorStatus::from_bits_retain)
}
