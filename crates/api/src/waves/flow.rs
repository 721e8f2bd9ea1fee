//! How much a viewer's link can carry. Two signs tell: what waits to be sent, and how long ago the
//! newest time was told that the viewer has not acknowledged. A viewer who falls behind gets coarser
//! data in fewer messages; one who falls far behind gets nothing until it has caught up, and then
//! goes on with the present.

use std::collections::VecDeque;

/// Behind by this much, a viewer gets coarser data.
const BEHIND_MS: i64 = 1_500;
/// Behind by this much, it gets nothing until it has caught up.
const FAR_BEHIND_MS: i64 = 4_000;
/// Behind by less than this, it may get finer data again …
const CALM_MS: i64 = 700;
/// … once that has lasted so long; longer each time that it was too early.
const PATIENCE_MS: i64 = 5_000;
const PATIENCE_MS_MAX: i64 = 80_000;
/// A coarser level needs so long to show.
const RAISE_EVERY_MS: i64 = 2_000;
/// The coarsest level.
const LEVEL_MAX: u8 = 5;
/// Most times that are waited for.
const TOLD_MAX: usize = 128;

/// How one viewer's link does. Times are milliseconds of our clock.
#[derive(Debug)]
pub(crate) struct Flow {
    /// 0: everything that the view can draw; each further level has half the data of the last.
    level: u8,
    /// Times told and not yet acknowledged, oldest first.
    told: VecDeque<i64>,
    /// Whether the viewer acknowledges at all.
    acknowledges: bool,
    /// Since when messages wait for room.
    stuck_since: Option<i64>,
    calm_since: Option<i64>,
    raised_at: i64,
    lowered_at: Option<i64>,
    patience: i64,
    /// Since when nothing is sent.
    held_since: Option<i64>,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Send what there is.
    Send,
    /// Send nothing yet.
    Hold,
    /// Leave out what has gathered and go on with the present.
    SkipAhead,
}

impl Flow {
    pub(crate) fn new(now: i64) -> Self {
        Self {
            level: 0,
            told: VecDeque::new(),
            acknowledges: false,
            stuck_since: None,
            calm_since: None,
            raised_at: now,
            lowered_at: None,
            patience: PATIENCE_MS,
            held_since: None,
        }
    }

    /// How coarse: each level has half the data of the one before.
    pub(crate) fn level(&self) -> u8 {
        self.level
    }

    /// Pushes are this many ticks apart.
    pub(crate) fn ticks(&self) -> u32 {
        1 << self.level.saturating_sub(1).min(3)
    }

    /// A time was told.
    pub(crate) fn told(&mut self, time: i64) {
        if self.told.len() < TOLD_MAX {
            self.told.push_back(time);
        }
    }

    /// The viewer has seen everything up to a time.
    pub(crate) fn seen(&mut self, time: i64) {
        self.acknowledges = true;
        while self.told.front().is_some_and(|told| *told <= time) {
            self.told.pop_front();
        }
    }

    /// How far the viewer is behind, in milliseconds.
    pub(crate) fn behind(&self, now: i64) -> i64 {
        let oldest = self.told.front().filter(|_| self.acknowledges);
        let since = |from: Option<i64>| from.map_or(0, |from| now - from);
        since(oldest.copied()).max(since(self.stuck_since)).max(0)
    }

    /// Looks at the link: `full` says whether there is no room for more.
    pub(crate) fn judge(&mut self, now: i64, full: bool) -> Pace {
        match (full, self.stuck_since) {
            (true, None) => self.stuck_since = Some(now),
            (false, Some(_)) => self.stuck_since = None,
            _ => {}
        }
        let behind = self.behind(now);
        self.adapt(now, behind);
        if let Some(since) = self.held_since {
            if full || behind >= BEHIND_MS {
                return Pace::Hold;
            }
            self.held_since = None;
            return if now - since >= BEHIND_MS { Pace::SkipAhead } else { Pace::Send };
        }
        if full || behind >= FAR_BEHIND_MS {
            self.held_since = Some(now);
            return Pace::Hold;
        }
        Pace::Send
    }

