//! Challenge 2012: `Time,Parameter,Value` lines, one file a patient; 00:00 lands on the epoch.

use std::collections::BTreeMap;
use std::path::Path;

use vitals::Sex;

use super::EPOCH;
use super::columns::CINC2012;
use super::recording::{Beat, Recording, What, born};
use crate::error::SimError;

/// Who hands out the record numbers.
pub(super) const SYSTEM: &str = "https://physionet.org/content/challenge-2012";

/// Reads one patient's file. −1 stands for "unknown" in the descriptors and in a few weights and
/// temperatures; such values are left out and counted, as is what has no metric (`ICUType`,
/// `MechVent`).
pub(super) fn parse(path: &Path, text: &str) -> Result<Recording, SimError> {
    let wrong = |line: usize, problem: &str| SimError::Format {
        path: path.to_owned(),
        line,
        problem: problem.to_owned(),
    };
    let mut by_time: BTreeMap<i64, Vec<_>> = BTreeMap::new();
    let mut left_out = BTreeMap::new();
    let (mut age, mut sex) = (f64::NAN, Sex::Unknown);
    let lines = text.lines().enumerate().skip(1).filter(|(_, line)| !line.is_empty());
    for (index, line) in lines {
        let mut fields = line.split(',');
        let (Some(time), Some(name), Some(value)) = (fields.next(), fields.next(), fields.next())
        else {
            return Err(wrong(index + 1, "is no `Time,Parameter,Value`"));
        };
        let minutes = minutes(time).ok_or_else(|| wrong(index + 1, "has no time hh:mm"))?;
        let value: f64 =
            value.trim().parse().map_err(|_| wrong(index + 1, "has no number as its value"))?;
        match name {
            "RecordID" => continue,
            "Age" => {
                age = value;
                continue;
            }
            "Gender" => {
                sex = match value {
                    1.0 => Sex::Male,
                    0.0 => Sex::Female,
                    _ => Sex::Unknown,
                };
                continue;
            }
            _ => {}
        }
        match CINC2012.iter().find(|column| column.name == name) {
            Some(_) if value < 0.0 => *left_out.entry(format!("{name}: negative")).or_default() += 1,
            Some(column) => by_time.entry(minutes).or_default().push((column, value)),
            None => *left_out.entry(format!("{name}: no metric")).or_default() += 1,
        }
    }
    let record = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let beats = by_time
        .into_iter()
        .map(|(minutes, values)| Beat {
            time_us: EPOCH + minutes * 60_000_000,
            what: What::Values(values),
        })
        .collect();
    Ok(Recording {
        device: format!("cinc2012-{record}"),
        system: SYSTEM,
        patient: record,
        birth_date: born(age, EPOCH),
        sex,
        beats,
        left_out,
    })
}

fn minutes(time: &str) -> Option<i64> {
    let (hours, minutes) = time.split_once(':')?;
    Some(hours.parse::<i64>().ok()? * 60 + minutes.parse::<i64>().ok()?)
}
