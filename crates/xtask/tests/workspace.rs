//! The house rules hold over the whole workspace: what `cargo xtask tidy` does, as a test.

use std::path::Path;

#[test]
fn the_workspace_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let report = xtask::tidy::workspace(&root).expect("the workspace can be read");
    assert!(report.files > 200, "{} files: the walk misses some", report.files);
    let findings: Vec<String> = report.findings.iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n\n"));
}
