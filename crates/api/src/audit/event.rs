//! Records as FHIR AuditEvent (R4), after the profiles of IHE Basic Audit Log Patterns: what was
//! read, changed or decided, by whom, about whom.

use serde_json::{Map, Value, json};

use super::AuditRow;

const BALP: &str = "https://profiles.ihe.net/ITI/BALP/StructureDefinition/";
const AUDIT_TYPE: &str = "http://terminology.hl7.org/CodeSystem/audit-event-type";
const DICOM: &str = "http://dicom.nema.org/resources/ontology/DCM";
const RESTFUL: &str = "http://hl7.org/fhir/restful-interaction";
const ENTITY: &str = "http://terminology.hl7.org/CodeSystem/audit-entity-type";
const OBJECT_ROLE: &str = "http://terminology.hl7.org/CodeSystem/object-role";
const REASON: &str = "http://terminology.hl7.org/CodeSystem/v3-ActReason";

/// What kind of event a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Somebody came in, or tried to, or left.
    Authentication,
    /// The program started or stopped.
    Application,
    /// Accounts, devices, policy, configuration.
    Administration,
    /// A request that was refused by policy.
    Decision,
    /// Data were read, found, made, changed or removed.
    Data(&'static str),
}

/// The kind of a record, by what was done and by which route.
pub fn kind(row: &AuditRow) -> Kind {
    let action = row.action.as_str();
    if row.outcome == "denied" && !row.policies.is_empty() {
        return Kind::Decision;
    }
    match action {
        _ if action.contains("login") || action.contains("logout") || action.contains("unknown-caller") => Kind::Authentication,
        "mqtt-connect" | "mllp-connect" | "coap-connect" | "redeem-setup-code" | "setup" => Kind::Authentication,
        "application-start" | "application-stop" => Kind::Application,
        "write-fhir" if row.detail == "DELETE" => Kind::Data("delete"),
        "read-fhir" | "write-fhir" => Kind::Data(by_route(&row.route, action == "read-fhir")),
        _ if action.starts_with("see-") || action.starts_with("follow-") => Kind::Data(by_route(&row.route, true)),
        "act-on-alerts" | "set-limits" | "associate" | "send-readings" => Kind::Data("update"),
        "erase-person" => Kind::Data("delete"),
        "export-person" => Kind::Data("read"),
        _ if row.action.ends_with("-alert") => Kind::Data("update"),
        _ if row.subject.is_some() => Kind::Data("update"),
        _ => Kind::Administration,
    }
}

fn by_route(route: &str, reads: bool) -> &'static str {
    let named = route.ends_with('}') && !route.ends_with("{type}");
    let one = named || route.contains("/{id}") || route.contains("{episode}") || route.contains("{reading}");
    match (reads, one) {
        (true, true) => "read",
        (true, false) => "search",
        (false, true) => "update",
        (false, false) => "create",
    }
}

/// The letter of an action: create, read, update, delete, execute.
pub fn letter(kind: Kind) -> &'static str {
    match kind {
        Kind::Data("create") => "C",
        Kind::Data("read") => "R",
        Kind::Data("update") => "U",
        Kind::Data("delete") => "D",
        _ => "E",
    }
}

/// Success 0, refused 4, failed inside 8.
pub fn outcome(row: &AuditRow) -> &'static str {
    match row.outcome.as_str() {
        "allowed" => "0",
        "denied" => "4",
        _ => "8",
    }
}

/// The logical id of a record's resource.
pub fn id(n: u64) -> String {
    format!("record-{n}")
}

/// A record as a resource; `site` names this server.
pub fn resource(row: &AuditRow, site: &str) -> Value {
    let kind = kind(row);
    let mut event = Map::new();
    event.insert("resourceType".to_owned(), json!("AuditEvent"));
    event.insert("id".to_owned(), json!(id(row.n)));
    event.insert("meta".to_owned(), meta(row, kind));
    event.insert("type".to_owned(), type_of(kind));
    if let Some(subtype) = subtype(row, kind) {
        event.insert("subtype".to_owned(), json!([subtype]));
    }
    event.insert("action".to_owned(), json!(letter(kind)));
    event.insert("recorded".to_owned(), json!(wire_fhir::time::format(row.at_ms.saturating_mul(1_000))));
    event.insert("outcome".to_owned(), json!(outcome(row)));
    if !row.detail.is_empty() && row.outcome != "allowed" {
        event.insert("outcomeDesc".to_owned(), json!(row.detail));
    }
    if !row.purpose.is_empty() {
        event.insert("purposeOfEvent".to_owned(), json!([{"coding": [{"system": REASON, "code": row.purpose}]}]));
    }
    event.insert("agent".to_owned(), agents(row, kind, site));
    event.insert("source".to_owned(), json!({
        "site": site,
        "observer": {"display": "Vitalwire"},
        "type": [{"system": "http://terminology.hl7.org/CodeSystem/security-source-type", "code": "4", "display": "Application Server"}],
    }));
    let entities = entities(row, kind);
    if !entities.is_empty() {
        event.insert("entity".to_owned(), Value::Array(entities));
    }
    Value::Object(event)
}

