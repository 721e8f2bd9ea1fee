//! Turns: so many engines work at the same time, so that a run leaves processors to others.

use std::sync::{Condvar, Mutex, PoisonError};

/// Free turns; none counted where everybody may work.
#[derive(Debug)]
pub(super) struct Turns {
    free: Option<Mutex<usize>>,
    given_back: Condvar,
}

impl Turns {
    /// So many at the same time; 0: all.
    pub(super) fn new(at_once: usize) -> Self {
        Self { free: (at_once > 0).then(|| Mutex::new(at_once)), given_back: Condvar::new() }
    }

    /// Works when it is its turn. `work` must wait for nobody who needs a turn.
    pub(super) fn take<T>(&self, work: impl FnOnce() -> T) -> T {
        let Some(free) = &self.free else { return work() };
        let mut left = free.lock().unwrap_or_else(PoisonError::into_inner);
        while *left == 0 {
            left = self.given_back.wait(left).unwrap_or_else(PoisonError::into_inner);
        }
        *left -= 1;
        drop(left);
        let turn = Turn(self);
        let done = work();
        drop(turn);
        done
    }
}

/// A turn, given back also by a thread that falls.
struct Turn<'a>(&'a Turns);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(free) = &self.0.free {
            *free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
            self.0.given_back.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn no_more_than_so_many_work_at_once() {
        for (at_once, most) in [(1, 1), (2, 2), (0, 8)] {
            let (turns, working, seen) = (Turns::new(at_once), AtomicUsize::new(0), AtomicUsize::new(0));
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        for _ in 0..20 {
                            turns.take(|| {
                                seen.fetch_max(working.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                                std::thread::yield_now();
                                working.fetch_sub(1, Ordering::SeqCst);
                            });
                        }
                    });
                }
            });
            assert!(seen.into_inner() <= most, "{at_once}");
        }
    }
}
