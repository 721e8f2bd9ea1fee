//! Real recordings through a bedside, beside what the monitor that made them said, or what people
//! found. The thresholds of pulses, breaths and confirmation were looked at on these recordings while
//! they were written, so the figures are not those of unseen patients.
//!
//! `cargo test --release -p signal --test recordings -- --nocapture` prints the figures.

mod play;

use play::{columns, compare, data, derived, play, record, stretches};
use signal::bedside::{Derived, Finding};
use signal::{Block, Rhythm, WaveKind};
use vitals::Rate;

fn rhythms(findings: &[Finding]) -> Vec<(f64, Rhythm, Option<WaveKind>)> {
    let of_it = |finding: &Finding| match finding {
        Finding::Rhythm { rhythm, time_us, contradicted_by, .. } => Some((*time_us as f64 / 1e6, *rhythm, *contradicted_by)),
        _ => None,
    };
    findings.iter().filter_map(of_it).collect()
}

/// Challenge 2015 record a103l: an asystole alarm at 5 minutes that was false; the patient moves,
/// the leads are full of artefacts, the pleth pulses on at 126/min.
#[test]
fn a_false_asystole_alarm_stays_silent() {
    let Some(source) = data("wfdb/samples.tar.zst") else { return };
    let recording = record(&source, "a103l").expect("the record can be read");
    let findings = play(&stretches(&recording), |_| true);
    let told = rhythms(&findings);
    println!("a103l around its alarm: {:?}", told.iter().filter(|told| (270.0..330.0).contains(&told.0)).collect::<Vec<_>>());
    assert!(!told.iter().any(|told| matches!(told.1, Rhythm::Asystole | Rhythm::VentricularFibrillation)));
    assert!(!told.iter().any(|told| told.0 > 280.0 && told.1 == Rhythm::ExtremeBradycardia));
    for (at, rate, _) in derived(&findings, Derived::PulseRate).into_iter().filter(|rate| rate.2 >= 0.6) {
        assert!((115.0..135.0).contains(&rate), "{rate} at {at} s");
    }
}

/// MIMIC s25047 and s00001: heart rate, pressures and breaths beside the monitor's numerics of each
/// minute. The respiration channel is not part of these records: ours is derived from the ECG.
#[test]
fn the_monitors_numerics() {
    let Some(source) = data("wfdb/samples.tar.zst") else { return };
    let cases = [
        ("multi-segment/s25047/s25047-2704-05-04-10-44", &[("HR", Derived::HeartRate, 4.0)][..]),
        (
            "multi-segment/s00001/s00001-2896-10-10-00-31",
            &[
                ("HR", Derived::HeartRate, 1.5),
                ("RESP", Derived::RespRate, 3.0),
                ("ABPSys", Derived::Systolic, 4.0),
                ("ABPDias", Derived::Diastolic, 4.0),
                ("ABPMean", Derived::Mean, 4.0),
            ],
        ),
    ];
    for (name, wanted) in cases {
        let recording = record(&source, name).expect("the record can be read");
        let numerics = record(&source, &format!("{name}n")).expect("the numerics can be read");
        let findings = play(&stretches(&recording), |_| true);
        for (label, what, limit) in wanted {
            let channel = numerics.channels.iter().find(|channel| channel.label == *label).expect("the numeric");
            let theirs: Vec<f64> = channel
                .segments
                .iter()
                .flat_map(|segment| segment.samples.iter().map(|count| segment.scale.value(*count)))
                .collect();
            let (minutes, mean, middle, bias) = compare(&derived(&findings, *what), &theirs, 0.3);
            println!("{name} {what:?}: {minutes} minutes, mean absolute error {mean:.2}, median {middle:.2}, bias {bias:+.2}");
            assert!(minutes >= 4 && mean <= *limit, "{name} {what:?}: {mean} in {minutes} minutes");
        }
    }
}

