//! ADT messages in, directory events out.

use vitals::{Bed, Content, DirectoryEvent, Message, Movement, PatientId, ReceiveTime};
use wire_hl7::{Options, read};

fn message(trigger: &str, segments: &str) -> Message {
    let text = format!(
        "MSH|^~\\&|ADT|H|VW|H|20260101120000||ADT^{trigger}|1|P|2.5\rEVN|{trigger}|20260101115900\r{segments}"
    );
    let mut received = read(text.as_bytes(), ReceiveTime(0), &Options::default());
    received.messages.remove(0).message
}

fn events(message: &Message) -> Vec<&DirectoryEvent> {
    message
        .content
        .iter()
        .map(|content| match content {
            Content::Directory(event) => event,
            Content::Reading(_) | Content::Alarm(_) => panic!("no directory event in an ADT message"),
        })
        .collect()
}

const PID: &str = "PID|1||4711^^^HOSP^MR~9^^^SSA^SS||Doe^Jane^Q||19500517|F\r";

#[test]
fn each_movement() {
    for (trigger, movement) in [
        ("A01", Movement::Admit),
        ("A02", Movement::Transfer),
        ("A03", Movement::Discharge),
        ("A04", Movement::Register),
        ("A08", Movement::Update),
        ("A11", Movement::CancelAdmit),
        ("A12", Movement::CancelTransfer),
        ("A13", Movement::CancelDischarge),
    ] {
        let visit = "|".repeat(13);
        let message = message(trigger, &format!("{PID}PV1|1|I|ICU^2^23|||ER^1^4{visit}V77\r"));
        assert!(message.problems.is_empty(), "{trigger}: {:?}", message.problems);
        let [DirectoryEvent::Movement(found)] = events(&message)[..] else { panic!("{trigger}") };
        assert_eq!(found.movement, movement);
        assert_eq!(found.patient.id, PatientId::from_identifier("HOSP", "4711"));
        assert_eq!(found.patient.birth_date.as_deref(), Some("1950-05-17"));
        let bed = |unit: &str, room: &str, bed: &str| Bed {
            unit: unit.into(),
            room: room.into(),
            bed: bed.into(),
        };
        assert_eq!(found.location, Some(bed("ICU", "2", "23")));
        assert_eq!(found.prior_location, Some(bed("ER", "1", "4")));
        assert_eq!(found.class, "IMP");
        assert!(found.encounter.is_some());
        assert_eq!(found.at.map(|t| t.millis()), Some(1_767_268_740_000), "EVN-2");
    }
}

#[test]
fn when_it_happened() {
    let at = |trigger: &str, evn6: &str, pv1_44: &str, pv1_45: &str| {
        let text = format!(
            "MSH|^~\\&|A|H|V|H|20260101120000||ADT^{trigger}|1|P|2.5\rEVN||20260101115900||||{evn6}\r{PID}PV1|1|I|U^1^2{}{pv1_44}|{pv1_45}\r",
            "|".repeat(41)
        );
        let message =
            read(text.as_bytes(), ReceiveTime(0), &Options::default()).messages.remove(0).message;
        let [DirectoryEvent::Movement(found)] = events(&message)[..] else { panic!("{trigger}") };
        found.at.map(|t| (t.millis() - 1_767_268_800_000) / 60_000)
    };
    assert_eq!(at("A01", "202601011130", "202601011100", ""), Some(-30));
    assert_eq!(at("A01", "", "202601011100", "202601011230"), Some(-60));
    assert_eq!(at("A03", "", "202601011100", "202601011230"), Some(30));
    assert_eq!(at("A08", "", "202601011100", ""), Some(-1));
    assert_eq!(at("A01", "nonsense", "", ""), Some(-1));
}

#[test]
fn merges() {
    let found = message("A40", &format!("{PID}MRG|4712^^^HOSP^MR\r"));
    let survivor = PatientId::from_identifier("HOSP", "4711");
    let retired = PatientId::from_identifier("HOSP", "4712");
    let events = events(&found);
    assert!(matches!(events[0], DirectoryEvent::Patient(p) if p.id == survivor));
    assert_eq!(events[1], &DirectoryEvent::Merge { survivor, retired });
    assert!(message("A40", PID).problems[0].path == "MRG");
    assert!(message("A40", "").problems[0].path == "PID");
    assert!(message("A40", &format!("MRG|4712\r{PID}")).problems[0].path == "PID");
    assert!(message("A40", &format!("{PID}MRG|\r")).problems[0].path == "MRG-1");
    assert!(message("A40", &format!("{PID}MRG|4711^^^HOSP^MR\r")).problems[0].path == "MRG-1");
}

#[test]
fn what_is_missing_is_named() {
    for (trigger, segments, path) in [
        ("A01", "", "PID"),
        ("A01", "PID|1||\r", "PID-3"),
        ("A02", PID, "PV1"),
        ("A02", "PID|||1\rPV1||I|\r", "PV1-3"),
    ] {
        let message = message(trigger, segments);
        assert!(message.content.is_empty());
        assert_eq!(message.problems[0].path, path);
    }
    assert!(message("A01", PID).problems.is_empty(), "an admission without a bed is possible");
}
