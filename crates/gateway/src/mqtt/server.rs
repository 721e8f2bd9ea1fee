//! The listener: accepts, does TLS, starts a task a connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use vitals::DeviceId;
use wire_mqtt::{Delivery, Publication, Qos};

use super::afterlife::afterlife;
use super::broker::{Broker, RetainedMemory, RouteCache, count_refused};
use super::config::{MqttConfig, MqttLimits};
use super::connection::Connection;
use super::handshake::handshake;
use super::registry::ClientInfo;
use crate::tls::{ClientCertificates, TlsDoor};
use crate::{Door, Doors, GatewayError, told};

/// How long to wait after a failed accept, such as for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How often changes of accounts are looked for, where nobody tells of them.
const ACCOUNTS_EVERY: Duration = Duration::from_secs(1);
/// Between two looks at all sessions.
const LOOK_PAUSE: Duration = Duration::from_millis(200);

/// The MQTT server; cheap to clone.
#[derive(Clone)]
pub struct MqttServer {
    broker: Arc<Broker>,
    connections: Arc<AtomicUsize>,
}

impl MqttServer {
    /// A server without a listener yet. `memory` keeps retained configuration across restarts.
    #[must_use]
    pub fn new(limits: MqttLimits, doors: Doors, memory: Option<Arc<dyn RetainedMemory>>) -> Self {
        Self { broker: Arc::new(Broker::new(limits, doors, memory)), connections: Arc::default() }
    }

    /// Serves plain connections until the program stops.
    pub async fn serve(&self, listener: TcpListener) {
        self.accept(listener, None).await;
    }

    /// Serves TLS connections until the program stops.
    pub async fn serve_tls(&self, listener: TcpListener, door: TlsDoor) {
        tokio::select! {
            () = self.accept(listener, Some(door.clone())) => {}
            () = door.watch() => {}
        }
    }

    /// Publishes on the program's own behalf: configuration and commands for devices. It does
    /// not go to the journal.
    pub fn send(&self, topic: &str, payload: &[u8], retain: bool) {
        let publication = Publication {
            topic: topic.into(),
            payload: payload.into(),
            properties: Box::default(),
            qos: Qos::AtLeastOnce,
            retain,
            expires_ms: None,
            publisher: 0,
        };
        self.broker.deliver(&Arc::new(publication), &mut RouteCache::default());
    }

    /// Whether a device listens for commands now: one client, connected, that subscribed to this
    /// device's own topics.
    #[must_use]
    pub fn takes_commands(&self, device: &DeviceId) -> bool {
        let topic = format!("vitalwire/{device}/command");
        self.broker.taker(device.as_str(), &topic).is_some()
    }

    /// Hands a command to the one client that listens for this device, once: never kept for one who
    /// is away, never sent again on another connection. Whether it was handed over.
    pub fn command(&self, device: &DeviceId, payload: &[u8], left_ms: u64) -> bool {
        let topic = format!("vitalwire/{device}/command");
        let Some(taker) = self.broker.taker(device.as_str(), &topic) else { return false };
        let publication = Publication {
            topic: topic.into(),
            payload: payload.into(),
            properties: Box::default(),
            qos: Qos::AtLeastOnce,
            retain: false,
            expires_ms: Some(self.broker.now_ms().saturating_add(left_ms)),
            publisher: 0,
        };
        let delivery = Delivery {
            publication: Arc::new(publication),
            qos: taker.qos.min(Qos::AtLeastOnce),
            retain: false,
            identifiers: taker.identifiers.as_slice().into(),
        };
        self.broker.offer_now(&taker.handle, delivery)
    }

    /// Every session, connected or not.
    #[must_use]
    pub fn clients(&self) -> Vec<ClientInfo> {
        self.broker.registry.list()
    }

    /// Ends the connections of whoever lost the right to have them; runs until the program stops.
    pub async fn watch_accounts(&self) {
        let mut shutdown = self.broker.doors.shutdown.clone();
        let mut moved = self.broker.doors.identify.moved();
        let mut seen = self.broker.doors.identify.changes();
        loop {
            let was_told = tokio::select! {
                () = stopped(&mut shutdown) => return,
                () = told(&mut moved) => true,
                () = tokio::time::sleep(ACCOUNTS_EVERY) => false,
            };
            let now = self.broker.doors.identify.changes();
            if now != seen || was_told {
                seen = now;
                self.broker.look_at_accounts();
                // Many changes at once are one look: ten thousand sessions are asked each time.
                tokio::time::sleep(LOOK_PAUSE).await;
            }
        }
    }

