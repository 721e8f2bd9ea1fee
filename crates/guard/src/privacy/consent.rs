//! What a patient agreed to, as rules that can be asked: a pure function of the rules and of who
//! wants to see what for which purpose and when. No database, no clock, no FHIR.
//!
//! A consent is a base stance with exceptions, nested as deep as FHIR R4 nests
//! `Consent.provision` (R4 Consent, "Provision structure"): a rule speaks only where all of its
//! conditions hold, and an exception that speaks takes the word from the rule around it. Where two
//! rules of one level speak, a refusal wins. Between several consents a refusal wins, too.

use serde::{Deserialize, Serialize};
use vitals::{ReceiveTime, Role};

use super::category::{Categories, Category};
use crate::Units;

/// Exceptions nested deeper than this are not taken.
pub const DEPTH_MAX: usize = 8;
/// Rules of one consent.
pub const RULES_MAX: usize = 200;

/// What somebody wants the data for: HL7 v3 PurposeOfUse (code system v3-ActReason).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Purpose {
    /// Treatment.
    Treat,
    /// Treatment in an emergency: break-glass. What is said of treatment is said of it as well,
    /// unless a rule names it.
    Etreat,
    /// Research.
    Hresch,
    /// Operations of the house.
    Hoperat,
    /// Family request: what caregivers ask for.
    Famrqt,
    /// Patient request: what the patients themselves ask for.
    Patrqt,
    /// Payment.
    Hpaymt,
    /// Public health.
    Pubhlth,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 8] = [
        Self::Treat,
        Self::Etreat,
        Self::Hresch,
        Self::Hoperat,
        Self::Famrqt,
        Self::Patrqt,
        Self::Hpaymt,
        Self::Pubhlth,
    ];

    /// The code of v3-ActReason.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Treat => "TREAT",
            Self::Etreat => "ETREAT",
            Self::Hresch => "HRESCH",
            Self::Hoperat => "HOPERAT",
            Self::Famrqt => "FAMRQT",
            Self::Patrqt => "PATRQT",
            Self::Hpaymt => "HPAYMT",
            Self::Pubhlth => "PUBHLTH",
        }
    }

    /// The purpose of that code; `BTG` (break the glass) is treatment in an emergency.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        if code == "BTG" {
            return Some(Self::Etreat);
        }
        Self::ALL.into_iter().find(|purpose| purpose.code() == code)
    }

    /// What a role usually asks for.
    #[must_use]
    pub const fn of_role(role: Role) -> Self {
        match role {
            Role::Researcher => Self::Hresch,
            Role::Operations | Role::Engineer | Role::Administrator | Role::SecurityOfficer => Self::Hoperat,
            Role::Patient => Self::Patrqt,
            Role::Caregiver => Self::Famrqt,
            _ => Self::Treat,
        }
    }
}

/// Whom a rule is about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Recipient {
    /// One account.
    Account(String),
    /// Everybody in a role.
    Role(String),
    /// The patient's care team.
    CareTeam,
    /// Everybody who works with a unit.
    Unit(String),
    /// Everybody who works here: all but patients and caregivers.
    Organisation,
}

/// From when to when, in microseconds since 1970; an open end is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Span {
    /// First moment.
    pub from_us: Option<i64>,
    /// First moment after.
    pub until_us: Option<i64>,
}

impl Span {
    /// Whether a moment is in it.
    #[must_use]
    pub fn has(self, at_us: i64) -> bool {
        self.from_us.is_none_or(|from| from <= at_us) && self.until_us.is_none_or(|until| at_us < until)
    }

    /// Whether any moment is in both.
    fn meets(self, other: Self) -> bool {
        let before = |a: Self, b: Self| a.until_us.zip(b.from_us).is_some_and(|(until, from)| until <= from);
        !before(self, other) && !before(other, self)
    }

    /// Whether every moment of the other is in it.
    fn holds(self, other: Self) -> bool {
        let from = self.from_us.is_none_or(|from| other.from_us.is_some_and(|other| from <= other));
        let until = self.until_us.is_none_or(|until| other.until_us.is_some_and(|other| other <= until));
        from && until
    }
}

/// One rule: what it says where all of its conditions hold. A condition that names nothing holds
/// always.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provision {
    /// Whether it permits; else it denies.
    pub permit: bool,
    /// When the rule is in force.
    #[serde(default)]
    pub period: Span,
    /// Of which time the data are that it speaks of.
    #[serde(default)]
    pub data: Span,
    /// Of which categories.
    #[serde(default)]
    pub categories: Vec<Category>,
    /// Whom it is about.
    #[serde(default)]
    pub recipients: Vec<Recipient>,
    /// For which purposes.
    #[serde(default)]
    pub purposes: Vec<Purpose>,
    /// What takes the word from it.
    #[serde(default)]
    pub exceptions: Vec<Provision>,
}

impl Provision {
    /// A rule without any condition.
    #[must_use]
    pub fn base(permit: bool) -> Self {
        Self {
            permit,
            period: Span::default(),
            data: Span::default(),
            categories: Vec::new(),
            recipients: Vec::new(),
            purposes: Vec::new(),
            exceptions: Vec::new(),
        }
    }

    /// How many rules it is with all its exceptions, and how deep they are nested.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        self.exceptions.iter().map(Self::size).fold((1, 1), |(count, depth), (more, deeper)| {
            (count + more, depth.max(deeper + 1))
        })
    }
}

