//! Of what type a beat is.
//!
//! Each lead learns the shapes that its beats have, up to four, and which of them is the usual one: that
//! of most beats that did not come early. How far a beat differs from it (likeness, height, width,
//! area), how early or late it came, and how regular the rhythm is are weighed by a logistic model
//! (measures as in P. de Chazal, M. O'Dwyer, R. B. Reilly, "Automatic classification of heartbeats using ECG
//! morphology and heartbeat interval features", IEEE Trans. Biomed. Eng. 2004;51:1196).
//!
//! A beat is typed when it is found: what comes after it is not waited for. Paced and fusion beats are
//! not told apart: at the usual rates of monitors the spike of a pacemaker is not in the samples.

use serde::{Deserialize, Serialize};

use super::form::{Form, Template};
use super::fuse::{Fused, MAX_LEADS};
use super::level::Level;
use super::model;
use crate::{Beat, BeatClass};

/// Shapes kept of a lead.
const SHAPES: usize = 4;
/// A beat is of a shape that it is at least as like as this.
const ALIKE: f32 = 0.9;
/// A shape moves this part of the way to each beat of it.
const LEARN: f32 = 0.1;
/// The count of a shape falls by this part with each beat: about a hundred beats are remembered.
const FORGET: f32 = 0.01;
/// Another shape becomes the usual one when it is this many times as frequent.
const OVERTAKES: f32 = 1.5;
/// A beat earlier than this part of the usual interval does not make its shape a usual one.
const EARLY: f32 = 0.85;
/// The mean interval moves this part of the way with each beat.
const SLOW: f32 = 0.03;
/// Before so many beats no type is told.
const FIRST_BEATS: u32 = 4;
/// An interval longer than this is none: beats are missing.
const INTERVAL_MAX_US: i64 = 3_000_000;

/// Number of measures that a beat is judged by.
pub const MEASURES: usize = 14;

/// A shape of one lead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Shape {
    template: Template,
    count: f32,
    height_mv: f32,
    width_ms: f32,
    area_ms: f32,
}

/// The shapes of one lead; the usual one is the first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Shapes(Vec<Shape>);

/// How a beat differs from the usual one in a lead.
#[derive(Debug, Clone, Copy, Default)]
struct Difference {
    unlike: f32,
    higher: f32,
    wider: f32,
    larger: f32,
    inverted: f32,
}

impl Shapes {
    fn difference(&self, form: &Form) -> Option<Difference> {
        let usual = self.0.first()?;
        let ratio = |a: f32, b: f32| libm::logf((a.abs() + 0.02) / (b.abs() + 0.02)).clamp(-2.0, 2.0);
        Some(Difference {
            unlike: 1.0 - usual.template.likeness(form),
            higher: ratio(form.height_mv, usual.height_mv),
            wider: if form.width_ms > 0.0 { (form.width_ms - usual.width_ms) / 50.0 } else { 1.0 },
            larger: ratio(form.area_ms, usual.area_ms),
            inverted: f32::from(u8::from(form.height_mv * usual.height_mv < 0.0)),
        })
    }

    /// Learns from a beat; an early one does not make its shape more usual.
    fn learn(&mut self, form: &Form, early: bool) {
        for shape in &mut self.0 {
            shape.count *= 1.0 - FORGET;
        }
        let gain = if early { 0.2 } else { 1.0 };
        let likenesses = self.0.iter().map(|shape| shape.template.likeness(form)).enumerate();
        match likenesses.max_by(|a, b| a.1.total_cmp(&b.1)).filter(|best| best.1 >= ALIKE) {
            Some((at, _)) => {
                let shape = &mut self.0[at];
                let part = (1.0 / (shape.count + 1.0)).clamp(LEARN, 0.5);
                shape.template.learn(form, part);
                shape.height_mv += part * (form.height_mv - shape.height_mv);
                shape.area_ms += part * (form.area_ms - shape.area_ms);
                if form.width_ms > 0.0 {
                    shape.width_ms += part * (form.width_ms - shape.width_ms);
                }
                shape.count += gain;
                if at > 0 && self.0[at].count > OVERTAKES * self.0[0].count {
                    self.0.swap(0, at);
                }
            }
            None => self.add(form, gain),
        }
    }

    /// A shape not seen before takes the place of the rarest, but never that of the usual one.
    fn add(&mut self, form: &Form, gain: f32) {
        let Form { height_mv, width_ms, area_ms, .. } = *form;
        let shape = Shape { template: Template::new(form), count: gain, height_mv, width_ms, area_ms };
        if self.0.len() < SHAPES {
            self.0.push(shape);
            return;
        }
        let rarest = (1..SHAPES).min_by(|a, b| self.0[*a].count.total_cmp(&self.0[*b].count));
        self.0[rarest.unwrap_or(1)] = shape;
    }
}

