//! The expressions of a policy: comparisons of values joined with `and` and `or`.
//!
//! ```text
//! expression = all { "or" all }
//! all        = atom { "and" atom }
//! atom       = "(" expression ")" | NAME [ "." ASPECT ] ( "<" | "<=" | ">" | ">=" | "==" ) NUMBER
//! ```
//! A name is a metric's reference id or label (`MDC_RESP_RATE`, `RR`, `NEWS2`); an aspect, how it lies
//! against the patient's own normal (`HR.percent_over_normal`, see [`crate::Aspect`]). There is no
//! negation: every expression grows truer in one direction, so hysteresis has one meaning.

use std::fmt;

use vitals::{Metric, MetricCode};

use crate::own::Aspect;

/// What an expression looks at.
pub type Term = MetricCode;

/// Why a text is not an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expression, character {at}: {problem}")]
pub struct ExpressionError {
    /// Position, in bytes from 0.
    pub at: usize,
    /// What is wrong and what is expected.
    pub problem: String,
}

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Below.
    Less,
    /// Below or equal.
    LessOrEqual,
    /// Above.
    Greater,
    /// Above or equal.
    GreaterOrEqual,
    /// Equal.
    Equal,
}

/// An expression tree.
#[derive(Debug, Clone, PartialEq)]
pub enum Expression {
    /// One comparison.
    Compare(Term, Comparison, f64),
    /// All hold.
    And(Vec<Expression>),
    /// Any holds.
    Or(Vec<Expression>),
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Less => "<",
            Self::LessOrEqual => "≤",
            Self::Greater => ">",
            Self::GreaterOrEqual => "≥",
            Self::Equal => "=",
        })
    }
}

/// As people read it: `NEWS2 ≥ 7`, `HR > 130 or HR < 40`.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Compare(term, comparison, mark) => {
                write!(f, "{} {comparison} {mark}", Aspect::label(*term))
            }
            Self::And(parts) => join(f, parts, "and"),
            Self::Or(parts) => join(f, parts, "or"),
        }
    }
}

fn join(f: &mut fmt::Formatter<'_>, parts: &[Expression], word: &str) -> fmt::Result {
    for (at, part) in parts.iter().enumerate() {
        let bracket = parts.len() > 1 && !matches!(part, Expression::Compare(..));
        let (open, close) = if bracket { ("(", ")") } else { ("", "") };
        let gap = if at == 0 { String::new() } else { format!(" {word} ") };
        write!(f, "{gap}{open}{part}{close}")?;
    }
    Ok(())
}

/// What an expression comes to (Kleene's three values, with how far past the mark).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Truth {
    /// It holds; by how much, in the unit of the deciding comparison, 0 or more.
    True(f64),
    /// It does not hold.
    False,
    /// A value that decides it is missing, stale or doubtful.
    Unknown,
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    /// [`ExpressionError`] with the position and what is expected there.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let mut parser = Parser { text, at: 0 };
        let expression = parser.any()?;
        parser.space();
        if parser.at < text.len() {
            return Err(parser.error("expected `and`, `or` or the end"));
        }
        Ok(expression)
    }

    /// Evaluates it. `margin` (0 or more) keeps a comparison true until the value is that much
    /// back on the good side: the hysteresis of a condition that is already active.
    pub fn evaluate(&self, value: &impl Fn(Term) -> Option<f64>, margin: f64) -> Truth {
        match self {
            Self::Compare(term, comparison, mark) => match value(*term) {
                Some(value) => compare(value, *comparison, *mark, margin),
                None => Truth::Unknown,
            },
            Self::And(parts) => fold(parts, value, margin, Truth::True(f64::INFINITY), both),
            Self::Or(parts) => fold(parts, value, margin, Truth::False, either),
        }
    }

    /// Calls `visit` with each term and comparison.
    pub fn comparisons(&self, visit: &mut impl FnMut(Term, Comparison, f64)) {
        match self {
            Self::Compare(term, comparison, mark) => visit(*term, *comparison, *mark),
            Self::And(parts) | Self::Or(parts) => {
                parts.iter().for_each(|part| part.comparisons(visit));
            }
        }
    }
}

