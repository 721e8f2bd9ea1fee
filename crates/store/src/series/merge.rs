//! Putting points in order, each identical value once.

use std::collections::HashSet;

use vitals::{Point, Quality};

use super::BLOCK_POINTS;

/// A run of values at one instant is not divided between blocks up to this length.
const RUN_POINTS: usize = 8 * BLOCK_POINTS;

/// Flags that make an equal value at the same time another statement: a correction or a retraction.
const RESTATED: Quality = Quality::AMENDED.union(Quality::INVALID);

/// Sorts by time and drops points that repeat the value of an earlier entry at the same time.
/// Points without a number are told apart by the entry that they came from; a value that was
/// amended or retracted is not a repetition.
pub fn tidy(points: &mut Vec<Point>) {
    let key = |point: &Point| (point.time, point.offset, point.index);
    if !points.windows(2).all(|pair| key(&pair[0]) <= key(&pair[1])) {
        points.sort_by_key(key);
    }
    if points.windows(2).all(|pair| pair[0].time < pair[1].time) {
        return;
    }
    let identity = |point: &Point| {
        if point.value.is_nan() {
            (true, point.offset, point.index)
        } else {
            // 0 and −0 are the same number.
            (false, (point.value + 0.0).to_bits(), (point.quality & RESTATED).bits())
        }
    };
    let mut seen = HashSet::new();
    let mut time = None;
    points.retain(|point| {
        if time != Some(point.time) {
            time = Some(point.time);
            seen.clear();
        }
        seen.insert(identity(point))
    });
}

/// Divides points in time order into blocks, at a change of time wherever there is one.
#[must_use]
pub fn divide(points: &[Point]) -> Vec<&[Point]> {
    let mut blocks = Vec::new();
    let mut rest = points;
    while rest.len() > BLOCK_POINTS {
        let changes = |at: &usize| rest[*at - 1].time != rest[*at].time;
        let end = rest.len().min(RUN_POINTS);
        let at = (1..=BLOCK_POINTS).rev().find(changes);
        let at = at
            .or_else(|| (BLOCK_POINTS + 1..end).find(changes))
            .unwrap_or(end);
        let (block, tail) = rest.split_at(at);
        blocks.push(block);
        rest = tail;
    }
    if !rest.is_empty() {
        blocks.push(rest);
    }
    blocks
}
