//! A device's clock against ours (TI-2).
//!
//! Each message yields one offset: our receive time less its newest device time. Delays only add to
//! it, so the smallest one seen is the best estimate, and a device ahead of what is known of it is
//! corrected at once: nothing is received before it is measured. A device behind may just be late;
//! only when several messages agree, over seconds on our clock, is its clock taken to be off. A
//! burst of stored or repeated messages never agrees: its times run faster than ours.

use serde::{Deserialize, Serialize};
use vitals::time::SECOND;
use vitals::{DeviceTime, EffectiveTime, Quality, ReceiveTime};

/// A device time this far ahead of ours is wrong.
const AHEAD_MAX: i64 = 2 * SECOND;
/// A device time this far behind what is known of its clock is late, or its clock moved.
const BEHIND_MAX: i64 = 10 * SECOND;
/// Messages that must agree before a clock is taken to have moved back…
const AGREEING: u32 = 5;
/// …and for how long on our clock.
const AGREEING_FOR: i64 = 4 * SECOND;
/// How well they must agree.
const AGREEMENT: i64 = 2 * SECOND;
/// Offsets remembered, so that the correction follows a clock that drifts.
const REMEMBERED: usize = 8;

/// What is known of a device's clock.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DeviceClock {
    /// Recent offsets that fit what is known, in microseconds, oldest first.
    recent: Vec<i64>,
    /// Correction in force: add it to the device's time. None while the clock is believed.
    correction: Option<i64>,
    /// Offsets that do not fit, as long as they agree with each other.
    moved: Option<Moved>,
    /// Whether any device time was ever given.
    speaks: bool,
}

/// Messages in a row that say the clock was moved back.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Moved {
    low: i64,
    high: i64,
    count: u32,
    since: i64,
}

/// What people are told of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockState {
    /// No message yet.
    Unknown,
    /// The device gives no times.
    None,
    /// Believed.
    Good,
    /// Off, and corrected.
    Off,
}

impl DeviceClock {
    /// Takes in one live message, whose newest device time is `device` (none if it has none).
    pub fn observe(&mut self, device: Option<DeviceTime>, received: ReceiveTime) {
        let Some(device) = device else { return };
        self.speaks = true;
        let offset = received.0.saturating_sub(device.0);
        let known = self.correction.unwrap_or(0);
        let tolerance = if self.correction.is_some() { 0 } else { AHEAD_MAX };
        if (-AHEAD_MAX..=BEHIND_MAX).contains(&offset) {
            if self.correction.take().is_some() {
                self.recent.clear();
            }
            self.fits(offset);
        } else if offset < known.saturating_sub(tolerance) {
            self.recent.clear();
            self.correction = Some(offset);
            self.fits(offset);
        } else if offset <= known.saturating_add(BEHIND_MAX) {
            self.fits(offset);
            if self.recent.len() == REMEMBERED {
                self.correction = self.recent.iter().copied().min();
            }
        } else {
            self.behind(offset, received);
        }
    }

    fn fits(&mut self, offset: i64) {
        self.moved = None;
        if self.recent.len() == REMEMBERED {
            self.recent.remove(0);
        }
        self.recent.push(offset);
    }

    /// Further behind than is known: late, unless messages agree that the clock was moved.
    fn behind(&mut self, offset: i64, received: ReceiveTime) {
        let one = Moved { low: offset, high: offset, count: 1, since: received.0 };
        let joined = self.moved.map(|m| Moved {
            low: m.low.min(offset),
            high: m.high.max(offset),
            count: m.count.saturating_add(1),
            since: m.since,
        });
        let moved = joined.filter(|m| m.high.saturating_sub(m.low) <= AGREEMENT).unwrap_or(one);
        self.moved = Some(moved);
        let lasted = received.0.saturating_sub(moved.since);
        if moved.count >= AGREEING && lasted >= AGREEING_FOR {
            self.recent.clear();
            self.correction = Some(moved.low);
            self.fits(moved.low);
        }
    }

    /// When a value was true, and the flags that go with that. `newest` is the message's newest
    /// device time.
    #[must_use]
    pub fn effective(
        &self,
        device: Option<DeviceTime>,
        received: ReceiveTime,
    ) -> (EffectiveTime, Quality) {
        let Some(device) = device else {
            return (EffectiveTime(received.0), Quality::NO_DEVICE_TIME);
        };
        let (time, mut flags) = match self.correction {
            Some(correction) => {
                let time = device.0.saturating_add(correction).min(received.0);
                (time, Quality::CLOCK_CORRECTED)
            }
            None => (device.0, Quality::empty()),
        };
        if received.0.saturating_sub(time) > BEHIND_MAX {
            flags |= Quality::LATE;
        }
        // A little ahead is jitter between two good clocks.
        (EffectiveTime(time.min(received.0)), flags)
    }

    /// How far the device is ahead of us (negative: behind), in microseconds, if known.
    #[must_use]
    pub fn ahead_us(&self) -> Option<i64> {
        match self.correction {
            Some(correction) => Some(-correction),
            None => self.recent.iter().min().map(|offset| -offset),
        }
    }

