//! Who asks, whether they may, and the record of it: before any answer leaves (SE-1).
//!
//! Every request passes [`gate`], which looks its route up in the one table of `rules` and refuses
//! what is not there. A handler then calls [`Api::enter`], which knows the patient and keeps the
//! record; an answer of a handler that did not is thrown away.

use std::cell::Cell;
use std::net::IpAddr;
use std::time::Duration;

use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use guard::{Category, Decision, Deed, Note, Outcome, Permission, Record, Target};
use vitals::{Actor, DeviceId, PatientId};

use crate::caller::has_credentials;
pub use crate::caller::{COOKIE, Caller, HOST_COOKIE, PURPOSE, session_token};
use crate::error::ApiError;
use crate::fhir_access;
use crate::origin::{Origin, Peer, Strange, strange};
use crate::rules::{ROUTES, Rule, rule};
use crate::state::Api;
use crate::trace::{REQUEST_ID, Trace};
use crate::viewer::Viewer;

/// How long a request may take until its answer begins: whoever sends a byte an hour is cut off.
const TIME_MAX: Duration = Duration::from_secs(60);
/// The same for FHIR, whose bundles are large.
const FHIR_TIME_MAX: Duration = Duration::from_secs(300);

/// The kind of data that a route is about.
pub(crate) fn kind_of(route: &str) -> Category {
    let holds = |part: &str| route.contains(part);
    if holds("/waveforms") || holds("/beats") || holds("/holds") {
        Category::Waveforms
    } else if holds("/alerts") {
        Category::Alerts
    } else if holds("/devices") || holds("/associations") || holds("/commands") {
        Category::DeviceData
    } else if holds("/trends") || holds("/predictions") || holds("/readings") || holds("/limits") || holds("/own-normal") || holds("/spo2-scale") || holds("/worklist") || holds("/pathways")
        || holds("/research") {
        Category::VitalSigns
    } else {
        Category::Demographics
    }
}

/// What is known of the request that a task works on.
#[derive(Default)]
struct Passing {
    source: Option<IpAddr>,
    /// Whether the connection is encrypted, where that is known.
    encrypted: Option<bool>,
    /// Whether a record was kept.
    entered: Cell<bool>,
    trace: Trace,
}

tokio::task_local! {
    static PASSING: Passing;
}

/// What the decision needs of a request.
struct Asked<'a> {
    method: &'a Method,
    headers: &'a HeaderMap,
    template: Option<&'a str>,
    path: &'a str,
}

/// Lets a request through to its handler, and the handler's answer out.
pub(crate) async fn gate(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    let fhir = request.uri().path().starts_with("/fhir");
    let peer = request.extensions().get::<Peer>().copied().unwrap_or_default();
    let origin = Origin::of(peer, request.headers(), &api.trusted_proxies);
    let passing = Passing { source: origin.address, encrypted: Some(origin.encrypted), ..Passing::default() };
    let request_id = passing.trace.id().to_owned();
    request.extensions_mut().insert(origin);
    let template = request.extensions().get::<MatchedPath>().cloned();
    let through = async {
        let asked = Asked {
            method: request.method(),
            headers: request.headers(),
            template: template.as_ref().map(MatchedPath::as_str),
            path: request.uri().path(),
        };
        let needs = match api.admit(asked).await {
            Ok(needs) => needs,
            Err(error) if fhir => return fhir_access::outcome(error),
            Err(error) => return error.into_response(),
        };
        let patience = if fhir { FHIR_TIME_MAX } else { TIME_MAX };
        let Ok(answer) = tokio::time::timeout(patience, next.run(request)).await else {
            return StatusCode::REQUEST_TIMEOUT.into_response();
        };
        let failed = answer.status().is_client_error() || answer.status().is_server_error();
        let entered = PASSING.with(|passing| passing.entered.get());
        if needs && !failed && !entered {
            return ApiError::internal(&"a handler answered without a record").into_response();
        }
        let told = PASSING.with(|passing| passing.trace.disclosed()).filter(|_| !failed);
        if let Some(record) = told
            && let Err(error) = api.keep(record).await
        {
            return error.into_response();
        }
        answer
    };
    let mut answer = PASSING.scope(passing, through).await;
    if let Ok(id) = HeaderValue::from_str(&request_id) {
        answer.headers_mut().insert(REQUEST_ID, id);
    }
    if origin.encrypted {
        let always = HeaderValue::from_static("max-age=31536000");
        answer.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, always);
    }
    answer
}

