//! `patient/Observation.rs?category=…|laboratory`: whose data, of which type, to do what with,
//! and of that only what a search would find (SMART App Launch 2.2 § 3.0.2).

use std::fmt;

use super::ScopeError;
use super::evaluate::is_parameter;

/// Whose data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Of the one patient of the launch.
    Patient,
    /// All that the person may see.
    User,
    /// All that the service may see, without a person.
    System,
}

impl Level {
    const ALL: [(&'static str, Self); 3] =
        [("patient", Self::Patient), ("user", Self::User), ("system", Self::System)];

    /// Lower-case name.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, level)| *level == self).map_or("", |(name, _)| name)
    }
}

/// What is done with a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `c`
    Create,
    /// `r`: read, also versions and history of one.
    Read,
    /// `u`: update and patch.
    Update,
    /// `d`
    Delete,
    /// `s`: search.
    Search,
}

impl Action {
    /// Every action, in the order in which scopes write them.
    pub const ALL: [(char, Self); 5] = [
        ('c', Self::Create),
        ('r', Self::Read),
        ('u', Self::Update),
        ('d', Self::Delete),
        ('s', Self::Search),
    ];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Some actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Actions(u8);

impl Actions {
    /// Reads `rs`, `cruds`, or the words of SMART 1: `read`, `write`, `*`.
    fn parse(text: &str) -> Option<Self> {
        let letters = match text {
            "read" => "rs",
            "write" => "cud",
            "*" => "cruds",
            letters => letters,
        };
        let mut found = Self::default();
        let mut left = Action::ALL.iter();
        for letter in letters.chars() {
            // Only onwards: each once, and in order.
            let (_, action) = left.find(|(known, _)| *known == letter)?;
            found.0 |= action.bit();
        }
        (found.0 != 0).then_some(found)
    }

    /// Whether an action is among them.
    #[must_use]
    pub const fn has(self, action: Action) -> bool {
        self.0 & action.bit() != 0
    }

    const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl fmt::Display for Actions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = Action::ALL.iter().filter(|(_, action)| self.has(*action));
        letters.map(|(letter, _)| *letter).collect::<String>().fmt(f)
    }
}

/// A search parameter that resources have to match: one of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Criterion {
    /// Name of the parameter, such as `category`.
    pub parameter: String,
    /// Values as a search has them, separated by commas: `system|code`, `code`, `|code`, `system|`.
    pub value: String,
}

/// Data that an application may use.
#[derive(Debug, Clone)]
pub struct ResourceScope {
    /// Whose.
    pub level: Level,
    /// Type of resource; none: every type.
    pub resource: Option<String>,
    /// To do what.
    pub actions: Actions,
    /// Only those resources that match all of these.
    pub criteria: Vec<Criterion>,
    /// As it was asked for.
    written: String,
}

impl PartialEq for ResourceScope {
    /// The same right, however it is written.
    fn eq(&self, other: &Self) -> bool {
        (self.level, &self.resource, self.actions, &self.criteria)
            == (other.level, &other.resource, other.actions, &other.criteria)
    }
}

impl Eq for ResourceScope {}

/// One way in which something is allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule<'a> {
    /// Whose data.
    pub level: Level,
    /// What they have to match, all of it.
    pub criteria: &'a [Criterion],
}

impl ResourceScope {
    /// Reads one.
    ///
    /// # Errors
    /// [`ScopeError`].
    pub fn parse(text: &str) -> Result<Self, ScopeError> {
        // RFC 6749 § 3.3: what a scope may be written with.
        if !text.bytes().all(|b| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e)) {
            return Err(ScopeError::Unknown);
        }
        let (level, rest) = text.split_once('/').ok_or(ScopeError::Unknown)?;
        let level = Level::ALL.iter().find(|(name, _)| *name == level);
        let (_, level) = level.ok_or(ScopeError::Unknown)?;
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let (resource, actions) = rest.split_once('.').ok_or(ScopeError::Actions)?;
        let resource = match resource {
            "*" => None,
            name if is_type(name) => Some(name.to_owned()),
            _ => return Err(ScopeError::Resource),
        };
        let criteria = query.map_or(Ok(Vec::new()), |query| criteria(resource.as_deref(), query))?;
        let actions = match (Actions::parse(actions), actions) {
            // The words of SMART 1 know no parameters.
            (_, "read" | "write" | "*") if query.is_some() => return Err(ScopeError::Actions),
            (found, _) => found.ok_or(ScopeError::Actions)?,
        };
        Ok(Self { level: *level, resource, actions, criteria, written: text.to_owned() })
    }

    /// What of it others allow too.
    pub(super) fn within<'a>(&self, allowed: impl Iterator<Item = &'a Self>) -> Vec<Self> {
        let shared: Vec<Self> = allowed.filter_map(|other| self.and(other)).collect();
        if shared.contains(self) { vec![self.clone()] } else { shared }
    }

    /// What two scopes have in common.
    fn and(&self, other: &Self) -> Option<Self> {
        let actions = self.actions.and(other.actions);
        let resource = match (&self.resource, &other.resource) {
            (Some(mine), Some(theirs)) if mine != theirs => return None,
            (mine, theirs) => mine.clone().or(theirs.clone()),
        };
        if self.level != other.level || actions == Actions::default() {
            return None;
        }
        let mut criteria = self.criteria.clone();
        criteria.extend(other.criteria.iter().filter(|c| !self.criteria.contains(c)).cloned());
        let mut both = Self { level: self.level, resource, actions, criteria, written: String::new() };
        both.written = if both == *self { self.written.clone() } else { both.canonical() };
        Some(both)
    }

    fn canonical(&self) -> String {
        let resource = self.resource.as_deref().unwrap_or("*");
        let mut text = format!("{}/{resource}.{}", self.level.name(), self.actions);
        for (place, criterion) in self.criteria.iter().enumerate() {
            let mark = if place == 0 { '?' } else { '&' };
            text.push_str(&format!("{mark}{}={}", criterion.parameter, encoded(&criterion.value)));
        }
        text
    }

    /// How it allows an action on a type of resource, if it does.
    pub(super) fn rule(&self, action: Action, resource: &str) -> Option<Rule<'_>> {
        let of_type = self.resource.as_deref().is_none_or(|own| own == resource);
        let allowed = of_type && self.actions.has(action);
        allowed.then_some(Rule { level: self.level, criteria: &self.criteria })
    }
}

impl fmt::Display for ResourceScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.written)
    }
}

/// A value as it can stand in a scope (RFC 6749 § 3.3).
fn encoded(value: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~|:/,".contains(&b);
    value.bytes().fold(String::new(), |mut text, b| {
        if plain(b) {
            text.push(char::from(b));
        } else {
            text.push_str(&format!("%{b:02X}"));
        }
        text
    })
}

fn is_type(name: &str) -> bool {
    name.len() <= 64
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|b| b.is_ascii_alphabetic())
}

/// Criteria of a scope; there has to be at least one, and each understood: a criterion that was
/// left out would widen the scope.
fn criteria(resource: Option<&str>, query: &str) -> Result<Vec<Criterion>, ScopeError> {
    let mut found = Vec::new();
    for (parameter, value) in form_urlencoded::parse(query.as_bytes()) {
        let printable = !value.is_empty() && !value.chars().any(char::is_control);
        if !printable || !is_parameter(resource, &parameter) {
            return Err(ScopeError::Parameter);
        }
        found.push(Criterion { parameter: parameter.into_owned(), value: value.into_owned() });
    }
    if found.is_empty() { Err(ScopeError::Parameter) } else { Ok(found) }
}
