//! Contributions in clinical words: "respiratory rate rising 18→26 over 5 h", "lactate missing".
//!
//! Sentences are made of inputs alone, so that a stored prediction is explained again in the same words. All features
//! of one variable are one subject; what is said of it depends on the feature that contributed most: of a value its
//! height and course, of a count how often it was measured. `low`, `high`, `rising` and `falling` come from the
//! variable's usual range: a course is told from a quarter of its width on.

use crate::feature::{Derived, Fact, Feature, Stat, WindowStat};
use crate::variable::{Kind, Variable};

/// What can be said of each input.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Speaker {
    features: Vec<Feature>,
    subject: Vec<u16>,
    subjects: Vec<Subject>,
}

/// Where the inputs are that sentences about one variable need.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Subject {
    last: Option<usize>,
    age: Option<usize>,
    change: Option<usize>,
    gap: Option<usize>,
    /// The oldest value of a window, how many hours it lies back; of the shortest window that has both.
    course: Option<(usize, usize)>,
}

impl Speaker {
    pub fn new(features: &[Feature]) -> Self {
        let mut variables: Vec<Option<Variable>> = Vec::new();
        let mut subject = Vec::new();
        for feature in features {
            let own = feature.variable();
            let known = own.and_then(|own| variables.iter().position(|one| *one == Some(own)));
            let at = known.unwrap_or(variables.len());
            if at == variables.len() {
                variables.push(own);
            }
            subject.push(at as u16);
        }
        let find = |feature: Feature| features.iter().position(|one| *one == feature);
        let place = |variable: Variable| {
            let stat = |stat| find(Feature::Track(variable, stat));
            let window = |stat, hours| find(Feature::Window(variable, stat, hours));
            let course = (1..=24).find_map(|hours| window(WindowStat::From, hours).zip(window(WindowStat::Span, hours)));
            Subject { last: stat(Stat::Last), age: stat(Stat::Age), change: stat(Stat::Change), gap: stat(Stat::Gap), course }
        };
        let subjects = variables.iter().map(|variable| variable.map(place).unwrap_or_default()).collect();
        Self { features: features.to_vec(), subject, subjects }
    }

    /// How many subjects there are.
    pub fn subjects(&self) -> usize {
        self.subjects.len()
    }

    /// What an input is about.
    pub fn subject_of(&self, number: usize) -> usize {
        usize::from(self.subject[number])
    }

    /// What an input is called.
    pub fn name(&self, number: usize) -> String {
        match self.features[number] {
            Feature::Track(variable, _) | Feature::Window(variable, ..) => variable.words().to_owned(),
            Feature::Derived(derived) => derived.words().to_owned(),
            Feature::Measured(..) => "number of measurements".to_owned(),
            Feature::Fact(fact) => fact_name(fact).to_owned(),
        }
    }

    /// One input by itself, with its value.
    pub fn one(&self, number: usize, value: f32) -> String {
        match self.features[number] {
            Feature::Track(variable, stat) => of_stat(variable, stat, value),
            Feature::Window(variable, stat, hours) => of_window(variable, stat, hours, value),
            Feature::Derived(derived) => of_derived(derived, value),
            Feature::Measured(kind, hours) => of_measured(kind, hours, value),
            Feature::Fact(fact) => of_fact(fact, value),
        }
    }

    /// A subject, of which input `lead` contributed most.
    pub fn say(&self, lead: u16, inputs: &[f32]) -> String {
        let lead = usize::from(lead);
        let Some(variable) = self.features[lead].variable() else { return self.one(lead, inputs[lead]) };
        let subject = &self.subjects[self.subject_of(lead)];
        let value = |at: Option<usize>| at.map_or(f32::NAN, |at| inputs[at]);
        let last = value(subject.last);
        if last.is_nan() && (subject.last.is_some() || inputs[lead].is_nan()) {
            return format!("{} missing", variable.words());
        }
        // Of these the value's height and course say more than the number itself.
        let of_value = matches!(
            self.features[lead],
            Feature::Track(_, Stat::Last | Stat::Change | Stat::Own | Stat::Gap | Stat::First | Stat::Mean)
                | Feature::Window(_, WindowStat::Slope | WindowStat::From | WindowStat::Span | WindowStat::Sum, _)
        );
        if last.is_nan() || (!of_value && !inputs[lead].is_nan()) {
            return self.one(lead, inputs[lead]);
        }
        let old = old(variable, value(subject.age));
        if let Some(course) = subject.course.and_then(|(from, span)| course(variable, inputs[from], last, inputs[span])) {
            return course + &old;
        }
        format!("{}{}{old}", height(variable, last), jump(variable, value(subject.change), value(subject.gap)))
    }
}

