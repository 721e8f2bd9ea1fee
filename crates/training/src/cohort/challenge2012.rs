//! Records of PhysioNet's Challenge 2012: a file a patient with `Time,Parameter,Value` lines of the first 48 hours, and
//! one file of outcomes. −1 is a missing value.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use predict::{Person, Variable};

use super::{CohortError, Fate, Stay, Value, listed, spread, text_of};

/// When the prediction is asked for.
const END_MIN: u32 = 48 * 60;

/// Records with what became of their patients.
pub(super) struct Outcomes(Vec<(PathBuf, bool)>);

/// The outcomes that belong to the records of a folder, if it holds the data set or one set of it.
pub(super) fn outcomes(folder: &Path, files: &[PathBuf]) -> Result<Option<Outcomes>, CohortError> {
    let is_outcomes = |path: &&PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("Outcomes-") && name.ends_with(".txt")
    };
    let above = match folder.canonicalize().ok().and_then(|folder| folder.parent().map(Path::to_owned)) {
        Some(above) if !files.iter().any(|path| is_outcomes(&path)) => listed(&above).unwrap_or_default(),
        _ => Vec::new(),
    };
    let own = if above.is_empty() { files } else { &above };
    let mut found = Vec::new();
    for path in own.iter().filter(is_outcomes) {
        let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        let set = name.replace("Outcomes-", "set-");
        let beside = folder.join(&set);
        let records = if beside.is_dir() { beside } else { folder.to_owned() };
        if !above.is_empty() && folder.file_name().is_none_or(|name| name.to_string_lossy() != set) {
            continue;
        }
        for (line, text) in text_of(path)?.lines().enumerate().skip(1) {
            let fields: Vec<&str> = text.trim().split(',').collect();
            let (Some(id), Some(died)) = (fields.first(), fields.get(5)) else {
                return Err(CohortError::Record { path: path.clone(), line: line + 1, what: "not six columns".to_owned() });
            };
            found.push((records.join(format!("{id}.txt")), *died == "1"));
        }
    }
    Ok((!found.is_empty()).then_some(Outcomes(found)))
}

pub(super) fn read(outcomes: &Outcomes, source: usize, threads: usize) -> Vec<Result<Stay, CohortError>> {
    spread(&outcomes.0, threads, |(path, died)| record(path, *died, source))
}

fn record(path: &Path, died: bool, source: usize) -> Result<Stay, CohortError> {
    let text = text_of(path)?;
    let id = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
    let mut facts: BTreeMap<&str, f32> = BTreeMap::new();
    let mut values = Vec::new();
    for (line, text) in text.lines().enumerate().skip(1) {
        let wrong = |what: &str| CohortError::Record { path: path.to_owned(), line: line + 1, what: what.to_owned() };
        let mut fields = text.trim().split(',');
        let (Some(time), Some(parameter), Some(value), None) = (fields.next(), fields.next(), fields.next(), fields.next()) else {
            return Err(wrong("not three columns"));
        };
        let minute = minute(time).ok_or_else(|| wrong("the time is not hh:mm"))?;
        let value: f32 = value.parse().map_err(|_| wrong("the value is not a number"))?;
        if value < 0.0 {
            continue;
        }
        if let Some(variable) = variable(parameter) {
            // Vitalwire has inspired oxygen in percent.
            let value = if variable == Variable::InspiredOxygen { value * 100.0 } else { value };
            values.push(Value { minute, variable, value });
        } else {
            facts.insert(parameter, value);
        }
    }
    values.sort_by_key(|value| value.minute);
    let known = |name: &str| facts.get(name).copied().unwrap_or(f32::NAN);
    let unit = known("ICUType");
    let is = |number: f32| if unit.is_nan() { unit } else { f32::from(u8::from((unit - number).abs() < 0.5)) };
    let person = Person {
        age: known("Age"),
        male: known("Gender"),
        coronary: is(1.0),
        heart_surgery: is(2.0),
        medical: is(3.0),
        surgical: is(4.0),
        height: known("Height"),
        ..Person::UNKNOWN
    };
    Ok(Stay { id, source, person, values, moments: vec![END_MIN], fate: Fate::Died(died) })
}

fn minute(time: &str) -> Option<u32> {
    let (hours, minutes) = time.split_once(':')?;
    Some(hours.parse::<u32>().ok().filter(|hours| *hours < 1_000)? * 60 + minutes.parse::<u32>().ok().filter(|minutes| *minutes < 60)?)
}

/// The variable of a parameter; pressures by cuff and by catheter are the same.
fn variable(parameter: &str) -> Option<Variable> {
    Some(match parameter {
        "SysABP" | "NISysABP" => Variable::Systolic,
        "DiasABP" | "NIDiasABP" => Variable::Diastolic,
        "MAP" | "NIMAP" => Variable::MeanPressure,
        "RespRate" => Variable::RespRate,
        "ALP" => Variable::AlkalinePhosphatase,
        "Bilirubin" => Variable::BilirubinTotal,
        "HCT" => Variable::Hematocrit,
        "K" => Variable::Potassium,
        "Mg" => Variable::Magnesium,
        other => Variable::by_column(other)?,
    })
}
