//! What can go wrong when simulating, replaying or loading.

use std::path::PathBuf;

/// Why a run could not be done. Texts say what to do about it and name no patient.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// A server could not be reached or broke the connection.
    #[error("{what} at {address}: {source}; is `vitalwire serve` running there?")]
    Network {
        /// What was tried: `MQTT connect`, `MLLP send`.
        what: &'static str,
        /// Where.
        address: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The server answered, but refused.
    #[error("{what} was refused: {reason}")]
    Refused {
        /// What was tried.
        what: String,
        /// The server's words or code.
        reason: String,
    },
    /// A file or folder could not be read.
    #[error("cannot read {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A file is there but is not what it should be.
    #[error("{path} line {line}: {problem}")]
    Format {
        /// Which file.
        path: PathBuf,
        /// Line, from 1; 0 when the whole file is meant.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// A configuration value makes no sense.
    #[error("{key}: {problem}")]
    Config {
        /// Which setting.
        key: &'static str,
        /// What is wrong with it, and what is allowed.
        problem: String,
    },
}

impl SimError {
    /// A network failure, for `map_err`.
    pub(crate) fn network(what: &'static str, address: &str) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let address = address.to_owned();
        move |source| Self::Network { what, address, source }
    }

    /// A file failure, for `map_err`.
    pub(crate) fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::File { path, source }
    }
}
