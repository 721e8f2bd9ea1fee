//! Records of PhysioNet's Challenge 2019: a file a patient, a line an hour, 40 columns and the label, `|` between them.

use std::path::{Path, PathBuf};

use predict::{Person, Variable};

use super::{CohortError, Fate, Stay, Value, spread, text_of};

/// Columns of the file: as many variables first, then facts of person and stay, then the label.
const VARIABLES: usize = 34;
const COLUMNS: [&str; 7] = ["Age", "Gender", "Unit1", "Unit2", "HospAdmTime", "ICULOS", "SepsisLabel"];

pub(super) fn read(files: &[PathBuf], source: usize, threads: usize) -> Vec<Result<Stay, CohortError>> {
    spread(files, threads, |path| record(path, source))
}

fn record(path: &Path, source: usize) -> Result<Stay, CohortError> {
    let text = text_of(path)?;
    let wrong = |line: usize, what: &str| CohortError::Record { path: path.to_owned(), line: line + 1, what: what.to_owned() };
    let mut lines = text.lines().enumerate();
    let Some((_, header)) = lines.next() else { return Err(wrong(0, "the file is empty")) };
    columns(header).map_err(|what| wrong(0, &what))?;
    let id = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let (mut values, mut moments, mut labels) = (Vec::new(), Vec::new(), Vec::new());
    let mut person = Person::UNKNOWN;
    for (line, text) in lines {
        let numbers: Result<Vec<f32>, _> = text.split('|').map(str::parse).collect();
        let numbers = numbers.map_err(|_| wrong(line, "something is not a number"))?;
        let [age, male, medical, surgical, hospital_hours, stay, label] =
            numbers.get(VARIABLES..).and_then(|facts| facts.try_into().ok()).ok_or_else(|| wrong(line, "not 41 columns"))?;
        if moments.is_empty() {
            person = Person { age, male, medical, surgical, hospital_hours, ..Person::UNKNOWN };
        }
        let minute = minute(stay).filter(|minute| moments.last().is_none_or(|last| last < minute));
        let minute = minute.ok_or_else(|| wrong(line, "ICULOS does not count up"))?;
        if ![0.0, 1.0].contains(&label) {
            return Err(wrong(line, "SepsisLabel is neither 0 nor 1"));
        }
        moments.push(minute);
        labels.push(label >= 0.5);
        for (variable, value) in Variable::ALL.into_iter().zip(&numbers[..VARIABLES]).filter(|(_, value)| !value.is_nan()) {
            // Vitalwire has inspired oxygen in percent.
            let value = if variable == Variable::InspiredOxygen { value * 100.0 } else { *value };
            values.push(Value { minute, variable, value });
        }
    }
    if moments.is_empty() {
        return Err(wrong(0, "no hours"));
    }
    Ok(Stay { id, source, person, values, moments, fate: Fate::Sepsis(labels) })
}

/// What is wrong with a header, if anything is.
fn columns(header: &str) -> Result<(), String> {
    let expected = || Variable::ALL[..VARIABLES].iter().map(|variable| variable.column()).chain(COLUMNS);
    let found: Vec<&str> = header.split('|').collect();
    if found.iter().copied().eq(expected()) {
        return Ok(());
    }
    let missing: Vec<&str> = expected().filter(|column| !found.contains(column)).collect();
    Err(match missing.as_slice() {
        [column] => format!("the column {column} is missing"),
        _ => "the columns are not those of the Challenge 2019".to_owned(),
    })
}

/// Hour 1 begins with minute 0.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn minute(stay_h: f32) -> Option<u32> {
    (1.0..100_000.0).contains(&stay_h).then(|| (stay_h as u32 - 1) * 60)
}
