//! Being found: Hello when a host comes, Bye when it goes, answers to Probe and Resolve, over UDP
//! multicast. What is told to everybody on the network is which device stands where, never who is on it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::UdpSocket;
use tokio::sync::watch;
use wire_dpws::discovery::{Discovery, MULTICAST_V4, Seen, Service};
use wire_dpws::names::{ANONYMOUS, EVERYBODY};
use wire_dpws::{AppSequence, Envelope, Header, LIMITS_UDP, Payload};

use super::run::Shared;
use super::server::{message_id, stopped};

/// How often hosts that came or changed are looked for.
const LOOK: Duration = Duration::from_secs(1);
/// Answers a second at most: whoever asks more is not answered, and that is counted.
const ANSWERS_MAX: u32 = 100;

/// The socket, in the group.
pub(super) fn socket(interface: Ipv4Addr) -> std::io::Result<UdpSocket> {
    let (group, port) = MULTICAST_V4;
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(true)?;
    #[cfg(unix)]
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into())?;
    socket.join_multicast_v4(&Ipv4Addr::from(group), &interface)?;
    socket.set_multicast_if_v4(&interface)?;
    socket.set_multicast_ttl_v4(1)?;
    UdpSocket::from_std(socket.into())
}

/// Speaks until the program stops.
pub(super) async fn run(socket: UdpSocket, shared: Arc<Shared>, mut stopping: watch::Receiver<bool>) {
    let mut speaker = Speaker { socket, shared, number: 0, told: Vec::new(), seen: Seen::default(), answered: 0 };
    let mut bytes = vec![0; 65_535];
    let mut look = tokio::time::interval(LOOK);
    loop {
        tokio::select! {
            () = stopped(&mut stopping) => break,
            _ = look.tick() => {
                speaker.answered = 0;
                speaker.look().await;
            }
            heard = speaker.socket.recv_from(&mut bytes) => match heard {
                Ok((length, from)) => speaker.hear(&bytes[..length], from).await,
                Err(error) => {
                    tracing::warn!(%error, "SDC discovery: nothing heard");
                    tokio::time::sleep(LOOK).await;
                }
            }
        }
    }
    for service in std::mem::take(&mut speaker.told) {
        speaker.everybody(&Discovery::Bye(service.endpoint)).await;
    }
}

struct Speaker {
    socket: UdpSocket,
    shared: Arc<Shared>,
    number: u64,
    told: Vec<Service>,
    seen: Seen,
    answered: u32,
}

impl Speaker {
    /// Says Hello for hosts that came or changed, Bye for those that went.
    async fn look(&mut self) {
        let now = self.shared.services();
        let before = std::mem::replace(&mut self.told, now.clone());
        for gone in before.iter().filter(|old| !now.iter().any(|new| new.endpoint == old.endpoint)) {
            self.everybody(&Discovery::Bye(gone.endpoint.clone())).await;
        }
        for service in now.into_iter().filter(|new| !before.contains(new)) {
            self.everybody(&Discovery::Hello(service)).await;
        }
    }

    fn header(&mut self, to: &str) -> Header {
        self.number += 1;
        let sequence = AppSequence { instance: self.shared.instance, sequence: None, number: self.number };
        Header { sequence: Some(sequence), ..Header::request("", to, message_id()) }
    }

    async fn everybody(&mut self, message: &Discovery) {
        let text = Envelope::write_payload(self.header(EVERYBODY), message);
        let (group, port) = MULTICAST_V4;
        // Said twice, as datagrams get lost (SOAP-over-UDP 1.1, 5); whoever hears both takes one.
        for _ in 0..2 {
            if let Err(error) = self.socket.send_to(text.as_bytes(), (Ipv4Addr::from(group), port)).await {
                tracing::debug!(%error, "SDC discovery: not sent");
            }
        }
    }

    async fn hear(&mut self, bytes: &[u8], from: SocketAddr) {
        let Ok(envelope) = Envelope::read(bytes, &LIMITS_UDP) else {
            self.shared.live.count("sdc-discovery-not-understood", 1);
            return;
        };
        let id = envelope.header.message_id.clone().unwrap_or_default();
        if id.is_empty() || !self.seen.first(&id) {
            return;
        }
        let services = &self.told;
        let answers: Vec<Discovery> = match Discovery::read(&envelope) {
            // One answer a service: together they might not fit into a datagram.
            Ok(Discovery::Probe(probe)) => services
                .iter()
                .filter(|service| probe.matches(service))
                .map(|service| Discovery::ProbeMatches(vec![service.clone()]))
                .collect(),
            Ok(Discovery::Resolve(endpoint)) => services
                .iter()
                .filter(|service| service.endpoint == endpoint)
                .map(|service| Discovery::ResolveMatches(Some(service.clone())))
                .collect(),
            _ => return,
        };
        for answer in answers {
            if self.answered >= ANSWERS_MAX {
                self.shared.live.count("sdc-discovery-too-many", 1);
                return;
            }
            self.answered += 1;
            let header = Header { relates_to: Some(id.clone()), ..self.header(ANONYMOUS) };
            let text = Envelope::write_payload(header, &answer);
            if let Err(error) = self.socket.send_to(text.as_bytes(), from).await {
                tracing::debug!(%error, action = answer.action(), "SDC discovery: not answered");
            }
        }
    }
}
