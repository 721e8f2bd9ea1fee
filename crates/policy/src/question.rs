//! What is asked: who, to do what, about whom, in which circumstances. All borrowed: a question is
//! put together, asked and forgotten.

use std::collections::BTreeSet;

use vitals::Role;

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    /// Account name, as it is written in the policy and in care teams.
    pub name: &'a str,
    /// In which role.
    pub role: Role,
    /// `person` or `service`.
    pub kind: &'a str,
    /// The units it works with; none: the whole house.
    pub units: Option<&'a BTreeSet<String>>,
    /// For a patient's own account: that patient's id.
    pub patient: Option<&'a str>,
}

/// A patient whom the question is about.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The patient's id.
    pub id: &'a str,
    /// The unit where they lie, if that is known.
    pub unit: Option<&'a str>,
    /// Whether an encounter is in progress.
    pub in_encounter: bool,
    /// Accounts of the care team.
    pub care_team: &'a [&'a str],
    /// Accounts that the patient invited.
    pub caregivers: &'a [&'a str],
    /// Accounts that have them open in an emergency now.
    pub opened_by: &'a [&'a str],
    /// Kinds of data that consents keep from whoever asks, now and for this purpose.
    pub withheld: &'a [&'a str],
}

impl<'a> Subject<'a> {
    /// A patient of whom only the id is known.
    #[must_use]
    pub const fn unknown(id: &'a str) -> Self {
        Self {
            id,
            unit: None,
            in_encounter: false,
            care_team: &[],
            caregivers: &[],
            opened_by: &[],
            withheld: &[],
        }
    }
}

/// A device that the question is about.
#[derive(Debug, Clone, Copy)]
pub struct Thing<'a> {
    /// The device's id.
    pub id: &'a str,
    /// The unit where it is mounted, if it is.
    pub unit: Option<&'a str>,
    /// Its network zone; empty when there are none.
    pub zone: &'a str,
}

/// What the question is about.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// Nobody in particular: may the account do this at all?
    House,
    /// A patient.
    Patient(Subject<'a>),
    /// A device.
    Device(Thing<'a>),
}

/// In which circumstances.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Circumstances<'a> {
    /// A code of HL7 v3 PurposeOfUse.
    pub purpose: &'a str,
    /// Whether the request named that purpose; else it is the one of the role or of an emergency.
    pub stated: bool,
    /// Whether the account came in with a second factor or a passkey.
    pub strong: bool,
    /// The zone of the listener; empty when there are none.
    pub zone: &'a str,
    /// Kind of data.
    pub category: &'a str,
    /// Milliseconds since 1970. Rules see whole minutes.
    pub now_ms: i64,
}

/// One question.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who asks.
    pub asker: Asker<'a>,
    /// To do what: an action of the schema, which is a permission's name.
    pub action: &'a str,
    /// About whom.
    pub target: Target<'a>,
    /// In which circumstances.
    pub circumstances: Circumstances<'a>,
}
