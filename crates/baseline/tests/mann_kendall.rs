//! Mann–Kendall and Sen's slope against an independent implementation: `pymannkendall` 1.4.3
//! (PyPI), `original_test`, whose S, z and slope per step stand here as it printed them.

use baseline::Trend;

/// Values a step apart, S, z, slope per step.
const CASES: &[(&[f64], i32, f64, f64)] = &[
    (&[80., 80., 81., 82., 82., 83., 85., 85., 86., 90.], 42, 3.711_965_587_743_26, 1.0),
    (
        &[97., 96., 97., 96., 95., 96., 94., 95., 93., 94., 92., 93.],
        -49,
        -3.352_465_419_693_975,
        -0.444_444_444_444_444_4,
    ),
    (
        &[120., 118., 121., 119., 120., 122., 118., 121., 120., 119., 121.],
        7,
        0.480_898_516_630_738_35,
        0.0,
    ),
    (
        &[36.6, 36.6, 36.7, 36.9, 37.1, 37.0, 37.4, 37.6, 37.9, 38.2, 38.1, 38.6],
        61,
        4.124_060_379_740_825,
        0.180_909_090_909_090_77,
    ),
    (&[18., 18., 18., 18., 18., 18., 18., 18., 18., 18.], 0, 0.0, 0.0),
    (
        &[14., 15., 14., 16., 15., 17., 16., 18., 18., 17., 19., 20., 19., 21., 60.],
        87,
        4.287_512_937_751_162,
        0.5,
    ),
    (
        &[
            82., 71., 76., 80., 87., 80., 72., 82., 74., 86., 79., 89., 79., 75., 73., 78., 82., 86., 81., 76.,
            83., 73., 83., 76., 87., 85., 82., 75., 83., 82., 77., 77.,
        ],
        37,
        0.586_186_549_479_758_6,
        0.059_649_122_807_017_54,
    ),
    (
        &[
            82.5, 79.0, 80.5, 82.2, 76.2, 82.6, 80.8, 77.3, 76.5, 75.8, 79.9, 72.7, 79.5, 77.7, 75.8, 76.0,
            76.1, 76.1, 78.2, 74.5, 78.2, 77.8, 75.1, 76.6,
        ],
        -101,
        -2.482_732_642_172_478,
        -0.213_392_857_142_857_35,
    ),
];

#[test]
fn it_says_what_another_implementation_says() {
    let hour = 3_600_000_000;
    for (values, s, z, slope) in CASES {
        let points: Vec<(i64, f64)> = (0..).zip(*values).map(|(at, v)| (at * hour, *v)).collect();
        let trend = Trend::of(&points).expect("ten values or more");
        assert_eq!(trend.s, *s, "{values:?}");
        assert!((trend.z - z).abs() < 1e-12, "{} and {z}: {values:?}", trend.z);
        assert!((trend.slope_per_h - slope).abs() < 1e-12, "{} and {slope}", trend.slope_per_h);
    }
}

#[test]
fn too_little_is_not_judged() {
    let points = |n: i64| -> Vec<(i64, f64)> { (0..n).map(|at| (at, at as f64)).collect() };
    assert_eq!(Trend::of(&points(9)), None);
    assert!(Trend::of(&points(10)).is_some());
    assert_eq!(Trend::of(&[(0, 1.0); 12]), None);
    assert_eq!(Trend::of(&[(0, f64::NAN); 12]), None);
}
