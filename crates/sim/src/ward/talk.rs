//! The connection of a device that speaks and listens: a pump with its command topic.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep};

use super::run::{Counters, connect_mqtt};
use super::state::Outgoing;
use crate::error::SimError;
use crate::link::{MqttLink, MqttOptions};

/// What is done with a payload that came.
pub(super) type Heard = Box<dyn Fn(Vec<u8>) + Send>;

/// Keep-alive is 60 s.
const PING_EVERY: Duration = Duration::from_secs(25);
/// Before a connection is tried again.
const PAUSE: Duration = Duration::from_millis(700);

/// What happened first.
enum Next {
    Say(Outgoing),
    Heard(Result<Vec<u8>, SimError>),
    Ping,
    End,
}

/// Sends what the pump says and hands on what it hears, until its queue closes.
pub(super) async fn pump(
    mut inbox: mpsc::Receiver<Outgoing>,
    options: MqttOptions,
    topic: String,
    heard: Heard,
    counters: Arc<Counters>,
) {
    let mut link: Option<MqttLink> = None;
    let mut ping = interval(PING_EVERY);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let next = tokio::select! {
            what = inbox.recv() => what.map_or(Next::End, Next::Say),
            payload = hear(&mut link), if link.is_some() => Next::Heard(payload),
            _ = ping.tick() => Next::Ping,
        };
        let mut open = match (link.take(), &next) {
            (open, Next::End) => {
                if let Some(open) = open {
                    open.goodbye().await;
                }
                return;
            }
            (_, Next::Say(Outgoing::Vanish)) => continue,
            (Some(open), _) => open,
            (None, Next::Say(_)) => follow(&options, &topic).await,
            (None, _) => continue,
        };
        let before = (open.acknowledged, open.refused);
        let mut went = match next {
            Next::Say(Outgoing::Publish { topic, content_type, payload }) => {
                match open.publish(&topic, content_type, &payload).await {
                    Ok(()) => open.drain().await,
                    failed => failed,
                }
            }
            Next::Heard(Ok(payload)) => {
                heard(payload);
                open.flush().await
            }
            Next::Heard(Err(error)) => Err(error),
            Next::Ping => open.ping().await,
            Next::Say(_) | Next::End => Ok(()),
        };
        while went.is_err() {
            counters.reconnects.fetch_add(1, Ordering::Relaxed);
            sleep(PAUSE).await;
            went = match open.reconnect().await {
                Ok(()) => open.drain().await,
                failed => failed,
            };
        }
        counters.acknowledged.fetch_add(open.acknowledged - before.0, Ordering::Relaxed);
        counters.refused.fetch_add(open.refused - before.1, Ordering::Relaxed);
        link = Some(open);
    }
}

async fn hear(link: &mut Option<MqttLink>) -> Result<Vec<u8>, SimError> {
    match link {
        Some(link) => link.hear().await,
        None => std::future::pending().await,
    }
}

async fn follow(options: &MqttOptions, topic: &str) -> MqttLink {
    loop {
        let mut link = connect_mqtt(options).await;
        if link.follow(topic.to_owned()).await.is_ok() {
            return link;
        }
        sleep(PAUSE).await;
    }
}
