//! What a host answers: metadata, subscriptions, the MDIB, operations. Every question is asked again
//! whether its asker may have the answer.

use std::sync::Arc;

use engine::PatientView;
use guard::{Account, Deed, Outcome, Permission};
use hyper::StatusCode;
use markup::Element;
use vitals::Action;
use wire_dpws::discovery::Discovery;
use wire_dpws::eventing::{EndStatus, Eventing, Subscribe};
use wire_dpws::metadata::{Ask, GET, GET_METADATA, Hosted, Metadata, Relationship, ThisDevice, ThisModel};
use wire_dpws::names::{MSG, PM, SDC};
use wire_dpws::{Code, Endpoint, Envelope, Fault, LIMITS, Name, Payload, Prefixes, services, wsdl};
use wire_sdc::message::{Answer, Answered, Request, SetRequest, description_response};
use wire_sdc::basic::LocalizedText;
use wire_sdc::words::{InvocationError, InvocationState};
use wire_sdc::{InvocationInfo, Invoked, Mdib, ReportKind, State};

use super::access::{Caller, Recorded};
use super::model::MDS;
use super::operations::{self, Meaning, Refused};
use super::run::{Host, Shared};
use super::server::message_id;

/// The hosted services: path and port types.
const HOSTED: [(&str, &[&str]); 2] = [
    ("get", &["GetService", "LocalizationService"]),
    (
        "state",
        &["StateEventService", "ContextService", "DescriptionEventService", "WaveformService", "SetService"],
    ),
];
/// Shortest subscription that is granted, in milliseconds.
const SHORTEST_MS: u64 = 1_000;

/// The body of an answer and its action.
struct Said {
    action: String,
    body: Option<Element>,
    prefixes: Prefixes,
}

impl Said {
    fn payload<P: Payload>(payload: &P) -> Self {
        let mut prefixes = Prefixes::default();
        let body = payload.element(&mut prefixes);
        Self { action: payload.action().to_owned(), body, prefixes }
    }

    fn element(action: String, body: Element) -> Self {
        let mut prefixes = Prefixes::default();
        let _ = (prefixes.prefix(PM), prefixes.prefix(MSG));
        Self { action, body: Some(body), prefixes }
    }
}

/// A question in its place.
struct Asked<'a> {
    host: usize,
    rest: &'a str,
    envelope: &'a Envelope,
    caller: &'a Caller,
    account: Account,
}

impl Shared {
    /// The WSDL of a hosted service, by its path.
    pub(super) fn wsdl(&self, path: &str) -> Option<String> {
        let (_, rest) = self.host_of(path)?;
        let name = rest.trim_end_matches('/');
        HOSTED.iter().find(|(known, _)| *known == name).map(|(_, services)| wsdl(services))
    }

    /// Answers a message.
    pub(super) async fn answer(self: &Arc<Self>, path: &str, bytes: &[u8], caller: &Caller) -> (StatusCode, String) {
        let envelope = match Envelope::read(bytes, &LIMITS) {
            Ok(envelope) => envelope,
            Err(error) => {
                self.live.count("sdc-not-understood", 1);
                return fault(&Envelope::default(), &Fault::of_error(&error));
            }
        };
        let (host, rest) = match self.host_of(path) {
            Some((host, rest)) => (host, rest),
            None => return fault(&envelope, &nobody()),
        };
        let Some(account) = self.access.account(caller) else {
            self.live.count("sdc-refused", 1);
            return fault(&envelope, &nobody());
        };
        let asked = Asked { host, rest, envelope: &envelope, caller, account };
        match self.ask(&asked).await {
            Ok(said) => {
                let header = envelope.header.answer(said.action, message_id());
                (StatusCode::OK, Envelope { header, body: said.body }.write(&said.prefixes))
            }
            Err(refusal) => fault(&envelope, &refusal),
        }
    }

