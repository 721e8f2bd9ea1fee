//! Figures, the budgets beside them, and how both are printed. The keys are documented in
//! `docs/benchmarks.md` and stable.

use serde_json::{Map, Value, json};

/// Which way a budget binds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Budget {
    /// At least this much.
    AtLeast(f64),
    /// At most this much.
    AtMost(f64),
}

/// One figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Name in the JSON object; says the unit.
    pub key: &'static str,
    /// What people read.
    pub what: String,
    /// The figure.
    pub value: f64,
    /// Its unit, as people read it.
    pub unit: &'static str,
    /// The target, if there is one.
    pub budget: Option<Budget>,
}

impl Figure {
    /// Whether it is within its budget; none without one.
    #[must_use]
    pub fn within(&self) -> Option<bool> {
        self.budget.map(|budget| match budget {
            Budget::AtLeast(least) => self.value >= least,
            Budget::AtMost(most) => self.value <= most,
        })
    }
}

/// Everything that was measured.
#[derive(Debug, Default)]
pub struct Report {
    figures: Vec<Figure>,
    notes: Vec<String>,
}

impl Report {
    /// Adds a figure without a budget.
    pub fn add(&mut self, key: &'static str, what: &str, value: f64, unit: &'static str) {
        self.push(Figure { key, what: what.to_owned(), value, unit, budget: None });
    }

    /// Adds a figure that has a budget.
    pub fn against(
        &mut self,
        key: &'static str,
        what: &str,
        value: f64,
        unit: &'static str,
        budget: Budget,
    ) {
        self.push(Figure { key, what: what.to_owned(), value, unit, budget: Some(budget) });
    }

    /// Says something about how it was measured.
    pub fn note(&mut self, text: String) {
        eprintln!("  {text}");
        self.notes.push(text);
    }

    /// The figure of this name, if it was measured.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<f64> {
        self.figures.iter().find(|figure| figure.key == key).map(|figure| figure.value)
    }

    /// One object: a number by key, the budgets under `budgets`, remarks under `notes`.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut object = Map::new();
        let mut budgets = Map::new();
        for figure in &self.figures {
            object.insert(figure.key.to_owned(), json!(rounded(figure.value)));
            if let (Some(budget), Some(within)) = (figure.budget, figure.within()) {
                let bound = match budget {
                    Budget::AtLeast(least) => json!({ "at_least": least, "within": within }),
                    Budget::AtMost(most) => json!({ "at_most": most, "within": within }),
                };
                budgets.insert(figure.key.to_owned(), bound);
            }
        }
        object.insert("budgets".to_owned(), Value::Object(budgets));
        object.insert("notes".to_owned(), json!(self.notes));
        Value::Object(object)
    }

    /// A table for people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut lines = vec![format!("{:<66} {:>14} {:>14}", "", "measured", "budget")];
        for figure in &self.figures {
            let measured = format!("{} {}", number(figure.value), figure.unit);
            let budget = match figure.budget {
                Some(Budget::AtLeast(least)) => format!("≥ {}", number(least)),
                Some(Budget::AtMost(most)) => format!("≤ {}", number(most)),
                None => String::new(),
            };
            let verdict = match figure.within() {
                Some(true) => "  met",
                Some(false) => "  MISSED",
                None => "",
            };
            lines.push(format!("{:<66} {measured:>14} {budget:>14}{verdict}", figure.what));
        }
        lines.join("\n")
    }

    fn push(&mut self, figure: Figure) {
        eprintln!("  {}: {} {}", figure.what, number(figure.value), figure.unit);
        self.figures.push(figure);
    }
}

/// Three decimals are more than any of these figures is worth.
fn rounded(value: f64) -> f64 {
    (value * 1_000.0).round() / 1_000.0
}

/// Thousands parted by commas; as many decimals as say something.
fn number(value: f64) -> String {
    let decimals = if value.abs() >= 100.0 { 0 } else if value.abs() >= 10.0 { 1 } else { 2 };
    let text = format!("{value:.decimals$}");
    let (whole, part) = text.split_once('.').map_or((text.as_str(), ""), |(w, p)| (w, p));
    let digits: Vec<char> = whole.chars().collect();
    let mut out = String::new();
    for (at, digit) in digits.iter().enumerate() {
        let left = digits.len() - at;
        if at > 0 && left % 3 == 0 && digits[at - 1].is_ascii_digit() {
            out.push(',');
        }
        out.push(*digit);
    }
    if part.is_empty() { out } else { format!("{out}.{part}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_at_a_glance() {
        for (value, text) in
            [(101_234.4, "101,234"), (2.071, "2.07"), (13.44, "13.4"), (999.6, "1,000"), (-1_500.0, "-1,500")]
        {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn budgets_bind_in_their_direction() {
        let mut report = Report::default();
        report.against("a_per_s", "a", 90.0, "/s", Budget::AtLeast(100.0));
        report.against("b_ms", "b", 9.0, "ms", Budget::AtMost(10.0));
        let json = report.json();
        assert_eq!(json["a_per_s"], 90.0);
        assert_eq!(json["budgets"]["a_per_s"]["within"], false);
        assert_eq!(json["budgets"]["b_ms"]["within"], true);
        assert!(report.table().contains("MISSED"));
    }
}
