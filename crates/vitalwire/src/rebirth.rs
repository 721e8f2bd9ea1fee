//! Lets Sparkplug nodes be born again whose birth was missed: without it nobody knows what their aliases
//! stand for. The request goes to the clients of our own MQTT listener.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use gateway::mqtt::MqttServer;
use library::Library;
use vitals::ReceiveTime;

use crate::clock::clock;

/// How often it is looked whether a birth is missing.
const EVERY: Duration = Duration::from_secs(1);
/// A node is asked at most this often, in microseconds.
const AGAIN: i64 = vitals::time::MINUTE;
/// Most nodes whose asking is remembered.
const NODES_MAX: usize = 10_000;

/// Runs until it is aborted.
pub(crate) async fn run(library: Library, mqtt: Arc<MqttServer>) {
    let mut asked: HashMap<String, ReceiveTime> = HashMap::new();
    let mut tick = tokio::time::interval(EVERY);
    loop {
        tick.tick().await;
        let now = clock();
        asked.retain(|_, at| now.micros() - at.micros() < AGAIN);
        let now_ms = u64::try_from(now.millis()).unwrap_or(0);
        for (topic, payload) in library.profiles().rebirths(now_ms) {
            if asked.contains_key(&topic) || asked.len() >= NODES_MAX {
                continue;
            }
            mqtt.send(&topic, &payload, false);
            metrics::counter!("vitalwire_sparkplug_rebirths_total").increment(1);
            asked.insert(topic, now);
        }
    }
}
