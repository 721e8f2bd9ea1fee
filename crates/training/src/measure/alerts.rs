//! Alerts that a score would raise, and what they are good for.
//!
//! A score raises an alert in the hour in which it is at or above its threshold and has raised none in the quiet time
//! before. So whoever stays above is told again after the quiet time, and whoever hovers around the threshold is not told
//! each time. A missing score raises nothing. Or, where only entering counts, whoever stays above is not told again.

/// The hours at which alerts begin. A score of NaN is none.
#[must_use]
pub fn begun(scores: &[f64], threshold: f64, rule: &Alerts) -> Vec<usize> {
    let mut hours: Vec<usize> = Vec::new();
    for (hour, score) in scores.iter().enumerate() {
        let stood = rule.entering && hour > 0 && scores[hour - 1] >= threshold;
        if *score >= threshold && !stood && hours.last().is_none_or(|last| hour - last >= rule.quiet_h) {
            hours.push(hour);
        }
    }
    hours
}

/// What counts as a warning: an alert so many hours before the event, at least and at most.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alerts {
    /// Hours without another alert after one.
    pub quiet_h: usize,
    /// Whether only entering raises an alert: the hour before was below the threshold.
    pub entering: bool,
    /// Least warning.
    pub ahead_h: usize,
    /// Longest time back that an alert is still taken for a warning of this event.
    pub back_h: usize,
}

impl Alerts {
    /// Quiet for 12 hours, then told again whoever stays; warned 6 to 24 hours ahead.
    pub const DOCUMENTED: Self = Self { quiet_h: 12, entering: false, ahead_h: 6, back_h: 24 };
    /// Whoever stays above is not told again; six quiet hours before.
    pub const ENTERING: Self = Self { quiet_h: 6, entering: true, ..Self::DOCUMENTED };
    /// Defensible ways of counting, the documented one first. A comparison is to show all of them: which is chosen moves the
    /// result. In the third every hour at or above the threshold counts, and the event is seen if the hour exactly six hours
    /// before it is one; in the fourth nothing but the first alert of a stay counts, for cost and for warning.
    pub const WAYS: [(&'static str, Self); 5] = [
        ("as documented", Self::DOCUMENTED),
        ("warned 6 to 12 h ahead", Self { back_h: 12, ..Self::DOCUMENTED }),
        ("in alarm 6 h before", Self { quiet_h: 1, back_h: 6, ..Self::DOCUMENTED }),
        ("first alert of a stay", Self { quiet_h: usize::MAX, ..Self::DOCUMENTED }),
        ("on entering only", Self::ENTERING),
    ];

    /// Whether a higher threshold means fewer alerts and fewer warnings. It does not where few enter what nearly all stand
    /// above, or where a first alert that came too early leaves no second one.
    #[must_use]
    pub const fn falls(&self) -> bool {
        !self.entering && self.quiet_h < usize::MAX
    }
}

impl Default for Alerts {
    /// [`Self::DOCUMENTED`].
    fn default() -> Self {
        Self::DOCUMENTED
    }
}

/// One stay, or a sum of stays.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Tally {
    /// Alerts raised.
    pub alerts: f64,
    /// Those that an event followed within the time that a warning reaches back.
    pub true_alerts: f64,
    /// Hours watched.
    pub hours: f64,
    /// Events that could have been warned of.
    pub events: f64,
    /// Those warned of.
    pub warned: f64,
}

impl Tally {
    /// Of one stay: its scores hour by hour, up to the event if there is one (hours after it are not watched), and the
    /// hour of that event. An event in the first hours, before a warning was possible, is not counted.
    #[must_use]
    #[allow(clippy::cast_precision_loss, reason = "hours of a stay")]
    pub fn of(scores: &[f64], threshold: f64, event: Option<usize>, rule: &Alerts) -> Self {
        let watched = &scores[..event.unwrap_or(scores.len()).min(scores.len())];
        let begun = begun(watched, threshold, rule);
        let mut tally = Self { alerts: begun.len() as f64, hours: watched.len() as f64, ..Self::default() };
        if let Some(event) = event {
            tally.true_alerts = begun.iter().filter(|hour| event - **hour <= rule.back_h).count() as f64;
            if event >= rule.ahead_h {
                tally.events = 1.0;
                let warned = begun.iter().any(|hour| (rule.ahead_h..=rule.back_h).contains(&(event - hour)));
                tally.warned = f64::from(u8::from(warned));
            }
        }
        tally
    }

