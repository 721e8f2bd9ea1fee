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
