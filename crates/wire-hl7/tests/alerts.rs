//! ORU^R40 (IHE PCD-04): what alerts of devices mean; our own as they go out; ORA^R41 (PCD-05).
//! The messages are our own, after the structure that the profile publishes.

use vitals::{
    AlarmKind, AlarmPriority, AlarmSignal, AlarmState, Bed, Content, DeviceAlarm, DeviceTime, Patient,
    ReceiveTime,
};
use wire_hl7::build::Envelope;
use wire_hl7::report::{Phase, Report, report};
use wire_hl7::{Inbound, Kept, Options, Response, read};

const MSH: &str = "MSH|^~\\&|MON^0012210000000001^EUI-64|ICU|VW|HOSP|20260101120000+0000||ORU^R40^ORU_R40|7|P|2.6|||AL|NE|||||IHE_PCD_ACM_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.4.1^ISO";
const LOW_SPO2: &str = include_str!("data/pcd04-low-spo2.hl7");
const OCCLUSION: &str = include_str!("data/pcd04-occlusion.hl7");

fn one(text: &str) -> Inbound {
    let mut received = read(text.as_bytes(), ReceiveTime(0), &Options::default());
    assert_eq!(received.messages.len(), 1, "{text}");
    received.messages.remove(0)
}

fn alarms(inbound: &Inbound) -> Vec<&DeviceAlarm> {
    let alarms = inbound.message.content.iter().filter_map(|content| match content {
        Content::Alarm(alarm) => Some(alarm),
        _ => None,
    });
    alarms.collect()
}

/// One line an alarm: device, id, kind, priority, state, signal, code, text, source.
fn lines(inbound: &Inbound) -> Vec<String> {
    let line = |a: &&DeviceAlarm| {
        let code = a.code.map_or_else(String::new, |code| code.0.to_string());
        let source = a.source.map_or_else(String::new, |source| source.refid());
        format!(
            "{} {} {} {:?} {:?} {:?} {code} '{}' {source}",
            a.device, a.id, a.kind.name(), a.priority, a.state, a.signal, a.text
        )
    };
    alarms(inbound).iter().map(line).collect()
}

fn problems(inbound: &Inbound) -> Vec<String> {
    inbound.message.problems.iter().map(|p| format!("{} {}", p.path, p.kind.name())).collect()
}

#[test]
fn a_limit_alarm_with_its_value() {
    let inbound = one(&LOW_SPO2.replace('\n', "\r"));
    assert_eq!(problems(&inbound), Vec::<String>::new());
    assert_eq!(
        lines(&inbound),
        ["MON7 A-17 physiological Medium Active On 196670 'Low SpO2' MDC_PULS_OXIM_SAT_O2"]
    );
    let alarm = alarms(&inbound)[0];
    assert_eq!(alarm.patient.as_ref().map(|p| p.identifiers[0].value.as_str()), Some("4711"));
    assert!(alarm.device_time.is_some());
    let readings: Vec<_> = inbound.message.readings().map(|(_, r, m)| (r.device.to_string(), m.metric.refid())).collect();
    assert_eq!(readings, [("MON7".to_owned(), "MDC_PULS_OXIM_SAT_O2".to_owned())]);
    assert_eq!(inbound.message.origin.profile, "ihe-pcd-04");
}

#[test]
fn a_pump_s_alarm_without_a_value() {
    let inbound = one(&OCCLUSION.replace('\n', "\r"));
    assert_eq!(problems(&inbound), Vec::<String>::new());
    assert_eq!(lines(&inbound), ["P6013 E0001 technical High Active AudioPaused 196940 'Occlusion' "]);
}

/// Rows behind an OBR of alert 9 of device M.
fn with(rows: &str) -> Inbound {
    one(&format!(
        "{MSH}\rPID|||4711\rOBR|1|2^MON|9^MON|196616^MDC_EVT_ALARM^MDC|||20260101120000+0000\r{}",
        rows.replace('\n', "\r")
    ))
}

const EVENT: &str = "OBX|1|CWE|196616^MDC_EVT_ALARM^MDC|1.0.0.0.1|196648^MDC_EVT_HI^MDC|||PH~SP|||F|||||||M";

