//! CO-1: commands in the engine: on whom the device is in the moment of sending, what it measures,
//! what time does, and that a restart in any moment changes nothing.

mod common;

use command::State;
use common::{Run, act, associate, at, device, patient, says};
use engine::{Effect, Engine};
use vitals::metric::code::HEART_RATE;
use vitals::{
    Action, Actor, CommandClass, CommandId, CommandOrder, CommandParameter, CommandStep, CommandValue, Event,
    ReadBack, Role,
};

fn id() -> CommandId {
    CommandId::new("c-1").expect("valid")
}

fn order(read_back: ReadBack) -> CommandOrder {
    CommandOrder {
        id: id(),
        device: device("m"),
        patient: patient("a"),
        name: "set-rate".into(),
        class: CommandClass::Settings,
        parameters: vec![CommandParameter {
            name: "rate".into(),
            value: CommandValue::Number(70.0),
            unit: "/min".into(),
        }],
        two_person: false,
        expires: at(60.0),
        answer_us: 30_000_000,
        read_back,
    }
}

fn step_by(name: &str, step: CommandStep) -> Event {
    let actor = Actor { name: name.into(), role: Role::Service };
    Event::Action(actor, Action::CommandStep { command: id(), device: device("m"), step })
}

fn ours(step: CommandStep) -> Event {
    step_by("system", step)
}

fn theirs(step: CommandStep) -> Event {
    step_by("m", step)
}

fn state(engine: &Engine) -> State {
    engine.command(&id()).expect("asked for").state
}

fn asked(read_back: ReadBack) -> Run {
    let mut run = Run::new();
    run.at(0.0, associate("m", "a", None));
    run.at(1.0, act(Action::Command(Box::new(order(read_back)))));
    run
}

fn counted(run: &Run) -> Vec<&'static str> {
    let counts = run.effects.iter().filter_map(|(_, effect)| match effect {
        Effect::Counted(reason) if reason.starts_with("command") => Some(*reason),
        _ => None,
    });
    counts.collect()
}

#[test]
fn a_command_goes_its_way_once() {
    let mut run = asked(ReadBack::None);
    run.at(1.0, act(Action::Command(Box::new(order(ReadBack::None)))));
    run.at(2.0, ours(CommandStep::Sending));
    run.at(2.0, ours(CommandStep::Sending));
    assert_eq!(state(&run.engine), State::Sending);
    run.at(2.0, ours(CommandStep::Sent));
    run.at(3.0, theirs(CommandStep::Accepted));
    run.at(4.0, theirs(CommandStep::Done { read_back: Vec::new() }));
    assert_eq!(state(&run.engine), State::Done);
    assert_eq!(counted(&run), ["command-duplicate", "command-not-to-be-sent"]);
}

#[test]
fn only_the_platform_sends_and_only_the_device_answers() {
    let mut run = asked(ReadBack::None);
    run.at(2.0, step_by("mallory", CommandStep::Sending));
    assert_eq!(state(&run.engine), State::Requested);
    run.at(2.0, ours(CommandStep::Sending));
    for name in ["mallory", "system", "x"] {
        run.at(3.0, step_by(name, CommandStep::Done { read_back: Vec::new() }));
    }
    assert_eq!(state(&run.engine), State::Sending);
    assert_eq!(counted(&run), ["command-step-of-another"; 4]);
}

#[test]
fn a_device_that_left_the_patient_gets_nothing() {
    for (what, event) in [
        ("another", associate("m", "b", None)),
        ("nobody", act(Action::Disassociate { device: device("m"), at: None })),
    ] {
        let mut run = asked(ReadBack::None);
        run.at(2.0, event);
        run.at(2.0, ours(CommandStep::Sending));
        assert_eq!(state(&run.engine), State::Refused, "{what}");
    }
    let mut run = asked(ReadBack::None);
    run.at(2.0, associate("m", "b", None));
    run.at(2.5, Event::Tick);
    assert_eq!(state(&run.engine), State::Refused, "seen before anybody tries to send it");
    let mut run = Run::new();
    run.at(0.0, associate("m", "b", None));
    run.at(1.0, act(Action::Command(Box::new(order(ReadBack::None)))));
    assert_eq!(state(&run.engine), State::Refused, "refused at once");
}

#[test]
fn time_ends_what_nobody_could_send_and_what_nobody_answered() {
    let mut run = asked(ReadBack::None);
    run.at(59.5, Event::Tick);
    assert_eq!(state(&run.engine), State::Requested);
    run.at(60.0, Event::Tick);
    assert_eq!(state(&run.engine), State::Expired);
    let mut run = asked(ReadBack::None);
    run.at(60.0, ours(CommandStep::Sending));
    assert_eq!(state(&run.engine), State::Expired, "in the moment of sending, too");
    let mut run = asked(ReadBack::None);
    run.at(2.0, ours(CommandStep::Sending));
    run.at(33.0, Event::Tick);
    assert_eq!(state(&run.engine), State::Unknown);
}

#[test]
fn what_is_measured_afterwards_reads_back() {
    let mut run = asked(ReadBack::Metric(HEART_RATE, "rate".into()));
    run.at(1.5, says("m", 1.5, &[(HEART_RATE, 70.0)]));
    run.at(2.0, ours(CommandStep::Sending));
    run.at(3.0, theirs(CommandStep::Done { read_back: Vec::new() }));
    assert_eq!(state(&run.engine), State::Accepted, "said, not shown");
    run.at(4.0, says("m", 4.0, &[(HEART_RATE, 75.0)]));
    assert_eq!(state(&run.engine), State::Accepted);
    run.at(5.0, says("m", 5.0, &[(HEART_RATE, 70.0)]));
    assert_eq!(state(&run.engine), State::Done);
}

#[test]
fn en_1_a_restart_in_any_moment_changes_nothing() {
    let script: Vec<(f64, Event)> = vec![
        (0.0, associate("m", "a", None)),
        (1.0, act(Action::Command(Box::new(order(ReadBack::Answer))))),
        (1.5, Event::Tick),
        (2.0, ours(CommandStep::Sending)),
        (2.0, ours(CommandStep::Sent)),
        (3.0, theirs(CommandStep::Accepted)),
        (4.0, theirs(CommandStep::Done { read_back: Vec::new() })),
        (5.0, Event::Tick),
        (40.0, Event::Tick),
    ];
    let mut whole = Run::new();
    for (second, event) in &script {
        whole.at(*second, event.clone());
    }
    assert_eq!(state(&whole.engine), State::Unknown);
    for cut in 0..script.len() {
        let mut run = Run::new();
        for (at, (second, event)) in script.iter().enumerate() {
            run.at(*second, event.clone());
            if at == cut {
                let parts = run.engine.whole_state();
                run.engine = Engine::new(alert::Policy::built_in());
                run.engine.restore(parts).expect("a state of this version");
            }
        }
        assert_eq!(run.engine.command(&id()), whole.engine.command(&id()), "cut after {cut}");
    }
}

#[test]
fn an_erased_patient_leaves_no_command() {
    let mut run = asked(ReadBack::None);
    run.at(2.0, act(Action::Erase { patient: patient("a"), reason: "asked".into() }));
    assert!(run.engine.command(&id()).is_none());
    let parts = run.engine.snapshot();
    let gone = parts.iter().find(|(name, _)| name == "command/c-1").expect("the part is taken back");
    assert!(gone.1.bytes().is_empty());
}
