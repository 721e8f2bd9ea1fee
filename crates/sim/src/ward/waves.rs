//! What a monitor samples of its patient, and the frames that it sends of that.

use std::collections::VecDeque;

use super::plan::BedPlan;
use super::state::Outgoing;
use crate::body::Vitals;
use crate::random::Random;
use crate::scenario::Trouble;
use crate::waveform::{
    Artefacts, Channel, Circulation, Ectopy, Heart, Lead, Noise, Pace, Render, Rhythm,
};
use crate::wire::frame;

/// Beats and breaths are known this long before they are drawn, s: a P wave comes before its beat.
const AHEAD_S: f64 = 0.3;
/// A recorder that has not been looked at for so long begins anew, µs.
const LOST_US: i64 = 30_000_000;
/// A second, µs.
const SECOND_US: i64 = 1_000_000;

/// What electrodes and sensors see of a patient.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    heart: Heart,
    render: Render,
    circulation: Circulation,
    rhythm: Rhythm,
    /// The last second's truth.
    vitals: Option<Vitals>,
    ectopy: Ectopy,
    sinus_arrhythmia: f64,
    /// Seconds drawn so far.
    drawn: u64,
}

impl Lines {
    pub(super) fn new(age_years: f64, random: &Random) -> Self {
        let mut random = random.clone();
        // Early beats come with the years.
        let often = random.uniform() * random.uniform() * (age_years / 60.0);
        Self {
            heart: Heart::new(random.fork("heart")),
            render: Render::new(&mut random),
            circulation: Circulation::default(),
            rhythm: Rhythm::Sinus,
            vitals: None,
            ectopy: Ectopy { ventricular_per_min: 2.0 * often, supraventricular_per_min: 1.5 * often },
            sinus_arrhythmia: (0.06 - 0.0006 * age_years).max(0.01),
            drawn: 0,
        }
    }

    /// A second under `rhythm`: what is true of the patient then.
    pub(super) fn second(&mut self, body: &Vitals, rhythm: Rhythm) -> Vitals {
        let vitals = self.circulation.second(body, rhythm);
        self.rhythm = rhythm;
        self.vitals = Some(vitals);
        vitals
    }

    /// Lets the heart beat through the next second.
    fn live(&mut self) {
        let Some(vitals) = self.vitals else { return };
        let pace = Pace {
            rhythm: self.rhythm,
            heart_rate: vitals.heart_rate,
            resp_rate: vitals.resp_rate,
            sinus_arrhythmia: self.sinus_arrhythmia,
            ectopy: self.ectopy,
        };
        let now_s = self.drawn as f64;
        let (mut beats, mut breaths) = (VecDeque::new(), VecDeque::new());
        self.render.under(self.rhythm, &vitals, now_s);
        self.heart.live(now_s + 1.0 + AHEAD_S, &pace, &mut beats, &mut breaths);
        for beat in beats {
            self.render.beat(beat, &vitals);
        }
        for breath in breaths {
            self.render.breath(breath);
        }
        self.render.forget(now_s);
    }
}

/// What samples the lines of the patient at a bed.
#[derive(Debug, Clone)]
pub(super) struct Recorder {
    random: Random,
    noise: Vec<(Channel, Noise)>,
    mains_mv: f64,
    /// Time of the next sample by the device's clock; none while nothing is recorded.
    next_us: Option<i64>,
    sequence: u32,
}

impl Recorder {
    pub(super) fn new(random: &Random) -> Self {
        let mut random = random.clone();
        // Some beds have bad wiring.
        let mains_mv = if random.chance(0.2) { 0.03 } else { 0.0 };
        Self { noise: Vec::new(), mains_mv, next_us: None, sequence: 0, random }
    }

    /// The patient is gone, or the power: the next frame begins a new row.
    pub(super) fn stop(&mut self) {
        self.next_us = None;
        self.sequence = 0;
    }

    /// Sends all whole seconds that are over at `now_us` by the device's clock. Samples are
    /// counted, not timed: a ward that is looked at late sends late, and misses none.
    pub(super) fn second(
        &mut self,
        bed: &BedPlan,
        lines: &mut Lines,
        trouble: &Trouble,
        now_us: i64,
        out: &mut Vec<Outgoing>,
    ) {
        let mut next_us = self.next_us.unwrap_or(now_us - SECOND_US);
        if (now_us - next_us).abs() > LOST_US {
            next_us = now_us - SECOND_US;
        }
        while next_us + SECOND_US <= now_us {
            lines.live();
            let payload = self.frame(bed, lines, trouble, next_us);
            lines.drawn += 1;
            next_us += SECOND_US;
            out.push(Outgoing::Publish {
                topic: format!("vitalwire/{}/waveform", bed.device),
                content_type: "",
                payload,
            });
        }
        self.next_us = Some(next_us);
    }

    fn frame(&mut self, bed: &BedPlan, lines: &mut Lines, trouble: &Trouble, time_us: i64) -> Vec<u8> {
        let artefacts = Artefacts {
            mains: (self.mains_mv, 50.0),
            motion: trouble.motion,
            electrode: trouble.motion,
            muscle_mv: if trouble.motion { 0.15 } else { 0.0 },
            lead_off: trouble.lead_off,
            finger_off: trouble.sensor_off,
            ..Artefacts::default()
        };
        let chosen = channels(bed);
        let sampled: Vec<Vec<i32>> =
            chosen.iter().map(|channel| self.sample(*channel, lines, &artefacts)).collect();
        let channels: Vec<frame::Channel<'_>> = chosen
            .iter()
            .zip(&sampled)
            .map(|(channel, counts)| frame::Channel {
                metric: channel.code(),
                channel: 0,
                rate: channel.rate(),
                delay_us: channel.delay_us(lines.drawn),
                quality: 0,
                scale: channel.scale(),
                offset: 0.0,
                samples: frame::Samples::Counts(counts),
            })
            .collect();
        let mut payload = Vec::with_capacity(1_200);
        frame::encode(&mut payload, self.sequence, time_us, &channels);
        self.sequence = self.sequence.wrapping_add(1);
        payload
    }

    /// A second of a channel.
    fn sample(&mut self, channel: Channel, lines: &mut Lines, artefacts: &Artefacts) -> Vec<i32> {
        if !self.noise.iter().any(|(of, _)| *of == channel) {
            self.noise.push((channel, Noise::new(self.random.fork(channel.refid()))));
        }
        let noise = self.noise.iter_mut().find(|(of, _)| *of == channel);
        let Some((_, noise)) = noise else { return Vec::new() };
        let samples = channel.first_sample(lines.drawn)..channel.first_sample(lines.drawn + 1);
        let counts = samples.map(|at| {
            let t_s = channel.time_of(at);
            channel.count(noise.spoil(channel, t_s, lines.render.value(channel, t_s), artefacts))
        });
        counts.collect()
    }
}

/// What the monitor of a bed samples.
fn channels(bed: &BedPlan) -> &'static [Channel] {
    if bed.intensive {
        &[
            Channel::Ecg(Lead::II),
            Channel::Ecg(Lead::V1),
            Channel::Pleth,
            Channel::ArterialPressure,
            Channel::Respiration,
            Channel::Co2,
        ]
    } else {
        &[Channel::Ecg(Lead::II), Channel::Pleth, Channel::Respiration]
    }
}
