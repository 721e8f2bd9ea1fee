//! What a process uses, read from `/proc` (proc(5)).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Clock ticks a second in `/proc/PID/stat`: 100 on every Linux of today (sysconf(3)).
const TICKS: f64 = 100.0;

/// Memory and processor time of a process.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Usage {
    /// Resident memory now, MiB.
    pub memory_mib: f64,
    /// Processor time since its start, in user and kernel mode, s.
    pub cpu_s: f64,
}

impl Usage {
    /// Of a process; zero if it is gone.
    #[must_use]
    pub fn of(id: u32) -> Self {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        Self { memory_mib: memory(&status), cpu_s: processor(&stat) }
    }
}

fn memory(status: &str) -> f64 {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|rest| rest.trim().split(' ').next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1_024.0
}

fn processor(stat: &str) -> f64 {
    // The name in parentheses may hold anything; what follows it does not.
    let Some((_, rest)) = stat.rsplit_once(") ") else { return 0.0 };
    let fields: Vec<&str> = rest.split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok());
    // utime and stime are fields 14 and 15; the first after the name is field 3.
    (ticks(11).unwrap_or(0.0) + ticks(12).unwrap_or(0.0)) / TICKS
}

/// Watches the memory of a process and keeps its peak.
pub struct Peak {
    kib: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Peak {
    /// Looks ten times a second, until it is dropped.
    #[must_use]
    pub fn watch(id: u32) -> Self {
        let (kib, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let peak = Self { kib: Arc::clone(&kib), stop: Arc::clone(&stop) };
        tokio::spawn(async move {
            while !stop.load(Ordering::Relaxed) {
                kib.fetch_max((Usage::of(id).memory_mib * 1_024.0) as u64, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        peak
    }

    /// The highest so far, MiB.
    #[must_use]
    pub fn mib(&self) -> f64 {
        self.kib.load(Ordering::Relaxed) as f64 / 1_024.0
    }
}

impl Drop for Peak {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name() {
        let stat = "7 (a ) b) S 1 1 1 0 -1 4194560 1 2 3 4 250 50 0 0 20 0 1 0 5";
        assert_eq!(processor(stat), 3.0);
        assert_eq!(memory("Name:\tx\nVmRSS:\t    2048 kB\n"), 2.0);
        assert_eq!((processor(""), memory("")), (0.0, 0.0));
    }
}
