//! The reader: each question in one snapshot, answered in the module of its subject.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, params};
use vitals::{EffectiveTime, EpisodeId, Hold, Offset, PatientId, Point, PredictionId, ProblemKind, ReadingRef, ReceiveTime, SeriesId, SeriesKey};

use crate::sqlite::pool::Pool;
use crate::sqlite::{alert_hours, directory, erase, expire, expire_rows, holds, predictions, read_readings, read_rows, read_series, read_waves};
use crate::{
    AlertEventRow, AlertHour, AlertQuery, AlertRow, AssociationQuery, AssociationRow, Attachment, DeviceRow,
    DirectoryKind, DirectoryQuery, DirectoryRow, DocumentQuery, DocumentRow, EncounterRow, ErasureRow, Expired,
    ExpiredRecords, Found, Held, LocationRow, OutboxRow,
    PatientRow, PredictionQuery, PredictionRow, QuarantineQuery, QuarantineRow, QuarantineStatus, Read, ReadingQuery, RiskRow, SeriesFilter, SeriesInfo, Span,
    StoreError, Thinned, WaveColumn, WaveExtent, WaveGap, WaveStrip,
};

/// Reads through a pool of connections.
pub(super) struct SqliteReader {
    pool: Arc<Pool>,
}

impl SqliteReader {
    pub(super) fn new(pool: Arc<Pool>) -> Self {
        Self { pool }
    }
}

