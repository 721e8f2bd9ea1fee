//! Drips of the MIMIC-III demo: what each infusion gives, as the pump's dose rate. Each drug has a
//! channel of its own, so that several run side by side; the channel's name is sent when the drug
//! is first given.

use std::collections::BTreeMap;
use std::path::Path;

use super::columns::Column;
use super::csv;
use super::mimic3::moment;
use crate::error::SimError;

/// What a drip's channel is called.
const DRUG_NAME: &str = "MDC_DRUG_NAME_TYPE";

/// Items of `d_items` (MetaVision, then CareVue), each with its drug's channel and its unit.
const DRIPS: [Column; 31] = [
    drip("221906", "MDC_RATE_DOSE/1", "ug/kg/min"),
    drip("30120", "MDC_RATE_DOSE/1", "ug/kg/min"),
    drip("222168", "MDC_RATE_DOSE/2", "ug/kg/min"),
    drip("30131", "MDC_RATE_DOSE/2", "ug/kg/min"),
    drip("221749", "MDC_RATE_DOSE/3", "ug/kg/min"),
    drip("30128", "MDC_RATE_DOSE/3", "ug/kg/min"),
    drip("221662", "MDC_RATE_DOSE/4", "ug/kg/min"),
    drip("30043", "MDC_RATE_DOSE/4", "ug/kg/min"),
    drip("222056", "MDC_RATE_DOSE/5", "ug/kg/min"),
    drip("30121", "MDC_RATE_DOSE/5", "ug/kg/min"),
    drip("221986", "MDC_RATE_DOSE/6", "ug/kg/min"),
    drip("30125", "MDC_RATE_DOSE/6", "ug/kg/min"),
    drip("221744", "VW_RATE_DOSE_MASS/7", "ug/h"),
    drip("225942", "VW_RATE_DOSE_MASS/7", "ug/h"),
    drip("30118", "VW_RATE_DOSE_MASS/7", "ug/h"),
    drip("221668", "VW_RATE_DOSE_MASS/8", "mg/h"),
    drip("30124", "VW_RATE_DOSE_MASS/8", "mg/h"),
    drip("225154", "VW_RATE_DOSE_MASS/9", "mg/h"),
    drip("30126", "VW_RATE_DOSE_MASS/9", "mg/h"),
    drip("221794", "VW_RATE_DOSE_MASS/10", "mg/h"),
    drip("30123", "VW_RATE_DOSE_MASS/10", "mg/h"),
    drip("221347", "VW_RATE_DOSE_MASS/11", "mg/min"),
    drip("30112", "VW_RATE_DOSE_MASS/11", "mg/min"),
    drip("223258", "VW_RATE_DOSE_UNITS/12", "[iU]/h"),
    drip("30045", "VW_RATE_DOSE_UNITS/12", "[iU]/h"),
    drip("225152", "VW_RATE_DOSE_UNITS/13", "[iU]/h"),
    drip("30025", "VW_RATE_DOSE_UNITS/13", "[iU]/h"),
    drip("222315", "VW_RATE_DOSE_UNITS/14", "[iU]/h"),
    drip("30051", "VW_RATE_DOSE_UNITS/14", "[iU]/min"),
    drip("225158", "MDC_FLOW_FLUID_PUMP/15", "mL/h"),
    drip("220949", "MDC_FLOW_FLUID_PUMP/16", "mL/h"),
];

/// What runs on each channel, from channel 1 on.
const DRUGS: [&str; 16] = [
    "Norepinephrine", "Propofol", "Phenylephrine", "Dopamine", "Nitroglycerin", "Milrinone",
    "Fentanyl", "Midazolam", "Morphine", "Furosemide", "Amiodarone", "Insulin", "Heparin",
    "Vasopressin", "Sodium chloride 0.9%", "Glucose 5%",
];

const fn drip(name: &'static str, metric: &'static str, unit: &'static str) -> Column {
    Column { name, metric, unit }
}

/// The drug on a drip's channel, and the name of the value that says so.
fn drug(column: &Column) -> (String, &'static str) {
    let channel = column.metric.rsplit('/').next().unwrap_or_default();
    let index = channel.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let name = index.and_then(|index| DRUGS.get(index)).copied().unwrap_or("");
    (format!("{DRUG_NAME}/{channel}"), name)
}

/// A span during which a drip ran at one rate; without an end it holds until something else is said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Run {
    pub(super) start_us: i64,
    pub(super) end_us: Option<i64>,
    pub(super) column: &'static Column,
    pub(super) rate: f64,
}

