//! What one viewer looks at, and what it has been told of that: turns what came since into messages.
//! Nothing here knows of sockets; the clock is an argument.

use std::collections::HashSet;

use engine::{PatientView, WaveLine};
use live::{Live, Waves};
use serde::{Deserialize, Serialize};
use vitals::{PatientId, ReceiveTime, SeriesId, WaveRun};
use vitals::time::SECOND;

use super::strip::Strip;
use super::{names, wire};

/// A channel that begins to be shown is filled with so much of its past.
const FILL_US: i64 = 10 * SECOND;
/// A viewer that skips ahead begins so long before the present.
const AHEAD_US: i64 = SECOND;
/// A channel that brings nothing for this long is silent; one whose messages are longer, for this
/// many times their length.
const SILENT_US: i64 = 5 * SECOND;
const SILENT_TIMES: i64 = 3;
/// Numbers a column up to which whole samples are sent.
const WHOLE: f64 = 4.0;
/// Columns a second when nobody says how many.
const COLUMNS: f64 = 100.0;
/// Fewest pairs a second: coarser is no waveform.
const PAIRS_MIN: f64 = 4.0;
/// Most numbers in a message: a kilobyte comes through the slowest link before its viewer takes the silence for a dead line.
const NUMBERS_MAX: usize = 512;

/// What a viewer sends.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Heard {
    /// What it wants to see, instead of what it wanted before.
    Watch {
        channels: Vec<Wanted>,
        columns_per_s: Option<f64>,
    },
    /// It has received everything up to this time message.
    Seen { ms: i64 },
}

/// One channel that a viewer wants to see.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Wanted {
    /// The viewer's own number for it.
    pub(crate) view: u32,
    pub(crate) patient: String,
    pub(crate) series: u32,
}

/// What a viewer is told in text.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum Told {
    Time { now_ms: i64 },
    Channel(ChannelState),
    Beats { patient: PatientId, beats: Vec<(i64, char)> },
    Rhythm { patient: PatientId, rhythm: &'static str, since_ms: i64 },
    Error { message: String },
}

/// How a channel does, as a viewer is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ChannelState {
    view: u32,
    state: &'static str,
    recorded: bool,
    quality: &'static str,
    index: u8,
    thinned: usize,
    why: Option<&'static str>,
    skipped_ms: i64,
}

impl ChannelState {
    /// There is no such channel.
    pub(crate) fn gone(view: u32) -> Self {
        let (state, quality) = ("gone", names::reason(0));
        Self { view, state, recorded: false, quality, index: 0, thinned: 1, why: None, skipped_ms: 0 }
    }
}

/// One message to a viewer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Out {
    Text(Told),
    Wave(Vec<u8>),
}

/// What one viewer looks at.
pub(crate) struct Viewer {
    channels: Vec<Channel>,
    patients: Vec<Patient>,
    columns_per_s: f64,
}

struct Channel {
    wanted: Wanted,
    patient: PatientId,
    series: SeriesId,
    /// Number of the last run taken in.
    after: u64,
    /// Samples taken in and not sent, and where the next ones join.
    open: Option<Strip>,
    told: Option<ChannelState>,
    heard: Option<(ReceiveTime, i64)>,
    skipped_us: i64,
}

struct Patient {
    id: PatientId,
    beats_after: u64,
    rhythm: Option<(u8, i64)>,
}

impl Viewer {
    pub(crate) fn new() -> Self {
        Self { channels: Vec::new(), patients: Vec::new(), columns_per_s: COLUMNS }
    }

