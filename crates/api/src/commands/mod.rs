//! `/api/v1/devices/{id}/commands`: what may be asked of a device, and what became of it. Here it is
//! checked who asks and whether it is this patient; what follows is the engine's.

mod dto;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use command::Command;
use fleet::association::Said;
use guard::{Deed, Outcome, Permission, Record};
use sha2::Digest;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use vitals::{
    Action, Actor, CommandClass, CommandId, CommandOrder, CommandStep, DeviceId, PatientId,
};

use crate::access::{let_in, signed};
use crate::dto::ErrorBody;
use crate::error::ApiError;
use crate::extract::{Json, Path};
use crate::state::Api;
use crate::viewer::{Viewer, survivor};

/// Commands of a device that are shown, newest first.
const SHOWN_MAX: usize = 50;
/// Longest idempotency key and reason, characters.
const TEXT_MAX: usize = 200;
/// Commands that one device may have open at a time.
const OPEN_MAX: usize = 8;

/// Every route of this part.
pub(crate) fn routes() -> OpenApiRouter<Api> {
    OpenApiRouter::new()
        .routes(routes!(get_commands, post_command))
        .routes(routes!(get_command))
        .routes(routes!(confirm))
        .routes(routes!(cancel))
}

/// The right that commands of a class need.
const fn right(class: CommandClass) -> Permission {
    match class {
        CommandClass::Locate | CommandClass::Measure => Permission::CommandDevices,
        CommandClass::Settings => Permission::CommandSettings,
        CommandClass::Therapy => Permission::CommandTherapy,
    }
}

/// Whether somebody must prove that they look at this patient before a command of a class.
const fn needs_identifiers(class: CommandClass) -> bool {
    matches!(class, CommandClass::Settings | CommandClass::Therapy)
}

fn device_id(text: &str) -> Result<DeviceId, ApiError> {
    DeviceId::new(text).map_err(|error| ApiError::bad(error.to_string()))
}

/// What a device takes, and what was asked of it.
#[utoipa::path(get, path = "/api/v1/devices/{id}/commands", tag = "devices",
    params(("id" = String, Path, description = "Device id")),
    responses((status = 200, body = dto::DeviceCommands), (status = 404, body = ErrorBody)))]
pub(crate) async fn get_commands(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<dto::DeviceCommands>, ApiError> {
    let (device, viewer) = (device_id(&id)?, api.viewer(&headers)?);
    let route = "/api/v1/devices/{id}/commands";
    api.enter_device(&headers, Permission::SeeDevices, route, &device, None).await?;
    let line = api.live.device(&device).ok_or(ApiError::NotFound("device"))?;
    let catalogue = api.commands.now();
    let offers = catalogue.of(&line.device).into_iter();
    let offers = offers.map(|offered| dto::offer(offered, viewer.at_all(right(offered.class)))).collect();
    let mut commands: Vec<_> = api.live.commands().into_iter().filter(|c| c.order.device == device).collect();
    commands.retain(|command| viewer.may_see(&command.order.patient));
    commands.sort_by_key(|command| std::cmp::Reverse(command.history.first().map(|line| line.at)));
    commands.truncate(SHOWN_MAX);
    let commands = commands.iter().map(|command| shown(&viewer, command)).collect();
    Ok(Json(dto::DeviceCommands { offers, commands, now_ms: api.now().millis() }))
}

/// A command as whoever looks may act on it.
fn shown(viewer: &Viewer, command: &Command) -> dto::CommandView {
    let own = viewer.caller().account.name == command.by;
    let may = viewer.at_all(right(command.order.class));
    dto::command(command, may, own)
}

/// One command, with what became of it.
#[utoipa::path(get, path = "/api/v1/commands/{id}", tag = "devices",
    params(("id" = String, Path, description = "Command id")),
    responses((status = 200, body = dto::CommandView), (status = 404, body = ErrorBody)))]