    /// Adds another, `times` times.
    pub fn add(&mut self, other: &Self, times: f64) {
        self.alerts += other.alerts * times;
        self.true_alerts += other.true_alerts * times;
        self.hours += other.hours * times;
        self.events += other.events * times;
        self.warned += other.warned * times;
    }

    /// Alerts per patient-day.
    #[must_use]
    pub fn per_day(&self) -> f64 {
        self.alerts / self.hours * 24.0
    }

    /// Share of events warned of.
    #[must_use]
    pub fn sensitivity(&self) -> f64 {
        self.warned / self.events
    }

    /// Share of alerts that an event followed.
    #[must_use]
    pub fn precision(&self) -> f64 {
        self.true_alerts / self.alerts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alerts_keep_quiet_and_come_again() {
        let scores: Vec<f64> = (0..30).map(|hour| if hour == 3 || hour > 8 { 5.0 } else { f64::NAN }).collect();
        let rule = Alerts::default();
        assert_eq!(begun(&scores, 5.0, &rule), [3, 15, 27]);
        assert!(begun(&scores, 5.1, &rule).is_empty());
        assert_eq!(begun(&scores, 5.0, &Alerts { entering: true, quiet_h: 6, ..rule }), [3, 9], "only entering");
    }

    /// Hours at or above the threshold in a stay of 60, the hour of the event, and of each way (alerts, warned).
    const COUNTED: [(&[std::ops::RangeInclusive<usize>], usize, [(u8, u8); 5]); 8] = [
        // Long before, and standing until the event.
        (&[20..=39], 40, [(2, 1), (2, 1), (20, 1), (1, 1), (1, 1)]),
        // One hour exactly six hours before.
        (&[34..=34], 40, [(1, 1), (1, 1), (1, 1), (1, 1), (1, 1)]),
        // One hour twelve, and one thirteen hours before.
        (&[28..=28], 40, [(1, 1), (1, 1), (1, 0), (1, 1), (1, 1)]),
        (&[27..=27], 40, [(1, 1), (1, 0), (1, 0), (1, 1), (1, 1)]),
        // Too late: five hours before.
        (&[35..=39], 40, [(1, 0), (1, 0), (5, 0), (1, 0), (1, 0)]),
        // The first alert of the stay is too old, the second is in time.
        (&[2..=2, 30..=30], 40, [(2, 1), (2, 1), (2, 0), (1, 0), (2, 1)]),
        // Standing from the first hour: told again every twelve hours, entered once.
        (&[0..=39], 40, [(4, 1), (4, 0), (40, 1), (1, 0), (1, 0)]),
        // An event in the sixth hour can be warned of in the first.
        (&[0..=0], 6, [(1, 1), (1, 1), (1, 1), (1, 1), (1, 1)]),
    ];

    #[test]
    fn each_way_counts_what_it_says() {
        for (above, event, expected) in COUNTED {
            let score = |hour: usize| if above.iter().any(|hours| hours.contains(&hour)) { 1.0 } else { 0.0 };
            let scores: Vec<f64> = (0..60).map(score).collect();
            for ((way, rule), (alerts, warned)) in Alerts::WAYS.iter().zip(expected) {
                let tally = Tally::of(&scores, 1.0, Some(event), rule);
                let counted = (tally.alerts, tally.warned);
                assert_eq!(counted, (f64::from(alerts), f64::from(warned)), "{way}: above in {above:?}, event at {event}");
            }
        }
    }

    #[test]
    fn only_what_comes_in_time_is_a_warning() {
        let rule = Alerts::default();
        let alert_at = |hour: usize| (0..60).map(|at| if at == hour { 1.0 } else { 0.0 }).collect::<Vec<f64>>();
        let warned = |hour, event| Tally::of(&alert_at(hour), 1.0, Some(event), &rule);
        assert!((warned(20, 26).warned - 1.0).abs() < 1e-12);
        assert!(warned(21, 26).warned.abs() < 1e-12, "five hours ahead");
        assert!((warned(21, 26).true_alerts - 1.0).abs() < 1e-12);
        assert!(warned(1, 26).true_alerts.abs() < 1e-12, "25 hours ahead");
        assert!(warned(1, 5).events.abs() < 1e-12, "nobody could have said so six hours ahead");
        let none = Tally::of(&alert_at(3), 1.0, None, &rule);
        assert!((none.alerts - 1.0).abs() < 1e-12 && (none.hours - 60.0).abs() < 1e-12 && none.events.abs() < 1e-12);
    }
}
