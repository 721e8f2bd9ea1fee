//! A device's clock against ours (TI-2).
//!
//! Each message yields one offset: our receive time less its newest device time. A device ahead of
//! us is wrong at once, for nothing is received before it is measured. A device behind us may just
//! be late; only when several messages in a row agree is its clock taken to be off. The smallest
//! offset seen is the best estimate, since delays only add.

use serde::{Deserialize, Serialize};
use vitals::time::SECOND;
use vitals::{DeviceTime, EffectiveTime, Quality, ReceiveTime};

/// A device time this far ahead of ours is wrong.
const AHEAD_MAX: i64 = 2 * SECOND;
/// A device time this far behind ours is late, or its clock is off.
const BEHIND_MAX: i64 = 10 * SECOND;
/// Messages that must agree before a clock is taken to be behind.
const AGREEING: usize = 5;
/// How well they must agree.
const AGREEMENT: i64 = 2 * SECOND;
/// Offsets remembered.
const REMEMBERED: usize = 8;

/// What is known of a device's clock.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct DeviceClock {
    /// Recent offsets in microseconds, oldest first.
    recent: Vec<i64>,
    /// Correction in force: add it to the device's time. None while the clock is believed.
    correction: Option<i64>,
    /// Newest device time seen.
    newest: i64,
    /// Whether any device time was ever given.
    speaks: bool,
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
        // The same stretch sent again says nothing about the clock.
        if device.0 <= self.newest && offset > BEHIND_MAX {
            return;
        }
        self.newest = self.newest.max(device.0);
        if self.recent.len() == REMEMBERED {
            self.recent.remove(0);
        }
        self.recent.push(offset);
        self.judge(offset);
    }

    fn judge(&mut self, offset: i64) {
        let last = &self.recent[self.recent.len().saturating_sub(AGREEING)..];
        let (low, high) = (min(last), max(last));
        if offset < -AHEAD_MAX {
            // Offsets from before the clock jumped would pull the estimate the wrong way.
            self.recent.retain(|other| (other - offset).abs() <= BEHIND_MAX);
            self.correction = Some(min(&self.recent));
        } else if offset <= BEHIND_MAX {
            self.recent.retain(|other| (-AHEAD_MAX..=BEHIND_MAX).contains(other));
            self.correction = None;
        } else if last.len() == AGREEING && high - low <= AGREEMENT {
            self.correction = Some(low);
        } else if self.correction.is_some_and(|current| (offset - current).abs() > BEHIND_MAX) {
            // It drifted or jumped away from what was known; until messages agree, it is late.
            self.correction = self.correction.filter(|current| offset > *current);
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
            None if self.recent.is_empty() => None,
            None => Some(-min(&self.recent)),
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

fn min(offsets: &[i64]) -> i64 {
    offsets.iter().copied().min().unwrap_or(0)
}

fn max(offsets: &[i64]) -> i64 {
    offsets.iter().copied().max().unwrap_or(0)
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
    fn no_device_time_is_ours() {
        let clock = DeviceClock::default();
        let (time, flags) = clock.effective(None, ReceiveTime(5));
        assert_eq!((time.0, flags), (5, Quality::NO_DEVICE_TIME));
    }
}
