//! Heart beats on their way to live pages: which series hold them, and whose they are.

use std::collections::HashMap;

use live::{Live, LiveBeat};
use store::{Reader, SeriesFilter};
use vitals::{Metric, MetricCode, PatientId, Point, Quality, SeriesId, SeriesKey};

/// The series of heart beats.
pub(crate) struct Beats {
    metric: Option<MetricCode>,
    patients: HashMap<SeriesId, PatientId>,
}

impl Beats {
    /// Those that the store knows. What it can't tell is told again when a series begins.
    pub(crate) fn known(reader: &Reader) -> Self {
        let metric = Metric::by_refid("VW_BEAT").map(|metric| metric.code);
        let mut beats = Self { metric, patients: HashMap::new() };
        let filter = SeriesFilter { metrics: metric.into_iter().collect(), ..SeriesFilter::default() };
        match reader.series(&filter) {
            Ok(series) => series.into_iter().for_each(|info| beats.opened(info.id, &info.key)),
            Err(error) => tracing::warn!("heart beats of known series are not shown live: {error}"),
        }
        beats
    }

    /// A series began.
    pub(crate) fn opened(&mut self, id: SeriesId, key: &SeriesKey) {
        if let Some(patient) = key.subject.as_ref().filter(|_| Some(key.metric) == self.metric) {
            self.patients.insert(id, patient.clone());
        }
    }

    /// Shows a point that is a beat.
    pub(crate) fn show(&self, series: SeriesId, point: &Point, live: &Live) {
        if !point.quality.contains(Quality::DERIVED) {
            return;
        }
        if let Some(patient) = self.patients.get(&series) {
            let beat = LiveBeat { time: point.time, class: point.value as u8, found: point.received };
            live.waves().push_beat(patient, beat);
        }
    }
}
