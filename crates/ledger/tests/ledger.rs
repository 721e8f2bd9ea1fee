//! The tree against its definition, proofs against every other leaf and size, heads against every
//! flipped bit.

use ledger::{
    Checkpoint, Frontier, Hash, LedgerError, LogKey, Row, Rows, SignedHead, Verifier, consistency,
    empty_root, inclusion, leaf_hash, node_hash, root, verify_consistency, verify_inclusion,
};
use proptest::prelude::*;

/// Rows in memory.
#[derive(Default)]
struct Kept(Vec<Vec<Hash>>);

impl Kept {
    fn keep(&mut self, row: Row) {
        let file = usize::from(row.file);
        while self.0.len() <= file {
            self.0.push(Vec::new());
        }
        assert_eq!(self.0[file].len() as u64, row.index, "rows come in order");
        self.0[file].push(row.hash);
    }
}

impl Rows for Kept {
    type Error = LedgerError;

    fn rows(&self, file: u8, start: u64, count: usize) -> Result<Vec<Hash>, LedgerError> {
        assert!(count <= 128);
        let file = self.0.get(usize::from(file)).ok_or(LedgerError::Beyond)?;
        let start = start as usize;
        file.get(start..start + count).map(<[Hash]>::to_vec).ok_or(LedgerError::Beyond)
    }
}

fn grown(size: u64) -> (Frontier, Kept) {
    let (mut frontier, mut kept) = (Frontier::default(), Kept::default());
    for n in 0..size {
        frontier.push(leaf_hash(&n.to_le_bytes()), |row| kept.keep(row));
    }
    (frontier, kept)
}

/// The definition of RFC 6962 section 2.1, word by word.
fn defined(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        many => {
            let mut left = 1;
            while left * 2 < many.len() {
                left *= 2;
            }
            node_hash(&defined(&many[..left]), &defined(&many[left..]))
        }
    }
}

