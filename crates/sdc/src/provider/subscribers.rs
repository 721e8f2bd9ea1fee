//! Who is told of a host's changes, for how long, and how much may wait for each.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use markup::Element;
use parking_lot::Mutex;
use rustls::ClientConfig;
use tokio::sync::mpsc;
use vitals::ReceiveTime;
use wire_dpws::eventing::{EndStatus, Eventing, Subscribe};
use wire_dpws::names::{MSG, PM};
use wire_dpws::{Endpoint, Envelope, Fault, Header, Payload, Prefixes};

use super::access::{Access, Caller};
use super::delivery::{Courier, Sink};

/// Something for a subscriber.
enum Mail {
    /// A report and its action.
    Report(Arc<str>, Arc<Element>),
    /// It is over.
    End(EndStatus, &'static str),
}

/// One subscription.
struct Subscription {
    host: usize,
    caller: Caller,
    actions: Vec<String>,
    expires: ReceiveTime,
    queue: mpsc::Sender<Mail>,
    /// Where the last word goes when the queue is full.
    last: Arc<Mutex<Option<(EndStatus, &'static str)>>>,
}

/// All subscriptions.
pub(super) struct Subscribers {
    all: Mutex<HashMap<u64, Subscription>>,
    next: AtomicU64,
    most: usize,
    queue: usize,
    tls: Arc<ClientConfig>,
    access: Access,
    live: live::Live,
}

impl Subscribers {
    pub(super) fn new(most: usize, queue: usize, tls: Arc<ClientConfig>, access: Access, live: live::Live) -> Self {
        Self { all: Mutex::default(), next: AtomicU64::new(1), most, queue: queue.max(1), tls, access, live }
    }