fn fold(
    parts: &[Expression],
    value: &impl Fn(Term) -> Option<f64>,
    margin: f64,
    start: Truth,
    join: fn(Truth, Truth) -> Truth,
) -> Truth {
    parts.iter().fold(start, |truth, part| join(truth, part.evaluate(value, margin)))
}

fn both(a: Truth, b: Truth) -> Truth {
    match (a, b) {
        (Truth::False, _) | (_, Truth::False) => Truth::False,
        (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
        (Truth::True(a), Truth::True(b)) => Truth::True(a.min(b)),
    }
}

fn either(a: Truth, b: Truth) -> Truth {
    match (a, b) {
        (Truth::True(a), Truth::True(b)) => Truth::True(a.max(b)),
        (Truth::True(a), _) | (_, Truth::True(a)) => Truth::True(a),
        (Truth::Unknown, _) | (_, Truth::Unknown) => Truth::Unknown,
        (Truth::False, Truth::False) => Truth::False,
    }
}

fn compare(value: f64, comparison: Comparison, mark: f64, margin: f64) -> Truth {
    let (holds, excess) = match comparison {
        Comparison::Less => (value < mark + margin, mark - value),
        Comparison::LessOrEqual => (value <= mark + margin, mark - value),
        Comparison::Greater => (value > mark - margin, value - mark),
        Comparison::GreaterOrEqual => (value >= mark - margin, value - mark),
        Comparison::Equal => ((value - mark).abs() <= margin, 0.0),
    };
    if holds { Truth::True(excess.max(0.0)) } else { Truth::False }
}

/// The metric that a policy calls `name`: a reference id, else a label.
pub(crate) fn term(name: &str) -> Option<MetricCode> {
    Metric::by_refid(name)
        .or_else(|| Metric::all().find(|metric| metric.label.eq_ignore_ascii_case(name)))
        .map(|metric| metric.code)
}

/// Nesting deeper than this is refused.
const DEPTH_MAX: usize = 32;

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Result<Expression, ExpressionError> {
        self.joined("or", 0)
    }

    fn joined(&mut self, word: &str, depth: usize) -> Result<Expression, ExpressionError> {
        let mut parts = Vec::new();
        loop {
            parts.push(if word == "or" { self.joined("and", depth)? } else { self.atom(depth)? });
            if !self.word(word) {
                break;
            }
        }
        match (parts.len(), word) {
            (1, _) => Ok(parts.remove(0)),
            (_, "or") => Ok(Expression::Or(parts)),
            _ => Ok(Expression::And(parts)),
        }
    }

    fn atom(&mut self, depth: usize) -> Result<Expression, ExpressionError> {
        self.space();
        if self.text[self.at..].starts_with('(') {
            if depth >= DEPTH_MAX {
                return Err(self.error("too many brackets"));
            }
            self.at += 1;
            let inner = self.joined("or", depth + 1)?;
            self.space();
            if !self.text[self.at..].starts_with(')') {
                return Err(self.error("expected `)`"));
            }
            self.at += 1;
            return Ok(inner);
        }
        let start = self.at;
        let name = self.take(|c| c.is_alphanumeric() || c == '_');
        let Some(term) = term(&name) else {
            self.at = start;
            return Err(self.error("expected the reference id or label of a metric"));
        };
        let term = self.aspect(term)?;
        let comparison = self.comparison()?;
        self.space();
        let start = self.at;
        let number = self.take(|c| c.is_ascii_digit() || "+-.eE".contains(c));
        let Ok(mark) = number.parse::<f64>() else {
            self.at = start;
            return Err(self.error("expected a number"));
        };
        Ok(Expression::Compare(term, comparison, mark))
    }

    /// What a full stop after a metric's name asks for.
    fn aspect(&mut self, metric: MetricCode) -> Result<Term, ExpressionError> {
        if !self.text[self.at..].starts_with('.') {
            return Ok(metric);
        }
        self.at += 1;
        let start = self.at;
        let name = self.take(|c| c.is_alphanumeric() || c == '_');
        let aspect = Aspect::ALL.into_iter().find(|aspect| aspect.name() == name);
        aspect.and_then(|aspect| aspect.of(metric)).ok_or_else(|| {
            self.at = start;
            let names = Aspect::ALL.map(Aspect::name).join(", ");
            self.error(&format!("expected one of {names}"))
        })
    }

    fn comparison(&mut self) -> Result<Comparison, ExpressionError> {
        self.space();
        let signs = [
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("==", Comparison::Equal),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        for (sign, comparison) in signs {
            if self.text[self.at..].starts_with(sign) {
                self.at += sign.len();
                return Ok(comparison);
            }
        }
        Err(self.error("expected one of < <= > >= =="))
    }

    fn word(&mut self, word: &str) -> bool {
        self.space();
        let found = self.text[self.at..].get(..word.len()).is_some_and(|t| {
            t.eq_ignore_ascii_case(word)
                && !self.text[self.at + word.len()..].starts_with(|c: char| c.is_alphanumeric())
        });
        if found {
            self.at += word.len();
        }
        found
    }

    fn take(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let rest = &self.text[self.at..];
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        rest[..end].to_owned()
    }

    fn space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn error(&self, problem: &str) -> ExpressionError {
        ExpressionError { at: self.at, problem: problem.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitals::metric::code;

    fn check(text: &str, heart_rate: Option<f64>, spo2: Option<f64>, margin: f64, expected: Truth) {
        let expression = Expression::parse(text).expect("test expressions are well-formed");
        let value = |term| match term {
            code::HEART_RATE => heart_rate,
            code::SPO2 => spo2,
            _ => None,
        };
        assert_eq!(expression.evaluate(&value, margin), expected, "{text}");
    }

    #[test]
    fn comparisons_join() {
        check("HR > 130", Some(131.0), None, 0.0, Truth::True(1.0));
        check("HR > 130", Some(130.0), None, 0.0, Truth::False);
        check("HR >= 130", Some(130.0), None, 0.0, Truth::True(0.0));
        check("HR > 130 and SpO2 < 90", Some(140.0), Some(85.0), 0.0, Truth::True(5.0));
        check("HR > 130 or SpO2 < 90", Some(100.0), Some(85.0), 0.0, Truth::True(5.0));
        check("HR > 130 and (SpO2 < 90 or HR > 150)", Some(160.0), Some(95.0), 0.0, Truth::True(10.0));
    }

    #[test]
    fn missing_values_are_unknown_unless_the_rest_decides() {
        check("HR > 130 and SpO2 < 90", Some(100.0), None, 0.0, Truth::False);
        check("HR > 130 and SpO2 < 90", Some(140.0), None, 0.0, Truth::Unknown);
        check("HR > 130 or SpO2 < 90", Some(140.0), None, 0.0, Truth::True(10.0));
    }

    #[test]
    fn a_margin_holds_an_active_condition() {
        check("HR > 130", Some(128.0), None, 3.0, Truth::True(0.0));
        check("HR > 130", Some(127.0), None, 3.0, Truth::False);
    }

    #[test]
    fn errors_name_the_place() {
        for (text, at) in [("HR >", 4), ("nonsense > 3", 0), ("HR > 3 foo", 7), ("(HR > 3", 7), ("HR 3", 3)] {
            assert_eq!(Expression::parse(text).map_err(|e| e.at), Err(at), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,80}") {
            let _ = Expression::parse(&text);
        }
    }
}
