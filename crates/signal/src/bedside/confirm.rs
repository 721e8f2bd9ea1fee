//! Whether the pulses of the patient bear out what the electrocardiogram says.
//!
//! An electrode that comes off makes a flat line and a moving patient makes a wild one, but neither
//! makes a pulse or stops one. So a rhythm that cannot go with regular pulses is contradicted by them, and
//! one that must stop the pulse is confirmed when it stops with it: the arterial pressure rules of
//! Aboukhalil et al. (J Biomed Inform 2008;41:442-451), which the entrants of the PhysioNet/CinC
//! Challenge 2015 took over and extended to the pleth (Clifford et al., Physiol Meas 2016;37:E5; Fallet,
//! Yazdani and Vesin, Comput Cardiol 2015;42:673-676; Plesinger et al., Physiol Meas 2016;37:1313).
//!
//! | Rhythm | Window before now | Contradicted by | Confirmed by |
//! |---|---|---|---|
//! | asystole, pause | since the last beat, 6 s at most | 2 or more good pulses, none missing for 2.2 s | no pulse, where there were some before |
//! | ventricular fibrillation | 5 s | 4 or more good pulses, none missing for 1.5 s | no pulse, where there were some before |
//! | ventricular tachycardia or run | 5 s | regular pulses of usual height, of 97/min at most or just as fast as before | no pulse, lower pulses, or pulses just as fast as the beats |
//! | extreme bradycardia | 6 s | regular pulses of 46/min or more, faster by a quarter than the beats | no pulse, or pulses just as slow |
//! | extreme tachycardia | 5 s | regular pulses of 130/min at most, slower by a quarter than the beats | pulses just as fast |
//!
//! A pulse reaches the finger up to 0.6 s after its beat and is known some tenths of a second later, so
//! windows end 0.7 s before now. Pulses that do not decide leave the rhythm as it is.

use serde::{Deserialize, Serialize};

use super::channel::Channel;
use super::heart::Heart;
use super::taken::Calm;
use crate::pulse::Evidence;
use crate::quality::BELIEVABLE;
use crate::{Reason, Rhythm, WaveKind};

/// A pulse is known so long after its foot at the latest.
const KNOWN_US: i64 = 700_000;
/// The pulse of the last beat may have its foot so long after it.
const LAST_US: i64 = 900_000;
/// Windows are no longer than this, and no shorter.
const LONGEST_US: i64 = 6_000_000;
const SHORTEST_US: i64 = 1_900_000;

/// What the pulses say of a rhythm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Witness {
    pub confirmed_by: Option<WaveKind>,
    pub contradicted_by: Option<WaveKind>,
}

/// What one channel says.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Says {
    Yes,
    No,
    Nothing,
}

/// What the pulses of all channels say of a rhythm that began at `since_us`. A contradiction weighs more
/// than a confirmation: a probe can miss pulses, but not make regular ones.
pub(super) fn witness(rhythm: Rhythm, since_us: i64, channels: &[Channel], heart: &Heart, now_us: i64) -> Witness {
    let mut witness = Witness::default();
    for kind in [WaveKind::ArterialPressure, WaveKind::Pleth] {
        for channel in channels.iter().filter(|channel| channel.kind == kind && channel.is_heard(now_us)) {
            match says(rhythm, since_us, channel, heart, now_us) {
                Says::Yes => witness.confirmed_by = witness.confirmed_by.or(Some(kind)),
                Says::No => witness.contradicted_by = witness.contradicted_by.or(Some(kind)),
                Says::Nothing => {}
            }
        }
    }
    if witness.contradicted_by.is_some() {
        witness.confirmed_by = None;
    }
    witness
}

/// Whether to wait with an asystole that nothing has decided on yet: a pulse has come since the last beat,
/// and at a slow rate two of them need more time than the leads need to fall silent.
pub(super) fn undecided(rhythm: Rhythm, since_us: i64, channels: &[Channel], now_us: i64) -> bool {
    rhythm == Rhythm::Asystole
        && now_us - since_us < LONGEST_US
        && channels.iter().filter(|channel| channel.is_heard(now_us)).any(|channel| {
            let good = channel.taken.verdict.is_none_or(|verdict| verdict.index >= BELIEVABLE);
            let train = channel.taken.train.as_ref().filter(|_| good);
            train.is_some_and(|train| train.evidence(since_us + LAST_US, now_us - KNOWN_US).good > 0)
        })
}

