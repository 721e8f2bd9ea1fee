//! Consents in and out: what can be enforced is read whole, what can't is refused with its place.

use serde_json::{Value as Json, json};
use wire_fhir::consent::{Actor, Consent, Rule, read, write};
use wire_fhir::{care_team, parse};

fn consent(provision: Json) -> Json {
    json!({
        "resourceType": "Consent",
        "status": "active",
        "scope": {"coding": [{"code": "patient-privacy"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": "Patient/p-1"},
        "policyRule": {"coding": [{"code": "OPTIN"}]},
        "provision": provision,
    })
}

/// Validates and reads; the paths of what is wrong.
fn check(json: &Json) -> Result<Consent, Vec<String>> {
    let paths = |issues: Vec<wire_fhir::Issue>| issues.into_iter().map(|issue| issue.path).collect::<Vec<_>>();
    let valid = parse(json.to_string().as_bytes()).map_err(paths)?;
    read(&valid).map_err(paths)
}

#[test]
fn a_consent_with_exceptions_is_read() {
    let json = consent(json!({
        "period": {"start": "2026-01-01", "end": "2026-12-31"},
        "provision": [{
            "type": "deny",
            "class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Observation"}],
            "actor": [{"role": {"text": "to"}, "reference": {"reference": "Practitioner/paul"}}],
            "purpose": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "TREAT"}],
            "provision": [{
                "type": "permit",
                "class": [{"system": "urn:vitalwire:data-category", "code": "waveforms"}],
                "actor": [{"role": {"text": "to"}, "reference": {"reference": "CareTeam/t"}}],
            }],
        }],
    }));
    let read = check(&json).expect("can be enforced");
    assert_eq!(read.patient, "p-1");
    assert!(read.rule.permit);
    let (from, until) = read.rule.period;
    assert_eq!(until.zip(from).map(|(until, from)| until - from), Some(365 * 86_400_000_000));
    let deny = &read.rule.exceptions[0];
    assert_eq!(deny.categories, ["vital-signs", "waveforms"]);
    assert_eq!(deny.actors, [Actor::Account("paul".to_owned())]);
    assert_eq!(deny.exceptions[0].actors, [Actor::CareTeam]);
}

#[test]
fn what_cannot_be_enforced_is_refused_with_its_place() {
    let base = "Consent.provision";
    for (provision, path) in [
        (json!({"securityLabel": [{"code": "R"}]}), format!("{base}.securityLabel")),
        (json!({"data": [{"meaning": "instance", "reference": {"reference": "Observation/1"}}]}), format!("{base}.data")),
        (json!({"class": [{"system": "urn:other", "code": "x"}]}), format!("{base}.class[0]")),
        (json!({"code": [{"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}]}), format!("{base}.code[0]")),
        (json!({"action": [{"coding": [{"code": "correct"}]}]}), format!("{base}.action[0]")),
        (json!({"actor": [{"role": {"text": "x"}, "reference": {"reference": "Group/1"}}]}), format!("{base}.actor[0].reference")),
        (json!({"provision": [{"period": {"start": "2026"}}]}), format!("{base}.provision[0].type")),
        (json!({"type": "maybe"}), format!("{base}.type")),
    ] {
        assert_eq!(check(&consent(provision)).expect_err("refused"), [path]);
    }
    let mut json = consent(json!({"period": {"start": "2026"}}));
    json["policyRule"] = json!({"text": "as we said"});
    assert_eq!(check(&json).expect_err("no stance"), ["Consent.provision.type"]);
    json["patient"] = json!({"display": "somebody"});
    assert!(check(&json).is_err());
}

#[test]
fn a_rule_about_what_the_platform_does_not_have_never_applies() {
    let class = json!([{"system": "http://hl7.org/fhir/resource-types", "code": "MedicationRequest"}]);
    let read = check(&consent(json!({"provision": [{"type": "deny", "class": class}]}))).expect("understood");
    assert!(read.rule.exceptions[0].nothing);
}

#[test]
fn what_a_form_makes_is_read_again() {
    let exception = Rule {
        actors: vec![Actor::Role("pharmacist".to_owned()), Actor::Unit("ICU 1".to_owned()), Actor::CareTeam],
        categories: vec!["alerts".to_owned(), "waveforms".to_owned()],
        purposes: vec!["TREAT".to_owned()],
        period: (Some(1_700_000_000_000_000), Some(1_800_000_000_000_000)),
        ..Rule::default()
    };
    let rule = Rule { permit: true, exceptions: vec![exception], ..Rule::default() };
    let consent = Consent { patient: "p-1".to_owned(), status: "active".to_owned(), rule };
    let json = write(&consent, "c-1", "2026-01-01T00:00:00Z", false);
    assert_eq!(check(&json).expect("valid"), consent);
}

#[test]
fn members_of_a_care_team_have_names_roles_and_times() {
    let json = json!({
        "resourceType": "CareTeam",
        "status": "active",
        "subject": {"reference": "Patient/p-1"},
        "period": {"start": "2026-01-01"},
        "participant": [
            {"role": [{"text": "primary nurse"}], "member": {"reference": "Practitioner/nora", "display": "Nora N."}},
            {"member": {"identifier": {"system": "urn:vitalwire:account", "value": "paul"}},
             "period": {"end": "2026-02-01"}},
            {"member": {"reference": "RelatedPerson/r-1"}},
        ],
    });
    let team = care_team::read(&parse(json.to_string().as_bytes()).expect("valid")).expect("read");
    assert_eq!(team.members.len(), 2);
    assert_eq!(team.members[0].names, ["nora", "Nora N."]);
    assert_eq!(team.members[0].role, "primary nurse");
    assert!(team.members[1].period.0.is_some() && team.members[1].period.1.is_some());
}
