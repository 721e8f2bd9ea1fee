//! What the files of shipped models say of themselves, and what each model must know before it judges.

use predict::feature::{Fact, Feature, Stat};
use predict::model::{Check, Distribution, Outcome, Requires};

use crate::recipe::Recipe;

/// Texts of a model's file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words {
    pub version: &'static str,
    pub title: &'static str,
    words: &'static str,
    definition: &'static str,
    horizon_h: f32,
    pub population: &'static str,
    pub intended_use: &'static str,
    pub threshold: &'static str,
    pub data: &'static str,
    pub folders: &'static str,
    pub limits: &'static [&'static str],
}

const INTENDED: &str = "To order whom to look at next and to give reasons, beside clinical judgement and the hospital's own rules. Not \
    for diagnosis, not to withhold care, not the only ground of an alarm.";
const OF_2019: &str = "PhysioNet/CinC Challenge 2019, training sets A and B (https://physionet.org/content/challenge-2019/1.0.0/, CC BY 4.0): \
    adults in intensive care units of two hospitals in the United States.";
const TWO_HOSPITALS: &str = "Adults in intensive care of two hospitals; at other hospitals it must be watched and, as a rule, calibrated anew.";
const ICU_ONLY: &str = "It has learned from intensive care alone; on wards and at home its figures are not known.";
const DECLINE: &str = "The first of: mean pressure below 60 or systolic below 90 mmHg, saturation below 85 %, respiratory rate of 36 and \
    more or of 6 and less, heart rate of 150 and more, each in an hour and in the next measured one within two hours, after six hours \
    without; or onset of sepsis as in the Challenge 2019. Deaths are not in these data.";

const SEPSIS: Words = Words {
    version: "1.0.0",
    title: "Sepsis within 12 hours",
    words: "sepsis",
    definition: "Onset of sepsis as the Challenge 2019 dates it (Sepsis-3: suspected infection with a rise of SOFA by two): from 12 hours \
        before onset to 3 hours after.",
    horizon_h: 12.0,
    population: "Adults in intensive care.",
    intended_use: INTENDED,
    threshold: "Where the utility of the Challenge 2019 is greatest.",
    data: OF_2019,
    folders: "setA setB",
    limits: &[
        TWO_HOSPITALS,
        ICU_ONLY,
        "The hour of the stay and what was measured how often say a good part of it: clinicians who order tests already suspect something. \
         docs/clinical-evidence.md has the figures without them.",
        "Antibiotics, cultures, notes and drips are not looked at.",
    ],
};

const SEPSIS_AHEAD: Words = Words {
    title: "Sepsis in 6 to 24 hours",
    definition: "Onset of sepsis as the Challenge 2019 dates it (Sepsis-3: suspected infection with a rise of SOFA by two), not sooner than \
        in 6 and not later than in 24 hours.",
    horizon_h: 24.0,
    intended_use: "For alerts that come early enough to do something: to order whom to look at next and to give reasons, beside clinical \
        judgement and the hospital's own rules. Not for diagnosis, not to withhold care, not the only ground of an alarm.",
    threshold: "Where as many hours are alarmed as there are hours before onset, so that sensitivity and positive predictivity are the same.",
    ..SEPSIS
};

const DETERIORATION: Words = Words {
    version: "1.0.0",
    title: "Deterioration within 24 hours, with laboratory",
    words: "deterioration",
    definition: DECLINE,
    horizon_h: 24.0,
    population: "Adults; learned from intensive care.",
    intended_use: INTENDED,
    threshold: "Where as many hours are alarmed as there are hours before the event, so that sensitivity and positive predictivity are the \
        same.",
    data: OF_2019,
    folders: "setA setB",
    limits: &[
        TWO_HOSPITALS,
        ICU_ONLY,
        "Death and transfer are not in the public data: what is predicted is decline of vital signs to what intensive care treats, or sepsis. \
         Stays that end sooner than 24 hours later without it count as without it.",
    ],
};

const MORTALITY: Words = Words {
    version: "1.0.0",
    title: "Death in hospital, told after 48 hours of intensive care",
    words: "death in hospital",
    definition: "Death before discharge from the hospital, as in the Challenge 2012.",
    horizon_h: 720.0,
    population: "Adults who have been in intensive care for 48 hours.",
    intended_use: "To describe how ill a group of patients is. Not for decisions about one patient's treatment or its end.",
    threshold: "Where as many deaths are predicted as happen, so that sensitivity and positive predictivity are the same.",
    data: "PhysioNet/CinC Challenge 2012, set A (https://physionet.org/content/challenge-2012/1.0.0/, ODC-By 1.0): 4,000 adults who stayed in \
        intensive care for at least 48 hours.",
    folders: "cinc2012",
    limits: &[
        "It is made for the 48th hour of intensive care and refuses before the 44th and after the 60th.",
        "One hospital's patients of 2001 to 2008; care has changed since.",
        "When a death comes is not told: the horizon is the hospital stay and written as 30 days.",
    ],
};

/// The texts of a model.
pub(crate) fn of(id: &str) -> Words {
    match id {
        "sepsis" => SEPSIS,
        "sepsis-ahead" => SEPSIS_AHEAD,
        "mortality-48h" => MORTALITY,
        "deterioration-vitals" => Words { title: "Deterioration within 24 hours, from vital signs alone", ..DETERIORATION },
        _ => DETERIORATION,
    }
}

/// What a model predicts.
pub(crate) fn outcome(id: &str) -> Outcome {
    let words = of(id);
    Outcome { words: words.words.to_owned(), definition: words.definition.to_owned(), horizon_h: words.horizon_h }
}

/// What a model must know. Only what its recipe looks at can be asked for.
pub(crate) fn requires(recipe: &Recipe) -> Requires {
    let mut checks = vec![range(Fact::Age, "age", Some(16.0), None)];
    if recipe.id == "mortality-48h" {
        checks.push(range(Fact::StayHours, "hours in intensive care", Some(44.0), Some(60.0)));
    }
    let vitals = ["HR", "O2Sat", "SBP", "MAP", "Resp", "Temp"];
    let known = vitals.iter().filter(|name| recipe.features.iter().any(|feature| feature.to_string() == format!("{name}.age")));
    let variables: Vec<String> = known.map(|name| (*name).to_owned()).collect();
    let at_least = variables.len().min(3) as u16;
    checks.push(Check::Measured { variables, at_least, within_h: 4.0 });
    Requires { checks, unusual_most: 12 }
}

fn range(fact: Fact, words: &str, from: Option<f32>, to: Option<f32>) -> Check {
    let may_be_missing = fact == Fact::Age;
    Check::Range { feature: Feature::Fact(fact).to_string(), words: words.to_owned(), from, to, may_be_missing }
}

/// Names of features that requirements look at.
pub(crate) fn asked(requires: &Requires) -> Vec<String> {
    let of = |check: &Check| match check {
        Check::Range { feature, .. } => vec![feature.clone()],
        Check::Measured { variables, .. } => variables.iter().map(|name| format!("{name}.{}", Stat::Age.name())).collect(),
    };
    requires.checks.iter().flat_map(of).collect()
}

/// What a requirement allows from one number to another is nothing unusual, also where training has seen one value only.
pub(crate) fn widen(requires: &Requires, name: &str, distribution: &mut Distribution) {
    for check in &requires.checks {
        if let Check::Range { feature, from: Some(from), to: Some(to), .. } = check {
            if feature == name && distribution.low.is_some() {
                distribution.low = distribution.low.map(|low| low.min(*from));
                distribution.high = distribution.high.map(|high| high.max(*to));
            }
        }
    }
}
