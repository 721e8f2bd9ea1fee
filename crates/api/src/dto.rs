//! The shapes that clients of `/api/v1` see. Times are milliseconds since 1970, UTC, unless the
//! name says otherwise; values stand in the unit beside them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Who is asking.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Account name.
    pub name: String,
    /// Role: `nurse`, `charge-nurse`, `physician`, `engineer`, `administrator`, `service`.
    pub role: String,
    /// What the role may do: `see-patients`, `act-on-alerts`, … (docs/security.md).
    pub may: Vec<String>,
    /// Whether the server runs with `--open`, without authentication.
    pub open: bool,
    /// Program version.
    pub version: String,
}

/// A log-in.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// Account name.
    pub name: String,
    /// Password.
    pub password: String,
}

/// Whether the server waits for its first administrator.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SetupState {
    /// True until an administrator exists.
    pub needed: bool,
}

/// The first administrator.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// The code that the server printed at its start; dashes, spaces and case do not matter.
    pub code: String,
    /// Account name.
    pub name: String,
    /// Password: at least 12 characters.
    pub password: String,
}

/// The whole ward, as the ward page shows it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Ward {
    /// Our clock when this was made.
    pub now_ms: i64,
    /// Position in the live stream from which to go on (`Last-Event-ID`).
    pub position: u64,
    /// One tile per patient in a bed, and per patient elsewhere with readings.
    pub tiles: Vec<Tile>,
    /// Names of the units that have beds.
    pub units: Vec<String>,
}

/// One patient at a glance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Tile {
    /// Who.
    pub patient: PatientBrief,
    /// Where; none when in no bed.
    pub location: Option<LocationBrief>,
    /// The present values, vital signs first, in a fixed order.
    pub values: Vec<CurrentValue>,
    /// The early-warning score for the patient's age: NEWS2, or PEWS for a child.
    pub score: Option<ScoreView>,
    /// Bed-level summary of the open alerts.
    pub alarm: AlarmSummary,
    /// Devices on the patient.
    pub devices: Vec<DeviceBrief>,
    /// True when the values are played back from a recording.
    pub recorded: bool,
    /// Whether there are waveforms to look at.
    pub waves: bool,
    /// The heart's rhythm by analysis of the waveforms (`regular`, `atrial-fibrillation` …); none
    /// while it is not known.
    pub rhythm: Option<String>,
}

/// A patient in one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct PatientBrief {
    /// Logical id.
    pub id: String,
    /// `Family, Given`; empty if unknown.
    pub name: String,
    /// Record number; empty if unknown.
    pub mrn: String,
    /// ISO date of birth.
    pub birth_date: Option<String>,
    /// Age in whole years.
    pub age_years: Option<u32>,
    /// `male`, `female`, `other`, `unknown`.
    pub sex: String,
}

/// A place in one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct LocationBrief {
    /// Logical id.
    pub id: String,
    /// Unit name.
    pub unit: String,
    /// What people call the bed.
    pub name: String,
}

/// One metric's present value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CurrentValue {
    /// Reference id (`MDC_ECG_HEART_RATE`).
    pub metric: String,
    /// Short label (`HR`).
    pub label: String,
    /// Full name (`Heart rate`).
    pub name: String,
    /// The number; none for a text.
    pub value: Option<f64>,
    /// The text of an enumeration or text value.
    pub text: Option<String>,
    /// Unit as people read it (`mmHg`).
    pub unit: String,
    /// Decimal places to show.
    pub decimals: u8,
    /// When it was true.
    pub time_ms: i64,
    /// When it was received.
    pub received_ms: i64,
    /// `live`, `stale`, `doubtful` or `recorded`. A live value turns stale at `stale_at_ms`.
    pub state: ValueState,
    /// When it stops being the present value.
    pub stale_at_ms: i64,
    /// Names of the quality flags that are set.
    pub flags: Vec<String>,
    /// Name of the reading, for `/api/v1/readings/{reading}` (PR-1).
    pub reading: String,
    /// The device that it came from.
    pub device: String,
    /// Points that this parameter adds to the score, if it does.
    pub points: Option<u8>,
    /// Alarm limits in force, if any.
    pub limits: Option<Limits>,
}

