//! What others may ask of a host: which operations it describes, and what a call means to us. Whether
//! the caller may is asked where it is done.

use std::collections::BTreeSet;

use vitals::{Action, DeviceId, MetricCode, PatientId, ReceiveTime};
use wire_sdc::basic::{CodedValue, LocalizedText};
use wire_sdc::descriptor::{
    ActivateOperationDescriptor, NumericMetricDescriptor, OperationDescriptor, ScoDescriptor,
    SetContextStateOperationDescriptor, SetStateOperationDescriptor, SetStringOperationDescriptor,
    SetValueOperationDescriptor, StringMetricDescriptor,
};
use wire_sdc::message::{SetRequest, Setting};
use wire_sdc::state::{
    ActivateOperationState, MetricQuality, MetricState, NumericMetricState, NumericMetricValue, OperationState,
    ScoState, SetContextStateOperationState, SetStringOperationState, SetValueOperationState, StringMetricState,
    StringMetricValue, ValueBase,
};
use wire_sdc::words::{ComponentActivation, ContextAssociation, MetricCategory, OperatingMode, Validity};
use wire_sdc::{Descriptor, StateKind};

use engine::PatientView;
use guard::Permission;

use super::model::{ALERTS, CHANNEL, MDS, PATIENT, PATIENT_ROOT, Sight, Tree, metric_descriptor, resolution, stamp};
use super::settings::Offered;

const SCO: &str = "mds.sco";
const TAKE: &str = "op.take-alerts";
const TAKE_NOTE: &str = "op.take-alerts-note";
const NOTE: &str = "metric.note";
const PUT_ON: &str = "op.patient";
/// Longest note, in bytes.
const NOTE_MAX: usize = 500;

/// Which end of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Low,
    High,
}

impl End {
    const BOTH: [(Self, &'static str); 2] = [(Self::Low, "low"), (Self::High, "high")];
}

/// Why a call is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// No such operation here.
    Unknown,
    /// The operation is there, and this value can't be.
    Value,
    /// Nobody is on the device.
    Nobody,
}

/// What a call means.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Meaning {
    /// What has to be allowed.
    pub(super) permission: Permission,
    /// Of whom; the patient whom the device is on, or shall be on.
    pub(super) patient: PatientId,
    /// What is done, in order.
    pub(super) actions: Vec<Action>,
    /// What it changes: a handle.
    pub(super) target: String,
    /// The note that shows afterwards.
    pub(super) note: Option<String>,
}

/// Adds what is offered to the tree.
pub(super) fn describe(offered: Offered, sight: &Sight<'_>, limits: &BTreeSet<MetricCode>, tree: &mut Tree) {
    if !offered.any() {
        return;
    }
    tree.put(Some(MDS), Descriptor::new(SCO, ScoDescriptor::default()), ScoState::default());
    let mode = if sight.patient.is_some() { OperatingMode::Enabled } else { OperatingMode::Disabled };
    let target = |target: &str| OperationDescriptor { target: target.to_owned(), ..OperationDescriptor::default() };
    let set = |t: &str| SetStateOperationDescriptor { operation: target(t), ..SetStateOperationDescriptor::default() };
    let mut put = |handle: &str, kind: wire_sdc::DescriptorKind, state: StateKind| {
        tree.put(Some(SCO), Descriptor::new(handle, kind), state);
    };
    if offered.alerts {
        let kind = ActivateOperationDescriptor { set: set(ALERTS), arguments: Vec::new() };
        put(TAKE, kind.into(), ActivateOperationState { operation: OperationState { mode } }.into());
        let kind = SetStringOperationDescriptor { operation: target(NOTE), max_length: Some(NOTE_MAX as u64) };
        put(TAKE_NOTE, kind.into(), SetStringOperationState { operation: OperationState { mode }, ..SetStringOperationState::default() }.into());
    }
    if offered.patients {
        let kind = SetContextStateOperationDescriptor { set: set(PATIENT) };
        let operation = OperationState { mode: OperatingMode::Enabled };
        put(PUT_ON, kind.into(), SetContextStateOperationState { operation }.into());
    }
    if offered.limits {
        for metric in limits {
            for (_, name) in End::BOTH {
                let kind = SetValueOperationDescriptor { operation: target(&limit_handle(*metric, name)) };
                let state = SetValueOperationState { operation: OperationState { mode }, ..SetValueOperationState::default() };
                put(&format!("op.limit.{}.{name}", metric.0), kind.into(), state.into());
            }
        }
    }
    if offered.alerts {
        note(sight, tree);
    }
    if offered.limits {
        limit_metrics(sight, limits, tree);
    }
}

