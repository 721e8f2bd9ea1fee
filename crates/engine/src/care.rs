//! Looking after a patient: the last hours of the vital signs, who looked last, where the patient
//! stands in the worklist, and the care pathways; judged with the patient.

use alert::pathway::{OfferChange, Offers, Surroundings as Around};
use alert::worklist::{self, Alarm, Course, Gain, Overdue, ScoreSeen, Sign, Situation, Standing, Step as Late, Weights};
use alert::{Expression, Limits, Policy};
use score::Band;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use vitals::metric::code;
use vitals::time::{MINUTE, SECOND};
use vitals::{
    Actor, EpisodeId, LocationId, Look, MetricCode, PathwayDeed, PatientId, ReceiveTime, Role,
};

use crate::effect::{Effect, PathwayRecord};
use crate::patient::PatientState;
use crate::telling::say;
use crate::{Engine, Step};

const HOUR: i64 = 60 * MINUTE;
/// A patient is weighed anew after this long.
const WEIGH_EVERY: i64 = MINUTE;
/// Triggers of pathways are looked at again after this long.
const LOOK_EVERY: i64 = 5 * SECOND;
/// Below this age in years vital signs have other ranges: trends of single ones are not told.
const ADULT_FROM: f64 = 16.0;
/// The page opened again within this time is the same look.
const SAME_LOOK: i64 = 5 * MINUTE;
/// What the charts of patients are called that stand for people who write into a record.
const CHART: &str = "chart-";

/// Who looked after a patient last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// When, in microseconds on the patient's clock.
    pub at: i64,
    /// Account name.
    pub by: String,
    /// `opened`, `bedside`, `charted`, `alert` or `pathway`.
    pub how: String,
}

/// What looking after one patient needs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Care {
    /// The last hours of the vital signs.
    pub course: Course,
    /// Who looked last.
    pub seen: Option<Seen>,
    /// Since when the patient is known, in microseconds on the patient's clock; 0: nothing was heard.
    pub since: i64,
    /// Where the patient stands in the worklist.
    pub standing: Standing,
    /// Care pathways.
    pub offers: Offers,
    /// When triggers were last looked at.
    looked_at: i64,
}

impl Care {
    /// Takes in a value that may be believed.
    pub(crate) fn note(&mut self, metric: MetricCode, value: f64, time: i64) {
        if Sign::of(metric).is_some() {
            self.course.note(metric, value, time);
        }
    }

    /// Somebody looked after the patient. Whether that is news.
    pub(crate) fn look(&mut self, at: i64, by: &str, how: &str) -> bool {
        let known = self.seen.as_ref();
        let again = known.is_some_and(|seen| {
            at < seen.at || how == Look::Opened.name() && seen.by == by && at < seen.at.saturating_add(SAME_LOOK)
        });
        if !again {
            self.seen = Some(Seen { at, by: by.to_owned(), how: how.to_owned() });
        }
        !again
    }

    /// Since when nobody has looked; none while nothing is known.
    #[must_use]
    pub fn unseen_since(&self) -> Option<i64> {
        let known = Some(self.since).filter(|since| *since > 0);
        self.seen.as_ref().map(|seen| seen.at).or(known)
    }

    /// Another clock begins: nothing of the old one can be compared with it. What people decided stays.
    pub(crate) fn begin_anew(&mut self) {
        let offers = std::mem::take(&mut self.offers);
        *self = Self { offers, ..Self::default() };
    }
}

/// Roles whose deed about an alert counts as a look: people who care for others. Who may say that they
/// looked, or decide on a pathway, is the access policy's to say, before an action is in the journal.
const fn looks_after(role: Role) -> bool {
    !matches!(role, Role::Service | Role::Patient | Role::Caregiver)
}

/// What surrounds a patient whom somebody looks after.
pub(crate) struct Ward<'a> {
    pub policy: &'a Policy,
    pub limits: Limits<'a>,
    pub next_id: &'a mut dyn FnMut() -> EpisodeId,
}

