//! MIMIC-III demo tables: charted vitals, laboratory values, drips, charted alarm limits, and
//! transfers as ADT.
//!
//! MIMIC shifts each patient's dates into a year after 2100. Here each patient's first moment is
//! moved by whole days onto the epoch, so that hours of the day and everything between a patient's
//! events stay as they were.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use vitals::Sex;

use super::EPOCH;
use super::archive::Folder;
use super::columns::{Column, MIMIC3, MIMIC3_LABS, MIMIC3_LIMITS};
use super::drips::{self, Run};
use super::csv;
use super::recording::{Beat, LimitChange, Recording, What, born};
use crate::error::SimError;
use crate::wire::hl7;

/// Assigning authority of the subject numbers.
pub(super) const SYSTEM: &str = "MIMIC3";
const DAY_US: i64 = 86_400_000_000;

/// Everything of one subject, still at its own dates.
#[derive(Debug, Default)]
struct Subject {
    sex: Sex,
    born_us: i64,
    values: BTreeMap<i64, Vec<(&'static Column, f64)>>,
    runs: Vec<Run>,
    limits: Vec<(i64, &'static str, bool, f64)>,
    moves: Vec<Move>,
    left_out: BTreeMap<String, u64>,
}

/// One row of `transfers`.
#[derive(Debug)]
struct Move {
    time_us: i64,
    trigger: &'static str,
    visit: String,
    from: (String, String),
    to: (String, String),
}

/// Reads the tables in `folder`, whole or only the first `patients`.
pub(super) fn read(folder: &Folder, patients: Option<usize>) -> Result<Vec<Recording>, SimError> {
    let mut subjects = people(&table(folder, "patients")?)?;
    if let Some(limit) = patients {
        let keep: Vec<u32> = subjects.keys().copied().take(limit).collect();
        subjects.retain(|number, _| keep.contains(number));
    }
    transfers(&table(folder, "transfers")?, &mut subjects)?;
    for path in folder.files(".csv.gz")?.iter().filter(|path| named(path, "chartevents")) {
        charted(path, &mut subjects)?;
    }
    // Without these tables there are no such values; the others stand alone.
    for path in folder.files(".csv.gz")? {
        if named(&path, "labevents") {
            laboratory(&path, &mut subjects)?;
        } else if named(&path, "inputevents_mv") {
            drips::spans(&path, |number, run| ran(&mut subjects, number, run))?;
        } else if named(&path, "inputevents_cv") {
            drips::moments(&path, |number, run| ran(&mut subjects, number, run))?;
        }
    }
    Ok(subjects
        .into_iter()
        .enumerate()
        .map(|(index, (number, subject))| subject.recording(number, index + 1))
        .collect())
}

fn named(path: &Path, beginning: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().to_lowercase().starts_with(beginning))
}

fn table(folder: &Folder, name: &str) -> Result<std::path::PathBuf, SimError> {
    folder.files(".csv.gz")?.into_iter().find(|path| named(path, name)).ok_or_else(|| {
        SimError::Format {
            path: folder.path.clone(),
            line: 0,
            problem: format!("has no {name}.csv.gz; give the folder of the MIMIC-III demo tables"),
        }
    })
}

fn people(path: &Path) -> Result<BTreeMap<u32, Subject>, SimError> {
    let mut subjects = BTreeMap::new();
    csv::for_each(path, &["subject_id", "gender", "dob"], |row| {
        let number = row[0].parse().map_err(|_| "subject_id is no number")?;
        let sex = match row[1] {
            "M" => Sex::Male,
            "F" => Sex::Female,
            _ => Sex::Unknown,
        };
        let born_us = moment(row[2])?;
        subjects.insert(number, Subject { sex, born_us, ..Subject::default() });
        Ok(())
    })?;
    Ok(subjects)
}

fn transfers(path: &Path, subjects: &mut BTreeMap<u32, Subject>) -> Result<(), SimError> {
    let columns = [
        "subject_id", "hadm_id", "eventtype", "prev_careunit", "prev_wardid", "curr_careunit",
        "curr_wardid", "intime",
    ];
    csv::for_each(path, &columns, |row| {
        let number: u32 = row[0].parse().map_err(|_| "subject_id is no number")?;
        let Some(subject) = subjects.get_mut(&number) else { return Ok(()) };
        let trigger = match row[2] {
            "admit" => "A01",
            "transfer" => "A02",
            "discharge" => "A03",
            _ => return Err("eventtype is not admit, transfer or discharge".to_owned()),
        };
        subject.moves.push(Move {
            time_us: moment(row[7])?,
            trigger,
            visit: row[1].to_owned(),
            from: (row[3].to_owned(), row[4].to_owned()),
            to: (row[5].to_owned(), row[6].to_owned()),
        });
        Ok(())
    })
}

fn charted(path: &Path, subjects: &mut BTreeMap<u32, Subject>) -> Result<(), SimError> {
    let columns = ["subject_id", "itemid", "charttime", "valuenum", "error"];
    csv::for_each(path, &columns, |row| {
        let item = row[1];
        let column = MIMIC3.iter().find(|column| column.name == item);
        let limit = MIMIC3_LIMITS.iter().find(|(limit, _, _)| *limit == item);
        if column.is_none() && limit.is_none() {
            return Ok(());
        }
        let number: u32 = row[0].parse().map_err(|_| "subject_id is no number")?;
        let Some(subject) = subjects.get_mut(&number) else { return Ok(()) };
        let mut leave = |why: &str| *subject.left_out.entry(format!("{item}: {why}")).or_default() += 1;
        if row[4] == "1" {
            leave("charted in error");
            return Ok(());
        }
        let Ok(value) = row[3].parse::<f64>() else {
            leave("no number");
            return Ok(());
        };
        let time_us = moment(row[2])?;
        if let Some(column) = column {
            // CareVue's numbers went through single precision: 36.7 reads 36.7000007629395.
            let value = (value * 1e4).round() / 1e4;
            subject.values.entry(time_us).or_default().push((column, value));
        } else if let Some((_, metric, upper)) = limit {
            subject.limits.push((time_us, metric, *upper, value));
        }
        Ok(())
    })
}

fn laboratory(path: &Path, subjects: &mut BTreeMap<u32, Subject>) -> Result<(), SimError> {
    csv::for_each(path, &["subject_id", "itemid", "charttime", "valuenum"], |row| {
        let Some(column) = MIMIC3_LABS.iter().find(|column| column.name == row[1]) else {
            return Ok(());
        };
        let number: u32 = row[0].parse().map_err(|_| "subject_id is no number")?;
        let Some(subject) = subjects.get_mut(&number) else { return Ok(()) };
        match row[3].parse::<f64>() {
            Ok(value) => {
                subject.values.entry(moment(row[2])?).or_default().push((column, value));
            }
            Err(_) => *subject.left_out.entry(format!("{}: no number", row[1])).or_default() += 1,
        }
        Ok(())
    })
}

/// Notes that a drip ran, or why not.
fn ran(subjects: &mut BTreeMap<u32, Subject>, number: u32, run: Result<Run, String>) {
    let Some(subject) = subjects.get_mut(&number) else { return };
    match run {
        Ok(run) => subject.runs.push(run),
        Err(why) => *subject.left_out.entry(why).or_default() += 1,
    }
}

impl Subject {
    fn recording(mut self, number: u32, bed: usize) -> Recording {
        self.moves.sort_by_key(|m| m.time_us);
        self.limits.sort_by_key(|limit| limit.0);
        for (time_us, rates) in drips::values(&self.runs) {
            self.values.entry(time_us).or_default().extend(rates);
        }
        let first = [
            self.moves.first().map(|m| m.time_us),
            self.values.keys().next().copied(),
            self.limits.first().map(|limit| limit.0),
        ]
        .into_iter()
        .flatten()
        .min()
        .unwrap_or(EPOCH);
        let shift = EPOCH - first.div_euclid(DAY_US) * DAY_US;
        let patient = number.to_string();
        let age = (first - self.born_us) as f64 / (365.25 * DAY_US as f64);
        let birth_date = born(age, EPOCH);
        let mut beats = self.movements(&patient, birth_date.as_deref(), bed, shift);
        beats.extend(limit_changes(&self.limits).into_iter().map(|(time_us, change)| Beat {
            time_us: time_us + shift,
            what: What::Limit(change),
        }));
        beats.extend(std::mem::take(&mut self.values).into_iter().map(|(time_us, values)| Beat {
            time_us: time_us + shift,
            what: What::Values(values),
        }));
        beats.extend(drips::names(&self.runs).into_iter().map(|(time_us, name, drug)| Beat {
            time_us: time_us + shift,
            what: What::Text { name, text: drug },
        }));
        // Stable: at one moment people move first, then limits are set, then values come.
        beats.sort_by_key(|beat| beat.time_us);
        Recording {
            device: format!("mimic3-{number}"),
            system: SYSTEM,
            patient,
            birth_date,
            sex: self.sex,
            beats,
            left_out: self.left_out,
        }
    }

