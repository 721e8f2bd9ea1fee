//! `vitalwire backup` and `vitalwire restore`.
//!
//! A backup is a moment of the databases, taken while the program runs, with profiles, the audit log
//! and certificates. Every row is sealed with the key of the patient whom it is about, and those
//! keys are not in it: the keyring has a copy of its own, which each backup and each erasure
//! overwrites. So an erasure reaches every backup there is. The journal is not in it: what it had is
//! in the databases up to the moment of the backup, and it begins anew after a restore.

mod format;
mod restore;
mod tables;
mod take;

pub(crate) use restore::{Args as RestoreArgs, run as restore};
pub(crate) use take::{Args, LAST, run};
