//! Policy texts read and checked. What is wrong is told with file, line and reason.

use std::str::FromStr;

use cedar_policy::{
    Effect, Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator,
};
use miette::Diagnostic;

use crate::{DEFAULT, DEFAULT_NAME, SCHEMA};

/// A policy text and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// File name, for messages.
    pub name: String,
    /// Cedar.
    pub text: String,
}

impl Source {
    /// The built-in policy.
    #[must_use]
    pub fn built_in() -> Self {
        Self { name: DEFAULT_NAME.to_owned(), text: DEFAULT.to_owned() }
    }
}

/// Why a policy is not taken: each line is `file:line: reason`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct PolicyError(pub Vec<String>);

/// One rule, as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Its `@id`.
    pub id: String,
    /// Whether it permits; else it forbids.
    pub permits: bool,
    /// Its `@text`: what it means, in a sentence. Empty when nobody wrote one.
    pub meaning: String,
    /// The file that it stands in.
    pub file: String,
    /// The line where it begins, from 1.
    pub line: usize,
    /// As it was written.
    pub text: String,
}

/// Policies that were checked.
pub(crate) struct Loaded {
    pub(crate) schema: Schema,
    pub(crate) policies: Vec<Policy>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) warnings: Vec<String>,
}

/// The built-in schema.
fn schema() -> Result<Schema, PolicyError> {
    Schema::from_cedarschema_str(SCHEMA)
        .map(|(schema, _)| schema)
        .map_err(|error| PolicyError(vec![format!("schema: {error}")]))
}

/// Reads and checks all texts together.
pub(crate) fn load(sources: &[Source]) -> Result<Loaded, PolicyError> {
    let schema = schema()?;
    let (mut policies, mut rules, mut problems) = (Vec::new(), Vec::new(), Vec::new());
    for source in sources {
        match parse(source) {
            Ok(found) => {
                for (policy, rule) in found {
                    let other = rules.iter().find(|other: &&Rule| other.id == rule.id);
                    if let Some(other) = other {
                        let first = format!("{}:{}", other.file, other.line);
                        problems.push(format!(
                            "{}:{}: there is a rule \"{}\" already, at {first}: rename one of them",
                            rule.file, rule.line, rule.id
                        ));
                    }
                    policies.push(policy);
                    rules.push(rule);
                }
            }
            Err(found) => problems.extend(found),
        }
    }
    if !problems.is_empty() {
        return Err(PolicyError(problems));
    }
    let warnings = validate(&schema, sources, &policies, &rules)?;
    Ok(Loaded { schema, policies, rules, warnings })
}

fn parse(source: &Source) -> Result<Vec<(Policy, Rule)>, Vec<String>> {
    let place = |line: usize, reason: &str| format!("{}:{line}: {reason}", source.name);
    let set = PolicySet::from_str(&source.text).map_err(|errors| {
        let all = errors.iter().map(|error| {
            let line = line_of(error, &source.text);
            place(line, &with_help(error))
        });
        all.collect::<Vec<_>>()
    })?;
    if let Some(template) = set.templates().next() {
        let line = line_at(&source.text, source.text.find(&template.to_string()).unwrap_or(0));
        return Err(vec![place(line, "a template (?principal, ?resource) is no rule: write it out")]);
    }
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    for policy in set.policies() {
        let text = policy.to_string();
        let line = line_at(&source.text, source.text.find(&text).unwrap_or(0));
        let Some(id) = policy.annotation("id").filter(|id| !id.is_empty()) else {
            problems.push(place(line, "a rule needs a name, for the records: write @id(\"…\") before it"));
            continue;
        };
        let rule = Rule {
            id: id.to_owned(),
            permits: policy.effect() == Effect::Permit,
            meaning: policy.annotation("text").unwrap_or_default().to_owned(),
            file: source.name.clone(),
            line,
            text,
        };
        found.push((policy.new_id(PolicyId::new(id)), rule));
    }
    // In the order in which they stand.
    found.sort_by_key(|(_, rule)| rule.line);
    if problems.is_empty() { Ok(found) } else { Err(problems) }
}

/// Checks the rules against the schema, strictly; gives what is odd but not wrong.
fn validate(
    schema: &Schema,
    sources: &[Source],
    policies: &[Policy],
    rules: &[Rule],
) -> Result<Vec<String>, PolicyError> {
    let broken = |error: &dyn std::fmt::Display| PolicyError(vec![error.to_string()]);
    let mut set = PolicySet::new();
    for policy in policies {
        set.add(policy.clone()).map_err(|error| broken(&error))?;
    }
    let said = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
    let place = |id: &PolicyId, what: &dyn Diagnostic| {
        let id: &str = id.as_ref();
        let Some(rule) = rules.iter().find(|rule| rule.id == id) else {
            return what.to_string();
        };
        let text = sources.iter().find(|source| source.name == rule.file).map(|source| &source.text);
        let line = text.map_or(rule.line, |text| line_of(what, text).max(rule.line));
        format!("{}:{line}: {}", rule.file, with_help(what))
    };
    let errors: Vec<String> =
        said.validation_errors().map(|error| place(error.policy_id(), error)).collect();
    if errors.is_empty() {
        Ok(said.validation_warnings().map(|odd| place(odd.policy_id(), odd)).collect())
    } else {
        Err(PolicyError(errors))
    }
}

/// What is wrong and what would help, in one line.
fn with_help(problem: &dyn Diagnostic) -> String {
    let help = problem.help().map(|help| format!("; {help}")).unwrap_or_default();
    format!("{problem}{help}").replace('\n', " ")
}

/// The line that a problem points at.
fn line_of(problem: &dyn Diagnostic, text: &str) -> usize {
    let label = problem.labels().and_then(|mut labels| labels.next());
    line_at(text, label.map_or(0, |label| label.offset()))
}

fn line_at(text: &str, offset: usize) -> usize {
    text.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1
}
