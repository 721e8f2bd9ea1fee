//! MQTT topic filters with named captures: `hospital/{unit}/monitor-{device}/#`.

/// A compiled filter.
#[derive(Debug, Clone)]
pub(crate) struct TopicFilter {
    text: String,
    levels: Vec<Level>,
}

#[derive(Debug, Clone)]
enum Level {
    /// Exactly this.
    Literal(String),
    /// `+`
    One,
    /// `#`: whatever follows, also nothing.
    Rest,
    /// `before{name}after`: one level, not empty between.
    Capture { before: String, name: String, after: String },
}

impl TopicFilter {
    /// Compiles `text`.
    ///
    /// # Errors
    /// A sentence on what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("a topic filter can't be empty".to_owned());
        }
        let parts: Vec<&str> = text.split('/').collect();
        let mut levels = Vec::with_capacity(parts.len());
        for (at, part) in parts.iter().enumerate() {
            levels.push(match *part {
                "+" => Level::One,
                "#" if at + 1 == parts.len() => Level::Rest,
                "#" => return Err("`#` must be the last level".to_owned()),
                part if part.contains(['+', '#']) => {
                    return Err("`+` and `#` must stand alone in a level".to_owned());
                }
                part if part.contains(['{', '}']) => capture(part)?,
                part => Level::Literal(part.to_owned()),
            });
        }
        let filter = Self { text: text.to_owned(), levels };
        let names: Vec<&str> = filter.names().collect();
        match (1..names.len()).find(|at| names[..*at].contains(&names[*at])) {
            Some(at) => Err(format!("`{{{}}}` is captured twice", names[at])),
            None => Ok(filter),
        }
    }

    /// The filter as written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The names that it captures.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.levels.iter().filter_map(|level| match level {
            Level::Capture { name, .. } => Some(name.as_str()),
            _ => None,
        })
    }

    /// Matches a topic; the captures by name.
    pub(crate) fn matches<'f, 't>(&'f self, topic: &'t str) -> Option<Vec<(&'f str, &'t str)>> {
        // A wildcard never takes a topic that begins with `$` (MQTT 5, 4.7.2).
        if topic.starts_with('$') && !matches!(self.levels.first(), Some(Level::Literal(_))) {
            return None;
        }
        let mut captures = Vec::new();
        let mut parts = topic.split('/');
        for level in &self.levels {
            if matches!(level, Level::Rest) {
                return Some(captures);
            }
            let part = parts.next()?;
            match level {
                Level::Literal(text) if text == part => {}
                Level::One => {}
                Level::Capture { before, name, after } => {
                    let inner = part.strip_prefix(before.as_str())?.strip_suffix(after.as_str())?;
                    if inner.is_empty() {
                        return None;
                    }
                    captures.push((name.as_str(), inner));
                }
                _ => return None,
            }
        }
        parts.next().is_none().then_some(captures)
    }
}

fn capture(part: &str) -> Result<Level, String> {
    let malformed = || format!("`{part}`: write one `{{name}}` a level");
    let (before, rest) = part.split_once('{').ok_or_else(malformed)?;
    let (name, after) = rest.split_once('}').ok_or_else(malformed)?;
    let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    if !plain || before.contains('}') || after.contains(['{', '}']) {
        return Err(malformed());
    }
    Ok(Level::Capture { before: before.to_owned(), name: name.to_owned(), after: after.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(filter: &str, topic: &str, expected: Option<&[(&str, &str)]>) {
        let filter = TopicFilter::parse(filter).expect("a valid filter");
        assert_eq!(filter.matches(topic).as_deref(), expected, "{} on {topic}", filter.text());
    }

    #[test]
    fn filters_match_and_capture() {
        check("a/{d}/c", "a/x1/c", Some(&[("d", "x1")]));
        check("a/{d}/c", "a//c", None);
        check("a/{d}/c", "a/x1/c/d", None);
        check("{u}/m-{d}.v/#", "icu/m-7.v/x/y", Some(&[("u", "icu"), ("d", "7")]));
        check("a/#", "a", Some(&[]));
        check("a/+", "a", None);
        check("a/+", "a/", Some(&[]));
        check("#", "any/thing", Some(&[]));
        check("#", "$SYS/x", None);
        check("+/x", "$SYS/x", None);
        check("$SYS/x", "$SYS/x", Some(&[]));
    }

    #[test]
    fn bad_filters_say_why() {
        for bad in ["", "a/#/b", "a+", "{a", "a}", "{}", "{a}{b}", "{a}/{a}", "{a b}"] {
            assert!(TopicFilter::parse(bad).is_err(), "{bad}");
        }
    }
}
