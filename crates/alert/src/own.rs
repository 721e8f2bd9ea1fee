//! What a policy says of a patient's own normal: which metrics learn it and how slowly, whether limits
//! follow it and within which bounds, and the terms by which rules speak of it.
//!
//! What is absent: the learning itself (crate `baseline`), and the patient.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Deserialize;
use vitals::MetricCode;

use crate::condition::{Limits, applies, effective_limits};
use crate::expression::term;
use crate::policy::{LimitRule, Policy, PolicyError, contradiction};

/// Whether limits follow a patient's own normal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Apply {
    /// Learn and show; no limit moves.
    Inform,
    /// Limits may come closer to the normal, never further from it.
    Tighten,
    /// Limits may also go further, to `never_below` and `never_above`.
    Follow,
}

impl Apply {
    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inform => "inform",
            Self::Tighten => "tighten",
            Self::Follow => "follow",
        }
    }
}

/// One `[[baseline]]` of a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct BaselineRule {
    /// Of what.
    pub metric: MetricCode,
    /// What follows.
    pub apply: Apply,
    /// Distance of the low limit below the normal, in the metric's unit.
    pub below: Option<f64>,
    /// Distance of the high limit above the normal.
    pub above: Option<f64>,
    /// The same in percent of the normal; the larger distance counts.
    pub below_percent: Option<f64>,
    /// The same in percent of the normal.
    pub above_percent: Option<f64>,
    /// The lowest low limit.
    pub never_below: Option<f64>,
    /// The highest high limit.
    pub never_above: Option<f64>,
    /// The highest low limit.
    pub low_at_most: Option<f64>,
    /// The lowest high limit.
    pub high_at_least: Option<f64>,
    /// After this long a value counts half, in microseconds.
    pub half_life_us: i64,
    /// Nothing is said before this long, in microseconds.
    pub warm_up_us: i64,
    /// Nothing is said before this many slots had a value.
    pub slots_min: usize,
    /// The least spread, in the metric's unit.
    pub spread_min: f64,
    /// Whether the hour of the day counts.
    pub circadian: bool,
    /// Units that it applies to; empty: all.
    pub units: Vec<String>,
    /// Applies from this age in years.
    pub age_from: Option<f64>,
    /// Applies below this age in years.
    pub age_below: Option<f64>,
}

/// What a rule may ask of a metric's own normal: `HR.percent_over_normal > 25`, `RR.trend > 0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aspect {
    /// How far the value lies over the normal (below: negative), in the metric's unit.
    OverNormal,
    /// The same in percent of the normal.
    PercentOverNormal,
    /// A lasting change of level: 1 upward, −1 downward, 0 none.
    Change,
    /// The slope of a trend, in the metric's unit an hour; 0 while there is none.
    Trend,
}

/// Where a code says that it is an aspect of the metric in its other bits: no metric of the table
/// reaches that far.
const ASPECT_SHIFT: u32 = 29;

impl Aspect {
    /// All, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::OverNormal, Self::PercentOverNormal, Self::Change, Self::Trend];

