//! One HL7 message over MLLP and its answers, on a connection of its own, over TLS or plainly.

use std::time::Duration;

use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use wire_hl7::mllp::{Decoder, Item, frame};

use crate::reach::may_ask;
use crate::{Client, OutgoingError};

/// Largest answer that is read, in bytes.
const ANSWER_MAX: usize = 64 << 10;

/// Who listens for HL7 messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Over TLS; else anybody on the way reads it.
    pub encrypted: bool,
}

impl Peer {
    /// Reads `mllps://host:port`, or `mllp://host:port` for an unencrypted one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (encrypted, rest) = match text.split_once("://")? {
            ("mllps", rest) => (true, rest),
            ("mllp", rest) => (false, rest),
            _ => return None,
        };
        let (host, port) = rest.trim_end_matches('/').rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let usable = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '_');
        let host = Some(host).filter(|host| !host.is_empty() && host.chars().all(usable))?;
        Some(Self { host: host.to_owned(), port: port.parse().ok().filter(|port| *port > 0)?, encrypted })
    }

    /// Whether it is on this very machine.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let ip = self.host.parse::<std::net::IpAddr>();
        self.host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
    }
}

/// Both halves of a connection, encrypted or not.
trait Duplex: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Duplex for T {}

/// A connection to a listener of HL7 messages, for whoever waits for more than one answer.
pub struct Line {
    io: Box<dyn Duplex>,
    decoder: Decoder,
}

impl Client {
    /// Sends one message and reads the first answer. Nothing is sent twice.
    ///
    /// # Errors
    /// [`OutgoingError`]: afterwards nobody knows whether the message arrived, unless there was no
    /// connection at all.
    pub async fn exchange(&self, peer: &Peer, message: &[u8], patience: Duration) -> Result<Vec<u8>, OutgoingError> {
        let exchange = async {
            let mut line = self.open(peer).await?;
            line.say(message).await?;
            line.hear().await
        };
        let late = |_| OutgoingError::Late(patience.as_secs());
        tokio::time::timeout(patience, exchange).await.map_err(late)?
    }

    /// Opens a connection; nothing of any message has left before it is there.
    ///
    /// # Errors
    /// [`OutgoingError`].
    pub async fn line(&self, peer: &Peer, patience: Duration) -> Result<Line, OutgoingError> {
        let late = |_| OutgoingError::Late(patience.as_secs());
        tokio::time::timeout(patience, self.open(peer)).await.map_err(late)?
    }

    async fn open(&self, peer: &Peer) -> Result<Line, OutgoingError> {
        let socket = connect(peer).await?;
        let io: Box<dyn Duplex> = if peer.encrypted {
            let name = ServerName::try_from(peer.host.clone())
                .map_err(|_| OutgoingError::Request("the host's name can't be in a certificate".to_owned()))?;
            let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::clone(&self.tls));
            Box::new(connector.connect(name, socket).await.map_err(broken)?)
        } else {
            Box::new(socket)
        };
        Ok(Line { io, decoder: Decoder::new(ANSWER_MAX) })
    }
}

impl Line {
    /// Sends one message.
    ///
    /// # Errors
    /// [`OutgoingError`]: whether it arrived nobody knows then.
    pub async fn say(&mut self, message: &[u8]) -> Result<(), OutgoingError> {
        self.io.write_all(&frame(message)).await.map_err(broken)?;
        self.io.flush().await.map_err(broken)
    }

    /// Reads the next message; waits as long as it takes.
    ///
    /// # Errors
    /// [`OutgoingError`].
    pub async fn hear(&mut self) -> Result<Vec<u8>, OutgoingError> {
        loop {
            while let Some(item) = self.decoder.next_item() {
                match item {
                    Item::Frame(answer) => return Ok(answer.to_vec()),
                    Item::TooLong { .. } => return Err(OutgoingError::Large(ANSWER_MAX)),
                    Item::CutOff(_) | Item::Garbage(_) => {}
                }
            }
            if self.decoder.garbage() > ANSWER_MAX as u64 {
                return Err(OutgoingError::Large(ANSWER_MAX));
            }
            let buffer = self.decoder.buffer();
            buffer.reserve(4_096);
            if self.io.read_buf(buffer).await.map_err(broken)? == 0 {
                return Err(OutgoingError::Connection("the connection was closed without an answer".to_owned()));
            }
        }
    }
}

async fn connect(peer: &Peer) -> Result<TcpStream, OutgoingError> {
    let found = tokio::net::lookup_host((peer.host.as_str(), peer.port)).await.map_err(broken)?;
    let mut last = OutgoingError::NotAsked("it is link-local, or no machine's");
    for address in found.filter(|address| may_ask(address.ip())) {
        match TcpStream::connect(address).await {
            Ok(socket) => {
                let _ = socket.set_nodelay(true);
                return Ok(socket);
            }
            Err(error) => last = broken(error),
        }
    }
    Err(last)
}

fn broken(error: std::io::Error) -> OutgoingError {
    OutgoingError::Connection(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn peers_are_read() {
        let peer = |host: &str, port, encrypted| Some(Peer { host: host.into(), port, encrypted });
        for (text, expected) in [
            ("mllps://am.example:2576", peer("am.example", 2_576, true)),
            ("mllp://127.0.0.1:9/", peer("127.0.0.1", 9, false)),
            ("mllp://[::1]:9", peer("::1", 9, false)),
            ("mllps://am.example", None),
            ("mllps://user@am.example:1", None),
            ("https://am.example:1", None),
            ("mllps://:1", None),
            ("mllps://a:0", None),
        ] {
            assert_eq!(Peer::parse(text), expected, "{text}");
        }
    }

    #[tokio::test]
    async fn a_message_and_its_answer() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        tokio::spawn(async move {
            for answers in [true, false] {
                let (mut socket, _) = listener.accept().await.expect("a connection");
                let mut read = Vec::new();
                while !read.ends_with(b"\x1c\x0d") {
                    socket.read_buf(&mut read).await.expect("bytes");
                }
                if answers {
                    socket.write_all(&frame(b"MSH|^~\\&|AM\rMSA|AA|1\r")).await.expect("sent");
                }
            }
        });
        let client = Client::plain().expect("a client");
        let peer = Peer { host: "127.0.0.1".into(), port, encrypted: false };
        let patience = Duration::from_secs(20);
        let answer = client.exchange(&peer, b"MSH|^~\\&|VW\r", patience).await.expect("an answer");
        assert!(answer.starts_with(b"MSH|"));
        let none = client.exchange(&peer, b"MSH|^~\\&|VW\r", patience).await;
        assert!(matches!(none, Err(OutgoingError::Connection(_))), "{none:?}");
    }
}
