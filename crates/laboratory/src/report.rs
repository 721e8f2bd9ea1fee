//! What is told of a simulation: policies side by side, with their differences.

use alert::Priority;
use serde::{Deserialize, Serialize};
use vitals::time::DAY;

use crate::bootstrap;
use crate::measure::{Settings, Sums, Totals};
use crate::watch::Raised;
use crate::Candidate;

/// A figure with the interval in which 95 % of the bootstrap samples lie; none where there is
/// nothing to divide by.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LaboratoryInterval))]
pub struct Interval {
    /// The figure.
    pub value: Option<f64>,
    /// Lower end.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

/// What a simulation found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LaboratoryReport))]
pub struct Report {
    /// Of what: a journal, or the folders of a data set.
    pub source: String,
    /// First moment looked at, in milliseconds since 1970; none for a data set, whose hours have no date.
    pub from_ms: Option<i64>,
    /// The moment after the last.
    pub to_ms: Option<i64>,
    /// Patients.
    pub patients: u64,
    /// Days of monitoring, over all patients.
    pub bed_days: f64,
    /// Hours before an event in which an alert counts as preceding it.
    pub horizon_h: f64,
    /// What was assumed, in words.
    pub assumptions: Vec<String>,
    /// Policies; the first is the present one.
    pub policies: Vec<Figures>,
    /// How each differs from the present one.
    pub differences: Vec<Difference>,
}

/// Figures of one policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LaboratoryFigures))]
pub struct Figures {
    /// What it is called here.
    pub name: String,
    /// BLAKE3 of its text.
    pub hash: String,
    /// Alerts about patients.
    pub alerts: u64,
    /// The same per bed-day.
    pub alerts_per_bed_day: Interval,
    /// Share of alerts that preceded an event, 0 to 1.
    pub preceding: Interval,
    /// Share of all events that an alert preceded, 0 to 1.
    pub sensitivity: Interval,
    /// Alerts about devices per bed-day; none without bed-days.
    pub technical_per_bed_day: Option<f64>,
    /// Alerts by priority (the highest that each had) and cause (what began it).
    pub causes: Vec<CauseLine>,
    /// By kind of event.
    pub events: Vec<EventLine>,
    /// How long until alerts were taken.
    pub answered: Answered,
    /// Who was called.
    pub calls: Vec<CallLine>,
    /// The alerts one by one, if they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub list: Vec<AlertLine>,
}

/// Alerts of one priority and cause.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LaboratoryCauseLine))]
pub struct CauseLine {
    /// `high`, `medium`, `low`.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub priority: Priority,
    /// `rule.ID`, `limit.METRIC`, `device-alarm`.
    pub cause: String,
    /// How many.
    pub alerts: u64,
    /// The same per bed-day; none without bed-days.
    pub per_bed_day: Option<f64>,
}

/// Events of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LaboratoryEventLine))]
pub struct EventLine {
    /// Which kind.
    pub event: String,
    /// How many there were.
    pub events: u64,
    /// Before how many of them there was no alert.
    pub missed: u64,
    /// Share that an alert preceded, 0 to 1.
    pub sensitivity: Interval,
    /// Hours from the first alert to the event: a quarter had less …
    pub lead_h_p25: Option<f64>,
    /// … half …
    pub lead_h_median: Option<f64>,
    /// … and three quarters.
    pub lead_h_p75: Option<f64>,
}

/// How long until alerts were taken.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LaboratoryAnswered))]
pub struct Answered {
    /// Whether that is what people did; else it was assumed.
    pub observed: bool,
    /// Alerts that somebody took.
    pub taken: u64,
    /// Alerts that nobody took.
    pub untaken: u64,
    /// Seconds, the median.
    pub median_s: Option<f64>,
    /// Seconds, nine tenths were faster.
    pub p90_s: Option<f64>,
}

/// Calls of one role: each time that an alert asked them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LaboratoryCallLine))]
pub struct CallLine {
    /// Which role.
    pub role: String,
    /// Calls.
    pub calls: u64,
    /// The same per bed-day; none without bed-days.
    pub per_bed_day: Option<f64>,
    /// Those at night; none for a data set whose hours have no time of day.
    pub at_night: Option<u64>,
}

/// One alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LaboratoryAlertLine))]
pub struct AlertLine {
    /// Its name, as the live system gives it: `e123-0`.
    pub id: String,
    /// Whose.
    pub patient: String,
    /// What began it.
    pub cause: String,
    /// What people read first.
    pub title: String,
    /// The priority that it began with.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub first_priority: Priority,
    /// The highest that it had.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub priority: Priority,
    /// Began, milliseconds since 1970.
    pub begin_ms: i64,
    /// Over; none if it is not.
    pub end_ms: Option<i64>,
    /// It preceded a real event.
    pub preceded: bool,
}

/// How a policy differs from the present one: its figure less the present one's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LaboratoryDifference))]
pub struct Difference {
    /// Which policy.
    pub name: String,
    /// Alerts per bed-day.
    pub alerts_per_bed_day: Interval,
    /// Share of alerts that preceded an event.
    pub preceding: Interval,
    /// Share of events that an alert preceded.
    pub sensitivity: Interval,
    /// Which alerts it would not raise, and which it would besides; none for a data set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alerts: Option<Changes>,
}

/// Alerts of two policies side by side. An alert is *kept* when the other policy has one of the same
/// patient and group at the same time.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = LaboratoryChanges))]
pub struct Changes {
    /// Alerts of the present that are kept.
    pub kept: u64,
    /// Alerts of the present that are not.
    pub gone: u64,
    /// Alerts that only the changed policy has.
    pub new: u64,
    /// Of those that are gone, how many preceded a real event.
    pub gone_preceding: u64,
    /// Of the new ones, how many do.
    pub new_preceding: u64,
    /// Those that are gone, if they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone_list: Vec<AlertLine>,
    /// The new ones, if they were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub new_list: Vec<AlertLine>,
}

/// What was measured of one patient.
#[derive(Debug, Clone, Default)]
pub(crate) struct Measured {
    pub(crate) bed_us: i64,
    /// Events by kind.
    pub(crate) events: Vec<u16>,
    /// One a policy.
    pub(crate) sums: Vec<Sums>,
}

/// What a run hands over for its report.
pub(crate) struct Found<'a> {
    pub(crate) candidates: &'a [Candidate],
    pub(crate) kinds: &'a [String],
    pub(crate) patients: Vec<Measured>,
    pub(crate) totals: Vec<Totals>,
    /// Whether moments have a time of day.
    pub(crate) dated: bool,
    /// Whether the first policy's answers are what people did.
    pub(crate) observed: bool,
}

