//! The life of a node and its device, message by message; and any bytes at all.

use proptest::prelude::*;
use wire_sparkplug::{Metric, Nodes, Note, Payload, Topic, Value, rebirth};

fn metric(name: Option<&str>, alias: Option<u64>, datatype: Option<u64>, value: Value) -> Metric {
    Metric { name: name.map(str::to_owned), alias, datatype, value: Some(value), ..Metric::default() }
}

fn message(seq: Option<u64>, metrics: Vec<Metric>) -> Vec<u8> {
    Payload { timestamp_ms: Some(1_700_000_000_000), metrics, seq }.encode()
}

/// What a message says: `name=number`, and the notes.
fn take(nodes: &mut Nodes, topic: &str, bytes: &[u8]) -> (Vec<String>, Vec<Note>) {
    let topic = Topic::parse(topic).expect("a topic");
    let told = nodes.take(&topic, bytes).expect("a payload");
    let metrics = told.metrics.iter().map(|m| format!("{}={}", m.name, m.number.map_or("-".to_owned(), |n| n.to_string())));
    (metrics.collect(), told.notes)
}

fn birth(number: u64) -> Vec<u8> {
    message(Some(0), vec![metric(Some("bdSeq"), None, Some(8), Value::Long(number)), metric(Some("Mains"), Some(1), Some(11), Value::Boolean(true))])
}

#[test]
fn a_node_whose_birth_was_missed_is_to_be_born_again() {
    let mut nodes = Nodes::default();
    let data = |seq, alias| message(Some(seq), vec![metric(None, Some(alias), None, Value::Int(1))]);
    let gateway = || vec![("icu".to_owned(), "gw".to_owned())];
    take(&mut nodes, "spBv1.0/icu/NDATA/gw", &data(4, 1));
    take(&mut nodes, "spBv1.0/icu/DDATA/gw/bed", &data(5, 10));
    assert_eq!((nodes.take_unborn(), nodes.take_unborn()), (gateway(), vec![]), "told once");
    take(&mut nodes, "spBv1.0/icu/NDATA/gw", &data(6, 1));
    take(&mut nodes, "spBv1.0/icu/NBIRTH/gw", &birth(7));
    assert_eq!(nodes.take_unborn(), vec![], "it was born meanwhile");
    take(&mut nodes, "spBv1.0/icu/DDATA/gw/bed", &data(1, 99));
    assert_eq!(nodes.take_unborn(), gateway(), "its birth named no such alias");
    let asked = Payload::decode(&rebirth(1_700_000_000_000)).expect("a payload");
    let [wanted] = asked.metrics.as_slice() else { panic!("one metric") };
    assert_eq!((wanted.name.as_deref(), &wanted.value, wanted.datatype), (Some("Node Control/Rebirth"), &Some(Value::Boolean(true)), Some(11)));
}

