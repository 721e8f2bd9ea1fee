//! `CapabilityStatement`: what is truly there, made from the same tables that searches use.

use serde_json::{Value as Json, json};

use crate::directory::Kind;
use crate::search::{RISK_PARAMETERS, Subject};

/// The statement of a server of `version`, at `base`, as of `date` (a FHIR dateTime).
#[must_use]
pub fn statement(version: &str, base: &str, date: &str) -> Json {
    let mut resources = vec![resource(Subject::Observation)];
    resources.extend(Kind::ALL.map(|kind| resource(Subject::Directory(kind))));
    resources.push(risk_assessment());
    json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": date,
        "kind": "instance",
        "software": {"name": "Vitalwire", "version": version},
        "implementation": {"description": "Vitalwire connected care", "url": base},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "rest": [{
            "mode": "server",
            "documentation": "What can't be understood is kept in quarantine and answered with an \
                OperationOutcome. Nothing is deleted: a deletion of what is there is refused with \
                what to do instead. The transaction and batch interactions take POST, PUT, GET and \
                DELETE entries, no patches and no operations. Totals are always exact.",
            "resource": resources,
            "interaction": [{"code": "transaction"}, {"code": "batch"}],
        }],
    })
}

fn resource(subject: Subject) -> Json {
    let observation = subject == Subject::Observation;
    let mut interactions =
        vec!["read", "vread", "history-instance", "search-type", "create", "update", "patch"];
    if observation {
        interactions.pop();
    }
    let interactions: Vec<Json> =
        interactions.into_iter().map(|code| json!({"code": code})).collect();
    let common = [("_id", "token"), ("_lastUpdated", "date")];
    let parameters: Vec<Json> = common
        .iter()
        .chain(subject.parameters())
        .map(|(name, ty)| json!({"name": name, "type": ty}))
        .collect();
    let includes: Vec<String> =
        subject.includes().iter().map(|name| format!("{}:{name}", subject.name())).collect();
    let mut json = json!({
        "type": subject.name(),
        "interaction": interactions,
        "documentation": documentation(subject),
        "versioning": "versioned-update",
        "readHistory": true,
        "updateCreate": true,
        "conditionalCreate": true,
        "conditionalRead": "not-match",
        "conditionalUpdate": !observation,
        "conditionalDelete": "not-supported",
        "referencePolicy": ["literal", "logical"],
        "searchParam": parameters,
    });
    if !includes.is_empty() {
        json["searchInclude"] = json!(includes);
    }
    let revincludes: Vec<String> = subject
        .revincludes()
        .iter()
        .map(|(kind, name)| format!("{}:{name}", kind.name()))
        .collect();
    if !revincludes.is_empty() {
        json["searchRevInclude"] = json!(revincludes);
    }
    json
}

fn risk_assessment() -> Json {
    let common = [("_id", "token"), ("_lastUpdated", "date")];
    let parameters: Vec<Json> = common
        .iter()
        .chain(RISK_PARAMETERS)
        .map(|(name, ty)| json!({"name": name, "type": ty}))
        .collect();
    json!({
        "type": "RiskAssessment",
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "documentation": "What predictive models said, once an hour and whenever a class changed: never changed \
            afterwards. method names the model and its version; the model's inputs stand in an extension, so \
            that it can be asked again. They propose a look; they order nothing.",
        "versioning": "versioned",
        "readHistory": false,
        "updateCreate": false,
        "conditionalCreate": false,
        "searchParam": parameters,
    })
}

/// What the other elements can't say about a type.
const fn documentation(subject: Subject) -> &'static str {
    match subject {
        Subject::Observation => {
            "Projected from stored series: a stored reading never changes. A correction is a new \
             observation with the status amended, corrected or entered-in-error; an update under an \
             id that the client chose passes that id on to the new reading, ids that the server \
             gave are refused with 405. The parts of a blood pressure are observations of their \
             own; searches for its panel (LOINC 85354-9) or the panel's id show the panel, all \
             other searches list and count each stored reading once. identifier needs a value, not \
             only a system."
        }
        Subject::Directory(Kind::Patient) => {
            "A merged record is read as its survivor. A create with a known identifier updates the \
             patient who has it."
        }
        Subject::Directory(Kind::Device) => {
            "A device that sends without being known is there as soon as it spoke. A create with a \
             known identifier updates the device that has it."
        }
        Subject::Directory(Kind::DeviceMetric) => {
            "What a device can measure: as written, kept with the device that is its source; any other \
             derived from what the device measured, with the VMD and channel that the nomenclature \
             has for it."
        }
        Subject::Directory(Kind::Encounter | Kind::Location) => {
            "The document is kept as it was sent, with what the server knows laid over it."
        }
    }
}
