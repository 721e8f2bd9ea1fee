//! What every backend offers.

use std::sync::Arc;

use vitals::{EffectiveTime, EpisodeId, Hold, Offset, PatientId, Point, PredictionId, ProblemKind, ReadingRef, ReceiveTime, SeriesId, SeriesKey};

use crate::{
    AlertEventRow, AlertHour, AlertQuery, AlertRow, AssociationQuery, AssociationRow, Attachment, Commit,
    DeviceRow, DirectoryKind, DirectoryQuery, DirectoryRow, DocumentQuery, DocumentRow, EncounterRow, ErasureRow,
    Expired, ExpiredRecords, Expiry, Found, Held, LocationRow, OutboxRow, PatientRow, PredictionQuery, PredictionRow, QuarantineQuery, QuarantineRow,
    QuarantineStatus, ReadingQuery, RecordExpiry, RiskRow, SeriesFilter, SeriesInfo, Span, StoreError, Thinned, WaveColumn, WaveExtent, WaveGap, WaveStrip,
};

/// The one writer.
pub trait Store: Send {
    /// Writes everything in one transaction; durable on return.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing of it is stored, and the store stays usable.
    fn commit(&mut self, commit: &Commit) -> Result<(), StoreError>;

    /// One step of retention, for the next few series: removes blocks that are too old, oldest
    /// first, and counts them. Blocks that a hold or an alert of their patient touches stay.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was removed in this step.
    fn expire(&mut self, expiry: &Expiry) -> Result<Expired, StoreError>;

    /// One step of retention of alerts, quarantine and older versions in the directory: looks at the
    /// next few rows of each, removes what is too old and not held, and counts it.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing was removed in this step.
    fn expire_records(&mut self, expiry: &RecordExpiry) -> Result<ExpiredRecords, StoreError>;

    /// After an erasure: gives back what was freed, so that no part of the files holds what was
    /// deleted. Takes a while; may be repeated.
    ///
    /// # Errors
    /// [`StoreError`]; then something may still be there.
    fn scrub(&mut self) -> Result<(), StoreError>;

    /// A reader: sees every commit that returned before it is asked.
    fn reader(&self) -> Reader;

    /// For what happens outside the journal.
    fn side(&self) -> Arc<dyn Side>;
}

/// A shared reader.
pub type Reader = Arc<dyn Read>;

/// Everything that can be asked. All methods fail with [`StoreError`] when the database does.
#[allow(clippy::missing_errors_doc, reason = "said once, above")]
pub trait Read: Send + Sync {
    /// The next journal entry to process; 0 in a new store.
    fn checkpoint(&self) -> Result<Offset, StoreError>;
    /// All parts of the engine's state, by name.
    fn engine_state(&self) -> Result<Vec<(String, Vec<u8>)>, StoreError>;
    /// What retention has removed so far.
    fn expired(&self) -> Result<Expired, StoreError>;
    /// What retention has removed row by row so far.
    fn expired_records(&self) -> Result<ExpiredRecords, StoreError>;
    /// What somebody holds at the moment.
    fn held(&self) -> Result<Vec<Held>, StoreError>;
    /// All counters, by name.
    fn counters(&self) -> Result<Vec<(String, u64)>, StoreError>;

