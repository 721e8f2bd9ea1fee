//! The nouns of connected care: patient, location, device, association, metric, unit, the two
//! clocks, quality, measurement, provenance, and the event that the journal keeps.
//!
//! Every other crate borrows its words from here. What is deliberately absent: any wire format,
//! any input or output, any clock. Types derive plain serde so that the journal can keep them in
//! a compact binary form; the shapes that HTTP clients see belong to the `api` crate.

pub mod id;
pub mod time;
pub mod unit;
pub mod metric;
pub mod analyte;
pub mod quality;
pub mod rate;
pub mod samples;
pub mod measurement;
pub mod patient;
pub mod location;
pub mod device;
pub mod property;
pub mod movement;
pub mod command;
pub mod alarm;
pub mod origin;
pub mod event;
pub mod action;
pub mod series;
pub mod wave;
pub mod hold;
pub mod relay;
pub mod care;
pub mod verdict;
pub mod own;
pub mod model;

pub use alarm::{AlarmKind, AlarmPriority, AlarmSignal, AlarmState, DeviceAlarm};
pub use analyte::Analyte;
pub use care::{Look, PathwayDeed};
pub use command::{
    CommandClass, CommandOrder, CommandParameter, CommandStep, CommandValue, ReadBack,
};
pub use device::{Association, AssociationBasis, ClockMethod, Component, Device, LinkState};
pub use action::Action;
pub use event::{
    Actor, Content, DirectoryEvent, Event, Message, Problem, ProblemKind, Reading, Role,
    TimeBase,
};
pub use hold::Hold;
pub use relay::{Passed, PassedAlert, PassedScore, RelayLine, Relayed};
pub use id::{CommandId, DeviceId, EncounterId, EpisodeId, IdError, LocationId, PatientId, PredictionId, SeriesId};
pub use location::{Bed, Location, LocationKind};
pub use measurement::{Measurement, Value};
pub use metric::{Metric, MetricCode};
pub use movement::{Movement, PatientMovement};
pub use origin::{Origin, Protocol};
pub use patient::{Encounter, EncounterStatus, HumanName, Identifier, Patient, PatientRef, Sex};
pub use quality::Quality;
pub use rate::Rate;
pub use samples::{SampleArray, SampleEncoding, Samples, Scale};
pub use series::{Offset, Point, ReadingRef, SeriesKey};
pub use time::{DeviceTime, EffectiveTime, ReceiveTime};
pub use unit::Unit;
pub use verdict::Verdict;
pub use own::BaselineStep;
pub use model::{ModelInUse, ModelRole};
pub use wave::{WaveRun, WaveSamples};
