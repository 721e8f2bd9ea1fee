//! Comma-separated text, in two shapes: long, one line a sample, for all channels; or wide, one line
//! a sampling time, for the channels of one rate.
//!
//! Values are written with as many digits as bring them back to the last bit. Missing samples have
//! no line in the long shape and an empty field in the wide one.

use std::fmt::Write as _;

use vitals::Rate;
use vitals::samples::MISSING;

use crate::calendar::Civil;
use crate::{Channel, Error, Problem, Recording, decimal, grid};

/// The first line of the long shape.
pub const LONG: &str = "time,seconds,channel,label,unit,count,value";

/// The long shape, ordered by channel and time.
///
/// `time` is UTC (`2026-11-21T18:00:00.004000Z`), empty where the recording's date is not known;
/// `seconds` counts from the recording's start; `channel` is its number, from 0; `count` is what the
/// converter gave, `value` is in `unit`.
#[must_use]
pub fn long(recording: &Recording) -> String {
    let mut out = String::from(LONG);
    out.push('\n');
    for (number, channel) in recording.channels.iter().enumerate() {
        let head = format!("{number},{},{}", quoted(&channel.label), quoted(&channel.unit));
        for segment in &channel.segments {
            for (at, count) in segment.samples.iter().enumerate().filter(|(_, count)| **count != MISSING) {
                let micros = segment.time_us(channel.rate, at as u64);
                let value = segment.scale.value(*count);
                let _ = writeln!(out, "{},{},{head},{count},{value}", stamp(recording, micros), seconds(micros));
            }
        }
    }
    out
}

/// The channels of one rate in the wide shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Wide {
    /// The rate.
    pub rate: Rate,
    /// A name for the file: `125hz.csv`.
    pub name: String,
    /// The text: `time,seconds`, then a column for each channel, named `label [unit]`.
    pub text: String,
}

/// The wide shape: a table for each rate, the fastest first. Times at which no channel of the rate
/// has a sample have no line.
///
/// # Errors
/// If a sample lies before the recording's start. Samples off the common grid are moved to the
/// nearest time of it, which is told.
pub fn wide(recording: &Recording) -> Result<(Vec<Wide>, Vec<Problem>), Error> {
    let mut problems = Vec::new();
    let mut tables: Vec<(Rate, Vec<&Channel>)> = Vec::new();
    for channel in &recording.channels {
        match tables.iter_mut().find(|(rate, _)| *rate == channel.rate) {
            Some((_, channels)) => channels.push(channel),
            None => tables.push((channel.rate, vec![channel])),
        }
    }
    tables.sort_by(|a, b| b.0.hz().total_cmp(&a.0.hz()));
    let mut found = Vec::new();
    for (rate, channels) in tables {
        let text = table(recording, rate, &channels, &mut problems)?;
        found.push(Wide { rate, name: format!("{}hz.csv", decimal::text(rate)), text });
    }
    Ok((found, problems))
}

fn table(recording: &Recording, rate: Rate, channels: &[&Channel], problems: &mut Vec<Problem>) -> Result<String, Error> {
    let mut out = String::from("time,seconds");
    let mut columns = Vec::new();
    let mut spans = Vec::new();
    for channel in channels {
        let _ = write!(out, ",{}", quoted(&format!("{} [{}]", channel.label, channel.unit)));
        let rows = grid::place(channel, 0, problems)?;
        spans.extend(rows.iter().map(|row| (row.first, row.end())));
        columns.push((rows, 0_usize));
    }
    out.push('\n');
    spans.sort_unstable();
    let mut next = 0;
    for (from, to) in spans {
        for at in from.max(next)..to {
            let line = out.len();
            let micros = rate.micros(at);
            let _ = write!(out, "{},{}", stamp(recording, micros), seconds(micros));
            let mut any = false;
            for (rows, row) in &mut columns {
                out.push(',');
                while rows.get(*row).is_some_and(|row| row.end() <= at) {
                    *row += 1;
                }
                let Some(row) = rows.get(*row).filter(|row| row.first <= at) else { continue };
                let count = row.samples[(at - row.first) as usize];
                if count != MISSING {
                    any = true;
                    let _ = write!(out, "{}", row.scale.value(count));
                }
            }
            out.push('\n');
            if !any {
                out.truncate(line);
            }
        }
        next = next.max(to);
    }
    Ok(out)
}

/// The time `micros` after the recording's start, in UTC; nothing where the date is not known.
fn stamp(recording: &Recording, micros: i64) -> String {
    let Some(start) = recording.start_us() else { return String::new() };
    let c = Civil::from_micros(start.saturating_add(micros));
    let (date, clock) = ((c.year, c.month, c.day), (c.hour, c.minute, c.second));
    format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
        date.0, date.1, date.2, clock.0, clock.1, clock.2, c.micros
    )
}

fn seconds(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    format!("{sign}{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// A field in quotes where it needs them (RFC 4180).
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Segment, Start};
    use vitals::Scale;

    fn recording() -> Recording {
        let channel = |label: &str, hz, first, samples: &[i32]| Channel {
            label: label.to_owned(),
            metric: None,
            unit: "mV".to_owned(),
            rate: Rate::new(hz, 1).expect("not zero"),
            segments: vec![Segment {
                anchor_us: 0,
                first,
                scale: Scale { factor: 1.0, divisor: 200.0, offset: 0.0 },
                samples: samples.to_vec(),
            }],
        };
        let channels = vec![
            channel("II", 250, 0, &[1, MISSING, -2]),
            channel("a,b", 125, 0, &[5]),
            channel("V", 250, 2, &[7, 8]),
        ];
        Recording { start: Start::At(1_700_000_000_000_000), channels, ..Recording::default() }
    }

    #[test]
    fn a_line_a_sample() {
        assert_eq!(
            long(&recording()),
            "time,seconds,channel,label,unit,count,value\n\
             2023-11-14T22:13:20.000000Z,0.000000,0,II,mV,1,0.005\n\
             2023-11-14T22:13:20.008000Z,0.008000,0,II,mV,-2,-0.01\n\
             2023-11-14T22:13:20.000000Z,0.000000,1,\"a,b\",mV,5,0.025\n\
             2023-11-14T22:13:20.008000Z,0.008000,2,V,mV,7,0.035\n\
             2023-11-14T22:13:20.012000Z,0.012000,2,V,mV,8,0.04\n"
        );
    }

    #[test]
    fn a_line_a_time() {
        let (tables, problems) = wide(&Recording { start: Start::Unknown, ..recording() }).expect("placed");
        let texts: Vec<_> = tables.iter().map(|table| (table.name.as_str(), table.text.as_str())).collect();
        assert_eq!(
            texts,
            [
                ("250hz.csv", "time,seconds,II [mV],V [mV]\n,0.000000,0.005,\n,0.008000,-0.01,0.035\n,0.012000,,0.04\n"),
                ("125hz.csv", "time,seconds,\"a,b [mV]\"\n,0.000000,0.025\n")
            ]
        );
        assert_eq!(problems, []);
    }
}
