//! Commands to devices: what somebody asks a device to do, as the journal keeps it, and what may
//! become of it. How one leads to the other is the `command` crate's.

use serde::{Deserialize, Serialize};

use crate::{CommandId, DeviceId, MetricCode, PatientId, ReceiveTime};

/// What somebody asks a device to do, complete: nothing is looked up afterwards.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommandOrder {
    /// Names it; the device gets it too, and does nothing twice under one.
    pub id: CommandId,
    /// Which device.
    pub device: DeviceId,
    /// The patient whom the device must be on when it is sent.
    pub patient: PatientId,
    /// What, by the name that the device's profile gives it.
    pub name: String,
    /// How much it can do to a patient.
    pub class: CommandClass,
    /// With what.
    pub parameters: Vec<CommandParameter>,
    /// Whether a second person must agree before it is sent.
    pub two_person: bool,
    /// From here on it is not sent any more.
    pub expires: ReceiveTime,
    /// How long the device may take to have done it, microseconds.
    pub answer_us: i64,
    /// What must be heard from the device before it counts as done.
    pub read_back: ReadBack,
}

/// How much a command can do to a patient: each class is a right of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum CommandClass {
    /// Shows where the device is: a light, a sound.
    Locate,
    /// Lets it measure.
    Measure,
    /// Changes how it measures or alarms.
    Settings,
    /// Changes what it does to the patient.
    Therapy,
}

impl CommandClass {
    /// Every class, mildest first.
    pub const ALL: [Self; 4] = [Self::Locate, Self::Measure, Self::Settings, Self::Therapy];

    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Locate => "locate",
            Self::Measure => "measure",
            Self::Settings => "settings",
            Self::Therapy => "therapy",
        }
    }
}

/// One parameter of a command.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CommandParameter {
    /// Name, as the profile gives it.
    pub name: String,
    /// Value.
    pub value: CommandValue,
    /// UCUM unit of a number; empty for all else.
    pub unit: String,
}

/// A parameter's value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum CommandValue {
    /// A number, in the unit beside it.
    Number(f64),
    /// One of the texts that the profile allows.
    Choice(String),
    /// Yes or no.
    Flag(bool),
}

/// What must be heard from the device before a command counts as done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReadBack {
    /// Its word.
    None,
    /// Every parameter as it now stands, in the answer.
    Answer,
    /// A measurement of this metric with the value of that parameter, in its unit.
    Metric(MetricCode, String),
}

/// What happened to a command after it was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum CommandStep {
    /// The second person agrees.
    Confirm,
    /// Somebody takes it back.
    Cancel {
        /// Why; may be empty.
        reason: String,
    },
    /// It is about to be sent: in the journal before the first byte leaves, so that it is never
    /// sent twice.
    Sending,
    /// It was handed to the device's connection.
    Sent,
    /// It certainly did not leave.
    NotSent {
        /// Why.
        reason: String,
    },
    /// Nobody knows whether it left: the program ended in that moment.
    Lost,
    /// The device says that it will do it.
    Accepted,
    /// The device says that it did it.
    Done {
        /// Parameters as they now stand.
        read_back: Vec<(String, CommandValue)>,
    },
    /// The device says that it did not do it.
    Failed {
        /// Why, in the device's words.
        reason: String,
    },
}

impl CommandStep {
    /// Lower kebab-case name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Cancel { .. } => "cancel",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::NotSent { .. } => "not-sent",
            Self::Lost => "lost",
            Self::Accepted => "accepted",
            Self::Done { .. } => "done",
            Self::Failed { .. } => "failed",
        }
    }

    /// Whether it is a device's to say.
    #[must_use]
    pub const fn is_answer(&self) -> bool {
        matches!(self, Self::Accepted | Self::Done { .. } | Self::Failed { .. })
    }
}
