//! Commands of people as operations of a device: the consumer as a [`command::Transport`].
//!
//! A command's name is the handle of the operation, its parameters are the operation's value or arguments. It
//! is called once, as [`super::operate`] checks it; what the device says of the call (OperationInvoked) becomes
//! `accepted`, `done` or `failed` in the device's name. Once it says that it did it, the target is asked for its
//! value: that, and not our own wish, is what is read back. Where a connection is lost in between, nothing is said,
//! and the command becomes unknown by itself.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use command::{Handed, Handing, Transport};
use journal::{Appender, Draft, Lane};
use parking_lot::Mutex;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::time::Instant;
use vitals::{Action, Actor, CommandOrder, CommandParameter, CommandStep, CommandValue, DeviceId, Event, Role, Unit};
use wire_dpws::safety::SafetyReq;
use wire_sdc::message::{Answer, Answered, Request, SetRequest, Setting};
use wire_sdc::words::InvocationState;
use wire_sdc::{DescriptorKind, InvocationInfo, Invoked, Mdib, State};

use super::line::{Line, LineError, PATIENCE, understand, written};
use super::operate::{SafetyContext, Seen, check, value_in};
use super::session::Services;

/// Commands that may wait for one device's task.
const WAITING: usize = 8;
/// Words on calls that are kept for those who wait for theirs.
const INVOKED: usize = 256;
/// MDC_DIM_DIMLESS: the unit of numbers without one.
const NO_UNIT: u32 = 262_656;

/// The way of commands to SDC devices. Cheap to clone.
#[derive(Clone, Default)]
pub struct Commands {
    desks: Arc<Mutex<HashMap<DeviceId, mpsc::Sender<Asked>>>>,
}

/// A command on its way to the device's task.
pub(super) struct Asked {
    order: CommandOrder,
    /// From here on it is not called any more.
    until: Instant,
    handed: oneshot::Sender<Handed>,
}

impl Asked {
    /// The handle of the operation that is meant.
    pub(super) fn operation(&self) -> &str {
        &self.order.name
    }
}

impl Transport for Commands {
    fn name(&self) -> &'static str {
        "sdc"
    }

    fn reaches(&self, device: &DeviceId) -> bool {
        self.desks.lock().contains_key(device)
    }

    fn send<'a>(&'a self, order: &'a CommandOrder, left_ms: i64) -> Handing<'a> {
        Box::pin(async move {
            let desk = self.desks.lock().get(&order.device).cloned();
            let (handed, told) = oneshot::channel();
            let until = Instant::now() + Duration::from_millis(u64::try_from(left_ms).unwrap_or(0));
            let asked = Asked { order: order.clone(), until, handed };
            let taken = desk.is_some_and(|desk| desk.try_send(asked).is_ok());
            if !taken {
                return Handed::Kept("the device's connection ended in the moment of sending".to_owned());
            }
            // A task that ended without a word may have sent it.
            told.await.unwrap_or(Handed::Away)
        })
    }
}

/// Where a connected device takes commands; closed when this goes.
pub(super) struct Desk {
    commands: Commands,
    devices: Vec<DeviceId>,
    waiting: mpsc::Receiver<Asked>,
    invoked: broadcast::Sender<Invoked>,
}

impl Drop for Desk {
    fn drop(&mut self) {
        let mut desks = self.commands.desks.lock();
        for device in &self.devices {
            desks.remove(device);
        }
    }
}

impl Desk {
    /// Opens for these devices.
    pub(super) fn open(commands: &Commands, devices: &[DeviceId]) -> Self {
        let (sender, waiting) = mpsc::channel(WAITING);
        let mut desks = commands.desks.lock();
        for device in devices {
            desks.insert(device.clone(), sender.clone());
        }
        Self { commands: commands.clone(), devices: devices.to_vec(), waiting, invoked: broadcast::Sender::new(INVOKED) }
    }

    /// The next command.
    pub(super) async fn next(&mut self) -> Option<Asked> {
        self.waiting.recv().await
    }

    /// The device said how far calls are.
    pub(super) fn heard(&self, invoked: &[Invoked]) {
        for one in invoked {
            // Nobody waits for calls of others.
            let _ = self.invoked.send(one.clone());
        }
    }