impl Api {
    /// Whether a request may reach its handler; true when its answer needs a record.
    async fn admit(&self, asked: Asked<'_>) -> Result<bool, ApiError> {
        let Asked { method, headers, template, path } = asked;
        match strange(method, headers, self.guard.is_open()) {
            None => {}
            Some(Strange::OtherSite) if crate::smart::is_open_to_others(path) => {}
            Some(Strange::OtherSite) => {
                self.note("foreign-page", "unknown");
                return Err(ApiError::Refused("sent by another site's page"));
            }
            Some(Strange::OtherHost) => {
                return Err(ApiError::Refused("--open answers to 127.0.0.1 and localhost only"));
            }
        }
        let (needed, known_only) = match rule(method, template, path) {
            Some(Rule::Public) => return Ok(false),
            Some(Rule::NoSuchMethod) => return Err(ApiError::NoSuchMethod),
            Some(Rule::Known) => (None, true),
            Some(Rule::Needs(permission)) => (Some(permission), false),
            None => {
                tracing::error!(route = template, "no rule says who may use this route: refused");
                return Err(ApiError::Forbidden);
            }
        };
        let known = self.caller(headers);
        // Pages ask who they are before anybody logs in: that is no attempt.
        if known.is_err() && (!known_only || has_credentials(headers)) {
            let route = template.and_then(route_name).unwrap_or("/fhir");
            self.note("unknown-caller", route);
        }
        let caller = known?;
        if caller.grant.is_some() && !["/fhir", "/oauth/"].iter().any(|start| path.starts_with(start)) {
            return Err(ApiError::Forbidden);
        }
        let Some(permission) = needed else { return Ok(false) };
        let decision = self.at_all(&caller, permission);
        if !decision.allowed {
            let route = template.unwrap_or("/fhir");
            self.record(&caller, (permission, route), None, ("", ""), &decision).await?;
            return Err(ApiError::Forbidden);
        }
        Ok(true)
    }

    /// Lets a caller in to do one thing, and keeps a record of that, allowed or not. About a
    /// patient, it is decided by whose patient that is; one who is not there is decided like one
    /// who is nobody's, so that a refusal does not tell which ids there are.
    ///
    /// # Errors
    /// [`ApiError::Unauthorised`], [`ApiError::Forbidden`]; [`ApiError::BreakGlass`] for a patient
    /// whom the caller could open in an emergency; [`ApiError::Unavailable`] when no record can be
    /// kept: no audit, no access.
    pub async fn enter(
        &self,
        headers: &HeaderMap,
        permission: Permission,
        route: &'static str,
        subject: Option<&PatientId>,
    ) -> Result<Actor, ApiError> {
        let viewer = self.viewer(headers)?;
        self.enter_as(&viewer, permission, route, subject).await
    }

    /// [`Self::enter`] for a caller who is known already.
    ///
    /// # Errors
    /// As [`Self::enter`].
    pub async fn enter_as(
        &self,
        viewer: &Viewer,
        permission: Permission,
        route: &'static str,
        subject: Option<&PatientId>,
    ) -> Result<Actor, ApiError> {
        self.enter_about(viewer, permission, (route, subject), ("", "")).await
    }