    /// Series with their counts and spans, by number.
    fn series(&self, filter: &SeriesFilter) -> Result<Vec<SeriesInfo>, StoreError>;
    /// Of which patient, device and metric series are, by number.
    fn series_keys(&self, ids: &[SeriesId]) -> Result<Vec<(SeriesId, SeriesKey)>, StoreError>;
    /// Points of one series in time order. Identical values at one time were stored once.
    fn points(&self, series: SeriesId, span: Span) -> Result<Vec<Point>, StoreError>;
    /// A series for drawing: about `buckets` buckets, none of which loses its extremes.
    fn thinned(&self, series: SeriesId, span: Span, buckets: usize) -> Result<Thinned, StoreError>;
    /// How many points, exactly.
    fn count(&self, filter: &SeriesFilter, time: Span, received: Span) -> Result<u64, StoreError>;
    /// Points of many series in order of time.
    fn readings(&self, query: &ReadingQuery) -> Result<Vec<(SeriesId, Point)>, StoreError>;
    /// One point (PR-1).
    fn reading(&self, reading: ReadingRef) -> Result<Option<Point>, StoreError>;
    /// The text or samples beside a point.
    fn attachment(&self, reading: ReadingRef) -> Result<Option<Attachment>, StoreError>;
    /// Texts and samples of a series, in time order, at most `limit`.
    fn attachments(
        &self,
        series: SeriesId,
        span: Span,
        limit: u64,
    ) -> Result<Vec<(Point, Attachment)>, StoreError>;
    /// Waveform samples within the span, exactly as they were given, as unbroken stretches in order
    /// of time. Stretches may overlap by the few milliseconds of a clock's correction.
    fn wave_strip(&self, series: SeriesId, span: Span) -> Result<Vec<WaveStrip>, StoreError>;
    /// A waveform for drawing: at most about `columns` columns, none of which loses its extremes;
    /// where there are no samples there is no column. A column's edges lie within a quarter of its
    /// width from where an even division would put them.
    fn wave_overview(
        &self,
        series: SeriesId,
        span: Span,
        columns: usize,
    ) -> Result<Vec<WaveColumn>, StoreError>;
    /// What there is of a waveform; none if there are no samples.
    fn wave_extent(&self, series: SeriesId) -> Result<Option<WaveExtent>, StoreError>;
    /// Times without samples between those of a span, longer than `longer_us` microseconds.
    fn wave_gaps(
        &self,
        series: SeriesId,
        span: Span,
        longer_us: i64,
    ) -> Result<Vec<WaveGap>, StoreError>;
    /// The readings that have this identifier or name, newest first.
    fn identified(&self, identifier: &str) -> Result<Vec<ReadingRef>, StoreError>;
    /// The identifiers and names of a reading.
    fn identifiers(&self, reading: ReadingRef) -> Result<Vec<String>, StoreError>;

    /// Erasures, oldest first: of one patient, or all.
    fn erasures(&self, patient: Option<&PatientId>) -> Result<Vec<ErasureRow>, StoreError>;
    /// How many rows are left of these records, by table.
    fn left_of(&self, records: &[PatientId]) -> Result<Vec<(String, u64)>, StoreError>;

    /// The holds of these patients, also those that ended, by their first time.
    fn holds(&self, patients: &[PatientId]) -> Result<Vec<Hold>, StoreError>;

    /// Patients.
    fn patients(&self, query: &DirectoryQuery) -> Result<Found<PatientRow>, StoreError>;
    /// Encounters.
    fn encounters(&self, query: &DirectoryQuery) -> Result<Found<EncounterRow>, StoreError>;
    /// Places.
    fn locations(&self, query: &DirectoryQuery) -> Result<Found<LocationRow>, StoreError>;
    /// Devices.
    fn devices(&self, query: &DirectoryQuery) -> Result<Found<DeviceRow>, StoreError>;
    /// Every version of one patient, encounter, place or device, newest first.
    fn directory_history(
        &self,
        kind: DirectoryKind,
        id: &str,
    ) -> Result<Vec<DirectoryRow>, StoreError>;
    /// Device associations, oldest first.
    fn associations(&self, query: &AssociationQuery) -> Result<Vec<AssociationRow>, StoreError>;

    /// Alerts.
    fn alerts(&self, query: &AlertQuery) -> Result<Found<AlertRow>, StoreError>;
    /// One alert.
    fn alert(&self, episode: EpisodeId) -> Result<Option<AlertRow>, StoreError>;
    /// What happened to an alert, oldest first.
    fn alert_events(&self, episode: EpisodeId) -> Result<Vec<AlertEventRow>, StoreError>;
    /// The same of several alerts, in their order, as of one moment.
    fn alert_histories(&self, episodes: &[EpisodeId]) -> Result<Vec<Vec<AlertEventRow>>, StoreError>;
    /// The hours that hold a time of the span and in which alerts were raised, newest first, with what is kept of
    /// each. A body is there only while no alert of its hour has changed since.
    fn alert_hours(&self, span: Span) -> Result<Vec<AlertHour>, StoreError>;
    /// The hours before this one, in hours since 1970, of which nothing is kept that begins with this byte.
    fn alert_hours_without(&self, format: u8, before: i64) -> Result<Vec<AlertHour>, StoreError>;