/// Whether a value may be taken for the present one (TI-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ValueState {
    /// Present and believed.
    Live,
    /// Too old to be the present value.
    Stale,
    /// Present but not believed: see the flags.
    Doubtful,
    /// From a recording.
    Recorded,
}

/// Alarm limits of one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Limits {
    /// Alarm below this.
    pub low: Option<f64>,
    /// Alarm above this.
    pub high: Option<f64>,
    /// `policy`, or `patient` when set for this patient.
    pub source: String,
}

/// A score, with what it is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScoreView {
    /// `NEWS2`, `PEWS`, `qSOFA`, `SIRS`, `MEWS`, `shock index`.
    pub name: String,
    /// Total; none when nothing could be computed.
    pub value: Option<f64>,
    /// False when a parameter is missing or too old: the total is then a lower bound.
    pub complete: bool,
    /// `none`, `low`, `low-medium`, `medium`, `high`.
    pub band: String,
    /// What the score's authors ask for in this band.
    pub response: String,
    /// Where the score is published.
    pub source: String,
    /// Contributions.
    pub parts: Vec<ScorePart>,
    /// The last hours as `[time_ms, value]`, oldest first, at most 60 pairs.
    pub trend: Vec<(i64, f64)>,
    /// When it was computed.
    pub time_ms: i64,
}

/// One parameter's part in a score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ScorePart {
    /// Reference id of the parameter.
    pub metric: String,
    /// What people call it.
    pub label: String,
    /// The value used or left out.
    pub value: Option<f64>,
    /// Points.
    pub points: Option<u8>,
    /// `used`, `missing`, `aged`.
    pub state: String,
}

/// The open alerts of one patient in one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlarmSummary {
    /// `high`, `medium`, `low` or `none` (IEC 60601-1-8).
    pub priority: String,
    /// Number of open alerts.
    pub count: u32,
    /// The most urgent one's title; empty if none.
    pub title: String,
    /// Its episode; empty if none.
    pub episode: String,
    /// Since when.
    pub since_ms: Option<i64>,
    /// Whether somebody has acknowledged every open alert.
    pub acknowledged: bool,
    /// Whether any alert's signal is on (not acknowledged, not snoozed).
    pub sounding: bool,
}

/// A device in one line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeviceBrief {
    /// Logical id.
    pub id: String,
    /// Name.
    pub name: String,
    /// `online`, `offline`, `lost`, `silent`.
    pub link: String,
}

/// One alert: an episode of one alarm condition of one patient (or device).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Alert {
    /// Episode id.
    pub episode: String,
    /// Name of the rule or condition.
    pub condition: String,
    /// What people read first: `Early-warning score high`.
    pub title: String,
    /// Why, in one sentence with the values: `NEWS2 8: RR 26 (+3), SpO2 90 % (+3) …`.
    pub reason: String,
    /// `high`, `medium`, `low`.
    pub priority: String,
    /// `raised`, `acknowledged`, `snoozed`, `latched`, `resolved`.
    pub state: String,
    /// Who.
    pub patient: Option<PatientBrief>,
    /// Where, when it was raised.
    pub location: Option<LocationBrief>,
    /// Which device, for a technical alert.
    pub device: Option<String>,
    /// Group: alerts of one patient with the same group belong together.
    pub group: String,
    /// Raised.
    pub raised_ms: i64,
    /// Last change.
    pub changed_ms: i64,
    /// Resolved.
    pub resolved_ms: Option<i64>,
    /// Who acknowledged or snoozed it last; empty if nobody.
    pub taken_by: String,
    /// Until when it is acknowledged or snoozed.
    pub quiet_until_ms: Option<i64>,
    /// Whose turn it is now: a role.
    pub assigned: String,
    /// When it goes on to the next role.
    pub escalates_ms: Option<i64>,
    /// How far it was escalated: 0 at first.
    pub level: u8,
    /// Readings that it came from, for `/api/v1/readings/{reading}` (PR-1).
    pub readings: Vec<String>,
}

/// Something that happened to an alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AlertEvent {
    /// When.
    pub time_ms: i64,
    /// `raised`, `worsened`, `eased`, `acknowledged`, `snoozed`, `sounding`, `escalated`,
    /// `latched`, `resolved`, `reset`.
    pub kind: String,
    /// Priority after it.
    pub priority: String,
    /// Account name, or `system`.
    pub actor: String,
    /// Why, or the free text given.
    pub detail: String,
}

