//! Scopes in the words of whoever is asked to agree to them.

use super::{Action, Criterion, Level, ResourceScope, Scope};

/// Types of resource in plain words.
const TYPES: [(&str, &str); 17] = [
    ("AllergyIntolerance", "allergies"),
    ("AuditEvent", "the record of who saw what"),
    ("CareTeam", "who takes care"),
    ("Condition", "diagnoses and problems"),
    ("Consent", "consents"),
    ("Device", "devices"),
    ("DeviceMetric", "what the devices measure"),
    ("DeviceRequest", "orders of measurements"),
    ("DiagnosticReport", "reports"),
    ("DocumentReference", "documents"),
    ("Encounter", "stays and visits"),
    ("Location", "rooms and beds"),
    ("MedicationRequest", "prescriptions"),
    ("Observation", "measurements and findings"),
    ("Patient", "name, birth date and address"),
    ("Practitioner", "names of staff"),
    ("RiskAssessment", "computed risks, such as of sepsis or of getting worse,"),
];

pub(super) fn of(scope: &Scope) -> String {
    match scope {
        Scope::Launch => "Know which patient is open here".to_owned(),
        Scope::LaunchPatient => "Work with one patient that you choose".to_owned(),
        Scope::LaunchEncounter => "Know that patient's present stay".to_owned(),
        Scope::OpenId | Scope::FhirUser | Scope::Profile => "Know who you are".to_owned(),
        Scope::Offline => "Go on when you are not there, until you take it back".to_owned(),
        Scope::Online => "Go on as long as you are logged in".to_owned(),
        Scope::Resource(scope) => resource(scope),
    }
}

fn resource(scope: &ResourceScope) -> String {
    let verbs = [
        (&[Action::Read, Action::Search][..], "see"),
        (&[Action::Create], "add"),
        (&[Action::Update], "change"),
        (&[Action::Delete], "delete"),
    ];
    let does = |actions: &[Action]| actions.iter().any(|action| scope.actions.has(*action));
    let verbs: Vec<&str> = verbs.iter().filter(|(a, _)| does(a)).map(|(_, verb)| *verb).collect();
    let what = match scope.resource.as_deref() {
        None => "all data",
        Some(name) => TYPES.iter().find(|(ty, _)| *ty == name).map_or(name, |(_, words)| words),
    };
    let whose = match scope.level {
        Level::Patient => "of the one patient",
        Level::User => "of every patient that you may see",
        Level::System => "of all patients",
    };
    let only: Vec<String> = scope.criteria.iter().map(narrowed).collect();
    let only = if only.is_empty() { String::new() } else { format!(", only {}", only.join(" and ")) };
    let mut text = format!("{} {what} {whose}{only}", join(&verbs));
    if let Some(first) = text.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    text
}

/// `category laboratory or vital-signs`.
fn narrowed(criterion: &Criterion) -> String {
    let code = |token: &str| match token.rsplit_once('|') {
        Some((system, "")) => system.to_owned(),
        Some((_, code)) => code.to_owned(),
        None => token.to_owned(),
    };
    let values: Vec<String> = criterion.value.split(',').map(code).collect();
    format!("{} {}", criterion.parameter.trim_start_matches('_'), values.join(" or "))
}

fn join(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
