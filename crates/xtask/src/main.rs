//! `cargo xtask tidy`: the house rules, checked. Exit code 0: none is broken; 1: some are; 2: used
//! wrongly.

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["tidy"] => tidy(),
        _ => {
            eprintln!("usage: cargo xtask tidy    check the house rules over all crates");
            ExitCode::from(2)
        }
    }
}

fn tidy() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    match xtask::tidy::workspace(&root) {
        Ok(report) => {
            for finding in &report.findings {
                eprintln!("{finding}\n");
            }
            println!("{} files, {} findings", report.files, report.findings.len());
            ExitCode::from(u8::from(!report.findings.is_empty()))
        }
        Err(error) => {
            eprintln!("the workspace cannot be read: {error}");
            ExitCode::FAILURE
        }
    }
}
