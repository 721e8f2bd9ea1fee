//! Retained messages (3.3.1.3): the last one a topic, within limits.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use crate::Publication;
use crate::topic::matches;

/// How much may be retained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetainedLimits {
    /// Topics.
    pub topics: usize,
    /// Bytes of all topics, payloads and properties.
    pub bytes: usize,
}

impl Default for RetainedLimits {
    fn default() -> Self {
        Self { topics: 100_000, bytes: 256 << 20 }
    }
}

/// What became of a message to retain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is retained.
    Stored,
    /// It was empty: what was retained is gone.
    Cleared,
    /// There is no room; what was retained before stays.
    Full,
}

/// The retained messages.
#[derive(Debug, Default)]
pub struct Retained {
    messages: BTreeMap<Box<str>, Arc<Publication>>,
    bytes: usize,
    limits: RetainedLimits,
}

impl Retained {
    /// Empty, with limits.
    #[must_use]
    pub const fn new(limits: RetainedLimits) -> Self {
        Self { messages: BTreeMap::new(), bytes: 0, limits }
    }

    /// Number of topics with a retained message.
    #[must_use]
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether nothing is retained.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Keeps a publication as its topic's last, or clears the topic when its payload is empty.
    pub fn set(&mut self, publication: Arc<Publication>) -> Kept {
        let old = self.messages.get(&publication.topic).map_or(0, |old| old.weight());
        if publication.payload.is_empty() {
            self.messages.remove(&publication.topic);
            self.bytes -= old;
            return Kept::Cleared;
        }
        let bytes = self.bytes - old + publication.weight();
        let topics = self.messages.len() + usize::from(old == 0);
        if bytes > self.limits.bytes || topics > self.limits.topics {
            return Kept::Full;
        }
        self.bytes = bytes;
        self.messages.insert(publication.topic.clone(), publication);
        Kept::Stored
    }

    /// The unexpired messages that match a valid unshared filter, in topic order. Expired ones
    /// that it comes across are removed.
    pub fn matching(&mut self, filter: &str, now_ms: u64) -> Vec<Arc<Publication>> {
        let literal = filter.find(['+', '#']).map_or(filter, |at| &filter[..at]);
        let prefix = literal.strip_suffix('/').filter(|_| literal != filter).unwrap_or(literal);
        let mut found = Vec::new();
        let mut expired = Vec::new();
        let from = (Bound::Included(prefix), Bound::Unbounded);
        for (topic, publication) in self.messages.range::<str, _>(from) {
            if !topic.starts_with(prefix) || (literal == filter && &**topic != filter) {
                break;
            }
            if !matches(filter, topic) {
                continue;
            }
            if publication.expired(now_ms) {
                expired.push(topic.clone());
            } else {
                found.push(Arc::clone(publication));
            }
        }
        for topic in expired {
            if let Some(old) = self.messages.remove(&topic) {
                self.bytes -= old.weight();
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Qos;

    fn publication(topic: &str, payload: &str, expires_ms: Option<u64>) -> Arc<Publication> {
        Arc::new(Publication {
            topic: topic.into(),
            payload: payload.as_bytes().into(),
            properties: Box::default(),
            qos: Qos::AtLeastOnce,
            retain: true,
            expires_ms,
            publisher: 1,
        })
    }

    fn check(filter: &str, expected: &[&str]) {
        let mut retained = Retained::default();
        for topic in ["a", "a/b", "a/b/c", "ab", "b/b", "$SYS/b", "a//c"] {
            assert_eq!(retained.set(publication(topic, "x", None)), Kept::Stored);
        }
        assert_eq!(retained.set(publication("gone", "x", None)), Kept::Stored);
        assert_eq!(retained.set(publication("gone", "", None)), Kept::Cleared);
        retained.set(publication("late", "x", Some(5)));
        let found = retained.matching(filter, 5);
        let topics: Vec<&str> = found.iter().map(|p| &*p.topic).collect();
        assert_eq!(topics, expected, "{filter}");
    }

    #[test]
    fn matching_follows_the_filter() {
        check("a", &["a"]);
        check("a/#", &["a", "a//c", "a/b", "a/b/c"]);
        check("a/+", &["a/b"]);
        check("+/b", &["a/b", "b/b"]);
        check("#", &["a", "a//c", "a/b", "a/b/c", "ab", "b/b"]);
        check("$SYS/+", &["$SYS/b"]);
        check("gone", &[]);
        check("late", &[]);
    }

    #[test]
    fn limits_hold() {
        let mut retained = Retained::new(RetainedLimits { topics: 1, bytes: 300 });
        assert_eq!(retained.set(publication("a", "x", None)), Kept::Stored);
        assert_eq!(retained.set(publication("b", "x", None)), Kept::Full);
        assert_eq!(retained.set(publication("a", &"y".repeat(400), None)), Kept::Full);
        assert_eq!(retained.set(publication("a", "y", None)), Kept::Stored);
        assert_eq!(retained.set(publication("a", "", None)), Kept::Cleared);
        assert_eq!((retained.len(), retained.bytes), (0, 0));
    }
}
