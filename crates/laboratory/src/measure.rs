//! Measuring what a policy did to one patient: alerts against real events.

use std::collections::BTreeMap;

use alert::Priority;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use vitals::Role;
use vitals::time::HOUR;

use crate::watch::Raised;

/// What is the same for all policies of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// An alert precedes an event when it is open, or was raised, within this many hours before.
    pub horizon_h: f64,
    /// Median of the time after which an alert that nobody really saw is taken, in seconds; 0:
    /// nobody takes it.
    pub answered_after_s: f64,
    /// The house's clock.
    pub zone: TimeZone,
    /// The night: from this hour …
    pub night_from: u8,
    /// … to before this one.
    pub night_to: u8,
    /// A transfer into one of these units is an event (`transfer`).
    pub transfer_units: Vec<String>,
    /// Bootstrap samples behind each interval.
    pub resamples: u32,
    /// List the alerts one by one.
    pub list: bool,
    /// Of a journal: list so many alerts that a changed policy would not raise, and so many that only it
    /// would raise; those that preceded an event first.
    pub differing: usize,
    /// Of a journal: so many engines work at the same time; 0: one a policy.
    pub at_once: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            horizon_h: 12.0,
            answered_after_s: 60.0,
            zone: TimeZone::UTC,
            night_from: 22,
            night_to: 6,
            transfer_units: Vec::new(),
            resamples: 400,
            list: false,
            differing: 0,
            at_once: 0,
        }
    }
}

impl Settings {
    pub(crate) fn horizon_us(&self) -> i64 {
        (self.horizon_h * HOUR as f64) as i64
    }

    /// Whether a moment is in the night of the house.
    pub(crate) fn at_night(&self, at: i64) -> bool {
        let moment = Timestamp::from_microsecond(at).unwrap_or(Timestamp::UNIX_EPOCH);
        let hour = i16::from(self.zone.to_datetime(moment).hour());
        let (from, to) = (i16::from(self.night_from), i16::from(self.night_to));
        if from <= to { (from..to).contains(&hour) } else { hour >= from || hour < to }
    }
}

/// What is counted of one patient under one policy. Sums, so that patients can be drawn again.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Sums {
    /// Alerts about the patient.
    pub(crate) alerts: u32,
    /// Those of them that preceded an event.
    pub(crate) useful: u32,
    /// Events that an alert preceded, by kind.
    pub(crate) seen: Vec<u16>,
}

/// What is counted of all patients under one policy.
#[derive(Debug, Clone, Default)]
pub(crate) struct Totals {
    pub(crate) by_cause: BTreeMap<(Priority, String), u64>,
    pub(crate) technical: u64,
    /// Calls by role: all, and those at night.
    pub(crate) calls: BTreeMap<Role, (u64, u64)>,
    /// Hours from the first alert to the event, by kind.
    pub(crate) leads_h: Vec<Vec<f32>>,
    /// Seconds until somebody took it.
    pub(crate) taken_s: Vec<f32>,
    pub(crate) untaken: u64,
}

impl Totals {
    pub(crate) fn new(kinds: usize) -> Self {
        Self { leads_h: vec![Vec::new(); kinds], ..Self::default() }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (cause, count) in other.by_cause {
            *self.by_cause.entry(cause).or_default() += count;
        }
        for (role, (all, night)) in other.calls {
            let calls = self.calls.entry(role).or_default();
            *calls = (calls.0 + all, calls.1 + night);
        }
        for (mine, theirs) in self.leads_h.iter_mut().zip(other.leads_h) {
            mine.extend(theirs);
        }
        self.technical += other.technical;
        self.untaken += other.untaken;
        self.taken_s.extend(other.taken_s);
    }
}

/// Measures one patient's alerts (all of the same patient) against their events (kind, time);
/// `last` is when the patient was last looked at.
pub(crate) fn patient<'a>(
    alerts: impl Iterator<Item = &'a Raised> + Clone,
    events: &[(usize, i64)],
    last: i64,
    settings: &Settings,
    totals: &mut Totals,
) -> Sums {
    let horizon = settings.horizon_us();
    let mut sums = Sums { seen: vec![0; totals.leads_h.len()], ..Sums::default() };
    for alert in alerts.clone() {
        for (at, role) in &alert.calls {
            let calls = totals.calls.entry(*role).or_default();
            calls.0 += 1;
            calls.1 += u64::from(settings.at_night(*at));
        }
        match alert.taken {
            Some(at) => totals.taken_s.push(((at - alert.begin) as f64 / 1e6) as f32),
            None => totals.untaken += 1,
        }
        if alert.technical {
            totals.technical += 1;
            continue;
        }
        sums.alerts += 1;
        *totals.by_cause.entry((alert.priority, alert.cause.clone())).or_default() += 1;
        sums.useful += u32::from(precedes(alert, events, last, settings));
    }
    for (kind, at) in events {
        let first = alerts
            .clone()
            .filter(|alert| !alert.technical && alert.begin <= *at && alert.until(last) >= at - horizon)
            .map(|alert| alert.begin.max(at - horizon))
            .min();
        if let Some(first) = first {
            sums.seen[*kind] += 1;
            totals.leads_h[*kind].push(((at - first) as f64 / HOUR as f64) as f32);
        }
    }
    sums
}

/// Whether an alert was raised at or before one of these events (kind, time), and was not over more than
/// the horizon before it.
pub(crate) fn precedes(alert: &Raised, events: &[(usize, i64)], last: i64, settings: &Settings) -> bool {
    let until = alert.until(last).saturating_add(settings.horizon_us());
    !alert.technical && events.iter().any(|(_, at)| (alert.begin..=until).contains(at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch::Watch;
    use vitals::time::MINUTE;

    fn settings() -> Settings {
        Settings { horizon_h: 2.0, ..Settings::default() }
    }

    #[test]
    fn nights_may_pass_midnight() {
        let hours = |settings: &Settings| -> Vec<i64> {
            (0..24).filter(|hour| settings.at_night(hour * HOUR + 30 * MINUTE)).collect()
        };
        assert_eq!(hours(&settings()), [0, 1, 2, 3, 4, 5, 22, 23]);
        let ahead = Settings { zone: TimeZone::fixed(jiff::tz::offset(2)), ..settings() };
        assert_eq!(hours(&ahead), [0, 1, 2, 3, 20, 21, 22, 23]);
        let short = Settings { night_from: 0, night_to: 5, ..settings() };
        assert_eq!(hours(&short), [0, 1, 2, 3, 4]);
    }

    #[test]
    fn the_house_s_clock_is_that_of_the_day() {
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").expect("a clock");
        let house = Settings { zone: berlin, ..settings() };
        let at = |text: &str| house.at_night(text.parse::<Timestamp>().expect("a time").as_microsecond());
        // 5:30 in winter and 6:30 in summer, when 22 o'clock is an hour earlier, too.
        assert!(at("2026-01-10T04:30:00Z") && !at("2026-07-10T04:30:00Z"));
        assert!(!at("2026-01-10T20:30:00Z") && at("2026-07-10T20:30:00Z"));
    }

    #[test]
    fn nothing_is_measured_of_nobody() {
        let mut totals = Totals::new(1);
        let watch = Watch::default();
        let sums = patient(watch.raised.iter(), &[(0, 5 * HOUR)], 6 * HOUR, &settings(), &mut totals);
        assert_eq!((sums.alerts, sums.seen), (0, vec![0]));
    }
}