/// Tells the types of one patient's beats.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Types {
    leads: Vec<Shapes>,
    /// Usual interval, and usual change from one interval to the next, microseconds.
    interval: Level,
    change: Level,
    /// Mean interval of the last half minute or so, microseconds.
    slow: f32,
    last_us: Option<i64>,
    last_interval: f32,
    beats: u32,
}

impl Types {
    /// For so many leads.
    #[must_use]
    pub fn new(leads: usize) -> Self {
        Self {
            leads: vec![Shapes::default(); leads.min(MAX_LEADS)],
            interval: Level::new(800_000.0, 1),
            change: Level::new(0.0, 1),
            slow: 800_000.0,
            last_us: None,
            last_interval: 800_000.0,
            beats: 0,
        }
    }

    /// The line was interrupted: the next beat has no interval.
    pub fn gap(&mut self) {
        self.last_us = None;
    }

    /// Tells the type of the next beat, and learns from it.
    pub fn beat(&mut self, beat: &Fused) -> Beat {
        let measures = self.measures(beat);
        let class = match measures {
            Some(measures) if self.beats >= FIRST_BEATS => model::class(&measures),
            _ => BeatClass::Unclassifiable,
        };
        self.learn(beat);
        let form = beat.forms.get(beat.lead).copied().flatten();
        Beat {
            time_us: beat.at_us,
            class,
            confidence: beat.confidence,
            width_ms: form.map_or(0.0, |form| form.width_ms),
        }
    }

    /// The interval before this beat as part of the usual one.
    fn pace(&self, beat: &Fused) -> Option<f32> {
        let interval_us = beat.at_us - self.last_us?;
        (interval_us < INTERVAL_MAX_US).then(|| interval_us as f32 / self.interval.median())
    }

    /// What a beat is judged by; none if no lead has learned yet or shows it.
    #[must_use]
    pub fn measures(&self, beat: &Fused) -> Option<[f32; MEASURES]> {
        let mut sum = 0.0;
        let mut mean = Difference::default();
        let (mut most, mut least) = (0.0_f32, 2.0_f32);
        for ((shapes, form), weight) in self.leads.iter().zip(&beat.forms).zip(beat.weights) {
            let Some(other) = form.as_ref().and_then(|form| shapes.difference(form)) else { continue };
            let weight = weight + 0.01;
            sum += weight;
            mean.unlike += weight * other.unlike;
            mean.higher += weight * other.higher;
            mean.wider += weight * other.wider;
            mean.larger += weight * other.larger;
            mean.inverted += weight * other.inverted;
            (most, least) = (most.max(other.unlike), least.min(other.unlike));
        }
        if sum <= 0.0 {
            return None;
        }
        let pace = self.pace(beat).unwrap_or(1.0).clamp(0.2, 2.5);
        let early = (1.0 - pace).max(0.0);
        let unrest = (self.change.median() / self.interval.median()).min(1.0);
        let behind = (1.0 - pace * self.interval.median() / self.slow).clamp(0.0, 0.8);
        let unlike = mean.unlike / sum;
        Some([
            unlike,
            most,
            least,
            mean.higher / sum,
            (mean.wider / sum).clamp(-2.0, 3.0),
            mean.larger / sum,
            mean.inverted / sum,
            early,
            (pace - 1.0).max(0.0),
            early * (1.0 - 3.0 * unrest).max(0.0),
            early * unlike,
            unlike.max(0.0).sqrt(),
            behind,
            behind * (1.0 - 3.0 * unrest).max(0.0),
        ])
    }

    fn learn(&mut self, beat: &Fused) {
        let pace = self.pace(beat);
        let early = pace.is_some_and(|pace| pace < EARLY);
        for (shapes, form) in self.leads.iter_mut().zip(&beat.forms) {
            if let Some(form) = form {
                shapes.learn(form, early);
            }
        }
        if pace.is_some() {
            let interval = (beat.at_us - self.last_us.unwrap_or(beat.at_us)) as f32;
            self.interval.add(interval);
            self.change.add((interval - self.last_interval).abs());
            self.last_interval = interval;
            let part = if self.beats < 30 { 0.2 } else { SLOW };
            self.slow += part * (interval - self.slow);
        }
        self.last_us = Some(beat.at_us);
        self.beats = self.beats.saturating_add(1);
    }
}
