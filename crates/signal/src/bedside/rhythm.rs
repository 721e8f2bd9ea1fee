//! The rhythm that is told: what the watcher makes of the leads, borne out or contradicted by the
//! pulses.

use serde::{Deserialize, Serialize};

use super::channel::Channel;
use super::confirm::{self, Witness};
use super::finding::{Derived, Finding};
use super::heart::Heart;
use crate::hrv::{FiveMinutes, Short};
use crate::rhythm::{State, Watcher};
use crate::{Beat, Reason, Rhythm, WaveKind};

/// A rhythm that is not regular is told again so often.
const TOLD_AGAIN_US: i64 = 5_000_000;
/// Pulses are asked again so often.
const ASKED_US: i64 = 1_000_000;
/// All leads quiet for so long is asystole (Challenge 2015: 4 s without a beat; the last may lie a
/// second before).
const QUIET_US: i64 = 3_500_000;
/// A lead is quiet if a second of it has no more than this from top to bottom, millivolts: less than
/// the 0.15 mV that IEC 60601-2-27 wants to be told from a beat, and some noise.
const QUIET_MV: f32 = 0.2;
/// A patient without a beat for longer is not known to have had any, in this respect.
const REMEMBERED_US: i64 = 60_000_000;
/// How far asystole of quiet leads is to be believed, with a pulse that is gone and without one.
const CONFIRMED: f32 = 0.7;
const UNCONFIRMED: f32 = 0.5;

/// The rhythm of one patient.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Told {
    watcher: Watcher,
    /// Variability of the five minutes under way, and of the last ones if they were not told yet.
    variability: FiveMinutes,
    short: Option<Short>,
    /// End of the second that the watcher was given last.
    second_us: Option<i64>,
    /// Since when all leads are quiet.
    quiet_us: Option<i64>,
    /// What was told last, and when.
    told: Option<(Rhythm, Option<WaveKind>, Option<WaveKind>)>,
    told_us: i64,
    /// What the pulses said last, of which rhythm since when.
    asked: Option<(Rhythm, i64, Witness)>,
}

impl Told {
    /// A fused beat.
    pub fn beat(&mut self, beat: &Beat) {
        self.watcher.beat(beat);
        self.short = self.variability.beat(beat).or(self.short);
    }

    /// Whether the pulses contradict the leads.
    pub fn contradicted(&self) -> bool {
        self.told.is_some_and(|told| told.2.is_some())
    }

    /// A step has ended: seconds are watched, pulses asked, and the rhythm told if there is news.
    pub fn step(&mut self, channels: &mut [Channel], heart: &Heart, now_us: i64, out: &mut Vec<Finding>) {
        if !channels.iter().any(|channel| channel.kind == WaveKind::Ecg) {
            return;
        }
        self.watch(channels, now_us);
        if let Some(short) = self.short.take() {
            for (what, value) in [(Derived::Sdnn, short.sdnn), (Derived::Rmssd, short.rmssd)] {
                out.push(Finding::Derived { what, value, time_us: short.time_us, confidence: 0.9 });
            }
        }
        let quiet = self.quiet(channels, heart, now_us);
        let state = quiet.unwrap_or_else(|| self.watcher.state());
        let Witness { confirmed_by, contradicted_by } = self.ask(&state, channels, heart, now_us);
        if now_us % ASKED_US == 0 {
            if state.rhythm < Rhythm::Couplet {
                confirm::remember(channels, now_us);
            }
            self.doubt(channels, state.rhythm, contradicted_by.is_some(), now_us, out);
        }
        let decided = confirmed_by.is_some() || contradicted_by.is_some();
        if decided || !confirm::undecided(state.rhythm, state.since_us, channels, now_us) {
            self.tell(state, confirmed_by, contradicted_by, now_us, out);
        }
    }

    /// What the pulses say of the rhythm, asked once a second. Of an event that is past what they said
    /// first stands.
    fn ask(&mut self, state: &State, channels: &[Channel], heart: &Heart, now_us: i64) -> Witness {
        let same = self.asked.filter(|asked| (asked.0, asked.1) == (state.rhythm, state.since_us));
        let event = matches!(state.rhythm, Rhythm::Pause | Rhythm::VentricularRun);
        let stands = same.filter(|asked| now_us % ASKED_US != 0 || (event && asked.2 != Witness::default()));
        let witness = stands.map(|asked| asked.2);
        let witness =
            witness.unwrap_or_else(|| confirm::witness(state.rhythm, state.since_us, channels, heart, now_us));
        self.asked = Some((state.rhythm, state.since_us, witness));
        witness
    }

