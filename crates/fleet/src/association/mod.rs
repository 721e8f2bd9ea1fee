//! The guard against the wrong patient: whether a device may be put on somebody, by what people
//! scan and say at the bedside. Two identifiers of the patient must agree with the record, as The
//! Joint Commission's NPSG.01.01.01 asks (a room number is none), and what contradicts is said.

mod wristband;

use vitals::{DeviceId, MetricCode, Patient, PatientId};

pub use wristband::{Wristband, WristbandError, read as read_wristband};

/// What somebody says of a patient, to be held against the record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Family name.
    pub family: Option<String>,
    /// ISO date of birth.
    pub birth_date: Option<String>,
    /// Record number, or another business identifier.
    pub number: Option<String>,
}

/// How what was said fits the record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agreement {
    /// What agrees.
    pub agree: Vec<&'static str>,
    /// What contradicts.
    pub disagree: Vec<&'static str>,
    /// What the record does not have, so that nothing can be said.
    pub unknown: Vec<&'static str>,
}

impl Agreement {
    /// Whether it is this patient: two identifiers agree and none contradicts.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.disagree.is_empty() && self.agree.len() >= 2
    }

    /// Why it does not hold, for people; names no value.
    #[must_use]
    pub fn why(&self) -> String {
        if !self.disagree.is_empty() {
            return format!("{} is not what the record says: it may be another patient", self.disagree.join(" and "));
        }
        let missing = if self.unknown.is_empty() { "" } else { "; the record lacks " };
        format!("two identifiers must agree, {} does{missing}{}", self.agree.len(), self.unknown.join(" and "))
    }
}

impl Said {
    /// Holds what was said against the record.
    #[must_use]
    pub fn against(&self, patient: &Patient) -> Agreement {
        let mut agreement = Agreement::default();
        let family = (!patient.name.family.is_empty()).then_some(patient.name.family.as_str());
        judge(&mut agreement, "the family name", self.family.as_deref(), family.map(|f| move |said: &str| folded(said) == folded(f)));
        let birth = patient.birth_date.as_deref();
        judge(&mut agreement, "the date of birth", self.birth_date.as_deref(), birth.map(|b| move |said: &str| said.trim() == b));
        let numbers = &patient.identifiers;
        let known = (!numbers.is_empty()).then_some(|said: &str| numbers.iter().any(|one| one.value == said.trim()));
        judge(&mut agreement, "the record number", self.number.as_deref(), known);
        agreement
    }
}

fn judge(
    agreement: &mut Agreement,
    what: &'static str,
    said: Option<&str>,
    right: Option<impl Fn(&str) -> bool>,
) {
    let Some(said) = said.filter(|said| !said.trim().is_empty()) else { return };
    match right {
        None => agreement.unknown.push(what),
        Some(right) if right(said) => agreement.agree.push(what),
        Some(_) => agreement.disagree.push(what),
    }
}

fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

/// What may stand in the way of putting a device on a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Conflict {
    /// Nobody knows such a patient.
    UnknownPatient,
    /// What was scanned and said of the patient does not agree with the record.
    Identifiers,
    /// The patient has no encounter in progress.
    Discharged,
    /// The patient is known to have died.
    Deceased,
    /// The order names another device or another patient.
    Order,
    /// The device is on another patient.
    OnAnother,
    /// The patient has another device of the same kind.
    SameKind,
    /// The device is mounted at another bed.
    OtherBed,
    /// The device's label says that its time is over.
    Expired,
}

impl Conflict {
    /// Lower kebab-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownPatient => "unknown-patient",
            Self::Identifiers => "identifiers",
            Self::Discharged => "discharged",
            Self::Deceased => "deceased",
            Self::Order => "order",
            Self::OnAnother => "on-another",
            Self::SameKind => "same-kind",
            Self::OtherBed => "other-bed",
            Self::Expired => "expired",
        }
    }

    /// Whether somebody who has looked may go on all the same.
    #[must_use]
    pub const fn may_be_accepted(self) -> bool {
        matches!(self, Self::OnAnother | Self::SameKind | Self::OtherBed)
    }

    /// What it means and what to do.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::UnknownPatient => "no patient has this number: scan the wristband again",
            Self::Identifiers => "the patient's identifiers do not agree with the record",
            Self::Discharged => "the patient has no stay in progress: admit them first",
            Self::Deceased => "the patient is known to have died",
            Self::Order => "the order is for another device or another patient",
            Self::OnAnother => "the device is on another patient: take it off there first, or confirm that it was moved",
            Self::SameKind => "the patient has another device of this kind: take it off, or confirm that both stay",
            Self::OtherBed => "the device is mounted at another bed: confirm that it was moved",
            Self::Expired => "the device's label says that it may not be used any more",
        }
    }
}

/// All that is known where a device is to be put on somebody.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    /// The device.
    pub device: &'a DeviceId,
    /// What kind of device it is, if that is known.
    pub kind: Option<MetricCode>,
    /// On whom it is.
    pub on: Option<&'a PatientId>,
    /// Whether it is mounted at a bed where the patient is not.
    pub mounted_elsewhere: bool,
    /// Until when its label says that it may be used, `YYYY-MM-DD`.
    pub expires: Option<&'a str>,
    /// Today, `YYYY-MM-DD`.
    pub today: &'a str,
    /// The patient, if there is one.
    pub patient: Option<&'a Patient>,
    /// Whether the patient has an encounter in progress.
    pub present: bool,
    /// The patient's other devices, with their kinds.
    pub others: &'a [(DeviceId, Option<MetricCode>)],
    /// What was scanned and said of the patient.
    pub said: &'a Said,
    /// What an order names, where one was scanned.
    pub order: Option<(&'a str, &'a PatientId)>,
}

/// Everything that stands in the way, worst first; nothing: it may be done.
#[must_use]
pub fn conflicts(situation: &Situation<'_>) -> Vec<Conflict> {
    let Some(patient) = situation.patient else { return vec![Conflict::UnknownPatient] };
    let same_kind = |other: &(DeviceId, Option<MetricCode>)| {
        other.0 != *situation.device && other.1.is_some() && other.1 == situation.kind
    };
    let order = |(device, whose): (&str, &PatientId)| device != situation.device.as_str() || *whose != patient.id;
    let all = [
        (Conflict::Identifiers, !situation.said.against(patient).holds()),
        (Conflict::Discharged, !situation.present),
        (Conflict::Deceased, patient.deceased),
        (Conflict::Order, situation.order.is_some_and(order)),
        (Conflict::Expired, situation.expires.is_some_and(|until| until < situation.today)),
        (Conflict::OnAnother, situation.on.is_some_and(|on| *on != patient.id)),
        (Conflict::SameKind, situation.others.iter().any(same_kind)),
        (Conflict::OtherBed, situation.mounted_elsewhere),
    ];
    all.into_iter().filter_map(|(conflict, there)| there.then_some(conflict)).collect()
}

#[cfg(test)]
mod tests;