    /// Begins a call: checked against the MDIB of the moment, sent and followed by a task of its own.
    pub(super) fn begin(&self, asked: Asked, mdib: &Mdib, device: &DeviceId, services: &Services, tools: (&Line, &Appender)) {
        let Asked { order, until, handed } = asked;
        let call = match prepare(mdib, &order, device, services) {
            Ok(call) => call,
            Err(why) => {
                let _ = handed.send(Handed::Kept(why));
                return;
            }
        };
        let (line, appender) = (tools.0.clone(), tools.1.clone());
        let caller = Caller { order, until, line, appender, invoked: self.invoked.subscribe(), get: services.get.clone() };
        tokio::spawn(caller.carry(call, handed));
    }
}

/// A call that may be made.
#[derive(Debug)]
struct Call {
    address: String,
    text: String,
    operation: String,
    target: String,
}

/// Checks a command against the device as it is now; `device` is the one that the operation belongs to.
fn prepare(mdib: &Mdib, order: &CommandOrder, device: &DeviceId, services: &Services) -> Result<Call, String> {
    if *device != order.device {
        return Err("the operation belongs to another part of the device".to_owned());
    }
    let address = services.set.clone().ok_or("the device has no set service")?;
    let (request, target) = request_of(mdib, order)?;
    let safety = SafetyContext { sequence: mdib.version.sequence.clone(), seen: None };
    check(mdib, &request, &safety).map_err(|error| error.to_string())?;
    let extensions = mdib.descriptor(&request.operation).map_or(&[][..], |descriptor| &descriptor.extension.0);
    let required = SafetyReq::among(extensions).map_err(|error| error.to_string())?;
    let operation = request.operation.clone();
    let request = Request::Set(request);
    let shown = required.map(|required| required.meet(&request.write(), &mdib.write()));
    let shown = shown.transpose().map_err(|error| error.to_string())?;
    let text = written(&address, &request, shown.iter().map(wire_dpws::safety::SafetyInfo::write).collect());
    Ok(Call { address, text, operation, target })
}

/// The call of an operation that a command means, and the handle of what it changes.
fn request_of(mdib: &Mdib, order: &CommandOrder) -> Result<(SetRequest, String), String> {
    let descriptor = mdib.descriptor(&order.name).ok_or("the device has no operation of this name")?;
    let target = descriptor.operation().ok_or("the device has no operation of this name")?.target.clone();
    let what = match (&descriptor.kind, order.parameters.as_slice()) {
        (DescriptorKind::SetValueOperation(_), [CommandParameter { value: CommandValue::Number(value), unit, .. }]) => {
            same_unit(mdib, &target, unit)?;
            Setting::Value(*value)
        }
        (DescriptorKind::SetStringOperation(_), [CommandParameter { value: CommandValue::Choice(text), .. }]) => {
            Setting::Text(text.clone())
        }
        (DescriptorKind::ActivateOperation(described), parameters) if described.arguments.len() == parameters.len() => {
            let given = described.arguments.iter().zip(parameters);
            let given = given.map(|(argument, parameter)| argument_of(&argument.type_name, &parameter.value));
            Setting::Activate(given.collect::<Option<_>>().ok_or("an argument is of another type than the operation takes")?)
        }
        _ => return Err("the operation takes other parameters than the command has, or is of a kind that commands can't call".to_owned()),
    };
    Ok((SetRequest { operation: order.name.clone(), what }, target))
}

/// A number is set in the unit that the person saw, never in another.
fn same_unit(mdib: &Mdib, target: &str, unit: &str) -> Result<(), String> {
    let device = mdib.descriptor(target).and_then(|d| d.metric()).and_then(|metric| metric.unit.mdc_code());
    let ours = Unit::from_ucum(if unit.is_empty() { "1" } else { unit });
    let same = match device {
        Some(NO_UNIT) => unit.is_empty() || unit == "1",
        Some(code) => ours.is_some() && Unit::from_mdc(code) == ours,
        None => false,
    };
    if same { Ok(()) } else { Err("the device's unit is not that of the command".to_owned()) }
}