    /// Replaces what is looked at. Channels that stay go on; new ones begin with their newest past.
    pub(crate) fn watch(&mut self, wanted: Vec<(Wanted, PatientId)>, columns_per_s: Option<f64>) {
        let columns = columns_per_s.filter(|columns| columns.is_finite() && *columns > 0.0);
        self.columns_per_s = columns.unwrap_or(COLUMNS).clamp(1.0, 10_000.0);
        let mut old = std::mem::take(&mut self.channels);
        let mut people = HashSet::new();
        for (wanted, patient) in wanted {
            people.insert(patient.clone());
            let kept = old.iter().position(|channel| channel.wanted == wanted && channel.patient == patient);
            self.channels.push(match kept {
                Some(at) => old.swap_remove(at),
                None => Channel::new(wanted, patient),
            });
        }
        self.patients.retain(|patient| people.contains(&patient.id));
        for id in people {
            if self.patients.iter().all(|patient| patient.id != id) {
                self.patients.push(Patient { id, beats_after: 0, rhythm: None });
            }
        }
    }

    pub(crate) fn channels(&self) -> usize {
        self.channels.len()
    }

    pub(crate) fn patients(&self) -> usize {
        self.patients.len()
    }

    /// What is new of channel `at`, coarser by `level`.
    pub(crate) fn channel(&mut self, at: usize, live: &Live, now: ReceiveTime, level: u8) -> Vec<Out> {
        let Some(channel) = self.channels.get_mut(at) else { return Vec::new() };
        let seen = live.patient(&channel.patient);
        let line = seen.as_ref().and_then(|seen| channel.line(seen));
        let mut out = Vec::new();
        channel.take_in(live.waves(), self.columns_per_s, level, &mut out);
        let recorded = seen.as_ref().is_some_and(|seen| seen.recorded);
        let state = channel.state(line, recorded, now, self.columns_per_s, level);
        if channel.told.as_ref() != Some(&state) {
            channel.told = Some(state.clone());
            out.insert(0, Out::Text(Told::Channel(state)));
        }
        out
    }

    /// What is new of patient `at`: beats and rhythm.
    pub(crate) fn patient(&mut self, at: usize, live: &Live) -> Vec<Out> {
        let Some(patient) = self.patients.get_mut(at) else { return Vec::new() };
        let mut out = Vec::new();
        let beats = live.waves().beats_since(&patient.id, patient.beats_after);
        if let Some((number, newest)) = beats.last() {
            patient.beats_after = *number;
            let from = newest.time.plus(-FILL_US);
            let beats = beats.iter().filter(|(_, beat)| beat.time >= from);
            let beats = beats.map(|(_, beat)| (beat.time.millis(), names::beat(beat.class))).collect();
            out.push(Out::Text(Told::Beats { patient: patient.id.clone(), beats }));
        }
        let rhythm = live.patient(&patient.id).and_then(|seen| seen.rhythm);
        let rhythm = rhythm.map(|(code, since)| (code, since.millis()));
        if let Some((code, since_ms)) = rhythm.filter(|rhythm| patient.rhythm != Some(*rhythm)) {
            let (patient, rhythm) = (patient.id.clone(), names::rhythm(code));
            out.push(Out::Text(Told::Rhythm { patient, rhythm, since_ms }));
        }
        patient.rhythm = rhythm;
        out
    }

    /// Leaves out what has gathered: every channel goes on with the present.
    pub(crate) fn skip_ahead(&mut self, live: &Live) {
        for channel in &mut self.channels {
            channel.skip_ahead(live.waves());
        }
    }
}

impl Channel {
    fn new(wanted: Wanted, patient: PatientId) -> Self {
        let series = SeriesId(wanted.series);
        let (after, skipped_us) = (0, 0);
        Self { wanted, patient, series, after, open: None, told: None, heard: None, skipped_us }
    }