    fn adapt(&mut self, now: i64, behind: i64) {
        if behind >= BEHIND_MS {
            self.calm_since = None;
            if self.level < LEVEL_MAX && now - self.raised_at >= RAISE_EVERY_MS {
                self.level += 1;
                self.raised_at = now;
                // It was too early to try with more: wait longer before the next time.
                if self.lowered_at.is_some_and(|at| now - at < self.patience) {
                    self.patience = (self.patience * 2).min(PATIENCE_MS_MAX);
                }
            }
            return;
        }
        if behind >= CALM_MS {
            self.calm_since = None;
            return;
        }
        let since = *self.calm_since.get_or_insert(now);
        if self.level > 0 && now - since >= self.patience {
            self.level -= 1;
            self.lowered_at = Some(now);
            self.calm_since = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A link with room for `numbers` a tick of 100 ms, offered 100 at level 0: how it goes for
    /// `seconds`, as level and pace of each second.
    fn run(numbers: f64, seconds: i64) -> (Flow, Vec<(u8, Pace)>) {
        let mut flow = Flow::new(0);
        flow.told(0);
        flow.seen(0);
        let (mut queue, mut told, mut seen) = (0.0, VecDeque::new(), Vec::new());
        for now in (100..=seconds * 1_000).step_by(100) {
            let pace = flow.judge(now, false);
            if pace != Pace::Hold {
                queue += 100.0 / f64::from(1 << flow.level());
            }
            queue = f64::max(queue - numbers, 0.0);
            if now % 1_000 == 0 {
                flow.told(now);
                // It is seen when all that was queued before it is through.
                told.push_back((now, now as f64 + queue / numbers * 100.0));
                seen.push((flow.level(), pace));
            }
            while told.front().is_some_and(|(_, at)| *at <= now as f64) {
                flow.seen(told.pop_front().expect("there").0);
            }
        }
        (flow, seen)
    }

    #[test]
    fn a_link_that_carries_it_gets_everything() {
        let (flow, seen) = run(120.0, 60);
        assert!(seen.iter().all(|one| *one == (0, Pace::Send)), "{seen:?}");
        assert!(flow.behind(60_000) < 1_000);
    }

    #[test]
    fn a_slow_link_gets_what_it_carries() {
        // A fifth: level 3, an eighth of the data, is sustainable.
        let (flow, seen) = run(20.0, 240);
        assert!(flow.behind(240_000) < 8_000, "{}", flow.behind(240_000));
        let late = &seen[60..];
        let sent = late.iter().filter(|(_, pace)| *pace != Pace::Hold).count();
        assert!(sent * 10 > late.len() * 7, "mostly flowing: {late:?}");
        assert!(late.iter().all(|(level, _)| *level >= 1), "{late:?}");
    }

    #[test]
    fn a_viewer_that_reads_nothing_gets_nothing_and_then_the_present() {
        let mut flow = Flow::new(0);
        for now in (0..20_000).step_by(100) {
            flow.judge(now, now >= 5_000);
        }
        assert_eq!((flow.level(), flow.judge(20_000, true)), (LEVEL_MAX, Pace::Hold));
        assert_eq!(flow.judge(20_100, false), Pace::SkipAhead);
        assert_eq!(flow.judge(20_200, false), Pace::Send);
        // When all is well again it gets everything again.
        for now in (20_300..80_000).step_by(100) {
            flow.judge(now, false);
        }
        assert_eq!(flow.level(), 0);
    }

    #[test]
    fn whoever_never_acknowledges_is_judged_by_the_queue_alone() {
        let mut flow = Flow::new(0);
        for now in (0..100_000).step_by(1_000) {
            flow.told(now);
            assert_eq!(flow.judge(now, false), Pace::Send);
        }
        assert_eq!(flow.level(), 0);
    }
}
