//! What becomes of a pathway for one patient: suggested, started or declined by somebody, its steps
//! done or left out, until it has ended. One closed state machine; each change is one event.

use serde::{Deserialize, Serialize};
use vitals::{Actor, EpisodeId, PathwayDeed};

use crate::condition::Limits;
use crate::expression::{Expression, Term, Truth};
use crate::pathway::record::{Decision, Offer, OfferChange, OfferEvent, OfferKind, OfferState, StepState, StepStatus};
use crate::pathway::{Pathway, PathwayStep};

/// Ended offers that are kept with the patient; all are in the store.
const ENDED_MAX: usize = 10;
/// Events kept of one offer.
const EVENTS_MAX: usize = 100;
/// Who the platform is.
const SYSTEM: &str = "system";

/// What surrounds a patient's offers in one step.
pub struct Surroundings<'a> {
    /// The patient's clock, in microseconds.
    pub now: i64,
    /// The policy's pathways.
    pub pathways: &'a [Pathway],
    /// Which of them are for this patient.
    pub limits: &'a Limits<'a>,
    /// The early-warning score, 0 without one.
    pub severity: f64,
    /// An expression's terms with their values, in words.
    pub describe: &'a dyn Fn(&Expression) -> String,
    /// Names for new offers.
    pub next_id: &'a mut dyn FnMut() -> EpisodeId,
}

/// How long a trigger has been on or off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Watch {
    pathway: String,
    on_since: Option<i64>,
    off_since: Option<i64>,
    excess: f64,
    /// The excess and the early-warning score when somebody had decided: until it is worse than
    /// that, or over, nothing more is suggested.
    mark: Option<(f64, f64)>,
}

impl Watch {
    fn worse(&self, pathway: &Pathway, severity: f64) -> bool {
        self.mark.is_none_or(|(excess, score)| {
            self.excess >= excess + pathway.worsen_by || severity >= score + pathway.worsen_score
        })
    }
}

/// A decision that changes nothing, by reason (DU-2).
pub type Refusal = &'static str;

/// The pathways of one patient.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Offers {
    all: Vec<Offer>,
    watches: Vec<Watch>,
}

impl Offers {
    /// Those that matter and the last that ended, oldest first.
    #[must_use]
    pub fn all(&self) -> &[Offer] {
        &self.all
    }

    /// Those that matter now.
    pub fn open(&self) -> impl Iterator<Item = &Offer> {
        self.all.iter().filter(|offer| offer.ended_at.is_none())
    }

