//! Whole records judged beside the Challenge 2017's labels, and false alarms over MIT-BIH. The records are not part of the
//! project: `VITALWIRE_DATA` names their folder, else `../shared/data` beside the checkout is tried; a test whose
//! records are not there says that it was skipped.

use std::path::{Path, PathBuf};
use std::process::Command;

use record::wfdb;
use signal::ecg::Leads;
use signal::quality::{Meter, Verdict};
use signal::rhythm::{RecordClass, Watcher, classify_record};
use signal::{Beat, Block, Rhythm, WaveKind};
use vitals::Rate;

/// A set, unpacked for this test; removed when dropped.
struct Set(PathBuf);

impl Drop for Set {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn unpack(archive: &str, name: &str) -> Option<Set> {
    let root = std::env::var_os("VITALWIRE_DATA")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")), PathBuf::from);
    let path = root.join(archive);
    if !path.exists() {
        eprintln!("skipped: {archive} is not there; set VITALWIRE_DATA to the folder that has it");
        return None;
    }
    let set = Set(std::env::temp_dir().join(format!("vitalwire-{name}-{}", std::process::id())));
    std::fs::create_dir_all(&set.0).expect("a folder can be made");
    let done = Command::new("tar").arg("--zstd").arg("-xf").arg(&path).arg("-C").arg(&set.0).status();
    if !done.is_ok_and(|status| status.success()) {
        eprintln!("skipped: `tar --zstd` cannot unpack {archive}");
        return None;
    }
    Some(set)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("the folder can be read");
    let name = |path: PathBuf| {
        (path.extension()? == "hea").then(|| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()))?
    };
    let mut names: Vec<String> = entries.filter_map(|entry| name(entry.ok()?.path())).collect();
    names.sort();
    names
}

fn leads(folder: &Path, name: &str) -> (Rate, Vec<Vec<f32>>) {
    let read = wfdb::read(name, &mut |file| std::fs::read(folder.join(file)).ok()).expect("a record");
    let lead = |channel: &record::Channel| {
        channel.segments.iter().flat_map(|segment| segment.values()).map(|value| value as f32).collect()
    };
    (read.channels[0].rate, read.channels.iter().map(lead).collect())
}

fn beats(rate: Rate, leads: &[Vec<f32>]) -> Vec<Beat> {
    let mut analysis = Leads::new(rate, leads.len());
    let mut found = Vec::new();
    let views: Vec<&[f32]> = leads.iter().map(Vec::as_slice).collect();
    analysis.push(&views, &mut found);
    analysis.gap(&mut found);
    found
}

/// The table of the judge was made from these records, so this shows only that it still fits the code; figures on
/// patients it did not see are in `docs/signal.md`.
#[test]
fn the_records_judge_fits_its_table() {
    let Some(set) = unpack("cinc2017/sample.tar.zst", "labels") else { return };
    let reference = std::fs::read_to_string(set.0.join("REFERENCE.csv")).expect("labels");
    let (mut both, mut either) = ([0_u32; 4], [0_u32; 4]);
    // Every fourth record, so that the test takes seconds.
    for name in names(&set.0).iter().step_by(4) {
        let line = reference.lines().rfind(|line| line.starts_with(name.as_str())).expect("a label");
        let (rate, leads) = leads(&set.0, name);
        let found = beats(rate, &leads);
        let samples: Vec<usize> = found.iter().map(|beat| rate.samples_in(beat.time_us).max(0) as usize).collect();
        let ours = classify_record(&leads[0], rate, &samples).class;
        let truth = RecordClass::ALL.into_iter().find(|class| line.ends_with(class.letter())).expect("N, A, O or ~");
        either[ours as usize] += 1;
        either[truth as usize] += 1;
        both[ours as usize] += u32::from(ours == truth);
    }
    let f1 = |class: RecordClass| 2.0 * f64::from(both[class as usize]) / f64::from(either[class as usize].max(1));
    println!("{:?}", RecordClass::ALL.map(|class| (class.letter(), f1(class))));
    assert!(f1(RecordClass::AtrialFibrillation) > 0.7);
    assert!(f1(RecordClass::Normal) > 0.8);
}

