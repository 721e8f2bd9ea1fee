//! Sparkplug B: a row of messages of one node. The first byte of each chooses the topic, the second its
//! length. Nothing panics, and what is read is the same when it is written and read again.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wire_sparkplug::{Nodes, Payload, Topic};

const TOPICS: [&str; 7] = [
    "spBv1.0/g/NBIRTH/n", "spBv1.0/g/NDATA/n", "spBv1.0/g/DBIRTH/n/d", "spBv1.0/g/DDATA/n/d", "spBv1.0/g/DDEATH/n/d",
    "spBv1.0/g/NDEATH/n", "spBv1.0/g/NCMD/n",
];

fuzz_target!(|bytes: &[u8]| {
    let mut nodes = Nodes::default();
    let mut rest = bytes;
    while let [choice, length, more @ ..] = rest {
        let (payload, after) = more.split_at(usize::from(*length).min(more.len()));
        rest = after;
        let Ok(topic) = Topic::parse(TOPICS[usize::from(*choice) % TOPICS.len()]) else { return };
        let _ = nodes.take(&topic, payload);
        if let Ok(read) = Payload::decode(payload) {
            // As texts: a NaN is no equal of itself.
            let again = Payload::decode(&read.encode()).map(|again| format!("{again:?}"));
            assert_eq!(again, Ok(format!("{read:?}")));
        }
    }
});
