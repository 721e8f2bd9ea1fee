//! What a pump is told to do (IDD Command Control Point 0x2B25) and what it answers at length (IDD Command
//! Data 0x2B26). Insulin Delivery Service 1.0.1 §3.7 and §3.8. Both are read, so that what goes between an
//! app and a pump can be followed; this platform sends no pump a command.
//!
//! Commands are named by their op codes; of most the operand stays bytes. Being of any length, it leaves a
//! protection to be told by its check sum, as in [`crate::insulin_history`].

use crate::Characteristic;
use crate::bytes::{GattError, Reader, Writer, codes};
use crate::crc::{e2e_crc, put_protection, take_protection};
use crate::insulin::Therapy;
use crate::insulin_reader::PumpOutcome;

codes! {
    /// What is told or answered.
    CommandCode: u16 {
        /// How a command ended.
        Answer = 0x0f55,
        /// Let insulin flow, or stop it.
        SetTherapy = 0x0f5a,
        /// No radio for a while.
        SetFlightMode = 0x0f66,
        /// Put an announcement off.
        Snooze = 0x0f69,
        /// It is put off.
        Snoozed = 0x0f96,
        /// Confirm an announcement.
        Confirm = 0x0f99,
        /// It is confirmed.
        Confirmed = 0x0fa5,
        /// Which basal rates?
        ReadBasalProfile = 0x0faa,
        /// These.
        BasalProfile = 0x0fc3,
        /// Set basal rates.
        WriteBasalProfile = 0x0fcc,
        /// They are set.
        BasalProfileWritten = 0x0ff0,
        /// Set a temporary basal rate.
        SetTbr = 0x0fff,
        /// End it.
        CancelTbr = 0x1111,
        /// Which template of those?
        GetTbrTemplate = 0x111e,
        /// This one.
        TbrTemplate = 0x1122,
        /// Set a template.
        SetTbrTemplate = 0x112d,
        /// It is set.
        TbrTemplateSet = 0x1144,
        /// Give a bolus.
        SetBolus = 0x114b,
        /// It has this number.
        BolusSet = 0x1177,
        /// End a bolus.
        CancelBolus = 0x1178,
        /// It is ended.
        BolusCancelled = 0x1187,
        /// Which boluses could be given?
        GetAvailableBoluses = 0x1188,
        /// These.
        AvailableBoluses = 0x11b4,
        /// Which template of a bolus?
        GetBolusTemplate = 0x11bb,
        /// This one.
        BolusTemplate = 0x11d2,
        /// Set a template.
        SetBolusTemplate = 0x11dd,
        /// It is set.
        BolusTemplateSet = 0x11e1,
        /// Which templates are there?
        GetTemplates = 0x11ee,
        /// These.
        Templates = 0x1212,
        /// Clear templates.
        ResetTemplates = 0x121d,
        /// They are cleared.
        TemplatesReset = 0x1221,
        /// Put profiles in force.
        ActivateProfiles = 0x122e,
        /// They are in force.
        ProfilesActivated = 0x1247,
        /// Which profiles are in force?
        GetActiveProfiles = 0x1248,
        /// These.
        ActiveProfiles = 0x1274,
        /// Prime.
        StartPriming = 0x127b,
        /// Stop priming.
        StopPriming = 0x1284,
        /// How much is in the reservoir.
        SetReservoir = 0x128b,
        /// A new reservoir begins.
        ResetReservoirTime = 0x12b7,
        /// Which insulin sensitivity?
        ReadSensitivity = 0x12b8,
        /// This one.
        Sensitivity = 0x12d1,
        /// Set it.
        WriteSensitivity = 0x12de,
        /// It is set.
        SensitivityWritten = 0x12e2,
        /// Which ratio of insulin to carbohydrate?
        ReadRatio = 0x12ed,
        /// This one.
        Ratio = 0x1414,
        /// Set it.
        WriteRatio = 0x141b,
        /// It is set.
        RatioWritten = 0x1427,
        /// Which target glucose?
        ReadTarget = 0x1428,
        /// This one.
        Target = 0x1441,
        /// Set it.
        WriteTarget = 0x144e,
        /// It is set.
        TargetWritten = 0x1472,
        /// How large may a bolus be?
        GetMaxBolus = 0x147d,
        /// So large.
        MaxBolus = 0x1482,
        /// Set that.
        SetMaxBolus = 0x148d,
    }
}

