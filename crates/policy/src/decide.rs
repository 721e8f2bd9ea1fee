//! Questions decided. Rules are sorted beforehand by the roles and actions that their heads name, so
//! that a question meets only those that may speak of it.

use std::collections::HashMap;
use std::sync::Arc;

use cedar_policy::{
    ActionConstraint, Authorizer, Decision, Entities, Entity, EntityUid, Policy, PolicySet,
    PrincipalConstraint, Schema,
};
use vitals::Role;

use crate::entities;
use crate::load::{self, PolicyError, Rule, Source};
use crate::question::Question;

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Whether it is allowed.
    pub allowed: bool,
    /// The rules that decided, by `@id`: those that permit it, or those that forbid it. Empty when it
    /// is denied because no rule permits it.
    pub rules: Vec<Arc<str>>,
}

impl Verdict {
    const NOTHING_PERMITS: Self = Self { allowed: false, rules: Vec::new() };
}

/// The rules in force.
pub struct Policies {
    schema: Schema,
    /// Every action with the groups that it is in, and what it can be asked of.
    actions: HashMap<String, Act>,
    rules: Vec<Rule>,
    names: HashMap<String, Arc<str>>,
    warnings: Vec<String>,
    authorizer: Authorizer,
}

struct Act {
    entity: Entity,
    /// The rules that may speak when somebody in the role asks, in the order of [`Role::ALL`].
    by_role: Vec<PolicySet>,
}

impl std::fmt::Debug for Policies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Policies").field("rules", &self.rules.len()).finish_non_exhaustive()
    }
}

impl Policies {
    /// The built-in policy.
    ///
    /// # Errors
    /// None: a test reads it.
    pub fn built_in() -> Result<Self, PolicyError> {
        Self::load(&[Source::built_in()])
    }

    /// Reads policies, checks them against the schema, and makes them ready to be asked.
    ///
    /// # Errors
    /// [`PolicyError`] with file, line and reason of everything that is wrong.
    pub fn load(sources: &[Source]) -> Result<Self, PolicyError> {
        let loaded = load::load(sources)?;
        let broken = |error: &dyn std::fmt::Display| PolicyError(vec![format!("schema: {error}")]);
        let known = loaded.schema.action_entities().map_err(|error| broken(&error))?;
        let mut actions = HashMap::new();
        for entity in known.iter() {
            let uid = entity.uid();
            let mut by_role = Vec::with_capacity(Role::ALL.len());
            for role in Role::ALL {
                let mut set = PolicySet::new();
                let speaking = loaded.policies.iter().filter(|policy| {
                    may_be_asked_by(policy, role) && may_speak_of(policy, &uid, &known)
                });
                for policy in speaking {
                    set.add(policy.clone()).map_err(|error| broken(&error))?;
                }
                by_role.push(set);
            }
            let name: &str = uid.id().as_ref();
            actions.insert(name.to_owned(), Act { entity: entity.clone(), by_role });
        }
        let names = loaded.rules.iter().map(|rule| (rule.id.clone(), rule.id.as_str().into()));
        Ok(Self {
            names: names.collect(),
            schema: loaded.schema,
            actions,
            rules: loaded.rules,
            warnings: loaded.warnings,
            authorizer: Authorizer::new(),
        })
    }

    /// Every rule, in the order in which they stand.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule of that `@id`.
    #[must_use]
    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// What is odd in the texts but not wrong: `file:line: reason`.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The actions that are no groups, by name.
    #[must_use]
    pub fn actions(&self) -> Vec<&str> {
        let groups: Vec<&EntityUid> = self.schema.action_groups().collect();
        let single = |act: &&Act| !groups.contains(&&act.entity.uid());
        let found = self.actions.iter().filter(|(_, act)| single(act));
        let mut names: Vec<&str> = found.map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names
    }

    /// Decides. What is not permitted is denied; so is whatever can't be asked or evaluated, for a
    /// rule that fails could have been one that forbids.
    #[must_use]
    pub fn decide(&self, question: &Question<'_>) -> Verdict {
        self.decided(question, None).unwrap_or(Verdict::NOTHING_PERMITS)
    }

    /// The same with the question itself checked against the schema: for tests, and for questions
    /// that people put together.
    ///
    /// # Errors
    /// What the schema has no place for, such as a device of which one is to see alerts.
    pub fn decide_checked(&self, question: &Question<'_>) -> Result<Verdict, String> {
        self.decided(question, Some(&self.schema))
    }

    fn decided(&self, question: &Question<'_>, schema: Option<&Schema>) -> Result<Verdict, String> {
        let act = self
            .actions
            .get(question.action)
            .ok_or_else(|| format!("there is no action {:?}", question.action))?;
        let place = Role::ALL.iter().position(|role| *role == question.asker.role).unwrap_or(0);
        let (request, entities) =
            entities::asked(question, &act.entity, schema).map_err(|error| error.to_string())?;
        let answer = self.authorizer.is_authorized(&request, &act.by_role[place], &entities);
        let diagnostics = answer.diagnostics();
        if let Some(error) = diagnostics.errors().next() {
            return Err(error.to_string());
        }
        let mut rules: Vec<Arc<str>> = diagnostics
            .reason()
            .filter_map(|id| { let id: &str = id.as_ref(); self.names.get(id).cloned() })
            .collect();
        rules.sort_unstable();
        Ok(Verdict { allowed: answer.decision() == Decision::Allow, rules })
    }
}

/// Whether a rule's head lets it speak when somebody in the role asks.
fn may_be_asked_by(policy: &Policy, role: Role) -> bool {
    let named = match policy.principal_constraint() {
        PrincipalConstraint::In(uid) | PrincipalConstraint::IsIn(_, uid) => uid,
        _ => return true,
    };
    // `in` is true of the account itself, too: only another role is left out.
    named == *entities::role(role) || named.type_name() != entities::role(role).type_name()
}

/// Whether a rule's head lets it speak of an action.
fn may_speak_of(policy: &Policy, action: &EntityUid, known: &Entities) -> bool {
    let within = |named: &EntityUid| {
        named == action
            || known.ancestors(action).is_some_and(|mut above| above.any(|group| group == named))
    };
    match policy.action_constraint() {
        ActionConstraint::Any => true,
        ActionConstraint::Eq(named) => named == *action,
        ActionConstraint::In(named) => named.iter().any(within),
    }
}
