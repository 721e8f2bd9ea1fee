//! What decisions need of patients, in memory. A look-up copies a pointer; a change made here is
//! in it before the method that made it returns, a change of another process within
//! [`LOOK_EVERY_MS`].

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::RwLock;
use rusqlite::{Connection, params};
use tokio::sync::broadcast;
use vitals::{PatientId, ReceiveTime, Role};

use super::break_glass::BreakGlass;
use super::category::Categories;
use super::consent::{self, Consent, Purpose, Question, Span, Stance};
use crate::database::Database;
use crate::{Account, Guard, GuardError};

/// How often to look whether another process changed something, in milliseconds.
const LOOK_EVERY_MS: u64 = 20;

/// One of a care team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TeamMember {
    /// Account.
    pub account: String,
    /// When.
    pub period: Span,
}

/// One of the caregivers whom the patient let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carer {
    /// Account.
    pub account: String,
    /// What they may see.
    pub categories: Categories,
    /// When.
    pub period: Span,
}

/// Somebody opened the patient in an emergency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// Account.
    pub account: String,
    /// Until when, at most.
    pub until: ReceiveTime,
}

/// What the access policy has to know of a patient beside where they lie.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PatientFacts {
    /// The care team, now and to come.
    pub team: Vec<TeamMember>,
    /// The caregivers, now and to come.
    pub carers: Vec<Carer>,
    /// Emergency accesses that may still be open.
    pub emergencies: Vec<Opened>,
    /// Consents in force.
    pub consents: Vec<Consent>,
    /// Whether nothing of the patient may be removed (a legal hold).
    pub held: bool,
}

impl PatientFacts {
    /// Whether an account is in the care team now.
    #[must_use]
    pub fn in_care_team(&self, account: &str, now: ReceiveTime) -> bool {
        self.team.iter().any(|one| one.account.eq_ignore_ascii_case(account) && one.period.has(now.micros()))
    }

    /// What an account may see as a caregiver now; none when it is none.
    #[must_use]
    pub fn caregiver(&self, account: &str, now: ReceiveTime) -> Option<Categories> {
        let of = |one: &&Carer| one.account.eq_ignore_ascii_case(account) && one.period.has(now.micros());
        self.carers.iter().filter(of).map(|one| one.categories).reduce(Categories::or)
    }

    /// Until when an account has the patient open in an emergency; none when it has not.
    #[must_use]
    pub fn opened_until(&self, account: &str, now: ReceiveTime) -> Option<ReceiveTime> {
        let of = |one: &&Opened| one.account.eq_ignore_ascii_case(account) && one.until > now;
        self.emergencies.iter().filter(of).map(|one| one.until).max()
    }

    /// The accounts of the care team now.
    pub fn team_now(&self, now: ReceiveTime) -> impl Iterator<Item = &str> {
        let of = move |one: &&TeamMember| one.period.has(now.micros());
        self.team.iter().filter(of).map(|one| one.account.as_str())
    }

    /// The accounts of the caregivers now.
    pub fn caregivers_now(&self, now: ReceiveTime) -> impl Iterator<Item = &str> {
        let of = move |one: &&Carer| one.period.has(now.micros());
        self.carers.iter().filter(of).map(|one| one.account.as_str())
    }

    /// The accounts that have the patient open in an emergency now.
    pub fn opened_now(&self, now: ReceiveTime) -> impl Iterator<Item = &str> {
        let of = move |one: &&Opened| one.until > now;
        self.emergencies.iter().filter(of).map(|one| one.account.as_str())
    }

    /// What the patient's consents let an account see now, of data of some time (none: of any).
    /// Says nothing of whether the account has anything to do with the patient. Patients
    /// themselves may see all of their own.
    #[must_use]
    pub fn consented(
        &self,
        account: &Account,
        data: Option<Span>,
        now: ReceiveTime,
        stance: Stance,
    ) -> Categories {
        self.consented_for(account, None, data, now, stance)
    }

    /// [`Self::consented`] for a purpose that was named; none: an emergency that is open, or what
    /// the role usually asks for.
    #[must_use]
    pub fn consented_for(
        &self,
        account: &Account,
        stated: Option<Purpose>,
        data: Option<Span>,
        now: ReceiveTime,
        stance: Stance,
    ) -> Categories {
        if account.role == Role::Patient {
            return Categories::ALL;
        }
        let scope = match account.role {
            Role::Caregiver => self.caregiver(&account.name, now).unwrap_or(Categories::NONE),
            _ => Categories::ALL,
        };
        let emergency = self.opened_until(&account.name, now).is_some();
        let usual = match emergency {
            true => Purpose::Etreat,
            false => stated.unwrap_or(Purpose::of_role(account.role)),
        };
        let purpose = match stated {
            Some(Purpose::Treat) | None => usual,
            Some(other) => other,
        };
        let question = Question {
            account: &account.name,
            role: account.role,
            units: &account.units,
            in_care_team: self.in_care_team(&account.name, now),
            purpose,
            at: now,
            data,
        };
        consent::seen(&self.consents, &question, stance).and(scope)
    }

