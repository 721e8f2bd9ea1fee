//! What a device said, as messages for the journal: what was measured together in one message, with
//! a key that knows it again however it comes a second time.

use journal::{Draft, Lane};
use vitals::{
    Content, Device, DeviceId, DirectoryEvent, Event, Measurement, Message, Origin, Problem, ProblemKind,
    Protocol, Reading, ReceiveTime, TimeBase, Value,
};
use wire_phd::PhdError;
use wire_phd::device::Described;
use wire_phd::measure::Meaning;

/// Whose words, and when they came.
pub(super) struct Said<'a> {
    /// The device.
    pub(super) device: &'a DeviceId,
    /// Its system id.
    pub(super) system_id: &'a [u8],
    /// The APDU; empty when something else is the cause.
    pub(super) apdu: &'a [u8],
    /// When its last byte came.
    pub(super) received: ReceiveTime,
}

/// The device that a user of a device is: people who share a scale are put on it one by one.
pub(super) fn user_of(device: &DeviceId, person: Option<u16>) -> DeviceId {
    person.map_or_else(|| device.clone(), |person| DeviceId::sanitised(&format!("{device}.user{person}")))
}

/// Meanings in their order, those of one user and one time together.
pub(super) fn together(meanings: Vec<Meaning>) -> Vec<Vec<Meaning>> {
    let mut groups: Vec<Vec<Meaning>> = Vec::new();
    let when = |meaning: &Meaning| meaning.measurements.first().map(|one| one.device_time);
    for meaning in meanings {
        match groups.last_mut() {
            Some(group) if group[0].person == meaning.person && when(&group[0]) == when(&meaning) => {
                group.push(meaning);
            }
            _ => groups.push(vec![meaning]),
        }
    }
    groups
}

impl Said<'_> {
    /// One group of meanings; `place` tells apart the groups of an APDU, of which there are
    /// `groups`.
    pub(super) fn observed(&self, group: Vec<Meaning>, place: usize, groups: usize) -> Draft {
        let person = group[0].person;
        let payload = match groups {
            1 => self.apdu.to_vec(),
            _ => {
                let entries: Vec<&[u8]> = group.iter().map(|meaning| &meaning.bytes[..]).collect();
                wire_phd::scan::report(person, &entries)
            }
        };
        let (mut measurements, mut problems) = (Vec::new(), Vec::new());
        for meaning in group {
            measurements.extend(meaning.measurements);
            problems.extend(meaning.problems);
        }
        let dedup = self.key(person, &measurements, place);
        let waves = measurements.iter().any(|one| matches!(one.value, Value::SampleArray(_)));
        let device = user_of(self.device, person);
        let reading = Reading { device, patient: None, measurements };
        let content = if reading.measurements.is_empty() { Vec::new() } else { vec![Content::Reading(reading)] };
        let lane = if waves { Lane::Waveform } else { Lane::Numeric };
        Draft { event: Event::Message(self.message("scan-report", payload, content, problems)), dedup, lane }
    }

    /// What the device is, and what it says of itself.
    pub(super) fn described(&self, described: Described) -> Draft {
        let readings = self.reading(described.properties);
        let firmware = described.firmware;
        let details = Device {
            identifiers: described.identifiers,
            manufacturer: described.manufacturer,
            model: described.model,
            serial: described.serial,
            version: firmware,
            clock: described.clock,
            ..Device::announced(self.device.clone())
        };
        let mut content = vec![Content::Directory(DirectoryEvent::Device(details))];
        content.extend(readings);
        let message = self.message("mds", self.apdu.to_vec(), content, Vec::new());
        Draft { event: Event::Message(message), dedup: None, lane: Lane::Urgent }
    }

    /// Battery and clock.
    pub(super) fn condition(&self, measurements: Vec<Measurement>) -> Draft {
        let content = self.reading(measurements).into_iter().collect();
        let message = self.message("mds", self.apdu.to_vec(), content, Vec::new());
        Draft { event: Event::Message(message), dedup: None, lane: Lane::Numeric }
    }

    /// What could not be read, whole, for quarantine.
    pub(super) fn unread(&self, error: &PhdError) -> Draft {
        let problem =
            Problem { kind: ProblemKind::Syntax, path: error.field.to_owned(), detail: error.to_string() };
        let message = self.message("apdu", self.apdu.to_vec(), Vec::new(), vec![problem]);
        Draft { event: Event::Message(message), dedup: None, lane: Lane::Numeric }
    }

    fn reading(&self, measurements: Vec<Measurement>) -> Option<Content> {
        let reading = Reading { device: self.device.clone(), patient: None, measurements };
        (!reading.measurements.is_empty()).then_some(Content::Reading(reading))
    }

    fn message(&self, what: &str, payload: Vec<u8>, content: Vec<Content>, problems: Vec<Problem>) -> Message {
        Message {
            origin: Origin {
                protocol: Protocol::Phd,
                address: what.to_owned(),
                sender: self.device.to_string(),
                message_id: String::new(),
                profile: String::from("phd"),
            },
            received: self.received,
            time_base: TimeBase::Live,
            payload,
            content,
            problems,
        }
    }

    /// 128 bits that stand for what was measured. With the device's own time it is what was measured
    /// and when, whether it comes in a report, in another one, or from a store; without, the APDU
    /// itself, if it says when it was made. None: nobody can tell a second one from a repeated one.
    fn key(&self, person: Option<u16>, measurements: &[Measurement], place: usize) -> Option<u128> {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"phd");
        hasher.update(&(self.system_id.len() as u64).to_le_bytes());
        hasher.update(self.system_id);
        hasher.update(&person.map_or(u32::MAX, u32::from).to_le_bytes());
        let timed = measurements.iter().all(|one| one.device_time.is_some()) && !measurements.is_empty();
        if timed {
            for one in measurements {
                hasher.update(&one.metric.0.to_le_bytes());
                hasher.update(&one.channel.to_le_bytes());
                hasher.update(&one.device_time.map_or(0, |time| time.0).to_le_bytes());
                hasher.update(format!("{:?}", one.value).as_bytes());
            }
        } else {
            // Behind the number by which it is answered: event, its own time, what it tells.
            let event = self.apdu.get(8..)?;
            let time = u32::from_be_bytes(event.get(6..10)?.try_into().ok()?);
            if time == 0 || time == u32::MAX {
                return None;
            }
            hasher.update(event);
            hasher.update(&(place as u64).to_le_bytes());
        }
        let mut key = [0; 16];
        key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Some(u128::from_le_bytes(key))
    }
}
