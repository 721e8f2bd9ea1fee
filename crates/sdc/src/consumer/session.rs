//! One device: connected, subscribed, described, followed; and again after a loss.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use journal::{Draft, Lane, Outcome};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use vitals::{DeviceId, Event, LinkState, Message, Origin, Problem, ProblemKind, Protocol, TimeBase};
use wire_dpws::eventing::{Eventing, Subscribe};
use wire_dpws::metadata::{Ask, Hosted, Metadata};
use wire_dpws::{Endpoint, Envelope, LIMITS, Payload};
use wire_sdc::basic::LocalizedText;
use wire_sdc::message::{Answer, Answered, Request};
use wire_sdc::{Applied, Gap, LiveMdib, Mdib, Report, ReportBody, ReportKind};

use super::commands::Desk;
use super::line::{Line, LineError};
use super::map::{Announced, Mapper, Said};
use super::settings::{Peer, Settings};
use super::sink::{Delivery, Route, Sink, refused};
use super::{Parts, alarms, context};

/// Pauses between attempts to connect: from the first to the longest.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// How long a report may wait for the one before it.
const ORDER: Duration = Duration::from_secs(2);
/// Reports that may wait so.
const ORDER_MAX: usize = 256;
/// Deliveries that may wait for the task.
const WAITING: usize = 64;

