//! What waits to be committed: four lanes, each bounded in bytes (DU-3).

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tokio::sync::{Semaphore, oneshot};
use vitals::Event;

use crate::appender::Limits;
use crate::{AckQueue, Closed, Encoded, LANES, Lane, Outcome};

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

impl Item {
    pub(crate) fn new(event: Event, encoded: Encoded, reply: Reply) -> Self {
        let cost = encoded.bytes.len() * 2 + ITEM_BYTES;
        Self { event, encoded, reply, cost }
    }
}

struct Bound {
    places: Semaphore,
    limit: usize,
    queued: AtomicUsize,
}

/// The lanes.
pub(crate) struct Queue {
    /// Boxed, with their encoded bytes beside, so that little is touched while the lock is held.
    lanes: Mutex<[VecDeque<(usize, Box<Item>)>; LANES]>,
    filled: Condvar,
    bounds: [Bound; LANES],
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
            bounds: limits.by_lane().map(bound),
            closed: AtomicBool::new(false),
        }
    }

    /// Waits for a place for all of these and takes it; they stay together and in order.
    pub(crate) async fn push_all(&self, lane: Lane, mut items: Vec<Item>) -> Result<(), Closed> {
        let bound = &self.bounds[lane as usize];
        // An item larger than the lane waits until the lane is empty.
        let mut total: usize = items.iter().map(|item| item.cost).sum();
        if total > bound.limit {
            let room = bound.limit / items.len();
            items.iter_mut().for_each(|item| item.cost = item.cost.min(room));
            total = items.iter().map(|item| item.cost).sum();
        }
        bound.places.acquire_many(total as u32).await.map_err(|_| Closed)?.forget();
        bound.queued.fetch_add(total, Ordering::Relaxed);
        let items = items.into_iter().map(|item| (item.encoded.frame_bytes(), Box::new(item)));
        // Boxed before the lock is taken.
        let items: Vec<_> = items.collect();
        let mut lanes = self.lanes.lock();
        if self.closed.load(Ordering::Acquire) {
            return Err(Closed);
        }
        lanes[lane as usize].extend(items);
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
        // A part is left to the last in line, so that they still move.
        let left = |lane: Lane, part: usize| {
            if lanes[lane as usize].is_empty() { 0 } else { max_bytes / part }
        };
        let (numeric, waveform) = (left(Lane::Numeric, 8), left(Lane::Waveform, 16));
        let mut bytes = 0;
        for lane in Lane::ALL {
            let room = match lane {
                Lane::Urgent | Lane::Steady => max_bytes - numeric - waveform,
                Lane::Numeric => max_bytes - waveform,
                Lane::Waveform => max_bytes,
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
    pub(crate) fn release(&self, costs: [usize; LANES]) {
        for (bound, cost) in self.bounds.iter().zip(costs) {
            if cost > 0 {
                bound.queued.fetch_sub(cost, Ordering::Relaxed);
                bound.places.add_permits(cost);
            }
        }
    }

    /// Bytes waiting or being written, by lane.
    pub(crate) fn queued(&self) -> [usize; LANES] {
        Lane::ALL.map(|lane| self.bounds[lane as usize].queued.load(Ordering::Relaxed))
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
