//! Which device comes when.

use std::collections::HashMap;

use super::plan::{Plan, Ring};

/// Every device's ring. Lists take theirs by name; percentages are filled in the order of a hash of
/// campaign target and id, so that the same devices aren't always the first.
pub(super) fn assign<'a>(
    plan: &Plan,
    devices: impl Iterator<Item = &'a str>,
) -> HashMap<&'a str, usize> {
    let mut order: Vec<&str> = devices.collect();
    order.sort_by_key(|id| (hash(&plan.target.sha256, id), *id));
    order.dedup();
    let all = order.len();
    let mut rings: HashMap<&str, usize> = HashMap::new();
    for (at, ring) in plan.rings.iter().enumerate() {
        if let Ring::Devices(list) = ring {
            for id in order.iter().filter(|id| list.iter().any(|named| named == *id)) {
                rings.entry(id).or_insert(at);
            }
        }
    }
    for (at, ring) in plan.rings.iter().enumerate() {
        if let Ring::Percent(percent) = ring {
            let wanted = (all * usize::from(*percent)).div_ceil(100);
            let free: Vec<&str> =
                order.iter().filter(|id| !rings.contains_key(*id)).take(wanted).copied().collect();
            rings.extend(free.into_iter().map(|id| (id, at)));
        }
    }
    let last = plan.rings.len().saturating_sub(1);
    for id in order {
        rings.entry(id).or_insert(last);
    }
    rings
}

/// FNV-1a, 64 bits: an order that nobody chose, nothing secret.
fn hash(salt: &str, id: &str) -> u64 {
    salt.bytes().chain([0]).chain(id.bytes()).fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
