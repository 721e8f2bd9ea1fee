//! The stream of changes, with positions from which it can be resumed.

use std::collections::VecDeque;
use std::sync::Arc;

use engine::AlertRecord;
use parking_lot::Mutex;
use tokio::sync::broadcast;
use vitals::{CommandId, PatientId};

/// Changes remembered for those who come back.
const REMEMBERED: usize = 8_192;

/// One change. What it is now is to be looked up; a viewer who is late sees the latest only.
#[derive(Debug, Clone)]
pub enum Change {
    /// A patient's view.
    Patient(PatientId),
    /// A patient left.
    Gone(PatientId),
    /// An alert.
    Alert(Arc<AlertRecord>),
    /// Devices or load.
    Devices,
    /// Quarantine.
    Quarantine,
    /// A command.
    Command(CommandId),
    /// A patient's line in the worklist.
    Worklist(PatientId),
}

/// The stream.
pub struct Changes {
    state: Mutex<State>,
    sender: broadcast::Sender<(u64, Change)>,
}

struct State {
    next: u64,
    recent: VecDeque<(u64, Change)>,
}

/// A place in the stream.
pub struct Subscription {
    /// What is to come.
    pub receiver: broadcast::Receiver<(u64, Change)>,
    /// What happened since the position asked for.
    pub resumed: Resumed,
    /// Position of the newest change.
    pub position: u64,
}

/// What could be resumed.
pub enum Resumed {
    /// Everything since: go on from there.
    Since(Vec<(u64, Change)>),
    /// Too far back, or nothing asked: begin with the whole present.
    Anew,
}

impl Changes {
    pub(crate) fn new(start: u64) -> Self {
        let (sender, _) = broadcast::channel(4_096);
        Self { state: Mutex::new(State { next: start + 1, recent: VecDeque::new() }), sender }
    }

    /// Announces a change; gives its position.
    pub fn push(&self, change: Change) -> u64 {
        let mut state = self.state.lock();
        let position = state.next;
        state.next += 1;
        if state.recent.len() == REMEMBERED {
            state.recent.pop_front();
        }
        state.recent.push_back((position, change.clone()));
        // Nobody listening is no failure. Sent under the lock, so that order is position order.
        let _ = self.sender.send((position, change));
        position
    }

    /// Position of the newest change.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.state.lock().next - 1
    }

    /// Joins the stream after `since`, without a gap and without anything twice.
    #[must_use]
    pub fn subscribe(&self, since: Option<u64>) -> Subscription {
        let state = self.state.lock();
        let receiver = self.sender.subscribe();
        let newest = state.next - 1;
        let oldest = state.recent.front().map_or(state.next, |(position, _)| *position);
        let resumed = match since {
            Some(since) if since + 1 >= oldest && since <= newest => Resumed::Since(
                state.recent.iter().filter(|(position, _)| *position > since).cloned().collect(),
            ),
            _ => Resumed::Anew,
        };
        Subscription { receiver, resumed, position: newest }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_resumes_without_a_gap() {
        let changes = Changes::new(1_000);
        let positions: Vec<u64> = (0..5).map(|_| changes.push(Change::Devices)).collect();
        assert_eq!(positions, [1_001, 1_002, 1_003, 1_004, 1_005]);
        let Resumed::Since(missed) = changes.subscribe(Some(1_003)).resumed else {
            panic!("within what is remembered");
        };
        assert_eq!(missed.iter().map(|(p, _)| *p).collect::<Vec<_>>(), [1_004, 1_005]);
        for unknown in [None, Some(5), Some(9_999)] {
            assert!(matches!(changes.subscribe(unknown).resumed, Resumed::Anew), "{unknown:?}");
        }
    }

    #[test]
    fn what_is_forgotten_begins_anew() {
        let changes = Changes::new(0);
        for _ in 0..REMEMBERED + 10 {
            changes.push(Change::Devices);
        }
        assert!(matches!(changes.subscribe(Some(5)).resumed, Resumed::Anew));
    }
}
