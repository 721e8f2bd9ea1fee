//! Prints what each beat of annotated WFDB records is judged by, for `tools/beat_model.py`.
//!
//! ```sh
//! cargo run --release -p signal --example beat_measures -- FOLDER/101 FOLDER/106 … > beats.csv
//! ```

use std::path::Path;

use record::wfdb;
use signal::ecg::{Detector, Fused, Fuser, Types};

/// How far from its mark a beat may be, microseconds.
const WINDOW_US: i64 = 150_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args().skip(1) {
        let (folder, name) = (Path::new(&path).parent().unwrap_or(Path::new("")), Path::new(&path).file_name());
        let name = name.ok_or("a record has a name")?.to_string_lossy().into_owned();
        let mut find = |file: &str| std::fs::read(folder.join(file)).ok();
        let recording = wfdb::read(&name, &mut find)?;
        let rate = recording.channels.first().ok_or("no signal")?.rate;
        let marks = find(&format!("{name}.atr")).ok_or("no annotations")?;
        let (marks, _) = wfdb::read_annotations(&name, rate, &marks);
        let marks: Vec<(i64, char)> =
            marks.iter().filter_map(|mark| Some((mark.time_us(), class(mark.code)?))).collect();
        let leads: Vec<Vec<f32>> = recording
            .channels
            .iter()
            .map(|channel| channel.segments.iter().flat_map(|part| part.values()).map(|x| x as f32).collect())
            .collect();
        let beats = beats(rate, &leads);
        let mut types = Types::new(leads.len());
        for beat in &beats {
            let measures = types.measures(beat);
            types.beat(beat);
            let nearest = marks.iter().min_by_key(|mark| (mark.0 - beat.at_us).abs());
            let class = nearest.filter(|mark| (mark.0 - beat.at_us).abs() <= WINDOW_US).map_or('-', |mark| mark.1);
            if let Some(measures) = measures {
                let values: Vec<String> = measures.iter().map(|value| format!("{value:.4}")).collect();
                println!("{name},{:.2},{class},{}", beat.at_us as f64 / 1e6, values.join(","));
            }
        }
    }
    Ok(())
}

/// All beats, the leads taken together.
fn beats(rate: vitals::Rate, leads: &[Vec<f32>]) -> Vec<Fused> {
    let mut fuser = Fuser::new(leads.len());
    let mut beats = Vec::new();
    for (lead, values) in leads.iter().enumerate() {
        let (mut detector, mut found) = (Detector::new(rate), Vec::new());
        detector.push(values, &mut found);
        let complete_us = detector.complete_us();
        detector.gap(&mut found);
        for detection in &found {
            if fuser.is_single() {
                beats.extend(detection.is_beat().then(|| Fused::single(detection)));
            } else {
                fuser.take(lead, detection.at_us, detection);
            }
        }
        fuser.complete(lead, complete_us, true);
    }
    fuser.conclude(&mut beats);
    fuser.gap(&mut beats);
    beats
}

/// The class of EC57 for an annotation code, none for what is no beat.
fn class(code: u8) -> Option<char> {
    match wfdb::code::symbol(code)? {
        'N' | 'L' | 'R' | 'B' | 'j' | 'e' => Some('N'),
        'a' | 'J' | 'A' | 'S' | 'n' => Some('S'),
        'V' | 'E' | 'r' => Some('V'),
        'F' => Some('F'),
        '/' | 'f' | 'Q' | '?' => Some('Q'),
        _ => None,
    }
}
