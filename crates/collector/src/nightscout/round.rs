//! One round: of each collection, what is new since the last.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vitals::Protocol;

use super::ask::{Site, SourceError};
use super::settings::Settings;
use crate::keep::Fetched;
use crate::memory::Memory;
use crate::{Fate, MemoryError, Parts};

/// Most documents in one answer of version 3, where that is the largest that Nightscout gives.
const LIMIT_3: usize = 1_000;
/// Most documents in one answer of version 1.
const LIMIT_1: usize = 2_000;
/// The largest and the smallest piece of time that is asked for by version 1, in milliseconds.
const PIECE_MAX: i64 = 24 * HOUR;
const PIECE_MIN: i64 = 60_000;
const HOUR: i64 = 3_600_000;
/// By version 1, how far each round looks back before where it was, and how far some do, for what came late.
const BACK: i64 = HOUR;
const FAR_BACK: i64 = 48 * HOUR;
/// One round in so many looks far back, the first among them.
const FAR_EVERY: u32 = 60;
/// Clocks of sites may be ahead by so much.
const AHEAD: i64 = HOUR;
/// By version 3, how far before the last change a round begins: others may have been made in the same moment.
const OVERLAP: i64 = 2_000;
/// Documents that are remembered, so that they are not mapped each round.
const SEEN_MAX: usize = 20_000;

/// A collection with the field that version 1 finds it by.
struct Collection {
    name: &'static str,
    field: &'static str,
    /// Whether that field is a number of milliseconds; else a text as RFC 3339 writes it.
    number: bool,
}

const COLLECTIONS: [Collection; 3] = [
    Collection { name: "entries", field: "date", number: true },
    Collection { name: "treatments", field: "created_at", number: false },
    Collection { name: "devicestatus", field: "created_at", number: false },
];

/// How far a source was read, in milliseconds since 1970, by collection as in [`COLLECTIONS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Cursor {
    /// By version 1: up to this time of measuring.
    measured: [i64; 3],
    /// By version 3: up to this change; 0: never.
    modified: [i64; 3],
}

/// Reads one source.
pub(super) struct Reader {
    settings: Settings,
    site: Site,
    memory: Memory,
    parts: Parts,
    cursor: Cursor,
    rounds: u32,
    /// Whether the site has version 3; none: not asked yet.
    third: Option<bool>,
    seen: HashSet<u64>,
}

impl Reader {
    pub(super) fn new(settings: Settings, client: outgoing::Client, memory: Memory, parts: Parts) -> Result<Self, MemoryError> {
        let back = i64::try_from(settings.back.as_millis()).unwrap_or(i64::MAX);
        let begin = now(&parts).saturating_sub(back);
        let cursor = memory.read()?.unwrap_or(Cursor { measured: [begin; 3], modified: [0; 3] });
        let site = Site::new(client, settings.clone());
        Ok(Self { settings, site, memory, parts, cursor, rounds: 0, third: None, seen: HashSet::new() })
    }

    /// Reads what is new.
    pub(super) async fn round(&mut self) -> Result<(), SourceError> {
        if !(self.parts.admit)(&self.settings.device) {
            return Err(SourceError::Device);
        }
        let third = match self.third {
            Some(known) => known,
            None => {
                self.site.enter().await?;
                *self.third.insert(self.site.has_version_3().await?)
            }
        };
        for at in 0..COLLECTIONS.len() {
            if third { self.changes(at).await? } else { self.pieces(at).await? }
        }
        self.rounds = self.rounds.wrapping_add(1);
        Ok(())
    }

    /// By version 3: all changes since the last that was taken.
    async fn changes(&mut self, at: usize) -> Result<(), SourceError> {
        let collection = &COLLECTIONS[at];
        let last = self.cursor.modified[at];
        // What was read by version 1 before, or how far back the configuration says.
        let mut from = if last == 0 { self.cursor.measured[at] } else { last - OVERLAP };
        loop {
            let path = format!("/api/v3/{}/history/{from}?limit={LIMIT_3}", collection.name);
            let documents = self.site.documents(&path, LIMIT_3).await?;
            let full = documents.len() == LIMIT_3;
            let newest = documents.iter().filter_map(|document| document["srvModified"].as_i64()).max();
            for document in &documents {
                self.take(document).await?;
            }
            let Some(newest) = newest else { return Ok(()) };
            self.cursor.modified[at] = self.cursor.modified[at].max(newest);
            self.cursor.measured[at] = self.cursor.measured[at].max(newest);
            self.memory.write(&self.cursor)?;
            if !full {
                return Ok(());
            }
            // The answer may end amid changes of one moment: the next begins just before it, unless all
            // are of that moment, which is then passed over.
            from = if newest - 1 > from { newest - 1 } else { newest };
        }
    }

