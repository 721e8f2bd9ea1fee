//! NEWS2 for rows of observations, so that another implementation can be compared with ours.
//!
//! Reads CSV with a header from standard input: `patient,minute,resp_rate,spo2,oxygen,systolic,
//! pulse,consciousness,temperature,scale`, where an empty field means not measured, `oxygen` is 0
//! or 1, `consciousness` one of A C V P U, `scale` 1 or 2. Writes a line a row: value, complete,
//! band, and the points of the seven parts in the order of the chart (`-` for not counted).
//!
//! `--carry` keeps each patient's last values from row to row, so that they age (rows of a patient
//! stand together, in order of time). `--time` also prints nanoseconds a score to standard error.
//!
//! `cargo run --release -p score --example news2_csv -- --carry < rows.csv`

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::process::ExitCode;
use std::time::Instant;

use score::{Aged, Band, Consciousness, Inputs, MaxAge, Scale, Score, news2};
use vitals::EffectiveTime;
use vitals::time::MINUTE;

fn main() -> ExitCode {
    let options: Vec<String> = std::env::args().skip(1).collect();
    if let Some(wrong) = options
        .iter()
        .find(|o| !["--carry", "--time"].contains(&o.as_str()))
    {
        eprintln!("news2_csv: {wrong}: no such option; there are --carry and --time");
        return ExitCode::from(2);
    }
    let mut text = String::new();
    if let Err(error) = std::io::stdin().read_to_string(&mut text) {
        eprintln!("news2_csv: standard input cannot be read: {error}");
        return ExitCode::FAILURE;
    }
    let rows = rows(&text, options.iter().any(|o| o == "--carry"));
    let max_age = MaxAge::WARD;
    if options.iter().any(|o| o == "--time") {
        let start = Instant::now();
        let mut sum = 0.0;
        for (inputs, now) in &rows {
            sum += news2(std::hint::black_box(inputs), *now, &max_age)
                .value
                .unwrap_or(0.0);
        }
        let ns = start.elapsed().as_nanos() as f64 / rows.len().max(1) as f64;
        eprintln!("{} rows, {ns:.1} ns a score, sum of all {sum}", rows.len());
    }
    let mut out = String::new();
    for (inputs, now) in &rows {
        line(&mut out, &news2(inputs, *now, &max_age));
    }
    if std::io::stdout().write_all(out.as_bytes()).is_err() {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// The inputs and the time of each row.
fn rows(text: &str, carry: bool) -> Vec<(Inputs, EffectiveTime)> {
    let mut rows = Vec::new();
    let mut patient = "";
    let mut last = Inputs::default();
    for line in text.lines().skip(1) {
        let f: Vec<&str> = line.split(',').collect();
        let [
            who,
            minute,
            resp_rate,
            spo2,
            oxygen,
            systolic,
            pulse,
            level,
            temperature,
            scale,
        ] = f[..]
        else {
            continue;
        };
        if !carry || who != patient {
            last = Inputs::default();
            patient = who;
        }
        let now = EffectiveTime(minute.parse::<i64>().unwrap_or(0) * MINUTE);
        let number = |text: &str, last| text.parse().map_or(last, |v| Some(Aged::new(v, now)));
        last = Inputs {
            resp_rate: number(resp_rate, last.resp_rate),
            spo2: number(spo2, last.spo2),
            systolic: number(systolic, last.systolic),
            pulse: number(pulse, last.pulse),
            temperature: number(temperature, last.temperature),
            supplemental_oxygen: match oxygen {
                "" => last.supplemental_oxygen,
                on => Some(Aged::new(on == "1", now)),
            },
            consciousness: level
                .chars()
                .next()
                .and_then(Consciousness::from_letter)
                .map_or(last.consciousness, |level| Some(Aged::new(level, now))),
            spo2_scale: if scale == "2" { Scale::Two } else { Scale::One },
            ..last
        };
        rows.push((last, now));
    }
    rows
}

fn line(out: &mut String, score: &Score) {
    let value = score
        .value
        .map_or_else(|| "-".to_owned(), |value| value.to_string());
    let band = match score.band {
        Band::None => "none",
        Band::Low => "low",
        Band::LowMedium => "low-medium",
        Band::Medium => "medium",
        Band::High => "high",
    };
    // Writing to a string cannot fail.
    let _ = write!(out, "{value},{},{band},", u8::from(score.complete));
    for part in score.parts.iter() {
        let _ = match part.points {
            Some(points) => write!(out, "{points}"),
            None => write!(out, "-"),
        };
    }
    out.push('\n');
}