/// From how much on a difference is told: a quarter of the usual range, at least what people read.
fn notable(variable: Variable) -> f32 {
    let (from, to) = variable.usual();
    let readable = [1.0, 0.1, 0.01][variable.decimals().min(2)];
    ((to - from) / 4.0).max(readable)
}

fn course(variable: Variable, from: f32, last: f32, span: f32) -> Option<String> {
    let moved = last - from;
    // Comparisons with what is missing are false.
    if !(moved.abs() >= notable(variable) && span >= 1.0) {
        return None;
    }
    let way = if moved > 0.0 { "rising" } else { "falling" };
    let (from, last) = (number(variable, from), with_unit(variable, last, variable.unit() != "/min"));
    Some(format!("{} {way} {from}→{last} over {span} h", variable.words()))
}

fn height(variable: Variable, last: f32) -> String {
    if variable == Variable::Ventilation {
        return if last > 0.5 { "mechanically ventilated" } else { "not mechanically ventilated" }.to_owned();
    }
    let (from, to) = variable.usual();
    let words = variable.words();
    let last_words = with_unit(variable, last, true);
    match (last < from, last > to) {
        (true, _) => format!("{words} low, {last_words}"),
        (_, true) => format!("{words} high, {last_words}"),
        _ => format!("{words} {last_words}"),
    }
}

fn jump(variable: Variable, change: f32, gap: f32) -> String {
    if !(change.abs() >= notable(variable) && gap >= 1.0) || variable == Variable::Ventilation {
        return String::new();
    }
    let sign = if change > 0.0 { "+" } else { "" };
    format!(" ({sign}{} in {gap} h)", number(variable, change))
}

fn old(variable: Variable, age: f32) -> String {
    let limit = if variable.kind() == Kind::Lab { 6.0 } else { 2.0 };
    if age >= limit { format!(", {age} h ago") } else { String::new() }
}

fn number(variable: Variable, value: f32) -> String {
    plain(value, variable.decimals())
}

/// With a minus sign as people write it, and no minus before zero.
fn plain(value: f32, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|byte| b"0.".contains(&byte)) => rest.to_owned(),
        Some(rest) => format!("−{rest}"),
        None => text,
    }
}

fn with_unit(variable: Variable, value: f32, unit: bool) -> String {
    let unit = match variable.unit() {
        _ if !unit => "",
        "mm[Hg]" => " mmHg",
        "Cel" => " °C",
        "10*9/L" => "×10⁹/L",
        "[pH]" | "1" => "",
        "/min" => "/min",
        "%" => "%",
        other => return format!("{} {other}", number(variable, value)),
    };
    number(variable, value) + unit
}

fn of_stat(variable: Variable, stat: Stat, value: f32) -> String {
    let words = variable.words();
    let shown = || with_unit(variable, value, true);
    match stat {
        Stat::Last => height(variable, value),
        Stat::Age if value < 1.0 => format!("{words} measured this hour"),
        Stat::Age => format!("{words} last measured {value} h ago"),
        Stat::Count if value < 1.0 => format!("{words} missing"),
        Stat::Count => format!("{words} measured in {value} h of the stay"),
        Stat::Rate => format!("{words} measured in {}% of hours", plain(100.0 * value, 0)),
        Stat::Change => format!("{words} {}{} since the value before", if value > 0.0 { "+" } else { "" }, shown()),
        Stat::Gap => format!("{words} measured twice within {value} h"),
        Stat::Own => {
            let side = if value < 0.0 { "below" } else { "above" };
            format!("{words} {} {side} the stay's mean", with_unit(variable, value.abs(), true))
        }
        Stat::Mean => format!("{words} {} on average over the stay", shown()),
        Stat::Low => format!("{words} down to {} in this stay", shown()),
        Stat::High => format!("{words} up to {} in this stay", shown()),
        Stat::First => format!("{words} first {}", shown()),
    }
}

