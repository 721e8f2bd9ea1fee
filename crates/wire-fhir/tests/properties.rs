//! Any JSON is answered, never a panic; what is projected reads back as what was stored.

use proptest::prelude::*;
use serde_json::{Map, Value as Json, json};
use vitals::metric::MetricKind;
use vitals::{
    DeviceId, DirectoryEvent, EffectiveTime, Metric, PatientId, Point, Quality, ReceiveTime,
    Rate, SampleArray, SeriesId, SeriesKey, Value,
};
use wire_fhir::search::{Subject, decode, parse};
use wire_fhir::{Kind, Record, Stored, bundle, directory, observation, project, record, validate};

/// JSON whose names are often those of resources, so that it gets past the first check.
fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        "\\PC{0,12}".prop_map(Json::from),
        prop::sample::select(vec![
            "Observation", "Patient", "Bundle", "final", "8867-4", "http://loinc.org", "transaction",
            "2024-02-29T10:00:00Z", "Patient/1", "Patient?identifier=x|y", "urn:uuid:1", "#a", "1 E U",
            "urn:vitalwire:quality", "Device/d", "131330", "urn:iso:std:iso:11073:10101", "85354-9",
        ])
        .prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        let name = prop::sample::select(vec![
            "resourceType", "status", "code", "coding", "system", "value", "valueQuantity", "component",
            "valueSampledData", "period", "origin", "data", "factor", "dimensions", "subject", "reference",
            "identifier", "effectiveDateTime", "effectivePeriod", "start", "end", "entry", "resource",
            "request", "method", "url", "type", "name", "given", "family", "_given", "extension", "device",
            "valueCodeableConcept", "valueString", "dataAbsentReason", "contained", "id", "meta", "location",
            "valueUnsignedInt", "class", "property", "valueCode", "deviceName", "version", "colour",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
            prop::collection::vec((name, inner), 0..8).prop_map(|pairs| {
                Json::Object(pairs.into_iter().map(|(k, v)| (k.to_owned(), v)).collect::<Map<_, _>>())
            }),
        ]
    })
}

fn metric() -> impl Strategy<Value = &'static Metric> {
    let rows: Vec<&'static Metric> =
        Metric::all().filter(|m| m.kind != MetricKind::Compound && m.code.metric().is_some_and(|r| r.code == m.code)).collect();
    prop::sample::select(rows)
}

