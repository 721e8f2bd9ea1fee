//! What the bedside concludes from a recording.
//!
//! `cargo run --release -p signal --example bedside_record -- FOLDER|ARCHIVE.tar.zst RECORD [all]`: rhythms,
//! qualities and values; with `all`, beats too.

#[path = "../tests/play/mod.rs"]
mod play;

use signal::bedside::Finding;
use std::path::Path;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [source, name, rest @ ..] = arguments.as_slice() else {
        eprintln!("usage: bedside_record FOLDER|ARCHIVE.tar.zst RECORD [all]");
        std::process::exit(2);
    };
    let Some(recording) = play::record(Path::new(source), name) else {
        eprintln!("{name} cannot be read from {source}");
        std::process::exit(1);
    };
    for note in &recording.notes {
        println!("# {note}");
    }
    for (number, channel) in recording.channels.iter().enumerate() {
        println!("# channel {number}: {} ({:?}), {} Hz", channel.label, play::kind(&channel.label), channel.rate.hz());
    }
    for finding in play::play(&play::stretches(&recording), |_| true) {
        let seconds = |time_us: i64| time_us as f64 / 1e6;
        match finding {
            Finding::Beat { beat, channel } => {
                if !rest.is_empty() {
                    println!("{:10.3} beat {} in channel {channel}, {:.2}", seconds(beat.time_us), beat.class.letter(), beat.confidence);
                }
            }
            Finding::Derived { what, value, time_us, confidence } => {
                println!("{:10.3} {what:?} {value:.1} ({confidence:.2})", seconds(time_us));
            }
            Finding::Rhythm { rhythm, time_us, since_us, confidence, confirmed_by, contradicted_by } => println!(
                "{:10.3} rhythm {rhythm:?} since {:.1} s ({confidence:.2}), confirmed by {confirmed_by:?}, contradicted by {contradicted_by:?}",
                seconds(time_us),
                seconds(since_us)
            ),
            Finding::Quality { channel, index, reason, time_us } => {
                println!("{:10.3} quality of channel {channel}: {index}, {reason:?}", seconds(time_us));
            }
        }
    }
}
