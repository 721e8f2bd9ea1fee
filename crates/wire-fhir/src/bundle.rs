//! Bundles: batches and transactions taken apart, their responses and search results put
//! together.

use serde_json::{Value as Json, json};

use crate::definition;
use crate::outcome::{Issue, IssueCode};
use crate::validate::validate;

/// More entries than this in one bundle are refused.
pub const ENTRIES_MAX: usize = 10_000;

/// A batch or transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// All entries or none; otherwise each on its own.
    pub transaction: bool,
    /// The entries, in order.
    pub entries: Vec<Entry>,
}

/// One entry of a batch or transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Where it stands: `Bundle.entry[2]`.
    pub path: String,
    /// HTTP method.
    pub method: String,
    /// Address relative to the base: `Patient`, `Patient/7`, `Observation?code=…`.
    pub url: String,
    /// By what other entries refer to it; may be empty.
    pub full_url: String,
    /// The resource, not validated yet; null if there is none.
    pub resource: Json,
    /// Search parameters of a conditional create.
    pub if_none_exist: Option<String>,
    /// Version that an update expects.
    pub if_match: Option<String>,
}

/// Takes a bundle apart. The bundle's own elements are validated, the resources in it are not:
/// each is judged by itself ([`Entry::validate`]).
///
/// # Errors
/// The issues, when it is no valid batch or transaction.
pub fn read(mut bundle: Json) -> Result<Bundle, Vec<Issue>> {
    let error = |code, path: &str, detail: &str| Err(vec![Issue::error(code, path, detail)]);
    let kind = bundle["type"].as_str().unwrap_or_default().to_owned();
    let mut resources = Vec::new();
    if let Some(entries) = bundle.get_mut("entry").and_then(Json::as_array_mut) {
        if entries.len() > ENTRIES_MAX {
            return error(IssueCode::TooCostly, "Bundle.entry", "Too many entries: send several bundles.");
        }
        for entry in entries {
            // A stand-in keeps the rule that an entry has something in it.
            resources.push(entry.get_mut("resource").map_or(Json::Null, |resource| {
                std::mem::replace(resource, json!({"resourceType": "Basic"}))
            }));
        }
    }
    let issues = validate(&bundle, "Bundle");
    if !issues.is_empty() {
        return Err(issues);
    }
    let transaction = match kind.as_str() {
        "transaction" => true,
        "batch" => false,
        _ => {
            let detail = "Only a batch or a transaction can be processed.";
            return error(IssueCode::NotSupported, "Bundle.type", detail);
        }
    };
    let entries = bundle["entry"].as_array().into_iter().flatten().zip(resources);
    let text = |json: &Json| json.as_str().map(str::to_owned);
    let entries = entries.enumerate().map(|(index, (entry, resource))| {
        let request = &entry["request"];
        Entry {
            path: format!("Bundle.entry[{index}]"),
            method: text(&request["method"]).unwrap_or_default(),
            url: text(&request["url"]).unwrap_or_default(),
            full_url: text(&entry["fullUrl"]).unwrap_or_default(),
            resource,
            if_none_exist: text(&request["ifNoneExist"]),
            if_match: text(&request["ifMatch"]),
        }
    });
    Ok(Bundle { transaction, entries: entries.collect() })
}

impl Entry {
    /// Resource type and, where the address has one, id and search, of the entry's address.
    #[must_use]
    pub fn address(&self) -> (&str, Option<&str>, Option<&str>) {
        let (path, query) = match self.url.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (self.url.as_str(), None),
        };
        let mut parts = path.trim_start_matches('/').splitn(2, '/');
        (parts.next().unwrap_or_default(), parts.next(), query)
    }

    /// What is wrong with the entry's resource for a create or update at its address.
    #[must_use]
    pub fn validate(&self) -> Vec<Issue> {
        let at = format!("{}.resource", self.path);
        if self.resource.is_null() {
            return vec![Issue::error(IssueCode::Required, at, "A create or update needs a resource.")];
        }
        let mut issues = validate(&self.resource, &at);
        let (wanted, id, _) = self.address();
        let ty = self.resource["resourceType"].as_str().unwrap_or_default();
        if definition::is_resource_type(ty) && ty != wanted {
            let at = format!("{}.request.url", self.path);
            let detail = "The address is of another type than the resource.";
            issues.push(Issue::error(IssueCode::Value, at, detail));
        }
        let own = self.resource["id"].as_str();
        if self.method == "PUT" && id.is_some() && own.is_some() && own != id {
            let detail = "The id in the resource is another one than in the address.";
            issues.push(Issue::error(IssueCode::Value, format!("{at}.id"), detail));
        }
        issues
    }
}