/// An argument as XML Schema writes its type.
fn argument_of(type_name: &str, value: &CommandValue) -> Option<String> {
    match (type_name, value) {
        ("boolean", CommandValue::Flag(flag)) => Some(flag.to_string()),
        ("decimal" | "double" | "float", CommandValue::Number(number)) if number.is_finite() => Some(number.to_string()),
        ("integer" | "int" | "long" | "short", CommandValue::Number(number)) if number.fract() == 0.0 => Some(number.to_string()),
        ("string" | "anyURI" | "token" | "normalizedString", CommandValue::Choice(text)) => Some(text.clone()),
        _ => None,
    }
}

/// Carries one call out.
struct Caller {
    order: CommandOrder,
    until: Instant,
    line: Line,
    appender: Appender,
    invoked: broadcast::Receiver<Invoked>,
    get: String,
}

impl Caller {
    async fn carry(self, mut call: Call, handed: oneshot::Sender<Handed>) {
        let patience = PATIENCE.min(self.until.saturating_duration_since(Instant::now()));
        let open = match tokio::time::timeout(patience, self.line.open(&call.address)).await {
            Ok(Ok(open)) if Instant::now() < self.until => open,
            Ok(Ok(_)) => {
                let _ = handed.send(Handed::Kept("its time ran out before it could be called".to_owned()));
                return;
            }
            // Nothing but a handshake was sent.
            failed => {
                let why = failed.map_or(LineError::Late, |failed| failed.err().unwrap_or(LineError::Address));
                let _ = handed.send(Handed::Kept(why.to_string()));
                return;
            }
        };
        if handed.send(Handed::Away).is_err() {
            return;
        }
        let until = Instant::now() + Duration::from_micros(u64::try_from(self.order.answer_us).unwrap_or(0));
        let answered = tokio::time::timeout(PATIENCE, open.exchange(std::mem::take(&mut call.text))).await;
        let answer = match answered {
            Ok(Ok((status, bytes))) => understand(status, bytes),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(LineError::Late),
        };
        let info = match answer {
            Ok((envelope, _)) => match envelope.body.as_ref().map(Answer::read) {
                Some(Ok((Answer { what: Answered::Set(_, info), .. }, _))) => info,
                _ => return self.lost("no answer to an operation"),
            },
            Err(LineError::Fault(code)) => {
                return self.say(CommandStep::Failed { reason: format!("the device answered with a fault: {code}") }).await;
            }
            Err(error) => return self.lost(&error.to_string()),
        };
        self.follow(&call, info, until).await;
    }

    /// From the answer to the last word on the call.
    async fn follow(mut self, call: &Call, mut info: InvocationInfo, until: Instant) {
        let transaction = info.transaction;
        let mut accepted = false;
        loop {
            match info.state {
                InvocationState::Waiting | InvocationState::Started if !accepted => {
                    accepted = true;
                    self.say(CommandStep::Accepted).await;
                }
                InvocationState::Waiting | InvocationState::Started => {}
                InvocationState::Finished | InvocationState::FinishedModified => {
                    let read_back = self.read_back(call).await;
                    return self.say(CommandStep::Done { read_back }).await;
                }
                InvocationState::Failed | InvocationState::Cancelled | InvocationState::CancelledManually => {
                    return self.say(CommandStep::Failed { reason: reason(&info) }).await;
                }
            }
            info = loop {
                match tokio::time::timeout_at(until, self.invoked.recv()).await {
                    Ok(Ok(one)) if one.info.transaction == transaction && one.operation == call.operation => break one.info,
                    Ok(Ok(_) | Err(broadcast::error::RecvError::Lagged(_))) => {}
                    Ok(Err(broadcast::error::RecvError::Closed)) => return self.lost("the device was lost"),
                    Err(_) => return self.lost("no last word in time"),
                }
            };
        }
    }