    /// [`Self::enter_as`] about a thing, named as the record may name it, with what else it says.
    pub(crate) async fn enter_about(
        &self,
        viewer: &Viewer,
        permission: Permission,
        (route, subject): (&'static str, Option<&PatientId>),
        (object, detail): (&str, &str),
    ) -> Result<Actor, ApiError> {
        let kind = kind_of(route);
        let about = subject.filter(|_| permission.about_patients());
        let decision = match about {
            Some(id) => viewer.decide(permission, id, kind),
            None => self.at_all(viewer.caller(), permission),
        };
        self.record(viewer.caller(), (permission, route), subject, (object, detail), &decision).await?;
        if decision.allowed {
            return Ok(viewer.caller().account.actor());
        }
        match about {
            Some(id) if viewer.would_open(permission, id, kind) => Err(ApiError::BreakGlass),
            _ => Err(ApiError::Forbidden),
        }
    }

    /// [`Self::enter`] for something that was looked up by an id of its own, such as an alert or a
    /// reading: `what` of a patient who may not be seen is answered as if there were none.
    ///
    /// # Errors
    /// As [`Self::enter`]; [`ApiError::NotFound`] in place of a refusal.
    pub async fn enter_found(
        &self,
        headers: &HeaderMap,
        permission: Permission,
        route: &'static str,
        subject: Option<&PatientId>,
        what: &'static str,
    ) -> Result<Actor, ApiError> {
        match self.enter(headers, permission, route, subject).await {
            Err(ApiError::Forbidden | ApiError::BreakGlass) if subject.is_some() => {
                Err(ApiError::NotFound(what))
            }
            other => other,
        }
    }

    /// [`Self::enter`] for something done to a device: it is decided by where the device is, and by
    /// the patients whom it concerns.
    ///
    /// # Errors
    /// As [`Self::enter`].
    pub async fn enter_device(
        &self,
        headers: &HeaderMap,
        permission: Permission,
        route: &'static str,
        device: &DeviceId,
        patient: Option<&PatientId>,
    ) -> Result<Actor, ApiError> {
        let viewer = self.viewer(headers)?;
        let line = self.live.device(device);
        let object = recorded(device.as_str(), line.is_some());
        let on = line.and_then(|line| line.patient.clone());
        let kept = on.filter(|on| {
            let other = permission.about_patients() && Some(on) != patient;
            other && !viewer.decide(permission, on, Category::DeviceData).allowed
        });
        let device = viewer.decide_device(permission, device);
        if device.allowed && kept.is_none() {
            return self.enter_about(&viewer, permission, (route, patient), (&object, "")).await;
        }
        let denied = Decision { allowed: false, ..device };
        let about = kept.as_ref().or(patient);
        self.record(viewer.caller(), (permission, route), about, (&object, ""), &denied).await?;
        Err(ApiError::Forbidden)
    }

    /// Whether a caller may do something, nobody in particular in mind.
    fn at_all(&self, caller: &Caller, permission: Permission) -> Decision {
        let kind = Category::Demographics;
        self.guard.decide(caller.asking(), permission, Target::House, kind, self.now())
    }

    async fn record(
        &self,
        caller: &Caller,
        (permission, route): (Permission, &str),
        subject: Option<&PatientId>,
        (object, detail): (&str, &str),
        decision: &Decision,
    ) -> Result<(), ApiError> {
        let record = signed(Record {
            at: self.now(),
            actor: caller.account.name.clone(),
            role: Some(caller.account.role),
            action: Deed::Permitted(permission),
            route: route.to_owned(),
            subject: subject.map(|id| self.recorded_as(id)),
            outcome: if decision.allowed { Outcome::Allowed } else { Outcome::Denied },
            policies: decision.rules.iter().map(ToString::to_string).collect(),
            purpose: decision.purpose.to_owned(),
            object: object.to_owned(),
            detail: detail.to_owned(),
            ..Record::default()
        });
        // Outside of a request, such as in a test of one handler, there is nothing to tell.
        let _ = PASSING.try_with(|passing| {
            passing.entered.set(true);
            if decision.allowed {
                passing.trace.entered(&record);
            }
        });
        self.keep(record).await
    }

    /// A patient as the record names them: by an id that we made or know. What else was typed as
    /// one may be a name, so its hash stands for it.
    fn recorded_as(&self, id: &PatientId) -> PatientId {
        if is_made(id.as_str()) || self.live.patient(id).is_some() {
            return id.clone();
        }
        PatientId::from_identifier("unknown", id.as_str())
    }

    /// Counts a refusal of somebody who is not known.
    pub(crate) fn note(&self, action: &'static str, route: &'static str) {
        let note = Note {
            action,
            route,
            actor: "unknown".to_owned(),
            source: source(),
            outcome: Outcome::Denied,
            object: String::new(),
            factor: "",
        };
        self.guard.note(note, self.now());
    }
}

/// Lets a task that goes on after its request's answer act for the same source.
pub(crate) async fn on_behalf(acting: Acting, task: impl Future<Output = ()>) {
    let Acting { source, encrypted, trace } = acting;
    PASSING.scope(Passing { source, encrypted, trace, ..Passing::default() }, task).await;
}

/// By whom and from where the present request is made, for a task that goes on after it.
#[derive(Default)]
pub(crate) struct Acting {
    source: Option<IpAddr>,
    encrypted: Option<bool>,
    trace: Trace,
}

impl Acting {
    /// As of the present request.
    pub(crate) fn now() -> Self {
        let of = |passing: &Passing| Self {
            source: passing.source,
            encrypted: passing.encrypted,
            trace: passing.trace.going_on(),
        };
        PASSING.try_with(of).unwrap_or_default()
    }

