// The shapes of `/api/v1`, as `crates/api/src/dto.rs` has them. Replaced by `schema.d.ts` (see
// `npm run types`) once the OpenAPI document is checked in; names and fields are the same.

/** Who is asking. */
export interface Session {
  /** Account name. */
  name: string;
  /** Role: `nurse`, `charge-nurse`, `physician`, `engineer`, `administrator`, `service`. */
  role: string;
  /** What the role may do: `see-patients`, `act-on-alerts`, … */
  may: string[];
  /** Whether the server runs with `--open`, without authentication. */
  open: boolean;
  /** Program version. */
  version: string;
}

/** A log-in. */
export interface Login {
  /** Account name. */
  name: string;
  /** Password. */
  password: string;
}

/** Whether the first administrator is still to be made. */
export interface SetupState {
  needed: boolean;
}

/** Making the first administrator. */
export interface Setup {
  /** The code that the server printed at its start. */
  code: string;
  /** Account name. */
  name: string;
  /** Password. */
  password: string;
}

/** The whole ward, as the ward page shows it. */
export interface Ward {
  /** Our clock when this was made. */
  now_ms: number;
  /** Position in the live stream from which to go on (`Last-Event-ID`). */
  position: number;
  /** One tile per patient in a bed, and per patient elsewhere with readings. */
  tiles: Tile[];
  /** Names of the units that have beds. */
  units: string[];
}

/** One patient at a glance. */
export interface Tile {
  /** Who. */
  patient: PatientBrief;
  /** Where; none when in no bed. */
  location?: LocationBrief | null;
  /** The present values, vital signs first, in a fixed order. */
  values: CurrentValue[];
  /** The early-warning score for the patient's age: NEWS2, or PEWS for a child. */
  score?: ScoreView | null;
  /** Bed-level summary of the open alerts. */
  alarm: AlarmSummary;
  /** Devices on the patient. */
  devices: DeviceBrief[];
  /** True when the values are played back from a recording. */
  recorded: boolean;
}

/** A patient in one line. */
export interface PatientBrief {
  /** Logical id. */
  id: string;
  /** `Family, Given`; empty if unknown. */
  name: string;
  /** Record number; empty if unknown. */
  mrn: string;
  /** ISO date of birth. */
  birth_date?: string | null;
  /** Age in whole years. */
  age_years?: number | null;
  /** `male`, `female`, `other`, `unknown`. */
  sex: string;
}

/** A place in one line. */
export interface LocationBrief {
  /** Logical id. */
  id: string;
  /** Unit name. */
  unit: string;
  /** What people call the bed. */
  name: string;
}

/** One metric's present value. */
export interface CurrentValue {
  /** Reference id (`MDC_ECG_HEART_RATE`). */
  metric: string;
  /** Short label (`HR`). */
  label: string;
  /** Full name (`Heart rate`). */
  name: string;
  /** The number; none for a text. */
  value?: number | null;
  /** The text of an enumeration or text value. */
  text?: string | null;
  /** Unit as people read it (`mmHg`). */
  unit: string;
  /** Decimal places to show. */
  decimals: number;
  /** When it was true. */
  time_ms: number;
  /** When it was received. */
  received_ms: number;
  /** `live`, `stale`, `doubtful` or `recorded`. A live value turns stale at `stale_at_ms`. */
  state: ValueState;
  /** When it stops being the present value. */
  stale_at_ms: number;
  /** Names of the quality flags that are set. */
  flags: string[];
  /** Name of the reading, for `/api/v1/readings/{reading}` (PR-1). */
  reading: string;
  /** The device that it came from. */
  device: string;
  /** Points that this parameter adds to the score, if it does. */
  points?: number | null;
  /** Alarm limits in force, if any. */
  limits?: Limits | null;
}

/** Alarm limits of one metric. */
export interface Limits {
  /** Alarm below this. */
  low?: number | null;
  /** Alarm above this. */
  high?: number | null;
  /** `policy`, or `patient` when set for this patient. */
  source: string;
}

