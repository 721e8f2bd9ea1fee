//! The floors: a crate imports only from floors below its own, and the pure floors import nothing
//! that reaches outside.

use std::collections::BTreeSet;

use super::Finding;

/// Every crate and its floor, lowest first (`docs/architecture.md`).
const FLOORS: &[(&str, u8)] = &[
    ("vitals", 0),
    ("medfloat", 0),
    ("markup", 0),
    ("wire-mqtt", 1),
    ("wire-hl7", 1),
    ("wire-fhir", 1),
    ("wire-gatt", 1),
    ("wire-phd", 1),
    ("wire-sparkplug", 1),
    ("wire-applehealth", 1),
    ("wire-sdc", 1),
    ("wire-dpws", 1),
    ("wire-coap", 1),
    ("wire-dbus", 1),
    ("ledger", 1),
    ("oauth", 1),
    ("policy", 1),
    ("score", 1),
    ("predict", 1),
    ("burden", 1),
    ("alert", 1),
    ("baseline", 1),
    ("command", 1),
    ("fleet", 1),
    ("signal", 1),
    ("record", 1),
    ("seal", 1),
    ("mapping", 2),
    ("engine", 2),
    ("journal", 3),
    ("store", 3),
    ("depot", 3),
    ("edge", 3),
    ("outgoing", 3),
    ("guard", 3),
    ("library", 3),
    ("decoder", 3),
    ("vault", 3),
    ("training", 3),
    ("catalogue", 4),
    ("reckoning", 4),
    ("live", 4),
    ("laboratory", 4),
    ("gateway", 5),
    ("sdc", 5),
    ("collector", 5),
    ("runtime", 5),
    ("api", 5),
    ("sim", 5),
    ("vitalwire", 6),
    ("bench", 6),
    ("xtask", 6),
];

/// Floors up to this one are pure: no clock, socket, file, task or chance.
const PURE_UP_TO: u8 = 2;

/// Other people's crates that a pure crate may not depend on: each brings the outside in.
const REACHES_OUT: [&str; 17] = [
    "tokio", "tokio-stream", "tokio-rustls", "axum", "hyper", "hyper-util", "reqwest", "rusqlite",
    "rand", "getrandom", "fastrand", "uuid", "chrono", "tempfile", "notify", "metrics", "tracing",
];

const WHY_FLOORS: &str =
    "an import upwards or sideways ties rooms together that must be understood and tested alone";
const WHY_PURE: &str = "floors 0 to 2 give the same result for the same input on any machine (EN-1)";

/// The crate's floor, if the table has it.
fn floor(krate: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == krate).map(|(_, floor)| *floor)
}

/// Whether the crate stands on a pure floor.
pub(super) fn is_pure(krate: &str) -> bool {
    floor(krate).is_some_and(|floor| floor <= PURE_UP_TO)
}

