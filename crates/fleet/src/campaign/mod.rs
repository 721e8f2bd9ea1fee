//! Firmware updates in rings: a closed state machine a device, and one for the whole.
//!
//! Invariants, by which tests and documents name them:
//!
//! - **FW-1** A device on a patient is offered nothing, and an offer that it has not begun to install is
//!   taken back when it comes onto one.
//! - **FW-2** A ring begins only when the one before has passed: so many confirmed, none under way.
//! - **FW-3** A paused, halted or ended campaign makes no offer.
//! - **FW-4** More failures in a ring than the limit halt the campaign.
//! - **FW-5** Confirmed is what the device itself reports as running, and only if it is the version that
//!   was offered.
//!
//! What is absent: signatures (the guard has checked them before a campaign exists), any clock.

mod gate;
mod plan;
mod ring;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use gate::{Facts, Obstacle, obstacle};
pub use plan::{Hours, Plan, PlanError, Ring, Target};

/// What a campaign does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Made, not begun.
    Draft,
    /// Offers are made.
    Running,
    /// A person stopped it for now.
    Paused,
    /// Too many failures: a person has to look, and resume or roll back.
    Halted,
    /// Devices are told to go back to what they had.
    RollingBack,
    /// Nothing is left to do.
    Finished,
}

impl State {
    /// Lower kebab-case name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Halted => "halted",
            Self::RollingBack => "rolling-back",
            Self::Finished => "finished",
        }
    }
}

/// Where one device is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// It may be offered the update when its ring's turn comes and nothing stands against it.
    Eligible,
    /// It was told.
    Offered,
    /// It has begun to load.
    Downloading,
    /// It has installed and not yet said that it runs.
    Installed,
    /// It runs what was offered.
    Confirmed,
    /// It could not.
    Failed,
    /// It was told to go back.
    Returning,
    /// It is back at what it had.
    RolledBack,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 8] = [
        Self::Eligible, Self::Offered, Self::Downloading, Self::Installed, Self::Confirmed,
        Self::Failed, Self::Returning, Self::RolledBack,
    ];

    /// Lower kebab-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eligible => "eligible",
            Self::Offered => "offered",
            Self::Downloading => "downloading",
            Self::Installed => "installed",
            Self::Confirmed => "confirmed",
            Self::Failed => "failed",
            Self::Returning => "returning",
            Self::RolledBack => "rolled-back",
        }
    }

    /// Whether the device has the update in hand.
    #[must_use]
    pub const fn under_way(self) -> bool {
        matches!(self, Self::Offered | Self::Downloading | Self::Installed)
    }
}

/// One device in a campaign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Its ring, from 0.
    pub ring: usize,
    /// Where it is.
    pub step: Step,
    /// Since when, microseconds since 1970.
    pub since_us: i64,
    /// What it ran before.
    pub before: String,
    /// Its own word on it, or ours: why it failed, what it waits for.
    pub note: String,
}

/// A campaign.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Campaign {
    /// What is to be done.
    pub plan: Plan,
    /// What it does.
    pub state: State,
    /// Why it is in that state; may be empty.
    pub why: String,
    /// The ring whose turn it is, from 0.
    pub ring: usize,
    /// Since when the ring's devices are all settled, while its soak time runs.
    pub settled_us: Option<i64>,
    /// The devices, by id.
    pub members: BTreeMap<String, Member>,
}

/// What a device says of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// It loads.
    Downloading,
    /// It has installed and starts anew.
    Installed,
    /// It runs this version.
    Running(String),
    /// It could not, and why.
    Failed(String),
    /// It is back at what it had.
    RolledBack,
}

/// What is to be told to a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Install this.
    Offer(String),
    /// Forget the offer.
    Withdraw(String),
    /// Go back to the version before.
    Return(String),
}

/// Why something is not done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CampaignError {
    /// The campaign is in another state.
    #[error("the campaign's state does not allow this now")]
    State,
    /// The device is not part of it, or not offered anything.
    #[error("this device is offered nothing by this campaign")]
    NotOffered,
}

