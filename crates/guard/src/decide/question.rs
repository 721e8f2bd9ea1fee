//! Questions put together, and written down as the key under which their answers are remembered.

use std::cell::RefCell;

use policy::{Asker, Circumstances, Question, Subject, Thing};
use vitals::{PatientId, ReceiveTime, Role};

use super::rules::InForce;
use super::{Asking, Target};
use crate::privacy::{Categories, Category};
use crate::{Permission, Units};

const MINUTE_MS: i64 = 60_000;

/// Circumstances in which nothing is special.
pub(crate) const QUIET: Circumstances<'_> =
    Circumstances { purpose: "TREAT", stated: false, strong: true, zone: "", category: "demographics", now_ms: 0 };

/// What the rules look at of a patient's facts, as of now and for one asker.
#[derive(Default)]
pub(super) struct Related<'a> {
    pub(super) care_team: Vec<&'a str>,
    pub(super) caregivers: Vec<&'a str>,
    pub(super) opened_by: Vec<&'a str>,
    pub(super) withheld: Categories,
    pub(super) purpose: &'static str,
    /// Whether the request named the purpose.
    pub(super) stated: bool,
}

/// Puts a question together and asks it.
pub(super) fn asked<T>(
    asking: Asking<'_>,
    permission: Permission,
    target: Target<'_>,
    category: Category,
    now: ReceiveTime,
    related: &Related<'_>,
    ask: impl FnOnce(&Question<'_>) -> T,
) -> T {
    let account = asking.account;
    let withheld: Vec<&str> = related.withheld.iter().map(Category::name).collect();
    let target = match target {
        Target::House => policy::Target::House,
        Target::Patient { id, unit, in_encounter } => policy::Target::Patient(Subject {
            id: id.as_str(),
            unit,
            in_encounter,
            care_team: &related.care_team,
            caregivers: &related.caregivers,
            opened_by: &related.opened_by,
            withheld: &withheld,
        }),
        Target::Device { id, unit, zone } => {
            policy::Target::Device(Thing { id: id.as_str(), unit, zone })
        }
    };
    ask(&Question {
        asker: Asker {
            name: &account.name,
            role: account.role,
            kind: account.kind.name(),
            units: match &account.units {
                Units::All => None,
                Units::Of(units) => Some(units),
            },
            patient: account.patient.as_ref().map(PatientId::as_str),
        },
        action: permission.name(),
        target,
        circumstances: Circumstances {
            purpose: related.purpose,
            stated: related.stated,
            strong: asking.strong,
            zone: asking.zone,
            category: category.name(),
            now_ms: now.millis(),
        },
    })
}

thread_local! {
    static KEY: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Makes the key under which an answer is remembered.
#[expect(clippy::too_many_arguments, reason = "everything that decides, and nothing else")]
pub(super) fn keyed<T>(
    rules: &InForce,
    asking: Asking<'_>,
    permission: Permission,
    target: Target<'_>,
    category: u8,
    related: &Related<'_>,
    now: ReceiveTime,
    then: impl FnOnce(&[u8]) -> T,
) -> T {
    KEY.with_borrow_mut(|key| {
        key.clear();
        describe(key, asking, permission, target, category, related, rules.relational);
        let minute = if rules.timely { now.millis().div_euclid(MINUTE_MS) } else { 0 };
        key.extend_from_slice(&minute.to_le_bytes());
        then(key)
    })
}

/// Writes down everything that rules can look at but the time, each text with its length before it,
/// so that no two questions are written alike.
fn describe(
    key: &mut Vec<u8>,
    asking: Asking<'_>,
    permission: Permission,
    target: Target<'_>,
    category: u8,
    related: &Related<'_>,
    relational: bool,
) {
    let account = asking.account;
    let role = Role::ALL.iter().position(|role| *role == account.role).unwrap_or(usize::MAX);
    key.extend_from_slice(&[
        permission as u8,
        role as u8,
        account.kind as u8,
        u8::from(asking.strong),
        category,
        related.withheld.bits(),
        u8::from(related.stated),
    ]);
    text(key, asking.zone);
    text(key, related.purpose);
    key.push(u8::from(account.patient.is_some()));
    if !relational {
        text(key, &account.name);
        text(key, account.patient.as_ref().map_or("", |id| id.as_str()));
    }
    match &account.units {
        Units::All => key.push(0),
        Units::Of(units) => {
            key.push(1);
            list(key, units.iter().map(String::as_str));
        }
    }
    let unit = |key: &mut Vec<u8>, unit: Option<&str>| {
        key.push(u8::from(unit.is_some()));
        text(key, unit.unwrap_or_default());
    };
    match target {
        Target::House => key.push(0),
        Target::Patient { id, unit: of, in_encounter } => {
            key.extend_from_slice(&[1, u8::from(in_encounter)]);
            unit(key, of);
            let names = [&related.care_team, &related.caregivers, &related.opened_by];
            if relational {
                key.push(u8::from(account.patient.as_ref() == Some(id)));
                let own = account.name.as_str();
                key.extend(names.map(|names| u8::from(names.contains(&own))));
            } else {
                text(key, id.as_str());
                names.iter().for_each(|names| list(key, names.iter().copied()));
            }
        }
        Target::Device { id, unit: of, zone } => {
            key.push(2);
            if !relational {
                text(key, id.as_str());
            }
            unit(key, of);
            text(key, zone);
        }
    }
}

fn text(key: &mut Vec<u8>, text: &str) {
    key.extend_from_slice(&(text.len() as u32).to_le_bytes());
    key.extend_from_slice(text.as_bytes());
}

fn list<'a>(key: &mut Vec<u8>, names: impl Iterator<Item = &'a str>) {
    for name in names {
        key.push(1);
        text(key, name);
    }
    key.push(0);
}
