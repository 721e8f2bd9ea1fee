//! Puts the parts together and takes them apart again.

mod phd;
mod pieces;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use anyhow::Context;
use api::Api;
use api::fhir_backend::Backend;
use api::edges::{Edges, ThisEdge};
use api::live_stream::Broadcast;
use gateway::tls::{ClientCertificates, TlsDoor};
use gateway::{Authenticator, Doors};
use gateway::mllp::{MllpConfig, MllpTls};
use gateway::mqtt::{MqttLimits, MqttServer};
use depot::Depot;
use guard::Guard;
use journal::Appender;
use library::Library;
use live::Live;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use runtime::{Options, Runtime};
use store::Store;
use tokio::net::TcpListener;
use tokio::sync::watch as signal;

use crate::clock::clock;
use crate::config::Config;
use crate::retained::Retained;
use crate::{erasing, sealed, watch};
use pieces::{courier, doorkeeper, laboratory, look_after_models, options, registry, start_coap, start_sdc, steward, weekly};

/// Committed batches that may wait for the engine. Few: an alert waits for all before it.
const FEED: usize = 2;

/// The running platform.
pub(crate) struct Platform {
    /// Where HTTP listens.
    pub(crate) http: SocketAddr,
    /// Where MQTT listens.
    pub(crate) mqtt: SocketAddr,
    /// Where MLLP listens.
    pub(crate) mllp: SocketAddr,
    /// Whether HTTP speaks TLS.
    pub(crate) https: bool,
    /// What an edge works with besides.
    pub(crate) near: Near,
    guard: Guard,
    appender: Appender,
    runtime: Runtime,
    shutdown: signal::Sender<bool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

/// The parts of a running platform that an edge works with.
#[derive(Clone)]
pub(crate) struct Near {
    pub(crate) appender: Appender,
    pub(crate) live: Live,
    pub(crate) reader: store::Reader,
    pub(crate) side: Arc<dyn store::Side>,
    pub(crate) mqtt: Arc<MqttServer>,
    pub(crate) sdc: sdc::consumer::Commands,
}

/// Where the parts of a data folder are.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn journal(&self) -> PathBuf {
        self.0.join("journal")
    }

    pub(crate) fn store(&self) -> PathBuf {
        self.0.join("store.db")
    }

    pub(crate) fn guard(&self) -> PathBuf {
        self.0.join("guard")
    }

    pub(crate) fn tls(&self) -> PathBuf {
        self.0.join("tls")
    }

    /// The site's own access rules.
    pub(crate) fn policies(&self) -> PathBuf {
        self.0.join("policy")
    }

    /// What the site's devices take as commands.
    fn commands(&self) -> PathBuf {
        self.0.join("commands")
    }

    /// Every predictive model that ever judged here.
    pub(crate) fn models(&self) -> PathBuf {
        self.0.join("models")
    }

    /// Versions of the alarm policy.
    pub(crate) fn alarm_policies(&self) -> PathBuf {
        self.0.join("alarm-policies")
    }

    fn profiles(&self) -> PathBuf {
        self.0.join("profiles")
    }

    /// Makes the folder, readable by its owner alone.
    pub(crate) fn make(&self) -> anyhow::Result<()> {
        std::fs::create_dir_all(&self.0)
            .with_context(|| format!("cannot make the data folder {}", self.0.display()))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&self.0, std::fs::Permissions::from_mode(0o700))
                .with_context(|| format!("cannot protect {}", self.0.display()))?;
        }
        Ok(())
    }
}

/// Starts everything on a data folder.
pub(crate) async fn start(data: &Path, config: &Config, open: bool) -> anyhow::Result<Platform> {
    start_as(data, config, open, ThisEdge::default()).await
}

