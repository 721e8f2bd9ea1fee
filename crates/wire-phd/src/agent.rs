//! The agent's half of the protocol (IEEE 11073-20601 §8, annex E): what a personal health device
//! does, as a state machine, for the simulator and for tests against [`crate::manager`]. One report
//! is on its way at a time, as the standard asks of confirmed ones.

mod serve;

use std::collections::VecDeque;

use crate::apdu::{Apdu, AssociateResult, Association, MDER, Protocol, VERSION_1};
use crate::bytes::{PhdError, Reader, Writer};
use crate::config::{Configuration, ValueMap};
use crate::data::{Data, Event, Message};
use crate::scan::{CONFIG, Observation};
use crate::store::Segment;

/// How long a manager may take to associate and to take a configuration, and to answer the rest, in
/// microseconds (TO_assoc and TO_config 10 s; TO_cer and TO_release 3 s).
const SETUP_TIMEOUT_US: i64 = 10_000_000;
const ANSWER_TIMEOUT_US: i64 = 3_000_000;
/// Most entries of a segment in one event.
const ENTRIES_MAX: usize = 25;

/// What a device is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Profile {
    /// Its EUI-64.
    pub system_id: Vec<u8>,
    /// Its objects; a number below 0x4000 is a standard one and is not sent.
    pub configuration: Configuration,
    /// The attributes of the device itself.
    pub mds: Vec<(u16, Vec<u8>)>,
    /// What it stored.
    pub stores: Vec<Store>,
}

/// A store of episodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// Its object.
    pub object: u16,
    /// Its segments, each with its entries' bytes.
    pub segments: Vec<(Segment, Vec<Vec<u8>>)>,
}

/// Where the association stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// No connection.
    Disconnected,
    /// Connected, not associated.
    Unassociated,
    /// The manager was asked.
    Associating,
    /// The configuration is on its way.
    SendingConfig,
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
    /// Ask the manager in.
    Associate,
    /// An APDU came.
    Apdu(&'a [u8]),
    /// These were observed; whether the manager is to confirm them.
    Report(&'a [Observation], bool),
    /// End the association.
    Release,
    /// Time has passed.
    Tick,
}

/// What is to be done, and what was learned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send this.
    Send(Vec<u8>),
    /// The manager took the device in; reports may be made.
    Operating,
    /// It refused.
    Rejected(AssociateResult),
    /// The oldest report that waited for it was confirmed.
    Taken,
    /// …or refused: why.
    Refused(u16),
    /// The manager set the clock, with these bytes of `SetTimeInvoke` or `SetBOTimeInvoke`.
    TimeSet {
        /// In base-offset time.
        base_offset: bool,
        /// As sent.
        bytes: Vec<u8>,
    },
    /// It switched a scanner on or off.
    Scanner(u16, bool),
    /// It took all of a segment: store, segment.
    Transferred(u16, u16),
    /// It cleared segments of a store.
    Cleared(u16, Vec<u16>),
    /// The association has ended: in order or not.
    Ended {
        /// Both sides agreed.
        orderly: bool,
    },
    /// An APDU could not be read.
    Problem(PhdError),
}

/// The agent of one connection.
#[derive(Debug, Clone)]
pub struct Agent {
    profile: Profile,
    state: State,
    next_invoke: u16,
    next_report: u16,
    /// Confirmed reports that wait for their turn.
    waiting: VecDeque<Event>,
    /// The report, configuration or segment event that an answer is due to.
    asked: Option<u16>,
    sending: Option<Sending>,
    deadline: Option<i64>,
}

/// A segment on its way: store and segment by index, entries sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sending {
    store: usize,
    segment: usize,
    sent: usize,
    due: usize,
}

impl Agent {
    /// Not connected.
    #[must_use]
    pub const fn new(profile: Profile) -> Self {
        Self {
            profile,
            state: State::Disconnected,
            next_invoke: 1,
            next_report: 0,
            waiting: VecDeque::new(),
            asked: None,
            sending: None,
            deadline: None,
        }
    }

    /// Where the association stands.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// What the device is, and what its stores still hold.
    #[must_use]
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// How many reports wait to be confirmed.
    #[must_use]
    pub fn unconfirmed(&self) -> usize {
        let on_its_way = self.state == State::Operating && self.sending.is_none() && self.asked.is_some();
        self.waiting.len() + usize::from(on_its_way)
    }

