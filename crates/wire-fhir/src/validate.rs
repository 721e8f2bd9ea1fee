//! Validation of a resource against the specification's tables: types, cardinality, required
//! codes, date and reference formats, unknown elements, and the invariants that matter here.
//!
//! What is not checked: profiles, extensible bindings, FHIRPath invariants of other resources. A
//! resource type that the table does not describe is accepted by its name alone.

use serde_json::{Map, Value};

use crate::definition::{self, Element, Type};
use crate::invariant;
use crate::outcome::{Issue, IssueCode};
use crate::primitive;
use crate::reference;

/// At most this many issues are reported for one resource; the rest would say the same.
pub const ISSUES_MAX: usize = 50;
/// A data type or extension nested deeper than this is refused.
const DEPTH_MAX: usize = 40;

/// Everything that is wrong with `resource`, each with its FHIRPath beginning at `root`
/// (such as `Patient`, or `Bundle.entry[2].resource`); empty when it is valid.
#[must_use]
pub fn validate(resource: &Value, root: &str) -> Vec<Issue> {
    let mut check = Check { issues: Vec::new() };
    check.resource(resource, root, 0);
    check.issues
}

/// Reads JSON bytes as a resource and validates it.
///
/// # Errors
/// The issues, at least one of them, when it is not valid.
pub fn parse(bytes: &[u8]) -> Result<Value, Vec<Issue>> {
    let value: Value = serde_json::from_slice(bytes).map_err(|error| {
        vec![Issue::error(
            IssueCode::Structure,
            "",
            format!(
                "The body is not well-formed JSON: {} at line {}, column {}.",
                match error.classify() {
                    serde_json::error::Category::Eof => "it ends too early",
                    _ => "unexpected character or nesting",
                },
                error.line(),
                error.column()
            ),
        )]
    })?;
    let root = value["resourceType"].as_str().filter(|ty| definition::is_resource_type(ty));
    let issues = validate(&value, root.unwrap_or("Resource"));
    if issues.is_empty() { Ok(value) } else { Err(issues) }
}

struct Check {
    issues: Vec<Issue>,
}

impl Check {
    fn error(&mut self, code: IssueCode, path: &str, detail: impl Into<String>) {
        if self.issues.len() < ISSUES_MAX {
            self.issues.push(Issue::error(code, path, detail));
        }
    }

    fn resource(&mut self, value: &Value, path: &str, depth: usize) {
        let Some(object) = value.as_object() else {
            return self.error(IssueCode::Structure, path, "A resource is a JSON object.");
        };
        let at = format!("{path}.resourceType");
        match object.get("resourceType").map(|ty| ty.as_str().unwrap_or_default()) {
            None => self.error(IssueCode::Required, &at, "A resource names its type in resourceType."),
            Some(ty) if !definition::is_resource_type(ty) => {
                self.error(IssueCode::Value, &at, "FHIR R4 has no resource type of this name.");
            }
            Some(ty) => {
                if let Some(elements) = definition::elements(ty) {
                    self.object(object, ty, elements, path, depth);
                }
            }
        }
    }

    fn object(
        &mut self,
        object: &Map<String, Value>,
        ty: &str,
        elements: &'static [Element],
        path: &str,
        depth: usize,
    ) {
        if depth > DEPTH_MAX {
            return self.error(IssueCode::TooCostly, path, "Nested too deeply.");
        }
        if object.is_empty() {
            self.error(IssueCode::Structure, path, "An object must not be empty: leave it out.");
        }
        for (key, value) in object {
            if key == "resourceType" {
                if definition::is_resource_type(ty) {
                    continue;
                }
                self.error(IssueCode::Structure, path, "Only a resource has a resourceType.");
                continue;
            }
            let (name, shadow) = match key.strip_prefix('_') {
                Some(name) => (name, true),
                None => (key.as_str(), false),
            };
            let found = elements.iter().find_map(|e| e.select(name).map(|ty| (e, ty)));
            match found {
                Some((element, found)) if shadow && primitive::is_primitive(found.name) => {
                    self.shadow(value, element, &segment(path, element, found), depth);
                }
                Some((element, found)) if !shadow => {
                    let at = segment(path, element, found);
                    self.element(object, key, value, element, found, &at, depth);
                }
                _ => self.unknown(path, key, ty),
            }
        }
        self.presence(object, elements, path);
        let at = |name: &str| if name.is_empty() { path.to_owned() } else { format!("{path}.{name}") };
        for (name, detail) in invariant::broken(ty, object) {
            self.error(IssueCode::Invariant, &at(name), detail);
        }
    }

