//! What a payload formatter is asked and how it may fail. Who runs it is handed in: this crate runs
//! no foreign code.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use vitals::ProblemKind;

/// The bytes of one uplink, as a decoder gets them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uplink {
    /// Payload, decrypted.
    pub bytes: Vec<u8>,
    /// LoRaWAN port, 1 to 223.
    pub port: u8,
    /// When a gateway received it, in milliseconds since 1970.
    pub received_ms: i64,
}

/// A decoder's source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// File name in the library.
    pub name: String,
    /// JavaScript.
    pub source: Arc<str>,
    /// The beginning of the source's BLAKE3 hash, in hexadecimal: which version of it.
    pub version: String,
}

impl Script {
    /// A script of that name.
    #[must_use]
    pub fn new(name: &str, source: &str) -> Self {
        let version = blake3::hash(source.as_bytes()).to_hex()[..12].to_owned();
        Self { name: name.to_owned(), source: source.into(), version }
    }
}

/// Runs decoders, within limits.
pub trait Decode: fmt::Debug + Send + Sync {
    /// What a decoder makes of an uplink. Returns within limits, whatever the decoder does.
    ///
    /// # Errors
    /// [`DecodeFault`].
    fn decode(&self, script: &Script, uplink: &Uplink) -> Result<serde_json::Value, DecodeFault>;
}

/// Why a decoder gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
pub enum DecodeFault {
    /// It took too long.
    #[error("the decoder was stopped after {} ms", .0.as_millis())]
    Time(Duration),
    /// It needed too much memory, in bytes.
    #[error("the decoder was stopped: it needs more than {} KiB of memory", .0 >> 10)]
    Memory(usize),
    /// Its answer is too long, in bytes.
    #[error("the decoder's answer is longer than {} KiB", .0 >> 10)]
    Answer(usize),
    /// It failed, in its own words.
    #[error("the decoder failed: {0}")]
    Threw(String),
    /// It refused the uplink, in its own words.
    #[error("the decoder refuses the payload: {0}")]
    Said(String),
    /// It returned something else.
    #[error("the decoder must return {{data: …}}")]
    Shape,
    /// Nobody could run it.
    #[error("no decoder can be run now: {0}")]
    Unavailable(String),
}

impl DecodeFault {
    /// Lower-case name for labels.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Time(_) => "time",
            Self::Memory(_) => "memory",
            Self::Answer(_) => "answer",
            Self::Threw(_) => "threw",
            Self::Said(_) => "said",
            Self::Shape => "shape",
            Self::Unavailable(_) => "unavailable",
        }
    }

    /// What kind of problem it is.
    #[must_use]
    pub const fn kind(&self) -> ProblemKind {
        match self {
            Self::Time(_) | Self::Memory(_) | Self::Answer(_) | Self::Unavailable(_) => ProblemKind::Limit,
            Self::Threw(_) | Self::Shape => ProblemKind::Syntax,
            Self::Said(_) => ProblemKind::BadValue,
        }
    }
}