fn stored() -> impl Strategy<Value = Stored> {
    // Five centuries in microseconds.
    let times = -8_000_000_000_000_000_i64..8_000_000_000_000_000;
    (
        (metric(), times.clone(), times, any::<bool>(), 0_u32..0x3fff_ffff),
        (-1e6_f64..1e6, any::<u32>(), any::<u64>(), any::<u16>(), any::<u16>()),
        ("[a-zA-Z ]{0,9}[a-z]", prop::collection::vec(-1e3_f64..1e3, 1..40), 1_u32..2_000, 1_u32..4),
    )
        .prop_map(|((row, time, received, known, channel), (number, series, offset, index, bits), more)| {
            let (text, samples, numerator, denominator) = more;
            let rate = Rate::new(numerator, denominator).expect("neither is 0");
            let (value, attachment) = match row.kind {
                MetricKind::Text => (f64::NAN, Some(Value::Text(text))),
                MetricKind::Enumeration => {
                    let number = number as i32;
                    (f64::from(number), Some(Value::Enumeration(number, text)))
                }
                MetricKind::SampleArray => (
                    f64::NAN,
                    Some(Value::SampleArray(SampleArray::from_values(rate, samples))),
                ),
                _ => (number, None),
            };
            let mut quality = Quality::from_bits_truncate(bits) - Quality::INVALID;
            // A chart entry is one by its device, which is named here.
            quality.remove(Quality::empty());
            Stored {
                names: Vec::new(),
                series: SeriesId(series),
                key: SeriesKey {
                    subject: known.then(|| PatientId::sanitised("p-1")),
                    device: DeviceId::sanitised("monitor-7"),
                    metric: row.code,
                    channel,
                },
                point: Point {
                    time: EffectiveTime(time),
                    received: ReceiveTime(received),
                    value,
                    offset,
                    index,
                    quality,
                },
                attachment,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_json_is_answered(json in any_json(), kind in 0..4_usize) {
        for resource_type in ["Observation", "Patient", "Bundle", "Encounter"] {
            let mut json = json.clone();
            if let Some(object) = json.as_object_mut() {
                object.insert("resourceType".into(), resource_type.into());
            }
            let _ = validate(&json, resource_type);
            let _ = bundle::read(json.clone());
            if json.is_object() {
                let _ = observation::read(&json, "Observation");
                if let Ok(event) = directory::read(Kind::ALL[kind], &json, "x", "X") {
                    let updated = ReceiveTime(0);
                    let _ = record::resource(&Record { event, version: 1, updated, offset: 0, patient: None, metric: None, said: Vec::new() });
                }
            }
        }
    }

    #[test]
    fn any_bytes_and_queries_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200), query in "\\PC{0,60}") {
        let _ = wire_fhir::parse(&bytes);
        let parameters = decode(&query);
        for subject in ["Observation", "Patient", "Encounter"].into_iter().filter_map(Subject::from_name) {
            let _ = parse(subject, &parameters, false);
        }
    }

    #[test]
    fn a_projection_reads_back_as_what_was_stored(stored in stored()) {
        let json = project::observation(&stored);
        let issues = validate(&json, "Observation");
        prop_assert!(issues.is_empty(), "{issues:?} {json}");
        // Through text, as it goes over the wire.
        let json: Json = serde_json::from_str(&json.to_string()).expect("JSON");
        let got = observation::read(&json, "Observation");
        prop_assert!(got.problems.is_empty(), "{:?} {json}", got.problems);
        let reading = got.reading.expect("understood");
        prop_assert_eq!(&reading.device, &stored.key.device);
        prop_assert_eq!(reading.patient.map(|p| p.id), stored.key.subject.clone());
        let one = &reading.measurements[0];
        prop_assert_eq!(one.metric, stored.key.metric);
        prop_assert_eq!(one.channel, stored.key.channel);
        prop_assert_eq!(one.device_time.map(|t| t.micros()), Some(stored.point.time.micros()));
        prop_assert_eq!(one.quality, stored.point.quality);
        match (&one.value, &stored.attachment) {
            (Value::Numeric(value), None) => prop_assert_eq!(*value, stored.point.value),
            (Value::SampleArray(got), Some(Value::SampleArray(want))) => {
                prop_assert!((got.rate.hz() / want.rate.hz() - 1.0).abs() < 1e-5);
                prop_assert_eq!(got.values(), want.values());
            }
            (got, want) => prop_assert_eq!(Some(got), want.as_ref()),
        }
    }
}

#[test]
fn a_document_comes_back_as_it_went_in() {
    let patient = json!({
        "resourceType": "Patient", "id": "p1", "identifier": [{"system": "urn:mrn", "value": "1"}],
        "name": [{"use": "official", "family": "A", "given": ["B", "C"]}], "gender": "female",
        "birthDate": "1950-01", "address": [{"city": "E"}], "deceasedDateTime": "2020-01-01",
    });
    let event = directory::read(Kind::Patient, &patient, "p1", "Patient").expect("valid");
    assert!(matches!(&event, DirectoryEvent::Patient(p) if p.deceased && p.name.given == "B C"));
    let stored = Record { event, version: 3, updated: ReceiveTime(0), offset: 9, patient: None, metric: None, said: Vec::new() };
    let mut json = record::resource(&stored).expect("a record");
    assert_eq!(json["meta"]["versionId"], "3");
    json.as_object_mut().expect("object").remove("meta");
    assert_eq!(json, patient);
}