    fn line<'a>(&self, seen: &'a PatientView) -> Option<&'a WaveLine> {
        seen.waves.iter().find(|line| line.series == self.series)
    }

    /// Takes in what came, and makes messages of what can be sent.
    fn take_in(&mut self, waves: &Waves, columns_per_s: f64, level: u8, out: &mut Vec<Out>) {
        let mut runs = waves.since(self.series, self.after);
        let Some((number, newest)) = runs.last() else { return };
        self.heard = Some((newest.received, newest.end().0 - newest.start().0));
        if self.after == 0 {
            let from = newest.end().plus(-FILL_US);
            let number = *number;
            runs.retain(|(other, run)| run.end() > from || *other == number);
        }
        self.after = number_of(&runs).max(self.after);
        for (_, run) in &runs {
            if self.open.as_mut().is_some_and(|open| open.extend(run)) {
                continue;
            }
            if let Some(open) = self.open.replace(Strip::of(run)) {
                self.send(open, true, columns_per_s, level, out);
            }
        }
        if let Some(open) = self.open.take() {
            self.open = Some(self.send(open, false, columns_per_s, level, out));
        }
    }

    /// Sends a strip; what does not fill a pair remains, unless it is `whole`.
    fn send(&self, mut strip: Strip, whole: bool, columns_per_s: f64, level: u8, out: &mut Vec<Out>) -> Strip {
        let n = samples_a_pair(strip.rate.hz(), columns_per_s, level);
        let flags = if level > 0 { wire::THINNED } else { 0 };
        let most = if n == 1 { NUMBERS_MAX } else { NUMBERS_MAX / 2 * n };
        loop {
            let there = strip.len().min(most);
            let count = if whole { there } else { there / n * n };
            if count == 0 {
                return strip;
            }
            out.push(Out::Wave(strip.take(count).message(self.wanted.view, n, flags)));
        }
    }

    fn skip_ahead(&mut self, waves: &Waves) {
        let runs = waves.since(self.series, self.after);
        let Some((_, newest)) = runs.last() else { return };
        let from = newest.end().plus(-AHEAD_US);
        let kept = runs.iter().position(|(_, run)| run.end() > from).unwrap_or(runs.len() - 1);
        let left_out: i64 = runs[..kept].iter().map(|(_, run)| length(run)).sum();
        if let Some((number, _)) = kept.checked_sub(1).and_then(|last| runs.get(last)) {
            self.after = *number;
            self.open = None;
            self.skipped_us += left_out;
        }
    }

    fn state(
        &self,
        line: Option<&WaveLine>,
        recorded: bool,
        now: ReceiveTime,
        columns_per_s: f64,
        level: u8,
    ) -> ChannelState {
        let silent = self.heard.is_none_or(|(at, length)| {
            now.0 - at.0 > SILENT_US.max(length.saturating_mul(SILENT_TIMES))
        });
        let (index, reason) = line.and_then(|line| line.quality).unwrap_or((100, 0));
        let rate = self.open.as_ref().map(|open| open.rate).or(line.and_then(|line| line.rate));
        ChannelState {
            view: self.wanted.view,
            state: match line {
                None => "gone",
                Some(_) if silent => "silent",
                Some(_) => "live",
            },
            recorded,
            quality: names::reason(reason),
            index,
            thinned: rate.map_or(1, |rate| samples_a_pair(rate.hz(), columns_per_s, level)),
            why: (level > 0).then_some("slow link"),
            skipped_ms: self.skipped_us / 1_000,
        }
    }
}

fn number_of(runs: &[(u64, WaveRun)]) -> u64 {
    runs.last().map_or(0, |(number, _)| *number)
}

fn length(run: &WaveRun) -> i64 {
    run.end().0 - run.start().0
}

/// How many samples make a pair; 1: none do, whole samples are sent. Each level halves the data.
fn samples_a_pair(hz: f64, columns_per_s: f64, level: u8) -> usize {
    let fits = hz <= WHOLE * columns_per_s;
    let drawn = if fits { 1.0 } else { (hz / columns_per_s).floor() };
    if level == 0 {
        return drawn as usize;
    }
    // Two numbers a pair: a pair of two samples saves nothing.
    let wanted = drawn.max(2.0) * f64::from(1_u32 << level);
    let most = (hz / PAIRS_MIN).floor().max(1.0);
    wanted.min(most) as usize
}
