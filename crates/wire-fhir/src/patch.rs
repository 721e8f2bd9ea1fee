//! JSON Patch (RFC 6902) on a resource.

use serde_json::Value as Json;

/// More operations than this in one patch are refused.
const OPERATIONS_MAX: usize = 1_000;

/// Why a patch was not applied; nothing of it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Problem {
    /// Which operation.
    pub at: usize,
    /// Well-formed, but the resource is not as it expects (else: not a patch).
    pub refused: bool,
    /// What is wrong.
    pub detail: &'static str,
}

/// The resource after the operations, all of them or none.
///
/// # Errors
/// The first operation that can't be done.
pub fn apply(resource: &Json, operations: &Json) -> Result<Json, Problem> {
    let malformed = |at, detail| Problem { at, refused: false, detail };
    let list = operations
        .as_array()
        .filter(|list| list.len() <= OPERATIONS_MAX)
        .ok_or_else(|| malformed(0, "A patch is an array of at most 1,000 operations."))?;
    let mut patched = resource.clone();
    for (at, operation) in list.iter().enumerate() {
        let text = |name: &str| operation[name].as_str();
        let path = text("path").and_then(pointer);
        let path = path.ok_or_else(|| malformed(at, "The operation has no valid path."))?;
        let from = text("from").and_then(pointer);
        let value = operation.get("value").cloned();
        let needs_value = || malformed(at, "The operation has no value.");
        let needs_from = || malformed(at, "The operation has no valid from.");
        let done = match text("op").unwrap_or_default() {
            "add" => add(&mut patched, &path, value.ok_or_else(needs_value)?),
            "remove" => remove(&mut patched, &path).map(drop),
            "replace" => {
                let value = value.ok_or_else(needs_value)?;
                find(&mut patched, &path).map(|place| *place = value)
            }
            "test" => {
                let value = value.ok_or_else(needs_value)?;
                find(&mut patched, &path).filter(|there| **there == value).map(drop)
            }
            "copy" => {
                let from = from.ok_or_else(needs_from)?;
                let value = find(&mut patched, &from).map(|there| there.clone());
                value.and_then(|value| add(&mut patched, &path, value))
            }
            "move" => {
                let from = from.ok_or_else(needs_from)?;
                if path.starts_with(&from) && path != from {
                    return Err(malformed(at, "Nothing can be moved into itself."));
                }
                remove(&mut patched, &from).and_then(|value| add(&mut patched, &path, value))
            }
            _ => return Err(malformed(at, "The operation is none of RFC 6902.")),
        };
        let detail = "The resource has nothing there that the operation could work on, or not what it expects.";
        done.ok_or(Problem { at, refused: true, detail })?;
    }
    Ok(patched)
}

/// The parts of a JSON pointer (RFC 6901).
fn pointer(text: &str) -> Option<Vec<String>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let parts = text.strip_prefix('/')?.split('/');
    Some(parts.map(|part| part.replace("~1", "/").replace("~0", "~")).collect())
}

fn index(text: &str) -> Option<usize> {
    let plain = text == "0" || !text.starts_with('0');
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?.filter(|_| plain)
}

fn find<'a>(json: &'a mut Json, path: &[String]) -> Option<&'a mut Json> {
    path.iter().try_fold(json, |place, part| match place {
        Json::Object(object) => object.get_mut(part),
        Json::Array(list) => list.get_mut(index(part)?),
        _ => None,
    })
}

fn add(json: &mut Json, path: &[String], value: Json) -> Option<()> {
    let Some((last, before)) = path.split_last() else {
        *json = value;
        return Some(());
    };
    match find(json, before)? {
        Json::Object(object) => {
            object.insert(last.clone(), value);
        }
        Json::Array(list) if last == "-" => list.push(value),
        Json::Array(list) => {
            let at = index(last).filter(|at| *at <= list.len())?;
            list.insert(at, value);
        }
        _ => return None,
    }
    Some(())
}

fn remove(json: &mut Json, path: &[String]) -> Option<Json> {
    let (last, before) = path.split_last()?;
    match find(json, before)? {
        Json::Object(object) => object.shift_remove(last),
        Json::Array(list) => {
            let at = index(last).filter(|at| *at < list.len())?;
            Some(list.remove(at))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn operations_do_what_the_standard_says() {
        let before = json!({"a": [1, 2], "b": {"c/d": "x", "m~n": 1}});
        for (operations, after) in [
            (json!([{"op": "add", "path": "/a/1", "value": 9}]), json!([1, 9, 2])),
            (json!([{"op": "add", "path": "/a/-", "value": 9}]), json!([1, 2, 9])),
            (json!([{"op": "remove", "path": "/a/0"}]), json!([2])),
            (json!([{"op": "replace", "path": "/a/0", "value": null}]), json!([null, 2])),
            (json!([{"op": "move", "from": "/b/c~1d", "path": "/a/0"}]), json!(["x", 1, 2])),
            (json!([{"op": "copy", "from": "/b/m~0n", "path": "/a/-"}]), json!([1, 2, 1])),
            (json!([{"op": "test", "path": "/a", "value": [1, 2]}]), json!([1, 2])),
            (json!([]), json!([1, 2])),
        ] {
            assert_eq!(apply(&before, &operations).expect("it applies")["a"], after, "{operations}");
        }
        for (operations, refused) in [
            (json!({}), false),
            (json!([{"op": "add", "path": "a", "value": 1}]), false),
            (json!([{"op": "add", "path": "/a/3", "value": 1}]), true),
            (json!([{"op": "add", "path": "/a/01", "value": 1}]), true),
            (json!([{"op": "add", "path": "/x/y", "value": 1}]), true),
            (json!([{"op": "remove", "path": "/x"}]), true),
            (json!([{"op": "remove", "path": ""}]), true),
            (json!([{"op": "replace", "path": "/x", "value": 1}]), true),
            (json!([{"op": "test", "path": "/a/0", "value": 2}]), true),
            (json!([{"op": "move", "from": "/b", "path": "/b/c"}]), false),
            (json!([{"op": "swap", "path": "/a"}]), false),
            (json!([{"op": "add", "path": "/z"}]), false),
        ] {
            let problem = apply(&before, &operations).expect_err("it is refused");
            assert_eq!(problem.refused, refused, "{operations}");
        }
    }
}