    /// Takes what happened at `now`, in microseconds of any clock that runs forward.
    pub fn step(&mut self, input: Input<'_>, now: i64) -> Vec<Output> {
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
            Input::Associate if self.state == State::Unassociated => self.associate(now),
            Input::Apdu(_) if self.state == State::Disconnected => Vec::new(),
            Input::Apdu(bytes) => match Apdu::decode(bytes) {
                Ok(apdu) => self.take(apdu, now),
                Err(error) => {
                    let mut outputs = self.abort(0);
                    outputs.push(Output::Problem(error));
                    outputs
                }
            },
            Input::Report(observations, confirmed) if self.state == State::Operating => {
                self.report(observations, confirmed, now)
            }
            Input::Release if self.state == State::Operating => {
                self.reset(State::Disassociating);
                self.deadline = Some(now.saturating_add(ANSWER_TIMEOUT_US));
                vec![Output::Send(Apdu::ReleaseRequest(0).encode())]
            }
            Input::Tick if self.deadline.is_some_and(|deadline| now >= deadline) => {
                let setup = matches!(self.state, State::Associating | State::SendingConfig);
                self.abort(if setup { 3 } else { 2 })
            }
            Input::Associate | Input::Report(..) | Input::Release | Input::Tick => Vec::new(),
        }
    }

    fn associate(&mut self, now: i64) -> Vec<Output> {
        let association = Association {
            protocol_version: VERSION_1,
            encoding_rules: MDER,
            nomenclature_version: VERSION_1,
            functional_units: 0,
            system_type: 0x0080_0000,
            system_id: self.profile.system_id.clone(),
            configuration: self.profile.configuration.id,
            request_modes: 1,
            request_counts: [1, 0],
            options: Vec::new(),
        };
        self.state = State::Associating;
        self.deadline = Some(now.saturating_add(SETUP_TIMEOUT_US));
        let request =
            Apdu::AssociationRequest { version: VERSION_1, protocols: vec![Protocol::Phd(association)] };
        vec![Output::Send(request.encode())]
    }

    fn take(&mut self, apdu: Apdu, now: i64) -> Vec<Output> {
        match (self.state, apdu) {
            (State::Associating, Apdu::AssociationResponse { result, .. }) => self.admitted(result, now),
            (State::Unassociated, Apdu::Abort(_) | Apdu::ReleaseResponse(_)) => Vec::new(),
            (_, Apdu::Abort(_)) => {
                self.reset(State::Unassociated);
                vec![Output::Ended { orderly: false }]
            }
            (State::SendingConfig | State::Operating, Apdu::ReleaseRequest(_)) => {
                self.reset(State::Unassociated);
                vec![Output::Send(Apdu::ReleaseResponse(0).encode()), Output::Ended { orderly: true }]
            }
            (State::Disassociating, Apdu::ReleaseRequest(_)) => {
                vec![Output::Send(Apdu::ReleaseResponse(0).encode())]
            }
            (State::Disassociating, Apdu::ReleaseResponse(_)) => {
                self.reset(State::Unassociated);
                vec![Output::Ended { orderly: true }]
            }
            (State::Disassociating, Apdu::Data(_)) => Vec::new(),
            (State::SendingConfig, Apdu::Data(data)) => self.configured(data, now),
            (State::Operating, Apdu::Data(data)) => self.data(data, now),
            _ => self.abort(0),
        }
    }

    fn admitted(&mut self, result: AssociateResult, now: i64) -> Vec<Output> {
        self.deadline = None;
        match result {
            AssociateResult::Accepted => {
                self.state = State::Operating;
                vec![Output::Operating]
            }
            AssociateResult::AcceptedUnknownConfig => {
                self.state = State::SendingConfig;
                let info = self.profile.configuration.encode();
                let event = Event { object: 0, time: 0, kind: CONFIG, info };
                let sent = self.send_event(event, true, now);
                self.deadline = Some(now.saturating_add(SETUP_TIMEOUT_US));
                vec![sent]
            }
            refused => {
                self.reset(State::Unassociated);
                vec![Output::Rejected(refused)]
            }
        }
    }

    /// The manager's answer to the configuration: its number and 0 where it takes it.
    fn configured(&mut self, data: Data, now: i64) -> Vec<Output> {
        match data.message {
            Message::EventTaken(event) if self.asked == Some(data.invoke) && event.kind == CONFIG => {
                self.asked = None;
                self.deadline = None;
                if event.info.get(2..4) == Some(&[0, 0]) {
                    self.state = State::Operating;
                    return vec![Output::Operating];
                }
                self.reset(State::Unassociated);
                vec![Output::Send(Apdu::ReleaseRequest(1).encode()), Output::Rejected(AssociateResult::RejectedUnknown)]
            }
            // The device itself may be asked about before it is configured.
            Message::Get { object: 0, .. } => self.data(data, now),
            _ => self.abort(0),
        }
    }

    fn report(&mut self, observations: &[Observation], confirmed: bool, now: i64) -> Vec<Output> {
        let report = self.next_report;
        self.next_report = report.wrapping_add(1);
        let event = report_of(observations, &self.profile.configuration, report);
        if !confirmed {
            return vec![self.send_event(event, false, now)];
        }
        self.waiting.push_back(event);
        self.go_on(now)
    }

    /// Sends the next confirmed report, if none is on its way.
    fn go_on(&mut self, now: i64) -> Vec<Output> {
        if self.asked.is_some() || self.sending.is_some() {
            return Vec::new();
        }
        let Some(event) = self.waiting.pop_front() else { return Vec::new() };
        vec![self.send_event(event, true, now)]
    }

    fn send_event(&mut self, event: Event, confirmed: bool, now: i64) -> Output {
        let invoke = self.next_invoke;
        self.next_invoke = invoke.wrapping_add(1);
        if confirmed {
            self.asked = Some(invoke);
            self.deadline = Some(now.saturating_add(ANSWER_TIMEOUT_US));
        }
        Output::Send(Apdu::Data(Data { invoke, message: Message::Event { confirmed, event } }).encode())
    }

    fn abort(&mut self, reason: u16) -> Vec<Output> {
        let open = self.state != State::Unassociated;
        self.reset(State::Unassociated);
        let mut outputs = vec![Output::Send(Apdu::Abort(reason).encode())];
        if open {
            outputs.push(Output::Ended { orderly: false });
        }
        outputs
    }

    fn reset(&mut self, state: State) {
        self.state = state;
        self.waiting.clear();
        self.asked = None;
        self.sending = None;
        self.deadline = None;
    }
}

