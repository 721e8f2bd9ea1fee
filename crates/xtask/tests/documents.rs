//! The documents say what is: every configuration key and every metric is explained, every test
//! that a document names exists, and no link leads nowhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Files with this ending below a folder, what is built or fetched left out.
fn files(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    for item in fs::read_dir(folder).expect("a folder") {
        let path = item.expect("an item").path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !["target", "node_modules", "dist", "corpus"].contains(&name.as_str()) {
            files(&path, ending, found);
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
}

/// Every text between `begin` and the next `end`.
fn between<'a>(text: &'a str, begin: &str, end: char) -> Vec<&'a str> {
    text.split(begin).skip(1).filter_map(|rest| rest.split_once(end)).map(|(t, _)| t).collect()
}

#[test]
fn every_configuration_key_is_explained() {
    let source = read("crates/vitalwire/src/keys.rs");
    let table = source.split_once("KEYS: ").expect("the table of keys").1;
    let table = table.split_once("];").expect("its end").0;
    let keys: BTreeSet<&str> =
        table.split('"').filter(|text| text.contains('.') && !text.contains(' ')).collect();
    assert!(keys.len() > 20, "{keys:?}");
    let text = read("docs/operating.md");
    for key in keys {
        assert!(text.contains(&format!("`{key}`")), "docs/operating.md: `{key}` is not explained");
    }
}

#[test]
fn every_metric_is_explained() {
    let mut sources = Vec::new();
    files(&root().join("crates"), ".rs", &mut sources);
    let mut exported = BTreeSet::new();
    for path in sources.iter().filter(|path| path.to_string_lossy().contains("/src/")) {
        let text = fs::read_to_string(path).expect("a source");
        for kind in ["counter!(", "gauge!(", "histogram!("] {
            for call in text.split(kind).skip(1) {
                let name = call.trim_start().strip_prefix('"').and_then(|rest| rest.split_once('"'));
                exported.extend(name.map(|(name, _)| name.to_owned()));
            }
        }
    }
    assert!(exported.len() > 15, "{exported:?}");
    let text = read("docs/operating.md");
    let missing: Vec<_> =
        exported.iter().filter(|name| !text.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "docs/operating.md does not explain {missing:?}");
}

/// Whether it names a file of tests, with or without the test.
fn is_test(name: &str) -> bool {
    let file = name.split("::").next().unwrap_or_default();
    let code = [".rs", ".py", ".mjs"].iter().any(|ending| file.ends_with(ending));
    code && ["tests/", "e2e/"].iter().any(|folder| file.contains(folder))
}

#[test]
fn every_test_named_in_a_document_exists() {
    for (document, least) in [
        ("docs/clinical-safety.md", 20),
        ("docs/security/threat-model.md", 40),
        ("docs/security/compliance.md", 30),
    ] {
        let named = named_tests(document);
        assert!(named > least, "{document} names {named} tests");
    }
}

/// How many tests the tables of a document name; all of them exist, and so do the pages named.
fn named_tests(document: &str) -> usize {
    let text = read(document);
    let rows = text.lines().filter(|line| line.starts_with("| "));
    let quoted: Vec<&str> = rows.flat_map(|row| row.split('`').skip(1).step_by(2)).collect();
    for page in quoted.iter().filter(|name| name.starts_with("docs/")) {
        assert!(root().join(page).is_file(), "{document} names {page}: no such page");
    }
    let mut named = 0;
    for name in quoted.into_iter().filter(|name| is_test(name)) {
        let (file, test) = name.split_once("::").unwrap_or((name, ""));
        let whole = ["tests/", "web/", "crates/"].iter().any(|folder| file.starts_with(folder));
        let path = if whole { file.to_owned() } else { format!("crates/{file}") };
        assert!(root().join(&path).is_file(), "{document} names {path}: no such file");
        let found = ["fn ", "def "].iter().any(|word| read(&path).contains(&format!("{word}{test}(")));
        assert!(test.is_empty() || found, "{document} names {name}: no such test");
        named += 1;
    }
    named
}

#[test]
fn no_link_leads_nowhere() {
    let mut documents = vec![root().join("README.md"), root().join("fuzz/README.md")];
    files(&root().join("docs"), ".md", &mut documents);
    for path in documents {
        let text = fs::read_to_string(&path).expect("a document");
        let folder = path.parent().expect("a folder");
        for link in between(&text, "](", ')') {
            let file = link.split('#').next().unwrap_or_default();
            let other = link.contains("://") || link.starts_with("mailto:") || file.is_empty();
            assert!(other || folder.join(file).exists(), "{}: {link} leads nowhere", path.display());
        }
    }
}
