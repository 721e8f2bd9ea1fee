//! What becomes of a command. The states and where they lead:
//!
//! ```text
//! awaiting ─confirm─▶ requested ─sending─▶ sending ─▶ sent ─▶ accepted ─▶ done
//!     └──────┬────────────┘                   └────────┴─────────┴──────▶ failed, unknown
//!  cancelled, expired, refused                         unknown ─▶ done, failed
//! ```
//!
//! There is one way into `sending`, from `requested`, and no way back: CO-1, nothing is sent twice.

use serde::{Deserialize, Serialize};
use vitals::{CommandOrder, CommandValue, PatientId, ReadBack, ReceiveTime};

/// Where a command stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum State {
    /// Asked for; a second person must agree.
    Awaiting,
    /// To be sent as soon as the device can be reached.
    Requested,
    /// Being sent in this moment.
    Sending,
    /// Handed to the device's connection.
    Sent,
    /// The device will do it.
    Accepted,
    /// The device did it, and what had to be read back was.
    Done,
    /// The device did not do it, or something else than was asked.
    Failed,
    /// Its time ran out before it was sent: the device never got it.
    Expired,
    /// Taken back before it was sent.
    Cancelled,
    /// The device is not on the patient: it was not sent.
    Refused,
    /// It was sent, perhaps, and nobody knows what came of it. Never sent again; a late word of the
    /// device still counts.
    Unknown,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 11] = [
        Self::Awaiting,
        Self::Requested,
        Self::Sending,
        Self::Sent,
        Self::Accepted,
        Self::Done,
        Self::Failed,
        Self::Expired,
        Self::Cancelled,
        Self::Refused,
        Self::Unknown,
    ];

    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Awaiting => "awaiting",
            Self::Requested => "requested",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Accepted => "accepted",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }

    /// Whether nothing changes it any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Expired | Self::Cancelled | Self::Refused)
    }

    /// Whether nothing is to be waited for.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        self.is_final() || matches!(self, Self::Unknown)
    }

    /// Whether it was not sent yet and may be.
    #[must_use]
    pub const fn is_waiting(self) -> bool {
        matches!(self, Self::Awaiting | Self::Requested)
    }

    const fn is_under_way(self) -> bool {
        matches!(self, Self::Sending | Self::Sent | Self::Accepted)
    }
}

