//! SOFA and MEOWS for rows of observations, so that another implementation can be compared with ours.
//!
//! Reads CSV from standard input. Its header names the inputs: `patient,minute` and any of the names in `FIELDS` below;
//! an empty field means not measured. Each patient's last values are kept from row to row, so that they age
//! (rows of a patient stand together, in order of time). Writes a line a row: value and completeness of SOFA, then of MEOWS
//! (`-` for none), separated by commas.
//!
//! `cargo run --release -p score --example organs_csv < rows.csv`

use std::io::{Read as _, Write as _};
use std::process::ExitCode;

use score::{Aged, Inputs, MaxAge, Obstetric, Score, Vasoactive, meows, sofa};
use vitals::EffectiveTime;
use vitals::time::MINUTE;

type Set = fn(&mut Inputs, f64, EffectiveTime);

const FIELDS: [(&str, Set); 16] = [
    ("temperature", |i, v, t| i.temperature = Some(Aged::new(v, t))),
    ("systolic", |i, v, t| i.systolic = Some(Aged::new(v, t))),
    ("diastolic", |i, v, t| i.diastolic = Some(Aged::new(v, t))),
    ("mean", |i, v, t| i.mean_pressure = Some(Aged::new(v, t))),
    ("pulse", |i, v, t| i.pulse = Some(Aged::new(v, t))),
    ("resp_rate", |i, v, t| i.resp_rate = Some(Aged::new(v, t))),
    ("spo2", |i, v, t| i.spo2 = Some(Aged::new(v, t))),
    ("fio2", |i, v, t| i.fio2 = Some(Aged::new(v, t))),
    ("pao2", |i, v, t| i.pao2 = Some(Aged::new(v, t))),
    ("platelets", |i, v, t| i.platelets = Some(Aged::new(v, t))),
    ("bilirubin", |i, v, t| i.bilirubin = Some(Aged::new(v, t))),
    ("creatinine", |i, v, t| i.creatinine = Some(Aged::new(v, t))),
    ("gcs", |i, v, t| i.gcs = Some(Aged::new(v, t))),
    ("ventilated", |i, v, t| i.ventilated = Some(Aged::new(v >= 1.0, t))),
    ("vasoactive", |i, v, t| i.vasoactive = Vasoactive::from_number(v as i32).map(|step| Aged::new(step, t))),
    ("obstetric", |i, v, t| i.obstetric = Obstetric::from_number(v as i32).map(|status| Aged::new(status, t))),
];

fn main() -> ExitCode {
    let mut text = String::new();
    if let Err(error) = std::io::stdin().read_to_string(&mut text) {
        eprintln!("organs_csv: standard input cannot be read: {error}");
        return ExitCode::FAILURE;
    }
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default().split(',').skip(2);
    let mut setters = Vec::new();
    for name in header {
        let Some((_, set)) = FIELDS.iter().find(|(known, _)| *known == name) else {
            eprintln!("organs_csv: {name}: no such input; there are {}", FIELDS.map(|(known, _)| known).join(", "));
            return ExitCode::from(2);
        };
        setters.push(set);
    }
    let (mut patient, mut last, mut out) = ("", Inputs::default(), String::new());
    for line in lines {
        let mut fields = line.split(',');
        let who = fields.next().unwrap_or_default();
        let minute: i64 = fields.next().and_then(|text| text.parse().ok()).unwrap_or(0);
        if who != patient {
            (patient, last) = (who, Inputs::default());
        }
        let now = EffectiveTime(minute * MINUTE);
        for (set, text) in setters.iter().zip(fields) {
            if let Ok(value) = text.parse() {
                set(&mut last, value, now);
            }
        }
        let said = |score: Score| {
            let value = score.value.map_or_else(|| "-".to_owned(), |value| value.to_string());
            format!("{value},{}", u8::from(score.complete))
        };
        let (organs, obstetric) = (sofa(&last, now, &MaxAge::WARD), meows(&last, now, &MaxAge::WARD));
        out.push_str(&format!("{},{}\n", said(organs), said(obstetric)));
    }
    if std::io::stdout().write_all(out.as_bytes()).is_err() {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
