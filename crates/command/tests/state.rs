//! What becomes of commands, whatever happens in whatever order.

use command::{Command, Event, Outcome, State};
use proptest::prelude::*;
use vitals::{
    CommandClass, CommandId, CommandOrder, CommandParameter, CommandValue, DeviceId, MetricCode, PatientId,
    ReadBack, ReceiveTime,
};

const EXPIRES: i64 = 1_000;
const ANSWER: i64 = 500;

fn patient(name: &str) -> PatientId {
    PatientId::from_identifier("urn:x", name)
}

fn order(two_person: bool, read_back: ReadBack) -> CommandOrder {
    CommandOrder {
        id: CommandId::new("c-1").expect("valid"),
        device: DeviceId::new("pump").expect("valid"),
        patient: patient("a"),
        name: "set-rate".into(),
        class: CommandClass::Therapy,
        parameters: vec![CommandParameter {
            name: "rate".into(),
            value: CommandValue::Number(5.0),
            unit: "mL/h".into(),
        }],
        two_person,
        expires: ReceiveTime(EXPIRES),
        answer_us: ANSWER,
        read_back,
    }
}

/// What a script of words leads to: the states passed through, joined.
fn play(two_person: bool, read_back: ReadBack, script: &str) -> String {
    let mut command = Command::new(order(two_person, read_back), "nora", ReceiveTime(0));
    let (a, b) = (patient("a"), patient("b"));
    let (five, six) = (
        [("rate".to_owned(), CommandValue::Number(5.000_000_1))],
        [("rate".to_owned(), CommandValue::Number(6.0))],
    );
    for word in script.split_whitespace() {
        let (word, at) = word.split_once('@').map_or((word, 1), |(w, at)| (w, at.parse().expect("a time")));
        let event = match word {
            "confirm" => Event::Confirm("otto"),
            "self-confirm" => Event::Confirm("nora"),
            "cancel" => Event::Cancel("nora", "not needed"),
            "send" => Event::Sending(Some(&a)),
            "send-b" => Event::Sending(Some(&b)),
            "send-none" => Event::Sending(None),
            "sent" => Event::Sent,
            "not-sent" => Event::NotSent("no route"),
            "lost" => Event::Lost,
            "accepted" => Event::Accepted,
            "done" => Event::Done(&[]),
            "done-5" => Event::Done(&five),
            "done-6" => Event::Done(&six),
            "failed" => Event::Failed("door open"),
            "five" => Event::Measured(5.0),
            "six" => Event::Measured(6.0),
            "tick" => Event::Tick(Some(&a)),
            "tick-b" => Event::Tick(Some(&b)),
            other => panic!("no such word {other}"),
        };
        command.step(&event, ReceiveTime(at));
    }
    command.history.iter().map(|line| line.state.name()).collect::<Vec<_>>().join(" ")
}

#[test]
fn each_way_ends_in_a_state_that_says_so() {
    use ReadBack::{Answer, None as Word};
    let metric = || ReadBack::Metric(MetricCode(1), "rate".into());
    for (two, read_back, script, expected) in [
        (false, Word, "send sent accepted done", "requested sending sent accepted done"),
        (false, Word, "send done sent", "requested sending done"),
        (true, Word, "send", "awaiting"),
        (true, Word, "self-confirm send", "awaiting"),
        (true, Word, "confirm send sent", "awaiting requested sending sent"),
        (true, Word, "confirm@1000 send", "awaiting expired"),
        (false, Word, "send-b send", "requested refused"),
        (false, Word, "send-none send", "requested refused"),
        (false, Word, "tick-b send", "requested refused"),
        (false, Word, "tick@999 tick@1000 send@1001", "requested expired"),
        (false, Word, "send@1000", "requested expired"),
        (false, Word, "cancel send", "requested cancelled"),
        (false, Word, "send cancel sent", "requested sending sent"),
        (false, Word, "send not-sent send", "requested sending failed"),
        (false, Word, "send lost send done", "requested sending unknown done"),
        (false, Word, "send lost accepted tick@9000", "requested sending unknown"),
        (false, Word, "send sent send tick@500 tick@501", "requested sending sent unknown"),
        (false, Word, "send sent tick-b done", "requested sending sent done"),
        (false, Word, "send sent failed done", "requested sending sent failed"),
        (false, Word, "done", "requested"),
        (false, Answer, "send sent done-5", "requested sending sent done"),
        (false, Answer, "send sent done-6", "requested sending sent failed"),
        (false, Answer, "send sent done done tick@501", "requested sending sent accepted unknown"),
        (false, Answer, "send sent done done-5", "requested sending sent accepted done"),
        (false, Word, "send sent done-6", "requested sending sent failed"),
        (false, metric(), "send sent five done six five", "requested sending sent accepted done"),
        (false, metric(), "send sent done six tick@501 five", "requested sending sent accepted unknown done"),
    ] {
        assert_eq!(play(two, read_back, script), expected, "{script}");
    }
}

fn any_event() -> impl Strategy<Value = (u8, i64)> {
    (0_u8..17, 0_i64..120)
}

proptest! {
    #[test]
    fn co_1_nothing_is_sent_twice_late_or_to_another(
        two in any::<bool>(), how in 0_u8..3, events in proptest::collection::vec(any_event(), 0..60)
    ) {
        let read_back = match how {
            0 => ReadBack::None,
            1 => ReadBack::Answer,
            _ => ReadBack::Metric(MetricCode(1), "rate".into()),
        };
        let mut command = Command::new(order(two, read_back), "nora", ReceiveTime(0));
        let (a, b) = (patient("a"), patient("b"));
        let five = [("rate".to_owned(), CommandValue::Number(5.0))];
        let (mut now, mut sends) = (0, 0);
        for (which, later) in events {
            now += later;
            let event = match which {
                0 => Event::Confirm("otto"),
                1 => Event::Confirm("nora"),
                2 => Event::Cancel("nora", ""),
                3 | 4 => Event::Sending(Some(&a)),
                5 => Event::Sending(Some(&b)),
                6 => Event::Sending(None),
                7 => Event::Sent,
                8 => Event::NotSent(""),
                9 => Event::Lost,
                10 => Event::Accepted,
                11 => Event::Done(&[]),
                12 => Event::Done(&five),
                13 => Event::Failed(""),
                14 => Event::Measured(5.0),
                15 => Event::Tick(Some(&a)),
                _ => Event::Tick(None),
            };
            let before = command.state;
            let outcome = command.step(&event, ReceiveTime(now));
            if before.is_final() {
                prop_assert_eq!(command.state, before);
                prop_assert_ne!(outcome, Outcome::Changed);
            }
            if command.state == State::Sending && before != State::Sending {
                sends += 1;
                prop_assert!(now < EXPIRES);
                prop_assert!(matches!(event, Event::Sending(Some(on)) if *on == a));
                prop_assert!(!two || command.second.as_deref() == Some("otto"));
            }
            prop_assert!(command.history.len() <= 32);
        }
        prop_assert!(sends <= 1);
        // Time alone settles whatever is left.
        let late = ReceiveTime(now.max(EXPIRES) + ANSWER);
        command.step(&Event::Tick(Some(&a)), late);
        prop_assert!(command.state.is_settled(), "{:?}", command.state);
    }
}
