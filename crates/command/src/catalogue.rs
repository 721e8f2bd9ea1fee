//! Which commands a device takes, by manufacturer and model: files of the site's, in TOML. A device
//! that no file names takes none.

use std::collections::BTreeMap;

use serde::Deserialize;
use vitals::{CommandClass, CommandParameter, CommandValue, Device, MetricCode, ReadBack};

/// What is known of devices that take commands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Catalogue {
    profiles: Vec<Profile>,
}

/// Why a file was left out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogueError {
    /// Not TOML of this form.
    #[error("{0}")]
    Form(String),
    /// A command contradicts itself.
    #[error("command `{command}`: {problem}")]
    Command {
        /// Which.
        command: String,
        /// What is wrong and what to do.
        problem: &'static str,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    profile: Vec<Profile>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    #[serde(default)]
    manufacturer: String,
    #[serde(default)]
    models: Vec<String>,
    /// Devices by their ids, for those that do not say what they are.
    #[serde(default)]
    devices: Vec<String>,
    #[serde(default)]
    command: Vec<Offer>,
}

/// One command that a kind of device takes.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offer {
    /// Name, as the device knows it.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// How much it can do to a patient: one of [`CommandClass`]'s names.
    class: String,
    /// Whether a second person must agree.
    #[serde(default, rename = "two-person")]
    pub two_person: bool,
    /// Seconds within which it must be sent.
    #[serde(rename = "expires-s")]
    pub expires_s: u32,
    /// Seconds that the device may take to have done it.
    #[serde(rename = "answer-s")]
    pub answer_s: u32,
    /// `none`, `answer`, or `metric CODE parameter`.
    #[serde(default, rename = "read-back")]
    read_back: String,
    /// Parameters, in the order in which people are asked for them.
    #[serde(default)]
    pub parameter: Vec<Parameter>,
}

/// One parameter of a command.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Parameter {
    /// Name, as the device knows it.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// What it is.
    pub kind: Kind,
}

/// A parameter as it is written in a file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    title: String,
    kind: String,
    unit: Option<String>,
    low: Option<f64>,
    high: Option<f64>,
    choices: Option<Vec<String>>,
}

impl TryFrom<Written> for Parameter {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        let Written { name, title, kind, unit, low, high, choices } = written;
        let kind = match (kind.as_str(), unit, low, high, choices) {
            ("number", unit, Some(low), Some(high), None) => Kind::Number { unit: unit.unwrap_or_default(), low, high },
            ("choice", None, None, None, Some(choices)) => Kind::Choice { choices },
            ("flag", None, None, None, None) => Kind::Flag,
            _ => return Err("a parameter is a number with low and high, a choice with choices, or a flag"),
        };
        Ok(Self { name, title, kind })
    }
}

/// What a parameter is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A number in a unit, from `low` to `high`.
    Number {
        /// UCUM.
        unit: String,
        /// Smallest.
        low: f64,
        /// Largest.
        high: f64,
    },
    /// One of some texts.
    Choice {
        /// Which.
        choices: Vec<String>,
    },
    /// Yes or no.
    Flag,
}

/// An offer with its class and read-back understood.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Offered<'a> {
    /// The offer.
    pub offer: &'a Offer,
    /// Its class.
    pub class: CommandClass,
}

/// Why a command can't be asked for like this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A parameter is missing.
    #[error("`{0}` is missing")]
    Missing(String),
    /// The command has no such parameter.
    #[error("the command has no parameter of that name; it has: {0}")]
    Unknown(String),
    /// A value is of the wrong kind, out of range, or in another unit.
    #[error("`{name}` must be {wanted}")]
    Value {
        /// Which.
        name: String,
        /// What it must be.
        wanted: String,
    },
}

/// Longest time that a command may wait or take, seconds.
const LONGEST_S: u32 = 24 * 3_600;

impl Catalogue {
    /// What the program brings: the commands of its own simulated monitors.
    ///
    /// # Panics
    /// Never: a test reads the file.
    #[must_use]
    pub fn built_in() -> Self {
        let mut catalogue = Self::default();
        let read = catalogue.add(include_str!("built-in.toml"));
        read.expect("the built-in catalogue is read by a test");
        catalogue
    }

    /// Adds a file.
    ///
    /// # Errors
    /// [`CatalogueError`]; nothing of the file is added then.
    pub fn add(&mut self, text: &str) -> Result<(), CatalogueError> {
        let file: File = toml::from_str(text).map_err(|error| CatalogueError::Form(error.message().to_owned()))?;
        if file.profile.iter().any(|profile| profile.models.is_empty() && profile.devices.is_empty()) {
            return Err(CatalogueError::Form("a profile names its devices by manufacturer and models, or by devices".to_owned()));
        }
        for offer in file.profile.iter().flat_map(|profile| &profile.command) {
            offer.check().map_err(|problem| CatalogueError::Command { command: offer.name.clone(), problem })?;
        }
        self.profiles.extend(file.profile);
        Ok(())
    }

