//! Samples on their way to the analysis: those of one reading together, in the order of time.
//!
//! A message may hold ten seconds of each channel, one after the other. The analysis brings channels
//! together as they come and waits for none much longer than a second, so long ones are cut into
//! seconds and taken in turn.

use vitals::time::SECOND;
use vitals::{PatientId, Quality, WaveRun, WaveSamples};
use signal::Block;
use signal::bedside::Finding;

use super::{Owner, Waves, kind_of};
use crate::effect::Effect;
use crate::{Engine, Step};

/// Runs up to this long are taken whole.
const WHOLE_US: i64 = 2 * SECOND;

/// A run that is placed and waits for the rest of its reading.
pub(crate) struct Waiting {
    pub patient: PatientId,
    /// Which of the patient's channels.
    pub channel: usize,
    pub run: WaveRun,
    /// Whether something is missing before it.
    pub begins: bool,
    /// Whether what is found may be the present.
    pub shown: bool,
}

/// A part of a run: when it begins, which run, and which of its samples.
type Piece = (i64, usize, usize, usize);

impl Engine {
    /// Has the samples that wait analysed; calls `each` with every patient of them, and whether the
    /// patient is to be judged.
    pub(crate) fn analyse_waiting(
        &mut self,
        cx: &mut Step,
        out: &mut Vec<Effect>,
        mut each: impl FnMut(PatientId, bool),
    ) {
        let mut waiting = std::mem::take(&mut self.waiting);
        while let Some(first) = waiting.first() {
            let (patient, shown) = (first.patient.clone(), first.shown);
            let (mine, others) = waiting.into_iter().partition(|item| item.patient == patient);
            waiting = others;
            let mine: Vec<Waiting> = mine;
            if let Some(waves) = self.waves.get_mut(&Owner::Patient(patient.clone())) {
                for (_, item, from, to) in pieces(&mine) {
                    waves.analyse(&mine[item], (from, to), &mut self.wave_values, &mut self.findings);
                }
            }
            let judge = self.take_findings(&patient, shown, cx, out);
            each(patient, judge);
        }
        self.waiting = waiting;
    }
}

/// The runs in the order in which they are to be taken.
fn pieces(waiting: &[Waiting]) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(waiting.len());
    let mut long = false;
    for (item, Waiting { run, .. }) in waiting.iter().enumerate() {
        let samples = run.samples.len();
        if run.rate.micros(samples as u64) <= WHOLE_US {
            pieces.push((run.start().0, item, 0, samples));
            continue;
        }
        long = true;
        let mut from = 0;
        for second in 1.. {
            let to = usize::try_from(run.rate.index_at(second * SECOND)).unwrap_or(samples).min(samples);
            if to > from {
                pieces.push((run.time_of(from as u64).0, item, from, to));
            }
            from = to;
            if from == samples {
                break;
            }
        }
    }
    if long {
        pieces.sort_by_key(|(start, ..)| *start);
    }
    pieces
}

impl Waves {
    fn analyse(
        &mut self,
        waiting: &Waiting,
        (from, to): (usize, usize),
        values: &mut Vec<f32>,
        findings: &mut Vec<Finding>,
    ) {
        let run = &waiting.run;
        let channel = &self.channels[waiting.channel];
        let kind = kind_of(channel.metric);
        values.clear();
        if run.quality.contains(Quality::INVALID) {
            values.resize(to - from, f32::NAN);
        } else {
            match &run.samples {
                WaveSamples::Counts(counts) => {
                    values.extend(counts[from..to].iter().map(|count| run.scale.value(*count) as f32));
                }
                WaveSamples::Real(real) => values.extend(real[from..to].iter().map(|value| *value as f32)),
            }
        }
        let start_us = run.time_of(from as u64).0;
        let block = Block { start_us, rate: run.rate, values, gap_before: waiting.begins && from == 0 };
        self.bedside.push(channel.series.0, kind, &block, findings);
    }
}
