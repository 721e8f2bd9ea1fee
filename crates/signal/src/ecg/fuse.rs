//! Heart beats of several leads taken together.
//!
//! What stands out in any lead is brought together with what stands out in the others within 120 ms.
//! The scores of the leads (0 is the rest of that lead, 1 its beats) are averaged, weighted by how well
//! beats stand out in the lead and by how far it has agreed with the others of late, and the average is
//! judged as the envelope of a single lead is. A lead that is off or full of noise soon counts for
//! nothing; one in which a beat is small is helped by the other.

use serde::{Deserialize, Serialize};

use super::decide::{Decider, Hump, REFRACTORY_US, Stage};
use super::detector::Detection;
use super::form::Form;

/// As many leads are taken together at most.
pub const MAX_LEADS: usize = 4;

/// What the leads show of one beat lies within this time: QRS complexes of different leads have their
/// greatest energy at different times.
const TOGETHER_US: i64 = 120_000;
/// Time passes in steps of this length, so that the division into blocks changes nothing.
const TICK_US: i64 = 20_000;
/// A lead shows a beat if its score is at least this.
const SHOWS: f32 = 0.3;
/// A lead that has shown nothing for this long, while others do, counts for nothing.
const SILENT_US: i64 = 1_500_000;
/// Trust in a lead moves this part of the way with each beat.
const TRUST_STEP: f32 = 0.2;
/// Beats that stand out more than this many times above the rest add nothing to the weight of a lead.
const CLEAR: f32 = 15.0;
/// The line for the average score. A hump that only one of two good leads shows stays below it: a beat
/// is rarely absent from a lead, a disturbance often.
const LINE: f32 = 0.45;
/// The lowest average score that can be a beat.
const FLOOR: f32 = 0.1;

/// A beat of several leads.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fused {
    /// Its time, in the time in which the detections were given.
    pub at_us: i64,
    /// How far it is to be believed, 0 to 1.
    pub confidence: f32,
    /// The lead that counts for most, of those that show it.
    pub lead: usize,
    /// Its shape, lead by lead, where it stands out.
    pub forms: [Option<Form>; MAX_LEADS],
    /// The weight of each lead in the decision; the weights add up to 1.
    pub weights: [f32; MAX_LEADS],
}

impl Fused {
    /// The beat of a lead that is alone.
    #[must_use]
    pub fn single(detection: &Detection) -> Self {
        let mut forms = [None; MAX_LEADS];
        let mut weights = [0.0; MAX_LEADS];
        forms[0] = Some(detection.form);
        weights[0] = 1.0;
        Self { at_us: detection.at_us, confidence: detection.confidence(), lead: 0, forms, weights }
    }
}

/// What the leads show at one time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Joint {
    scores: [f32; MAX_LEADS],
    forms: [Option<Form>; MAX_LEADS],
    weights: [f32; MAX_LEADS],
}

/// What is kept of a lead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Lead {
    /// Beats above the rest, 1 or more.
    clear: f32,
    /// Share of the beats that it showed, and of what it showed that were beats.
    hits: f32,
    truths: f32,
    present: bool,
    complete_us: i64,
    /// When it last showed something like a beat.
    shown_us: i64,
}

impl Lead {
    /// Its weight at a time, before the weights are made to add up to 1.
    fn weight(&self, at_us: i64) -> f32 {
        let trust = self.hits * self.truths;
        if at_us.saturating_sub(self.shown_us) < SILENT_US { (self.clear - 1.0) * trust * trust } else { 0.0 }
    }
}

/// Something that stands out in a lead and has not been brought together yet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Seen {
    lead: u8,
    at_us: i64,
    score: f32,
    clear: f32,
    form: Form,
}

/// Takes what the detectors of several leads give, in one common time, and gives the beats.
///
/// Give every detection with [`take`](Self::take) and then tell with [`complete`](Self::complete) how
/// far each lead has come; beats come out of [`conclude`](Self::conclude) 0.6 to 0.7 s after they were.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fuser {
    leads: Vec<Lead>,
    pending: Vec<Seen>,
    highest: Option<Hump<Joint>>,
    decider: Decider<Joint>,
    tick_us: Option<i64>,
}

