//! What the centre configures, put in force here: the policy, who is on which device, what is a
//! patient's own, and what people there did to alerts. What is refused is told to the centre.

use ::edge::{AlertDeed, Configuration, DeedKind, Own};
use alert::EpisodeState;
use anyhow::bail;
use journal::{Draft, Lane};
use vitals::time::SECOND;
use vitals::{Action, Actor, DirectoryEvent, Event, ReceiveTime, Role};

use super::follow::{CENTRE, now};
use crate::wiring::Near;

/// A centre's clock that is off by less than this is taken as ours, microseconds.
const CLOCK_OFF: i64 = 2 * SECOND;
/// What an alert's record says of a deed that came from the centre.
const AT_THE_CENTRE: &str = "at the centre";

/// Puts a configuration in force; gives what of it is refused, in words. `ahead_us`: how far the
/// centre's clock is ahead of ours.
pub(super) async fn put_in_force(near: &Near, wanted: &Configuration, ahead_us: i64) -> anyhow::Result<Vec<String>> {
    let mut refused = Vec::new();
    if let Some(policy) = &wanted.policy
        && *policy != near.live.policy().text
    {
        match alert::Policy::parse(policy) {
            Ok(_) => append(near, Event::Policy(centre(), policy.clone())).await?,
            Err(error) => {
                tracing::error!("the centre's policy is not understood here, the one before stays: {error}");
                refused.push(format!("the policy is not understood and the one before stays in force: {error}"));
            }
        }
    }
    for action in wanted.actions.iter().filter(|action| is_news(near, action)) {
        append(near, Event::Action(centre(), action.clone())).await?;
    }
    for own in &wanted.patients {
        for action in changes(near, own) {
            append(near, Event::Action(centre(), action)).await?;
        }
    }
    let ahead_us = if ahead_us.abs() > CLOCK_OFF { ahead_us } else { 0 };
    for deed in &wanted.deeds {
        if let Some(action) = done_there(near, deed, ahead_us) {
            let actor = Actor { name: deed.by.clone(), role: Role::Service };
            append(near, Event::Action(actor, action)).await?;
        }
    }
    Ok(refused)
}

fn centre() -> Actor {
    Actor { name: CENTRE.to_owned(), role: Role::Service }
}

/// Whether what the centre says of patients and devices is not so here yet.
fn is_news(near: &Near, action: &Action) -> bool {
    match action {
        Action::Associate { device, patient, .. } => near.live.on(device).as_ref() != Some(patient),
        Action::Disassociate { device, at } => {
            let line = near.live.device(device);
            let current = line.and_then(|line| line.associations.iter().find(|one| one.end.is_none()).cloned());
            // Put on somebody here after that, it stays.
            current.is_some_and(|current| at.is_none_or(|at| current.start <= at))
        }
        Action::Directory(DirectoryEvent::Patient(patient)) => {
            near.live.patient(&patient.id).is_none_or(|view| view.patient != *patient)
        }
        // Nothing else is the centre's to do here.
        _ => false,
    }
}

/// What makes a patient's own limits and scale what the centre says.
fn changes(near: &Near, own: &Own) -> Vec<Action> {
    let view = near.live.patient(&own.patient);
    let scale = view.as_ref().map_or(1, |view| view.spo2_scale);
    let mut actions = Vec::new();
    let reason = || AT_THE_CENTRE.to_owned();
    if scale != own.spo2_scale {
        actions.push(Action::SetSpo2Scale { patient: own.patient.clone(), scale: own.spo2_scale, reason: reason() });
    }
    let here = |metric| {
        view.as_ref()?.limits_set.iter().find(|limit| limit.metric == metric).map(|limit| (limit.low, limit.high))
    };
    for (metric, low, high) in &own.limits {
        if here(*metric) != Some((*low, *high)) {
            let (patient, metric, low, high) = (own.patient.clone(), *metric, *low, *high);
            actions.push(Action::SetLimits { patient, metric, low, high, reason: reason() });
        }
    }
    let kept = |metric| own.limits.iter().any(|(other, ..)| *other == metric);
    for metric in view.iter().flat_map(|view| view.own_limits.clone()).filter(|metric| !kept(*metric)) {
        let patient = own.patient.clone();
        actions.push(Action::SetLimits { patient, metric, low: None, high: None, reason: reason() });
    }
    actions
}

/// What somebody did at the centre, done to our alert of the same patient about the same; none when
/// it is so already, or something happened here after it: that stands, and goes up.
fn done_there(near: &Near, deed: &AlertDeed, ahead_us: i64) -> Option<Action> {
    let view = near.live.patient(&deed.patient)?;
    let alert = view.alerts.iter().find(|alert| alert.group == deed.group)?;
    if alert.changed_at > deed.at.saturating_sub(ahead_us) {
        return None;
    }
    let (episode, note) = (alert.id, AT_THE_CENTRE.to_owned());
    let ours = |until: i64| ReceiveTime(until.saturating_sub(ahead_us));
    let taken = alert.taken.as_ref().filter(|taken| taken.by == deed.by);
    let so_already = |state| alert.state == state && taken.is_some();
    match deed.what {
        DeedKind::Acknowledged(_) if so_already(EpisodeState::Acknowledged) => None,
        DeedKind::Acknowledged(until) => Some(Action::Acknowledge { episode, until: until.map(ours), note }),
        DeedKind::Snoozed(until) if ours(until) <= now() || so_already(EpisodeState::Snoozed) => None,
        DeedKind::Snoozed(until) => Some(Action::Snooze { episode, until: ours(until), reason: note }),
        DeedKind::Reset if alert.state == EpisodeState::Latched => Some(Action::Reset { episode, note }),
        DeedKind::Reset => None,
    }
}

async fn append(near: &Near, event: Event) -> anyhow::Result<()> {
    let draft = Draft { event, dedup: None, lane: Lane::Urgent };
    match near.appender.append(draft).await? {
        journal::Outcome::Failed(error) => bail!("the journal does not take it: {error}"),
        _ => Ok(()),
    }
}