/// Reads a table of MetaVision's, which has spans. Orders that were rewritten did not run.
pub(super) fn spans(
    path: &Path,
    mut found: impl FnMut(u32, Result<Run, String>),
) -> Result<(), SimError> {
    let columns = ["subject_id", "itemid", "starttime", "endtime", "rate", "statusdescription"];
    csv::for_each(path, &columns, |row| {
        let Some(column) = of(row[1]) else { return Ok(()) };
        let number = row[0].parse().map_err(|_| "subject_id is no number")?;
        let run = match row[4].parse() {
            Ok(_) if row[5] == "Rewritten" => Err(format!("{}: order rewritten", row[1])),
            Ok(rate) => {
                let (start_us, end_us) = (moment(row[2])?, Some(moment(row[3])?));
                Ok(Run { start_us, end_us, column, rate })
            }
            Err(_) => Err(format!("{}: no rate", row[1])),
        };
        found(number, run);
        Ok(())
    })
}

/// Reads a table of CareVue's, which has moments: a rate, or that the drip was stopped.
pub(super) fn moments(
    path: &Path,
    mut found: impl FnMut(u32, Result<Run, String>),
) -> Result<(), SimError> {
    csv::for_each(path, &["subject_id", "itemid", "charttime", "rate", "stopped"], |row| {
        let Some(column) = of(row[1]) else { return Ok(()) };
        let number = row[0].parse().map_err(|_| "subject_id is no number")?;
        let stopped = ["stopped", "d/c'd"].contains(&row[4].to_lowercase().as_str());
        let rate = if stopped { Some(0.0) } else { row[3].parse().ok() };
        let run = match rate {
            Some(rate) => Ok(Run { start_us: moment(row[2])?, end_us: None, column, rate }),
            None => Err(format!("{}: no rate", row[1])),
        };
        found(number, run);
        Ok(())
    })
}

fn of(item: &str) -> Option<&'static Column> {
    DRIPS.iter().find(|column| column.name == item)
}

/// The rates as values: each run's at its start, and 0 at its end unless another run of the same
/// channel goes on from there.
pub(super) fn values(runs: &[Run]) -> BTreeMap<i64, Vec<(&'static Column, f64)>> {
    let mut values: BTreeMap<i64, Vec<(&'static Column, f64)>> = BTreeMap::new();
    for run in runs {
        values.entry(run.start_us).or_default().push((run.column, run.rate));
        let Some(end) = run.end_us else { continue };
        let goes_on = runs.iter().any(|other| {
            other.column.metric == run.column.metric
                && other.start_us <= end
                && other.end_us.is_none_or(|theirs| theirs > end)
        });
        if !goes_on {
            values.entry(end).or_default().push((run.column, 0.0));
        }
    }
    values
}

/// When each channel is first heard of, its name's metric and channel, and its drug.
pub(super) fn names(runs: &[Run]) -> Vec<(i64, String, &'static str)> {
    let mut first: BTreeMap<&str, &Run> = BTreeMap::new();
    for run in runs {
        let known = first.entry(run.column.metric).or_insert(run);
        if run.start_us < known.start_us {
            *known = run;
        }
    }
    first
        .values()
        .map(|run| {
            let (name, drug) = drug(run.column);
            (run.start_us, name, drug)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitals::{Metric, Unit};

    #[test]
    fn every_drip_has_a_metric_a_unit_and_a_drug() {
        for column in &DRIPS {
            let refid = column.metric.split('/').next().unwrap_or_default();
            let metric = Metric::by_refid(refid).unwrap_or_else(|| panic!("no metric {refid}"));
            let unit = Unit::from_ucum(column.unit).unwrap_or_else(|| panic!("no {}", column.unit));
            assert!(metric.normalise(1.0, unit).is_some(), "{}", column.name);
            assert!(!drug(column).1.is_empty(), "{}", column.name);
        }
        assert_eq!(drug(&DRIPS[0]), ("MDC_DRUG_NAME_TYPE/1".to_owned(), "Norepinephrine"));
    }

    #[test]
    fn a_drip_ends_unless_it_goes_on() {
        let run = |start_us, end_us, rate| Run { start_us, end_us, column: &DRIPS[0], rate };
        let given = values(&[run(0, Some(10), 0.1), run(10, Some(30), 0.2), run(50, None, 0.3)]);
        let flat: Vec<(i64, f64)> =
            given.into_iter().flat_map(|(at, all)| all.into_iter().map(move |v| (at, v.1))).collect();
        assert_eq!(flat, [(0, 0.1), (10, 0.2), (30, 0.0), (50, 0.3)]);
    }
}
