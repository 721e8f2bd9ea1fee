//! The manager's half of the protocol (IEEE 11073-20601 §8, annex E): a state machine that takes
//! what the device sends and the time, and says what to send and what was learned. One machine a
//! connection; configurations that were learned may be handed to the next. What stores hold comes
//! by [`collect`].

mod collect;

use std::collections::VecDeque;

use jiff::tz::{Offset, TimeZone};
use vitals::{DeviceTime, Measurement};

use crate::apdu::{Apdu, AssociateResult, Association, MDER, Protocol, VERSION_1};
use crate::bytes::PhdError;
use crate::config::Configuration;
use crate::data::{Data, Event, Message};
use crate::mds::Mds;
use crate::measure::{Meaning, measure};
use crate::scan::{CONFIG, observations};
use crate::standard::standard;
use crate::store;
use crate::time::Clock;
use crate::transfer::{Transfer, Wish, wishes};

/// How long a device may take to send its configuration, and to answer, in microseconds
/// (TO_config 10 s, TO_get 3 s, TO_release 3 s).
const CONFIG_TIMEOUT_US: i64 = 10_000_000;
const ANSWER_TIMEOUT_US: i64 = 3_000_000;

/// Where the association stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// No connection.
    Disconnected,
    /// Connected, not associated.
    Unassociated,
    /// Associated; the device's configuration is awaited.
    WaitingForConfig,
    /// Associated and configured.
    Operating,
    /// The end was asked for.
    Disassociating,
}

/// What happens.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// The transport is there.
    Connected,
    /// The transport is gone.
    Disconnected,
    /// An APDU came.
    Apdu(&'a [u8]),
    /// Ask for the device's own attributes.
    AskDevice,
    /// End the association.
    Release,
    /// Time has passed.
    Tick,
}

/// What is to be done, and what was learned.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Send this.
    Send(Vec<u8>),
    /// The device associated: its identifier.
    Associated(Vec<u8>),
    /// Its configuration is known.
    Configured(Configuration),
    /// It observed.
    Observed(Meaning),
    /// Its own attributes, all or those that changed.
    Device(Vec<(u16, Vec<u8>)>),
    /// Its battery, and how far its clock is ahead.
    Condition(Vec<Measurement>),
    /// It was not let in: why.
    Rejected(AssociateResult),
    /// It did not do what it was asked: what.
    Declined(&'static str),
    /// Its clock was set.
    ClockSet,
    /// All of a segment of a store came: the store, the segment.
    Collected(u16, u16),
    /// A segment of a store was cleared: the store, the segment.
    Cleared(u16, u16),
    /// The association has ended: in order or not.
    Ended {
        /// Both sides agreed.
        orderly: bool,
    },
    /// An APDU could not be read.
    Problem(PhdError),
}

/// Reasons of an abort.
const UNDEFINED: u16 = 0;
const RESPONSE_TIMEOUT: u16 = 2;
const CONFIG_TIMEOUT: u16 = 3;

/// What a manager is, and what it may ask of devices.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Its EUI-64.
    pub system_id: [u8; 8],
    /// The zone that devices' dates and times are in.
    pub zone: TimeZone,
    /// Ask each device for its attributes when it is in operation.
    pub ask_device: bool,
    /// Set the clock of a device that asks for it.
    pub set_time: bool,
    /// Take what stores hold.
    pub collect: bool,
    /// Clear a segment of a store when all of it was taken.
    pub clear: bool,
}

/// The manager of one connection.
#[derive(Debug, Clone)]
pub struct Manager {
    settings: Settings,
    clock: Clock,
    time_was_set: bool,
    wishes: VecDeque<Wish>,
    transfer: Option<Transfer>,
    state: State,
    agent: Option<Association>,
    known: Vec<(Vec<u8>, Configuration)>,
    configuration: Option<Configuration>,
    asked: Option<(u16, Wish)>,
    next_invoke: u16,
    deadline: Option<i64>,
}

impl Manager {
    /// Not connected. `system_id` is the manager's EUI-64; the devices' clocks are
    /// `utc_offset_minutes` ahead of UTC. It asks for nothing by itself.
    #[must_use]
    pub fn new(system_id: [u8; 8], utc_offset_minutes: i32) -> Self {
        let offset = Offset::from_seconds(utc_offset_minutes.saturating_mul(60)).unwrap_or(Offset::UTC);
        let zone = TimeZone::fixed(offset);
        Self::with(Settings { system_id, zone, ask_device: false, set_time: false, collect: false, clear: false })
    }

