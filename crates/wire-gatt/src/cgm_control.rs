//! CGM Specific Ops Control Point (0x2AAC, CGM Service 1.0 §3.8): intervals, calibration, levels of
//! alerts, sessions.

use medfloat::Sfloat;

use crate::Characteristic;
use crate::bytes::{Fault, GattError, Reader, Writer, codes};
use crate::crc::{put_crc, take_crc};
use crate::glucose::Sample;

/// A request to a CGM sensor, or its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CgmControl {
    /// What is asked or answered.
    pub operation: Operation,
    /// A check sum stood behind it.
    pub protected: bool,
}

/// What is asked or answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Send a measurement every so many minutes; 0: never, 255: as fast as it can.
    SetInterval(u8),
    /// Which interval is set?
    GetInterval,
    /// This one.
    Interval(u8),
    /// Calibrate by this.
    SetCalibration(Calibration),
    /// The calibration with this number; 65,535: the last.
    GetCalibration(u16),
    /// This one.
    Calibration(Calibration),
    /// Set a level.
    SetLevel(Level, Sfloat),
    /// Which level is set?
    GetLevel(Level),
    /// This one.
    Level(Level, Sfloat),
    /// Clear the device's own alert.
    ResetDeviceAlert,
    /// Begin a session.
    StartSession,
    /// End the session.
    StopSession,
    /// How a request ended.
    Answer {
        /// The number of the request.
        request: u8,
        /// How it ended.
        outcome: Outcome,
    },
}

/// Levels that alert, in mg/dL, or in mg/dL a minute for the rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// The patient's upper level.
    PatientHigh,
    /// The patient's lower level.
    PatientLow,
    /// Hypoglycaemia.
    Hypo,
    /// Hyperglycaemia.
    Hyper,
    /// Falling.
    Decrease,
    /// Rising.
    Increase,
}

impl Level {
    /// In the order of their op codes: set, get and answer of each, from 7.
    const ALL: [Self; 6] = [
        Self::PatientHigh,
        Self::PatientLow,
        Self::Hypo,
        Self::Hyper,
        Self::Decrease,
        Self::Increase,
    ];

    const fn first_code(self) -> u8 {
        7 + 3 * self as u8
    }
}

codes! {
    /// How a request ended.
    Outcome: u8 {
        /// Done.
        Success = 1,
        /// The sensor does not know the request.
        OpCodeNotSupported = 2,
        /// The operand does not fit.
        InvalidOperand = 3,
        /// Could not be finished.
        NotCompleted = 4,
        /// The operand is out of range.
        OutOfRange = 5,
    }
}

/// A calibration by a blood glucose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calibration {
    /// Glucose in mg/dL.
    pub glucose: Sfloat,
    /// When, in minutes since the session began.
    pub offset_min: u16,
    /// What was measured, and where.
    pub sample: Sample,
    /// When the next one is due, in minutes since the session began; 0: now.
    pub next_min: u16,
    /// Its number.
    pub record: u16,
    /// 0: taken; 1: rejected; 2: out of range; 4: pending.
    pub status: u8,
}

impl Calibration {
    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        Ok(Self {
            glucose: reader.sfloat("glucose concentration of calibration")?,
            offset_min: reader.u16("calibration time")?,
            sample: Sample::from_byte(reader.u8("calibration type-sample location")?),
            next_min: reader.u16("next calibration time")?,
            record: reader.u16("calibration data record number")?,
            status: reader.u8("calibration status")?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.sfloat(self.glucose);
        writer.put(self.offset_min.to_le_bytes());
        writer.put([self.sample.byte()]);
        writer.put(self.next_min.to_le_bytes());
        writer.put(self.record.to_le_bytes());
        writer.put([self.status]);
    }
}

impl Operation {
    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let at = reader.clone();
        let code = reader.u8("op code")?;
        Ok(match code {
            1 => Self::SetInterval(reader.u8("communication interval")?),
            2 => Self::GetInterval,
            3 => Self::Interval(reader.u8("communication interval")?),
            4 => Self::SetCalibration(Calibration::read(reader)?),
            5 => Self::GetCalibration(reader.u16("calibration data record number")?),
            6 => Self::Calibration(Calibration::read(reader)?),
            7..=24 => {
                let level = Level::ALL[usize::from(code - 7) / 3];
                match (code - 7) % 3 {
                    0 => Self::SetLevel(level, reader.sfloat("alert level")?),
                    1 => Self::GetLevel(level),
                    _ => Self::Level(level, reader.sfloat("alert level")?),
                }
            }
            25 => Self::ResetDeviceAlert,
            26 => Self::StartSession,
            27 => Self::StopSession,
            28 => Self::Answer {
                request: reader.u8("request op code")?,
                outcome: Outcome::from_code(reader.u8("response code value")?),
            },
            code => return Err(at.error("op code", Fault::Code { code: u32::from(code) })),
        })
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::SetInterval(minutes) => writer.put([1, *minutes]),
            Self::GetInterval => writer.put([2]),
            Self::Interval(minutes) => writer.put([3, *minutes]),
            Self::SetCalibration(calibration) => {
                writer.put([4]);
                calibration.write(writer);
            }
            Self::GetCalibration(record) => {
                writer.put([5]);
                writer.put(record.to_le_bytes());
            }
            Self::Calibration(calibration) => {
                writer.put([6]);
                calibration.write(writer);
            }
            Self::SetLevel(level, value) => {
                writer.put([level.first_code()]);
                writer.sfloat(*value);
            }
            Self::GetLevel(level) => writer.put([level.first_code() + 1]),
            Self::Level(level, value) => {
                writer.put([level.first_code() + 2]);
                writer.sfloat(*value);
            }
            Self::ResetDeviceAlert => writer.put([25]),
            Self::StartSession => writer.put([26]),
            Self::StopSession => writer.put([27]),
            Self::Answer { request, outcome } => writer.put([28, *request, outcome.code()]),
        }
    }
}

impl Characteristic for CgmControl {
    const UUID: u16 = 0x2aac;
    const NAME: &'static str = "cgm specific ops control point";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let operation = Operation::read(reader)?;
        Ok(Self { operation, protected: take_crc(reader, 0)? })
    }

    fn write(&self, writer: &mut Writer) {
        self.operation.write(writer);
        if self.protected {
            put_crc(writer, 0);
        }
    }
}
