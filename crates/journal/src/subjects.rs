//! Whom an event is about: what decides with whose key it is sealed.

use smallvec::SmallVec;
use vitals::{
    Action, Content, DeviceId, DirectoryEvent, EpisodeId, Event, Message, Passed, PatientId,
};

/// The patients that an event is about, without repetition; none: nobody.
pub type Subjects = SmallVec<[PatientId; 1]>;

/// Who knows what an event itself does not say. Answers must be quick: they are asked for every
/// message.
pub trait Whose: Send + Sync {
    /// On whom a device is.
    fn on(&self, device: &DeviceId) -> Option<PatientId>;
    /// Whose alert this is.
    fn alert(&self, episode: EpisodeId) -> Option<PatientId>;
}

/// Everybody an event is about.
pub(crate) fn of(event: &Event, whose: Option<&dyn Whose>) -> Subjects {
    let mut found = Found { subjects: Subjects::new(), whose };
    match event {
        Event::Message(message) => found.message(message),
        Event::Action(_, action) => found.action(action),
        Event::Relayed(relayed) => match &relayed.what {
            Passed::Message(message) => found.message(message),
            Passed::Alert(alert) => found.add(&alert.patient),
            Passed::Action(_, action) => found.action(action),
            Passed::Score(score) => found.add(&score.patient),
        },
        Event::Link { device, reason, .. } if !reason.is_empty() => found.device(device),
        Event::Link { .. } | Event::Tick | Event::Policy(..) | Event::Erased => {}
    }
    found.subjects
}

struct Found<'a> {
    subjects: Subjects,
    whose: Option<&'a dyn Whose>,
}

impl Found<'_> {
    fn add(&mut self, patient: &PatientId) {
        if !self.subjects.contains(patient) {
            self.subjects.push(patient.clone());
        }
    }

    fn device(&mut self, device: &DeviceId) {
        if let Some(patient) = self.whose.and_then(|whose| whose.on(device)) {
            self.add(&patient);
        }
    }

    fn message(&mut self, message: &Message) {
        for content in &message.content {
            match content {
                Content::Reading(reading) => match &reading.patient {
                    Some(patient) => self.add(&patient.id),
                    None => self.device(&reading.device),
                },
                Content::Alarm(alarm) => match &alarm.patient {
                    Some(patient) => self.add(&patient.id),
                    None => self.device(&alarm.device),
                },
                Content::Directory(event) => self.directory(event),
            }
        }
        if self.subjects.is_empty() && !message.problems.is_empty() {
            // What was not understood is about whomever the device is on that sent it.
            if let Ok(device) = DeviceId::new(&message.origin.sender) {
                self.device(&device);
            }
        }
    }

    fn directory(&mut self, event: &DirectoryEvent) {
        match event {
            DirectoryEvent::Patient(patient) => self.add(&patient.id),
            DirectoryEvent::Merge { survivor, retired } => {
                self.add(survivor);
                self.add(retired);
            }
            DirectoryEvent::Encounter(encounter) => self.add(&encounter.patient),
            DirectoryEvent::Movement(movement) => self.add(&movement.patient.id),
            DirectoryEvent::Device(device) => self.device(&device.id),
            DirectoryEvent::Location(_) => {}
        }
    }

    fn action(&mut self, action: &Action) {
        match action {
            Action::Acknowledge { episode, .. }
            | Action::Snooze { episode, .. }
            | Action::Escalate { episode, .. }
            | Action::Reset { episode, .. }
            | Action::Judge { episode, .. } => {
                if let Some(patient) = self.whose.and_then(|whose| whose.alert(*episode)) {
                    self.add(&patient);
                }
            }
            Action::Associate { patient, .. }
            | Action::SetLimits { patient, .. }
            | Action::SetSpo2Scale { patient, .. }
            | Action::Baseline { patient, .. }
            | Action::Seen { patient, .. }
            | Action::Pathway { patient, .. }
            | Action::Hold { patient, .. } => self.add(patient),
            Action::Directory(event) => self.directory(event),
            Action::Release { message, .. } => self.message(message),
            Action::Command(order) => self.add(&order.patient),
            Action::Disassociate { device, .. }
            | Action::Mount { device, .. }
            | Action::CommandStep { device, .. } => self.device(device),
            // That somebody was erased must be read after their key is gone.
            Action::Erase { .. }
            | Action::Discard { .. }
            | Action::Note { .. }
            | Action::UseModels { .. }
            | Action::ReleaseHold { .. } => {}
        }
    }
}