/// [`start`], as an edge if `this` says that it is one.
pub(crate) async fn start_as(
    data: &Path,
    config: &Config,
    open: bool,
    this: ThisEdge,
) -> anyhow::Result<Platform> {
    let is_edge = this.0.lock().is_some();
    let folder = Folder(data.to_owned());
    folder.make()?;
    let metrics = PrometheusBuilder::new().install_recorder().context("cannot start metrics")?;
    let sealed = sealed::unlock(&folder, &config.keys)?;
    let outside = Arc::new(outside(config)?);
    let (guard, config) = &open_guard(&folder, config, &sealed, open)?;
    // The sockets first: a port in use is the likeliest failure, and the quickest to tell.
    let http = bind("HTTP", config.http.listen).await?;
    let mqtt = bind("MQTT", config.mqtt.listen).await?;
    let mllp = bind("MLLP", config.mllp.listen).await?;
    let journal = sealed.journal(&folder).context("cannot open the journal")?;
    watch::begin_clock(&journal)?;
    let (sink, feed) = sync_channel(FEED);
    let appender = Appender::start(journal, Box::new(clock), limits(config, is_edge), sink)
        .context("cannot start the journal")?;
    let store = sealed.store(&folder)?;
    let (reader, side) = (store.reader(), store.side());
    let live = Live::new(u64::try_from(clock().0).unwrap_or(0));
    appender.know(Arc::new(erasing::Knowing { live: live.clone(), reader: reader.clone() }));
    let models = crate::foresight::open(&folder.models(), &config.models)?;
    let options = Options {
        models: models.library.clone(),
        outgoing: outside.client.clone(),
        erase: Some(erasing::hook(&sealed, guard, &appender, &reader, config.keys.copy.clone())),
        relay_alerts: is_edge,
        ..options(config, guard)?
    };
    let runtime = Runtime::start(appender.clone(), feed, Box::new(store), live.clone(), clock, options)?;
    crate::foresight::resume(&appender, (&reader, side.as_ref()), &models).await?;
    watch::end_links(&live, &appender).await;
    let profiles = config.profiles.folder.clone().unwrap_or_else(|| folder.profiles());
    let library = Library::load_with(&profiles, Some(crate::decoding::pool()));
    let (shutdown, stopping) = signal::channel(false);
    let depot = crate::steward::open(&folder, &sealed)?;
    let (reports, reported) = crate::steward::Reports::new();
    let profiles = library.clone();
    let doors = Doors {
        appender: appender.clone(),
        profiles: Arc::new(move || profiles.profiles()),
        identify: Arc::new(doorkeeper(config, guard, &depot, reports)),
        clock,
        shutdown: stopping.clone(),
    };
    let addresses = [http.local_addr()?, mqtt.local_addr()?, mllp.local_addr()?];
    let memory = Arc::new(Retained { reader: reader.clone(), side: Arc::clone(&side) });
    let (server, mut tasks) = start_mqtt(config, doors.clone(), mqtt, memory).await?;
    let near = Near {
        appender: appender.clone(),
        live: live.clone(),
        reader: reader.clone(),
        side: Arc::clone(&side),
        mqtt: server,
        sdc: sdc::consumer::Commands::default(),
    };
    tasks.push(tokio::spawn(courier(&near, guard, config, outside.client.as_ref())?.run(stopping.clone())));
    tasks.extend(crate::collectors::start(data, config, (guard, &library, &near.mqtt), &doors, outside.client.as_ref())?);
    tasks.push(tokio::spawn(steward(&near, guard, &depot, reported, &stopping).run()));
    tasks.push(start_mllp(config, doors.clone(), mllp)?);
    tasks.extend(phd::start(config, &doors).await?);
    tasks.extend(start_coap(config, &doors).await?);
    let behind = Behind { config, guard, commands: &folder.commands() };
    let api = behind.api(&near, library, depot, metrics, outside);
    let burden = api::burden::Burden::new(crate::burden::house(config));
    tasks.push(weekly(config, &api, &side, &burden)?);
    let watcher = look_after_models(config, (&api, &side), &burden, &models, &mut tasks)?;
    tasks.extend(start_watchers(&folder, config, guard, &api, side)?);
    let edges = (Edges::new(registry(&folder, &sealed)?), this);
    tasks.push(tokio::spawn(Arc::clone(&edges.0).follow(near.live.clone())));
    tasks.extend(start_sdc(data, config, (guard, &doors.identify), &near, &stopping).await?);
    let served = (laboratory((&folder, &sealed), config, &api, Arc::clone(&near.side))?, api, edges, burden, models.shelf(watcher));
    tasks.push(start_http(config, served, http, doors.identify, stopping)?);
    Ok(Platform {
        http: addresses[0],
        mqtt: addresses[1],
        mllp: addresses[2],
        https: config.http_tls().is_some(),
        near,
        guard: guard.clone(),
        appender,
        runtime,
        shutdown,
        tasks,
    })
}

/// What stands behind the application interface from the start.
struct Behind<'a> {
    config: &'a Config,
    guard: &'a Guard,
    commands: &'a Path,
}

impl Behind<'_> {
    fn api(
        &self,
        near: &Near,
        library: Library,
        depot: Depot,
        metrics: PrometheusHandle,
        outside: Arc<api::outside::Outside>,
    ) -> Api {
        let http = &self.config.http;
        Api {
            appender: near.appender.clone(),
            live: near.live.clone(),
            reader: near.reader.clone(),
            library,
            guard: self.guard.clone(),
            commands: Arc::new(crate::offers::at_start(self.commands).into()),
            clock,
            metrics,
            trusted_proxies: http.trusted_proxies.iter().map(IpAddr::to_canonical).collect(),
            public_url: http.public_url.as_deref().map(|url| url.trim_end_matches('/').into()),
            depot,
            limiter: api::fleet::Limiter::new(self.config.limits.http()),
            broadcast: Arc::new(Broadcast::default()),
            outside,
        }
    }
}

