//! The OpenAPI document: what is true of every route is put in here once, from the same table that
//! decides who may use it.

use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{Content, OpenApi, Ref, RefOr, ResponseBuilder};

use crate::access::COOKIE;
use crate::rules::{ROUTES, Rule};

/// Adds how to log in, who may use which route, and how each route can fail.
pub(crate) fn complete(document: &mut OpenApi) {
    let components = document.components.get_or_insert_default();
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    components.add_security_scheme("bearer", bearer);
    let cookie = ApiKeyValue::with_description(COOKIE, "Set by `POST /api/v1/login`.");
    components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in operations(item) {
            let rule = ROUTES.iter().find(|(m, route, _)| *m == method && same(route, path));
            admit(operation, rule.map_or(Rule::Public, |(_, _, rule)| *rule));
            describe(operation);
        }
    }
}

/// The table's wildcard is a plain parameter in OpenAPI.
fn same(route: &str, path: &str) -> bool {
    route.replace("{*", "{") == path
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let all = [
        ("GET", &mut item.get),
        ("PUT", &mut item.put),
        ("POST", &mut item.post),
        ("DELETE", &mut item.delete),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn admit(operation: &mut Operation, rule: Rule) {
    let none: [&str; 0] = [];
    match rule {
        Rule::Public | Rule::NoSuchMethod => operation.security = Some(Vec::new()),
        Rule::Known | Rule::Needs(_) => {
            let ways = ["session", "bearer"];
            operation.security = Some(ways.map(|way| SecurityRequirement::new(way, none)).to_vec());
            fails(operation, "401", "Not logged in.");
        }
    }
    if let Rule::Needs(permission) = rule {
        fails(operation, "403", &format!("The account lacks the right `{}`.", permission.name()));
        fails(operation, "503", "Not available now; nothing was changed.");
    }
    fails(operation, "500", "Something failed inside; it is in the server's log.");
}

/// The standard wants a word with every answer; most routes say all of it with the type.
fn describe(operation: &mut Operation) {
    for (status, answer) in &mut operation.responses.responses {
        let RefOr::T(answer) = answer else { continue };
        if answer.description.is_empty() {
            answer.description = match status.as_str() {
                "200" => "Done; what there is now.",
                "204" => "Done.",
                "400" => "The request is wrong; the message says how.",
                "401" => "Name, password or code is wrong.",
                "404" => "There is no such thing.",
                "409" => "It does not fit what is there; the message says why.",
                _ => "Not done.",
            }
            .to_owned();
        }
    }
}

/// Adds a failure, unless the route says more of it itself.
fn fails(operation: &mut Operation, status: &str, description: &str) {
    let body = RefOr::Ref(Ref::from_schema_name("ErrorBody"));
    let answer = ResponseBuilder::new().description(description);
    let answer = answer.content("application/json", Content::new(Some(body))).build();
    operation.responses.responses.entry(status.to_owned()).or_insert_with(|| RefOr::T(answer));
}
