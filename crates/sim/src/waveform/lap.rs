//! A minute of waveforms whose end fits its beginning: what a load plays again and again.

use std::collections::VecDeque;

use super::{Artefacts, Beat, Breath, Channel, Ectopy, Heart, Lead, Noise, Pace, Render, Rhythm};
use crate::body::{Consciousness, Vitals};
use crate::random::Random;

/// Length of a lap, s: even, so that 62.5 Hz fits.
pub const SECONDS: u64 = 60;

/// Seconds that are drawn before the lap begins, so that it begins as it ends.
const RUN_UP: u64 = 6;

/// The channels of a fully monitored bed.
pub const CHANNELS: [Channel; 4] =
    [Channel::Ecg(Lead::II), Channel::Pleth, Channel::ArterialPressure, Channel::Respiration];

/// A minute of a fully monitored patient.
#[derive(Debug, Clone, PartialEq)]
pub struct Lap {
    /// The counts of [`Lap::CHANNELS`], in that order.
    pub counts: [Vec<i32>; 4],
    /// Times of the R peaks, s from the beginning, rising.
    pub beats: Vec<f64>,
    /// What is true of the patient all the while.
    pub vitals: Vitals,
}

impl Lap {
    /// Length, s.
    pub const SECONDS: u64 = SECONDS;
    /// Which waveforms it holds.
    pub const CHANNELS: [Channel; 4] = CHANNELS;

    /// One seed, one patient: sinus rhythm with early beats now and then, or atrial fibrillation in
    /// one of ten.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let mut random = Random::new(seed).fork("lap");
        let fibrillating = seed % 10 == 9;
        let heart_rate = if fibrillating { random.between(85.0, 125.0) } else { random.between(58.0, 102.0) };
        let diastolic = random.between(58.0, 82.0);
        let vitals = Vitals {
            heart_rate,
            pulse_rate: heart_rate,
            systolic: diastolic + random.between(36.0, 58.0),
            diastolic,
            mean: diastolic + 15.0,
            resp_rate: random.between(12.0, 20.0).round(),
            spo2: 97.0,
            etco2: 38.0,
            temperature: 36.8,
            consciousness: Consciousness::Alert,
            inspired_oxygen: 0.21,
        };
        let ectopy = Ectopy { ventricular_per_min: (seed % 4) as f64, supraventricular_per_min: (seed % 3) as f64 };
        let rhythm = if fibrillating { Rhythm::AtrialFibrillation } else { Rhythm::Sinus };
        let pace =
            Pace { rhythm, heart_rate, resp_rate: vitals.resp_rate, sinus_arrhythmia: 0.03, ectopy };
        let (beats, breaths) = closed(&pace, random.fork("heart"));
        let mut times: Vec<f64> =
            beats.iter().map(|beat| beat.time_s.rem_euclid(SECONDS as f64)).collect();
        times.sort_by(f64::total_cmp);
        let counts = draw(rhythm, &vitals, &beats, &breaths, &mut random);
        Self { counts, beats: times, vitals }
    }
}

/// Beats and breaths of one lap, stretched a little so that the lap closes.
fn closed(pace: &Pace, random: Random) -> (Vec<Beat>, Vec<Breath>) {
    let (mut beats, mut breaths) = (VecDeque::new(), VecDeque::new());
    let length = SECONDS as f64;
    Heart::new(random).live(length, pace, &mut beats, &mut breaths);
    // A lap ends with an ordinary beat, so that nothing is owed at its seam.
    let end = beats.back().map_or(length, |beat| beat.time_s);
    let stretch = length / end;
    let beats = beats.iter().map(|beat| Beat {
        // The last beat comes at the end of the lap: half an interval earlier, all have room.
        time_s: beat.time_s * stretch - 0.3,
        rr_s: beat.rr_s * stretch,
        ..*beat
    });
    let beats = beats.collect();
    let count = (length * pace.resp_rate / 60.0).round().max(1.0);
    let period_s = length / count;
    let breaths = (0..count as usize).map(|at| Breath {
        time_s: at as f64 * period_s,
        period_s,
        depth: breaths.get(at).map_or(1.0, |breath| breath.depth),
    });
    (beats, breaths.collect())
}

/// Draws three laps and keeps the middle one.
fn draw(rhythm: Rhythm, vitals: &Vitals, beats: &[Beat], breaths: &[Breath], random: &mut Random) -> [Vec<i32>; 4] {
    let mut render = Render::new(random);
    render.under(rhythm, vitals, 0.0);
    for lap in 0..3 {
        let begin = (lap * SECONDS) as f64;
        for beat in beats {
            render.beat(Beat { time_s: beat.time_s + begin, ..*beat }, vitals);
        }
        for breath in breaths {
            render.breath(Breath { time_s: breath.time_s + begin, ..*breath });
        }
    }
    let artefacts = Artefacts::default();
    CHANNELS.map(|channel| {
        let mut render = render.clone();
        let mut noise = Noise::new(random.fork(channel.refid()));
        let (from, to) = (channel.first_sample(SECONDS), channel.first_sample(2 * SECONDS));
        // Some beats before it fill the arteries.
        render.forget((SECONDS - RUN_UP) as f64);
        for at in channel.first_sample(SECONDS - RUN_UP)..from {
            render.value(channel, channel.time_of(at));
        }
        let samples = (from..to).map(|at| {
            let t_s = channel.time_of(at);
            render.forget(t_s);
            let value = render.value(channel, t_s);
            channel.count(noise.spoil(channel, t_s, value, &artefacts))
        });
        samples.collect()
    })
}
