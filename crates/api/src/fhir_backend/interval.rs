//! An interval of waveforms as a Bundle of Observations, for who does not want to gather them frame
//! by frame.

use serde_json::{Value as Json, json};
use vitals::{
    EffectiveTime, PatientId, Point, Quality, Rate, ReceiveTime, SampleArray, SeriesId, SeriesKey, Value,
};
use wire_fhir::{Stored, project};

/// A part of a stretch.
pub(crate) struct Strip {
    pub(crate) series: SeriesId,
    pub(crate) key: SeriesKey,
    pub(crate) time: EffectiveTime,
    pub(crate) rate: Rate,
    /// In the metric's unit, NaN where there is none.
    pub(crate) values: Vec<f64>,
}

/// The strips as Observations of a patient. They stand for many stored readings each, so they have
/// no id and no version of their own.
pub(crate) fn bundle(patient: &PatientId, strips: impl Iterator<Item = Strip>) -> Json {
    let entries: Vec<Json> = strips.map(|strip| json!({"resource": observation(patient, strip)})).collect();
    json!({"resourceType": "Bundle", "type": "collection", "entry": entries})
}

fn observation(patient: &PatientId, strip: Strip) -> Json {
    let stored = Stored {
        series: strip.series,
        key: SeriesKey { subject: Some(patient.clone()), ..strip.key },
        point: Point {
            time: strip.time,
            received: ReceiveTime(strip.time.0),
            value: f64::NAN,
            offset: 0,
            index: 0,
            quality: Quality::empty(),
        },
        attachment: Some(Value::SampleArray(SampleArray::from_values(strip.rate, strip.values))),
        names: Vec::new(),
    };
    let mut json = project::observation(&stored);
    if let Some(fields) = json.as_object_mut() {
        for name in ["id", "meta", "extension", "issued"] {
            fields.remove(name);
        }
    }
    json
}
