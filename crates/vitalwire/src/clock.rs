//! Our clock: microseconds since 1970, UTC. It never goes back.
//!
//! Within a run it goes by the machine's monotonic clock and keeps to the wall clock like this: a
//! wall clock that is ahead is followed at once, up to a day (after more, somebody mistyped a year,
//! and every timer would run out); one that was set back is waited for, at 95 % of the usual pace,
//! so that timers of alerts run on. What is between the two is told in the log, the journal and
//! `/metrics`.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use vitals::ReceiveTime;
use vitals::time::DAY;

/// A wall clock further ahead than this is not followed, in microseconds.
const FORWARD_MAX: i64 = DAY;
/// Of so many microseconds one is given back while we are ahead.
const GIVE_BACK: i64 = 20;

/// The rule, without any clock: wall and monotonic time go in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pace {
    ours: i64,
    monotonic: i64,
    /// Time gone by while ahead, of which nothing was given back yet.
    credit: i64,
    /// How far the wall clock jumped ahead and was followed, until somebody asks.
    leapt: i64,
}

/// A step of the wall clock above this is a jump, in microseconds.
const JUMP: i64 = vitals::time::SECOND;

impl Pace {
    fn begin(ours: i64, monotonic: i64) -> Self {
        Self { ours, monotonic, credit: 0, leapt: 0 }
    }

    /// What our clock shows; never less than before.
    fn step(&mut self, wall: i64, monotonic: i64) -> i64 {
        let elapsed = (monotonic - self.monotonic).max(0);
        self.monotonic = self.monotonic.max(monotonic);
        let even = self.ours + elapsed;
        let ahead = even - wall;
        if ahead > 0 {
            self.credit += elapsed;
            let back = ahead.min(self.credit / GIVE_BACK);
            self.credit -= back * GIVE_BACK;
            self.ours = even - back;
        } else {
            self.credit = 0;
            let follows = -ahead <= FORWARD_MAX;
            if follows && -ahead > JUMP {
                self.leapt -= ahead;
            }
            self.ours = if follows { wall } else { even };
        }
        self.ours
    }
}

struct Running {
    started: Instant,
    pace: Mutex<Pace>,
}

static RUNNING: OnceLock<Running> = OnceLock::new();

/// Begins, not before `at_least`: the newest entry of the journal. Called again it changes nothing.
pub(crate) fn begin(at_least: ReceiveTime) {
    RUNNING.get_or_init(|| Running {
        started: Instant::now(),
        pace: Mutex::new(Pace::begin(wall().max(at_least.micros()), 0)),
    });
}

/// Now, by our clock.
pub(crate) fn clock() -> ReceiveTime {
    let Some(running) = RUNNING.get() else { return ReceiveTime(wall()) };
    let mut pace = running.pace.lock();
    // Read under the lock: whoever comes later reads no earlier time.
    let elapsed = i64::try_from(running.started.elapsed().as_micros()).unwrap_or(i64::MAX);
    ReceiveTime(pace.step(wall(), elapsed))
}

/// How far the wall clock jumped ahead since this was last asked, in microseconds; ours followed.
pub(crate) fn take_leap() -> i64 {
    RUNNING.get().map_or(0, |running| std::mem::take(&mut running.pace.lock().leapt))
}

/// How far our clock is ahead of the wall clock, in microseconds; negative when it is behind.
pub(crate) fn ahead() -> i64 {
    clock().micros() - wall()
}

/// The operating system's clock.
pub(crate) fn wall() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since.map_or(0, |since| since.as_micros())).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use vitals::time::{HOUR, MINUTE, SECOND};

    use super::*;

    /// Steps of a second, the wall clock `jump` away from the tenth on: what ours shows against an
    /// undisturbed one after so many seconds.
    fn check(jump: i64, seconds: i64) -> i64 {
        let start = 20_000 * DAY;
        let mut pace = Pace::begin(start, 0);
        let mut before = start;
        for second in 1..=seconds {
            let true_time = start + second * SECOND;
            let wall = true_time + if second >= 10 { jump } else { 0 };
            let ours = pace.step(wall, second * SECOND);
            assert!(ours > before, "never back, never still: {jump} at {second} s");
            assert!(second == 10 || ours - before >= SECOND * 95 / 100, "{jump} at {second} s");
            before = ours;
        }
        before - (start + seconds * SECOND)
    }

    #[test]
    fn jumps_of_the_wall_clock() {
        for (jump, seconds, expected) in [
            (0, 100, 0),
            (5 * SECOND, 100, 5 * SECOND),
            (HOUR, 11, HOUR),
            (2 * DAY, 100, 0),
            // Set back by an hour: in the first minutes ours goes on, 5 % slower.
            (-HOUR, 9 + 60, -3 * SECOND),
            (-HOUR, 9 + 21 * 3_600, -HOUR),
            (-MINUTE, 9 + 1_300, -MINUTE),
        ] {
            assert_eq!(check(jump, seconds), expected, "{jump} after {seconds} s");
        }
    }

    #[test]
    fn small_steps_give_back_as_much_as_large_ones() {
        let mut pace = Pace::begin(HOUR, 0);
        for micros in 1..=1_000_000 {
            pace.step(0, micros);
        }
        assert_eq!(pace.ours, HOUR + SECOND - SECOND / GIVE_BACK);
    }
}
