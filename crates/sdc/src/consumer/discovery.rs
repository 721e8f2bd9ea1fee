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
            let services = match &settings.discovery {
                Some(Discovery::Proxy(address)) => proxy(&line, address).await,
                _ => multicast().await,
            };
            match services {
                Ok(services) => {
                    for service in services {
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

async fn proxy(line: &Line, address: &str) -> Result<Vec<Service>, String> {
    let probe = Message::Probe(Probe::medical_devices());
    let answer = line.ask_payload(&Endpoint::new(address), &probe).await.map_err(|e| e.to_string())?;
    match Message::read(&answer) {
        Ok(Message::ProbeMatches(services)) => Ok(services),
        Ok(_) => Err(String::from("the proxy answered something else")),
        Err(error) => Err(error.to_string()),
    }
}

async fn multicast() -> Result<Vec<Service>, String> {
    let told = |error: std::io::Error| error.to_string();
    let socket = UdpSocket::bind(("0.0.0.0", 0)).await.map_err(told)?;
    socket.set_multicast_ttl_v4(1).map_err(told)?;
    let header = Header { to: Some(EVERYBODY.to_owned()), ..Header::request("", EVERYBODY, message_id()) };
    let question = Envelope::write_payload(header, &Message::Probe(Probe::medical_devices()));
    socket.send_to(question.as_bytes(), SocketAddr::from(MULTICAST_V4)).await.map_err(told)?;
    let mut services: Vec<Service> = Vec::new();
    let mut buffer = vec![0_u8; LIMITS_UDP.bytes];
    let end = tokio::time::Instant::now() + ANSWERS;
    while let Ok(Ok((length, _))) = tokio::time::timeout_at(end, socket.recv_from(&mut buffer)).await {
        let read = Envelope::read(&buffer[..length], &LIMITS_UDP).and_then(|envelope| Message::read(&envelope));
        match read {
            Ok(Message::ProbeMatches(found)) => services.extend(found),
            _ => refused("discovery"),
        }
    }
    Ok(services)
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