pub(crate) async fn get_command(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<dto::CommandView>, ApiError> {
    let viewer = api.viewer(&headers)?;
    let found = CommandId::new(&id).ok().and_then(|id| api.live.command(&id));
    let route = "/api/v1/commands/{id}";
    let Some(command) = found else {
        api.enter(&headers, Permission::SeeDevices, route, None).await?;
        return Err(ApiError::NotFound("command"));
    };
    api.enter_device(&headers, Permission::SeeDevices, route, &command.order.device, None).await?;
    if !viewer.may_see(&command.order.patient) {
        return Err(ApiError::NotFound("command"));
    }
    Ok(Json(shown(&viewer, &command)))
}

/// Asks a device to do something. The same request under the same key is the same command: it is
/// never done twice.
#[utoipa::path(post, path = "/api/v1/devices/{id}/commands", tag = "devices",
    params(("id" = String, Path, description = "Device id")), request_body = dto::CommandRequest,
    responses((status = 201, body = dto::CommandView), (status = 200, body = dto::CommandView),
        (status = 400, body = ErrorBody), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn post_command(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(wanted): Json<dto::CommandRequest>,
) -> Result<(StatusCode, Json<dto::CommandView>), ApiError> {
    let (device, viewer) = (device_id(&id)?, api.viewer(&headers)?);
    let patient = PatientId::new(&wanted.patient).map_err(|error| ApiError::bad(error.to_string()))?;
    let line = api.live.device(&device);
    let catalogue = api.commands.now();
    let offers = line.as_ref().map(|line| catalogue.of(&line.device)).unwrap_or_default();
    let offered = offers.into_iter().find(|offered| offered.offer.name == wanted.command);
    let permission = offered.map_or(Permission::CommandDevices, |offered| right(offered.class));
    let route = "/api/v1/devices/{id}/commands";
    let actor = match api.enter_device(&headers, permission, route, &device, Some(&patient)).await {
        // The device may be on somebody else by now, whom the caller may not see: a refusal all the same.
        Err(error) => return Err(error),
        Ok(actor) => actor,
    };
    let offered = offered.ok_or(ApiError::NotFound("command of this device"))?;
    let offer = offered.offer;
    if wanted.key.is_empty() || wanted.key.chars().count() > TEXT_MAX {
        return Err(ApiError::bad("key: 1 to 200 characters, a new one for each new wish"));
    }
    let said = wanted.parameters.iter().map(|(name, value)| Some((name.clone(), dto::value(value)?)));
    let said = said.collect::<Option<_>>().ok_or_else(|| ApiError::bad("a parameter is a number, a text, true or false"))?;
    let parameters = offer.parameters(&said).map_err(|fault| ApiError::bad(fault.to_string()))?;
    if needs_identifiers(offered.class) {
        identified(&api, &actor, &patient, wanted.identifiers.as_ref()).await?;
    }
    let expires_s = wanted.expires_s.unwrap_or(offer.expires_s).clamp(1, offer.expires_s);
    let order = CommandOrder {
        id: name_of(&actor, &device, &wanted.key),
        device,
        patient,
        name: offer.name.clone(),
        class: offered.class,
        parameters,
        two_person: offer.two_person,
        expires: api.now().plus(i64::from(expires_s) * vitals::time::SECOND),
        answer_us: i64::from(offer.answer_s) * vitals::time::SECOND,
        read_back: offer.read_back(),
    };
    if let Some(known) = api.live.command(&order.id) {
        return again(&viewer, &known, &order);
    }
    request(&api, &viewer, actor, order).await
}

/// Puts a new command into the journal, if there is room for it.
async fn request(
    api: &Api,
    viewer: &Viewer,
    actor: Actor,
    order: CommandOrder,
) -> Result<(StatusCode, Json<dto::CommandView>), ApiError> {
    let all = api.live.commands();
    let open = all.iter().filter(|command| !command.state.is_settled());
    let (of_device, of_all) = open.fold((0, 0), |(device, all), command| {
        (device + usize::from(command.order.device == order.device), all + 1)
    });
    if of_device >= OPEN_MAX || of_all >= engine::COMMANDS_MAX {
        return Err(ApiError::Conflict("too many commands are open: wait for those or cancel them".to_owned()));
    }
    let id = order.id.clone();
    let (device, patient) = (order.device.clone(), order.patient.clone());
    api.act(actor, Action::Command(Box::new(order))).await?;
    let command = api.live.command(&id).filter(|c| c.order.device == device && c.order.patient == patient);
    let command = command.ok_or_else(|| ApiError::unavailable("a command was not taken in yet"))?;
    Ok((StatusCode::CREATED, Json(shown(viewer, &command))))
}

/// The answer to a request that was made before.
fn again(
    viewer: &Viewer,
    known: &Command,
    order: &CommandOrder,
) -> Result<(StatusCode, Json<dto::CommandView>), ApiError> {
    let old = &known.order;
    let same = (&old.device, &old.patient, &old.name) == (&order.device, &order.patient, &order.name)
        && old.parameters == order.parameters;
    if !same {
        return Err(ApiError::Conflict("this key was used for another command: use a new one".to_owned()));
    }
    Ok((StatusCode::OK, Json(shown(viewer, known))))
}

/// A command's id: the same for the same account, device and key.
fn name_of(actor: &Actor, device: &DeviceId, key: &str) -> CommandId {
    let hash = sha2::Sha256::digest(format!("{}\u{1f}{device}\u{1f}{key}", actor.name));
    let hex: String = hash.iter().take(12).map(|byte| format!("{byte:02x}")).collect();
    CommandId::sanitised(&format!("c-{hex}"))
}

/// Whether what was said of the patient agrees with the record; if not, that is recorded.
async fn identified(
    api: &Api,
    actor: &Actor,
    patient: &PatientId,
    said: Option<&dto::Identifiers>,
) -> Result<(), ApiError> {
    let said = said.map(dto::Identifiers::said).unwrap_or_default();
    let seen = survivor(&api.live, patient).ok_or(ApiError::NotFound("patient"))?;
    let agreement = Said::against(&said, &seen.patient);
    if agreement.holds() {
        return Ok(());
    }
    let entered = let_in().unwrap_or_else(|| Record::new(api.now(), &actor.name, "command-device"));
    api.keep(signed(Record {
        action: Deed::Named("identify-patient-for-command"),
        outcome: Outcome::Denied,
        subject: Some(patient.clone()),
        detail: format!("agree: {}; contradict: {}", agreement.agree.join(", "), agreement.disagree.join(", ")),
        ..entered
    }))
    .await?;
    Err(ApiError::Conflict(agreement.why()))
}

/// The second person agrees.
#[utoipa::path(post, path = "/api/v1/commands/{id}/confirm", tag = "devices",
    params(("id" = String, Path, description = "Command id")), request_body = dto::ConfirmRequest,
    responses((status = 200, body = dto::CommandView), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn confirm(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(wanted): Json<dto::ConfirmRequest>,
) -> Result<Json<dto::CommandView>, ApiError> {
    let (actor, command) = enter(&api, &headers, "/api/v1/commands/{id}/confirm", &id).await?;
    if actor.name == command.by {
        refused_deed(&api, &actor, &command, "confirm-command", "the same account asked").await?;
        return Err(ApiError::Conflict("a second person must agree: another account than the one that asked".to_owned()));
    }
    if needs_identifiers(command.order.class) {
        identified(&api, &actor, &command.order.patient, wanted.identifiers.as_ref()).await?;
    }
    step(&api, &headers, actor, &command, CommandStep::Confirm, command::State::Awaiting).await
}

/// Takes a command back that was not sent yet.
#[utoipa::path(post, path = "/api/v1/commands/{id}/cancel", tag = "devices",
    params(("id" = String, Path, description = "Command id")), request_body = dto::CancelRequest,
    responses((status = 200, body = dto::CommandView), (status = 404, body = ErrorBody), (status = 409, body = ErrorBody)))]
pub(crate) async fn cancel(
    State(api): State<Api>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Json(wanted): Json<dto::CancelRequest>,
) -> Result<Json<dto::CommandView>, ApiError> {
    let (actor, command) = enter(&api, &headers, "/api/v1/commands/{id}/cancel", &id).await?;
    let reason: String = wanted.reason.chars().take(TEXT_MAX).collect();
    step(&api, &headers, actor, &command, CommandStep::Cancel { reason }, command.state).await
}

/// Lets somebody in to a command, by the right of its class.
async fn enter(
    api: &Api,
    headers: &HeaderMap,
    route: &'static str,
    id: &str,
) -> Result<(Actor, std::sync::Arc<Command>), ApiError> {
    let found = CommandId::new(id).ok().and_then(|id| api.live.command(&id));
    let Some(command) = found else {
        api.enter(headers, Permission::CommandDevices, route, None).await?;
        return Err(ApiError::NotFound("command"));
    };
    let order = &command.order;
    let actor = api.enter_device(headers, right(order.class), route, &order.device, Some(&order.patient)).await?;
    Ok((actor, command))
}

async fn refused_deed(
    api: &Api,
    actor: &Actor,
    command: &Command,
    deed: &'static str,
    why: &str,
) -> Result<(), ApiError> {
    let entered = let_in().unwrap_or_else(|| Record::new(api.now(), &actor.name, deed));
    api.keep(signed(Record {
        action: Deed::Named(deed),
        outcome: Outcome::Denied,
        object: format!("{} of {}", command.order.id, command.order.device),
        detail: why.to_owned(),
        ..entered
    }))
    .await
}

/// Puts a step into the journal and says what became of it; one that moved nothing is a conflict.
async fn step(
    api: &Api,
    headers: &HeaderMap,
    actor: Actor,
    command: &Command,
    step: CommandStep,
    from: command::State,
) -> Result<Json<dto::CommandView>, ApiError> {
    let order = &command.order;
    let waiting = command.state.is_waiting() && command.state == from;
    if !waiting {
        let state = command.state.name();
        return Err(ApiError::Conflict(format!("it is {state}: nothing was changed")));
    }
    let action = Action::CommandStep { command: order.id.clone(), device: order.device.clone(), step };
    api.act(actor, action).await?;
    let now = api.live.command(&order.id).ok_or(ApiError::NotFound("command"))?;
    Ok(Json(shown(&api.viewer(headers)?, &now)))
}