/// What is asked of others, and how people sign on elsewhere.
fn outside(config: &Config) -> anyhow::Result<api::outside::Outside> {
    let outgoing = config.outgoing()?;
    let sign_on = crate::config::sign_on::provider(&config.oidc, &outgoing)?;
    Ok(api::outside::Outside::new(outgoing, sign_on))
}

/// Who is who and may what, by this configuration; and the configuration, with a certificate of our
/// own where one is wanted and none given.
fn open_guard(
    folder: &Folder,
    config: &Config,
    sealed: &sealed::Sealed,
    open: bool,
) -> anyhow::Result<(Guard, Config)> {
    let guard = match open {
        true => Guard::trial(&folder.guard()).context("cannot open the audit log")?,
        false => sealed.guard(folder)?,
    };
    crate::policy::load(&guard, &folder.policies())?;
    crate::audit::keep::begin(&guard, &config.audit);
    crate::audit::settings::note(&guard, &folder.guard(), &config.said, &folder.policies())?;
    guard.set_trust(config.trust()?);
    let config = with_own_certificate(folder, config, &guard)?;
    guard.set_login_rules(guard::LoginRules {
        second_factor: config.login.second_factor.iter().copied().collect(),
        origin: config.origin(),
    });
    guard.set_stance(config.privacy.stance());
    Ok((guard, config))
}

/// What looks after things beside the listeners: audit, certificates, privacy.
fn start_watchers(
    folder: &Folder,
    config: &Config,
    guard: &Guard,
    api: &Api,
    side: Arc<dyn store::Side>,
) -> anyhow::Result<Vec<tokio::task::JoinHandle<()>>> {
    let retention = crate::retention::Keeper {
        guard: guard.clone(),
        depot: api.depot.clone(),
        reader: api.reader.clone(),
        side: Arc::clone(&side),
        configured: config.retention.clone(),
        folder: folder.guard(),
        repositories: config.audit.repository.iter().map(|one| one.name.clone()).collect(),
        clock,
    };
    let telling = crate::privacy::tell(guard.clone(), config.webhooks()?, side, clock);
    let (appender, live) = (api.appender.clone(), api.live.clone());
    let mut tasks = vec![
        tokio::spawn(api.library.clone().watch()),
        tokio::spawn(crate::offers::follow(folder.commands(), Arc::clone(&api.commands), guard.clone())),
        tokio::spawn(telling),
        tokio::spawn(retention.run()),
        tokio::spawn(crate::privacy::follow_merges(guard.clone(), live)),
        tokio::spawn(Arc::clone(&api.broadcast).run(api.clone())),
        tokio::spawn(watch::run(guard.clone(), appender.clone(), folder.guard())),
        tokio::spawn(watch::trust(guard.clone())),
        tokio::spawn(crate::time_service::run()),
    ];
    for repository in &config.audit.repository {
        let shipper = crate::audit::atna::Shipper::new(guard.audit_log(), &folder.guard(), repository)?;
        tasks.push(tokio::spawn(crate::audit::atna::run(shipper)));
    }
    let keeping =
        crate::audit::keep::run(guard.clone(), appender, folder.guard(), config.audit.clone());
    tasks.push(tokio::spawn(keeping));
    if config.tls.self_signed {
        let renewed = crate::certificate::renew(folder.tls(), own_addresses(config), guard.clone());
        tasks.push(tokio::spawn(renewed));
    }
    Ok(tasks)
}

/// An edge has little memory: it recognises fewer messages that are sent again.
const EDGE_KEYS: usize = 100_000;

fn limits(config: &Config, is_edge: bool) -> journal::Limits {
    let usual = journal::Limits::default();
    let retention = journal::Retention {
        min_age_us: i64::from(config.journal.keep_hours) * vitals::time::HOUR,
        max_bytes: config.journal.keep_bytes_max,
        ..journal::Retention::default()
    };
    journal::Limits {
        numeric_bytes: config.journal.queue_bytes,
        waveform_bytes: config.journal.queue_bytes,
        retention,
        dedup_keys: if is_edge { EDGE_KEYS } else { usual.dedup_keys },
        ..usual
    }
}

async fn bind(what: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| {
        format!("cannot listen for {what} on {address}; is another program there? choose another")
    })
}

