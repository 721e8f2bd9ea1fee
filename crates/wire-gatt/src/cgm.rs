//! Continuous glucose monitoring (CGM Service 1.0): Measurement 0x2AA7, Feature 0x2AA8, Status
//! 0x2AA9, Session Start Time 0x2AAA, Session Run Time 0x2AAB. The control point is
//! [`crate::cgm_control`].
//!
//! Whether a check sum stands behind a value is a feature of the sensor; here it is told by the
//! length, and a check sum that is there is always compared.

use medfloat::Sfloat;

use crate::Characteristic;
use crate::bytes::{Fault, GattError, Reader, Writer, bit, flag, status};
use crate::crc::{put_crc, take_crc};
use crate::glucose::Sample;
use crate::time::{DateTime, LocalTime};

/// One record: a glucose concentration at a time since the session began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CgmRecord {
    /// Glucose in mg/dL.
    pub glucose: Sfloat,
    /// Minutes since the session began.
    pub offset_min: u16,
    /// What the sensor says of itself; each of its three bytes is sent only where needed.
    pub annunciation: Option<Annunciation>,
    /// Which of the three bytes were sent: status, calibration and temperature, warning.
    pub sent: [bool; 3],
    /// Rate of change in mg/dL a minute.
    pub trend: Option<Sfloat>,
    /// Quality in %.
    pub quality: Option<Sfloat>,
    /// A check sum stood behind it.
    pub protected: bool,
}

status! {
    /// What a CGM sensor says of itself (Sensor Status Annunciation): status in the lowest byte,
    /// calibration and temperature in the next, warnings in the highest of three.
    Annunciation: u32 {
        /// The session has ended.
        SESSION_STOPPED = 0,
        /// The battery is low.
        BATTERY_LOW = 1,
        /// The wrong kind of sensor.
        SENSOR_TYPE = 2,
        /// The sensor is out of order.
        SENSOR_MALFUNCTION = 3,
        /// An alert of this device's own.
        DEVICE_ALERT = 4,
        /// A general fault.
        DEVICE_FAULT = 5,
        /// The clock must be set.
        TIME_SYNC_REQUIRED = 8,
        /// Calibrating is not allowed now.
        CALIBRATION_NOT_ALLOWED = 9,
        /// Calibrating is recommended.
        CALIBRATION_RECOMMENDED = 10,
        /// Calibrating is required.
        CALIBRATION_REQUIRED = 11,
        /// The sensor is too warm.
        TOO_WARM = 12,
        /// The sensor is too cold.
        TOO_COLD = 13,
        /// A calibration is pending.
        CALIBRATION_PENDING = 14,
        /// Below the patient's lower level.
        BELOW_PATIENT_LOW = 16,
        /// Above the patient's upper level.
        ABOVE_PATIENT_HIGH = 17,
        /// Below the level of hypoglycaemia.
        HYPO = 18,
        /// Above the level of hyperglycaemia.
        HYPER = 19,
        /// Falls too fast.
        FALLING = 20,
        /// Rises too fast.
        RISING = 21,
        /// Below what the sensor measures.
        TOO_LOW = 22,
        /// Above what the sensor measures.
        TOO_HIGH = 23,
    }
}

/// Which flag announces which byte of the annunciation, in the order of the bytes.
const ANNUNCIATION_FLAGS: [u32; 3] = [7, 6, 5];

impl CgmRecord {
    /// Size and flags, glucose, and time offset: the least that a record has.
    const LEAST: usize = 6;

    fn read(outer: &mut Reader<'_>) -> Result<Self, GattError> {
        let start = outer.offset();
        let at = outer.clone();
        let size = usize::from(outer.u8("size")?);
        if size < Self::LEAST {
            return Err(at.error("size", Fault::Length { length: size }));
        }
        let mut part = outer.part("record", size - 1)?;
        let reader = &mut part;
        let flags = u32::from(reader.u8("flags")?);
        let glucose = reader.sfloat("cgm glucose concentration")?;
        let offset_min = reader.u16("time offset")?;
        let sent = ANNUNCIATION_FLAGS.map(|number| bit(flags, number));
        let mut bits = 0;
        for (byte, present) in sent.into_iter().enumerate() {
            if present {
                bits |= u32::from(reader.u8("sensor status annunciation")?) << (8 * byte);
            }
        }
        let trend = reader.when(bit(flags, 0), |r| r.sfloat("cgm trend information"))?;
        let quality = reader.when(bit(flags, 1), |r| r.sfloat("cgm quality"))?;
        let protected = take_crc(reader, start)?;
        reader.end()?;
        let annunciation = sent.contains(&true).then(|| Annunciation::from_bits_retain(bits));
        Ok(Self { glucose, offset_min, annunciation, sent, trend, quality, protected })
    }

    fn write(&self, writer: &mut Writer) {
        let start = writer.bytes.len();
        let bits = self.annunciation.unwrap_or_default().bits().to_le_bytes();
        let mut flags = flag(self.trend.is_some(), 0) | flag(self.quality.is_some(), 1);
        for (present, number) in self.sent.into_iter().zip(ANNUNCIATION_FLAGS) {
            flags |= flag(present, number);
        }
        writer.put([0, flags as u8]);
        writer.sfloat(self.glucose);
        writer.put(self.offset_min.to_le_bytes());
        for (present, byte) in self.sent.into_iter().zip(bits) {
            writer.byte(present.then_some(byte));
        }
        writer.decimal(self.trend);
        writer.decimal(self.quality);
        let size = writer.bytes.len() - start + if self.protected { 2 } else { 0 };
        writer.bytes[start] = size as u8;
        if self.protected {
            put_crc(writer, start);
        }
    }
}