/// Whether each second of a record is marked as atrial fibrillation or flutter.
fn fibrillating(folder: &Path, name: &str, rate: Rate, seconds: usize) -> Vec<bool> {
    let file = format!("{name}.atr");
    let bytes = std::fs::read(folder.join(&file)).expect("annotations");
    let (marks, _) = wfdb::read_annotations(&file, rate, &bytes);
    let rhythms: Vec<_> = marks.iter().filter(|mark| mark.code == wfdb::code::RHYTHM).collect();
    let at = |second: usize| second as i64 * 1_000_000 + 500_000;
    let marked = |second: usize| rhythms.iter().rfind(|mark| mark.time_us() <= at(second));
    (0..seconds).map(|second| marked(second).is_some_and(|mark| mark.text.starts_with("(AFIB") || mark.text.starts_with("(AFL"))).collect()
}

/// Records in which experts marked ventricular tachycardia, and flutter.
const TACHYCARDIA: [&str; 6] = ["106", "203", "205", "207", "215", "223"];
const FLUTTER: &str = "207";

/// Fibrillation and ventricular tachycardia are told only in records in which experts marked them, asystole in none.
#[test]
fn no_false_alarm_in_the_arrhythmia_database() {
    let Some(set) = unpack("mitdb/ds1.tar.zst", "alarms") else { return };
    let folder = if set.0.join("101.hea").exists() { set.0.clone() } else { set.0.join("ds1") };
    let (mut hours, mut marked, mut found_s, mut common) = (0.0, 0, 0, 0);
    for name in names(&folder) {
        let (rate, leads) = leads(&folder, &name);
        hours += leads[0].len() as f64 / rate.hz() / 3_600.0;
        let mut best: Vec<Verdict> = Vec::new();
        for values in &leads {
            let mut at = 0;
            Meter::new(WaveKind::Ecg).push(&Block { start_us: 0, rate, values, gap_before: false }, |verdict| {
                match best.get_mut(at) {
                    Some(other) if verdict.index > other.index => *other = verdict,
                    Some(_) => {}
                    None => best.push(verdict),
                }
                at += 1;
            });
        }
        let mut watcher = Watcher::default();
        let mut told = Vec::new();
        let mut ours = vec![false; best.len()];
        let mut was = false;
        let found = beats(rate, &leads);
        let mut rest = found.as_slice();
        for (at, second) in best.iter().enumerate() {
            while let Some((beat, more)) = rest.split_first().filter(|(beat, _)| beat.time_us < second.time_us - 500_000) {
                rest = more;
                watcher.beat(beat);
            }
            told.extend(watcher.second(second));
            let since = watcher.since_us(Rhythm::AtrialFibrillation);
            if let Some(since_us) = since {
                let from = if was { at } else { usize::try_from(since_us / 1_000_000).unwrap_or(0).min(at) };
                ours[from..=at].fill(true);
            }
            was = since.is_some();
        }
        let truth = fibrillating(&folder, &name, rate, best.len());
        marked += truth.iter().filter(|t| **t).count();
        found_s += ours.iter().filter(|o| **o).count();
        common += truth.iter().zip(&ours).filter(|(t, o)| **t && **o).count();
        let alarms = [Rhythm::Asystole, Rhythm::VentricularFibrillation, Rhythm::VentricularTachycardia]
            .map(|rhythm| told.iter().filter(|state| state.rhythm == rhythm).count());
        println!("{name}: asystole, fibrillation, tachycardia {alarms:?}");
        let [asystole, fibrillation, tachycardia] = alarms;
        assert_eq!(asystole, 0, "{name}");
        assert!(if name == FLUTTER { fibrillation >= 3 } else { fibrillation == 0 }, "{name}: {fibrillation}");
        assert!(TACHYCARDIA.contains(&name.as_str()) || tachycardia == 0, "{name}: {tachycardia}");
    }
    println!("{hours:.1} hours; atrial fibrillation or flutter: {marked} s marked, {found_s} s found, {common} s in common");
    assert!(common * 100 > 90 * marked && common * 100 > 80 * found_s);
}
