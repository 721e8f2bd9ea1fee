//! A device of ours as SDC describes it: pure, from the live view to descriptors and states.
//!
//! One MDS with one VMD and one channel. A value that is stale or has none says so and carries no
//! number (TI-1); a patient is told by identifier alone, never by name.

use std::collections::{BTreeMap, BTreeSet};

use alert::{Episode, EpisodeState, Priority};
use engine::{Current, DeviceLine, PatientView};
use vitals::metric::MetricKind;
use vitals::{LinkState, Location, MetricCode, Quality, Rate, ReceiveTime, WaveRun};
use wire_dpws::scope::{self, LOCATION_DETAIL};
use wire_sdc::basic::{CodedValue, Handles, InstanceIdentifier, LocalizedText, Numbers, Range, Span, Timestamp};
use wire_sdc::descriptor::{
    AlertConditionDescriptor, AlertSignalDescriptor, AlertSystemDescriptor, ChannelDescriptor,
    LocationContextDescriptor, MdsDescriptor, MetaData, MetricDescriptor, NumericMetricDescriptor,
    PatientContextDescriptor, RealTimeSampleArrayMetricDescriptor, StringMetricDescriptor, SystemContextDescriptor,
    VmdDescriptor,
};
use wire_sdc::state::{
    AlertConditionState, AlertSignalState, AlertSystemState, ChannelState, ComponentState, ContextState,
    LocationContextState, LocationDetail, MdsState, MetricQuality, MetricState, NumericMetricState,
    NumericMetricValue, PatientContextState, RealTimeSampleArrayMetricState, SampleArrayValue, StringMetricState,
    StringMetricValue, SystemContextState, ValueBase, VmdState,
};
use wire_sdc::words::{
    AlertActivation, AlertConditionKind, AlertPriority, Availability, ComponentActivation, ContextAssociation,
    GenerationMode, Manifestation, MetricCategory, SafetyClassification, SignalPresence, Validity,
};
use wire_sdc::{Descriptor, DescriptorKind, Entry, State, StateKind};

use super::operations;
use super::settings::Offered;

pub(super) const MDS: &str = "mds";
pub(super) const CHANNEL: &str = "vmd.channel";
pub(super) const ALERTS: &str = "mds.alerts";
pub(super) const PATIENT: &str = "mds.context.patient";
const LOCATION: &str = "mds.context.location";
/// Root of the identifiers of our patients.
pub(super) const PATIENT_ROOT: &str = "urn:vitalwire:patient";
/// Coding system of metrics that IEEE 11073-10101 has no code for.
const OWN_CODES: &str = "urn:vitalwire:metric";
/// MDC_DIM_DIMLESS.
const NO_UNIT: u32 = 262_656;
/// MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS: what a device is called of which no kind is known.
const ANY_MDS: u32 = 69_965;
/// Most metrics, and most kinds of alert, that one host describes.
const MANY: usize = 256;

/// What a host has described so far: it grows only.
#[derive(Debug, Default)]
pub(super) struct Described {
    metrics: BTreeSet<MetricCode>,
    limits: BTreeSet<MetricCode>,
    waves: BTreeMap<(MetricCode, u32), Rate>,
    alerts: BTreeMap<String, (AlertConditionKind, String)>,
}

/// The device at this moment.
pub(super) struct Sight<'a> {
    /// The device.
    pub(super) line: &'a DeviceLine,
    /// Whom it is on.
    pub(super) patient: Option<&'a PatientView>,
    /// Where it is.
    pub(super) place: Option<&'a Location>,
    /// What can be asked of it.
    pub(super) offered: Offered,
    /// Period of the self-check.
    pub(super) period: Span,
    /// Last self-check, and how many there were.
    pub(super) checked: (ReceiveTime, i64),
    /// The note that came with the last taking of alerts.
    pub(super) note: Option<&'a (String, ReceiveTime)>,
    /// Now.
    pub(super) now: ReceiveTime,
}

/// A tree in the making.
#[derive(Default)]
pub(super) struct Tree {
    /// Descriptors, parents before children.
    pub(super) entries: Vec<Entry>,
    /// States.
    pub(super) states: Vec<State>,
}

impl Tree {
    pub(super) fn put(&mut self, parent: Option<&str>, descriptor: Descriptor, state: impl Into<StateKind>) {
        self.states.push(State::new(descriptor.handle.clone(), state));
        self.entries.push(Entry { parent: parent.map(str::to_owned), descriptor });
    }
}