    /// By version 1: pieces of time up to now, oldest first, each small enough to come whole.
    async fn pieces(&mut self, at: usize) -> Result<(), SourceError> {
        let far = self.rounds % FAR_EVERY == 0;
        let begin = self.cursor.measured[at];
        let now = now(&self.parts);
        let end = now.saturating_add(AHEAD);
        let mut from = begin.min(now).saturating_sub(if far { FAR_BACK } else { BACK });
        let mut piece = PIECE_MAX;
        while from < end {
            let to = from.saturating_add(piece).min(end);
            let path = COLLECTIONS[at].path(from, to);
            let documents = self.site.documents(&path, LIMIT_1).await?;
            if documents.len() == LIMIT_1 && piece > PIECE_MIN {
                piece = (piece / 4).max(PIECE_MIN);
                continue;
            }
            if documents.len() == LIMIT_1 {
                // More in a minute than anybody measures: what does not come is told.
                tracing::warn!(source = %self.settings.name, "a minute of a Nightscout site holds more than {LIMIT_1} documents");
                counted("cut");
            }
            // Newest first is how they come.
            for document in documents.iter().rev() {
                self.take(document).await?;
            }
            from = to;
            let reached = to.min(now);
            if reached > self.cursor.measured[at] {
                self.cursor.measured[at] = reached;
                self.memory.write(&self.cursor)?;
            }
        }
        Ok(())
    }

    /// Takes a document, if it was not taken before.
    async fn take(&mut self, document: &Value) -> Result<(), SourceError> {
        if document["isValid"] == Value::Bool(false) {
            // Deleted at the site. What was measured stays measured here.
            counted("deleted");
            return Ok(());
        }
        let payload = without_marks(document).to_string().into_bytes();
        let mark = mark_of(&payload);
        if self.seen.contains(&mark) {
            return Ok(());
        }
        let fetched = Fetched {
            device: &self.settings.device,
            topic: format!("vitalwire/{}/nightscout", self.settings.device),
            sender: &self.settings.name,
            protocol: Protocol::Http,
            payload,
        };
        let fate: Fate = self.parts.keep(fetched).await?;
        counted(fate.name());
        // The journal recognises what is forgotten here.
        if self.seen.len() >= SEEN_MAX {
            self.seen.clear();
        }
        self.seen.insert(mark);
        Ok(())
    }
}

impl Collection {
    /// Where version 1 has the documents of this time, the end excluded.
    fn path(&self, from: i64, to: i64) -> String {
        let value = |ms: i64| match (self.number, jiff::Timestamp::from_millisecond(ms)) {
            (false, Ok(time)) => format!("{time:.3}"),
            _ => ms.to_string(),
        };
        let pairs = form_urlencoded::Serializer::new(String::new())
            .append_pair("count", &LIMIT_1.to_string())
            .append_pair(&format!("find[{}][$gte]", self.field), &value(from))
            .append_pair(&format!("find[{}][$lt]", self.field), &value(to))
            .finish();
        format!("/api/v1/{}.json?{pairs}", self.name)
    }
}

/// A document without what the site itself adds to it.
fn without_marks(document: &Value) -> Value {
    let mut document = document.clone();
    if let Value::Object(fields) = &mut document {
        for mark in ["_id", "srvModified", "srvCreated", "subject", "modifiedBy"] {
            fields.shift_remove(mark);
        }
    }
    document
}

/// A number that stands for a document within this run.
fn mark_of(payload: &[u8]) -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    payload.hash(&mut hasher);
    hasher.finish()
}

fn counted(outcome: &'static str) {
    metrics::counter!("vitalwire_collector_documents_total", "collector" => "nightscout", "outcome" => outcome).increment(1);
}

fn now(parts: &Parts) -> i64 {
    (parts.clock)().millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_version_1() {
        let from = 1_700_000_000_000;
        assert_eq!(
            COLLECTIONS[0].path(from, from + 1_000),
            "/api/v1/entries.json?count=2000&find%5Bdate%5D%5B%24gte%5D=1700000000000&find%5Bdate%5D%5B%24lt%5D=1700000001000"
        );
        assert_eq!(
            COLLECTIONS[1].path(from, from + 1_000),
            "/api/v1/treatments.json?count=2000&find%5Bcreated_at%5D%5B%24gte%5D=2023-11-14T22%3A13%3A20.000Z\
             &find%5Bcreated_at%5D%5B%24lt%5D=2023-11-14T22%3A13%3A21.000Z"
        );
    }

    #[test]
    fn the_sites_marks_make_no_other_document() {
        let sent = serde_json::json!({"type": "sgv", "sgv": 100, "date": 1});
        let stored = serde_json::json!({"_id": "x", "type": "sgv", "sgv": 100, "date": 1, "srvModified": 5, "subject": "a"});
        assert_eq!(without_marks(&stored).to_string(), sent.to_string());
    }
}