impl Fuser {
    /// For so many leads, at most [`MAX_LEADS`].
    #[must_use]
    pub fn new(leads: usize) -> Self {
        let lead = Lead { clear: 1.0, hits: 1.0, truths: 1.0, present: true, complete_us: i64::MIN, shown_us: i64::MIN };
        Self {
            leads: vec![lead; leads.min(MAX_LEADS)],
            pending: Vec::with_capacity(16),
            highest: None,
            decider: Decider::with_levels(FLOOR, LINE, 1.0, 0.1),
            tick_us: None,
        }
    }

    /// Whether there is one lead only, and nothing to be taken together.
    #[must_use]
    pub fn is_single(&self) -> bool {
        self.leads.len() == 1
    }

    /// Takes a detection of a lead; only what is seen counts here, at `at_us` in the common time.
    pub fn take(&mut self, lead: usize, at_us: i64, detection: &Detection) {
        if detection.stage != Stage::Seen || lead >= self.leads.len() {
            return;
        }
        let clear = (detection.beats / detection.rest.max(detection.beats / CLEAR)).max(1.0);
        let seen = Seen { lead: lead as u8, at_us, score: detection.score().min(1.1), clear, form: detection.form };
        let place = self.pending.partition_point(|other| (other.at_us, other.lead) <= (at_us, seen.lead));
        self.pending.insert(place, seen);
    }

    /// All that a lead shows up to `complete_us` has been given. A lead that is not `present` is not
    /// waited for.
    pub fn complete(&mut self, lead: usize, complete_us: i64, present: bool) {
        if let Some(lead) = self.leads.get_mut(lead) {
            lead.complete_us = lead.complete_us.max(complete_us);
            lead.present = present;
        }
    }

    /// The line is interrupted, or ends: gives what was found.
    pub fn gap(&mut self, out: &mut Vec<Fused>) {
        while let Some(end_us) = self.pending.last().map(|seen| seen.at_us) {
            self.run(end_us + TOGETHER_US + TICK_US, out);
        }
        let leads = &mut self.leads;
        if let Some(hump) = self.highest.take() {
            self.decider.hump(hump, &mut |verdict| conclude(leads, &verdict, out));
        }
        self.decider.gap(self.tick_us.unwrap_or(0), &mut |verdict| conclude(leads, &verdict, out));
        self.tick_us = None;
        for lead in &mut self.leads {
            lead.complete_us = i64::MIN;
        }
    }

    /// Goes as far as all leads that are present have come.
    pub fn conclude(&mut self, out: &mut Vec<Fused>) {
        let present = self.leads.iter().filter(|lead| lead.present);
        if let Some(until_us) = present.map(|lead| lead.complete_us).min() {
            self.run(until_us, out);
        }
    }

    fn run(&mut self, until_us: i64, out: &mut Vec<Fused>) {
        if until_us == i64::MIN {
            return;
        }
        // The steps begin before the first that is seen, and never go back.
        let first_us = self.pending.first().map_or(until_us, |seen| seen.at_us.min(until_us));
        let mut tick_us = self.tick_us.unwrap_or(first_us.div_euclid(TICK_US) * TICK_US);
        while tick_us + TICK_US <= until_us {
            tick_us += TICK_US;
            self.tick(tick_us, out);
        }
        self.tick_us = Some(tick_us);
    }

