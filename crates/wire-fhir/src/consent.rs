//! FHIR `Consent` as rules, and rules as a `Consent`. A consent that is to be enforced must be
//! understood whole: whatever narrows a rule in a way that nobody here can check makes the resource
//! refused, with the place and what to write instead. Accounts, roles and units are names here;
//! whether there are such is for others to say.

use serde_json::{Value as Json, json};

use crate::outcome::{Issue, IssueCode};
use crate::{reference, time};

/// Our codes of kinds of data: `demographics`, `vital-signs`, `waveforms`, `alerts`,
/// `device-data`, `documents`.
pub const CATEGORY: &str = "urn:vitalwire:data-category";
/// Identifiers of accounts.
pub const ACCOUNT: &str = "urn:vitalwire:account";
/// Identifiers of roles, by their names here.
pub const ROLE: &str = "urn:vitalwire:role";
/// Identifiers of units, by the names that locations carry.
pub const UNIT: &str = "urn:vitalwire:unit";
/// Purposes (HL7 v3 PurposeOfUse).
pub const PURPOSE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

const RESOURCE_TYPES: &str = "http://hl7.org/fhir/resource-types";
const OBSERVATION_CATEGORY: &str = "http://terminology.hl7.org/CodeSystem/observation-category";
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
const SCOPE: &str = "http://terminology.hl7.org/CodeSystem/consentscope";
const PARTICIPATION: &str = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
/// Rules nested deeper are refused.
const DEPTH_MAX: usize = 8;

/// Whom a rule is about, by the names in the resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// An account.
    Account(String),
    /// Everybody in a role.
    Role(String),
    /// The patient's care team.
    CareTeam,
    /// Everybody who works with a unit.
    Unit(String),
    /// Everybody who works here.
    Organisation,
}

/// From when to when, in microseconds since 1970, the end not included.
pub type Span = (Option<i64>, Option<i64>);

/// One rule with its exceptions, as in `Consent.provision`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rule {
    /// Whether it permits; else it denies.
    pub permit: bool,
    /// When it is in force.
    pub period: Span,
    /// Of which time the data are.
    pub data: Span,
    /// Kinds of data, by our codes; none: all, unless `nothing`.
    pub categories: Vec<String>,
    /// It is about kinds of data that the platform does not have: it never applies.
    pub nothing: bool,
    /// Whom it is about; empty: everybody.
    pub actors: Vec<Actor>,
    /// Codes of v3 PurposeOfUse; empty: every purpose.
    pub purposes: Vec<String>,
    /// What takes the word from it.
    pub exceptions: Vec<Rule>,
}

/// What a `Consent` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Logical id of the patient.
    pub patient: String,
    /// FHIR status; in force while it is `active`.
    pub status: String,
    /// The base rule.
    pub rule: Rule,
}

/// Reads a `Consent` that is valid by the specification's tables.
///
/// # Errors
/// What cannot be enforced, and where.
pub fn read(json: &Json) -> Result<Consent, Vec<Issue>> {
    let mut issues = Vec::new();
    let patient = patient(json, "Consent.patient", &json["patient"]);
    if json.get("policy").is_none() && json.get("policyRule").is_none() {
        let detail = "Either policy or policyRule is there (ppc-1).";
        issues.push(Issue::error(IssueCode::Invariant, "Consent", detail));
    }
    let provision = &json["provision"];
    let stance = match provision["type"].as_str().or_else(|| base_of(&json["policyRule"])) {
        Some(word) => word == "permit",
        None => {
            let detail = "Say what holds without an exception: provision.type, or policyRule with OPTIN or OPTOUT \
                          of v3-ActCode.";
            issues.push(Issue::error(IssueCode::Required, "Consent.provision.type", detail));
            false
        }
    };
    let rule = Reader { issues: &mut issues }.rule(provision, stance, "Consent.provision", 1);
    match patient {
        Ok(patient) if issues.is_empty() => {
            let status = json["status"].as_str().unwrap_or_default().to_owned();
            Ok(Consent { patient, status, rule })
        }
        Ok(_) => Err(issues),
        Err(issue) => {
            issues.push(issue);
            Err(issues)
        }
    }
}

/// The logical id of the patient that a reference names.
pub(crate) fn patient(_json: &Json, path: &str, reference: &Json) -> Result<String, Issue> {
    match reference["reference"].as_str().and_then(reference::parse) {
        Some(reference::Target::Literal { resource_type: "Patient", id, .. }) => Ok(id.to_owned()),
        _ => {
            let detail = "Name the patient by reference: Patient/id.";
            Err(Issue::error(IssueCode::Required, path, detail))
        }
    }
}

