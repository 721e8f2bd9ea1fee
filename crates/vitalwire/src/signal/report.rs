//! The tables: record by record and gross, as text and as JSON.

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};
use signal::BeatClass;
use signal::evaluate::{Classes, Tally};

use super::episodes::Agreement;
use super::judge::Judged;
use super::{Evaluate, Noise};

/// All that was found out.
pub(super) struct Report {
    what: String,
    records: Vec<Judged>,
    beats: Tally,
    classes: Classes,
    episodes: Agreement,
    squares_ms2: f64,
    samples: u64,
    took: Duration,
}

impl Report {
    pub fn new(args: &Evaluate) -> Self {
        let mut what = format!("lead {}, first {} min not counted", args.lead, args.skip_min);
        if let (Some(noise), Some(snr)) = (args.noise, args.snr) {
            let kind = match noise {
                Noise::Bw => "baseline wander",
                Noise::Ma => "muscle noise",
                Noise::Em => "electrode motion",
                Noise::Mains50 => "50 Hz mains",
                Noise::Mains60 => "60 Hz mains",
            };
            let turn = if args.in_turn { ", two minutes in four" } else { "" };
            let _ = write!(what, ", {kind} at {snr} dB{turn}, seed {}", args.seed);
        }
        Self {
            what,
            records: Vec::new(),
            beats: Tally::default(),
            classes: Classes::default(),
            episodes: Agreement::default(),
            squares_ms2: 0.0,
            samples: 0,
            took: Duration::ZERO,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub fn add(&mut self, record: Judged) {
        self.beats.add(&record.comparison.beats);
        self.classes.add(&record.comparison.classes);
        self.episodes.add(&record.episodes);
        self.squares_ms2 += record.comparison.squares_ms2;
        self.samples += record.samples;
        self.took += record.took;
        self.records.push(record);
    }

    fn samples_per_s(&self) -> f64 {
        self.samples as f64 / self.took.as_secs_f64().max(1e-9)
    }

    pub fn text(&self) -> String {
        let mut text = format!("Beats ({}; a pair is at most 150 ms apart)\n", self.what);
        let _ = writeln!(text, "{:>12} {:>8} {:>7} {:>7} {:>8} {:>8}", "record", "found", "missed", "extra", "Se %", "+P %");
        for record in &self.records {
            beat_line(&mut text, &record.name, &record.comparison.beats);
        }
        beat_line(&mut text, "gross", &self.beats);
        let jitter = (self.squares_ms2 / self.beats.found.max(1) as f64).sqrt();
        let _ = writeln!(text, "distance of found beats from the marks, root mean square: {jitter:.1} ms");
        self.classes_text(&mut text);
        self.episodes_text(&mut text);
        let _ = writeln!(
            text,
            "\nSpeed: {} samples in {:.3} s of one processor, {:.1} million samples/s, {:.1} ns a sample",
            self.samples,
            self.took.as_secs_f64(),
            self.samples_per_s() / 1e6,
            1e9 / self.samples_per_s(),
        );
        text
    }

    fn classes_text(&self, text: &mut String) {
        let _ = writeln!(text, "\nBeat types (rows: marked, columns: found; -: none)");
        let _ = writeln!(text, "{:>12} {}", "", row(["n", "s", "v", "f", "q", "-"]));
        for (letter, counts) in ["N", "S", "V", "F", "Q", "-"].into_iter().zip(self.classes.counts) {
            let _ = writeln!(text, "{letter:>12} {}", row(counts.map(|count| count.to_string())));
        }
        for (letter, class) in TYPED {
            let tally = self.classes.tally(class);
            let _ = writeln!(
                text,
                "{letter:>12} Se {} %  +P {} %",
                percent(tally.sensitivity()),
                percent(tally.predictivity())
            );
        }
    }

    fn episodes_text(&self, text: &mut String) {
        let _ = writeln!(text, "\nEpisodes");
        for (_, name, tally) in self.episodes.kinds() {
            if tally.reference_us + tally.found_us == 0 {
                let _ = writeln!(text, "  {name}: none marked, none found");
                continue;
            }
            let _ = writeln!(
                text,
                "  {name}: {} marked ({:.0} s), {} found ({:.0} s); episodes Se {} % +P {} %, duration Se {} % +P {} %",
                tally.found + tally.missed,
                tally.reference_us as f64 / 1e6,
                tally.right + tally.extra,
                tally.found_us as f64 / 1e6,
                percent(tally.episode_sensitivity()),
                percent(tally.episode_predictivity()),
                percent(tally.duration_sensitivity()),
                percent(tally.duration_predictivity()),
            );
        }
    }

    pub fn json(&self) -> Value {
        let record = |record: &Judged| {
            json!({
                "name": record.name,
                "beats": beats_json(&record.comparison.beats),
                "classes": classes_json(&record.comparison.classes),
                "episodes": record.episodes.json(),
                "missed_s": seconds(&record.comparison.missed_us),
                "extra_s": seconds(&record.comparison.extra_us),
                "samples": record.samples,
                "seconds": record.took.as_secs_f64(),
            })
        };
        json!({
            "what": self.what,
            "records": self.records.iter().map(record).collect::<Vec<_>>(),
            "gross": {
                "beats": beats_json(&self.beats),
                "classes": classes_json(&self.classes),
                "episodes": self.episodes.json(),
                "jitter_ms": (self.squares_ms2 / self.beats.found.max(1) as f64).sqrt(),
                "samples": self.samples,
                "seconds": self.took.as_secs_f64(),
                "samples_per_s": self.samples_per_s(),
            },
        })
    }
}

/// The classes whose detection EC57 asks for.
const TYPED: [(&str, BeatClass); 2] = [("V", BeatClass::Ventricular), ("S", BeatClass::Supraventricular)];

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| format!("{:.2}", 100.0 * share))
}

fn row<T: std::fmt::Display>(cells: [T; 6]) -> String {
    cells.iter().map(|cell| format!("{cell:>8}")).collect()
}

fn beat_line(text: &mut String, name: &str, tally: &Tally) {
    let _ = writeln!(
        text,
        "{name:>12} {:>8} {:>7} {:>7} {:>8} {:>8}",
        tally.found,
        tally.missed,
        tally.extra,
        percent(tally.sensitivity()),
        percent(tally.predictivity()),
    );
}

fn beats_json(tally: &Tally) -> Value {
    json!({
        "found": tally.found,
        "missed": tally.missed,
        "extra": tally.extra,
        "sensitivity": tally.sensitivity(),
        "predictivity": tally.predictivity(),
    })
}

fn classes_json(classes: &Classes) -> Value {
    let mut value = json!({ "order": "NSVFQ-", "marked_by_found": classes.counts });
    for (letter, class) in TYPED {
        value[letter] = beats_json(&classes.tally(class));
    }
    value
}

fn seconds(times_us: &[i64]) -> Vec<f64> {
    times_us.iter().map(|time_us| *time_us as f64 / 1e6).collect()
}
