//! `docs/openapi.json` is what the program serves, every route of `/api/v1` is in it, and each says
//! how it answers and how it fails. `UPDATE=1 cargo test -p api --test openapi` renews the file.

use std::path::Path;

use api::rules::ROUTES;
use serde_json::Value;

/// Routes of the Nightscout API (docs/interfaces/nightscout.md), which its own project describes.
const NIGHTSCOUT: [&str; 7] =
    ["entries", "treatments", "devicestatus", "profile", "status", "verifyauth", "experiments"];

/// Whether a route is ours to describe.
fn is_ours(route: &str) -> bool {
    let first = route.strip_prefix("/api/v1/").and_then(|rest| rest.split('/').next());
    first.is_some_and(|first| !NIGHTSCOUT.contains(&first.trim_end_matches(".json")))
}

fn document() -> Value {
    serde_json::to_value(api::openapi()).expect("JSON")
}

/// Each operation with its method and path.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let of_path = |(path, item): (&String, _)| {
        let item: &Value = item;
        let operations = item.as_object().expect("a path").iter();
        let path = path.clone();
        operations
            .map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation))
            .collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

#[test]
fn the_checked_in_document_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let ours = serde_json::to_string_pretty(&api::openapi()).expect("JSON");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&file, format!("{ours}\n")).expect("written");
        return;
    }
    let text = std::fs::read_to_string(&file).expect("docs/openapi.json");
    let differ = || text.lines().zip(ours.lines()).position(|(theirs, ours)| theirs != ours);
    assert!(
        text.trim_end() == ours,
        "docs/openapi.json differs from what the program serves, first in line {}. Renew it:\n  \
         UPDATE=1 cargo test -p api --test openapi && cd web && npm run types",
        differ().map_or(text.lines().count(), |line| line + 1),
    );
}

#[test]
fn every_route_is_described() {
    let document = document();
    let operations = operations(&document);
    for (method, route, _) in ROUTES.iter().filter(|(_, route, _)| is_ours(route)) {
        let path = route.replace("{*", "{");
        let found = operations.iter().any(|(m, p, _)| m == method && *p == path);
        assert!(found, "{method} {path} is served and not described");
    }
    for (method, path, operation) in operations {
        let place = format!("{method} {path}");
        let text = |name: &str| operation[name].as_str().unwrap_or_default();
        assert!(!text("summary").is_empty(), "{place}: no summary");
        assert!(!text("operationId").is_empty(), "{place}: no operationId");
        let answers = operation["responses"].as_object().expect("answers");
        assert!(answers.keys().any(|status| status.starts_with(['2', '3'])), "{place}: never succeeds");
        for (status, answer) in answers.iter().filter(|(status, _)| status.as_str() >= "400") {
            let body = &answer["content"]["application/json"]["schema"]["$ref"];
            assert_eq!(body, "#/components/schemas/ErrorBody", "{place}: {status}");
        }
        let named = path.matches('{').count();
        let parameters = operation["parameters"].as_array().map_or(&[][..], Vec::as_slice);
        let described = parameters.iter().filter(|parameter| parameter["in"] == "path").count();
        assert_eq!(described, named, "{place}: its path parameters");
        assert!(operation["security"].is_array(), "{place}: who may use it");
    }
}