    /// What the target has now, where that is what the one parameter of the command sets.
    async fn read_back(&self, call: &Call) -> Vec<(String, CommandValue)> {
        let [parameter] = self.order.parameters.as_slice() else { return Vec::new() };
        let request = Request::GetMdState(vec![call.target.clone()]);
        let states = match self.line.request(&self.get, &request).await {
            Ok((envelope, _)) => match envelope.body.as_ref().map(Answer::read) {
                Some(Ok((Answer { what: Answered::States(states), .. }, _))) => states,
                _ => Vec::new(),
            },
            Err(error) => {
                tracing::warn!(command = %self.order.id, "SDC: nothing is read back: {error}");
                Vec::new()
            }
        };
        let state = states.iter().find(|state: &&State| state.handle() == call.target);
        let value = state.and_then(value_in).and_then(|seen| match (&parameter.value, seen) {
            (CommandValue::Number(_), Seen::Number(number)) => Some(CommandValue::Number(number)),
            (CommandValue::Choice(_), Seen::Text(text)) => Some(CommandValue::Choice(text)),
            _ => None,
        });
        value.map(|value| (parameter.name.clone(), value)).into_iter().collect()
    }

    fn lost(&self, why: &str) {
        tracing::warn!(command = %self.order.id, device = %self.order.device, "SDC: what became of a command is not known: {why}");
    }

    async fn say(&self, step: CommandStep) {
        let actor = Actor { name: self.order.device.to_string(), role: Role::Service };
        let action = Action::CommandStep { command: self.order.id.clone(), device: self.order.device.clone(), step };
        let draft = Draft { event: Event::Action(actor, action), dedup: None, lane: Lane::Urgent };
        if !matches!(self.appender.append(draft).await, Ok(journal::Outcome::Committed(_) | journal::Outcome::Duplicate(_))) {
            tracing::error!(command = %self.order.id, "SDC: a device's word on a command could not be kept");
        }
    }
}

