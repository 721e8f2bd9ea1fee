//! The clock and the connections of a ward.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::config::WardConfig;
use super::state::{Errand, Outgoing, Sender, Ward};
use crate::error::SimError;
use crate::link::{Http, MllpLink, MqttLink, MqttOptions, persuade};

/// What a running ward reports about once a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Progress {
    /// Seconds since it opened.
    pub second: u64,
    /// Messages and requests handed to connections.
    pub sent: u64,
    /// Those that the platform has taken.
    pub acknowledged: u64,
    /// Those that it has refused.
    pub refused: u64,
    /// Connections that were opened again.
    pub reconnects: u64,
    /// Messages lost because a device's own memory was full.
    pub overflowed: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    sent: AtomicU64,
    pub(super) acknowledged: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) reconnects: AtomicU64,
    overflowed: AtomicU64,
}

/// A device keeps this many messages while the platform is away.
const DEVICE_MEMORY: usize = 1_024;

/// Opens the ward and lets it live until its duration is over (or for ever). Broken connections
/// are opened again; unacknowledged messages are sent again.
///
/// # Errors
/// [`SimError`] when the configuration makes no sense or the platform can't be reached at first.
pub async fn run(
    config: WardConfig,
    mut progress: impl FnMut(Progress),
) -> Result<Progress, SimError> {
    config.validate()?;
    let counters = Arc::new(Counters::default());
    let mut ward = Ward::new(&config);
    let http = Http::new(&config.http, config.token.clone());
    let admissions = open_ward(&mut ward, &config, &http, &counters).await?;
    let (tell, mut told) = mpsc::channel(DEVICE_MEMORY);
    let mut senders = start_senders(&ward, &config, admissions, http, &counters, &tell);
    let mut clock = interval(Duration::from_secs(1));
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let began = Instant::now();
    let mut second = 0;
    loop {
        let answers = tokio::select! {
            _ = clock.tick() => None,
            Some((pump, payload)) = told.recv() => Some(ward.told(pump, &payload, now_us())),
        };
        let is_answer = answers.is_some();
        for (sender, what) in answers.unwrap_or_else(|| ward.tick(second, now_us())) {
            hand_over(&mut senders, sender, what, &counters);
        }
        if is_answer {
            continue;
        }
        second += 1;
        let report = counters.report(began.elapsed().as_secs());
        progress(report);
        if config.duration_s.is_some_and(|limit| second >= limit) {
            break;
        }
    }
    close(senders).await;
    Ok(counters.report(began.elapsed().as_secs()))
}

impl Counters {
    fn report(&self, second: u64) -> Progress {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Progress {
            second,
            sent: get(&self.sent),
            acknowledged: get(&self.acknowledged),
            refused: get(&self.refused),
            reconnects: get(&self.reconnects),
            overflowed: get(&self.overflowed),
        }
    }
}

