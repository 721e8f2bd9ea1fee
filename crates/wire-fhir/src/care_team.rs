//! FHIR `CareTeam`: who cares for a patient. Which account a member is, others find out by the
//! names that are here.

use serde_json::Value as Json;

use crate::consent::Span;
use crate::outcome::{Issue, IssueCode};
use crate::{consent, reference, time};

/// One member, by whatever names the resource gives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Participant {
    /// FHIRPath of the participant.
    pub path: String,
    /// Names to look for, the surest first: identifier values, the id of a literal reference, the
    /// display text.
    pub names: Vec<String>,
    /// In which role, in plain words; may be empty.
    pub role: String,
    /// When, in microseconds since 1970, the end not included.
    pub period: Span,
}

/// What a `CareTeam` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CareTeam {
    /// Logical id of the patient.
    pub patient: String,
    /// FHIR status; its members count while it is `active` (or says nothing).
    pub status: String,
    /// Practitioners. Relatives, organisations and the patient are kept in the document only.
    pub members: Vec<Participant>,
}

/// Reads a `CareTeam` that is valid by the specification's tables.
///
/// # Errors
/// What is missing, and where.
pub fn read(json: &Json) -> Result<CareTeam, Vec<Issue>> {
    let patient = consent::patient(json, "CareTeam.subject", &json["subject"]).map_err(|issue| vec![issue])?;
    let team = span(&json["period"]);
    let mut members = Vec::new();
    for (index, participant) in json["participant"].as_array().into_iter().flatten().enumerate() {
        let member = &participant["member"];
        let literal = member["reference"].as_str().and_then(reference::parse);
        let names = match &literal {
            Some(reference::Target::Literal { resource_type, id, .. }) => {
                if *resource_type != "Practitioner" {
                    continue;
                }
                vec![(*id).to_owned()]
            }
            _ => Vec::new(),
        };
        let value = member["identifier"]["value"].as_str().map(str::to_owned);
        let display = member["display"].as_str().map(str::to_owned);
        let names: Vec<String> = value.into_iter().chain(names).chain(display).collect();
        let path = format!("CareTeam.participant[{index}].member");
        if names.is_empty() {
            let detail = "Name the member by identifier, reference or display.";
            return Err(vec![Issue::error(IssueCode::Required, &path, detail)]);
        }
        let own = span(&participant["period"]);
        let period = (own.0.or(team.0), own.1.or(team.1));
        members.push(Participant { path, names, role: role(participant), period });
    }
    let status = json["status"].as_str().unwrap_or("active").to_owned();
    Ok(CareTeam { patient, status, members })
}

fn span(period: &Json) -> Span {
    let at = |name: &str| period[name].as_str().and_then(time::interval);
    (at("start").map(|interval| interval.start), at("end").map(|interval| interval.end))
}

fn role(participant: &Json) -> String {
    let concepts = participant["role"].as_array().into_iter().flatten();
    let mut words = concepts.filter_map(|concept| {
        let coding = &concept["coding"][0];
        [&concept["text"], &coding["display"], &coding["code"]].into_iter().find_map(Json::as_str)
    });
    words.next().unwrap_or_default().chars().take(100).collect()
}
