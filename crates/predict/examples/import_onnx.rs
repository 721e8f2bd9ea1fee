//! Makes a model's file of an ONNX file and a feature map, on standard output.
//!
//! `cargo run --release -p predict --example import_onnx TREES.onnx MAP.json > MODEL.json`

use std::process::ExitCode;

fn main() -> ExitCode {
    let run = || -> Result<(), Box<dyn std::error::Error>> {
        let paths: Vec<String> = std::env::args().skip(1).collect();
        let [onnx, map] = paths.as_slice() else { return Err("which files? give the ONNX file and the map".into()) };
        let file = predict::onnx::import(&std::fs::read(onnx)?, &std::fs::read(map)?)?;
        println!("{}", serde_json::to_string(&file)?);
        Ok(())
    };
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("import_onnx: {error}");
            ExitCode::FAILURE
        }
    }
}
