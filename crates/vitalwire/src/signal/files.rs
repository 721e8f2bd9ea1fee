//! Records out of folders and archives.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, bail};
use record::{Annotation, Recording, wfdb};
use vitals::Rate;

/// A folder that an archive was unpacked into: removed when no record needs it any more.
struct Unpacked(PathBuf);

impl Drop for Unpacked {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Where a record is.
pub(super) struct Source {
    folder: PathBuf,
    name: String,
    _keeps: Option<Rc<Unpacked>>,
}

/// A record with its leads as physical values.
pub(super) struct Record {
    pub name: String,
    pub rate: Rate,
    /// Millivolts, all of the same length; NaN where samples are missing.
    pub leads: Vec<Vec<f32>>,
    pub annotations: Vec<Annotation>,
    /// What another program found.
    pub found: Option<Vec<Annotation>>,
}

/// The records at a path: a record, a folder of records, an archive of them.
pub(super) fn records(path: &Path) -> anyhow::Result<Vec<Source>> {
    if path.is_dir() {
        return below(path, None);
    }
    if path.to_string_lossy().ends_with(".tar.zst") {
        let folder = Rc::new(unpack(path)?);
        return below(&folder.0, Some(&folder));
    }
    let name = path.file_name().map(|name| name.to_string_lossy().trim_end_matches(".hea").to_owned());
    let Some(name) = name else { bail!("{} is no record", path.display()) };
    let folder = path.parent().map(Path::to_owned).unwrap_or_default();
    Ok(vec![Source { folder, name, _keeps: None }])
}

fn unpack(path: &Path) -> anyhow::Result<Unpacked> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("vitalwire-signal-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let folder = Unpacked(folder);
    let done = Command::new("tar").arg("--zstd").arg("-xf").arg(path).arg("-C").arg(&folder.0).status();
    if !done.context("cannot run `tar`")?.success() {
        bail!("`tar --zstd -xf` cannot unpack {} (is zstd installed?)", path.display());
    }
    Ok(folder)
}

/// Every record below a folder, in order of its path.
fn below(folder: &Path, keeps: Option<&Rc<Unpacked>>) -> anyhow::Result<Vec<Source>> {
    let mut sources = Vec::new();
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read {}", folder.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            sources.extend(below(&entry, keeps)?);
        } else if entry.extension().is_some_and(|ending| ending == "hea") {
            let name = entry.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            sources.push(Source { folder: folder.to_owned(), name, _keeps: keeps.cloned() });
        }
    }
    Ok(sources)
}

impl Source {
    /// Reads the record with the annotation files of these endings; without one that is the truth there
    /// are no marks.
    pub fn read(&self, annotations: &str, found: Option<&str>) -> anyhow::Result<Record> {
        let mut find = |file: &str| std::fs::read(self.folder.join(file)).ok();
        let recording =
            wfdb::read(&self.name, &mut find).with_context(|| format!("cannot read the record {}", self.name))?;
        let first = recording.channels.first();
        let rate = first.with_context(|| format!("the record {} has no signal", self.name))?.rate;
        let frames = wfdb::frame_rate(&recording.channels)?;
        let marks = |ending: &str| {
            let file = format!("{}.{ending}", self.name);
            let bytes = std::fs::read(self.folder.join(&file));
            bytes.map(|bytes| wfdb::read_annotations(&file, frames, &bytes).0)
        };
        let found = match found {
            Some(ending) => {
                Some(marks(ending).with_context(|| format!("cannot read {}.{ending}", self.name))?)
            }
            None => None,
        };
        let annotations = marks(annotations).unwrap_or_default();
        Ok(Record { name: self.name.clone(), rate, leads: leads(&recording, rate), annotations, found })
    }
}

/// The electrocardiogram leads: channels in millivolts of the first one's rate.
fn leads(recording: &Recording, rate: Rate) -> Vec<Vec<f32>> {
    let is_lead = |channel: &&record::Channel| channel.rate == rate && channel.unit.eq_ignore_ascii_case("mV");
    let mut leads: Vec<Vec<f32>> = recording.channels.iter().filter(is_lead).map(|channel| values(channel, rate)).collect();
    let length = leads.iter().map(Vec::len).max().unwrap_or(0);
    for lead in &mut leads {
        lead.resize(length, f32::NAN);
    }
    leads
}

/// All samples of a channel in their places.
fn values(channel: &record::Channel, rate: Rate) -> Vec<f32> {
    let mut all = Vec::new();
    for segment in &channel.segments {
        let first = rate.samples_in(segment.time_us(rate, 0)).max(0) as usize;
        if all.len() < first {
            all.resize(first, f32::NAN);
        }
        let known = all.len() - first;
        all.extend(segment.values().skip(known).map(|value| value as f32));
    }
    all
}
