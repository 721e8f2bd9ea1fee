//! Challenge 2019 files: `|`-separated, one file a patient, one row an hour (`ICULOS`).

use std::path::Path;

use super::columns::{Column, column};
use crate::LabError;

/// Hours from the label's beginning to the onset that it announces (Challenge 2019).
const LABEL_AHEAD_H: i64 = 6;

/// One patient's stay.
#[derive(Debug, Clone)]
pub(super) struct Stay {
    pub(super) name: String,
    pub(super) age_years: Option<f64>,
    pub(super) rows: Vec<Row>,
    /// The hour of the onset of sepsis.
    pub(super) onset_h: Option<i64>,
}

/// One hour.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) hour: i64,
    pub(super) values: Vec<(Column, f64)>,
}

/// Reads a patient's file.
pub(super) fn parse(path: &Path, text: &str) -> Result<Stay, LabError> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('|').collect();
    let place = |name: &str| {
        let found = header.iter().position(|column| *column == name);
        found.ok_or_else(|| LabError::file(path, format!("has no column {name}: is it a Challenge 2019 file?")))
    };
    let (age_at, hour_at, label_at) = (place("Age")?, place("ICULOS")?, place("SepsisLabel")?);
    let columns: Vec<Option<Column>> = header.iter().map(|name| column(name)).collect();
    let mut stay = Stay {
        name: path.file_stem().unwrap_or_default().to_string_lossy().into_owned(),
        age_years: None,
        rows: Vec::new(),
        onset_h: None,
    };
    for (number, line) in (2..).zip(lines).filter(|(_, line)| !line.is_empty()) {
        let wrong = |problem: &str| LabError::file(path, format!("line {number} {problem}"));
        let mut row = Row { hour: 0, values: Vec::new() };
        let mut fields = 0;
        for (at, field) in line.split('|').enumerate() {
            fields += 1;
            if field == "NaN" {
                continue;
            }
            let known = at == age_at || at == hour_at || at == label_at;
            let Some(column) = columns.get(at).copied().flatten().map(Some).or(known.then_some(None)) else {
                continue;
            };
            let value: f64 = field.parse().map_err(|_| wrong("has a field that is no number"))?;
            match column {
                Some(column) => row.values.push((column, value * column.factor + column.offset)),
                None if at == age_at => stay.age_years = Some(value),
                None if at == hour_at => row.hour = value as i64,
                None if value == 1.0 && stay.onset_h.is_none() => {
                    stay.onset_h = Some(row.hour + LABEL_AHEAD_H);
                }
                None => {}
            }
        }
        if fields != header.len() {
            return Err(wrong("has too few or too many fields"));
        }
        if stay.rows.last().is_none_or(|last| last.hour < row.hour) {
            stay.rows.push(row);
        } else {
            return Err(wrong("is not later than the one before"));
        }
    }
    Ok(stay)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "HR|FiO2|Age|ICULOS|SepsisLabel";

    #[test]
    fn rows_are_read_with_their_hours() {
        let text = format!("{HEAD}\n80|NaN|61.5|1|0\nNaN|0.4|61.5|2|0\n91|NaN|61.5|4|1\n");
        let stay = parse(Path::new("x/p000007.psv"), &text).expect("read");
        assert_eq!((stay.name.as_str(), stay.age_years, stay.onset_h), ("p000007", Some(61.5), Some(10)));
        let rows: Vec<_> = stay.rows.iter().map(|row| (row.hour, row.values[0].1)).collect();
        assert_eq!(rows, [(1, 80.0), (2, 40.0), (4, 91.0)]);
    }

    #[test]
    fn what_is_no_such_file_is_refused_in_words() {
        for (text, part) in [
            ("HR|Age\n80|61\n", "no column ICULOS"),
            ("HR|Age|ICULOS|SepsisLabel\n80|61|1\n", "line 2 has too few"),
            ("HR|Age|ICULOS|SepsisLabel\nx|61|1|0\n", "no number"),
            ("HR|Age|ICULOS|SepsisLabel\n80|61|1|0\n80|61|1|0\n", "line 3 is not later"),
        ] {
            let error = parse(Path::new("p.psv"), text).expect_err(text).to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
