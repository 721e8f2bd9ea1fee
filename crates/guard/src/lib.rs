//! Identity, policy, and the audit trail: who is this, may they, and what did they do.
//!
//! One folder holds it all: `guard.db` (accounts, sessions, device credentials; no secret in the
//! clear) and `audit.log` with `audit.head` (what was done, chained so that changes show).
//! Everything is denied unless the access policy permits it ([`Guard::decide`]).
//!
//! What is absent: any listener, any HTTP, any patient data. Whoever answers a request asks here
//! first, writes the audit record, and answers only after that (SE-1).

mod account;
mod attempts;
mod audit;
mod database;
mod decide;
mod devices;
mod digest;
mod error;
mod files;
mod fleet;
mod forget;
mod grants;
mod identity;
mod login;
mod manage;
mod notes;
mod password;
mod permission;
mod pki;
mod privacy;
mod psk;
mod record;
mod secret;
mod trail;

use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

pub use account::{Account, Kind, Units};
pub use audit::{
    ARCHIVED, AuditError, AuditExpired, AuditExpiry, AuditLog, Checks, Damage, EXPIRED, JOURNAL_NOTED, JournalHead, Proof, Repair, Rotation, RowError,
    STOPPED, Verified, verify_audit, verify_audit_with,
};
pub use database::SessionTimes;
pub use decide::{Asking, Decision, Target, policy_sources};
pub use error::{GuardError, LoginError};
pub use identity::{
    AccountFacts, Change, Entrance, Factor, Factors, LoginRules, Means, Passkey, Became, ProviderError, ProviderPerson, ProviderRefusal,
    Session, SessionFacts, Site, Step, TotpEnrolment,
};
pub use grants::{
    Context, Found, Given, Giving, Grant, GrantError, Pending, Redeem, Registered, Tokens,
    person_id,
};
pub use manage::local_name;
pub use notes::Note;
pub use permission::Permission;
pub use pki::{
    AUTHORITY_FILE, AUTHORITY_KEY_FILE, Admitted, Certified, Claim, Code, Credential, DEVICE_URN, DeviceState,
    DeviceTrust, Heard, Issued, LISTENERS, LifeStep, Network, Outside, Presented, REVOCATION_FILE, Refusal,
    Restrictions, RevocationReason, Rights, SecurityEvent, SecurityLine, Step as DeviceStep, TRANSITIONS, TrustError,
    TrustSettings, Violation, Zone, Zones, kinds,
};
pub use privacy::{
    Access, BreakGlass, CONSENT_DEPTH_MAX, CONSENT_RULES_MAX, Caregiver, Carer, Categories, Category, Consent,
    ConsentRow, Document, DocumentKind, Invitation, LegalHold, Member, Opened, Opening, PatientFacts,
    Provision, Pseudonym, Purpose, Question, Reason, Recipient, RetentionKind, RetentionRule, Review, Span, Stance,
    TeamMember, Verdict,
};
pub use privacy::{ask as ask_consents, seen as consented};
pub use psk::DeviceKey;
pub use trail::{Accesses, AuditPage, AuditQuery};
pub use record::{Deed, Outcome, PATIENTS_MAX, Record};

/// The database with accounts, sessions and device credentials, in the guard's folder.
pub const DATABASE_FILE: &str = "guard.db";
/// The audit log, in the guard's folder.
pub const AUDIT_FILE: &str = "audit.log";
/// The number and hash of the audit log's last record, in the guard's folder.
pub const HEAD_FILE: &str = "audit.head";
/// The audit log's signed head (C2SP tlog-checkpoint), in the guard's folder.
pub const CHECKPOINT_FILE: &str = "audit.checkpoint";
/// The key that signs heads of the audit log, in the guard's folder.
pub const AUDIT_KEY_FILE: &str = "audit.key";
/// The public part of that key (C2SP signed-note), in the guard's folder.
pub const AUDIT_PUBLIC_FILE: &str = "audit.pub";
/// Held by whichever process writes to the audit log, in the guard's folder.
pub const LOCK_FILE: &str = "audit.lock";

/// Decides who is who and what they may do, and keeps the trail. Clones share one guard; every
/// method may be called from any thread.
///
/// [`Guard::begin_login`] computes an Argon2id hash (tens of milliseconds) and the methods that change
/// accounts wait for the disk: from async code, call them on a blocking thread. The look-ups
/// ([`Guard::session`], [`Guard::bearer`], [`Guard::device`], [`Guard::allows`]) take microseconds.
#[derive(Clone)]
pub struct Guard {
    inner: Arc<Inner>,
}

struct Inner {
    /// None: a trial, where everybody is the trial account.
    people: Option<People>,
    trail: audit::Trail,
    index: trail::Index,
    notes: notes::Notes,
    decider: decide::Decider,
    pki: pki::Pki,
}

struct People {
    database: database::Database,
    attempts: Mutex<attempts::Attempts>,
    verifier: password::Verifier,
    halves: Mutex<identity::Halves>,
    ceremonies: Mutex<identity::Ceremonies>,
    pending_totp: Mutex<identity::PendingTotp>,
    rules: parking_lot::RwLock<LoginRules>,
    facts: privacy::Facts,
}