/// A consent in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// Its id, as in `/fhir/Consent/{id}`.
    pub id: String,
    /// The base rule.
    pub provision: Provision,
}

/// Who asks, what for, and when.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Account name.
    pub account: &'a str,
    /// In which role.
    pub role: Role,
    /// The account's units.
    pub units: &'a Units,
    /// Whether the account is in the patient's care team.
    pub in_care_team: bool,
    /// What for.
    pub purpose: Purpose,
    /// Now.
    pub at: ReceiveTime,
    /// Of which time the data are; none: of any.
    pub data: Option<Span>,
}

/// What the consents say of one category.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// None speaks of it: the house's stance holds.
    Silent,
    /// This consent permits it, and none denies it.
    Permitted(&'a str),
    /// This consent denies it.
    Denied(&'a str),
}

/// What consents say. Pure; about a microsecond for a handful of rules.
#[must_use]
pub fn ask<'a>(consents: &'a [Consent], question: &Question<'_>, category: Category) -> Verdict<'a> {
    let mut verdict = Verdict::Silent;
    // A consent that names the emergency speaks before those that only speak of treatment.
    let mut named = false;
    for consent in consents {
        let Some(said) = says(&consent.provision, question, category) else { continue };
        if named && !said.names_purpose {
            continue;
        }
        if said.names_purpose && !named && question.purpose == Purpose::Etreat {
            named = true;
            verdict = Verdict::Silent;
        }
        match (said.permit, verdict) {
            (false, Verdict::Silent | Verdict::Permitted(_)) => verdict = Verdict::Denied(&consent.id),
            (true, Verdict::Silent) => verdict = Verdict::Permitted(&consent.id),
            _ => {}
        }
    }
    verdict
}

/// What a rule says, and whether it named the question's purpose itself.
#[derive(Clone, Copy)]
struct Said {
    permit: bool,
    names_purpose: bool,
}

fn says(rule: &Provision, question: &Question<'_>, category: Category) -> Option<Said> {
    if !speaks(rule, question, category) {
        return None;
    }
    let own = Said { permit: rule.permit, names_purpose: rule.purposes.contains(&question.purpose) };
    let spoken: Vec<Said> =
        rule.exceptions.iter().filter_map(|exception| says(exception, question, category)).collect();
    let emergency = question.purpose == Purpose::Etreat && spoken.iter().any(|said| said.names_purpose);
    let heard = spoken.into_iter().filter(|said| !emergency || said.names_purpose);
    heard.reduce(|a, b| Said { permit: a.permit && b.permit, names_purpose: a.names_purpose || b.names_purpose })
        .or(Some(own))
}

fn speaks(rule: &Provision, question: &Question<'_>, category: Category) -> bool {
    let of = rule.categories.is_empty() || rule.categories.contains(&category);
    let whom = rule.recipients.is_empty() || rule.recipients.iter().any(|one| is(one, question));
    let what_for = rule.purposes.is_empty() || rule.purposes.iter().any(|one| covers(*one, question.purpose));
    of && whom && what_for && rule.period.has(question.at.micros()) && reaches(rule, question.data)
}

/// A refusal reaches data of which any may be meant, a permission only those that surely are.
fn reaches(rule: &Provision, data: Option<Span>) -> bool {
    if rule.data == Span::default() {
        return true;
    }
    let asked = data.unwrap_or_default();
    if rule.permit { rule.data.holds(asked) } else { rule.data.meets(asked) }
}

fn covers(named: Purpose, asked: Purpose) -> bool {
    named == asked || (named == Purpose::Treat && asked == Purpose::Etreat)
}

fn is(recipient: &Recipient, question: &Question<'_>) -> bool {
    match recipient {
        Recipient::Account(name) => name.eq_ignore_ascii_case(question.account),
        Recipient::Role(role) => role == question.role.name(),
        Recipient::CareTeam => question.in_care_team,
        Recipient::Unit(unit) => question.units.hold(Some(unit)),
        Recipient::Organisation => !matches!(question.role, Role::Patient | Role::Caregiver),
    }
}

/// What the house does where no consent speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stance {
    /// Treatment, operations and what the patients themselves ask for.
    pub treatment: bool,
    /// Research.
    pub research: bool,
    /// Whether an emergency opens what a consent denies without a word on emergencies.
    pub emergency_overrides: bool,
}

impl Default for Stance {
    /// Treatment without a consent, research only with one, and a refusal that does not speak of
    /// emergencies holds in them, too.
    fn default() -> Self {
        Self { treatment: true, research: false, emergency_overrides: false }
    }
}

/// Which categories may be seen.
#[must_use]
pub fn seen(consents: &[Consent], question: &Question<'_>, stance: Stance) -> Categories {
    let silent = match question.purpose {
        Purpose::Hresch | Purpose::Hpaymt | Purpose::Pubhlth => stance.research,
        Purpose::Patrqt => true,
        _ => stance.treatment,
    };
    if consents.is_empty() {
        return if silent { Categories::ALL } else { Categories::NONE };
    }
    let one = |category: &Category| match ask(consents, question, *category) {
        Verdict::Silent => silent,
        Verdict::Permitted(_) => true,
        Verdict::Denied(_) => question.purpose == Purpose::Etreat && stance.emergency_overrides,
    };
    Category::ALL.into_iter().filter(one).collect()
}