    async fn ask(self: &Arc<Self>, asked: &Asked<'_>) -> Result<Said, Fault> {
        let envelope = asked.envelope;
        // A host that the account may not see is not there.
        let Some((line, patient)) = self.sight(asked.host) else { return Err(nobody()) };
        if !self.access.sees(&asked.account, &line, patient.as_deref()) {
            self.live.count("sdc-refused", 1);
            self.note(asked, "refused", patient.as_deref(), Outcome::Denied).await?;
            return Err(nobody());
        }
        let action = envelope.header.action.trim();
        if action == GET {
            Ask::read(envelope).map_err(|error| Fault::of_error(&error))?;
            return Ok(Said::payload(&self.metadata(asked.host)));
        }
        if action == GET_METADATA {
            return self.hosted(asked.host, asked.rest).map(|metadata| Said::payload(&metadata));
        }
        if let Ok(Discovery::Probe(probe)) = Discovery::read(envelope) {
            let service = self.service(asked.host).filter(|service| probe.matches(service));
            return Ok(Said::payload(&Discovery::ProbeMatches(service.into_iter().collect())));
        }
        if let Ok(Discovery::Resolve(endpoint)) = Discovery::read(envelope) {
            let service = self.service(asked.host).filter(|service| service.endpoint == endpoint);
            return Ok(Said::payload(&Discovery::ResolveMatches(service)));
        }
        if Eventing::is_action(action) {
            let message = Eventing::read(envelope).map_err(|error| Fault::of_error(&error))?;
            return self.eventing(asked, message, patient.as_deref()).await;
        }
        let Some(body) = envelope.body.as_ref().filter(|_| services::of_action(action).is_some()) else {
            return Err(Fault::action_not_supported());
        };
        let request = Request::read(body).map_err(|fault| {
            self.live.count("sdc-not-understood", 1);
            Fault { code: Code::Sender, subcode: None, reason: fault.to_string() }
        })?;
        if request.action() != action {
            return Err(Fault::action_not_supported());
        }
        match request {
            Request::Set(call) => self.call(asked, call, patient).await,
            request => {
                self.note(asked, request.element(), patient.as_deref(), Outcome::Allowed).await?;
                self.refresh(asked.host);
                let body = get(self.hosts[asked.host].state.lock().published.mdib(), &request);
                Ok(Said::element(format!("{}Response", request.action()), body))
            }
        }
    }

    async fn note(
        &self,
        asked: &Asked<'_>,
        message: &str,
        patient: Option<&PatientView>,
        outcome: Outcome,
    ) -> Result<(), Fault> {
        let permission = if patient.is_some() { Permission::SeePatients } else { Permission::SeeDevices };
        let recorded = Recorded {
            message,
            device: self.hosts[asked.host].device.as_str(),
            patient: patient.map(|patient| &patient.patient.id),
            outcome,
        };
        let kept = self.access.record(&asked.account, asked.caller, Deed::Permitted(permission), recorded).await;
        if kept { Ok(()) } else { Err(unavailable()) }
    }

    fn metadata(&self, host: usize) -> Metadata {
        let device = self.live.device(&self.hosts[host].device).map(|line| line.device.clone());
        let device = device.unwrap_or_else(|| vitals::Device::announced(self.hosts[host].device.clone()));
        let english = |text: &str| vec![("en-US".to_owned(), text.chars().take(64).collect::<String>())];
        let or = |text: &str, other: &str| if text.is_empty() { english(other) } else { english(text) };
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Metadata {
            model: Some(ThisModel {
                manufacturer: or(&device.manufacturer, "unknown"),
                model_name: or(&device.model, "unknown"),
                ..ThisModel::default()
            }),
            device: Some(ThisDevice {
                friendly_name: or(&device.name, device.id.as_str()),
                firmware: some(&device.version),
                serial: some(&device.serial),
            }),
            relationship: Some(self.relationship(host, |_| true)),
            wsdl: None,
        }
    }

