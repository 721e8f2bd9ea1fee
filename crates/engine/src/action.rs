//! What people and programs do.

use alert::Limit;
use vitals::{Action, Actor, AssociationBasis, EffectiveTime, EpisodeId, Hold, PatientId};

use crate::effect::Effect;
use crate::{Engine, Step};

impl Engine {
    pub(crate) fn action(
        &mut self,
        actor: &Actor,
        action: &Action,
        cx: &mut Step,
        out: &mut Vec<Effect>,
    ) {
        let now = EffectiveTime(self.now.0);
        match action {
            Action::Acknowledge { episode, .. }
            | Action::Snooze { episode, .. }
            | Action::Escalate { episode, .. }
            | Action::Reset { episode, .. } => self.alert_action(*episode, actor, action, out),
            Action::Associate { device, patient, since } => {
                let basis = AssociationBasis::Person(actor.name.clone());
                let at = since.unwrap_or(now).min(now);
                self.associate(device, patient, basis, at, out);
                if let Some(state) = self.devices.get_mut(device) {
                    state.known = true;
                }
            }
            Action::Disassociate { device, at } => {
                self.disassociate(device, at.unwrap_or(now).min(now), out);
            }
            Action::Directory(event) => self.directory_event(event, out),
            Action::Mount { device, location } => {
                self.mount(device, location.as_ref(), out);
            }
            Action::SetLimits { patient, metric, low, high, .. } => {
                self.change_patient(patient, cx, out, |state| {
                    state.limits.retain(|limit| limit.metric != *metric);
                    if low.is_some() || high.is_some() {
                        state.limits.push(Limit { metric: *metric, low: *low, high: *high });
                    }
                });
            }
            Action::Baseline { patient, metric, step, reason } => {
                let id = self.directory.resolve(patient).clone();
                self.ensure_patient(&id);
                let said = crate::Decision { by: actor.name.clone(), reason: reason.clone(), at: self.now.0 };
                self.decide_normal(&id, *metric, step, said);
                self.judge_patient(&id, cx, out);
            }
            Action::SetSpo2Scale { patient, scale, .. } => {
                self.change_patient(patient, cx, out, |state| state.spo2_scale = *scale);
            }
            Action::Release { quarantined, message } => {
                cx.released = true;
                self.message(message, cx, out);
                out.push(ended(*quarantined, true, actor));
            }
            Action::Discard { quarantined, .. } => out.push(ended(*quarantined, false, actor)),
            Action::Note { .. } => {}
            Action::UseModels { models } => self.use_models(models, out),
            Action::Hold { patient, from, to, reason } => {
                let patient = self.directory.resolve(patient).clone();
                let (reason, by) = (reason.clone(), actor.name.clone());
                let (id, from, to, at) = (cx.offset, *from, *to, self.now);
                self.note_hold(id, Some(patient.clone()));
                out.push(Effect::Held(Box::new(Hold { id, patient, from, to, reason, by, at, released: None })));
            }
            Action::Erase { patient, reason } => {
                self.erase(patient, (&actor.name, reason), cx.offset, out);
            }
            Action::Command(order) => self.request(actor, order, out),
            Action::CommandStep { command, device, step } => {
                self.command_step(actor, (command, device), step, out);
            }
            Action::Judge { episode, verdict, note } => out.push(Effect::Judged {
                episode: *episode,
                verdict: *verdict,
                by: actor.name.clone(),
                note: note.clone(),
                at: self.now,
            }),
            Action::Seen { patient, how } => self.seen(patient, actor, how.name(), cx, out),
            Action::Pathway { patient, pathway, deed } => {
                self.decide_pathway((patient, pathway, deed), actor, cx, out);
            }
            Action::ReleaseHold { hold, .. } => {
                self.note_hold(*hold, None);
                out.push(Effect::HoldReleased { hold: *hold, by: actor.name.clone(), at: self.now });
            }
        }
    }

    /// Does to an open alert what somebody would have done, as of the last entry: for what-if runs,
    /// whose alerts are not those that people saw. Other actions do nothing.
    pub fn answer(&mut self, actor: &Actor, action: &Action, out: &mut Vec<Effect>) {
        if let Action::Acknowledge { episode, .. }
        | Action::Snooze { episode, .. }
        | Action::Escalate { episode, .. }
        | Action::Reset { episode, .. } = action
        {
            self.alert_action(*episode, actor, action, out);
        }
    }

    fn change_patient(
        &mut self,
        id: &PatientId,
        cx: &mut Step,
        out: &mut Vec<Effect>,
        change: impl FnOnce(&mut crate::PatientState),
    ) {
        let id = self.directory.resolve(id).clone();
        self.ensure_patient(&id);
        if let Some(state) = self.patients.get_mut(&id) {
            change(state);
        }
        self.configure(&id);
        self.judge_patient(&id, cx, out);
    }

    fn alert_action(
        &mut self,
        episode: EpisodeId,
        actor: &Actor,
        action: &Action,
        out: &mut Vec<Effect>,
    ) {
        let owner = self
            .patients
            .values()
            .find(|patient| patient.episodes.open().iter().any(|open| open.id == episode))
            .map(|patient| patient.id.clone());
        let Some(id) = owner else {
            out.push(Effect::Counted("action-on-ended-alert"));
            return;
        };
        let policy = self.policy.clone();
        let mut changes = Vec::new();
        if let Some(patient) = self.patients.get_mut(&id) {
            let now = if patient.recorded { patient.clock } else { self.now.0 };
            // Times that people give are on our clock; a recording's clock is moved as much.
            let shift = now - self.now.0;
            let open = &mut patient.episodes;
            match action {
                Action::Acknowledge { until, note, .. } => {
                    let until = until.map(|until| until.0 + shift);
                    open.acknowledge(episode, actor, until, note, now, &mut changes);
                }
                Action::Snooze { until, reason, .. } => {
                    open.snooze(episode, actor, until.0 + shift, reason, now, &mut changes);
                }
                Action::Escalate { reason, .. } => {
                    open.escalate(episode, actor, reason, now, &policy, &mut changes);
                }
                Action::Reset { note, .. } => {
                    open.reset(episode, actor, note, now, &mut changes);
                }
                _ => {}
            }
        }
        self.push_alerts(&id, changes, out);
        self.looked_at_alert(&id, actor);
        self.touch_patient(&id);
        self.set_patient_timer(&id);
    }
}

fn ended(offset: vitals::Offset, released: bool, actor: &Actor) -> Effect {
    Effect::QuarantineEnded { offset, released, by: actor.name.clone() }
}
