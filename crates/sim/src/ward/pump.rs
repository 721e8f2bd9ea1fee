//! An infusion pump that takes commands over MQTT: it accepts, does, and reads back. Some pumps of a
//! ward have their manners: one is away at times, one refuses with its door open, one forgets to read
//! back.
//!
//! It keeps what every device must keep: nothing after its time, nothing twice under one id.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use vitals::DeviceId;

use super::plan::{BedPlan, Plan};
use super::state::{Outgoing, Sender};
use crate::wire::senml;

/// How often it tells what it does, s.
const EVERY_S: u64 = 5;
/// Commands that it remembers, so as to do none twice.
const REMEMBERED: usize = 64;

/// What is the matter with a pump, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Nothing: it does what it is asked.
    Willing,
    /// It loses its network for a minute of every five.
    Away,
    /// Its door stands open for a minute of every three: it refuses therapy.
    DoorOpen,
    /// It says done and does not read back, every other time.
    Forgetful,
}

impl Manner {
    /// Every manner, in the order in which pumps have them.
    pub const ALL: [Self; 4] = [Self::Willing, Self::Away, Self::DoorOpen, Self::Forgetful];

    const fn is_away(self, second: u64) -> bool {
        matches!(self, Self::Away) && second % 300 >= 180 && second % 300 < 240
    }

    const fn is_open(self, second: u64) -> bool {
        matches!(self, Self::DoorOpen) && second % 180 >= 90 && second % 180 < 150
    }
}

/// A pump at a bed.
#[derive(Debug, Clone)]
pub(super) struct Pump {
    pub(super) device: DeviceId,
    pub(super) location: String,
    manner: Manner,
    second: u64,
    away: bool,
    introduced: bool,
    rate: f64,
    given: f64,
    pressure_limit: f64,
    /// What it answered to which command, oldest first.
    answered: Vec<(String, Value)>,
    /// What it has accepted and is about to have done.
    doing: Vec<(String, Value)>,
    done: u64,
}

impl Pump {
    fn new(index: usize, bed: &BedPlan) -> Self {
        Self {
            device: DeviceId::sanitised(&format!("pump-{}{}", bed.room, bed.bed)),
            location: bed.location.to_string(),
            manner: Manner::ALL[index % Manner::ALL.len()],
            second: 0,
            away: false,
            introduced: false,
            rate: 2.0 + index as f64,
            given: 0.0,
            pressure_limit: 400.0,
            answered: Vec::new(),
            doing: Vec::new(),
            done: 0,
        }
    }

    /// One pump at each of the first beds.
    pub(super) fn all(plan: &Plan, count: usize) -> Vec<Self> {
        plan.beds.iter().take(count).enumerate().map(|(index, bed)| Self::new(index, bed)).collect()
    }

    /// Where it hears commands.
    pub(super) fn listens(&self) -> String {
        format!("vitalwire/{}/command", self.device)
    }

    /// One second.
    pub(super) fn tick(&mut self, index: usize, second: u64, now_us: i64, out: &mut Vec<(Sender, Outgoing)>) {
        let sender = Sender::Pump(index);
        self.second = second;
        self.given += self.rate / 3_600.0;
        let away = self.manner.is_away(second);
        if away && !self.away {
            out.push((sender, Outgoing::Vanish));
            self.introduced = false;
        }
        self.away = away;
        if away {
            return;
        }
        if !self.introduced {
            self.introduced = true;
            let who = json!({"manufacturer": "Vitalwire", "model": "Simulated pump", "serial": self.device.as_str()});
            out.push((sender, self.says("status", &who)));
        }
        for (id, answer) in std::mem::take(&mut self.doing) {
            out.push((sender, self.says("command/answer", &answer)));
            self.remember(id, answer);
        }
        if second.is_multiple_of(EVERY_S) {
            let value = |name, unit, value: f64| senml::Value { name, unit, value: (value * 1e3).round() / 1e3 };
            let values = [
                value("MDC_FLOW_FLUID_PUMP", "mL/h", self.rate),
                value("MDC_VOL_FLUID_DELIV_TOTAL", "mL", self.given),
            ];
            out.push((sender, Outgoing::Publish {
                topic: format!("vitalwire/{}/measurements", self.device),
                content_type: senml::JSON,
                payload: senml::json(now_us, &values),
            }));
        }
    }

    /// Takes a command in: what it answers at once; what it does takes it until the next second.
    pub(super) fn told(&mut self, index: usize, payload: &[u8], now_us: i64, out: &mut Vec<(Sender, Outgoing)>) {
        let Ok(command) = serde_json::from_slice::<Value>(payload) else { return };
        // Commands of the fleet's own, for its firmware, have no id.
        let Some(id) = command["id"].as_str().map(str::to_owned) else { return };
        if self.doing.iter().any(|(known, _)| *known == id) {
            return;
        }
        let known = self.answered.iter().find(|(known, _)| *known == id).map(|(_, answer)| answer.clone());
        let answer = known.unwrap_or_else(|| self.judge(&id, &command, now_us));
        out.push((Sender::Pump(index), self.says("command/answer", &answer)));
        if answer["state"] != "accepted" {
            self.remember(id, answer);
        }
    }

