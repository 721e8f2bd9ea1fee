//! Payloads whose values another implementation computed: the PyPI package `bluetooth-sig` 0.6.0,
//! over every combination of flags of heart rate, weight and running, and forty of body
//! composition. `independent.csv` holds characteristic, bytes, and metric=value; kJ, pounds and
//! inches were converted beside it (4.184, 0.45359237, 2.54). Characteristics with SFLOATs are left
//! out: that package reads them otherwise than IEEE 11073-20601 (docs/interfaces/bluetooth.md).

use vitals::Value;
use wire_gatt::decode;
use wire_gatt::measure::{Timing, measure};

#[test]
fn another_implementation_measures_the_same() {
    let mut compared = 0;
    for line in include_str!("independent.csv").lines() {
        let [uuid, hex, expected] = line.split(',').collect::<Vec<_>>()[..] else {
            panic!("three columns: {line}")
        };
        let uuid = u16::from_str_radix(uuid, 16).expect("a number");
        let bytes: Vec<u8> = (0..hex.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex"))
            .collect();
        let payload = decode(uuid, &bytes).unwrap_or_else(|error| panic!("{line}: {error}"));
        let measured = measure(&payload, Timing::default()).measurements;
        let expected: Vec<(&str, f64)> = expected
            .split(';')
            .filter_map(|pair| pair.split_once('='))
            .map(|(metric, value)| (metric, value.parse().expect("a number")))
            .collect();
        assert_eq!(measured.len(), expected.len(), "{line}");
        for (measurement, (metric, value)) in measured.iter().zip(expected) {
            assert_eq!(measurement.metric.refid(), metric, "{line}");
            let Value::Numeric(number) = measurement.value else { panic!("{line}") };
            assert!((number - value).abs() <= value.abs() * 1e-5, "{line}: {number}");
            compared += 1;
        }
    }
    assert!(compared > 250, "{compared} values");
}
