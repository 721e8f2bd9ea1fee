//! `vitalwire audit`: check the log and the journal, prove what is in the log, witness it.

pub(crate) mod atna;
mod check;
mod command;
pub(crate) mod keep;
#[cfg(test)]
mod manipulations;
mod net;
mod push;
pub(crate) mod settings;
mod witness;

pub(crate) use command::{Command, key, run};
