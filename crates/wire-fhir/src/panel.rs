//! Blood pressures as one `Observation`: systolic, diastolic and mean are stored as series of
//! their own, and are shown together as the panel that record systems know (LOINC 85354-9 and the
//! R4 vital-signs profile for a cuff pressure).
//!
//! A panel is anchored at its systolic reading: each systolic reading has exactly one, whose id is
//! the reading's with `p` in place of `r`. So panels are counted by counting systolic readings.

use serde_json::{Value as Json, json};
use vitals::metric::{MetricKind, code};
use vitals::{Measurement, MetricCode, Quality, Reading, ReadingRef, Value};

use crate::code::{ABSENT, CATEGORY, category, concept};
use crate::project::{self, Stored};

/// The R4 vital-signs profile for blood pressures.
const PROFILE: &str = "http://hl7.org/fhir/StructureDefinition/bp";

/// A blood pressure, as stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// The systolic reading.
    pub anchor: Stored,
    /// The readings of the other parts, in the order of their codes.
    pub parts: Vec<Stored>,
}

/// The systolic part of a compound pressure: its nomenclature code follows the compound's.
#[must_use]
pub fn anchor_of(compound: MetricCode) -> Option<MetricCode> {
    let row = compound.metric().filter(|row| row.kind == MetricKind::Compound)?;
    MetricCode(row.code.0 + 1).metric().map(|part| part.code)
}

/// The compound pressure that a systolic part belongs to.
#[must_use]
pub fn compound_of(anchor: MetricCode) -> Option<MetricCode> {
    let compound = MetricCode(anchor.0.checked_sub(1)?);
    (anchor_of(compound) == Some(anchor)).then_some(compound)
}

/// The other parts of the pressure that a systolic part belongs to: diastolic and mean.
#[must_use]
pub fn other_parts(anchor: MetricCode) -> Vec<MetricCode> {
    let parts = [anchor.0 + 1, anchor.0 + 2].map(MetricCode);
    parts.into_iter().filter(|part| part.metric().is_some()).collect()
}

/// The id of the panel that is anchored at a reading.
#[must_use]
pub fn id(anchor: ReadingRef) -> String {
    format!("p{}", &anchor.to_string()[1..])
}

/// The reading at which the panel with this id is anchored.
#[must_use]
pub fn anchor(id: &str) -> Option<ReadingRef> {
    format!("r{}", id.strip_prefix('p')?).parse().ok()
}

/// Which of a reading's values its observation is known by: the systolic one where the observation
/// is a blood pressure, which is then a panel; else the first.
#[must_use]
pub fn lead(reading: &Reading) -> (u16, bool) {
    let mut index = 0_u16;
    for measurement in &reading.measurements {
        let Value::Compound(parts) = &measurement.value else {
            index = index.saturating_add(1);
            continue;
        };
        let at = systolic(measurement, parts);
        if let Some(at) = at {
            return (index.saturating_add(at), true);
        }
        index = index.saturating_add(u16::try_from(parts.len().max(1)).unwrap_or(u16::MAX));
    }
    (0, false)
}

fn systolic(measurement: &Measurement, parts: &[(MetricCode, f64)]) -> Option<u16> {
    let anchor = anchor_of(measurement.metric)?;
    u16::try_from(parts.iter().position(|(metric, _)| *metric == anchor)?).ok()
}

/// The panel as an `Observation`. A diastolic pressure that was not measured is said to be absent,
/// as the profile demands.
#[must_use]
pub fn observation(panel: &Panel) -> Json {
    let anchor = &panel.anchor;
    let compound = compound_of(anchor.key.metric).unwrap_or(anchor.key.metric);
    let mut json = project::head(anchor, true);
    let all = || std::iter::once(anchor).chain(&panel.parts);
    let quality = all().fold(Quality::empty(), |flags, part| flags | part.point.quality);
    json["status"] = project::status(quality).into();
    if compound == code::NIBP && anchor.key.subject.is_some() {
        json["meta"]["profile"] = json!([PROFILE]);
    }
    if let Some(row) = compound.metric() {
        json["category"] = json!([{"coding": [{"system": CATEGORY, "code": category(row)}]}]);
    }
    json["code"] = concept(compound);
    project::circumstances(anchor, &mut json);
    json["derivedFrom"] = all()
        .map(|part| json!({"reference": format!("Observation/{}", part.reference())}))
        .collect();
    let mut components: Vec<Json> = all().map(component).collect();
    let diastolic = MetricCode(anchor.key.metric.0 + 1);
    if diastolic.metric().is_some() && panel.parts.iter().all(|part| part.key.metric != diastolic) {
        let reason = json!({"coding": [{"system": ABSENT, "code": "unknown"}]});
        components.insert(1, json!({"code": concept(diastolic), "dataAbsentReason": reason}));
    }
    json["component"] = components.into();
    json
}

fn component(part: &Stored) -> Json {
    let mut json = json!({"code": concept(part.key.metric)});
    let (name, value) = project::value_or_absent(part);
    json[name] = value;
    json
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn systolic_parts_lead() {
        assert_eq!(anchor_of(code::NIBP), Some(code::NIBP_SYS));
        assert_eq!(compound_of(code::NIBP_SYS), Some(code::NIBP));
        assert_eq!(compound_of(code::NIBP_DIA), None);
        assert_eq!(anchor_of(code::HEART_RATE), None);
        assert_eq!(other_parts(code::ABP_SYS), [code::ABP_DIA, code::ABP_MEAN]);
        let name: ReadingRef = "r7-8-9".parse().expect("a name");
        assert_eq!(id(name), "p7-8-9");
        assert_eq!(anchor("p7-8-9"), Some(name));
        assert_eq!(anchor("r7-8-9"), None);
    }
}
