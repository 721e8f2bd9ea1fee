//! Publishes of one connection that are not answered yet, in the order received.
//!
//! The journal may commit lanes in another order than the client sent, but acknowledgements
//! leave in the client's order (4.6.0-2 of both versions), and so do deliveries to subscribers.

use std::collections::VecDeque;
use std::sync::Arc;

use journal::{JournalError, Outcome};
use wire_mqtt::session::Incoming;
use wire_mqtt::{Publication, Qos, Reason};

/// How to answer a publish once it is durable.
#[derive(Debug, Default)]
pub(super) struct Answer {
    /// Which; QoS 0 has no answer.
    pub(super) qos: Qos,
    /// Its packet id.
    pub(super) packet_id: u16,
    /// Reason code to send.
    pub(super) reason: Option<Reason>,
    /// Why it went to quarantine, told in a user property.
    pub(super) quarantined: Option<Box<str>>,
    /// What to deliver to subscribers.
    pub(super) publication: Option<Arc<Publication>>,
}

#[derive(Debug)]
enum Wait {
    /// For the journal.
    Journal,
    /// For an earlier connection of the same session, which sent this packet id to the journal.
    Earlier,
    Done,
}

/// What came out of the window.
#[derive(Debug)]
pub(super) enum Settled {
    /// Durable: answer it and deliver it.
    Durable(Answer),
    /// Known already: answer it only.
    Known(Answer),
    /// Not kept: the client must send it again.
    Failed(Answer, Arc<JournalError>),
}

struct Slot {
    answer: Answer,
    wait: Wait,
    outcome: Option<Outcome>,
}

/// The window.
#[derive(Default)]
pub(super) struct Window {
    first: u64,
    slots: VecDeque<Slot>,
    unacknowledged: usize,
    earlier: usize,
}

impl Window {
    /// Publishes in it, of every QoS.
    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The first token that is not settled yet.
    pub(super) const fn first(&self) -> u64 {
        self.first
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Publishes with QoS 1 and 2 in it.
    pub(super) const fn unacknowledged(&self) -> usize {
        self.unacknowledged
    }

    /// Whether any waits for an earlier connection.
    pub(super) const fn waits_for_earlier(&self) -> bool {
        self.earlier > 0
    }

    /// Adds a publish that goes to the journal; its outcome comes back with this token.
    pub(super) fn journal(&mut self, answer: Answer) -> u64 {
        self.push(answer, Wait::Journal);
        self.first + self.slots.len() as u64 - 1
    }

    /// Adds a publish that an earlier connection has sent to the journal.
    pub(super) fn earlier(&mut self, answer: Answer) {
        self.earlier += 1;
        self.push(answer, Wait::Earlier);
    }

    /// Adds a publish that needs no journal.
    pub(super) fn done(&mut self, answer: Answer) {
        self.push(answer, Wait::Done);
    }

    fn push(&mut self, answer: Answer, wait: Wait) {
        self.unacknowledged += usize::from(answer.qos != Qos::AtMostOnce);
        self.slots.push_back(Slot { answer, wait, outcome: None });
    }

    /// Takes in an outcome.
    pub(super) fn complete(&mut self, token: u64, outcome: Outcome) {
        let index = token.checked_sub(self.first).and_then(|i| usize::try_from(i).ok());
        if let Some(slot) = index.and_then(|i| self.slots.get_mut(i)) {
            slot.outcome = Some(outcome);
            slot.wait = Wait::Done;
        }
    }

    /// Looks again at those that wait for an earlier connection. One that the earlier connection
    /// could not keep counts as failed.
    pub(super) fn look_again(&mut self, incoming: impl Fn(u16) -> Option<Incoming>) {
        for slot in &mut self.slots {
            if !matches!(slot.wait, Wait::Earlier) {
                continue;
            }
            match incoming(slot.answer.packet_id) {
                Some(Incoming::Pending) => continue,
                Some(Incoming::Done) => {}
                None => slot.outcome = Some(Outcome::Failed(Arc::new(JournalError::Closed))),
            }
            slot.wait = Wait::Done;
            self.earlier -= 1;
        }
    }

    /// The next one to answer, if it is settled.
    pub(super) fn next(&mut self) -> Option<Settled> {
        if !matches!(self.slots.front()?.wait, Wait::Done) {
            return None;
        }
        let slot = self.slots.pop_front()?;
        self.first += 1;
        self.unacknowledged -= usize::from(slot.answer.qos != Qos::AtMostOnce);
        Some(match slot.outcome {
            None | Some(Outcome::Committed(_)) => Settled::Durable(slot.answer),
            Some(Outcome::Duplicate(_)) => Settled::Known(slot.answer),
            Some(Outcome::Failed(error)) => Settled::Failed(slot.answer, error),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(packet_id: u16) -> Answer {
        Answer { qos: Qos::AtLeastOnce, packet_id, ..Answer::default() }
    }

    #[test]
    fn answers_leave_in_the_order_received() {
        let mut window = Window::default();
        let (a, b) = (window.journal(answer(1)), window.journal(answer(2)));
        window.done(answer(3));
        window.earlier(answer(4));
        assert_eq!((window.len(), window.unacknowledged()), (4, 4));
        window.complete(b, Outcome::Committed(8));
        assert!(window.next().is_none());
        window.complete(a, Outcome::Duplicate(3));
        assert!(matches!(window.next(), Some(Settled::Known(Answer { packet_id: 1, .. }))));
        assert!(matches!(window.next(), Some(Settled::Durable(Answer { packet_id: 2, .. }))));
        assert!(matches!(window.next(), Some(Settled::Durable(Answer { packet_id: 3, .. }))));
        assert!(window.next().is_none() && window.waits_for_earlier());
        window.look_again(|_| Some(Incoming::Pending));
        assert!(window.next().is_none());
        window.look_again(|id| (id == 4).then_some(Incoming::Done));
        assert!(matches!(window.next(), Some(Settled::Durable(Answer { packet_id: 4, .. }))));
        let later = window.journal(answer(5));
        assert_eq!(later, 4);
        assert!(!window.is_empty());
    }
}
