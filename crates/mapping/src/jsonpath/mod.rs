//! JSONPath as Json.NET reads it, which is how iomt-fhir templates are written.
//!
//! It differs from RFC 9535: `$..[?(…)]` also tries the root itself, `@name` needs no dot, a lone
//! path in a filter tests existence, and a path may begin without `$`. Regular expressions
//! (`=~`) are not read. Profiles of our own use RFC 9535 instead (`profile::path`).

mod parse;

use std::cell::Cell;
use std::cmp::Ordering;

use serde_json::Value;

/// How many nodes one query may visit, so that no template and payload together run away.
const FUEL: u32 = 1_000_000;

/// A compiled path.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JsonPath {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
enum Step {
    /// `.a`, `['a']`, `['a','b']`
    Fields(Vec<String>),
    /// `[0]`, `[0,-1]`
    Indexes(Vec<i64>),
    /// `[1:3]`
    Slice(Option<i64>, Option<i64>),
    /// `.*`, `[*]`
    Children,
    /// `[?(…)]`
    Filter(Expr),
    /// `..`: the node and everything below it.
    Descend,
    /// `[?(…)]` right after `..`: tests the nodes themselves.
    Keep(Expr),
}

#[derive(Debug, Clone, PartialEq)]
enum Expr {
    Or(Vec<Expr>),
    And(Vec<Expr>),
    Not(Box<Expr>),
    Exists(Operand),
    Compare(Operand, Comparison, Operand),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

#[derive(Debug, Clone, PartialEq)]
enum Operand {
    /// `@…`
    Here(JsonPath),
    /// `$…`
    Root(JsonPath),
    Literal(Value),
}

impl JsonPath {
    /// Compiles a path.
    ///
    /// # Errors
    /// A sentence with the position.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        parse::path(text)
    }

    /// This path without its first field, if that is `name`.
    pub(crate) fn after_field(&self, name: &str) -> Option<Self> {
        match self.steps.split_first() {
            Some((Step::Fields(fields), rest)) if fields.len() == 1 && fields[0] == name => {
                Some(Self { steps: rest.to_vec() })
            }
            _ => None,
        }
    }

    /// Every node that the path selects in `root`.
    pub(crate) fn select<'v>(&self, root: &'v Value) -> Vec<&'v Value> {
        let fuel = Cell::new(FUEL);
        self.walk(root, root, &fuel)
    }

    /// The first node that is not null.
    pub(crate) fn first<'v>(&self, root: &'v Value) -> Option<&'v Value> {
        self.select(root).into_iter().find(|value| !value.is_null())
    }

    fn walk<'v>(&self, root: &'v Value, from: &'v Value, fuel: &Cell<u32>) -> Vec<&'v Value> {
        let mut nodes = vec![from];
        for step in &self.steps {
            let mut next = Vec::new();
            for node in nodes {
                step.take(root, node, fuel, &mut next);
            }
            nodes = next;
        }
        nodes
    }
}

impl Step {
    fn take<'v>(&self, root: &'v Value, node: &'v Value, fuel: &Cell<u32>, out: &mut Vec<&'v Value>) {
        if !burn(fuel) {
            return;
        }
        match self {
            Self::Fields(names) => out.extend(names.iter().filter_map(|name| node.as_object()?.get(name))),
            Self::Indexes(indexes) => {
                out.extend(indexes.iter().filter_map(|index| {
                    let items = node.as_array()?;
                    items.get(position(*index, items.len())?)
                }));
            }
            Self::Slice(from, to) => {
                if let Some(items) = node.as_array() {
                    let end = |bound: i64| position(bound, items.len()).unwrap_or(if bound < 0 { 0 } else { items.len() });
                    let (from, to) = (end(from.unwrap_or(0)), to.map_or(items.len(), end));
                    out.extend(items.iter().take(to).skip(from));
                }
            }
            Self::Children => out.extend(children(node)),
            Self::Filter(expr) => out.extend(children(node).filter(|child| expr.holds(root, child, fuel))),
            Self::Keep(expr) if expr.holds(root, node, fuel) => out.push(node),
            Self::Keep(_) => {}
            Self::Descend => descend(node, fuel, out),
        }
    }
}

fn burn(fuel: &Cell<u32>) -> bool {
    let left = fuel.get();
    fuel.set(left.saturating_sub(1));
    left > 0
}

