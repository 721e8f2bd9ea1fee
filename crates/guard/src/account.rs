//! Accounts: who somebody is. What they may do is in `permission`.

use std::collections::BTreeSet;

use vitals::{Actor, PatientId, Role};

use crate::GuardError;

/// Whoever came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Account name, unique without regard to case.
    pub name: String,
    /// In which role.
    pub role: Role,
    /// What it is.
    pub kind: Kind,
    /// The units whose patients it works with.
    pub units: Units,
    /// For a patient's own account: who that is.
    pub patient: Option<PatientId>,
}

/// Units of an account, by the unit name that locations carry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Units {
    /// The whole house.
    #[default]
    All,
    /// These alone.
    Of(BTreeSet<String>),
}

impl Units {
    /// Whether a unit is among them; a patient whose unit is not known is in none but the whole house.
    #[must_use]
    pub fn hold(&self, unit: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Of(units) => unit.is_some_and(|unit| units.contains(unit)),
        }
    }
}

impl<T: Into<String>> FromIterator<T> for Units {
    /// These alone; the whole house when none is named.
    fn from_iter<I: IntoIterator<Item = T>>(names: I) -> Self {
        let names: BTreeSet<String> = names.into_iter().map(Into::into).collect();
        if names.is_empty() { Self::All } else { Self::Of(names) }
    }
}

impl std::fmt::Display for Units {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::All => f.write_str("the whole house"),
            Self::Of(names) => {
                f.write_str(&names.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// What an account is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A person with a password.
    Person,
    /// A program with a token.
    Service,
    /// Everybody, when authentication is off (`--open`).
    Trial,
}

impl Kind {
    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Service => "service",
            Self::Trial => "trial",
        }
    }
}

impl Account {
    /// Everybody, when authentication is off.
    #[must_use]
    pub fn trial() -> Self {
        Self::new("trial", Role::Administrator, Kind::Trial)
    }

    /// An account of the whole house.
    #[must_use]
    pub fn new(name: &str, role: Role, kind: Kind) -> Self {
        Self { name: name.to_owned(), role, kind, units: Units::All, patient: None }
    }

    /// The account as the journal names whoever did something.
    #[must_use]
    pub fn actor(&self) -> Actor {
        Actor { name: self.name.clone(), role: self.role }
    }
}

/// Names that would be mistaken for something else in the audit log.
const RESERVED: [&str; 4] = ["system", "trial", "unknown", "anonymous"];

/// Begins the name under which the audit log knows whoever administers on the command line.
pub(crate) const LOCAL: &str = "local-";

/// Checks a new account's name.
pub(crate) fn check_name(name: &str) -> Result<(), GuardError> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'@');
    let fits = (1..=64).contains(&name.len()) && name.bytes().all(allowed);
    let local = name.get(..LOCAL.len()).is_some_and(|start| start.eq_ignore_ascii_case(LOCAL));
    if fits && !local && !RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved)) {
        Ok(())
    } else {
        Err(GuardError::BadName)
    }
}

/// Most units of one account.
const UNITS_MAX: usize = 64;

/// Checks the names of an account's units: texts as locations carry them.
pub(crate) fn check_units(units: &Units) -> Result<(), GuardError> {
    let Units::Of(names) = units else { return Ok(()) };
    let good = |name: &String| {
        (1..=64).contains(&name.len()) && name.trim() == name && !name.chars().any(char::is_control)
    };
    if names.len() <= UNITS_MAX && names.iter().all(good) { Ok(()) } else { Err(GuardError::BadUnit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain_and_not_reserved() {
        for (name, good) in [
            ("ada", true),
            ("ada.lovelace@ward-3_b", true),
            ("", false),
            ("a b", false),
            ("a\nb", false),
            ("\"", false),
            ("System", false),
            ("trial", false),
            ("Local-uid-0", false),
            ("local", true),
            ("é", false),
        ] {
            assert_eq!(check_name(name).is_ok(), good, "{name:?}");
        }
        assert!(check_name(&"x".repeat(65)).is_err());
    }
}
