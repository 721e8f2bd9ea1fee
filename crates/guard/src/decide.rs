//! The access policy asked: who wants to do what to whom, and what the rules say of it. Answers are
//! remembered by everything that the rules could look at, so a remembered answer is never an old
//! one: whoever is put into another unit, care team or consent asks another question.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use parking_lot::RwLock;
use policy::{Asker, Change, Circumstances, Policies, PolicyError, Question, Source, Subject, Thing};
use vitals::{DeviceId, PatientId, ReceiveTime, Role};

use crate::privacy::{Categories, Category, Opened, PatientFacts, Purpose};
use crate::{Account, Guard, Kind, Permission, Units};

/// Answers remembered at most; then all are forgotten. About 250 bytes each.
const REMEMBERED_MAX: usize = 32_768;
/// Largest policy file, in bytes.
const FILE_MAX: u64 = 1 << 20;
const MINUTE_MS: i64 = 60_000;

/// Circumstances in which nothing is special.
pub(crate) const QUIET: Circumstances<'_> =
    Circumstances { purpose: "TREAT", strong: true, zone: "", category: "demographics", now_ms: 0 };

/// The built-in policy.
pub(crate) fn built_in() -> &'static Policies {
    &BUILT_IN.policies
}

static BUILT_IN: LazyLock<Arc<InForce>> = LazyLock::new(|| {
    Arc::new(InForce::new(Policies::built_in().expect("a test reads the built-in policy")))
});

/// Who asks, and how they came in.
#[derive(Debug, Clone, Copy)]
pub struct Asking<'a> {
    /// The account.
    pub account: &'a Account,
    /// Whether with a second factor or a passkey.
    pub strong: bool,
    /// Through a listener of which zone; empty when there are none.
    pub zone: &'a str,
}

impl<'a> Asking<'a> {
    /// An account of which nothing more is known.
    #[must_use]
    pub const fn plainly(account: &'a Account) -> Self {
        Self { account, strong: false, zone: "" }
    }
}

/// Whom or what it is about.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// Nobody in particular: may the account do this at all?
    House,
    /// A patient, known or not.
    Patient {
        /// Id.
        id: &'a PatientId,
        /// The unit where they lie, if that is known.
        unit: Option<&'a str>,
        /// Whether an encounter is in progress.
        in_encounter: bool,
    },
    /// A device.
    Device {
        /// Id.
        id: &'a DeviceId,
        /// The unit where it is mounted, if it is.
        unit: Option<&'a str>,
        /// Its zone; empty when there are none.
        zone: &'a str,
    },
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is allowed.
    pub allowed: bool,
    /// The rules that decided, by `@id`; empty when no rule permits it.
    pub rules: Arc<[Arc<str>]>,
    /// For what it was asked: a code of HL7 v3 PurposeOfUse.
    pub purpose: &'static str,
}

/// The rules in force with what was asked of them.
struct InForce {
    policies: Policies,
    /// Whether a rule looks at the clock: then answers hold for a minute.
    timely: bool,
    /// Whether the rules look at relations only and at nobody by name: then accounts and patients
    /// that stand alike to each other share an answer.
    relational: bool,
    answers: Remembered<Decision>,
    kinds: Remembered<Categories>,
}

/// Answers by all that decided them.
struct Remembered<T>(RwLock<HashMap<Box<[u8]>, T>>);

impl<T: Clone> Remembered<T> {
    fn or_ask(&self, key: &[u8], ask: impl FnOnce() -> T) -> T {
        if let Some(known) = self.0.read().get(key) {
            return known.clone();
        }
        let answer = ask();
        let mut answers = self.0.write();
        if answers.len() >= REMEMBERED_MAX {
            answers.clear();
        }
        answers.insert(key.into(), answer.clone());
        answer
    }
}

impl InForce {
    fn new(policies: Policies) -> Self {
        let timely = policies.rules().iter().any(|rule| rule.text.contains("now"));
        let relational = policies.rules().iter().all(|rule| looks_at_relations(&rule.text));
        let (answers, kinds) = (Remembered(RwLock::default()), Remembered(RwLock::default()));
        Self { policies, timely, relational, answers, kinds }
    }
}

