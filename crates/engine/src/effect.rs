//! What a step concludes: to be stored exactly once, with the checkpoint, by whoever runs the
//! engine.

use alert::pathway::{Offer, OfferEvent};
use alert::{ChangeKind, Episode};
use serde::{Deserialize, Serialize};
use vitals::{
    Association, DeviceId, Encounter, EpisodeId, Hold, Location, LocationId, Offset, Patient, PatientId, Point,
    ReceiveTime, SeriesId, SeriesKey, Verdict, WaveRun,
};

/// One conclusion.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// A series began; the number is used from here on.
    SeriesOpened(SeriesId, SeriesKey),
    /// A number.
    Point(SeriesId, Point),
    /// A text; the point beside it holds its time and origin.
    Text(SeriesId, Point, String),
    /// Samples of a waveform, in their place.
    Samples(SeriesId, WaveRun),
    /// An alert changed.
    Alert(Box<AlertRecord>),
    /// What a model said, to be kept with all that it was said from.
    Predicted(Box<crate::PredictionRecord>),
    /// A care pathway was suggested, decided on, or went on.
    Pathway(Box<PathwayRecord>),
    /// A patient's details changed.
    Patient(Box<Patient>),
    /// Two records became one: the first lives on.
    Merged(PatientId, PatientId),
    /// An encounter changed.
    Encounter(Box<Encounter>),
    /// A place became known or changed.
    Location(Box<Location>),
    /// A device became known or changed.
    Device(Box<vitals::Device>),
    /// A device association began or ended; device and start name it.
    Association(Association),
    /// A quarantined entry was released or discarded.
    QuarantineEnded {
        /// The entry.
        offset: Offset,
        /// Released (else discarded).
        released: bool,
        /// By whom.
        by: String,
    },
    /// A stretch of time is to be kept for ever.
    Held(Box<Hold>),
    /// A hold ended.
    HoldReleased {
        /// Which.
        hold: Offset,
        /// By whom.
        by: String,
        /// When.
        at: ReceiveTime,
    },
    /// Somebody said what an alert was.
    Judged {
        /// Which.
        episode: EpisodeId,
        /// What it was.
        verdict: Verdict,
        /// By whom.
        by: String,
        /// In words; may be empty.
        note: String,
        /// When.
        at: ReceiveTime,
    },
    /// A patient was erased: all that is kept of them is to be deleted.
    Erased(Box<crate::Erased>),
    /// Something to count, by reason (DU-2).
    Counted(&'static str),
}

/// An alert as it is after a change, with the change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AlertRecord {
    /// The episode after the change.
    pub episode: Episode,
    /// What happened.
    pub kind: ChangeKind,
    /// By whom; `system` for the platform itself.
    pub actor: String,
    /// Free text.
    pub detail: String,
    /// When, on the patient's clock.
    pub at: ReceiveTime,
    /// Whose.
    pub patient: PatientId,
    /// Where the patient is.
    pub location: Option<LocationId>,
    /// The device, for a technical alert about one.
    pub device: Option<DeviceId>,
}

/// A care pathway of a patient as it is after a change, with the change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PathwayRecord {
    /// Whose.
    pub patient: PatientId,
    /// Where the patient is.
    pub location: Option<LocationId>,
    /// The pathway after the change.
    pub offer: Offer,
    /// What happened.
    pub event: OfferEvent,
    /// When, on the patient's clock.
    pub at: ReceiveTime,
}
