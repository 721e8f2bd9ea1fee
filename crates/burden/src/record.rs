//! What is known of one alert, from its record and its history.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vitals::{EpisodeId, Verdict};

use crate::limits::Extreme;

/// How urgent (IEC 60601-1-8), least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = BurdenPriority))]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Awareness is required.
    Low,
    /// Prompt response is required.
    Medium,
    /// Immediate response is required.
    High,
}

/// Somebody was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// When.
    pub at: i64,
    /// Whether it was passed on to the next in the chain, rather than sounded.
    pub passed_on: bool,
}

/// One alert. Texts may be empty where nothing is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// Its name.
    pub episode: EpisodeId,
    /// Raised.
    pub raised: i64,
    /// Over; none while it goes on.
    pub ended: Option<i64>,
    /// The highest priority that it had.
    pub priority: Priority,
    /// Care unit where it was raised.
    pub unit: Arc<str>,
    /// Bed where it was raised.
    pub bed: Arc<str>,
    /// The device that it is about, or whose value decided it.
    pub device: Arc<str>,
    /// The rule, limit or device alarm, in words that people know.
    pub rule: Arc<str>,
    /// When and by which role it was first taken; the role may be empty.
    pub taken: Option<(i64, Arc<str>)>,
    /// Each time that it asked for somebody.
    pub calls: Vec<Call>,
    /// What a clinician said that it was.
    pub verdict: Option<Verdict>,
    /// For a limit: how far it went.
    pub extreme: Option<Extreme>,
}

/// Alerts by a key, in order of key; those of one key in their order.
pub(crate) fn grouped<'a, K: Copy + Ord + Hash>(
    alerts: &'a [Alert],
    key: impl Fn(&'a Alert) -> K,
) -> Vec<(K, Vec<&'a Alert>)> {
    let mut places: HashMap<K, usize> = HashMap::new();
    let mut groups: Vec<(K, Vec<&'a Alert>)> = Vec::new();
    for alert in alerts {
        let key = key(alert);
        let place = *places.entry(key).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, own)) => own.push(alert),
            None => groups.push((key, vec![alert])),
        }
    }
    groups.sort_by_key(|(key, _)| *key);
    groups
}

/// An alert that ended within this time without anybody taking it asked for nobody.
pub(crate) const FLEETING_US: i64 = 30_000_000;

impl Alert {
    /// Whether it ended by itself within half a minute.
    #[must_use]
    pub fn fleeting(&self) -> bool {
        self.taken.is_none() && self.ended.is_some_and(|ended| ended - self.raised < FLEETING_US)
    }
}