/// The same breaths by impedance, and derived from pulses and beats alone.
#[test]
fn breaths_by_impedance_and_without_it() {
    let mut cases = Vec::new();
    if let Some(path) = data("bidmc/bidmc_01_Signals.csv.zst") {
        let rate = Rate::new(125, 1).expect("a rate");
        let kinds = [WaveKind::Respiration, WaveKind::Pleth, WaveKind::Ecg, WaveKind::Ecg, WaveKind::Ecg];
        let columns = columns(&path, &[2, 3, 4, 5, 6]).expect("the file can be read");
        let stretch = |(number, values): (usize, Vec<f32>)| {
            play::Stretch { number: number as u32, kind: kinds[number], start_us: 0, rate, values }
        };
        cases.push(("bidmc_01", columns.into_iter().enumerate().map(stretch).collect()));
    }
    if let Some(source) = data("wfdb/samples.tar.zst") {
        cases.push(("03700181", stretches(&record(&source, "03700181").expect("the record can be read"))));
    }
    for (name, stretches) in cases {
        let measured = derived(&play(&stretches, |kind| kind == WaveKind::Respiration), Derived::RespRate);
        let without = derived(&play(&stretches, |kind| kind != WaveKind::Respiration), Derived::RespRate);
        let mut errors: Vec<f64> = without
            .iter()
            .filter_map(|ours| Some((ours.1 - measured.iter().find(|other| other.0 == ours.0 && other.2 > 0.8)?.1).abs()))
            .collect();
        errors.sort_by(f64::total_cmp);
        let mean = errors.iter().sum::<f64>() / errors.len().max(1) as f64;
        println!(
            "{name}: {} rates by impedance; without it {} rates, mean absolute difference {mean:.2}, ninth tenth {:.2}",
            measured.len(),
            errors.len(),
            errors.get(errors.len() * 9 / 10).copied().unwrap_or(0.0)
        );
        assert!(measured.len() > 80 && errors.len() > 60 && mean < 1.5, "{name}: {mean}");
    }
}

/// The minute of MIMIC that is sent as PCD-01 elsewhere: ventricular bigeminy, a pleth that moves, and an
/// arterial line whose pulses are all there.
#[test]
fn the_minute_of_mimic() {
    let Some(path) = data("hl7v2/mimic-1min-ecg-spo2-abp.csv.zst") else { return };
    let rate = Rate::new(125, 1).expect("a rate");
    let columns = columns(&path, &[1, 2, 3]).expect("the file can be read");
    let kinds = [WaveKind::Ecg, WaveKind::Pleth, WaveKind::ArterialPressure];
    let mut bedside = signal::bedside::Bedside::default();
    let mut findings = Vec::new();
    for second in 0..60 {
        for (number, values) in columns.iter().enumerate() {
            let values = &values[second * 125..(second + 1) * 125];
            let block = Block { start_us: second as i64 * 1_000_000, rate, values, gap_before: false };
            bedside.push(number as u32, kinds[number], &block, &mut findings);
        }
    }
    let late = |what| derived(&findings, what).into_iter().filter(|value| value.0 > 14.0).map(|value| value.1).collect::<Vec<_>>();
    let (pulse, systolic, diastolic) = (late(Derived::PulseRate), late(Derived::Systolic), late(Derived::Diastolic));
    println!("pulse {pulse:.0?}, systolic {systolic:.0?}, diastolic {diastolic:.0?}");
    println!("heart {:.0?}, arrival {:.0?}", late(Derived::HeartRate), late(Derived::PulseArrival));
    assert!(pulse.len() >= 9 && pulse.iter().all(|rate| (70.0..100.0).contains(rate)));
    assert!(systolic.iter().all(|value| (105.0..130.0).contains(value)));
    assert!(diastolic.iter().all(|value| (38.0..58.0).contains(value)));
    let told = rhythms(&findings);
    assert!(!told.iter().any(|told| told.1 >= Rhythm::ExtremeBradycardia), "{told:?}");
}