    fn is_empty(&self) -> bool {
        self == &Self::default()
    }
}

/// Nothing is known of most patients.
static NOTHING: LazyLock<Arc<PatientFacts>> = LazyLock::new(Arc::default);

/// The facts of all patients of whom there are any.
pub(crate) struct Facts {
    patients: RwLock<HashMap<PatientId, Arc<PatientFacts>>>,
    stance: RwLock<Stance>,
    /// Tells of emergency accesses as they begin.
    pub(super) opened: broadcast::Sender<BreakGlass>,
    began: Instant,
    /// Milliseconds after `began` when somebody looked last.
    looked: AtomicU64,
    /// The database's count of changes that the facts are from.
    from: AtomicU64,
}

impl Facts {
    pub(crate) fn new(database: &Database) -> Result<Self, GuardError> {
        let facts = Self {
            patients: RwLock::default(),
            stance: RwLock::default(),
            opened: broadcast::Sender::new(256),
            began: Instant::now(),
            looked: AtomicU64::new(0),
            from: AtomicU64::new(database.changes()),
        };
        facts.read_all(database)?;
        Ok(facts)
    }

    fn read_all(&self, database: &Database) -> Result<(), GuardError> {
        database.with(|connection| {
            // Written while the connection is held, so that an older state never comes last.
            *self.patients.write() = load(connection, None)?;
            Ok(())
        })
    }

    /// Reads one patient again; what is shown afterwards is from after the change.
    pub(super) fn read(&self, database: &Database, patient: &PatientId) -> Result<(), GuardError> {
        database.with(|connection| {
            let found = load(connection, Some(patient))?.remove(patient);
            let mut patients = self.patients.write();
            match found {
                Some(facts) => patients.insert(patient.clone(), facts),
                None => patients.remove(patient),
            };
            Ok(())
        })?;
        database.changed();
        Ok(())
    }

    /// Looks now and then whether another process changed something.
    fn follow(&self, database: &Database) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let last = self.looked.load(Ordering::Relaxed);
        if now < last.saturating_add(LOOK_EVERY_MS) {
            return;
        }
        let mine = self.looked.compare_exchange(last, now, Ordering::AcqRel, Ordering::Relaxed);
        if mine.is_err() {
            return;
        }
        let changes = database.changes();
        if self.from.load(Ordering::Acquire) == changes {
            return;
        }
        match self.read_all(database) {
            Ok(()) => self.from.store(changes, Ordering::Release),
            Err(error) => tracing::error!(%error, "what is known of patients' consents cannot be read"),
        }
    }
}

impl Guard {
    /// What is known of a patient; from memory, in well under a microsecond.
    #[must_use]
    pub fn patient_facts(&self, patient: &PatientId) -> Arc<PatientFacts> {
        let Some(people) = &self.inner.people else { return NOTHING.clone() };
        people.facts.follow(&people.database);
        people.facts.patients.read().get(patient).cloned().unwrap_or_else(|| NOTHING.clone())
    }

    /// What the house does where no consent speaks.
    #[must_use]
    pub fn stance(&self) -> Stance {
        self.inner.people.as_ref().map_or_else(Stance::default, |people| *people.facts.stance.read())
    }

    /// Says what the house does where no consent speaks.
    pub fn set_stance(&self, stance: Stance) {
        if let Some(people) = &self.inner.people {
            *people.facts.stance.write() = stance;
        }
    }

    /// Emergency accesses as they begin, from now on; none under `--open`.
    #[must_use]
    pub fn emergencies_opened(&self) -> Option<broadcast::Receiver<BreakGlass>> {
        self.inner.people.as_ref().map(|people| people.facts.opened.subscribe())
    }

    /// Records that became one: what was said of those that went into another holds for that one.
    /// Whether anything was moved; costs next to nothing when there is nothing.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn adopt_records(&self, survivor: &PatientId, retired: &[PatientId]) -> Result<bool, GuardError> {
        let Some(people) = &self.inner.people else { return Ok(false) };
        let mut moved = false;
        for old in retired.iter().filter(|old| !self.patient_facts(old).is_empty()) {
            people.database.with(|connection| {
                let change = connection.transaction()?;
                for table in ["care_team_member", "caregiver", "privacy_document", "break_glass", "legal_hold"] {
                    let sql = format!("UPDATE OR REPLACE {table} SET patient = ?1 WHERE patient = ?2");
                    change.execute(&sql, params![survivor.as_str(), old.as_str()])?;
                }
                Ok(change.commit()?)
            })?;
            people.facts.read(&people.database, old)?;
            people.facts.read(&people.database, survivor)?;
            moved = true;
        }
        Ok(moved)
    }

    /// Patients of whom nothing may be removed: of these and of records merged with them.
    #[must_use]
    pub fn held_patients(&self) -> Vec<PatientId> {
        let Some(people) = &self.inner.people else { return Vec::new() };
        people.facts.follow(&people.database);
        let patients = people.facts.patients.read();
        patients.iter().filter(|(_, facts)| facts.held).map(|(id, _)| id.clone()).collect()
    }
}

