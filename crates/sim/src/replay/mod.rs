//! Real recordings over the real protocols: Challenge 2019 and 2012, MIMIC-III demo tables, files
//! of HL7 messages, WFDB records.
//!
//! Numerics go to `vitalwire/<device>/recording`, so that the platform lets the recording's own
//! times rule and never shows the values as live. The first moment of every recording lands on
//! [`EPOCH`]; what is relative in the files stays relative. Readers ([`cinc2019`], [`cinc2012`],
//! [`mimic3`], [`hl7files`]) make [`Recording`]s of files; `play` sends them and counts.

mod archive;
mod cinc2012;
mod cinc2019;
mod columns;
mod csv;
mod drips;
mod hl7files;
mod mimic3;
mod play;
mod recording;
mod report;
mod wfdb;

pub use columns::Column;
pub use play::run;
pub use recording::{Beat, Counts, LimitChange, Recording, What};
pub use report::{ReplayProgress, ReplayReport};
pub use wfdb::WfdbSource;

use std::path::PathBuf;

use crate::error::SimError;

/// 2019-01-01T00:00:00Z, µs since 1970: where recordings without a date of their own begin.
pub const EPOCH: i64 = 1_546_300_800_000_000;

/// What to replay. Each path is a folder, or a `.tar.zst` archive, which the system's `tar`
/// unpacks into a temporary folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// `.psv` files, one a patient, one row an hour; several sets may be given.
    Cinc2019(Vec<PathBuf>),
    /// `.txt` files, one a patient.
    Cinc2012(PathBuf),
    /// A folder with `patients.csv.gz`, `transfers.csv.gz`, `chartevents_*.csv.gz`; also read, if there,
    /// `labevents.csv.gz` and `inputevents_*.csv.gz`.
    Mimic3(PathBuf),
    /// A file, or a folder of `.hl7` files.
    Hl7(PathBuf),
    /// WFDB records with waveforms.
    Wfdb(WfdbSource),
}

/// How fast.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Speed {
    /// As fast as the platform acknowledges.
    Max,
    /// So many seconds of recording per second on the wall. A gap of more than a day counts as an
    /// hour.
    Times(f64),
}

/// A replay.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayConfig {
    /// What.
    pub source: Source,
    /// How fast.
    pub speed: Speed,
    /// MQTT, `host:port`.
    pub mqtt: String,
    /// MLLP, `host:port`.
    pub mllp: String,
    /// HTTP, `host:port`.
    pub http: String,
    /// Bearer token for HTTP, if authentication is on.
    pub token: Option<String>,
    /// MQTT account and password, if authentication is on.
    pub mqtt_credentials: Option<(String, String)>,
    /// Connections that share the devices; with authentication on their account must be allowed
    /// to speak for many devices.
    pub connections: usize,
    /// Unacknowledged messages on each connection.
    pub window: u16,
    /// Only the first so many patients, in order of file name.
    pub patients: Option<usize>,
}

impl ReplayConfig {
    /// A replay of `source` at full speed to the default addresses.
    #[must_use]
    pub fn new(source: Source) -> Self {
        Self {
            source,
            speed: Speed::Max,
            mqtt: "127.0.0.1:1883".to_owned(),
            mllp: "127.0.0.1:2575".to_owned(),
            http: "127.0.0.1:8080".to_owned(),
            token: None,
            mqtt_credentials: None,
            connections: 16,
            window: 256,
            patients: None,
        }
    }

    /// Refuses what makes no sense.
    ///
    /// # Errors
    /// [`SimError::Config`] naming the setting.
    pub fn validate(&self) -> Result<(), SimError> {
        let wrong = |key, problem: &str| Err(SimError::Config { key, problem: problem.to_owned() });
        if self.connections == 0 || self.window == 0 {
            return wrong("connections, window", "must be at least 1");
        }
        if matches!(self.speed, Speed::Times(times) if times.is_nan() || times <= 0.0) {
            return wrong("speed", "must be `max` or above 0");
        }
        if matches!(&self.source, Source::Wfdb(source) if source.as_live)
            && self.speed != Speed::Times(1.0)
        {
            return wrong("speed", "what is played as live has a speed of 1");
        }
        Ok(())
    }
}
