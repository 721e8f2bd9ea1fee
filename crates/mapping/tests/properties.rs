//! What holds for any bytes, on any topic, with the shipped profiles.

use mapping::{MAX_PAYLOAD, Profiles, RawMessage, Trace};
use proptest::prelude::*;
use vitals::{ProblemKind, ReceiveTime, Value};

fn profiles() -> Profiles {
    let sources = [
        ("bedside-monitor.toml", include_str!("../../../profiles/bedside-monitor.toml")),
        ("ward-gateway.toml", include_str!("../../../profiles/ward-gateway.toml")),
        ("spot-check-csv.toml", include_str!("../../../profiles/spot-check-csv.toml")),
        ("wearable-cbor.json", include_str!("../../../profiles/wearable-cbor.json")),
        ("iomt/devicecontent.json", include_str!("../../../profiles/iomt/example/devicecontent.json")),
        ("iomt/fhirmapping.json", include_str!("../../../profiles/iomt/example/fhirmapping.json")),
    ];
    let (profiles, errors) = Profiles::compile(&sources.map(|(file, text)| (file.to_owned(), text.to_owned())));
    assert_eq!(errors, []);
    profiles
}

fn trace(profiles: &Profiles, topic: &str, payload: &[u8]) -> Trace {
    profiles.trace(&RawMessage { topic, payload, content_type: None, received: ReceiveTime(1_700_000_000_000_000) })
}

const TOPICS: [&str; 9] = [
    "vitalwire/m-1/measurements",
    "vitalwire/m-1/recording",
    "vitalwire/m-1/waveform",
    "vitalwire/m-1/status",
    "hospital/u/d/vitals",
    "gateway/w",
    "spotcheck/d/upload",
    "wearables/v1/7",
    "no/such/topic",
];

/// JSON that is nearly what the profiles and SenML expect.
fn near_json() -> impl Strategy<Value = String> {
    let key = prop::sample::select(vec!["n", "v", "u", "t", "bt", "vs", "hr", "ts", "type", "readings", "code", "dev", "saturation", "pulse", "Body"]);
    let leaf = prop::sample::select(vec!["1", "-0.5", "1e308", "null", "true", "\"MDC_RESP_RATE\"", "\"vitals\"", "\"%\"", "\"HR\"", "1700000000.5", "\"x\\u0000\""]);
    let leaf = leaf.prop_map(str::to_owned);
    leaf.prop_recursive(4, 40, 6, move |inner| {
        let fields = prop::collection::vec((key.clone(), inner.clone()), 0..6);
        prop_oneof![
            prop::collection::vec(inner, 0..6).prop_map(|items| format!("[{}]", items.join(","))),
            fields.prop_map(|fields| {
                let fields: Vec<_> = fields.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(topic in prop::sample::select(TOPICS.to_vec()), payload: Vec<u8>) {
        let trace = trace(&profiles(), topic, &payload);
        // Nothing is dropped silently (DU-2): no value means a problem, but for empty packs.
        let empty_pack = topic.starts_with("vitalwire/") && trace.profile.starts_with("native/");
        prop_assert!(!trace.values.is_empty() || !trace.problems.is_empty() || empty_pack);
    }

    #[test]
    fn nearly_right_json_gets_an_answer(topic in prop::sample::select(TOPICS.to_vec()), payload in near_json()) {
        let profiles = profiles();
        let raw = RawMessage { topic, payload: payload.as_bytes(), content_type: None, received: ReceiveTime(1_700_000_000_000_000) };
        let mapped = profiles.map(&raw);
        prop_assert_eq!(&mapped, &profiles.map(&raw));
        for measurement in mapped.measurements() {
            if let Value::Numeric(number) = measurement.value {
                prop_assert!(number.is_finite());
            }
        }
        prop_assert!(!profiles.trace(&raw).to_string().is_empty());
    }

    #[test]
    fn senml_numbers_and_times_survive_exactly(number in -1e6..1e6_f64, micros in 300_000_000_000_000_i64..4_000_000_000_000_000) {
        let payload = format!(
            "[{{\"n\":\"MDC_RESP_RATE\",\"v\":{number},\"t\":{}.{:06}}}]",
            micros / 1_000_000,
            micros % 1_000_000
        );
        let trace = trace(&profiles(), TOPICS[0], payload.as_bytes());
        prop_assert_eq!(&trace.values[0].value, &number.to_string());
        prop_assert_eq!(trace.values[0].device_time_us, Some(micros));
    }
}

fn check_limit(topic: &str, payload: &[u8], values: usize) {
    let trace = trace(&profiles(), topic, payload);
    assert_eq!(trace.values.len(), values);
    assert_eq!(trace.problems.len(), 1);
    assert_eq!(trace.problems[0].kind, ProblemKind::Limit.name());
}

#[test]
fn limits_hold() {
    let record = "{\"n\":\"MDC_RESP_RATE\",\"v\":1}";
    let many = format!("[{record}{}]", format!(",{record}").repeat(10_000));
    check_limit(TOPICS[0], many.as_bytes(), 10_000);
    check_limit("gateway/w", &vec![b' '; MAX_PAYLOAD + 1], 0);
    let reading = "{\"dev\":\"d\",\"code\":\"HR\",\"v\":1}";
    let many = format!("{{\"readings\":[{reading}{}]}}", format!(",{reading}").repeat(10_000));
    check_limit("gateway/w", many.as_bytes(), 10_000);
}

#[test]
fn problems_are_listed_up_to_a_limit() {
    let fields = "\"v\":\"\",".repeat(20_000);
    let trace = trace(&profiles(), TOPICS[0], format!("[{{{fields}\"n\":1}}]").as_bytes());
    assert_eq!(trace.problems.len(), mapping::MAX_PROBLEMS + 1);
    assert_eq!(trace.problems.last().map(|problem| problem.kind), Some("limit"));
}

#[test]
fn deep_nesting_is_refused_not_followed() {
    for (topic, open) in [(TOPICS[0], "["), ("gateway/w", "["), ("no/such/topic", "{\"a\":")] {
        let trace = trace(&profiles(), topic, open.repeat(100_000).as_bytes());
        assert_eq!(trace.values, []);
        assert_eq!(trace.problems.len(), 1);
    }
    let trace = trace(&profiles(), TOPICS[0], &[0x81].repeat(100_000));
    assert_eq!(trace.problems[0].detail, "nested too deep");
}

#[test]
fn a_message_sent_twice_has_one_key_and_another_has_another() {
    let profiles = profiles();
    let key = |topic: &str, payload: &str| {
        let raw = RawMessage { topic, payload: payload.as_bytes(), content_type: None, received: ReceiveTime(0) };
        profiles.map(&raw).dedup
    };
    let timed = "[{\"n\":\"MDC_RESP_RATE\",\"v\":1,\"t\":1700000000}]";
    assert!(key("vitalwire/a/measurements", timed).is_some());
    assert_eq!(key("vitalwire/a/measurements", timed), key("vitalwire/a/measurements", timed));
    assert_ne!(key("vitalwire/a/measurements", timed), key("vitalwire/b/measurements", timed));
    // Two like readings without a time are two readings.
    assert_eq!(key("vitalwire/a/measurements", "[{\"n\":\"MDC_RESP_RATE\",\"v\":1}]"), None);
}
