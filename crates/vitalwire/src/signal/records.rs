//! Whole records beside one label each, as in the PhysioNet/CinC Challenge 2017: normal, atrial fibrillation,
//! another rhythm, too noisy.

use std::collections::HashMap;
use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::{Value, json};
use signal::Beat;
use signal::rhythm::{
    RecordClass, classify_record, irregular::WINDOW_NAMES, measures::NAMES, record_measures, record_window,
};

use super::files::Record;
use super::judge::find;
use super::{Evaluate, files};

/// How often a label of the reference and one of ours met: `met[reference][ours]`.
#[derive(Default)]
struct Met([[u32; 4]; 4]);

impl Met {
    /// Records of this label, in the reference, by us, and in both.
    fn counts(&self, label: usize) -> (u32, u32, u32) {
        let ours = self.0.iter().map(|row| row[label]).sum();
        (self.0[label].iter().sum(), ours, self.0[label][label])
    }

    /// Sensitivity, positive predictivity and F1 of a label; none where nothing can be divided.
    fn figures(&self, label: usize) -> [Option<f64>; 3] {
        let (reference, ours, both) = self.counts(label);
        let by = |of: u32| (of > 0).then(|| f64::from(both) / f64::from(of));
        let f1 = (reference + ours > 0).then(|| 2.0 * f64::from(both) / f64::from(reference + ours));
        [by(reference), by(ours), f1]
    }
}

/// Judges all records and prints how far the labels agree; with `--measures` writes what they were judged by.
pub(super) fn evaluate(args: &Evaluate, reference: &Path) -> anyhow::Result<()> {
    let labels = labels(reference)?;
    let mut met = Met::default();
    let mut unknown = 0;
    let mut measures = format!("name,{},window_{}\n", NAMES.join(","), WINDOW_NAMES.join(",window_"));
    for path in &args.paths {
        for source in files::records(path)? {
            let record = source.read(&args.annotations, None)?;
            let Some(&label) = labels.get(&record.name) else {
                unknown += 1;
                continue;
            };
            let (lead, beats) = beats(&record)?;
            let ours = classify_record(lead, record.rate, &beats).class;
            met.0[label as usize][ours as usize] += 1;
            if args.measures.is_some() {
                line(&mut measures, &record, lead, &beats);
            }
        }
    }
    if met.0.iter().flatten().sum::<u32>() == 0 {
        bail!("no record of {} was found", reference.display());
    }
    if let Some(file) = &args.measures {
        std::fs::write(file, measures).with_context(|| format!("cannot write {}", file.display()))?;
    }
    if args.json {
        println!("{}", json(&met, unknown));
    } else {
        print!("{}", text(&met, unknown));
    }
    Ok(())
}

/// `name,label` lines; the last label of a line counts, what is no label is left out.
fn labels(file: &Path) -> anyhow::Result<HashMap<String, RecordClass>> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let of = |label: &str| {
        RecordClass::ALL.into_iter().find(|class| label.trim().chars().eq([class.letter()]))
    };
    let labels: HashMap<_, _> = text
        .lines()
        .filter_map(|line| line.split_once(',').and_then(|(name, label)| Some((name.trim().to_owned(), of(label)?))))
        .collect();
    if labels.is_empty() {
        bail!("{} has no line `record,label` with the label N, A, O or ~", file.display());
    }
    Ok(labels)
}

/// The record's first lead and the samples of its beats.
fn beats(record: &Record) -> anyhow::Result<(&[f32], Vec<usize>)> {
    let Some(lead) = record.leads.first() else { bail!("the record {} has no lead in millivolts", record.name) };
    let sample = |beat: &Beat| usize::try_from(record.rate.samples_in(beat.time_us)).ok();
    let found = find(record, &record.leads[..1]);
    Ok((lead, found.iter().filter_map(sample).filter(|at| *at < lead.len()).collect()))
}

fn line(out: &mut String, record: &Record, lead: &[f32], beats: &[usize]) {
    out.push_str(&record.name);
    if let Some(measures) = record_measures(lead, record.rate, beats) {
        for value in measures.iter().chain(&record_window(record.rate, beats)) {
            let _ = write!(out, ",{value}");
        }
    }
    out.push('\n');
}

fn json(met: &Met, unknown: u32) -> Value {
    let label = |class: RecordClass| {
        let (reference, ours, both) = met.counts(class as usize);
        let [sensitivity, predictivity, f1] = met.figures(class as usize);
        let figures = json!({
            "reference": reference, "found": ours, "both": both,
            "sensitivity": sensitivity, "predictivity": predictivity, "f1": f1,
        });
        (class.letter().to_string(), figures)
    };
    let labels: serde_json::Map<_, _> = RecordClass::ALL.into_iter().map(label).collect();
    json!({ "labels": labels, "records": met.0.iter().flatten().sum::<u32>(), "without_label": unknown })
}

fn text(met: &Met, unknown: u32) -> String {
    let mut text = String::from("Records (rows: reference, columns: ours)\n");
    let _ = writeln!(text, "{:>8} {:>6} {:>6} {:>6} {:>6} {:>8} {:>8} {:>8}", "", "N", "A", "O", "~", "Se %", "+P %", "F1");
    for class in RecordClass::ALL {
        let row = met.0[class as usize];
        let [sensitivity, predictivity, f1] = met.figures(class as usize);
        let percent = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{:.2}", 100.0 * v));
        let f1 = f1.map_or("-".to_owned(), |v| format!("{v:.3}"));
        let _ = writeln!(
            text,
            "{:>8} {:>6} {:>6} {:>6} {:>6} {:>8} {:>8} {:>8}",
            class.letter(), row[0], row[1], row[2], row[3], percent(sensitivity), percent(predictivity), f1
        );
    }
    if unknown > 0 {
        let _ = writeln!(text, "{unknown} records have no label and were left out");
    }
    text
}