    /// Does what it is asked, or says why not.
    fn judge(&mut self, id: &str, command: &Value, now_us: i64) -> Value {
        let refuses = |reason: &str| json!({"id": id, "state": "failed", "reason": reason});
        if command["expires_ms"].as_i64().is_none_or(|expires| expires <= now_us / 1_000) {
            return refuses("it came too late");
        }
        let name = command["command"].as_str().unwrap_or_default();
        let number = |name: &str| {
            let said = &command["parameters"][name];
            said["value"].as_f64().or(said.as_f64())
        };
        let mut set = BTreeMap::new();
        match name {
            "identify" => {}
            _ if self.manner.is_open(self.second) => return refuses("the door is open"),
            "set-rate" => match number("rate").filter(|rate| (0.0..=100.0).contains(rate)) {
                Some(rate) => {
                    self.rate = rate;
                    set.insert("rate", rate);
                }
                None => return refuses("a rate from 0 to 100 mL/h is needed"),
            },
            "set-pressure-limit" => match number("pressure").filter(|limit| (50.0..=750.0).contains(limit)) {
                Some(limit) => {
                    self.pressure_limit = limit;
                    set.insert("pressure", self.pressure_limit);
                }
                None => return refuses("a limit from 50 to 750 mmHg is needed"),
            },
            _ => return refuses("it does not know this command"),
        }
        self.done += 1;
        let forgets = self.manner == Manner::Forgetful && self.done.is_multiple_of(2);
        let read_back = if forgets { json!({}) } else { json!(set) };
        self.doing.push((id.to_owned(), json!({"id": id, "state": "done", "read_back": read_back})));
        json!({"id": id, "state": "accepted"})
    }

    fn remember(&mut self, id: String, answer: Value) {
        self.answered.push((id, answer));
        let over = self.answered.len().saturating_sub(REMEMBERED);
        self.answered.drain(..over);
    }

    fn says(&self, topic: &str, body: &Value) -> Outgoing {
        Outgoing::Publish {
            topic: format!("vitalwire/{}/{topic}", self.device),
            content_type: "application/json",
            payload: body.to_string().into_bytes(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ward::WardConfig;

    const NOW_US: i64 = 1_767_225_600_000_000;

    fn pump(manner: Manner) -> Pump {
        let plan = Plan::draw(&WardConfig::default());
        Pump { manner, ..Pump::new(0, &plan.beds[0]) }
    }

    /// What it says to a command, at once and in the next second: `state` or `state reason`.
    fn says(pump: &mut Pump, second: u64, command: &Value) -> Vec<String> {
        let mut out = Vec::new();
        pump.tick(0, second, NOW_US, &mut Vec::new());
        pump.told(0, command.to_string().as_bytes(), NOW_US, &mut out);
        pump.tick(0, second + 1, NOW_US + 1_000_000, &mut out);
        let answers = out.iter().filter_map(|(_, what)| match what {
            Outgoing::Publish { topic, payload, .. } if topic.ends_with("/command/answer") => {
                serde_json::from_slice::<Value>(payload).ok()
            }
            _ => None,
        });
        answers
            .map(|a| {
                let more = if a["reason"].is_string() { a["reason"].to_string() } else { a["read_back"].to_string() };
                format!("{} {more}", a["state"].as_str().unwrap_or("?"))
            })
            .collect()
    }

    fn rate(id: &str, rate: f64) -> Value {
        let expires_ms = NOW_US / 1_000 + 60_000;
        let parameters = json!({"rate": {"value": rate, "unit": "mL/h"}});
        json!({"id": id, "command": "set-rate", "parameters": parameters, "expires_ms": expires_ms})
    }

    #[test]
    fn it_accepts_does_and_reads_back_and_does_nothing_twice() {
        let mut pump = pump(Manner::Willing);
        assert_eq!(says(&mut pump, 1, &rate("c-1", 5.0)), ["accepted null", "done {\"rate\":5.0}"]);
        assert_eq!(pump.rate, 5.0);
        assert_eq!(says(&mut pump, 3, &rate("c-2", 7.0)).len(), 2);
        // The first one again: it says the same again and leaves the rate alone.
        assert_eq!(says(&mut pump, 5, &rate("c-1", 5.0)), ["done {\"rate\":5.0}"]);
        assert_eq!(pump.rate, 7.0);
    }

    #[test]
    fn what_it_does_not_do_it_says() {
        for (manner, second, command, expected) in [
            (Manner::Willing, 1, rate("c-1", 101.0), "failed \"a rate from 0 to 100 mL/h is needed\""),
            (Manner::DoorOpen, 100, rate("c-1", 5.0), "failed \"the door is open\""),
            (Manner::Willing, 1, json!({"id": "c-1", "command": "set-rate", "expires_ms": 1}), "failed \"it came too late\""),
            (Manner::Willing, 1, json!({"id": "c-1", "command": "dance", "expires_ms": i64::MAX}), "failed \"it does not know this command\""),
        ] {
            let mut pump = pump(manner);
            let before = pump.rate;
            assert_eq!(says(&mut pump, second, &command), [expected]);
            assert_eq!(pump.rate, before);
        }
        assert!(says(&mut pump(Manner::Willing), 1, &json!({"command": "update"})).is_empty());
    }

    #[test]
    fn one_forgets_to_read_back_and_one_is_away_at_times() {
        let mut forgetful = pump(Manner::Forgetful);
        assert_eq!(says(&mut forgetful, 1, &rate("c-1", 5.0))[1], "done {\"rate\":5.0}");
        assert_eq!(says(&mut forgetful, 3, &rate("c-2", 6.0))[1], "done {}");
        let mut away = pump(Manner::Away);
        let mut out = Vec::new();
        for second in 0..300 {
            away.tick(0, second, NOW_US, &mut out);
        }
        let introduced = out.iter().filter(|(_, what)| {
            matches!(what, Outgoing::Publish { topic, .. } if topic.ends_with("/status"))
        });
        assert_eq!(introduced.count(), 2, "it says who it is again when it is back");
        assert_eq!(out.iter().filter(|(_, what)| *what == Outgoing::Vanish).count(), 1);
    }
}
