//! Each example observation of HL7's two device guides is read, stored the way the engine stores,
//! projected, and says the same again. Devices, metrics and references within bundles are not part
//! of this test.

mod guide_support;

use guide_support::{examples, meaning};
use serde_json::Value as Json;
use vitals::{EffectiveTime, Point, Quality, Reading, ReceiveTime, SeriesId, SeriesKey, Value};
use wire_fhir::{Panel, Stored, dress, names, observation, panel, project};

/// The readings of one message, as the engine and the store keep them.
fn store(reading: &Reading, names: &[String], named: u16) -> Vec<Stored> {
    let mut stored = Vec::new();
    for measurement in &reading.measurements {
        let values: Vec<_> = match &measurement.value {
            Value::Compound(parts) => parts.iter().map(|(metric, value)| (*metric, *value, None)).collect(),
            Value::Numeric(number) => vec![(measurement.metric, *number, None)],
            // The store keeps the number of a state, not its words.
            Value::Enumeration(number, _) => vec![(measurement.metric, f64::from(*number), None)],
            other => vec![(measurement.metric, f64::NAN, Some(other.clone()))],
        };
        for (metric, value, attachment) in values {
            let index = u16::try_from(stored.len()).expect("few");
            let key = SeriesKey {
                subject: reading.patient.as_ref().map(|patient| patient.id.clone()),
                device: reading.device.clone(),
                metric,
                channel: measurement.channel,
            };
            let time = EffectiveTime(measurement.device_time.map_or(0, |at| at.0));
            let quality = measurement.quality | Quality::RECORDED;
            let point = Point { time, received: ReceiveTime(0), value, offset: 7, index, quality };
            let own = if index == named { names.to_vec() } else { Vec::new() };
            stored.push(Stored { series: SeriesId(index.into()), key, point, attachment, names: own });
        }
    }
    stored
}

fn again(told: &Json) -> Result<Json, String> {
    let observed = observation::read(told, "Observation");
    let reading = observed.reading.ok_or_else(|| format!("nothing was understood: {:?}", observed.problems))?;
    if !observed.problems.is_empty() {
        return Err(format!("not all was understood: {:?}", observed.problems));
    }
    let (lead, as_panel) = panel::lead(&reading);
    let names = names::of(told, told["id"].as_str(), as_panel);
    let stored = store(&reading, &names, lead);
    let anchor = stored.get(usize::from(lead)).ok_or("no lead")?;
    let json = if as_panel {
        let beside = panel::other_parts(anchor.key.metric);
        let parts = stored.iter().filter(|part| beside.contains(&part.key.metric)).cloned().collect();
        panel::observation(&Panel { anchor: anchor.clone(), parts })
    } else {
        project::observation(anchor)
    };
    if !names::is_guided(&anchor.names) {
        return Ok(json);
    }
    let source = dress::source(told, lead).ok_or("no source")?;
    Ok(dress::dressed(json, &source.told, anchor, &stored))
}

#[test]
fn observations_of_the_guides_say_the_same_again() {
    let Some(examples) = examples() else { return };
    let mut observations: Vec<(String, Json)> = Vec::new();
    for (name, json) in examples {
        let inside = json["entry"].as_array().into_iter().flatten().map(|entry| &entry["resource"]);
        let all = std::iter::once(&json).chain(inside).filter(|json| json["resourceType"] == "Observation");
        observations.extend(all.map(|json| (name.clone(), json.clone())));
    }
    // References to entries of a bundle are made literal before an observation is read.
    let urn = |json: &Json| json.to_string().contains("\"urn:uuid:");
    let (mut equal, mut wrong) = (0, Vec::new());
    for (name, told) in observations.iter().filter(|(_, json)| !urn(json)) {
        match again(told) {
            Err(why) => wrong.push(format!("{name}: {why}")),
            Ok(got) => {
                let issues = wire_fhir::validate(&got, "Observation");
                let differences = meaning::differences(told, &got);
                if issues.is_empty() && differences.is_empty() {
                    equal += 1;
                } else {
                    wrong.push(format!("{name}: {differences:#?} {issues:?}"));
                }
            }
        }
    }
    eprintln!("{equal} observations say the same again");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(equal > 60, "the archive holds the examples");
}
