//! Challenge 2019: `|`-separated, one file a patient, one row an hour. The hour is `ICULOS`; hour 1
//! lands on the epoch.

use std::collections::BTreeMap;
use std::path::Path;

use vitals::Sex;

use super::EPOCH;
use super::columns::CINC2019;
use super::recording::{Beat, Recording, What, born};
use crate::error::SimError;

/// Who hands out the record names.
pub(super) const SYSTEM: &str = "https://physionet.org/content/challenge-2019";

/// Reads one patient's file.
pub(super) fn parse(path: &Path, text: &str) -> Result<Recording, SimError> {
    let wrong = |line: usize, problem: String| SimError::Format {
        path: path.to_owned(),
        line,
        problem,
    };
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('|').collect();
    let place = |name: &str| {
        header
            .iter()
            .position(|column| *column == name)
            .ok_or_else(|| wrong(1, format!("has no column {name}; is it a Challenge 2019 file?")))
    };
    let (age_at, sex_at, hour_at) = (place("Age")?, place("Gender")?, place("ICULOS")?);
    let columns = CINC2019
        .iter()
        .map(|column| Ok((place(column.name)?, column)))
        .collect::<Result<Vec<_>, SimError>>()?;
    let mut beats = Vec::new();
    let (mut age, mut sex) = (f64::NAN, Sex::Unknown);
    for (index, line) in lines.enumerate().filter(|(_, line)| !line.is_empty()) {
        let fields: Vec<&str> = line.split('|').collect();
        if fields.len() != header.len() {
            let problem = format!("has {} fields instead of {}", fields.len(), header.len());
            return Err(wrong(index + 2, problem));
        }
        let number = |at: usize| -> Result<f64, SimError> {
            fields[at]
                .parse()
                .map_err(|_| wrong(index + 2, format!("column {} is no number", header[at])))
        };
        age = number(age_at)?;
        sex = match fields[sex_at] {
            "1" => Sex::Male,
            "0" => Sex::Female,
            _ => Sex::Unknown,
        };
        let hour = number(hour_at)?;
        let mut values = Vec::new();
        for (at, column) in &columns {
            let value = number(*at)?;
            if !value.is_nan() {
                values.push((*column, value));
            }
        }
        if !values.is_empty() {
            let time_us = EPOCH + ((hour - 1.0) * 3_600e6) as i64;
            beats.push(Beat { time_us, what: What::Values(values) });
        }
    }
    let record = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Recording {
        device: format!("cinc2019-{}-{record}", set(&record)),
        system: SYSTEM,
        patient: record,
        birth_date: born(age, EPOCH),
        sex,
        beats,
        left_out: BTreeMap::new(),
    })
}

/// Records of hospital A are numbered below 100,000, those of B from there on.
fn set(record: &str) -> char {
    let number: u32 = record.trim_start_matches('p').parse().unwrap_or(0);
    if number < 100_000 { 'A' } else { 'B' }
}
