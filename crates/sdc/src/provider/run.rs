//! The provider at work: hosts, their refreshing, and the tasks around them.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use engine::{DeviceLine, PatientView};
use guard::Guard;
use journal::Appender;
use live::{Change, Live};
use parking_lot::Mutex;
use sha2::Digest;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use vitals::{DeviceId, PatientId, ReceiveTime};
use wire_dpws::Name;
use wire_dpws::discovery::Service;
use wire_dpws::eventing::EndStatus;
use wire_dpws::scope;
use wire_sdc::basic::Span;

use super::access::Access;
use super::model::{self, Described, Sight};
use super::published::Published;
use super::server::{random, stopped, uuid};
use super::subscribers::Subscribers;
use super::{Settings, TlsError, discovery, managed, server, tls};
use crate::consumer::{Line, LineError};

/// How long to wait for the engine after an act.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How often hosts are looked at without a change being told, for samples and self-checks.
const LOOK: Duration = Duration::from_millis(250);
/// At least so long between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// Most reports of samples that one look makes.
const ROUNDS_MAX: usize = 8;
/// Most stretches of samples between gaps that one look tells of one waveform.
const STRETCHES_MAX: usize = 32;

/// What the provider works with.
pub struct Parts {
    /// Who may what.
    pub guard: Guard,
    /// What is true now.
    pub live: Live,
    /// Where acts go.
    pub appender: Appender,
    /// Our clock.
    pub clock: fn() -> ReceiveTime,
    /// Names this installation, the same at every start.
    pub installation: [u8; 16],
    /// Becomes true when the program stops.
    pub stopping: watch::Receiver<bool>,
}

/// A running provider.
pub struct Provider {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its tasks, which end when the program stops.
    pub tasks: Vec<JoinHandle<()>>,
}

/// Why the provider does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Certificates.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Certificates, for the way to the discovery proxy.
    #[error(transparent)]
    Proxy(#[from] LineError),
    /// A socket.
    #[error("SDC can't listen on {0}: {1}")]
    Listen(String, std::io::Error),
}

/// All that its tasks share.
pub(super) struct Shared {
    pub(super) settings: Settings,
    pub(super) access: Access,
    pub(super) live: Live,
    pub(super) appender: Appender,
    pub(super) hosts: Vec<Host>,
    pub(super) subscribers: Arc<Subscribers>,
    /// Larger at every start: seconds since 1970.
    pub(super) instance: u64,
    address: SocketAddr,
    calls: AtomicU32,
}

/// One device as a host.
pub(super) struct Host {
    /// Which.
    pub(super) device: DeviceId,
    /// Its name for ever, a URI.
    pub(super) endpoint: String,
    /// Its MDIB.
    pub(super) state: Mutex<HostState>,
}

/// What a host says.
pub(super) struct HostState {
    /// The MDIB.
    pub(super) published: Published,
    /// The note with which alerts were last taken.
    pub(super) note: Option<(String, ReceiveTime)>,
    described: Described,
    /// The last samples told, by handle.
    waves: HashMap<String, u64>,
    checked: (ReceiveTime, i64),
    patient: Option<PatientId>,
}