/** A score, with what it is made of. */
export interface ScoreView {
  /** `NEWS2`, `PEWS`, `qSOFA`, `SIRS`, `MEWS`, `shock index`. */
  name: string;
  /** Total; none when nothing could be computed. */
  value?: number | null;
  /** False when a parameter is missing or too old: the total is then a lower bound. */
  complete: boolean;
  /** `none`, `low`, `low-medium`, `medium`, `high`. */
  band: string;
  /** What the score's authors ask for in this band. */
  response: string;
  /** Where the score is published. */
  source: string;
  /** Contributions. */
  parts: ScorePart[];
  /** The last hours as `[time_ms, value]`, oldest first, at most 60 pairs. */
  trend: [number, number][];
  /** When it was computed. */
  time_ms: number;
}

/** One parameter's part in a score. */
export interface ScorePart {
  /** Reference id of the parameter. */
  metric: string;
  /** What people call it. */
  label: string;
  /** The value used or left out. */
  value?: number | null;
  /** Points. */
  points?: number | null;
  /** `used`, `missing`, `aged`. */
  state: string;
}

/** The open alerts of one patient in one line. */
export interface AlarmSummary {
  /** `high`, `medium`, `low` or `none` (IEC 60601-1-8). */
  priority: string;
  /** Number of open alerts. */
  count: number;
  /** The most urgent one's title; empty if none. */
  title: string;
  /** Its episode; empty if none. */
  episode: string;
  /** Since when. */
  since_ms?: number | null;
  /** Whether somebody has acknowledged every open alert. */
  acknowledged: boolean;
  /** Whether any alert's signal is on (not acknowledged, not snoozed). */
  sounding: boolean;
}

/** A device in one line. */
export interface DeviceBrief {
  /** Logical id. */
  id: string;
  /** Name. */
  name: string;
  /** `online`, `offline`, `lost`, `silent`. */
  link: string;
}

/** One alert: an episode of one alarm condition of one patient (or device). */
export interface Alert {
  /** Episode id. */
  episode: string;
  /** Name of the rule or condition. */
  condition: string;
  /** What people read first: `Early-warning score high`. */
  title: string;
  /** Why, in one sentence with the values: `NEWS2 8: RR 26 (+3), SpO2 90 % (+3) …`. */
  reason: string;
  /** `high`, `medium`, `low`. */
  priority: string;
  /** `raised`, `acknowledged`, `snoozed`, `latched`, `resolved`. */
  state: string;
  /** Who. */
  patient?: PatientBrief | null;
  /** Where, when it was raised. */
  location?: LocationBrief | null;
  /** Which device, for a technical alert. */
  device?: string | null;
  /** Group: alerts of one patient with the same group belong together. */
  group: string;
  /** Raised. */
  raised_ms: number;
  /** Last change. */
  changed_ms: number;
  /** Resolved. */
  resolved_ms?: number | null;
  /** Who acknowledged or snoozed it last; empty if nobody. */
  taken_by: string;
  /** Until when it is acknowledged or snoozed. */
  quiet_until_ms?: number | null;
  /** Whose turn it is now: a role. */
  assigned: string;
  /** When it goes on to the next role. */
  escalates_ms?: number | null;
  /** How far it was escalated: 0 at first. */
  level: number;
  /** Readings that it came from, for `/api/v1/readings/{reading}` (PR-1). */
  readings: string[];
}

/** Something that happened to an alert. */
export interface AlertEvent {
  /** When. */
  time_ms: number;
  /** `raised`, `worsened`, `eased`, `acknowledged`, `snoozed`, `sounding`, `escalated`, `latched`, `resolved`, `reset`. */
  kind: string;
  /** Priority after it. */
  priority: string;
  /** Account name, or `system`. */
  actor: string;
  /** Why, or the free text given. */
  detail: string;
}