    /// Not connected.
    #[must_use]
    pub fn with(settings: Settings) -> Self {
        Self {
            clock: Clock::new(settings.zone.clone()),
            settings,
            time_was_set: false,
            wishes: VecDeque::new(),
            transfer: None,
            state: State::Disconnected,
            agent: None,
            known: Vec::new(),
            configuration: None,
            asked: None,
            next_invoke: 1,
            deadline: None,
        }
    }

    /// A configuration that the device with this identifier sent before.
    pub fn remember(&mut self, system_id: Vec<u8>, configuration: Configuration) {
        self.known.retain(|(known, other)| *known != system_id || other.id != configuration.id);
        self.known.push((system_id, configuration));
    }

    /// Where the association stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// Takes what happened at `now`, microseconds since 1970 UTC, of a clock that never runs back.
    pub fn step(&mut self, input: Input<'_>, now: i64) -> Vec<Output> {
        let mut outputs = self.happened(input, now);
        outputs.extend(self.ask(now));
        outputs
    }

    /// Asks for the next thing, if nothing is awaited.
    fn ask(&mut self, now: i64) -> Option<Output> {
        if self.state != State::Operating || self.asked.is_some() || self.transfer.is_some() {
            return None;
        }
        let wish = self.wishes.pop_front()?;
        let invoke = self.next_invoke;
        self.next_invoke = invoke.wrapping_add(1);
        let clock = &self.clock;
        let time = |based: bool| if based { clock.set_base_offset(now) } else { clock.set_absolute(now) };
        let message = wish.message(&time);
        if let Wish::Transfer(object, segment) = &wish {
            let (object, segment) = (*object, segment.clone());
            self.transfer = Some(Transfer { object, segment, next: 0 });
        }
        self.asked = Some((invoke, wish));
        self.deadline = Some(now.saturating_add(ANSWER_TIMEOUT_US));
        Some(send(&Apdu::Data(Data { invoke, message })))
    }

    fn happened(&mut self, input: Input<'_>, now: i64) -> Vec<Output> {
        match input {
            Input::Connected => {
                self.reset(State::Unassociated);
                Vec::new()
            }
            Input::Disconnected => {
                let open = !matches!(self.state, State::Disconnected | State::Unassociated);
                self.reset(State::Disconnected);
                if open { vec![Output::Ended { orderly: false }] } else { Vec::new() }
            }
            Input::Apdu(_) if self.state == State::Disconnected => Vec::new(),
            Input::Apdu(bytes) => match Apdu::decode(bytes) {
                Ok(apdu) => self.take(apdu, now),
                Err(error) => {
                    let mut outputs = self.abort(UNDEFINED);
                    outputs.push(Output::Problem(error));
                    outputs
                }
            },
            Input::AskDevice if self.state == State::Operating => {
                let asked = self.asked.as_ref().is_some_and(|(_, wish)| *wish == Wish::Device);
                if !asked && !self.wishes.contains(&Wish::Device) {
                    self.wishes.push_front(Wish::Device);
                }
                Vec::new()
            }
            Input::Release if matches!(self.state, State::Operating | State::WaitingForConfig) => {
                self.reset(State::Disassociating);
                self.deadline = Some(now.saturating_add(ANSWER_TIMEOUT_US));
                vec![send(&Apdu::ReleaseRequest(0))]
            }
            Input::AskDevice | Input::Release => Vec::new(),
            Input::Tick if self.deadline.is_some_and(|deadline| now >= deadline) => {
                let waiting = self.state == State::WaitingForConfig;
                self.abort(if waiting { CONFIG_TIMEOUT } else { RESPONSE_TIMEOUT })
            }
            Input::Tick => Vec::new(),
        }
    }

    fn take(&mut self, apdu: Apdu, now: i64) -> Vec<Output> {
        match (self.state, apdu) {
            (State::Unassociated, Apdu::AssociationRequest { version, protocols }) => {
                self.associate(version, &protocols, now)
            }
            (State::Unassociated, Apdu::Abort(_) | Apdu::ReleaseResponse(_)) => Vec::new(),
            (_, Apdu::Abort(_)) => {
                self.reset(State::Unassociated);
                vec![Output::Ended { orderly: false }]
            }
            (State::WaitingForConfig | State::Operating, Apdu::ReleaseRequest(_)) => {
                self.reset(State::Unassociated);
                vec![send(&Apdu::ReleaseResponse(0)), Output::Ended { orderly: true }]
            }
            // Both sides asked for the end at once: both answer.
            (State::Disassociating, Apdu::ReleaseRequest(_)) => {
                vec![send(&Apdu::ReleaseResponse(0))]
            }
            (State::Disassociating, Apdu::ReleaseResponse(_)) => {
                self.reset(State::Unassociated);
                vec![Output::Ended { orderly: true }]
            }
            // What was on its way when the end was asked for.
            (State::Disassociating, Apdu::Data(_)) => Vec::new(),
            (State::WaitingForConfig | State::Operating, Apdu::Data(data)) => self.data(data, now),
            _ => self.abort(UNDEFINED),
        }
    }

