//! The socket: which datagram is whose, handshakes, and everything going back sealed.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::UdpSocket;
use tokio::sync::watch;

use super::config::CoapLimits;
use super::count_refused;
use super::dtls::{Secure, Taken, Terms};
use super::hello::{Cookies, Hello};
use super::sensors::{Name, Replies, Sensors};
use crate::{ClientIdentity, Door, Doors, GatewayError, Refused, told};

/// The longest datagram that is read.
const DATAGRAM_MAX: usize = 1 << 16;
/// How often time is looked at.
const TICK: Duration = Duration::from_millis(500);
/// How long the last values may take to be kept when the program stops.
const GOODBYE: Duration = Duration::from_secs(5);

/// What is spoken on a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoapDoor {
    /// DTLS: every sensor proves itself with its key.
    Secure,
    /// Nothing: every sensor is who it says it is. For trials only.
    Plain,
}

/// A handshake under way.
struct Handshake {
    secure: Secure,
    until_ms: u64,
    /// Whether something sealed could not be read.
    wrong_key: bool,
}

/// What is kept of an address.
#[derive(Default)]
struct Association {
    up: Option<(Secure, Name)>,
    handshake: Option<Box<Handshake>>,
}

struct Server {
    socket: UdpSocket,
    doors: Doors,
    limits: CoapLimits,
    terms: Terms,
    cookies: Cookies,
    door: CoapDoor,
    began: Instant,
    associations: HashMap<SocketAddr, Association>,
    handshakes: usize,
    sensors: Sensors,
}

/// Serves a socket until the program stops.
///
/// # Errors
/// [`GatewayError`] when the library can't begin, or the socket is of no use.
pub async fn serve(limits: CoapLimits, doors: Doors, socket: UdpSocket, door: CoapDoor) -> Result<(), GatewayError> {
    let terms = Terms::new(Arc::clone(&doors.identify)).map_err(|error| GatewayError::Tls(error.to_string()))?;
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|error| GatewayError::Tls(error.to_string()))?;
    let sensors = Sensors::new(doors.clone(), limits.clone());
    let server = Server {
        socket,
        doors,
        limits,
        terms,
        cookies: Cookies::new(secret),
        door,
        began: Instant::now(),
        associations: HashMap::new(),
        handshakes: 0,
        sensors,
    };
    server.run().await;
    Ok(())
}

async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    // An error means that nobody is left who could say so: the program is stopping.
    let _ = shutdown.wait_for(|stop| *stop).await;
}

