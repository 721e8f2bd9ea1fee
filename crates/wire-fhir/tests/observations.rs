//! Observations in: each row is a resource and what it becomes, or where it is wrong.

use serde_json::{Value as Json, json};
use vitals::metric::code;
use vitals::{MetricCode, ProblemKind, Quality, Value};
use wire_fhir::observation::read;

fn resource(code: &str, rest: Json) -> Json {
    let mut json = json!({
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "http://example.org", "code": "x"}, {"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": "Patient/p1"},
        "device": {"reference": "Device/d1"},
        "effectiveDateTime": "2024-02-29T10:00:00Z",
    });
    for (key, value) in rest.as_object().expect("object") {
        json[key] = value.clone();
    }
    json
}

fn quantity(value: f64, unit: &str) -> Json {
    json!({"value": value, "system": "http://unitsofmeasure.org", "code": unit})
}

fn check(code: &str, rest: Json, expected: &[(MetricCode, Value, Quality)]) {
    let json = resource(code, rest);
    let issues = wire_fhir::validate(&json, "Observation");
    assert!(issues.is_empty(), "{issues:?}");
    let got = read(&json, "Observation");
    assert!(got.problems.is_empty(), "{:?}", got.problems);
    let reading = got.reading.expect("understood");
    assert_eq!(reading.device.as_str(), "d1");
    assert_eq!(reading.patient.expect("a patient").id.as_str(), "p1");
    assert_eq!(reading.measurements.len(), expected.len());
    for (measurement, (metric, value, quality)) in reading.measurements.iter().zip(expected) {
        assert_eq!(measurement.metric, *metric);
        assert_eq!(measurement.quality, *quality, "{metric:?}");
        assert_eq!(measurement.device_time.map(|t| t.millis()), Some(1_709_200_800_000));
        match (&measurement.value, value) {
            (Value::Numeric(got), Value::Numeric(want)) => {
                assert!((got - want).abs() < 1e-9 || (got.is_nan() && want.is_nan()), "{got} {want}");
            }
            (got, want) => assert_eq!(got, want),
        }
    }
}

fn refused(code: &str, rest: Json, kind: ProblemKind, path: &str) {
    let got = read(&resource(code, rest), "Observation");
    assert_eq!(got.reading, None);
    assert_eq!((got.problems[0].kind, got.problems[0].path.as_str()), (kind, path));
}

