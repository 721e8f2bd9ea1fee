//! The watch over risk models in the running program: who owns which model, when it looks, whom it tells.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use alert::Policy;
use anyhow::Context;
use api::burden::Burden;
use live::Live;
use predict::Model;
use reckoning::models::{EventKind, Notice, Watched, Watcher, WatchView};
use runtime::{Webhook, event_row};
use serde_json::json;
use store::Side;
use vitals::{ReceiveTime, Role};

use crate::config::{self, ModelText};
use crate::foresight::Kept;

/// How often it is looked. What models say is recorded by the hour, and most looks find nothing.
const EVERY: Duration = Duration::from_secs(20);
/// Who is told: who manages the alert policy.
const TOLD: [Role; 2] = [Role::Physician, Role::Administrator];

/// The models that judge, with what the configuration says of their owners and of what counts as their events.
///
/// # Errors
/// When the file of a model can't be read.
pub(crate) fn watched(kept: &Kept, config: &config::Models) -> anyhow::Result<Vec<Watched>> {
    let mut texts: BTreeMap<(String, String), &ModelText> = BTreeMap::new();
    for one in &config.model {
        let Some(file) = &one.file else { continue };
        let bytes = std::fs::read(file).with_context(|| format!("models: cannot read {}", file.display()))?;
        let model = Model::read(&bytes).with_context(|| format!("models: {}", file.display()))?;
        texts.insert((model.id().to_owned(), model.version().to_owned()), one);
    }
    let watched = kept.wanted.iter().filter_map(|used| {
        let model = Arc::clone(kept.library.find(&used.id, &used.version)?);
        let by_file = texts.get(&(used.id.clone(), used.version.clone())).copied();
        let text = by_file.or_else(|| config.model.iter().find(|one| one.shipped.as_ref() == Some(&used.id)));
        let owner = text.and_then(|text| text.owner.as_ref()).unwrap_or(&config.owner).clone();
        let events = text.and_then(|text| text.events.clone()).unwrap_or_else(|| EventKind::usual(&used.id));
        Some(Watched { model, role: used.role, owner, events })
    });
    Ok(watched.collect())
}

/// What looks after the models.
pub(crate) struct Looking {
    pub(crate) watcher: Arc<Watcher>,
    pub(crate) side: Arc<dyn Side>,
    pub(crate) live: Live,
    pub(crate) burden: Burden,
    pub(crate) hooks: Vec<Webhook>,
    pub(crate) clock: fn() -> ReceiveTime,
}

impl Looking {
    /// Runs until the task is ended. What fails is tried again.
    pub(crate) async fn run(self) {
        if self.watcher.watched().is_empty() {
            return;
        }
        let looking = Arc::new(self);
        loop {
            let work = Arc::clone(&looking);
            if let Ok(Err(error)) = tokio::task::spawn_blocking(move || work.step()).await {
                tracing::error!("the watch over risk models could not go on, tried again: {error:#}");
            }
            tokio::time::sleep(EVERY).await;
        }
    }

    fn step(&self) -> anyhow::Result<()> {
        let now = (self.clock)();
        let policy = Policy::parse(&self.live.policy().text).unwrap_or_else(|_| Policy::built_in());
        self.watcher.step(&self.burden.house(&policy), now.0)?;
        self.tell(now)?;
        for watched in self.watcher.watched() {
            measure(&self.watcher.view(watched)?);
        }
        Ok(())
    }

    /// Hands notices to the receivers: one for each owner, whatever number of models it is about. A crash before they are
    /// noted as told tells again under the same name.
    fn tell(&self, now: ReceiveTime) -> anyhow::Result<()> {
        let untold = self.watcher.untold()?;
        let mut owners: BTreeMap<&str, Vec<&(&Watched, Notice)>> = BTreeMap::new();
        for one in &untold {
            owners.entry(&one.0.owner).or_default().push(one);
        }
        for (owner, notices) in owners {
            let rows: Vec<_> = self.hooks.iter().filter_map(|hook| row(hook, owner, &notices, now)).collect();
            self.side.outbox_add(&rows)?;
            for (watched, notice) in notices {
                tracing::warn!(model = watched.model.id(), version = watched.model.version(), "the watch over a risk model has something to tell: see its page");
                self.watcher.told(watched, notice.number)?;
            }
        }
        Ok(())
    }
}

