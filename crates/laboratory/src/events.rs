//! Real events that alerts should come before: stated as expressions of a policy that must hold for
//! some time, judged on the patient's values; beside those that a data set or the record tells.

use alert::{Conditions, Limits, Policy};
use engine::PatientState;
use vitals::MetricCode;
use vitals::time::HOUR;

use crate::LabError;

/// After one event, its return within this long is the same event.
const SAME_WITHIN: i64 = 12 * HOUR;

/// What counts as an event: `low-pressure=MAP < 65 for 900 s`.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRule {
    /// Name: letters, digits, dashes.
    pub name: String,
    /// Expression as in a policy's rules.
    pub when: String,
    /// For how many seconds it must hold.
    pub for_s: f64,
}

impl EventRule {
    /// Reads `NAME=EXPRESSION for SECONDS s`; without the last part it need not last.
    ///
    /// # Errors
    /// [`LabError::Event`].
    pub fn parse(text: &str) -> Result<Self, LabError> {
        let wrong = |problem: &str| LabError::Event { text: text.to_owned(), problem: problem.to_owned() };
        let (name, rest) = text.split_once('=').ok_or_else(|| wrong("has no name"))?;
        let (when, for_s) = match rest.rsplit_once(" for ") {
            None => (rest, 0.0),
            Some((when, time)) => {
                let digits = time.trim().trim_end_matches('s').trim();
                (when, digits.parse().map_err(|_| wrong("the time is no number of seconds"))?)
            }
        };
        Self::new(name.trim(), when.trim(), for_s)
    }

    /// An event by its parts.
    ///
    /// # Errors
    /// [`LabError::Event`].
    pub fn new(name: &str, when: &str, for_s: f64) -> Result<Self, LabError> {
        let wrong = |problem: &str| LabError::Event { text: format!("{name}={when}"), problem: problem.to_owned() };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if name.is_empty() || !name.chars().all(plain) {
            return Err(wrong("the name may have letters, digits and dashes"));
        }
        if !(0.0..=7.0 * 86_400.0).contains(&for_s) {
            return Err(wrong("the time is 0 to 604800 seconds"));
        }
        Ok(Self { name: name.to_owned(), when: when.to_owned(), for_s })
    }
}

/// Every kind of event of a run: the stated ones first, then those told otherwise.
#[derive(Debug, Clone, Default)]
pub struct Events {
    names: Vec<String>,
    rules: usize,
    /// Conditions of the stated ones, to begin with.
    begin: Conditions,
    keys: Vec<alert::ConditionKey>,
}

impl Events {
    /// Compiles stated events; `told` are the names of those that are told otherwise.
    ///
    /// # Errors
    /// [`LabError::Event`] with what is wrong in an expression.
    pub fn new(rules: &[EventRule], told: &[&str]) -> Result<Self, LabError> {
        let mut text = String::from(
            "name = \"events\"\n[[chain]]\nname = \"c\"\nrepeat_s = 60\nstep = [{ role = \"nurse\", after_s = 0 }]\n",
        );
        for rule in rules {
            let quoted = toml::Value::String(rule.when.clone());
            text.push_str(&format!(
                "[[rule]]\nid = \"{0}\"\ntitle = \"{0}\"\ngroup = \"{0}\"\nlevel = [{{ priority = \"low\", when = {quoted}, for_s = {1:?} }}]\n",
                rule.name, rule.for_s
            ));
            Policy::parse(&text).map_err(|error| LabError::Event {
                text: format!("{}={}", rule.name, rule.when),
                problem: error.to_string(),
            })?;
        }
        let mut begin = Conditions::default();
        if let Ok(policy) = Policy::parse(&text) {
            begin.configure(&policy, &Limits { unit: None, age_years: None, own: &[] });
        }
        let names = rules.iter().map(|rule| rule.name.clone());
        Ok(Self {
            names: names.chain(told.iter().map(|name| (*name).to_owned())).collect(),
            rules: rules.len(),
            begin,
            keys: rules.iter().map(|rule| alert::ConditionKey::Rule(rule.name.clone())).collect(),
        })
    }

    /// Names, by number.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The number of an event that is told otherwise.
    pub(crate) fn told(&self, name: &str) -> Option<usize> {
        (self.rules..self.names.len()).find(|at| self.names[*at] == name)
    }

    pub(crate) fn patient(&self) -> PatientEvents {
        PatientEvents { conditions: self.begin.clone(), on: vec![false; self.rules], found: Vec::new() }
    }
}

/// Events of one patient: which and when.
#[derive(Debug, Clone)]
pub(crate) struct PatientEvents {
    conditions: Conditions,
    on: Vec<bool>,
    pub(crate) found: Vec<(usize, i64)>,
}

impl PatientEvents {
    /// Judges the patient as they are at `now`, on the patient's clock.
    pub(crate) fn judge(&mut self, events: &Events, patient: &PatientState, now: i64) {
        if self.on.is_empty() {
            return;
        }
        let lookup = |term: MetricCode| {
            let score = patient.scores.get(term).and_then(|score| score.value);
            score.or_else(|| patient.values.usable(term, now).map(|current| current.value))
        };
        self.conditions.judge(&lookup, now);
        let active = self.conditions.active();
        let holds: Vec<bool> =
            events.keys.iter().map(|key| active.iter().any(|active| active.key == key)).collect();
        for (kind, holds) in holds.into_iter().enumerate() {
            if holds && !self.on[kind] {
                self.happened(kind, now);
            }
            self.on[kind] = holds;
        }
    }

    /// Notes an event, unless it is the same as one not long before.
    pub(crate) fn happened(&mut self, kind: usize, at: i64) {
        let last = self.found.iter().rev().find(|(other, _)| *other == kind);
        if last.is_none_or(|(_, before)| at - before > SAME_WITHIN) {
            self.found.push((kind, at));
        }
    }

    /// When a duration is next over.
    pub(crate) fn due(&self) -> Option<i64> {
        if self.on.is_empty() { None } else { self.conditions.due() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_stated_in_words() {
        let rule = EventRule::parse("low-pressure=MAP < 65 or ABPm < 65 for 900 s").expect("read");
        assert_eq!((rule.name.as_str(), rule.for_s), ("low-pressure", 900.0));
        assert_eq!(rule.when, "MAP < 65 or ABPm < 65");
        let events = Events::new(&[rule], &["sepsis"]).expect("compiled");
        assert_eq!(events.names(), ["low-pressure", "sepsis"]);
        assert_eq!(events.told("sepsis"), Some(1));
        for text in ["x", "a b=SpO2 < 85", "x=SpO2 < 85 for long"] {
            assert!(EventRule::parse(text).is_err(), "{text}");
        }
        let odd = EventRule::parse("x=Nothing < 85").expect("read");
        assert!(Events::new(&[odd], &[]).is_err());
    }
}