    /// As a policy writes it after the metric and a full stop.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OverNormal => "over_normal",
            Self::PercentOverNormal => "percent_over_normal",
            Self::Change => "change",
            Self::Trend => "trend",
        }
    }

    /// As people read it after the metric's label.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::OverNormal => "over own normal",
            Self::PercentOverNormal => "% over own normal",
            Self::Change => "change of level",
            Self::Trend => "trend an hour",
        }
    }

    /// The term that stands for this aspect of a metric; none for a code too large to have one.
    #[must_use]
    pub fn of(self, metric: MetricCode) -> Option<MetricCode> {
        let number = Self::ALL.iter().position(|aspect| *aspect == self)? as u32 + 1;
        (metric.0 >> ASPECT_SHIFT == 0).then_some(MetricCode(metric.0 | number << ASPECT_SHIFT))
    }

    /// The metric and aspect that a term of a policy stands for; none for a metric itself.
    #[must_use]
    pub fn read(term: MetricCode) -> Option<(MetricCode, Self)> {
        let number = (term.0 >> ASPECT_SHIFT) as usize;
        let aspect = *Self::ALL.get(number.checked_sub(1)?)?;
        Some((MetricCode(term.0 & ((1 << ASPECT_SHIFT) - 1)), aspect))
    }

    /// Label of a term, as people read it.
    #[must_use]
    pub fn label(term: MetricCode) -> String {
        let plain = |metric: MetricCode| {
            metric.metric().map_or_else(|| metric.refid(), |row| row.label.to_owned())
        };
        match Self::read(term) {
            Some((metric, aspect)) => format!("{} {}", plain(metric), aspect.words()),
            None => plain(term),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BaselineText {
    metric: String,
    apply: Apply,
    below: Option<f64>,
    above: Option<f64>,
    below_percent: Option<f64>,
    above_percent: Option<f64>,
    never_below: Option<f64>,
    never_above: Option<f64>,
    low_at_most: Option<f64>,
    high_at_least: Option<f64>,
    #[serde(default = "a_day")]
    half_life_h: f64,
    #[serde(default = "a_day")]
    warm_up_h: f64,
    #[serde(default = "a_dozen")]
    slots_min: usize,
    spread_min: Option<f64>,
    #[serde(default)]
    circadian: bool,
    #[serde(default)]
    units: Vec<String>,
    age_from: Option<f64>,
    age_below: Option<f64>,
}

fn a_day() -> f64 {
    24.0
}

fn a_dozen() -> usize {
    12
}

/// Compiles the `[[baseline]]` tables.
pub(crate) fn compile(texts: Vec<BaselineText>) -> Result<Vec<BaselineRule>, PolicyError> {
    texts.into_iter().map(rule).collect()
}

fn rule(text: BaselineText) -> Result<BaselineRule, PolicyError> {
    let place = format!("baseline `{}`", text.metric);
    let metric = term(&text.metric).filter(|metric| Aspect::read(*metric).is_none());
    let Some(metric) = metric else {
        return Err(PolicyError::Unknown {
            place,
            name: text.metric,
            advice: "write a metric's reference id or label".to_owned(),
        });
    };
    let distances = [text.below, text.above, text.below_percent, text.above_percent, text.spread_min];
    if distances.iter().flatten().any(|distance| !(*distance > 0.0 && distance.is_finite())) {
        return Err(contradiction(&place, "distances and spread_min must be above 0"));
    }
    if text.apply != Apply::Inform && distances[..4].iter().all(Option::is_none) {
        return Err(contradiction(&place, "limits follow at a distance: give below, above or percent"));
    }
    if text.apply != Apply::Follow && (text.never_below.is_some() || text.never_above.is_some()) {
        return Err(contradiction(&place, "never_below and never_above are for apply = \"follow\""));
    }
    if crossed(text.never_below, text.low_at_most) || crossed(text.high_at_least, text.never_above) {
        return Err(contradiction(
            &place,
            "never_below ≤ low_at_most and high_at_least ≤ never_above must hold",
        ));
    }
    let hours = |hours: f64, least: f64, key: &str| {
        if (least..=8_784.0).contains(&hours) {
            Ok((hours * 3.6e9) as i64)
        } else {
            Err(contradiction(&place, &format!("{key} must lie between {least} and 8784")))
        }
    };
    Ok(BaselineRule {
        half_life_us: hours(text.half_life_h, 1.0, "half_life_h")?,
        warm_up_us: hours(text.warm_up_h, 1.0, "warm_up_h")?,
        metric,
        apply: text.apply,
        below: text.below,
        above: text.above,
        below_percent: text.below_percent,
        above_percent: text.above_percent,
        never_below: text.never_below,
        never_above: text.never_above,
        low_at_most: text.low_at_most,
        high_at_least: text.high_at_least,
        slots_min: text.slots_min.clamp(2, 192),
        spread_min: text.spread_min.unwrap_or_else(|| least_spread(metric)),
        circadian: text.circadian,
        units: text.units,
        age_from: text.age_from,
        age_below: text.age_below,
    })
}

fn crossed(low: Option<f64>, high: Option<f64>) -> bool {
    low.zip(high).is_some_and(|(low, high)| low > high)
}

/// The last digit that people read.
fn least_spread(metric: MetricCode) -> f64 {
    let decimals = metric.metric().map_or(0, |row| row.decimals);
    (0..decimals).fold(1.0, |step, _| step / 10.0)
}

/// Reads the place's clock.
pub(crate) fn zone(text: Option<&str>) -> Result<Option<TimeZone>, PolicyError> {
    let Some(text) = text else { return Ok(None) };
    // No database of names: that of two machines may differ, and with it what is concluded (EN-1).
    let zone = TimeZone::posix(text).map_err(|_| PolicyError::Unknown {
        place: "zone".to_owned(),
        name: text.to_owned(),
        advice: "write the place's clock as a POSIX TZ string, such as `CET-1CEST,M3.5.0,M10.5.0/3`".to_owned(),
    })?;
    Ok(Some(zone))
}

impl Policy {
    /// The `[[baseline]]` of a metric for a patient: the first that applies, one that names the unit
    /// before one that does not.
    #[must_use]
    pub fn baseline_of(&self, metric: MetricCode, limits: &Limits<'_>) -> Option<&BaselineRule> {
        [true, false].into_iter().find_map(|named| {
            self.baselines.iter().find(|rule| {
                rule.metric == metric
                    && rule.units.is_empty() != named
                    && applies(limits, &rule.units, rule.age_from, rule.age_below)
            })
        })
    }

    /// The policy's limits for a patient, nobody's own among them.
    #[must_use]
    pub fn limit_rules(&self, limits: &Limits<'_>) -> Vec<LimitRule> {
        effective_limits(self, &Limits { own: &[], ..*limits })
    }

    /// The hour of the day, 0 to 23, on the place's clock (UTC where the policy names none).
    #[must_use]
    pub fn hour(&self, time_us: i64) -> u8 {
        let utc = time_us.div_euclid(1_000_000);
        let offset = self.zone.as_ref().zip(Timestamp::from_second(utc).ok());
        let offset = offset.map_or(0, |(zone, at)| i64::from(zone.to_offset(at).seconds()));
        (utc.saturating_add(offset).div_euclid(3_600)).rem_euclid(24) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::Expression;
    use vitals::metric::code::HEART_RATE;

    const CHAIN: &str = "[[chain]]\nname='ward'\nrepeat_s=60\nstep=[{role='nurse',after_s=0}]\n";

    fn policy(head: &str, text: &str) -> Result<Policy, PolicyError> {
        Policy::parse(&format!("name='x'\n{head}\n{CHAIN}[[baseline]]\nmetric='HR'\n{text}"))
    }

    #[test]
    fn contradictions_are_refused() {
        for (text, expected) in [
            ("apply='tighten'", "at a distance"),
            ("apply='tighten'\nabove=-3", "above 0"),
            ("apply='tighten'\nabove=30\nnever_above=140", "for apply = \"follow\""),
            ("apply='follow'\nabove=30\nnever_above=140\nhigh_at_least=150", "must hold"),
            ("apply='inform'\nwarm_up_h=0", "warm_up_h"),
            ("apply='always'", "always"),
        ] {
            let error = policy("", text).map(drop).expect_err("refused").to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert!(policy("zone='Europe/Berlin'", "apply='inform'").is_err());
    }

    #[test]
    fn hours_are_those_of_the_place() {
        let berlin = policy("zone='CET-1CEST,M3.5.0,M10.5.0/3'", "apply='inform'").expect("compiles");
        let plain = policy("", "apply='inform'").expect("compiles");
        // 2026-01-15 and 2026-07-15, 12:00 UTC.
        for (second, hour) in [(1_768_478_400, 13), (1_784_116_800, 14)] {
            assert_eq!(berlin.hour(second * 1_000_000), hour);
            assert_eq!(plain.hour(second * 1_000_000), 12);
        }
        assert!(berlin.hour(i64::MAX) < 24 && berlin.hour(i64::MIN) < 24);
    }

    #[test]
    fn aspects_are_terms() {
        for aspect in Aspect::ALL {
            let term = aspect.of(HEART_RATE).expect("has one");
            assert_eq!(Aspect::read(term), Some((HEART_RATE, aspect)));
            let text = format!("HR.{} > 25 and NEWS2 >= 1", aspect.name());
            let expression = Expression::parse(&text).expect("reads");
            assert_eq!(expression.to_string(), format!("HR {} > 25 and NEWS2 ≥ 1", aspect.words()));
        }
        assert_eq!(Aspect::read(HEART_RATE), None);
        assert_eq!(Expression::parse("HR.nonsense > 1").map_err(|e| e.at), Err(3));
    }
}