/** One alert with its history. */
export interface AlertHistory {
  /** The alert. */
  alert: Alert;
  /** What happened, oldest first. */
  events: AlertEvent[];
}

/** A page of alerts, newest or most urgent first. */
export interface AlertPage {
  /** The alerts. */
  alerts: Alert[];
  /** How many there are in all for the question asked. */
  total: number;
  /** Position in the live stream. */
  position: number;
}

/** What a person does to an alert. */
export interface AlertAction {
  /** For how many minutes (acknowledge: optional; snooze: required, 1 to 240). */
  minutes?: number | null;
  /** Why (snooze: required). */
  reason?: string;
}

/** Everything the patient page begins with. */
export interface PatientPage {
  /** As on the ward. */
  tile: Tile;
  /** All scores that can be computed. */
  scores: ScoreView[];
  /** Open alerts, most urgent first. */
  alerts: Alert[];
  /** Every series of the patient. */
  series: SeriesView[];
  /** Devices on the patient, now and before, newest first. */
  associations: AssociationView[];
  /** Alarm limits by metric. */
  limits: MetricLimits[];
  /** SpO2 scale of NEWS2: 1 or 2. */
  spo2_scale: number;
  /** Our clock when this was made. */
  now_ms: number;
  /** Position in the live stream. */
  position: number;
}

/** One stored series. */
export interface SeriesView {
  /** Number. */
  id: number;
  /** Reference id. */
  metric: string;
  /** Short label. */
  label: string;
  /** Name. */
  name: string;
  /** Unit as people read it. */
  unit: string;
  /** The device. */
  device: string;
  /** Channel. */
  channel: number;
  /** `vital`, `gas`, … */
  category: string;
}

/** A device on a patient for some time. */
export interface AssociationView {
  /** Device id. */
  device: string;
  /** Device name. */
  device_name: string;
  /** Patient. */
  patient: PatientBrief;
  /** `person`, `location`, `message`. */
  basis: string;
  /** Who or which bed; may be empty. */
  by: string;
  /** Since. */
  start_ms: number;
  /** Until; none while it lasts. */
  end_ms?: number | null;
}

/** Limits of one metric, as asked for or in force. */
export interface MetricLimits {
  /** Reference id. */
  metric: string;
  /** Alarm below this. */
  low?: number | null;
  /** Alarm above this. */
  high?: number | null;
  /** `policy` or `patient`; ignored when asked for. */
  source?: string;
  /** Why; may be empty. */
  reason?: string;
}

/** Which SpO2 scale NEWS2 uses. */
export interface Spo2Scale {
  /** 1, or 2 for a prescribed range of 88–92%. */
  scale: number;
  /** Why; may be empty. */
  reason?: string;
}

/** Trends to draw. */
export interface Trends {
  /** From. */
  from_ms: number;
  /** To. */
  to_ms: number;
  /** One line per metric (several devices joined), in the order asked. */
  lines: TrendLine[];
}

/** One metric over time, thinned without losing extremes. */
export interface TrendLine {
  /** Reference id. */
  metric: string;
  /** Short label. */
  label: string;
  /** Unit as people read it. */
  unit: string;
  /** Decimals to show. */
  decimals: number;
  /** Times, ascending. */
  time_ms: number[];
  /** Lowest value in the interval that begins at that time. */
  low: number[];
  /** Highest value in that interval. */
  high: number[];
  /** Last value in that interval. */
  last: number[];
  /** Name of the last reading in that interval. */
  reading: string[];
  /** Whether any value of the interval is doubtful. */
  doubtful: boolean[];
  /** Limits in force now. */
  limits?: Limits | null;
}

