//! The bill of materials: every crate that is compiled into the program, by `cargo metadata` and
//! the checksums of `Cargo.lock`, and every package whose code is in the pages, by npm's lock file.
//!
//! Form: CycloneDX 1.6 JSON (ECMA-424). Packages are named by purl (package-url specification).

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value as Json, json};

use super::{SupplyError, json, output, read};

/// The program that the bill is of.
const PROGRAM: &str = "vitalwire";

/// The bill of materials of the checkout at `root`.
///
/// # Errors
/// [`SupplyError`] when `cargo metadata` fails or a lock file is not what is expected.
pub fn sbom(root: &Path) -> Result<Json, SupplyError> {
    let arguments = ["metadata", "--format-version", "1", "--locked"];
    let metadata = json(&output(root, "cargo", &arguments)?, "cargo metadata")?;
    let sums = checksums(&read(root, "Cargo.lock")?)?;
    let crates = Crates::of(&metadata)?;
    let mut components: Vec<Json> =
        crates.reached.iter().map(|id| crates.component(id, &sums)).collect();
    let lock = json(&read(root, "web/package-lock.json")?, "web/package-lock.json")?;
    components.extend(packages(&lock));
    components.sort_by_key(|component| component["bom-ref"].as_str().map(str::to_owned));
    let mut dependencies = crates.dependencies();
    dependencies.sort_by_key(|dependency| dependency["ref"].as_str().map(str::to_owned));
    Ok(json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "lifecycles": [{ "phase": "build" }],
            "component": crates.component(crates.program, &sums),
        },
        "components": components,
        "dependencies": dependencies,
    }))
}

struct Crates<'a> {
    /// Everything known of each package, by its id.
    known: BTreeMap<&'a str, &'a Json>,
    /// What each needs when the program is built; what only its tests need is left out.
    needs: BTreeMap<&'a str, BTreeSet<&'a str>>,
    program: &'a str,
    /// All that the program needs, directly or not, itself excepted.
    reached: BTreeSet<&'a str>,
}

impl<'a> Crates<'a> {
    fn of(metadata: &'a Json) -> Result<Self, SupplyError> {
        let known: BTreeMap<&str, &Json> = array(&metadata["packages"])
            .filter_map(|package| Some((package["id"].as_str()?, package)))
            .collect();
        let needs: BTreeMap<&str, BTreeSet<&str>> = array(&metadata["resolve"]["nodes"])
            .filter_map(|node| {
                let built = array(&node["deps"]).filter(|dep| {
                    array(&dep["dep_kinds"]).any(|kind| kind["kind"].as_str() != Some("dev"))
                });
                Some((node["id"].as_str()?, built.filter_map(|dep| dep["pkg"].as_str()).collect()))
            })
            .collect();
        let program = known
            .iter()
            .find_map(|(id, package)| (package["name"] == PROGRAM).then_some(*id))
            .ok_or_else(|| SupplyError(format!("there is no crate `{PROGRAM}` in this checkout")))?;
        let mut reached = BTreeSet::new();
        let mut ahead = vec![program];
        while let Some(id) = ahead.pop() {
            let next = needs.get(id).into_iter().flatten().filter(|next| reached.insert(**next));
            ahead.extend(next);
        }
        Ok(Self { known, program, needs, reached })
    }

    fn component(&self, id: &str, sums: &BTreeMap<(String, String), String>) -> Json {
        let text = |name: &str| self.known.get(id).and_then(|package| package[name].as_str());
        let (name, version) = (text("name").unwrap_or_default(), text("version").unwrap_or_default());
        let own = text("source").is_none();
        let mut component = Map::new();
        let kind = if name == PROGRAM { "application" } else { "library" };
        component.insert("type".into(), kind.into());
        component.insert("bom-ref".into(), crate_ref(name, version).into());
        component.insert("name".into(), name.into());
        component.insert("version".into(), version.into());
        if let Some(license) = text("license") {
            // The old form of an expression has a slash.
            let license = license.replace('/', " OR ").replace("  ", " ");
            component.insert("licenses".into(), json!([{ "expression": license }]));
        }
        if let Some(sum) = sums.get(&(name.to_owned(), version.to_owned())) {
            component.insert("hashes".into(), json!([{ "alg": "SHA-256", "content": sum }]));
        }
        if !own {
            component.insert("purl".into(), crate_ref(name, version).into());
        }
        if let Some(url) = text("repository").filter(|url| url.starts_with("https://")) {
            component.insert("externalReferences".into(), json!([{ "type": "vcs", "url": url }]));
        }
        Json::Object(component)
    }