impl Campaign {
    /// A draft for these devices (id and firmware), each put into its ring.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn draft(plan: Plan, devices: &[(String, String)], now_us: i64) -> Result<Self, PlanError> {
        plan.check()?;
        let rings = ring::assign(&plan, devices.iter().map(|(id, _)| id.as_str()));
        let members = devices.iter().filter_map(|(id, version)| {
            let member = Member {
                ring: *rings.get(id.as_str())?,
                step: Step::Eligible,
                since_us: now_us,
                before: version.clone(),
                note: String::new(),
            };
            Some((id.clone(), member))
        });
        let members: BTreeMap<String, Member> = members.collect();
        if members.is_empty() {
            return Err(PlanError::NoDevices);
        }
        let (state, why) = (State::Draft, String::new());
        Ok(Self { plan, state, why, ring: 0, settled_us: None, members })
    }

    /// Begins it, or goes on after a pause or halt.
    ///
    /// # Errors
    /// [`CampaignError::State`].
    pub fn resume(&mut self) -> Result<(), CampaignError> {
        match self.state {
            State::Draft | State::Paused | State::Halted => {
                if self.state == State::Halted {
                    // Whoever resumes has looked at the failures: they are tried once more.
                    for member in self.members.values_mut().filter(|m| m.step == Step::Failed) {
                        member.step = Step::Eligible;
                    }
                }
                self.state = State::Running;
                self.why.clear();
                self.settled_us = None;
                // What failed during a pause halts it now (FW-4).
                self.halt_if_failing();
                Ok(())
            }
            _ => Err(CampaignError::State),
        }
    }

    /// Stops making offers. What devices have begun to install goes on; what they were only offered is
    /// taken back.
    ///
    /// # Errors
    /// [`CampaignError::State`].
    pub fn pause(&mut self, why: &str, now_us: i64) -> Result<Vec<Effect>, CampaignError> {
        if self.state != State::Running {
            return Err(CampaignError::State);
        }
        self.state = State::Paused;
        why.clone_into(&mut self.why);
        Ok(self.withdraw(|_, _| Some("paused"), now_us))
    }

    /// Tells every device that has installed it to go back. Those on a patient are told
    /// when they are off (FW-1).
    ///
    /// # Errors
    /// [`CampaignError::State`].
    pub fn roll_back(&mut self, why: &str, now_us: i64) -> Result<Vec<Effect>, CampaignError> {
        if matches!(self.state, State::Draft | State::RollingBack) {
            return Err(CampaignError::State);
        }
        self.state = State::RollingBack;
        why.clone_into(&mut self.why);
        Ok(self.withdraw(|_, _| Some("rolled back"), now_us))
    }

    /// Takes in what a device says.
    ///
    /// # Errors
    /// [`CampaignError::NotOffered`] when nothing was offered to it.
    pub fn report(&mut self, device: &str, report: &Report, now_us: i64) -> Result<(), CampaignError> {
        let wanted = self.plan.target.version.clone();
        let member = self.members.get_mut(device).ok_or(CampaignError::NotOffered)?;
        let (step, note) = match (member.step, report) {
            (Step::Offered | Step::Downloading, Report::Downloading) => (Step::Downloading, ""),
            (Step::Offered | Step::Downloading | Step::Installed, Report::Installed) => {
                (Step::Installed, "")
            }
            (step, Report::Running(version)) if step.under_way() => {
                match crate::firmware::same_name(version, &wanted) {
                    true => (Step::Confirmed, ""),
                    // Before it has installed, it says what it still runs.
                    false if step != Step::Installed => (step, ""),
                    false => (Step::Failed, "runs another version than was offered"),
                }
            }
            (step, Report::Failed(why)) if step.under_way() => (Step::Failed, why.as_str()),
            (Step::Returning, Report::RolledBack) => (Step::RolledBack, ""),
            (Step::Returning, Report::Running(version)) => match crate::firmware::same_name(version, &wanted) {
                true => (Step::Returning, ""),
                false => (Step::RolledBack, ""),
            },
            (Step::Returning, Report::Failed(why)) => (Step::Returning, why.as_str()),
            // Said again, or late: nothing changes.
            (Step::Confirmed, Report::Installed | Report::Running(_)) => return Ok(()),
            _ => return Err(CampaignError::NotOffered),
        };
        if member.step != step {
            member.step = step;
            member.since_us = now_us;
        }
        member.note = note.chars().take(200).collect();
        self.halt_if_failing();
        Ok(())
    }

    /// Lets time pass, with what is known of each device now; what is to be told to whom.
    pub fn tick(&mut self, facts: impl Fn(&str) -> Facts, now_us: i64) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.expire(now_us);
        self.halt_if_failing();
        if matches!(self.state, State::Running | State::Paused | State::Halted) {
            // FW-1 holds in every state: what is not begun is taken back.
            effects.extend(self.withdraw(|device, _| facts(device).on_patient.then_some("on a patient"), now_us));
        }
        match self.state {
            State::Running => {
                self.next_ring(now_us);
                if self.state == State::Running {
                    effects.extend(self.offer(&facts, now_us));
                }
            }
            State::RollingBack => effects.extend(self.send_back(&facts, now_us)),
            _ => {}
        }
        effects
    }

    /// Whether a device may load the target now: it was offered, and is on no patient.
    #[must_use]
    pub fn may_load(&self, device: &str, facts: Facts) -> bool {
        let open = matches!(self.state, State::Running | State::Paused | State::Halted);
        let offered = self.members.get(device).is_some_and(|m| matches!(m.step, Step::Offered | Step::Downloading));
        open && offered && !facts.on_patient
    }

    /// How many devices are at each step.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Step, usize> {
        let mut counts = BTreeMap::new();
        for member in self.members.values() {
            *counts.entry(member.step).or_default() += 1;
        }
        counts
    }

    fn of_ring(&self, ring: usize) -> impl Iterator<Item = &Member> {
        self.members.values().filter(move |member| member.ring == ring)
    }

    fn offer(&mut self, facts: &impl Fn(&str) -> Facts, now_us: i64) -> Vec<Effect> {
        let under_way = self.members.values().filter(|m| m.step.under_way()).count();
        let mut room = self.plan.at_once.saturating_sub(under_way);
        let (plan, ring) = (&self.plan, self.ring);
        let mut effects = Vec::new();
        for (device, member) in &mut self.members {
            if member.ring != ring || member.step != Step::Eligible {
                continue;
            }
            let known = facts(device);
            // Whoever runs it already needs no offer.
            if crate::firmware::same_name(&known.version, &plan.target.version) {
                (member.step, member.since_us) = (Step::Confirmed, now_us);
                member.note = "had it already".to_owned();
                continue;
            }
            match obstacle(plan, &known, now_us) {
                Some(obstacle) => member.note = obstacle.to_string(),
                None if room == 0 => member.note = "waits for others to finish".to_owned(),
                None => {
                    room -= 1;
                    (member.step, member.since_us) = (Step::Offered, now_us);
                    member.before.clone_from(&known.version);
                    member.note.clear();
                    effects.push(Effect::Offer(device.clone()));
                }
            }
        }
        effects
    }

    /// Takes back offers that were not begun, where `reason` gives one.
    fn withdraw(
        &mut self,
        reason: impl Fn(&str, &Member) -> Option<&'static str>,
        now_us: i64,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (device, member) in &mut self.members {
            if !matches!(member.step, Step::Offered | Step::Downloading) {
                continue;
            }
            if let Some(reason) = reason(device, member) {
                (member.step, member.since_us) = (Step::Eligible, now_us);
                member.note = format!("offer taken back: {reason}");
                effects.push(Effect::Withdraw(device.clone()));
            }
        }
        effects
    }

    fn send_back(&mut self, facts: &impl Fn(&str) -> Facts, now_us: i64) -> Vec<Effect> {
        let mut effects = Vec::new();
        for (device, member) in &mut self.members {
            let has_it = matches!(member.step, Step::Installed | Step::Confirmed);
            if !has_it || member.note == "had it already" {
                continue;
            }
            match facts(device) {
                known if known.on_patient => member.note = Obstacle::OnPatient.to_string(),
                known if !known.online => member.note = Obstacle::Offline.to_string(),
                _ => {
                    (member.step, member.since_us) = (Step::Returning, now_us);
                    member.note.clear();
                    effects.push(Effect::Return(device.clone()));
                }
            }
        }
        let left = self.members.values().any(|m| {
            m.step == Step::Returning || (matches!(m.step, Step::Installed | Step::Confirmed) && m.note != "had it already")
        });
        if !left {
            self.state = State::Finished;
            "rolled back".clone_into(&mut self.why);
        }
        effects
    }

    /// An update that takes too long has failed.
    fn expire(&mut self, now_us: i64) {
        let limit_us = i64::from(self.plan.patience_min) * 60_000_000;
        for member in self.members.values_mut().filter(|m| m.step.under_way()) {
            if now_us.saturating_sub(member.since_us) > limit_us {
                member.note = format!("nothing heard for {} minutes while {}", self.plan.patience_min, member.step.name());
                (member.step, member.since_us) = (Step::Failed, now_us);
            }
        }
    }

    /// FW-4.
    fn halt_if_failing(&mut self) {
        if self.state != State::Running {
            return;
        }
        let size = self.of_ring(self.ring).count();
        let failed = self.of_ring(self.ring).filter(|m| m.step == Step::Failed).count();
        if failed * 100 > usize::from(self.plan.failures_max_percent) * size {
            self.state = State::Halted;
            self.why = format!("{failed} of {size} devices of ring {} failed", self.ring + 1);
        }
    }

    /// FW-2: goes on to the next ring when this one has passed and its soak time is over.
    fn next_ring(&mut self, now_us: i64) {
        let size = self.of_ring(self.ring).count();
        let confirmed = self.of_ring(self.ring).filter(|m| m.step == Step::Confirmed).count();
        let under_way = self.of_ring(self.ring).any(|m| m.step.under_way());
        let last = self.ring + 1 >= self.plan.rings.len();
        let needed = if last { 100 } else { usize::from(self.plan.confirmed_min_percent) };
        let failed = self.of_ring(self.ring).filter(|m| m.step == Step::Failed).count();
        let settled = if last { confirmed + failed == size } else { confirmed * 100 >= needed * size };
        if !settled || under_way {
            self.settled_us = None;
            return;
        }
        let since = *self.settled_us.get_or_insert(now_us);
        let soak_us = i64::from(self.plan.soak_min) * 60_000_000;
        if now_us.saturating_sub(since) < soak_us && !last {
            return;
        }
        self.settled_us = None;
        if last {
            // Devices of rings before that were on a patient all the time get their turn now.
            let waiting: Vec<&mut Member> =
                self.members.values_mut().filter(|m| m.step == Step::Eligible).collect();
            if waiting.is_empty() {
                let others = self.members.values().any(|m| m.step.under_way());
                if !others {
                    self.state = State::Finished;
                }
            } else {
                let ring = self.ring;
                waiting.into_iter().for_each(|member| member.ring = ring);
            }
        } else {
            self.ring += 1;
        }
    }
}

#[cfg(test)]
mod tests;
