//! Warnings judged by what followed, bed-days, weeks and intervals.

use burden::{Real, RealKind, Stay, Warning, Worn, monitored, right, share, warnings, week_of};
use jiff::tz::TimeZone;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

fn warning(patient: &str, hour: i64) -> Warning {
    Warning { patient: patient.to_owned(), at: hour * HOUR }
}

fn real(patient: &str, hour: i64) -> Real {
    Real { patient: patient.to_owned(), at: hour * HOUR, kind: RealKind::Death }
}

/// `(warnings, events, now)` in hours: followed, judged, waiting, foreseen, lead.
#[test]
fn a_warning_is_right_when_something_real_follows_it_in_time() {
    type Case<'a> = (&'a [Warning], &'a [Real], i64, (u64, u64, u64, u64), Option<f64>);
    let (a, b) = (warning("a", 10), warning("a", 12));
    let cases: &[Case<'_>] = &[
        (&[], &[], 100, (0, 0, 0, 0), None),
        (&[a.clone()], &[real("a", 20)], 100, (1, 1, 0, 1), Some(10.0)),
        (&[a.clone()], &[real("a", 35)], 100, (0, 1, 0, 0), None),
        (&[a.clone()], &[real("a", 9)], 100, (0, 1, 0, 0), None),
        (&[a.clone()], &[real("b", 11)], 100, (0, 1, 0, 0), None),
        (&[a.clone()], &[], 20, (0, 0, 1, 0), None),
        // Whoever was warned twice before one event was right twice; the event was foreseen once, at the first.
        (&[a, b], &[real("a", 20)], 100, (2, 2, 0, 1), Some(10.0)),
    ];
    for (warnings, events, now, (followed, judged, waiting, foreseen), lead) in cases {
        let told = right(warnings, events, DAY, now * HOUR);
        assert_eq!((told.followed.of, told.followed.all, told.waiting), (*followed, *judged, *waiting));
        assert_eq!((told.foreseen.of, told.foreseen.all), (*foreseen, events.len() as u64));
        assert_eq!(told.lead_median_h, *lead);
        assert_eq!(told.followed.share, None, "too few to tell");
    }
}

#[test]
fn a_band_is_entered_once() {
    let points = [(0, 3.0), (1, 5.0), (2, 6.0), (3, 4.0), (4, 5.0), (20, 4.0), (21, 7.0)];
    assert_eq!(warnings(&points, 5.0, 0), [1, 4, 21]);
    assert_eq!(warnings(&points, 5.0, 10), [1, 21]);
    assert_eq!(warnings(&points, 8.0, 0), [0_i64; 0]);
}

/// Wilson's interval for 81 of 263 is 0.2553 to 0.3662 (Newcombe, Stat Med 1998;17:857-72, table I).
#[test]
fn intervals_are_those_published() {
    let told = share(81, 263);
    assert!((told.low.unwrap_or_default() - 0.2553).abs() < 5e-5, "{told:?}");
    assert!((told.high.unwrap_or_default() - 0.3662).abs() < 5e-5, "{told:?}");
    let none = share(0, 20);
    assert_eq!((none.share, none.low), (Some(0.0), Some(0.0)));
    assert!((none.high.unwrap_or_default() - 0.1611).abs() < 5e-5, "{none:?}");
    assert_eq!(share(19, 19).share, None);
}

#[test]
fn bed_days_are_those_with_a_device_where_the_patient_lay() {
    let worn = |from, to: Option<i64>| Worn { patient: "a".into(), from: from * HOUR, to: to.map(|to| to * HOUR) };
    let stay = |from: i64, to: Option<i64>, bed: &str| Stay {
        patient: "a".into(),
        from: from * HOUR,
        to: to.map(|to| to * HOUR),
        unit: "ICU".into(),
        bed: bed.into(),
    };
    let told = monitored(
        &[worn(-5, Some(6)), worn(3, Some(12)), worn(20, None)],
        &[stay(2, None, "B1"), stay(8, Some(22), "B2")],
        0,
        24 * HOUR,
    );
    let hours: Vec<(&str, f64)> = told.iter().map(|one| (one.bed.as_str(), one.days * 24.0)).collect();
    // Nobody knows the first two hours; B1 from 2 to 8, B2 from 8 to 12 and 20 to 22, then nobody knows.
    assert_eq!(hours, [("", 4.0), ("B1", 6.0), ("B2", 6.0)]);
}

#[test]
fn weeks_begin_on_monday_at_the_place() {
    let berlin = TimeZone::get("Europe/Berlin").expect("a zone");
    // Sunday 25 October 2026, the day on which summer time ends: that week has 169 hours.
    let at = 1_792_940_400_000_000;
    let week = week_of(at, 0, &berlin).expect("a week");
    assert_eq!((week.name.as_str(), (week.to - week.from) / HOUR), ("2026-W43", 169));
    assert_eq!(week_of(at, 1, &berlin).expect("a week").to, week.from);
    // Friday 1 January 2027 is in the last week of 2026.
    assert_eq!(week_of(1_798_800_000_000_000, 0, &berlin).expect("a week").name, "2026-W53");
}