    async fn accept(&self, listener: TcpListener, secure: Option<TlsDoor>) {
        let mut shutdown = self.broker.doors.shutdown.clone();
        loop {
            tokio::select! {
                () = stopped(&mut shutdown) => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => self.admit(stream, peer, secure.clone()),
                    Err(error) => {
                        tracing::warn!("mqtt: accept failed: {error}");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(listener);
        self.broker.close();
        // Every connection says goodbye; whoever takes too long is cut off.
        for _ in 0..100 {
            if self.connections.load(Ordering::Acquire) == 0 {
                break;
            }
            tokio::time::sleep(ACCEPT_PAUSE).await;
        }
    }

    fn admit(&self, stream: TcpStream, peer: SocketAddr, secure: Option<TlsDoor>) {
        let place = Place::take(self);
        if self.connections.load(Ordering::Acquire) > self.broker.limits.connections {
            count_refused("too-many-connections");
            return;
        }
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("mqtt: cannot set TCP_NODELAY: {error}");
        }
        let broker = Arc::clone(&self.broker);
        let listener = if secure.is_some() { "mqtt-tls" } else { "mqtt" };
        let Ok(zone) = broker.doors.identify.zone(peer, listener) else {
            return count_refused("wrong-zone");
        };
        let door = Door { peer: Some(peer), listener, zone, ..Door::default() };
        tokio::spawn(async move {
            match secure {
                None => run(broker, stream, place, door).await,
                Some(secure) => {
                    let patience = Duration::from_millis(broker.limits.connect_timeout_ms);
                    if let Some(made) = secure.accept(stream, &door, patience).await {
                        let door = Door { encrypted: true, presented: made.presented, ..door };
                        run(broker, made.stream, place, door).await;
                    }
                }
            }
        });
    }
}

/// Waits until the program stops.
async fn stopped(shutdown: &mut tokio::sync::watch::Receiver<bool>) {
    // A dropped sender means the program is ending, too.
    drop(shutdown.wait_for(|stop| *stop).await);
}

/// A counted place among the connections.
struct Place {
    server: MqttServer,
}

impl Place {
    fn take(server: &MqttServer) -> Self {
        server.connections.fetch_add(1, Ordering::AcqRel);
        server.broker.counters.connections.increment(1.0);
        Self { server: server.clone() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.server.connections.fetch_sub(1, Ordering::AcqRel);
        self.server.broker.counters.connections.decrement(1.0);
    }
}

/// One connection from its first byte to its afterlife.
async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    broker: Arc<Broker>,
    mut io: S,
    place: Place,
    door: Door,
) {
    let patience = Duration::from_millis(broker.limits.connect_timeout_ms);
    let (mut inbox, mut out) = (Vec::new(), Vec::new());
    let greeting = handshake(&broker, &door, &mut io, &mut inbox, &mut out);
    let peer = match tokio::time::timeout(patience, greeting).await {
        Ok(Some(peer)) => peer,
        Ok(None) => return,
        Err(_) => return count_refused("connect-timeout"),
    };
    let mut connection = Connection::new(Arc::clone(&broker), peer, io, inbox, out);
    let end = connection.serve().await;
    let peer = connection.close(&end).await;
    if !matches!(end, super::connection::End::Shutdown) {
        drop(place);
    }
    afterlife(broker, peer, &end).await;
}

/// Serves the configured plain and TLS addresses until the program stops; `listener` is bound to
/// the plain one.
///
/// # Errors
/// [`GatewayError`] when the TLS files or its address can't be used.
pub async fn serve(
    config: MqttConfig,
    doors: Doors,
    listener: TcpListener,
) -> Result<(), GatewayError> {
    let server = MqttServer::new(config.limits, doors, None);
    match config.tls {
        None => server.serve(listener).await,
        Some(secure) => {
            let identify = Arc::clone(&server.broker.doors.identify);
            let clients = ClientCertificates::of(&secure.files);
            let door = TlsDoor::new(secure.files, clients, identify)?;
            let secure_listener = TcpListener::bind(secure.listen).await?;
            tokio::join!(server.serve(listener), server.serve_tls(secure_listener, door));
        }
    }
    Ok(())
}