/// Milliseconds since 1970.
pub(super) fn stamp(micros: i64) -> Timestamp {
    u64::try_from(micros.div_euclid(1_000)).unwrap_or(0)
}

pub(super) fn metric_handle(metric: MetricCode) -> String {
    format!("metric.{}", metric.canonical().0)
}

pub(super) fn wave_handle(metric: MetricCode, channel: u32) -> String {
    format!("wave.{}.{channel}", metric.canonical().0)
}

fn text(text: impl Into<String>) -> LocalizedText {
    LocalizedText::new(text, "en-US")
}

fn code_of(metric: MetricCode) -> CodedValue {
    let known = metric.metric();
    let own = metric.refid().starts_with("VW_");
    CodedValue {
        symbol: (!own).then(|| metric.refid()),
        descriptions: known.map(|metric| text(metric.name)).into_iter().collect(),
        system: own.then(|| OWN_CODES.to_owned()),
        code: if own { metric.refid() } else { metric.canonical().0.to_string() },
        ..CodedValue::default()
    }
}

fn unit_of(metric: MetricCode) -> CodedValue {
    let unit = metric.metric().map(|metric| metric.unit);
    let code = unit.map(vitals::Unit::mdc).filter(|code| *code != 0).unwrap_or(NO_UNIT);
    CodedValue { symbol: unit.map(|unit| unit.refid().to_owned()).filter(|id| !id.is_empty()), ..CodedValue::mdc(code) }
}

pub(super) fn metric_descriptor(metric: MetricCode, category: MetricCategory) -> MetricDescriptor {
    MetricDescriptor {
        unit: unit_of(metric),
        category,
        availability: Availability::Intermittent,
        life_time: metric.metric().map(|m| Span::from_secs(i64::from(m.stale_after_s))),
        ..MetricDescriptor::default()
    }
}

fn resolution_of(metric: MetricCode) -> f64 {
    0.1_f64.powi(i32::from(metric.metric().map_or(3, |metric| metric.decimals)))
}

/// The resolution rounded to its decimal places, so that it reads as people write it.
pub(super) fn resolution(metric: MetricCode) -> f64 {
    (resolution_of(metric) * 1e6).round() / 1e6
}

/// The host as it is now.
pub(super) fn look(sight: &Sight<'_>, described: &mut Described) -> Tree {
    described.learn(sight);
    let mut tree = Tree::default();
    device(sight, &mut tree);
    contexts(sight, &mut tree);
    alert_system(sight, described, &mut tree);
    metrics(sight, described, &mut tree);
    operations::describe(sight.offered, sight, &described.limits, &mut tree);
    for entry in &mut tree.entries {
        let Descriptor { handle, code: Some(code), .. } = &mut entry.descriptor else { continue };
        // The localisation service has the same texts by the descriptor's handle.
        for description in &mut code.descriptions {
            description.reference = Some(handle.clone());
        }
    }
    tree
}

impl Described {
    /// Handles of waveforms.
    pub(super) fn wave_handles(&self) -> impl Iterator<Item = String> {
        self.waves.keys().map(|(metric, channel)| wave_handle(*metric, *channel))
    }

    fn learn(&mut self, sight: &Sight<'_>) {
        let own = |metric: &MetricCode| metric.metric().is_some_and(|m| matches!(m.kind, MetricKind::Numeric | MetricKind::Enumeration | MetricKind::Text));
        let sent = sight.line.metrics.iter().map(|metric| metric.canonical()).filter(own);
        let here = sight.patient.iter().flat_map(|patient| values(patient, sight.line)).map(|value| value.metric.canonical());
        for metric in sent.chain(here) {
            if self.metrics.len() < MANY {
                self.metrics.insert(metric);
            }
        }
        let Some(patient) = sight.patient else { return };
        for limit in patient.limits.iter().filter(|limit| self.metrics.contains(&limit.metric.canonical())) {
            self.limits.insert(limit.metric.canonical());
        }
        for wave in patient.waves.iter().filter(|wave| wave.device == sight.line.device.id) {
            if let Some(rate) = wave.rate.filter(|_| self.waves.len() < MANY) {
                self.waves.insert((wave.metric.canonical(), wave.channel), rate);
            }
        }
        for episode in &patient.alerts {
            if self.alerts.len() < MANY {
                self.alerts.entry(alert_handle(episode)).or_insert_with(|| (alert_kind(episode), episode.title.clone()));
            }
        }
    }
}