/// No patient data: models, and what is the matter with them.
fn row(hook: &Webhook, owner: &str, notices: &[&(&Watched, Notice)], now: ReceiveTime) -> Option<store::OutboxRow> {
    let (first, notice) = notices.first()?;
    let models: Vec<_> = notices
        .iter()
        .map(|(watched, notice)| {
            let (model, version) = watched.name();
            json!({ "model": model, "version": version, "role": watched.role.name(), "notice": notice.number, "matters": notice.matters })
        })
        .collect();
    let body = json!({
        "event": "model-drift",
        "owner": owner,
        "models": models,
        "at_ms": notices.iter().map(|(_, notice)| notice.at_ms).max(),
    });
    let (model, version) = first.name();
    event_row(hook, &format!("model-drift/{model}@{version}/{}", notice.number), &TOLD, &body, now)
}

/// How each model does, for who watches over the program. No patient data.
fn measure(view: &WatchView) {
    let labels = [("model", view.model.clone()), ("version", view.version.clone()), ("role", view.role.clone())];
    metrics::gauge!("vitalwire_model_drift_judgements", &labels).set(f64::from(view.judgements));
    metrics::gauge!("vitalwire_model_drift_inputs_shifted", &labels).set(view.shifted.len() as f64);
    metrics::gauge!("vitalwire_model_drift_abstained_share", &labels).set(view.abstained.unwrap_or(0.0));
    metrics::gauge!("vitalwire_model_drift_events_observed", &labels).set(f64::from(view.outcomes.observed));
    metrics::gauge!("vitalwire_model_drift_events_expected", &labels).set(view.outcomes.expected);
    metrics::gauge!("vitalwire_model_drift_notice_open", &labels).set(f64::from(u8::from(view.notice.is_some())));
    for (matter, level) in Watcher::levels(view) {
        let mut labels = labels.to_vec();
        labels.push(("matter", matter.to_owned()));
        metrics::gauge!("vitalwire_model_drift_level", &labels).set(f64::from(level));
    }
}

#[cfg(test)]
mod tests {
    use store::{SqliteStore, Store};

    use super::*;
    use crate::config::Place;

    #[test]
    fn owners_and_events_are_the_models_own_or_the_usual_ones() {
        let folder = tempfile::tempdir().expect("a folder");
        let own = |id: &str, owner: Option<&str>, events: Option<Vec<EventKind>>| ModelText {
            shipped: Some(id.to_owned()),
            role: Place::Shadow,
            owner: owner.map(str::to_owned),
            events,
            ..ModelText::default()
        };
        let config = config::Models {
            shipped: Place::Champion,
            owner: "the committee".to_owned(),
            model: vec![own("sepsis", Some("Ada"), Some(vec![EventKind::Death])), own("mortality-48h", None, None)],
        };
        let kept = crate::foresight::open(folder.path(), &config).expect("models that come with the program");
        let watched = watched(&kept, &config).expect("read");
        let of = |id: &str| {
            let one = watched.iter().find(|one| one.model.id() == id).expect("watched");
            (one.owner.as_str(), one.events.clone())
        };
        assert_eq!(of("sepsis"), ("Ada", vec![EventKind::Death]));
        assert_eq!(of("mortality-48h"), ("the committee", vec![EventKind::Death]));
        assert_eq!(of("deterioration-vitals"), ("the committee", vec![EventKind::Decline]));
        assert_eq!(watched.len(), predict::shipped().len());
    }

    #[test]
    fn one_owner_is_told_once_of_all_models() {
        let folder = tempfile::tempdir().expect("a folder");
        let config = config::Models { shipped: Place::Champion, ..config::Models::default() };
        let kept = crate::foresight::open(&folder.path().join("models"), &config).expect("models");
        let store = SqliteStore::open(&folder.path().join("store.db")).expect("opens");
        let watched = watched(&kept, &config).expect("read");
        let notice = |number| Notice { number, at_ms: 7_000, matters: Vec::new() };
        let both: Vec<(&Watched, Notice)> = watched.iter().take(2).map(|one| (one, notice(1))).collect();
        let hook = Webhook {
            name: "owner".to_owned(),
            address: outgoing::Address::parse("http://127.0.0.1:9/hook").expect("an address"),
            secret: "0123456789abcdef".to_owned(),
            roles: vec![Role::Physician],
            priority: alert::Priority::Low,
        };
        let told = row(&hook, "Ada", &both.iter().collect::<Vec<_>>(), ReceiveTime(9)).expect("a row");
        let body: serde_json::Value = serde_json::from_slice(&told.body).expect("JSON");
        assert_eq!((body["event"].as_str(), body["models"].as_array().map(Vec::len)), (Some("model-drift"), Some(2)));
        store.side().outbox_add(&[told.clone(), told]).expect("kept");
        assert_eq!(store.reader().outbox_len().expect("read"), 1, "under one name");
        let nurse = Webhook { roles: vec![Role::Nurse], ..hook };
        assert!(row(&nurse, "Ada", &both.iter().collect::<Vec<_>>(), ReceiveTime(9)).is_none());
    }
}
