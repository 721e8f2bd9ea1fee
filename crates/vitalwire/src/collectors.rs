//! Starts what fetches: readers of other Nightscout sites, the collector of Bluetooth devices, the asking for
//! births of Sparkplug nodes.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use collector::{Parts, bluetooth, nightscout};
use gateway::mqtt::MqttServer;
use gateway::{ClientIdentity, Doors};
use guard::Guard;
use library::Library;
use tokio::task::JoinHandle;
use vitals::{DeviceId, Message};

use crate::config::Config;

/// Where it is kept how far each has come, in the data folder.
const FOLDER: &str = "collect";

/// Starts them; gives their tasks.
pub(crate) fn start(
    data: &Path,
    config: &Config,
    (guard, library, mqtt): (&Guard, &Library, &Arc<MqttServer>),
    doors: &Doors,
    client: Option<&outgoing::Client>,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let parts = parts(guard, doors);
    let folder = data.join(FOLDER);
    let mut tasks = vec![tokio::spawn(crate::rebirth::run(library.clone(), Arc::clone(mqtt)))];
    for settings in config.nightscout_sources()? {
        let client = client.context("cannot read a Nightscout site: nothing goes out here")?.clone();
        let source = nightscout::Source::new(settings, client, &folder, parts.clone());
        tasks.push(tokio::spawn(source.context("cannot start reading a Nightscout site")?.run()));
    }
    if let Some(settings) = config.bluetooth()? {
        let collector = bluetooth::Collector::new(settings, &folder, parts);
        tasks.push(tokio::spawn(collector.context("cannot start collecting from Bluetooth devices")?.run()));
    }
    Ok(tasks)
}

fn parts(guard: &Guard, doors: &Doors) -> Parts {
    let identify = Arc::clone(&doors.identify);
    let within = move |message: &mut Message| {
        let Some(restrictions) = identify.restrictions() else { return };
        let who = ClientIdentity::peer(&message.origin.sender);
        for violation in restrictions.keep_within(message) {
            identify.violated(&who, &violation);
        }
    };
    let guard = guard.clone();
    let admit = move |device: &DeviceId| guard.is_open() || guard.admit_device(device).is_ok();
    Parts {
        appender: doors.appender.clone(),
        profiles: Arc::clone(&doors.profiles),
        clock: doors.clock,
        within: Arc::new(within),
        admit: Arc::new(admit),
        stopping: doors.shutdown.clone(),
    }
}