/// One alert with its history.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AlertHistory {
    /// The alert.
    pub alert: Alert,
    /// What happened, oldest first.
    pub events: Vec<AlertEvent>,
}

/// A page of alerts, newest or most urgent first.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AlertPage {
    /// The alerts.
    pub alerts: Vec<Alert>,
    /// How many there are in all for the question asked.
    pub total: u64,
    /// Position in the live stream.
    pub position: u64,
}

/// What a person does to an alert.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct AlertAction {
    /// For how many minutes (acknowledge: optional; snooze: required, 1 to 240).
    pub minutes: Option<u32>,
    /// Why (snooze: required).
    #[serde(default)]
    pub reason: String,
}

/// Everything the patient page begins with.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PatientPage {
    /// As on the ward.
    pub tile: Tile,
    /// All scores that can be computed.
    pub scores: Vec<ScoreView>,
    /// Open alerts, most urgent first.
    pub alerts: Vec<Alert>,
    /// Every series of the patient.
    pub series: Vec<SeriesView>,
    /// Devices on the patient, now and before, newest first.
    pub associations: Vec<AssociationView>,
    /// Alarm limits by metric.
    pub limits: Vec<MetricLimits>,
    /// SpO2 scale of NEWS2: 1 or 2.
    pub spo2_scale: u8,
    /// Our clock when this was made.
    pub now_ms: i64,
    /// Position in the live stream.
    pub position: u64,
}

/// One stored series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SeriesView {
    /// Number.
    pub id: u32,
    /// Reference id.
    pub metric: String,
    /// Short label.
    pub label: String,
    /// Name.
    pub name: String,
    /// Unit as people read it.
    pub unit: String,
    /// The device.
    pub device: String,
    /// Channel.
    pub channel: u32,
    /// `vital`, `gas`, …
    pub category: String,
}

/// A device on a patient for some time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AssociationView {
    /// Device id.
    pub device: String,
    /// Device name.
    pub device_name: String,
    /// Patient.
    pub patient: PatientBrief,
    /// `person`, `location`, `message`.
    pub basis: String,
    /// Who or which bed; may be empty.
    pub by: String,
    /// Since.
    pub start_ms: i64,
    /// Until; none while it lasts.
    pub end_ms: Option<i64>,
}

/// Limits of one metric, as asked for or in force.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct MetricLimits {
    /// Reference id.
    pub metric: String,
    /// Alarm below this.
    pub low: Option<f64>,
    /// Alarm above this.
    pub high: Option<f64>,
    /// `policy` or `patient`; ignored when asked for.
    #[serde(default)]
    pub source: String,
    /// Why; may be empty.
    #[serde(default)]
    pub reason: String,
}

/// Which SpO2 scale NEWS2 uses.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Spo2Scale {
    /// 1, or 2 for a prescribed range of 88–92%.
    pub scale: u8,
    /// Why; may be empty.
    #[serde(default)]
    pub reason: String,
}

/// Trends to draw.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Trends {
    /// From.
    pub from_ms: i64,
    /// To.
    pub to_ms: i64,
    /// One line per metric (several devices joined), in the order asked.
    pub lines: Vec<TrendLine>,
}

/// One metric over time, thinned without losing extremes.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TrendLine {
    /// Reference id.
    pub metric: String,
    /// Short label.
    pub label: String,
    /// Unit as people read it.
    pub unit: String,
    /// Decimals to show.
    pub decimals: u8,
    /// Times, ascending.
    pub time_ms: Vec<i64>,
    /// Lowest value in the interval that begins at that time.
    pub low: Vec<f64>,
    /// Highest value in that interval.
    pub high: Vec<f64>,
    /// Last value in that interval.
    pub last: Vec<f64>,
    /// Name of the last reading in that interval.
    pub reading: Vec<String>,
    /// Whether any value of the interval is doubtful.
    pub doubtful: Vec<bool>,
    /// Limits in force now.
    pub limits: Option<Limits>,
}

