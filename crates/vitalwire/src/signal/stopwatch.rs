//! How long a piece of work took on the processor, however busy the machine is with other things.

use std::time::{Duration, Instant};

/// Runs until it is read.
pub(super) struct Stopwatch {
    began: Instant,
    processor: Option<Duration>,
}

impl Stopwatch {
    pub fn start() -> Self {
        Self { processor: processor_time(), began: Instant::now() }
    }

    /// Processor time of this thread since the start; where the system does not tell it, time by the clock.
    pub fn read(&self) -> Duration {
        let clock = self.began.elapsed();
        match (self.processor, processor_time()) {
            (Some(before), Some(now)) => now.saturating_sub(before),
            _ => clock,
        }
    }
}

/// The processor time of this thread so far, as Linux tells it in `schedstat`.
fn processor_time() -> Option<Duration> {
    // The count is brought up to date when the thread gives way.
    std::thread::yield_now();
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanos: u64 = text.split_whitespace().next()?.parse().ok()?;
    (nanos > 0).then(|| Duration::from_nanos(nanos))
}