impl Found<'_> {
    /// Patients, days, figures and differences.
    pub(crate) fn report(self, settings: &Settings, source: String, assumptions: Vec<String>) -> Report {
        let count = self.candidates.len();
        let bed_days = self.patients.iter().map(|one| one.bed_us).sum::<i64>() as f64 / DAY as f64;
        let ratio = |each: &dyn Fn(&Measured, &Sums) -> (f32, f32)| {
            let patients = self.patients.iter();
            let pairs: Vec<(f32, f32)> = patients
                .flat_map(|one| one.sums.iter().map(move |sums| each(one, sums)))
                .collect();
            bootstrap::ratios(&pairs, count, settings.resamples)
        };
        let rate = ratio(&|one, sums| (sums.alerts as f32, (one.bed_us as f64 / DAY as f64) as f32));
        let preceding = ratio(&|_, sums| (sums.useful as f32, sums.alerts as f32));
        let all = |counts: &[u16]| counts.iter().map(|count| f32::from(*count)).sum::<f32>();
        let sensitivity = ratio(&|one, sums| (all(&sums.seen), all(&one.events)));
        let by_kind: Vec<_> = (0..self.kinds.len())
            .map(|kind| ratio(&|one, sums| (f32::from(sums.seen[kind]), f32::from(one.events[kind]))))
            .collect();
        let mut totals = self.totals;
        let figures = totals.iter_mut().enumerate().map(|(at, totals)| {
            let candidate = &self.candidates[at];
            let events = self.kinds.iter().enumerate().map(|(kind, name)| {
                let events = self.patients.iter().map(|one| u64::from(one.events[kind])).sum();
                event_line(name, events, &mut totals.leads_h[kind], by_kind[kind][at].0)
            });
            Figures {
                name: candidate.name.clone(),
                hash: candidate.hash(),
                alerts: self.patients.iter().map(|one| u64::from(one.sums[at].alerts)).sum(),
                alerts_per_bed_day: rate[at].0,
                preceding: preceding[at].0,
                sensitivity: sensitivity[at].0,
                technical_per_bed_day: per(totals.technical, bed_days),
                events: events.collect(),
                causes: causes(totals, bed_days),
                answered: answered(totals, self.observed && at == 0),
                calls: calls(totals, bed_days, self.dated),
                list: Vec::new(),
            }
        });
        let policies = figures.collect();
        let differences = (1..count).map(|at| Difference {
            name: self.candidates[at].name.clone(),
            alerts_per_bed_day: rate[at].1,
            preceding: preceding[at].1,
            sensitivity: sensitivity[at].1,
            alerts: None,
        });
        Report {
            source,
            from_ms: None,
            to_ms: None,
            patients: self.patients.len() as u64,
            bed_days,
            horizon_h: settings.horizon_h,
            assumptions,
            policies,
            differences: differences.collect(),
        }
    }
}

