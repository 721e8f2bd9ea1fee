//! What is known of one device: how it speaks, its clock, on whom it is and was.

use serde::{Deserialize, Serialize};
use vitals::time::{MINUTE, SECOND};
use vitals::{
    Association, AssociationBasis, Device, EffectiveTime, LinkState, MetricCode, PatientId,
    Protocol, ReceiveTime, SeriesId,
};

use crate::clock::DeviceClock;

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
    /// Usual interval between messages in microseconds, smoothed.
    pub interval_us: Option<i64>,
    /// Delay from measuring to receiving in microseconds, smoothed.
    pub delay_us: Option<i64>,
    /// Messages received in each of the last five minutes, by minute number modulo 5.
    pub minutes: [(i64, u32); 5],
    /// Whether its silence has been noticed.
    pub silent: bool,
    /// Series by subject, metric and channel.
    pub series: Vec<(Option<PatientId>, MetricCode, u32, SeriesId)>,
    /// When its timer is set for.
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
            protocol: Protocol::Internal,
            messages: 0,
            values: 0,
            problems: 0,
            battery: None,
            recorded: false,
            interval_us: None,
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

    /// Counts a message.
    pub fn hear(&mut self, at: ReceiveTime, protocol: Protocol) {
        if let Some(before) = self.heard_at {
            let interval = at.0.saturating_sub(before.0).max(0);
            let smoothed = self.interval_us.map_or(interval, |old| old + (interval - old) / 8);
            self.interval_us = Some(smoothed);
        }
        self.heard_at = Some(at);
        self.protocol = protocol;
        self.messages += 1;
        let minute = at.0.div_euclid(MINUTE);
        let slot = &mut self.minutes[minute.rem_euclid(5) as usize];
        if slot.0 == minute { slot.1 += 1 } else { *slot = (minute, 1) }
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

    /// When its silence counts, if it does: it must have spoken twice (AL-2).
    #[must_use]
    pub fn silence_at(&self, gap: &alert::Gap) -> Option<i64> {
        let heard = self.heard_at.filter(|_| !self.recorded)?;
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

    #[test]
    fn silence_counts_from_the_last_message_by_habit() {
        let gap = alert::Policy::built_in().gap;
        let mut device = device();
        for second in 0..20 {
            device.hear(ReceiveTime(second * SECOND), Protocol::Mqtt);
        }
        assert_eq!(device.silence_at(&gap), Some((19 + 30) * SECOND));
        let mut slow = self::device();
        for minute in 0..20 {
            slow.hear(ReceiveTime(minute * MINUTE), Protocol::Mqtt);
        }
        assert_eq!(slow.silence_at(&gap), Some((19 + 4) * MINUTE));
    }
}