    fn movements(&self, patient: &str, born: Option<&str>, bed: usize, shift: i64) -> Vec<Beat> {
        let who = hl7::Subject {
            mrn: patient,
            authority: SYSTEM,
            family: "",
            given: "",
            birth_date: born.unwrap_or_default(),
            sex: self.sex,
        };
        // The tables name wards, not beds: each patient has a bed of the same number everywhere.
        let bed = bed.to_string();
        let mut beats = Vec::new();
        for (index, m) in self.moves.iter().enumerate() {
            let time_us = m.time_us + shift;
            let control_id = format!("MIMIC3-{patient}-{index}");
            let header = hl7::Header {
                application: "MIMIC3-ADT",
                control_id: &control_id,
                time_us,
                recorded: true,
            };
            let unit = |(unit, ward): &(String, String)| {
                (!ward.is_empty())
                    .then(|| (if unit.is_empty() { "WARD".to_owned() } else { unit.clone() }, ward.clone()))
            };
            let (to, from) = (unit(&m.to), unit(&m.from));
            // A discharge is from where the patient is.
            let here = if m.trigger == "A03" { &from } else { &to };
            let movement = hl7::Movement {
                trigger: m.trigger,
                place: here.as_ref().map(|(unit, ward)| (unit.as_str(), ward.as_str(), bed.as_str())),
                prior: from
                    .as_ref()
                    .filter(|_| m.trigger == "A02")
                    .map(|(unit, ward)| (unit.as_str(), ward.as_str(), bed.as_str())),
                visit: &m.visit,
                class: "I",
            };
            let text = hl7::adt(&header, &who, &movement);
            beats.push(Beat { time_us, what: What::Movement(text) });
        }
        beats
    }
}

/// Real changes only: each charting repeats the limits in force.
fn limit_changes(charted: &[(i64, &'static str, bool, f64)]) -> Vec<(i64, LimitChange)> {
    let mut now: BTreeMap<&'static str, LimitChange> = BTreeMap::new();
    let mut changes: Vec<(i64, LimitChange)> = Vec::new();
    for (time_us, metric, upper, value) in charted {
        let limit = now.entry(metric).or_insert(LimitChange { metric, low: None, high: None });
        let side = if *upper { &mut limit.high } else { &mut limit.low };
        if *side == Some(*value) {
            continue;
        }
        *side = Some(*value);
        match changes.iter_mut().rev().find(|(time, change)| time == time_us && change.metric == *metric) {
            // Both sides charted at once are one change.
            Some((_, change)) => *change = *limit,
            None => changes.push((*time_us, *limit)),
        }
    }
    changes
}

/// A MIMIC time (`2164-10-23 21:10:15`, or a date alone) as µs since 1970, taken as UTC.
pub(super) fn moment(text: &str) -> Result<i64, String> {
    let whole = if text.len() == 10 { format!("{text} 00:00:00") } else { text.to_owned() };
    let civil: DateTime =
        whole.replace(' ', "T").parse().map_err(|_| "has a time that is no date".to_owned())?;
    let zoned = civil.to_zoned(TimeZone::UTC).map_err(|_| "has a time out of range".to_owned())?;
    Ok(zoned.timestamp().as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_of_limits_count() {
        let charted = [
            (1, "HR", false, 50.0),
            (1, "HR", true, 120.0),
            (2, "HR", false, 50.0),
            (2, "HR", true, 130.0),
        ];
        let changes = limit_changes(&charted);
        assert_eq!(
            changes,
            [
                (1, LimitChange { metric: "HR", low: Some(50.0), high: Some(120.0) }),
                (2, LimitChange { metric: "HR", low: Some(50.0), high: Some(130.0) }),
            ]
        );
    }
}