fn says(rhythm: Rhythm, since_us: i64, channel: &Channel, heart: &Heart, now_us: i64) -> Says {
    // What lasts since ever lasts since a minute, for this purpose.
    let since_us = since_us.clamp(now_us - 60_000_000, now_us);
    let Some(train) = &channel.taken.train else { return Says::Nothing };
    let to_us = now_us - KNOWN_US;
    let from_us = match rhythm {
        Rhythm::Asystole | Rhythm::Pause => (since_us + LAST_US).max(to_us - LONGEST_US),
        Rhythm::ExtremeBradycardia => to_us - LONGEST_US,
        _ => to_us - 5_000_000,
    };
    if to_us - from_us < SHORTEST_US {
        return Says::Nothing;
    }
    let during = train.evidence(from_us, to_us);
    let before = train.evidence(since_us - 12_000_000, since_us + LAST_US);
    let calm = channel.taken.calm;
    let good = channel.taken.verdict.is_none_or(|verdict| verdict.index >= BELIEVABLE);
    if good && contradicts(rhythm, &during, calm, heart.interval_ms(from_us, now_us)) {
        return Says::No;
    }
    // A probe that fell off shows no pulse either.
    let off = |reason| matches!(reason, Reason::LeadOff | Reason::Clipped | Reason::Motion);
    let connected = !channel.taken.verdict.and_then(|verdict| verdict.reason).is_some_and(off);
    if connected && confirms(rhythm, &during, &before, heart.interval_ms(from_us, now_us)) {
        return Says::Yes;
    }
    Says::Nothing
}

/// Whether these pulses cannot be of that rhythm.
fn contradicts(rhythm: Rhythm, during: &Evidence, calm: Option<Calm>, beats: Option<(f32, usize)>) -> bool {
    let steady = 3 * during.good >= 2 * during.all;
    // One pulse may be missed: breathing makes some of them low.
    let regular = steady && during.longest_us as f32 <= 2_200.0 * during.interval_ms;
    let as_high = calm.is_none_or(|calm| during.height >= 0.75 * calm.height);
    let as_fast = calm.is_some_and(|calm| (during.interval_ms - calm.interval_ms).abs() <= 0.08 * calm.interval_ms);
    let apart = |least: f32| beats.is_some_and(|(interval_ms, _)| during.interval_ms >= least * interval_ms);
    match rhythm {
        Rhythm::Asystole | Rhythm::Pause => during.good >= 2 && steady && during.longest_us <= 2_200_000,
        Rhythm::VentricularFibrillation => during.good >= 4 && steady && during.longest_us <= 1_500_000,
        Rhythm::VentricularTachycardia | Rhythm::VentricularRun => {
            during.good >= 4 && regular && as_high && (during.interval_ms >= 620.0 || as_fast)
        }
        Rhythm::ExtremeBradycardia => {
            let slower = beats.is_none_or(|(interval_ms, _)| interval_ms >= 1.25 * during.interval_ms);
            during.good >= 4 && regular && during.interval_ms <= 1_300.0 && slower
        }
        Rhythm::ExtremeTachycardia => during.good >= 4 && regular && during.interval_ms >= 460.0 && apart(1.3),
        _ => false,
    }
}

/// Whether these pulses, or their absence, bear the rhythm out.
fn confirms(rhythm: Rhythm, during: &Evidence, before: &Evidence, beats: Option<(f32, usize)>) -> bool {
    let gone = during.good == 0 && before.good >= 3;
    let lower = before.good >= 3 && during.good >= 1 && during.height < 0.6 * before.height;
    let alike = beats.is_some_and(|(interval_ms, _)| {
        during.good >= 3 && (during.interval_ms - interval_ms).abs() <= 0.15 * interval_ms
    });
    match rhythm {
        Rhythm::Asystole | Rhythm::Pause | Rhythm::VentricularFibrillation => gone,
        Rhythm::VentricularTachycardia | Rhythm::VentricularRun => gone || lower || alike,
        Rhythm::ExtremeBradycardia => gone || alike,
        Rhythm::ExtremeTachycardia => alike,
        _ => false,
    }
}

/// Remembers what the pulses of each channel are like while the rhythm is calm.
pub(super) fn remember(channels: &mut [Channel], now_us: i64) {
    for channel in channels {
        let to_us = now_us - KNOWN_US;
        let Some(train) = &channel.taken.train else { continue };
        let pulses = train.evidence(to_us - 5_000_000, to_us);
        if pulses.good < 4 || pulses.good < pulses.all {
            continue;
        }
        let calm = channel.taken.calm.get_or_insert(Calm { interval_ms: pulses.interval_ms, height: pulses.height });
        calm.interval_ms += (pulses.interval_ms - calm.interval_ms) / 8.0;
        calm.height += (pulses.height - calm.height) / 8.0;
    }
}

/// Whether there are regular pulses just now: the heart beats, whatever the leads show.
pub(super) fn beats(channels: &[Channel], now_us: i64) -> Option<WaveKind> {
    let mut all = channels.iter().filter(|channel| channel.is_heard(now_us));
    all.find(|channel| {
        let pulses = channel.taken.train.as_ref().map(|train| train.evidence(now_us - KNOWN_US - 4_000_000, now_us - KNOWN_US));
        let good = channel.taken.verdict.is_none_or(|verdict| verdict.index >= BELIEVABLE);
        good && pulses.is_some_and(|pulses| {
            pulses.good >= 2 && 3 * pulses.good >= 2 * pulses.all && pulses.longest_us <= 2_200_000
        })
    })
    .map(|channel| channel.kind)
}
