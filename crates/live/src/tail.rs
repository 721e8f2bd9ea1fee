//! Values that the engine concluded and the store does not hold yet.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use store::Commit;
use vitals::{Point, SeriesId};

/// The newest values of every series. A reader takes from here first and from the store second:
/// what moves over in between is then seen twice, never missed, and told apart by its name.
#[derive(Default)]
pub struct Tail {
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    growing: HashMap<SeriesId, Vec<Point>>,
    count: usize,
    /// Being written; sorted by series.
    leaving: Option<Arc<Commit>>,
}

impl Tail {
    /// Adds values, in order.
    pub fn extend(&self, points: &[(SeriesId, Point)]) {
        if points.is_empty() {
            return;
        }
        let mut state = self.state.write();
        for (series, point) in points {
            state.growing.entry(*series).or_default().push(*point);
        }
        state.count += points.len();
    }

    /// How many values are waiting.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state.read().count
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Moves everything that is waiting, by series in order, into a commit. It stays visible until
    /// [`Self::left`].
    pub fn leave(
        &self,
        build: impl FnOnce(Vec<(SeriesId, Vec<Point>)>) -> Arc<Commit>,
    ) -> Arc<Commit> {
        let mut state = self.state.write();
        state.count = 0;
        let mut points: Vec<_> = std::mem::take(&mut state.growing).into_iter().collect();
        points.sort_unstable_by_key(|(series, _)| *series);
        let commit = build(points);
        state.leaving = Some(Arc::clone(&commit));
        commit
    }

    /// The commit is in the store.
    pub fn left(&self) {
        self.state.write().leaving = None;
    }

    /// The values of a series that the store may not hold yet, in order of arrival.
    #[must_use]
    pub fn points(&self, series: SeriesId) -> Vec<Point> {
        let state = self.state.read();
        let leaving = state.leaving.as_ref().and_then(|commit| {
            let at = commit.points.binary_search_by_key(&series, |(id, _)| *id).ok()?;
            Some(commit.points[at].1.as_slice())
        });
        let mut points = leaving.unwrap_or_default().to_vec();
        points.extend(state.growing.get(&series).into_iter().flatten());
        points
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitals::{EffectiveTime, Quality, ReceiveTime};

    #[test]
    fn values_are_seen_while_they_move_to_the_store() {
        let tail = Tail::default();
        let point = |time| Point {
            time: EffectiveTime(time),
            received: ReceiveTime(time),
            value: 1.0,
            offset: time as u64,
            index: 0,
            quality: Quality::empty(),
        };
        let series = SeriesId(3);
        tail.extend(&[(series, point(1)), (SeriesId(1), point(1)), (series, point(2))]);
        tail.leave(|points| Arc::new(Commit { points, ..Commit::default() }));
        tail.extend(&[(series, point(3))]);
        let times: Vec<i64> = tail.points(series).iter().map(|point| point.time.0).collect();
        assert_eq!(times, [1, 2, 3]);
        tail.left();
        assert_eq!(tail.points(series).len(), 1);
        assert_eq!(tail.len(), 1);
    }
}
