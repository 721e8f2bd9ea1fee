//! The rules in force, where they come from, and what was asked of them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use parking_lot::RwLock;
use policy::{Policies, PolicyError, Source};
use vitals::ReceiveTime;

use super::question::{Related, asked};
use super::{Asking, Decision, Target};
use crate::Permission;
use crate::privacy::{Categories, Category};

/// Answers remembered at most; then all are forgotten. About 250 bytes each.
const REMEMBERED_MAX: usize = 32_768;
/// Largest policy file, in bytes.
const FILE_MAX: u64 = 1 << 20;

/// The built-in policy.
pub(crate) fn built_in() -> &'static Policies {
    &BUILT_IN.policies
}

static BUILT_IN: LazyLock<Arc<InForce>> = LazyLock::new(|| {
    Arc::new(InForce::new(Policies::built_in().expect("a test reads the built-in policy")))
});

/// The rules in force with what was asked of them.
pub(super) struct InForce {
    pub(super) policies: Policies,
    /// Whether a rule looks at the clock: then answers hold for a minute.
    pub(super) timely: bool,
    /// Whether the rules look at relations only and at nobody by name: then accounts and patients
    /// that stand alike to each other share an answer.
    pub(super) relational: bool,
    pub(super) answers: Remembered<Decision>,
    pub(super) kinds: Remembered<Categories>,
}

/// Answers by all that decided them.
pub(super) struct Remembered<T>(RwLock<HashMap<Box<[u8]>, T>>);

impl<T: Clone> Remembered<T> {
    pub(super) fn or_ask(&self, key: &[u8], ask: impl FnOnce() -> T) -> T {
        if let Some(known) = self.0.read().get(key) {
            return known.clone();
        }
        let answer = ask();
        let mut answers = self.0.write();
        if answers.len() >= REMEMBERED_MAX {
            answers.clear();
        }
        answers.insert(key.into(), answer.clone());
        answer
    }
}

impl InForce {
    pub(super) fn new(policies: Policies) -> Self {
        let timely = policies.rules().iter().any(|rule| rule.text.contains("now"));
        let relational = policies.rules().iter().all(|rule| looks_at_relations(&rule.text));
        let (answers, kinds) = (Remembered(RwLock::default()), Remembered(RwLock::default()));
        Self { policies, timely, relational, answers, kinds }
    }
}

impl InForce {
    pub(super) fn ask(
        &self,
        asking: Asking<'_>,
        permission: Permission,
        target: Target<'_>,
        category: Category,
        now: ReceiveTime,
        related: &Related<'_>,
    ) -> Decision {
        let verdict = asked(asking, permission, target, category, now, related, |question| {
            self.policies.decide(question)
        });
        Decision { allowed: verdict.allowed, rules: verdict.rules.into(), purpose: related.purpose }
    }
}

/// Whether a rule speaks of whoever asks and of the patient only by how they stand to each other.
/// Errs on the side of no, which costs time and nothing else.
fn looks_at_relations(rule: &str) -> bool {
    let mut rest = rule.to_owned();
    for relation in [
        "resource.care_team.contains(principal)",
        "resource.caregivers.contains(principal)",
        "resource.opened_by.contains(principal)",
        "principal has patient",
        "principal.patient == resource",
    ] {
        rest = rest.replace(relation, "");
    }
    let by_name = [
        "care_team", "caregivers", "opened_by", ".patient", ".name", "[\"", "User::", "Patient::",
        "Device::", "principal ==", "resource ==", "== principal", "== resource", "!= principal",
        "!= resource", "principal !=", "resource !=",
    ];
    by_name.iter().all(|sign| !rest.contains(sign))
}

/// Holds the rules in force.
pub(crate) struct Decider(RwLock<Arc<InForce>>);

impl Default for Decider {
    fn default() -> Self {
        Self(RwLock::new(BUILT_IN.clone()))
    }
}

impl Decider {
    pub(super) fn in_force(&self) -> Arc<InForce> {
        self.0.read().clone()
    }

    pub(super) fn put(&self, rules: InForce) {
        *self.0.write() = Arc::new(rules);
    }
}

/// The texts of a folder with those that are built in.
///
/// # Errors
/// [`PolicyError`] for a file that can't be read.
pub fn policy_sources(folder: &Path) -> Result<Vec<Source>, PolicyError> {
    let broken = |name: &str, error: &dyn std::fmt::Display| PolicyError(vec![format!("{name}: {error}")]);
    let mut names = Vec::new();
    match std::fs::read_dir(folder) {
        Ok(entries) => {
            for entry in entries {
                let entry = entry.map_err(|error| broken(&folder.to_string_lossy(), &error))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.ends_with(".cedar") {
                    names.push(name);
                }
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(broken(&folder.to_string_lossy(), &error)),
    }
    names.sort_unstable();
    let mut sources = Vec::new();
    if !names.iter().any(|name| name == policy::DEFAULT_NAME) {
        sources.push(Source::built_in());
    }
    for name in names {
        let path = folder.join(&name);
        let size = std::fs::metadata(&path).map_err(|error| broken(&name, &error))?.len();
        if size > FILE_MAX {
            return Err(broken(&name, &"larger than 1 MiB"));
        }
        let text = std::fs::read_to_string(&path).map_err(|error| broken(&name, &error))?;
        sources.push(Source { name, text });
    }
    Ok(sources)
}
