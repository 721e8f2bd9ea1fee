//! How each shipped model is made: what it looks at, how its forest is grown, what its file says of it.

use predict::feature::{Derived, Fact, Feature, Stat, WindowStat};
use predict::{Kind, Variable};

use crate::grow::Settings;
use crate::outcome::Task;

/// How a model is made.
#[derive(Debug, Clone, PartialEq)]
pub struct Recipe {
    /// What the model is called by programs.
    pub id: &'static str,
    /// What it predicts.
    pub task: Task,
    /// How trees are grown.
    pub settings: Settings,
    /// How many forests, with seeds of their own, are averaged.
    pub bags: usize,
    /// Share of moments of stays with the event that a tree sees.
    pub keep_eventful: f32,
    /// Share of moments of other stays.
    pub keep_others: f32,
    /// Whether calibration's curve is a smooth one, for few patients, and not isotonic.
    pub smooth: bool,
    /// What it looks at.
    pub features: Vec<Feature>,
}

/// Vital signs that a ward has.
const VITALS: [Variable; 7] = [
    Variable::HeartRate,
    Variable::OxygenSaturation,
    Variable::Temperature,
    Variable::Systolic,
    Variable::MeanPressure,
    Variable::Diastolic,
    Variable::RespRate,
];

/// Variables of the Challenge 2019.
const OF_2019: usize = 34;

/// What is made of vital signs alone.
const DERIVED_VITALS: [Derived; 8] = [
    Derived::ShockIndex,
    Derived::PulsePressure,
    Derived::HeartToTemperature,
    Derived::BreathsToSaturation,
    Derived::Qsofa,
    Derived::News,
    Derived::LowPressureHours,
    Derived::MeanPressureAboveLowest,
];

impl Recipe {
    /// Names of the models that can be made.
    pub const IDS: [&str; 5] = ["sepsis", "sepsis-ahead", "deterioration", "deterioration-vitals", "mortality-48h"];

    /// The recipe of a model.
    #[must_use]
    pub fn of(id: &str) -> Option<Self> {
        let settings = Settings { trees: 240, rate: 0.05, depth: 6, leaves: 32, lambda: 50.0, child: 40.0, features: 0.2, seed: 1 };
        let hourly = |id, task, features| Self { id, task, settings, bags: 1, keep_eventful: 0.6, keep_others: 0.12, smooth: false, features };
        Some(match id {
            "sepsis" => hourly("sepsis", Task::Sepsis, sepsis()),
            "sepsis-ahead" => hourly("sepsis-ahead", Task::SepsisAhead, sepsis()),
            "deterioration" => Self {
                settings: Settings { trees: 160, child: 20.0, ..settings },
                keep_eventful: 0.4,
                ..hourly("deterioration", Task::Deterioration, deterioration(true))
            },
            "deterioration-vitals" => Self {
                settings: Settings { trees: 160, child: 20.0, features: 0.3, ..settings },
                keep_eventful: 0.4,
                ..hourly("deterioration-vitals", Task::Deterioration, deterioration(false))
            },
            "mortality-48h" => Self {
                id: "mortality-48h",
                task: Task::Mortality,
                settings: Settings { trees: 75, rate: 0.1, depth: 4, leaves: 10, lambda: 5.0, child: 6.0, features: 0.15, seed: 1 },
                bags: 8,
                keep_eventful: 0.7,
                keep_others: 0.7,
                smooth: true,
                features: mortality(),
            },
            _ => return None,
        })
    }

    /// The same without what tells the hour of the stay: the hour itself, counts that grow with it, also those of a window
    /// within the first day, and their shares of it (of what was measured once, one over the hour).
    #[must_use]
    pub fn without_hours(mut self) -> Self {
        let tells = |feature: &Feature| {
            matches!(
                feature,
                Feature::Fact(Fact::StayHours)
                    | Feature::Track(_, Stat::Count | Stat::Rate)
                    | Feature::Window(_, WindowStat::Hours | WindowStat::Span | WindowStat::Sum, _)
                    | Feature::Measured(..)
            )
        };
        self.features.retain(|feature| !tells(feature));
        self
    }
}

fn tracks(variables: &[Variable], stats: &[Stat]) -> Vec<Feature> {
    variables.iter().flat_map(|variable| stats.iter().map(|stat| Feature::Track(*variable, *stat))).collect()
}