/// A report: fixed where every object's attributes are those of its map, else variable; of several
/// persons where one is named.
fn report_of(observations: &[Observation], configuration: &Configuration, number: u16) -> Event {
    let maps: Vec<Option<ValueMap>> = observations.iter().map(|one| fits(one, configuration)).collect();
    let fixed = !maps.is_empty() && maps.iter().all(Option::is_some);
    let persons = observations.iter().any(|one| one.person.is_some());
    let mut writer = Writer::default();
    // 0xF000: the device reports by itself.
    writer.shorts([0xf000, number]);
    let put = |w: &mut Writer, one: &&Observation| {
        if fixed {
            w.shorts([one.object]);
            w.counted(|w| one.attributes.iter().for_each(|(_, value)| w.put(value)));
        } else {
            w.put(one.bytes());
        }
    };
    if persons {
        let mut by_person: Vec<(u16, Vec<&Observation>)> = Vec::new();
        for one in observations {
            let person = one.person.unwrap_or(0xffff);
            match by_person.last_mut() {
                Some((last, list)) if *last == person => list.push(one),
                _ => by_person.push((person, vec![one])),
            }
        }
        writer.list(&by_person, |w, (person, list)| {
            w.shorts([*person]);
            w.list(list, put);
        });
    } else {
        writer.list(&observations.iter().collect::<Vec<_>>(), put);
    }
    let kind = match (fixed, persons) {
        (true, false) => 3357,
        (false, false) => 3358,
        (true, true) => 3359,
        (false, true) => 3360,
    };
    Event { object: 0, time: 0, kind, info: writer.bytes }
}

/// The map of the object of an observation, if its attributes are just those.
fn fits(observation: &Observation, configuration: &Configuration) -> Option<ValueMap> {
    let map = configuration.object(observation.object)?.value_map().ok()??;
    let same = map.len() == observation.attributes.len()
        && map.iter().zip(&observation.attributes).all(|((id, length), (own, value))| {
            id == own && usize::from(*length) == value.len()
        });
    same.then_some(map)
}

/// Reads one number behind which nothing stands.
fn number(bytes: &[u8]) -> Option<u16> {
    let mut reader = Reader::new(bytes);
    let number = reader.u16("number").ok()?;
    reader.end("number").ok()?;
    Some(number)
}
