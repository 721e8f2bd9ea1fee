//! What a recording holds, for people and for programs.

use std::fmt::Write as _;

use record::calendar::Civil;
use record::{Channel, Recording, Start};
use serde_json::{Value, json};

/// A few lines for people.
pub(super) fn text(recording: &Recording) -> String {
    let mut out = String::new();
    let seconds = recording.span_us().map_or(0.0, |(_, end)| end as f64 / 1e6);
    let _ = writeln!(out, "start     {}", start(recording.start).unwrap_or_else(|| "not known".to_owned()));
    let _ = writeln!(out, "length    {seconds} s");
    for channel in &recording.channels {
        let metric = channel.metric.map(|metric| metric.refid()).unwrap_or_else(|| "-".to_owned());
        let _ = writeln!(
            out,
            "channel   {:<12} {:>10} Hz  {:<8} {:>12} samples in {} segments, {} missing  {metric}",
            channel.label,
            channel.rate.hz(),
            channel.unit,
            channel.present(),
            channel.segments.len(),
            total(channel) - channel.present(),
        );
    }
    let _ = writeln!(out, "marks     {}", recording.annotations.len());
    for note in &recording.notes {
        let _ = writeln!(out, "note      {note}");
    }
    for problem in &recording.problems {
        let _ = writeln!(out, "problem   {problem}");
    }
    out
}

/// The same as one object.
pub(super) fn json(recording: &Recording) -> Value {
    json!({
        "start": start(recording.start),
        "seconds": recording.span_us().map_or(0.0, |(_, end)| end as f64 / 1e6),
        "channels": recording.channels.iter().map(channel).collect::<Vec<_>>(),
        "annotations": recording.annotations.len(),
        "notes": recording.notes,
        "problems": recording.problems.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn channel(channel: &Channel) -> Value {
    json!({
        "label": channel.label,
        "metric": channel.metric.map(|metric| metric.refid()),
        "unit": channel.unit,
        "rate": [channel.rate.numerator(), channel.rate.denominator()],
        "samples": channel.present(),
        "missing": total(channel) - channel.present(),
        "segments": channel.segments.len(),
    })
}

fn total(channel: &Channel) -> usize {
    channel.segments.iter().map(|segment| segment.samples.len()).sum()
}

fn start(start: Start) -> Option<String> {
    let clock = |c: Civil| format!("{:02}:{:02}:{:02}.{:06}", c.hour, c.minute, c.second, c.micros);
    match start {
        Start::Unknown => None,
        Start::TimeOfDay(micros) => Some(clock(Civil::from_micros(micros))),
        Start::At(micros) => {
            let c = Civil::from_micros(micros);
            Some(format!("{:04}-{:02}-{:02}T{}Z", c.year, c.month, c.day, clock(c)))
        }
    }
}
