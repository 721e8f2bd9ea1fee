//! One record: noise is added if asked for, beats are found and compared.

use std::time::Duration;

use anyhow::bail;
use signal::Beat;
use signal::ecg::{Leads, MAX_LEADS};
use signal::evaluate::{Comparison, Mark, compare};
use signal::noise::{Stress, add_at_snr};

use super::episodes::{self, Agreement};
use super::files::Record;
use super::reference::{self, Reference};
use super::stopwatch::Stopwatch;
use super::{Choice, Evaluate};

/// Samples given at a time, as a device would send them.
const BLOCK: usize = 250;

/// What came out for one record.
pub(super) struct Judged {
    pub name: String,
    pub comparison: Comparison,
    pub episodes: Agreement,
    /// Samples of all leads that were looked at, and the processor time that finding and typing the beats
    /// took.
    pub samples: u64,
    pub took: Duration,
}

pub(super) fn judge(record: &Record, choice: Choice, args: &Evaluate) -> anyhow::Result<Judged> {
    let mut leads: Vec<Vec<f32>> = match choice {
        Choice::All => record.leads.iter().take(MAX_LEADS).cloned().collect(),
        Choice::One(lead) => record.leads.get(lead).cloned().into_iter().collect(),
    };
    if leads.is_empty() {
        bail!("the record {} has no such lead in millivolts", record.name);
    }
    let length = leads[0].len();
    let from_us = (args.skip_min * 60e6) as i64;
    let end_us = record.rate.micros(length as u64);
    let reference = Reference::new(&record.annotations, from_us, end_us);
    if let (Some(noise), Some(snr_db)) = (args.noise, args.snr) {
        let beats_us: Vec<i64> = reference.beats.iter().map(|beat| beat.time_us).collect();
        for (lead, values) in leads.iter_mut().enumerate() {
            // A lead has the same noise whether it is looked at alone or with others.
            let number = if let Choice::One(alone) = choice { alone } else { lead };
            let seed = args.seed.wrapping_mul(1_000).wrapping_add(number as u64);
            let stress = Stress { kind: noise.kind(), snr_db, seed, from_us, in_turn: args.in_turn };
            if add_at_snr(values, record.rate, &beats_us, &stress).is_none() {
                bail!("no noise can be added to {}: it has no annotated beats to measure it by", record.name);
            }
        }
    }
    let stopwatch = Stopwatch::start();
    let beats = match &record.found {
        Some(annotations) => reference::beats(annotations).iter().map(beat).collect(),
        None => find(record, &leads),
    };
    let took = stopwatch.read();
    let marks: Vec<Mark> = beats.iter().map(|beat| Mark { time_us: beat.time_us, class: beat.class }).collect();
    Ok(Judged {
        name: record.name.clone(),
        comparison: compare(&reference.beats, &marks, &reference.scope),
        episodes: episodes::agreement(record, &leads, &beats, &reference),
        samples: (length * leads.len()) as u64,
        took,
    })
}

/// A beat as another program marked it.
fn beat(mark: &Mark) -> Beat {
    Beat { time_us: mark.time_us, class: mark.class, confidence: 1.0, width_ms: 0.0 }
}

/// Finds the beats and their types, as they would be found while the samples come.
pub(super) fn find(record: &Record, leads: &[Vec<f32>]) -> Vec<Beat> {
    let mut analysis = Leads::new(record.rate, leads.len());
    let mut found = Vec::with_capacity(4_096);
    let mut part: Vec<&[f32]> = Vec::with_capacity(leads.len());
    for from in (0..leads[0].len()).step_by(BLOCK) {
        part.clear();
        part.extend(leads.iter().map(|lead| &lead[from..(from + BLOCK).min(lead.len())]));
        analysis.push(&part, &mut found);
    }
    analysis.gap(&mut found);
    found
}
