//! Which device may go on whom, by table.

use proptest::prelude::*;
use vitals::{DeviceId, HumanName, Identifier, MetricCode, Patient, PatientId};

use super::{Conflict, Said, Situation, conflicts, read_wristband};

fn patient() -> Patient {
    let mut patient = Patient::unknown(PatientId::from_identifier("urn:mrn", "4711"));
    patient.name = HumanName { family: "Müller".into(), given: "Ada".into() };
    patient.birth_date = Some("1950-02-03".into());
    let (system, value, kind) = ("urn:mrn".into(), "4711".into(), "MR".into());
    patient.identifiers.push(Identifier { system, value, kind });
    patient
}

fn said(family: &str, birth: &str, number: &str) -> Said {
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Said { family: text(family), birth_date: text(birth), number: text(number) }
}

#[test]
fn two_identifiers_must_agree_and_none_contradict() {
    for (family, birth, number, holds) in [
        ("müller ", "1950-02-03", "", true),
        ("", "1950-02-03", "4711", true),
        ("Müller", "1950-02-03", "4711", true),
        ("Müller", "", "", false),
        ("", "", "4711", false),
        ("", "", "", false),
        ("Müller", "1950-02-04", "4711", false),
        ("Maier", "1950-02-03", "4711", false),
        ("Müller", "1950-02-03", "4712", false),
    ] {
        let agreement = said(family, birth, number).against(&patient());
        assert_eq!(agreement.holds(), holds, "{family} {birth} {number}: {}", agreement.why());
    }
    let mut nameless = patient();
    nameless.name.family.clear();
    let agreement = said("Müller", "1950-02-03", "").against(&nameless);
    assert!(!agreement.holds() && agreement.why().contains("the record lacks the family name"));
}

#[test]
fn wristbands_of_both_kinds() {
    for (text, expected) in [
        ("(8018)950110153000000014(8019)2", "950110153000000014 2"),
        ("]d28018950110153000000014", "950110153000000014 -"),
        ("]C18018950110153000000014\u{1d}801912", "950110153000000014 12"),
        (" MRN-4711 ", "MRN-4711 -"),
        ("80184711", "80184711 -"),
        ("(8018)950110153000000011", "Check"),
        ("(8018)95011015300000001", "Form"),
        ("(8018)950110153000000014x", "Form"),
        ("(01)00643169001763(21)X", "Thing"),
        ("0100643169001763", "Thing"),
        ("", "Form"),
        ("a\nb", "Form"),
    ] {
        let told = match read_wristband(text) {
            Ok(band) => format!("{} {}", band.number, band.instance.unwrap_or_else(|| "-".into())),
            Err(error) => format!("{error:?}"),
        };
        assert_eq!(told, expected, "{text}");
    }
}

#[test]
fn what_stands_in_the_way_is_said() {
    let (device, other) = (DeviceId::new("m1").expect("valid"), DeviceId::new("m2").expect("valid"));
    let whom = patient();
    let elsewhere = PatientId::from_identifier("urn:mrn", "9");
    let right = said("Müller", "1950-02-03", "");
    let wrong = said("Müller", "1951-02-03", "");
    let dead = Patient { deceased: true, ..patient() };
    let (pump, monitor) = (Some(MetricCode(1)), Some(MetricCode(2)));
    let plain = Situation {
        device: &device,
        kind: monitor,
        on: None,
        mounted_elsewhere: false,
        expires: None,
        today: "2026-01-02",
        patient: Some(&whom),
        present: true,
        others: &[],
        said: &right,
        order: None,
    };
    let (same, different, nameless) =
        ([(other.clone(), monitor)], [(other.clone(), pump)], [(other.clone(), None)]);
    let itself = [(device.clone(), monitor)];
    for (situation, expected) in [
        (plain.clone(), ""),
        (Situation { patient: None, ..plain.clone() }, "unknown-patient"),
        (Situation { said: &wrong, ..plain.clone() }, "identifiers"),
        (Situation { present: false, ..plain.clone() }, "discharged"),
        (Situation { patient: Some(&dead), ..plain.clone() }, "deceased"),
        (Situation { on: Some(&elsewhere), ..plain.clone() }, "on-another"),
        (Situation { on: Some(&whom.id), ..plain.clone() }, ""),
        (Situation { others: &same, ..plain.clone() }, "same-kind"),
        (Situation { others: &different, ..plain.clone() }, ""),
        (Situation { others: &nameless, ..plain.clone() }, ""),
        (Situation { others: &itself, ..plain.clone() }, ""),
        (Situation { mounted_elsewhere: true, ..plain.clone() }, "other-bed"),
        (Situation { expires: Some("2026-01-01"), ..plain.clone() }, "expired"),
        (Situation { expires: Some("2026-01-02"), ..plain.clone() }, ""),
        (Situation { order: Some(("m1", &whom.id)), ..plain.clone() }, ""),
        (Situation { order: Some(("m2", &whom.id)), ..plain.clone() }, "order"),
        (Situation { order: Some(("m1", &elsewhere)), ..plain.clone() }, "order"),
        (Situation { said: &wrong, on: Some(&elsewhere), ..plain.clone() }, "identifiers on-another"),
    ] {
        let found: Vec<&str> = conflicts(&situation).into_iter().map(Conflict::name).collect();
        assert_eq!(found.join(" "), expected);
    }
}

proptest! {
    #[test]
    fn any_text_is_survived(text in "(\\(8018\\)|8018|\\])?[ -~\u{1d}ü]{0,40}") {
        let _ = read_wristband(&text);
    }
}