    fn dependencies(&self) -> Vec<Json> {
        let named = |id: &str| {
            let text = |name: &str| self.known.get(id).and_then(|package| package[name].as_str());
            crate_ref(text("name").unwrap_or_default(), text("version").unwrap_or_default())
        };
        let all = self.reached.iter().chain([&self.program]);
        all.map(|id| {
            let on: BTreeSet<String> =
                self.needs.get(id).into_iter().flatten().map(|need| named(need)).collect();
            json!({ "ref": named(id), "dependsOn": on })
        })
        .collect()
    }
}

fn crate_ref(name: &str, version: &str) -> String {
    format!("pkg:cargo/{name}@{version}")
}

fn array(value: &Json) -> impl Iterator<Item = &Json> {
    value.as_array().into_iter().flatten()
}

/// SHA-256 of every crate from a registry, by name and version.
fn checksums(lock: &str) -> Result<BTreeMap<(String, String), String>, SupplyError> {
    let lock: toml::Table =
        lock.parse().map_err(|error| SupplyError(format!("Cargo.lock is no TOML: {error}")))?;
    let packages = lock.get("package").and_then(toml::Value::as_array).into_iter().flatten();
    let text = |package: &toml::Value, name: &str| {
        package.get(name).and_then(toml::Value::as_str).map(str::to_owned)
    };
    Ok(packages
        .filter_map(|package| {
            let name = (text(package, "name")?, text(package, "version")?);
            Some((name, text(package, "checksum")?))
        })
        .collect())
}

/// The packages whose code is in the pages: all of the lock file that are not for development.
fn packages(lock: &Json) -> Vec<Json> {
    let all = lock["packages"].as_object().into_iter().flatten();
    all.filter(|(path, package)| !path.is_empty() && package["dev"] != true && package["link"] != true)
        .filter_map(|(path, package)| {
            let name = path.rsplit("node_modules/").next()?;
            let version = package["version"].as_str()?;
            // purl: the at sign of a scope is escaped.
            let purl = format!("pkg:npm/{}@{version}", name.replace('@', "%40"));
            let mut component = json!({
                "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
            });
            if let Some(license) = package["license"].as_str() {
                component["licenses"] = json!([{ "expression": license }]);
            }
            Some(component)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_pages_ship_is_told_from_what_builds_them() {
        let lock = json!({ "packages": {
            "": { "name": "web" },
            "node_modules/solid-js": { "version": "1.9.0", "license": "MIT" },
            "node_modules/a/node_modules/@x/y": { "version": "2.0.0" },
            "node_modules/vite": { "version": "8.0.0", "dev": true },
        }});
        let mut refs: Vec<_> =
            packages(&lock).iter().map(|c| c["purl"].as_str().unwrap_or_default().to_owned()).collect();
        refs.sort();
        assert_eq!(refs, ["pkg:npm/%40x/y@2.0.0", "pkg:npm/solid-js@1.9.0"]);
    }

    #[test]
    fn tests_crates_are_not_in_the_program() {
        let metadata = json!({
            "packages": [
                { "id": "v", "name": "vitalwire", "version": "1.0.0", "license": "MIT/Apache-2.0" },
                { "id": "b", "name": "b", "version": "2.0.0", "source": "registry" },
                { "id": "t", "name": "t", "version": "3.0.0", "source": "registry" },
                { "id": "c", "name": "c", "version": "4.0.0", "source": "registry" },
            ],
            "resolve": { "nodes": [
                { "id": "v", "deps": [
                    { "pkg": "b", "dep_kinds": [{ "kind": null }, { "kind": "dev" }] },
                    { "pkg": "t", "dep_kinds": [{ "kind": "dev" }] } ] },
                { "id": "b", "deps": [{ "pkg": "c", "dep_kinds": [{ "kind": "build" }] }] },
                { "id": "c", "deps": [] },
            ]},
        });
        let crates = Crates::of(&metadata).expect("a program");
        assert_eq!(crates.reached, BTreeSet::from(["b", "c"]));
        let own = crates.component("v", &BTreeMap::new());
        assert_eq!(own["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert!(own.get("purl").is_none(), "our own crates are in no registry");
    }
}
