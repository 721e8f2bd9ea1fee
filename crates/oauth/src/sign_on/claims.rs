//! What a token says of a person.

use serde_json::{Map, Value};

/// Names and values.
pub type Claims = Map<String, Value>;

/// Values of one claim that are looked at.
const VALUES_MAX: usize = 1_000;

/// The value of a claim: of this very name, or within objects along the dots (`realm_access.roles`).
fn find<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    if let Some(found) = claims.get(name) {
        return Some(found);
    }
    let (first, rest) = name.split_once('.')?;
    find(claims.get(first)?.as_object()?, rest)
}

/// A claim that is one text.
#[must_use]
pub fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    find(claims, name)?.as_str()
}

/// A claim that is a list of texts, or one text alone; none when it is not there at all.
#[must_use]
pub fn texts(claims: &Claims, name: &str) -> Option<Vec<String>> {
    match find(claims, name)? {
        Value::String(one) => Some(vec![one.clone()]),
        Value::Array(many) => {
            let many = many.iter().take(VALUES_MAX).filter_map(Value::as_str);
            Some(many.map(str::to_owned).collect())
        }
        _ => Some(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_are_found_by_name_and_along_dots() {
        let claims = serde_json::json!({
            "groups": ["a", 1, "b"], "role": "nurse", "https://x.example/groups": ["c"],
            "realm_access": {"roles": ["d"]}, "odd": {"e": 1},
        });
        let claims = claims.as_object().expect("an object");
        for (name, expected) in [
            ("groups", Some(vec!["a", "b"])),
            ("role", Some(vec!["nurse"])),
            ("https://x.example/groups", Some(vec!["c"])),
            ("realm_access.roles", Some(vec!["d"])),
            ("odd", Some(vec![])),
            ("odd.f", None),
            ("none", None),
        ] {
            let expected = expected.map(|all| all.into_iter().map(str::to_owned).collect());
            assert_eq!(texts(claims, name), expected, "{name}");
        }
        assert_eq!((text(claims, "role"), text(claims, "groups")), (Some("nurse"), None));
    }
}
