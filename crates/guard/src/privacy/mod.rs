//! Whose patient somebody is and what that patient agreed to: care teams, caregivers, consents,
//! emergency access; how long data are kept, and what may not go.
//!
//! Everything that a decision needs is kept in memory ([`Guard::patient_facts`]) and follows the
//! database at once, whoever changes it.

mod break_glass;
mod care_team;
mod caregiver;
mod category;
mod consent;
mod consents;
mod facts;
mod retention;
mod study;
mod who_saw;

pub use break_glass::{BreakGlass, Opening, Reason, Review};
pub use care_team::Member;
pub use caregiver::{Caregiver, Invitation};
pub use category::{Categories, Category};
pub use consent::{Consent, Provision, Purpose, Question, Recipient, Span, Stance, Verdict, ask, seen};
pub use consent::{DEPTH_MAX as CONSENT_DEPTH_MAX, RULES_MAX as CONSENT_RULES_MAX};
pub use consents::{ConsentRow, Document, DocumentKind};
pub use facts::{Carer, Opened, PatientFacts, TeamMember};
pub(crate) use facts::Facts;
pub use study::Pseudonym;
pub use who_saw::Access;
pub use retention::{LegalHold, RetentionKind, RetentionRule};

use crate::GuardError;

/// The tables of this part.
pub(crate) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS care_team_member (
    patient TEXT NOT NULL,
    account TEXT NOT NULL COLLATE NOCASE REFERENCES account (name) ON DELETE CASCADE,
    role TEXT NOT NULL, -- in the team, in plain words
    team TEXT NOT NULL, -- id of the CareTeam document; empty: put in one by one
    from_us INTEGER, until_us INTEGER,
    PRIMARY KEY (patient, account, team)
) STRICT;
CREATE TABLE IF NOT EXISTS caregiver (
    id TEXT PRIMARY KEY,
    patient TEXT NOT NULL,
    account TEXT COLLATE NOCASE REFERENCES account (name) ON DELETE CASCADE,
    code TEXT UNIQUE, -- fingerprint; null once it was used
    label TEXT NOT NULL, -- how the patient calls them
    categories INTEGER NOT NULL,
    from_us INTEGER, until_us INTEGER,
    invited_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS caregiver_of ON caregiver (patient);
CREATE TABLE IF NOT EXISTS privacy_document (
    kind TEXT NOT NULL, -- consent, care-team
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    patient TEXT NOT NULL,
    status TEXT NOT NULL,
    document TEXT NOT NULL, -- as it came, FHIR JSON
    rules TEXT NOT NULL, -- consent: the provision; else empty
    by TEXT NOT NULL,
    updated_us INTEGER NOT NULL,
    PRIMARY KEY (kind, id, version)
) STRICT;
CREATE INDEX IF NOT EXISTS privacy_document_of ON privacy_document (patient);
CREATE TABLE IF NOT EXISTS break_glass (
    id TEXT PRIMARY KEY,
    patient TEXT NOT NULL,
    account TEXT NOT NULL COLLATE NOCASE,
    role TEXT NOT NULL,
    unit TEXT NOT NULL, -- the patient's; empty: not known
    reason TEXT NOT NULL,
    words TEXT NOT NULL,
    began_us INTEGER NOT NULL,
    until_us INTEGER NOT NULL,
    ended_us INTEGER,
    outcome TEXT, note TEXT, reviewer TEXT, reviewed_us INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS break_glass_time ON break_glass (began_us);
CREATE TABLE IF NOT EXISTS break_glass_told (id TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS retention_rule (
    kind TEXT PRIMARY KEY,
    days INTEGER, -- null: for ever
    by TEXT NOT NULL,
    at_us INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS legal_hold (
    id TEXT PRIMARY KEY,
    patient TEXT NOT NULL,
    reason TEXT NOT NULL,
    by TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    released_by TEXT, released_us INTEGER, released_reason TEXT
) STRICT;
CREATE TABLE IF NOT EXISTS study_key (
    study TEXT PRIMARY KEY,
    key TEXT NOT NULL -- 256 random bits: pseudonyms of one study say nothing in another
) STRICT;
";

/// A short random name of something, 64 bits in hexadecimal digits with a letter before.
fn new_id(letter: char) -> Result<String, GuardError> {
    let token = crate::secret::token()?;
    Ok(format!("{letter}-{}", &token[..16]))
}
