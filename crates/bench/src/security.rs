//! What security costs: the same load on the platform with all of it and with none, by turns in
//! one run. Handshakes are not part of it: connections are open before the clock starts.

use anyhow::ensure;
use sim::load::{self, MllpLoad, MqttLoad};

use crate::Bench;
use crate::ingest::CONNECTIONS;
use crate::report::{Budget, Report};
use crate::server::{How, Server};

/// Turns of each side; the middle one counts.
const TURNS: usize = 3;

/// None of it: everybody may do everything, and files are as they are.
const OFF: [(&str, &str); 1] = [("VITALWIRE_KEYS_ENCRYPT", "false")];

/// What one turn found.
#[derive(Debug, Clone, Copy)]
struct Turn {
    per_s: f64,
    /// Processor time of the server a message, in microseconds.
    cpu_us: f64,
}

/// Observations over MQTT and reports over MLLP, each with and without security.
///
/// # Errors
/// When the platform fails or a connection breaks.
pub async fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    for (keys, what, window) in [
        (["security_mqtt_off_per_s", "security_mqtt_on_per_s", "security_mqtt_ratio"], "MQTT, 16 in flight", Some(16)),
        (["security_mllp_off_per_s", "security_mllp_on_per_s", "security_mllp_ratio"], "MLLP", None),
    ] {
        let (mut on, mut off) = (Vec::new(), Vec::new());
        for _ in 0..TURNS {
            off.push(turn(bench, false, window).await?);
            on.push(turn(bench, true, window).await?);
        }
        let (on, off) = (middle(on), middle(off));
        report.add(keys[0], &format!("{what}: security off"), off.per_s, "/s");
        report.add(keys[1], "… on", on.per_s, "/s");
        let ratio = on.per_s / off.per_s;
        report.against(keys[2], "… on, of off", ratio, "", Budget::AtLeast(0.9));
        report.note(format!(
            "{what}: server {:.2} µs of processor time a message without, {:.2} µs with",
            off.cpu_us, on.cpu_us
        ));
    }
    Ok(())
}

/// The turn of middle speed.
fn middle(mut turns: Vec<Turn>) -> Turn {
    turns.sort_by(|a, b| a.per_s.total_cmp(&b.per_s));
    turns[turns.len() / 2]
}

async fn turn(bench: &Bench, secure: bool, window: Option<usize>) -> anyhow::Result<Turn> {
    let folder = bench.folder()?;
    let how = if secure {
        How::locked(&bench.binary, folder.path())?
    } else {
        How { environment: OFF.to_vec(), ..How::default() }
    };
    let (server, _) = Server::start_as(&bench.binary, folder.path(), &how).await?;
    let before = server.usage().cpu_s;
    let load = match window {
        Some(window) => {
            let load = MqttLoad {
                address: server.mqtt.clone(),
                credentials: how.credentials(),
                connections: CONNECTIONS,
                window,
                seconds: bench.seconds(10.0),
                ..MqttLoad::default()
            };
            load::run_mqtt(load, |_| {}).await?
        }
        None => {
            let load = MllpLoad {
                address: server.mllp.clone(),
                seconds: bench.seconds(10.0) as u64,
                ..MllpLoad::default()
            };
            load::run_mllp(load, |_| {}).await?
        }
    };
    ensure!(load.broken == 0 && load.refused == 0, "connections broke or were refused: {load:?}");
    let values = load.acknowledged * load.values_per_message;
    let stored = server.stored_at_least(values).await?;
    ensure!(stored == values, "{stored} stored, {values} acknowledged");
    let cpu_us = (server.usage().cpu_s - before) / load.acknowledged as f64 * 1e6;
    Ok(Turn { per_s: load.messages_per_s, cpu_us })
}