/// Replaces every literal reference in `json` for which `replace` knows another text.
pub fn rewrite(json: &mut Json, replace: &mut dyn FnMut(&str) -> Option<String>) {
    match json {
        Json::Array(list) => list.iter_mut().for_each(|item| rewrite(item, replace)),
        Json::Object(object) => {
            for (key, value) in object.iter_mut() {
                match value {
                    Json::String(text) if key == "reference" => {
                        if let Some(new) = replace(text) {
                            *text = new;
                        }
                    }
                    Json::Array(_) | Json::Object(_) => rewrite(value, replace),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// Calls `visit` with every literal reference in `json` and its FHIRPath-like place below `path`.
pub fn references(json: &Json, path: &str, visit: &mut dyn FnMut(&str, &str)) {
    match json {
        Json::Array(list) => {
            for (index, item) in list.iter().enumerate() {
                references(item, &format!("{path}[{index}]"), visit);
            }
        }
        Json::Object(object) => {
            for (key, value) in object {
                let at = format!("{path}.{key}");
                match value {
                    Json::String(text) if key == "reference" => visit(text, &at),
                    Json::Array(_) | Json::Object(_) => references(value, &at, visit),
                    _ => {}
                }
            }
        }
        _ => {}
    }
}

/// What became of one entry.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EntryResponse {
    /// HTTP status.
    pub status: u16,
    /// Where the resource now is, relative to the base.
    pub location: Option<String>,
    /// Its version.
    pub etag: Option<String>,
    /// Its last change, as an instant.
    pub last_modified: Option<String>,
    /// What there is to say.
    pub issues: Vec<Issue>,
    /// The result of a read or search.
    pub resource: Option<Json>,
}

impl EntryResponse {
    fn to_json(&self) -> Json {
        let mut response = json!({"status": status_line(self.status)});
        for (name, value) in
            [("location", &self.location), ("etag", &self.etag), ("lastModified", &self.last_modified)]
        {
            if let Some(value) = value {
                response[name] = value.as_str().into();
            }
        }
        if !self.issues.is_empty() {
            response["outcome"] = crate::outcome(&self.issues);
        }
        let mut entry = json!({});
        if let Some(resource) = &self.resource {
            entry["resource"] = resource.clone();
        }
        entry["response"] = response;
        entry
    }
}

/// The response to a batch or transaction.
#[must_use]
pub fn response(transaction: bool, entries: &[EntryResponse]) -> Json {
    let mut bundle = json!({
        "resourceType": "Bundle",
        "type": if transaction { "transaction-response" } else { "batch-response" },
    });
    if !entries.is_empty() {
        bundle["entry"] = entries.iter().map(EntryResponse::to_json).collect();
    }
    bundle
}

/// Everything that a searchset says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SearchSet {
    /// Exact number of matches on all pages.
    pub total: u64,
    /// Links: relation and address.
    pub links: Vec<(&'static str, String)>,
    /// Matches of this page.
    pub matches: Vec<Json>,
    /// Resources that they refer to, where asked for.
    pub included: Vec<Json>,
    /// What there is to say about the search.
    pub issues: Vec<Issue>,
}

/// A searchset; `base` is the address that ids are below (`http://host/fhir`).
#[must_use]
pub fn searchset(set: &SearchSet, base: &str) -> Json {
    let entry = |resource: &Json, mode: &str| {
        let text = |name: &str| resource[name].as_str().unwrap_or_default();
        json!({
            "fullUrl": format!("{base}/{}/{}", text("resourceType"), text("id")),
            "resource": resource,
            "search": {"mode": mode},
        })
    };
    let mut entries: Vec<Json> = set.matches.iter().map(|found| entry(found, "match")).collect();
    entries.extend(set.included.iter().map(|found| entry(found, "include")));
    if !set.issues.is_empty() {
        let outcome = crate::outcome(&set.issues);
        entries.push(json!({"resource": outcome, "search": {"mode": "outcome"}}));
    }
    let links: Vec<Json> =
        set.links.iter().map(|(relation, url)| json!({"relation": relation, "url": url})).collect();
    let mut bundle =
        json!({"resourceType": "Bundle", "type": "searchset", "total": set.total, "link": links});
    if !entries.is_empty() {
        bundle["entry"] = entries.into();
    }
    bundle
}

fn status_line(status: u16) -> String {
    let reason = match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        409 => "Conflict",
        412 => "Precondition Failed",
        422 => "Unprocessable Entity",
        503 => "Service Unavailable",
        _ => return status.to_string(),
    };
    format!("{status} {reason}")
}
