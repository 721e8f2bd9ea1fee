//! What happens too often for a record each: refusals of whoever is not known, connections of
//! devices. The first of a kind in a minute is recorded as it happens; those that follow are
//! counted, and recorded in one line when the minute is over. So nobody fills the audit log from
//! outside, and nothing that was tried goes unrecorded.

use std::collections::HashMap;
use std::net::IpAddr;

use parking_lot::Mutex;
use vitals::ReceiveTime;
use vitals::time::MINUTE;

use crate::{Deed, Guard, Outcome, Record};

/// Kinds told apart within a minute; what comes on top is counted together.
const KINDS_MAX: usize = 1_000;

/// Something to be recorded, or counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Note {
    /// What was done, or tried, in kebab-case.
    pub action: &'static str,
    /// The route's template, or the door.
    pub route: &'static str,
    /// Account or device, or `unknown`.
    pub actor: String,
    /// From where.
    pub source: Option<IpAddr>,
    /// How it went.
    pub outcome: Outcome,
    /// What it was done to, named as a record may name it; may be empty.
    pub object: String,
    /// How they proved themselves, where they came in: as in [`Record::factor`].
    pub factor: &'static str,
}

/// The notes of the minute.
#[derive(Default)]
pub(crate) struct Notes {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    began: i64,
    /// By what and why.
    counts: HashMap<(Note, &'static str), u64>,
}

impl Notes {
    /// Takes a note; the records that are due now.
    fn take(&self, note: Note, why: &'static str, now: ReceiveTime) -> Vec<Record> {
        let mut state = self.state.lock();
        let mut due = state.summed_up(now);
        let key = (note, why);
        let full = state.counts.len() >= KINDS_MAX && !state.counts.contains_key(&key);
        let key = if full {
            (Note { route: "", actor: "unknown".to_owned(), source: None, object: String::new(), ..key.0 }, key.1)
        } else {
            key
        };
        let count = state.counts.entry(key.clone()).or_default();
        *count += 1;
        if *count == 1 {
            due.push(key.0.record(key.1, now, 1));
        }
        due
    }

    /// The records of a minute that is over.
    fn over(&self, now: ReceiveTime) -> Vec<Record> {
        self.state.lock().summed_up(now)
    }
}

impl State {
    fn summed_up(&mut self, now: ReceiveTime) -> Vec<Record> {
        // A clock that was set back ends the minute, too.
        if (self.began..self.began + MINUTE).contains(&now.micros()) {
            return Vec::new();
        }
        self.began = now.micros();
        let counted = std::mem::take(&mut self.counts);
        let more = counted.into_iter().filter(|(_, count)| *count > 1);
        more.map(|((note, why), count)| note.record(why, now, count)).collect()
    }
}

impl Note {
    /// The record of the first, or of all that followed it.
    fn record(&self, why: &str, at: ReceiveTime, count: u64) -> Record {
        let from = self.source.map_or_else(String::new, |source| format!("from {source}"));
        let detail = match count {
            1 => from,
            _ => format!("{} more within a minute {from}", count - 1).trim_end().to_owned(),
        };
        let detail = if why.is_empty() { detail } else { format!("{why}: {detail}") };
        Record {
            at,
            actor: self.actor.clone(),
            role: None,
            action: Deed::Named(self.action),
            route: self.route.to_owned(),
            subject: None,
            outcome: self.outcome,
            detail,
            object: self.object.clone(),
            factor: self.factor.to_owned(),
            source: self.source,
            ..Record::default()
        }
    }
}

impl Guard {
    /// Records something that may happen often, or counts it. Does not wait for the disk: whoever
    /// is noted here is refused, or gets no patient data by it.
    pub fn note(&self, note: Note, now: ReceiveTime) {
        self.note_because(note, "", now);
    }

    /// [`Guard::note`] with a reason, in kebab-case; refusals for different reasons are told apart.
    pub fn note_because(&self, note: Note, why: &'static str, now: ReceiveTime) {
        for record in self.inner.notes.take(note, why, now) {
            self.inner.trail.write_later(record);
        }
    }

    /// Records what was counted in a minute that is over. To be called every minute or so, and at
    /// the end.
    pub fn sum_up(&self, now: ReceiveTime) {
        for record in self.inner.notes.over(now) {
            self.inner.trail.write_later(record);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(last: u8) -> Note {
        Note {
            action: "unknown-caller",
            route: "/api/v1/ward",
            actor: "unknown".to_owned(),
            source: Some(IpAddr::from([10, 0, 0, last])),
            outcome: Outcome::Denied,
            object: String::new(),
            factor: "",
        }
    }

    #[test]
    fn the_first_is_recorded_the_rest_counted() {
        let notes = Notes::default();
        let start = ReceiveTime(7 * MINUTE);
        assert_eq!(notes.take(note(1), "", start).len(), 1);
        for _ in 0..100_000 {
            assert!(notes.take(note(1), "", start).is_empty());
        }
        assert_eq!(notes.take(note(2), "", start)[0].detail, "from 10.0.0.2");
        assert!(notes.over(start.plus(MINUTE - 1)).is_empty());
        let summed = notes.over(start.plus(MINUTE));
        let details: Vec<_> = summed.iter().map(|record| record.detail.as_str()).collect();
        assert_eq!(details, ["100000 more within a minute from 10.0.0.1"]);
        assert_eq!(notes.take(note(1), "", start.plus(MINUTE)).len(), 1, "the next minute begins anew");
    }

    #[test]
    fn memory_and_log_are_bounded() {
        let notes = Notes::default();
        let mut written = 0;
        for n in 0..50_000_u32 {
            let source = Some(IpAddr::from(n.to_be_bytes()));
            written += notes.take(Note { source, ..note(0) }, "", ReceiveTime(MINUTE)).len();
        }
        assert!(written <= KINDS_MAX + 1, "{written}");
        assert!(notes.state.lock().counts.len() <= KINDS_MAX + 1);
    }
}