    /// Whether time alone may change something here.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.open().next().is_none()
    }

    /// Judges triggers, conditions and time limits.
    pub fn step(
        &mut self,
        value: &impl Fn(Term) -> Option<f64>,
        cx: &mut Surroundings<'_>,
        out: &mut Vec<OfferChange>,
    ) {
        self.watch(value, cx);
        for pathway in cx.pathways.iter().filter(|pathway| pathway.is_for(cx.limits)) {
            let (on, gone) = self.standing(pathway, cx);
            let open = self.all.iter().position(|offer| offer.pathway == pathway.id && offer.ended_at.is_none());
            let worse = self.watch_of(&pathway.id).is_some_and(|watch| watch.worse(pathway, cx.severity));
            match open {
                None if on && worse => self.suggest(pathway, cx, out),
                None => {}
                Some(at) => {
                    let offer = &mut self.all[at];
                    match (offer.state, gone) {
                        (OfferState::Suggested | OfferState::Declined, Some(why)) => {
                            offer.end(OfferState::Withdrawn, OfferKind::Withdrawn, &system(cx.now, why), out);
                        }
                        (OfferState::Declined, None) if on && worse => {
                            offer.state = OfferState::Suggested;
                            offer.because = (cx.describe)(&pathway.when);
                            let why = format!("worse than when it was declined: {}", offer.because);
                            offer.note(OfferKind::SuggestedAgain, "", system(cx.now, &why), out);
                        }
                        (OfferState::Running, _) => offer.go_on(pathway, value, cx.now, out),
                        _ => {}
                    }
                }
            }
            self.mark(&pathway.id, cx.severity);
        }
        self.trim();
    }

    /// Notes how bad it was when somebody had decided; what is suggested anew has no such mark.
    fn mark(&mut self, pathway: &str, severity: f64) {
        let last = self.all.iter().rev().find(|offer| offer.pathway == pathway);
        let decided = last.is_some_and(|offer| {
            matches!(offer.state, OfferState::Declined | OfferState::Completed | OfferState::Stopped)
        });
        if let Some(watch) = self.watches.iter_mut().find(|watch| watch.pathway == pathway) {
            // A recurrence is not what was decided on.
            let ended = last.and_then(|offer| offer.ended_at).unwrap_or(i64::MAX);
            let then = decided && watch.on_since.is_some_and(|on| on <= ended);
            watch.mark = watch.mark.filter(|_| decided).or(then.then_some((watch.excess, severity)));
        }
    }

    /// Somebody decides something.
    ///
    /// # Errors
    /// Why nothing came of it, to be counted.
    pub fn decide(
        &mut self,
        id: &str,
        deed: &PathwayDeed,
        actor: &Actor,
        cx: &mut Surroundings<'_>,
        out: &mut Vec<OfferChange>,
    ) -> Result<(), Refusal> {
        if deed.needs_reason() && deed.reason().trim().is_empty() {
            return Err("pathway-without-reason");
        }
        let said = Decision {
            by: actor.name.clone(),
            role: Some(actor.role),
            at: cx.now,
            reason: deed.reason().to_owned(),
        };
        let done = self.decided(id, deed, said, cx, out);
        self.mark(id, cx.severity);
        done
    }

    fn decided(
        &mut self,
        id: &str,
        deed: &PathwayDeed,
        said: Decision,
        cx: &mut Surroundings<'_>,
        out: &mut Vec<OfferChange>,
    ) -> Result<(), Refusal> {
        let pathway = cx.pathways.iter().find(|pathway| pathway.id == id);
        let open = self.all.iter_mut().find(|offer| offer.pathway == id && offer.ended_at.is_none());
        match (open, deed) {
            (Some(offer), PathwayDeed::Start { .. }) if offer.state != OfferState::Running => {
                offer.start(said, out);
                Ok(())
            }
            (None, PathwayDeed::Start { .. }) => {
                let pathway = pathway.filter(|pathway| pathway.is_for(cx.limits)).ok_or("pathway-unknown")?;
                let mut offer = Offer::new(pathway, (cx.next_id)(), cx.now, String::new());
                offer.start(said, out);
                self.all.push(offer);
                self.trim();
                Ok(())
            }
            (Some(offer), PathwayDeed::Decline { .. }) if offer.state == OfferState::Suggested => {
                offer.state = OfferState::Declined;
                offer.note(OfferKind::Declined, "", said, out);
                Ok(())
            }
            (Some(offer), PathwayDeed::Stop { .. }) if offer.state == OfferState::Running => {
                offer.end(OfferState::Stopped, OfferKind::Stopped, &said, out);
                Ok(())
            }
            (Some(offer), deed) if offer.state == OfferState::Running => offer.decide_step(deed, said, out),
            (None, _) => Err("pathway-not-open"),
            (Some(_), _) => Err("pathway-not-in-this-state"),
        }
    }

    fn watch(&mut self, value: &impl Fn(Term) -> Option<f64>, cx: &Surroundings<'_>) {
        self.watches.retain(|watch| cx.pathways.iter().any(|pathway| pathway.id == watch.pathway));
        for pathway in cx.pathways.iter().filter(|pathway| pathway.is_for(cx.limits)) {
            let truth = pathway.when.evaluate(value, 0.0);
            let at = self.watches.iter().position(|watch| watch.pathway == pathway.id);
            let at = match (at, truth) {
                (Some(at), _) => at,
                // Most patients never come near: nothing is kept of them.
                (None, Truth::False | Truth::Unknown) => continue,
                (None, Truth::True(_)) => {
                    let pathway = pathway.id.clone();
                    self.watches.push(Watch { pathway, on_since: None, off_since: None, excess: 0.0, mark: None });
                    self.watches.len() - 1
                }
            };
            let watch = &mut self.watches[at];
            match truth {
                Truth::True(excess) => {
                    watch.on_since.get_or_insert(cx.now);
                    watch.off_since = None;
                    watch.excess = if excess.is_finite() { excess } else { 0.0 };
                }
                Truth::False => {
                    watch.on_since = None;
                    let since = *watch.off_since.get_or_insert(cx.now);
                    if cx.now.saturating_sub(since) >= pathway.clear_us {
                        watch.mark = None;
                    }
                }
                // A value that is missing says neither.
                Truth::Unknown => {}
            }
        }
    }

    fn watch_of(&self, pathway: &str) -> Option<&Watch> {
        self.watches.iter().find(|watch| watch.pathway == pathway)
    }

    /// Whether it is to be suggested, and why it is to be withdrawn. One that supersedes it stands in its
    /// place while its trigger holds and until that one is over: one course of events, one suggestion.
    fn standing(&self, pathway: &Pathway, cx: &Surroundings<'_>) -> (bool, Option<&'static str>) {
        let held = |pathway: &Pathway| {
            let since = self.watch_of(&pathway.id).and_then(|watch| watch.on_since);
            since.is_some_and(|since| cx.now.saturating_sub(since) >= pathway.for_us)
        };
        let open = |other: &Pathway| self.open().any(|offer| offer.pathway == other.id);
        let superseded = cx.pathways.iter().any(|other| {
            other.supersedes.contains(&pathway.id) && other.is_for(cx.limits) && (held(other) || open(other))
        });
        let off = self.watch_of(&pathway.id).and_then(|watch| watch.off_since);
        let off_long = off.is_some_and(|since| cx.now.saturating_sub(since) >= pathway.clear_us);
        let gone = superseded.then_some("a more urgent one takes its place").or(off_long.then_some("its trigger is gone"));
        (held(pathway) && !superseded, gone)
    }

    fn suggest(&mut self, pathway: &Pathway, cx: &mut Surroundings<'_>, out: &mut Vec<OfferChange>) {
        let because = (cx.describe)(&pathway.when);
        let mut offer = Offer::new(pathway, (cx.next_id)(), cx.now, because.clone());
        offer.note(OfferKind::Suggested, "", system(cx.now, &because), out);
        self.all.push(offer);
    }

    fn trim(&mut self) {
        let ended = self.all.iter().filter(|offer| offer.ended_at.is_some()).count();
        for _ in ENDED_MAX..ended {
            if let Some(oldest) = self.all.iter().position(|offer| offer.ended_at.is_some()) {
                self.all.remove(oldest);
            }
        }
    }
}