/// Where a number comes from (PR-1).
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ReadingSource {
    /// Name of the reading.
    pub reading: String,
    /// Reference id.
    pub metric: String,
    /// Name of the metric.
    pub name: String,
    /// Number.
    pub value: Option<f64>,
    /// Text of an enumeration or text value.
    pub text: Option<String>,
    /// Unit.
    pub unit: String,
    /// On whom.
    pub patient: Option<PatientBrief>,
    /// By which device.
    pub device: String,
    /// Its name.
    pub device_name: String,
    /// When it was true.
    pub time_ms: i64,
    /// When the device said that it measured, as sent; none if it gave no time.
    pub device_time_ms: Option<i64>,
    /// When we received it.
    pub received_ms: i64,
    /// Names of the quality flags.
    pub flags: Vec<String>,
    /// Journal entry.
    pub offset: u64,
    /// Index within it.
    pub index: u16,
    /// The message, if the journal still has it.
    pub message: Option<MessageView>,
}

/// A message as received.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MessageView {
    /// `mqtt`, `mllp`, `fhir`, `http`, `internal`.
    pub protocol: String,
    /// Topic, message type or resource type.
    pub address: String,
    /// Client, application or account.
    pub sender: String,
    /// Control id; may be empty.
    pub message_id: String,
    /// Profile or codec.
    pub profile: String,
    /// When it was received.
    pub received_ms: i64,
    /// Size in bytes.
    pub size: usize,
    /// The payload as text where it is text, else hexadecimal; at most 64 KiB of it.
    pub payload: String,
    /// `text` or `hex`.
    pub payload_format: String,
}

/// A device, as the devices page shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeviceView {
    /// Logical id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Manufacturer and model; may be empty.
    pub model: String,
    /// Serial number; may be empty.
    pub serial: String,
    /// Firmware version; may be empty.
    pub version: String,
    /// `online`, `offline`, `lost`, `silent` (connected, but says nothing).
    pub link: String,
    /// `announced` (never associated) or `known`.
    pub standing: String,
    /// Patient that it is on; none as well when that is somebody whom the caller may not see.
    pub patient: Option<PatientBrief>,
    /// Whether it is on a patient, whoever that is: then it is in use.
    pub on_patient: bool,
    /// Bed that it is mounted at.
    pub location: Option<LocationBrief>,
    /// Door that it last used.
    pub protocol: String,
    /// Last message received.
    pub last_seen_ms: Option<i64>,
    /// Messages received.
    pub messages: u64,
    /// Values received.
    pub values: u64,
    /// Messages in a minute, over the last five.
    pub per_minute: f64,
    /// Messages that went to quarantine.
    pub problems: u64,
    /// How far its clock is from ours, in milliseconds (positive: ahead); none if unknown.
    pub clock_offset_ms: Option<i64>,
    /// `good`, `off` (corrected), `none`, `unknown`.
    pub clock: String,
    /// Battery in percent.
    pub battery: Option<f64>,
    /// Delay from measuring to receiving, milliseconds, middle of the last 100.
    pub delay_ms: Option<i64>,
    /// Reference ids of the metrics that it sends.
    pub metrics: Vec<String>,
}

/// Devices and how well they speak.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DevicePage {
    /// The devices.
    pub devices: Vec<DeviceView>,
    /// How busy the doors are.
    pub load: Load,
    /// Our clock when this was made.
    pub now_ms: i64,
}

/// How busy the program is (DU-3).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Load {
    /// Messages in a second, over the last ten.
    pub messages_per_s: f64,
    /// Part of the queue to the journal that is full, 0 to 1.
    pub queue_fill: f64,
    /// Whether senders are being slowed.
    pub slowed: bool,
    /// Entries committed but not yet judged.
    pub behind: u64,
    /// Open connections by protocol.
    pub connections: Vec<(String, u64)>,
    /// Refused, quarantined, thinned and late items by reason since the start (DU-2).
    pub counted: Vec<(String, u64)>,
}

/// A device to put on a patient.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AssociateRequest {
    /// Patient id; or give `identifier`.
    pub patient: Option<String>,
    /// `system|value` of the patient.
    pub identifier: Option<String>,
    /// Since when; none: now.
    pub since_ms: Option<i64>,
}

/// One of many devices to put on patients.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BulkAssociation {
    /// Device id.
    pub device: String,
    /// `system|value` of the patient, who is created if unknown.
    pub identifier: String,
    /// Since when; none: now.
    pub since_ms: Option<i64>,
    /// `Family, Given`; may be empty.
    #[serde(default)]
    pub name: String,
    /// ISO date of birth.
    pub birth_date: Option<String>,
    /// `male`, `female`, `other`, `unknown`.
    #[serde(default)]
    pub sex: String,
}