    fn relationship(&self, host: usize, wanted: impl Fn(&str) -> bool) -> Relationship {
        let hosted = |(path, types): &(&str, &[&str])| Hosted {
            endpoints: vec![Endpoint::new(format!("{}/{path}", self.base(host)))],
            types: types.iter().map(|name| Name::new(SDC, name)).collect(),
            id: (*path).to_owned(),
        };
        Relationship {
            host: Some(Endpoint::new(self.hosts[host].endpoint.clone())),
            host_types: vec![Name::device(), Name::medical_device()],
            hosted: HOSTED.iter().filter(|(path, _)| wanted(path)).map(hosted).collect(),
        }
    }

    fn hosted(&self, host: usize, path: &str) -> Result<Metadata, Fault> {
        let path = path.trim_end_matches('/');
        if !HOSTED.iter().any(|(known, _)| *known == path) {
            return Err(nobody());
        }
        let relationship = Some(self.relationship(host, |known| known == path));
        let wsdl = Some(format!("{}/{path}?wsdl", self.base(host)));
        Ok(Metadata { relationship, wsdl, ..Metadata::default() })
    }

    async fn eventing(
        &self,
        asked: &Asked<'_>,
        message: Eventing,
        patient: Option<&PatientView>,
    ) -> Result<Said, Fault> {
        let (host, caller) = (asked.host, asked.caller);
        let now = (self.access.clock)();
        let granted = |wanted: Option<u64>| {
            let most = u64::try_from(self.settings.subscription_max.as_millis()).unwrap_or(u64::MAX);
            wanted.unwrap_or(most).clamp(SHORTEST_MS.min(most), most)
        };
        let until = |ms: u64| now.plus(i64::try_from(ms).unwrap_or(i64::MAX / 2_000).saturating_mul(1_000));
        let number = asked.rest.strip_prefix("subscription/").and_then(|number| number.parse::<u64>().ok());
        let known = || number.ok_or_else(Fault::unknown_subscription);
        let answer = match message {
            Eventing::Subscribe(subscribe) => {
                check(&subscribe, asked.rest)?;
                self.note(asked, "Subscribe", patient, Outcome::Allowed).await?;
                let ms = granted(subscribe.expires_ms);
                let base = format!("{}/subscription", self.base(host));
                let number = self.subscribers.add(host, caller, &subscribe, until(ms), &base)?;
                Eventing::SubscribeResponse(Endpoint::new(format!("{base}/{number}")), ms)
            }
            Eventing::Renew(wanted) => {
                let ms = granted(wanted);
                if !self.subscribers.renew(known()?, host, caller, until(ms)) {
                    return Err(Fault::unknown_subscription());
                }
                Eventing::RenewResponse(ms)
            }
            Eventing::GetStatus => {
                let expires = self.subscribers.expires(known()?, host, caller);
                let left = expires.ok_or_else(Fault::unknown_subscription)?.0.saturating_sub(now.0) / 1_000;
                Eventing::GetStatusResponse(u64::try_from(left).unwrap_or(0))
            }
            Eventing::Unsubscribe => {
                if !self.subscribers.remove(known()?, host, caller) {
                    return Err(Fault::unknown_subscription());
                }
                Eventing::UnsubscribeResponse
            }
            _ => return Err(Fault::action_not_supported()),
        };
        Ok(Said::payload(&answer))
    }

