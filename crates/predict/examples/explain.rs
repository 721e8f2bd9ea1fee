//! A model's log-odds and the share of every input, so that another implementation can be compared with ours.
//!
//! Reads rows of inputs from standard input, a JSON list a line (`null`: missing), and writes a line a row:
//! `{"margin": …, "reference": …, "shares": […]}`, with the share of each input in the order of the model's features.
//!
//! `cargo run --release -p predict --example explain MODEL.json < rows`

use std::io::{BufRead as _, Write as _};
use std::process::ExitCode;

use predict::Model;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("explain: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("which model? give its file")?;
    let model = Model::read(&std::fs::read(path)?)?;
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let row: Vec<Option<f32>> = serde_json::from_str(&line?)?;
        let row: Vec<f32> = row.into_iter().map(|value| value.unwrap_or(f32::NAN)).collect();
        let shares = model.shapley(&row);
        let said = serde_json::json!({
            "margin": model.judge(&row).margin,
            "reference": model.reference_margin(),
            "shares": shares,
        });
        writeln!(out, "{said}")?;
    }
    Ok(())
}