fn base_of(policy_rule: &Json) -> Option<&'static str> {
    let mut codes = codings(policy_rule);
    codes.find_map(|(_, code)| match code {
        "OPTIN" | "OPTINR" => Some("permit"),
        "OPTOUT" | "OPTOUTE" => Some("deny"),
        _ => None,
    })
}

/// System and code of each coding of a concept.
fn codings(concept: &Json) -> impl Iterator<Item = (&str, &str)> {
    let list = concept["coding"].as_array().into_iter().flatten();
    list.filter_map(|coding| Some((coding["system"].as_str().unwrap_or_default(), coding["code"].as_str()?)))
}

fn list<'a>(json: &'a Json, name: &str) -> impl Iterator<Item = (usize, &'a Json)> {
    json[name].as_array().into_iter().flatten().enumerate()
}

struct Reader<'a> {
    issues: &'a mut Vec<Issue>,
}

impl Reader<'_> {
    fn refuse(&mut self, path: &str, detail: &str) {
        self.issues.push(Issue::error(IssueCode::NotSupported, path, detail));
    }

    fn rule(&mut self, json: &Json, permit: bool, path: &str, depth: usize) -> Rule {
        if depth > DEPTH_MAX {
            self.refuse(path, "Exceptions are nested 8 deep at most.");
            return Rule::default();
        }
        for name in ["securityLabel", "data"] {
            if json.get(name).is_some() {
                let detail = "This condition can't be enforced here: use class, actor, purpose, period, dataPeriod.";
                self.refuse(&format!("{path}.{name}"), detail);
            }
        }
        self.actions(json, path);
        let mut rule = Rule {
            permit,
            period: self.span(&json["period"], &format!("{path}.period")),
            data: self.span(&json["dataPeriod"], &format!("{path}.dataPeriod")),
            ..Rule::default()
        };
        self.categories(json, path, &mut rule);
        for (index, actor) in list(json, "actor") {
            let at = format!("{path}.actor[{index}].reference");
            match self::actor(&actor["reference"]) {
                Some(actor) => rule.actors.push(actor),
                None => self.refuse(&at, NO_ACTOR),
            }
        }
        for (index, purpose) in list(json, "purpose") {
            match purpose["code"].as_str().filter(|_| purpose["system"].as_str().is_none_or(|s| s == PURPOSE)) {
                Some(code) => rule.purposes.push(code.to_owned()),
                None => self.refuse(&format!("{path}.purpose[{index}]"), "Use a code of v3-ActReason."),
            }
        }
        for (index, nested) in list(json, "provision") {
            let at = format!("{path}.provision[{index}]");
            let permit = match nested["type"].as_str() {
                Some(word) => word == "permit",
                None => {
                    self.issues.push(Issue::error(IssueCode::Required, format!("{at}.type"), "permit or deny."));
                    false
                }
            };
            let exception = self.rule(nested, permit, &at, depth + 1);
            rule.exceptions.push(exception);
        }
        rule
    }

    /// What may be done is told apart no further than seeing: a rule on anything else is refused.
    fn actions(&mut self, json: &Json, path: &str) {
        for (index, action) in list(json, "action") {
            let seeing = codings(action).any(|(_, code)| matches!(code, "access" | "use" | "disclose"));
            if !seeing {
                let detail = "Only rules on access, use and disclosure can be enforced here.";
                self.refuse(&format!("{path}.action[{index}]"), detail);
            }
        }
    }

    fn categories(&mut self, json: &Json, path: &str, rule: &mut Rule) {
        let mut narrowed = false;
        for (index, class) in list(json, "class") {
            narrowed = true;
            let (system, code) = (class["system"].as_str().unwrap_or_default(), class["code"].as_str());
            match (system, code) {
                (CATEGORY, Some(code)) => rule.categories.push(code.to_owned()),
                (RESOURCE_TYPES, Some(code)) if crate::is_resource_type(code) => {
                    rule.categories.extend(of_type(code).iter().map(|name| (*name).to_owned()));
                }
                _ => self.refuse(&format!("{path}.class[{index}]"), NO_CLASS),
            }
        }
        for (index, code) in list(json, "code") {
            narrowed = true;
            if codings(code).any(|coding| coding == (OBSERVATION_CATEGORY, "vital-signs")) {
                rule.categories.push("vital-signs".to_owned());
            } else {
                self.refuse(&format!("{path}.code[{index}]"), NO_CLASS);
            }
        }
        rule.categories.sort();
        rule.categories.dedup();
        rule.nothing = narrowed && rule.categories.is_empty();
    }

    fn span(&mut self, period: &Json, path: &str) -> Span {
        let mut one = |name: &str, end: bool| {
            let text = period[name].as_str()?;
            match time::interval(text) {
                // A period ends with the last moment of what its end says.
                Some(interval) => Some(if end { interval.end } else { interval.start }),
                None => {
                    let detail = "Not a date or time.";
                    self.issues.push(Issue::error(IssueCode::Value, format!("{path}.{name}"), detail));
                    None
                }
            }
        };
        (one("start", false), one("end", true))
    }
}