/** Where a number comes from (PR-1). */
export interface ReadingSource {
  /** Name of the reading. */
  reading: string;
  /** Reference id. */
  metric: string;
  /** Name of the metric. */
  name: string;
  /** Number. */
  value?: number | null;
  /** Text of an enumeration or text value. */
  text?: string | null;
  /** Unit. */
  unit: string;
  /** On whom. */
  patient?: PatientBrief | null;
  /** By which device. */
  device: string;
  /** Its name. */
  device_name: string;
  /** When it was true. */
  time_ms: number;
  /** When the device said that it measured, as sent; none if it gave no time. */
  device_time_ms?: number | null;
  /** When we received it. */
  received_ms: number;
  /** Names of the quality flags. */
  flags: string[];
  /** Journal entry. */
  offset: number;
  /** Index within it. */
  index: number;
  /** The message, if the journal still has it. */
  message?: MessageView | null;
}

/** A message as received. */
export interface MessageView {
  /** `mqtt`, `mllp`, `fhir`, `http`, `internal`. */
  protocol: string;
  /** Topic, message type or resource type. */
  address: string;
  /** Client, application or account. */
  sender: string;
  /** Control id; may be empty. */
  message_id: string;
  /** Profile or codec. */
  profile: string;
  /** When it was received. */
  received_ms: number;
  /** Size in bytes. */
  size: number;
  /** The payload as text where it is text, else hexadecimal; at most 64 KiB of it. */
  payload: string;
  /** `text` or `hex`. */
  payload_format: string;
}

/** A device, as the devices page shows it. */
export interface DeviceView {
  /** Logical id. */
  id: string;
  /** Name. */
  name: string;
  /** Manufacturer and model; may be empty. */
  model: string;
  /** Serial number; may be empty. */
  serial: string;
  /** Firmware version; may be empty. */
  version: string;
  /** `online`, `offline`, `lost`, `silent` (connected, but says nothing). */
  link: string;
  /** `announced` (never associated) or `known`. */
  standing: string;
  /** Patient that it is on. */
  patient?: PatientBrief | null;
  /** Bed that it is mounted at. */
  location?: LocationBrief | null;
  /** Door that it last used. */
  protocol: string;
  /** Last message received. */
  last_seen_ms?: number | null;
  /** Messages received. */
  messages: number;
  /** Values received. */
  values: number;
  /** Messages in a minute, over the last five. */
  per_minute: number;
  /** Messages that went to quarantine. */
  problems: number;
  /** How far its clock is from ours, in milliseconds (positive: ahead); none if unknown. */
  clock_offset_ms?: number | null;
  /** `good`, `off` (corrected), `none`, `unknown`. */
  clock: string;
  /** Battery in percent. */
  battery?: number | null;
  /** Delay from measuring to receiving, milliseconds, middle of the last 100. */
  delay_ms?: number | null;
  /** Reference ids of the metrics that it sends. */
  metrics: string[];
}

/** Devices and how well they speak. */
export interface DevicePage {
  /** The devices. */
  devices: DeviceView[];
  /** How busy the doors are. */
  load: Load;
  /** Our clock when this was made. */
  now_ms: number;
}

/** How busy the program is (DU-3). */
export interface Load {
  /** Messages in a second, over the last ten. */
  messages_per_s: number;
  /** Part of the queue to the journal that is full, 0 to 1. */
  queue_fill: number;
  /** Whether senders are being slowed. */
  slowed: boolean;
  /** Entries committed but not yet judged. */
  behind: number;
  /** Open connections by protocol. */
  connections: [string, number][];
  /** Refused, quarantined, thinned and late items by reason since the start (DU-2). */
  counted: [string, number][];
}

/** A device to put on a patient. */
export interface AssociateRequest {
  /** Patient id; or give `identifier`. */
  patient?: string | null;
  /** `system|value` of the patient. */
  identifier?: string | null;
  /** Since when; none: now. */
  since_ms?: number | null;
}

/** One of many devices to put on patients. */
export interface BulkAssociation {
  /** Device id. */
  device: string;
  /** `system|value` of the patient, who is created if unknown. */
  identifier: string;
  /** Since when; none: now. */
  since_ms?: number | null;
  /** `Family, Given`; may be empty. */
  name?: string;
  /** ISO date of birth. */
  birth_date?: string | null;
  /** `male`, `female`, `other`, `unknown`. */
  sex?: string;
}

