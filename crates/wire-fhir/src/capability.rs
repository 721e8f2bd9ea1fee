//! `CapabilityStatement`: what is truly there, made from the same tables that searches use.

use serde_json::{Value as Json, json};

use crate::directory::Kind;
use crate::search::Subject;

/// The statement of a server of `version`, at `base`, as of `date` (a FHIR dateTime).
#[must_use]
pub fn statement(version: &str, base: &str, date: &str) -> Json {
    let mut resources = vec![resource(Subject::Observation)];
    resources.extend(Kind::ALL.map(|kind| resource(Subject::Directory(kind))));
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
            "documentation": "Observations are projected from stored series: they are created and \
                read, never changed in place. A correction is sent as a new observation with the \
                status amended, corrected or entered-in-error. What can't be understood is kept in \
                quarantine and answered with an OperationOutcome.",
            "resource": resources,
            "interaction": [{"code": "transaction"}, {"code": "batch"}],
        }],
    })
}

fn resource(subject: Subject) -> Json {
    let observation = subject == Subject::Observation;
    let mut interactions = vec!["read", "search-type", "create", "update"];
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
        "versioning": if observation { "no-version" } else { "versioned-update" },
        "readHistory": false,
        "updateCreate": !observation,
        "conditionalCreate": true,
        "conditionalRead": "not-supported",
        "conditionalUpdate": false,
        "conditionalDelete": "not-supported",
        "referencePolicy": ["literal", "logical"],
        "searchParam": parameters,
    });
    if !includes.is_empty() {
        json["searchInclude"] = json!(includes);
    }
    json
}