/// The stored checkpoint; 0 in a new store.
pub(super) fn checkpoint(db: &Connection) -> Result<Offset, StoreError> {
    let stored: Option<i64> = db
        .prepare_cached("select value from meta where name = 'checkpoint'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(stored.unwrap_or(0) as Offset)
}

type Named<T> = Result<Vec<(String, T)>, StoreError>;

impl Read for SqliteReader {
    fn checkpoint(&self) -> Result<Offset, StoreError> {
        self.pool.with(checkpoint)
    }

    fn engine_state(&self) -> Named<Vec<u8>> {
        self.pool.with(|db| {
            let mut ask =
                db.prepare_cached("select name, value from engine_state order by name")?;
            let rows = ask.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn expired(&self) -> Result<Expired, StoreError> {
        self.pool.with(expire::totals)
    }

    fn expired_records(&self) -> Result<ExpiredRecords, StoreError> {
        self.pool.with(expire_rows::totals)
    }

    fn held(&self) -> Result<Vec<Held>, StoreError> {
        self.pool.with(holds::held)
    }

    fn erasures(&self, patient: Option<&PatientId>) -> Result<Vec<ErasureRow>, StoreError> {
        self.pool.with(|db| erase::list(db, patient))
    }

    fn left_of(&self, records: &[PatientId]) -> Result<Vec<(String, u64)>, StoreError> {
        self.pool.with(|db| erase::left(db, records))
    }

    fn holds(&self, patients: &[PatientId]) -> Result<Vec<Hold>, StoreError> {
        self.pool.with(|db| holds::of(db, patients))
    }

    fn counters(&self) -> Named<u64> {
        self.pool.with(|db| {
            let mut ask = db.prepare_cached("select name, value from counters order by name")?;
            let rows = ask.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    fn series(&self, filter: &SeriesFilter) -> Result<Vec<SeriesInfo>, StoreError> {
        self.pool.with(|db| read_series::series(db, filter))
    }

    fn series_keys(&self, ids: &[SeriesId]) -> Result<Vec<(SeriesId, SeriesKey)>, StoreError> {
        self.pool.with(|db| read_series::of_ids(db, ids))
    }

    fn points(&self, series: SeriesId, span: Span) -> Result<Vec<Point>, StoreError> {
        self.pool.with(|db| read_series::points(db, series, span))
    }

    fn thinned(&self, series: SeriesId, span: Span, buckets: usize) -> Result<Thinned, StoreError> {
        self.pool
            .with(|db| read_series::thinned(db, series, span, buckets))
    }

    fn count(&self, filter: &SeriesFilter, time: Span, received: Span) -> Result<u64, StoreError> {
        self.pool
            .with(|db| read_readings::count(db, filter, time, received))
    }

    fn readings(&self, query: &ReadingQuery) -> Result<Vec<(SeriesId, Point)>, StoreError> {
        self.pool.with(|db| read_readings::readings(db, query))
    }

    fn reading(&self, reading: ReadingRef) -> Result<Option<Point>, StoreError> {
        self.pool.with(|db| read_readings::reading(db, reading))
    }

    fn attachment(&self, reading: ReadingRef) -> Result<Option<Attachment>, StoreError> {
        self.pool.with(|db| read_readings::attachment(db, reading))
    }

    fn attachments(
        &self,
        series: SeriesId,
        span: Span,
        limit: u64,
    ) -> Result<Vec<(Point, Attachment)>, StoreError> {
        self.pool
            .with(|db| read_readings::attachments(db, series, span, limit))
    }

    fn wave_strip(&self, series: SeriesId, span: Span) -> Result<Vec<WaveStrip>, StoreError> {
        self.pool.with(|db| read_waves::strip(db, series, span))
    }

    fn wave_overview(
        &self,
        series: SeriesId,
        span: Span,
        columns: usize,
    ) -> Result<Vec<WaveColumn>, StoreError> {
        self.pool.with(|db| read_waves::overview(db, series, span, columns))
    }

    fn wave_extent(&self, series: SeriesId) -> Result<Option<WaveExtent>, StoreError> {
        self.pool.with(|db| read_waves::extent(db, series))
    }

    fn wave_gaps(
        &self,
        series: SeriesId,
        span: Span,
        longer_us: i64,
    ) -> Result<Vec<WaveGap>, StoreError> {
        self.pool.with(|db| read_waves::gaps(db, series, span, longer_us))
    }

    fn identified(&self, identifier: &str) -> Result<Vec<ReadingRef>, StoreError> {
        self.pool
            .with(|db| read_readings::identified(db, identifier))
    }

    fn identifiers(&self, reading: ReadingRef) -> Result<Vec<String>, StoreError> {
        self.pool.with(|db| read_readings::identifiers(db, reading))
    }

    fn patients(&self, query: &DirectoryQuery) -> Result<Found<PatientRow>, StoreError> {
        self.pool.with(|db| directory::search(db, query))
    }

    fn encounters(&self, query: &DirectoryQuery) -> Result<Found<EncounterRow>, StoreError> {
        self.pool.with(|db| directory::search(db, query))
    }

    fn locations(&self, query: &DirectoryQuery) -> Result<Found<LocationRow>, StoreError> {
        self.pool.with(|db| directory::search(db, query))
    }

    fn devices(&self, query: &DirectoryQuery) -> Result<Found<DeviceRow>, StoreError> {
        self.pool.with(|db| directory::search(db, query))
    }

    fn directory_history(
        &self,
        kind: DirectoryKind,
        id: &str,
    ) -> Result<Vec<DirectoryRow>, StoreError> {
        self.pool.with(|db| directory::history(db, kind, id))
    }

    fn associations(&self, query: &AssociationQuery) -> Result<Vec<AssociationRow>, StoreError> {
        self.pool.with(|db| directory::associations(db, query))
    }

    fn alerts(&self, query: &AlertQuery) -> Result<Found<AlertRow>, StoreError> {
        self.pool.with(|db| read_rows::alerts(db, query))
    }

    fn alert(&self, episode: EpisodeId) -> Result<Option<AlertRow>, StoreError> {
        self.pool.with(|db| read_rows::alert(db, episode))
    }

    fn alert_events(&self, episode: EpisodeId) -> Result<Vec<AlertEventRow>, StoreError> {
        self.pool.with(|db| read_rows::alert_events(db, episode))
    }

    fn alert_histories(&self, episodes: &[EpisodeId]) -> Result<Vec<Vec<AlertEventRow>>, StoreError> {
        self.pool.with(|db| read_rows::alert_histories(db, episodes))
    }

    fn alert_hours(&self, span: Span) -> Result<Vec<AlertHour>, StoreError> {
        self.pool.with(|db| alert_hours::list(db, span))
    }

    fn alert_hours_without(&self, format: u8, before: i64) -> Result<Vec<AlertHour>, StoreError> {
        self.pool.with(|db| alert_hours::without(db, format, before))
    }

    fn predictions(&self, query: &PredictionQuery) -> Result<Found<PredictionRow>, StoreError> {
        self.pool.with(|db| predictions::list(db, query))
    }

    fn predictions_after(
        &self,
        model: (&str, &str),
        after: Option<PredictionId>,
        limit: u64,
    ) -> Result<Vec<PredictionRow>, StoreError> {
        self.pool.with(|db| predictions::after(db, model, after, limit))
    }

    fn first_judged(&self, patient: &PatientId, model: &str, at: Span) -> Result<Option<EffectiveTime>, StoreError> {
        self.pool.with(|db| predictions::first_judged(db, patient, model, at))
    }

    fn risks(&self, model: (&str, &str), made: Span, limit: u64) -> Result<Vec<RiskRow>, StoreError> {
        self.pool.with(|db| predictions::risks(db, model, made, limit))
    }

    fn quarantine(&self, query: &QuarantineQuery) -> Result<Found<QuarantineRow>, StoreError> {
        self.pool.with(|db| read_rows::quarantine(db, query))
    }

    fn quarantine_kinds(
        &self,
        status: QuarantineStatus,
    ) -> Result<Vec<(ProblemKind, u64)>, StoreError> {
        self.pool.with(|db| read_rows::quarantine_kinds(db, status))
    }

    fn quarantine_item(&self, offset: Offset) -> Result<Option<QuarantineRow>, StoreError> {
        self.pool.with(|db| read_rows::quarantine_item(db, offset))
    }

    fn document(&self, kind: &str, id: &str) -> Result<Option<DocumentRow>, StoreError> {
        self.pool
            .with(|db| Ok(read_rows::history(db, kind, id, 1)?.pop()))
    }

    fn document_history(&self, kind: &str, id: &str) -> Result<Vec<DocumentRow>, StoreError> {
        self.pool.with(|db| read_rows::history(db, kind, id, -1))
    }

    fn documents(&self, query: &DocumentQuery) -> Result<Found<DocumentRow>, StoreError> {
        self.pool.with(|db| read_rows::documents(db, query))
    }

    fn outbox_due(&self, now: ReceiveTime, limit: u64) -> Result<Vec<OutboxRow>, StoreError> {
        self.pool.with(|db| read_rows::outbox_due(db, now, limit))
    }

    fn outbox_len(&self) -> Result<u64, StoreError> {
        self.pool.with(|db| {
            let count: i64 = db.query_row("select count(*) from outbox", [], |row| row.get(0))?;
            Ok(count as u64)
        })
    }

    fn kv(&self, bucket: &str, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.pool.with(|db| {
            let mut ask =
                db.prepare_cached("select value from kv where bucket = ?1 and key = ?2")?;
            Ok(ask
                .query_row(params![bucket, key], |row| row.get(0))
                .optional()?)
        })
    }

    fn kv_all(&self, bucket: &str) -> Named<Vec<u8>> {
        self.pool.with(|db| {
            let mut ask =
                db.prepare_cached("select key, value from kv where bucket = ?1 order by key")?;
            let rows = ask.query_map([bucket], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }
}
