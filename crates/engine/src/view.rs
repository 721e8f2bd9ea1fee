//! What the world may see of a patient or a device: copies, made when something changed.

use alert::pathway::Offer;
use alert::worklist::Standing;
use alert::{Episode, Limit, Limits};
use score::Score;
use vitals::{
    Association, Device, DeviceId, EffectiveTime, Encounter, LinkState, Location, MetricCode, ModelRole, Patient,
    PatientId, Protocol, Rate, ReceiveTime, SeriesId,
};

use crate::care::Seen;
use crate::clock::ClockState;
use crate::device::DeviceState;
use crate::normal::{LimitChange, NormalLine};
use crate::foresight::LastSaid;
use crate::patient::PatientState;
use crate::scoring::Trend;
use crate::value::Current;
use crate::wave::WaveChannel;
use crate::{Engine, SELF_DEVICE};

/// A patient as seen from outside.
#[derive(Debug, Clone, PartialEq)]
pub struct PatientView {
    /// Details.
    pub patient: Patient,
    /// Records merged into this one.
    pub merged: Vec<PatientId>,
    /// Age in years.
    pub age_years: Option<f64>,
    /// Encounter in progress.
    pub encounter: Option<Encounter>,
    /// Place.
    pub location: Option<Location>,
    /// The patient's clock, in microseconds.
    pub clock: i64,
    /// Whether the values are played back.
    pub recorded: bool,
    /// Latest values, by metric code.
    pub values: Vec<Current>,
    /// Scores that can be computed.
    pub scores: Vec<(MetricCode, Score)>,
    /// The score for the patient's age.
    pub primary: MetricCode,
    /// Recent past of the scores.
    pub trends: Vec<Trend>,
    /// What each model that is shown said last.
    pub risks: Vec<RiskLine>,
    /// When the scores were computed, on the patient's clock.
    pub scored_at: i64,
    /// Open alerts.
    pub alerts: Vec<Episode>,
    /// Devices on the patient: id, name, connection, whether silent.
    pub devices: Vec<(DeviceId, String, LinkState, bool)>,
    /// Limits in force.
    pub limits: Vec<Limit>,
    /// Metrics whose limits are the patient's own.
    pub own_limits: Vec<MetricCode>,
    /// The patient's own limits as they were set; a side that was not set is the policy's.
    pub limits_set: Vec<Limit>,
    /// Limits that follow the patient's own normal, where no clinician set any.
    pub followed: Vec<Limit>,
    /// What is known of the patient's own normal.
    pub normals: Vec<NormalLine>,
    /// The latest changes of limits that follow, oldest first.
    pub limit_changes: Vec<LimitChange>,
    /// SpO2 scale of NEWS2.
    pub spo2_scale: u8,
    /// Waveforms, in order of appearance.
    pub waves: Vec<WaveLine>,
    /// Where the patient stands in the worklist, and why.
    pub standing: Standing,
    /// Who looked after the patient last.
    pub seen: Option<Seen>,
    /// Since when nobody has, in microseconds on the patient's clock.
    pub unseen_since: Option<i64>,
    /// Care pathways: those that matter, and the last that ended.
    pub pathways: Vec<Offer>,
    /// The rhythm that holds by analysis of the waveforms (see `signal::Rhythm`), and since when.
    pub rhythm: Option<(u8, EffectiveTime)>,
}

/// What a model that is shown said of a patient last.
#[derive(Debug, Clone, PartialEq)]
pub struct RiskLine {
    /// What it said.
    pub last: LastSaid,
    /// What the model calls itself.
    pub title: String,
    /// What it predicts, in words.
    pub outcome: String,
    /// Within how many hours.
    pub horizon_h: f32,
}

/// One waveform of a patient as seen from outside.
#[derive(Debug, Clone, PartialEq)]
pub struct WaveLine {
    /// Where its samples are kept.
    pub series: SeriesId,
    /// By which device.
    pub device: DeviceId,
    /// Of what.
    pub metric: MetricCode,
    /// Which of several like channels of the device.
    pub channel: u32,
    /// Sampling rate.
    pub rate: Option<Rate>,
    /// When the sample after the last one is due.
    pub end: Option<EffectiveTime>,
    /// Signal quality, 0 to 100, and the number of the reason why it is bad (see
    /// `signal::Reason`; 0: it is not).
    pub quality: Option<(u8, u8)>,
    /// How much slower than its nominal rate the channel runs by the device's clock, in parts per
    /// million.
    pub drift_ppm: Option<i32>,
    /// What did not fit, by reason.
    pub counted: Vec<(String, u64)>,
}

/// A device as seen from outside.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceLine {
    /// Details.
    pub device: Device,
    /// Whether its details are known (else it is announced).
    pub known: bool,
    /// Connection.
    pub link: LinkState,
    /// Whether its silence was noticed.
    pub silent: bool,
    /// Patient that it is on.
    pub patient: Option<PatientId>,
    /// Associations, newest first.
    pub associations: Vec<Association>,
    /// Door of the last message.
    pub protocol: Protocol,
    /// Last message.
    pub heard_at: Option<ReceiveTime>,
    /// Messages.
    pub messages: u64,
    /// Values.
    pub values: u64,
    /// Messages a minute over the last five.
    pub per_minute: f64,
    /// Messages with problems.
    pub problems: u64,
    /// Clock, in one word.
    pub clock: ClockState,
    /// How far its clock is ahead of ours, in microseconds.
    pub ahead_us: Option<i64>,
    /// Battery charge in percent.
    pub battery: Option<f64>,
    /// Delay from measuring to receiving, smoothed, in microseconds.
    pub delay_us: Option<i64>,
    /// Metrics that it sends.
    pub metrics: Vec<MetricCode>,
}

