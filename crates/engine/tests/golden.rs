//! The bytes of what is kept: journal events and engine state, checked in. A changed order of an
//! enum, a new field, another width: any of them changes these bytes, and then journals and stores
//! of an older program would be misread. So whoever changes them raises the version — of the
//! journal's magic for events, [`engine::STATE_VERSION`] for state — and writes the files anew with
//! `VITALWIRE_BLESS=1 cargo test -p engine --test golden`.

mod common;

use std::fmt::Write as _;
use std::path::PathBuf;

use common::*;
use engine::Engine;
use vitals::metric::code::{CONSCIOUSNESS, HEART_RATE, NIBP, NIBP_DIA, NIBP_SYS, RESP_RATE, SPO2};
use vitals::{
    Action, CommandStep, AlarmKind, AlarmPriority, AlarmSignal, AlarmState, Bed, Component, Content, Device,
    DeviceAlarm, DeviceTime, DirectoryEvent, EffectiveTime, Encounter, EncounterId,
    EncounterStatus, EpisodeId, Event, HumanName, LinkState, Location, Measurement, MetricCode, Movement,
    Patient, PatientMovement, Problem, ProblemKind, Protocol, Quality, ReceiveTime, Role,
    Rate, SampleArray, Sex, TimeBase, Unit, Value,
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2)
        .map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).expect("hexadecimal"))
        .collect()
}

/// Compares lines of `name bytes` with the file; gives back the file's.
fn check(file: &str, lines: &[(String, Vec<u8>)]) -> Vec<(String, Vec<u8>)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    if std::env::var_os("VITALWIRE_BLESS").is_some() {
        let text: String =
            lines.iter().map(|(name, bytes)| format!("{name} {}\n", hex(bytes))).collect();
        std::fs::write(&path, text).expect("the file can be written");
    }
    let text = std::fs::read_to_string(&path).expect("the file is checked in");
    let kept: Vec<(String, Vec<u8>)> = text
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, hex)| (name.to_owned(), bytes(hex)))
        .collect();
    assert_eq!(kept.len(), lines.len(), "{file}");
    for ((name, is), (kept_name, was)) in lines.iter().zip(&kept) {
        assert_eq!(name, kept_name, "{file}");
        assert_eq!(hex(is), hex(was), "{file}: the bytes of `{name}` changed; see the top of this test");
    }
    kept
}

fn someone() -> Patient {
    Patient {
        identifiers: named("a").identifiers,
        name: HumanName { family: "Muster".into(), given: "Anna".into() },
        birth_date: Some("1950-03-02".into()),
        sex: Sex::Female,
        document: Some(vec![1]),
        ..Patient::unknown(patient("a"))
    }
}

fn bed() -> Bed {
    Bed { unit: "4-West".into(), room: "401".into(), bed: "A".into() }
}

fn stay() -> Encounter {
    Encounter {
        id: EncounterId::new("v1").expect("valid"),
        patient: patient("a"),
        status: EncounterStatus::InProgress,
        class: "IMP".into(),
        location: Some(Location::from_bed(bed()).id),
        start: Some(EffectiveTime(1)),
        end: None,
        document: None,
    }
}

fn monitor() -> Device {
    let components = vec![Component { channel: 5, kind: HEART_RATE, name: "ECG".into() }];
    Device { model: "X".into(), components, ..Device::announced(device("m")) }
}

/// A message with each kind of value and of content.
fn full_message() -> Event {
    let mut full = message("m", 1.0, Some(0.5), &[(HEART_RATE, 80.0)]);
    full.time_base = TimeBase::Recorded;
    let values = [
        (NIBP, Value::Compound(vec![(NIBP_SYS, 120.0), (NIBP_DIA, 80.0)])),
        (CONSCIOUSNESS, Value::Enumeration(2, "Voice".into())),
        (SPO2, Value::Text("n/a".into())),
        (HEART_RATE, Value::SampleArray(SampleArray::from_values(
            Rate::new(125, 2).expect("neither is 0"),
            vec![0.5, -0.5],
        ))),
    ];
    if let Content::Reading(reading) = &mut full.content[0] {
        reading.patient = Some(named("a"));
        reading.measurements.extend(values.into_iter().map(|(metric, value)| Measurement {
            metric,
            value,
            unit: Unit::MMHG,
            device_time: None,
            quality: Quality::QUESTIONABLE | Quality::AMENDED,
            channel: 7,
        }));
    }
    full.content.push(Content::Directory(DirectoryEvent::Patient(someone())));
    let kind = ProblemKind::Forbidden;
    full.problems.push(Problem { kind, path: "OBX[3]-5".into(), detail: "no number".into() });
    full.origin.protocol = Protocol::Fhir;
    Event::Message(full)
}

