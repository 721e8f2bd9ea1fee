//! One commit: every effect of a run of journal entries, and how far that run went.

use vitals::{Hold, Offset, Point, ReadingRef, ReceiveTime, SeriesId, SeriesKey, WaveRun};

use crate::{
    AlertEventRow, AlertRow, DirectoryRow, DocumentRow, Erasure, OutboxRow, PredictionRow, QuarantineRow, StatePart,
};

/// What one transaction writes. Everything in it is stored, or nothing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Commit {
    /// The next entry to process. Never goes back.
    pub checkpoint: Offset,
    /// Parts of the engine's state by name; one without bytes removes the part.
    pub engine_state: Vec<(String, StatePart)>,
    /// Series that began.
    pub series: Vec<(SeriesId, SeriesKey)>,
    /// Points by series, in any order. The same series may stand here several times.
    pub points: Vec<(SeriesId, Vec<Point>)>,
    /// Texts. The point is stored with them: it need not be in `points` as well.
    pub texts: Vec<(SeriesId, Point, String)>,
    /// Samples of waveforms, in order of arrival.
    pub waves: Vec<(SeriesId, WaveRun)>,
    /// Identifiers and names of readings, by which they are found.
    pub identifiers: Vec<(String, ReadingRef)>,
    /// Alerts as they are now, by episode.
    pub alerts: Vec<AlertRow>,
    /// What happened to alerts.
    pub alert_events: Vec<AlertEventRow>,
    /// What predictive models said.
    pub predictions: Vec<PredictionRow>,
    /// Quarantined messages, by offset. An empty payload leaves the stored one alone.
    pub quarantine: Vec<QuarantineRow>,
    /// Documents; each is a new version.
    pub documents: Vec<DocumentRow>,
    /// Who and what there is.
    pub directory: Vec<DirectoryRow>,
    /// Notifications to send.
    pub outbox: Vec<OutboxRow>,
    /// Counters as they are now, by name.
    pub counters: Vec<(String, u64)>,
    /// Stretches of time that retention leaves alone from now on.
    pub holds: Vec<Hold>,
    /// Holds that ended: which, by whom, when.
    pub holds_released: Vec<(Offset, String, ReceiveTime)>,
    /// Other settings.
    pub kv: Vec<KvRow>,
    /// Patients of whom everything is deleted, what this commit writes included.
    pub erasures: Vec<Erasure>,
}

/// A named value in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KvRow {
    /// Which bucket (`settings`, `retained` …).
    pub bucket: String,
    /// Name within the bucket.
    pub key: String,
    /// The value; none removes it.
    pub value: Option<Vec<u8>>,
}
