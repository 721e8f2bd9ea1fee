//! Any bytes as XML: nothing panics, limits hold, and a tree that was read is written and read again
//! as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use markup::{Element, Limits, read, write};

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits { bytes: 1 << 16, depth: 16, nodes: 500 };
    let Ok(tree) = read(bytes, &limits) else { return };
    assert!(depth(&tree) <= limits.depth);
    let prefixes = [("s", "http://www.w3.org/2003/05/soap-envelope")];
    let text = write(&tree, &prefixes);
    let again = read(text.as_bytes(), &Limits::default()).expect("what is written can be read");
    assert_eq!(write(&again, &prefixes), text);
});

fn depth(element: &Element) -> usize {
    1 + element.children.iter().map(depth).max().unwrap_or(0)
}
