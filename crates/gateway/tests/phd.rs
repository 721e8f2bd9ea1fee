//! The listener of personal health devices over a real journal, with our own agent at the other end:
//! answers come after the commit, a device that comes back is known, what is said again is kept once,
//! and a device that vanishes is lost.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gateway::phd::{PhdConfig, PhdLimits, PhdManager, serve};
use gateway::{Doors, OpenDoor};
use jiff::tz::TimeZone;
use journal::{Appender, EmbeddedJournal, Entry, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use vitals::{Content, DeviceTime, Event, LinkState, ReceiveTime};
use wire_phd::agent::{Agent, Input, Output, Profile, State};
use wire_phd::config::{Configuration, Object, attr};
use wire_phd::scan::Observation;
use wire_phd::time::Clock;

const NOW: i64 = 1_795_309_200_000_000;

struct Server {
    address: SocketAddr,
    appender: Appender,
    stop: watch::Sender<bool>,
    _folder: tempfile::TempDir,
}

async fn start() -> Server {
    let folder = tempfile::tempdir().expect("a folder");
    let journal = EmbeddedJournal::open(folder.path()).expect("a journal");
    let (sink, feed) = std::sync::mpsc::sync_channel::<Arc<[Entry]>>(64);
    std::thread::spawn(move || feed.iter().for_each(drop));
    let clock = || ReceiveTime(NOW);
    let appender = Appender::start(journal, Box::new(clock), Limits::default(), sink).expect("an appender");
    let (stop, shutdown) = watch::channel(false);
    let profiles = Arc::new(mapping::Profiles::compile(&[]).0);
    let doors = Doors {
        appender: appender.clone(),
        profiles: Arc::new(move || Arc::clone(&profiles)),
        identify: Arc::new(OpenDoor),
        clock,
        shutdown,
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let manager = PhdManager {
        system_id: [9; 8],
        zone: TimeZone::UTC,
        ask_device: true,
        set_time: true,
        collect: true,
        clear: false,
    };
    let config = PhdConfig { tls: None, limits: PhdLimits::default(), manager };
    tokio::spawn(async move { serve(config, doors, Some(listener)).await.expect("served") });
    Server { address, appender, stop, _folder: folder }
}

impl Server {
    fn events(&self) -> Vec<Event> {
        self.appender.read(0, usize::MAX / 2).unwrap_or_default().into_iter().map(|entry| entry.event).collect()
    }

    /// How often each metric was measured.
    fn measured(&self, refid: &str) -> usize {
        let messages: Vec<_> = self.events().iter().filter_map(|event| event.message().cloned()).collect();
        let readings = messages.iter().flat_map(|message| &message.content).filter_map(|content| match content {
            Content::Reading(reading) => Some(&reading.measurements),
            _ => None,
        });
        readings.flatten().filter(|one| one.metric.refid() == refid).count()
    }

    fn links(&self) -> Vec<LinkState> {
        let state = |event: &Event| if let Event::Link { state, .. } = event { Some(*state) } else { None };
        self.events().iter().filter_map(state).collect()
    }
}

/// A device on a connection.
struct Device {
    agent: Agent,
    stream: TcpStream,
    did: Vec<Output>,
}

impl Device {
    async fn connect(server: &Server, profile: Profile) -> Self {
        let stream = TcpStream::connect(server.address).await.expect("a connection");
        let mut device = Self { agent: Agent::new(profile), stream, did: Vec::new() };
        device.agent.step(Input::Connected, 0);
        let outputs = device.agent.step(Input::Associate, 0);
        device.carry(outputs).await;
        device.until(|device| device.agent.state() == State::Operating).await;
        device
    }

    async fn carry(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Send(bytes) => self.stream.write_all(&bytes).await.expect("sent"),
                other => self.did.push(other),
            }
        }
    }

    /// Serves its manager until that is so.
    async fn until(&mut self, done: impl Fn(&Self) -> bool) {
        while !done(self) {
            let mut head = [0; 4];
            let read = tokio::time::timeout(Duration::from_secs(60), self.stream.read_exact(&mut head)).await;
            read.expect("an answer in time").expect("a connection");
            let mut apdu = head.to_vec();
            apdu.resize(4 + usize::from(u16::from_be_bytes([head[2], head[3]])), 0);
            self.stream.read_exact(&mut apdu[4..]).await.expect("a whole APDU");
            let outputs = self.agent.step(Input::Apdu(&apdu), 0);
            self.carry(outputs).await;
        }
    }

    async fn report(&mut self, kilograms: u32) {
        let at = Clock::new(TimeZone::UTC).absolute_at(DeviceTime(NOW));
        let attributes = vec![(attr::NU_SIMPLE, kilograms.to_be_bytes().to_vec()), (attr::TIME_ABSOLUTE, at.to_vec())];
        let observation = Observation { person: None, object: 1, attributes };
        let outputs = self.agent.step(Input::Report(&[observation], true), 0);
        self.carry(outputs).await;
        let before = self.did.iter().filter(|did| **did == Output::Taken).count();
        self.until(|device| device.did.iter().filter(|did| **did == Output::Taken).count() > before).await;
    }
}

/// A scale with a configuration of its own.
fn scale() -> Profile {
    let kind = [2_u16, 57_664].map(u16::to_be_bytes).concat();
    let attributes = vec![(attr::TYPE, kind), (attr::UNIT, 1731_u16.to_be_bytes().to_vec())];
    let objects = vec![Object { class: 6, handle: 1, attributes }];
    Profile { system_id: vec![1; 8], configuration: Configuration { id: 0x4001, objects }, ..Profile::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_confirmed_is_kept_once_and_who_comes_back_is_known() {
    let server = start().await;
    let mut device = Device::connect(&server, scale()).await;
    device.report(80).await;
    assert_eq!(server.measured("MDC_MASS_BODY_ACTUAL"), 1, "durable when it is confirmed");
    device.report(80).await;
    device.report(81).await;
    assert_eq!(server.measured("MDC_MASS_BODY_ACTUAL"), 2, "the same of the same time is one");
    drop(device);
    wait(|| server.links().contains(&LinkState::Lost), "the loss").await;

    // Its objects are gone: only who remembers them understands it.
    let forgetful = Profile { configuration: Configuration { id: 0x4001, objects: Vec::new() }, ..scale() };
    let mut device = Device::connect(&server, forgetful).await;
    device.report(82).await;
    assert_eq!(server.measured("MDC_MASS_BODY_ACTUAL"), 3);
    let outputs = device.agent.step(Input::Release, 0);
    device.carry(outputs).await;
    device.until(|device| device.agent.state() == State::Unassociated).await;
    wait(|| server.links().last() == Some(&LinkState::Offline), "the goodbye").await;
    server.stop.send(true).expect("it listens");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_comes_by_another_connection_is_not_lost() {
    let server = start().await;
    let first = Device::connect(&server, scale()).await;
    let mut second = Device::connect(&server, scale()).await;
    second.report(80).await;
    drop(first);
    second.report(81).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    second.report(82).await;
    assert!(!server.links().contains(&LinkState::Lost), "{:?}", server.links());
    server.stop.send(true).expect("it listens");
}

async fn wait(done: impl Fn() -> bool, what: &str) {
    let end = tokio::time::Instant::now() + Duration::from_secs(60);
    while !done() {
        assert!(tokio::time::Instant::now() < end, "waited in vain for {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