    /// What predictive models said, newest first.
    fn predictions(&self, query: &PredictionQuery) -> Result<Found<PredictionRow>, StoreError>;
    /// What one version of a model (id, version) said, in the order of the journal, after this one; at most
    /// `limit`. Later predictions only ever come behind.
    fn predictions_after(
        &self,
        model: (&str, &str),
        after: Option<PredictionId>,
        limit: u64,
    ) -> Result<Vec<PredictionRow>, StoreError>;
    /// When, on the patient's clock, a model of this id first judged the patient within a span; abstentions are none.
    fn first_judged(&self, patient: &PatientId, model: &str, at: Span) -> Result<Option<EffectiveTime>, StoreError>;
    /// What one version of a model (id, version) said within a span of our clock, without inputs: the newest
    /// `limit`, newest first.
    fn risks(&self, model: (&str, &str), made: Span, limit: u64) -> Result<Vec<RiskRow>, StoreError>;

    /// Quarantined messages without their payloads, newest first.
    fn quarantine(&self, query: &QuarantineQuery) -> Result<Found<QuarantineRow>, StoreError>;
    /// How many quarantined messages of a standing have a problem of each kind.
    fn quarantine_kinds(
        &self,
        status: QuarantineStatus,
    ) -> Result<Vec<(ProblemKind, u64)>, StoreError>;
    /// One quarantined message, whole.
    fn quarantine_item(&self, offset: Offset) -> Result<Option<QuarantineRow>, StoreError>;

    /// The latest version of a document; one with an empty body was deleted.
    fn document(&self, kind: &str, id: &str) -> Result<Option<DocumentRow>, StoreError>;
    /// All versions of a document, newest first.
    fn document_history(&self, kind: &str, id: &str) -> Result<Vec<DocumentRow>, StoreError>;
    /// Documents.
    fn documents(&self, query: &DocumentQuery) -> Result<Found<DocumentRow>, StoreError>;

    /// Notifications due at `now`, oldest first, at most `limit`.
    fn outbox_due(&self, now: ReceiveTime, limit: u64) -> Result<Vec<OutboxRow>, StoreError>;
    /// How many notifications wait.
    fn outbox_len(&self) -> Result<u64, StoreError>;

    /// One value of a bucket.
    fn kv(&self, bucket: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError>;
    /// A whole bucket, by key.
    fn kv_all(&self, bucket: &str) -> Result<Vec<(String, Vec<u8>)>, StoreError>;
}

/// Writing what happens outside the journal: deliveries, settings, retained messages. Durable on
/// return, and safe beside the one writer. Fails with [`StoreError`] when the database does.
#[allow(clippy::missing_errors_doc, reason = "said once, above")]
pub trait Side: Send + Sync {
    /// Sets values; none removes.
    fn put(&self, rows: &[crate::KvRow]) -> Result<(), StoreError>;
    /// Keeps what was read of hours of alerts, where nothing of them has changed since their versions were read.
    fn keep_alert_hours(&self, hours: &[AlertHour]) -> Result<(), StoreError>;
    /// All that belongs to an erasure is done; `proof` says what, as JSON.
    fn erasure_done(&self, offset: Offset, proof: &[u8]) -> Result<(), StoreError>;
    /// Notifications to be delivered; one whose id is there already is left as it is.
    fn outbox_add(&self, rows: &[OutboxRow]) -> Result<(), StoreError>;
    /// A notification was delivered, or is given up: it is removed.
    fn outbox_done(&self, id: &str) -> Result<(), StoreError>;
    /// A delivery failed: `attempts` so far, again at `next_at`.
    fn outbox_retry(
        &self,
        id: &str,
        attempts: u32,
        next_at: ReceiveTime,
        error: &str,
    ) -> Result<(), StoreError>;
}
