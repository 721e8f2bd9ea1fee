//! What a device answers, and what its stores send: segment by segment, each event confirmed when
//! its entries were taken, and nothing cleared before that.

use super::{Manager, Output, send, taken};
use crate::apdu::Apdu;
use crate::bytes::{Fault, PhdError, Reader};
use crate::config::whole;
use crate::data::{Data, Event, Message};
use crate::measure::measure;
use crate::store::{self, Description, Segment, status};
use crate::transfer::{SEGMENTS_MAX, Wish};
use vitals::DeviceTime;

/// How long a device may take between two events of a transfer where it does not say.
const TRANSFER_TIMEOUT_US: i64 = 10_000_000;
/// Longest that a device may ask for.
const TRANSFER_TIMEOUT_MAX_US: i64 = 600_000_000;
/// Microseconds of a unit of relative time.
const TICK_US: i64 = 125;
/// A segment without entries, in answer to the wish for a transfer.
const EMPTY: u16 = 3;

impl Wish {
    const fn name(&self) -> &'static str {
        match self {
            Self::Device => "get-attributes",
            Self::SetTime(_) => "set-time",
            Self::Begin(_) => "begin-scanner",
            Self::Segments(_) => "get-segments",
            Self::Transfer(..) => "transfer-segment",
            Self::Clear(..) => "clear-segment",
        }
    }
}

impl Manager {
    /// The device answered what it was asked.
    pub(super) fn answered(&mut self, wish: Wish, message: Message, now: i64) -> Vec<Output> {
        match (wish, message) {
            (Wish::Device, Message::Attributes { attributes, .. }) => self.describe(attributes, now),
            (Wish::SetTime(_), Message::Done(_)) => {
                // What was known of its relative times was by the old clock.
                self.wishes.push_front(Wish::Device);
                vec![Output::ClockSet]
            }
            (Wish::Begin(_), Message::Changed { .. }) => Vec::new(),
            (Wish::Segments(object), Message::Done(action)) => self.listed(object, &action.info),
            (Wish::Transfer(..), Message::Done(action)) => self.transferring(&action.info, now),
            (Wish::Clear(object, number), Message::Done(_)) => vec![Output::Cleared(object, number)],
            (wish, _) => {
                if matches!(wish, Wish::Transfer(..)) {
                    self.transfer = None;
                }
                vec![Output::Declined(wish.name())]
            }
        }
    }

    /// The segments of a store.
    fn listed(&mut self, object: u16, info: &[u8]) -> Vec<Output> {
        let segments = match store::segments(info) {
            Ok(segments) => segments,
            Err(error) => return vec![Output::Problem(error)],
        };
        let mut outputs = Vec::new();
        if segments.len() > SEGMENTS_MAX {
            let extra = segments.len() - SEGMENTS_MAX;
            outputs.push(problem("segment-info-list", Fault::TooLong { extra }));
        }
        for (number, attributes) in segments.into_iter().take(SEGMENTS_MAX) {
            match Segment::read(number, &attributes) {
                Ok(segment) if segment.usage == Some(0) => {}
                Ok(segment) if segment.elements.is_empty() => {
                    let fault = Fault::TooShort { needed: 1, left: 0 };
                    outputs.push(problem("pm-segment-entry-map", fault));
                }
                Ok(segment) => self.wishes.push_back(Wish::Transfer(object, segment)),
                Err(error) => outputs.push(Output::Problem(error)),
            }
        }
        outputs
    }

    /// The device says whether it will send a segment.
    fn transferring(&mut self, info: &[u8], now: i64) -> Vec<Output> {
        let answer = whole(info, |r| {
            r.u16("seg-inst-no")?;
            r.u16("trig-segm-xfer-rsp")
        });
        match answer {
            Ok(0) => {
                self.wait_for_segment(now);
                Vec::new()
            }
            Ok(refusal) => {
                self.transfer = None;
                if refusal == EMPTY { Vec::new() } else { vec![Output::Declined("transfer-segment")] }
            }
            Err(error) => {
                self.transfer = None;
                vec![Output::Problem(error)]
            }
        }
    }

    fn wait_for_segment(&mut self, now: i64) {
        let Some(transfer) = &self.transfer else { return };
        let told = transfer.segment.timeout.map(|ticks| i64::from(ticks) * TICK_US);
        let wait = told.map_or(TRANSFER_TIMEOUT_US, |told| told.clamp(TRANSFER_TIMEOUT_US, TRANSFER_TIMEOUT_MAX_US));
        self.deadline = Some(now.saturating_add(wait));
    }

    /// Entries of a segment came.
    pub(super) fn segment_data(&mut self, invoke: u16, confirmed: bool, event: &Event, now: i64) -> Vec<Output> {
        let (description, entries) = match store::event(&event.info) {
            Ok(read) => read,
            Err(error) => {
                // 23: protocol violation.
                let refusal = Message::Error(23, Vec::new());
                return vec![send(&Apdu::Data(Data { invoke, message: refusal })), Output::Problem(error)];
            }
        };
        let answer = |status: u16| taken(invoke, event, Description { status, ..description }.encode());
        let mut outputs = Vec::new();
        let done = match self.take_entries(event, &description, entries, now, &mut outputs) {
            Ok(done) => done,
            Err(error) => {
                self.transfer = None;
                self.deadline = None;
                outputs.push(Output::Problem(error));
                if confirmed {
                    outputs.push(answer(status::MANAGER_ABORT));
                }
                return outputs;
            }
        };
        if confirmed {
            outputs.push(answer(status::CONFIRM));
        }
        if done {
            self.transfer = None;
            self.deadline = None;
            outputs.push(Output::Collected(event.object, description.segment));
            if self.settings.clear {
                self.wishes.push_front(Wish::Clear(event.object, description.segment));
            }
        } else {
            self.wait_for_segment(now);
        }
        outputs
    }

    /// Takes entries in their order; whether they were the last.
    fn take_entries(
        &mut self,
        event: &Event,
        description: &Description,
        entries: &[u8],
        now: i64,
        outputs: &mut Vec<Output>,
    ) -> Result<bool, PhdError> {
        let at = Reader::new(&[]);
        let number = |field, number: u32| at.error(field, Fault::Code { code: number });
        let due = self.transfer.as_mut().filter(|transfer| {
            transfer.object == event.object && transfer.segment.number == description.segment
        });
        let Some(transfer) = due else {
            return Err(number("segm-instance", u32::from(description.segment)));
        };
        if description.status & status::AGENT_ABORT != 0 {
            return Err(number("segm-evt-status", u32::from(description.status)));
        }
        // Entries that came before may come again, when the answer was lost; none may be missing.
        if description.index > transfer.next {
            return Err(number("segm-evt-entry-index", description.index));
        }
        let found = transfer.segment.entries(description.count, entries)?;
        transfer.next = transfer.next.max(description.index.saturating_add(description.count));
        let Some(configuration) = &self.configuration else {
            return Err(number("segm-instance", u32::from(description.segment)));
        };
        let mut clock = self.clock.clone();
        if !clock.is_anchored() {
            clock.anchor(event.time, DeviceTime(now));
        }
        outputs.extend(found.iter().map(|one| Output::Observed(measure(one, configuration, &clock))));
        Ok(description.status & status::LAST != 0)
    }
}

fn problem(field: &'static str, fault: Fault) -> Output {
    Output::Problem(Reader::new(&[]).error(field, fault))
}