impl PatientState {
    /// Looks at the triggers of pathways, if it is time. Gives what changed.
    fn follow(&mut self, now: i64, ward: &mut Ward<'_>, out: &mut Vec<OfferChange>) {
        self.with_offers(now, ward, |offers, value, around| {
            offers.step(&value, around, out);
        });
        self.care.looked_at = now;
    }

    /// Moves the clock on for what a person does; it begins to run with what is heard of the patient, not before.
    fn move_clock(&mut self, at: i64) {
        if self.clock > 0 {
            self.clock = self.clock.max(at);
        }
    }

    /// Hands the offers out with all that they need to know of the patient.
    fn with_offers<T>(
        &mut self,
        now: i64,
        ward: &mut Ward<'_>,
        act: impl FnOnce(&mut Offers, &dyn Fn(MetricCode) -> Option<f64>, &mut Around<'_>) -> T,
    ) -> T {
        let mut offers = std::mem::take(&mut self.care.offers);
        let value = |term: MetricCode| {
            let score = self.scores.term(term);
            score.or_else(|| self.values.usable(term, now).map(|current| current.value))
        };
        let describe = |when: &Expression| self.describe(when, now);
        let mut around = Around {
            now,
            pathways: &ward.policy.pathways,
            limits: &ward.limits,
            severity: self.scores.term(self.scores.primary()).unwrap_or(0.0),
            describe: &describe,
            next_id: &mut *ward.next_id,
        };
        let done = act(&mut offers, &value, &mut around);
        self.care.offers = offers;
        done
    }

    /// The terms of an expression with their values, in words.
    fn describe(&self, when: &Expression, now: i64) -> String {
        let mut terms: SmallVec<[MetricCode; 8]> = SmallVec::new();
        when.comparisons(&mut |term, _, _| {
            if !terms.contains(&term) {
                terms.push(term);
            }
        });
        let mut parts: Vec<String> = Vec::new();
        let mut readings = Vec::new();
        for term in terms {
            if let Some(text) = self.scores.describe(term, &mut readings, &self.values, now) {
                parts.push(text);
            } else if let Some(current) = self.values.usable(term, now) {
                parts.push(say(term, current.value));
            }
        }
        parts.join("; ")
    }

    /// Weighs the patient. Whether anything that people see changed.
    fn weigh(&mut self, now: i64, at_once: bool, weights: &Weights) -> bool {
        let window = (weights.window_h * HOUR as f64) as i64;
        let gains = self.gains(now, window, weights);
        let primary = self.scores.primary();
        let score = self.scores.get(primary).and_then(|score| {
            Some(ScoreSeen { name: score.name, value: score.value?, before: self.least_before(primary, now, window) })
        });
        let open = self.episodes.open().iter();
        let alerts: SmallVec<[Alarm<'_>; 4]> = open
            .map(|episode| Alarm {
                title: &episode.title,
                priority: episode.priority,
                sounding_since: episode.state.sounding().then_some(episode.raised_at),
            })
            .collect();
        let offers = &self.care.offers;
        let late: SmallVec<[Late<'_>; 4]> = offers
            .open()
            .flat_map(|offer| {
                let due = |at: Option<i64>| at.unwrap_or(now);
                offer.overdue(now).map(move |step| Late {
                    pathway: &offer.title,
                    title: &step.title,
                    due_at: due(step.due_at),
                })
            })
            .collect();
        let suggested = |offer: &&alert::pathway::Offer| offer.state == alert::pathway::OfferState::Suggested;
        let waiting: SmallVec<[&str; 4]> =
            offers.open().filter(suggested).map(|offer| offer.title.as_str()).collect();
        let risks = self.foresight.risks(now);
        let situation = Situation {
            now,
            score,
            gains: &gains,
            risks: &risks,
            unseen_since: self.care.unseen_since(),
            alerts: &alerts,
            overdue: self.overdue(now, weights),
            steps: &late,
            waiting: &waiting,
        };
        let rank = worklist::rank(&situation, weights);
        self.care.standing.settle(rank, now, at_once, weights)
    }

    /// Trends towards danger, one a vital sign.
    fn gains(&self, now: i64, window: i64, weights: &Weights) -> SmallVec<[Gain; 5]> {
        let mut gains: SmallVec<[Gain; 5]> = SmallVec::new();
        if self.scores.age_years.is_some_and(|age| age < ADULT_FROM) {
            return gains;
        }
        for metric in self.care.course.metrics() {
            let found = Sign::of(metric).and_then(|sign| {
                let slope = self.care.course.slope(metric, now, window)?;
                worklist::gain(sign, slope, self.spo2_scale, weights)
            });
            let Some(gain) = found else { continue };
            // Several metrics may measure one sign: the one that leads furthest speaks for it.
            match gains.iter_mut().find(|other| other.sign == gain.sign) {
                Some(other) if other.concern < gain.concern => *other = gain,
                Some(_) => {}
                None => gains.push(gain),
            }
        }
        gains
    }

    /// The least that a score was within the window, and when it last was that.
    fn least_before(&self, metric: MetricCode, now: i64, window: i64) -> Option<(f64, i64)> {
        let points = self.scores.trend(metric)?.points.iter();
        let within = points.filter(|(time, _)| *time >= now - window && *time <= now - 10 * MINUTE);
        within.fold(None, |least: Option<(f64, i64)>, (time, value)| match least {
            Some((low, _)) if low < *value => least,
            _ => Some((*value, *time)),
        })
    }

    /// What is measured later than the score's band asks for: the latest in proportion.
    fn overdue(&self, now: i64, weights: &Weights) -> Option<Overdue<'static>> {
        let score = self.scores.get(code::NEWS2)?;
        let hours = match score.band {
            Band::None => return None,
            Band::Low if score.value.is_some_and(|value| value < 1.0) => weights.observe_h[0],
            Band::Low => weights.observe_h[1],
            Band::LowMedium | Band::Medium => weights.observe_h[2],
            Band::High => weights.observe_h[3],
        };
        let every = (hours * HOUR as f64) as i64;
        let parts = score.parts.iter().filter(|part| part.metric != code::SUPPLEMENTAL_OXYGEN);
        let measured = parts.filter_map(|part| Some((part.metric, part.time?.0)));
        let (metric, last) = measured.min_by_key(|(_, time)| *time)?;
        let what = match Sign::of(metric) {
            Some(sign) => sign.words(),
            None => "level of consciousness",
        };
        (now.saturating_sub(last) > every).then_some(Overdue { what, last, every })
    }
}

impl Engine {
    /// Looks after a patient who was just judged: pathways, and the place in the worklist. `news` says
    /// that alerts changed, `act` that a person did something.
    pub(crate) fn look_after(&mut self, id: &PatientId, (news, act): (bool, bool), cx: &mut Step, out: &mut Vec<Effect>) {
        let policy = self.policy.clone();
        let Some(patient) = self.patients.get_mut(id) else { return };
        let now = patient.clock;
        if now == 0 {
            return;
        }
        if patient.care.since == 0 {
            patient.care.since = now;
        }
        let mut changes = Vec::new();
        if news || act || now.saturating_sub(patient.care.looked_at) >= LOOK_EVERY {
            let chosen = patient.chosen_by.clone();
            let own = patient.limits.clone();
            let limits = Limits {
                unit: chosen.as_ref().and_then(|by| by.unit.as_deref()),
                age_years: chosen.as_ref().and_then(|by| by.age_years),
                own: &own,
            };
            let mut next_id = || cx.next_id();
            let mut ward = Ward { policy: &policy, limits, next_id: &mut next_id };
            patient.follow(now, &mut ward, &mut changes);
        }
        let moved = news || act || !changes.is_empty();
        if moved || now.saturating_sub(patient.care.standing.at) >= WEIGH_EVERY {
            let told = patient.weigh(now, act, &policy.worklist);
            if told || moved {
                self.changed.worklist.insert(id.clone());
            }
        }
        self.push_offers(id, changes, out);
    }

    /// Somebody looked after a patient.
    pub(crate) fn seen(&mut self, id: &PatientId, actor: &Actor, how: &str, cx: &mut Step, out: &mut Vec<Effect>) {
        let id = self.directory.resolve(id).clone();
        let now = self.now.0;
        let Some(patient) = self.patients.get_mut(&id) else {
            out.push(Effect::Counted("look-not-counted"));
            return;
        };
        let at = if patient.recorded { patient.clock } else { now };
        if patient.care.look(at, &actor.name, how) {
            patient.move_clock(at);
            self.look_after(&id, (false, true), cx, out);
            self.touch_patient(&id);
            self.set_patient_timer(&id);
        }
    }

    /// Whoever does something about an alert has looked after its patient.
    pub(crate) fn looked_at_alert(&mut self, id: &PatientId, actor: &Actor) {
        let (policy, now) = (self.policy.clone(), self.now.0);
        let Some(patient) = self.patients.get_mut(id) else { return };
        let at = if patient.recorded { patient.clock } else { now };
        let theirs = looks_after(actor.role) && patient.care.look(at, &actor.name, "alert");
        patient.weigh(at, theirs, &policy.worklist);
        self.changed.worklist.insert(id.clone());
    }

    /// Somebody decides on a pathway (AL-5).
    pub(crate) fn decide_pathway(
        &mut self,
        (id, pathway, deed): (&PatientId, &str, &PathwayDeed),
        actor: &Actor,
        cx: &mut Step,
        out: &mut Vec<Effect>,
    ) {
        let id = self.directory.resolve(id).clone();
        let policy = self.policy.clone();
        let now = self.now.0;
        let Some(patient) = self.patients.get_mut(&id) else {
            out.push(Effect::Counted("pathway-refused"));
            return;
        };
        let at = if patient.recorded { patient.clock } else { now };
        let chosen = patient.chosen_by.clone();
        let limits = Limits {
            unit: chosen.as_ref().and_then(|by| by.unit.as_deref()),
            age_years: chosen.as_ref().and_then(|by| by.age_years),
            own: &[],
        };
        let mut changes = Vec::new();
        let mut next_id = || cx.next_id();
        let mut ward = Ward { policy: &policy, limits, next_id: &mut next_id };
        let done = patient.with_offers(at, &mut ward, |offers, _, around| {
            offers.decide(pathway, deed, actor, around, &mut changes)
        });
        if let Err(reason) = done {
            out.push(Effect::Counted(reason));
            self.touch_patient(&id);
            return;
        }
        patient.move_clock(at);
        patient.care.look(at, &actor.name, "pathway");
        self.push_offers(&id, changes, out);
        self.look_after(&id, (false, true), cx, out);
        self.touch_patient(&id);
        self.set_patient_timer(&id);
    }

    fn push_offers(&mut self, id: &PatientId, changes: Vec<OfferChange>, out: &mut Vec<Effect>) {
        if changes.is_empty() {
            return;
        }
        let location: Option<LocationId> = self.directory.place_of(id).cloned();
        for OfferChange { offer, event } in changes {
            let at = ReceiveTime(event.decision.at);
            let (patient, location) = (id.clone(), location.clone());
            out.push(Effect::Pathway(Box::new(PathwayRecord { patient, location, offer, event, at })));
        }
    }
}

/// Whether a device stands for what people write into a patient's chart.
pub(crate) fn is_chart(device: &str) -> bool {
    device.starts_with(CHART)
}
