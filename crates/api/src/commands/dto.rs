//! The shapes of commands over HTTP.

use std::collections::BTreeMap;

use command::{Command, Kind, Offered};
use fleet::association::Said;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use vitals::{CommandValue, ReadBack};

/// What a device takes, and what was asked of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeviceCommands {
    /// What may be asked, mildest first; empty for a device that takes no commands.
    pub(super) offers: Vec<OfferView>,
    /// What was asked, newest first.
    pub(super) commands: Vec<CommandView>,
    /// Our clock when this was made.
    pub(super) now_ms: i64,
}

/// One command that a device takes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OfferView {
    /// Name, as in a request.
    name: String,
    /// What people call it.
    title: String,
    /// `locate`, `measure`, `settings`, `therapy`: each a right of its own.
    class: String,
    /// Whether the caller's role has that right at all.
    allowed: bool,
    /// Whether a second person must agree.
    two_person: bool,
    /// Whether two identifiers of the patient must be given.
    identifiers: bool,
    /// Seconds within which it is sent or expires.
    expires_s: u32,
    /// `none`, `answer` or `metric`: what must be heard before it counts as done.
    read_back: String,
    /// What it needs.
    parameters: Vec<ParameterView>,
}

/// One parameter.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ParameterView {
    /// Name, as in a request.
    name: String,
    /// What people call it.
    title: String,
    /// `number`, `choice`, `flag`.
    kind: String,
    /// UCUM unit of a number; empty for all else.
    unit: String,
    /// Smallest number.
    low: Option<f64>,
    /// Largest number.
    high: Option<f64>,
    /// What a choice may be.
    choices: Vec<String>,
}

/// A wish.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandRequest {
    /// Name of the command.
    pub(super) command: String,
    /// The patient whom the device must be on when it is sent.
    pub(super) patient: String,
    /// Chosen by the caller, a new one for each new wish: the same again is the same command.
    pub(super) key: String,
    /// Parameters: numbers in the offer's unit, texts, true or false.
    #[serde(default)]
    pub(super) parameters: BTreeMap<String, serde_json::Value>,
    /// Who the patient is, as read at the bedside; needed for `settings` and `therapy`.
    pub(super) identifiers: Option<Identifiers>,
    /// Seconds within which it is sent or expires; the offer's at most.
    pub(super) expires_s: Option<u32>,
}

/// Who a patient is, as read at the bedside: two must agree with the record, and none contradict.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Identifiers {
    /// Family name.
    family: Option<String>,
    /// ISO date of birth.
    birth_date: Option<String>,
    /// Record number.
    number: Option<String>,
}

impl Identifiers {
    pub(crate) fn said(&self) -> Said {
        Said {
            family: self.family.clone(),
            birth_date: self.birth_date.clone(),
            number: self.number.clone(),
        }
    }
}

/// A second person's agreement.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConfirmRequest {
    /// As in the request, read anew.
    pub(super) identifiers: Option<Identifiers>,
}

/// Taking back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CancelRequest {
    /// Why; may be empty.
    #[serde(default)]
    pub(super) reason: String,
}

/// A command and what became of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CommandView {
    /// Names it.
    id: String,
    /// Device id.
    device: String,
    /// Patient id.
    patient: String,
    /// Name of the command.
    command: String,
    /// `locate`, `measure`, `settings`, `therapy`.
    class: String,
    /// Parameters in order.
    parameters: Vec<ValueView>,
    /// `awaiting` (a second person), `requested`, `sending`, `sent`, `accepted`, `done`, `failed`,
    /// `expired`, `cancelled`, `refused`, or `unknown` (whether it arrived, or was done).
    state: String,
    /// Whether nothing more is to be waited for.
    settled: bool,
    /// Who asked.
    by: String,
    /// Who agreed.
    second: Option<String>,
    /// It is not sent after this.
    expires_ms: i64,
    /// Whether the caller may be the second person.
    may_confirm: bool,
    /// Whether the caller may take it back.
    may_cancel: bool,
    /// What became of it, oldest first.
    history: Vec<LineView>,
}

/// A parameter with its value.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ValueView {
    /// Name.
    name: String,
    /// Value, for people.
    value: String,
    /// UCUM unit; may be empty.
    unit: String,
}

/// One step of a command.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LineView {
    /// What it became.
    state: String,
    /// When.
    at_ms: i64,
    /// By whom; `system` for the platform, the device's id for the device.
    by: String,
    /// More; may be empty.
    detail: String,
}

/// A value as a request gives it.
pub(super) fn value(value: &serde_json::Value) -> Option<CommandValue> {
    match value {
        serde_json::Value::Bool(flag) => Some(CommandValue::Flag(*flag)),
        serde_json::Value::Number(number) => number.as_f64().map(CommandValue::Number),
        serde_json::Value::String(text) => Some(CommandValue::Choice(text.clone())),
        _ => None,
    }
}

pub(super) fn offer(offered: Offered<'_>, allowed: bool) -> OfferView {
    let offer = offered.offer;
    OfferView {
        name: offer.name.clone(),
        title: offer.title.clone(),
        class: offered.class.name().to_owned(),
        allowed,
        two_person: offer.two_person,
        identifiers: super::needs_identifiers(offered.class),
        expires_s: offer.expires_s,
        read_back: match offer.read_back() {
            ReadBack::None => "none",
            ReadBack::Answer => "answer",
            ReadBack::Metric(..) => "metric",
        }
        .to_owned(),
        parameters: offer.parameter.iter().map(parameter).collect(),
    }
}

fn parameter(parameter: &command::Parameter) -> ParameterView {
    let (name, title) = (parameter.name.clone(), parameter.title.clone());
    let plain = |kind: &str| ParameterView {
        name: name.clone(),
        title: title.clone(),
        kind: kind.to_owned(),
        unit: String::new(),
        low: None,
        high: None,
        choices: Vec::new(),
    };
    match &parameter.kind {
        Kind::Number { unit, low, high } => {
            ParameterView { unit: unit.clone(), low: Some(*low), high: Some(*high), ..plain("number") }
        }
        Kind::Choice { choices } => ParameterView { choices: choices.clone(), ..plain("choice") },
        Kind::Flag => plain("flag"),
    }
}

pub(super) fn command(command: &Command, may: bool, own: bool) -> CommandView {
    let order = &command.order;
    let told = |value: &CommandValue| match value {
        CommandValue::Number(number) => number.to_string(),
        CommandValue::Choice(text) => text.clone(),
        CommandValue::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
    };
    let parameters = order.parameters.iter().map(|parameter| ValueView {
        name: parameter.name.clone(),
        value: told(&parameter.value),
        unit: parameter.unit.clone(),
    });
    let history = command.history.iter().map(|line| LineView {
        state: line.state.name().to_owned(),
        at_ms: line.at.millis(),
        by: line.by.clone(),
        detail: line.detail.clone(),
    });
    CommandView {
        id: order.id.to_string(),
        device: order.device.to_string(),
        patient: order.patient.to_string(),
        command: order.name.clone(),
        class: order.class.name().to_owned(),
        parameters: parameters.collect(),
        state: command.state.name().to_owned(),
        settled: command.state.is_settled(),
        by: command.by.clone(),
        second: command.second.clone(),
        expires_ms: order.expires.millis(),
        may_confirm: may && !own && command.state == command::State::Awaiting,
        may_cancel: may && command.state.is_waiting(),
        history: history.collect(),
    }
}
