//! Invariants of R4 between elements of one object, each named by its key in the specification.

use serde_json::{Map, Value};

use crate::time;

/// The invariants that `object` of type `ty` breaks: the element to blame (empty: the object
/// itself) and what is wrong.
pub(crate) fn broken(ty: &str, object: &Map<String, Value>) -> Vec<(&'static str, &'static str)> {
    let has = |name: &str| object.contains_key(name);
    let any = |prefix: &str| {
        object.keys().any(|key| {
            key.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
        })
    };
    let mut found = Vec::new();
    let mut rule = |holds: bool, element: &'static str, detail: &'static str| {
        if !holds {
            found.push((element, detail));
        }
    };
    match ty {
        "Extension" => rule(
            any("value") != has("extension"),
            "",
            "ext-1: an extension has either a value or extensions of its own.",
        ),
        "Quantity" | "Age" | "Count" | "Distance" | "Duration" | "SimpleQuantity" | "Money" => rule(
            !has("code") || has("system") || ty == "Money",
            "system",
            "qty-3: a unit's code needs its system, http://unitsofmeasure.org for UCUM.",
        ),
        "Period" => rule(period_is_ordered(object), "", "per-1: a period's start is not after its end."),
        "ContactPoint" => rule(
            !has("value") || has("system"),
            "system",
            "cpt-2: a contact point with a value says which system it belongs to.",
        ),
        "Attachment" => rule(
            !has("data") || has("contentType"),
            "contentType",
            "att-1: an attachment with data says its content type.",
        ),
        "Reference" => rule(
            ["reference", "identifier", "display", "extension", "type", "_reference", "id", "_display"]
                .into_iter()
                .any(has),
            "",
            "ref-1: a reference has a reference, an identifier or a display.",
        ),
        "Observation" => {
            rule(
                !(has("dataAbsentReason") && any("value")),
                "dataAbsentReason",
                "obs-6: dataAbsentReason is only for an observation without a value.",
            );
        }
        "Patient.contact" => rule(
            ["name", "telecom", "address", "organization"].into_iter().any(has),
            "",
            "pat-1: a contact has a name, a telecom, an address or an organization.",
        ),
        "Bundle" => bundle(object, &mut rule),
        _ => {}
    }
    found
}

fn bundle(object: &Map<String, Value>, rule: &mut impl FnMut(bool, &'static str, &'static str)) {
    let ty = object.get("type").and_then(Value::as_str).unwrap_or_default();
    let entries = || object.get("entry").and_then(Value::as_array).into_iter().flatten();
    rule(
        !object.contains_key("total") || matches!(ty, "searchset" | "history"),
        "total",
        "bdl-1: only a searchset or history has a total.",
    );
    let requests = matches!(ty, "batch" | "transaction" | "history");
    rule(
        !requests || entries().all(|entry| entry.get("request").is_some()),
        "entry",
        "bdl-3: every entry of a batch or transaction has a request.",
    );
    rule(
        entries().all(|entry| ["resource", "request", "response"].iter().any(|k| entry.get(k).is_some())),
        "entry",
        "bdl-5: an entry has a resource unless it has a request or a response.",
    );
}

fn period_is_ordered(object: &Map<String, Value>) -> bool {
    let read = |name: &str| object.get(name).and_then(Value::as_str).and_then(time::interval);
    match (read("start"), read("end")) {
        (Some(start), Some(end)) => start.start < end.end,
        _ => true,
    }
}
