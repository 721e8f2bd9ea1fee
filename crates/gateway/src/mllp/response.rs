//! What an alert manager says became of an alert of ours (IHE PCD-05), as what people do: who accepts
//! it takes it, who rejects it passes it on; the rest is kept for the record. And what a pump says
//! became of an infusion order of ours (IHE PCD-10), in the pump's name.

use journal::{Draft, Lane};
use vitals::{Action, Actor, Event, Role};
use wire_hl7::{AlertStatus, Inbound, Reply, Response};

/// The action that a status means, behind the message that said it: stored once with it, and never
/// answered on its own. A sender that is no configured alert manager, or speaks for one device only,
/// is refused.
pub(super) fn of(inbound: &mut Inbound, managers: &[String], for_a_device: bool) -> Option<(Reply, Draft)> {
    let status = inbound.status.as_ref()?;
    let sender = inbound.reply.sender();
    if for_a_device || !managers.iter().any(|name| name == sender) {
        inbound.refuse_status();
        return None;
    }
    metrics::counter!("vitalwire_alert_manager_responses_total", "response" => status.response.name()).increment(1);
    let who = if status.who.is_empty() { "nobody named" } else { &status.who };
    let actor = Actor { name: format!("{sender}/{who}"), role: Role::Service };
    let event = Event::Action(actor, action(status, sender));
    // The same message makes the same action, once.
    let dedup = inbound.dedup.map(|key| !key);
    Some((inbound.reply.unspoken(), Draft { lane: Lane::Urgent, dedup, event }))
}

/// What a pump's event says of a command, beside the event that said it: stored once with it, and never
/// answered on its own. Nothing when the pump may not say what the event holds.
pub(super) fn of_order(inbound: &Inbound) -> Option<(Reply, Draft)> {
    let programmed = inbound.programmed.clone()?;
    if inbound.message.readings().all(|(_, reading, _)| reading.device != programmed.device) {
        return None;
    }
    let actor = Actor { name: programmed.device.to_string(), role: Role::Service };
    let (command, device, step) = (programmed.command, programmed.device, programmed.step);
    let event = Event::Action(actor, Action::CommandStep { command, device, step });
    let dedup = inbound.dedup.map(|key| !key);
    Some((inbound.reply.unspoken(), Draft { lane: Lane::Urgent, dedup, event }))
}

fn action(status: &AlertStatus, sender: &str) -> Action {
    let episode = status.episode;
    let said = format!("{} by {sender}", status.said);
    match status.response {
        Response::Accepted => Action::Acknowledge { episode, until: None, note: said },
        Response::Rejected | Response::Undeliverable => Action::Escalate { episode, reason: said },
        Response::Delivered | Response::Read | Response::CallBack | Response::Cancelled => {
            Action::Note { subject: format!("alert {episode}"), detail: said }
        }
    }
}
