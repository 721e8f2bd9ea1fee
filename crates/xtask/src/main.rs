//! `cargo xtask tidy`: the house rules, checked. `sbom` and `provenance` print JSON.
//! Exit code 0: done, no rule is broken; 1: some are, or it failed; 2: used wrongly.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["tidy"] => tidy(),
        ["sbom"] => print(xtask::supply::sbom(&root())),
        ["provenance", binary] => print(xtask::supply::provenance(&root(), binary)),
        _ => {
            eprintln!(
                "usage: cargo xtask tidy                 check the house rules over all crates\n       \
                 cargo xtask sbom                 print the bill of materials (CycloneDX 1.6)\n       \
                 cargo xtask provenance BINARY    print where a built binary comes from (SLSA v1)"
            );
            ExitCode::from(2)
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn print(made: Result<serde_json::Value, xtask::supply::SupplyError>) -> ExitCode {
    match made {
        Ok(document) => {
            println!("{document:#}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn tidy() -> ExitCode {
    match xtask::tidy::workspace(&root()) {
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
