//! Topic names and filters (4.7): what is valid, what matches, what is shared.

use crate::MqttError;

/// Longest and deepest topic taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TopicLimits {
    /// Bytes of a name or filter.
    pub bytes: usize,
    /// Levels of a name or filter.
    pub levels: usize,
}

impl Default for TopicLimits {
    fn default() -> Self {
        Self { bytes: 1_024, levels: 32 }
    }
}

/// Checks a topic name.
///
/// # Errors
/// [`MqttError::Topic`] when it is empty, has a wildcard, or is longer or deeper than the limits.
pub fn check_name(name: &str, limits: TopicLimits) -> Result<(), MqttError> {
    if name.is_empty() {
        return Err(MqttError::Topic("empty"));
    }
    let mut slashes = 0;
    for byte in name.bytes() {
        match byte {
            b'+' | b'#' => return Err(MqttError::Topic("wildcard in a topic name")),
            b'/' => slashes += 1,
            0 => return Err(MqttError::Topic("U+0000")),
            _ => {}
        }
    }
    within(name, slashes, limits).map_err(MqttError::Topic)
}

/// Checks a topic filter, shared or not.
///
/// # Errors
/// [`MqttError::Filter`] when a wildcard is not a whole level, `#` is not the last one, a shared
/// filter has no group or no filter, or it is longer or deeper than the limits.
pub fn check_filter(filter: &str, limits: TopicLimits) -> Result<(), MqttError> {
    let (group, plain) = split_shared(filter);
    if let Some(group) = group
        && (group.is_empty() || group.contains(['+', '#']) || plain.is_empty())
    {
        return Err(MqttError::Filter("shared filters read $share/group/filter"));
    }
    if plain.is_empty() {
        return Err(MqttError::Filter("empty"));
    }
    let mut levels = plain.split('/').peekable();
    while let Some(level) = levels.next() {
        match level {
            "#" if levels.peek().is_some() => {
                return Err(MqttError::Filter("# must be the last level"));
            }
            "#" | "+" => {}
            _ if level.contains(['+', '#']) => {
                return Err(MqttError::Filter("a wildcard must be a whole level"));
            }
            _ => {}
        }
    }
    within(filter, plain.bytes().filter(|b| *b == b'/').count(), limits).map_err(MqttError::Filter)
}

fn within(text: &str, slashes: usize, limits: TopicLimits) -> Result<(), &'static str> {
    if text.len() > limits.bytes {
        Err("longer than this server takes")
    } else if slashes >= limits.levels {
        Err("more levels than this server takes")
    } else {
        Ok(())
    }
}

/// The group and the filter of `$share/group/filter`; no group for any other filter. An
/// incomplete shared filter yields an empty part, which [`check_filter`] refuses.
#[must_use]
pub fn split_shared(filter: &str) -> (Option<&str>, &str) {
    match filter.strip_prefix("$share/") {
        None => (None, filter),
        Some(rest) => {
            let (group, plain) = rest.split_once('/').unwrap_or((rest, ""));
            (Some(group), plain)
        }
    }
}

/// Whether a valid unshared filter matches a valid name. Wildcards in the first level do not
/// match names that begin with `$` (4.7.2).
#[must_use]
pub fn matches(filter: &str, name: &str) -> bool {
    if name.starts_with('$') && filter.starts_with(['+', '#']) {
        return false;
    }
    let (mut wanted, mut given) = (filter.split('/'), name.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(_)) => {}
            (Some(a), Some(b)) if a == b => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (name, valid) in [
            ("a", true),
            ("/", true),
            ("a//b", true),
            ("vitalwire/m-1/measurements", true),
            ("", false),
            ("a/+", false),
            ("a#", false),
            ("1/2/3/4/5", false),
            ("0123456789012345678901234567890123456789", false),
        ] {
            let limits = TopicLimits { bytes: 32, levels: 4 };
            assert_eq!(check_name(name, limits).is_ok(), valid, "{name:?}");
        }
    }

    #[test]
    fn filters() {
        for (filter, valid) in [
            ("#", true),
            ("+", true),
            ("a/+/b/#", true),
            ("/", true),
            ("$share/g/a/#", true),
            ("$share/g//", true),
            ("", false),
            ("a#", false),
            ("a/#/b", false),
            ("a+/b", false),
            ("$share/g", false),
            ("$share/g/", false),
            ("$share//a", false),
            ("$share/+/a", false),
        ] {
            assert_eq!(check_filter(filter, TopicLimits::default()).is_ok(), valid, "{filter:?}");
        }
    }

    /// The examples of 4.7.1 and 4.7.2.
    pub(crate) const MATCHES: [(&str, &str, bool); 18] = [
        ("sport/tennis/player1/#", "sport/tennis/player1", true),
        ("sport/tennis/player1/#", "sport/tennis/player1/ranking", true),
        ("sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true),
        ("sport/#", "sport", true),
        ("#", "sport", true),
        ("sport/tennis/+", "sport/tennis/player1", true),
        ("sport/tennis/+", "sport/tennis/player1/ranking", false),
        ("sport/+", "sport", false),
        ("sport/+", "sport/", true),
        ("+", "/finance", false),
        ("+/+", "/finance", true),
        ("/+", "/finance", true),
        ("#", "$SYS/uptime", false),
        ("+/monitor/Clients", "$SYS/monitor/Clients", false),
        ("$SYS/#", "$SYS/uptime", true),
        ("$SYS/monitor/+", "$SYS/monitor/Clients", true),
        ("a/b", "a/b", true),
        ("a/b", "a/B", false),
    ];

    #[test]
    fn matching() {
        for (filter, name, expected) in MATCHES {
            assert_eq!(matches(filter, name), expected, "{filter} {name}");
        }
    }
}
