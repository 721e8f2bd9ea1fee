//! A changed policy on the same past.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use engine::{Effect, Engine};
use journal::Entry;
use vitals::time::SECOND;
use vitals::{Action, EpisodeId, Event, PatientId};

use super::present::Numbers;
use super::{Batch, Fact, Past};
use crate::answers::{self, Answers};
use crate::measure::Settings;
use crate::watch::Watch;
use crate::Candidate;

pub(super) struct Run<'a> {
    engine: Engine,
    candidate: &'a Candidate,
    past: &'a Past,
    settings: &'a Settings,
    /// Whether the changed policy is in force by now.
    begun: bool,
    watch: Watch,
    numbers: Numbers,
    /// Alerts that are open in the present: whose, and in which group.
    real: HashMap<EpisodeId, (PatientId, String)>,
    /// Patient and group of those that sound there.
    sounding: BTreeSet<(PatientId, String)>,
    /// Alerts that are open here, by name.
    own: BTreeMap<EpisodeId, (PatientId, String)>,
    answers: Answers,
    /// Time of the entry at hand, on our clock.
    now: i64,
    out: Vec<Effect>,
}

impl<'a> Run<'a> {
    pub(super) fn new(engine: Engine, candidate: &'a Candidate, past: &'a Past, settings: &'a Settings) -> Self {
        Self {
            engine,
            candidate,
            past,
            settings,
            begun: false,
            watch: Watch::default(),
            numbers: Numbers::default(),
            real: HashMap::new(),
            sounding: BTreeSet::new(),
            own: BTreeMap::new(),
            answers: Answers::default(),
            now: 0,
            out: Vec::new(),
        }
    }

    /// What was raised, by the numbers of the present's patients.
    pub(super) fn end(mut self, numbers: &mut Numbers) -> Watch {
        for alert in &mut self.watch.raised {
            if let Some(name) = self.numbers.name(alert.patient) {
                alert.patient = numbers.of(name);
            }
        }
        self.watch
    }

    /// Takes in a batch.
    pub(super) fn take(&mut self, batch: &Batch) {
        let mut facts = batch.facts.iter().peekable();
        for entry in &batch.entries {
            if !self.begun && self.past.from.is_none_or(|from| entry.at >= from) {
                self.begun = true;
                self.engine.adopt((*self.candidate.policy).clone(), None);
            }
            self.now = entry.at.0;
            let event = self.translated(entry);
            self.engine.step(entry.offset, entry.at, event.as_ref().unwrap_or(&entry.event), &mut self.out);
            self.conclude();
            while let Some(fact) = facts.next_if(|fact| fact.offset <= entry.offset) {
                self.learn(fact);
            }
            if self.answers.due().is_some_and(|due| due <= entry.at.0) {
                self.answer();
            }
        }
    }

    /// What the entry is here, if that is something else: what people did to an alert they do to the
    /// one that stands in its place; the policy stays.
    fn translated(&self, entry: &Entry) -> Option<Event> {
        match &entry.event {
            Event::Policy(..) if self.begun => Some(Event::Tick),
            Event::Action(actor, action) => {
                let own = |episode: &EpisodeId| self.counterpart(*episode);
                let mut action = action.clone();
                match &mut action {
                    Action::Acknowledge { episode, .. }
                    | Action::Snooze { episode, .. }
                    | Action::Escalate { episode, .. }
                    | Action::Reset { episode, .. } => match own(episode) {
                        Some(counterpart) => *episode = counterpart,
                        None => return Some(Event::Tick),
                    },
                    _ => return None,
                }
                Some(Event::Action(actor.clone(), action))
            }
            _ => None,
        }
    }

    /// The open alert here that is about the same.
    fn counterpart(&self, real: EpisodeId) -> Option<EpisodeId> {
        let (patient, group) = self.real.get(&real)?;
        let open = self.engine.patient(patient)?.episodes.open();
        open.iter().find(|episode| episode.group == *group).map(|episode| episode.id)
    }

    fn conclude(&mut self) {
        for effect in self.out.drain(..) {
            let Effect::Alert(record) = effect else { continue };
            let number = self.numbers.of(&record.patient);
            if self.begun || record.kind != alert::ChangeKind::Raised {
                self.watch.note(number, &record);
            }
            let episode = &record.episode;
            if episode.state == alert::EpisodeState::Resolved {
                self.own.remove(&episode.id);
                self.answers.drop(episode.id);
            } else if episode.state.sounding() {
                let at = answers::answered_at(self.settings.answered_after_s, record.patient.as_str(), self.now);
                self.answers.expect(at, episode.id);
                self.own.insert(episode.id, (record.patient.clone(), episode.group.clone()));
            } else {
                self.answers.drop(episode.id);
            }
        }
    }

    fn learn(&mut self, fact: &Fact) {
        let key = (fact.patient.clone(), fact.group.clone());
        if fact.sounding {
            self.sounding.insert(key.clone());
        } else {
            self.sounding.remove(&key);
        }
        if fact.over {
            self.real.remove(&fact.id);
        } else {
            self.real.insert(fact.id, key);
        }
    }

    /// People take what is due, unless the same sounds in the present: what they really did there
    /// is done here as well.
    fn answer(&mut self) {
        let now = self.now;
        for episode in self.answers.take(now) {
            let Some(key) = self.own.get(&episode) else { continue };
            if self.sounding.contains(key) {
                self.answers.expect(Some(now + SECOND), episode);
                continue;
            }
            let action = answers::acknowledge(episode);
            self.engine.answer(&answers::actor(), &action, &mut self.out);
        }
        self.conclude();
    }
}