/// Something that may move a command on.
#[derive(Debug, Clone, PartialEq)]
pub enum Event<'a> {
    /// This account agrees.
    Confirm(&'a str),
    /// This account takes it back.
    Cancel(&'a str, &'a str),
    /// It is about to be sent; the device is on this patient.
    Sending(Option<&'a PatientId>),
    /// It was handed to the device's connection.
    Sent,
    /// It did not leave.
    NotSent(&'a str),
    /// Nobody knows whether it left.
    Lost,
    /// The device will do it.
    Accepted,
    /// The device did it; parameters as they now stand.
    Done(&'a [(String, CommandValue)]),
    /// The device did not do it.
    Failed(&'a str),
    /// A value of the metric to be read back was measured after it was sent.
    Measured(f64),
    /// Time passes; the device is on this patient.
    Tick(Option<&'a PatientId>),
}

/// What an event did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Something changed.
    Changed,
    /// Nothing, and why: counted by this reason.
    Ignored(&'static str),
    /// Nothing, as expected.
    Unmoved,
}

/// One line of a command's history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What it became, or stayed.
    pub state: State,
    /// When.
    pub at: ReceiveTime,
    /// By whom; `system` for the platform, the device's id for the device.
    pub by: String,
    /// More, for people; may be empty.
    pub detail: String,
}

/// A command and all that became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// What was asked.
    pub order: CommandOrder,
    /// Where it stands.
    pub state: State,
    /// Who asked.
    pub by: String,
    /// Who agreed, where a second person must.
    pub second: Option<String>,
    /// When it was about to be sent.
    pub sending: Option<ReceiveTime>,
    /// Whether the device said that it did it, and read-back is still missing.
    pub said_done: bool,
    /// What became of it, oldest first.
    pub history: Vec<Line>,
}

/// Lines of history kept: a device that says the same for ever fills nothing.
const LINES_MAX: usize = 32;
/// Two numbers this close, relative to the larger, are one: a device computes in its own floats.
const SAME: f64 = 1e-6;

impl Command {
    /// A command as it was asked for.
    #[must_use]
    pub fn new(order: CommandOrder, by: &str, at: ReceiveTime) -> Self {
        let state = if order.two_person { State::Awaiting } else { State::Requested };
        let line = Line { state, at, by: by.to_owned(), detail: String::new() };
        Self {
            order,
            state,
            by: by.to_owned(),
            second: None,
            sending: None,
            said_done: false,
            history: vec![line],
        }
    }

    /// Takes an event in at `now`; the same event in the same state does the same.
    pub fn step(&mut self, event: &Event<'_>, now: ReceiveTime) -> Outcome {
        if self.state.is_final() {
            return match event {
                Event::Tick(_) | Event::Measured(_) => Outcome::Unmoved,
                _ => Outcome::Ignored("command-is-settled"),
            };
        }
        match event {
            Event::Confirm(by) => self.confirm(by, now),
            Event::Cancel(by, why) if self.state.is_waiting() => self.become_by(State::Cancelled, by, why, now),
            Event::Cancel(..) => Outcome::Ignored("command-was-sent"),
            Event::Sending(on) => self.sending(*on, now),
            Event::Sent if self.state == State::Sending => self.become_state(State::Sent, "", now),
            Event::NotSent(why) if self.state == State::Sending => self.become_state(State::Failed, why, now),
            Event::Lost if self.state == State::Sending => {
                self.become_state(State::Unknown, "the program ended while it was being sent: unknown whether it arrived", now)
            }
            Event::Sent | Event::NotSent(_) | Event::Lost => Outcome::Ignored("command-was-not-being-sent"),
            Event::Accepted if matches!(self.state, State::Sending | State::Sent) => {
                self.become_device(State::Accepted, "", now)
            }
            Event::Failed(why) if self.is_out() => self.become_device(State::Failed, why, now),
            Event::Done(read_back) if self.is_out() => self.done(read_back, now),
            Event::Accepted | Event::Failed(_) | Event::Done(_) => Outcome::Ignored("command-answer-unexpected"),
            Event::Measured(value) => self.measured(*value, now),
            Event::Tick(on) => self.tick(*on, now),
        }
    }

    /// When time alone changes it, if it does.
    #[must_use]
    pub fn due(&self) -> Option<ReceiveTime> {
        if self.state.is_waiting() {
            return Some(self.order.expires);
        }
        let sending = self.sending.filter(|_| self.state.is_under_way())?;
        Some(ReceiveTime(sending.0.saturating_add(self.order.answer_us)))
    }

    fn is_out(&self) -> bool {
        self.state.is_under_way() || self.state == State::Unknown
    }

    fn confirm(&mut self, by: &str, now: ReceiveTime) -> Outcome {
        if self.state != State::Awaiting {
            return Outcome::Ignored("command-awaits-nobody");
        }
        if by == self.by {
            return Outcome::Ignored("command-second-person-is-the-first");
        }
        if now >= self.order.expires {
            return self.expire(now);
        }
        self.second = Some(by.to_owned());
        self.become_by(State::Requested, by, "agreed", now)
    }

    /// The one way to be sent.
    fn sending(&mut self, on: Option<&PatientId>, now: ReceiveTime) -> Outcome {
        if self.state != State::Requested {
            return Outcome::Ignored("command-not-to-be-sent");
        }
        if now >= self.order.expires {
            return self.expire(now);
        }
        if on != Some(&self.order.patient) {
            return self.refuse(on, now);
        }
        self.sending = Some(now);
        self.become_state(State::Sending, "", now)
    }

    fn done(&mut self, read_back: &[(String, CommandValue)], now: ReceiveTime) -> Outcome {
        // What is said about the parameters must be right even where nobody asked for it.
        for (name, said) in read_back {
            let asked = self.order.parameters.iter().find(|asked| asked.name == *name);
            if asked.is_some_and(|asked| !same(&asked.value, said)) {
                return self.become_device(State::Failed, "the device reads back something else than was asked", now);
            }
        }
        let missing = match self.order.read_back {
            ReadBack::None => false,
            ReadBack::Answer => {
                self.order.parameters.iter().any(|asked| read_back.iter().all(|(name, _)| *name != asked.name))
            }
            ReadBack::Metric(..) => true,
        };
        if !missing {
            let told = self.told(read_back);
            return self.become_device(State::Done, &told, now);
        }
        let again = self.said_done || self.state == State::Unknown;
        self.said_done = true;
        match again {
            true => Outcome::Unmoved,
            false => self.become_device(State::Accepted, "the device says done; read-back is awaited", now),
        }
    }

    /// What was read back of what was asked, for people.
    fn told(&self, read_back: &[(String, CommandValue)]) -> String {
        let said = self.order.parameters.iter().filter_map(|asked| {
            let (name, value) = read_back.iter().find(|(name, _)| *name == asked.name)?;
            let value = match value {
                CommandValue::Number(number) => number.to_string(),
                CommandValue::Choice(text) => text.clone(),
                CommandValue::Flag(flag) => if *flag { "yes" } else { "no" }.to_owned(),
            };
            Some(format!("{name} {value} {}", asked.unit).trim_end().to_owned())
        });
        let said: Vec<String> = said.collect();
        if said.is_empty() { String::new() } else { format!("read back: {}", said.join(", ")) }
    }

    fn measured(&mut self, value: f64, now: ReceiveTime) -> Outcome {
        let ReadBack::Metric(_, name) = &self.order.read_back else { return Outcome::Unmoved };
        let asked = self.order.parameters.iter().find(|asked| asked.name == *name);
        let agrees = asked.is_some_and(|asked| same(&asked.value, &CommandValue::Number(value)));
        if agrees && self.said_done && self.is_out() {
            return self.become_device(State::Done, "read back by measurement", now);
        }
        Outcome::Unmoved
    }

    fn tick(&mut self, on: Option<&PatientId>, now: ReceiveTime) -> Outcome {
        if self.state.is_waiting() {
            if on != Some(&self.order.patient) {
                return self.refuse(on, now);
            }
            if now >= self.order.expires {
                return self.expire(now);
            }
            return Outcome::Unmoved;
        }
        if !self.state.is_under_way() || self.due().is_none_or(|due| now < due) {
            return Outcome::Unmoved;
        }
        let why = match (self.state, self.said_done) {
            (_, true) => "no read-back: the device says done, and what it is set to was not heard",
            (State::Accepted, _) => "the device accepted it and never said that it was done",
            _ => "no answer: unknown whether it arrived",
        };
        self.become_state(State::Unknown, why, now)
    }

    fn expire(&mut self, now: ReceiveTime) -> Outcome {
        self.become_state(State::Expired, "its time ran out before it could be sent", now)
    }

    fn refuse(&mut self, on: Option<&PatientId>, now: ReceiveTime) -> Outcome {
        let why = match on {
            Some(_) => "the device is on another patient",
            None => "the device is on no patient",
        };
        self.become_state(State::Refused, why, now)
    }

    fn become_state(&mut self, state: State, detail: &str, now: ReceiveTime) -> Outcome {
        self.become_by(state, "system", detail, now)
    }

    fn become_device(&mut self, state: State, detail: &str, now: ReceiveTime) -> Outcome {
        let device = self.order.device.to_string();
        self.become_by(state, &device, detail, now)
    }

    fn become_by(&mut self, state: State, by: &str, detail: &str, now: ReceiveTime) -> Outcome {
        self.state = state;
        let detail: String = detail.chars().take(200).collect();
        if self.history.len() < LINES_MAX {
            self.history.push(Line { state, at: now, by: by.to_owned(), detail });
        }
        Outcome::Changed
    }
}

/// Whether the device means what was asked.
fn same(asked: &CommandValue, said: &CommandValue) -> bool {
    match (asked, said) {
        (CommandValue::Number(a), CommandValue::Number(b)) => {
            (a - b).abs() <= SAME * a.abs().max(b.abs()).max(1e-9)
        }
        // `name [code system]`: the code counts, devices have names of their own.
        (CommandValue::Choice(a), CommandValue::Choice(b)) => {
            let code = |text: &str| text.strip_suffix(']').and_then(|rest| Some(rest.rsplit_once(" [")?.1.to_owned()));
            a == b || code(a).is_some_and(|own| code(b) == Some(own))
        }
        (a, b) => a == b,
    }
}
