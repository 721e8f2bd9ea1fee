//! Which settings are others than at the last start, in the audit log: names, never values. What they
//! were is kept as keyed hashes beside the log, so that not even the hash of a secret is there twice.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context;
use guard::{Guard, Record};
use serde::{Deserialize, Serialize};

use crate::clock::clock;

/// The file, in the guard's folder.
const FILE: &str = "configuration.seen";
/// Bytes of names in one record.
const NAMES_MAX: usize = 400;

/// The settings of the last start.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    /// 256 random bits, hexadecimal: hashes say nothing without it.
    salt: String,
    /// Hashes by name.
    settings: BTreeMap<String, String>,
}

impl Seen {
    fn of(settings: &BTreeMap<String, String>, salt: String) -> Self {
        let key = *blake3::hash(salt.as_bytes()).as_bytes();
        let hash = |value: &String| blake3::keyed_hash(&key, value.as_bytes()).to_hex().to_string();
        let settings = settings.iter().map(|(name, value)| (name.clone(), hash(value))).collect();
        Self { salt, settings }
    }

    /// What is different from before, in words, a text for each record.
    fn changes(&self, before: &Self) -> Vec<String> {
        let names: BTreeSet<&String> = self.settings.keys().chain(before.settings.keys()).collect();
        let mut texts = vec![String::new()];
        for name in names {
            let how = match (before.settings.get(name), self.settings.get(name)) {
                (Some(old), Some(new)) if old == new => continue,
                (Some(_), Some(_)) => "changed",
                (Some(_), None) => "gone",
                (None, _) => "new",
            };
            if texts.last().is_some_and(|text| text.len() + name.len() > NAMES_MAX) {
                texts.push(String::new());
            }
            if let Some(text) = texts.last_mut() {
                let comma = if text.is_empty() { "" } else { ", " };
                // Writing to a text does not fail.
                let _ = write!(text, "{comma}{name} ({how})");
            }
        }
        texts.retain(|text| !text.is_empty());
        texts
    }
}

/// The settings that were said, by name: `section.key`, `zone.NAME`, `webhook`, and the site's
/// access rules `policy/FILE`.
///
/// # Errors
/// When a file of rules can't be read.
fn settings(said: &toml::Table, rules: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for (section, value) in said {
        match value {
            toml::Value::Table(keys) => {
                found.extend(keys.iter().map(|(key, value)| (format!("{section}.{key}"), value.to_string())));
            }
            other => {
                found.insert(section.clone(), other.to_string());
            }
        }
    }
    for source in guard::policy_sources(rules)?.into_iter().filter(|source| rules.join(&source.name).exists()) {
        found.insert(format!("policy/{}", source.name), source.text);
    }
    Ok(found)
}

/// Records what is set otherwise than at the last start, and remembers how it is set now.
///
/// # Errors
/// When the record or the file can't be written: then nothing starts.
pub(crate) fn note(guard: &Guard, folder: &Path, said: &toml::Table, rules: &Path) -> anyhow::Result<()> {
    let path = folder.join(FILE);
    let before: Option<Seen> = match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).ok(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let before = match before {
        Some(before) => before,
        None => Seen { salt: salt()?, ..Seen::default() },
    };
    let now = Seen::of(&settings(said, rules)?, before.salt.clone());
    for detail in now.changes(&before) {
        let object = "configuration".to_owned();
        guard.audit_blocking(Record { object, detail, ..Record::new(clock(), "system", "change-configuration") })?;
    }
    if now != before {
        keep(&path, &now).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn salt() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Puts the file in place as a whole, readable by its owner alone.
fn keep(path: &Path, seen: &Seen) -> anyhow::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let beside = path.with_extension("new");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
    file.write_all(&serde_json::to_vec(seen)?)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_what_changed_are_recorded_and_no_value_is_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let (at, rules) = (folder.path().join("guard"), folder.path().join("policy"));
        let guard = Guard::open(&at).expect("a guard");
        std::fs::create_dir(&rules).expect("a folder");
        let records = || {
            let log = std::fs::read_to_string(at.join(guard::AUDIT_FILE)).expect("read");
            let lines = log.lines().filter(|line| line.contains("change-configuration"));
            lines.map(str::to_owned).collect::<Vec<_>>()
        };
        let start = |text: &str| {
            let said = text.parse::<toml::Table>().expect("TOML");
            note(&guard, &at, &said, &rules).expect("noted");
        };
        let first = "[http]\nlisten = '127.0.0.1:1'\n[[webhook]]\nname = 'a'\nsecret = 'a-very-secret-word'\n";
        start(first);
        start(first);
        assert_eq!(records().len(), 1, "nothing changed at the second start");
        assert!(records()[0].contains("http.listen (new), webhook (new)"), "{}", records()[0]);
        std::fs::write(rules.join("site.cedar"), "// nothing\n").expect("written");
        start("[http]\ninsecure = true\n[[webhook]]\nname = 'a'\nsecret = 'another-secret-word'\n[zone.ward]\nnetworks = ['::/0']\n");
        let told = "http.insecure (new), http.listen (gone), policy/site.cedar (new), webhook (changed), zone.ward (new)";
        assert!(records()[1].contains(told), "{}", records()[1]);
        for file in [FILE, guard::AUDIT_FILE] {
            let text = std::fs::read_to_string(at.join(file)).expect("read");
            assert!(!text.contains("secret-word") && !text.contains("127.0.0.1"), "{file}: {text}");
        }
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(at.join(FILE)).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