/// A command, with its operand where that is small.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// How a command ended.
    Answer(CommandCode, PumpOutcome),
    /// Let insulin flow, or stop it.
    SetTherapy(Therapy),
    /// One of those about an announcement, and its number.
    Annunciation(CommandCode, u16),
    /// Anything else.
    Other(CommandCode, Vec<u8>),
}

/// A command to a pump, or what it answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PumpCommand {
    /// What is told or answered.
    pub command: Command,
    /// The E2E-counter, if the value is protected.
    pub counter: Option<u8>,
}

/// What a pump answers at length: op code and record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandData {
    /// What is answered.
    pub code: CommandCode,
    /// The record's bytes.
    pub record: Vec<u8>,
    /// The E2E-counter, if the value is protected.
    pub counter: Option<u8>,
}

impl Command {
    /// Its op code.
    #[must_use]
    pub const fn code(&self) -> CommandCode {
        match self {
            Self::Answer(..) => CommandCode::Answer,
            Self::SetTherapy(_) => CommandCode::SetTherapy,
            Self::Annunciation(code, _) | Self::Other(code, _) => *code,
        }
    }
}

impl Characteristic for PumpCommand {
    const UUID: u16 = 0x2b25;
    const NAME: &'static str = "idd command control point";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let code = CommandCode::from_code(reader.u16("op code")?);
        let command = match code {
            CommandCode::Answer => Command::Answer(
                CommandCode::from_code(reader.u16("request op code")?),
                PumpOutcome::from_code(reader.u8("response code value")?),
            ),
            CommandCode::SetTherapy => Command::SetTherapy(Therapy::from_code(reader.u8("therapy control state")?)),
            CommandCode::Snooze | CommandCode::Snoozed | CommandCode::Confirm | CommandCode::Confirmed => {
                Command::Annunciation(code, reader.u16("annunciation instance id")?)
            }
            code => {
                let (operand, counter) = operand(reader, "operand")?;
                return Ok(Self { command: Command::Other(code, operand), counter });
            }
        };
        Ok(Self { command, counter: take_protection(reader)? })
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(self.command.code().code().to_le_bytes());
        match &self.command {
            Command::Answer(request, outcome) => {
                writer.put(request.code().to_le_bytes());
                writer.put([outcome.code()]);
            }
            Command::SetTherapy(therapy) => writer.put([therapy.code()]),
            Command::Annunciation(_, id) => writer.put(id.to_le_bytes()),
            Command::Other(_, operand) => writer.put(operand),
        }
        put_protection(writer, self.counter);
    }
}

impl Characteristic for CommandData {
    const UUID: u16 = 0x2b26;
    const NAME: &'static str = "idd command data";

    fn read(reader: &mut Reader<'_>) -> Result<Self, GattError> {
        let code = CommandCode::from_code(reader.u16("response op code")?);
        let (record, counter) = operand(reader, "record")?;
        Ok(Self { code, record, counter })
    }

    fn write(&self, writer: &mut Writer) {
        writer.put(self.code.code().to_le_bytes());
        writer.put(&self.record);
        put_protection(writer, self.counter);
    }
}

/// All that is left, without a protection whose check sum fits; and the counter of that.
fn operand(reader: &mut Reader<'_>, field: &'static str) -> Result<(Vec<u8>, Option<u8>), GattError> {
    let mut ahead = reader.clone();
    let counter = if ahead.rest().len() < 3 {
        None
    } else {
        let whole = ahead.since(0).split_last_chunk::<2>();
        let fits = whole.filter(|(rest, sum)| e2e_crc(rest) == u16::from_le_bytes(**sum));
        fits.and_then(|(rest, _)| rest.last().copied())
    };
    let length = reader.left() - if counter.is_some() { 3 } else { 0 };
    let bytes = reader.take(field, length)?.to_vec();
    reader.rest();
    Ok((bytes, counter))
}