/// The values that the device gave.
fn values<'a>(patient: &'a PatientView, line: &'a DeviceLine) -> impl Iterator<Item = &'a Current> {
    patient.values.iter().filter(|value| value.device == line.device.id)
}

fn device(sight: &Sight<'_>, tree: &mut Tree) {
    let device = &sight.line.device;
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let meta = MetaData {
        manufacturer: some(&device.manufacturer).map(text).into_iter().collect(),
        model_name: some(&device.model).map(text).into_iter().collect(),
        serial_numbers: some(&device.serial).into_iter().collect(),
        ..MetaData::default()
    };
    let kind = MdsDescriptor { meta: Some(meta), ..MdsDescriptor::default() };
    let code = device.kind.map_or(ANY_MDS, |kind| kind.0);
    let code = CodedValue { descriptions: vec![text(device.name.clone())], ..CodedValue::mdc(code) };
    let mds = Descriptor { safety: Some(SafetyClassification::MedA), ..Descriptor::new(MDS, kind).coded(code) };
    let connected = sight.line.link == LinkState::Online && !sight.line.silent;
    let activation = Some(if connected { ComponentActivation::On } else { ComponentActivation::NotReady });
    let component = ComponentState { activation, ..ComponentState::default() };
    tree.put(None, mds, MdsState { component: component.clone(), lang: Some("en-US".to_owned()), ..MdsState::default() });
    let vmd = Descriptor::new("vmd", VmdDescriptor::default());
    tree.put(Some(MDS), vmd, VmdState { component: component.clone(), ..VmdState::default() });
    tree.put(Some("vmd"), Descriptor::new(CHANNEL, ChannelDescriptor::default()), ChannelState { component });
}

fn contexts(sight: &Sight<'_>, tree: &mut Tree) {
    let system = Descriptor::new("mds.context", SystemContextDescriptor::default());
    tree.put(Some(MDS), system, SystemContextState::default());
    let bare = |handle: &str, kind: DescriptorKind| Entry {
        parent: Some("mds.context".to_owned()),
        descriptor: Descriptor::new(handle, kind),
    };
    tree.entries.push(bare(PATIENT, PatientContextDescriptor::default().into()));
    tree.entries.push(bare(LOCATION, LocationContextDescriptor::default().into()));
    let association = |there| if there { ContextAssociation::Associated } else { ContextAssociation::NotAssociated };
    let of_patient = |patient: &PatientView| InstanceIdentifier::new(PATIENT_ROOT, patient.patient.id.as_str());
    let context = ContextState {
        handle: format!("{PATIENT}.state"),
        identifications: sight.patient.map(of_patient).into_iter().collect(),
        association: Some(association(sight.patient.is_some())),
        ..ContextState::default()
    };
    tree.states.push(State::new(PATIENT, PatientContextState { context, data: None }));
    let location = sight.place.map(place);
    let context = ContextState {
        handle: format!("{LOCATION}.state"),
        identifications: location.iter().map(|place| InstanceIdentifier::new(&place.root, &place.extension)).collect(),
        association: Some(association(location.is_some())),
        ..ContextState::default()
    };
    let detail = location.map(|place| LocationDetail {
        point_of_care: place.point_of_care,
        room: place.room,
        bed: place.bed,
        ..LocationDetail::default()
    });
    tree.states.push(State::new(LOCATION, LocationContextState { context, detail }));
}

/// A place as SDC names it.
pub(super) fn place(location: &Location) -> scope::Location {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let place = scope::Location {
        root: LOCATION_DETAIL.to_owned(),
        point_of_care: some(&location.bed.unit),
        room: some(&location.bed.room),
        bed: some(&location.bed.bed),
        ..scope::Location::default()
    };
    scope::Location { extension: place.detail(), ..place }
}

fn alert_handle(episode: &Episode) -> String {
    let name = match &episode.condition {
        alert::ConditionKey::Rule(id) => format!("rule-{id}"),
        alert::ConditionKey::Limit(metric) => format!("limit-{}", metric.0),
        alert::ConditionKey::Gap(device) => format!("gap-{device}"),
        alert::ConditionKey::Alarm(name) => format!("alarm-{name}"),
    };
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '.' };
    format!("alert.{}", name.chars().map(plain).take(80).collect::<String>())
}