    /// A call of an operation: answered at once, done afterwards, told by reports.
    async fn call(
        self: &Arc<Self>,
        asked: &Asked<'_>,
        call: SetRequest,
        patient: Option<Arc<PatientView>>,
    ) -> Result<Said, Fault> {
        let name = call.what.element();
        let device = &self.hosts[asked.host].device;
        let now = (self.access.clock)();
        let meaning = operations::meaning(self.settings.operations, device, patient.as_deref(), &call, now);
        let whom = meaning.as_ref().ok().and_then(|meaning| self.live.patient(&meaning.patient));
        let meaning = meaning.and_then(|meaning| if whom.is_some() { Ok(meaning) } else { Err(Refused::Value) });
        let allowed = match (&meaning, &whom) {
            (Ok(meaning), Some(whom)) => self.access.may(&asked.account, meaning.permission, whom),
            _ => false,
        };
        let recorded = Recorded {
            message: name,
            device: device.as_str(),
            patient: whom.as_ref().or(patient.as_ref()).map(|patient| &patient.patient.id),
            outcome: match (&meaning, allowed) {
                (Ok(_), true) => Outcome::Allowed,
                (Ok(_), false) => Outcome::Denied,
                (Err(_), _) => Outcome::Failed,
            },
        };
        let deed = meaning.as_ref().map_or(Deed::Named("sdc-operation"), |meaning| Deed::Permitted(meaning.permission));
        if !self.access.record(&asked.account, asked.caller, deed, recorded).await {
            return Err(unavailable());
        }
        let mut info = InvocationInfo { transaction: self.transaction(), ..InvocationInfo::default() };
        match meaning {
            Ok(meaning) if allowed => {
                info.state = InvocationState::Waiting;
                let (shared, host, account) = (Arc::clone(self), asked.host, asked.account.clone());
                let (operation, info) = (call.operation.clone(), info.clone());
                tokio::spawn(async move { shared.carry_out(host, &account, &operation, meaning, info).await });
            }
            refused => {
                self.live.count("sdc-operation-refused", 1);
                info.state = InvocationState::Failed;
                info.error = Some(match refused {
                    Ok(_) => InvocationError::Other,
                    Err(Refused::Unknown) => InvocationError::UnknownOperation,
                    Err(Refused::Value) => InvocationError::InvalidValue,
                    Err(Refused::Nobody) => InvocationError::Unspecified,
                });
            }
        }
        let version = self.hosts[asked.host].state.lock().published.mdib().version.clone();
        let action = format!("{}Response", asked.envelope.header.action.trim());
        Ok(Said::element(action, Answer { version, what: Answered::Set(name, info) }.write()))
    }

    async fn carry_out(
        &self,
        host: usize,
        account: &Account,
        operation: &str,
        meaning: Meaning,
        mut info: InvocationInfo,
    ) {
        info.state = InvocationState::Started;
        self.tell_invoked(host, account, operation, &meaning.target, &info);
        info.state = InvocationState::Finished;
        for action in meaning.actions {
            if !self.act(account, action).await {
                info.state = InvocationState::Failed;
                info.error = Some(InvocationError::Unspecified);
                break;
            }
        }
        if let Some(note) = meaning.note.filter(|_| info.state == InvocationState::Finished) {
            self.hosts[host].state.lock().note = Some((note, (self.access.clock)()));
        }
        // What it changed is told first.
        self.refresh(host);
        self.tell_invoked(host, account, operation, &meaning.target, &info);
    }

    fn tell_invoked(&self, host: usize, account: &Account, operation: &str, target: &str, info: &InvocationInfo) {
        let invoked = Invoked {
            source_mds: None,
            info: info.clone(),
            source: wire_sdc::basic::InstanceIdentifier::new("urn:vitalwire:account", &account.name),
            operation: operation.to_owned(),
            target: Some(target.to_owned()),
        };
        let report = self.hosts[host].state.lock().published.invoked(invoked);
        self.subscribers.tell(host, &report.kind.action(), report.write());
    }

    async fn act(&self, account: &Account, action: Action) -> bool {
        let event = vitals::Event::Action(account.actor(), action);
        let draft = journal::Draft { event, dedup: None, lane: journal::Lane::Urgent };
        match self.appender.append(draft).await {
            Ok(journal::Outcome::Committed(offset) | journal::Outcome::Duplicate(offset)) => {
                self.live.progress().judge(offset, super::run::PATIENCE).await;
                true
            }
            Ok(journal::Outcome::Failed(error)) => {
                tracing::error!(%error, "SDC: an operation failed, for the journal takes nothing");
                false
            }
            Err(_) => false,
        }
    }

