//! Runs in the store, encrypted with it: given back after a restart.
//!
//! Alerts one by one are rows of one patient each: erasing a person deletes theirs, and backups seal them with
//! that person's key.

use std::collections::BTreeMap;
use std::sync::Arc;

use laboratory::{AlertLine, Candidate};
use serde::{Deserialize, Serialize};
use store::{KvRow, Reader, Side, StoreError};

use super::dto::LaboratoryRun;
use super::keep::Found;
use super::work::Differing;

/// Runs by number.
const RUNS: &str = "laboratory-runs";
/// Their alerts by `run/patient`. Backups know the name.
const ALERTS: &str = "laboratory-alerts";

/// Where runs are kept.
#[derive(Clone)]
pub(super) struct Archive {
    pub(super) reader: Reader,
    pub(super) side: Arc<dyn Side>,
}

/// A run as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    run: LaboratoryRun,
    found: Option<KeptFound>,
}

/// What the result does not say.
#[derive(Serialize, Deserialize)]
struct KeptFound {
    parent: String,
    /// Names and texts of the policies, in the order of the report.
    policies: Vec<(String, String)>,
    /// Of each policy after the present: there were more alerts than were kept.
    cut: Vec<bool>,
}

/// An alert with where it stands.
#[derive(Serialize, Deserialize)]
struct Line {
    /// Which policy after the present.
    policy: usize,
    gone: bool,
    /// Place among its like.
    place: usize,
    alert: AlertLine,
}

impl Archive {
    /// Keeps a run as it is now.
    pub(super) fn keep(&self, run: &LaboratoryRun, found: Option<&Found>) -> Result<(), StoreError> {
        let kept = Kept {
            run: run.clone(),
            found: found.map(|found| KeptFound {
                parent: found.parent.clone(),
                policies: found.candidates.iter().map(|one| (one.name.clone(), one.policy.text.clone())).collect(),
                cut: found.differing.iter().map(|one| one.cut).collect(),
            }),
        };
        let mut rows = vec![row(RUNS, run.id.to_string(), &kept)?];
        let mut alerts: BTreeMap<&str, Vec<Line>> = BTreeMap::new();
        for (policy, differing) in found.iter().flat_map(|found| found.differing.iter().enumerate()) {
            for (gone, list) in [(true, &differing.gone), (false, &differing.new)] {
                for (place, alert) in list.iter().enumerate() {
                    let line = Line { policy, gone, place, alert: alert.clone() };
                    alerts.entry(&alert.patient).or_default().push(line);
                }
            }
        }
        for (patient, lines) in alerts {
            rows.push(row(ALERTS, format!("{}/{patient}", run.id), &lines)?);
        }
        self.side.put(&rows)
    }

    /// Forgets a run.
    pub(super) fn forget(&self, id: i64) -> Result<(), StoreError> {
        let gone = |bucket: &str, key: String| KvRow { bucket: bucket.to_owned(), key, value: None };
        let alerts = self.reader.kv_all(ALERTS)?.into_iter().map(|(key, _)| key);
        let mut rows: Vec<KvRow> =
            alerts.filter(|key| run_of(key) == Some(id)).map(|key| gone(ALERTS, key)).collect();
        rows.push(gone(RUNS, id.to_string()));
        self.side.put(&rows)
    }

    /// All that are kept, newest first. One that this program cannot read is left out.
    pub(super) fn load(&self) -> Result<Vec<(LaboratoryRun, Option<Found>)>, StoreError> {
        let mut alerts: BTreeMap<i64, Vec<Line>> = BTreeMap::new();
        for (key, value) in self.reader.kv_all(ALERTS)? {
            let lines: Option<Vec<Line>> = serde_json::from_slice(&value).ok();
            if let Some((run, lines)) = run_of(&key).zip(lines) {
                alerts.entry(run).or_default().extend(lines);
            }
        }
        let mut runs = Vec::new();
        for (key, value) in self.reader.kv_all(RUNS)? {
            let kept: Option<Kept> = serde_json::from_slice(&value).ok();
            let read = kept.and_then(|mut kept| {
                let lines = alerts.remove(&kept.run.id).unwrap_or_default();
                let result = kept.run.result.take();
                let found = kept.found.zip(result).map(|(found, result)| found.read(result, lines));
                // A policy that does not compile any more says nothing.
                Some((kept.run, found.transpose().ok()?))
            });
            match read {
                Some(read) => runs.push(read),
                None => tracing::warn!("laboratory: run {key} was kept by another version and cannot be read"),
            }
        }
        runs.sort_unstable_by_key(|(run, _)| std::cmp::Reverse(run.id));
        Ok(runs)
    }
}

impl KeptFound {
    fn read(self, result: super::dto::LaboratoryResult, mut lines: Vec<Line>) -> Result<Found, laboratory::LabError> {
        lines.sort_unstable_by_key(|line| (line.policy, line.gone, line.place));
        let mut differing: Vec<Differing> =
            self.cut.iter().map(|cut| Differing { cut: *cut, ..Differing::default() }).collect();
        for line in lines {
            if let Some(of) = differing.get_mut(line.policy) {
                if line.gone { &mut of.gone } else { &mut of.new }.push(line.alert);
            }
        }
        let candidates = self.policies.iter().map(|(name, text)| Candidate::of(name, text));
        Ok(Found { result, candidates: candidates.collect::<Result<_, _>>()?, differing, parent: self.parent })
    }
}

/// Which run a row of alerts is of.
fn run_of(key: &str) -> Option<i64> {
    key.split_once('/')?.0.parse().ok()
}

fn row(bucket: &str, key: String, value: &impl Serialize) -> Result<KvRow, StoreError> {
    let value = serde_json::to_vec(value).map_err(|_| StoreError::Damaged { what: "a run of the laboratory" })?;
    Ok(KvRow { bucket: bucket.to_owned(), key, value: Some(value) })
}