fn position(index: i64, length: usize) -> Option<usize> {
    let length = i64::try_from(length).ok()?;
    let at = if index < 0 { index + length } else { index };
    (0..length).contains(&at).then_some(at as usize)
}

fn children(node: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match node {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(fields) => Box::new(fields.values()),
        _ => Box::new(std::iter::empty()),
    }
}

fn descend<'v>(node: &'v Value, fuel: &Cell<u32>, out: &mut Vec<&'v Value>) {
    if !burn(fuel) {
        return;
    }
    out.push(node);
    for child in children(node) {
        descend(child, fuel, out);
    }
}

impl Expr {
    fn holds(&self, root: &Value, here: &Value, fuel: &Cell<u32>) -> bool {
        match self {
            Self::Or(parts) => parts.iter().any(|part| part.holds(root, here, fuel)),
            Self::And(parts) => parts.iter().all(|part| part.holds(root, here, fuel)),
            Self::Not(part) => !part.holds(root, here, fuel),
            Self::Exists(operand) => !operand.values(root, here, fuel).is_empty(),
            Self::Compare(left, comparison, right) => {
                let rights = right.values(root, here, fuel);
                left.values(root, here, fuel)
                    .into_iter()
                    .any(|left| rights.iter().any(|right| comparison.holds(left, right)))
            }
        }
    }
}

impl Operand {
    fn values<'v>(&'v self, root: &'v Value, here: &'v Value, fuel: &Cell<u32>) -> Vec<&'v Value> {
        match self {
            Self::Here(path) => path.walk(root, here, fuel),
            Self::Root(path) => path.walk(root, root, fuel),
            Self::Literal(value) => vec![value],
        }
    }
}

impl Comparison {
    fn holds(self, left: &Value, right: &Value) -> bool {
        let order = match (left, right) {
            (Value::Number(a), Value::Number(b)) => a.as_f64().partial_cmp(&b.as_f64()),
            (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
            _ => (left == right).then_some(Ordering::Equal),
        };
        match self {
            Self::Equal => order == Some(Ordering::Equal),
            Self::NotEqual => order != Some(Ordering::Equal),
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(path: &str, expected: &Value) {
        let root = json!({
            "Body": {"hr": 72, "type": "vitals", "none": null, "list": [{"k": 1}, {"k": 2}, {"j": 3}]},
            "a b": true
        });
        let compiled = JsonPath::parse(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let got: Vec<&Value> = compiled.select(&root);
        assert_eq!(json!(got), *expected, "{path}");
    }

    #[test]
    fn selects_as_json_net_does() {
        check("$", &json!([{"Body": {"hr": 72, "type": "vitals", "none": null, "list": [{"k": 1}, {"k": 2}, {"j": 3}]}, "a b": true}]));
        check("$.Body.hr", &json!([72]));
        check("Body.hr", &json!([72]));
        check("$['a b']", &json!([true]));
        check("$.Body['hr','type']", &json!([72, "vitals"]));
        check("$..k", &json!([1, 2]));
        check("$.Body.list[1:].*", &json!([2, 3]));
        check("$.Body.list[-1]", &json!([{"j": 3}]));
        check("$.Body.list[*].k", &json!([1, 2]));
        check("$.Body.list[?(@.k > 1)]", &json!([{"k": 2}]));
        check("$..[?(@k)]", &json!([{"k": 1}, {"k": 2}]));
        check("$..[?(@k && @k == 2 || @j)]", &json!([{"k": 2}, {"j": 3}]));
        check("$..[?(@Body.hr)].Body.hr", &json!([72]));
        check("$..[?(@none)].hr", &json!([72]));
        check("$..[?(@type == 'vitals' && (@hr >= 72))].hr", &json!([72]));
        check("$..[?(@type != 'vitals' && @hr)]", &json!([]));
        check("$..[?(!@k && @j)].j", &json!([3]));
    }

    #[test]
    fn bad_paths_say_where() {
        for bad in ["$.", "$[", "$..[?(@a", "$..[?(@a &&)]", "$[?(@a =~ /x/)]", "$['a]", "$.a b", "$[x]"] {
            assert!(JsonPath::parse(bad).is_err(), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_gets_an_answer(text in "[$@.\\[\\]?()a'&|=!<>0-9*, :-]{0,40}") {
            if let Ok(path) = JsonPath::parse(&text) {
                let _ = path.select(&json!({"a": [1, {"a": 2}]}));
            }
        }
    }
}