    /// What a device takes, mildest first.
    #[must_use]
    pub fn of(&self, device: &Device) -> Vec<Offered<'_>> {
        let fits = self.profiles.iter().filter(|profile| profile.fits(device));
        let offers = fits.flat_map(|profile| &profile.command);
        let mut offers: Vec<_> =
            offers.filter_map(|offer| Some(Offered { offer, class: offer.class()? })).collect();
        offers.sort_by_key(|offered| offered.class);
        offers
    }
}

impl Profile {
    fn fits(&self, device: &Device) -> bool {
        let made = self.manufacturer.eq_ignore_ascii_case(&device.manufacturer) && fits(&self.models, &device.model);
        made || fits(&self.devices, device.id.as_str())
    }
}

/// Whether a name is one of these; a star at the end of one stands for anything.
#[must_use]
pub fn fits(patterns: &[String], name: &str) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    })
}

impl Offer {
    fn class(&self) -> Option<CommandClass> {
        CommandClass::ALL.into_iter().find(|class| class.name() == self.class)
    }

    /// What must be heard before it counts as done.
    #[must_use]
    pub fn read_back(&self) -> ReadBack {
        self.parse_read_back().unwrap_or(ReadBack::Answer)
    }

    fn parse_read_back(&self) -> Option<ReadBack> {
        match self.read_back.split_whitespace().collect::<Vec<_>>().as_slice() {
            [] | ["none"] => Some(ReadBack::None),
            ["answer"] => Some(ReadBack::Answer),
            ["metric", code, parameter] => {
                let known = self.parameter.iter().any(|p| p.name == *parameter);
                let code = code.parse().ok().filter(|_| known)?;
                Some(ReadBack::Metric(MetricCode(code), (*parameter).to_owned()))
            }
            _ => None,
        }
    }

    fn check(&self) -> Result<(), &'static str> {
        let class = self.class().ok_or("class must be locate, measure, settings or therapy")?;
        let read_back = self.parse_read_back().ok_or("read-back must be none, answer, or metric CODE PARAMETER")?;
        if class == CommandClass::Therapy && (!self.two_person || read_back == ReadBack::None) {
            return Err("a command of class therapy needs two-person = true and a read-back");
        }
        if ![self.expires_s, self.answer_s].iter().all(|s| (1..=LONGEST_S).contains(s)) {
            return Err("expires-s and answer-s must be 1 to 86400");
        }
        let sound = self.parameter.iter().all(|parameter| match &parameter.kind {
            Kind::Number { low, high, .. } => low.is_finite() && high.is_finite() && low <= high,
            Kind::Choice { choices } => !choices.is_empty(),
            Kind::Flag => true,
        });
        if sound { Ok(()) } else { Err("a number needs low <= high, a choice at least one text") }
    }

    /// The parameters of a request, checked and in order: every one, and no other.
    ///
    /// # Errors
    /// [`Fault`], without the value.
    pub fn parameters(
        &self,
        said: &BTreeMap<String, CommandValue>,
    ) -> Result<Vec<CommandParameter>, Fault> {
        if said.keys().any(|name| self.parameter.iter().all(|parameter| parameter.name != *name)) {
            let names: Vec<&str> = self.parameter.iter().map(|parameter| parameter.name.as_str()).collect();
            return Err(Fault::Unknown(names.join(", ")));
        }
        let take = |parameter: &Parameter| {
            let value = said.get(&parameter.name).ok_or_else(|| Fault::Missing(parameter.name.clone()))?;
            let (fits, unit, wanted) = match (&parameter.kind, value) {
                (Kind::Number { unit, low, high }, value) => {
                    let fits = matches!(value, CommandValue::Number(n) if (*low..=*high).contains(n));
                    (fits, unit.clone(), format!("a number from {low} to {high} {unit}"))
                }
                (Kind::Choice { choices }, value) => {
                    let fits = matches!(value, CommandValue::Choice(text) if choices.contains(text));
                    (fits, String::new(), format!("one of: {}", choices.join(", ")))
                }
                (Kind::Flag, value) => {
                    (matches!(value, CommandValue::Flag(_)), String::new(), "true or false".to_owned())
                }
            };
            if !fits {
                return Err(Fault::Value { name: parameter.name.clone(), wanted: wanted.trim_end().to_owned() });
            }
            Ok(CommandParameter { name: parameter.name.clone(), value: value.clone(), unit })
        };
        self.parameter.iter().map(take).collect()
    }
}