/// What ends a connection.
#[derive(Debug, thiserror::Error)]
enum End {
    #[error("{0}")]
    Line(#[from] LineError),
    #[error("the device does not offer what is needed: {0}")]
    Lacking(&'static str),
    #[error("another device answers than the one named")]
    Stranger,
    #[error("the device ended the subscription")]
    Ended,
    #[error("the journal takes nothing more")]
    Closed,
    #[error("the program stops")]
    Stopped,
}

/// A subscription that runs.
struct Subscribed {
    manager: Endpoint,
    renew_at: Instant,
    every: Duration,
}

/// What is known while connected.
struct Following {
    live: LiveMdib,
    desk: Desk,
    services: Services,
    /// Reports that came before one that must go first.
    early: BTreeMap<u64, Report>,
    early_since: Option<Instant>,
}

/// Where a device answers what.
#[derive(Debug, Clone, Default)]
pub(super) struct Services {
    /// Its get service.
    pub(super) get: String,
    /// Its set service, where it has one.
    pub(super) set: Option<String>,
    /// Its localisation service, where it has one.
    pub(super) localization: Option<String>,
}

/// A device's task.
pub(super) struct Session {
    settings: Arc<Settings>,
    parts: Parts,
    line: Line,
    sink: Sink,
    /// Scheme, host and port under which the device reaches us.
    host: String,
    peer: Peer,
    /// Where the device was last found.
    address: watch::Receiver<String>,
    devices: Vec<DeviceId>,
    online: bool,
}

impl Session {
    pub(super) fn new(
        settings: Arc<Settings>,
        parts: Parts,
        line: Line,
        sink: Sink,
        host: String,
        (peer, address): (Peer, watch::Receiver<String>),
    ) -> Self {
        let devices = vec![peer.id.clone()];
        Self { settings, parts, line, sink, host, peer, address, devices, online: false }
    }

    /// Connects again and again, until the program stops.
    pub(super) async fn run(mut self) {
        let settings = Arc::clone(&self.settings);
        let mut mapper = Mapper::new(&settings, self.peer.id.clone());
        let mut pause = PAUSES.0;
        let mut stopping = self.parts.stopping.clone();
        loop {
            let mut subscribed = Vec::new();
            self.peer.address = self.address.borrow_and_update().clone();
            let end = tokio::select! {
                end = self.connect(&mut mapper, &mut subscribed) => end,
                _ = stopping.wait_for(|stop| *stop) => End::Stopped,
            };
            let was_online = std::mem::take(&mut self.online);
            if matches!(end, End::Stopped | End::Closed) {
                for one in &subscribed {
                    let _ = self.line.ask_payload(&one.manager, &Eventing::Unsubscribe).await;
                }
                return;
            }
            if was_online {
                metrics::gauge!("vitalwire_sdc_connected").decrement(1.0);
                pause = PAUSES.0;
                if self.link(LinkState::Lost, &end.to_string()).await.is_err() {
                    return;
                }
                tracing::warn!(device = %self.peer.id, "SDC device lost: {end}");
            } else {
                tracing::debug!(device = %self.peer.id, "SDC device not reached: {end}");
            }
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = (pause * 2).min(PAUSES.1),
                Ok(()) = self.address.changed() => pause = PAUSES.0,
                _ = stopping.wait_for(|stop| *stop) => return,
            }
        }
    }

    /// Everything from the first question to the loss.
    async fn connect(&mut self, mapper: &mut Mapper<'_>, subscribed: &mut Vec<Subscribed>) -> End {
        let (route, mut deliveries) = self.sink.route(WAITING);
        match self.begin(mapper, &route, subscribed).await {
            Ok(services) => match self.follow(mapper, services, &mut deliveries, subscribed).await {
                Ok(()) => End::Ended,
                Err(end) => end,
            },
            Err(end) => end,
        }
    }

    /// Metadata and subscriptions; gives the addresses of the services. Subscriptions come before
    /// the MDIB, so that no report between the two is missed.
    async fn begin(&self, mapper: &mut Mapper<'_>, route: &Route, subscribed: &mut Vec<Subscribed>) -> Result<Services, End> {
        let metadata = self.line.ask_payload(&Endpoint::new(&self.peer.address), &Ask::Device).await?;
        let metadata = Metadata::read(&metadata).map_err(|e| LineError::Answer(e.to_string()))?;
        mapper.announced = self.announced(&metadata);
        let relationship = metadata.relationship.ok_or(End::Lacking("hosted services"))?;
        if let Some(expected) = &self.peer.endpoint {
            if relationship.host.as_ref().is_none_or(|host| host.address != *expected) {
                return Err(End::Stranger);
            }
        }
        let service = |name| address_of(&relationship.hosted, name);
        let services = Services {
            get: service("GetService").ok_or(End::Lacking("the get service"))?,
            set: service("SetService"),
            localization: service("LocalizationService"),
        };
        for hosted in &relationship.hosted {
            let actions: Vec<String> = ReportKind::ALL
                .into_iter()
                .filter(|kind| !is_periodic(*kind) && hosts(hosted, kind.service()))
                .map(ReportKind::action)
                .collect();
            let Some(endpoint) = hosted.endpoints.first().filter(|_| !actions.is_empty()) else { continue };
            let notify_to = Endpoint::new(format!("{}{}", self.host, route.path));
            let expires_ms = u64::try_from(self.settings.expires.as_millis()).ok();
            let subscribe = Subscribe { end_to: Some(notify_to.clone()), notify_to, actions, expires_ms };
            let answer = self.line.ask_payload(endpoint, &Eventing::Subscribe(Box::new(subscribe))).await?;
            match Eventing::read(&answer) {
                Ok(Eventing::SubscribeResponse(manager, ms)) => {
                    let every = Duration::from_millis(ms / 3).clamp(Duration::from_secs(1), Duration::from_secs(3_600));
                    subscribed.push(Subscribed { manager, renew_at: Instant::now() + every, every });
                }
                Ok(_) => return Err(End::Lacking("an answer to a subscription")),
                Err(error) => return Err(LineError::Answer(error.to_string()).into()),
            }
        }
        if subscribed.is_empty() { Err(End::Lacking("a service with reports")) } else { Ok(services) }
    }

    /// What the device's web service says of it.
    fn announced(&self, metadata: &Metadata) -> Announced {
        let pick = |texts: &[(String, String)]| {
            let ours = texts.iter().find(|(lang, _)| lang.starts_with(self.settings.language.as_str()));
            ours.or(texts.first()).map(|(_, text)| text.trim().to_owned()).unwrap_or_default()
        };
        let (model, device) = (metadata.model.as_ref(), metadata.device.as_ref());
        Announced {
            manufacturer: model.map(|model| pick(&model.manufacturer)).unwrap_or_default(),
            model: model.map(|model| pick(&model.model_name)).unwrap_or_default(),
            serial: device.and_then(|device| device.serial.clone()).unwrap_or_default(),
            version: device.and_then(|device| device.firmware.clone()).unwrap_or_default(),
        }
    }

    /// Takes reports until the device is lost.
    async fn follow(
        &mut self,
        mapper: &mut Mapper<'_>,
        services: Services,
        deliveries: &mut mpsc::Receiver<Delivery>,
        subscribed: &mut [Subscribed],
    ) -> Result<(), End> {
        let live = self.fetch(mapper, &services).await?;
        let desk = Desk::open(&self.parts.commands, &self.devices);
        let mut following = Following { live, desk, services, early: BTreeMap::new(), early_since: None };
        self.link(LinkState::Online, "").await?;
        self.online = true;
        metrics::gauge!("vitalwire_sdc_connected").increment(1.0);
        tracing::info!(device = %self.peer.id, "SDC device connected");
        loop {
            let renewal = subscribed.iter().map(|one| one.renew_at).min().unwrap_or_else(Instant::now);
            let order = following.early_since.map_or(renewal, |since| (since + ORDER).min(renewal));
            tokio::select! {
                delivery = deliveries.recv() => {
                    let Some(delivery) = delivery else { return Err(End::Ended) };
                    self.take(mapper, &mut following, delivery).await?;
                }
                Some(asked) = following.desk.next() => {
                    let mdib = following.live.mdib();
                    let device = mapper.device_of(mdib, asked.operation());
                    following.desk.begin(asked, mdib, &device, &following.services, (&self.line, &self.parts.appender));
                }
                () = tokio::time::sleep_until(order) => {
                    if following.early_since.is_some_and(|since| since.elapsed() >= ORDER) {
                        self.resynchronise(mapper, &mut following).await?;
                    }
                    self.renew(subscribed).await?;
                }
            }
        }
    }

    async fn renew(&self, subscribed: &mut [Subscribed]) -> Result<(), End> {
        let ms = u64::try_from(self.settings.expires.as_millis()).ok();
        for one in subscribed.iter_mut().filter(|one| one.renew_at <= Instant::now()) {
            let answer = self.line.ask_payload(&one.manager, &Eventing::Renew(ms)).await?;
            if !matches!(Eventing::read(&answer), Ok(Eventing::RenewResponse(_))) {
                return Err(End::Ended);
            }
            one.renew_at = Instant::now() + one.every;
        }
        Ok(())
    }

    /// Fetches the MDIB and takes all that it says.
    async fn fetch(&mut self, mapper: &mut Mapper<'_>, services: &Services) -> Result<LiveMdib, End> {
        let (envelope, bytes) = self.line.request(&services.get, &Request::GetMdib).await?;
        let body = envelope.body.ok_or(End::Lacking("an MDIB"))?;
        let (mut mdib, faults) = Mdib::read(&body).map_err(|fault| LineError::Answer(fault.to_string()))?;
        self.localise(&mut mdib, services.localization.as_deref()).await;
        mapper.described(&mdib);
        self.devices = mapper.devices(&mdib).into_iter().map(|(_, id)| id).collect();
        let mut said = Said::default();
        context::devices(mapper, &mdib, self.peer.endpoint.as_deref(), &mut said);
        mapper.metrics(&mdib, mdib.states.iter(), &mut said);
        let conditions = alarms::touched(&mdib, mdib.states.iter());
        alarms::say(mapper, &mdib, &conditions, &mut said);
        said.problems.extend(faults.iter().map(problem));
        self.keep("GetMdibResponse", &bytes, said, Lane::Numeric).await?;
        Ok(LiveMdib::new(mdib))
    }

    /// Texts that the description only refers to, in the site's language. Names are no reason to be without values: where
    /// the service fails, the device goes on without them.
    async fn localise(&self, mdib: &mut Mdib, service: Option<&str>) {
        let language = &self.settings.language;
        let lacks = |text: &&LocalizedText| !text.lang.as_ref().is_some_and(|lang| lang.starts_with(language.as_str()));
        let references: BTreeSet<String> = mdib.references().filter(lacks).filter_map(|text| text.reference.clone()).collect();
        let Some(service) = service.filter(|_| !references.is_empty()) else { return };
        if let Some(texts) = self.texts(service, references).await {
            mdib.localise(&texts);
        }
    }

    async fn texts(&self, service: &str, references: BTreeSet<String>) -> Option<Vec<LocalizedText>> {
        let asked = async |request| {
            let answer = self.line.request(service, &request).await.map_err(|error| error.to_string())?;
            let body = answer.0.body.ok_or_else(|| String::from("an empty answer"))?;
            Answer::read(&body).map(|(answer, _)| answer.what).map_err(|fault| fault.to_string())
        };
        let base = |lang: &str| lang.split('-').next().unwrap_or(lang).to_ascii_lowercase();
        let ours = base(&self.settings.language);
        // The standard wants a language as the device writes it: `en-US` where `en` is asked for here.
        let languages = match asked(Request::GetSupportedLanguages).await {
            Ok(Answered::Languages(known)) => known.into_iter().filter(|lang| base(lang) == ours).collect(),
            _ => vec![self.settings.language.clone()],
        };
        if languages.is_empty() {
            return None;
        }
        let request = Request::GetLocalizedText { references: references.into_iter().collect(), version: None, languages };
        match asked(request).await {
            Ok(Answered::Texts(texts)) => Some(texts),
            Ok(_) => None,
            Err(why) => {
                tracing::warn!(device = %self.peer.id, "SDC: texts cannot be read: {why}");
                None
            }
        }
    }

    async fn resynchronise(&mut self, mapper: &mut Mapper<'_>, following: &mut Following) -> Result<(), End> {
        metrics::counter!("vitalwire_sdc_resynchronised_total").increment(1);
        following.early.clear();
        following.early_since = None;
        following.live = self.fetch(mapper, &following.services).await?;
        Ok(())
    }

    /// Takes one delivery; says that it is kept when it is.
    async fn take(&mut self, mapper: &mut Mapper<'_>, following: &mut Following, delivery: Delivery) -> Result<(), End> {
        let Delivery { bytes, kept } = delivery;
        let envelope = match Envelope::read(&bytes, &LIMITS) {
            Ok(envelope) => envelope,
            Err(error) => {
                let said = Said { problems: vec![syntax(&error.to_string())], ..Said::default() };
                self.keep("notification", &bytes, said, Lane::Numeric).await?;
                let _ = kept.send(());
                return Ok(());
            }
        };
        if let Ok(Eventing::SubscriptionEnd(..)) = Eventing::read(&envelope) {
            let _ = kept.send(());
            return Err(End::Ended);
        }
        let read = envelope.body.as_ref().map(Report::read);
        let (report, faults) = match read {
            Some(Ok(read)) => read,
            Some(Err(fault)) => {
                let said = Said { problems: vec![problem(&fault)], ..Said::default() };
                self.keep("notification", &bytes, said, Lane::Numeric).await?;
                let _ = kept.send(());
                return Ok(());
            }
            None => {
                refused("empty");
                let _ = kept.send(());
                return Ok(());
            }
        };
        metrics::counter!("vitalwire_sdc_reports_total").increment(1);
        if let ReportBody::Invoked(invoked) = &report.body {
            following.desk.heard(invoked);
        }
        let mut said = Said { problems: faults.iter().map(problem).collect(), ..Said::default() };
        let resync = self.apply(mapper, following, report.clone(), &mut said);
        // Values are taken in the order in which they come: each has a time of its own.
        mapper.metrics(following.live.mdib(), report.states(), &mut said);
        let lane = if report.kind == ReportKind::Waveform { Lane::Waveform } else { Lane::Numeric };
        self.keep(report.kind.element(), &bytes, said, lane).await?;
        if resync {
            self.resynchronise(mapper, following).await?;
        }
        let _ = kept.send(());
        Ok(())
    }

    /// Brings the MDIB up to date; whether it has to be fetched again.
    fn apply(&self, mapper: &mut Mapper<'_>, following: &mut Following, report: Report, said: &mut Said) -> bool {
        let mut next = Some(report);
        while let Some(report) = next.take() {
            let described = report.kind == ReportKind::DescriptionModification;
            match following.live.apply(&report) {
                Ok(Applied::Taken) => {
                    let mdib = following.live.mdib();
                    let conditions = alarms::touched(mdib, report.states());
                    alarms::say(mapper, mdib, &conditions, said);
                    // Texts that a new description refers to come with a new MDIB.
                    if described && mdib.references().any(|text| text.text.trim().is_empty()) {
                        return true;
                    }
                    let contexts = report.states().any(|state| state.context().is_some());
                    if described || contexts {
                        mapper.described(mdib);
                        context::devices(mapper, mdib, self.peer.endpoint.as_deref(), said);
                    }
                }
                Ok(Applied::Old) => {}
                Err(Gap::Missed { got, .. }) if following.early.len() < ORDER_MAX => {
                    following.early.insert(got, report);
                    following.early_since.get_or_insert_with(Instant::now);
                }
                Err(_) => return true,
            }
            let due = following.live.mdib().version.version.saturating_add(1);
            next = following.early.first_key_value().filter(|(version, _)| **version <= due).map(|(version, _)| *version).and_then(|version| following.early.remove(&version));
            if following.early.is_empty() {
                following.early_since = None;
            }
        }
        false
    }

    /// Writes a message with what was understood of it; waits until it is durable.
    async fn keep(&self, address: &str, bytes: &Bytes, said: Said, lane: Lane) -> Result<(), End> {
        if said.untold > 0 {
            metrics::counter!("vitalwire_sdc_unmapped_total").increment(said.untold);
        }
        if said.content.is_empty() && said.problems.is_empty() {
            return Ok(());
        }
        let mut message = Message {
            origin: Origin {
                protocol: Protocol::Sdc,
                address: address.to_owned(),
                sender: self.peer.endpoint.clone().unwrap_or_else(|| self.peer.id.to_string()),
                message_id: String::new(),
                profile: String::from("sdc"),
            },
            received: (self.parts.clock)(),
            time_base: TimeBase::Live,
            payload: bytes.to_vec(),
            content: said.content,
            problems: said.problems,
        };
        (self.parts.within)(&mut message);
        self.append(Draft { event: Event::Message(message), dedup: None, lane }).await
    }

    async fn link(&self, state: LinkState, reason: &str) -> Result<(), End> {
        for device in &self.devices {
            let event = Event::Link { device: device.clone(), state, reason: reason.to_owned() };
            self.append(Draft { event, dedup: None, lane: Lane::Urgent }).await?;
        }
        Ok(())
    }

    async fn append(&self, draft: Draft) -> Result<(), End> {
        match self.parts.appender.append(draft).await {
            Ok(Outcome::Committed(_) | Outcome::Duplicate(_)) => Ok(()),
            Ok(Outcome::Failed(_)) | Err(_) => Err(End::Closed),
        }
    }
}

/// Periodic reports say again what episodic ones said.
fn is_periodic(kind: ReportKind) -> bool {
    kind.element().starts_with("Periodic")
}

fn hosts(hosted: &Hosted, service: &str) -> bool {
    hosted.types.iter().any(|name| &*name.local == service && &*name.ns == wire_dpws::names::SDC)
}

fn address_of(hosted: &[Hosted], service: &str) -> Option<String> {
    let hosted = hosted.iter().find(|hosted| hosts(hosted, service))?;
    hosted.endpoints.first().map(|endpoint| endpoint.address.clone())
}

fn syntax(detail: &str) -> Problem {
    Problem { kind: ProblemKind::Syntax, path: String::from("Envelope"), detail: detail.to_owned() }
}

fn problem(fault: &wire_sdc::Fault) -> Problem {
    let kind = match fault.problem {
        wire_sdc::Problem::Missing => ProblemKind::Missing,
        wire_sdc::Problem::BadValue => ProblemKind::BadValue,
        wire_sdc::Problem::UnknownType => ProblemKind::Unmatched,
        wire_sdc::Problem::Limit => ProblemKind::Limit,
    };
    Problem { kind, path: fault.path.clone(), detail: fault.problem.to_string() }
}
