//! Ten thousand manipulations of audit and journal files: each is found, and its place is named.
//! `MANIPULATIONS` says how many (2,000 if not set), `SEED` which.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use guard::{
    AuditLog, Checks, Guard, JOURNAL_NOTED, JournalHead, Outcome, Record, Rotation, STOPPED,
};
use journal::{EmbeddedJournal, Encoded, Journal, Options, RealDisk, inspect};
use vitals::{DeviceId, Event, LinkState, PatientId, ReceiveTime};

use super::check::check;

/// Numbers from a seed (SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// The files that are checked, by their paths below the data folder.
fn files(data: &Path) -> Files {
    let mut found = Files::new();
    for folder in ["guard", "journal"] {
        for entry in fs::read_dir(data.join(folder)).expect("a folder") {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let of_audit = name.starts_with("audit") && name != "audit.lock";
            if of_audit || name.ends_with(".vwj") {
                found.insert(Path::new(folder).join(name), fs::read(&path).expect("read"));
            }
        }
    }
    found
}

fn record(n: u64, action: &'static str) -> Record {
    let at = ReceiveTime(1_700_000_000_000_000 + n as i64);
    Record {
        subject: Some(PatientId::from_identifier("urn:test", &n.to_string())),
        outcome: Outcome::Allowed,
        ..Record::new(at, "nurse-7", action)
    }
}

/// Lives through some accesses and batches, and stops in order.
fn live(data: &Path, accesses: std::ops::Range<u64>) {
    let guard = Guard::trial(&data.join("guard")).expect("a guard");
    guard.rotate_audit_by(Rotation { bytes: 9_000, age_us: 0 });
    let options = Options { segment_bytes: 1_500, key: None };
    let folder = data.join("journal");
    let mut journal =
        EmbeddedJournal::open_on(Arc::new(RealDisk), &folder, options).expect("a journal");
    for n in accesses {
        let event = Event::Link {
            device: DeviceId::sanitised(&format!("monitor-{n}")),
            state: LinkState::Online,
            reason: "it came".to_owned(),
        };
        let batch = [Encoded::new(&event, None).expect("it encodes")];
        journal.append(ReceiveTime(n as i64), &batch).expect("written");
        guard.audit_blocking(record(n, "see-patients")).expect("written");
        if n % 10 == 9 {
            let (place, first) = (journal.reader().head().expect("a chain"), journal.first_offset());
            let object = JournalHead::text(place.next, first, &place.chain);
            guard.audit_blocking(Record { object, ..record(n, JOURNAL_NOTED) }).expect("written");
        }
    }
    guard.audit_blocking(record(0, STOPPED)).expect("written");
}

/// What a manipulation leads to.
struct Done {
    what: &'static str,
    changed: Files,
    /// Files of which one is to be named.
    named: Vec<PathBuf>,
    /// The record that is to be named, where it can be only one.
    record: Option<u64>,
}

struct Bench {
    data: tempfile::TempDir,
    now: Files,
    old: Files,
    checks: Checks,
    /// Where batches end, by file.
    frames: BTreeMap<PathBuf, Vec<usize>>,
}

impl Bench {
    fn new() -> Self {
        let data = tempfile::tempdir().expect("a folder");
        live(data.path(), 0..40);
        let old = files(data.path());
        live(data.path(), 40..100);
        let head = AuditLog::at(&data.path().join("guard")).head().expect("read").expect("signed");
        let heads = vec![("the witness".to_owned(), head.note())];
        let mut frames = BTreeMap::<PathBuf, Vec<usize>>::new();
        inspect(&data.path().join("journal"), &Options::default(), |_, file, position| {
            let name = Path::new("journal").join(file.file_name().expect("a name"));
            frames.entry(name).or_default().push(position as usize);
        })
        .expect("whole");
        frames.retain(|_, ends| ends.len() > 2);
        let now = files(data.path());
        Self { data, now, old, checks: Checks { heads, ..Checks::default() }, frames }
    }

    /// What is wrong with the data folder now: file and record or position.
    fn told(&self) -> Option<(String, Option<u64>, String)> {
        let (guard, journal) = (self.data.path().join("guard"), self.data.path().join("journal"));
        let broken = check(&guard, &journal, &self.checks).err()?;
        let (file, at) = broken.place();
        Some((file, at, broken.to_string()))
    }

    fn put(&self, from: &Files, to: &Files) {
        for (path, bytes) in to {
            if from.get(path) != Some(bytes) {
                fs::write(self.data.path().join(path), bytes).expect("written");
            }
        }
        for path in from.keys().filter(|path| !to.contains_key(*path)) {
            fs::remove_file(self.data.path().join(path)).expect("removed");
        }
    }

