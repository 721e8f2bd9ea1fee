//! An interval as a recording: channels of segments of counts, with what the analysis marked.

use record::wfdb::{self, code};
use record::{Annotation, Channel, Error, Recording, Segment, Start, labels};
use signal::{BeatClass, Rhythm};
use vitals::samples::MISSING;
use vitals::{Rate, Samples, Scale, SampleArray};

use super::export::Taken;
use super::marks::Marks;
use super::names;
use super::strip::{Numbers, Spread, Strip};

/// The recording of an interval that begins at `from`, and what it could not take as it was.
pub(super) fn recording(
    from: i64,
    taken: Vec<Taken>,
    marks: &Marks,
) -> Result<(Recording, Vec<String>), Error> {
    let mut problems = Vec::new();
    let mut channels: Vec<Channel> = Vec::new();
    for one in taken {
        let unit = one.key.metric.metric().map_or("", |row| labels::unit_text(row.unit));
        let mut rates: Vec<Rate> = Vec::new();
        for strip in &one.strips {
            if !rates.contains(&strip.rate) {
                rates.push(strip.rate);
            }
        }
        let mut left = one.strips;
        for rate in rates {
            let label = unused(&labels::label(one.key.metric), &channels);
            let (strips, others): (Vec<Strip>, Vec<Strip>) =
                left.into_iter().partition(|strip| strip.rate == rate);
            left = others;
            let segments = segments(from, strips, &label, &mut problems);
            let metric = Some(one.key.metric);
            channels.push(Channel { label, metric, unit: unit.to_owned(), rate, segments });
        }
    }
    let mut recording =
        Recording { start: Start::At(from), channels, ..Recording::default() };
    recording.annotations = annotations(from, marks, wfdb::frame_rate(&recording.channels)?);
    Ok((recording, problems))
}

/// The label, with a number if another channel has it.
fn unused(label: &str, channels: &[Channel]) -> String {
    let taken = |name: &str| channels.iter().any(|channel| channel.label == name);
    let mut name = label.to_owned();
    let mut number = 2;
    while taken(&name) {
        name = format!("{label}-{number}");
        number += 1;
    }
    name
}

fn segments(
    from: i64,
    strips: Vec<Strip>,
    label: &str,
    problems: &mut Vec<String>,
) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut end = i64::MIN;
    for mut strip in strips {
        // Where a clock was corrected, stretches overlap by some milliseconds: what came first stays.
        let overlap = strip.rate.index_at(end.saturating_sub(strip.anchor.0)).saturating_sub(strip.first);
        if overlap > 0 {
            let twice = strip.take(overlap as usize).len();
            problems.push(format!("{label}: {twice} samples of a corrected clock's overlap are left out"));
        }
        if strip.len() == 0 {
            continue;
        }
        end = strip.time_of(strip.end()).0;
        let (anchor_us, first) = (strip.anchor.0 - from, strip.first);
        let (scale, samples) = counts(strip, label, problems);
        segments.push(Segment { anchor_us, first, scale, samples });
    }
    segments
}

/// Whole numbers of a strip: as they are, or the nearest of 24 bits.
fn counts(strip: Strip, label: &str, problems: &mut Vec<String>) -> (Scale, Vec<i32>) {
    let values = match strip.numbers {
        Numbers::Counts(counts) => return (strip.scale, counts),
        Numbers::Real(values) => values,
    };
    let array = SampleArray::from_values(strip.rate, values);
    let values = match array.samples {
        Samples::Counts(counts) => return (array.scale, counts),
        Samples::Real(values) => values,
        Samples::InPayload { .. } => Vec::new(),
    };
    problems.push(format!("{label}: values that are no counts are written with 16 bits"));
    let there = values.iter().filter(|value| value.is_finite());
    let (low, high) = there.fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(*v), high.max(*v)));
    let spread = Spread::over(low, high);
    let count = |value: &f64| if value.is_finite() { i32::from(spread.number(*value)) } else { MISSING };
    let scale = Scale { factor: spread.step, divisor: 1.0, offset: spread.middle };
    (scale, values.iter().map(count).collect())
}

fn annotations(from: i64, marks: &Marks, rate: Rate) -> Vec<Annotation> {
    let mark = |time: i64, kind: u8, text: String| Annotation {
        tick: rate.samples_in(time - from),
        rate,
        duration_us: None,
        code: kind,
        subtype: 0,
        channel: 0,
        number: 0,
        text,
    };
    let beats = marks.beats.iter().map(|(time, class)| mark(*time, beat(*class), String::new()));
    let begun = |time: i64| time.max(from);
    let mut rhythms: Vec<(i64, u8)> = marks.rhythms.iter().map(|(at, code)| (begun(*at), *code)).collect();
    // Of several that held before the interval, the last; of equal ones, the first.
    rhythms.dedup_by(|next, before| {
        let same_time = next.0 == before.0;
        if same_time {
            before.1 = next.1;
        }
        same_time || next.1 == before.1
    });
    let rhythms = rhythms.into_iter().map(|(time, code)| mark(time, code::RHYTHM, rhythm(code)));
    let mut all: Vec<Annotation> = beats.chain(rhythms).collect();
    all.sort_by_key(|annotation| annotation.tick);
    all
}

/// WFDB's code of a beat class.
fn beat(class: u8) -> u8 {
    match BeatClass::from_code(class) {
        Some(BeatClass::Normal) => code::NORMAL,
        Some(BeatClass::Supraventricular) => code::SUPRAVENTRICULAR,
        Some(BeatClass::Ventricular) => code::VENTRICULAR,
        Some(BeatClass::Paced) => code::PACED,
        Some(BeatClass::Fusion) => code::FUSION,
        _ => code::UNKNOWN,
    }
}

/// What WFDB's databases call a rhythm; where they have no word, ours.
fn rhythm(number: u8) -> String {
    let known = match Rhythm::from_code(number) {
        Some(Rhythm::Regular) => "N",
        Some(Rhythm::Bradycardia) => "SBR",
        Some(Rhythm::AtrialFibrillation) => "AFIB",
        Some(Rhythm::Bigeminy) => "B",
        Some(Rhythm::Trigeminy) => "T",
        Some(Rhythm::VentricularTachycardia) => "VT",
        Some(Rhythm::VentricularFibrillation) => "VF",
        Some(Rhythm::Asystole) => "ASYS",
        _ => return format!("({}", names::rhythm(number)),
    };
    format!("({known}")
}
