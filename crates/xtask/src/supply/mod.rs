//! What the program is made of, and how: a software bill of materials (CycloneDX 1.6) and a
//! statement of provenance (in-toto Statement v1 with SLSA provenance v1).
//!
//! Both are made from the lock files and the repository alone, so that the same commit gives the
//! same documents on any machine.

mod provenance;
mod sbom;

use std::path::Path;
use std::process::Command;

use serde_json::Value as Json;

pub use provenance::provenance;
pub use sbom::sbom;

/// What failed, why, and what to do.
#[derive(Debug)]
pub struct SupplyError(pub String);

impl std::fmt::Display for SupplyError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for SupplyError {}

/// Runs a program of the toolchain below `root` and gives what it prints.
fn output(root: &Path, program: &str, arguments: &[&str]) -> Result<String, SupplyError> {
    let failed = |why: String| SupplyError(format!("`{program} {}` failed: {why}", arguments.join(" ")));
    let done = Command::new(program)
        .args(arguments)
        .current_dir(root)
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if done.status.success() {
        Ok(String::from_utf8_lossy(&done.stdout).trim().to_owned())
    } else {
        Err(failed(String::from_utf8_lossy(&done.stderr).trim().to_owned()))
    }
}

fn read(root: &Path, path: &str) -> Result<String, SupplyError> {
    std::fs::read_to_string(root.join(path))
        .map_err(|error| SupplyError(format!("{path} cannot be read: {error}; run in a whole checkout")))
}

fn json(text: &str, what: &str) -> Result<Json, SupplyError> {
    serde_json::from_str(text).map_err(|error| SupplyError(format!("{what} is no JSON: {error}")))
}