    fn associate(&mut self, version: u32, protocols: &[Protocol], now: i64) -> Vec<Output> {
        let offer = protocols.iter().find_map(|protocol| match protocol {
            Protocol::Phd(association) => Some(association),
            Protocol::Other(..) => None,
        });
        let Some(agent) = offer else {
            return self.reject(AssociateResult::NoCommonProtocol, None);
        };
        if version & VERSION_1 == 0 {
            return self.reject(AssociateResult::UnsupportedVersion, Some(agent));
        }
        let common = agent.protocol_version & VERSION_1 != 0
            && agent.nomenclature_version & VERSION_1 != 0
            && agent.encoding_rules & MDER != 0;
        if !common {
            return self.reject(AssociateResult::NoCommonParameter, Some(agent));
        }
        let remembered = self.known.iter().find(|(id, configuration)| {
            *id == agent.system_id && configuration.id == agent.configuration
        });
        let known =
            remembered.map(|(_, known)| known.clone()).or_else(|| standard(agent.configuration));
        let result = match known {
            Some(_) => AssociateResult::Accepted,
            None => AssociateResult::AcceptedUnknownConfig,
        };
        let mut outputs =
            vec![self.answer(result, Some(agent)), Output::Associated(agent.system_id.clone())];
        self.agent = Some(agent.clone());
        if let Some(configuration) = known {
            self.reset_to(State::Operating, configuration.clone());
            outputs.push(Output::Configured(configuration));
        } else {
            self.state = State::WaitingForConfig;
            self.deadline = Some(now.saturating_add(CONFIG_TIMEOUT_US));
        }
        outputs
    }

    fn reject(&self, result: AssociateResult, agent: Option<&Association>) -> Vec<Output> {
        vec![self.answer(result, agent), Output::Rejected(result)]
    }

    /// The answer to a request: with what this manager speaks, if the device speaks it too.
    fn answer(&self, result: AssociateResult, agent: Option<&Association>) -> Output {
        let protocol = match agent {
            None => Protocol::Other(0, Vec::new()),
            Some(_) => Protocol::Phd(Association {
                protocol_version: VERSION_1,
                encoding_rules: MDER,
                nomenclature_version: VERSION_1,
                functional_units: 0,
                system_type: 0x8000_0000,
                system_id: self.settings.system_id.to_vec(),
                configuration: 0,
                request_modes: 0,
                request_counts: [0, 0],
                options: Vec::new(),
            }),
        };
        send(&Apdu::AssociationResponse { result, protocol })
    }

    fn data(&mut self, data: Data, now: i64) -> Vec<Output> {
        let invoke = data.invoke;
        match data.message {
            Message::Event { confirmed, event } if event.kind == CONFIG => {
                self.configure(invoke, confirmed, &event)
            }
            Message::Event { confirmed, event } if self.state == State::Operating => {
                if event.kind == store::DATA {
                    self.segment_data(invoke, confirmed, &event, now)
                } else {
                    self.observe(invoke, confirmed, &event, now)
                }
            }
            // Answers to nothing that was asked are disregarded, as the standard asks.
            message @ (Message::EventTaken(_)
            | Message::Attributes { .. }
            | Message::Changed { .. }
            | Message::Done(_)
            | Message::Error(..)
            | Message::Reject(_)) => match self.asked.take() {
                Some((asked, wish)) if asked == invoke => {
                    self.deadline = None;
                    self.answered(wish, message, now)
                }
                other => {
                    self.asked = other;
                    Vec::new()
                }
            },
            // A manager has no objects: 1, no such object instance.
            _ => vec![send(&Apdu::Data(Data { invoke, message: Message::Error(1, Vec::new()) }))],
        }
    }