impl InForce {
    fn ask(
        &self,
        asking: Asking<'_>,
        permission: Permission,
        target: Target<'_>,
        category: Category,
        now: ReceiveTime,
        related: &Related<'_>,
    ) -> Decision {
        let verdict = asked(asking, permission, target, category, now, related, |question| {
            self.policies.decide(question)
        });
        Decision { allowed: verdict.allowed, rules: verdict.rules.into(), purpose: related.purpose }
    }
}

/// Whether a rule speaks of whoever asks and of the patient only by how they stand to each other.
/// Errs on the side of no, which costs time and nothing else.
fn looks_at_relations(rule: &str) -> bool {
    let mut rest = rule.to_owned();
    for relation in [
        "resource.care_team.contains(principal)",
        "resource.caregivers.contains(principal)",
        "resource.opened_by.contains(principal)",
        "principal has patient",
        "principal.patient == resource",
    ] {
        rest = rest.replace(relation, "");
    }
    let by_name = [
        "care_team", "caregivers", "opened_by", ".patient", ".name", "[\"", "User::", "Patient::",
        "Device::", "principal ==", "resource ==", "== principal", "== resource", "!= principal",
        "!= resource", "principal !=", "resource !=",
    ];
    by_name.iter().all(|sign| !rest.contains(sign))
}

/// Holds the rules in force.
pub(crate) struct Decider(RwLock<Arc<InForce>>);

impl Default for Decider {
    fn default() -> Self {
        Self(RwLock::new(BUILT_IN.clone()))
    }
}

/// What the rules look at of a patient's facts, as of now and for one asker.
#[derive(Default)]
struct Related<'a> {
    care_team: Vec<&'a str>,
    caregivers: Vec<&'a str>,
    opened_by: Vec<&'a str>,
    withheld: Categories,
    purpose: &'static str,
}

impl Guard {
    /// Takes the rules of a site: every `*.cedar` file of a folder, in the order of their names, on
    /// top of the built-in ones; `default.cedar` takes the place of those. A folder that is not
    /// there holds none. Gives what is odd in them but not wrong.
    ///
    /// # Errors
    /// [`PolicyError`] with file, line and reason; then the rules in force stay.
    pub fn load_policies(&self, folder: &Path) -> Result<Vec<String>, PolicyError> {
        let policies = Policies::load(&policy_sources(folder)?)?;
        let odd = policies.warnings().to_vec();
        *self.inner.decider.0.write() = Arc::new(InForce::new(policies));
        Ok(odd)
    }

    /// Asks the rules in force something of their own: which there are, and what each says.
    pub fn with_policies<T>(&self, ask: impl FnOnce(&Policies) -> T) -> T {
        let rules = self.inner.decider.0.read().clone();
        ask(&rules.policies)
    }

    /// Whether an account may do something, and which rules say so. Denied unless one permits it.
    /// The trial account may do everything.
    ///
    /// Takes well under a microsecond when the same was asked before, some tens of microseconds
    /// when not.
    #[must_use]
    pub fn decide(
        &self,
        asking: Asking<'_>,
        permission: Permission,
        target: Target<'_>,
        category: Category,
        now: ReceiveTime,
    ) -> Decision {
        if asking.account.kind == Kind::Trial {
            let purpose = Purpose::of_role(asking.account.role).code();
            return Decision { allowed: self.is_open(), rules: Arc::default(), purpose };
        }
        let facts = self.facts_of(target);
        let related = self.related(asking.account, facts.as_deref(), now);
        let rules = self.inner.decider.0.read().clone();
        let answers = &rules.answers;
        keyed(&rules, asking, permission, target, category as u8, &related, now, |key| {
            answers.or_ask(key, || rules.ask(asking, permission, target, category, now, &related))
        })
    }

    /// Which kinds of data an account may have of a patient: those for which
    /// [`Guard::decide`] says yes.
    #[must_use]
    pub fn kinds(
        &self,
        asking: Asking<'_>,
        permission: Permission,
        target: Target<'_>,
        now: ReceiveTime,
    ) -> Categories {
        if asking.account.kind == Kind::Trial {
            return if self.is_open() { Categories::ALL } else { Categories::NONE };
        }
        let facts = self.facts_of(target);
        let related = self.related(asking.account, facts.as_deref(), now);
        let rules = self.inner.decider.0.read().clone();
        let all = || {
            let allowed = |category: &Category| {
                rules.ask(asking, permission, target, *category, now, &related).allowed
            };
            Category::ALL.into_iter().filter(allowed).collect()
        };
        keyed(&rules, asking, permission, target, u8::MAX, &related, now, |key| {
            rules.kinds.or_ask(key, all)
        })
    }