fn limit_handle(metric: MetricCode, name: &str) -> String {
    format!("limit.{}.{name}", metric.0)
}

fn note(sight: &Sight<'_>, tree: &mut Tree) {
    let metric = metric_descriptor(MetricCode(0), MetricCategory::Setting);
    let code = CodedValue {
        code: "note".to_owned(),
        system: Some("urn:vitalwire:metric".to_owned()),
        descriptions: vec![LocalizedText::new("Note with which alerts were last taken", "en-US")],
        ..CodedValue::default()
    };
    let value = sight.note.map(|(note, at)| StringMetricValue {
        base: ValueBase { quality: valid(), determined: Some(stamp(at.0)), ..ValueBase::default() },
        value: Some(note.clone()),
    });
    let descriptor = Descriptor::new(NOTE, StringMetricDescriptor { metric }).coded(code);
    tree.put(Some(CHANNEL), descriptor, StringMetricState { metric: on(), value });
}

fn on() -> MetricState {
    MetricState { activation: Some(ComponentActivation::On), ..MetricState::default() }
}

fn valid() -> MetricQuality {
    MetricQuality { validity: Validity::Valid, ..MetricQuality::default() }
}

fn limit_metrics(sight: &Sight<'_>, limits: &BTreeSet<MetricCode>, tree: &mut Tree) {
    for metric in limits {
        let limit = sight.patient.and_then(|p| p.limits.iter().find(|limit| limit.metric.canonical() == *metric));
        for (end, name) in End::BOTH {
            let kind = NumericMetricDescriptor {
                metric: metric_descriptor(*metric, MetricCategory::Setting),
                resolution: resolution(*metric),
                ..NumericMetricDescriptor::default()
            };
            let label = metric.metric().map_or("", |metric| metric.name);
            let code = CodedValue {
                code: format!("limit-{name}-{}", metric.0),
                system: Some("urn:vitalwire:metric".to_owned()),
                descriptions: vec![LocalizedText::new(format!("{label}: {name} limit"), "en-US")],
                ..CodedValue::default()
            };
            let value = limit.and_then(|limit| if end == End::Low { limit.low } else { limit.high });
            let value = value.map(|value| NumericMetricValue {
                base: ValueBase { quality: valid(), ..ValueBase::default() },
                value: Some(value),
            });
            let descriptor = Descriptor::new(limit_handle(*metric, name), kind).coded(code);
            tree.put(Some(CHANNEL), descriptor, NumericMetricState { metric: on(), value, ..NumericMetricState::default() });
        }
    }
}

/// What a call means to us, if it can be done at all.
pub(super) fn meaning(
    offered: Offered,
    device: &DeviceId,
    patient: Option<&PatientView>,
    call: &SetRequest,
    now: ReceiveTime,
) -> Result<Meaning, Refused> {
    let on = || patient.ok_or(Refused::Nobody);
    match (&call.what, call.operation.as_str()) {
        (Setting::Activate(_), TAKE) if offered.alerts => Ok(take(on()?, "", ALERTS)),
        (Setting::Text(text), TAKE_NOTE) if offered.alerts => {
            let text = text.trim();
            if text.is_empty() || text.len() > NOTE_MAX || text.chars().any(char::is_control) {
                return Err(Refused::Value);
            }
            Ok(Meaning { note: Some(text.to_owned()), ..take(on()?, text, NOTE) })
        }
        (Setting::Contexts(states), PUT_ON) if offered.patients => put_on(device, patient, states, now),
        (Setting::Value(value), operation) if offered.limits => limit(on()?, operation, *value),
        _ => Err(Refused::Unknown),
    }
}

