//! Retained configuration of devices, kept in the store across restarts.

use std::sync::Arc;

use gateway::mqtt::{RetainedMemory, RetainedRecord};
use store::{KvRow, Reader, Side};

const BUCKET: &str = "mqtt-retained";

/// Keeps retained messages in the store.
pub(crate) struct Retained {
    pub(crate) reader: Reader,
    pub(crate) side: Arc<dyn Side>,
}

impl RetainedMemory for Retained {
    fn load(&self) -> Vec<RetainedRecord> {
        let rows = self.reader.kv_all(BUCKET).unwrap_or_else(|error| {
            tracing::error!("retained messages cannot be read: {error}");
            Vec::new()
        });
        rows.into_iter()
            .filter_map(|(topic, bytes)| {
                let (qos, properties, payload) = postcard::from_bytes(&bytes).ok()?;
                Some(RetainedRecord { topic, payload, properties, qos })
            })
            .collect()
    }

    fn set(&self, record: &RetainedRecord) {
        let body = (record.qos, &record.properties, &record.payload);
        let value = if record.payload.is_empty() { None } else { postcard::to_stdvec(&body).ok() };
        let row = KvRow { bucket: BUCKET.to_owned(), key: record.topic.clone(), value };
        if let Err(error) = self.side.put(&[row]) {
            tracing::error!("a retained message cannot be kept: {error}");
        }
    }
}
