//! Records of what is done: every act that goes to the journal, and every change of a setting,
//! under a name of its own and before it is done (SE-1). That somebody was let in to do it is a
//! record of its own, with the rules that decided.

use guard::{Deed, Outcome, Record};
use vitals::{Action, Actor, BaselineStep, CommandStep, DirectoryEvent, PathwayDeed, PatientId};

use crate::access::{let_in, signed};
use crate::error::ApiError;
use crate::state::Api;

impl Api {
    /// Keeps a record of the present request, with all that is known of who makes it.
    ///
    /// # Errors
    /// [`ApiError::Unavailable`] when it can't be kept: no audit, no access.
    pub(crate) async fn keep(&self, record: Record) -> Result<(), ApiError> {
        let kept = self.guard.audit(signed(record)).await;
        kept.map_err(|error| ApiError::unavailable(&error.to_string()))
    }

    /// Records what whoever was let in is about to do: `object` is named as a record may name it.
    ///
    /// # Errors
    /// As [`Self::keep`].
    pub(crate) async fn deed(&self, deed: &'static str, object: &str, detail: &str) -> Result<(), ApiError> {
        let Some(entered) = let_in() else {
            return Err(ApiError::internal(&"something was to be done by nobody who was let in"));
        };
        let record = Record {
            at: self.now(),
            action: Deed::Named(deed),
            object: object.to_owned(),
            detail: detail.to_owned(),
            policies: Vec::new(),
            ..entered
        };
        self.keep(record).await
    }

    /// Records an act before it goes to the journal.
    pub(crate) async fn record_act(&self, actor: &Actor, action: &Action) -> Result<(), ApiError> {
        let Some(act) = act(action) else { return Ok(()) };
        // Alerts and devices say whose they are only in the record of whoever was let in to them.
        let of = let_in().filter(|entered| entered.actor == actor.name).and_then(|entered| entered.subject);
        self.keep(Record {
            role: Some(actor.role),
            route: let_in().map(|entered| entered.route).unwrap_or_default(),
            subject: act.subject.cloned().or(of),
            object: act.object,
            detail: act.detail,
            outcome: Outcome::Allowed,
            ..Record::new(self.now(), &actor.name, act.deed)
        })
        .await
    }
}

/// Which text a setting became, without the text: its length and the beginning of its SHA-256.
pub(crate) fn fingerprint(text: &str) -> String {
    use sha2::Digest;
    let hash = sha2::Sha256::digest(text.as_bytes());
    let hex: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("now {} bytes, SHA-256 {hex}…", text.len())
}

/// An act as it is recorded.
#[derive(Debug, PartialEq, Eq)]
struct Act<'a> {
    deed: &'static str,
    subject: Option<&'a PatientId>,
    object: String,
    detail: String,
}

/// How an act is recorded; nothing for what its own handler records. Reasons in people's own words
/// stay in the journal: they may name somebody.
fn act(action: &Action) -> Option<Act<'_>> {
    let on = |deed, object: String| Act { deed, subject: None, object, detail: String::new() };
    let of = |deed, patient| Act { deed, subject: Some(patient), object: String::new(), detail: String::new() };
    Some(match action {
        Action::Acknowledge { episode, .. } => on("acknowledge-alert", episode.to_string()),
        Action::Snooze { episode, .. } => on("snooze-alert", episode.to_string()),
        Action::Escalate { episode, .. } => on("escalate-alert", episode.to_string()),
        Action::Reset { episode, .. } => on("reset-alert", episode.to_string()),
        Action::UseModels { models } => {
            let each = models.iter().map(|one| format!("{} {} ({})", one.id, one.version, one.role.name()));
            on("use-models", each.collect::<Vec<_>>().join(", "))
        }
        Action::Judge { episode, verdict, .. } => {
            Act { detail: verdict.name().to_owned(), ..on("judge-alert", episode.to_string()) }
        }
        Action::Associate { device, patient, .. } => {
            Act { object: device.to_string(), ..of("associate-device", patient) }
        }
        Action::Disassociate { device, .. } => on("disassociate-device", device.to_string()),
        Action::Mount { device, location } => {
            let deed = if location.is_some() { "mount-device" } else { "unmount-device" };
            let detail = location.as_ref().map_or_else(String::new, |place| format!("at {place}"));
            Act { detail, ..on(deed, device.to_string()) }
        }
        Action::SetLimits { patient, metric, low, high, .. } => {
            let back = low.is_none() && high.is_none();
            let deed = if back { "clear-limits" } else { "set-limits-of-patient" };
            Act { object: metric.refid(), ..of(deed, patient) }
        }
        Action::Baseline { patient, metric, step, .. } => {
            let deed = match step {
                BaselineStep::Pause => "pause-own-normal",
                BaselineStep::Resume => "resume-own-normal",
                BaselineStep::Reset => "reset-own-normal",
                BaselineStep::State { .. } => "state-own-normal",
            };
            Act { object: metric.refid(), ..of(deed, patient) }
        }
        Action::SetSpo2Scale { patient, scale, .. } => {
            Act { detail: format!("scale {scale}"), ..of("set-spo2-scale", patient) }
        }
        Action::Seen { patient, how } => Act { detail: how.name().to_owned(), ..of("look-after-patient", patient) },
        Action::Pathway { patient, pathway, deed } => {
            let named = match deed {
                PathwayDeed::Start { .. } => "start-pathway",
                PathwayDeed::Decline { .. } => "decline-pathway",
                PathwayDeed::Stop { .. } => "stop-pathway",
                PathwayDeed::StepDone { .. } => "do-pathway-step",
                PathwayDeed::StepNotApplicable { .. } => "rule-out-pathway-step",
                PathwayDeed::StepDeclined { .. } => "decline-pathway-step",
            };
            let step = deed.step().unwrap_or_default().to_owned();
            Act { object: pathway.clone(), detail: step, ..of(named, patient) }
        }
        Action::Directory(event) => directory(event),
        Action::Release { quarantined, .. } => on("release-message", quarantined.to_string()),
        Action::Discard { quarantined, .. } => on("discard-message", quarantined.to_string()),
        Action::Hold { patient, .. } => of("hold-data", patient),
        Action::ReleaseHold { hold, .. } => on("release-hold", hold.to_string()),
        Action::Erase { patient, .. } => of("erase-patient", patient),
        Action::Command(order) => {
            let detail = format!("{} ({})", order.name, order.class.name());
            Act { object: format!("{} of {}", order.id, order.device), detail, ..of("request-command", &order.patient) }
        }
        Action::CommandStep { command, device, step } => {
            let deed = match step {
                CommandStep::Confirm => "confirm-command",
                CommandStep::Cancel { .. } => "cancel-command",
                // What the platform and the device do is recorded by whoever sends.
                _ => return None,
            };
            on(deed, format!("{command} of {device}"))
        }
        Action::Note { .. } => return None,
    })
}

fn directory(event: &DirectoryEvent) -> Act<'_> {
    let (deed, subject, object) = match event {
        DirectoryEvent::Patient(patient) => ("put-patient", Some(&patient.id), String::new()),
        DirectoryEvent::Merge { survivor, .. } => ("merge-patients", Some(survivor), String::new()),
        DirectoryEvent::Encounter(encounter) => ("put-encounter", Some(&encounter.patient), String::new()),
        DirectoryEvent::Location(place) => ("put-place", None, place.id.to_string()),
        DirectoryEvent::Device(device) => ("put-device", None, device.id.to_string()),
        DirectoryEvent::Movement(_) => ("move-patient", None, String::new()),
    };
    Act { deed, subject, object, detail: String::new() }
}