#[test]
fn phases_and_states() {
    let row = |number: u32, value: &str| {
        if value.is_empty() { String::new() } else { format!("\nOBX|{number}|ST|{number}^^MDC|1.0.0.0.3|{value}||||||F") }
    };
    for (phase, state, expected, problems_expected) in [
        ("start", "active", "Active", 0),
        ("continue", "active", "Active", 0),
        ("escalate", "active", "Active", 0),
        ("deescalate", "active", "Active", 0),
        ("update", "latched", "Latched", 0),
        ("end", "inactive", "Inactive", 0),
        ("end", "latched", "Latched", 0),
        ("reset", "", "Inactive", 0),
        ("start", "", "Active", 0),
        ("", "inactive", "Inactive", 0),
        ("end", "active", "Active", 1),
        ("begin", "", "Active", 1),
        ("start", "on", "Active", 1),
        ("", "", "", 2),
    ] {
        let inbound = with(&format!("{EVENT}{}{}", row(68_481, phase), row(68_482, state)));
        let found: Vec<String> = alarms(&inbound).iter().map(|a| format!("{:?}", a.state)).collect();
        assert_eq!(found.join(" "), expected, "{phase} {state}");
        assert_eq!(inbound.message.problems.len(), problems_expected, "{phase} {state}: {:?}", problems(&inbound));
    }
    let moment = with(&format!("{EVENT}{}", row(68_481, "tpoint")));
    let states: Vec<AlarmState> = alarms(&moment).iter().map(|a| a.state).collect();
    assert_eq!(states, [AlarmState::Active, AlarmState::Inactive]);
}

#[test]
fn what_is_told_of_an_alarm_in_other_places() {
    let inbound = with(
        "OBX|1|CWE|196616^MDC_EVT_ALARM^MDC|1.0.0.0.1|196648^MDC_EVT_HI^MDC||||||F\n\
         OBX|2|NM|147842^MDC_ECG_HEART_RATE^MDC|1.0.0.0.2|151|264864^MDC_DIM_BEAT_PER_MIN^MDC|50-120|||||F\n\
         OBX|3|ST|68481^MDC_ATTR_EVENT_PHASE^MDC|1.0.0.0.3|start||||||F\n\
         OBX|4|ST|68483^MDC_ATTR_ALARM_INACTIVATION_STATE^MDC|1.0.0.0.5|audio-off~alert-acknowledged||||||F\n\
         OBX|5|ST|68484^MDC_ATTR_ALARM_PRIORITY^MDC|1.0.0.0.6|PL||||||F\n\
         OBX|6|ST|^MDC_ATTR_ALERT_TYPE^MDC|1.0.0.0.7|SA||||||F",
    );
    assert_eq!(
        lines(&inbound),
        ["MON-p-b5db58d2b77682f3 9 advisory Low Active Acknowledged 196648 'HR high' MDC_ECG_HEART_RATE"
            .replace("p-b5db58d2b77682f3", alarms(&inbound)[0].patient.as_ref().map_or("", |p| p.id.as_str()))]
    );
    let update = one(&format!(
        "{MSH}\rOBR|1||12^MON|196616^MDC_EVT_ALARM^MDC{}^9&MON\r{EVENT}\rOBX|2|ST|68482^MDC_ATTR_ALARM_STATE^MDC|1.0.0.0.4|inactive",
        "|".repeat(25)
    ));
    assert_eq!(alarms(&update)[0].id, "9", "an update names its parent");
}

#[test]
fn what_is_no_alert_goes_to_quarantine() {
    let nothing = with("OBX|1|NM|147842^MDC_ECG_HEART_RATE^MDC|1.0.0.0.2|151||||||F");
    assert_eq!(alarms(&nothing).len(), 0);
    assert!(problems(&nothing).contains(&"OBR[1]-4 missing".to_owned()), "{:?}", problems(&nothing));
    let empty = one(MSH);
    assert!(empty.message.content.is_empty());
    let answer = String::from_utf8(empty.reply.encode(Kept::Durable, ReceiveTime(0)).expect("one")).expect("text");
    assert!(answer.contains("MSA|CE|7") && answer.contains("ACK^R40^ACK"), "{answer}");
    let application = one(&format!("{}\r", MSH.replace("|AL|NE|", "|NE|AL|")));
    let answer = application.reply.encode(Kept::Durable, ReceiveTime(0)).expect("one");
    let answer = String::from_utf8(answer).expect("text");
    assert!(answer.contains("MSA|AE|7") && answer.contains("ORA^R41^ORA_R41"), "{answer}");
}

