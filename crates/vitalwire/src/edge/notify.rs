//! Alerts told on the spot: on the edge's own MQTT topic, whether there is a line or not. Webhooks and
//! the live stream tell them as on any platform.

use std::time::Duration;

use live::Change;
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;

use crate::wiring::Near;

/// The topic.
const TOPIC: &str = "vitalwire/edge/alerts";

/// Tells until the task is ended.
pub(super) async fn run(near: Near) {
    let mut changes = near.live.changes().subscribe(None).receiver;
    loop {
        match changes.recv().await {
            Ok((_, Change::Alert(record))) => {
                let episode = &record.episode;
                let body = json!({
                    "episode": episode.id.to_string(),
                    "change": record.kind.name(),
                    "state": episode.state.name(),
                    "priority": episode.priority.name(),
                    "title": episode.title,
                    "patient": record.patient.as_str(),
                    "location": record.location.as_ref().map(|id| id.as_str()),
                    "at_ms": record.at.millis(),
                });
                near.mqtt.send(TOPIC, body.to_string().as_bytes(), false);
            }
            // Whoever is late reads what is open from the application interface.
            Ok(_) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => tokio::time::sleep(Duration::from_secs(1)).await,
        }
    }
}