/// A message that says how an alarm of a device is.
fn alarm() -> Event {
    let mut alarming = message("m", 1.0, None, &[]);
    alarming.content = vec![Content::Alarm(DeviceAlarm {
        device: device("m"),
        patient: Some(named("a")),
        id: "42".into(),
        kind: AlarmKind::Advisory,
        priority: AlarmPriority::High,
        state: AlarmState::Latched,
        signal: AlarmSignal::Acknowledged,
        code: Some(MetricCode(196_648)),
        text: "HR high".into(),
        source: Some(HEART_RATE),
        channel: 7,
        device_time: Some(DeviceTime(9)),
    })];
    Event::Message(alarming)
}

fn directory() -> Vec<(&'static str, DirectoryEvent)> {
    let movement = PatientMovement {
        movement: Movement::CancelDischarge,
        patient: someone(),
        encounter: None,
        class: "IMP".into(),
        location: Some(bed()),
        prior_location: None,
        at: Some(EffectiveTime(-5)),
    };
    vec![
        ("merge", DirectoryEvent::Merge { survivor: patient("a"), retired: patient("b") }),
        ("encounter", DirectoryEvent::Encounter(stay())),
        ("location", DirectoryEvent::Location(Location::from_bed(bed()))),
        ("device", DirectoryEvent::Device(monitor())),
        ("movement", DirectoryEvent::Movement(movement)),
    ]
}

fn actions() -> Vec<(&'static str, Action)> {
    let episode = EpisodeId { offset: 300, index: 2 };
    let (who, what, held) = (patient("a"), device("m"), patient("a"));
    let released = Box::new(message("m", 1.0, None, &[(HEART_RATE, 1.0)]));
    vec![
        ("acknowledge", Action::Acknowledge { episode, until: Some(ReceiveTime(9)), note: "n".into() }),
        ("snooze", Action::Snooze { episode, until: ReceiveTime(9), reason: "r".into() }),
        ("escalate", Action::Escalate { episode, reason: "r".into() }),
        ("reset", Action::Reset { episode, note: "n".into() }),
        ("associate", Action::Associate { device: what.clone(), patient: who.clone(), since: None }),
        ("disassociate", Action::Disassociate { device: what.clone(), at: Some(EffectiveTime(3)) }),
        ("mount", Action::Mount { device: what, location: Some(Location::from_bed(bed()).id) }),
        ("limits", Action::SetLimits {
            patient: who.clone(),
            metric: HEART_RATE,
            low: Some(40.0),
            high: None,
            reason: "r".into(),
        }),
        ("scale", Action::SetSpo2Scale { patient: who, scale: 2, reason: "r".into() }),
        ("release", Action::Release { quarantined: 7, message: released }),
        ("discard", Action::Discard { quarantined: 7, reason: "r".into() }),
        ("note", Action::Note { subject: "s".into(), detail: "d".into() }),
        ("hold", Action::Hold {
            patient: held,
            from: EffectiveTime(3),
            to: EffectiveTime(4),
            reason: "r".into(),
        }),
        ("release-hold", Action::ReleaseHold { hold: 7, reason: "r".into() }),
        ("use-models", Action::UseModels {
            models: vec![vitals::ModelInUse { id: "m".into(), version: "1.0.0+0".into(), role: vitals::ModelRole::Shadow }],
        }),
        ("seen", Action::Seen { patient: patient("a"), how: vitals::Look::Bedside }),
        ("pathway-start", Action::Pathway {
            patient: patient("a"),
            pathway: "p".into(),
            deed: vitals::PathwayDeed::Start { reason: "r".into() },
        }),
        ("pathway-step", Action::Pathway {
            patient: patient("a"),
            pathway: "p".into(),
            deed: vitals::PathwayDeed::StepDeclined { step: "s".into(), reason: "r".into() },
        }),
        ("erase", Action::Erase { patient: patient("a"), reason: "r".into() }),
    ]
}

fn commands() -> Vec<(&'static str, Action)> {
    let id = vitals::CommandId::new("c-1").expect("valid");
    let parameter = |name: &str, value| vitals::CommandParameter { name: name.into(), value, unit: "u".into() };
    let number = vitals::CommandValue::Number(5.0);
    let order = vitals::CommandOrder {
        id: id.clone(),
        device: device("m"),
        patient: patient("a"),
        name: "n".into(),
        class: vitals::CommandClass::Therapy,
        parameters: vec![
            parameter("a", number.clone()),
            parameter("b", vitals::CommandValue::Choice("c".into())),
            parameter("d", vitals::CommandValue::Flag(true)),
        ],
        two_person: true,
        expires: vitals::ReceiveTime(7),
        answer_us: 8,
        read_back: vitals::ReadBack::Metric(HEART_RATE, "a".into()),
    };
    let step = |step| Action::CommandStep { command: id.clone(), device: device("m"), step };
    vec![
        ("command", Action::Command(Box::new(order))),
        ("command-confirm", step(CommandStep::Confirm)),
        ("command-cancel", step(CommandStep::Cancel { reason: "r".into() })),
        ("command-sending", step(CommandStep::Sending)),
        ("command-sent", step(CommandStep::Sent)),
        ("command-not-sent", step(CommandStep::NotSent { reason: "r".into() })),
        ("command-lost", step(CommandStep::Lost)),
        ("command-accepted", step(CommandStep::Accepted)),
        ("command-done", step(CommandStep::Done { read_back: vec![("a".into(), number)] })),
        ("command-failed", step(CommandStep::Failed { reason: "r".into() })),
    ]
}

