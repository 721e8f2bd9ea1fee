// The shapes of `/api/v1`, by the names that the pages use. `schema.d.ts` is generated from the checked-in OpenAPI document
// (`npm run types`); only what the live stream puts around them is said here.
import type { components } from './schema';

type Schemas = components['schemas'];

export type Alert = Schemas['Alert'];
export type AlertAction = Schemas['AlertAction'];
export type AlertHistory = Schemas['AlertHistory'];
export type AlertPage = Schemas['AlertPage'];
export type Application = Schemas['Application'];
export type AskedAccess = Schemas['AskedAccess'];
export type AssociateRequest = Schemas['AssociateRequest'];
export type AssociationView = Schemas['AssociationView'];
export type BeatPage = Schemas['BeatPage'];
export type CurrentValue = Schemas['CurrentValue'];
export type DeviceModel = Schemas['DeviceModel'];
export type DevicePart = Schemas['DevicePart'];
export type DevicePage = Schemas['DevicePage'];
export type DeviceView = Schemas['DeviceView'];
export type ErrorBody = Schemas['ErrorBody'];
export type Hold = Schemas['HoldView'];
export type Launch = Schemas['Launch'];
export type Launchable = Schemas['Launchable'];
export type OwnLimitChange = Schemas['OwnLimitChange'];
export type Limits = Schemas['Limits'];
export type Load = Schemas['Load'];
export type LocationView = Schemas['LocationView'];
export type MessageView = Schemas['MessageView'];
export type MetricLimits = Schemas['MetricLimits'];
export type MountRequest = Schemas['MountRequest'];
export type Onward = Schemas['Onward'];
export type OwnNormal = Schemas['OwnNormal'];
export type OwnNormals = Schemas['OwnNormals'];
export type OwnNormalDecision = Schemas['OwnNormalDecision'];
export type UsualBand = Schemas['UsualBand'];
export type PatientBrief = Schemas['PatientBrief'];
export type PatientPage = Schemas['PatientPage'];
export type ModelCard = Schemas['ModelCard'];
export type ModelPage = Schemas['ModelPage'];
export type Proposal = Schemas['Proposal'];
export type RiskView = Schemas['RiskView'];
export type ScanRequest = Schemas['ScanRequest'];
export type ScanResult = Schemas['ScanResult'];
export type ProfileTest = Schemas['ProfileTest'];
export type ProfileTestResult = Schemas['ProfileTestResult'];
export type ProfileView = Schemas['ProfileView'];
export type RegisteredApplication = Schemas['RegisteredApplication'];
export type QualitySpan = Schemas['QualitySpan'];
export type QuarantineDetail = Schemas['QuarantineDetail'];
export type QuarantineItem = Schemas['QuarantineItem'];
export type QuarantinePage = Schemas['QuarantinePage'];
export type ReadingSource = Schemas['ReadingSource'];
export type RhythmSpan = Schemas['RhythmSpan'];
export type ScoreView = Schemas['ScoreView'];
export type SeriesView = Schemas['SeriesView'];
export type Session = Schemas['Session'];
export type Setup = Schemas['Setup'];
export type SetupState = Schemas['SetupState'];
export type Spo2Scale = Schemas['Spo2Scale'];
export type Tile = Schemas['Tile'];
export type TraceStep = Schemas['TraceStep'];
export type TrendLine = Schemas['TrendLine'];
export type Trends = Schemas['Trends'];
export type ValueState = Schemas['ValueState'];
export type WaveChannel = Schemas['WaveChannel'];
export type Ward = Schemas['Ward'];

/** What the live stream carries; the event's name is `type`, its id the stream position. */
export type LiveEvent =
  | ({ type: 'ward' } & Ward)
  | ({ type: 'tile' } & Tile)
  | { type: 'gone'; patient: string }
  | ({ type: 'alert' } & Alert)
  | ({ type: 'worklist' } & Schemas['WorklistLine'])
  | ({ type: 'devices' } & Load)
  | { type: 'quarantine'; new: number }
  | { type: 'time'; now_ms: number };
