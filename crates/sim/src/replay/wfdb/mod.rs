//! WFDB records: the waveforms as native frames of a second, the numerics beside them as SenML.
//!
//! A folder's records are found by their headers; segments and layouts belong to a record and are
//! none of their own. A record `<name>n` beside `<name>` holds its numerics, as in MIMIC.

mod frames;
mod numerics;
mod play;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use record::wfdb::{self, Segmented};
use vitals::{Metric, Scale};

use super::archive::Folder;
use crate::error::SimError;
pub(super) use play::play;

/// WFDB records to replay.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WfdbSource {
    /// A record (`folder/name`, `folder/name.hea`), a folder, or a `.tar.zst` of one.
    pub path: PathBuf,
    /// Device id of the only record; otherwise `wfdb-<name>`.
    pub device: Option<String>,
    /// `system|identifier` of the only record's patient; otherwise `wfdb|<name>`.
    pub patient: Option<String>,
    /// Play as if it were measured now, instead of as a recording. Only at a speed of 1.
    pub as_live: bool,
}

/// One record, ready to be played.
#[derive(Debug)]
struct Track {
    device: String,
    patient: String,
    /// Its waveforms that have a metric.
    waves: Vec<Wave>,
    /// Its numerics, in order of time: microseconds after the start, reference id, unit, value.
    numerics: Vec<numerics::Moment>,
    /// Samples of the waveforms, and values of the numerics, by metric.
    counts: BTreeMap<String, u64>,
    /// What is not sent, and why.
    left_out: BTreeMap<String, u64>,
}

/// One waveform.
#[derive(Debug)]
struct Wave {
    /// Context-free code.
    metric: u32,
    /// Which of several like ones.
    number: u32,
    /// The unit's factor and zero point in the metric's own unit.
    unit: (f64, f64),
    channel: record::Channel,
}

impl Wave {
    /// A segment's scale in the metric's own unit, as a factor and an offset.
    fn scale(&self, scale: &Scale) -> (f64, f64) {
        (scale.factor / scale.divisor * self.unit.0, scale.offset * self.unit.0 + self.unit.1)
    }
}

/// The records of the source, and the folder that they lie in, which must stay as long as they are read.
struct Found {
    folder: Folder,
    records: Vec<(PathBuf, String)>,
}

impl Found {
    fn len(&self) -> usize {
        self.records.len()
    }
}

/// Looks for the records.
fn find(source: &WfdbSource, limit: Option<usize>) -> Result<Found, SimError> {
    let plain = if source.path.extension().is_some_and(|ending| ending == "hea") {
        source.path.with_extension("")
    } else {
        source.path.clone()
    };
    let header = PathBuf::from(format!("{}.hea", plain.display()));
    if header.is_file() {
        let folder = plain.parent().map(Path::to_owned).unwrap_or_default();
        let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
        let name = plain.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        return Ok(Found { folder: Folder::open(&folder)?, records: vec![(folder, name)] });
    }
    let folder = Folder::open(&source.path)?;
    let mut records = top_records(&folder)?;
    records.truncate(limit.unwrap_or(usize::MAX));
    if records.is_empty() {
        return Err(format(&folder.path, "has no WFDB records".to_owned()));
    }
    if records.len() > 1 && (source.device.is_some() || source.patient.is_some()) {
        let problem = "there are several records: give one of them".to_owned();
        return Err(SimError::Config { key: "device, patient", problem });
    }
    Ok(Found { folder, records })
}

/// Records that are not parts of others.
fn top_records(folder: &Folder) -> Result<Vec<(PathBuf, String)>, SimError> {
    let mut names = BTreeSet::new();
    let mut parts = BTreeSet::new();
    for path in folder.files(".hea")? {
        let (Some(within), Some(stem)) = (path.parent(), path.file_stem()) else { continue };
        let name = stem.to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).map_err(SimError::file(&path))?;
        if let Ok(header) = wfdb::read_header(&name, &bytes)
            && let Segmented::Yes(segments) = header.lines
        {
            parts.extend(segments.into_iter().filter_map(|s| Some((within.to_owned(), s.name?))));
        }
        if name.ends_with("_layout") {
            parts.insert((within.to_owned(), name.clone()));
        }
        names.insert((within.to_owned(), name));
    }
    let is_numerics = |(within, name): &(PathBuf, String)| {
        name.strip_suffix('n').is_some_and(|base| names.contains(&(within.clone(), base.to_owned())))
    };
    Ok(names.iter().filter(|record| !parts.contains(*record) && !is_numerics(record)).cloned().collect())
}

/// Reads the record number `at`.
fn read(source: &WfdbSource, found: &Found, at: usize) -> Result<Track, SimError> {
    let (within, name) = &found.records[at];
    debug_assert!(within.starts_with(&found.folder.path), "records lie in the folder");
    let mut find = |file: &str| std::fs::read(within.join(file)).ok();
    let recording = wfdb::read(name, &mut find).map_err(|error| format(within, error.to_string()))?;
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let mut track = Track {
        device: source.device.clone().unwrap_or_else(|| format!("wfdb-{plain}")),
        patient: source.patient.clone().unwrap_or_else(|| format!("wfdb|{name}")),
        waves: Vec::new(),
        numerics: Vec::new(),
        counts: BTreeMap::new(),
        left_out: BTreeMap::new(),
    };
    for problem in &recording.problems {
        *track.left_out.entry(problem.what.clone()).or_default() += 1;
    }
    take_waves(&mut track, recording.channels);
    if let Ok(beside) = wfdb::read(&format!("{name}n"), &mut find) {
        numerics::take(&mut track, &beside);
    }
    Ok(track)
}

fn take_waves(track: &mut Track, channels: Vec<record::Channel>) {
    let mut numbers: HashMap<u32, u32> = HashMap::new();
    for channel in channels {
        let samples = channel.present() as u64;
        let known = channel.metric.and_then(|metric| metric.metric());
        let unit = known.and_then(|metric| unit(metric, &channel.unit));
        let (Some(metric), Some(unit)) = (known, unit) else {
            let what = format!("{} [{}]: no metric with this unit", channel.label, channel.unit);
            *track.left_out.entry(what).or_default() += samples;
            continue;
        };
        let number = numbers.entry(metric.code.0).or_default();
        let wave = Wave { metric: metric.code.0, number: *number, unit, channel };
        *number += 1;
        *track.counts.entry(metric.refid.to_owned()).or_default() += samples;
        track.waves.push(wave);
    }
}

/// Factor and zero of a recording's unit in the metric's own; a metric of no unit takes any.
fn unit(metric: &Metric, text: &str) -> Option<(f64, f64)> {
    if metric.unit.ucum() == "1" {
        return Some((1.0, 0.0));
    }
    let from = record::labels::unit(text)?;
    let zero = metric.normalise(0.0, from)?;
    Some((metric.normalise(1.0, from)? - zero, zero))
}

fn format(path: &Path, problem: String) -> SimError {
    SimError::Format { path: path.to_owned(), line: 0, problem }
}
