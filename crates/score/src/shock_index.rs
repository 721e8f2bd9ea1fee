//! Shock index: pulse over systolic pressure.

use vitals::EffectiveTime;
use vitals::metric::code;

use crate::chart::judge_with;
use crate::input::{Inputs, MaxAge, Seen, see_number};
use crate::result::{Band, Parts, Score};

const SOURCE: &str = "Allgöwer M, Burri C. Schockindex. Dtsch Med Wochenschr 1967;92:1947-50. \
    Threshold of 0.9: Rady MY, et al. Ann Emerg Med 1994;24:685-90. \
    Children: Acker SN, et al. J Pediatr Surg 2015;50:331-4.";

/// Shock index at `now`. It has no points: its parts show pulse and pressure. The bands are the
/// adult ones from 17 years or at unknown age, the age-adjusted ones (SIPA) from 4 to 16 years, and
/// none below.
#[must_use]
pub fn shock_index(inputs: &Inputs, now: EffectiveTime, max_age: &MaxAge) -> Score {
    let pulse = see_number(inputs.pulse, now, max_age.pulse_s);
    // A pressure of zero or less is no pressure to divide by.
    let systolic = inputs.systolic.filter(|systolic| systolic.value > 0.0);
    let systolic = see_number(systolic, now, max_age.blood_pressure_s);
    let mut parts = Parts::new();
    for (metric, seen) in [(code::PULSE_RATE, pulse), (code::NIBP_SYS, systolic)] {
        let mut part = judge_with(metric, seen, |value| value, |_| (0, ""));
        part.points = None;
        parts.push(part);
    }
    let value = match (pulse, systolic) {
        (Seen::Fresh(pulse), Seen::Fresh(systolic)) => Some(pulse.value / systolic.value),
        _ => None,
    };
    let (band, note) = value.map_or((Band::None, ""), |value| band(value, inputs.age_years));
    Score {
        name: "Shock index",
        metric: code::SHOCK_INDEX,
        value,
        complete: parts.complete(),
        parts,
        band,
        response: match band {
            Band::None | Band::Low => "",
            Band::LowMedium => "Above the usual 0.5 to 0.7: watch the trend.",
            Band::Medium | Band::High => "Look for hidden loss of blood or volume, and for sepsis.",
        },
        note,
        source: SOURCE,
    }
}

fn band(value: f64, age_years: Option<f64>) -> (Band, &'static str) {
    let child = |limit: f64| if value > limit { Band::High } else { Band::Low };
    match age_years {
        Some(age) if age < 4.0 => (Band::None, "No threshold is published below 4 years."),
        Some(age) if age < 7.0 => (
            child(1.22),
            "Age-adjusted: raised above 1.22 at 4 to 6 years.",
        ),
        Some(age) if age < 13.0 => (
            child(1.0),
            "Age-adjusted: raised above 1.0 at 7 to 12 years.",
        ),
        Some(age) if age < 17.0 => (
            child(0.9),
            "Age-adjusted: raised above 0.9 at 13 to 16 years.",
        ),
        _ if value >= 1.0 => (Band::High, ""),
        _ if value >= 0.9 => (Band::Medium, ""),
        _ if value > 0.7 => (Band::LowMedium, ""),
        _ => (Band::Low, ""),
    }
}