    /// In one word.
    #[must_use]
    pub fn state(&self, heard: bool) -> ClockState {
        match (self.correction, self.speaks, heard) {
            (Some(_), ..) => ClockState::Off,
            (None, true, _) => ClockState::Good,
            (None, false, true) => ClockState::None,
            (None, false, false) => ClockState::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3600;

    /// Feeds `(device second, received second)`; expects effective second and flags of the last.
    fn check(messages: &[(i64, i64)], second: i64, flags: Quality) {
        let mut clock = DeviceClock::default();
        for (device, received) in messages {
            clock.observe(Some(DeviceTime(device * SECOND)), ReceiveTime(received * SECOND));
        }
        let (device, received) = messages[messages.len() - 1];
        let (time, got) =
            clock.effective(Some(DeviceTime(device * SECOND)), ReceiveTime(received * SECOND));
        assert_eq!((time.0 / SECOND, got), (second, flags));
    }

    #[test]
    fn a_good_clock_is_believed() {
        check(&[(100, 100), (101, 102)], 101, Quality::empty());
    }

    #[test]
    fn a_clock_ahead_is_corrected_at_once() {
        check(&[(100 + HOUR, 100)], 100, Quality::CLOCK_CORRECTED);
    }

    #[test]
    fn a_clock_behind_is_corrected_when_messages_agree() {
        let messages: Vec<(i64, i64)> = (0..5).map(|n| (100 + n, 100 + n + HOUR)).collect();
        check(&messages[..4], 103, Quality::LATE);
        check(&messages, 104 + HOUR, Quality::CLOCK_CORRECTED);
    }

    #[test]
    fn a_late_burst_is_late_not_wrong() {
        let mut messages: Vec<(i64, i64)> = (0..5).map(|n| (100 + n, 100 + n)).collect();
        messages.extend((5..60).map(|n| (100 + n, 200)));
        check(&messages, 159, Quality::LATE);
    }

    #[test]
    fn a_clock_put_right_is_believed_again() {
        let mut messages: Vec<(i64, i64)> = (0..6).map(|n| (100 + n + HOUR, 100 + n)).collect();
        messages.extend((6..8).map(|n| (100 + n, 100 + n)));
        check(&messages, 107, Quality::empty());
    }

    #[test]
    fn a_clock_set_back_is_found_and_a_repeated_stretch_is_not_taken_for_one() {
        let good: Vec<(i64, i64)> = (0..20).map(|n| (100 + n, 100 + n)).collect();
        let mut back = good.clone();
        back.extend((20..26).map(|n| (100 + n - HOUR, 100 + n)));
        check(&back, 125, Quality::CLOCK_CORRECTED);
        let mut repeated = good.clone();
        repeated.extend((0..20).map(|n| (100 + n, 160)));
        check(&repeated, 119, Quality::LATE);
        repeated.extend((60..63).map(|n| (100 + n, 100 + n)));
        check(&repeated, 162, Quality::empty());
    }

    #[test]
    fn what_a_device_with_a_wrong_clock_stored_is_late_by_its_own_delay() {
        let mut messages: Vec<(i64, i64)> = (0..20).map(|n| (100 + n + HOUR, 100 + n)).collect();
        messages.extend((20..200).map(|n| (100 + n + HOUR, 400)));
        check(&messages[..50], 149, Quality::CLOCK_CORRECTED.union(Quality::LATE));
        messages.extend((300..303).map(|n| (100 + n + HOUR, 100 + n)));
        check(&messages, 402, Quality::CLOCK_CORRECTED);
    }

    #[test]
    fn a_drifting_clock_is_followed() {
        // One second a minute, either way, from an hour ahead and an hour behind.
        for (start, drift) in [(HOUR, 1), (HOUR, -1), (-HOUR, 1), (-HOUR, -1)] {
            let messages: Vec<(i64, i64)> =
                (0..3_000).map(|n| (1_000_000 + n + start + drift * n / 60, 1_000_000 + n)).collect();
            let mut clock = DeviceClock::default();
            for (device, received) in &messages[..2_999] {
                clock.observe(Some(DeviceTime(device * SECOND)), ReceiveTime(received * SECOND));
            }
            let (device, received) = messages[2_999];
            clock.observe(Some(DeviceTime(device * SECOND)), ReceiveTime(received * SECOND));
            let (time, flags) =
                clock.effective(Some(DeviceTime(device * SECOND)), ReceiveTime(received * SECOND));
            assert!((received * SECOND - time.0) <= 2 * SECOND, "{start} {drift}: {}", time.0);
            assert_eq!(flags, Quality::CLOCK_CORRECTED);
            assert_eq!(clock.state(true), ClockState::Off);
        }
    }

    #[test]
    fn no_device_time_is_ours() {
        let clock = DeviceClock::default();
        let (time, flags) = clock.effective(None, ReceiveTime(5));
        assert_eq!((time.0, flags), (5, Quality::NO_DEVICE_TIME));
    }
}
