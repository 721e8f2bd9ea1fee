//! Questions that readers ask.

use vitals::{
    DeviceId, EffectiveTime, LocationId, MetricCode, PatientId, ProblemKind, ReceiveTime, SeriesId,
    SeriesKey,
};

use crate::QuarantineStatus;

/// A part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// How many to leave out at the beginning.
    pub skip: u64,
    /// How many at most.
    pub limit: u64,
}

impl Default for Page {
    fn default() -> Self {
        Self {
            skip: 0,
            limit: 100,
        }
    }
}

/// A part of a list, and how long the whole is.
#[derive(Debug, Clone, PartialEq)]
pub struct Found<T> {
    /// This part.
    pub rows: Vec<T>,
    /// How many there are in all.
    pub total: u64,
}

/// Times from `from` up to but not including `to`, in microseconds since 1970; none: no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Span {
    /// First time.
    pub from: Option<i64>,
    /// First time after.
    pub to: Option<i64>,
}

impl Span {
    /// All times.
    pub const ALL: Self = Self {
        from: None,
        to: None,
    };

    /// Effective times from `from` up to but not including `to`.
    #[must_use]
    pub const fn effective(from: EffectiveTime, to: EffectiveTime) -> Self {
        Self {
            from: Some(from.0),
            to: Some(to.0),
        }
    }

    /// Whether the time lies within.
    #[must_use]
    pub fn holds(&self, time: i64) -> bool {
        self.from.is_none_or(|from| from <= time) && self.to.is_none_or(|to| time < to)
    }

    /// Whether all of `first..=last` lies within.
    #[must_use]
    pub fn holds_all(&self, first: i64, last: i64) -> bool {
        self.holds(first) && self.holds(last)
    }

    /// Whether any of `first..=last` lies within.
    #[must_use]
    pub fn touches(&self, first: i64, last: i64) -> bool {
        self.from.is_none_or(|from| from <= last) && self.to.is_none_or(|to| first < to)
    }

    /// First time, and last time inclusive, with the range's ends for none.
    pub(crate) fn ends(&self) -> (i64, i64) {
        (
            self.from.unwrap_or(i64::MIN),
            self.to.map_or(i64::MAX, |to| to.saturating_sub(1)),
        )
    }
}

/// Which series. An empty filter is every series.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SeriesFilter {
    /// Only these.
    pub ids: Vec<SeriesId>,
    /// Of any of these patients.
    pub subjects: Vec<PatientId>,
    /// Only those without a patient.
    pub without_subject: bool,
    /// Of any of these devices.
    pub devices: Vec<DeviceId>,
    /// Of any of these metrics.
    pub metrics: Vec<MetricCode>,
}

impl SeriesFilter {
    /// Whether a series is meant.
    #[must_use]
    pub fn takes(&self, id: SeriesId, key: &SeriesKey) -> bool {
        (self.ids.is_empty() || self.ids.contains(&id))
            && (!self.without_subject || key.subject.is_none())
            && (self.subjects.is_empty()
                || key
                    .subject
                    .as_ref()
                    .is_some_and(|s| self.subjects.contains(s)))
            && (self.devices.is_empty() || self.devices.contains(&key.device))
            && (self.metrics.is_empty() || self.metrics.contains(&key.metric))
    }
}

/// Order of readings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// Newest effective time first.
    #[default]
    NewestFirst,
    /// Oldest effective time first.
    OldestFirst,
}

/// Which readings, over many series.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReadingQuery {
    /// Of which series.
    pub series: SeriesFilter,
    /// Effective times.
    pub time: Span,
    /// Receive times.
    pub received: Span,
    /// In which order.
    pub order: Order,
    /// Order by receive time instead of effective time.
    pub by_received: bool,
    /// Which part.
    pub page: Page,
}

/// Which patients, encounters, places or devices. What is not given does not restrict.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DirectoryQuery {
    /// Any of these logical ids.
    pub ids: Vec<String>,
    /// System (none: any) and value of a business identifier.
    pub identifier: Option<(Option<String>, String)>,
    /// Text within the name, in any case.
    pub name: Option<String>,
    /// Of this patient (encounters); merged into this one (patients).
    pub patient: Option<PatientId>,
    /// Any of these: encounter status (`planned`, `in-progress`, `finished`, `cancelled`), patient
    /// (`active`, `merged`), location kind (`bed`, `room`, `unit`, `home`, `other`), device link
    /// (`online`, `offline`, `lost`, `unknown`).
    pub status: Vec<String>,
    /// At this place (encounters, devices).
    pub location: Option<LocationId>,
    /// Changed when (receive time).
    pub updated: Span,
    /// By last change, newest first; else by name and id.
    pub newest_first: bool,
    /// Which part.
    pub page: Page,
}

/// Which device associations.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AssociationQuery {
    /// Of this device.
    pub device: Option<DeviceId>,
    /// Of this patient.
    pub patient: Option<PatientId>,
    /// In force at this time.
    pub at: Option<EffectiveTime>,
    /// Only those that last.
    pub lasting: bool,
}

/// Which alerts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AlertQuery {
    /// Of this patient.
    pub patient: Option<PatientId>,
    /// In this care unit.
    pub unit: Option<String>,
    /// Open ones (true) or closed ones (false).
    pub open: Option<bool>,
    /// In any of these states.
    pub states: Vec<String>,
    /// At least this rank.
    pub priority_min: u8,
    /// Raised when (receive time).
    pub raised: Span,
    /// Changed when.
    pub changed: Span,
    /// By rank, then newest; else newest first.
    pub urgent_first: bool,
    /// Which part.
    pub page: Page,
}

/// Which quarantined messages; newest first, without payloads.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct QuarantineQuery {
    /// Where they stand.
    pub status: Option<QuarantineStatus>,
    /// With a problem of this kind.
    pub kind: Option<ProblemKind>,
    /// Through this door.
    pub protocol: Option<String>,
    /// Text within topic, sender or profile.
    pub text: Option<String>,
    /// Received when.
    pub received: Span,
    /// Which part.
    pub page: Page,
}

/// Which documents; the latest versions that are not deleted, newest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DocumentQuery {
    /// Resource type.
    pub kind: String,
    /// Search parameter and its value: all must hold.
    pub tokens: Vec<(String, String)>,
    /// Stored when.
    pub updated: Span,
    /// Which part.
    pub page: Page,
}

/// Receive times as a span.
impl From<(ReceiveTime, ReceiveTime)> for Span {
    fn from((from, to): (ReceiveTime, ReceiveTime)) -> Self {
        Self {
            from: Some(from.0),
            to: Some(to.0),
        }
    }
}
