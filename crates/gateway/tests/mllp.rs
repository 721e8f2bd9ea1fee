//! The MLLP listener over a real journal: answers come after the commit, in order, once.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gateway::mllp::{MllpConfig, MllpLimits, serve};
use gateway::{Authenticator, ClientIdentity, Doors, OpenDoor, Refused};
use journal::{Appender, EmbeddedJournal, Entry, Limits};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use vitals::{DeviceId, Event, Message, ReceiveTime};
use wire_hl7::mllp::frame;

struct Server {
    address: SocketAddr,
    appender: Appender,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
    _folder: tempfile::TempDir,
}

impl Server {
    async fn start(limits: MllpLimits, identify: Arc<dyn Authenticator>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let journal = EmbeddedJournal::open(folder.path()).expect("a journal");
        let (sink, feed) = std::sync::mpsc::sync_channel::<Arc<[Entry]>>(64);
        std::thread::spawn(move || feed.iter().for_each(drop));
        let clock = || ReceiveTime(1);
        let appender = Appender::start(journal, Box::new(clock), Limits::default(), sink)
            .expect("an appender");
        let (stop, shutdown) = watch::channel(false);
        let profiles = Arc::new(mapping::Profiles::compile(&[]).0);
        let doors = Doors {
            appender: appender.clone(),
            profiles: Arc::new(move || Arc::clone(&profiles)),
            identify,
            clock,
            shutdown,
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let alert_managers = vec!["AM".to_owned()];
        let config = MllpConfig { limits, alert_managers, ..MllpConfig::default() };
        let task =
            tokio::spawn(async move { serve(config, doors, listener).await.expect("served") });
        Self { address, appender, stop, task, _folder: folder }
    }

    async fn open() -> Self {
        Self::start(MllpLimits::default(), Arc::new(OpenDoor)).await
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.expect("a connection")
    }

    fn messages(&self) -> Vec<Message> {
        let entries = self.appender.read(0, usize::MAX / 2).unwrap_or_default();
        entries
            .into_iter()
            .filter_map(|entry| match entry.event {
                Event::Message(message) => Some(message),
                _ => None,
            })
            .collect()
    }
}

fn message(id: u32) -> Vec<u8> {
    format!(
        "MSH|^~\\&|MON|ICU|||20260101120000||ORU^R01|{id}|P|2.6\rPID|||1\rOBX|1|NM|HR||{}||||||F|||||||M{id}\r",
        60 + id % 40
    )
    .into_bytes()
}

/// Reads until there are `count` answers (MSA segments) and gives back code and control id of each.
async fn answers(stream: &mut TcpStream, count: usize) -> Vec<String> {
    let mut text = Vec::new();
    let found = |text: &[u8]| -> Vec<String> {
        String::from_utf8_lossy(text)
            .split('\r')
            .filter_map(|line| line.strip_prefix("MSA|"))
            .map(|msa| msa.split('|').take(2).collect::<Vec<_>>().join(" "))
            .collect()
    };
    loop {
        let whole = text.ends_with(b"\x1c\x0d");
        if whole && found(&text).len() >= count {
            return found(&text);
        }
        let mut piece = [0; 4096];
        let read = tokio::time::timeout(Duration::from_secs(20), stream.read(&mut piece)).await;
        match read.expect("an answer in time").expect("a connection") {
            0 => return found(&text),
            n => text.extend_from_slice(&piece[..n]),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_in_flight_are_answered_in_order_and_stored_once() {
    let limits = MllpLimits { in_flight: 16, ..MllpLimits::default() };
    let server = Server::start(limits, Arc::new(OpenDoor)).await;
    let mut stream = server.connect().await;
    let (mut reader, mut writer) = stream.split();
    let send = async {
        for id in 0..2_000 {
            writer.write_all(&frame(&message(id))).await.expect("sent");
        }
        for id in 0..10 {
            writer.write_all(&frame(&message(id))).await.expect("sent again");
        }
    };
    let receive = async {
        let mut text = Vec::new();
        while text.windows(2).filter(|w| *w == b"\x1c\x0d").count() < 2_010 {
            let n = reader.read_buf(&mut text).await.expect("answers");
            assert!(n > 0);
        }
        text
    };
    let ((), text) = tokio::join!(send, receive);
    let text = String::from_utf8(text).expect("text");
    let ids: Vec<u32> = text
        .split("MSA|AA|")
        .skip(1)
        .map(|rest| rest.split('\r').next().and_then(|id| id.parse().ok()).expect("an id"))
        .collect();
    let expected: Vec<u32> = (0..2_000).chain(0..10).collect();
    assert_eq!(ids, expected);
    let stored: Vec<String> = server.messages().into_iter().map(|m| m.origin.message_id).collect();
    let expected: Vec<String> = (0..2_000).map(|id| id.to_string()).collect();
    assert_eq!(stored, expected, "each once, in order");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_frames_are_answered_kept_and_leave_neighbours_unharmed() {
    let limits = MllpLimits { frame_bytes: 1_000, ..MllpLimits::default() };
    let server = Server::start(limits, Arc::new(OpenDoor)).await;
    let mut stream = server.connect().await;
    let mut bytes = b"not a frame".to_vec();
    bytes.extend(frame(b"hello"));
    bytes.extend(frame(&[message(7), vec![b'x'; 5_000]].concat()));
    bytes.extend(&frame(&message(8))[..40]);
    bytes.extend(frame(&message(9)));
    stream.write_all(&bytes).await.expect("sent");
    // The half frame is kept, but its sender did not wait for an answer.
    assert_eq!(answers(&mut stream, 3).await, ["AR ", "AR 7", "AA 9"]);
    let kept: Vec<(usize, usize)> =
        server.messages().iter().map(|m| (m.content.len(), m.problems.len())).collect();
    assert_eq!(kept, [(0, 1), (0, 1), (0, 1), (1, 0)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_batch_gets_one_batch_of_answers() {
    let server = Server::open().await;
    let mut stream = server.connect().await;
    let batch = [b"BHS|^~\\&\r".to_vec(), message(1), message(2), b"BTS|2\r".to_vec()].concat();
    stream.write_all(&frame(&batch)).await.expect("sent");
    assert_eq!(answers(&mut stream, 2).await, ["AA 1", "AA 2"]);
    assert_eq!(server.messages().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_closes_its_half_still_gets_its_answers() {
    let server = Server::open().await;
    let mut stream = server.connect().await;
    stream.write_all(&frame(&message(1))).await.expect("sent");
    stream.shutdown().await.expect("half closed");
    assert_eq!(answers(&mut stream, 1).await, ["AA 1"]);
    assert_eq!(stream.read(&mut [0; 8]).await.expect("the end"), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_and_nonsense_are_cut_off() {
    let limits = MllpLimits {
        frame_timeout: Duration::from_millis(50),
        garbage_bytes: 100,
        ..MllpLimits::default()
    };
    let server = Server::start(limits, Arc::new(OpenDoor)).await;
    for bytes in [b"\x0bMSH|half".to_vec(), vec![b'x'; 1_000]] {
        let mut stream = server.connect().await;
        stream.write_all(&bytes).await.expect("sent");
        let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut [0; 8])).await;
        assert!(matches!(read.expect("cut off"), Ok(0) | Err(_)));
    }
    assert!(server.messages().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_program_stops_after_the_last_answer() {
    let server = Server::open().await;
    let mut stream = server.connect().await;
    stream.write_all(&frame(&message(1))).await.expect("sent");
    assert_eq!(answers(&mut stream, 1).await, ["AA 1"]);
    server.stop.send(true).expect("somebody listens");
    let ended = tokio::time::timeout(Duration::from_secs(5), server.task).await;
    ended.expect("in time").expect("without a panic");
    assert_eq!(stream.read(&mut [0; 8]).await.expect("the end"), 0);
}

/// Lets everybody in as device M1 and nobody else.
struct OneDevice;

impl Authenticator for OneDevice {
    fn mqtt(&self, _: &str, _: Option<&str>, _: Option<&[u8]>) -> Result<ClientIdentity, Refused> {
        Err(Refused::NotAllowed)
    }

    fn mllp(&self, _: SocketAddr) -> Result<ClientIdentity, Refused> {
        let device = DeviceId::new("M1").map_err(|_| Refused::NotAllowed)?;
        Ok(ClientIdentity::device(device, String::new()))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_speaks_for_itself_only() {
    let server = Server::start(MllpLimits::default(), Arc::new(OneDevice)).await;
    let mut stream = server.connect().await;
    stream.write_all(&[frame(&message(1)), frame(&message(2))].concat()).await.expect("sent");
    assert_eq!(answers(&mut stream, 2).await, ["AA 1", "AE 2"]);
    let messages = server.messages();
    assert_eq!(messages.iter().map(|m| m.content.len()).collect::<Vec<_>>(), [1, 0]);
    assert_eq!(messages[1].problems[0].kind.name(), "forbidden");
}

#[tokio::test]
async fn an_alert_manager_s_answer_is_somebody_s_action_once() {
    let server = Server::open().await;
    let mut stream = server.connect().await;
    let status = |id: u32, sender: &str| {
        format!(
            "MSH|^~\\&|{sender}|H|VITALWIRE||20260101120000||ORA^R41^ORA_R41|{id}|P|2.6|||AL|NE\r\
             MSA|AA|e5-0.9\rPRT|1|AD|Accepted|AAP|n17^Muster^Kim\r"
        )
    };
    for (id, sender) in [(1, "AM"), (1, "AM"), (2, "OTHER")] {
        stream.write_all(&frame(status(id, sender).as_bytes())).await.expect("sent");
    }
    let codes = answers(&mut stream, 3).await;
    assert_eq!(codes, ["CA 1", "CA 1", "CE 2"]);
    let entries = server.appender.read(0, usize::MAX / 2).unwrap_or_default();
    let actions: Vec<_> = entries
        .into_iter()
        .filter_map(|entry| match entry.event {
            Event::Action(actor, vitals::Action::Acknowledge { episode, .. }) => Some((actor.name, episode.to_string())),
            _ => None,
        })
        .collect();
    assert_eq!(actions, [("AM/n17".to_owned(), "e5-0".to_owned())]);
    let forbidden = server.messages().iter().filter(|m| !m.problems.is_empty()).count();
    assert_eq!(forbidden, 1);
}
