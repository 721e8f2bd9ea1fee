//! What an agent does for its manager: tells of itself, lets its clock be set and its scanners be
//! switched, sends the segments of its stores and clears them.

use super::{Agent, ENTRIES_MAX, Output, Sending, number};
use crate::apdu::Apdu;
use crate::config::attr;
use crate::data::{Action, Data, Event, Message};
use crate::store::{self, Description, Selection, status};

/// Errors: 1 no such object, 9 no such action, 23 protocol violation, 24 not allowed.
const NO_OBJECT: u16 = 1;
const NO_ACTION: u16 = 9;
const VIOLATION: u16 = 23;
const NOT_ALLOWED: u16 = 24;
/// Answers to the wish for a segment: there is none of that number; it is empty.
const NO_SEGMENT: u16 = 1;
const EMPTY: u16 = 3;

impl Agent {
    /// A service that the manager invoked or answered.
    pub(super) fn data(&mut self, data: Data, now: i64) -> Vec<Output> {
        let invoke = data.invoke;
        let answer = |message| Output::Send(Apdu::Data(Data { invoke, message }).encode());
        match data.message {
            Message::Get { object, attributes } => {
                vec![answer(self.tell(object, &attributes))]
            }
            Message::Set { confirmed, object, changes } => {
                let (reply, mut outputs) = self.change(object, &changes);
                if confirmed {
                    outputs.insert(0, answer(reply));
                }
                outputs
            }
            Message::Action { confirmed, action } => {
                let (reply, learned) = self.act(&action);
                let mut outputs = Vec::new();
                if confirmed {
                    outputs.push(answer(reply));
                }
                outputs.extend(learned);
                outputs.extend(self.next_entries(now));
                outputs
            }
            Message::EventTaken(event) if self.asked == Some(invoke) => self.taken(&event, now),
            Message::Error(code, _) if self.asked == Some(invoke) => self.refused(code, now),
            Message::Reject(code) if self.asked == Some(invoke) => self.refused(code, now),
            // Answers to nothing that was sent are disregarded.
            Message::EventTaken(_)
            | Message::Error(..)
            | Message::Reject(_)
            | Message::Attributes { .. }
            | Message::Changed { .. }
            | Message::Done(_) => Vec::new(),
            Message::Event { .. } => vec![answer(Message::Error(VIOLATION, Vec::new()))],
        }
    }

    fn refused(&mut self, code: u16, now: i64) -> Vec<Output> {
        self.asked = None;
        self.deadline = None;
        let was_segment = self.sending.take().is_some();
        let mut outputs = if was_segment { Vec::new() } else { vec![Output::Refused(code)] };
        outputs.extend(self.go_on(now));
        outputs
    }

    fn tell(&self, object: u16, wanted: &[u16]) -> Message {
        let known = match object {
            0 => Some(&self.profile.mds),
            _ => self.profile.configuration.object(object).map(|object| &object.attributes),
        };
        let Some(known) = known else { return Message::Error(NO_OBJECT, Vec::new()) };
        let listed = known.iter().filter(|(id, _)| wanted.is_empty() || wanted.contains(id));
        Message::Attributes { object, attributes: listed.cloned().collect() }
    }

    fn change(&self, object: u16, changes: &[(u16, u16, Vec<u8>)]) -> (Message, Vec<Output>) {
        let scanner = self.profile.configuration.object(object).filter(|one| (16..=19).contains(&one.class));
        if scanner.is_none() {
            return (Message::Error(NO_OBJECT, Vec::new()), Vec::new());
        }
        let switched = changes.iter().filter(|(how, id, _)| *how == 0 && *id == attr::OPERATIONAL);
        let states: Vec<_> = switched.filter_map(|(_, id, value)| Some((*id, number(value)?))).collect();
        let attributes = states.iter().map(|(id, state)| (*id, state.to_be_bytes().to_vec())).collect();
        let learned = states.iter().map(|(_, state)| Output::Scanner(object, *state == 1)).collect();
        (Message::Changed { object, attributes }, learned)
    }

    fn act(&mut self, action: &Action) -> (Message, Vec<Output>) {
        let done = |info| Message::Done(Action { object: action.object, kind: action.kind, info });
        let error = |code| (Message::Error(code, Vec::new()), Vec::new());
        if action.object == 0 {
            return match action.kind {
                3095 | 3101 if action.info.len() == 12 => {
                    let base_offset = action.kind == 3101;
                    (done(Vec::new()), vec![Output::TimeSet { base_offset, bytes: action.info.clone() }])
                }
                3095 | 3101 => error(VIOLATION),
                _ => error(NO_ACTION),
            };
        }
        let Some(at) = self.profile.stores.iter().position(|store| store.object == action.object) else {
            return error(NO_OBJECT);
        };
        match action.kind {
            store::GET_INFO => match Selection::decode(&action.info) {
                Ok(selection) if by_time(&selection) => error(NOT_ALLOWED),
                Ok(selection) => (done(store::put_segments(&self.segments(at, &selection))), Vec::new()),
                Err(_) => error(VIOLATION),
            },
            store::TRANSFER => match number(&action.info) {
                Some(wanted) => {
                    let refusal = self.begin(at, wanted);
                    (done([wanted, refusal].map(u16::to_be_bytes).concat()), Vec::new())
                }
                None => error(VIOLATION),
            },
            store::CLEAR => match Selection::decode(&action.info) {
                Ok(selection) if by_time(&selection) => error(NOT_ALLOWED),
                Ok(selection) => {
                    let cleared = self.clear(at, &selection);
                    (done(Vec::new()), vec![Output::Cleared(action.object, cleared)])
                }
                Err(_) => error(VIOLATION),
            },
            _ => error(NO_ACTION),
        }
    }