impl std::fmt::Debug for Guard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guard").field("open", &self.is_open()).finish_non_exhaustive()
    }
}

impl Guard {
    /// Opens the guard of a folder, which is created (mode 0700) with its files (mode 0600) when
    /// it does not exist. Nobody may do anything until an account exists: see
    /// [`Guard::first_start`].
    ///
    /// An audit log that a power failure tore is repaired, which leaves a record of its own.
    ///
    /// # Errors
    /// [`GuardError`] when the files cannot be made, read or understood.
    pub fn open(folder: &Path) -> Result<Self, GuardError> {
        Self::open_with(folder, SessionTimes::default())
    }

    /// [`Guard::open`] with other session times.
    ///
    /// # Errors
    /// As [`Guard::open`].
    pub fn open_with(folder: &Path, times: SessionTimes) -> Result<Self, GuardError> {
        Self::open_sealed(folder, times, None)
    }

    /// [`Guard::open_with`] with the key of an encrypted database.
    ///
    /// # Errors
    /// As [`Guard::open`]; with another key than the database's too.
    pub fn open_sealed(
        folder: &Path,
        times: SessionTimes,
        key: Option<&seal::Key>,
    ) -> Result<Self, GuardError> {
        files::private_folder(folder)?;
        let known = folder.join(DATABASE_FILE).exists();
        let trail = audit::Trail::open(folder, known)?;
        let database = database::Database::open(&folder.join(DATABASE_FILE), times, key)?;
        let people = People {
            facts: privacy::Facts::new(&database)?,
            database,
            attempts: Mutex::default(),
            verifier: password::Verifier::new()?,
            halves: Mutex::default(),
            ceremonies: Mutex::default(),
            pending_totp: Mutex::default(),
            rules: parking_lot::RwLock::default(),
        };
        Ok(Self { inner: Arc::new(Inner { people: Some(people), trail, index: trail::Index::new(folder), notes: notes::Notes::default(), decider: decide::Decider::default(), pki: pki::Pki::new(folder) }) })
    }

    /// A guard that lets everybody in as [`Account::trial`]: `--open`, which the program allows on
    /// loopback addresses only. The audit trail is kept all the same.
    ///
    /// # Errors
    /// [`GuardError`] when the audit log cannot be made or read.
    pub fn trial(folder: &Path) -> Result<Self, GuardError> {
        files::private_folder(folder)?;
        let known = folder.join(DATABASE_FILE).exists();
        let trail = audit::Trail::open(folder, known)?;
        Ok(Self { inner: Arc::new(Inner { people: None, trail, index: trail::Index::new(folder), notes: notes::Notes::default(), decider: decide::Decider::default(), pki: pki::Pki::new(folder) }) })
    }

    /// Whether everybody is let in.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.inner.people.is_none()
    }

    /// Whether an account may do something at all, nobody in particular in mind: what the access
    /// policy says ([`Guard::decide`]). The trial account may do everything.
    #[must_use]
    pub fn allows(&self, account: &Account, permission: Permission) -> bool {
        let (asking, category) = (Asking::plainly(account), Category::Demographics);
        self.decide(asking, permission, Target::House, category, vitals::ReceiveTime(0)).allowed
    }

    /// Writes an audit record and returns when it is on the disk, its place in the chain with it
    /// (SE-1): answer the request after this, and not at all when it fails. Waits while too many
    /// records are queued. A record that was queued is written even if the caller goes away.
    ///
    /// # Errors
    /// [`GuardError::AuditFailed`] when it could not be written; then it is not in the log.
    pub async fn audit(&self, record: Record) -> Result<(), GuardError> {
        self.inner.trail.write(record).await
    }

    /// [`Guard::audit`] for callers without an async runtime, or in a synchronous method: blocks
    /// the thread for the time of one disk write.
    ///
    /// # Errors
    /// As [`Guard::audit`].
    pub fn audit_blocking(&self, record: Record) -> Result<(), GuardError> {
        self.inner.trail.write_blocking(record)
    }

    pub(crate) fn index(&self) -> &trail::Index {
        &self.inner.index
    }

    /// The audit log, to be read and to prove what is in it.
    #[must_use]
    pub fn audit_log(&self) -> AuditLog {
        self.inner.index.log()
    }

    /// From now on the audit log goes on to another file as this says. Commands that run for a
    /// moment never do that.
    pub fn rotate_audit_by(&self, rotation: Rotation) {
        self.inner.trail.rotate_by(rotation);
    }

    /// Checks the whole audit log of a folder, also while the program runs: [`verify_audit`].
    ///
    /// # Errors
    /// [`AuditError`] with the line and what is wrong there.
    pub fn verify_audit(folder: &Path) -> Result<Verified, AuditError> {
        verify_audit(folder)
    }

    /// Moves on when accounts, sessions or devices may have changed, by this program or another:
    /// whoever serves somebody for long asks again who that is.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.inner.people.as_ref().map_or(0, |people| people.database.changes())
    }

    fn people(&self) -> Result<&People, GuardError> {
        self.inner.people.as_ref().ok_or(GuardError::Trial)
    }
}
