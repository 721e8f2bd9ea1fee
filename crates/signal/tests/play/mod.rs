//! Real recordings played through a bedside, second by second, as a monitor would send them.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::Command;

use signal::bedside::{Bedside, Derived, Finding};
use signal::{Block, WaveKind};
use vitals::Rate;

/// The data sets are not part of the project: `VITALWIRE_DATA` names their folder, else
/// `../shared/data` beside the checkout is tried. None, and a line that says so, if it is not there.
pub fn data(name: &str) -> Option<PathBuf> {
    let beside = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let path = std::env::var_os("VITALWIRE_DATA").map_or_else(beside, PathBuf::from).join(name);
    if !path.exists() {
        eprintln!("skipped: {name} is not there; set VITALWIRE_DATA to the folder that has it");
        return None;
    }
    Some(path)
}

/// The bytes of a file of a folder, or of a `.tar.zst`.
fn file(source: &Path, name: &str) -> Option<Vec<u8>> {
    if source.is_dir() {
        return std::fs::read(source.join(name)).ok();
    }
    let out = Command::new("tar").arg("--zstd").arg("-xOf").arg(source).arg(format!("./{name}")).output().ok()?;
    let out = if out.status.success() { out } else {
        Command::new("tar").arg("--zstd").arg("-xOf").arg(source).arg(name).output().ok()?
    };
    out.status.success().then_some(out.stdout)
}

/// Reads a WFDB record; `name` may have folders in front.
pub fn record(source: &Path, name: &str) -> Option<record::Recording> {
    let (folder, name) = name.rsplit_once('/').map_or(("", name), |(folder, name)| (folder, name));
    let mut find = |wanted: &str| match folder {
        "" => file(source, wanted),
        _ => file(source, &format!("{folder}/{wanted}")),
    };
    record::wfdb::read(name, &mut find).map_err(|error| eprintln!("{name}: {error}")).ok()
}

/// The kind of wave that a channel's name stands for.
pub fn kind(label: &str) -> WaveKind {
    match label.trim() {
        "PLETH" | "SAT" => WaveKind::Pleth,
        "ABP" | "ART" => WaveKind::ArterialPressure,
        "RESP" | "CO2" => WaveKind::Respiration,
        "I" | "II" | "III" | "V" | "AVR" | "AVL" | "AVF" | "MCL1" | "MLII" | "V1" | "V2" | "V5" | "ECG" | "ECG1" => WaveKind::Ecg,
        _ => WaveKind::Other,
    }
}

/// A stretch of one channel: its number, kind, start (microseconds), rate and values.
pub struct Stretch {
    pub number: u32,
    pub kind: WaveKind,
    pub start_us: i64,
    pub rate: Rate,
    pub values: Vec<f32>,
}

/// The stretches of a recording, times from its beginning.
pub fn stretches(recording: &record::Recording) -> Vec<Stretch> {
    let mut all = Vec::new();
    for (number, channel) in recording.channels.iter().enumerate() {
        for segment in &channel.segments {
            all.push(Stretch {
                number: number as u32,
                kind: kind(&channel.label),
                start_us: segment.anchor_us + channel.rate.micros(segment.first),
                rate: channel.rate,
                values: segment.samples.iter().map(|count| segment.scale.value(*count) as f32).collect(),
            });
        }
    }
    all
}

/// Plays stretches in frames of a second.
pub fn play(stretches: &[Stretch], wanted: impl Fn(WaveKind) -> bool) -> Vec<Finding> {
    let mut frames: Vec<(i64, u32, &Stretch, usize, usize)> = Vec::new();
    for stretch in stretches.iter().filter(|stretch| wanted(stretch.kind)) {
        let mut from = 0;
        while from < stretch.values.len() {
            let at_us = stretch.start_us + stretch.rate.micros(from as u64);
            let second = at_us.div_euclid(1_000_000);
            let to = (stretch.rate.index_at((second + 1) * 1_000_000 - stretch.start_us) as usize).clamp(from + 1, stretch.values.len());
            frames.push((second, stretch.number, stretch, from, to));
            from = to;
        }
    }
    frames.sort_by_key(|frame| (frame.0, frame.1, frame.3));
    let mut bedside = Bedside::default();
    let mut out = Vec::new();
    for (_, number, stretch, from, to) in frames {
        let start_us = stretch.start_us + stretch.rate.micros(from as u64);
        let block = Block { start_us, rate: stretch.rate, values: &stretch.values[from..to], gap_before: from == 0 };
        bedside.push(number, stretch.kind, &block, &mut out);
    }
    out
}

/// A column of a `.csv.zst`, by number.
pub fn columns(path: &Path, wanted: &[usize]) -> Option<Vec<Vec<f32>>> {
    let out = Command::new("zstd").arg("-dc").arg(path).output().ok()?;
    let text = String::from_utf8(out.stdout).ok()?;
    let mut columns = vec![Vec::new(); wanted.len()];
    for line in text.split(['\r', '\n']).skip(1).filter(|line| !line.is_empty()) {
        let cells: Vec<&str> = line.split(',').collect();
        for (column, wanted) in columns.iter_mut().zip(wanted) {
            column.push(cells.get(*wanted).and_then(|cell| cell.trim().parse().ok()).unwrap_or(f32::NAN));
        }
    }
    Some(columns)
}

/// Values of one kind: seconds, value, confidence.
pub fn derived(findings: &[Finding], wanted: Derived) -> Vec<(f64, f64, f32)> {
    let of_it = |finding: &Finding| match finding {
        Finding::Derived { what, value, time_us, confidence } if *what == wanted => Some((*time_us as f64 / 1e6, *value, *confidence)),
        _ => None,
    };
    findings.iter().filter_map(of_it).collect()
}

/// Our value for each whole minute in which a reference says one: the confident values of that minute,
/// averaged. Gives how many, the mean and the median absolute error, and the bias.
pub fn compare(ours: &[(f64, f64, f32)], theirs: &[f64], least: f32) -> (usize, f64, f64, f64) {
    let mut errors = Vec::new();
    for (minute, wanted) in theirs.iter().enumerate().filter(|(_, value)| **value > 0.0) {
        let (from, to) = (minute as f64 * 60.0, minute as f64 * 60.0 + 60.0);
        let within = ours.iter().filter(|value| value.0 > from && value.0 <= to && value.2 >= least);
        let values: Vec<f64> = within.map(|value| value.1).collect();
        if values.len() >= 6 {
            errors.push(values.iter().sum::<f64>() / values.len() as f64 - wanted);
        }
    }
    let count = errors.len().max(1) as f64;
    let bias = errors.iter().sum::<f64>() / count;
    let mut sizes: Vec<f64> = errors.iter().map(|error| error.abs()).collect();
    sizes.sort_by(f64::total_cmp);
    let mean = sizes.iter().sum::<f64>() / count;
    (errors.len(), mean, sizes.get(sizes.len() / 2).copied().unwrap_or(0.0), bias)
}