    /// Required elements are there, and of a choice there is only one.
    fn presence(&mut self, object: &Map<String, Value>, elements: &[Element], path: &str) {
        for element in elements.iter().filter(|e| e.required || e.choice) {
            let mut present: Vec<&str> = object
                .keys()
                .map(|key| key.strip_prefix('_').unwrap_or(key))
                .filter(|key| element.select(key).is_some())
                .collect();
            present.sort_unstable();
            present.dedup();
            let at = format!("{path}.{}", element.name);
            if element.required && present.is_empty() {
                self.error(IssueCode::Required, &at, format!("{} is required.", element.name));
            } else if present.len() > 1 {
                let detail = format!("Only one {}[x] is allowed.", element.name);
                self.error(IssueCode::Structure, &at, detail);
            }
        }
    }

    fn unknown(&mut self, path: &str, key: &str, ty: &str) {
        // A key may be anything, so only one that looks like an element's name is repeated.
        let plain = key.len() <= 40 && key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let at = if plain { format!("{path}.{key}") } else { path.to_owned() };
        self.error(IssueCode::Structure, &at, format!("{ty} has no element of this name in FHIR R4."));
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one JSON member")]
    fn element(
        &mut self,
        object: &Map<String, Value>,
        key: &str,
        value: &Value,
        element: &Element,
        ty: &Type,
        path: &str,
        depth: usize,
    ) {
        if !element.many {
            if value.is_array() {
                return self.error(IssueCode::Structure, path, "Only one is allowed: no JSON array here.");
            }
            return self.value(value, element, ty, path, depth);
        }
        let Some(list) = value.as_array() else {
            return self.error(IssueCode::Structure, path, "This element repeats: a JSON array is expected.");
        };
        if list.is_empty() {
            return self.error(IssueCode::Structure, path, "An array must not be empty: leave it out.");
        }
        // A null holds the place of a primitive that has only extensions.
        let shadows = object.get(&format!("_{key}")).and_then(Value::as_array);
        for (index, item) in list.iter().enumerate() {
            let shadowed = shadows.is_some_and(|s| s.get(index).is_some_and(Value::is_object));
            if item.is_null() && shadowed && primitive::is_primitive(ty.name) {
                continue;
            }
            self.value(item, element, ty, &format!("{path}[{index}]"), depth);
        }
    }

    fn value(&mut self, value: &Value, element: &Element, ty: &Type, path: &str, depth: usize) {
        if primitive::is_primitive(ty.name) {
            if let Some(problem) = primitive::problem(ty.name, value) {
                self.error(IssueCode::Value, path, format!("Not a valid {}: {problem}.", ty.name));
            } else if let (Some(codes), Some(code)) = (element.codes, value.as_str())
                && !codes.contains(&code)
            {
                let detail = format!("Not an allowed code. Allowed: {}.", codes.join(", "));
                self.error(IssueCode::CodeInvalid, path, detail);
            }
            return;
        }
        if ty.name == "Resource" {
            return self.resource(value, path, depth + 1);
        }
        let (Some(object), Some(elements)) = (value.as_object(), definition::elements(ty.name)) else {
            let detail = format!("A JSON object ({}) is expected.", ty.name);
            return self.error(IssueCode::Structure, path, detail);
        };
        self.object(object, ty.name, elements, path, depth + 1);
        if ty.name == "Reference" {
            self.reference(object, ty, path);
        }
    }

    fn reference(&mut self, object: &Map<String, Value>, ty: &Type, path: &str) {
        let Some(text) = object.get("reference").and_then(Value::as_str) else { return };
        let at = format!("{path}.reference");
        match reference::parse(text) {
            None => self.error(
                IssueCode::Value,
                &at,
                "Not a reference: Type/id, an absolute address, urn:uuid:…, #contained or Type?search.",
            ),
            Some(found) => {
                // The specification's own example `clinical-gender` names a performer of another
                // type, and nothing here depends on it: performers may be anything.
                let wrong = !path.contains(".performer") && found.resource_type().is_some_and(|target| {
                    !ty.targets.is_empty() && !ty.targets.contains(&target)
                });
                if wrong {
                    let detail = format!("May refer to: {}.", ty.targets.join(", "));
                    self.error(IssueCode::Value, &at, detail);
                }
            }
        }
    }

    /// The `_name` member of a primitive: its id and extensions.
    fn shadow(&mut self, value: &Value, element: &Element, path: &str, depth: usize) {
        let elements = definition::elements("Element").unwrap_or_default();
        let one = |check: &mut Self, value: &Value, path: &str| match value.as_object() {
            Some(object) => check.object(object, "Element", elements, path, depth + 1),
            None => check.error(IssueCode::Structure, path, "A JSON object with id or extension is expected."),
        };
        if !element.many {
            return one(self, value, path);
        }
        match value.as_array() {
            None => self.error(IssueCode::Structure, path, "This element repeats: a JSON array is expected."),
            Some(list) => {
                for (index, item) in list.iter().enumerate().filter(|(_, item)| !item.is_null()) {
                    one(self, item, &format!("{path}[{index}]"));
                }
            }
        }
    }
}

fn segment(path: &str, element: &Element, ty: &Type) -> String {
    if element.choice {
        format!("{path}.{}.ofType({})", element.name, ty.name)
    } else {
        format!("{path}.{}", element.name)
    }
}
