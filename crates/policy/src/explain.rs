//! What would have to be different for a denied question to be allowed: each change by itself is
//! tried, and the policy asked again.

use std::collections::BTreeSet;

use vitals::Role;

use crate::decide::Policies;
use crate::question::{Question, Subject, Target};

/// One thing that could be different.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// The account is in another role.
    Role(Role),
    /// The patient's (or device's) unit is among the account's.
    Unit(String),
    /// The account works with the whole house.
    WholeHouse,
    /// The account is in the patient's care team.
    CareTeam,
    /// The account opened the patient in an emergency.
    BreakGlass,
    /// The patient invited the account.
    Invitation,
    /// No consent withholds this kind of data.
    Consent,
    /// The account came in with a second factor or a passkey.
    StrongFactor,
    /// The account asks for treatment.
    Treatment,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Role(role) => write!(f, "the role {}", role.name()),
            Self::Unit(unit) => write!(f, "the unit {unit} among the account's"),
            Self::WholeHouse => f.write_str("an account of the whole house"),
            Self::CareTeam => f.write_str("a place in the patient's care team"),
            Self::BreakGlass => f.write_str("an emergency access (break-glass)"),
            Self::Invitation => f.write_str("an invitation by the patient"),
            Self::Consent => f.write_str("a consent that does not withhold this kind of data"),
            Self::StrongFactor => f.write_str("a login with a second factor or a passkey"),
            Self::Treatment => f.write_str("treatment as the purpose"),
        }
    }
}

/// What a denied question lacks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wanting {
    /// Changes of which each would do by itself, roles last.
    pub any_of: Vec<Change>,
}

impl Policies {
    /// Which single changes would turn a denial into a permission. Empty when there is none, or when
    /// nothing is lacking.
    #[must_use]
    pub fn wanting(&self, question: &Question<'_>) -> Wanting {
        if self.decide(question).allowed {
            return Wanting::default();
        }
        let mut any_of = self.about_the_patient(question);
        any_of.extend(self.about_the_asker(question));
        for role in Role::ALL.into_iter().filter(|role| *role != question.asker.role) {
            let mut other = *question;
            other.asker.role = role;
            if self.decide(&other).allowed {
                any_of.push(Change::Role(role));
            }
        }
        Wanting { any_of }
    }

    fn about_the_patient<'a>(&self, question: &Question<'a>) -> Vec<Change> {
        let Target::Patient(subject) = question.target else { return Vec::new() };
        let with = |list: &[&'a str]| [list, &[question.asker.name]].concat();
        let (team, invited) = (with(subject.care_team), with(subject.caregivers));
        let opened = with(subject.opened_by);
        [
            (Change::CareTeam, Subject { care_team: &team, ..subject }),
            (Change::BreakGlass, Subject { opened_by: &opened, ..subject }),
            (Change::Invitation, Subject { caregivers: &invited, ..subject }),
            (Change::Consent, Subject { withheld: &[], ..subject }),
        ]
        .into_iter()
        .filter(|(_, other)| {
            self.decide(&Question { target: Target::Patient(*other), ..*question }).allowed
        })
        .map(|(change, _)| change)
        .collect()
    }

    fn about_the_asker(&self, question: &Question<'_>) -> Vec<Change> {
        let mut found = Vec::new();
        let mut other = *question;
        other.asker.units = None;
        if self.decide(&other).allowed {
            found.push(Change::WholeHouse);
        }
        let unit = match question.target {
            Target::Patient(subject) => subject.unit,
            Target::Device(thing) => thing.unit,
            Target::House => None,
        };
        if let (Some(units), Some(unit)) = (question.asker.units, unit) {
            let mut more: BTreeSet<String> = units.clone();
            more.insert(unit.to_owned());
            let mut other = *question;
            other.asker.units = Some(&more);
            if self.decide(&other).allowed {
                found.insert(0, Change::Unit(unit.to_owned()));
            }
        }
        let mut other = *question;
        other.circumstances.strong = true;
        if self.decide(&other).allowed {
            found.push(Change::StrongFactor);
        }
        let mut other = *question;
        other.circumstances.purpose = "TREAT";
        if self.decide(&other).allowed {
            found.push(Change::Treatment);
        }
        found
    }
}