/// Checks manifests, given as (folder, text), against the table and each other.
pub(super) fn check(manifests: &[(String, String)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (krate, text) in manifests {
        let path = format!("crates/{krate}/Cargo.toml");
        let Some(own) = floor(krate) else {
            findings.push(Finding::new(
                (&path, 1),
                format!("the crate `{krate}` has no floor"),
                WHY_FLOORS,
                "give it one in FLOORS of crates/xtask/src/tidy/floors.rs and in docs/architecture.md",
            ));
            continue;
        };
        for (dependency, line) in dependencies(text) {
            findings.extend(imported(&path, line, (krate, own), &dependency));
        }
    }
    let present: BTreeSet<&str> = manifests.iter().map(|(krate, _)| krate.as_str()).collect();
    for (krate, _) in FLOORS.iter().filter(|(krate, _)| !present.contains(krate)) {
        findings.push(Finding::new(
            ("crates/xtask/src/tidy/floors.rs", 1),
            format!("the table has `{krate}`, the workspace has not"),
            WHY_FLOORS,
            "take the line out of FLOORS",
        ));
    }
    findings
}

fn imported(path: &str, line: usize, (krate, own): (&str, u8), other: &str) -> Option<Finding> {
    if own <= PURE_UP_TO && REACHES_OUT.contains(&other) {
        return Some(Finding::new(
            (path, line),
            format!("`{krate}` is pure and depends on `{other}`"),
            WHY_PURE,
            "take what is needed as an argument, or move the code to floor 3 or above",
        ));
    }
    let below = floor(other)?;
    (below >= own).then(|| {
        Finding::new(
            (path, line),
            format!("`{krate}` (floor {own}) imports `{other}` (floor {below})"),
            WHY_FLOORS,
            format!("move what both need to a crate below floor {own}, or take it as an argument"),
        )
    })
}

/// Names and lines of what the crate depends on when it runs or is built; tests may take more.
fn dependencies(manifest: &str) -> Vec<(String, usize)> {
    let Ok(table) = manifest.parse::<toml::Table>() else { return Vec::new() };
    let mut found = Vec::new();
    let targets = table.get("target").and_then(toml::Value::as_table);
    let targets = targets.into_iter().flat_map(|targets| targets.values());
    let tables = targets.filter_map(toml::Value::as_table).chain([&table]);
    for table in tables {
        for section in ["dependencies", "build-dependencies"] {
            let Some(entries) = table.get(section).and_then(toml::Value::as_table) else { continue };
            for (key, value) in entries {
                let renamed = value.get("package").and_then(toml::Value::as_str);
                found.push((renamed.unwrap_or(key).to_owned(), line_of(manifest, key)));
            }
        }
    }
    found
}

fn line_of(manifest: &str, key: &str) -> usize {
    let begins = |line: &str| {
        line.trim_start().strip_prefix(key).is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
    };
    manifest.lines().position(begins).map_or(1, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of one crate's manifest, beside that the other crates are missing.
    fn found(krate: &str, manifest: &str) -> Vec<String> {
        let manifests = [(krate.to_owned(), manifest.to_owned())];
        let findings = check(&manifests).into_iter();
        findings
            .filter(|finding| finding.path.ends_with("Cargo.toml"))
            .map(|finding| format!("{}: {}", finding.line, finding.what))
            .collect()
    }

    #[test]
    fn imports_go_down() {
        assert_eq!(found("engine", "[dependencies]\nvitals.workspace = true\nserde = \"1\"\n"), [""; 0]);
        assert_eq!(
            found("engine", "[dependencies]\nvitals.workspace = true\nstore.workspace = true\n"),
            ["3: `engine` (floor 2) imports `store` (floor 3)"]
        );
        assert_eq!(
            found("score", "[dependencies]\nalert = { path = \"../alert\" }\n"),
            ["2: `score` (floor 1) imports `alert` (floor 1)"]
        );
        assert_eq!(
            found("score", "[dependencies]\nother = { package = \"api\", path = \"../api\" }\n"),
            ["2: `score` (floor 1) imports `api` (floor 5)"]
        );
        assert_eq!(
            found("score", "[target.'cfg(unix)'.dependencies]\napi.workspace = true\n"),
            ["2: `score` (floor 1) imports `api` (floor 5)"]
        );
        assert_eq!(found("engine", "[dev-dependencies]\nstore.workspace = true\n"), [""; 0]);
    }

    #[test]
    fn pure_crates_bring_nothing_in() {
        let tokio = "[dependencies]\ntokio.workspace = true\n";
        assert_eq!(found("alert", tokio), ["2: `alert` is pure and depends on `tokio`"]);
        assert_eq!(found("gateway", tokio), [""; 0]);
    }

    #[test]
    fn the_table_and_the_workspace_agree() {
        assert_eq!(found("basement", ""), ["1: the crate `basement` has no floor"]);
        let findings = check(&[]);
        assert_eq!(findings.len(), FLOORS.len());
        assert!(findings[0].what.contains("the workspace has not"));
        assert!(FLOORS.windows(2).all(|pair| pair[0].1 <= pair[1].1), "lowest first");
    }
}