fn of_window(variable: Variable, stat: WindowStat, hours: u8, value: f32) -> String {
    let words = variable.words();
    let shown = || with_unit(variable, value, true);
    match stat {
        WindowStat::Mean => format!("{words} {} on average over {hours} h", shown()),
        WindowStat::Min => format!("{words} down to {} in {hours} h", shown()),
        WindowStat::Max => format!("{words} up to {} in {hours} h", shown()),
        WindowStat::Sd => format!("{words} varying by ±{} over {hours} h", shown()),
        WindowStat::Slope => {
            let way = if value < 0.0 { "falling" } else { "rising" };
            let unit = with_unit(variable, 0.0, true).split_off(number(variable, 0.0).len());
            format!("{words} {way} by {}{unit} an hour over {hours} h", plain(value.abs(), variable.decimals() + 1))
        }
        WindowStat::From => format!("{words} {} at the beginning of {hours} h", shown()),
        WindowStat::Span => format!("{words} known over {value} h"),
        WindowStat::Hours => format!("{words} measured in {value} of the last {hours} h"),
        WindowStat::Sum => format!("{words} {} in {hours} h", shown()),
    }
}

fn of_derived(derived: Derived, value: f32) -> String {
    let words = derived.words();
    if value.is_nan() {
        return format!("{words} unknown");
    }
    let shown = plain(value, derived.decimals());
    match derived {
        Derived::PulsePressure => format!("{words} {shown} mmHg"),
        Derived::MeanPressureAboveLowest => format!("{words}: {shown} mmHg"),
        Derived::AnionGap => format!("{words} {shown} mmol/L"),
        _ => format!("{words}: {shown}"),
    }
}

fn of_measured(kind: Kind, hours: u8, value: f32) -> String {
    let what = match kind {
        Kind::Vital => "vital signs",
        Kind::Lab => "laboratory values",
        Kind::Amount => "amounts",
    };
    let count = if value < 1.0 { "no".to_owned() } else { plain(value, 0) };
    format!("{count} {what} measured within {hours} h")
}

const fn fact_name(fact: Fact) -> &'static str {
    match fact {
        Fact::Age => "age",
        Fact::Male => "sex",
        Fact::MedicalUnit | Fact::SurgicalUnit | Fact::CoronaryUnit | Fact::HeartSurgeryUnit => "kind of unit",
        Fact::HospitalHours => "time of admission to the hospital",
        Fact::Height => "height",
        Fact::BodyMassIndex => "body mass index",
        Fact::StayHours => "hours in the unit",
    }
}

fn of_fact(fact: Fact, value: f32) -> String {
    let yes = value > 0.5;
    let unit = |what: &str| if yes { format!("{what} unit") } else { format!("not in a {what} unit") };
    match fact {
        _ if value.is_nan() => format!("{} unknown", fact_name(fact)),
        Fact::Age => format!("age {} years", plain(value.floor(), 0)),
        Fact::Male => if yes { "male" } else { "female" }.to_owned(),
        Fact::MedicalUnit => unit("medical"),
        Fact::SurgicalUnit => unit("surgical"),
        Fact::CoronaryUnit => unit("coronary"),
        Fact::HeartSurgeryUnit => unit("heart surgery"),
        Fact::HospitalHours if value < 0.0 => format!("in hospital {} h before the unit", plain(-value, 0)),
        Fact::HospitalHours => "straight to the unit".to_owned(),
        Fact::Height => format!("height {} cm", plain(value, 0)),
        Fact::BodyMassIndex => format!("body mass index {}", plain(value, 0)),
        Fact::StayHours => format!("{value} h in the unit"),
    }
}