/// Windows of 6 and 12 hours.
fn windows(variables: &[Variable]) -> Vec<Feature> {
    use WindowStat as W;
    let of = |variable: &Variable| {
        let six = [W::Mean, W::Min, W::Max, W::Slope, W::From, W::Span].map(|stat| Feature::Window(*variable, stat, 6));
        let twelve = [W::Mean, W::Min, W::Max, W::Sd, W::Slope].map(|stat| Feature::Window(*variable, stat, 12));
        six.into_iter().chain(twelve).collect::<Vec<_>>()
    };
    variables.iter().flat_map(of).collect()
}

fn facts(facts: &[Fact]) -> impl Iterator<Item = Feature> {
    facts.iter().copied().map(Feature::Fact)
}

fn measured() -> impl Iterator<Item = Feature> {
    [Kind::Vital, Kind::Lab].into_iter().flat_map(|kind| [1, 6, 24].map(|hours| Feature::Measured(kind, hours)))
}

fn sepsis() -> Vec<Feature> {
    let variables = &Variable::ALL[..OF_2019];
    let mut all = tracks(variables, &[Stat::Last, Stat::Age, Stat::Count, Stat::Rate, Stat::Change, Stat::Own]);
    all.extend(tracks(&VITALS, &[Stat::Mean, Stat::Low, Stat::High, Stat::First]));
    let labs: Vec<Variable> = variables.iter().copied().filter(|variable| variable.kind() == Kind::Lab).collect();
    all.extend(tracks(&labs, &[Stat::Gap]));
    all.extend(windows(&VITALS));
    for variable in VITALS {
        use WindowStat as W;
        all.extend([(W::Hours, 6), (W::Hours, 24), (W::Mean, 24), (W::Sd, 24), (W::Slope, 24)].map(|(stat, hours)| {
            Feature::Window(variable, stat, hours)
        }));
    }
    all.extend(Derived::ALL.iter().copied().filter(|derived| *derived != Derived::OxygenToOxygen).map(Feature::Derived));
    all.extend(measured());
    all.extend(facts(&[Fact::Age, Fact::Male, Fact::MedicalUnit, Fact::SurgicalUnit, Fact::HospitalHours, Fact::StayHours]));
    all
}

/// Nothing that tells the hour of the stay, the unit or how often an intensive care unit measures: for general use.
fn deterioration(labs: bool) -> Vec<Feature> {
    let mut all = tracks(&VITALS, &[Stat::Last, Stat::Age, Stat::Change, Stat::Own, Stat::Low, Stat::High]);
    all.extend(windows(&VITALS));
    all.extend(DERIVED_VITALS.map(Feature::Derived));
    if labs {
        let labs: Vec<Variable> = Variable::ALL[..OF_2019].iter().copied().filter(|variable| variable.kind() == Kind::Lab).collect();
        all.extend(tracks(&labs, &[Stat::Last, Stat::Age, Stat::Change]));
        let more = [Derived::SaturationToOxygen, Derived::BunToCreatinine, Derived::AnionGap, Derived::Sirs, Derived::Sofa];
        all.extend(more.map(Feature::Derived));
    }
    all.extend(facts(&[Fact::Age, Fact::Male]));
    all
}

fn mortality() -> Vec<Feature> {
    let seldom = [Variable::EndTidalCo2, Variable::BaseExcess, Variable::Calcium, Variable::Chloride, Variable::BilirubinDirect,
        Variable::Phosphate, Variable::Hemoglobin, Variable::Ptt, Variable::Fibrinogen];
    let known: Vec<Variable> = Variable::ALL.iter().copied().filter(|variable| !seldom.contains(variable)).collect();
    let mut all = tracks(&known, &[Stat::Last, Stat::Age, Stat::Count, Stat::Change, Stat::Mean, Stat::Low, Stat::High, Stat::First]);
    let often: Vec<Variable> = VITALS.into_iter().chain([Variable::ComaScale, Variable::Urine]).collect();
    for hours in [12, 24] {
        use WindowStat as W;
        let stats = [W::Mean, W::Min, W::Max, W::Sd, W::Slope, W::Sum];
        all.extend(often.iter().flat_map(|variable| stats.map(|stat| Feature::Window(*variable, stat, hours))));
    }
    all.extend(Derived::ALL.iter().copied().filter(|derived| *derived != Derived::AnionGap).map(Feature::Derived));
    all.extend(measured());
    all.extend(facts(&[
        Fact::Age,
        Fact::Male,
        Fact::MedicalUnit,
        Fact::SurgicalUnit,
        Fact::CoronaryUnit,
        Fact::HeartSurgeryUnit,
        Fact::Height,
        Fact::BodyMassIndex,
        Fact::StayHours,
    ]));
    all
}
