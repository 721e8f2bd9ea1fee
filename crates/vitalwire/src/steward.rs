//! Looks after the fleet while the program runs: what devices say goes into inventory and habits,
//! what they are to do goes down to them, what is out of the ordinary goes to the security events.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use depot::{Command, Depot, DepotError};
use fleet::campaign::Report;
use fleet::habit::{Break, Finding};
use fleet::inventory::Item;
use gateway::Receipt;
use gateway::mqtt::MqttServer;
use guard::{Guard, Note, Outcome, SecurityEvent};
use live::Live;
use serde::Deserialize;
use tokio::sync::{mpsc, watch};
use vitals::{DeviceId, LocationId, PatientId};
use wire_fhir::observation::chart_of;

use crate::clock::clock;
use crate::sealed::Sealed;
use crate::wiring::Folder;

/// How often campaigns are looked at, and how many looks lie between the rarer things.
const EVERY: Duration = Duration::from_secs(1);
const INVENTORY_LOOKS: u64 = 10;
const AGAIN_LOOKS: u64 = 60;
const KEEP_LOOKS: u64 = 300;
/// Reports of devices that may wait.
const REPORTS_MAX: usize = 10_000;
/// Longest report, bytes.
const REPORT_BYTES: usize = 4 << 10;

/// What a device published on `vitalwire/<id>/firmware`.
pub(crate) struct Reported {
    device: DeviceId,
    report: Vec<u8>,
    receipt: Receipt,
}

/// What devices publish on `vitalwire/<id>/firmware`, on its way to the steward.
#[derive(Clone)]
pub(crate) struct Reports(mpsc::Sender<Reported>);

impl Reports {
    /// The two ends of the way.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Reported>) {
        let (sender, receiver) = mpsc::channel(REPORTS_MAX);
        (Self(sender), receiver)
    }

    /// Takes a report without waiting. One that finds no room is not acknowledged.
    pub(crate) fn put(&self, device: &DeviceId, report: &[u8], receipt: Receipt) {
        if report.len() > REPORT_BYTES {
            refused();
            receipt.kept();
            return;
        }
        let reported = Reported { device: device.clone(), report: report.to_vec(), receipt };
        if self.0.try_send(reported).is_err() {
            metrics::counter!("vitalwire_gateway_dropped_total", "protocol" => "mqtt", "reason" => "firmware-report")
                .increment(1);
        }
    }
}

/// Opens the fleet of a data folder, its database encrypted as that of the accounts is.
pub(crate) fn open(folder: &Folder, sealed: &Sealed) -> anyhow::Result<Depot> {
    let place = folder.0.join("fleet");
    std::fs::create_dir_all(&place).with_context(|| format!("cannot make {}", place.display()))?;
    let key = sealed.database(&place.join(depot::DATABASE_FILE), &seal::Domain::Guard)?;
    let unlock = key.as_ref().map(seal::database::unlock);
    Depot::open(&place, unlock.as_ref().map(|unlock| unlock.as_str())).context("cannot open the fleet")
}

/// What the steward works with.
pub(crate) struct Steward {
    pub(crate) depot: Depot,
    pub(crate) live: Live,
    pub(crate) guard: Guard,
    pub(crate) mqtt: Arc<MqttServer>,
    pub(crate) reports: mpsc::Receiver<Reported>,
    pub(crate) stopping: watch::Receiver<bool>,
}

/// Where a device was at the last look.
type Places = HashMap<DeviceId, (Option<PatientId>, Option<LocationId>)>;

impl Steward {
    /// Runs until the program stops; keeps the habits then.
    pub(crate) async fn run(mut self) {
        let mut places = Places::new();
        let mut looks = 0_u64;
        let mut stopping = self.stopping.clone();
        loop {
            tokio::select! {
                () = stopped(&mut stopping) => break,
                Some(Reported { device, report, receipt }) = self.reports.recv() => {
                    let kept = self.block(move |depot, _| take_report(depot, &device, &report)).await;
                    if kept.is_some() {
                        receipt.kept();
                    }
                    continue;
                }
                () = tokio::time::sleep(EVERY) => {}
            }
            looks += 1;
            if looks % INVENTORY_LOOKS == 1 {
                places = self.block(move |depot, live| look_around(depot, live, places)).await.unwrap_or_default();
            }
            let again = looks % AGAIN_LOOKS == 0;
            let told = self.block(move |depot, live| campaigns(depot, live, again)).await;
            self.send(told.unwrap_or_default());
            let found = self.block(|depot, _| depot.take_findings()).await;
            found.unwrap_or_default().into_iter().for_each(|finding| self.guard.security_event(event(finding)));
            if looks % KEEP_LOOKS == 0 {
                self.block(|depot, _| depot.keep_habits()).await;
            }
        }
        self.block(|depot, _| depot.keep_habits()).await;
    }