    /// Ends subscriptions of those who may see the host no longer.
    pub(super) fn review(&self, host: usize, sight: Option<(&engine::DeviceLine, Option<&PatientView>)>) {
        for (number, caller) in self.subscribers.of_host(host) {
            let account = self.access.account(&caller);
            let sees = match (&account, sight) {
                (Some(account), Some((line, patient))) => self.access.sees(account, line, patient),
                _ => false,
            };
            if !sees {
                self.live.count("sdc-subscription-ended", 1);
                self.subscribers.end(number, EndStatus::Canceling, "not available");
            }
        }
    }
}

impl Host {
    /// The address part that names the host.
    pub(super) fn path(&self) -> &str {
        self.endpoint.strip_prefix("urn:uuid:").unwrap_or(&self.endpoint)
    }
}

/// At least one of the actions must be one that the service has.
fn check(subscribe: &Subscribe, path: &str) -> Result<(), Fault> {
    let types = HOSTED.iter().find(|(known, _)| *known == path).map_or(&[][..], |(_, types)| types);
    let offered = |action: &String| {
        ReportKind::ALL.iter().any(|kind| types.contains(&kind.service()) && kind.action() == *action)
    };
    if !types.is_empty() && (subscribe.actions.is_empty() || subscribe.actions.iter().any(offered)) {
        return Ok(());
    }
    Err(Fault::filter_not_supported())
}

fn get(mdib: &Mdib, request: &Request) -> Element {
    let named = |state: &&State, handles: &[String]| {
        handles.is_empty() || handles.iter().any(|handle| handle == MDS || handle == state.handle() || *handle == state.descriptor)
    };
    let states = |handles: &[String], contexts: bool| -> Vec<State> {
        let all = mdib.states.iter().filter(|state| !contexts || state.context().is_some());
        all.filter(|state| named(state, handles)).cloned().collect()
    };
    let what = match request {
        Request::GetMdDescription(handles) => return description_response(mdib, handles),
        Request::GetMdState(handles) => Answered::States(states(handles, false)),
        Request::GetContextStates(handles) => Answered::Contexts(states(handles, true)),
        Request::GetLocalizedText { references, version, languages } => {
            Answered::Texts(texts(mdib, references, *version, languages))
        }
        Request::GetSupportedLanguages => Answered::Languages(vec!["en-US".to_owned()]),
        _ => Answered::Mdib(Box::new(mdib.clone())),
    };
    Answer { version: mdib.version.clone(), what }.write()
}

/// The texts of these references in these languages, all where none is named. They have no versions.
fn texts(mdib: &Mdib, references: &[String], version: Option<u64>, languages: &[String]) -> Vec<LocalizedText> {
    let base = |lang: &str| lang.split('-').next().unwrap_or(lang).to_ascii_lowercase();
    let any = |list: &[String], test: &dyn Fn(&String) -> bool| list.is_empty() || list.iter().any(test);
    let wanted = |text: &&LocalizedText| {
        any(references, &|wanted| text.reference.as_ref() == Some(wanted))
            && any(languages, &|wanted| text.lang.as_deref().is_some_and(|lang| base(lang) == base(wanted)))
            && version.is_none_or(|version| version == 0)
    };
    mdib.references().filter(wanted).cloned().collect()
}

fn nobody() -> Fault {
    Fault::sender(wire_dpws::names::WSA, "DestinationUnreachable", "there is no such endpoint")
}

fn unavailable() -> Fault {
    Fault::receiver(wire_dpws::names::WSA, "EndpointUnavailable", "not available now")
}

fn fault(envelope: &Envelope, fault: &Fault) -> (StatusCode, String) {
    let header = envelope.header.answer(fault.action(), message_id());
    let status = if fault.code == Code::Receiver { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::BAD_REQUEST };
    (status, Envelope::write_payload(header, fault))
}
