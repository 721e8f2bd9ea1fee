//! The shapes of break-glass, consents, care teams, caregivers, accesses, retention and of the
//! views without names. Times are milliseconds since 1970, UTC.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Opening a patient in an emergency.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BreakGlassRequest {
    /// The patient's id, or exactly their record number: there is no browsing.
    pub patient: String,
    /// `emergency`, `cover`, `consult`, `alarm` or `other`.
    pub reason: String,
    /// Why, in words: 10 to 500 characters.
    pub words: String,
    /// For how long: 1 to 240.
    pub minutes: u32,
}

/// An emergency access.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BreakGlassView {
    /// Names it.
    pub id: String,
    /// Whose record.
    pub patient: String,
    /// The patient's unit at that time; empty when it was not known.
    pub unit: String,
    /// Who opened it.
    pub account: String,
    /// In which role.
    pub role: String,
    /// `emergency`, `cover`, `consult`, `alarm` or `other`.
    pub reason: String,
    /// Why, in words.
    pub words: String,
    /// When.
    pub began_ms: i64,
    /// Until when, at most.
    pub until_ms: i64,
    /// When it was ended before that.
    pub ended_ms: Option<i64>,
    /// Whether it is open now.
    pub open: bool,
    /// What a reviewer found: `justified` or `not-justified`.
    pub outcome: Option<String>,
    /// In words.
    pub note: Option<String>,
    /// Who reviewed it.
    pub reviewer: Option<String>,
    /// When.
    pub reviewed_ms: Option<i64>,
}

/// A patient was opened.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BreakGlassOpened {
    /// The access.
    pub access: BreakGlassView,
    /// Kinds of data that the patient's consents keep closed even now.
    pub withheld: Vec<String>,
    /// Kinds of data that they would keep closed, but for the emergency.
    pub overridden: Vec<String>,
}

/// What is open for whoever asks.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BreakGlassMine {
    /// Our clock.
    pub now_ms: i64,
    /// Open accesses.
    pub open: Vec<BreakGlassView>,
}

/// Emergency accesses for those who review them.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BreakGlassQueue {
    /// Our clock.
    pub now_ms: i64,
    /// How many nobody has reviewed.
    pub waiting: u64,
    /// The latest first.
    pub accesses: Vec<BreakGlassView>,
}

/// A review.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewRequest {
    /// `justified` or `not-justified`.
    pub outcome: String,
    /// In words; at most 500 characters.
    #[serde(default)]
    pub note: String,
}

/// A consent in plain words.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ConsentView {
    /// Its id, as under `/fhir/Consent/`.
    pub id: String,
    /// `active`, or the FHIR status that says why it is not in force.
    pub status: String,
    /// Sentences that say what it says.
    pub sentences: Vec<String>,
    /// Who wrote it.
    pub by: String,
    /// When.
    pub updated_ms: i64,
    /// How often it was changed.
    pub version: i64,
}

/// A patient's consents.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ConsentList {
    /// What holds where no consent speaks.
    pub stance: Vec<String>,
    /// The latest first, also those that are no longer in force.
    pub consents: Vec<ConsentView>,
}

/// A consent as the form says it: who may, or may not, see what.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentForm {
    /// Whether it allows; else it refuses.
    pub permit: bool,
    /// Kinds of data: `demographics`, `vital-signs`, `waveforms`, `alerts`, `device-data`,
    /// `documents`; empty: all.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Whom it is about; empty: everybody.
    #[serde(default)]
    pub recipients: Vec<RecipientForm>,
    /// `TREAT`, `HRESCH`, `HOPERAT`, `FAMRQT` …; empty: every purpose.
    #[serde(default)]
    pub purposes: Vec<String>,
    /// From when.
    pub from_ms: Option<i64>,
    /// Until when.
    pub until_ms: Option<i64>,
    /// Whether an emergency opens what this refuses.
    #[serde(default)]
    pub in_emergency: bool,
}

/// Whom a consent is about.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RecipientForm {
    /// `account`, `role`, `care-team`, `unit` or `organisation`.
    pub kind: String,
    /// Name of the account, role or unit; else empty.
    #[serde(default)]
    pub name: String,
}

/// One of a care team.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberView {
    /// Account name.
    pub account: String,
    /// In the team, in plain words.
    #[serde(default)]
    pub role: String,
    /// From when.
    pub from_ms: Option<i64>,
    /// Until when.
    pub until_ms: Option<i64>,
    /// Id of the FHIR `CareTeam` that says so; empty: put in here.
    #[serde(default)]
    pub team: String,
}

/// A care team.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CareTeamView {
    /// Its members, by account.
    pub members: Vec<MemberView>,
}

/// An invitation.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationForm {
    /// How you call them: 1 to 100 characters.
    pub label: String,
    /// What they may see; empty: everything.
    #[serde(default)]
    pub categories: Vec<String>,
    /// Until when.
    pub until_ms: Option<i64>,
}

/// An invitation was made.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Invited {
    /// Names it.
    pub id: String,
    /// The code, which is shown once and used once.
    pub code: String,
    /// A link with the code behind `#`, where no server sees it.
    pub link: String,
}

/// Using an invitation.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InvitationCode {
    /// The code.
    pub code: String,
}

