//! Every row of the catalogue is proven: its session is replayed through the real mapping and must
//! come out as `expected.txt` says; each profile and codec has a row; `docs/devices.md` is what the
//! rows say. `UPDATE=1 cargo test -p catalogue --test sessions` writes what comes out: read the
//! difference. How to add a row: `tests/sessions/README.md`.

mod replay;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use catalogue::{Row, markdown, rows};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Compares with a file, or writes it when told to.
fn same(path: &Path, got: &str) -> Option<String> {
    if std::env::var_os("UPDATE").is_some() {
        fs::write(path, got).expect("written");
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    (expected != got).then(|| format!("{} is not what comes out:\n{got}", path.display()))
}

/// What is wrong with a row, if anything.
fn check(row: &Row, shipped: &[(String, String)]) -> Option<String> {
    let folder = root().join("tests/sessions").join(&row.session);
    if !root().join("docs").join(&row.page).is_file() {
        return Some(format!("{}: docs/{} is not there", row.session, row.page));
    }
    if row.replay.contains('/') {
        // Another crate's test replays it: it must name the folder.
        let text = fs::read_to_string(root().join(&row.replay)).unwrap_or_default();
        let named = text.contains("tests/sessions") || text.contains(&row.session);
        return (!named).then(|| format!("{}: {} does not replay it", row.session, row.replay));
    }
    let messages = replay::messages(&folder);
    if messages.is_empty() {
        return Some(format!("{} has no messages: 1.json, 2.hex, …", row.session));
    }
    let came = replay::replay(row, &folder, &messages, shipped);
    if !row.profile.is_empty() && came.profiles.iter().any(|profile| profile.split(' ').next() != Some(&row.profile)) {
        return Some(format!("{}: taken by {:?}", row.session, came.profiles));
    }
    same(&folder.join("expected.txt"), &came.lines)
}

#[test]
fn every_session_comes_out_as_expected() {
    let rows = rows().expect("every folder is a row");
    assert!(rows.len() > 20, "the sessions are there");
    let shipped = replay::shipped(&root());
    let wrong: Vec<String> = rows.iter().filter_map(|row| check(row, &shipped)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What of the code must have a row.
fn wanted() -> BTreeSet<String> {
    let shipped = replay::shipped(&root());
    let mut wanted: BTreeSet<String> =
        mapping::Profiles::compile(&shipped).0.list().into_iter().map(|listed| listed.name).collect();
    wanted.extend(
        wire_gatt::known()
            .into_iter()
            .filter(|(number, _)| !MEASURE_NOTHING.contains(number))
            .map(|(number, _)| format!("gatt/{number:04x}")),
    );
    wanted.extend(wire_phd::standard::KNOWN.iter().map(|(number, _)| format!("phd/{number:04x}")));
    let crates = fs::read_dir(root().join("crates")).expect("crates");
    let names = crates.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    wanted.extend(names.filter(|name| name.starts_with("wire-")));
    wanted
}

/// Characteristics that give no measurement (docs/interfaces/bluetooth.md): features, control points,
/// clocks, descriptions.
const MEASURE_NOTHING: [u16; 34] = [
    0x2a36, 0x2a1d, 0x2a38, 0x2a52, 0x2aa8, 0x2aa9, 0x2aaa, 0x2aab, 0x2aac, 0x2b20, 0x2b22, 0x2a23, 0x2a24,
    0x2a25, 0x2a26, 0x2a27, 0x2a28, 0x2a29, 0x2a50, 0x2a2b, 0x2a0f, 0x2b23, 0x2b24, 0x2b25, 0x2b26,
    0x2a2a, 0x2a49, 0x2a51, 0x2a54, 0x2a60, 0x2a9b, 0x2a9e, 0x2b27, 0x2bff,
];

#[test]
fn every_profile_and_codec_has_a_row() {
    let rows = rows().expect("every folder is a row");
    let mut covered: BTreeSet<String> = BTreeSet::new();
    for row in rows {
        covered.insert(row.profile);
        covered.extend(row.codecs);
        covered.extend(row.covers);
    }
    let without = fs::read_to_string(root().join("tests/sessions/without.txt")).expect("a list");
    let without: BTreeSet<String> =
        without.lines().filter_map(|line| line.split(':').next()).map(|name| name.trim().to_owned()).collect();
    let missing: Vec<_> = wanted().into_iter().filter(|name| !covered.contains(name) && !without.contains(name)).collect();
    assert!(missing.is_empty(), "no session under tests/sessions covers {missing:?}: see its README.md");
    let stale: Vec<_> = without.intersection(&covered).filter(|name| !name.is_empty()).collect();
    assert!(stale.is_empty(), "tests/sessions/without.txt says that nothing covers {stale:?}");
}

#[test]
fn the_page_is_what_the_rows_say() {
    // Metrics on the page are those that sessions come out with: these are written first.
    if std::env::var_os("UPDATE").is_some() {
        every_session_comes_out_as_expected();
    }
    let page = markdown(&rows().expect("every folder is a row"));
    let wrong = same(&root().join("docs/devices.md"), &page);
    assert!(wrong.is_none(), "UPDATE=1 cargo test -p catalogue writes it: {wrong:?}");
}
