//! Properties: any bytes give an answer, what is built reads back, and an independent parser sees
//! the same structure.

use proptest::prelude::*;
use vitals::metric::MetricKind;
use vitals::{
    Content, DeviceId, DeviceTime, HumanName, Identifier, Measurement, Metric, Patient, PatientId,
    Quality, Rate, Reading, ReceiveTime, SampleArray, Value,
};
use wire_hl7::build::{self, Envelope};
use wire_hl7::syntax::{Segment, Separators};
use wire_hl7::{Kept, Options, read};

fn answered(bytes: &[u8]) {
    let received = read(bytes, ReceiveTime(0), &Options::default());
    assert!(!received.messages.is_empty());
    for inbound in &received.messages {
        for kept in [Kept::Durable, Kept::NotStored] {
            let answer = inbound.reply.encode(kept, ReceiveTime(i64::MAX)).unwrap_or_default();
            assert!(!answer.windows(2).any(|w| w == b"\x1c\x0d"), "an answer fits a frame");
        }
        let nothing = inbound.message.content.is_empty() && inbound.message.problems.is_empty();
        assert!(
            !nothing || inbound.message.origin.address.starts_with("ORU"),
            "nothing goes silently"
        );
    }
}

/// Pieces that make likely messages, so that chance gets behind the header.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("MSH|^~\\&|A|B|C|D|20260101120000||ORU^R01|1|P|2.6\r".to_owned()),
        Just("MSH|^~\\&|||||||ADT^A40|1|P|2.3\r".to_owned()),
        Just("PID|||1^^^H^MR\r".to_owned()),
        Just("MRG|2\r".to_owned()),
        Just("OBR|1\r".to_owned()),
        Just("OBX|1|NA|^MDC_ECG_ELEC_POTL_I^MDC|1.1.1.1|1^2^".to_owned()),
        Just("OBX|1|NM|HR||".to_owned()),
        Just("\rBTS|9\r".to_owned()),
        "[|^~&\\\\\r\n0-9A-Z.\"]{0,12}",
        any::<String>(),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|parts| parts.concat())
}

fn value(metric: &'static Metric) -> BoxedStrategy<Value> {
    let number = (-1_000_000_i32..1_000_000).prop_map(|n| f64::from(n) / 1000.0);
    match metric.kind {
        MetricKind::Numeric => {
            prop_oneof![number, -1e12_f64..1e12].prop_map(Value::Numeric).boxed()
        }
        MetricKind::Enumeration => (any::<i32>(), "[a-zA-Zä|^&~\\\\]{1,8}")
            .prop_map(|(n, text)| Value::Enumeration(n, text))
            .boxed(),
        MetricKind::Text => "[a-zA-Zäß|^&~\\\\\r\n]{1,20}".prop_map(Value::Text).boxed(),
        MetricKind::SampleArray => (
            1_u32..2000,
            proptest::sample::select(vec![1_u32, 2, 4, 5, 10]),
            proptest::collection::vec(number, 2..50),
        )
            .prop_map(|(n, d, samples)| {
                let rate = Rate::new(n, d).expect("neither is 0");
                Value::SampleArray(SampleArray::from_values(rate, samples))
            })
            .boxed(),
        MetricKind::Compound => Just(Value::Numeric(0.0)).boxed(),
    }
}

/// Up to ten measurements, each of another metric.
fn measurements() -> impl Strategy<Value = Vec<Measurement>> {
    let metrics: Vec<&'static Metric> =
        Metric::all().filter(|m| m.kind != MetricKind::Compound).collect();
    proptest::sample::subsequence(metrics, 1..10).prop_flat_map(|chosen| {
        chosen
            .into_iter()
            .map(|metric| {
                let flags = proptest::sample::select(vec![
                    Quality::empty(),
                    Quality::QUESTIONABLE,
                    Quality::AMENDED | Quality::MANUAL,
                    Quality::TEST | Quality::CALIBRATING,
                ]);
                (value(metric), flags, 0_i64..4_000_000_000_000).prop_map(|(value, quality, ms)| {
                    Measurement {
                        metric: metric.code,
                        value,
                        unit: metric.unit,
                        device_time: Some(DeviceTime::from_millis(ms)),
                        quality,
                        channel: 0,
                    }
                })
            })
            .collect::<Vec<_>>()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        answered(&bytes);
    }

    #[test]
    fn any_likely_text_is_answered(text in pieces()) {
        answered(text.as_bytes());
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        answered(&wide);
    }

    #[test]
    fn what_is_built_reads_back(measurements in measurements(), family in "[A-Za-zäß&^|~\\\\]{1,12}") {
        let id = PatientId::from_identifier("HOSP", "4711");
        let mut patient = Patient::unknown(id);
        patient.identifiers =
            vec![Identifier { system: "HOSP".into(), value: "4711".into(), kind: "MR".into() }];
        patient.name = HumanName { family: family.clone(), given: "Jane".into() };
        let device = DeviceId::new("monitor-7").expect("an id");
        let reading = Reading { device, patient: None, measurements };
        let envelope = Envelope::new("SIM", "1", DeviceTime(0));
        let text = build::oru(&envelope, Some(&patient), None, &reading);
        let received = read(text.as_bytes(), ReceiveTime(0), &Options::default());
        let message = &received.messages[0].message;
        prop_assert_eq!(&message.problems, &[]);
        let [Content::Reading(found)] = &message.content[..] else { panic!("{:?}", message.content) };
        prop_assert_eq!(&found.measurements, &reading.measurements);
        prop_assert_eq!(&found.device, &reading.device);
        let about = found.patient.as_ref().expect("a patient");
        prop_assert_eq!(&about.id, &patient.id);
        prop_assert_eq!(about.name.as_ref().map(|n| &n.family), Some(&family));
    }

    /// `hl7-parser` as the judge, on what it can read: it fails on escapes beside letters that are
    /// not ASCII and on a fifth encoding character, and it stops at the first bad segment.
    #[test]
    fn an_independent_parser_sees_the_same(fields in proptest::collection::vec("[a-z0-9 ^~&]{0,12}", 1..30)) {
        let line = format!("ZZZ|{}", fields.join("|"));
        let text = format!("MSH|^~\\&|A\r{line}");
        let theirs = hl7_parser::Message::parse(&text).expect("a plain message");
        let theirs = theirs.segment("ZZZ").expect("the segment");
        let ours = Segment::parse(&line, Separators::default()).expect("the segment");
        for number in 1..=fields.len() {
            let field = theirs.field(number).expect("the field");
            prop_assert_eq!(field.raw_value(), ours.field(number).raw);
            for component in 1..5 {
                let theirs = field.component(component).map_or("", |c| c.raw_value());
                let theirs = if theirs.trim_matches(' ') == "\"\"" { "" } else { theirs.trim_matches(' ') };
                let component = ours.field(number).component(component);
                prop_assert_eq!(theirs, component.as_ref());
            }
        }
    }
}