/// The profile that a resource keeps to. A search's own profile wants its parameters, which no
/// record holds, for they may name patients: it is not claimed.
fn meta(row: &AuditRow, kind: Kind) -> Value {
    let about = row.subject.is_some() || !row.patients.is_empty();
    let name = match kind {
        Kind::Data("read") => "Read",
        Kind::Data("create") => "Create",
        Kind::Data("update") => "Update",
        Kind::Data("delete") => "Delete",
        _ => return json!({"versionId": "1"}),
    };
    let patient = if about { "Patient" } else { "" };
    json!({"versionId": "1", "profile": [format!("{BALP}IHE.BasicAudit.{patient}{name}")]})
}

fn type_of(kind: Kind) -> Value {
    let (system, code, display) = match kind {
        Kind::Data(_) => (AUDIT_TYPE, "rest", "RESTful Operation"),
        Kind::Application => (DICOM, "110100", "Application Activity"),
        Kind::Authentication => (DICOM, "110114", "User Authentication"),
        Kind::Administration | Kind::Decision => (DICOM, "110113", "Security Alert"),
    };
    json!({"system": system, "code": code, "display": display})
}

fn subtype(row: &AuditRow, kind: Kind) -> Option<Value> {
    let dicom = |code, display| json!({"system": DICOM, "code": code, "display": display});
    Some(match kind {
        Kind::Data(interaction) => {
            let code = if interaction == "search" { "search-type" } else { interaction };
            json!({"system": RESTFUL, "code": code, "display": code})
        }
        Kind::Application if row.action.ends_with("stop") => dicom("110121", "Application Stop"),
        Kind::Application => dicom("110120", "Application Start"),
        Kind::Authentication if row.action.contains("logout") => dicom("110123", "Logout"),
        Kind::Authentication => dicom("110122", "Login"),
        Kind::Decision => dicom("110132", "Use of Restricted Function"),
        Kind::Administration => {
            let holds = |words: &[&str]| words.iter().any(|word| row.action.contains(word));
            if holds(&["break-glass"]) {
                dicom("110127", "Emergency Override Started")
            } else if holds(&["user", "password", "token", "passkey", "totp", "account", "session"]) {
                dicom("110137", "User Security Attributes Changed")
            } else if holds(&["policy", "profile", "retention", "firmware"]) {
                dicom("110131", "Software Configuration")
            } else {
                dicom("110129", "Security Configuration")
            }
        }
    })
}

