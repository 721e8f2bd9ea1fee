//! Looks for devices: by multicast in the local network, or by asking a discovery proxy.
//!
//! Only devices that the site named are given on; every other one is counted.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use vitals::DeviceId;
use wire_dpws::discovery::{Discovery as Message, MULTICAST_V4, Probe, Service};
use wire_dpws::names::EVERYBODY;
use wire_dpws::{Endpoint, Envelope, Header, LIMITS_UDP, Payload};

use super::line::{Line, message_id};
use super::settings::{Discovery, Peer, Settings};
use super::sink::refused;

/// How long answers to a multicast question are waited for.
const ANSWERS: Duration = Duration::from_secs(5);
/// How long until it is asked again.
const PAUSE: Duration = Duration::from_secs(25);

/// Looks again and again, until the program stops.
pub(super) async fn look(settings: Arc<Settings>, line: Line, found: mpsc::Sender<Peer>, mut stopping: watch::Receiver<bool>) {
    loop {
        let looking = async {
            let way = Way { line: &line, settings: &settings };
            match way.ask(&Message::Probe(Probe::medical_devices())).await {
                Ok(answers) => {
                    for service in services(answers) {
                        let service = way.resolved(service).await;
                        if let Some(peer) = peer(&settings, &service) {
                            let _ = found.send(peer).await;
                        }
                    }
                }
                Err(why) => tracing::warn!("devices cannot be looked for: {why}"),
            }
            tokio::time::sleep(PAUSE).await;
        };
        tokio::select! {
            () = looking => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
    }
}

/// The way on which it is asked.
struct Way<'a> {
    line: &'a Line,
    settings: &'a Settings,
}

impl Way<'_> {
    async fn ask(&self, question: &Message) -> Result<Vec<Message>, String> {
        match &self.settings.discovery {
            Some(Discovery::Proxy(address)) => {
                let answer = self.line.ask_payload(&Endpoint::new(address), question).await;
                let answer = Message::read(&answer.map_err(|e| e.to_string())?);
                answer.map(|answer| vec![answer]).map_err(|error| error.to_string())
            }
            _ => multicast(question).await,
        }
    }

    /// A device that did not say where it is, is asked; so is nobody whom the site did not name.
    async fn resolved(&self, service: Service) -> Service {
        if !service.addresses.is_empty() || !self.settings.allowed.contains(&service.endpoint) {
            return service;
        }
        let answers = self.ask(&Message::Resolve(service.endpoint.clone())).await.unwrap_or_default();
        let found = answers.into_iter().find_map(|answer| match answer {
            Message::ResolveMatches(Some(found)) if found.endpoint == service.endpoint => Some(found),
            _ => None,
        });
        found.unwrap_or(service)
    }
}

fn services(answers: Vec<Message>) -> impl Iterator<Item = Service> {
    answers.into_iter().flat_map(|answer| match answer {
        Message::ProbeMatches(services) => services,
        _ => Vec::new(),
    })
}

async fn multicast(question: &Message) -> Result<Vec<Message>, String> {
    let told = |error: std::io::Error| error.to_string();
    let socket = UdpSocket::bind(("0.0.0.0", 0)).await.map_err(told)?;
    socket.set_multicast_ttl_v4(1).map_err(told)?;
    let header = Header { to: Some(EVERYBODY.to_owned()), ..Header::request("", EVERYBODY, message_id()) };
    let question = Envelope::write_payload(header, question);
    socket.send_to(question.as_bytes(), SocketAddr::from(MULTICAST_V4)).await.map_err(told)?;
    let mut answers = Vec::new();
    let mut buffer = vec![0_u8; LIMITS_UDP.bytes];
    let end = tokio::time::Instant::now() + ANSWERS;
    while let Ok(Ok((length, _))) = tokio::time::timeout_at(end, socket.recv_from(&mut buffer)).await {
        let read = Envelope::read(&buffer[..length], &LIMITS_UDP).and_then(|envelope| Message::read(&envelope));
        match read {
            Ok(answer @ (Message::ProbeMatches(_) | Message::ResolveMatches(_))) => answers.push(answer),
            _ => refused("discovery"),
        }
    }
    Ok(answers)
}

/// The device to connect to, if the site named it and it said where it is.
fn peer(settings: &Settings, service: &Service) -> Option<Peer> {
    if !settings.allowed.contains(&service.endpoint) {
        refused("not-allowed");
        return None;
    }
    let address = service.addresses.iter().find(|address| address.starts_with("https://"))?;
    let name = service.endpoint.trim_start_matches("urn:uuid:");
    Some(Peer {
        id: DeviceId::sanitised(name),
        address: address.clone(),
        endpoint: Some(service.endpoint.clone()),
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn only_named_devices_with_an_encrypted_address_are_taken() {
        let settings = Settings {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            address: None,
            certificate: PathBuf::new(),
            key: PathBuf::new(),
            authority: PathBuf::new(),
            devices: Vec::new(),
            discovery: Some(Discovery::AdHoc),
            allowed: vec![String::from("urn:uuid:1")],
            metrics: Default::default(),
            patient_roots: Default::default(),
            locations: false,
            expires: Duration::from_secs(30),
            language: String::from("en"),
        };
        for (endpoint, addresses, expected) in [
            ("urn:uuid:1", vec!["http://h/x", "https://h/x"], Some("https://h/x")),
            ("urn:uuid:1", vec!["http://h/x"], None),
            ("urn:uuid:2", vec!["https://h/x"], None),
        ] {
            let addresses = addresses.into_iter().map(str::to_owned).collect();
            let service = Service { endpoint: endpoint.to_owned(), addresses, ..Service::default() };
            assert_eq!(peer(&settings, &service).map(|peer| peer.address), expected.map(str::to_owned));
        }
    }
}
