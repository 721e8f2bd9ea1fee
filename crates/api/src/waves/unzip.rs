//! A WFDB record out of a zip, within limits.

use std::collections::HashMap;
use std::io::{Cursor, Read};

use record::wfdb::{self, Segmented};
use record::{Error, Recording};
use zip::ZipArchive;

use crate::error::ApiError;

/// Most files in a zip.
const FILES_MAX: usize = 4_096;
/// Most bytes that they may unpack to.
const UNPACKED_MAX: u64 = 192 << 20;

/// The record of that name, or the only one.
pub(super) fn record(bytes: &[u8], name: Option<&str>) -> Result<Recording, ApiError> {
    let files = unpack(bytes)?;
    let failed = |error: Error| ApiError::bad(format!("the record can't be read: {error}"));
    let name = match name {
        Some(name) => name.to_owned(),
        None => only(&files)?,
    };
    wfdb::read(&name, &mut |file| files.get(file).cloned()).map_err(failed)
}

/// The files by their names without folders.
fn unpack(bytes: &[u8]) -> Result<HashMap<String, Vec<u8>>, ApiError> {
    let broken = |_| ApiError::bad("the zip can't be read");
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    if zip.len() > FILES_MAX {
        return Err(ApiError::bad("the zip has more than 4,096 files"));
    }
    let (mut files, mut left) = (HashMap::new(), UNPACKED_MAX);
    for at in 0..zip.len() {
        let file = zip.by_index(at).map_err(broken)?;
        if !file.is_file() {
            continue;
        }
        let name = file.name().map_err(broken)?.rsplit('/').next().unwrap_or_default().to_owned();
        let mut content = Vec::new();
        // What a zip says of its sizes proves nothing.
        let taken = file.take(left + 1).read_to_end(&mut content);
        taken.map_err(|_| ApiError::bad("the zip is damaged"))?;
        left = left
            .checked_sub(content.len() as u64)
            .ok_or_else(|| ApiError::bad("the zip unpacks to more than 192 MiB"))?;
        files.insert(name, content);
    }
    Ok(files)
}

/// The only record that is no segment of another.
fn only(files: &HashMap<String, Vec<u8>>) -> Result<String, ApiError> {
    let names = || files.keys().filter_map(|file| file.strip_suffix(".hea"));
    let mut segments = Vec::new();
    for name in names() {
        let header = files.get(&format!("{name}.hea")).and_then(|bytes| wfdb::read_header(name, bytes).ok());
        if let Some(Segmented::Yes(lines)) = header.map(|header| header.lines) {
            segments.extend(lines.into_iter().filter_map(|line| line.name));
        }
    }
    let mut records = names().filter(|name| !segments.iter().any(|segment| segment == name));
    match (records.next(), records.next()) {
        (Some(name), None) => Ok(name.to_owned()),
        (None, _) => Err(ApiError::bad("the zip has no header (.hea) of a record")),
        _ => Err(ApiError::bad("the zip has several records: say which with record=")),
    }
}
