//! What people do, as the journal keeps it.

use serde::{Deserialize, Serialize};

use crate::{
    BaselineStep, CommandId, CommandOrder, CommandStep, DeviceId, DirectoryEvent, EffectiveTime, EpisodeId,
    LocationId, Look, Message, MetricCode, ModelInUse, Offset, PathwayDeed, PatientId, ReceiveTime, Verdict,
};

/// What people do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// Take an alert: it stops sounding until it worsens, or until `until`.
    Acknowledge {
        /// Which.
        episode: EpisodeId,
        /// Until when; none: for the rest of the episode.
        until: Option<ReceiveTime>,
        /// Free text; may be empty.
        note: String,
    },
    /// Silence an alert for a while, with a reason.
    Snooze {
        /// Which.
        episode: EpisodeId,
        /// Until when.
        until: ReceiveTime,
        /// Why.
        reason: String,
    },
    /// Pass an alert on to the next role in its chain now.
    Escalate {
        /// Which.
        episode: EpisodeId,
        /// Why; may be empty.
        reason: String,
    },
    /// Reset a latched alert whose condition is gone.
    Reset {
        /// Which.
        episode: EpisodeId,
        /// What was found; may be empty.
        note: String,
    },
    /// Put a device on a patient.
    Associate {
        /// Which device.
        device: DeviceId,
        /// On whom.
        patient: PatientId,
        /// Since when; none: now.
        since: Option<EffectiveTime>,
    },
    /// Take a device off whomever it is on.
    Disassociate {
        /// Which device.
        device: DeviceId,
        /// When; none: now.
        at: Option<EffectiveTime>,
    },
    /// Change who and what there is.
    Directory(DirectoryEvent),
    /// Mount a device at a bed, or (none) unmount it.
    Mount {
        /// Which device.
        device: DeviceId,
        /// Where.
        location: Option<LocationId>,
    },
    /// Set a patient's own alarm limits of one metric; both none: back to the policy's.
    SetLimits {
        /// Whose.
        patient: PatientId,
        /// Of what.
        metric: MetricCode,
        /// Alarm below this.
        low: Option<f64>,
        /// Alarm above this.
        high: Option<f64>,
        /// Why; may be empty.
        reason: String,
    },
    /// Choose the SpO2 scale of NEWS2: 1, or 2 for prescribed 88–92% (hypercapnic failure).
    SetSpo2Scale {
        /// Whose.
        patient: PatientId,
        /// 1 or 2.
        scale: u8,
        /// Why; may be empty.
        reason: String,
    },
    /// A quarantined message was mapped again and its readings follow as `message`.
    Release {
        /// The entry that was quarantined.
        quarantined: Offset,
        /// What it now means.
        message: Box<Message>,
    },
    /// A quarantined message was looked at and discarded.
    Discard {
        /// The entry that was quarantined.
        quarantined: Offset,
        /// Why.
        reason: String,
    },
    /// A configuration change outside the engine, kept for the record.
    Note {
        /// What changed.
        subject: String,
        /// How.
        detail: String,
    },
    /// Keep all that was measured of a patient between two times, for ever. The hold is named by
    /// the entry.
    Hold {
        /// Of whom.
        patient: PatientId,
        /// First time.
        from: EffectiveTime,
        /// First time after.
        to: EffectiveTime,
        /// Why; may be empty.
        reason: String,
    },
    /// End a hold: retention takes its course again.
    ReleaseHold {
        /// The entry in which it was said.
        hold: Offset,
        /// Why; may be empty.
        reason: String,
    },
    /// Erase a patient: everything about them is deleted, and their key destroyed.
    Erase {
        /// Whom.
        patient: PatientId,
        /// Why: the request or the rule that it follows; names nobody.
        reason: String,
    },
    /// Ask a device to do something.
    Command(Box<CommandOrder>),
    /// What became of that: said by a person, by whoever sends it, or by the device itself.
    CommandStep {
        /// Which command.
        command: CommandId,
        /// To which device.
        device: DeviceId,
        /// What happened.
        step: CommandStep,
    },
    /// Somebody looked after a patient.
    Seen {
        /// Whom.
        patient: PatientId,
        /// How.
        how: Look,
    },
    /// Decide on a care pathway, or on one of its steps.
    Pathway {
        /// For whom.
        patient: PatientId,
        /// Which, by its name in the policy.
        pathway: String,
        /// What was decided.
        deed: PathwayDeed,
    },
    /// Say what an alert was, also after it is over. Whoever says it again changes it.
    Judge {
        /// Which.
        episode: EpisodeId,
        /// What it was.
        verdict: Verdict,
        /// In words; may be empty.
        note: String,
    },
    /// Let these predictive models judge from here on, and no others.
    UseModels {
        /// Which, in this order.
        models: Vec<ModelInUse>,
    },
    /// Decide about a patient's own normal of one metric, and the limits that follow it.
    Baseline {
        /// Whose.
        patient: PatientId,
        /// Of what.
        metric: MetricCode,
        /// What was decided.
        step: BaselineStep,
        /// Why.
        reason: String,
    },
}