fn alert_kind(episode: &Episode) -> AlertConditionKind {
    match &episode.condition {
        alert::ConditionKey::Gap(_) | alert::ConditionKey::Alarm(_) => AlertConditionKind::Technical,
        _ => AlertConditionKind::Physiological,
    }
}

fn priority(priority: Priority) -> AlertPriority {
    match priority {
        Priority::Low => AlertPriority::Low,
        Priority::Medium => AlertPriority::Medium,
        Priority::High => AlertPriority::High,
    }
}

fn alert_system(sight: &Sight<'_>, described: &Described, tree: &mut Tree) {
    let open = || sight.patient.iter().flat_map(|patient| patient.alerts.iter());
    let present = |kind| {
        let of_kind = open().filter(|episode| alert_kind(episode) == kind);
        let all: BTreeSet<String> = of_kind.map(alert_handle).filter(|handle| described.alerts.contains_key(handle)).collect();
        Handles(all.into_iter().collect())
    };
    let state = AlertSystemState {
        activation: AlertActivation::On,
        last_self_check: Some(stamp(sight.checked.0.0)),
        self_checks: Some(sight.checked.1),
        present_physiological: Some(present(AlertConditionKind::Physiological)),
        present_technical: Some(present(AlertConditionKind::Technical)),
        ..AlertSystemState::default()
    };
    let system = AlertSystemDescriptor { self_check_period: Some(sight.period), ..AlertSystemDescriptor::default() };
    tree.put(Some(MDS), Descriptor::new(ALERTS, system), state);
    for (handle, (kind, title)) in &described.alerts {
        let episode = open().filter(|episode| alert_handle(episode) == *handle).max_by_key(|episode| episode.raised_at);
        let condition = AlertConditionDescriptor {
            sources: vec![MDS.to_owned()],
            kind: *kind,
            priority: AlertPriority::Medium,
            ..AlertConditionDescriptor::default()
        };
        let code = CodedValue {
            code: handle.clone(),
            system: Some("urn:vitalwire:alert".to_owned()),
            descriptions: vec![text(title.clone())],
            ..CodedValue::default()
        };
        let gone = |episode: &Episode| matches!(episode.state, EpisodeState::Latched | EpisodeState::Resolved);
        let state = AlertConditionState {
            activation: AlertActivation::On,
            priority: episode.map(|episode| priority(episode.priority)),
            presence: Some(episode.is_some_and(|episode| !gone(episode))),
            determined: episode.map(|episode| stamp(episode.changed_at)),
            ..AlertConditionState::default()
        };
        tree.put(Some(ALERTS), Descriptor::new(handle, condition).coded(code), state);
        let signal = AlertSignalDescriptor {
            condition: Some(handle.clone()),
            manifestation: Manifestation::Visual,
            acknowledgement: Some(true),
            ..AlertSignalDescriptor::default()
        };
        let presence = match episode.map(|episode| episode.state) {
            Some(EpisodeState::Raised) => SignalPresence::On,
            Some(EpisodeState::Acknowledged | EpisodeState::Snoozed) => SignalPresence::Acknowledged,
            Some(EpisodeState::Latched) => SignalPresence::Latched,
            Some(EpisodeState::Resolved) | None => SignalPresence::Off,
        };
        let state = AlertSignalState {
            activation: AlertActivation::On,
            presence: Some(presence),
            ..AlertSignalState::default()
        };
        tree.put(Some(ALERTS), Descriptor::new(format!("{handle}.signal"), signal), state);
    }
}

