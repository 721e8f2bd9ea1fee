//! What is known of one device: how it speaks, its clock, on whom it is and was.

use serde::{Deserialize, Serialize};
use vitals::time::{MINUTE, SECOND};
use vitals::{
    Association, AssociationBasis, Device, EffectiveTime, LinkState, MetricCode, PatientId,
    Protocol, ReceiveTime, SeriesId,
};

use crate::clock::DeviceClock;

/// Up to this many bursts between two silences are a habit, not an outage.
const HABIT_BURSTS: u32 = 20;

/// A device as the engine knows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceState {
    /// Details.
    pub device: Device,
    /// Whether somebody gave its details (else it is only announced).
    pub known: bool,
    /// Connection, as last reported.
    pub link: LinkState,
    /// Its clock.
    pub clock: DeviceClock,
    /// Associations, oldest first; at most one is open.
    pub associations: Vec<Association>,
    /// Last message.
    pub heard_at: Option<ReceiveTime>,
    /// Since when it is on its patient: what it did before is nobody's loss.
    pub watched_since: ReceiveTime,
    /// Door of the last message.
    pub protocol: Protocol,
    /// Messages.
    pub messages: u64,
    /// Values.
    pub values: u64,
    /// Messages with problems.
    pub problems: u64,
    /// Battery charge in percent.
    pub battery: Option<f64>,
    /// Whether the last message was a recording played back.
    pub recorded: bool,
    /// Longest usual interval in microseconds between the beginnings of bursts of messages.
    pub interval_us: Option<i64>,
    /// When the present burst began: what follows within a second belongs to it.
    burst_at: Option<i64>,
    /// Bursts since it was last found silent.
    bursts: u32,
    /// Delay from measuring to receiving in microseconds, smoothed.
    pub delay_us: Option<i64>,
    /// Messages received in each of the last five minutes, by minute number modulo 5.
    pub minutes: [(i64, u32); 5],
    /// Whether its silence has been noticed.
    pub silent: bool,
    /// Series by subject, metric and channel.
    pub series: Vec<(Option<PatientId>, MetricCode, u32, SeriesId)>,
    /// When its timer is set for.
    #[serde(skip)]
    pub(crate) timer_at: Option<i64>,
}

impl DeviceState {
    /// A device heard of for the first time.
    #[must_use]
    pub fn new(device: Device, known: bool) -> Self {
        Self {
            device,
            known,
            link: LinkState::Offline,
            clock: DeviceClock::default(),
            associations: Vec::new(),
            heard_at: None,
            watched_since: ReceiveTime(0),
            protocol: Protocol::Internal,
            messages: 0,
            values: 0,
            problems: 0,
            battery: None,
            recorded: false,
            interval_us: None,
            burst_at: None,
            bursts: 0,
            delay_us: None,
            minutes: [(0, 0); 5],
            silent: false,
            series: Vec::new(),
            timer_at: None,
        }
    }

    /// The association that covers `time`, if one does (PA-1).
    #[must_use]
    pub fn association_at(&self, time: EffectiveTime) -> Option<&Association> {
        self.associations.iter().rev().find(|association| association.covers(time))
    }

    /// The association that lasts.
    #[must_use]
    pub fn current(&self) -> Option<&Association> {
        self.associations.last().filter(|association| association.end.is_none())
    }

    /// Ends the lasting association at `at`; gives it back ended.
    pub fn end_current(&mut self, at: EffectiveTime) -> Option<Association> {
        let last = self.associations.last_mut().filter(|a| a.end.is_none())?;
        last.end = Some(at.max(last.start));
        Some(last.clone())
    }

    /// Begins an association; the lasting one must have been ended. A start before the end of the
    /// one before is moved to that end: what came before does not move (PA-1).
    pub fn begin(
        &mut self,
        patient: PatientId,
        basis: AssociationBasis,
        start: EffectiveTime,
    ) -> Association {
        let earliest = self.associations.last().and_then(|last| last.end).unwrap_or(start);
        let association = Association {
            device: self.device.id.clone(),
            patient,
            basis,
            start: start.max(earliest),
            end: None,
        };
        self.associations.push(association.clone());
        association
    }

    /// Counts a message; whoever was silent is so no more.
    pub fn hear(&mut self, at: ReceiveTime, protocol: Protocol) {
        self.keep_rhythm(at.0);
        self.silent = false;
        self.heard_at = Some(at);
        self.protocol = protocol;
        self.messages += 1;
        let minute = at.0.div_euclid(MINUTE);
        let slot = &mut self.minutes[minute.rem_euclid(5) as usize];
        if slot.0 == minute { slot.1 += 1 } else { *slot = (minute, 1) }
    }