impl Provider {
    /// Starts: listens, and is found where the settings say so.
    ///
    /// # Errors
    /// [`StartError`] when certificates or sockets can't be used.
    pub async fn start(settings: Settings, parts: Parts) -> Result<Self, StartError> {
        let (serving, calling) = (tls::server(&settings)?, tls::client(&settings)?);
        let listening = |error| StartError::Listen(settings.listen.to_string(), error);
        let listener = TcpListener::bind(settings.listen).await.map_err(listening)?;
        let bound = listener.local_addr().map_err(listening)?;
        let discovered = settings.discovery.map(discovery::socket).transpose();
        let discovered = discovered.map_err(|error| StartError::Listen("udp 3702".to_owned(), error))?;
        let registering = settings.proxy.clone().map(|proxy| Ok::<_, StartError>((Line::new(settings.papers())?, proxy)));
        let registering = registering.transpose()?;
        let access = Access { guard: parts.guard, peers: settings.peers.clone().into(), clock: parts.clock };
        let subscribers = Subscribers::new(
            settings.subscriptions_max,
            settings.queue,
            calling,
            access.clone(),
            parts.live.clone(),
        );
        let now = (parts.clock)();
        let instance = u64::try_from(now.0 / 1_000_000).unwrap_or(0);
        let host = |device: &DeviceId| Host::new(device, parts.installation, instance, now);
        let shared = Arc::new(Shared {
            hosts: settings.devices.iter().map(host).collect(),
            access,
            live: parts.live,
            appender: parts.appender,
            subscribers: Arc::new(subscribers),
            instance,
            address: SocketAddr::new(settings.address, bound.port()),
            calls: AtomicU32::new(1),
            settings,
        });
        let mut tasks = vec![
            tokio::spawn(server::serve(listener, serving, Arc::clone(&shared), parts.stopping.clone())),
            tokio::spawn(Arc::clone(&shared).follow(parts.stopping.clone())),
        ];
        if let Some(socket) = discovered {
            tasks.push(tokio::spawn(discovery::run(socket, Arc::clone(&shared), parts.stopping.clone())));
        }
        if let Some((line, proxy)) = registering {
            tasks.push(tokio::spawn(managed::run(line, proxy, shared, parts.stopping)));
        }
        Ok(Self { address: bound, tasks })
    }
}

impl Host {
    fn new(device: &DeviceId, installation: [u8; 16], instance: u64, now: ReceiveTime) -> Self {
        let hash = sha2::Sha256::new().chain_update(installation).chain_update(device.as_str()).finalize();
        let mut name = [0; 16];
        name.copy_from_slice(&hash[..16]);
        let state = HostState {
            published: Published::new(format!("urn:uuid:{}", uuid(random())), instance),
            note: None,
            described: Described::default(),
            waves: HashMap::new(),
            checked: (now, 1),
            patient: None,
        };
        Self { device: device.clone(), endpoint: format!("urn:uuid:{}", uuid(name)), state: Mutex::new(state) }
    }
}

