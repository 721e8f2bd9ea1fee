//! The habits of one device.

use std::collections::HashSet;
use core::net::IpAddr;

use serde::{Deserialize, Serialize};
use vitals::{Measurement, Value};

use super::state::States;
use super::track::{Move, NEIGHBOURS_MS, Stillness, Track};
use super::{Break, Heard, KINDS_MAX, Report, hash};

/// How long a device's habits are learned before anything is said, microseconds…
const LEARN_US: i64 = 30 * 60 * 1_000_000;
/// …and over how many messages at least.
const LEARN_MESSAGES: u32 = 100;
/// A window of the message rate, microseconds.
const WINDOW_US: i64 = 60_000_000;
/// Values are looked at this often at most, microseconds.
const VALUES_EVERY_US: i64 = 400_000;
/// Measurements of one message that are looked at.
const MEASUREMENTS_MAX: usize = 16;
/// Values that are followed.
const TRACKS: usize = 14;
/// A clock further off its habit than this, microseconds, if it never varied.
const CLOCK_US: f64 = 2_000_000.0;

/// The habits of one device. At most 1 kB, no heap.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Habit {
    began_us: i64,
    /// Nothing is said before this.
    learned_us: i64,
    messages: u32,
    window_us: i64,
    in_window: u32,
    windows: u32,
    rate: f32,
    rate_spread: f32,
    rate_most: f32,
    kinds: [u32; 32],
    kinds_full: bool,
    clock_us: f64,
    clock_spread_us: f64,
    clocked: u32,
    addresses: [u32; 4],
    tracks: [Track; TRACKS],
    still: Stillness,
    states: States,
    values_us: i64,
    shapes_us: i64,
    /// Hash of manufacturer and model; 0: not known.
    pub(super) model: u32,
    /// Hashes of the last changes of values, newest last, and their rolling hash.
    pub(super) changes: [u32; 16],
    pub(super) change_count: u32,
    pub(super) rolling: u64,
    /// Points for saying what another has said, the hashes that counted last, and who that is.
    pub(super) copies: u16,
    pub(super) copied: [u32; 8],
    pub(super) copied_at: u8,
    pub(super) copy_of: u32,
    /// Whether values of the present message were looked at.
    #[serde(skip)]
    pub(super) values_due: bool,
}

const _: () = assert!(size_of::<Habit>() <= 1_024, "a habit takes at most 1 kB");

impl Habit {
    pub(super) fn new(now_us: i64) -> Self {
        Self {
            began_us: now_us,
            learned_us: now_us.saturating_add(LEARN_US),
            messages: 0,
            window_us: now_us,
            in_window: 0,
            windows: 0,
            rate: 0.0,
            rate_spread: 0.0,
            rate_most: 0.0,
            kinds: [0; 32],
            kinds_full: false,
            clock_us: 0.0,
            clock_spread_us: 0.0,
            clocked: 0,
            addresses: [0; 4],
            tracks: [Track::default(); TRACKS],
            still: Stillness::default(),
            states: States::default(),
            values_us: i64::MIN,
            shapes_us: i64::MIN,
            model: 0,
            changes: [0; 16],
            change_count: 0,
            rolling: 0,
            copies: 0,
            copied: [0; 8],
            copied_at: 0,
            copy_of: u32::MAX,
            values_due: false,
        }
    }

    /// Whether habits are still learned, and nothing is said.
    #[must_use]
    pub fn learns(&self, now_us: i64) -> bool {
        now_us < self.learned_us || self.messages < LEARN_MESSAGES
    }

    /// Messages a minute, usually; none before a minute has gone by.
    #[must_use]
    pub fn per_minute(&self) -> Option<f32> {
        (self.windows > 0).then_some(self.rate)
    }

    /// How far its clock is usually ahead of ours, microseconds, if it has one.
    #[must_use]
    pub fn clock_ahead_us(&self) -> Option<i64> {
        (self.clocked > 0).then_some(self.clock_us as i64)
    }

