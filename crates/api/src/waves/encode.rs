//! A recording as a file of one format. A record of WFDB is several files: they come as a zip.

use std::io::{Cursor, Write};

use record::{Error, Recording, csv, edf, table, wfdb};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::export::{File, Format};

/// Name of the record in a zip: nothing in it says whose it is.
const RECORD: &str = "waveforms";
/// Extension of the annotations that the analysis made.
const MARKS: &str = "vw";

/// The recording as a file.
pub(super) fn file(format: Format, recording: &Recording, mut problems: Vec<String>) -> Result<File, Error> {
    let told = |more: Vec<record::Problem>| more.into_iter().map(|problem| problem.to_string());
    let (name, kind, bytes) = match format {
        Format::Wfdb => {
            let mut written = wfdb::write(recording, RECORD, wfdb::Options::default())?;
            let rate = wfdb::frame_rate(&recording.channels)?;
            let (marks, more) = wfdb::write_annotations(&recording.annotations, rate)?;
            if !recording.annotations.is_empty() {
                written.files.push((format!("{RECORD}.{MARKS}"), marks));
            }
            problems.extend(told(written.problems).chain(told(more)));
            if !problems.is_empty() {
                written.files.push(("problems.txt".to_owned(), problems.join("\n").into_bytes()));
            }
            ("waveforms.zip", "application/zip", zipped(&written.files)?)
        }
        Format::Edf => {
            let options = edf::Options { contiguous: false, rescale: true };
            let (bytes, more) = edf::write(recording, options)?;
            problems.extend(told(more));
            ("waveforms.edf", "application/edf", bytes)
        }
        Format::Csv => ("waveforms.csv", "text/csv; charset=utf-8", csv::long(recording).into_bytes()),
        Format::Parquet => {
            ("waveforms.parquet", "application/vnd.apache.parquet", table::parquet(recording)?)
        }
        Format::Fhir => return Err(Error::DoesNotFit("FHIR is no recording".to_owned())),
    };
    Ok(File { name, kind, bytes, problems })
}

fn zipped(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>, Error> {
    let failed = |error: String| Error::DoesNotFit(format!("no zip can be made ({error})"));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name.as_str(), SimpleFileOptions::default()).map_err(|e| failed(e.to_string()))?;
        zip.write_all(bytes).map_err(|e| failed(e.to_string()))?;
    }
    Ok(zip.finish().map_err(|e| failed(e.to_string()))?.into_inner())
}