impl Shared {
    /// The host of a path and what follows in the path.
    pub(super) fn host_of<'a>(&self, path: &'a str) -> Option<(usize, &'a str)> {
        let path = path.strip_prefix('/')?;
        let (name, rest) = path.split_once('/').unwrap_or((path, ""));
        self.hosts.iter().position(|host| host.path() == name).map(|host| (host, rest))
    }

    /// The address of a host.
    pub(super) fn base(&self, host: usize) -> String {
        format!("https://{}/{}", self.address, self.hosts[host].path())
    }

    /// The number of the next call.
    pub(super) fn transaction(&self) -> u32 {
        self.calls.fetch_add(1, Ordering::Relaxed)
    }

    /// A host's device and whom it is on; none while nobody knows the device.
    pub(super) fn sight(&self, host: usize) -> Option<(Arc<DeviceLine>, Option<Arc<PatientView>>)> {
        let device = &self.hosts[host].device;
        let line = self.live.device(device)?;
        let patient = self.live.on(device).and_then(|patient| self.live.patient(&patient));
        Some((line, patient))
    }

    /// A host as discovery tells of it; none while nobody knows the device.
    pub(super) fn service(&self, host: usize) -> Option<Service> {
        let line = self.live.device(&self.hosts[host].device)?;
        let place = line.device.location.as_ref();
        let locations = self.live.locations();
        let place = place.and_then(|id| locations.iter().find(|location| location.id == *id));
        let mut scopes = vec![scope::PROVIDER.to_owned()];
        scopes.extend(line.device.kind.map(|kind| scope::device_type("", "", &kind.0.to_string())));
        scopes.extend(place.map(|place| model::place(place).scope()));
        Some(Service {
            endpoint: self.hosts[host].endpoint.clone(),
            types: vec![Name::device(), Name::medical_device()],
            scopes,
            addresses: vec![self.base(host)],
            metadata_version: 1,
        })
    }

    /// Every host that is there.
    pub(super) fn services(&self) -> Vec<Service> {
        (0..self.hosts.len()).filter_map(|host| self.service(host)).collect()
    }

    /// Follows the live view until the program stops.
    async fn follow(self: Arc<Self>, mut stopping: watch::Receiver<bool>) {
        let mut changes = self.live.changes().subscribe(None).receiver;
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stopped(&mut stopping) => break,
                _ = look.tick() => {}
                // Whoever is too slow for the stream looks all the same.
                change = changes.recv() => if let Ok((_, Change::Quarantine)) = change { continue },
            }
            self.subscribers.expire((self.access.clock)());
            metrics::gauge!("vitalwire_sdc_subscriptions").set(self.subscribers.len() as f64);
            for host in 0..self.hosts.len() {
                let sight = self.sight(host);
                self.review(host, sight.as_ref().map(|(line, patient)| (&**line, patient.as_deref())));
                self.refresh(host);
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.subscribers.end_all(EndStatus::ShuttingDown, "the program stops");
    }

    /// Brings a host up to date and tells its subscribers.
    pub(super) fn refresh(&self, host: usize) {
        let Some((line, patient)) = self.sight(host) else { return };
        let now = (self.access.clock)();
        let locations = self.live.locations();
        let place = line.device.location.as_ref();
        let place = place.and_then(|id| locations.iter().find(|location| location.id == *id));
        let place = place.or_else(|| patient.as_ref().and_then(|patient| patient.location.as_ref()));
        let mut guarded = self.hosts[host].state.lock();
        let state = &mut *guarded;
        let whom = patient.as_ref().map(|patient| patient.patient.id.clone());
        if state.patient != whom {
            // What was said about alerts of somebody else is theirs.
            state.note = None;
            state.patient = whom;
        }
        let period = i64::try_from(self.settings.self_check.as_micros()).unwrap_or(i64::MAX);
        if now.0 >= state.checked.0.0.saturating_add(period) || now < state.checked.0 {
            state.checked = (now, state.checked.1 + 1);
        }
        let sight = Sight {
            line: &line,
            patient: patient.as_deref(),
            place,
            offered: self.settings.operations,
            period: Span::from_millis(period / 1_000),
            checked: state.checked,
            note: state.note.as_ref(),
            now,
        };
        let mut tree = model::look(&sight, &mut state.described);
        let silent = state.described.wave_handles().filter(|handle| state.published.mdib().state(handle).is_none());
        tree.states.extend(silent.map(model::silent));
        let mut reports = state.published.take(tree.entries, tree.states);
        if let Some(patient) = &patient {
            self.samples(state, &line.device.id, patient, &mut reports);
        }
        // Told under the lock, so that versions arrive in order.
        for report in reports {
            self.subscribers.tell(host, &report.kind.action(), report.write());
        }
    }

    fn samples(
        &self,
        state: &mut HostState,
        device: &DeviceId,
        patient: &PatientView,
        reports: &mut Vec<wire_sdc::Report>,
    ) {
        let mut rounds: Vec<Vec<wire_sdc::State>> = Vec::new();
        for wave in patient.waves.iter().filter(|wave| wave.device == *device) {
            let handle = model::wave_handle(wave.metric, wave.channel);
            let first = !state.waves.contains_key(&handle);
            let after = state.waves.get(&handle).copied().unwrap_or(0);
            let mut runs = self.live.waves().since(wave.series, after);
            let Some((newest, _)) = runs.last() else { continue };
            state.waves.insert(handle.clone(), *newest);
            if first || runs.len() > ROUNDS_MAX {
                // Samples of long ago are in the store, not in a stream of the present.
                let old = runs.len().saturating_sub(1);
                runs.drain(..old);
            }
            let mut stretches: Vec<wire_sdc::State> = runs.iter().flat_map(|(_, run)| model::samples(&handle, run)).collect();
            if stretches.len() > STRETCHES_MAX {
                self.live.count("sdc-samples-left-out", (stretches.len() - STRETCHES_MAX) as u64);
                stretches.drain(..stretches.len() - STRETCHES_MAX);
            }
            for (round, stretch) in stretches.into_iter().enumerate() {
                if rounds.len() <= round {
                    rounds.push(Vec::new());
                }
                rounds[round].push(stretch);
            }
        }
        reports.extend(rounds.into_iter().filter_map(|round| state.published.samples(round)));
    }
}