    fn segments(&self, at: usize, selection: &Selection) -> store::Segments {
        let listed = self.profile.stores[at].segments.iter().filter(|(segment, _)| chosen(segment.number, selection));
        let told = |(segment, entries): &(store::Segment, Vec<Vec<u8>>)| {
            let map = store::put_entry_map(segment, &self.profile.configuration);
            let mut attributes = vec![
                (attr::SEGMENT_MAP, map),
                (attr::SEGMENT_USAGE, (entries.len() as u32).to_be_bytes().to_vec()),
            ];
            if let Some(person) = segment.person {
                attributes.push((attr::SEGMENT_PERSON, person.to_be_bytes().to_vec()));
            }
            if let Some(timeout) = segment.timeout {
                attributes.push((attr::TRANSFER_TIMEOUT, timeout.to_be_bytes().to_vec()));
            }
            (segment.number, attributes)
        };
        listed.map(told).collect()
    }

    /// Begins to send a segment; 0, or why not.
    fn begin(&mut self, at: usize, wanted: u16) -> u16 {
        let segments = &self.profile.stores[at].segments;
        let Some(segment) = segments.iter().position(|(segment, _)| segment.number == wanted) else {
            return NO_SEGMENT;
        };
        if segments[segment].1.is_empty() {
            return EMPTY;
        }
        self.sending = Some(Sending { store: at, segment, sent: 0, due: 0 });
        0
    }

    fn clear(&mut self, at: usize, selection: &Selection) -> Vec<u16> {
        let mut cleared = Vec::new();
        for (segment, entries) in &mut self.profile.stores[at].segments {
            if chosen(segment.number, selection) && !entries.is_empty() {
                entries.clear();
                cleared.push(segment.number);
            }
        }
        cleared
    }

    /// The next entries of the segment that is on its way, when nothing waits for an answer.
    fn next_entries(&mut self, now: i64) -> Option<Output> {
        if self.asked.is_some() {
            return None;
        }
        let sending = self.sending?;
        let store = self.profile.stores.get(sending.store)?;
        let (segment, entries) = store.segments.get(sending.segment)?;
        let until = entries.len().min(sending.sent + ENTRIES_MAX);
        let mut bits = if sending.sent == 0 { status::FIRST } else { 0 };
        if until == entries.len() {
            bits |= status::LAST;
        }
        let description = Description {
            segment: segment.number,
            index: sending.sent as u32,
            count: (until - sending.sent) as u32,
            status: bits,
        };
        let info = store::put_event(&description, &entries[sending.sent..until].concat());
        let event = Event { object: store.object, time: 0, kind: store::DATA, info };
        self.sending = Some(Sending { due: until, ..sending });
        Some(self.send_event(event, true, now))
    }

    /// The manager took what it was told.
    fn taken(&mut self, event: &Event, now: i64) -> Vec<Output> {
        self.asked = None;
        self.deadline = None;
        let mut outputs = Vec::new();
        match self.sending {
            Some(sending) if event.kind == store::DATA => {
                let confirmed = Description::decode(&event.info)
                    .is_ok_and(|description| description.status & status::CONFIRM != 0);
                let store = &self.profile.stores[sending.store];
                let (segment, entries) = &store.segments[sending.segment];
                if confirmed && sending.due < entries.len() {
                    self.sending = Some(Sending { sent: sending.due, ..sending });
                    outputs.extend(self.next_entries(now));
                    return outputs;
                }
                if confirmed {
                    outputs.push(Output::Transferred(store.object, segment.number));
                }
                self.sending = None;
            }
            _ => outputs.push(Output::Taken),
        }
        outputs.extend(self.next_entries(now));
        outputs.extend(self.go_on(now));
        outputs
    }
}

/// Whether segments are chosen by times, which this agent's stores do not do.
const fn by_time(selection: &Selection) -> bool {
    matches!(selection, Selection::Between(..) | Selection::BetweenOffsets(..))
}

/// Whether a selection means a segment.
fn chosen(number: u16, selection: &Selection) -> bool {
    match selection {
        Selection::All => true,
        Selection::These(numbers) => numbers.contains(&number),
        Selection::Between(..) | Selection::BetweenOffsets(..) => false,
    }
}
