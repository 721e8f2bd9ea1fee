//! Signatures: types in a row, each a letter, an array of one, a structure, or an entry of a map.

use crate::DbusError;

/// Longest signature, bytes.
pub(crate) const LENGTH_MAX: usize = 255;
/// How deep arrays and structures may nest, together.
pub(crate) const DEPTH_MAX: usize = 64;

/// The first whole type of a signature, and the rest.
pub(crate) fn first(signature: &str) -> Result<(&str, &str), DbusError> {
    let length = length(signature.as_bytes(), 0)?;
    Ok(signature.split_at(length))
}

/// Whether a text is a signature of whole types.
pub(crate) fn check(signature: &str) -> Result<(), DbusError> {
    if signature.len() > LENGTH_MAX {
        return Err(DbusError::Signature);
    }
    let mut rest = signature;
    while !rest.is_empty() {
        rest = first(rest)?.1;
    }
    Ok(())
}

/// How far a value of a type is from the next multiple of what.
pub(crate) const fn alignment(kind: u8) -> usize {
    match kind {
        b'n' | b'q' => 2,
        b'b' | b'i' | b'u' | b's' | b'o' | b'a' | b'h' => 4,
        b'x' | b't' | b'd' | b'(' | b'{' => 8,
        _ => 1,
    }
}

/// Length of the first whole type.
fn length(signature: &[u8], depth: usize) -> Result<usize, DbusError> {
    if depth > DEPTH_MAX {
        return Err(DbusError::Limit);
    }
    let kind = *signature.first().ok_or(DbusError::Signature)?;
    match kind {
        b'y' | b'b' | b'n' | b'q' | b'i' | b'u' | b'x' | b't' | b'd' | b's' | b'o' | b'g' | b'h' | b'v' => Ok(1),
        b'a' if signature.get(1) == Some(&b'{') => Ok(1 + entry(&signature[1..], depth + 1)?),
        b'a' => Ok(1 + length(&signature[1..], depth + 1)?),
        b'(' => {
            let mut at = 1;
            while signature.get(at) != Some(&b')') {
                at += length(signature.get(at..).unwrap_or_default(), depth + 1)?;
            }
            if at == 1 { Err(DbusError::Signature) } else { Ok(at + 1) }
        }
        _ => Err(DbusError::Signature),
    }
}

/// Length of an entry: braces around a simple type and any type.
fn entry(signature: &[u8], depth: usize) -> Result<usize, DbusError> {
    let key = *signature.get(1).ok_or(DbusError::Signature)?;
    if matches!(key, b'a' | b'(' | b'{' | b'v') {
        return Err(DbusError::Signature);
    }
    let key = length(&signature[1..], depth + 1)?;
    let value = length(signature.get(1 + key..).unwrap_or_default(), depth + 1)?;
    let end = 1 + key + value;
    if signature.get(end) == Some(&b'}') { Ok(end + 1) } else { Err(DbusError::Signature) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_types() {
        for (signature, expected) in [
            ("a{oa{sa{sv}}}s", Some("a{oa{sa{sv}}}")),
            ("(ii)u", Some("(ii)")),
            ("ay", Some("ay")),
            ("v", Some("v")),
            ("aa(yv)", Some("aa(yv)")),
            ("", None),
            ("a", None),
            ("()", None),
            ("(i", None),
            ("{sv}", None),
            ("a{vs}", None),
            ("a{s}", None),
            ("a{ssv}", None),
            ("z", None),
        ] {
            assert_eq!(first(signature).ok().map(|(one, _)| one), expected, "{signature}");
        }
        assert_eq!(check(&"a".repeat(100)), Err(DbusError::Limit));
        assert_eq!(check(&"i".repeat(256)), Err(DbusError::Signature));
    }
}