    fn tick(&mut self, now_us: i64, out: &mut Vec<Fused>) {
        while self.pending.first().is_some_and(|seen| seen.at_us + TOGETHER_US <= now_us) {
            let hump = self.join();
            match self.highest {
                Some(highest) if hump.at_us - highest.at_us >= REFRACTORY_US => {
                    self.give(highest, out);
                    self.highest = Some(hump);
                }
                Some(highest) if highest.height >= hump.height => {}
                _ => self.highest = Some(hump),
            }
        }
        if let Some(highest) = self.highest.filter(|hump| hump.at_us + REFRACTORY_US + TOGETHER_US <= now_us) {
            self.highest = None;
            self.give(highest, out);
        }
        let coming = self.highest.map(|hump| hump.at_us);
        let coming = coming.or(self.pending.first().map(|seen| seen.at_us)).filter(|at_us| *at_us <= now_us);
        let leads = &mut self.leads;
        self.decider.pass(now_us, coming, &mut |verdict| conclude(leads, &verdict, out));
    }

    fn give(&mut self, hump: Hump<Joint>, out: &mut Vec<Fused>) {
        let leads = &mut self.leads;
        self.decider.hump(hump, &mut |verdict| conclude(leads, &verdict, out));
    }

    /// Brings the oldest that is pending together with what belongs to it.
    fn join(&mut self) -> Hump<Joint> {
        let end_us = self.pending.first().map_or(0, |seen| seen.at_us) + TOGETHER_US;
        let count = self.pending.partition_point(|seen| seen.at_us < end_us);
        let mut joint =
            Joint { scores: [0.0; MAX_LEADS], forms: [None; MAX_LEADS], weights: [0.0; MAX_LEADS] };
        let mut times = [0_i64; MAX_LEADS];
        for seen in self.pending.drain(..count) {
            let at = usize::from(seen.lead);
            self.leads[at].clear = seen.clear;
            if seen.score >= SHOWS {
                self.leads[at].shown_us = seen.at_us;
            }
            if joint.forms[at].is_none() || seen.score > joint.scores[at] {
                joint.scores[at] = seen.score;
                joint.forms[at] = Some(seen.form);
                times[at] = seen.at_us;
            }
        }
        let at_us = times[strongest(&joint)];
        for (weight, lead) in joint.weights.iter_mut().zip(&self.leads) {
            *weight = lead.weight(at_us);
        }
        let sum: f32 = joint.weights.iter().sum();
        for weight in &mut joint.weights {
            *weight = if sum > 0.0 { *weight / sum } else { 1.0 / self.leads.len() as f32 };
        }
        let height = joint.scores.iter().zip(&joint.weights).map(|(score, weight)| score * weight).sum();
        Hump { at_us: times[strongest(&joint)], height, more: joint }
    }
}

/// The lead that shows the most, of those that show anything.
fn strongest(joint: &Joint) -> usize {
    let share = |lead: usize| match joint.forms[lead] {
        Some(_) => joint.scores[lead] * joint.weights[lead],
        None => -1.0,
    };
    (0..MAX_LEADS).max_by(|a, b| share(*a).total_cmp(&share(*b)).then(b.cmp(a))).unwrap_or(0)
}

/// Gives a beat, and learns from any verdict how far the leads are to be trusted.
fn conclude(leads: &mut [Lead], verdict: &super::decide::Verdict<Joint>, out: &mut Vec<Fused>) {
    let joint = &verdict.hump.more;
    let beat = verdict.stage == Stage::Beat;
    if verdict.stage == Stage::Seen {
        return;
    }
    for (lead, score) in leads.iter_mut().zip(joint.scores) {
        let shows = score >= SHOWS;
        let towards = |value: &mut f32, aim: bool| *value += TRUST_STEP * (f32::from(u8::from(aim)) - *value);
        if beat {
            towards(&mut lead.hits, shows);
        }
        if shows {
            towards(&mut lead.truths, beat);
        }
    }
    if beat {
        let above = (verdict.hump.height - verdict.rest) / (verdict.beats - verdict.rest).max(f32::MIN_POSITIVE);
        out.push(Fused {
            at_us: verdict.hump.at_us,
            confidence: (above.min(1.0) * (1.0 - verdict.rest / verdict.beats)).clamp(0.0, 1.0),
            lead: strongest(joint),
            forms: joint.forms,
            weights: joint.weights,
        });
    }
}
