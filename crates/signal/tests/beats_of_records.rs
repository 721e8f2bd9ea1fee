//! Beats and their types on real records (MIT-BIH Arrhythmia Database, DS1), clean and with noise: a guard
//! against getting worse. The figures of all records are in `docs/signal.md`.

use std::path::Path;
use std::process::Command;

use record::wfdb;
use signal::ecg::Leads;
use signal::evaluate::{Comparison, Mark, Scope, compare};
use signal::noise::{NoiseKind, Stress, add_at_snr};
use signal::{Beat, BeatClass};
use vitals::Rate;

#[path = "play/mod.rs"]
mod play;

const SKIPPED_US: i64 = 300_000_000;

struct Record {
    rate: Rate,
    leads: Vec<Vec<f32>>,
    marks: Vec<Mark>,
}

fn read(archive: &Path, name: &str) -> Record {
    let mut find = |file: &str| {
        let tar = Command::new("tar").arg("--zstd").arg("-xOf").arg(archive).arg(file).output().ok()?;
        tar.status.success().then_some(tar.stdout)
    };
    let recording = wfdb::read(name, &mut find).expect("the record can be read");
    let rate = recording.channels[0].rate;
    let bytes = find(&format!("{name}.atr")).expect("it is annotated");
    let mark = |a: &record::Annotation| {
        let class = match wfdb::code::symbol(a.code)? {
            'N' | 'L' | 'R' | 'j' | 'e' => BeatClass::Normal,
            'A' | 'a' | 'J' | 'S' => BeatClass::Supraventricular,
            'V' | 'E' => BeatClass::Ventricular,
            'F' => BeatClass::Fusion,
            'Q' | '/' | 'f' => BeatClass::Unclassifiable,
            _ => return None,
        };
        Some(Mark { time_us: a.time_us(), class })
    };
    let marks = wfdb::read_annotations(name, rate, &bytes).0.iter().filter_map(mark).collect();
    let values = |channel: &record::Channel| {
        channel.segments.iter().flat_map(|part| part.values()).map(|x| x as f32).collect()
    };
    Record { rate, leads: recording.channels.iter().map(values).collect(), marks }
}

fn judge(record: &Record) -> Comparison {
    let mut leads = Leads::new(record.rate, record.leads.len());
    let mut beats: Vec<Beat> = Vec::new();
    let slices: Vec<&[f32]> = record.leads.iter().map(Vec::as_slice).collect();
    leads.push(&slices, &mut beats);
    leads.gap(&mut beats);
    let found: Vec<Mark> =
        beats.iter().map(|beat| Mark { time_us: beat.time_us, class: beat.class }).collect();
    compare(&record.marks, &found, &Scope { from_us: SKIPPED_US, excluded: Vec::new() })
}

#[test]
fn beats_and_types() {
    let Some(archive) = play::data("mitdb/ds1.tar.zst") else { return };
    for (name, least, ventricular) in [("101", 0.998, None), ("119", 0.999, Some(0.97)), ("208", 0.995, Some(0.95))] {
        let result = judge(&read(&archive, name));
        let (se, p) = (result.beats.sensitivity(), result.beats.predictivity());
        assert!(se >= Some(least) && p >= Some(least), "{name}: {:?}", result.beats);
        let typed = result.classes.tally(BeatClass::Ventricular);
        assert!(ventricular.is_none() || typed.sensitivity() >= ventricular, "{name}: {typed:?}");
        assert!(ventricular.is_none() || typed.predictivity() >= ventricular, "{name}: {typed:?}");
    }
}

#[test]
fn beats_in_the_noise_of_moving_electrodes() {
    let Some(archive) = play::data("mitdb/ds1.tar.zst") else { return };
    let mut record = read(&archive, "205");
    let beats_us: Vec<i64> = record.marks.iter().map(|mark| mark.time_us).collect();
    for (seed, values) in record.leads.iter_mut().enumerate() {
        let kind = NoiseKind::ElectrodeMotion;
        let stress = Stress { kind, snr_db: 6.0, seed: seed as u64, from_us: SKIPPED_US, in_turn: false };
        add_at_snr(values, record.rate, &beats_us, &stress).expect("it has beats");
    }
    let result = judge(&record);
    assert!(result.beats.sensitivity() >= Some(0.95), "{:?}", result.beats);
    assert!(result.beats.predictivity() >= Some(0.95), "{:?}", result.beats);
}