/// A caregiver, or an open invitation.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CaregiverView {
    /// Names it.
    pub id: String,
    /// How the patient calls them.
    pub label: String,
    /// Account; none while the invitation is open.
    pub account: Option<String>,
    /// What they may see.
    pub categories: Vec<String>,
    /// Until when.
    pub until_ms: Option<i64>,
    /// When the patient invited them.
    pub invited_ms: i64,
    /// Until when the invitation can be used.
    pub expires_ms: i64,
}

/// A patient's caregivers.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct CaregiverList {
    /// The oldest first.
    pub caregivers: Vec<CaregiverView>,
}

/// A record that an account may speak of as its own.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OwnRecord {
    /// Patient id.
    pub patient: String,
    /// Name.
    pub name: String,
    /// What may be seen of it.
    pub categories: Vec<String>,
    /// Latest values in plain words: name, value with unit, when.
    pub values: Vec<OwnValue>,
}

/// A latest value.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct OwnValue {
    /// What.
    pub name: String,
    /// The value.
    pub value: String,
    /// Its unit; may be empty.
    pub unit: String,
    /// When it was measured.
    pub at_ms: i64,
}

/// Whoever asks, and their records.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Me {
    /// Account name.
    pub account: String,
    /// `patient` or `caregiver`.
    pub role: String,
    /// Our clock.
    pub now_ms: i64,
    /// The patient's own record; a caregiver's may be several.
    pub records: Vec<OwnRecord>,
}

/// Somebody saw something of a patient.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AccessView {
    /// When first …
    pub at_ms: i64,
    /// … and last, where one did the same several times in an hour.
    pub last_ms: i64,
    /// How often.
    pub times: u64,
    /// Who.
    pub who: String,
    /// In which role; empty when nobody was recognised.
    pub role: String,
    /// What, in plain words.
    pub what: String,
    /// `seen`, `refused` or `failed`.
    pub outcome: String,
    /// Why, where it is known: `treatment`, `emergency`, `research` …
    pub purpose: String,
}

/// Who saw what of a patient.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AccessReport {
    /// Begin of the time asked for.
    pub from_ms: i64,
    /// Its end.
    pub to_ms: i64,
    /// The latest first.
    pub accesses: Vec<AccessView>,
    /// Whether there were more than are in it: ask for a shorter time.
    pub more: bool,
}

/// A bed without a name.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BedView {
    /// Unit.
    pub unit: String,
    /// Bed.
    pub bed: String,
    /// Whether somebody lies in it.
    pub occupied: bool,
    /// For how long, in whole hours; none when that is not known.
    pub hours: Option<u32>,
    /// How much care is needed: `routine`, `watch`, `urgent`; none when nothing is measured.
    pub acuity: Option<String>,
    /// Devices on the patient.
    pub devices: u32,
}

/// The house without names and values.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Beds {
    /// Our clock.
    pub now_ms: i64,
    /// By unit and bed.
    pub beds: Vec<BedView>,
}

/// Somebody in a study, under a name that means nothing.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StudySubject {
    /// Pseudonym, of this study alone.
    pub subject: String,
    /// `female`, `male`, `other` or `unknown`.
    pub sex: String,
    /// Age in years; `90+` above 89.
    pub age: Option<String>,
    /// Kinds of data that the consent opens.
    pub categories: Vec<String>,
}

/// Whoever agreed to a study.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StudySubjects {
    /// By pseudonym.
    pub subjects: Vec<StudySubject>,
}

/// A series without whose and when exactly.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StudySeries {
    /// Reference id of the metric.
    pub metric: String,
    /// Unit.
    pub unit: String,
    /// Seconds since the subject's first day in the data began, and value.
    pub points: Vec<(i64, f64)>,
}

/// Everything measured of one subject.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct StudyData {
    /// Pseudonym.
    pub subject: String,
    /// By metric.
    pub series: Vec<StudySeries>,
    /// Whether there was more: ask for fewer metrics.
    pub more: bool,
}

/// How long a kind of data is kept.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RetentionLine {
    /// `numerics`, `waveforms`, `alerts`, `quarantine`, `audit`, `directory-history`, `security-events`, `messages`.
    pub kind: String,
    /// In days; none: for ever.
    pub days: Option<u32>,
    /// Whether it was set here; else the configuration says so.
    pub set: bool,
    /// Who set it; empty for the configuration.
    pub by: String,
    /// When.
    pub at_ms: Option<i64>,
    /// Whether the platform removes this kind by age; else it is kept, whatever is set.
    pub enforced: bool,
}

/// Retention of every kind.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RetentionView {
    /// One line a kind.
    pub rules: Vec<RetentionLine>,
}

/// Setting a retention.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetentionForm {
    /// The kind.
    pub kind: String,
    /// In days, 1 to 73,000; none: for ever.
    pub days: Option<u32>,
}

/// A legal hold.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LegalHoldView {
    /// Names it.
    pub id: String,
    /// Of whom.
    pub patient: String,
    /// Why.
    pub reason: String,
    /// Who said it.
    pub by: String,
    /// When.
    pub at_ms: i64,
    /// Who ended it.
    pub released_by: Option<String>,
    /// When.
    pub released_ms: Option<i64>,
    /// Why.
    pub released_reason: Option<String>,
}

/// Legal holds.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LegalHolds {
    /// The latest first, also those that ended.
    pub holds: Vec<LegalHoldView>,
}

/// Why something is held or released.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldReason {
    /// 3 to 500 characters.
    pub reason: String,
}
