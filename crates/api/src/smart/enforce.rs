//! A grant opens `/fhir` as far as its scopes say: searches are narrowed before they are made, and
//! nothing leaves that no scope speaks of. What the person may not see themselves is refused
//! elsewhere, whatever the grant.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use guard::Grant;
use oauth::{Action, Level, Rule, matches};
use serde_json::Value as Json;
use vitals::PatientId;
use wire_fhir::search::{Part, Subject, decode, encode};

use super::{whose, write};
use crate::error::ApiError;
use crate::fhir_access::outcome;
use crate::state::Api;
use crate::viewer::Viewer;

/// Largest answer that is looked through.
const ANSWER_MAX: usize = 64 * 1024 * 1024;

/// What a request does to resources of which type; `id` when it names one.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Doing {
    Search,
    Read,
    Create,
    Update { id: bool },
    Delete { id: bool },
    Bundle,
    Nothing,
}

/// Takes a request apart by its method and path below `/fhir`.
pub(super) fn doing<'a>(method: &Method, path: &'a str) -> (Doing, &'a str) {
    let below = path.strip_prefix("/fhir").unwrap_or(path).trim_matches('/');
    let mut parts = below.split('/');
    let (ty, rest) = (parts.next().unwrap_or_default(), parts.collect::<Vec<_>>());
    let get = matches!(*method, Method::GET | Method::HEAD);
    let doing = match (method, rest.as_slice()) {
        (&Method::POST, []) if ty.is_empty() => Doing::Bundle,
        (_, _) if ty.is_empty() => Doing::Nothing,
        (_, []) if get => Doing::Search,
        (&Method::POST, ["_search"]) => Doing::Search,
        (_, ["_search"]) => Doing::Nothing,
        (_, [_] | [_, "_history"] | [_, "_history", _]) if get => Doing::Read,
        (&Method::POST, []) => Doing::Create,
        (&Method::PUT | &Method::PATCH, []) => Doing::Update { id: false },
        (&Method::PUT | &Method::PATCH, [_]) => Doing::Update { id: true },
        (&Method::DELETE, []) => Doing::Delete { id: false },
        (&Method::DELETE, [_]) => Doing::Delete { id: true },
        _ => Doing::Nothing,
    };
    (doing, ty)
}

/// What a grant allows, with the ids of its patient.
pub(super) struct Reach<'a> {
    api: &'a Api,
    viewer: &'a Viewer,
    pub(super) grant: &'a Grant,
    pub(super) patient: Vec<String>,
}

impl Reach<'_> {
    pub(super) fn ids(&self) -> Vec<&str> {
        self.patient.iter().map(String::as_str).collect()
    }

    pub(super) fn rules(&self, action: Action, ty: &str) -> Vec<Rule<'_>> {
        self.grant.scopes.rules(action, ty)
    }

    /// Whether a resource may be seen.
    pub(super) fn shows(&self, resource: &Json) -> bool {
        let ty = resource["resourceType"].as_str().unwrap_or_default();
        let (mut rules, search) = (self.rules(Action::Read, ty), self.rules(Action::Search, ty));
        rules.extend(search);
        self.speaks(&rules, resource)
    }

    /// Whether one of the rules speaks of a resource, a device's metric being the device's patient's.
    fn speaks(&self, rules: &[Rule<'_>], resource: &Json) -> bool {
        matches(rules, &whose::told(self.api, self.viewer, resource), &self.ids())
    }
}