    /// Whether an account that is denied a patient could open them in an emergency.
    #[must_use]
    pub fn would_open(
        &self,
        asking: Asking<'_>,
        permission: Permission,
        target: Target<'_>,
        category: Category,
        now: ReceiveTime,
    ) -> bool {
        let Target::Patient { id, .. } = target else { return false };
        if asking.account.kind == Kind::Trial
            || !self.decide(asking, Permission::UseBreakGlass, target, category, now).allowed
        {
            return false;
        }
        let mut facts = (*self.patient_facts(id)).clone();
        let account = asking.account.name.clone();
        facts.emergencies.push(Opened { account, until: ReceiveTime(i64::MAX) });
        let related = self.related(asking.account, Some(&facts), now);
        let rules = self.inner.decider.0.read().clone();
        rules.ask(asking, permission, target, category, now, &related).allowed
    }

    /// What a denied account lacks: changes of which each would do by itself.
    #[must_use]
    pub fn wanting(
        &self,
        asking: Asking<'_>,
        permission: Permission,
        target: Target<'_>,
        category: Category,
        now: ReceiveTime,
    ) -> Vec<Change> {
        let facts = self.facts_of(target);
        let related = self.related(asking.account, facts.as_deref(), now);
        let rules = self.inner.decider.0.read().clone();
        asked(asking, permission, target, category, now, &related, |question| {
            rules.policies.wanting(question).any_of
        })
    }

    fn facts_of(&self, target: Target<'_>) -> Option<Arc<PatientFacts>> {
        match target {
            Target::Patient { id, .. } => Some(self.patient_facts(id)),
            _ => None,
        }
    }

    fn related<'a>(
        &self,
        account: &'a Account,
        facts: Option<&'a PatientFacts>,
        now: ReceiveTime,
    ) -> Related<'a> {
        let purpose = Purpose::of_role(account.role).code();
        let Some(facts) = facts else { return Related { purpose, ..Related::default() } };
        let own: &'a str = &account.name;
        // Names compare without regard to case, the rules compare them with it.
        let named = |name: &'a str| if name.eq_ignore_ascii_case(own) { own } else { name };
        let team = facts.team.iter().filter(|one| one.period.has(now.micros()));
        let carers = facts.carers.iter().filter(|one| one.period.has(now.micros()));
        let opened = facts.emergencies.iter().filter(|one| one.until > now);
        let emergency = facts.opened_until(own, now).is_some();
        let seen = facts.consented(account, None, now, self.stance());
        Related {
            care_team: team.map(|one| named(&one.account)).collect(),
            caregivers: carers.map(|one| named(&one.account)).collect(),
            opened_by: opened.map(|one| named(&one.account)).collect(),
            withheld: Category::ALL.into_iter().filter(|category| !seen.has(*category)).collect(),
            purpose: if emergency { Purpose::Etreat.code() } else { purpose },
        }
    }
}

/// The texts of a folder with those that are built in.
///
/// # Errors
/// [`PolicyError`] for a file that can't be read.
pub fn policy_sources(folder: &Path) -> Result<Vec<Source>, PolicyError> {
    let broken = |name: &str, error: &dyn std::fmt::Display| PolicyError(vec![format!("{name}: {error}")]);
    let mut names = Vec::new();
    match std::fs::read_dir(folder) {
        Ok(entries) => {
            for entry in entries {
                let entry = entry.map_err(|error| broken(&folder.to_string_lossy(), &error))?;
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.ends_with(".cedar") {
                    names.push(name);
                }
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(broken(&folder.to_string_lossy(), &error)),
    }
    names.sort_unstable();
    let mut sources = Vec::new();
    if !names.iter().any(|name| name == policy::DEFAULT_NAME) {
        sources.push(Source::built_in());
    }
    for name in names {
        let path = folder.join(&name);
        let size = std::fs::metadata(&path).map_err(|error| broken(&name, &error))?.len();
        if size > FILE_MAX {
            return Err(broken(&name, &"larger than 1 MiB"));
        }
        let text = std::fs::read_to_string(&path).map_err(|error| broken(&name, &error))?;
        sources.push(Source { name, text });
    }
    Ok(sources)
}

/// Puts a question together and asks it.
fn asked<T>(
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
fn keyed<T>(
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