/// Why a call came to nothing, in the device's words.
fn reason(info: &InvocationInfo) -> String {
    let said = wire_sdc::basic::LocalizedText::pick(&info.messages, "en").filter(|said| !said.is_empty());
    let state = match info.state {
        InvocationState::Cancelled | InvocationState::CancelledManually => "cancelled",
        _ => "failed",
    };
    let error = info.error.map_or("", wire_sdc::words::InvocationError::name);
    said.map_or_else(|| format!("{state} {error}").trim_end().to_owned(), |said| said.chars().take(200).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use vitals::{CommandClass, CommandId, PatientId, ReadBack, ReceiveTime};

    const MDIB: &str = r#"<m:Mdib xmlns:m="MSG" xmlns:p="PM" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
        xmlns:e="EXT" xmlns:mdpws="MDPWS" SequenceId="urn:uuid:1" MdibVersion="4"><p:MdDescription><p:Mds Handle="mds"><p:Sco Handle="sco">
        <p:Operation xsi:type="p:SetValueOperationDescriptor" Handle="rate" OperationTarget="m"/>
        <p:Operation xsi:type="p:SetValueOperationDescriptor" Handle="safe" OperationTarget="m"><e:Extension><mdpws:SafetyReq>
          <mdpws:DualChannelDef><mdpws:Selector Id="d">/m:SetValue/m:RequestedNumericValue/text()</mdpws:Selector></mdpws:DualChannelDef>
          <mdpws:SafetyContextDef><mdpws:Selector Id="c">/m:Mdib/p:MdState/p:State[@DescriptorHandle="m"]/p:MetricValue/@Value</mdpws:Selector>
          </mdpws:SafetyContextDef></mdpws:SafetyReq></e:Extension></p:Operation>
        <p:Operation xsi:type="p:SetValueOperationDescriptor" Handle="strange" OperationTarget="m"><e:Extension><mdpws:SafetyReq>
          <mdpws:DualChannelDef Algorithm="mdpws:other"/></mdpws:SafetyReq></e:Extension></p:Operation>
        <p:Operation xsi:type="p:ActivateOperationDescriptor" Handle="do" OperationTarget="mds">
          <p:Argument><p:ArgName Code="1"/><p:Arg xmlns:x="http://www.w3.org/2001/XMLSchema">x:int</p:Arg></p:Argument></p:Operation>
        </p:Sco><p:Vmd Handle="vmd"><p:Channel Handle="ch"><p:Metric xsi:type="p:NumericMetricDescriptor" Handle="m" Resolution="1"
          MetricCategory="Set" MetricAvailability="Intr"><p:Unit Code="264864"/></p:Metric></p:Channel></p:Vmd></p:Mds></p:MdDescription>
        <p:MdState><p:State xsi:type="p:SetValueOperationState" DescriptorHandle="rate" OperatingMode="En"><p:AllowedRange Lower="0" Upper="10"/></p:State>
        <p:State xsi:type="p:SetValueOperationState" DescriptorHandle="safe" OperatingMode="En"/>
        <p:State xsi:type="p:SetValueOperationState" DescriptorHandle="strange" OperatingMode="En"/>
        <p:State xsi:type="p:ActivateOperationState" DescriptorHandle="do" OperatingMode="En"/>
        <p:State xsi:type="p:NumericMetricState" DescriptorHandle="m"><p:MetricValue Value="4"><p:MetricQuality Validity="Vld"/></p:MetricValue></p:State>
        </p:MdState></m:Mdib>"#;

    fn mdib() -> Mdib {
        let text = MDIB.replace("MSG", wire_sdc::MSG).replace("\"PM\"", &format!("\"{}\"", wire_sdc::PM));
        let text = text.replace("\"EXT\"", &format!("\"{}\"", wire_sdc::EXT)).replace("\"MDPWS\"", &format!("\"{}\"", wire_dpws::names::MDPWS));
        let tree = markup::read(text.as_bytes(), &markup::Limits::default()).expect("XML");
        let (mdib, faults) = Mdib::read(&tree).expect("an MDIB");
        assert_eq!(faults, []);
        mdib
    }

    fn order(name: &str, value: CommandValue, unit: &str) -> CommandOrder {
        CommandOrder {
            id: CommandId::new("c-1").expect("an id"),
            device: DeviceId::sanitised("m1"),
            patient: PatientId::new("p-1").expect("an id"),
            name: name.to_owned(),
            class: CommandClass::Settings,
            parameters: vec![CommandParameter { name: "value".to_owned(), value, unit: unit.to_owned() }],
            two_person: false,
            expires: ReceiveTime(0),
            answer_us: 1_000_000,
            read_back: ReadBack::Answer,
        }
    }

    #[test]
    fn a_command_is_the_call_that_it_says_or_none() {
        let services = Services { set: Some("https://h/set".to_owned()), ..Services::default() };
        let number = CommandValue::Number;
        for (order, expected) in [
            (order("rate", number(5.0), "/min"), Ok("<msg:RequestedNumericValue>5</msg:RequestedNumericValue>")),
            (order("do", number(3.0), ""), Ok("<msg:ArgValue>3</msg:ArgValue>")),
            (order("do", number(3.5), ""), Err("another type")),
            (order("do", CommandValue::Flag(true), ""), Err("another type")),
            (order("rate", number(11.0), "/min"), Err("none that the operation takes")),
            (order("rate", number(5.0), "mL/h"), Err("unit")),
            (order("rate", number(5.0), ""), Err("unit")),
            (order("rate", CommandValue::Choice("5".to_owned()), ""), Err("other parameters")),
            (order("m", number(5.0), "/min"), Err("no operation")),
            (order("nothing", number(5.0), "/min"), Err("no operation")),
            (order("safe", number(5.0), "/min"), Ok("<mdpws:CtxtValue ReferencedSelector=\"c\">4</mdpws:CtxtValue>")),
            // printf %s 5 | openssl sha1 -binary | base64
            (order("safe", number(5.0), "/min"), Ok("<mdpws:DcValue ReferencedSelector=\"d\">rDR41po8gfpi5g9cNpYWWk5easQ=</mdpws:DcValue>")),
            (order("strange", number(5.0), "/min"), Err("digest")),
        ] {
            match (prepare(&mdib(), &order, &order.device, &services), expected) {
                (Ok(call), Ok(part)) => assert!(call.text.contains(part), "{part}: {}", call.text),
                (Err(why), Err(part)) => assert!(why.contains(part), "{why}"),
                (got, expected) => panic!("{order:?}: {got:?}, not {expected:?}"),
            }
        }
        let (other, here) = (DeviceId::sanitised("m2"), order("rate", number(5.0), "/min"));
        assert!(prepare(&mdib(), &here, &other, &services).is_err(), "an operation of another device");
        assert!(prepare(&mdib(), &here, &here.device, &Services::default()).is_err(), "no set service");
    }
}