/// One line of a device's association history.
pub type AssociationLine = Association;

impl Engine {
    /// A patient as seen from outside; none if nothing was ever heard of the patient's state.
    #[must_use]
    pub fn patient_view(&self, id: &PatientId) -> Option<PatientView> {
        let state = self.patients.get(id)?;
        let patient =
            self.directory.patient(id).cloned().unwrap_or_else(|| Patient::unknown(id.clone()));
        let location =
            self.directory.place_of(id).and_then(|place| self.directory.location(place)).cloned();
        let age = self.age_of(id);
        let unit = location.as_ref().map(|location| location.bed.unit.as_str());
        let own = state.own_limits();
        let limits = Limits { unit, age_years: age, own: &own };
        let devices = self.devices_on(id).into_iter().filter_map(|device| {
            let line = self.devices.get(&device)?;
            Some((device, line.device.name.clone(), present_link(line, self.now), line.silent))
        });
        let waves = self.waves(id);
        Some(PatientView {
            merged: self.directory.merged_into(id),
            age_years: age,
            encounter: self.directory.encounter_of(id).cloned(),
            clock: state.clock,
            recorded: state.recorded,
            values: state.values.iter().cloned().collect(),
            scores: state.scores.all.clone(),
            primary: state.scores.primary(),
            trends: state.scores.trends.clone(),
            risks: self.risk_lines(state),
            scored_at: state.scores.computed_at,
            alerts: state.episodes.open().to_vec(),
            devices: devices.collect(),
            limits: self.policy.limits_for(&limits),
            own_limits: state.limits.iter().map(|limit| limit.metric).collect(),
            limits_set: state.limits.clone(),
            followed: own.iter().skip(state.limits.len()).copied().collect(),
            normals: self.normal_lines(id),
            limit_changes: self.normals.get(id).map_or_else(Vec::new, |n| n.changes.clone()),
            spo2_scale: state.spo2_scale,
            waves: waves.map_or_else(Vec::new, |waves| waves.channels.iter().map(wave_line).collect()),
            standing: state.care.standing.clone(),
            seen: state.care.seen.clone(),
            unseen_since: state.care.unseen_since(),
            pathways: state.care.offers.all().to_vec(),
            rhythm: waves.and_then(|waves| waves.rhythm),
            patient,
            location,
        })
    }

    fn risk_lines(&self, state: &PatientState) -> Vec<RiskLine> {
        let shown = state.foresight.said.iter().filter(|last| last.role == ModelRole::Champion);
        shown
            .filter_map(|last| {
                let model = self.judges.find(&last.model, &last.version)?;
                Some(RiskLine {
                    last: last.clone(),
                    title: model.title().to_owned(),
                    outcome: model.outcome().words.clone(),
                    horizon_h: model.horizon_h(),
                })
            })
            .collect()
    }

    /// A device as seen from outside; none for the platform itself.
    #[must_use]
    pub fn device_line(&self, id: &DeviceId) -> Option<DeviceLine> {
        let state = self.devices.get(id).filter(|_| id.as_str() != SELF_DEVICE)?;
        let on = state.current().map_or_else(|| only_subject(state), |a| Some(&a.patient));
        let mut metrics: Vec<MetricCode> = state.series.iter().map(|(_, m, ..)| *m).collect();
        metrics.sort_unstable();
        metrics.dedup();
        Some(DeviceLine {
            device: state.device.clone(),
            known: state.known || only_subject(state).is_some(),
            link: present_link(state, self.now),
            silent: state.silent,
            patient: on.map(|patient| self.directory.resolve(patient).clone()),
            associations: state.associations.iter().rev().cloned().collect(),
            protocol: state.protocol,
            heard_at: state.heard_at,
            messages: state.messages,
            values: state.values,
            per_minute: state.per_minute(self.now),
            problems: state.problems,
            clock: state.clock.state(state.messages > 0),
            ahead_us: state.clock.ahead_us(),
            battery: state.battery,
            delay_us: state.delay_us,
            metrics,
        })
    }
}

fn wave_line(channel: &WaveChannel) -> WaveLine {
    WaveLine {
        series: channel.series,
        device: channel.device.clone(),
        metric: channel.metric,
        channel: channel.channel,
        rate: channel.rate(),
        end: channel.line.end().map(EffectiveTime),
        quality: channel.quality,
        drift_ppm: channel.line.drift_ppm(),
        counted: channel.counted.clone(),
    }
}

/// A door without a lasting connection has no link to lose: heard lately is online.
fn present_link(state: &DeviceState, now: ReceiveTime) -> LinkState {
    let lasting = matches!(state.protocol, Protocol::Mqtt | Protocol::Phd);
    let lately = !lasting && state.per_minute(now) > 0.0;
    if state.link == LinkState::Offline && lately { LinkState::Online } else { state.link }
}

/// The one patient whom all that a device ever said names, where nobody ever put it on anybody: the
/// chart of a patient is such a device.
fn only_subject(state: &DeviceState) -> Option<&PatientId> {
    let first = state.series.first().filter(|_| state.associations.is_empty())?.0.as_ref()?;
    state.series.iter().all(|(subject, ..)| subject.as_ref() == Some(first)).then_some(first)
}