    fn any<'a>(&self, random: &mut Random, of: &'a Files) -> (&'a PathBuf, &'a Vec<u8>) {
        of.iter().nth(random.below(of.len())).expect("there are files")
    }

    fn logs(&self) -> Files {
        let logs = self.now.iter().filter(|(path, _)| path.extension().is_some_and(|e| e == "log"));
        logs.map(|(path, bytes)| (path.clone(), bytes.clone())).collect()
    }

    /// One manipulation; none when chance chose one that changes nothing.
    fn manipulate(&self, random: &mut Random) -> Option<Done> {
        let mut changed = self.now.clone();
        let (path, bytes) = self.any(random, &self.now);
        let (path, at) = (path.clone(), random.below(bytes.len()));
        let (mut named, mut record) = (vec![path.clone()], None);
        let what = match random.below(12) {
            0 | 1 => {
                changed.get_mut(&path)?[at] ^= 1 << random.below(8);
                "a bit flipped"
            }
            2 => {
                changed.get_mut(&path)?.truncate(at);
                "the end cut off"
            }
            3 => {
                changed.remove(&path);
                "a file removed"
            }
            4 => {
                let (other, theirs) = self.any(random, &self.now);
                changed.insert(path.clone(), theirs.clone());
                changed.insert(other.clone(), bytes.clone());
                named.push(other.clone());
                "two files exchanged"
            }
            5 => {
                changed.insert(path.clone(), self.old.get(&path)?.clone());
                "an old copy of a file put back"
            }
            6 => {
                let folder = path.parent()?.to_owned();
                changed.retain(|path, _| !path.starts_with(&folder));
                changed.extend(self.old.clone().into_iter().filter(|(path, _)| path.starts_with(&folder)));
                named.extend(self.now.keys().filter(|path| path.starts_with(&folder)).cloned());
                "old copies of all files put back"
            }
            7 => {
                let more: Vec<u8> = (0..=random.below(200)).map(|_| random.below(256) as u8).collect();
                changed.get_mut(&path)?.extend(more);
                "bytes added at the end"
            }
            8 => {
                changed.get_mut(&path)?.remove(at);
                "a byte removed"
            }
            9 => {
                let ends = &self.frames.get(&path)?;
                frames(random, ends, changed.get_mut(&path)?)
            }
            kind => {
                let logs = self.logs();
                let (path, bytes) = self.any(random, &logs);
                named = vec![path.clone()];
                let (what, lines, line) = lines(random, bytes, kind == 10);
                record = Some(first_of(bytes) + line as u64);
                changed.insert(path.clone(), lines);
                what
            }
        };
        let done = Done { what, changed, named, record };
        (done.changed != self.now).then_some(done)
    }
}

fn first_of(log: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(&log[..40]).into_owned();
    text.trim_start_matches("{\"n\":").split(',').next().and_then(|n| n.parse().ok()).expect("a number")
}

/// Batches of a journal file dropped, exchanged or doubled.
fn frames(random: &mut Random, ends: &[usize], bytes: &mut Vec<u8>) -> &'static str {
    let index = random.below(ends.len() - 1);
    let (start, end) = (ends[index], ends[index + 1]);
    let frame = bytes[start..end].to_vec();
    match random.below(3) {
        0 => {
            bytes.drain(start..end);
            "a batch removed"
        }
        1 => {
            bytes.splice(end..end, frame);
            "a batch doubled"
        }
        _ => {
            let at = ends[random.below(index + 1)];
            bytes.drain(start..end);
            bytes.splice(at..at, frame);
            "a batch moved"
        }
    }
}

/// Lines of a log dropped, exchanged, doubled or put in; the first line that is another then.
fn lines(random: &mut Random, log: &[u8], one: bool) -> (&'static str, Vec<u8>, usize) {
    let mut lines: Vec<Vec<u8>> = log.split_inclusive(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    let (index, other) = (random.below(lines.len()), random.below(lines.len()));
    match (one, random.below(2)) {
        (true, 0) => {
            lines.remove(index);
            ("a record removed", lines.concat(), index)
        }
        (true, _) => {
            let copy = lines[index].clone();
            lines.insert(index, copy);
            ("a record doubled", lines.concat(), index + 1)
        }
        (false, 0) => {
            lines.swap(index, other);
            ("two records exchanged", lines.concat(), index.min(other))
        }
        (false, _) => {
            let text = String::from_utf8_lossy(&lines[index]).replace("\"actor\":\"", "\"actor\":\"x");
            lines.insert(index, text.into_bytes());
            ("a record put in", lines.concat(), index)
        }
    }
}

#[test]
fn every_manipulation_is_found_and_its_place_named() {
    let number = |name: &str| std::env::var(name).ok().and_then(|n| n.parse::<u64>().ok());
    let (rounds, seed) = (number("MANIPULATIONS").unwrap_or(2_000), number("SEED").unwrap_or(20_261_121));
    let bench = Bench::new();
    assert_eq!(bench.told(), None, "untouched");
    let mut random = Random(seed);
    let mut done = BTreeMap::<&str, (u64, u64)>::new();
    let mut count = 0;
    while count < rounds {
        let Some(made) = bench.manipulate(&mut random) else { continue };
        count += 1;
        bench.put(&bench.now, &made.changed);
        let told = bench.told();
        bench.put(&made.changed, &bench.now);
        let (file, at, text) = told.unwrap_or_else(|| panic!("seed {seed} {count} {} {:?}: not found", made.what, made.named));
        if let Some(record) = made.record {
            assert_eq!(at, Some(record), "seed {seed} {count} {}: {text}", made.what);
        }
        let entry = done.entry(made.what).or_default();
        entry.0 += 1;
        let named = made.named.iter().any(|path| path.file_name().is_some_and(|name| *name == *file));
        entry.1 += u64::from(named);
    }
    assert_eq!(bench.told(), None, "all put back");
    println!("seed {seed}: {rounds} manipulations, all found; by kind (found, in a file that was touched): {done:?}");
}
