//! Firmware as python-tuf signs it (`tests/support/firmware.py` made the samples): what is honest is
//! taken, every attack refused, and what was there before stays.

use std::path::{Path, PathBuf};

use depot::{Depot, DepotError, Refusal};

/// 2030-01-01.
const NOW: i64 = 1_893_456_000_000_000;

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tuf").join(name)
}

fn trusting() -> (tempfile::TempDir, Depot) {
    let folder = tempfile::tempdir().expect("a folder");
    let depot = Depot::open(folder.path(), None).expect("a depot");
    let root = std::fs::read(sample("good").join("1.root.json")).expect("a root");
    depot.trust_root(&root).expect("a root that has signed itself");
    (folder, depot)
}

fn refusal(depot: &Depot, name: &str, now: i64) -> String {
    match depot.import_firmware(&sample(name), now) {
        Ok(_) => "taken".to_owned(),
        Err(DepotError::Refused(refusal)) => {
            let kind = format!("{refusal:?}");
            kind.split(['(', ' ']).next().unwrap_or("").to_owned()
        }
        Err(other) => panic!("{name}: {other}"),
    }
}

#[test]
fn honest_firmware_is_taken_and_attacks_are_refused() {
    for (attack, expected) in [
        ("good", "taken"),
        ("newer", "taken"),
        ("rotated", "taken"),
        ("rollback", "Rollback"),
        ("rollback-targets", "Rollback"),
        ("frozen", "Expired"),
        ("expired-snapshot", "Expired"),
        ("expired-targets", "Expired"),
        ("expired-root", "Expired"),
        ("same-version-other-content", "Mismatch"),
        ("stranger", "Signature"),
        ("stranger-timestamp", "Signature"),
        ("rotated-below-threshold", "Signature"),
        ("bent-targets", "Signature"),
        ("tampered-image", "Image"),
        ("mixed", "Mismatch"),
        ("swapped-snapshot", "Mismatch"),
        ("rotated-old-key", "Signature"),
        ("no-timestamp", "Missing"),
    ] {
        let (_folder, depot) = trusting();
        assert_eq!(refusal(&depot, "good", NOW), "taken");
        let before = depot.targets().expect("targets");
        assert_eq!(refusal(&depot, attack, NOW), expected, "{attack}");
        if expected != "taken" {
            assert_eq!(depot.targets().expect("targets"), before, "{attack} changed something");
        }
    }
}

#[test]
fn what_is_signed_is_here() {
    let (_folder, depot) = trusting();
    let images = depot.import_firmware(&sample("good"), NOW).expect("taken");
    let signed = &images[0].signed;
    assert_eq!((signed.manufacturer.as_str(), signed.model.as_str(), signed.version.as_str()), ("Acme", "P2", "2.4.1"));
    assert!(images[0].here);
    let (_, length) = depot.image(&signed.sha256).expect("the image");
    assert_eq!(length, signed.length);
    assert!(matches!(depot.image(&"0".repeat(64)), Err(DepotError::Unknown(_))));
    assert!(matches!(depot.image("../root.json"), Err(DepotError::Unknown(_))));
}

#[test]
fn after_a_rotation_the_old_keys_sign_nothing() {
    let (_folder, depot) = trusting();
    assert_eq!(refusal(&depot, "rotated", NOW), "taken");
    assert_eq!(refusal(&depot, "rotated-old-key", NOW), "Signature");
    assert_eq!(refusal(&depot, "newer", NOW), "Rollback");
}

#[test]
fn nothing_without_a_root_and_no_second_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let depot = Depot::open(folder.path(), None).expect("a depot");
    let refused = depot.import_firmware(&sample("good"), NOW);
    assert!(matches!(refused, Err(DepotError::Refused(Refusal::NoRoot))));
    let root = std::fs::read(sample("good").join("1.root.json")).expect("a root");
    let bent = String::from_utf8_lossy(&root).replace("2036", "2037");
    assert!(depot.trust_root(bent.as_bytes()).is_err(), "a root that was changed");
    depot.trust_root(&root).expect("a root");
    assert!(matches!(depot.trust_root(&root), Err(DepotError::Wrong(_))));
    assert_eq!(refusal(&depot, "good", NOW + 10 * 365 * 86_400 * 1_000_000), "Expired", "ten years later");
}

#[test]
fn a_zip_file_is_as_good_as_a_folder() {
    let (folder, depot) = trusting();
    let path = folder.path().join("p2.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).expect("a file"));
    for name in ["1.root.json", "timestamp.json", "snapshot.json", "targets.json", "targets/p2.bin"] {
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file(format!("acme/{name}"), options).expect("an entry");
        std::io::Write::write_all(&mut zip, &std::fs::read(sample("good").join(name)).expect("a file")).expect("written");
    }
    zip.finish().expect("a zip file");
    assert!(depot.import_firmware(&path, NOW).expect("taken")[0].here);
}