#[test]
fn values_of_each_type() {
    let fine = Quality::empty();
    let number = Value::Numeric;
    check("8867-4", json!({"valueQuantity": quantity(72.0, "/min")}), &[(code::HEART_RATE, number(72.0), fine)]);
    check(
        "8310-5",
        json!({"valueQuantity": quantity(98.6, "[degF]")}),
        &[(code::TEMPERATURE, number(37.0), Quality::UNIT_CONVERTED)],
    );
    check("9269-2", json!({"valueInteger": 14}), &[(code::GCS, number(14.0), fine)]);
    check(
        "80288-4",
        json!({"valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "300202002"}]}}),
        &[(code::CONSCIOUSNESS, Value::Enumeration(2, String::new()), fine)],
    );
    check(
        "80288-4",
        json!({"valueString": "Alert"}),
        &[(code::CONSCIOUSNESS, Value::Enumeration(0, "Alert".into()), fine)],
    );
    check(
        "82810-3",
        json!({"valueCodeableConcept": {"coding": [{"system": "http://snomed.info/sct", "code": "77386006"}]}}),
        &[(code::OBSTETRIC, Value::Enumeration(1, String::new()), fine)],
    );
    check(
        "8867-4",
        json!({"dataAbsentReason": {"coding": [{"code": "error"}]}}),
        &[(code::HEART_RATE, number(f64::NAN), Quality::INVALID)],
    );
    check(
        "8867-4",
        json!({"status": "entered-in-error", "valueQuantity": quantity(72.0, "/min")}),
        &[(code::HEART_RATE, number(72.0), Quality::AMENDED | Quality::INVALID)],
    );
    check(
        "8867-4",
        json!({"status": "corrected", "valueQuantity": quantity(72.0, "/min")}),
        &[(code::HEART_RATE, number(72.0), Quality::AMENDED)],
    );
}

#[test]
fn components_are_a_compound_where_they_are_one() {
    let part = |code: &str, value: f64| {
        json!({
            "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
            "valueQuantity": quantity(value, "mm[Hg]"),
        })
    };
    check(
        "85354-9",
        json!({"component": [part("8480-6", 120.0), part("8462-4", 80.0)]}),
        &[(
            code::NIBP,
            Value::Compound(vec![(code::NIBP_SYS, 120.0), (code::NIBP_DIA, 80.0)]),
            Quality::empty(),
        )],
    );
    let mut absent = part("8462-4", 0.0);
    absent.as_object_mut().expect("object").remove("valueQuantity");
    absent["dataAbsentReason"] = json!({"coding": [{"code": "not-performed"}]});
    check(
        "85354-9",
        json!({"component": [part("8480-6", 120.0), absent]}),
        &[
            (code::NIBP_SYS, Value::Numeric(120.0), Quality::empty()),
            (code::NIBP_DIA, Value::Numeric(f64::NAN), Quality::INVALID),
        ],
    );
    // One part that nobody knows loses that part.
    let got = read(
        &resource("85354-9", json!({"component": [part("8480-6", 120.0), part("1-8", 1.0)]})),
        "Observation",
    );
    assert_eq!(got.reading.map(|r| r.measurements.len()), Some(1));
    assert_eq!(got.problems[0].path, "Observation.component[1].code");
}

#[test]
fn samples_have_a_rational_rate() {
    let mut json = resource("8867-4", json!({}));
    json["code"] = json!({"coding": [{"system": "urn:iso:std:iso:11073:10101", "code": "131330"}]});
    json["valueSampledData"] = json!({
        "origin": {"value": 0, "system": "http://unitsofmeasure.org", "code": "uV"},
        "period": 16, "factor": 2.5, "dimensions": 2, "data": "100 200 E 400",
    });
    let reading = read(&json, "Observation").reading.expect("understood");
    let arrays: Vec<_> = reading
        .measurements
        .iter()
        .map(|m| match &m.value {
            Value::SampleArray(array) => (m.channel, array.rate.numerator(), array.rate.denominator(), array.values()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((arrays[0].0, arrays[0].1, arrays[0].2), (0, 125, 2));
    assert!((arrays[0].3[0] - 0.25).abs() < 1e-12 && arrays[0].3[1].is_nan());
    assert!(arrays[1].0 == 1 && (arrays[1].3[1] - 1.0).abs() < 1e-12);
}

#[test]
fn what_is_not_understood_says_where() {
    refused("1-8", json!({"valueInteger": 1}), ProblemKind::UnknownMetric, "Observation.code");
    refused("8867-4", json!({"valueQuantity": {"value": 7}}), ProblemKind::UnknownUnit, "Observation.value");
    refused("8867-4", json!({"valueQuantity": quantity(7.0, "furlong")}), ProblemKind::UnknownUnit, "Observation.value");
    refused("8867-4", json!({"valueQuantity": quantity(7.0, "mm[Hg]")}), ProblemKind::UnknownUnit, "Observation.value");
    refused("8867-4", json!({"valueString": "fast"}), ProblemKind::BadValue, "Observation.value");
    refused("8867-4", json!({}), ProblemKind::Missing, "Observation.value");
    refused("80288-4", json!({"valueString": "zzz"}), ProblemKind::BadValue, "Observation.value");
}

#[test]
fn an_observation_without_device_is_a_chart_entry_of_its_patient() {
    let mut json = resource("8867-4", json!({"valueQuantity": quantity(72.0, "/min")}));
    json.as_object_mut().expect("object").remove("device");
    let reading = read(&json, "Observation").reading.expect("understood");
    assert_eq!(reading.device.as_str(), "chart-p1");
    assert_eq!(reading.measurements[0].quality, Quality::MANUAL);
}