/// Where to mount a device.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MountRequest {
    /// Location id; none: unmount.
    pub location: Option<String>,
}

/// Something that could not be understood.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct QuarantineItem {
    /// Journal entry.
    pub offset: u64,
    /// When it was received.
    pub received_ms: i64,
    /// `mqtt`, `mllp`, `fhir`, …
    pub protocol: String,
    /// Topic, message type or resource type.
    pub address: String,
    /// Client, application or account.
    pub sender: String,
    /// Profile that tried; may be empty.
    pub profile: String,
    /// Size in bytes.
    pub size: usize,
    /// `new`, `released`, `discarded`.
    pub state: String,
    /// Values that were understood all the same.
    pub understood: u32,
    /// What is wrong.
    pub problems: Vec<ProblemView>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProblemView {
    /// `syntax`, `unmatched`, `unknown-metric`, …
    pub kind: String,
    /// Where in the message.
    pub path: String,
    /// What and what to do.
    pub detail: String,
}

/// A page of quarantine.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct QuarantinePage {
    /// Newest first.
    pub items: Vec<QuarantineItem>,
    /// How many there are in all for the question asked.
    pub total: u64,
    /// How many are new, by kind of problem.
    pub by_kind: Vec<(String, u64)>,
}

/// A quarantined message, whole.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct QuarantineDetail {
    /// The line.
    pub item: QuarantineItem,
    /// The message.
    pub message: MessageView,
    /// Step by step, how the profiles of now read it.
    pub trace: Vec<TraceStep>,
    /// How many values it would now yield.
    pub would_yield: u32,
}

/// One step of reading a message with profiles.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TraceStep {
    /// `match`, `extract`, `convert`, `result`, …
    pub step: String,
    /// Whether it went well.
    pub ok: bool,
    /// What was found.
    pub detail: String,
}

/// A device profile.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProfileView {
    /// File name without folder.
    pub name: String,
    /// Whole text.
    pub text: String,
    /// Why it does not work; empty if it does.
    pub error: String,
    /// Whether it is built in and can't be changed.
    pub built_in: bool,
}

/// A profile to try on a payload, or to keep.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProfileTest {
    /// File name.
    pub name: String,
    /// Whole text.
    pub text: String,
    /// Topic to try; or take a quarantined message's.
    pub topic: Option<String>,
    /// Payload as text.
    pub payload: Option<String>,
    /// Quarantined message to try it on.
    pub offset: Option<u64>,
}

/// What a profile makes of a payload.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ProfileTestResult {
    /// Why the profile does not work; empty if it does.
    pub error: String,
    /// Step by step.
    pub trace: Vec<TraceStep>,
    /// Values that it yields.
    pub values: Vec<String>,
    /// What it could not read.
    pub problems: Vec<ProblemView>,
}

/// A list of places.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LocationView {
    /// The place.
    pub location: LocationBrief,
    /// Who is there.
    pub patient: Option<PatientBrief>,
}

/// The rules by which patients are judged.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct PolicyView {
    /// TOML.
    pub text: String,
    /// Who put it in force; empty for the built-in one.
    pub by: String,
    /// Since when.
    pub since_ms: Option<i64>,
}

/// What went wrong, safe for a screen.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// Short name for programs: `not-found`, `bad-request`, `forbidden`, …
    pub error: String,
    /// What failed, why, and what to do.
    pub message: String,
    /// Whether the patient may be opened in an emergency.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub break_glass: bool,
}

/// What the live stream (`/api/v1/live`, server-sent events) carries. The event's name is the
/// variant; its id is the stream position.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum LiveEvent {
    /// The whole ward: first, and when a resumption reaches too far back.
    Ward(Ward),
    /// A patient's tile changed.
    Tile(Box<Tile>),
    /// A patient left the ward page.
    Gone {
        /// Patient id.
        patient: String,
    },
    /// An alert was raised or changed.
    Alert(Box<Alert>),
    /// Devices or load changed: once in two seconds at most.
    Devices(Load),
    /// Something new in quarantine.
    Quarantine {
        /// How many are new.
        new: u64,
    },
    /// Our clock, every two seconds: without it the page says that it is not live.
    Time {
        /// Now.
        now_ms: i64,
    },
}
