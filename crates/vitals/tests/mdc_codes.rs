//! Our metric and unit codes against an independent list of IEEE 11073-10101 codes. The list is not part
//! of the project: `VITALWIRE_DATA` names the folder that holds `mdc-codes.csv`, else
//! `../shared/data` beside the checkout is tried; without it the test says that it was skipped.

use std::collections::HashMap;
use std::path::PathBuf;

use vitals::{Metric, Unit};

/// Where the list errs: IEEE 11073-10404 gives the pulse rate of oximeters code 18458 of partition 2, which is
/// 149530 (149538 is that of the plethysmogram); IEEE 11073-10415 gives the body mass index unit 1952 of
/// partition 4, which is 264096. Both are understood.
const ERRATA: [&str; 2] = ["MDC_PULS_OXIM_PULS_RATE", "MDC_DIM_KG_PER_M_SQ"];
/// First code of the partition that manufacturers and we use for what the standard lacks.
const PRIVATE: u32 = 1024 << 16;

fn list() -> Option<HashMap<String, u32>> {
    let folder = std::env::var_os("VITALWIRE_DATA").map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data")),
        PathBuf::from,
    );
    let Ok(text) = std::fs::read_to_string(folder.join("mdc-codes.csv")) else {
        eprintln!("skipped: mdc-codes.csv is not there; set VITALWIRE_DATA to the folder that has it");
        return None;
    };
    let mut codes = HashMap::new();
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let [refid, partition, code, whole] = fields[..] else { panic!("{line}") };
        let Ok(whole) = whole.parse::<u32>() else { continue };
        if let (Ok(partition), Ok(code)) = (partition.parse::<u32>(), code.parse::<u32>()) {
            assert_eq!(partition << 16 | code, whole, "{line}");
        }
        if !ERRATA.contains(&refid) {
            codes.insert(refid.to_owned(), whole);
        }
    }
    Some(codes)
}

#[test]
fn codes_are_those_of_the_standard() {
    let Some(codes) = list() else { return };
    let mut wrong = Vec::new();
    let mut compared = 0;
    for metric in Metric::all().filter(|metric| metric.code.0 < PRIVATE) {
        if let Some(code) = codes.get(metric.refid) {
            compared += 1;
            if *code != metric.code.0 {
                wrong.push(format!("{}: {} here, {code} there", metric.refid, metric.code.0));
            }
        }
    }
    for unit in Unit::all() {
        if let Some(theirs) = codes.get(unit.refid()) {
            compared += 1;
            if *theirs != unit.mdc() {
                wrong.push(format!("{}: {} here, {theirs} there", unit.refid(), unit.mdc()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(compared >= 250, "only {compared} codes could be compared");
    eprintln!("{compared} codes of metrics and units equal the list's");
}
