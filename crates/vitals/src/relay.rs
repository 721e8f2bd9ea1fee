//! What an edge sends on: messages that it took in and alerts that it raised, each with a number of
//! its own, so that however often it is sent it counts once.

use serde::{Deserialize, Serialize};

use crate::{Action, Actor, DeviceId, EffectiveTime, EpisodeId, Message, MetricCode, PatientId, ReceiveTime};

/// One thing that an edge sent on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Relayed {
    /// Which edge.
    pub edge: DeviceId,
    /// Which spool of that edge: a random number that it drew when the spool was made. Numbers count
    /// within it.
    pub spool: u64,
    /// Which of the spool's lines: numbers rise within a line.
    pub line: RelayLine,
    /// Its number, from 1 on, rising.
    pub number: u64,
    /// What it is.
    pub what: Passed,
}

/// The lines of a spool: what is in one arrives in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum RelayLine {
    /// Numerics, alerts, and what people did.
    Numerics,
    /// Messages with waveforms.
    Waveforms,
}

/// What an edge sends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Passed {
    /// A message, as the edge took it in: `received` is when the edge received it.
    Message(Box<Message>),
    /// A change of an alert of the edge.
    Alert(Box<PassedAlert>),
    /// What somebody did at the edge.
    Action(Actor, Box<Action>),
    /// A score that the edge computed.
    Score(PassedScore),
}

/// A score that an edge computed: the centre keeps it if it did not see the values in time to compute it itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PassedScore {
    /// Whose.
    pub patient: PatientId,
    /// Which score.
    pub metric: MetricCode,
    /// When it was true, on the patient's clock at the edge.
    pub at: EffectiveTime,
    /// When the edge computed it.
    pub received: ReceiveTime,
    /// Its points.
    pub value: f64,
}

/// A change of an alert that an edge raised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PassedAlert {
    /// The edge's name for the alert.
    pub episode: EpisodeId,
    /// Whose.
    pub patient: PatientId,
    /// Of what the readings were that it rests on.
    pub because: Vec<MetricCode>,
    /// The alert after the change, with the change, as the edge's engine tells it: JSON.
    pub record: String,
}