/** Where to mount a device. */
export interface MountRequest {
  /** Location id; none: unmount. */
  location?: string | null;
}

/** Something that could not be understood. */
export interface QuarantineItem {
  /** Journal entry. */
  offset: number;
  /** When it was received. */
  received_ms: number;
  /** `mqtt`, `mllp`, `fhir`, … */
  protocol: string;
  /** Topic, message type or resource type. */
  address: string;
  /** Client, application or account. */
  sender: string;
  /** Profile that tried; may be empty. */
  profile: string;
  /** Size in bytes. */
  size: number;
  /** `new`, `released`, `discarded`. */
  state: string;
  /** Values that were understood all the same. */
  understood: number;
  /** What is wrong. */
  problems: ProblemView[];
}

/** One thing that is wrong. */
export interface ProblemView {
  /** `syntax`, `unmatched`, `unknown-metric`, … */
  kind: string;
  /** Where in the message. */
  path: string;
  /** What and what to do. */
  detail: string;
}

/** A page of quarantine. */
export interface QuarantinePage {
  /** Newest first. */
  items: QuarantineItem[];
  /** How many there are in all for the question asked. */
  total: number;
  /** How many are new, by kind of problem. */
  by_kind: [string, number][];
}

/** A quarantined message, whole. */
export interface QuarantineDetail {
  /** The line. */
  item: QuarantineItem;
  /** The message. */
  message: MessageView;
  /** Step by step, how the profiles of now read it. */
  trace: TraceStep[];
  /** How many values it would now yield. */
  would_yield: number;
}

/** One step of reading a message with profiles. */
export interface TraceStep {
  /** `match`, `extract`, `convert`, `result`, … */
  step: string;
  /** Whether it went well. */
  ok: boolean;
  /** What was found. */
  detail: string;
}

/** A device profile. */
export interface ProfileView {
  /** File name without folder. */
  name: string;
  /** Whole text. */
  text: string;
  /** Why it does not work; empty if it does. */
  error: string;
  /** Whether it is built in and can't be changed. */
  built_in: boolean;
}

/** A profile to try on a payload, or to keep. */
export interface ProfileTest {
  /** File name. */
  name: string;
  /** Whole text. */
  text: string;
  /** Topic to try; or take a quarantined message's. */
  topic?: string | null;
  /** Payload as text. */
  payload?: string | null;
  /** Quarantined message to try it on. */
  offset?: number | null;
}

/** What a profile makes of a payload. */
export interface ProfileTestResult {
  /** Why the profile does not work; empty if it does. */
  error: string;
  /** Step by step. */
  trace: TraceStep[];
  /** Values that it yields. */
  values: string[];
  /** What it could not read. */
  problems: ProblemView[];
}

/** A list of places. */
export interface LocationView {
  /** The place. */
  location: LocationBrief;
  /** Who is there. */
  patient?: PatientBrief | null;
}

/** The rules by which patients are judged. */
export interface PolicyView {
  /** TOML. */
  text: string;
  /** Who put it in force; empty for the built-in one. */
  by: string;
  /** Since when. */
  since_ms?: number | null;
}

/** What went wrong, safe for a screen. */
export interface ErrorBody {
  /** Short name for programs: `not-found`, `bad-request`, `forbidden`, … */
  error: string;
  /** What failed, why, and what to do. */
  message: string;
}

/** Whether a value may be taken for the present one (TI-1). */
export type ValueState = 'live' | 'stale' | 'doubtful' | 'recorded';

/** What the live stream carries; the event's name is `type`, its id the stream position. */
export type LiveEvent =
  | ({ type: 'ward' } & Ward)
  | ({ type: 'tile' } & Tile)
  | { type: 'gone'; patient: string }
  | ({ type: 'alert' } & Alert)
  | ({ type: 'devices' } & Load)
  | { type: 'quarantine'; new: number }
  | { type: 'time'; now_ms: number };