/// Whether some rule speaks of everything.
pub(super) fn is_whole(rules: &[Rule<'_>]) -> bool {
    rules.iter().any(|rule| rule.level != Level::Patient && rule.criteria.is_empty())
}

/// Every id of a patient, merged records with it.
fn ids(api: &Api, patient: Option<&PatientId>) -> Vec<String> {
    let Some(id) = patient else { return Vec::new() };
    let survivor = || api.live.patients().into_iter().find(|seen| seen.merged.contains(id));
    let Some(seen) = api.live.patient(id).or_else(survivor) else { return vec![id.to_string()] };
    let all = std::iter::once(&seen.patient.id).chain(&seen.merged).chain(std::iter::once(id));
    all.map(ToString::to_string).collect()
}

/// Answers a request as far as a grant goes.
pub(crate) async fn run(api: &Api, viewer: &Viewer, grant: &Grant, request: Request, next: Next) -> Response {
    let reach = Reach { api, viewer, grant, patient: ids(api, grant.patient.as_ref()) };
    let path = request.uri().path().to_owned();
    let (doing, ty) = doing(request.method(), &path);
    match doing {
        Doing::Search => search(&reach, ty, request, next).await,
        Doing::Read => {
            let rules = reach.rules(Action::Read, ty);
            // Who somebody is, has rules of its own.
            if matches!(ty, "Practitioner" | "Person") || is_whole(&rules) {
                return next.run(request).await;
            }
            if rules.is_empty() {
                return insufficient();
            }
            read(&reach, &rules, request, next).await
        }
        Doing::Bundle => write::bundle(&reach, request, next).await,
        Doing::Create => write::create(&reach, ty, request, next).await,
        Doing::Update { id } => write::change(&reach, Action::Update, ty, id, request, next).await,
        Doing::Delete { id } => write::change(&reach, Action::Delete, ty, id, request, next).await,
        Doing::Nothing => insufficient(),
    }
}

/// No scope allows this (RFC 6750 § 3.1).
pub(super) fn insufficient() -> Response {
    let mut answer = outcome(ApiError::Refused("no scope of this token allows this"));
    let told = HeaderValue::from_static("Bearer error=\"insufficient_scope\"");
    answer.headers_mut().insert(header::WWW_AUTHENTICATE, told);
    answer
}

/// Takes `_elements` and `_summary` out of a query: what they leave out may decide.
fn whole_resources(request: &mut Request) -> Result<Part, Response> {
    let query = decode(request.uri().query().unwrap_or_default());
    let (parts, rest): (Vec<_>, Vec<_>) = query.into_iter().partition(|(name, value)| {
        matches!(name.as_str(), "_elements" | "_summary") && value != "count"
    });
    if parts.is_empty() {
        return Ok(Part::default());
    }
    let part = Part::read(&parts).map_err(|(_, detail)| outcome(ApiError::bad(detail)))?;
    set_query(request, &rest)?;
    Ok(part)
}

fn set_query(request: &mut Request, query: &[(String, String)]) -> Result<(), Response> {
    let text = format!("{}?{}", request.uri().path(), encode(query));
    let address: Uri = text.parse().map_err(|_| outcome(ApiError::bad("the address is too long")))?;
    *request.uri_mut() = address;
    Ok(())
}

async fn read(reach: &Reach<'_>, rules: &[Rule<'_>], mut request: Request, next: Next) -> Response {
    let part = match whole_resources(&mut request) {
        Ok(part) => part,
        Err(refusal) => return refusal,
    };
    // Whether it changed since is told to whoever may see it; so it is looked at first.
    request.headers_mut().remove(header::IF_NONE_MATCH);
    let answer = next.run(request).await;
    look(answer, |json| {
        if json["resourceType"] == "Bundle" {
            let all = json.get_mut("entry").and_then(Json::as_array_mut)?;
            all.retain(|entry| reach.speaks(rules, &entry["resource"]));
            return (!all.is_empty()).then_some(());
        }
        reach.speaks(rules, json).then(|| part.take(json))
    })
    .await
}

async fn search(reach: &Reach<'_>, ty: &str, mut request: Request, next: Next) -> Response {
    let rules = reach.rules(Action::Search, ty);
    if rules.is_empty() {
        return insufficient();
    }
    let part = match whole_resources(&mut request) {
        Ok(part) => part,
        Err(refusal) => return refusal,
    };
    let mut exact = true;
    if !is_whole(&rules) {
        let mut query = decode(request.uri().query().unwrap_or_default());
        // Parts of devices name no patient: they are looked through when they are found.
        let parts = ty == "Device" && query.iter().any(|(name, _)| name == "parent" || name.starts_with("parent:"));
        let (mut narrowing, all) = narrowed(&rules, ty, &reach.patient);
        narrowing.retain(|(name, _)| !parts || name != "patient");
        exact = all && !parts;
        query.extend(narrowing);
        if let Err(refusal) = set_query(&mut request, &query) {
            return refusal;
        }
    }
    let answer = next.run(request).await;
    look(answer, |json| {
        if !exact && let Some(bundle) = json.as_object_mut() {
            // How many there are of others is not told.
            bundle.shift_remove("total");
        }
        let Some(all) = json.get_mut("entry").and_then(Json::as_array_mut) else { return Some(()) };
        all.retain_mut(|entry| {
            let (of_search, resource) = (entry["search"]["mode"].clone(), &mut entry["resource"]);
            match of_search.as_str() {
                Some("outcome") => true,
                Some("include") => reach.shows(resource),
                _ => {
                    let shown = reach.speaks(&rules, resource);
                    if shown {
                        part.take(resource);
                    }
                    shown
                }
            }
        });
        Some(())
    })
    .await
}

