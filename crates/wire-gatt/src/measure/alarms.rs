//! What a pump announces, as alarms of a device. The Insulin Delivery Service ranks its announcements but
//! gives them no priority; the priorities here are ours: high where no insulin flows or soon none will.
//!
//! A pump shows one announcement at a time, the first in its rank, and says of one that ended only that
//! it is shown no more. So each type is one alarm; it ends when it is confirmed, and all end when nothing
//! is announced.

use vitals::{AlarmKind, AlarmPriority, AlarmSignal, AlarmState};

use super::{Alarm, Notes};
use crate::insulin::{AnnunciationState, AnnunciationStatus, AnnunciationType, PumpStatus, Therapy};

use AlarmPriority::{High, Low, Medium};

/// Types with the alarm's id, its text and its priority; none: worth knowing, nobody is asked for.
const TABLE: [(AnnunciationType, &str, &str, AlarmPriority); 22] = [
    (AnnunciationType::SystemIssue, "annunciation/system-issue", "The pump has a fault", High),
    (AnnunciationType::MechanicalIssue, "annunciation/mechanical-issue", "The pump has a mechanical fault", High),
    (AnnunciationType::Occlusion, "annunciation/occlusion", "Occlusion", High),
    (AnnunciationType::ReservoirIssue, "annunciation/reservoir-issue", "Fault of the reservoir", High),
    (AnnunciationType::ReservoirEmpty, "annunciation/reservoir-empty", "Reservoir empty", High),
    (AnnunciationType::ReservoirLow, "annunciation/reservoir-low", "Reservoir low", Low),
    (AnnunciationType::PrimingIssue, "annunciation/priming-issue", "The pump is not primed", Medium),
    (AnnunciationType::SetIncomplete, "annunciation/set-incomplete", "Infusion set not connected", High),
    (AnnunciationType::SetDetached, "annunciation/set-detached", "Infusion set detached", High),
    (AnnunciationType::PowerInsufficient, "annunciation/power-insufficient", "Too little power", Medium),
    (AnnunciationType::BatteryEmpty, "annunciation/battery-empty", "Battery empty", High),
    (AnnunciationType::BatteryLow, "annunciation/battery-low", "Battery low", Low),
    (AnnunciationType::BatteryMedium, "annunciation/battery-medium", "Battery half full", AlarmPriority::None),
    (AnnunciationType::BatteryFull, "annunciation/battery-full", "Battery full", AlarmPriority::None),
    (AnnunciationType::TemperatureOutOfRange, "annunciation/temperature-out-of-range", "The pump is too warm or too cold", Medium),
    (AnnunciationType::PressureOutOfRange, "annunciation/pressure-out-of-range", "Air pressure too high or too low for the pump", Medium),
    (AnnunciationType::BolusCancelled, "annunciation/bolus-cancelled", "A bolus was cancelled", Medium),
    (AnnunciationType::TemporaryBasalOver, "annunciation/temporary-basal-over", "A temporary basal rate has ended", AlarmPriority::None),
    (AnnunciationType::TemporaryBasalCancelled, "annunciation/temporary-basal-cancelled", "A temporary basal rate was cancelled", Low),
    (AnnunciationType::MaxDelivery, "annunciation/max-delivery", "As much insulin was delivered as is allowed", Medium),
    (AnnunciationType::DateTimeIssue, "annunciation/date-time-issue", "The pump's clock is not set", Low),
    (AnnunciationType::Temperature, "annunciation/temperature", "The pump reports a temperature", AlarmPriority::None),
];

pub(super) fn annunciation(notes: &mut Notes, status: AnnunciationStatus) {
    let Some(said) = status.annunciation else {
        for (_, id, text, priority) in TABLE {
            notes.alarm(id, text, priority, AlarmState::Inactive, AlarmSignal::Off);
        }
        return notes.alarm("annunciation/other", OTHER, Medium, AlarmState::Inactive, AlarmSignal::Off);
    };
    let known = TABLE.iter().find(|(kind, ..)| *kind == said.kind);
    let (id, text, priority) = known.map_or(("annunciation/other", OTHER, Medium), |(_, id, text, priority)| (*id, *text, *priority));
    let (state, signal) = match said.state {
        AnnunciationState::Confirmed => (AlarmState::Inactive, AlarmSignal::Acknowledged),
        AnnunciationState::Snoozed => (AlarmState::Active, AlarmSignal::AudioPaused),
        // What is not known sounds.
        AnnunciationState::Pending | AnnunciationState::Undetermined | AnnunciationState::Other(_) => {
            (AlarmState::Active, AlarmSignal::On)
        }
    };
    notes.alarm(id, text, priority, state, signal);
}

/// What a type says that this table lacks.
const OTHER: &str = "The pump announces something that is not known here";

/// That insulin stopped, and that no reservoir is attached.
pub(super) fn pump_status(notes: &mut Notes, status: PumpStatus) {
    let state = |there: bool| if there { AlarmState::Active } else { AlarmState::Inactive };
    if let Some((stopped, text)) = match status.therapy {
        Therapy::Stop => Some((true, "Insulin delivery is stopped")),
        Therapy::Pause => Some((true, "Insulin delivery is paused")),
        Therapy::Run => Some((false, "Insulin delivery is stopped")),
        // Not known is no reason to end an alarm, nor to begin one.
        Therapy::Undetermined | Therapy::Other(_) => None,
    } {
        notes.alarm("therapy", text, Medium, state(stopped), AlarmSignal::On);
    }
    notes.alarm("reservoir", "No reservoir is attached", Medium, state(!status.attached), AlarmSignal::On);
}

impl Notes {
    fn alarm(&mut self, id: &'static str, text: &'static str, priority: AlarmPriority, state: AlarmState, signal: AlarmSignal) {
        let kind = if priority == AlarmPriority::None { AlarmKind::Advisory } else { AlarmKind::Technical };
        self.meaning.alarms.push(Alarm { id, kind, priority, state, signal, text });
    }
}
