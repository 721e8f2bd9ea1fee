//! A recording of one patient, as every reader makes it.

use std::collections::{BTreeMap, HashSet};

use vitals::Sex;

use super::columns::Column;

/// One patient's recording.
#[derive(Debug, Clone, PartialEq)]
pub struct Recording {
    /// Device id to send under.
    pub device: String,
    /// Who hands out the patient's identifier.
    pub system: &'static str,
    /// The patient's identifier.
    pub patient: String,
    /// ISO date of birth, as far as the age allows.
    pub birth_date: Option<String>,
    /// Sex.
    pub sex: Sex,
    /// What happens, in order of time.
    pub beats: Vec<Beat>,
    /// Values in the file that are not sent, by the file's own name for them and why.
    pub left_out: BTreeMap<String, u64>,
}

/// What happens at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Beat {
    /// When, µs since 1970.
    pub time_us: i64,
    /// What.
    pub what: What,
}

/// What can happen.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// Values are measured or charted.
    Values(Vec<(&'static Column, f64)>),
    /// A text is charted.
    Text {
        /// Reference id of the metric, with its channel if it has one.
        name: String,
        /// The text.
        text: &'static str,
    },
    /// The admission system says something: an HL7 ADT message.
    Movement(String),
    /// Somebody sets an alarm limit.
    Limit(LimitChange),
}

/// A change of one metric's alarm limits; none leaves that side without a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LimitChange {
    /// Reference id of the metric.
    pub metric: &'static str,
    /// Alarm below this.
    pub low: Option<f64>,
    /// Alarm above this.
    pub high: Option<f64>,
}

/// Counts by metric, channels taken together.
pub type Counts = BTreeMap<String, u64>;

/// A name without its channel.
fn metric(name: &str) -> String {
    name.split('/').next().unwrap_or(name).to_owned()
}

impl Recording {
    /// Values by metric: all of them, and those that are left when a value equal in metric, time
    /// and number counts once, as the platform stores it.
    #[must_use]
    pub fn counts(&self) -> (Counts, Counts) {
        let (mut all, mut distinct) = (Counts::new(), Counts::new());
        let mut seen = HashSet::new();
        for beat in &self.beats {
            let values = match &beat.what {
                What::Values(values) => values.as_slice(),
                What::Text { name, .. } => {
                    *all.entry(metric(name)).or_default() += 1;
                    *distinct.entry(metric(name)).or_default() += 1;
                    continue;
                }
                What::Movement(_) | What::Limit(_) => continue,
            };
            for (column, value) in values {
                *all.entry(metric(column.metric)).or_default() += 1;
                if seen.insert((beat.time_us, column.metric, column.unit, value.to_bits())) {
                    *distinct.entry(metric(column.metric)).or_default() += 1;
                }
            }
        }
        (all, distinct)
    }
}

/// The date of birth of someone who has this age (years) at `time_us`, to the day for a stated
/// age with decimals; none for an age that is unknown.
pub(super) fn born(age_years: f64, time_us: i64) -> Option<String> {
    if !(0.0..=130.0).contains(&age_years) {
        return None;
    }
    let days = (age_years * 365.25).round() as i64;
    let born_us = time_us - days * 86_400 * 1_000_000;
    let time = jiff::Timestamp::from_microsecond(born_us).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).date().to_string())
}