impl AlertLine {
    pub(crate) fn of(alert: &Raised, patient: &str, preceded: bool) -> Self {
        Self {
            id: alert.id.to_string(),
            patient: patient.to_owned(),
            cause: alert.cause.clone(),
            title: alert.title.clone(),
            first_priority: alert.first_priority,
            priority: alert.priority,
            begin_ms: alert.begin / 1_000,
            end_ms: alert.end.map(|end| end / 1_000),
            preceded,
        }
    }
}

fn event_line(name: &str, events: u64, leads: &mut [f32], sensitivity: Interval) -> EventLine {
    leads.sort_unstable_by(f32::total_cmp);
    EventLine {
        event: name.to_owned(),
        events,
        missed: events.saturating_sub(leads.len() as u64),
        sensitivity,
        lead_h_p25: quantile(leads, 0.25),
        lead_h_median: quantile(leads, 0.5),
        lead_h_p75: quantile(leads, 0.75),
    }
}

fn causes(totals: &Totals, bed_days: f64) -> Vec<CauseLine> {
    let mut causes: Vec<CauseLine> = totals
        .by_cause
        .iter()
        .map(|((priority, cause), alerts)| CauseLine {
            priority: *priority,
            cause: cause.clone(),
            alerts: *alerts,
            per_bed_day: per(*alerts, bed_days),
        })
        .collect();
    causes.sort_by_key(|line| std::cmp::Reverse((line.priority, line.alerts)));
    causes
}

fn answered(totals: &mut Totals, observed: bool) -> Answered {
    totals.taken_s.sort_unstable_by(f32::total_cmp);
    Answered {
        observed,
        taken: totals.taken_s.len() as u64,
        untaken: totals.untaken,
        median_s: quantile(&totals.taken_s, 0.5),
        p90_s: quantile(&totals.taken_s, 0.9),
    }
}

fn calls(totals: &Totals, bed_days: f64, dated: bool) -> Vec<CallLine> {
    let lines = totals.calls.iter().map(|(role, (calls, night))| CallLine {
        role: role.name().to_owned(),
        calls: *calls,
        per_bed_day: per(*calls, bed_days),
        at_night: dated.then_some(*night),
    });
    lines.collect()
}

fn per(count: u64, bed_days: f64) -> Option<f64> {
    (bed_days > 0.0).then(|| count as f64 / bed_days)
}

/// A quantile of sorted values: the nearest one.
fn quantile(sorted: &[f32], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    sorted.get((share * last as f64).round() as usize).map(|value| f64::from(*value))
}