    /// Learns how often it speaks: the longest interval of late, slowly forgotten. What ended in
    /// a silence was an outage, unless only a few bursts lie between: then it is a habit.
    fn keep_rhythm(&mut self, at: i64) {
        let Some(began) = self.burst_at else {
            self.burst_at = Some(at);
            return;
        };
        let interval = at.saturating_sub(began);
        if interval < SECOND {
            return;
        }
        self.burst_at = Some(at);
        let outage = std::mem::take(&mut self.silent);
        let habit = self.bursts <= HABIT_BURSTS;
        self.bursts = if outage { 0 } else { self.bursts.saturating_add(1) };
        if outage && !habit {
            return;
        }
        self.interval_us = Some(match self.interval_us {
            Some(known) if known > interval => known - (known - interval) / 16,
            _ => interval,
        });
    }

    /// Messages a minute over the last five.
    #[must_use]
    pub fn per_minute(&self, now: ReceiveTime) -> f64 {
        let minute = now.0.div_euclid(MINUTE);
        let recent = self.minutes.iter().filter(|(at, _)| (0..5).contains(&(minute - at)));
        let messages: u32 = recent.map(|(_, count)| count).sum();
        let seconds = 240.0 + (now.0.rem_euclid(MINUTE) as f64) / 1e6;
        f64::from(messages) / (seconds / 60.0)
    }

    /// When its silence counts, if it does: it must have spoken twice (AL-2). `awake`: since when
    /// we ourselves have been listening without a break.
    #[must_use]
    pub fn silence_at(&self, gap: &alert::Gap, awake: ReceiveTime) -> Option<i64> {
        let heard = self.heard_at.filter(|_| !self.recorded)?.max(awake).max(self.watched_since);
        let interval = self.interval_us?;
        // A device that sends every few seconds is a stream; others get several of their intervals.
        let patience = if interval <= 10 * SECOND {
            gap.after_us
        } else {
            gap.after_us.max((interval as f64 * gap.intervals) as i64)
        };
        Some(heard.0.saturating_add(patience))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitals::DeviceId;

    fn device() -> DeviceState {
        let id = DeviceId::new("m1").expect("valid");
        DeviceState::new(Device::announced(id), false)
    }

    #[test]
    fn pa_1_a_time_belongs_to_the_association_that_covered_it() {
        let mut device = device();
        let (a, b) = (
            PatientId::from_identifier("urn:mrn", "a"),
            PatientId::from_identifier("urn:mrn", "b"),
        );
        device.begin(a.clone(), AssociationBasis::Message, EffectiveTime(10));
        device.end_current(EffectiveTime(20));
        device.begin(b.clone(), AssociationBasis::Message, EffectiveTime(15));
        for (time, expected) in [(9, None), (10, Some(&a)), (19, Some(&a)), (20, Some(&b))] {
            let found = device.association_at(EffectiveTime(time)).map(|found| &found.patient);
            assert_eq!(found, expected, "at {time}");
        }
    }

    /// Hears messages at these seconds; when its silence then counts, in seconds after the last.
    fn patience(seconds: impl IntoIterator<Item = i64>) -> i64 {
        let gap = alert::Policy::built_in().gap;
        let mut device = device();
        let mut last = 0;
        for second in seconds {
            let due = device.silence_at(&gap, ReceiveTime(0));
            device.silent = due.is_some_and(|due| due <= second * SECOND);
            device.hear(ReceiveTime(second * SECOND), Protocol::Mqtt);
            last = second;
        }
        device.silence_at(&gap, ReceiveTime(0)).map_or(0, |due| due / SECOND - last)
    }

    #[test]
    fn silence_counts_from_the_last_message_by_habit() {
        assert_eq!(patience([0]), 0, "who spoke once may never speak again");
        assert_eq!(patience(0..20), 30, "a stream");
        assert_eq!(patience((0..20).map(|minute| minute * 60)), 240, "once a minute");
        let bursts = (0..40).flat_map(|minute| [minute * 60; 5]);
        assert_eq!(patience(bursts), 240, "five messages once a minute");
        let outage = (0..200).chain(800..803);
        assert_eq!(patience(outage), 30, "a stream with an outage");
        let slower = (0..200).chain((2..10).map(|n| n * 300));
        assert_eq!(patience(slower), 1_200, "a stream that became slow");
    }

    #[test]
    fn nobody_is_silent_while_we_do_not_listen() {
        let gap = alert::Policy::built_in().gap;
        let mut device = device();
        for second in 0..20 {
            device.hear(ReceiveTime(second * SECOND), Protocol::Mqtt);
        }
        let awake = ReceiveTime(3_600 * SECOND);
        assert_eq!(device.silence_at(&gap, awake), Some((3_600 + 30) * SECOND));
    }
}