impl Offer {
    fn new(pathway: &Pathway, id: EpisodeId, now: i64, because: String) -> Self {
        Self {
            id,
            pathway: pathway.id.clone(),
            title: pathway.title.clone(),
            source: pathway.source.clone(),
            because,
            state: OfferState::Suggested,
            began_at: now,
            started_at: None,
            ended_at: None,
            steps: pathway.steps.iter().map(status).collect(),
            events: Vec::new(),
            version: 0,
        }
    }

    fn note(&mut self, kind: OfferKind, step: &str, decision: Decision, out: &mut Vec<OfferChange>) {
        let event = OfferEvent { kind, step: step.to_owned(), decision };
        if self.events.len() == EVENTS_MAX {
            self.events.remove(0);
        }
        self.events.push(event.clone());
        self.version += 1;
        out.push(OfferChange { offer: self.clone(), event });
    }

    fn start(&mut self, said: Decision, out: &mut Vec<OfferChange>) {
        let now = said.at;
        self.state = OfferState::Running;
        self.started_at = Some(now);
        for step in self.steps.iter_mut().filter(|step| step.state == StepState::Open) {
            step.due_at = step.within_us.map(|within| now.saturating_add(within));
        }
        self.note(OfferKind::Started, "", said, out);
    }

    fn end(&mut self, state: OfferState, kind: OfferKind, said: &Decision, out: &mut Vec<OfferChange>) {
        // What somebody declined stays declined; that its reason is gone ends it all the same.
        if self.state != OfferState::Declined {
            self.state = state;
        }
        self.ended_at = Some(said.at);
        self.note(kind, "", said.clone(), out);
    }