    /// Does something as a part of that request.
    pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let (source, encrypted, trace) = (self.source, self.encrypted, self.trace.going_on());
        PASSING.sync_scope(Passing { source, encrypted, trace, ..Passing::default() }, work)
    }
}

/// A record with what is known of the present request and of whoever makes it, where the record
/// does not say so itself.
pub(crate) fn signed(record: Record) -> Record {
    let sign = |passing: &Passing| {
        let source = record.source.or(passing.source);
        passing.trace.signed(Record { source, ..record.clone() })
    };
    PASSING.try_with(sign).unwrap_or(record)
}

/// Remembers who makes the present request.
pub(crate) fn made_by(caller: &Caller) {
    let _ = PASSING.try_with(|passing| passing.trace.by(caller));
}

/// What was recorded when whoever makes the present request was let in.
pub(crate) fn let_in() -> Option<Record> {
    PASSING.try_with(|passing| passing.trace.let_in()).ok().flatten()
}

/// Names a thing as a record may: by an id that we made or know, else by its hash, for what is
/// typed as an id may be a name.
pub(crate) fn recorded(id: &str, known: bool) -> String {
    if known || is_made(id) {
        return id.to_owned();
    }
    PatientId::from_identifier("unknown", id).to_string()
}

/// Whether we made an id: a letter and 16 hexadecimal digits.
fn is_made(id: &str) -> bool {
    let mut parts = id.splitn(2, '-');
    let letter = parts.next().is_some_and(|letter| letter.len() == 1);
    letter && parts.next().is_some_and(|rest| {
        rest.len() == 16 && rest.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Says that data of these patients are in the answer of the present request: the record of that
/// is written before the answer leaves.
pub fn shown<'a>(patients: impl IntoIterator<Item = &'a PatientId>) {
    let _ = PASSING.try_with(|passing| {
        patients.into_iter().for_each(|patient| passing.trace.shown(patient));
    });
}

/// Whether the present request comes over an encrypted connection, where that is known.
pub(crate) fn encrypted() -> Option<bool> {
    PASSING.try_with(|passing| passing.encrypted).ok().flatten()
}

/// The address that the present request comes from.
pub(crate) fn source() -> Option<IpAddr> {
    PASSING.try_with(|passing| passing.source).ok().flatten()
}

/// The same text, as a constant: audit notes hold no text that a request made.
fn route_name(template: &str) -> Option<&'static str> {
    ROUTES.iter().map(|(_, path, _)| *path).find(|path| *path == template)
}