/// One notification: one record or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CgmMeasurement(pub Vec<CgmRecord>);

impl Characteristic for CgmMeasurement {
    const UUID: u16 = 0x2aa7;
    const NAME: &'static str = "cgm measurement";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let mut records = vec![CgmRecord::read(reader)?];
        while reader.left() > 0 {
            records.push(CgmRecord::read(reader)?);
        }
        Ok(Self(records))
    }

    fn write(&self, writer: &mut Writer) {
        for record in &self.0 {
            record.write(writer);
        }
    }
}

status! {
    /// What a CGM sensor can do; 24 bits.
    Features: u32 {
        /// Calibration.
        CALIBRATION = 0,
        /// Alerts at the patient's own levels.
        PATIENT_LEVELS = 1,
        /// Alerts of hypoglycaemia.
        HYPO = 2,
        /// Alerts of hyperglycaemia.
        HYPER = 3,
        /// Alerts of fast change.
        RATE = 4,
        /// Device-specific alerts.
        DEVICE_SPECIFIC = 5,
        /// Tells a malfunction of the sensor.
        SENSOR_MALFUNCTION = 6,
        /// Tells a sensor that is too warm or too cold.
        SENSOR_TEMPERATURE = 7,
        /// Tells results out of its range.
        SENSOR_RANGE = 8,
        /// Tells a low battery.
        LOW_BATTERY = 9,
        /// Tells the wrong kind of sensor.
        SENSOR_TYPE = 10,
        /// Tells general faults.
        DEVICE_FAULT = 11,
        /// Check sums.
        E2E_CRC = 12,
        /// Several bonds.
        MULTIPLE_BONDS = 13,
        /// Several sessions.
        MULTIPLE_SESSIONS = 14,
        /// Trend.
        TREND = 15,
        /// Quality.
        QUALITY = 16,
    }
}

/// What a CGM sensor can do and where it measures. The check sum is always sent; a sensor without
/// check sums sends 0xFFFF in its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CgmFeature {
    /// What it can do.
    pub features: Features,
    /// What it measures in, and where.
    pub sample: Sample,
}

impl Characteristic for CgmFeature {
    const UUID: u16 = 0x2aa8;
    const NAME: &'static str = "cgm feature";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let features = Features::from_bits_retain(reader.u24("cgm feature")?);
        let sample = Sample::from_byte(reader.u8("type-sample location")?);
        if features.contains(Features::E2E_CRC) {
            let left = reader.left();
            if !take_crc(reader, 0)? && left < 2 {
                return Err(reader.error("e2e-crc", Fault::TooShort { needed: 2, left }));
            }
        } else {
            let at = reader.clone();
            if reader.u16("e2e-crc")? != 0xffff {
                return Err(at.error("e2e-crc", Fault::Checksum));
            }
        }
        Ok(Self { features, sample })
    }

    fn write(&self, writer: &mut Writer) {
        writer.u24(self.features.bits());
        writer.put([self.sample.byte()]);
        if self.features.contains(Features::E2E_CRC) {
            put_crc(writer, 0);
        } else {
            writer.put([0xff, 0xff]);
        }
    }
}

/// How the sensor is, at a time in its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CgmStatus {
    /// Minutes since the session began.
    pub offset_min: u16,
    /// How it is.
    pub annunciation: Annunciation,
    /// A check sum stood behind it.
    pub protected: bool,
}

impl Characteristic for CgmStatus {
    const UUID: u16 = 0x2aa9;
    const NAME: &'static str = "cgm status";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let offset_min = reader.u16("time offset")?;
        let annunciation = Annunciation::from_bits_retain(reader.u24("cgm status")?);
        Ok(Self { offset_min, annunciation, protected: take_crc(reader, 0)? })
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(self.offset_min.to_le_bytes());
        writer.u24(self.annunciation.bits());
        if self.protected {
            put_crc(writer, 0);
        }
    }
}

/// When the session began; every record's time counts from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionStart {
    /// Local time.
    pub time: DateTime,
    /// Where that lies.
    pub zone: LocalTime,
    /// A check sum stood behind it.
    pub protected: bool,
}

impl Characteristic for SessionStart {
    const UUID: u16 = 0x2aaa;
    const NAME: &'static str = "cgm session start time";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let time = DateTime::read(reader)?;
        let zone = LocalTime::read(reader)?;
        Ok(Self { time, zone, protected: take_crc(reader, 0)? })
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(self.time.bytes());
        self.zone.write(writer);
        if self.protected {
            put_crc(writer, 0);
        }
    }
}

/// How long a session lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRunTime {
    /// Hours from its beginning.
    pub hours: u16,
    /// A check sum stood behind it.
    pub protected: bool,
}

impl Characteristic for SessionRunTime {
    const UUID: u16 = 0x2aab;
    const NAME: &'static str = "cgm session run time";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        Ok(Self { hours: reader.u16("session run time")?, protected: take_crc(reader, 0)? })
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(self.hours.to_le_bytes());
        if self.protected {
            put_crc(writer, 0);
        }
    }
}
