//! Of an edge: the scores that it computes, on their way to its centre.

use std::collections::HashMap;

use engine::SELF_DEVICE;
use store::{KvRow, Reader, SeriesFilter};
use vitals::{MetricCode, PassedScore, PatientId, Point, Quality, SeriesId, SeriesKey};

/// Scores that wait to be sent on: by offset and order within the entry, both of fixed length; each a
/// [`PassedScore`] in JSON.
pub const RELAYED_SCORES: &str = "relayed-scores";

/// The series of scores, of whom and of which; none where nothing is sent on.
pub(crate) struct Scores(Option<HashMap<SeriesId, (PatientId, MetricCode)>>);

impl Scores {
    /// Those that the store knows. What it can't tell is told again when a series begins.
    pub(crate) fn known(reader: &Reader, relayed: bool) -> Self {
        let mut scores = Self(relayed.then(HashMap::new));
        if relayed {
            match reader.series(&SeriesFilter::default()) {
                Ok(series) => series.into_iter().for_each(|info| scores.opened(info.id, &info.key)),
                Err(error) => tracing::warn!("scores of known series are not sent on: {error}"),
            }
        }
        scores
    }

    /// A series began.
    pub(crate) fn opened(&mut self, id: SeriesId, key: &SeriesKey) {
        let score = key.metric.metric().is_some_and(|metric| metric.category == "score");
        let ours = score && key.device.as_str() == SELF_DEVICE && key.channel == 0;
        if let (Some(scores), Some(patient), true) = (&mut self.0, &key.subject, ours) {
            scores.insert(id, (patient.clone(), key.metric));
        }
    }

    /// The row in which a score waits, if this is one that is sent on.
    pub(crate) fn row(&self, id: SeriesId, point: &Point) -> Option<KvRow> {
        let (patient, metric) = self.0.as_ref()?.get(&id)?;
        if !point.quality.contains(Quality::DERIVED) || point.quality.contains(Quality::RECORDED) {
            return None;
        }
        let (patient, metric, at) = (patient.clone(), *metric, point.time);
        let score = PassedScore { patient, metric, at, received: point.received, value: point.value };
        Some(KvRow {
            bucket: RELAYED_SCORES.to_owned(),
            key: format!("{:020}-{:05}", point.offset, point.index),
            value: Some(serde_json::to_vec(&score).ok()?),
        })
    }
}