#[test]
fn a_life() {
    let mut nodes = Nodes::default();
    let (none, all): (Vec<Note>, Vec<String>) = (vec![], vec!["bdSeq=7".into(), "Mains=1".into()]);
    assert_eq!(take(&mut nodes, "spBv1.0/icu/NBIRTH/gw", &birth(7)), (all, none.clone()));
    let device = vec![
        metric(Some("Vitals/HR"), Some(10), Some(5), Value::Int(72)),
        metric(Some("Vitals/Base"), Some(11), Some(2), Value::Int(0xfffe)),
        metric(Some("Vitals/Temp"), Some(12), Some(9), Value::Float(36.8)),
    ];
    let born = take(&mut nodes, "spBv1.0/icu/DBIRTH/gw/bed", &message(Some(1), device));
    assert_eq!(born, (vec!["Vitals/HR=72".into(), "Vitals/Base=-2".into(), "Vitals/Temp=36.8".into()], none.clone()));
    // Data by alias alone, without a data type.
    let data = |seq, alias, value| message(Some(seq), vec![metric(None, Some(alias), None, value)]);
    assert_eq!(take(&mut nodes, "spBv1.0/icu/DDATA/gw/bed", &data(2, 11, Value::Int(0xfffd))), (vec!["Vitals/Base=-3".into()], none.clone()));
    assert_eq!(
        take(&mut nodes, "spBv1.0/icu/DDATA/gw/bed", &data(5, 10, Value::Int(73))),
        (vec!["Vitals/HR=73".into()], vec![Note::Gap { due: 3, came: 5 }])
    );
    assert_eq!(take(&mut nodes, "spBv1.0/icu/DDATA/gw/bed", &data(6, 99, Value::Int(1))), (vec![], vec![Note::Alias(99)]));
    // A death of the session before, which the broker tells late, changes nothing.
    let death = |number| message(None, vec![metric(Some("bdSeq"), None, Some(8), Value::Long(number))]);
    assert_eq!(take(&mut nodes, "spBv1.0/icu/NDEATH/gw", &death(6)).1, vec![Note::OldDeath]);
    assert_eq!(take(&mut nodes, "spBv1.0/icu/DDATA/gw/bed", &data(7, 10, Value::Int(74))).1, none);
    assert_eq!(take(&mut nodes, "spBv1.0/icu/NDEATH/gw", &death(7)).1, none);
    assert_eq!(take(&mut nodes, "spBv1.0/icu/DDATA/gw/bed", &data(8, 10, Value::Int(74))).1, vec![Note::Unborn]);
    // Another birth starts the sequence and the names anew.
    assert_eq!(take(&mut nodes, "spBv1.0/icu/NBIRTH/gw", &birth(8)).1, none);
    assert_eq!(take(&mut nodes, "spBv1.0/icu/DDATA/gw/bed", &data(1, 10, Value::Int(74))).1, vec![Note::Alias(10)]);
}

#[test]
fn the_sequence_begins_anew_after_255() {
    let mut nodes = Nodes::default();
    take(&mut nodes, "spBv1.0/g/NBIRTH/n", &birth(0));
    for seq in (1..=255).chain(0..3) {
        assert_eq!(take(&mut nodes, "spBv1.0/g/NDATA/n", &message(Some(seq), vec![])).1, vec![], "{seq}");
    }
}

#[test]
fn data_before_any_birth_are_told_so() {
    let mut nodes = Nodes::default();
    let named = message(Some(4), vec![metric(Some("HR"), None, Some(5), Value::Int(70))]);
    assert_eq!(take(&mut nodes, "spBv1.0/g/NDATA/n", &named), (vec!["HR=70".into()], vec![Note::Unborn]));
}

fn values() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<u32>().prop_map(Value::Int),
        any::<u64>().prop_map(Value::Long),
        (-1e30_f32..1e30).prop_map(Value::Float),
        (-1e300..1e300).prop_map(Value::Double),
        any::<bool>().prop_map(Value::Boolean),
        ".{0,20}".prop_map(Value::Text),
        prop::collection::vec(any::<u8>(), 0..20).prop_map(Value::Bytes),
    ]
}

fn metrics() -> impl Strategy<Value = Metric> {
    let name = prop::option::of(".{0,12}");
    let numbers = (prop::option::of(any::<u64>()), prop::option::of(any::<u64>()), prop::option::of(0_u64..40));
    (name, numbers, any::<bool>(), prop::option::of(values())).prop_map(|(name, (alias, timestamp_ms, datatype), historical, value)| {
        Metric { name, alias, timestamp_ms, datatype, historical, value }
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(metrics in prop::collection::vec(metrics(), 0..8), seq in prop::option::of(any::<u64>()), time in prop::option::of(any::<u64>())) {
        let payload = Payload { timestamp_ms: time, metrics, seq };
        prop_assert_eq!(Payload::decode(&payload.encode()), Ok(payload.clone()));
        let bytes = payload.encode();
        for end in 0..bytes.len() {
            let _ = Payload::decode(&bytes[..end]);
        }
    }

    #[test]
    fn any_bytes_are_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0_usize..4) {
        let topic = ["spBv1.0/g/NBIRTH/n", "spBv1.0/g/NDATA/n", "spBv1.0/g/DBIRTH/n/d", "spBv1.0/g/NDEATH/n"][kind];
        let mut nodes = Nodes::default();
        let topic = Topic::parse(topic).expect("a topic");
        let _ = nodes.take(&topic, &bytes);
        let _ = nodes.take(&topic, &bytes);
    }
}
