//! What models see of a stay: numbers computed of its [`History`] alone, the same in training and at the bedside.
//!
//! A feature has a name and a [`Plan`] turns names into numbers: it works out once which windows they need, and then
//! computes only these, each once. A new statistic is a line in `name.rs` and its value here.

mod derived;
mod name;
mod window;

pub use derived::Derived;
pub use name::{Fact, Feature, Stat, UnknownFeature, WindowStat};

use crate::history::{History, Track, Whole};
use crate::variable::{Kind, Variable};
use window::Window;

/// How to compute a list of features.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    features: Vec<Feature>,
    windows: Vec<(Variable, u8)>,
    wholes: Vec<Variable>,
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Step {
    Track(Variable, Stat),
    /// Number of the whole-stay statistics, and which of their numbers.
    Whole(u16, Variable, Stat),
    /// Number of the window, and which of its numbers.
    Window(u16, WindowStat),
    Derived(Derived),
    Measured(Kind, u8),
    Fact(Fact),
}

/// Room for windows and whole stays, so that computing features allocates nothing after the first time.
#[derive(Debug, Clone, Default)]
pub struct Windows {
    windows: Vec<Window>,
    wholes: Vec<Whole>,
}

impl Plan {
    /// The plan for features of these names, in this order.
    ///
    /// # Errors
    /// The first name that is no feature's.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>) -> Result<Self, UnknownFeature> {
        let features: Result<Vec<Feature>, _> = names.into_iter().map(str::parse).collect();
        Ok(Self::of(features?))
    }

    /// The plan for these features, in this order.
    #[must_use]
    pub fn of(features: Vec<Feature>) -> Self {
        let (mut windows, mut wholes) = (Vec::new(), Vec::new());
        let mut step = |feature: &Feature| match *feature {
            Feature::Track(variable, stat) if of_whole(stat) => Step::Whole(place(&mut wholes, variable), variable, stat),
            Feature::Track(variable, stat) => Step::Track(variable, stat),
            Feature::Window(variable, stat, hours) => Step::Window(place(&mut windows, (variable, hours)), stat),
            Feature::Derived(derived) => Step::Derived(derived),
            Feature::Measured(kind, hours) => Step::Measured(kind, hours),
            Feature::Fact(fact) => Step::Fact(fact),
        };
        let steps = features.iter().map(&mut step).collect();
        Self { features, windows, wholes, steps }
    }

    /// The features, in the order of the row.
    #[must_use]
    pub fn features(&self) -> &[Feature] {
        &self.features
    }

    /// The features of now, in `row` (overwritten). NaN where there is nothing to compute from.
    pub fn fill(&self, history: &History, room: &mut Windows, row: &mut Vec<f32>) {
        room.wholes.clear();
        room.wholes.extend(self.wholes.iter().map(|variable| history.track(*variable).whole(variable.kind())));
        room.windows.clear();
        room.windows.extend(self.windows.iter().map(|(variable, hours)| {
            let recent = history.track(*variable).recent(history.hour(), u32::from(*hours));
            Window::of(recent, variable.kind())
        }));
        row.clear();
        row.extend(self.steps.iter().map(|step| or_missing(match *step {
            Step::Track(variable, stat) => of_track(history.track(variable), variable.kind(), stat, history.hour()),
            Step::Whole(at, variable, stat) => {
                of_stay_so_far(&room.wholes[usize::from(at)], history.track(variable).last(), stat, history.hour())
            }
            Step::Window(at, stat) => of_window(&room.windows[usize::from(at)], stat),
            Step::Derived(derived) => derived.of(history),
            Step::Measured(kind, hours) => derived::measured(history, kind, u32::from(hours)),
            Step::Fact(fact) => of_stay(history, fact),
        })));
    }
}

/// What cannot be divided is missing.
const fn or_missing(value: f32) -> f32 {
    if value.is_finite() { value } else { f32::NAN }
}

/// Where `one` stands in the list, to which it is added if it is not there yet.
fn place<T: PartialEq>(list: &mut Vec<T>, one: T) -> u16 {
    let at = list.iter().position(|own| *own == one).unwrap_or_else(|| {
        list.push(one);
        list.len() - 1
    });
    at as u16
}

/// Whether a statistic is one over all hours of the stay.
const fn of_whole(stat: Stat) -> bool {
    !matches!(stat, Stat::Last | Stat::Age | Stat::Change | Stat::Gap)
}

fn of_track(track: &Track, kind: Kind, stat: Stat, now: u32) -> f32 {
    let newest = || track.newest_hour();
    match stat {
        Stat::Age => newest().map_or(f32::NAN, |hour| (now - hour) as f32),
        Stat::Change => track.before(kind).map_or(f32::NAN, |(_, value)| track.last() - value),
        Stat::Gap => track.before(kind).zip(newest()).map_or(f32::NAN, |((before, _), newest)| (newest - before) as f32),
        _ => track.last(),
    }
}

fn of_stay_so_far(whole: &Whole, last: f32, stat: Stat, now: u32) -> f32 {
    match stat {
        Stat::Count => whole.hours as f32,
        Stat::Rate => (f64::from(whole.hours) / (f64::from(now) + 1.0)) as f32,
        Stat::Own => last - whole.mean,
        Stat::Low => whole.low,
        Stat::High => whole.high,
        Stat::First => whole.first,
        _ => whole.mean,
    }
}

const fn of_window(window: &Window, stat: WindowStat) -> f32 {
    match stat {
        WindowStat::Mean => window.mean,
        WindowStat::Min => window.low,
        WindowStat::Max => window.high,
        WindowStat::Sd => window.spread,
        WindowStat::Slope => window.slope,
        WindowStat::From => window.first,
        WindowStat::Span => window.span,
        WindowStat::Hours => window.count,
        WindowStat::Sum => window.total,
    }
}

fn of_stay(history: &History, fact: Fact) -> f32 {
    let person = &history.person;
    match fact {
        Fact::Age => person.age,
        Fact::Male => person.male,
        Fact::MedicalUnit => person.medical,
        Fact::SurgicalUnit => person.surgical,
        Fact::CoronaryUnit => person.coronary,
        Fact::HeartSurgeryUnit => person.heart_surgery,
        Fact::HospitalHours => person.hospital_hours,
        Fact::Height => person.height,
        Fact::BodyMassIndex => {
            let metres = person.height / 100.0;
            history.track(Variable::Weight).last() / (metres * metres)
        }
        Fact::StayHours => (f64::from(history.hour()) + 1.0) as f32,
    }
}

/// What training chooses from: for every variable its stay's statistics, for vital signs also windows of 6, 12 and 24 h,
/// then what is derived, what was measured, and the facts of person and stay.
#[must_use]
pub fn all() -> Vec<Feature> {
    let mut all = Vec::new();
    for variable in Variable::ALL {
        all.extend(Stat::ALL.iter().map(|stat| Feature::Track(variable, *stat)));
        if variable.kind() != Kind::Lab {
            for hours in [6, 12, 24] {
                all.extend(WindowStat::ALL.iter().map(|stat| Feature::Window(variable, *stat, hours)));
            }
        }
    }
    all.extend(Derived::ALL.iter().copied().map(Feature::Derived));
    for kind in [Kind::Vital, Kind::Lab] {
        all.extend([1, 6, 24].map(|hours| Feature::Measured(kind, hours)));
    }
    all.extend(Fact::ALL.iter().copied().map(Feature::Fact));
    all
}
