//! The house rules as checks over the workspace. Each rule is a module with its own tests on small
//! samples; this one walks the folders and brings them together.

mod comments;
mod finding;
mod floors;
mod purity;
mod source;
mod style;
mod tokens;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use finding::Finding;
use source::{Place, Source};

/// What was looked at and what was found.
#[derive(Debug, Default)]
pub struct Report {
    /// Files read.
    pub files: usize,
    /// Rules broken, by file and line.
    pub findings: Vec<Finding>,
}

/// Checks the workspace in `root`.
///
/// # Errors
/// When a folder or file can't be read.
pub fn workspace(root: &Path) -> io::Result<Report> {
    let mut report = Report::default();
    let crates = folders(&root.join("crates"))?;
    let mut manifests = Vec::new();
    for folder in &crates {
        manifests.push((name(folder), fs::read_to_string(folder.join("Cargo.toml"))?));
    }
    report.files += manifests.len();
    report.findings.extend(floors::check(&manifests));
    for folder in &crates {
        let krate = name(folder);
        let mut paths = Vec::new();
        rust_files(folder, &mut paths)?;
        let sources = read_all(root, &paths, &krate)?;
        report.files += sources.len();
        report.findings.extend(check_crate(&krate, sources));
    }
    let mut others = Vec::new();
    for folder in ["fuzz/fuzz_targets", "fuzz/examples"] {
        rust_files(&root.join(folder), &mut others)?;
    }
    let sources = read_all(root, &others, "fuzz")?;
    report.files += sources.len();
    for source in &sources {
        report.findings.extend(style::check(source));
    }
    report.findings.sort();
    Ok(report)
}

/// The rules over the files of one crate.
fn check_crate(krate: &str, mut sources: Vec<Source>) -> Vec<Finding> {
    source::mark_test_modules(&mut sources);
    let pure = floors::is_pure(krate);
    let mut findings = Vec::new();
    for source in &sources {
        findings.extend(style::check(source));
        if pure && source.place == Place::Program {
            findings.extend(purity::check(source));
        }
    }
    findings
}

fn read_all(root: &Path, paths: &[PathBuf], krate: &str) -> io::Result<Vec<Source>> {
    let read = |path: &PathBuf| {
        let text = fs::read_to_string(path)?;
        let short = path.strip_prefix(root).unwrap_or(path);
        Ok(Source::new(&short.to_string_lossy(), krate, text))
    };
    paths.iter().map(read).collect()
}

fn folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = entries(folder)?;
    found.retain(|path| path.join("Cargo.toml").is_file());
    Ok(found)
}

/// All `.rs` files below a folder, build output left out.
fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for path in entries(folder)? {
        if path.is_dir() && name(&path) != "target" {
            rust_files(&path, found)?;
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found =
        fs::read_dir(folder)?.map(|item| Ok(item?.path())).collect::<io::Result<Vec<_>>>()?;
    found.sort();
    Ok(found)
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
