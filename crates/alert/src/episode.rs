//! Episodes: from active conditions to alerts. One episode for all that belongs together, however
//! often it is seen (AL-1); it sounds until somebody takes it (AL-4), and again when it worsens
//! (AL-3).

use serde::{Deserialize, Serialize};
use vitals::{Actor, EpisodeId, ReadingRef, Role};

use crate::condition::{Active, ConditionKey};
use crate::policy::{Policy, Priority};

mod elsewhere;

/// Where an episode stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum EpisodeState {
    /// Its signal is on.
    Raised,
    /// Somebody took it.
    Acknowledged,
    /// Somebody silenced it for a while.
    Snoozed,
    /// The condition is gone; the signal stays until somebody resets it.
    Latched,
    /// Over.
    Resolved,
}

impl EpisodeState {
    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Acknowledged => "acknowledged",
            Self::Snoozed => "snoozed",
            Self::Latched => "latched",
            Self::Resolved => "resolved",
        }
    }

    /// Whether it asks for somebody.
    #[must_use]
    pub const fn sounding(self) -> bool {
        matches!(self, Self::Raised | Self::Latched)
    }
}

/// Who took an episode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Account name.
    pub by: String,
    /// Until when, in microseconds; none: for the rest of the episode.
    pub until: Option<i64>,
}

/// A condition within an episode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Member {
    key: ConditionKey,
    priority: Priority,
    /// How far past its mark it is now.
    excess: f64,
    /// What it was when the episode was last taken or sounded: growth is measured from here.
    mark: f64,
    /// Of a limit: on which side of it.
    below: bool,
    /// Whether it holds now. One that ceased is remembered until the episode ends: its return at
    /// what was seen of it before is nothing new.
    holds: bool,
}

/// One alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Episode {
    /// Name.
    pub id: EpisodeId,
    /// What belongs together.
    pub group: String,
    /// Where it stands.
    pub state: EpisodeState,
    /// The most urgent condition's priority.
    pub priority: Priority,
    /// The most urgent condition's key.
    pub condition: ConditionKey,
    /// The most urgent condition's title.
    pub title: String,
    /// Why, in words with values.
    pub reason: String,
    /// The readings behind the reason (PR-1).
    pub readings: Vec<ReadingRef>,
    /// Raised, in microseconds.
    pub raised_at: i64,
    /// Last change, in microseconds.
    pub changed_at: i64,
    /// Who has it.
    pub taken: Option<Taken>,
    /// How often it went on to the next.
    pub level: u8,
    /// Whose turn it is.
    pub assigned: Role,
    /// When it goes on, in microseconds; none while it is taken.
    pub escalates_at: Option<i64>,
    members: Vec<Member>,
    chain: usize,
    latch: bool,
}

/// What happened to an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChangeKind {
    /// It began.
    Raised,
    /// It became more urgent, or a taken one got worse: it sounds.
    Worsened,
    /// Another condition joined.
    Joined,
    /// It became less urgent.
    Eased,
    /// Taken.
    Acknowledged,
    /// Silenced for a while.
    Snoozed,
    /// The time of being taken ran out: it sounds.
    Sounding,
    /// It went on to the next in its chain.
    Escalated,
    /// The condition is gone, the signal stays.
    Latched,
    /// A latched one was reset.
    Reset,
    /// Over.
    Resolved,
}

impl ChangeKind {
    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Raised => "raised",
            Self::Worsened => "worsened",
            Self::Joined => "joined",
            Self::Eased => "eased",
            Self::Acknowledged => "acknowledged",
            Self::Snoozed => "snoozed",
            Self::Sounding => "sounding",
            Self::Escalated => "escalated",
            Self::Latched => "latched",
            Self::Reset => "reset",
            Self::Resolved => "resolved",
        }
    }
}

/// A change, with the episode as it is after it.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The episode after the change.
    pub episode: Episode,
    /// What happened.
    pub kind: ChangeKind,
    /// Account name; `system` for the platform itself.
    pub actor: String,
    /// Free text.
    pub detail: String,
}

/// What an active condition means, in words: asked for only when something changes.
pub struct Description {
    /// Why, with values.
    pub reason: String,
    /// The readings behind it.
    pub readings: Vec<ReadingRef>,
}

