//! What sealing an entry costs: `cargo run --release -p seal --example cost`. The least of many
//! rounds counts, for whatever else the machine does only adds.

use std::time::Instant;

use seal::{Cipher, Key, Mask};

const ENTRIES: u64 = 500;
const ROUNDS: usize = 2_000;

fn least(mut round: impl FnMut()) -> f64 {
    let times = (0..ROUNDS).map(|_| {
        let begun = Instant::now();
        round();
        begun.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min) / ENTRIES as f64 * 1e9
}

fn main() {
    let (cipher, mask) = (Cipher::new(&Key::new([7; 32])), Mask::new(&Key::new([8; 32])));
    let mut nonce = [0; 12];
    for bytes in [64, 128, 256, 1_024] {
        let text = vec![5; bytes];
        let mut out = Vec::with_capacity(bytes + 16);
        let sealing = least(|| {
            for offset in 0..ENTRIES {
                nonce[..8].copy_from_slice(&offset.to_le_bytes());
                out.clear();
                out.extend_from_slice(&text);
                cipher.seal(&nonce, b"place", &mut out, 0);
            }
        });
        println!("an entry of {bytes} bytes: {sealing:.0} ns");
    }
    let mut number = 1;
    let hiding = least(|| (0..ENTRIES).for_each(|_| number = mask.hide(number)));
    println!("a hidden key: {hiding:.0} ns ({number:x})");
}
