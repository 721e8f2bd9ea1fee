//! Features offline and at the bedside are equal to the bit: computed in one go over a record, and of a history that was
//! stored and read back every hour, got an hour's values in another order, and never heard of what came later.

mod common;

use std::path::PathBuf;

use predict::feature::{Plan, Windows, all};
use predict::History;
use training::cohort::{self, Stay};
use training::draw::Draw;

const MINUTE_US: i64 = 60_000_000;

fn check(stays: &[Stay]) {
    let plan = Plan::of(all());
    for stay in stays {
        let mut offline: Vec<Vec<u32>> = Vec::new();
        let (mut room, mut row) = (Windows::default(), Vec::new());
        stay.replay(|_, history| {
            plan.fill(history, &mut room, &mut row);
            offline.push(row.iter().map(|value| value.to_bits()).collect());
        });
        let mut draw = Draw::new(stay.moments.len() as u64);
        let mut streaming = History::new(stay.person, 0);
        for (moment, minute) in stay.moments.iter().enumerate() {
            let mut values: Vec<_> = stay.values.iter().filter(|value| value.minute == *minute).collect();
            for at in (1..values.len()).rev() {
                values.swap(at, draw.below(at + 1));
            }
            for value in values {
                streaming.observe(value.variable, i64::from(value.minute) * MINUTE_US, value.value);
            }
            streaming.advance(i64::from(*minute) * MINUTE_US);
            let stored = serde_json::to_vec(&streaming).expect("a history is stored");
            streaming = serde_json::from_slice(&stored).expect("and read back");
            plan.fill(&streaming, &mut Windows::default(), &mut row);
            let bits: Vec<u32> = row.iter().map(|value| value.to_bits()).collect();
            assert_eq!(bits, offline[moment], "moment {moment} of {}", stay.id);
        }
    }
}

#[test]
fn made_up_patients_have_the_same_features_offline_and_streaming() {
    let folder = tempfile::tempdir().expect("a folder for a test");
    common::write(folder.path(), 40, 7);
    check(&cohort::read(&[folder.path().to_owned()], 1).expect("records are right"));
}

#[test]
fn a_thousand_real_patients_have_the_same_features_offline_and_streaming() {
    // `VITALWIRE_COHORT` is a folder of unpacked records of the Challenge 2019.
    let Some(folder) = std::env::var_os("VITALWIRE_COHORT").map(PathBuf::from).filter(|folder| folder.is_dir()) else {
        eprintln!("skipped: VITALWIRE_COHORT names no folder of records of the Challenge 2019");
        return;
    };
    let mut stays = cohort::read(&[folder], 2).expect("records are right");
    stays.truncate(1_000);
    check(&stays);
}
