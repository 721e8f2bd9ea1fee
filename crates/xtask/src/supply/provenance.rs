//! Where a binary comes from: commit, lock files, compiler, command.
//!
//! Form: in-toto Statement v1, predicate SLSA provenance v1. It is not signed here: whoever
//! distributes the binary signs this document beside it.

use std::path::Path;

use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::{SupplyError, output};

/// The statement for a built binary, whose path is relative to `root`.
///
/// # Errors
/// [`SupplyError`] when the binary or a lock file cannot be read, or `git` or `rustc` fails.
pub fn provenance(root: &Path, binary: &str) -> Result<Json, SupplyError> {
    let commit = output(root, "git", &["rev-parse", "HEAD"])?;
    let changed = !output(root, "git", &["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    let compiler = output(root, "rustc", &["--version"])?;
    let name = Path::new(binary).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let material = |path: &str| -> Result<Json, SupplyError> {
        Ok(json!({ "uri": path, "digest": { "sha256": digest(root, path)? } }))
    };
    Ok(json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{ "name": name, "digest": { "sha256": digest(root, binary)? } }],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "make build",
                "externalParameters": { "command": "make build" },
                "internalParameters": { "compiler": compiler, "changed_since_commit": changed },
                "resolvedDependencies": [
                    { "uri": "git", "digest": { "gitCommit": commit } },
                    material("Cargo.lock")?,
                    material("web/package-lock.json")?,
                ],
            },
            "runDetails": { "builder": { "id": "make build" } },
        },
    }))
}

fn digest(root: &Path, path: &str) -> Result<String, SupplyError> {
    let bytes = std::fs::read(root.join(path))
        .map_err(|error| SupplyError(format!("{path} cannot be read: {error}; run `make build` first")))?;
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}