const NO_ACTOR: &str = "Name an account, role or unit by identifier (system urn:vitalwire:account, urn:vitalwire:role \
                        or urn:vitalwire:unit) or by reference (Practitioner/account, PractitionerRole/role, \
                        RelatedPerson/account), CareTeam/id for the care team, Organization/id for the house.";
const NO_CLASS: &str = "Use a code of urn:vitalwire:data-category, or a resource type.";

/// The kinds of data that a resource type holds here.
fn of_type(name: &str) -> &'static [&'static str] {
    match name {
        "Patient" | "Encounter" | "Location" | "EpisodeOfCare" | "Person" => &["demographics"],
        "Observation" => &["vital-signs", "waveforms"],
        "RiskAssessment" => &["vital-signs"],
        "Device" | "DeviceMetric" | "DeviceUseStatement" => &["device-data"],
        "DetectedIssue" | "Flag" | "Communication" | "CommunicationRequest" | "Task" => &["alerts"],
        "DocumentReference" | "Composition" | "Binary" | "Media" | "Bundle" => &["documents"],
        _ => &[],
    }
}

/// Whom a reference names.
pub(crate) fn actor(reference: &Json) -> Option<Actor> {
    let identifier = &reference["identifier"];
    if let (Some(system), Some(value)) = (identifier["system"].as_str(), identifier["value"].as_str()) {
        let value = value.to_owned();
        match system {
            ACCOUNT => return Some(Actor::Account(value)),
            ROLE => return Some(Actor::Role(value)),
            UNIT => return Some(Actor::Unit(value)),
            _ => {}
        }
    }
    match reference["reference"].as_str().and_then(reference::parse)? {
        reference::Target::Literal { resource_type, id, .. } => match resource_type {
            "Practitioner" | "RelatedPerson" => Some(Actor::Account(id.to_owned())),
            "PractitionerRole" => Some(Actor::Role(id.to_owned())),
            "CareTeam" => Some(Actor::CareTeam),
            "Organization" => Some(Actor::Organisation),
            _ => None,
        },
        _ => None,
    }
}

/// A `Consent` that says a rule: what a form makes. `date` is a FHIR dateTime.
#[must_use]
pub fn write(consent: &Consent, id: &str, date: &str, research: bool) -> Json {
    let rule = &consent.rule;
    let scope = if research { "research" } else { "patient-privacy" };
    let base = if rule.permit { "OPTIN" } else { "OPTOUT" };
    json!({
        "resourceType": "Consent",
        "id": id,
        "status": consent.status,
        "scope": {"coding": [{"system": SCOPE, "code": scope}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": format!("Patient/{}", consent.patient)},
        "dateTime": date,
        "policyRule": {"coding": [{"system": ACT_CODE, "code": base}]},
        "provision": provision(rule),
    })
}

fn provision(rule: &Rule) -> Json {
    let mut json = json!({"type": if rule.permit { "permit" } else { "deny" }});
    for (name, (from, until)) in [("period", rule.period), ("dataPeriod", rule.data)] {
        if let Some(from) = from {
            json[name]["start"] = time::format(from).into();
        }
        if let Some(until) = until {
            // The last moment that is in it: FHIR's periods include their end.
            json[name]["end"] = time::format(until.saturating_sub(1_000)).into();
        }
    }
    let mut put = |name: &str, values: Vec<Json>| {
        if !values.is_empty() {
            json[name] = values.into();
        }
    };
    put("actor", rule.actors.iter().map(written).collect());
    put("purpose", rule.purposes.iter().map(|code| json!({"system": PURPOSE, "code": code})).collect());
    put("class", rule.categories.iter().map(|code| json!({"system": CATEGORY, "code": code})).collect());
    put("provision", rule.exceptions.iter().map(provision).collect());
    json
}

fn written(actor: &Actor) -> Json {
    let by = |system: &str, value: &str| json!({"identifier": {"system": system, "value": value}});
    let reference = match actor {
        Actor::Account(name) => by(ACCOUNT, name),
        Actor::Role(name) => by(ROLE, name),
        Actor::Unit(name) => by(UNIT, name),
        Actor::CareTeam => json!({"reference": "CareTeam/care-team"}),
        Actor::Organisation => json!({"reference": "Organization/house"}),
    };
    json!({"role": {"coding": [{"system": PARTICIPATION, "code": "IRCP"}]}, "reference": reference})
}
