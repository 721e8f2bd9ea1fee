//! Reading a table of a profile: each key with its type, and an error that says where and what.

use super::ProfileError;
use super::node::{Entry, Kind, Node};

/// One table of a profile file.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    file: &'a str,
    path: &'a str,
    line: Option<usize>,
    entries: &'a [Entry],
}

impl<'a> Table<'a> {
    /// The table that `node` must be; every key in it must be one of `known`.
    pub(super) fn new(
        file: &'a str,
        path: &'a str,
        node: &'a Node,
        known: &[&str],
    ) -> Result<Self, ProfileError> {
        let Kind::Table(entries) = &node.kind else {
            let message = format!("must be a table, not {}", node.kind.name());
            return Err(ProfileError::new(file, node.line, path, message));
        };
        let table = Self { file, path, line: node.line, entries };
        for entry in entries {
            if !known.contains(&entry.key.as_str()) {
                let hint = nearest(&entry.key, known);
                return Err(ProfileError::new(
                    file,
                    entry.line,
                    &table.key_path(&entry.key),
                    format!("unknown key; the nearest known one is `{hint}`"),
                ));
            }
        }
        Ok(table)
    }

    pub(super) fn key_path(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    pub(super) fn entry(&self, key: &str) -> Option<&'a Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    pub(super) fn node(&self, key: &str) -> Option<&'a Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// An error about a key of this table.
    pub(super) fn error(&self, key: &str, message: impl Into<String>) -> ProfileError {
        let line = self.entry(key).and_then(|entry| entry.line).or(self.line);
        ProfileError::new(self.file, line, &self.key_path(key), message.into())
    }

    fn wrong(&self, key: &str, expected: &str, node: &Node) -> ProfileError {
        self.error(key, format!("must be {expected}, not {}", node.kind.name()))
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, ProfileError> {
        match self.node(key) {
            None => Ok(None),
            Some(Node { kind: Kind::Text(text), .. }) => Ok(Some(text)),
            Some(other) => Err(self.wrong(key, "a text", other)),
        }
    }

    pub(super) fn number(&self, key: &str) -> Result<Option<f64>, ProfileError> {
        match self.node(key) {
            None => Ok(None),
            Some(Node { kind: Kind::Number(number), .. }) if number.is_finite() => Ok(Some(*number)),
            Some(other) => Err(self.wrong(key, "a finite number", other)),
        }
    }

    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, ProfileError> {
        match self.node(key) {
            None => Ok(None),
            Some(Node { kind: Kind::Bool(flag), .. }) => Ok(Some(*flag)),
            Some(other) => Err(self.wrong(key, "true or false", other)),
        }
    }

    pub(super) fn list(&self, key: &str) -> Result<Option<&'a [Node]>, ProfileError> {
        match self.node(key) {
            None => Ok(None),
            Some(Node { kind: Kind::List(items), .. }) => Ok(Some(items)),
            Some(other) => Err(self.wrong(key, "a list", other)),
        }
    }

    /// A text, or a list of texts.
    pub(super) fn texts(&self, key: &str) -> Result<Vec<&'a str>, ProfileError> {
        match self.node(key) {
            None => Ok(Vec::new()),
            Some(Node { kind: Kind::Text(text), .. }) => Ok(vec![text]),
            Some(node @ Node { kind: Kind::List(items), .. }) => items
                .iter()
                .map(|item| match &item.kind {
                    Kind::Text(text) => Ok(text.as_str()),
                    _ => Err(self.wrong(key, "a list of texts", node)),
                })
                .collect(),
            Some(other) => Err(self.wrong(key, "a text or a list of texts", other)),
        }
    }

    /// A table whose keys are free.
    pub(super) fn map(&self, key: &str) -> Result<Option<&'a [Entry]>, ProfileError> {
        match self.node(key) {
            None => Ok(None),
            Some(Node { kind: Kind::Table(entries), .. }) => Ok(Some(entries)),
            Some(other) => Err(self.wrong(key, "a table", other)),
        }
    }
}

/// The known word with the smallest edit distance.
pub(super) fn nearest<'k>(word: &str, known: &[&'k str]) -> &'k str {
    known.iter().copied().min_by_key(|candidate| distance(word, candidate)).unwrap_or("")
}

/// Levenshtein distance.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_named() {
        for (word, expected) in [("topik", "topic"), ("valeu", "value"), ("metrics", "metric")] {
            assert_eq!(nearest(word, &["metric", "value", "topic", "unit"]), expected);
        }
    }
}