/// What an episode needs from its surroundings in one step.
pub struct Context<'a> {
    /// Now, in microseconds.
    pub now: i64,
    /// The policy in force.
    pub policy: &'a Policy,
    /// Says what conditions mean.
    pub describe: &'a dyn Fn(&[&Active<'_>]) -> Description,
    /// Why the conditions of a group no longer hold.
    pub gone: &'a dyn Fn(&str) -> &'static str,
    /// Hands out episode names.
    pub next_id: &'a mut dyn FnMut() -> EpisodeId,
}

/// The open episodes of one patient (or of one device on nobody).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Episodes {
    open: Vec<Episode>,
    /// Those whose end somebody else tells; whoever reads this back says which.
    #[serde(skip)]
    elsewhere: Vec<EpisodeId>,
}

impl Episodes {
    /// The open episodes, in order of appearance.
    #[must_use]
    pub fn open(&self) -> &[Episode] {
        &self.open
    }

    /// Forgets the episodes that are not to be kept.
    pub fn keep(&mut self, wanted: impl Fn(EpisodeId) -> bool) {
        self.open.retain(|episode| wanted(episode.id));
    }

    /// Takes over an open episode as it was kept, unless what it is about has one.
    pub fn adopt(&mut self, episode: Episode) {
        let taken = self.open.iter().any(|other| other.group == episode.group);
        if !taken && episode.state != EpisodeState::Resolved {
            self.open.push(episode);
        }
    }