#[test]
fn our_alert_reads_back_as_it_was() {
    let mut patient = Patient::unknown(vitals::PatientId::from_identifier("HOSP", "4711"));
    patient.identifiers = vec![vitals::Identifier { system: "HOSP".into(), value: "4711".into(), kind: "MR".into() }];
    let bed = Bed { unit: "4|West".into(), room: "401".into(), bed: "A".into() };
    for (phase, state, signal) in [
        (Phase::Start, AlarmState::Active, AlarmSignal::On),
        (Phase::Continue, AlarmState::Active, AlarmSignal::Acknowledged),
        (Phase::Escalate, AlarmState::Active, AlarmSignal::On),
        (Phase::End, AlarmState::Inactive, AlarmSignal::On),
    ] {
        let text = report(
            &Envelope::new("VITALWIRE", "e5-0.9", DeviceTime(1_767_268_800_000_000)),
            &Report {
                id: "e5-0",
                phase,
                state,
                signal,
                priority: AlarmPriority::High,
                kind: AlarmKind::Physiological,
                text: "Early-warning score high & rising",
                reason: "NEWS2 9\nHR 131 /min",
                patient: Some(&patient),
                bed: Some(&bed),
                device: "vitalwire",
                at: DeviceTime(1_767_268_800_000_000),
            },
        );
        let inbound = one(&text);
        assert_eq!(problems(&inbound), Vec::<String>::new(), "{text}");
        assert_eq!(
            lines(&inbound),
            [format!("vitalwire e5-0 physiological High {state:?} {signal:?} 196616 'Early-warning score high & rising' ")]
        );
        assert_eq!(alarms(&inbound)[0].device_time, Some(DeviceTime(1_767_268_800_000_000)));
    }
}

#[test]
fn what_became_of_our_alert() {
    let msh = "MSH|^~\\&|AM|HOSP|VITALWIRE||20260101120010+0000||ORA^R41^ORA_R41|88|P|2.6|||AL|NE";
    let check = |rest: &str, expected: Option<(&str, Response, &str)>| {
        let inbound = one(&format!("{msh}\r{}", rest.replace('\n', "\r")));
        let found = inbound.status.as_ref().map(|s| (s.episode.to_string(), s.response, s.who.clone()));
        let expected = expected.map(|(id, response, who)| (id.to_owned(), response, who.to_owned()));
        assert_eq!(found, expected, "{rest}");
        assert_eq!(problems(&inbound).is_empty(), expected.is_some(), "{rest}");
    };
    check("MSA|AA|e5-0.9", Some(("e5-0", Response::Delivered, "")));
    check("MSA|AE|e5-0.9", Some(("e5-0", Response::Undeliverable, "")));
    check(
        "MSA|AA|e5-0.9\nPRT|1|AD|Accepted|AAP^Alert Acknowledging Provider^HL70912|n17^Muster^Kim",
        Some(("e5-0", Response::Accepted, "n17")),
    );
    check(
        "OBR|1||e12-3^VITALWIRE\nOBX|1|ST|x^^L||Rejected||||||F\nPRT|1|AD||AAP|^Muster^Kim",
        Some(("e12-3", Response::Rejected, "Muster Kim")),
    );
    check("MSA|AA|e5-0.9\nOBX|1|ST|x^^L||CallbackStart||||||F", Some(("e5-0", Response::CallBack, "")));
    check("MSA|AA|e5-0.9\nOBX|1|ST|x||Read\nOBX|2|ST|x||AcceptedPositive", Some(("e5-0", Response::Accepted, "")));
    check("MSA|AA|17", None);
    check("OBR|1||e5-0", None);
    check("", None);
}
