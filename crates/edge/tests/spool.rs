//! The spool: what goes first when it is full, what rules leave out, what is counted, what a restart
//! finds; and the list of edges: codes and tokens.

use edge::{
    Batch, BatchError, Class, EdgeError, Health, Piece, Registry, Rules, Spool, Thinned, Urgency, WaveRule,
};
use tempfile::TempDir;
use vitals::metric::code;
use vitals::time::SECOND;
use vitals::{
    Actor, Content, DeviceId, EpisodeId, Measurement, Message, Origin, Passed, PassedAlert,
    PatientId, Protocol, Quality, Rate, Reading, ReceiveTime, RelayLine, Role, SampleArray,
    TimeBase, Value,
};

const AT: i64 = 1_767_225_600 * SECOND;

fn message(second: i64, value: Value) -> Piece {
    let at = AT + second * SECOND;
    let metric = if matches!(value, Value::Numeric(_)) { code::HEART_RATE } else { code::ABP };
    let measurement = Measurement {
        metric,
        value,
        unit: metric.metric().expect("known").unit,
        device_time: None,
        quality: Quality::empty(),
        channel: 0,
    };
    let device = DeviceId::new("m1").expect("valid");
    let reading = Reading { device, patient: None, measurements: vec![measurement] };
    let message = Message {
        origin: Origin {
            protocol: Protocol::Mqtt,
            address: String::new(),
            sender: "m1".into(),
            message_id: String::new(),
            profile: "native".into(),
        },
        received: ReceiveTime(at),
        time_base: TimeBase::Live,
        payload: vec![0; 1_000],
        content: vec![Content::Reading(reading)],
        problems: Vec::new(),
    };
    Piece { at, what: Passed::Message(Box::new(message)) }
}

fn numeric(second: i64) -> Piece {
    message(second, Value::Numeric(70.0))
}

fn waveform(second: i64) -> Piece {
    let rate = Rate::new(250, 1).expect("not zero");
    let array = SampleArray::from_values(rate, vec![1.0, 2.0, 3.0]);
    message(second, Value::SampleArray(array))
}

fn alert(second: i64) -> Piece {
    let alert = PassedAlert {
        episode: EpisodeId { offset: 1, index: 0 },
        patient: PatientId::from_identifier("urn:mrn", "1"),
        because: Vec::new(),
        record: "{}".repeat(400),
    };
    Piece { at: AT + second * SECOND, what: Passed::Alert(Box::new(alert)) }
}

fn spool(folder: &TempDir, bytes: u64) -> Spool {
    Spool::open(&folder.path().join("spool.db"), None, 7, bytes).expect("opens")
}

/// Pieces of all lines that are to be sent, as (line, number); those are then done.
fn drain(spool: &mut Spool) -> Vec<(RelayLine, u64)> {
    let mut sent = Vec::new();
    while let Some(ready) = spool.next(3_000).expect("reads") {
        let numbers: Vec<u64> = ready.pieces.iter().map(|(number, _)| *number).collect();
        sent.extend(numbers.iter().map(|number| (ready.line, *number)));
        spool.done(ready.line, numbers.into_iter()).expect("writes");
    }
    sent
}

#[test]
fn the_oldest_waveforms_go_first_then_numerics_and_alerts_last() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut spool = spool(&folder, 12_000);
    let one_of_each = |second| [waveform(second), numeric(second), alert(second)];
    for second in 0..3 {
        spool.take(&one_of_each(second), second as u64 + 1).expect("takes");
    }
    assert_eq!(spool.fill().pieces, [3, 3, 3]);
    let mut seen = Vec::new();
    for second in 3..9 {
        spool.take(&one_of_each(second), second as u64 + 1).expect("takes");
        assert!(spool.fill().all_bytes() <= 12_000);
        seen.push(spool.fill().pieces);
    }
    assert!(seen.iter().all(|[_, _, alerts]| *alerts >= 3), "{seen:?}");
    assert_eq!(seen.last().map(|[waveforms, ..]| *waveforms), Some(0), "{seen:?}");
    let thinned = spool.thinned(true).expect("reads");
    let of = |class: Class| thinned.iter().filter(|one| one.class == class.name()).map(|one| one.pieces).sum::<u64>();
    for (class, left) in Class::ALL.into_iter().zip(spool.fill().pieces) {
        assert_eq!(of(class) + left, 9, "each is there or counted: {class:?}");
    }
    spool.told(&thinned).expect("writes");
    assert_eq!(spool.thinned(true).expect("reads"), Vec::<Thinned>::new());
    assert_eq!(spool.thinned(false).expect("reads"), thinned);
}

