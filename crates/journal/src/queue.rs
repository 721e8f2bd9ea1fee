//! What waits to be committed: three lanes, each bounded in bytes (DU-3).

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tokio::sync::{Semaphore, oneshot};
use vitals::Event;

use crate::appender::Limits;
use crate::{AckQueue, Closed, Encoded, Lane, Outcome};

/// Bytes that an item costs beside its encoded form: the decoded event held with it.
const ITEM_BYTES: usize = 256;

/// Whom to tell.
pub(crate) enum Reply {
    /// A connection's queue.
    Queue(Arc<AckQueue>, u64),
    /// One waiting caller.
    One(oneshot::Sender<Outcome>),
}

/// A draft that has its place.
pub(crate) struct Item {
    pub(crate) event: Event,
    pub(crate) encoded: Encoded,
    pub(crate) reply: Reply,
    pub(crate) cost: usize,
}

struct Bound {
    places: Semaphore,
    limit: usize,
    queued: AtomicUsize,
}

/// The lanes.
pub(crate) struct Queue {
    /// Boxed, with their encoded bytes beside, so that little is touched while the lock is held.
    lanes: Mutex<[VecDeque<(usize, Box<Item>)>; 3]>,
    filled: Condvar,
    bounds: [Bound; 3],
    closed: AtomicBool,
}

impl Queue {
    pub(crate) fn new(limits: &Limits) -> Self {
        let bound = |bytes: usize| {
            let limit = bytes.clamp(1, u32::MAX as usize);
            Bound {
                places: Semaphore::new(limit),
                limit,
                queued: AtomicUsize::new(0),
            }
        };
        Self {
            lanes: Mutex::default(),
            filled: Condvar::new(),
            bounds: [
                bound(limits.urgent_bytes),
                bound(limits.numeric_bytes),
                bound(limits.waveform_bytes),
            ],
            closed: AtomicBool::new(false),
        }
    }

    /// Waits for a place and takes it.
    pub(crate) async fn push(
        &self,
        lane: Lane,
        event: Event,
        encoded: Encoded,
        reply: Reply,
    ) -> Result<(), Closed> {
        let bound = &self.bounds[lane as usize];
        let cost = (encoded.bytes.len() * 2 + ITEM_BYTES).min(bound.limit);
        // An item larger than the lane waits until the lane is empty.
        bound
            .places
            .acquire_many(cost as u32)
            .await
            .map_err(|_| Closed)?
            .forget();
        bound.queued.fetch_add(cost, Ordering::Relaxed);
        let bytes = encoded.bytes.len() + 21;
        let item = Box::new(Item {
            event,
            encoded,
            reply,
            cost,
        });
        let mut lanes = self.lanes.lock();
        if self.closed.load(Ordering::Acquire) {
            return Err(Closed);
        }
        lanes[lane as usize].push_back((bytes, item));
        drop(lanes);
        self.filled.notify_one();
        Ok(())
    }

    /// Moves up to `max_bytes` worth of items to `out`, most urgent first; waits for at most
    /// `patience` if there is none. False once closed and empty.
    pub(crate) fn take(
        &self,
        out: &mut Vec<(Lane, Box<Item>)>,
        max_bytes: usize,
        patience: Duration,
    ) -> bool {
        let mut lanes = self.lanes.lock();
        if lanes.iter().all(VecDeque::is_empty) {
            if self.closed.load(Ordering::Acquire) {
                return false;
            }
            self.filled.wait_for(&mut lanes, patience);
        }
        // A sixteenth is left to waveforms, so that the last in line still moves.
        let reserve = if lanes[Lane::Waveform as usize].is_empty() {
            0
        } else {
            max_bytes / 16
        };
        let mut bytes = 0;
        for lane in Lane::ALL {
            let room = if lane == Lane::Waveform {
                max_bytes
            } else {
                max_bytes - reserve
            };
            let items = &mut lanes[lane as usize];
            while let Some((size, _)) = items.front()
                && (bytes == 0 || bytes + size <= room)
            {
                bytes += size;
                out.extend(items.pop_front().map(|(_, item)| (lane, item)));
            }
        }
        true
    }

    /// Whether anything urgent waits.
    pub(crate) fn urgent(&self) -> bool {
        self.bounds[Lane::Urgent as usize]
            .queued
            .load(Ordering::Relaxed)
            > 0
    }

    /// Gives places back, by lane.
    pub(crate) fn release(&self, costs: [usize; 3]) {
        for (bound, cost) in self.bounds.iter().zip(costs) {
            if cost > 0 {
                bound.queued.fetch_sub(cost, Ordering::Relaxed);
                bound.places.add_permits(cost);
            }
        }
    }

    /// Bytes waiting or being written, by lane.
    pub(crate) fn queued(&self) -> [usize; 3] {
        [0, 1, 2].map(|lane: usize| self.bounds[lane].queued.load(Ordering::Relaxed))
    }

    /// Takes no more; what is queued is still written.
    pub(crate) fn close(&self) {
        let _lanes = self.lanes.lock();
        self.closed.store(true, Ordering::Release);
        for bound in &self.bounds {
            bound.places.close();
        }
        self.filled.notify_all();
    }
}