type All = HashMap<PatientId, PatientFacts>;

/// The facts of one patient, or of all.
fn load(
    connection: &Connection,
    only: Option<&PatientId>,
) -> Result<HashMap<PatientId, Arc<PatientFacts>>, GuardError> {
    let mut all = All::new();
    team(connection, only, &mut all)?;
    carers(connection, only, &mut all)?;
    emergencies(connection, only, &mut all)?;
    consents(connection, only, &mut all)?;
    holds(connection, only, &mut all)?;
    let known = all.into_iter().filter(|(_, facts)| !facts.is_empty());
    Ok(known.map(|(id, facts)| (id, Arc::new(facts))).collect())
}

/// Runs a query over all patients, or over one, and hands each row to `put`. The query's first
/// column is the patient.
fn each(
    connection: &Connection,
    sql: &str,
    only: Option<&PatientId>,
    all: &mut All,
    mut put: impl FnMut(&mut PatientFacts, &rusqlite::Row<'_>) -> rusqlite::Result<()>,
) -> Result<(), GuardError> {
    let mut query = connection.prepare_cached(sql)?;
    let mut rows = query.query([only.map(PatientId::as_str)])?;
    while let Some(row) = rows.next()? {
        let patient: String = row.get(0)?;
        if let Ok(patient) = PatientId::new(&patient) {
            put(all.entry(patient).or_default(), row)?;
        }
    }
    Ok(())
}

fn span(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Span> {
    Ok(Span { from_us: row.get(at)?, until_us: row.get(at + 1)? })
}

fn team(db: &Connection, only: Option<&PatientId>, all: &mut All) -> Result<(), GuardError> {
    let sql = "SELECT patient, account, from_us, until_us FROM care_team_member
               WHERE ?1 IS NULL OR patient = ?1";
    each(db, sql, only, all, |facts, row| {
        let account = row.get(1)?;
        facts.team.push(TeamMember { account, period: span(row, 2)? });
        Ok(())
    })
}

fn carers(db: &Connection, only: Option<&PatientId>, all: &mut All) -> Result<(), GuardError> {
    let sql = "SELECT patient, account, categories, from_us, until_us FROM caregiver
               WHERE account IS NOT NULL AND (?1 IS NULL OR patient = ?1)";
    each(db, sql, only, all, |facts, row| {
        let account = row.get(1)?;
        let categories = Categories::from_bits(row.get(2)?);
        facts.carers.push(Carer { account, categories, period: span(row, 3)? });
        Ok(())
    })
}

fn emergencies(db: &Connection, only: Option<&PatientId>, all: &mut All) -> Result<(), GuardError> {
    // Those long over are not read; the others end by themselves.
    let sql = "SELECT patient, account, until_us FROM break_glass
               WHERE ended_us IS NULL AND (?1 IS NULL OR patient = ?1)
               AND until_us > (SELECT max(until_us) FROM break_glass) - 172800000000";
    each(db, sql, only, all, |facts, row| {
        let (account, until) = (row.get(1)?, row.get(2)?);
        facts.emergencies.push(Opened { account, until: ReceiveTime(until) });
        Ok(())
    })
}

fn consents(db: &Connection, only: Option<&PatientId>, all: &mut All) -> Result<(), GuardError> {
    let sql = "SELECT patient, id, rules FROM privacy_document AS d
               WHERE kind = 'consent' AND status = 'active' AND (?1 IS NULL OR patient = ?1)
               AND version = (SELECT max(version) FROM privacy_document
                              WHERE kind = 'consent' AND id = d.id)
               ORDER BY updated_us, id";
    each(db, sql, only, all, |facts, row| {
        let (id, rules): (String, String) = (row.get(1)?, row.get(2)?);
        // Rules that cannot be read deny everything: nobody knows what the patient said.
        let provision = serde_json::from_str(&rules).unwrap_or_else(|_| consent::Provision::base(false));
        facts.consents.push(Consent { id, provision });
        Ok(())
    })
}

fn holds(db: &Connection, only: Option<&PatientId>, all: &mut All) -> Result<(), GuardError> {
    let sql = "SELECT patient FROM legal_hold WHERE released_us IS NULL AND (?1 IS NULL OR patient = ?1)";
    each(db, sql, only, all, |facts, _| {
        facts.held = true;
        Ok(())
    })
}
