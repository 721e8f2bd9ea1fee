//! What a replay has sent, to be compared with what the platform has stored.

use std::collections::BTreeMap;

use serde::Serialize;

use super::recording::{Counts, Recording};

/// Progress of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct ReplayProgress {
    /// Patients (or files) whose recordings are sent.
    pub patients: u64,
    /// Patients in all; 0 while it is not known.
    pub patients_total: u64,
    /// Messages sent.
    pub messages: u64,
    /// Values in them.
    pub values: u64,
    /// Seconds since the start.
    pub seconds: u64,
}

/// What a replay has sent. Keys are stable.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ReplayReport {
    /// Patients.
    pub patients: u64,
    /// MQTT messages.
    pub messages: u64,
    /// HL7 messages.
    pub hl7_messages: u64,
    /// Alarm limits set.
    pub limits: u64,
    /// MQTT and HL7 messages that were acknowledged as taken.
    pub acknowledged: u64,
    /// Messages and requests that were refused.
    pub refused: u64,
    /// Connections that had to be opened again.
    pub reconnects: u64,
    /// Values sent.
    pub values: u64,
    /// Values sent, with equal ones (device, metric, time, number) counted once, as stored.
    pub distinct_values: u64,
    /// Wall time, s.
    pub seconds: f64,
    /// Values a second.
    pub values_per_s: f64,
    /// Distinct values by metric over all patients.
    pub by_metric: Counts,
    /// Distinct values by device and metric.
    pub by_device: BTreeMap<String, Counts>,
    /// Values in the files that were not sent, by name and reason.
    pub left_out: BTreeMap<String, u64>,
}

impl ReplayReport {
    /// Adds what `recording` holds.
    pub(super) fn count(&mut self, recording: &Recording) {
        let (all, distinct) = recording.counts();
        self.patients += 1;
        self.values += all.values().sum::<u64>();
        self.distinct_values += distinct.values().sum::<u64>();
        for (metric, count) in &distinct {
            *self.by_metric.entry(metric.clone()).or_default() += count;
        }
        self.by_device.insert(recording.device.clone(), distinct);
        for (name, count) in &recording.left_out {
            *self.left_out.entry(name.clone()).or_default() += count;
        }
    }
}
