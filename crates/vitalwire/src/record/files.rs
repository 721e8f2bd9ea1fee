//! Recordings from and to files: the ending says which format.

use std::path::{Path, PathBuf};

use anyhow::Context;
use record::{Problem, Recording, csv, edf, table, wfdb};

use super::Options;
use crate::Misuse;

/// Reads the recording at `path`; beside a WFDB record, the annotation file with this ending.
pub(super) fn read(path: &Path, annotations: &str) -> anyhow::Result<Recording> {
    if ending(path) == "edf" {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        return Ok(edf::read(&bytes)?);
    }
    let (folder, name) = record_of(path)?;
    let mut recording = wfdb::read(&name, &mut |file| std::fs::read(folder.join(file)).ok())
        .with_context(|| format!("cannot read the WFDB record {}", path.display()))?;
    let file = format!("{name}.{annotations}");
    if let Ok(bytes) = std::fs::read(folder.join(&file)) {
        let frames = wfdb::frame_rate(&recording.channels)?;
        let (found, problems) = wfdb::read_annotations(&file, frames, &bytes);
        recording.annotations = found;
        recording.problems.extend(problems);
    }
    Ok(recording)
}

/// Writes the recording to `path`, and tells what its format could not hold.
pub(super) fn write(recording: &Recording, path: &Path, options: Options) -> anyhow::Result<Vec<Problem>> {
    match ending(path).as_str() {
        "edf" => {
            let how = edf::Options { contiguous: options.contiguous, rescale: options.rescale };
            let (bytes, problems) = edf::write(recording, how)?;
            save(path, &bytes)?;
            Ok(problems)
        }
        "csv" if options.wide => {
            let (tables, problems) = csv::wide(recording)?;
            let stem = path.with_extension("");
            for table in tables {
                let file = PathBuf::from(format!("{}-{}", stem.display(), table.name));
                save(&file, table.text.as_bytes())?;
            }
            Ok(problems)
        }
        "csv" => save(path, csv::long(recording).as_bytes()).map(|()| Vec::new()),
        "parquet" => save(path, &table::parquet(recording)?).map(|()| Vec::new()),
        "" | "hea" => write_wfdb(recording, path, options),
        other => Err(Misuse(format!("record convert: `.{other}` is none of .edf, .csv, .parquet, .hea")).into()),
    }
}

fn write_wfdb(recording: &Recording, path: &Path, options: Options) -> anyhow::Result<Vec<Problem>> {
    let (folder, name) = record_of(path)?;
    let written = wfdb::write(recording, &name, wfdb::Options { packed: options.packed })?;
    for (file, bytes) in &written.files {
        save(&folder.join(file), bytes)?;
    }
    let mut problems = written.problems;
    if !recording.annotations.is_empty() {
        let frames = wfdb::frame_rate(&recording.channels)?;
        let (bytes, more) = wfdb::write_annotations(&recording.annotations, frames)?;
        save(&folder.join(format!("{name}.atr")), &bytes)?;
        problems.extend(more);
    }
    Ok(problems)
}

fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// Folder and name of a WFDB record.
fn record_of(path: &Path) -> anyhow::Result<(PathBuf, String)> {
    let plain = if ending(path) == "hea" { path.with_extension("") } else { path.to_owned() };
    let name = plain.file_name().ok_or_else(|| Misuse(format!("{} names no record", path.display())))?;
    let folder = plain.parent().map(Path::to_owned).unwrap_or_default();
    Ok((folder, name.to_string_lossy().into_owned()))
}

fn save(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}
