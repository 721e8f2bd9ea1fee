//! Names of features: `HR.last`, `Resp.slope6`, `vitals-measured.6`, `shock-index`, `age`.

use std::fmt;
use std::str::FromStr;

use super::Derived;
use crate::history::WINDOW;
use crate::variable::{Kind, Variable};

macro_rules! named {
    ($(#[$doc:meta])* $kind:ident { $($(#[$what:meta])* $name:ident $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $kind { $($(#[$what])* $name),* }

        impl $kind {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// How it is written in a feature's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }

            fn by_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.name() == name)
            }
        }
    };
}

named! {
    /// What is computed of one variable over the stay.
    Stat {
        /// The newest value.
        Last "last",
        /// Hours since it was measured.
        Age "age",
        /// Hours in which it was measured.
        Count "count",
        /// Share of the stay's hours in which it was measured.
        Rate "rate",
        /// The newest value less that of the measured hour before.
        Change "change",
        /// Hours from the measured hour before to the newest.
        Gap "gap",
        /// The newest value less the mean of the stay's measured hours.
        Own "own",
        /// Mean of the stay's measured hours.
        Mean "mean",
        /// Least of the stay's measured hours.
        Low "low",
        /// Greatest of the stay's measured hours.
        High "high",
        /// The first measured hour.
        First "first",
    }
}

named! {
    /// What is computed of one variable over the last hours; the number of hours follows the name.
    WindowStat {
        /// Mean of the measured hours.
        Mean "mean",
        /// Least of them.
        Min "min",
        /// Greatest of them.
        Max "max",
        /// Their standard deviation.
        Sd "sd",
        /// Least squares slope per hour.
        Slope "slope",
        /// The oldest of them.
        From "from",
        /// Hours from the oldest to the newest of them.
        Span "span",
        /// How many were measured.
        Hours "hours",
        /// Their sum.
        Sum "sum",
    }
}

named! {
    /// A fact of person or stay.
    Fact {
        /// Years.
        Age "age",
        /// 1 male, 0 female.
        Male "male",
        /// 1 in a medical unit.
        MedicalUnit "medical-unit",
        /// 1 in a surgical unit.
        SurgicalUnit "surgical-unit",
        /// 1 in a coronary unit.
        CoronaryUnit "coronary-unit",
        /// 1 in a unit for recovery after heart surgery.
        HeartSurgeryUnit "heart-surgery-unit",
        /// Hours from the admission to the unit back to that to the hospital.
        HospitalHours "hospital-hours",
        /// Height in cm.
        Height "height",
        /// Weight in kg by the square of the height in m.
        BodyMassIndex "body-mass-index",
        /// Hours in the unit, 1 in the first.
        StayHours "stay-hours",
    }
}

/// A number computed of a stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Feature {
    /// Of one variable over the stay.
    Track(Variable, Stat),
    /// Of one variable over the last hours, 1 to [`WINDOW`].
    Window(Variable, WindowStat, u8),
    /// Of several variables.
    Derived(Derived),
    /// How many hours with a value all variables of a kind had together within the last hours, 1 to [`WINDOW`].
    Measured(Kind, u8),
    /// Of person or stay.
    Fact(Fact),
}

impl Feature {
    /// The variable that it is about, if it is about one.
    #[must_use]
    pub const fn variable(self) -> Option<Variable> {
        match self {
            Self::Track(variable, _) | Self::Window(variable, ..) => Some(variable),
            _ => None,
        }
    }
}

/// How the counts of measurements are called.
const MEASURED: [(&str, Kind); 3] =
    [("vitals-measured", Kind::Vital), ("labs-measured", Kind::Lab), ("amounts-measured", Kind::Amount)];

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Track(variable, stat) => write!(f, "{}.{}", variable.column(), stat.name()),
            Self::Window(variable, stat, hours) => write!(f, "{}.{}{hours}", variable.column(), stat.name()),
            Self::Derived(derived) => f.write_str(derived.name()),
            Self::Measured(kind, hours) => {
                let name = MEASURED.iter().find(|(_, own)| own == kind).map_or("", |(name, _)| name);
                write!(f, "{name}.{hours}")
            }
            Self::Fact(fact) => f.write_str(fact.name()),
        }
    }
}

/// No feature is called so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no feature is called {0:?}; `HR.last`, `Resp.slope6` and `age` are some")]
pub struct UnknownFeature(
    /// The name, at most 60 characters of it.
    pub String,
);

impl FromStr for Feature {
    type Err = UnknownFeature;

    fn from_str(name: &str) -> Result<Self, UnknownFeature> {
        read(name).ok_or_else(|| UnknownFeature(name.chars().take(60).collect()))
    }
}

fn read(name: &str) -> Option<Feature> {
    let Some((subject, stat)) = name.split_once('.') else {
        let derived = Derived::ALL.iter().copied().find(|derived| derived.name() == name).map(Feature::Derived);
        return derived.or_else(|| Fact::by_name(name).map(Feature::Fact));
    };
    if let Some((_, kind)) = MEASURED.iter().find(|(own, _)| *own == subject) {
        return hours(stat).map(|hours| Feature::Measured(*kind, hours));
    }
    let variable = Variable::by_column(subject)?;
    if let Some(stat) = Stat::by_name(stat) {
        return Some(Feature::Track(variable, stat));
    }
    let digits = stat.find(|c: char| c.is_ascii_digit())?;
    let (stat, number) = stat.split_at(digits);
    Some(Feature::Window(variable, WindowStat::by_name(stat)?, hours(number)?))
}

/// 1 to the window's hours, written without leading zeros, so that a feature has one name.
fn hours(text: &str) -> Option<u8> {
    let hours: u8 = text.parse().ok()?;
    (hours.to_string() == text && (1..=WINDOW).contains(&u32::from(hours))).then_some(hours)
}
