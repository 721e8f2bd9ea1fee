//! Explains how a profile reads a payload: `cargo run -p mapping --example explain -- FILE PAYLOAD TOPIC`.
//! `vitalwire profile test` does the same with the profiles of an installation.

use mapping::{Profiles, RawMessage};
use vitals::ReceiveTime;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, payload, topic] = arguments.as_slice() else {
        return Err("usage: explain FILE PAYLOAD TOPIC".into());
    };
    let name = file.rsplit('/').next().unwrap_or(file).to_owned();
    let (profiles, errors) = Profiles::compile(&[(name, std::fs::read_to_string(file)?)]);
    for error in errors {
        println!("{error}");
    }
    let payload = std::fs::read(payload)?;
    let raw = RawMessage { topic, payload: &payload, content_type: None, received: ReceiveTime(1_700_000_000_000_000) };
    print!("{}", profiles.trace(&raw));
    Ok(())
}
