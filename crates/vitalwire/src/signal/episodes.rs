//! Episodes of a record: atrial fibrillation, ventricular tachycardia and fibrillation.

use serde_json::{Value, json};
use signal::evaluate::{EpisodeTally, Episodes, Span};
use signal::quality::{Meter, Verdict};
use signal::rhythm::Watcher;
use signal::{Beat, Block, Rhythm, WaveKind};

use super::files::Record;
use super::reference::Reference;

/// Agreement about each kind of episode.
#[derive(Default)]
pub(super) struct Agreement {
    pub fibrillation: EpisodeTally,
    pub ventricular_tachycardia: EpisodeTally,
    pub ventricular_fibrillation: EpisodeTally,
}

impl Agreement {
    pub fn add(&mut self, other: &Agreement) {
        self.fibrillation.add(&other.fibrillation);
        self.ventricular_tachycardia.add(&other.ventricular_tachycardia);
        self.ventricular_fibrillation.add(&other.ventricular_fibrillation);
    }

    /// The kinds with their names.
    pub fn kinds(&self) -> [(&'static str, &'static str, &EpisodeTally); 3] {
        [
            ("atrial_fibrillation", "atrial fibrillation", &self.fibrillation),
            ("ventricular_tachycardia", "ventricular tachycardia", &self.ventricular_tachycardia),
            ("ventricular_fibrillation", "ventricular fibrillation, flutter", &self.ventricular_fibrillation),
        ]
    }

    pub fn json(&self) -> Value {
        let of = |tally: &EpisodeTally| {
            json!({
                "reference_episodes": tally.found + tally.missed,
                "found_episodes": tally.right + tally.extra,
                "episode_sensitivity": tally.episode_sensitivity(),
                "episode_predictivity": tally.episode_predictivity(),
                "reference_s": tally.reference_us as f64 / 1e6,
                "found_s": tally.found_us as f64 / 1e6,
                "duration_sensitivity": tally.duration_sensitivity(),
                "duration_predictivity": tally.duration_predictivity(),
            })
        };
        self.kinds().into_iter().map(|(key, _, tally)| (key.to_owned(), of(tally))).collect()
    }
}

/// Watches the rhythm of the whole record, and compares.
pub(super) fn agreement(record: &Record, leads: &[Vec<f32>], beats: &[Beat], reference: &Reference) -> Agreement {
    let found = watch(beats, &best_verdicts(record, leads));
    let tally = |truth: &Episodes, spans: &[Span]| {
        EpisodeTally::new(truth, &Episodes::new(spans.to_vec(), reference.scope.from_us))
    };
    Agreement {
        fibrillation: tally(&reference.fibrillation, &found[0]),
        ventricular_tachycardia: tally(&reference.ventricular_tachycardia, &found[1]),
        ventricular_fibrillation: tally(&reference.ventricular_fibrillation, &found[2]),
    }
}

/// Second by second the verdict of the lead that is best then.
fn best_verdicts(record: &Record, leads: &[Vec<f32>]) -> Vec<Verdict> {
    let mut best: Vec<Verdict> = Vec::new();
    for values in leads {
        let mut meter = Meter::new(WaveKind::Ecg);
        let mut place = 0;
        meter.push(&Block { start_us: 0, rate: record.rate, values, gap_before: false }, |verdict| {
            match best.get_mut(place) {
                Some(other) if verdict.index > other.index => *other = verdict,
                Some(_) => {}
                None => best.push(verdict),
            }
            place += 1;
        });
    }
    best
}

const WATCHED: [Rhythm; 3] =
    [Rhythm::AtrialFibrillation, Rhythm::VentricularTachycardia, Rhythm::VentricularFibrillation];

/// From when to when each rhythm held.
fn watch(beats: &[Beat], verdicts: &[Verdict]) -> [Vec<Span>; 3] {
    let mut watcher = Watcher::default();
    let mut spans: [Vec<Span>; 3] = Default::default();
    let mut held: [Option<i64>; 3] = [None; 3];
    let mut rest = beats;
    let mut now_us = 0;
    let mut look = |watcher: &Watcher, now_us: i64| {
        for ((rhythm, held), spans) in WATCHED.into_iter().zip(&mut held).zip(&mut spans) {
            match (watcher.since_us(rhythm), *held) {
                (Some(since_us), None) => *held = Some(since_us),
                (None, Some(from_us)) => {
                    spans.push(Span { from_us, to_us: now_us });
                    *held = None;
                }
                _ => {}
            }
        }
    };
    for verdict in verdicts {
        while let Some((beat, more)) = rest.split_first().filter(|(beat, _)| beat.time_us <= verdict.time_us) {
            rest = more;
            watcher.beat(beat);
            look(&watcher, beat.time_us);
        }
        watcher.second(verdict);
        now_us = verdict.time_us;
        look(&watcher, now_us);
    }
    for (held, spans) in held.into_iter().zip(&mut spans) {
        spans.extend(held.map(|from_us| Span { from_us, to_us: now_us }));
    }
    spans
}