async fn start_mqtt(
    config: &Config,
    doors: Doors,
    listener: TcpListener,
    memory: Arc<Retained>,
) -> anyhow::Result<(Arc<MqttServer>, Vec<tokio::task::JoinHandle<()>>)> {
    let limits = MqttLimits {
        connections: config.mqtt.clients_max,
        packet_bytes: config.mqtt.packet_bytes_max,
        ..MqttLimits::default()
    };
    let identify = Arc::clone(&doors.identify);
    let server = Arc::new(MqttServer::new(limits, doors, Some(memory)));
    let plain = Arc::clone(&server);
    let (watching, sending) = (Arc::clone(&server), Arc::clone(&server));
    let mut tasks = vec![
        tokio::spawn(async move { plain.serve(listener).await }),
        tokio::spawn(async move { watching.watch_accounts().await }),
    ];
    if let Some(files) = config.mqtt_tls() {
        let clients = ClientCertificates::of(&files);
        let door = TlsDoor::new(files, clients, identify)?;
        let secure = bind("MQTT over TLS", config.mqtt.tls_listen).await?;
        tasks.push(tokio::spawn(async move { server.serve_tls(secure, door).await }));
    }
    Ok((sending, tasks))
}

fn start_mllp(
    config: &Config,
    doors: Doors,
    listener: TcpListener,
) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    let tls = config.mllp_tls().map(|files| MllpTls { listen: config.mllp.tls_listen, files });
    let config = MllpConfig {
        listen: config.mllp.listen,
        tls,
        options: config.mllp_options()?,
        alert_managers: config.alert_managers()?.into_iter().map(|manager| manager.name).collect(),
        ..MllpConfig::default()
    };
    Ok(tokio::spawn(async move {
        if let Err(error) = gateway::mllp::serve(config, doors, listener).await {
            tracing::error!("the MLLP listener ended: {error}");
        }
    }))
}

type Served = (api::laboratory::Laboratory, Api, (Arc<Edges>, ThisEdge), api::burden::Burden, api::foresight::Shelf);

fn start_http(
    config: &Config,
    (laboratory, api, (edges, this), burden, shelf): Served,
    listener: TcpListener,
    identify: Arc<dyn Authenticator>,
    stopping: signal::Receiver<bool>,
) -> anyhow::Result<tokio::task::JoinHandle<()>> {
    // People have no certificates; a device has one when it renews it or sends readings.
    let door = |files| TlsDoor::new(files, ClientCertificates::Offered, Arc::clone(&identify));
    let secure = config.http_tls().map(door).transpose()?;
    let router = api::router(api.clone(), Arc::new(Backend(api))).layer(axum::Extension(Arc::new(shelf))).layer(axum::Extension(laboratory));
    let router = router.layer(axum::Extension(edges)).layer(axum::Extension(this)).layer(axum::Extension(burden));
    let most = config.http.connections_max.max(1);
    Ok(tokio::spawn(async move {
        let watched = secure.clone();
        let watching = async {
            match watched {
                Some(door) => door.watch().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = crate::http::serve(listener, secure, identify, router, most, stopping) => {}
            () = watching => {}
        }
    }))
}

/// The configuration, with a certificate of our own where one is wanted and none given.
fn with_own_certificate(folder: &Folder, config: &Config, guard: &Guard) -> anyhow::Result<Config> {
    let mut config = config.clone();
    if config.tls.self_signed && config.tls.certificate.is_none() {
        let files = crate::certificate::own(&folder.tls(), &own_addresses(&config), guard)?;
        config.tls.certificate = Some(files.certificate);
        config.tls.key = Some(files.key);
    }
    Ok(config)
}

/// The addresses that a certificate of our own names.
fn own_addresses(config: &Config) -> Vec<IpAddr> {
    [config.http.listen, config.mqtt.tls_listen, config.mllp.tls_listen].map(|a| a.ip()).to_vec()
}

impl Platform {
    /// The setup code for the first administrator, while there is none.
    pub(crate) fn first_start(&self) -> Option<String> {
        self.guard.first_start()
    }

    /// Stops listening, takes in what is committed, puts everything into the store.
    pub(crate) async fn stop(self) {
        let _ = self.shutdown.send(true);
        // Listeners finish what they have in hand: acknowledge what is committed, say goodbye.
        tokio::time::sleep(Duration::from_millis(200)).await;
        for task in &self.tasks {
            task.abort();
        }
        let stopped = tokio::task::spawn_blocking(move || {
            self.appender.close();
            self.runtime.stop();
            crate::audit::keep::end(&self.guard, &self.appender);
        });
        if stopped.await.is_err() {
            tracing::error!("stopping failed; the journal has everything that was acknowledged");
        }
    }
}
