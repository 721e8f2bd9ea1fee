//! The child's side: a line of JSON asks, a line of JSON answers, until the pipe ends.

use std::io::{self, BufRead, Write};

use mapping::{DecodeFault, Uplink};
use serde::{Deserialize, Serialize};

use crate::run::{Limits, run};

/// One question.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Question {
    pub(crate) source: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) port: u8,
    pub(crate) received_ms: i64,
    pub(crate) time_ms: u64,
    pub(crate) memory: usize,
    pub(crate) stack: usize,
    pub(crate) answer: usize,
}

/// Its answer.
pub(crate) type Told = Result<serde_json::Value, DecodeFault>;

impl Question {
    pub(crate) fn new(source: &str, uplink: &Uplink, limits: Limits) -> Self {
        Self {
            source: source.to_owned(),
            bytes: uplink.bytes.clone(),
            port: uplink.port,
            received_ms: uplink.received_ms,
            time_ms: u64::try_from(limits.time.as_millis()).unwrap_or(u64::MAX),
            memory: limits.memory,
            stack: limits.stack,
            answer: limits.answer,
        }
    }

    fn run(self) -> Told {
        let limits = Limits {
            time: std::time::Duration::from_millis(self.time_ms),
            memory: self.memory,
            stack: self.stack,
            answer: self.answer,
        };
        run(&self.source, &Uplink { bytes: self.bytes, port: self.port, received_ms: self.received_ms }, limits)
    }
}

/// Answers questions until the input ends. What a child process does, and nothing else.
///
/// # Errors
/// The pipes' own.
pub fn work(input: impl BufRead, mut output: impl Write) -> io::Result<()> {
    for line in input.lines() {
        let question: Question = serde_json::from_str(&line?)?;
        let mut told = serde_json::to_vec(&question.run())?;
        told.push(b'\n');
        output.write_all(&told)?;
        output.flush()?;
    }
    Ok(())
}
