//! References made literal: addresses of this very server become relative, and conditional ones
//! become whoever the search finds.

use std::collections::HashMap;

use serde_json::Value as Json;
use wire_fhir::bundle::{references, rewrite};
use wire_fhir::reference::{Target, parse};
use wire_fhir::{Issue, IssueCode, Kind};

use super::{Call, Fhir};

/// Makes the references of `resource` literal; the issues say which could not be.
pub(super) async fn literal(fhir: &Fhir, call: &Call, resource: &mut Json, path: &str) -> Vec<Issue> {
    with(fhir, call, resource, path, &HashMap::new()).await
}

/// The same with some references known beforehand, such as the entries of a bundle.
pub(super) async fn with(
    fhir: &Fhir,
    call: &Call,
    resource: &mut Json,
    path: &str,
    known: &HashMap<String, String>,
) -> Vec<Issue> {
    let mut conditional: Vec<(String, String)> = Vec::new();
    let mut own = false;
    let prefix = format!("{}/", call.base);
    references(resource, path, &mut |text, at| {
        own |= text.starts_with(&prefix) || known.contains_key(text);
        if !known.contains_key(text) && matches!(parse(text), Some(Target::Conditional { .. })) {
            conditional.push((text.to_owned(), at.to_owned()));
        }
    });
    if conditional.is_empty() && !own {
        return Vec::new();
    }
    let mut issues = Vec::new();
    let mut found: HashMap<String, String> = HashMap::new();
    for (text, at) in conditional {
        if found.contains_key(&text) {
            continue;
        }
        match one(fhir, &text).await {
            Ok(literal) => {
                found.insert(text, literal);
            }
            Err((code, detail)) => issues.push(Issue::error(code, at, detail)),
        }
    }
    rewrite(resource, &mut |text| {
        known
            .get(text)
            .or_else(|| found.get(text))
            .cloned()
            .or_else(|| text.strip_prefix(&prefix).map(str::to_owned))
    });
    issues
}

/// The one record that a conditional reference finds, as `Type/id`.
async fn one(fhir: &Fhir, text: &str) -> Result<String, (IssueCode, &'static str)> {
    let Some(Target::Conditional { resource_type, query }) = parse(text) else {
        return Err((IssueCode::Value, "Not a conditional reference."));
    };
    let kind = Kind::from_name(resource_type)
        .ok_or((IssueCode::NotSupported, "The platform can't search resources of this type."))?;
    let matches = fhir
        .matching(kind, query)
        .await
        .map_err(|_| (IssueCode::Value, "The search in the reference can't be answered."))?;
    match matches.as_slice() {
        [record] => {
            let (kind, id) = record.name().unwrap_or((kind, ""));
            Ok(format!("{}/{id}", kind.name()))
        }
        [] => Err((IssueCode::NotFound, "The search in the reference finds nothing.")),
        _ => Err((IssueCode::MultipleMatches, "The search in the reference finds more than one.")),
    }
}