struct Senders {
    queues: HashMap<Sender, mpsc::Sender<Outgoing>>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Drop for Senders {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Admits and mounts everybody, in order, before the first reading.
async fn open_ward(
    ward: &mut Ward,
    config: &WardConfig,
    http: &Http,
    counters: &Counters,
) -> Result<MllpLink, SimError> {
    let mut admissions = MllpLink::connect(&config.mllp).await?;
    for (_, what) in ward.opening(now_us()) {
        counters.sent.fetch_add(1, Ordering::Relaxed);
        match what {
            Outgoing::Hl7(text) => {
                admissions.send(text.as_bytes()).await?;
                let ack = admissions.acknowledgement().await?;
                let counter = if ack.accepted() { &counters.acknowledged } else { &counters.refused };
                counter.fetch_add(1, Ordering::Relaxed);
            }
            Outgoing::Request(errand) => match persuade(|| request(http, &errand)).await {
                Ok(_) => drop(counters.acknowledged.fetch_add(1, Ordering::Relaxed)),
                Err(error @ SimError::Refused { .. }) => {
                    tracing::warn!(%error, "the ward opens without this");
                    counters.refused.fetch_add(1, Ordering::Relaxed);
                }
                Err(error) => return Err(error),
            },
            Outgoing::Publish { .. } | Outgoing::Vanish => {}
        }
    }
    Ok(admissions)
}

fn start_senders(
    ward: &Ward,
    config: &WardConfig,
    admissions: MllpLink,
    http: Http,
    counters: &Arc<Counters>,
    tell: &mpsc::Sender<(usize, Vec<u8>)>,
) -> Senders {
    let mut senders = Senders { queues: HashMap::new(), tasks: Vec::new() };
    let mut start = |sender: Sender| {
        let (queue, inbox) = mpsc::channel(DEVICE_MEMORY);
        senders.queues.insert(sender, queue);
        inbox
    };
    let mut tasks = Vec::new();
    for (index, bed) in ward.plan().beds.iter().enumerate() {
        let inbox = start(Sender::Bed(index));
        let counters = Arc::clone(counters);
        if bed.personality == super::Personality::MonitorHl7 {
            let address = config.mllp.clone();
            tasks.push(tokio::spawn(mllp_sender(inbox, address, None, counters)));
        } else {
            let options = MqttOptions {
                address: config.mqtt.clone(),
                client_id: bed.device.to_string(),
                credentials: config.mqtt_credentials.clone(),
                will: Some((format!("vitalwire/{}/status", bed.device), b"{\"state\":\"lost\"}".to_vec())),
                window: 64,
            };
            tasks.push(tokio::spawn(mqtt_sender(inbox, options, counters)));
        }
    }
    for (index, (device, topic)) in ward.pumps().into_iter().enumerate() {
        let options = MqttOptions {
            address: config.mqtt.clone(),
            will: Some((format!("vitalwire/{device}/status"), b"{\"state\":\"lost\"}".to_vec())),
            client_id: device,
            credentials: config.mqtt_credentials.clone(),
            window: 64,
        };
        let (inbox, tell) = (start(Sender::Pump(index)), tell.clone());
        let heard = Box::new(move |payload| drop(tell.try_send((index, payload))));
        tasks.push(tokio::spawn(super::talk::pump(inbox, options, topic, heard, Arc::clone(counters))));
    }
    let inbox = start(Sender::Admissions);
    let address = config.mllp.clone();
    tasks.push(tokio::spawn(mllp_sender(inbox, address, Some(admissions), Arc::clone(counters))));
    let inbox = start(Sender::Http);
    tasks.push(tokio::spawn(http_sender(inbox, http, Arc::clone(counters))));
    senders.tasks = tasks;
    senders
}

fn hand_over(senders: &mut Senders, sender: Sender, what: Outgoing, counters: &Counters) {
    let message = !matches!(what, Outgoing::Vanish);
    let Some(queue) = senders.queues.get(&sender) else { return };
    match (queue.try_send(what), message) {
        (Ok(()), true) => drop(counters.sent.fetch_add(1, Ordering::Relaxed)),
        (Err(_), true) => drop(counters.overflowed.fetch_add(1, Ordering::Relaxed)),
        (_, false) => {}
    }
}

/// Lets every connection finish what it has, for at most ten seconds.
async fn close(mut senders: Senders) {
    senders.queues.clear();
    let deadline = Instant::now() + Duration::from_secs(10);
    for task in &mut senders.tasks {
        let _ = tokio::time::timeout_at(deadline, task).await;
    }
}

async fn mqtt_sender(
    mut inbox: mpsc::Receiver<Outgoing>,
    options: MqttOptions,
    counters: Arc<Counters>,
) {
    let mut link: Option<MqttLink> = None;
    while let Some(what) = inbox.recv().await {
        let Outgoing::Publish { topic, content_type, payload } = what else {
            // Gone without a goodbye: the stream is dropped.
            link = None;
            continue;
        };
        let mut open = match link.take() {
            Some(link) => link,
            None => connect_mqtt(&options).await,
        };
        let before = (open.acknowledged, open.refused);
        let mut sent = open.publish(&topic, content_type, &payload).await;
        if sent.is_ok() && inbox.is_empty() {
            sent = open.drain().await;
        }
        while sent.is_err() {
            counters.reconnects.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_millis(700)).await;
            sent = match open.reconnect().await {
                Ok(()) => open.drain().await,
                failed => failed,
            };
        }
        counters.acknowledged.fetch_add(open.acknowledged - before.0, Ordering::Relaxed);
        counters.refused.fetch_add(open.refused - before.1, Ordering::Relaxed);
        link = Some(open);
    }
    if let Some(link) = link {
        link.goodbye().await;
    }
}

pub(super) async fn connect_mqtt(options: &MqttOptions) -> MqttLink {
    loop {
        match MqttLink::connect(options.clone()).await {
            Ok(link) => return link,
            Err(error) => tracing::debug!(%error, "waiting for the platform"),
        }
        sleep(Duration::from_millis(700)).await;
    }
}

async fn mllp_sender(
    mut inbox: mpsc::Receiver<Outgoing>,
    address: String,
    mut link: Option<MllpLink>,
    counters: Arc<Counters>,
) {
    while let Some(what) = inbox.recv().await {
        let Outgoing::Hl7(text) = what else {
            link = None;
            continue;
        };
        let mut open = match link.take() {
            Some(link) => link,
            None => connect_mllp(&address).await,
        };
        let mut answer = match open.send(text.as_bytes()).await {
            Ok(()) => open.acknowledgement().await,
            Err(error) => Err(error),
        };
        while answer.is_err() {
            counters.reconnects.fetch_add(1, Ordering::Relaxed);
            sleep(Duration::from_millis(700)).await;
            answer = match open.reconnect().await {
                Ok(()) => open.acknowledgement().await,
                Err(error) => Err(error),
            };
        }
        let accepted = answer.is_ok_and(|ack| ack.accepted());
        let counter = if accepted { &counters.acknowledged } else { &counters.refused };
        counter.fetch_add(1, Ordering::Relaxed);
        link = Some(open);
    }
}

async fn connect_mllp(address: &str) -> MllpLink {
    loop {
        match MllpLink::connect(address).await {
            Ok(link) => return link,
            Err(error) => tracing::debug!(%error, "waiting for the platform"),
        }
        sleep(Duration::from_millis(700)).await;
    }
}

async fn http_sender(mut inbox: mpsc::Receiver<Outgoing>, http: Http, counters: Arc<Counters>) {
    while let Some(what) = inbox.recv().await {
        let Outgoing::Request(errand) = what else { continue };
        loop {
            match request(&http, &errand).await {
                Ok(_) => drop(counters.acknowledged.fetch_add(1, Ordering::Relaxed)),
                Err(SimError::Refused { .. }) => {
                    counters.refused.fetch_add(1, Ordering::Relaxed);
                }
                Err(_) => {
                    counters.reconnects.fetch_add(1, Ordering::Relaxed);
                    sleep(Duration::from_millis(700)).await;
                    continue;
                }
            }
            break;
        }
    }
}

async fn request(http: &Http, errand: &Errand) -> Result<Value, SimError> {
    if errand.put {
        http.put(&errand.path, &errand.body).await
    } else {
        http.post(&errand.path, &errand.body).await
    }
}

/// Our clock, µs since 1970.
pub(crate) fn now_us() -> i64 {
    jiff::Timestamp::now().as_microsecond()
}
