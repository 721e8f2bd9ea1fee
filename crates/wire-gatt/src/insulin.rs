//! Insulin pumps (Insulin Delivery Service 1.0.1): Status Changed 0x2B20, Status 0x2B21,
//! Annunciation Status 0x2B22. History is in [`crate::insulin_history`]. The control points, by
//! which a pump is asked and commanded, are not here.
//!
//! A counter and a check sum may stand behind each value (E2E-protection); that they do is told by
//! the length, and the check sum is then compared. Codes have a Hamming distance, so that one wrong
//! bit makes no other code.

use medfloat::Sfloat;

use crate::Characteristic;
use crate::bytes::{GattError, Reader, Writer, bit, codes, flag, status};
use crate::crc::{put_protection, take_protection};

status! {
    /// What has changed in a pump since that was last asked.
    Changes: u16 {
        /// Whether insulin flows.
        THERAPY_CONTROL = 0,
        /// Whether the pump is ready.
        OPERATION = 1,
        /// The reservoir.
        RESERVOIR = 2,
        /// Something is announced.
        ANNUNCIATION = 3,
        /// The day's total.
        TOTAL_DAILY = 4,
        /// The basal rate.
        BASAL = 5,
        /// A bolus.
        BOLUS = 6,
        /// The history has a new event.
        HISTORY = 7,
    }
}

/// What has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusChanged {
    /// What.
    pub changes: Changes,
    /// The E2E-counter, if the value is protected.
    pub counter: Option<u8>,
}

impl Characteristic for StatusChanged {
    const UUID: u16 = 0x2b20;
    const NAME: &'static str = "idd status changed";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let changes = Changes::from_bits_retain(reader.u16("flags")?);
        Ok(Self { changes, counter: take_protection(reader)? })
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(self.changes.bits().to_le_bytes());
        put_protection(writer, self.counter);
    }
}

codes! {
    /// Whether insulin flows.
    Therapy: u8 {
        /// Not known.
        Undetermined = 0x0f,
        /// Stopped.
        Stop = 0x33,
        /// Paused.
        Pause = 0x3c,
        /// It flows.
        Run = 0x55,
    }
}

codes! {
    /// What the pump does.
    Operation: u8 {
        /// Not known.
        Undetermined = 0x0f,
        /// Off.
        Off = 0x33,
        /// Stands by.
        Standby = 0x3c,
        /// Being prepared.
        Preparing = 0x55,
        /// Being primed.
        Priming = 0x5a,
        /// Waits.
        Waiting = 0x66,
        /// Ready.
        Ready = 0x96,
    }
}

/// How the pump is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PumpStatus {
    /// Whether insulin flows.
    pub therapy: Therapy,
    /// What the pump does.
    pub operation: Operation,
    /// Insulin left in the reservoir, in IU.
    pub reservoir: Sfloat,
    /// A reservoir is attached.
    pub attached: bool,
    /// The E2E-counter, if the value is protected.
    pub counter: Option<u8>,
}

impl Characteristic for PumpStatus {
    const UUID: u16 = 0x2b21;
    const NAME: &'static str = "idd status";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        Ok(Self {
            therapy: Therapy::from_code(reader.u8("therapy control state")?),
            operation: Operation::from_code(reader.u8("operational state")?),
            reservoir: reader.sfloat("reservoir remaining amount")?,
            attached: bit(u32::from(reader.u8("flags")?), 0),
            counter: take_protection(reader)?,
        })
    }

    fn write(&self, writer: &mut Writer) {
        writer.put([self.therapy.code(), self.operation.code()]);
        writer.sfloat(self.reservoir);
        writer.put([u8::from(self.attached)]);
        put_protection(writer, self.counter);
    }
}

codes! {
    /// What a pump announces.
    AnnunciationType: u16 {
        /// A fault of the system.
        SystemIssue = 0x000f,
        /// A mechanical fault.
        MechanicalIssue = 0x0033,
        /// The way of the insulin is blocked.
        Occlusion = 0x003c,
        /// A fault of the reservoir.
        ReservoirIssue = 0x0055,
        /// The reservoir is empty.
        ReservoirEmpty = 0x005a,
        /// Little is left.
        ReservoirLow = 0x0066,
        /// Not primed.
        PrimingIssue = 0x0069,
        /// The infusion set is not connected.
        SetIncomplete = 0x0096,
        /// The infusion set is off the body.
        SetDetached = 0x0099,
        /// Too little power.
        PowerInsufficient = 0x00a5,
        /// The battery is empty.
        BatteryEmpty = 0x00aa,
        /// The battery is low.
        BatteryLow = 0x00c3,
        /// The battery is half full.
        BatteryMedium = 0x00cc,
        /// The battery is full.
        BatteryFull = 0x00f0,
        /// Too warm or too cold.
        TemperatureOutOfRange = 0x00ff,
        /// Air pressure too high or too low.
        PressureOutOfRange = 0x0303,
        /// A bolus was cancelled.
        BolusCancelled = 0x030c,
        /// A temporary basal rate has ended.
        TemporaryBasalOver = 0x0330,
        /// A temporary basal rate was cancelled.
        TemporaryBasalCancelled = 0x033f,
        /// As much was delivered as is allowed.
        MaxDelivery = 0x0356,
        /// The clock is not set.
        DateTimeIssue = 0x0359,
        /// A temperature is reported.
        Temperature = 0x0365,
    }
}

codes! {
    /// What became of an announcement.
    AnnunciationState: u8 {
        /// Not known.
        Undetermined = 0x0f,
        /// Nobody has reacted.
        Pending = 0x33,
        /// Put off.
        Snoozed = 0x3c,
        /// Confirmed.
        Confirmed = 0x55,
    }
}

/// An announcement: an alarm, a reminder, a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Annunciation {
    /// Its number.
    pub id: u16,
    /// What.
    pub kind: AnnunciationType,
    /// What became of it.
    pub state: AnnunciationState,
}

/// The announcement that stands first, if there is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnnunciationStatus {
    /// It.
    pub annunciation: Option<Annunciation>,
    /// What its manufacturer adds to it.
    pub auxiliary: [Option<u16>; 5],
    /// The E2E-counter, if the value is protected.
    pub counter: Option<u8>,
}

impl Characteristic for AnnunciationStatus {
    const UUID: u16 = 0x2b22;
    const NAME: &'static str = "idd annunciation status";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let flags = u32::from(reader.u8("flags")?);
        let annunciation = reader.when(bit(flags, 0), |r| {
            Ok(Annunciation {
                id: r.u16("annunciation instance id")?,
                kind: AnnunciationType::from_code(r.u16("annunciation type")?),
                state: AnnunciationState::from_code(r.u8("annunciation status")?),
            })
        })?;
        let mut auxiliary = [None; 5];
        for (value, number) in auxiliary.iter_mut().zip(1..) {
            *value = reader.when(bit(flags, number), |r| r.u16("auxiliary information"))?;
        }
        Ok(Self { annunciation, auxiliary, counter: take_protection(reader)? })
    }

    fn write(&self, writer: &mut Writer) {
        let mut flags = flag(self.annunciation.is_some(), 0);
        for (value, number) in self.auxiliary.iter().zip(1..) {
            flags |= flag(value.is_some(), number);
        }
        writer.put([flags as u8]);
        if let Some(annunciation) = self.annunciation {
            writer.put(annunciation.id.to_le_bytes());
            writer.put(annunciation.kind.code().to_le_bytes());
            writer.put([annunciation.state.code()]);
        }
        for value in self.auxiliary {
            writer.short(value);
        }
        put_protection(writer, self.counter);
    }
}
