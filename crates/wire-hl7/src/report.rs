//! Writes ORU^R40: an alert of ours as IHE PCD-04 reports it to an alert manager.
//!
//! All messages of one alert carry its name in OBR-3, updates also as their parent in OBR-29; the
//! control id begins with it. The alert's values are in its text; no evidence is repeated.
//!
//! Source: IHE PCD Technical Framework volume 2, section 3.4.

use std::fmt::Write as _;

use vitals::{AlarmKind, AlarmPriority, AlarmSignal, AlarmState, Bed, DeviceTime, Patient};

use crate::build::{self, Envelope};
use crate::dtm;

/// What a message tells of an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It began.
    Start,
    /// It goes on; something about it changed.
    Continue,
    /// It became more urgent.
    Escalate,
    /// It became less urgent.
    Deescalate,
    /// It is over.
    End,
}

impl Phase {
    /// The word in `MDC_ATTR_EVENT_PHASE`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Continue => "continue",
            Self::Escalate => "escalate",
            Self::Deescalate => "deescalate",
            Self::End => "end",
        }
    }
}

/// An alert on its way out.
#[derive(Debug, Clone, PartialEq)]
pub struct Report<'a> {
    /// Its name, the same from start to end.
    pub id: &'a str,
    /// What is told.
    pub phase: Phase,
    /// Whether it is there.
    pub state: AlarmState,
    /// Whether somebody took it.
    pub signal: AlarmSignal,
    /// How urgent.
    pub priority: AlarmPriority,
    /// Of the patient or of a device.
    pub kind: AlarmKind,
    /// What people read.
    pub text: &'a str,
    /// Why, with values; may be empty.
    pub reason: &'a str,
    /// Whose it is.
    pub patient: Option<&'a Patient>,
    /// Where they are.
    pub bed: Option<&'a Bed>,
    /// The device that it is about, or ourselves.
    pub device: &'a str,
    /// When it became so.
    pub at: DeviceTime,
}

/// The message.
#[must_use]
pub fn report(envelope: &Envelope, report: &Report<'_>) -> String {
    let profile = "IHE_PCD_ACM_001^IHE PCD^1.3.6.1.4.1.19376.1.6.1.4.1^ISO";
    let mut out = String::with_capacity(1_024);
    build::msh(&mut out, envelope, "ORU^R40^ORU_R40", profile);
    if let Some(patient) = report.patient {
        build::pid(&mut out, patient);
    }
    if let Some(bed) = report.bed {
        let _ = write!(out, "PV1||I|{}\r", build::pl(bed));
    }
    let id = build::escape(report.id);
    let ours = build::escape(&envelope.application);
    let at = dtm::write(report.at.micros());
    let parent = match report.phase {
        Phase::Start => String::new(),
        _ => format!("{}^{id}&{ours}", "|".repeat(22)),
    };
    let _ = write!(out, "OBR|1|{id}^{ours}|{id}^{ours}|196616^MDC_EVT_ALARM^MDC|||{at}{parent}\r");
    let (priority, kind) = (priority(report.priority), kind(report.kind));
    let device = build::escape(report.device);
    let text = build::escape(report.text);
    let _ = write!(
        out,
        "OBX|1|CWE|196616^MDC_EVT_ALARM^MDC|1.0.0.0.1|196616^MDC_EVT_ALARM^MDC^^^^^^{text}|||{priority}~{kind}|||F|||{at}||||{device}\r"
    );
    if !report.reason.is_empty() {
        let _ = write!(out, "NTE|1|L|{}\r", build::escape(report.reason));
    }
    let facets = [
        ("CWE", "68480^MDC_ATTR_ALERT_SOURCE^MDC", "69965^MDC_DEV_MON_PHYSIO_MULTI_PARAM_MDS^MDC"),
        ("ST", "68481^MDC_ATTR_EVENT_PHASE^MDC", report.phase.name()),
        ("ST", "68482^MDC_ATTR_ALARM_STATE^MDC", state(report.state)),
        ("ST", "68483^MDC_ATTR_ALARM_INACTIVATION_STATE^MDC", signal(report.signal)),
        ("ST", "68484^MDC_ATTR_ALARM_PRIORITY^MDC", priority),
    ];
    for (number, (of_type, name, value)) in (2..).zip(facets) {
        let _ = write!(out, "OBX|{number}|{of_type}|{name}|1.0.0.0.{number}|{value}||||||F\r");
    }
    out
}

const fn priority(priority: AlarmPriority) -> &'static str {
    match priority {
        AlarmPriority::High => "PH",
        AlarmPriority::Medium => "PM",
        AlarmPriority::Low => "PL",
        AlarmPriority::None => "PN",
    }
}

const fn kind(kind: AlarmKind) -> &'static str {
    match kind {
        AlarmKind::Physiological => "SP",
        AlarmKind::Technical => "ST",
        AlarmKind::Advisory => "SA",
    }
}

const fn state(state: AlarmState) -> &'static str {
    match state {
        AlarmState::Active => "active",
        AlarmState::Latched => "latched",
        AlarmState::Inactive => "inactive",
    }
}

const fn signal(signal: AlarmSignal) -> &'static str {
    match signal {
        AlarmSignal::On => "enabled",
        AlarmSignal::AudioPaused => "audio-paused",
        AlarmSignal::AudioOff => "audio-off",
        AlarmSignal::Paused => "alarm-paused",
        AlarmSignal::Off => "alarm-off",
        AlarmSignal::Acknowledged => "alert-acknowledged",
    }
}