    /// Takes in the conditions that hold now, and the passing of time.
    pub fn step(&mut self, active: &[Active<'_>], cx: &mut Context<'_>, out: &mut Vec<Change>) {
        for episode in &mut self.open {
            let members: Vec<&Active<'_>> =
                active.iter().filter(|active| active.group == episode.group).collect();
            if members.is_empty() && self.elsewhere.contains(&episode.id) {
                episode.pass_time(cx, out);
            } else {
                episode.step(&members, cx, out);
            }
        }
        self.open.retain(|episode| episode.state != EpisodeState::Resolved);
        for condition in active {
            if self.open.iter().all(|episode| episode.group != condition.group) {
                let members: Vec<&Active<'_>> =
                    active.iter().filter(|other| other.group == condition.group).collect();
                let episode = Episode::raise(&members, cx);
                out.push(episode.change(ChangeKind::Raised, "system", &episode.reason));
                self.open.push(episode);
            }
        }
    }

    /// When time alone next changes something.
    #[must_use]
    pub fn due(&self) -> Option<i64> {
        self.open.iter().filter_map(Episode::due).min()
    }

    /// Ends every episode: the patient left, or the device did.
    pub fn end_all(&mut self, now: i64, why: &str, out: &mut Vec<Change>) {
        self.elsewhere.clear();
        for mut episode in self.open.drain(..) {
            episode.set(EpisodeState::Resolved, now);
            out.push(episode.change(ChangeKind::Resolved, "system", why));
        }
    }

    /// Somebody acknowledges. Returns false when there is no such open episode.
    pub fn acknowledge(
        &mut self,
        id: EpisodeId,
        by: &Actor,
        until: Option<i64>,
        note: &str,
        now: i64,
        out: &mut Vec<Change>,
    ) -> bool {
        let Some(episode) = self.find(id) else { return false };
        if episode.state == EpisodeState::Latched {
            episode.set(EpisodeState::Resolved, now);
            out.push(episode.change(ChangeKind::Acknowledged, &by.name, note));
            out.push(episode.change(ChangeKind::Resolved, "system", "condition gone, acknowledged"));
            self.open.retain(|episode| episode.id != id);
            return true;
        }
        episode.take(by, until, EpisodeState::Acknowledged, now);
        out.push(episode.change(ChangeKind::Acknowledged, &by.name, note));
        true
    }

    /// Somebody silences it until `until`. Returns false when there is no such open episode.
    pub fn snooze(
        &mut self,
        id: EpisodeId,
        by: &Actor,
        until: i64,
        reason: &str,
        now: i64,
        out: &mut Vec<Change>,
    ) -> bool {
        let Some(episode) = self.find(id) else { return false };
        episode.take(by, Some(until), EpisodeState::Snoozed, now);
        out.push(episode.change(ChangeKind::Snoozed, &by.name, reason));
        true
    }

    /// Somebody passes it on now. Returns false when there is no such open episode.
    pub fn escalate(
        &mut self,
        id: EpisodeId,
        by: &Actor,
        reason: &str,
        now: i64,
        policy: &Policy,
        out: &mut Vec<Change>,
    ) -> bool {
        let Some(episode) = self.find(id) else { return false };
        if !episode.state.sounding() {
            episode.sound(now, policy);
        }
        episode.move_on(now, policy);
        out.push(episode.change(ChangeKind::Escalated, &by.name, reason));
        true
    }

    /// Somebody resets a latched one. Returns false when there is none such.
    pub fn reset(
        &mut self,
        id: EpisodeId,
        by: &Actor,
        note: &str,
        now: i64,
        out: &mut Vec<Change>,
    ) -> bool {
        let Some(episode) = self.find(id) else { return false };
        if episode.state != EpisodeState::Latched {
            return false;
        }
        episode.set(EpisodeState::Resolved, now);
        out.push(episode.change(ChangeKind::Reset, &by.name, note));
        out.push(episode.change(ChangeKind::Resolved, "system", "condition gone, reset"));
        self.open.retain(|episode| episode.id != id);
        true
    }

    fn find(&mut self, id: EpisodeId) -> Option<&mut Episode> {
        self.open.iter_mut().find(|episode| episode.id == id)
    }
}

impl Episode {
    fn raise(members: &[&Active<'_>], cx: &mut Context<'_>) -> Self {
        let first = most_urgent(members);
        let chain = first.chain.min(cx.policy.chains.len().saturating_sub(1));
        let description = (cx.describe)(members);
        let mut episode = Self {
            id: (cx.next_id)(),
            group: first.group.to_owned(),
            state: EpisodeState::Raised,
            priority: first.priority,
            condition: first.key.clone(),
            title: first.title.to_owned(),
            reason: description.reason,
            readings: description.readings,
            raised_at: cx.now,
            changed_at: cx.now,
            taken: None,
            level: 0,
            assigned: Role::Nurse,
            escalates_at: None,
            members: members.iter().map(|active| Member::of(active)).collect(),
            chain,
            latch: members.iter().any(|active| active.latch),
        };
        episode.sound(cx.now, cx.policy);
        episode
    }

    fn step(&mut self, members: &[&Active<'_>], cx: &mut Context<'_>, out: &mut Vec<Change>) {
        if members.is_empty() {
            self.condition_gone(cx, out);
        } else {
            self.condition_holds(members, cx, out);
        }
        self.pass_time(cx, out);
    }

    fn condition_gone(&mut self, cx: &Context<'_>, out: &mut Vec<Change>) {
        match self.state {
            EpisodeState::Latched | EpisodeState::Resolved => {}
            EpisodeState::Raised if self.latch => {
                self.set(EpisodeState::Latched, cx.now);
                out.push(self.change(ChangeKind::Latched, "system", (cx.gone)(&self.group)));
            }
            _ => {
                self.set(EpisodeState::Resolved, cx.now);
                self.escalates_at = None;
                out.push(self.change(ChangeKind::Resolved, "system", (cx.gone)(&self.group)));
            }
        }
    }

    fn condition_holds(&mut self, members: &[&Active<'_>], cx: &Context<'_>, out: &mut Vec<Change>) {
        let first = most_urgent(members);
        let joined: Vec<&&Active<'_>> = members
            .iter()
            .filter(|active| self.members.iter().all(|member| member.key != *active.key))
            .collect();
        let more_urgent = first.priority > self.priority;
        let less_urgent = first.priority < self.priority;
        let taken = !self.state.sounding();
        let grown = taken && members.iter().any(|active| self.has_grown(active));
        let as_urgent_joined = joined.iter().any(|active| active.priority >= self.priority);
        let worse = more_urgent || (taken && (grown || as_urgent_joined));
        let kind = if worse {
            ChangeKind::Worsened
        } else if !joined.is_empty() {
            ChangeKind::Joined
        } else if less_urgent {
            ChangeKind::Eased
        } else if self.state == EpisodeState::Latched {
            ChangeKind::Sounding
        } else {
            self.renew_members(members, false);
            return;
        };
        if self.state == EpisodeState::Latched {
            self.set(EpisodeState::Raised, cx.now);
        }
        self.members.extend(joined.iter().map(|active| Member::of(active)));
        self.renew_members(members, worse);
        self.priority = first.priority;
        self.condition = first.key.clone();
        first.title.clone_into(&mut self.title);
        let description = (cx.describe)(members);
        self.reason = description.reason;
        self.readings = description.readings;
        self.changed_at = cx.now;
        if worse && taken {
            self.sound(cx.now, cx.policy);
        }
        out.push(self.change(kind, "system", &self.reason));
    }

    /// Brings the members up to date.
    fn renew_members(&mut self, members: &[&Active<'_>], mark: bool) {
        for member in &mut self.members {
            let active = members.iter().find(|active| *active.key == member.key);
            member.holds = active.is_some();
            let Some(active) = active else { continue };
            member.priority = active.priority;
            member.excess = active.excess;
            if mark || member.below != active.below {
                member.mark = active.excess;
            }
            member.below = active.below;
        }
    }

    fn has_grown(&self, active: &Active<'_>) -> bool {
        self.members.iter().any(|member| {
            let grown = active.excess >= member.mark + active.worsen_by;
            // From one side of its limits to the other: another trouble altogether.
            member.key == *active.key && (grown || member.below != active.below)
        })
    }

    fn pass_time(&mut self, cx: &Context<'_>, out: &mut Vec<Change>) {
        let over = self.taken.as_ref().and_then(|taken| taken.until).is_some_and(|u| cx.now >= u);
        if over && self.state != EpisodeState::Resolved {
            self.sound(cx.now, cx.policy);
            out.push(self.change(ChangeKind::Sounding, "system", "nobody ended it in time"));
        }
        if self.state.sounding() && self.escalates_at.is_some_and(|at| cx.now >= at) {
            self.move_on(cx.now, cx.policy);
            out.push(self.change(ChangeKind::Escalated, "system", "nobody took it in time"));
        }
    }

    fn due(&self) -> Option<i64> {
        let until = self.taken.as_ref().and_then(|taken| taken.until);
        [until, self.escalates_at].into_iter().flatten().min()
    }

    fn set(&mut self, state: EpisodeState, now: i64) {
        self.state = state;
        self.changed_at = now;
    }

    fn take(&mut self, by: &Actor, until: Option<i64>, state: EpisodeState, now: i64) {
        self.set(state, now);
        self.taken = Some(Taken { by: by.name.clone(), until });
        self.escalates_at = None;
        // Worsening is measured from what the person saw.
        for member in &mut self.members {
            member.mark = member.excess;
        }
    }

    /// Turns the signal on, from the beginning of the chain.
    fn sound(&mut self, now: i64, policy: &Policy) {
        if self.state != EpisodeState::Latched {
            self.state = EpisodeState::Raised;
        }
        self.changed_at = now;
        self.taken = None;
        self.level = 0;
        // A chain that a new policy no longer has leaves its alerts to the default one (AL-4).
        if let Some(chain) = policy.chains.get(self.chain).or(policy.chains.first()) {
            self.assigned = chain.role(0);
            self.escalates_at = Some(chain.next_at(0, now));
        }
    }

    fn move_on(&mut self, now: i64, policy: &Policy) {
        let Some(chain) = policy.chains.get(self.chain).or(policy.chains.first()) else { return };
        self.level = self.level.saturating_add(1);
        self.assigned = chain.role(self.level);
        self.escalates_at = Some(chain.next_at(self.level, now));
        self.changed_at = now;
    }

    fn change(&self, kind: ChangeKind, actor: &str, detail: &str) -> Change {
        Change { episode: self.clone(), kind, actor: actor.into(), detail: detail.into() }
    }
}

impl Member {
    fn of(active: &Active<'_>) -> Self {
        Self {
            key: active.key.clone(),
            priority: active.priority,
            excess: active.excess,
            mark: active.excess,
            below: active.below,
            holds: true,
        }
    }
}

fn most_urgent<'a, 'b>(members: &[&'a Active<'b>]) -> &'a Active<'b> {
    members
        .iter()
        .rev()
        .max_by_key(|active| active.priority)
        .expect("an episode is stepped with at least one condition")
}