/// Criteria that a search is given so that it finds no more than the rules speak of, and whether
/// they say all that the rules do.
fn narrowed(rules: &[Rule<'_>], ty: &str, patient: &[String]) -> (Vec<(String, String)>, bool) {
    let known = |name: &str| {
        let own = Subject::from_name(ty).map(Subject::parameters).unwrap_or_default();
        name == "_id" || own.iter().any(|(known, _)| *known == name)
    };
    let (mut query, mut exact) = (Vec::new(), true);
    let of_one = rules.iter().all(|rule| rule.level == Level::Patient);
    let name = if ty == "Patient" { "_id" } else { "patient" };
    if of_one && known(name) {
        query.push((name.to_owned(), patient.join(",")));
    } else {
        exact = rules.iter().all(|rule| rule.level != Level::Patient);
    }
    let first = rules.first().map_or(&[][..], |rule| rule.criteria);
    let same = rules.iter().all(|rule| {
        rule.criteria.len() == 1 && first.first().is_some_and(|one| one.parameter == rule.criteria[0].parameter)
    });
    if rules.len() == 1 && first.iter().all(|one| known(&one.parameter)) {
        query.extend(first.iter().map(|one| (one.parameter.clone(), one.value.clone())));
    } else if same && known(&first[0].parameter) {
        let all: Vec<&str> = rules.iter().map(|rule| rule.criteria[0].value.as_str()).collect();
        query.push((first[0].parameter.clone(), all.join(",")));
    } else if rules.iter().any(|rule| !rule.criteria.is_empty()) {
        exact = exact && rules.iter().any(|rule| rule.criteria.is_empty());
    }
    (query, exact)
}

/// Looks an answer through before it leaves; what must not be seen is not there.
pub(super) async fn look(answer: Response, keep: impl FnOnce(&mut Json) -> Option<()>) -> Response {
    if !answer.status().is_success() {
        return answer;
    }
    let (mut parts, body) = answer.into_parts();
    let Ok(bytes) = to_bytes(body, ANSWER_MAX).await else {
        return outcome(ApiError::Refused("the answer is too long to be looked through: ask for less"));
    };
    if bytes.is_empty() {
        return Response::from_parts(parts, Body::empty());
    }
    let Ok(mut json) = serde_json::from_slice::<Json>(&bytes) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    if keep(&mut json).is_none() {
        return outcome(ApiError::NotFound("resource"));
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(json.to_string()))
}

#[cfg(test)]
mod tests {
    use oauth::Scopes;

    use super::*;

    #[test]
    fn requests_are_taken_apart() {
        for (method, path, expected, ty) in [
            ("GET", "/fhir/Patient", Doing::Search, "Patient"),
            ("HEAD", "/fhir/Patient/1", Doing::Read, "Patient"),
            ("GET", "/fhir/Patient/_search", Doing::Nothing, "Patient"),
            ("POST", "/fhir/Patient/_search", Doing::Search, "Patient"),
            ("GET", "/fhir/Patient/1/_history/2", Doing::Read, "Patient"),
            ("GET", "/fhir/Patient/1/$everything", Doing::Nothing, "Patient"),
            ("GET", "/fhir", Doing::Nothing, ""),
            ("POST", "/fhir/", Doing::Bundle, ""),
            ("POST", "/fhir/Patient", Doing::Create, "Patient"),
            ("PUT", "/fhir/Patient", Doing::Update { id: false }, "Patient"),
            ("PATCH", "/fhir/Patient/1", Doing::Update { id: true }, "Patient"),
            ("DELETE", "/fhir/Patient/1", Doing::Delete { id: true }, "Patient"),
            ("OPTIONS", "/fhir/Patient/1", Doing::Nothing, "Patient"),
        ] {
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            assert_eq!(doing(&method, path), (expected, ty), "{method} {path}");
        }
    }

    #[test]
    fn searches_are_narrowed_to_what_the_rules_say() {
        for (scopes, ty, expected, exact) in [
            ("patient/*.rs", "Observation", "patient=p-1,p-2", true),
            ("patient/*.rs", "Patient", "_id=p-1,p-2", true),
            ("patient/*.rs", "Location", "", false),
            ("patient/Observation.rs?category=lab", "Observation", "patient=p-1,p-2&category=lab", true),
            ("user/Observation.rs?category=a user/Observation.rs?category=b", "Observation", "category=a,b", true),
            ("user/Observation.rs?category=a user/Observation.rs?code=b", "Observation", "", false),
            ("user/Observation.rs?category=a&code=b", "Observation", "category=a&code=b", true),
            ("user/Observation.rs?_tag=a", "Observation", "", false),
            ("patient/Observation.rs user/Observation.rs?code=b", "Observation", "", false),
        ] {
            let scopes = Scopes::parse_all(scopes).expect("scopes");
            let rules = scopes.rules(Action::Search, ty);
            let (query, all) = narrowed(&rules, ty, &["p-1".to_owned(), "p-2".to_owned()]);
            assert_eq!((encode(&query).as_str(), all), (expected, exact), "{scopes} {ty}");
        }
    }
}