    fn configure(&mut self, invoke: u16, confirmed: bool, event: &Event) -> Vec<Output> {
        if self.state != State::WaitingForConfig || !confirmed {
            return self.abort(UNDEFINED);
        }
        let configuration = match Configuration::decode(&event.info) {
            Ok(configuration) => configuration,
            Err(error) => {
                // 1: unsupported; the device may offer another.
                let id = event.info.get(..2).map_or([0, 0], |id| [id[0], id[1]]);
                let refusal = [id, 1_u16.to_be_bytes()].concat();
                return vec![taken(invoke, event, refusal), Output::Problem(error)];
            }
        };
        let accepted = [configuration.id, 0].map(u16::to_be_bytes).concat();
        if let Some(agent) = &self.agent {
            let system_id = agent.system_id.clone();
            self.remember(system_id, configuration.clone());
        }
        self.reset_to(State::Operating, configuration.clone());
        vec![taken(invoke, event, accepted), Output::Configured(configuration)]
    }

    /// What the device says of itself, now or before.
    fn describe(&mut self, attributes: Vec<(u16, Vec<u8>)>, now: i64) -> Vec<Output> {
        let (mds, wrong) = Mds::read(&attributes);
        mds.set(&mut self.clock, now);
        if self.settings.set_time && mds.wants_time() && !self.time_was_set {
            self.time_was_set = true;
            self.wishes.push_front(Wish::SetTime(mds.counts_from_a_base()));
        }
        let condition = mds.measurements(&self.clock, now);
        let mut outputs = vec![Output::Device(attributes)];
        if !condition.is_empty() {
            outputs.push(Output::Condition(condition));
        }
        outputs.extend(wrong.into_iter().map(Output::Problem));
        outputs
    }

    fn observe(&mut self, invoke: u16, confirmed: bool, event: &Event, now: i64) -> Vec<Output> {
        let Some(configuration) = &self.configuration else { return self.abort(UNDEFINED) };
        let mut outputs = Vec::new();
        match observations(event, configuration) {
            Ok(found) => {
                let mut clock = self.clock.clone();
                if !clock.is_anchored() {
                    // The report's own relative time is now, as far as anybody can tell.
                    clock.anchor(event.time, DeviceTime(now));
                }
                let mut own = Vec::new();
                // The answer says that it was taken in: whoever sends it keeps it first.
                for observation in found.iter().flatten() {
                    if observation.object == 0 {
                        own.extend(observation.attributes.iter().cloned());
                    } else {
                        outputs.push(Output::Observed(measure(observation, configuration, &clock)));
                    }
                }
                if !own.is_empty() {
                    outputs.extend(self.describe(own, now));
                }
                if confirmed {
                    let known = found.is_some();
                    outputs.push(if known {
                        taken(invoke, event, Vec::new())
                    } else {
                        // 9: no such action, for events that are no scan report.
                        send(&Apdu::Data(Data { invoke, message: Message::Error(9, Vec::new()) }))
                    });
                }
            }
            Err(error) => {
                if confirmed {
                    // 23: protocol violation.
                    let refusal = Message::Error(23, Vec::new());
                    outputs.push(send(&Apdu::Data(Data { invoke, message: refusal })));
                }
                outputs.push(Output::Problem(error));
            }
        }
        outputs
    }

    fn abort(&mut self, reason: u16) -> Vec<Output> {
        let open = self.state != State::Unassociated;
        self.reset(State::Unassociated);
        let mut outputs = vec![send(&Apdu::Abort(reason))];
        if open {
            outputs.push(Output::Ended { orderly: false });
        }
        outputs
    }

    fn reset(&mut self, state: State) {
        self.state = state;
        self.agent = None;
        self.configuration = None;
        self.asked = None;
        self.deadline = None;
        self.transfer = None;
        self.wishes.clear();
        self.time_was_set = false;
        self.clock = Clock::new(self.settings.zone.clone());
    }

    fn reset_to(&mut self, state: State, configuration: Configuration) {
        self.state = state;
        self.deadline = None;
        self.wishes = wishes(&configuration, self.settings.collect);
        if self.settings.ask_device {
            self.wishes.push_front(Wish::Device);
        }
        self.configuration = Some(configuration);
    }
}

fn send(apdu: &Apdu) -> Output {
    Output::Send(apdu.encode())
}

/// The answer to a confirmed event.
fn taken(invoke: u16, event: &Event, info: Vec<u8>) -> Output {
    let reply = Event { object: event.object, time: event.time, kind: event.kind, info };
    send(&Apdu::Data(Data { invoke, message: Message::EventTaken(reply) }))
}