    fn decide_step(&mut self, deed: &PathwayDeed, said: Decision, out: &mut Vec<OfferChange>) -> Result<(), Refusal> {
        let (id, state, kind) = match deed {
            PathwayDeed::StepDone { step, .. } => (step, StepState::Done, OfferKind::StepDone),
            PathwayDeed::StepNotApplicable { step, .. } => {
                (step, StepState::NotApplicable, OfferKind::StepNotApplicable)
            }
            PathwayDeed::StepDeclined { step, .. } => (step, StepState::Declined, OfferKind::StepDeclined),
            _ => return Err("pathway-not-in-this-state"),
        };
        let step = self.steps.iter_mut().find(|step| step.id == *id).ok_or("pathway-step-unknown")?;
        if step.state.decided() {
            return Err("pathway-step-decided");
        }
        step.state = state;
        step.decision = Some(said.clone());
        let now = said.at;
        self.note(kind, id, said, out);
        self.complete_if_done(now, out);
        Ok(())
    }

    /// Conditions of steps, time limits, and the end.
    fn go_on(
        &mut self,
        pathway: &Pathway,
        value: &impl Fn(Term) -> Option<f64>,
        now: i64,
        out: &mut Vec<OfferChange>,
    ) {
        for at in 0..self.steps.len() {
            let step = &mut self.steps[at];
            let when = pathway.step(&step.id).and_then(|known| known.when.as_ref());
            let holds = || when.is_some_and(|when| matches!(when.evaluate(value, 0.0), Truth::True(_)));
            if step.state == StepState::Waiting && holds() {
                step.state = StepState::Open;
                step.due_at = step.within_us.map(|within| now.saturating_add(within));
                let (id, why) = (step.id.clone(), step.only_if.clone());
                self.note(OfferKind::StepNeeded, &id, system(now, &why), out);
            } else if step.state == StepState::Open && !step.overdue && step.due_at.is_some_and(|due| due <= now) {
                step.overdue = true;
                let id = step.id.clone();
                self.note(OfferKind::StepOverdue, &id, system(now, ""), out);
            }
        }
        self.complete_if_done(now, out);
    }

    /// It is complete when every step that was needed is decided, and the time is over in which
    /// another could have been.
    fn complete_if_done(&mut self, now: i64, out: &mut Vec<OfferChange>) {
        let longest = self.steps.iter().filter_map(|step| step.within_us).max().unwrap_or(0);
        let over = self.started_at.is_some_and(|start| now >= start.saturating_add(longest));
        let done = |step: &StepStatus| step.state.decided() || over && step.state == StepState::Waiting;
        if self.steps.iter().all(done) {
            for step in self.steps.iter_mut().filter(|step| step.state == StepState::Waiting) {
                step.state = StepState::NotApplicable;
                step.decision = Some(system(now, "its condition never held"));
            }
            self.end(OfferState::Completed, OfferKind::Completed, &system(now, ""), out);
        }
    }

    /// Steps whose time limit has passed.
    pub fn overdue(&self, now: i64) -> impl Iterator<Item = &StepStatus> {
        let running = self.state == OfferState::Running;
        let late = move |step: &&StepStatus| {
            running && step.state == StepState::Open && step.due_at.is_some_and(|due| due <= now)
        };
        self.steps.iter().filter(late)
    }
}

fn status(step: &PathwayStep) -> StepStatus {
    StepStatus {
        id: step.id.clone(),
        title: step.title.clone(),
        only_if: step.when.as_ref().map(ToString::to_string).unwrap_or_default(),
        after: step.after.clone().unwrap_or_default(),
        within_us: step.within_us,
        state: if step.when.is_some() { StepState::Waiting } else { StepState::Open },
        due_at: None,
        overdue: false,
        decision: None,
    }
}

fn system(at: i64, reason: &str) -> Decision {
    Decision { by: SYSTEM.to_owned(), role: None, at, reason: reason.to_owned() }
}