#[test]
fn numerics_and_alerts_are_sent_before_waveforms_each_in_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut spool = spool(&folder, 1 << 20);
    spool.take(&[waveform(0), numeric(0), waveform(1), alert(1), numeric(2)], 5).expect("takes");
    let numerics = (1..=3).map(|number| (RelayLine::Numerics, number));
    let waveforms = (1..=2).map(|number| (RelayLine::Waveforms, number));
    assert_eq!(drain(&mut spool), numerics.chain(waveforms).collect::<Vec<_>>());
}

#[test]
fn a_restart_finds_everything_and_gives_no_number_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut first = spool(&folder, 1 << 20);
    first.take(&[numeric(0), numeric(1)], 2).expect("takes");
    assert_eq!(drain(&mut first).len(), 2);
    first.take(&[numeric(2)], 3).expect("takes");
    first.set_note("token", "t").expect("writes");
    let (id, fill) = (first.id(), first.fill());
    drop(first);
    let mut again = Spool::open(&folder.path().join("spool.db"), None, 99, 1 << 20).expect("opens");
    assert_eq!((again.id(), again.cursor(), again.fill()), (id, 3, fill));
    assert_eq!(again.note("token").expect("reads").as_deref(), Some("t"));
    again.take(&[numeric(3)], 4).expect("takes");
    assert_eq!(drain(&mut again), [(RelayLine::Numerics, 3), (RelayLine::Numerics, 4)]);
    assert_eq!(again.fill().all_bytes(), 0);
}

#[test]
fn rules_thin_numerics_but_not_around_alerts() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut spool = spool(&folder, 1 << 20);
    spool.set_rules(Rules { numerics_every_s: 10, around_alerts_s: 5, ..Rules::default() });
    for second in 0..60 {
        let mut pieces = vec![numeric(second)];
        pieces.extend((second == 33).then(|| alert(second)));
        spool.take(&pieces, second as u64).expect("takes");
    }
    // Every tenth, what came within five seconds after the alert, and the alert.
    assert_eq!(spool.fill().pieces, [0, 11, 1]);
    assert_eq!(spool.thinned(true).expect("reads")[0].pieces, 49);
}

#[test]
fn waveforms_wait_for_an_alert_and_go_uncalled_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut spool = spool(&folder, 1 << 20);
    spool.set_rules(Rules { waveforms: WaveRule::AroundAlerts, around_alerts_s: 10, ..Rules::default() });
    for second in 0..60 {
        let mut pieces = vec![waveform(second)];
        pieces.extend((second == 30).then(|| alert(second)));
        spool.take(&pieces, second as u64).expect("takes");
        spool.sweep(AT + second * SECOND).expect("writes");
    }
    let sent = drain(&mut spool);
    let waves = sent.iter().filter(|(line, _)| *line == RelayLine::Waveforms).map(|(_, number)| *number);
    assert_eq!(waves.collect::<Vec<_>>(), (21..=41).collect::<Vec<u64>>());
    spool.sweep(AT + 200 * SECOND).expect("writes");
    assert_eq!(spool.fill().pieces, [0; 3]);
    assert_eq!(spool.thinned(true).expect("reads").iter().map(|one| one.pieces).sum::<u64>(), 39);
}

#[test]
fn what_people_did_is_never_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut spool = spool(&folder, 1 << 20);
    spool.set_rules(Rules {
        waveforms: WaveRule::None, around_alerts_s: 0, numerics_every_s: 3_600, ..Rules::default()
    });
    let device = DeviceId::new("m1").expect("valid");
    let actor = Actor { name: "kim".into(), role: Role::Nurse };
    let deed = Passed::Action(actor, Box::new(vitals::Action::Disassociate { device, at: None }));
    spool.take(&[Piece { at: AT, what: deed }, waveform(0)], 2).expect("takes");
    assert_eq!(spool.fill().pieces, [0, 0, 1]);
}

#[test]
fn a_code_opens_once_and_for_a_day_and_a_token_until_it_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = Registry::open(&folder.path().join("edges.db"), None).expect("opens");
    list.add("e1", "Ward", "ada", "code", AT).expect("new");
    assert!(matches!(list.add("e1", "", "ada", "other", AT), Err(EdgeError::Taken)));
    let day = 24 * 3_600 * SECOND;
    let refused = |done: Result<(), EdgeError>| assert!(matches!(done, Err(EdgeError::Refused)));
    refused(list.enrol("e1", "wrong", "token", AT));
    refused(list.enrol("e2", "code", "token", AT));
    refused(list.enrol("e1", "code", "token", AT + day));
    list.enrol("e1", "code", "token", AT).expect("the code holds");
    refused(list.enrol("e1", "code", "token", AT));
    assert_eq!(list.admit("e1", "token", AT).expect("known").id, "e1");
    refused(list.admit("e1", "code", AT).map(drop));
    refused(list.admit("e1", "", AT).map(drop));
    list.renew("e1", "next", AT).expect("there");
    refused(list.admit("e1", "token", AT).map(drop));
    list.remove("e1").expect("there");
    refused(list.enrol("e1", "next", "token", AT));
}