/// The account, the program or browser that it used, and the server. Data flow from the source to
/// the destination: to whoever asks, or to the server where something is written.
fn agents(row: &AuditRow, kind: Kind, site: &str) -> Value {
    let coding = |system: &str, code: &str, display: &str| json!({"coding": [{"system": system, "code": code, "display": display}]});
    let mut user = json!({
        "type": coding("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "IRCP", "information recipient"),
        "who": {"identifier": {"system": "urn:vitalwire:account", "value": row.actor}, "display": row.actor},
        "requestor": true,
    });
    if let Some(role) = &row.role {
        user["role"] = json!([{"coding": [{"system": "urn:vitalwire:role", "code": role}]}]);
    }
    if !row.policies.is_empty() {
        let policies: Vec<String> = row.policies.iter().map(|id| format!("urn:vitalwire:policy:{id}")).collect();
        user["policy"] = json!(policies);
    }
    if !row.purpose.is_empty() {
        user["purposeOfUse"] = json!([{"coding": [{"system": REASON, "code": row.purpose}]}]);
    }
    let writes = matches!(kind, Kind::Data("create" | "update" | "delete"));
    let (source, destination) = (("110153", "Source Role ID"), ("110152", "Destination Role ID"));
    let (theirs, ours) = if writes { (source, destination) } else { (destination, source) };
    let name = if row.client.is_empty() { row.source.as_deref().unwrap_or("unknown") } else { &row.client };
    let mut client = json!({
        "type": coding(DICOM, theirs.0, theirs.1),
        "who": {"identifier": {"system": "urn:vitalwire:client", "value": name}},
        "requestor": false,
    });
    if let Some(address) = &row.source {
        client["network"] = json!({"address": address, "type": "2"});
    }
    let server = json!({
        "type": coding(DICOM, ours.0, ours.1),
        "who": {"identifier": {"system": "urn:vitalwire:site", "value": site}, "display": "Vitalwire"},
        "requestor": false,
    });
    json!([client, server, user])
}

fn entities(row: &AuditRow, kind: Kind) -> Vec<Value> {
    let patient = |id: &String| json!({
        "what": {"reference": format!("Patient/{id}")},
        "type": {"system": ENTITY, "code": "1", "display": "Person"},
        "role": {"system": OBJECT_ROLE, "code": "1", "display": "Patient"},
    });
    let mut entities: Vec<Value> = row.subject.iter().chain(&row.patients).map(patient).collect();
    let (system, value) = match (row.object.is_empty(), row.route.is_empty()) {
        (false, _) => ("urn:vitalwire:object", &row.object),
        (true, false) => ("urn:vitalwire:route", &row.route),
        (true, true) => ("urn:vitalwire:deed", &row.action),
    };
    let query = matches!(kind, Kind::Data("search"));
    let (code, display) = if query { ("24", "Query") } else { ("4", "Domain Resource") };
    entities.push(json!({
        "what": {"identifier": {"system": system, "value": value}},
        "type": {"system": ENTITY, "code": "2", "display": "System Object"},
        "role": {"system": OBJECT_ROLE, "code": code, "display": display},
    }));
    if !row.request.is_empty() {
        entities.push(json!({
            "what": {"identifier": {"value": row.request}},
            "type": {"system": "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType", "code": "XrequestId"},
        }));
    }
    entities
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(action: &str, route: &str, outcome: &str) -> AuditRow {
        let line = json!({"at_us": 1, "n": 7, "actor": "ada", "role": "nurse", "action": action, "route": route,
            "outcome": outcome, "subject": "p-1", "source": "10.0.0.9", "request": "r1"});
        AuditRow::read(7, &line.to_string()).expect("a record")
    }

    #[test]
    fn what_was_done_is_told_as_a_kind_and_a_letter() {
        for (action, route, outcome, kind, action_letter) in [
            ("see-patients", "/api/v1/patients/{id}", "allowed", Kind::Data("read"), "R"),
            ("see-patients", "/api/v1/ward", "allowed", Kind::Data("search"), "E"),
            ("read-fhir", "/fhir/{type}", "allowed", Kind::Data("search"), "E"),
            ("read-fhir", "/fhir/{type}/{id}", "allowed", Kind::Data("read"), "R"),
            ("write-fhir", "/fhir/{type}", "allowed", Kind::Data("create"), "C"),
            ("write-fhir", "/fhir/{type}/{id}", "allowed", Kind::Data("update"), "U"),
            ("act-on-alerts", "/api/v1/alerts/{episode}/{action}", "allowed", Kind::Data("update"), "U"),
            ("erase-person", "/api/v1/patients/{id}", "allowed", Kind::Data("delete"), "D"),
            ("login", "/api/v1/login", "denied", Kind::Authentication, "E"),
            ("application-stop", "", "allowed", Kind::Application, "E"),
        ] {
            let found = super::kind(&row(action, route, outcome));
            assert_eq!((found, letter(found)), (kind, action_letter), "{action} {route}");
        }
        let denied = AuditRow { policies: vec!["own-unit".to_owned()], ..row("see-patients", "", "denied") };
        assert_eq!(super::kind(&denied), Kind::Decision);
    }

    /// What IHE.BasicAudit.PatientRead asks for: type rest, subtype read, action R, client, server
    /// and user among the agents, patient, data and transaction among the entities.
    #[test]
    fn a_read_keeps_to_its_profile() {
        let event = resource(&row("see-patients", "/api/v1/patients/{id}", "allowed"), "house");
        assert_eq!(event["meta"]["profile"][0], format!("{BALP}IHE.BasicAudit.PatientRead"));
        assert_eq!((&event["type"]["code"], &event["subtype"][0]["code"]), (&json!("rest"), &json!("read")));
        let codes: Vec<_> = (0..3).map(|n| event["agent"][n]["type"]["coding"][0]["code"].clone()).collect();
        assert_eq!(codes, ["110152", "110153", "IRCP"]);
        assert_eq!(event["agent"][0]["network"]["address"], "10.0.0.9");
        let requestors = event["agent"].as_array().expect("agents").iter().filter(|a| a["requestor"] == true);
        assert_eq!(requestors.count(), 1);
        assert_eq!(event["entity"][0]["what"]["reference"], "Patient/p-1");
        assert_eq!(event["entity"][1]["role"]["code"], "4");
        assert_eq!(event["entity"][2]["what"]["identifier"]["value"], "r1");
        assert_eq!(event["recorded"], wire_fhir::time::format(0));
    }
}