fn take(patient: &PatientView, note: &str, target: &str) -> Meaning {
    let open = patient.alerts.iter().filter(|episode| episode.state == alert::EpisodeState::Raised);
    let take = open.map(|episode| Action::Acknowledge { episode: episode.id, until: None, note: note.to_owned() });
    Meaning {
        permission: Permission::ActOnAlerts,
        patient: patient.patient.id.clone(),
        actions: take.collect(),
        target: target.to_owned(),
        note: None,
    }
}

fn limit(patient: &PatientView, operation: &str, value: f64) -> Result<Meaning, Refused> {
    let named = operation.strip_prefix("op.limit.").and_then(|rest| rest.split_once('.'));
    let (code, name) = named.ok_or(Refused::Unknown)?;
    let metric = MetricCode(code.parse().map_err(|_| Refused::Unknown)?);
    let (end, name) = End::BOTH.into_iter().find(|(_, known)| *known == name).ok_or(Refused::Unknown)?;
    let present = patient.limits.iter().find(|limit| limit.metric.canonical() == metric).ok_or(Refused::Unknown)?;
    let (low, high) = match end {
        End::Low => (Some(value), present.high),
        End::High => (present.low, Some(value)),
    };
    let plausible = metric.metric().and_then(|metric| metric.plausible);
    let possible = plausible.is_none_or(|(least, most)| (least..=most).contains(&value));
    let ordered = low.zip(high).is_none_or(|(low, high)| low < high);
    if !value.is_finite() || !possible || !ordered {
        return Err(Refused::Value);
    }
    let reason = "set by another system over SDC".to_owned();
    Ok(Meaning {
        permission: Permission::SetLimits,
        patient: patient.patient.id.clone(),
        actions: vec![Action::SetLimits { patient: patient.patient.id.clone(), metric: present.metric, low, high, reason }],
        target: limit_handle(metric, name),
        note: None,
    })
}

/// Association with the patient who is named, or an end of the present one.
fn put_on(
    device: &DeviceId,
    present: Option<&PatientView>,
    states: &[wire_sdc::State],
    _now: ReceiveTime,
) -> Result<Meaning, Refused> {
    let [state] = states else { return Err(Refused::Value) };
    let StateKind::PatientContext(context) = &state.kind else { return Err(Refused::Value) };
    let context = &context.context;
    let ours = |root: Option<&str>| root == Some(PATIENT_ROOT);
    let named = context.identifications.iter().find(|id| ours(id.root.as_deref())).and_then(|id| id.extension.as_deref());
    let named = named.map(PatientId::new).transpose().map_err(|_| Refused::Value)?;
    let (patient, action) = match context.association.unwrap_or_default() {
        ContextAssociation::Associated => {
            let patient = named.ok_or(Refused::Value)?;
            (patient.clone(), Action::Associate { device: device.clone(), patient, since: None })
        }
        ContextAssociation::Disassociated | ContextAssociation::NotAssociated => {
            let patient = present.ok_or(Refused::Nobody)?.patient.id.clone();
            // Whoever names somebody else is mistaken about who is on the device.
            if named.is_some_and(|named| named != patient) {
                return Err(Refused::Value);
            }
            (patient, Action::Disassociate { device: device.clone(), at: None })
        }
        ContextAssociation::PreAssociated => return Err(Refused::Value),
    };
    let target = PATIENT.to_owned();
    Ok(Meaning { permission: Permission::Associate, patient, actions: vec![action], target, note: None })
}
