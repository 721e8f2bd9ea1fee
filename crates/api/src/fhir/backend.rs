//! What the FHIR routes need of the platform: put a message into the journal, and look things up.
//! The routes know no store, journal or engine.

use std::future::Future;
use std::pin::Pin;

use vitals::{
    DeviceId, Message, MetricCode, Offset, PatientId, Point, ReadingRef, ReceiveTime, SeriesKey,
};
use wire_fhir::search::Range;
use wire_fhir::{Kind, Panel, Record, Stored};

/// Why the platform could not do it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BackendError {
    /// It will work again later: the disk is full, the platform shuts down, the queue is closed.
    #[error("not available now: {0}")]
    Unavailable(String),
    /// Something is broken inside.
    #[error("failed: {0}")]
    Failed(String),
    /// Whoever asks may not: why, for their screen.
    #[error("refused: {0}")]
    Refused(String),
}

/// What a backend answers in its own time.
pub type Reply<'a, T> = Pin<Box<dyn Future<Output = Result<T, BackendError>> + Send + 'a>>;

/// What became of a message: it is durable either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submitted {
    /// It is in the journal now.
    Committed(Offset),
    /// A message with the same key was there already.
    Duplicate(Offset),
}

/// The platform behind the FHIR routes.
pub trait FhirBackend: Send + Sync + 'static {
    /// Our clock.
    fn now(&self) -> ReceiveTime;

    /// Appends a message to the journal; answers after it is durable (DU-1). With a `dedup` key a
    /// message is kept once.
    fn submit(&self, message: Message, dedup: Option<u128>) -> Reply<'_, Submitted>;

    /// The readings that the journal entry at `offset` led to, each with its index in the entry;
    /// waits until the engine has processed the entry and its effects are visible to every other
    /// method here. A value that was stored before at the same time is that reading. Empty for an
    /// entry without readings.
    fn readings_of(&self, offset: Offset) -> Reply<'_, Vec<(u16, Stored)>>;

    /// One stored reading. Here and wherever readings are answered, the subject is the patient
    /// who lives on, should records have been merged since.
    fn reading(&self, reference: ReadingRef) -> Reply<'_, Option<Stored>>;

    /// One page of the stored readings that match, and how many match on all pages, exactly.
    fn readings(&self, query: ReadingQuery) -> Reply<'_, ReadingPage>;

    /// The panel that is anchored at each of these systolic readings, in the same order.
    fn panels(&self, anchors: Vec<Stored>) -> Reply<'_, Vec<Panel>>;

    /// The readings that were given a name ([`wire_fhir::names`]), newest first.
    fn named(&self, name: &str) -> Reply<'_, Vec<ReadingRef>>;

    /// The bytes of the message that the journal entry at `offset` is, while it is kept.
    fn payload(&self, offset: Offset) -> Reply<'_, Option<Vec<u8>>>;

    /// One record of the directory. A retired patient (A40) answers as its survivor.
    fn record(&self, kind: Kind, id: &str) -> Reply<'_, Option<Record>>;

    /// At least every record that the hint describes; more does no harm, the caller filters again.
    fn records(&self, kind: Kind, hint: Hint) -> Reply<'_, Vec<Record>>;

    /// Every id under which readings and encounters of this patient may be kept: the patient's own
    /// and those of records that were merged (A40), in both directions.
    fn same_person(&self, id: &PatientId) -> Reply<'_, Vec<PatientId>>;

    /// Every version of one record that is kept, newest first; empty when there never was one.
    fn history(&self, kind: Kind, id: &str) -> Reply<'_, Vec<Record>>;
}

/// What narrows a directory search, where a backend has an index for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// Nothing: all records of the kind.
    All,
    /// One of these ids.
    Ids(Vec<String>),
    /// An identifier with one of these values, of any system.
    Identifiers(Vec<String>),
    /// Of one of these patients (encounters, devices).
    Patients(Vec<PatientId>),
    /// Of, or in, one of these devices (metrics, parts of devices).
    Devices(Vec<String>),
}

/// Which readings. A filter that is none holds for every reading.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadingQuery {
    /// One of these.
    pub references: Option<Vec<ReadingRef>>,
    /// Of one of these patients.
    pub subjects: Option<Vec<PatientId>>,
    /// By one of these devices.
    pub devices: Option<Vec<DeviceId>>,
    /// Of one of these metrics.
    pub metrics: Option<Vec<MetricCode>>,
    /// True in one of these ranges of effective time, µs: ascending and disjoint.
    pub effective: Option<Vec<Range>>,
    /// Received in one of these ranges, µs: ascending and disjoint.
    pub received: Option<Vec<Range>>,
    /// With one of these FHIR statuses ([`wire_fhir::project::status`] of the quality).
    pub statuses: Option<Vec<String>>,
    /// In which order.
    pub order: Order,
    /// Only what follows this place in that order.
    pub after: Option<Cursor>,
    /// At most this many; 0: only the total is wanted.
    pub limit: usize,
}

/// Order of readings; equal times are ordered by the reading's name (series, offset, index).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Order {
    /// By receive time instead of effective time.
    pub by_received: bool,
    /// Oldest first instead of newest first.
    pub ascending: bool,
}

/// A place in an order of readings: the last one seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Its effective or receive time, µs.
    pub time: i64,
    /// Its name.
    pub reference: ReadingRef,
}

/// One page of readings.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReadingPage {
    /// How many match on all pages, exactly.
    pub total: u64,
    /// This page's, in order.
    pub readings: Vec<Stored>,
    /// Whether more follow.
    pub more: bool,
}

impl ReadingQuery {
    /// Whether readings of a series can match at all.
    #[must_use]
    pub fn takes_series(&self, key: &SeriesKey) -> bool {
        let of = |list: &Option<Vec<PatientId>>| {
            list.as_ref().is_none_or(|l| key.subject.as_ref().is_some_and(|s| l.contains(s)))
        };
        of(&self.subjects)
            && self.devices.as_ref().is_none_or(|list| list.contains(&key.device))
            && self.metrics.as_ref().is_none_or(|list| list.contains(&key.metric))
    }

    /// Whether one point of a series that can match does match.
    #[must_use]
    pub fn takes_point(&self, point: &Point) -> bool {
        let within = |ranges: &Option<Vec<Range>>, at: i64| {
            ranges.as_ref().is_none_or(|list| list.iter().any(|range| range.contains(&at)))
        };
        within(&self.effective, point.time.micros())
            && within(&self.received, point.received.micros())
            && self.statuses.as_ref().is_none_or(|list| {
                let status = wire_fhir::project::status(point.quality);
                list.iter().any(|wanted| wanted == status)
            })
    }

    /// The time that the query orders by, µs.
    #[must_use]
    pub fn time_of(&self, point: &Point) -> i64 {
        if self.order.by_received { point.received.micros() } else { point.time.micros() }
    }

    /// Where a reading stands in the query's order: sort by this, reversed unless ascending.
    #[must_use]
    pub fn place(&self, stored: &Stored) -> (i64, ReadingRef) {
        (self.time_of(&stored.point), stored.reference())
    }

    /// Whether a place comes after the cursor, if there is one.
    #[must_use]
    pub fn follows(&self, place: (i64, ReadingRef)) -> bool {
        self.after.is_none_or(|cursor| {
            let last = (cursor.time, cursor.reference);
            if self.order.ascending { place > last } else { place < last }
        })
    }
}
