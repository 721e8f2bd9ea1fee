//! Reading a Json.NET path.

use serde_json::Value;

use super::{Comparison, Expr, JsonPath, Operand, Step};

/// How deep filters and parentheses may nest.
const MAX_NESTING: u32 = 16;

pub(super) fn path(text: &str) -> Result<JsonPath, String> {
    let text = text.trim();
    let mut parser = Parser { text, at: 0, depth: 0 };
    if !parser.eat("$") && !text.starts_with('[') {
        // `a.b` is `$.a.b`.
        let name = parser.name()?;
        let mut steps = vec![Step::Fields(vec![name])];
        parser.steps(&mut steps)?;
        return parser.done(JsonPath { steps });
    }
    let mut steps = Vec::new();
    parser.steps(&mut steps)?;
    parser.done(JsonPath { steps })
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    depth: u32,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn eat(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn error<T>(&self, expected: &str) -> Result<T, String> {
        Err(format!("at character {}: expected {expected}", self.at + 1))
    }

    fn done(self, path: JsonPath) -> Result<JsonPath, String> {
        if self.rest().is_empty() { Ok(path) } else { self.error("`.`, `[` or the end") }
    }

    fn expect(&mut self, word: &str) -> Result<(), String> {
        self.space();
        if self.eat(word) { Ok(()) } else { self.error(&format!("`{word}`")) }
    }

    fn steps(&mut self, steps: &mut Vec<Step>) -> Result<(), String> {
        loop {
            let descends = self.eat("..");
            if descends {
                steps.push(Step::Descend);
            }
            if self.rest().starts_with('[') {
                self.at += 1;
                let step = self.bracket(descends)?;
                steps.push(step);
            } else if descends || self.eat(".") {
                steps.push(if self.eat("*") { Step::Children } else { Step::Fields(vec![self.name()?]) });
            } else {
                return Ok(());
            }
        }
    }

    fn name(&mut self) -> Result<String, String> {
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | ':' | '/');
        let length = self.rest().find(|c| !plain(c)).unwrap_or(self.rest().len());
        if length == 0 {
            return self.error("a name");
        }
        let name = self.rest()[..length].to_owned();
        self.at += length;
        Ok(name)
    }

    /// After `[`.
    fn bracket(&mut self, descends: bool) -> Result<Step, String> {
        self.space();
        if self.eat("?") {
            self.expect("(")?;
            let expr = self.or()?;
            self.expect(")")?;
            self.expect("]")?;
            return Ok(if descends { Step::Keep(expr) } else { Step::Filter(expr) });
        }
        if self.eat("*") {
            self.expect("]")?;
            return Ok(Step::Children);
        }
        if self.rest().starts_with(['\'', '"']) {
            let mut names = vec![self.quoted()?];
            while { self.space(); self.eat(",") } {
                self.space();
                names.push(self.quoted()?);
            }
            self.expect("]")?;
            return Ok(Step::Fields(names));
        }
        let first = self.integer();
        self.space();
        if self.eat(":") {
            self.space();
            let last = self.integer();
            self.expect("]")?;
            return Ok(Step::Slice(first, last));
        }
        let Some(first) = first else { return self.error("a number, a quoted name, `*` or `?(`") };
        let mut indexes = vec![first];
        while { self.space(); self.eat(",") } {
            self.space();
            match self.integer() {
                Some(index) => indexes.push(index),
                None => return self.error("a number"),
            }
        }
        self.expect("]")?;
        Ok(Step::Indexes(indexes))
    }

    fn integer(&mut self) -> Option<i64> {
        let rest = self.rest();
        let digits = rest.strip_prefix('-').unwrap_or(rest);
        let count = digits.bytes().take_while(u8::is_ascii_digit).count();
        let length = rest.len() - digits.len() + count;
        let number = rest[..length].parse().ok()?;
        self.at += length;
        Some(number)
    }

    fn quoted(&mut self) -> Result<String, String> {
        let Some(quote) = self.rest().chars().next().filter(|c| matches!(c, '\'' | '"')) else {
            return self.error("a quoted text");
        };
        self.at += 1;
        let mut text = String::new();
        let mut chars = self.rest().char_indices();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.at += at + 1;
                return Ok(text);
            }
            match c {
                '\\' => text.extend(chars.next().map(|(_, c)| c)),
                c => text.push(c),
            }
        }
        self.error("a closing quote")
    }

    fn or(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > MAX_NESTING {
            return self.error("fewer nested expressions");
        }
        let mut parts = vec![self.and()?];
        while { self.space(); self.eat("||") } {
            parts.push(self.and()?);
        }
        self.depth -= 1;
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::Or(parts) })
    }

    fn and(&mut self) -> Result<Expr, String> {
        let mut parts = vec![self.term()?];
        while { self.space(); self.eat("&&") } {
            parts.push(self.term()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expr::And(parts) })
    }

    fn term(&mut self) -> Result<Expr, String> {
        self.space();
        let negated = self.rest().starts_with('!');
        if negated {
            self.at += 1;
            self.space();
        }
        let expr = if self.eat("(") {
            let inner = self.or()?;
            self.expect(")")?;
            inner
        } else {
            let left = self.operand()?;
            self.space();
            match self.comparison()? {
                None => Expr::Exists(left),
                Some(comparison) => {
                    self.space();
                    Expr::Compare(left, comparison, self.operand()?)
                }
            }
        };
        Ok(if negated { Expr::Not(Box::new(expr)) } else { expr })
    }

    fn comparison(&mut self) -> Result<Option<Comparison>, String> {
        if self.rest().starts_with("=~") {
            return self.error("a comparison other than `=~`, which is not supported");
        }
        let words = [
            ("===", Comparison::Equal),
            ("!==", Comparison::NotEqual),
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<>", Comparison::NotEqual),
            ("<=", Comparison::LessOrEqual),
            (">=", Comparison::GreaterOrEqual),
            ("<", Comparison::Less),
            (">", Comparison::Greater),
        ];
        Ok(words.into_iter().find(|(word, _)| self.eat(word)).map(|(_, comparison)| comparison))
    }

    fn operand(&mut self) -> Result<Operand, String> {
        self.space();
        if self.eat("@") {
            return self.relative().map(Operand::Here);
        }
        if self.eat("$") {
            return self.relative().map(Operand::Root);
        }
        if self.rest().starts_with(['\'', '"']) {
            return self.quoted().map(|text| Operand::Literal(Value::String(text)));
        }
        for (word, value) in [("true", Value::Bool(true)), ("false", Value::Bool(false)), ("null", Value::Null)] {
            if self.eat(word) {
                return Ok(Operand::Literal(value));
            }
        }
        let length = self.rest().bytes().take_while(|b| b.is_ascii_digit() || b"+-.eE".contains(b)).count();
        let number = self.rest()[..length].parse().ok().and_then(serde_json::Number::from_f64);
        match number {
            Some(number) => {
                self.at += length;
                Ok(Operand::Literal(Value::Number(number)))
            }
            None => self.error("@, $, a number or a quoted text"),
        }
    }

    /// After `@` or `$` in a filter; Json.NET lets a name follow without a dot.
    fn relative(&mut self) -> Result<JsonPath, String> {
        let mut steps = Vec::new();
        if self.rest().starts_with(|c: char| c.is_alphanumeric() || c == '_') {
            steps.push(Step::Fields(vec![self.name()?]));
        }
        self.steps(&mut steps)?;
        Ok(JsonPath { steps })
    }
}
