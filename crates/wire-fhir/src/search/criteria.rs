//! Values of search parameters and what they match (R4 § 3.1.1.4).

use vitals::{Metric, MetricCode};

use crate::code::{self, LOINC, MDC, PRIVATE};

/// A range of microseconds since 1970: from `start` up to but not including `end`.
pub type Range = std::ops::Range<i64>;

/// What a date parameter asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DateFilter {
    /// Prefix as in R4 § 3.1.1.4.5.
    pub prefix: Prefix,
    /// First microsecond of the value.
    pub start: i64,
    /// First microsecond after it.
    pub end: i64,
}

/// Comparison prefixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the standard's own names")]
pub enum Prefix {
    Eq,
    Ne,
    Gt,
    Lt,
    Ge,
    Le,
    Sa,
    Eb,
    Ap,
}

impl DateFilter {
    /// The instants that match, as ranges in ascending order. `now` widens `ap` by a tenth of the
    /// distance, as the specification suggests.
    #[must_use]
    #[expect(clippy::single_range_in_vec_init, reason = "a list of ranges is meant")]
    pub fn ranges(&self, now: i64) -> Vec<Range> {
        let (start, end) = (self.start, self.end);
        match self.prefix {
            Prefix::Eq => vec![start..end],
            Prefix::Ne => vec![i64::MIN..start, end..i64::MAX],
            Prefix::Gt | Prefix::Sa => vec![end..i64::MAX],
            Prefix::Lt | Prefix::Eb => vec![i64::MIN..start],
            Prefix::Ge => vec![start..i64::MAX],
            Prefix::Le => vec![i64::MIN..end],
            Prefix::Ap => {
                let slack = now.saturating_sub(start).saturating_abs() / 10;
                vec![start.saturating_sub(slack)..end.saturating_add(slack)]
            }
        }
    }

    /// Whether something that lasts from `low` up to but not including `high` matches.
    #[must_use]
    pub fn matches(&self, low: i64, high: i64, now: i64) -> bool {
        match self.prefix {
            Prefix::Eq => self.start <= low && high <= self.end,
            Prefix::Ne => low < self.start || self.end < high,
            Prefix::Gt => high > self.end,
            Prefix::Lt => low < self.start,
            Prefix::Ge => high > self.end || self.start <= low,
            Prefix::Le => low < self.start || high <= self.end,
            Prefix::Sa => low >= self.end,
            Prefix::Eb => high <= self.start,
            Prefix::Ap => {
                let range = self.ranges(now).remove(0);
                low < range.end && range.start < high
            }
        }
    }
}

/// A token: system and code; either may be left open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// System; none: any; empty: none may be given.
    pub system: Option<String>,
    /// Code or value; empty: any of the system.
    pub code: String,
}

impl Token {
    pub(super) fn parse(text: &str) -> Self {
        match text.split_once('|') {
            Some((system, code)) => Self { system: Some(system.into()), code: code.into() },
            None => Self { system: None, code: text.into() },
        }
    }

    /// Whether a coded value is meant.
    #[must_use]
    pub fn matches(&self, system: &str, code: &str) -> bool {
        self.system.as_deref().is_none_or(|wanted| wanted == system)
            && (self.code.is_empty() || self.code == code)
    }

    /// The metrics that a code token means.
    #[must_use]
    pub fn metrics(&self) -> Vec<MetricCode> {
        let system = |wanted: &str| self.system.as_deref().is_none_or(|s| s == wanted);
        let mut found: Vec<MetricCode> = Vec::new();
        if self.code.is_empty() {
            let in_system = |metric: &&Metric| {
                let private = metric.refid.starts_with("VW_");
                (metric.loinc.is_some() && system(LOINC))
                    || (!private && system(MDC))
                    || (private && system(PRIVATE))
            };
            found.extend(Metric::all().filter(in_system).map(|metric| metric.code));
        } else {
            if system(LOINC) {
                found.extend(code::loinc_metrics(&self.code).iter().map(|metric| metric.code));
            }
            if system(MDC) || system(PRIVATE) {
                found.extend(code::mdc_metric(&self.code).map(|metric| metric.code));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// How a string parameter compares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The text as given.
    pub text: String,
    /// `:exact`: equal; `:contains`: anywhere; otherwise: begins with, ignoring case.
    pub modifier: TextModifier,
}

/// See [`Text::modifier`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the standard's own names")]
pub enum TextModifier {
    Starts,
    Exact,
    Contains,
}

impl Text {
    /// Whether `value` matches; a name of several words matches by each word too.
    #[must_use]
    pub fn matches(&self, value: &str) -> bool {
        let (value_low, text) = (value.to_lowercase(), self.text.to_lowercase());
        match self.modifier {
            TextModifier::Exact => value == self.text,
            TextModifier::Contains => value_low.contains(&text),
            TextModifier::Starts => {
                value_low.starts_with(&text)
                    || value_low.split_whitespace().any(|word| word.starts_with(&text))
            }
        }
    }
}
