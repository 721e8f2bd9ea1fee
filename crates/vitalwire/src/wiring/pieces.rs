//! Single parts, as the configuration wants them.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use gateway::coap::{CoapDoor, CoapLimits};
use gateway::{Authenticator, Doors};
use guard::Guard;
use reckoning::models::Watcher;
use runtime::Options;
use tokio::sync::{mpsc, watch as signal};

use super::{Folder, Near};
use crate::config::Config;
use crate::courier::{Courier, OverMqtt};
use crate::infusion::OverPcd03;
use crate::doors::Doorkeeper;
use crate::sealed;
use crate::steward::{Reported, Reports, Steward};

/// What the configuration says of the engine's surroundings.
pub(super) fn options(config: &Config, guard: &Guard) -> anyhow::Result<Options> {
    Ok(Options {
        store_every: Duration::from_secs_f64(config.store.every_s.clamp(0.1, 3_600.0)),
        retention: config.retention.limits(),
        retention_now: Some(crate::retention::now(guard)),
        webhooks: config.webhooks()?,
        managers: config.alert_managers()?,
        ..Options::default()
    })
}

/// The alarm laboratory of this house.
pub(super) fn laboratory(
    (folder, sealed): (&Folder, &sealed::Sealed),
    config: &Config,
    api: &api::Api,
    side: Arc<dyn store::Side>,
) -> anyhow::Result<api::laboratory::Laboratory> {
    let reader = api.reader.clone();
    let before: api::laboratory::Before =
        Arc::new(move |journal| crate::laboratory::before(&reader, journal).map_err(|error| format!("{error:#}")));
    Ok(api::laboratory::Laboratory::new(sealed.alarm_policies(folder)?, before)
        .with_review(config.alarm_policy.review)
        .kept_in(api.reader.clone(), side))
}

/// What makes the report of each week.
pub(super) fn weekly(
    config: &Config,
    api: &api::Api,
    side: &Arc<dyn store::Side>,
    burden: &api::burden::Burden,
) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    let weekly = crate::burden::Weekly {
        reader: api.reader.clone(),
        side: Arc::clone(side),
        guard: api.guard.clone(),
        live: api.live.clone(),
        burden: burden.clone(),
        hooks: config.webhooks()?,
        clock: crate::clock::clock,
    };
    Ok(tokio::spawn(weekly.run()))
}

/// The watch over the models that judge, and the task that lets it look.
pub(super) fn look_after_models(
    config: &Config,
    (api, side): (&api::Api, &Arc<dyn store::Side>),
    burden: &api::burden::Burden,
    models: &crate::foresight::Kept,
    tasks: &mut Vec<tokio::task::JoinHandle<()>>,
) -> anyhow::Result<Arc<Watcher>> {
    let watched = crate::model_watch::watched(models, &config.models)?;
    let watcher = Arc::new(Watcher::new(api.reader.clone(), Arc::clone(side), watched));
    let looking = crate::model_watch::Looking {
        watcher: Arc::clone(&watcher),
        side: Arc::clone(side),
        live: api.live.clone(),
        burden: burden.clone(),
        hooks: config.webhooks()?,
        clock: crate::clock::clock,
    };
    tasks.push(tokio::spawn(looking.run()));
    Ok(watcher)
}

/// Who lets devices in.
pub(super) fn doorkeeper(config: &Config, guard: &Guard, depot: &depot::Depot, reports: Reports) -> Doorkeeper {
    Doorkeeper {
        guard: guard.clone(),
        mllp_peers: config.mllp.peers.iter().map(IpAddr::to_canonical).collect(),
        mllp_names: config.mllp.certificate_names.clone(),
        phd_peers: config.phd.peers.iter().map(IpAddr::to_canonical).collect(),
        phd_names: config.phd.certificate_names.clone(),
        depot: depot.clone(),
        reports,
        limits: config.limits,
    }
}

/// Who brings commands to devices.
pub(super) fn courier(
    near: &Near,
    guard: &Guard,
    config: &Config,
    client: Option<&outgoing::Client>,
) -> anyhow::Result<Courier> {
    // What the configuration names for a device goes before what the device does by itself.
    let mut transports: Vec<Arc<dyn command::Transport>> = Vec::new();
    if let Some(client) = client {
        transports.push(Arc::new(OverPcd03 {
            servers: config.pump_servers()?,
            client: client.clone(),
            live: near.live.clone(),
            appender: near.appender.clone(),
        }));
    }
    transports.push(Arc::new(OverMqtt(Arc::clone(&near.mqtt))));
    transports.push(Arc::new(near.sdc.clone()));
    Ok(Courier {
        appender: near.appender.clone(),
        live: near.live.clone(),
        guard: guard.clone(),
        reader: near.reader.clone(),
        side: Arc::clone(&near.side),
        transports: transports.into(),
    })
}

/// Sensors over CoAP, where an address is configured.
pub(super) async fn start_coap(config: &Config, doors: &Doors) -> anyhow::Result<Vec<tokio::task::JoinHandle<()>>> {
    let mut tasks = Vec::new();
    for (listen, door) in [(config.coap.listen, CoapDoor::Secure), (config.coap.plain_listen, CoapDoor::Plain)] {
        let Some(listen) = listen else { continue };
        let socket = tokio::net::UdpSocket::bind(listen).await.with_context(|| {
            format!("cannot listen for CoAP on {listen}; is another program there? choose another")
        })?;
        tracing::info!(address = %socket.local_addr()?, secure = door == CoapDoor::Secure, "coap: listening");
        let limits = CoapLimits { sensors: config.coap.sensors_max, ..CoapLimits::default() };
        let doors = doors.clone();
        tasks.push(tokio::spawn(async move {
            if let Err(error) = gateway::coap::serve(limits, doors, socket, door).await {
                tracing::error!("the CoAP listener ended: {error}");
            }
        }));
    }
    Ok(tasks)
}

/// Devices of ours for other systems, and devices of others that are taken in, over IEEE 11073 SDC.
pub(super) async fn start_sdc(
    data: &Path,
    config: &Config,
    (guard, identify): (&Guard, &Arc<dyn Authenticator>),
    near: &Near,
    stopping: &signal::Receiver<bool>,
) -> anyhow::Result<Vec<tokio::task::JoinHandle<()>>> {
    let offered = crate::sdc_provider::start(data, config, guard, &near.live, &near.appender, stopping.clone());
    let mut tasks: Vec<_> = offered.await?.into_iter().collect();
    let taken = crate::sdc_consumer::start(config, Arc::clone(identify), (&near.appender, &near.sdc), stopping.clone());
    tasks.extend(taken.await?);
    Ok(tasks)
}

/// The keeper of the fleet.
pub(super) fn steward(
    near: &Near,
    guard: &Guard,
    depot: &depot::Depot,
    reports: mpsc::Receiver<Reported>,
    stopping: &signal::Receiver<bool>,
) -> Steward {
    Steward {
        depot: depot.clone(),
        live: near.live.clone(),
        guard: guard.clone(),
        mqtt: Arc::clone(&near.mqtt),
        reports,
        stopping: stopping.clone(),
    }
}

/// The list of edges, encrypted as the accounts are.
pub(super) fn registry(folder: &Folder, sealed: &sealed::Sealed) -> anyhow::Result<::edge::Registry> {
    let file = folder.0.join("edges.db");
    let key = sealed.database(&file, &seal::Domain::Guard)?;
    let unlock = key.as_ref().map(seal::database::unlock);
    let unlock = unlock.as_ref().map(|unlock| unlock.as_str());
    ::edge::Registry::open(&file, unlock).context("cannot open the list of edges")
}