    fn send(&self, commands: Vec<Command>) {
        for command in commands {
            if let Ok(payload) = serde_json::to_vec(&command) {
                let (action, route) = ("command-device", "MQTT PUBLISH");
                let (actor, source, factor) = (format!("campaign-{}", command.campaign), None, "");
                let (object, outcome) = (command.device.clone(), Outcome::Allowed);
                let note = Note { action, route, actor, source, outcome, object, factor };
                self.guard.note_because(note, command.command, clock());
                self.mqtt.send(&format!("vitalwire/{}/command", command.device), &payload, false);
            }
        }
    }

    /// Works where it may wait for the disk; what fails is in the log.
    async fn block<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Depot, &Live) -> Result<T, DepotError> + Send + 'static,
    ) -> Option<T> {
        let (depot, live) = (self.depot.clone(), self.live.clone());
        match tokio::task::spawn_blocking(move || work(&depot, &live)).await {
            Ok(Ok(done)) => Some(done),
            Ok(Err(error)) => {
                tracing::error!("the fleet could not be kept: {error}");
                None
            }
            Err(_) => None,
        }
    }
}

/// Waits until the program stops.
async fn stopped(stopping: &mut watch::Receiver<bool>) {
    drop(stopping.wait_for(|stop| *stop).await);
}

/// Takes over what devices say of themselves, and who was moved.
fn look_around(depot: &Depot, live: &Live, before: Places) -> Result<Places, DepotError> {
    let now_us = clock().0;
    let mut places = Places::new();
    let mut items = Vec::new();
    for line in live.devices() {
        let (id, device) = (&line.device.id, &line.device);
        // What somebody wrote into a chart has the patient for a sender: nothing to keep up to date, and whose it is
        // is none of the fleet's business.
        if line.patient.as_ref().is_some_and(|patient| chart_of(patient) == *id) {
            continue;
        }
        items.push(Item::of(device));
        depot.of_model(id, &device.manufacturer, &device.model);
        let place = (line.patient.clone(), device.location.clone());
        if before.get(id).is_some_and(|was| *was != place) {
            depot.moved(id, now_us);
        }
        places.insert(id.clone(), place);
    }
    depot.heard_items(&items, now_us)?;
    Ok(places)
}

fn campaigns(depot: &Depot, live: &Live, again: bool) -> Result<Vec<Command>, DepotError> {
    let mut commands = depot.take_commands();
    commands.extend(depot.tick_campaigns(|device| api::fleet::facts(live, device), clock().0)?);
    if again {
        commands.extend(depot.standing_commands()?);
    }
    Ok(commands)
}

/// A report as it is published: the same as the REST route takes.
#[derive(Deserialize)]
struct Said {
    state: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    reason: String,
}

fn take_report(depot: &Depot, device: &DeviceId, report: &[u8]) -> Result<(), DepotError> {
    let said = serde_json::from_slice::<Said>(report).ok();
    let report = said.and_then(|said| match said.state.as_str() {
        "downloading" => Some(Report::Downloading),
        "installed" => Some(Report::Installed),
        "running" => Some(Report::Running(said.version)),
        "failed" => Some(Report::Failed(said.reason)),
        "rolled-back" => Some(Report::RolledBack),
        _ => None,
    });
    let Some(report) = report else {
        refused();
        return Ok(());
    };
    match depot.report_update(device.as_str(), &report, clock().0) {
        // Said without having been asked, or said again: nothing to keep.
        Err(DepotError::Campaign(_)) => Ok(()),
        other => other,
    }
}

/// A report that says nothing that one can understand: sent again it would say no more.
fn refused() {
    metrics::counter!("vitalwire_gateway_refused_total", "protocol" => "mqtt", "reason" => "firmware-report")
        .increment(1);
}

fn event(finding: Finding) -> SecurityEvent {
    let kind = match finding.kind {
        Break::Rate => "habit-rate",
        Break::Kind => "habit-kind",
        Break::Clock => "habit-clock",
        Break::Stuck => "habit-stuck",
        Break::Jumps => "habit-jumps",
        Break::Copy => "habit-copy",
        Break::Address => "habit-address",
    };
    SecurityEvent {
        kind,
        device: Some(finding.device),
        zone: String::new(),
        evidence: format!("usual: {}; seen: {}", finding.usual, finding.seen),
        at: vitals::ReceiveTime(finding.at_us),
    }
}