fn hex(hash: &Hash) -> String {
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn roots_are_those_of_the_definition() {
    let (mut frontier, mut kept) = (Frontier::default(), Kept::default());
    let mut leaves = Vec::new();
    for n in 0..1_200_u64 {
        assert_eq!(frontier.root(), defined(&leaves), "{n}");
        assert_eq!(root(&kept, n), Ok(frontier.root()));
        assert_eq!(Frontier::load(&kept, n), Ok(frontier.clone()));
        let leaf = leaf_hash(&n.to_le_bytes());
        leaves.push(leaf);
        frontier.push(leaf, |row| kept.keep(row));
    }
}

/// The empty tree and the tree of one empty leaf, whose hashes are SHA-256 of nothing and of a
/// zero byte.
#[test]
fn the_smallest_trees() {
    assert_eq!(
        hex(&empty_root()),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    assert_eq!(
        hex(&leaf_hash(b"")),
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    );
}

#[test]
fn every_entry_of_small_trees_is_proved_and_no_other_place() {
    let (_, kept) = grown(70);
    for size in 1..=70 {
        let whole = root(&kept, size).expect("kept");
        for index in 0..size {
            let leaf = leaf_hash(&index.to_le_bytes());
            let path = inclusion(&kept, index, size).expect("kept");
            assert_eq!(verify_inclusion(&leaf, index, size, &whole, &path), Ok(()));
            for other in (0..size).filter(|other| *other != index) {
                assert!(verify_inclusion(&leaf, other, size, &whole, &path).is_err());
            }
        }
        assert_eq!(inclusion(&kept, size, size), Err(LedgerError::Beyond));
    }
}

#[test]
fn every_longer_tree_continues_every_shorter_one() {
    let (_, kept) = grown(70);
    let roots: Vec<Hash> = (0..=70).map(|size| root(&kept, size).expect("kept")).collect();
    for new in 1..=70_u64 {
        for old in 1..=new {
            let path = consistency(&kept, old, new).expect("kept");
            let (then, now) = (&roots[old as usize], &roots[new as usize]);
            assert_eq!(verify_consistency((old, then), (new, now), &path), Ok(()), "{old} {new}");
            let mut other = *then;
            other[7] ^= 1;
            assert!(verify_consistency((old, &other), (new, now), &path).is_err());
            let mut other = *now;
            other[7] ^= 1;
            assert!(verify_consistency((old, then), (new, &other), &path).is_err());
        }
    }
}

#[test]
fn a_large_tree_is_proved_from_few_rows() {
    let (frontier, kept) = grown(200_000);
    assert_eq!(kept.0.iter().map(Vec::len).collect::<Vec<_>>(), [200_000, 781, 3]);
    let whole = frontier.root();
    for index in [0, 1, 255, 256, 65_535, 65_536, 131_072, 199_999] {
        let path = inclusion(&kept, index, 200_000).expect("kept");
        assert!(path.len() <= 18);
        let leaf = leaf_hash(&index.to_le_bytes());
        assert_eq!(verify_inclusion(&leaf, index, 200_000, &whole, &path), Ok(()));
    }
}

fn head() -> (LogKey, SignedHead) {
    let key = LogKey::log("vitalwire-test", &[7; 32]).expect("a name");
    let checkpoint =
        Checkpoint { origin: "vitalwire-test".to_owned(), size: 20, root: leaf_hash(b"x") };
    let head = checkpoint.signed(&key);
    (key, head)
}

#[test]
fn a_head_holds_as_it_is_and_with_no_bit_flipped() {
    let (key, head) = head();
    let note = head.note();
    let read = SignedHead::parse(&note).expect("our own");
    assert_eq!((read.check(&key.verifier()), &read), (Ok(None), &head));
    for byte in 0..note.len() {
        for bit in 0..8 {
            let mut changed = note.clone().into_bytes();
            changed[byte] ^= 1 << bit;
            let read = String::from_utf8(changed).ok().and_then(|t| SignedHead::parse(&t).ok());
            let holds = read.is_some_and(|read| read.check(&key.verifier()).is_ok());
            assert!(!holds, "byte {byte} bit {bit}");
        }
    }
}

#[test]
fn a_witness_signs_with_its_time() {
    let (key, mut head) = head();
    let witness = LogKey::witness("witness.example/a", &[9; 32]).expect("a name");
    let line = head.cosign(&witness, 1_700_000_000);
    assert_eq!(ledger::Signature::parse(line.line().trim_end()), Ok(line.clone()));
    head.signatures.push(line);
    let read = SignedHead::parse(&head.note()).expect("our own");
    assert_eq!(read.check(&witness.verifier()), Ok(Some(1_700_000_000)));
    assert_eq!(read.check(&key.verifier()), Ok(None));
    let other = LogKey::witness("witness.example/a", &[8; 32]).expect("a name");
    assert_eq!(read.check(&other.verifier()), Err(LedgerError::Unsigned));
}

#[test]
fn keys_are_read_as_they_are_written_and_no_other_way() {
    let (key, _) = head();
    let text = key.verifier().to_string();
    assert_eq!(Verifier::parse(&text), Ok(key.verifier()));
    for byte in 0..text.len() {
        for bit in 0..8 {
            let mut changed = text.clone().into_bytes();
            changed[byte] ^= 1 << bit;
            let read = String::from_utf8(changed).ok().and_then(|t| Verifier::parse(&t).ok());
            assert!(read.is_none(), "byte {byte} bit {bit}: {read:?}");
        }
    }
    assert!(LogKey::log("a b", &[0; 32]).is_err() && LogKey::log("", &[0; 32]).is_err());
}

proptest! {
    #[test]
    fn any_text_is_an_answer(text: String) {
        let _ = (SignedHead::parse(&text), Verifier::parse(&text), Checkpoint::parse(&text));
    }

    #[test]
    fn any_proof_is_an_answer(old: u64, new: u64, path in proptest::collection::vec(any::<[u8; 32]>(), 0..70)) {
        let (a, b) = (leaf_hash(b"a"), leaf_hash(b"b"));
        prop_assert!(verify_inclusion(&a, old, new, &b, &path).is_err() || path.is_empty());
        let _ = verify_consistency((old, &a), (new, &b), &path);
    }
}