#[test]
fn what_an_edge_left_out_is_told_again_without_counting_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = Registry::open(&folder.path().join("edges.db"), None).expect("opens");
    list.add("e1", "", "ada", "code", AT).expect("new");
    let thinned = |pieces| Thinned {
        class: "numerics".into(), reason: "full".into(), hour: 5, pieces, bytes: 9, from: 1, to: 2,
    };
    for pieces in [3, 3, 7] {
        let health = Health { thinned: vec![thinned(pieces)], ..Health::default() };
        list.heard("e1", (1, &health), (0, &[]), (AT, 0)).expect("there");
    }
    let gaps = list.gaps("e1").expect("reads");
    assert_eq!(gaps.iter().map(|gap| gap.thinned.pieces).collect::<Vec<_>>(), [7]);
}

#[test]
fn another_token_takes_the_place_of_one_when_it_is_first_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = Registry::open(&folder.path().join("edges.db"), None).expect("opens");
    let day = 24 * 3_600 * SECOND;
    list.add("e1", "", "ada", "code", AT).expect("new");
    list.enrol("e1", "code", "first", AT).expect("the code holds");
    let wants = |now| list.get("e1").expect("there").is_to_rotate(now);
    assert!(!wants(AT) && wants(AT + day), "once a day");
    list.want_rotation("e1").expect("there");
    assert!(wants(AT));
    // The answer with the second is lost: the first still holds, and there is a third.
    list.give("e1", "second").expect("there");
    list.admit("e1", "first", AT).expect("holds until another is shown");
    list.give("e1", "third").expect("there");
    assert!(matches!(list.admit("e1", "second", AT), Err(EdgeError::Refused)), "never shown, and replaced");
    list.admit("e1", "third", AT + SECOND).expect("opens");
    assert!(matches!(list.admit("e1", "first", AT), Err(EdgeError::Refused)));
    assert_eq!((list.get("e1").expect("there").token_since, wants(AT)), (Some(AT + SECOND), false));
    // A certificate that was shown is needed until there is a new code.
    list.certified("e1", AT).expect("there");
    assert_eq!(list.get("e1").expect("there").certificate, Some(AT));
    list.renew("e1", "next", AT).expect("there");
    assert_eq!(list.get("e1").expect("there").certificate, None);
    assert!(matches!(list.admit("e1", "third", AT), Err(EdgeError::Refused)));
}

#[test]
fn batches_of_the_version_before_are_read() {
    type Before<'a> = (u64, RelayLine, i64, Vec<(u64, Vec<u8>)>, HealthBefore<'a>);
    type HealthBefore<'a> = (&'a str, u64, u64, u64, Option<i64>, &'a str, u64, Vec<Thinned>);
    let pieces = vec![(3, vec![1, 2]), (4, vec![5])];
    let before: Before<'_> = (7, RelayLine::Waveforms, AT, pieces.clone(), ("0.0.9", 1, 2, 3, Some(4), "c", 5, Vec::new()));
    let bytes = postcard::to_extend(&before, vec![1]).expect("writes");
    let read = Batch::read(&bytes).expect("is read");
    let health = Health {
        version: "0.0.9".into(), spool_bytes: 1, spool_bytes_max: 2, spool_pieces: 3, oldest: Some(4),
        configuration: "c".into(), memory_bytes: 5, ..Health::default()
    };
    assert_eq!(read, Batch { spool: 7, line: RelayLine::Waveforms, sent_at: AT, pieces, health });
    assert_eq!(Batch::read(&read.write()), Ok(read.clone()), "and goes on in the form of now");
    assert_eq!(Batch::read(&[3, 0]), Err(BatchError::Version));
}

#[test]
fn only_alerts_urgent_enough_open_the_time_around_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut spool = spool(&folder, 1 << 20);
    spool.set_rules(Rules {
        waveforms: WaveRule::AroundAlerts, around_alerts_s: 10, around_priority: Urgency::High, ..Rules::default()
    });
    let said = |second, priority: &str| {
        let mut piece = alert(second);
        if let Passed::Alert(alert) = &mut piece.what {
            alert.record = format!("{{\"episode\": {{\"priority\": \"{priority}\"}}}}");
        }
        piece
    };
    spool.take(&[waveform(0), said(1, "Low"), waveform(100), said(101, "High")], 4).expect("writes");
    spool.sweep(AT + 1_000 * SECOND).expect("writes");
    assert_eq!(spool.fill().pieces, [1, 0, 2], "both alerts, the waveform of the urgent one");
    let left = spool.left_out().expect("reads");
    let left: Vec<_> = left.iter().map(|one| (one.class.as_str(), one.reason.as_str(), one.pieces)).collect();
    assert_eq!(left, [("waveforms", "rule", 1)], "what is left out is counted, told or not");
}