    /// Takes somebody on; gives the number, under which the subscription's address is made.
    pub(super) fn add(
        self: &Arc<Self>,
        host: usize,
        caller: &Caller,
        asked: &Subscribe,
        expires: ReceiveTime,
        base: &str,
    ) -> Result<u64, Fault> {
        let bad = |reason: &str| Fault::sender(wire_dpws::names::WSE, "InvalidMessage", reason);
        let sink = Sink::read(&asked.notify_to.address, caller)
            .ok_or_else(|| bad("reports go over https to the address that the subscriber came from"))?;
        let end = asked.end_to.as_ref().and_then(|end| Some((Sink::read(&end.address, caller)?, end.clone())));
        let mut all = self.all.lock();
        if all.len() >= self.most {
            self.live.count("sdc-subscriptions-full", 1);
            return Err(Fault::receiver(wire_dpws::names::WSE, "EventSourceUnableToProcess", "too many subscriptions"));
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (queue, waiting) = mpsc::channel(self.queue);
        let last = Arc::default();
        let round = Round {
            number,
            notify: (sink, asked.notify_to.clone()),
            end,
            manager: Endpoint::new(format!("{base}/{number}")),
            last: Arc::clone(&last),
        };
        let courier = Courier::new(Arc::clone(&self.tls), self.access.clone(), caller.clone());
        tokio::spawn(round.run(courier, waiting, Arc::clone(self)));
        let actions = asked.actions.clone();
        all.insert(number, Subscription { host, caller: caller.clone(), actions, expires, queue, last });
        Ok(number)
    }

    /// The subscription's new end, if it is this caller's.
    pub(super) fn renew(&self, number: u64, host: usize, caller: &Caller, expires: ReceiveTime) -> bool {
        let mut all = self.all.lock();
        let known = all.get_mut(&number).filter(|s| s.host == host && s.caller.account == caller.account);
        known.map(|subscription| subscription.expires = expires).is_some()
    }

    /// When the subscription ends, if it is this caller's.
    pub(super) fn expires(&self, number: u64, host: usize, caller: &Caller) -> Option<ReceiveTime> {
        let all = self.all.lock();
        let known = all.get(&number).filter(|s| s.host == host && s.caller.account == caller.account);
        known.map(|subscription| subscription.expires)
    }

    /// Ends it as its owner asks.
    pub(super) fn remove(&self, number: u64, host: usize, caller: &Caller) -> bool {
        let known = self.expires(number, host, caller).is_some();
        known && self.all.lock().remove(&number).is_some()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.all.lock().len()
    }

    /// Whether a host has any.
    pub(super) fn of_host(&self, host: usize) -> Vec<(u64, Caller)> {
        let all = self.all.lock();
        all.iter().filter(|(_, s)| s.host == host).map(|(number, s)| (*number, s.caller.clone())).collect()
    }

    /// Tells a host's subscribers. Who can't keep up is ended (DU-3), and that is counted (DU-2).
    pub(super) fn tell(&self, host: usize, action: &str, body: Element) {
        let (action, body): (Arc<str>, _) = (action.into(), Arc::new(body));
        let mut all = self.all.lock();
        let wants = |s: &Subscription| s.actions.is_empty() || s.actions.iter().any(|wanted| *wanted == *action);
        let mut slow = Vec::new();
        for (number, subscription) in all.iter().filter(|(_, s)| s.host == host && wants(s)) {
            let mail = Mail::Report(Arc::clone(&action), Arc::clone(&body));
            if subscription.queue.try_send(mail).is_err() {
                slow.push(*number);
            }
        }
        for number in slow {
            self.live.count("sdc-subscriber-too-slow", 1);
            if let Some(gone) = all.remove(&number) {
                tracing::warn!(account = %gone.caller.account, "SDC: a subscription ends, for its reports wait too long");
                *gone.last.lock() = Some((EndStatus::DeliveryFailure, "reports were not accepted in time"));
            }
        }
    }

    /// Ends subscriptions that are over, silently, as everybody expects them to be.
    pub(super) fn expire(&self, now: ReceiveTime) {
        let mut all = self.all.lock();
        let before = all.len();
        all.retain(|_, subscription| subscription.expires > now);
        let over = before - all.len();
        if over > 0 {
            self.live.count("sdc-subscription-expired", over as u64);
        }
    }

    /// Ends one that may be no longer.
    pub(super) fn end(&self, number: u64, status: EndStatus, why: &'static str) {
        if let Some(gone) = self.all.lock().remove(&number) {
            if gone.queue.try_send(Mail::End(status, why)).is_err() {
                *gone.last.lock() = Some((status, why));
            }
        }
    }

    /// Ends all.
    pub(super) fn end_all(&self, status: EndStatus, why: &'static str) {
        let numbers: Vec<u64> = self.all.lock().keys().copied().collect();
        for number in numbers {
            self.end(number, status, why);
        }
    }
}

/// The way of reports to one subscriber.
struct Round {
    number: u64,
    notify: (Sink, Endpoint),
    end: Option<(Sink, Endpoint)>,
    manager: Endpoint,
    last: Arc<Mutex<Option<(EndStatus, &'static str)>>>,
}

impl Round {
    async fn run(self, mut courier: Courier, mut waiting: mpsc::Receiver<Mail>, all: Arc<Subscribers>) {
        while let Some(mail) = waiting.recv().await {
            // Whoever was ended for slowness gets no more of what waited, only the last word.
            if self.last.lock().is_some() {
                break;
            }
            let (action, body) = match mail {
                Mail::Report(action, body) => (action, body),
                Mail::End(status, why) => {
                    *self.last.lock() = Some((status, why));
                    break;
                }
            };
            let mut prefixes = Prefixes::default();
            let _ = (prefixes.prefix(PM), prefixes.prefix(MSG));
            let header = Header::to(&*action, &self.notify.1, super::server::message_id());
            let message = Envelope { header, body: Some((*body).clone()) }.write(&prefixes);
            if let Err(error) = courier.send(&self.notify.0, &message).await {
                // Whoever was ended meanwhile, for slowness or otherwise, was counted then.
                if self.last.lock().is_none() {
                    tracing::warn!(account = %courier.caller.account, error, "SDC: a subscription ends, for reports can't be delivered");
                    all.live.count("sdc-delivery-failed", 1);
                    all.all.lock().remove(&self.number);
                    *self.last.lock() = Some((EndStatus::DeliveryFailure, "reports could not be delivered"));
                }
                break;
            }
        }
        drop(waiting);
        let last = self.last.lock().take();
        if let (Some((status, why)), Some((sink, to))) = (last, self.end) {
            let end = Eventing::SubscriptionEnd(self.manager, status, why.to_owned());
            let message = Envelope::write_payload(Header::to(end.action(), &to, super::server::message_id()), &end);
            // Who does not take reports may not take this either.
            let _ = courier.send(&sink, &message).await;
        }
    }
}