fn metrics(sight: &Sight<'_>, described: &Described, tree: &mut Tree) {
    for metric in &described.metrics {
        let current = sight.patient.and_then(|p| values(p, sight.line).find(|v| v.metric.canonical() == *metric));
        let base = metric_descriptor(*metric, MetricCategory::Measurement);
        let state = MetricState { activation: Some(ComponentActivation::On), ..MetricState::default() };
        let clock = sight.patient.map_or(sight.now.0, |patient| patient.clock.max(sight.now.0));
        let (value, words) = current.map(|current| value_of(current, clock)).unwrap_or_default();
        let textual = metric.metric().is_some_and(|m| matches!(m.kind, MetricKind::Enumeration | MetricKind::Text));
        if textual {
            let kind = StringMetricDescriptor { metric: base };
            let value = value.map(|base| StringMetricValue { base: base.base, value: words });
            let descriptor = Descriptor::new(metric_handle(*metric), kind).coded(code_of(*metric));
            tree.put(Some(CHANNEL), descriptor, StringMetricState { metric: state, value });
        } else {
            let kind = NumericMetricDescriptor {
                metric: base,
                resolution: resolution(*metric),
                technical_ranges: metric.metric().and_then(|m| m.plausible).map(range).into_iter().collect(),
                ..NumericMetricDescriptor::default()
            };
            let descriptor = Descriptor::new(metric_handle(*metric), kind).coded(code_of(*metric));
            tree.put(Some(CHANNEL), descriptor, NumericMetricState { metric: state, value, ..NumericMetricState::default() });
        }
    }
    for ((metric, channel), rate) in &described.waves {
        let kind = RealTimeSampleArrayMetricDescriptor {
            metric: MetricDescriptor {
                availability: Availability::Continuous,
                ..metric_descriptor(*metric, MetricCategory::Measurement)
            },
            resolution: resolution(*metric),
            sample_period: Span { nanos: (1e9 / rate.hz()).round() as i64 },
            ..RealTimeSampleArrayMetricDescriptor::default()
        };
        let descriptor = Descriptor::new(wave_handle(*metric, *channel), kind).coded(code_of(*metric));
        // Samples come by themselves; the state without any is reported once.
        tree.entries.push(Entry { parent: Some(CHANNEL.to_owned()), descriptor });
    }
}

fn range((lower, upper): (f64, f64)) -> Range {
    Range { lower: Some(lower), upper: Some(upper), ..Range::default() }
}

fn value_of(current: &Current, clock: i64) -> (Option<NumericMetricValue>, Option<String>) {
    let fresh = clock < current.stale_at;
    let number = Some(current.value).filter(|value| fresh && value.is_finite());
    let words = current.text.clone().filter(|_| fresh);
    let quality = if number.is_none() && words.is_none() {
        MetricQuality { validity: Validity::NotAvailable, ..MetricQuality::default() }
    } else {
        quality(current.quality)
    };
    let base = ValueBase { quality, determined: Some(stamp(current.time.0)), ..ValueBase::default() };
    (Some(NumericMetricValue { base, value: number }), words)
}

fn quality(quality: Quality) -> MetricQuality {
    let validity = if quality.contains(Quality::CALIBRATING) {
        Validity::Calibrating
    } else if quality.contains(Quality::INVALID) {
        Validity::Invalid
    } else if quality.usable() {
        Validity::Valid
    } else {
        Validity::Questionable
    };
    let mode = if quality.intersects(Quality::TEST.union(Quality::RECORDED)) {
        GenerationMode::Test
    } else {
        GenerationMode::Real
    };
    MetricQuality { validity, mode: Some(mode), ..MetricQuality::default() }
}

/// The states that samples make. The standard has no sample that is missing, so that each stretch
/// without a gap is a state of its own, with the time of its first sample.
pub(super) fn samples(handle: &str, run: &WaveRun) -> Vec<State> {
    let mut values = Vec::new();
    run.values(&mut values);
    let mut states = Vec::new();
    let mut at = 0;
    for stretch in values.split(|value| !value.is_finite()) {
        if !stretch.is_empty() {
            states.push(stretch_of(handle, run, at, stretch));
        }
        at += stretch.len() + 1;
    }
    states
}

fn stretch_of(handle: &str, run: &WaveRun, first: usize, values: &[f64]) -> State {
    let values = values.iter().map(|value| (*value * 1e6).round() / 1e6).collect();
    let determined = Some(stamp(run.time_of(first as u64).0));
    let value = SampleArrayValue {
        base: ValueBase { quality: quality(run.quality), determined, ..ValueBase::default() },
        samples: Some(Numbers(values)),
        ..SampleArrayValue::default()
    };
    let metric = MetricState { activation: Some(ComponentActivation::On), ..MetricState::default() };
    State::new(handle, RealTimeSampleArrayMetricState { metric, value: Some(value), ..RealTimeSampleArrayMetricState::default() })
}

/// The state of a waveform before its first sample.
pub(super) fn silent(handle: String) -> State {
    let metric = MetricState { activation: Some(ComponentActivation::On), ..MetricState::default() };
    State::new(handle, RealTimeSampleArrayMetricState { metric, ..RealTimeSampleArrayMetricState::default() })
}