    /// Gives the watcher the newest second of the best lead, once a second.
    fn watch(&mut self, channels: &[Channel], now_us: i64) {
        let leads = channels.iter().filter(|channel| channel.kind == WaveKind::Ecg && channel.joins_us <= now_us);
        let seconds = leads.filter_map(|channel| channel.taken.verdict);
        let news = seconds.filter(|second| self.second_us.is_none_or(|last| second.time_us >= last + 900_000));
        match news.max_by_key(|second| (second.index, second.time_us)) {
            Some(second) => {
                self.second_us = Some(second.time_us);
                self.watcher.second(&second);
                if !second.believable() {
                    self.variability.broken();
                }
            }
            None => {
                self.watcher.pass(now_us);
            }
        }
    }

    /// Asystole in leads too quiet to be judged: no beat comes, and the pulse that was there stopped
    /// with them, or at least the noise shows that the electrodes are on.
    fn quiet(&mut self, channels: &[Channel], heart: &Heart, now_us: i64) -> Option<State> {
        let mut leads = channels.iter().filter(|channel| channel.kind == WaveKind::Ecg && channel.is_heard(now_us));
        let last_us = heart.last_us().filter(|last| now_us - last < REMEMBERED_US)?;
        let range = |channel: &Channel| match channel.taken.verdict {
            Some(second) if second.reason == Some(Reason::Flat) => 0.0,
            Some(second) if second.reason != Some(Reason::LeadOff) => second.range,
            _ => f32::MAX,
        };
        let loudest = leads.clone().map(range).fold(0.0, f32::max);
        let any = leads.next().is_some();
        // The second that was found quiet began a second before its end, and was known a little later.
        let began_us = self.quiet_us.unwrap_or(now_us - 1_250_000);
        if !any || loudest > QUIET_MV || last_us > began_us + 1_000_000 {
            self.quiet_us = None;
            return None;
        }
        self.quiet_us = Some(began_us);
        let since_us = if began_us - last_us < 2_000_000 { last_us } else { began_us };
        if now_us - began_us < QUIET_US {
            return None;
        }
        let confirmed = confirm::witness(Rhythm::Asystole, since_us, channels, heart, now_us).confirmed_by;
        let confidence = match (confirmed, loudest > 0.0) {
            (Some(_), _) => CONFIRMED,
            (None, true) => UNCONFIRMED,
            (None, false) => return None,
        };
        Some(State { rhythm: Rhythm::Asystole, time_us: now_us, since_us, confidence })
    }

    /// Marks leads that the pulses contradict. A lead that is flat while the heart beats is off.
    fn doubt(&self, channels: &mut [Channel], rhythm: Rhythm, contradicted: bool, now_us: i64, out: &mut Vec<Finding>) {
        let quiet = matches!(rhythm, Rhythm::Asystole | Rhythm::Pause);
        let beats = confirm::beats(channels, now_us).is_some();
        for channel in channels.iter_mut().filter(|channel| channel.kind == WaveKind::Ecg) {
            let flat = channel.taken.verdict.is_some_and(|second| second.reason == Some(Reason::Flat));
            let doubt = match (contradicted, flat && beats) {
                (_, true) => Some(Reason::LeadOff),
                (true, false) => Some(if quiet { Reason::LeadOff } else { Reason::Noise }),
                (false, false) => None,
            };
            channel.taken.doubted(channel.number, doubt, now_us, out);
        }
    }

    fn tell(
        &mut self,
        state: State,
        confirmed_by: Option<WaveKind>,
        contradicted_by: Option<WaveKind>,
        now_us: i64,
        out: &mut Vec<Finding>,
    ) {
        let rhythm = if contradicted_by.is_some() { Rhythm::Undetermined } else { state.rhythm };
        let told = Some((rhythm, confirmed_by, contradicted_by));
        let again = rhythm != Rhythm::Regular && now_us >= self.told_us.saturating_add(TOLD_AGAIN_US);
        if self.told == told && !again {
            return;
        }
        (self.told, self.told_us) = (told, now_us);
        let confidence = match (confirmed_by, contradicted_by) {
            (_, Some(_)) => 0.0,
            // Two channels that agree are wrong only together.
            (Some(_), None) => 1.0 - (1.0 - state.confidence) * 0.5,
            (None, None) => state.confidence,
        };
        let since_us = state.since_us.min(now_us);
        out.push(Finding::Rhythm { rhythm, time_us: now_us, since_us, confidence, confirmed_by, contradicted_by });
    }
}
