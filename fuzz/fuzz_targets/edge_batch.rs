//! Any bytes as a batch of an edge, and its pieces: nothing panics, numbers rise, and what is read
//! is written as it was and read again.
#![no_main]

use edge::Batch;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(batch) = Batch::read(bytes) else { return };
    assert!(batch.pieces.windows(2).all(|pair| pair[0].0 < pair[1].0));
    assert_eq!(Batch::read(&batch.write()).as_ref(), Ok(&batch));
    for (_, piece) in &batch.pieces {
        if let Some(what) = Batch::read_piece(piece) {
            let again = Batch::write_piece(&what);
            assert!(Batch::read_piece(&again).is_some());
        }
    }
});