impl Server {
    async fn run(mut self) {
        let mut shutdown = self.doors.shutdown.clone();
        let mut moved = self.doors.identify.moved();
        let acks = Arc::clone(&self.sensors.acks);
        let mut ticks = tokio::time::interval(TICK);
        let mut buffer = vec![0; DATAGRAM_MAX];
        loop {
            tokio::select! {
                () = stopped(&mut shutdown) => break,
                () = told(&mut moved) => {
                    for address in self.sensors.look_again().await {
                        self.close(address).await;
                    }
                }
                outcomes = acks.wait() => {
                    let replies = self.sensors.settle(outcomes);
                    self.send(replies).await;
                }
                _ = ticks.tick() => self.tick().await,
                received = self.socket.recv_from(&mut buffer) => match received {
                    Ok((length, peer)) => self.datagram(&buffer[..length], peer).await,
                    // What an earlier answer met on its way; the socket goes on.
                    Err(error) => tracing::debug!("coap: {error}"),
                },
            }
        }
        self.sensors.stop().await;
        // What is still on its way is kept or not; who gets no answer says it again.
        while self.sensors.is_waiting() {
            let Ok(outcomes) = tokio::time::timeout(GOODBYE, acks.wait()).await else { break };
            let replies = self.sensors.settle(outcomes);
            self.send(replies).await;
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn listener(&self) -> &'static str {
        if self.door == CoapDoor::Secure { "coap-dtls" } else { "coap" }
    }

    async fn datagram(&mut self, datagram: &[u8], peer: SocketAddr) {
        if self.door == CoapDoor::Plain {
            return self.plain(datagram, peer).await;
        }
        if let Some(hello) = Hello::read(datagram) {
            return self.hello(&hello, datagram, peer).await;
        }
        let Some(association) = self.associations.get_mut(&peer) else {
            return count_refused("unknown-session");
        };
        // While it shakes hands anew, what is sealed is of the new association as soon as that has a key.
        let fresh = association.handshake.as_ref().is_some_and(|handshake| {
            association.up.is_none() || !super::hello::is_sealed(datagram) || handshake.secure.asked().is_some()
        });
        if fresh {
            return self.shake(datagram, peer).await;
        }
        let Some((secure, name)) = &mut association.up else { return };
        let name = Arc::clone(name);
        match secure.take(datagram) {
            Taken::Plain(messages) => {
                for message in messages {
                    let replies = self.sensors.datagram(&name, &message, self.now_ms()).await;
                    self.send(replies).await;
                }
            }
            Taken::Over => {
                self.sensors.parted(&name, peer);
                self.close(peer).await;
            }
            Taken::Handshake | Taken::Unreadable => {}
        }
        self.flush(peer).await;
    }

    /// A hello: without the cookie of its address nothing is kept of it.
    async fn hello(&mut self, hello: &Hello<'_>, datagram: &[u8], peer: SocketAddr) {
        let now_ms = self.now_ms();
        if !self.cookies.fits(peer, hello, now_ms) {
            if !hello.cookie.is_empty() {
                count_refused("stale-cookie");
            }
            let question = hello.verify(&self.cookies.make(peer, hello, now_ms));
            return self.put(peer, &question).await;
        }
        let known = self.associations.get(&peer);
        let underway = known.and_then(|association| association.handshake.as_ref());
        if underway.is_some_and(|handshake| handshake.secure.is_of(hello)) {
            return self.shake(datagram, peer).await;
        }
        let established = known.and_then(|association| association.up.as_ref());
        if established.is_some_and(|(secure, _)| secure.is_of(hello)) {
            return count_refused("replayed-hello");
        }
        if !hello.is_second() {
            return count_refused("odd-hello");
        }
        if underway.is_none() && self.handshakes >= self.limits.handshakes {
            return count_refused("too-many-handshakes");
        }
        let Ok(zone) = self.doors.identify.zone(peer, self.listener()) else {
            return count_refused("wrong-zone");
        };
        let door = Door { peer: Some(peer), encrypted: true, listener: self.listener(), zone, ..Door::default() };
        match Secure::begin(&self.terms, hello, door) {
            Ok(secure) => {
                let until_ms = now_ms + ms(self.limits.handshake);
                let handshake = Box::new(Handshake { secure, until_ms, wrong_key: false });
                let association = self.associations.entry(peer).or_default();
                if association.handshake.replace(handshake).is_none() {
                    self.handshakes += 1;
                }
                self.shake(datagram, peer).await;
            }
            Err(error) => {
                tracing::warn!("coap: a handshake could not begin: {error}");
                count_refused("handshake");
            }
        }
    }

    /// Goes on with a handshake.
    async fn shake(&mut self, datagram: &[u8], peer: SocketAddr) {
        let now_ms = self.now_ms();
        let Some(handshake) = self.associations.get_mut(&peer).and_then(|one| one.handshake.as_mut()) else { return };
        let taken = handshake.secure.take(datagram);
        if taken == Taken::Unreadable && !handshake.wrong_key {
            // It may be somebody else's datagram: the right one has some seconds to come.
            handshake.wrong_key = true;
            handshake.until_ms = handshake.until_ms.min(now_ms + ms(self.limits.wrong_key));
        }
        let established = handshake.secure.is_established();
        let outgoing = handshake.secure.outgoing();
        for datagram in outgoing {
            self.put(peer, &datagram).await;
        }
        match taken {
            Taken::Plain(messages) if established => self.come_in(peer, messages).await,
            Taken::Over => self.fail(peer, "handshake").await,
            _ => {}
        }
    }

    /// A handshake is through.
    async fn come_in(&mut self, peer: SocketAddr, messages: Vec<Vec<u8>>) {
        let now_ms = self.now_ms();
        let taken = self.associations.get_mut(&peer).and_then(|one| one.handshake.take());
        let Some(Handshake { secure, .. }) = taken.map(|boxed| *boxed) else { return };
        self.handshakes -= 1;
        // The key of whoever was not let in is nobody's: this can only be one who was.
        let Some((shown, Ok(identity))) = secure.asked() else { return };
        let door = Door { peer: Some(peer), encrypted: true, listener: self.listener(), ..Door::default() };
        if self.doors.identify.came_in(&door, &identity).is_err() {
            count_refused("not-in-service");
            return self.close(peer).await;
        }
        let name: Name = identity.name.as_str().into();
        let endpoints = [identity.name.clone(), shown];
        match self.sensors.admit(&name, identity, &endpoints, peer, now_ms) {
            Ok(former) => {
                if let Some(former) = former.filter(|former| self.is_of(*former, &name)) {
                    self.close(former).await;
                }
            }
            Err(()) => {
                count_refused("too-many-sensors");
                return self.close(peer).await;
            }
        }
        let before = self.associations.entry(peer).or_default().up.replace((secure, Arc::clone(&name)));
        if let Some((_, other)) = before.filter(|(_, other)| *other != name) {
            self.sensors.parted(&other, peer);
        }
        for message in messages {
            let replies = self.sensors.datagram(&name, &message, self.now_ms()).await;
            self.send(replies).await;
        }
    }

    /// Whether the association of an address is this sensor's.
    fn is_of(&self, peer: SocketAddr, name: &Name) -> bool {
        let up = self.associations.get(&peer).and_then(|association| association.up.as_ref());
        up.is_some_and(|(_, other)| other == name)
    }

    /// A handshake came to nothing.
    async fn fail(&mut self, peer: SocketAddr, otherwise: &'static str) {
        let Some(association) = self.associations.get_mut(&peer) else { return };
        let Some(handshake) = association.handshake.take() else { return };
        self.handshakes -= 1;
        if association.up.is_none() {
            self.associations.remove(&peer);
        }
        let door = Door { peer: Some(peer), encrypted: true, listener: self.listener(), ..Door::default() };
        match handshake.secure.asked() {
            Some((_, Err(Refused::BadCredentials))) => count_refused("unknown-identity"),
            Some((_, Err(_))) => count_refused("not-in-service"),
            Some((_, Ok(identity))) if handshake.wrong_key => {
                self.doors.identify.wrong_key(&door, &identity);
                count_refused("wrong-key");
            }
            _ => count_refused(otherwise),
        }
    }

    /// A trial: who speaks is who it says it is.
    async fn plain(&mut self, datagram: &[u8], peer: SocketAddr) {
        let now_ms = self.now_ms();
        let name: Name = peer.to_string().into();
        if self.sensors.get(&name).is_none() && self.sensors.admit(&name, ClientIdentity::open(&name), &[], peer, now_ms).is_err() {
            return count_refused("too-many-sensors");
        }
        let replies = self.sensors.datagram(&name, datagram, now_ms).await;
        self.send(replies).await;
    }

    async fn tick(&mut self) {
        let now_ms = self.now_ms();
        let (replies, gone) = self.sensors.tick(now_ms).await;
        self.send(replies).await;
        for address in gone {
            self.close(address).await;
        }
        let underway: Vec<_> =
            self.associations.iter().filter(|(_, one)| one.handshake.is_some()).map(|(peer, _)| *peer).collect();
        for peer in underway {
            let Some(handshake) = self.associations.get_mut(&peer).and_then(|one| one.handshake.as_mut()) else { continue };
            if now_ms > handshake.until_ms {
                self.fail(peer, "handshake-timeout").await;
                continue;
            }
            handshake.secure.again();
            for datagram in handshake.secure.outgoing() {
                self.put(peer, &datagram).await;
            }
        }
    }

    /// Sends messages to the sensors that they are for, sealed.
    async fn send(&mut self, replies: Replies) {
        for (name, message) in replies {
            let Some(peer) = self.sensors.get(&name).and_then(|sensor| sensor.peer) else { continue };
            if self.door == CoapDoor::Plain {
                self.put(peer, &message).await;
                continue;
            }
            let sealed = match self.associations.get_mut(&peer).and_then(|one| one.up.as_mut()) {
                Some((secure, _)) => secure.seal(&message),
                None => false,
            };
            if sealed {
                self.flush(peer).await;
            } else {
                count_refused("unsendable");
            }
        }
    }

    /// Sends what an association has to say.
    async fn flush(&mut self, peer: SocketAddr) {
        let Some((secure, _)) = self.associations.get_mut(&peer).and_then(|one| one.up.as_mut()) else { return };
        for datagram in secure.outgoing() {
            self.put(peer, &datagram).await;
        }
    }

    /// Ends an association.
    async fn close(&mut self, peer: SocketAddr) {
        let Some(mut association) = self.associations.remove(&peer) else { return };
        if association.handshake.is_some() {
            self.handshakes -= 1;
        }
        if let Some((secure, _)) = &mut association.up {
            secure.close();
            for datagram in secure.outgoing() {
                self.put(peer, &datagram).await;
            }
        }
    }

    async fn put(&self, peer: SocketAddr, datagram: &[u8]) {
        if let Err(error) = self.socket.send_to(datagram, peer).await {
            tracing::debug!("coap: a datagram was not sent: {error}");
        }
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
