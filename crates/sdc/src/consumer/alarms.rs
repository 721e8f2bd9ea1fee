//! Alert conditions of a device as alarms.

use std::collections::BTreeSet;

use vitals::alarm::{ALARM_ID_BYTES, ALARM_TEXT_BYTES, cut};
use vitals::{AlarmKind, AlarmPriority, AlarmSignal, AlarmState, Content, DeviceAlarm};
use wire_sdc::basic::LocalizedText;
use wire_sdc::state::AlertSignalState;
use wire_sdc::words::{AlertActivation, AlertConditionKind, AlertPriority, Manifestation, SignalPresence};
use wire_sdc::{DescriptorKind, Mdib, State, StateKind};

use super::map::{Mapper, Said, device_time};

/// The conditions that the states speak of: their own, or those that a signal among them signals.
pub(super) fn touched<'s>(mdib: &Mdib, states: impl Iterator<Item = &'s State>) -> BTreeSet<String> {
    let mut touched = BTreeSet::new();
    for state in states {
        if state.condition().is_some() {
            touched.insert(state.descriptor.clone());
        } else if matches!(state.kind, StateKind::AlertSignal(_))
            && let Some(DescriptorKind::AlertSignal(signal)) = mdib.descriptor(&state.descriptor).map(|d| &d.kind)
        {
            touched.extend(signal.condition.clone());
        }
    }
    touched
}

/// Says how each of these conditions is now.
pub(super) fn say(mapper: &mut Mapper<'_>, mdib: &Mdib, handles: &BTreeSet<String>, said: &mut Said) {
    for handle in handles {
        if let Some(alarm) = alarm(mapper, mdib, handle, said) {
            said.content.push(Content::Alarm(alarm));
        }
    }
}

fn alarm(mapper: &mut Mapper<'_>, mdib: &Mdib, handle: &str, said: &mut Said) -> Option<DeviceAlarm> {
    let descriptor = mdib.descriptor(handle)?;
    let described = descriptor.condition()?;
    let state = mdib.state(handle)?.condition()?;
    let signals = signals(mdib, handle);
    let present = state.presence == Some(true) && state.activation != AlertActivation::Off;
    let latched = signals.iter().any(|(_, s)| s.presence == Some(SignalPresence::Latched));
    let language = &mapper.settings.language;
    let own = descriptor.code.as_ref().and_then(|code| LocalizedText::pick(&code.descriptions, language));
    let cause = described.causes.iter().find_map(|cause| LocalizedText::pick(&cause.descriptions, language));
    let text = own.or(cause).unwrap_or(handle);
    let source = described.sources.iter().find_map(|source| mdib.descriptor(source).filter(|d| d.metric().is_some()));
    let place = source.map_or(handle, |source| source.handle.as_str());
    Some(DeviceAlarm {
        device: mapper.device_of(mdib, handle),
        patient: mapper.patient(mdib, handle, said),
        id: cut(handle, ALARM_ID_BYTES).to_owned(),
        kind: match described.kind {
            AlertConditionKind::Physiological => AlarmKind::Physiological,
            AlertConditionKind::Technical => AlarmKind::Technical,
            AlertConditionKind::Other => AlarmKind::Advisory,
        },
        priority: match state.priority.unwrap_or(described.priority) {
            AlertPriority::None => AlarmPriority::None,
            AlertPriority::Low => AlarmPriority::Low,
            AlertPriority::Medium => AlarmPriority::Medium,
            AlertPriority::High => AlarmPriority::High,
        },
        state: match (present, latched) {
            (true, _) => AlarmState::Active,
            (false, true) => AlarmState::Latched,
            (false, false) => AlarmState::Inactive,
        },
        signal: signal(&signals),
        code: mapper.code_of(descriptor),
        text: cut(text, ALARM_TEXT_BYTES).to_owned(),
        source: source.and_then(|source| mapper.code_of(source)),
        channel: mapper.channel(mdib, place),
        device_time: state.determined.and_then(device_time),
    })
}

/// The signals of a condition, as described and as they are.
fn signals<'m>(mdib: &'m Mdib, condition: &str) -> Vec<(Manifestation, &'m AlertSignalState)> {
    let of = |entry: &'m wire_sdc::Entry| match &entry.descriptor.kind {
        DescriptorKind::AlertSignal(signal) if signal.condition.as_deref() == Some(condition) => {
            match mdib.state(&entry.descriptor.handle).map(|state| &state.kind) {
                Some(StateKind::AlertSignal(state)) => Some((signal.manifestation, state)),
                _ => None,
            }
        }
        _ => None,
    };
    mdib.descriptors.iter().filter_map(of).collect()
}

/// What the device does to be heard. A device whose signals are not known is taken to sound.
fn signal(signals: &[(Manifestation, &AlertSignalState)]) -> AlarmSignal {
    if signals.iter().any(|(_, s)| s.presence == Some(SignalPresence::Acknowledged)) {
        return AlarmSignal::Acknowledged;
    }
    let all = |state: AlertActivation, audible: bool| {
        let mut of = signals.iter().filter(|(how, _)| !audible || *how == Manifestation::Auditory).peekable();
        of.peek().is_some() && of.all(|(_, s)| s.activation == state)
    };
    for (state, audible, signal) in [
        (AlertActivation::Off, false, AlarmSignal::Off),
        (AlertActivation::Paused, false, AlarmSignal::Paused),
        (AlertActivation::Off, true, AlarmSignal::AudioOff),
        (AlertActivation::Paused, true, AlarmSignal::AudioPaused),
    ] {
        if all(state, audible) {
            return signal;
        }
    }
    AlarmSignal::On
}