fn events() -> Vec<(String, Event)> {
    let mut all = vec![
        ("message".to_owned(), full_message()),
        ("link".to_owned(), Event::Link {
            device: device("m"),
            state: LinkState::Lost,
            reason: "will".into(),
        }),
        ("tick".to_owned(), Event::Tick),
        ("policy".to_owned(), Event::Policy(nurse(), "name = \"x\"".into())),
    ];
    all.extend(actions().into_iter().map(|(name, action)| (name.to_owned(), act(action))));
    all.extend(directory().into_iter().map(|(name, event)| {
        (format!("directory-{name}"), act(Action::Directory(event)))
    }));
    all.push(("alarm".to_owned(), alarm()));
    all.extend(commands().into_iter().map(|(name, action)| (name.to_owned(), act(action))));
    let (episode, verdict) = (EpisodeId { offset: 300, index: 2 }, vitals::Verdict::Artefact);
    all.push(("judge".to_owned(), act(Action::Judge { episode, verdict, note: "n".into() })));
    for role in Role::ALL {
        let actor = vitals::Actor { name: "x".into(), role };
        let note = Action::Note { subject: String::new(), detail: String::new() };
        all.push((format!("role-{}", role.name()), Event::Action(actor, note)));
    }
    all
}

#[test]
fn journal_events_keep_their_bytes() {
    let events = events();
    let encoded: Vec<(String, Vec<u8>)> = events
        .iter()
        .map(|(name, event)| (name.clone(), postcard::to_stdvec(event).expect("encodable")))
        .collect();
    let kept = check("events-02.txt", &encoded);
    for ((name, event), (_, bytes)) in events.iter().zip(kept) {
        let read: Event = postcard::from_bytes(&bytes).expect("readable");
        assert_eq!(read, *event, "{name}");
    }
}

/// A little of everything that the engine remembers.
fn eventful() -> Run {
    let mut run = Run::new();
    for (_, event) in directory() {
        run.at(0.0, act(Action::Directory(event)));
    }
    run.at(0.0, associate("m", "a", None));
    run.at(0.0, associate("quiet", "a", None));
    for second in 1..=120_i32 {
        let second = f64::from(second);
        let rate = (80.0 + second * 2.0).min(150.0);
        let values = [(HEART_RATE, rate), (SPO2, 88.0), (RESP_RATE, 26.0), (NIBP_SYS, 95.0)];
        run.at(second, Event::Message(message("m", second, Some(second + 3_600.0), &values)));
        if second < 40.0 {
            run.at(second, says("quiet", second, &[(CONSCIOUSNESS, 0.0)]));
        }
    }
    for (_, action) in actions() {
        run.at(121.0, act(action));
    }
    let open = run.engine.patient(&patient("a")).map(|state| state.episodes.open().to_vec());
    let open = open.unwrap_or_default();
    assert_eq!(open.len(), 2, "a deterioration and a silence");
    run.acknowledge(122.0, open[0].id, Some(900.0));
    run
}

fn snapshot(run: &mut Run) -> Vec<(String, Vec<u8>)> {
    run.engine.snapshot().into_iter().map(|(name, part)| (name, part.bytes())).collect()
}

#[test]
fn engine_state_keeps_its_bytes() {
    let mut run = eventful();
    let parts = snapshot(&mut run);
    let kept = check(&format!("state-{:02}.txt", engine::STATE_VERSION), &parts);
    let mut restored = Engine::new(alert::Policy::built_in());
    restored.restore(kept).expect("a state of this version");
    let id = patient("a");
    let (a, b) = (run.engine.patient(&id), restored.patient(&id));
    assert_eq!(a.map(|state| &state.values), b.map(|state| &state.values));
    assert_eq!(a.map(|state| &state.episodes), b.map(|state| &state.episodes));
    let (a, b) = (run.engine.patient_view(&id), restored.patient_view(&id));
    assert_eq!(a, b, "what is seen of a patient is the same after a restart");
}

#[test]
fn state_of_another_version_is_refused_by_its_name() {
    let mut run = eventful();
    for change in [|bytes: &mut Vec<u8>| bytes[0] ^= 1, |bytes: &mut Vec<u8>| bytes.push(0)] {
        let mut parts = snapshot(&mut run);
        if let Some((_, bytes)) = parts.iter_mut().find(|(name, _)| name == "world") {
            change(bytes);
        }
        let error = Engine::new(alert::Policy::built_in()).restore(parts).expect_err("refused");
        assert!(error.to_string().contains("`world`"), "{error}");
    }
}
