//! Whether a patient is on oxygen, as the scores see it: charted by a nurse, or measured in the gas.

mod common;

use common::*;
use vitals::metric::code::{FIO2, NEWS2, SUPPLEMENTAL_OXYGEN};

/// NEWS2's points for oxygen.
fn points(run: &Run) -> Option<u8> {
    let scores = &run.engine.patient(&patient("a")).expect("the patient is known").scores;
    let score = scores.get(NEWS2).expect("NEWS2 is computed");
    let part = score.parts.iter().find(|part| part.metric == SUPPLEMENTAL_OXYGEN);
    part.expect("oxygen is a part of NEWS2").points
}

#[test]
fn what_was_said_last_about_oxygen_counts() {
    let mut run = Run::new();
    run.at(0.0, associate("m", "a", None));
    run.at(1.0, says("m", 1.0, &WELL));
    assert_eq!(points(&run), None, "nobody said");
    run.at(2.0, says("m", 2.0, &[(FIO2, 40.0)]));
    assert_eq!(points(&run), Some(2), "measured");
    run.at(3.0, says("m", 3.0, &[(SUPPLEMENTAL_OXYGEN, 0.0)]));
    assert_eq!(points(&run), Some(0), "charted later");
    run.at(4.0, says("m", 4.0, &[(FIO2, 21.0)]));
    assert_eq!(points(&run), Some(0), "room air");
    run.at(5.0, says("m", 5.0, &[(FIO2, 24.0), (SUPPLEMENTAL_OXYGEN, 1.0)]));
    assert_eq!(points(&run), Some(2), "both");
}