    pub(super) fn kinds(&self) -> impl Iterator<Item = u32> + '_ {
        self.kinds.iter().copied().filter(|kind| *kind != 0)
    }

    pub(super) fn moved(&mut self, now_us: i64) {
        self.learned_us = self.learned_us.max(now_us.saturating_add(LEARN_US));
        self.tracks = [Track::default(); TRACKS];
        self.still = Stillness::default();
        self.states = States::default();
    }

    pub(super) fn hear(
        &mut self,
        heard: &Heard<'_>,
        mut model: Option<&mut HashSet<u32>>,
        report: &mut Report<'_>,
    ) {
        let now_us = heard.received_us;
        self.messages = self.messages.saturating_add(1);
        self.in_window = self.in_window.saturating_add(1);
        if now_us - self.window_us >= WINDOW_US {
            self.end_window(now_us, report);
        }
        // A monitor sends values and waveforms by turns: one must not keep the other from being seen.
        let values = heard.measurements.iter().any(|one| matches!(one.value, Value::Numeric(_)));
        let last_us = if values { &mut self.values_us } else { &mut self.shapes_us };
        let due = now_us.saturating_sub(*last_us) >= VALUES_EVERY_US;
        self.values_due = due && values;
        if !due {
            return;
        }
        *last_us = now_us;
        if let Some(address) = heard.address {
            self.address(address, now_us, report);
        }
        self.kind(hash(heard.topic.as_bytes()), now_us, model.as_deref_mut(), report, || {
            "a topic that neither it nor its model has used".to_owned()
        });
        let (mut lively, mut changed, mut stuck) = (0, false, None);
        for measurement in heard.measurements.iter().take(MEASUREMENTS_MAX) {
            let code = measurement.metric.0;
            self.kind(hash(&code.to_le_bytes()), now_us, model.as_deref_mut(), report, || {
                let name = measurement.metric.metric().map_or("unknown", |metric| metric.refid);
                format!("{name}, which neither it nor its model has sent")
            });
            let (moved, is_lively) = self.value(measurement, now_us, report);
            changed |= is_lively && matches!(moved, Move::Usual(true) | Move::Jump(..));
            lively += u8::from(is_lively);
            if let (Move::Stuck(usual_s, now_s), true) = (moved, is_lively) {
                stuck = Some((measurement, usual_s, now_s));
            }
        }
        if values {
            self.stands(lively, changed, now_us, report);
        }
        // One of many may stand still: its sensor is off, or its patient calm.
        if let Some((measurement, usual_s, now_s)) = stuck.filter(|_| lively == 1 && !self.learns(now_us))
            && self.states.sign(Break::Stuck, self.second(now_us), 1, 0)
        {
            let name = measurement.metric.metric().map_or("a value", |metric| metric.refid);
            let usual = format!("{name} changes about every {usual_s:.0} s");
            report.tell(Break::Stuck, now_us, usual, format!("the same for {:.0} minutes", now_s / 60.0));
        }
        if let Some(time) = heard.measurements.first().and_then(|m| m.device_time) {
            self.clock((time.0 - now_us) as f64, now_us, report);
        }
    }

    fn end_window(&mut self, now_us: i64, report: &mut Report<'_>) {
        let minutes = ((now_us - self.window_us) as f64 / WINDOW_US as f64).max(1.0);
        // A pause is no slow minute: what came belongs to the last of it.
        let rate = if minutes > 1.5 { self.in_window as f32 } else { (f64::from(self.in_window) / minutes) as f32 };
        (self.window_us, self.in_window) = (now_us, 0);
        let most = 3.0 * self.rate + 6.0 * self.rate_spread + 20.0;
        let high = self.windows >= 15 && rate > most.max(1.5 * self.rate_most);
        if high && !self.learns(now_us) {
            if self.states.sign(Break::Rate, self.second(now_us), 3, 0) {
                let usual = format!("{:.0} messages a minute", self.rate);
                report.tell(Break::Rate, now_us, usual, format!("{rate:.0} messages a minute"));
            }
        } else {
            self.states.calm(Break::Rate);
        }
        self.windows = self.windows.saturating_add(1);
        // What breaks a habit teaches slowly: an hour of it is the new habit.
        let weight = if high { 60.0 } else { 30.0_f32.min(self.windows as f32) };
        self.rate_spread += ((rate - self.rate).abs() - self.rate_spread) / weight;
        self.rate += (rate - self.rate) / weight;
        self.rate_most = if high { self.rate_most } else { rate.max(self.rate_most * 0.999) };
    }

    fn address(&mut self, address: IpAddr, now_us: i64, report: &mut Report<'_>) {
        let key = match address {
            IpAddr::V4(v4) => hash(&v4.octets()),
            IpAddr::V6(v6) => hash(&v6.octets()),
        };
        if self.addresses[0] == key {
            return;
        }
        let known = self.addresses.iter().position(|known| *known == key);
        if known.is_none() && self.addresses[0] != 0 && !self.learns(now_us) {
            if self.states.sign(Break::Address, self.second(now_us), 1, 0) {
                let count = self.addresses.iter().filter(|a| **a != 0).count();
                let usual = format!("{count} network address{}", if count == 1 { "" } else { "es" });
                report.tell(Break::Address, now_us, usual, format!("a new one: {address}"));
            }
        }
        // The newest first.
        let to = known.unwrap_or(self.addresses.len() - 1);
        self.addresses.copy_within(0..to, 1);
        self.addresses[0] = key;
    }

    fn kind(
        &mut self,
        key: u32,
        now_us: i64,
        model: Option<&mut HashSet<u32>>,
        report: &mut Report<'_>,
        seen: impl FnOnce() -> String,
    ) {
        let key = key.max(1);
        if self.kinds.contains(&key) {
            return;
        }
        let of_model = model.as_ref().is_some_and(|model| model.contains(&key));
        let learns = self.learns(now_us);
        if !of_model && !learns && !self.kinds_full {
            let usual = format!("{} topics and metrics", self.kinds().count());
            if self.states.sign(Break::Kind, self.second(now_us), 1, 0) {
                report.tell(Break::Kind, now_us, usual, seen());
            }
        }
        match self.kinds.iter_mut().find(|kind| **kind == 0) {
            Some(free) => *free = key,
            None => self.kinds_full = true,
        }
        if let Some(model) = model
            && learns
            && model.len() < KINDS_MAX
        {
            model.insert(key);
        }
    }

    fn clock(&mut self, ahead_us: f64, now_us: i64, report: &mut Report<'_>) {
        let off = ahead_us - self.clock_us;
        let far = self.clocked >= 50 && off.abs() > CLOCK_US.max(8.0 * self.clock_spread_us);
        if far && !self.learns(now_us) {
            // What was stored and comes later comes at once; a wrong clock stays wrong.
            if self.states.sign(Break::Clock, self.second(now_us), 5, 120) {
                let usual = format!("clock {:+.1} s from ours", self.clock_us / 1e6);
                report.tell(Break::Clock, now_us, usual, format!("{:+.1} s", ahead_us / 1e6));
            }
        } else {
            self.states.calm(Break::Clock);
        }
        self.clocked = self.clocked.saturating_add(1);
        // What is far off teaches slowly, or it would be the habit before it is told.
        let weight = if far { 4_000.0 } else { 50.0_f64.min(f64::from(self.clocked)) };
        self.clock_us += off / weight;
        self.clock_spread_us += (off.abs() - self.clock_spread_us) / weight;
    }

    /// How many values of a message usually change, and whether one of them did.
    fn stands(&mut self, lively: u8, changed: bool, now_us: i64, report: &mut Report<'_>) {
        let at_ms = self.millisecond(now_us);
        let Some((usual_s, now_s)) = self.still.take(lively, changed, at_ms) else { return };
        if !self.learns(now_us) && self.states.sign(Break::Stuck, self.second(now_us), 1, 0) {
            let usual = format!("some value changes about every {usual_s:.0} s");
            report.tell(Break::Stuck, now_us, usual, format!("all of them the same for {now_s:.0} s"));
        }
    }

    /// Compares a value with the one before; and whether it usually changes.
    fn value(&mut self, measurement: &Measurement, now_us: i64, report: &mut Report<'_>) -> (Move, bool) {
        let Value::Numeric(value) = measurement.value else { return (Move::Fresh, false) };
        let channel = measurement.channel.wrapping_mul(0x9e37_79b1);
        let key = hash(&(measurement.metric.0 ^ channel).to_le_bytes()).max(1);
        let at_ms = self.millisecond(now_us);
        let Some(at) = self.track(key, at_ms) else { return (Move::Fresh, false) };
        let moved = self.tracks[at].take(value as f32, at_ms);
        let lively = self.tracks[at].is_lively() && moved != Move::Fresh;
        if matches!(moved, Move::Usual(true) | Move::Jump(..)) {
            self.change(key, value);
        }
        if self.learns(now_us) {
            return (moved, lively);
        }
        let name = || measurement.metric.metric().map_or("a value", |metric| metric.refid);
        match moved {
            Move::Jump(step, jump) => {
                if self.states.sign(Break::Jumps, self.second(now_us), 6, 10) {
                    // Ratios only: what was measured is nobody's business here.
                    let usual = format!("{} moves in small steps", name());
                    let times = f64::from(jump) / f64::from(step.max(1e-6));
                    report.tell(Break::Jumps, now_us, usual, format!("jumps of {times:.0} times that, again and again"));
                }
            }
            Move::Stuck(..) | Move::Usual(_) | Move::Fresh => {}
        }
        (moved, lively)
    }

    /// The track of a value, as far as there is room: a device with more values than tracks would
    /// otherwise learn of none of them. One whose next value has no neighbour makes room.
    fn track(&mut self, key: u32, at_ms: u32) -> Option<usize> {
        if let Some(at) = self.tracks.iter().position(|track| track.key == key) {
            return Some(at);
        }
        let unused = |track: &Track| {
            track.key == 0 || at_ms.saturating_sub(track.at_ms()) > NEIGHBOURS_MS
        };
        let at = self.tracks.iter().position(unused)?;
        self.tracks[at] = Track::new(key);
        Some(at)
    }

    /// A value that differs from the one before goes into the rolling hash of the last sixteen.
    fn change(&mut self, key: u32, value: f64) {
        let mut bytes = [0; 12];
        bytes[..4].copy_from_slice(&key.to_le_bytes());
        bytes[4..].copy_from_slice(&value.to_bits().to_le_bytes());
        super::copy::push(self, hash(&bytes));
    }

    fn millisecond(&self, now_us: i64) -> u32 {
        u32::try_from((now_us - self.began_us).max(0) / 1_000).unwrap_or(u32::MAX)
    }

    pub(super) fn second(&self, now_us: i64) -> u32 {
        u32::try_from((now_us - self.began_us).max(0) / 1_000_000).unwrap_or(u32::MAX)
    }

    /// Whether this copy is to be told.
    pub(super) fn copy_sign(&mut self, now_us: i64) -> bool {
        !self.learns(now_us) && self.states.sign(Break::Copy, self.second(now_us), 1, 0)
    }

    /// Whether a break of this kind was told and lasts.
    #[must_use]
    pub fn breaks(&self, kind: Break, now_us: i64) -> bool {
        self.states.lasts(kind, self.second(now_us))
    }
}
