//! What goes down to an edge: its rules, the policy, who is on its devices, what is a patient's own, and
//! what people here did to alerts.

use std::collections::VecDeque;

use alert::{ChangeKind, EpisodeState};
use edge::{AlertDeed, Configuration, DeedKind, Edge, Own};
use engine::{AlertRecord, PatientView};
use live::{Change, Live};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use tokio::sync::broadcast::error::RecvError;
use vitals::time::DAY;
use vitals::{Action, AssociationBasis, DeviceId, DirectoryEvent};

use super::Edges;
use crate::state::Api;

/// Resets that are remembered.
const RESETS_MAX: usize = 1_000;

impl Edges {
    /// What an edge is to do now.
    pub(super) fn configuration(&self, api: &Api, edge: &Edge) -> Configuration {
        let mut wanted = Configuration {
            etag: String::new(),
            rules: edge.rules.clone(),
            policy: Some(api.live.policy().text).filter(|text| !text.is_empty()),
            actions: Vec::new(),
            patients: Vec::new(),
            deeds: Vec::new(),
        };
        for device in edge.devices.iter().filter_map(|id| DeviceId::new(id).ok()) {
            self.of_device(api, device, &mut wanted);
        }
        let text = serde_json::to_vec(&wanted).unwrap_or_default();
        let digest: [u8; 32] = Sha256::digest(&text).into();
        wanted.etag = digest[..12].iter().map(|byte| format!("{byte:02x}")).collect();
        wanted
    }

    fn of_device(&self, api: &Api, device: DeviceId, wanted: &mut Configuration) {
        let Some(line) = api.live.device(&device) else { return };
        let Some(current) = line.associations.iter().find(|one| one.end.is_none()) else {
            // Taken off here, it is taken off there.
            if let Some(at) = line.associations.iter().filter_map(|one| one.end).max() {
                wanted.actions.push(Action::Disassociate { device, at: Some(at) });
            }
            return;
        };
        let Some(view) = api.live.patient(&current.patient) else { return };
        // Messages that name a patient say so at the edge as well.
        if !matches!(current.basis, AssociationBasis::Message) {
            wanted.actions.push(Action::Directory(DirectoryEvent::Patient(view.patient.clone())));
            let (patient, since) = (current.patient.clone(), Some(current.start));
            wanted.actions.push(Action::Associate { device, patient, since });
        }
        if wanted.patients.iter().any(|own| own.patient == current.patient) {
            return;
        }
        let limits = view.limits_set.iter().map(|limit| (limit.metric, limit.low, limit.high)).collect();
        wanted.patients.push(Own { patient: current.patient.clone(), limits, spo2_scale: view.spo2_scale });
        wanted.deeds.extend(taken(&view));
        let resets = self.resets.0.lock();
        wanted.deeds.extend(resets.iter().filter(|deed| deed.patient == current.patient).cloned());
    }
}

/// The open alerts that somebody has taken or silenced.
fn taken(view: &PatientView) -> impl Iterator<Item = AlertDeed> {
    view.alerts.iter().filter_map(|alert| {
        let taken = alert.taken.as_ref()?;
        let what = match alert.state {
            EpisodeState::Acknowledged => DeedKind::Acknowledged(taken.until),
            EpisodeState::Snoozed => DeedKind::Snoozed(taken.until?),
            _ => return None,
        };
        let (patient, group, by) = (view.patient.id.clone(), alert.group.clone(), taken.by.clone());
        Some(AlertDeed { patient, group, by, at: alert.changed_at, what })
    })
}

/// Latched alerts that people reset of late: they are no longer among the open ones. What was reset
/// before a restart of the centre is not told any more.
#[derive(Debug, Default)]
pub(super) struct Resets(Mutex<VecDeque<AlertDeed>>);

impl Resets {
    pub(super) async fn follow(&self, live: &Live) {
        let mut changes = live.changes().subscribe(None).receiver;
        loop {
            match changes.recv().await {
                Ok((_, Change::Alert(record))) => self.note(&record),
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn note(&self, record: &AlertRecord) {
        // A latched one that is acknowledged is over with that.
        let deed = matches!(record.kind, ChangeKind::Reset | ChangeKind::Acknowledged);
        if !deed || record.episode.state != EpisodeState::Resolved {
            return;
        }
        let mut resets = self.0.lock();
        let at = record.at.0;
        resets.retain(|deed| at.saturating_sub(deed.at) < DAY);
        if resets.len() >= RESETS_MAX {
            resets.pop_front();
        }
        resets.push_back(AlertDeed {
            patient: record.patient.clone(),
            group: record.episode.group.clone(),
            by: record.actor.clone(),
            at,
            what: DeedKind::Reset,
        });
    }
}
