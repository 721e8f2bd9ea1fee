//! A connection to a D-Bus daemon: its socket, who we are (EXTERNAL: the socket says it), messages whole.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use wire_dbus::{DbusError, Kind, Message};

/// How long the daemon may take to let us in.
const PATIENCE: Duration = Duration::from_secs(10);
/// The bus itself.
const BUS: &str = "org.freedesktop.DBus";

/// Why there is no bus any more.
#[derive(Debug, thiserror::Error)]
pub(super) enum BusError {
    /// The socket.
    #[error("the bus: {0}")]
    Socket(#[from] io::Error),
    /// It does not let us in.
    #[error("the bus does not let us in")]
    Refused,
    /// It says something that is no D-Bus.
    #[error("the bus: {0}")]
    Message(#[from] DbusError),
    /// It says nothing.
    #[error("the bus does not answer")]
    Late,
}

/// The connection.
pub(super) struct Bus {
    stream: UnixStream,
    buffer: Vec<u8>,
}

impl Bus {
    /// Connects and says who we are; the answer to `Hello` (serial 1) is taken.
    pub(super) async fn open(socket: &Path) -> Result<Self, BusError> {
        let opening = async {
            let stream = UnixStream::connect(socket).await?;
            let mut bus = Self { stream, buffer: Vec::new() };
            bus.enter().await?;
            bus.send(&Message::call(1, BUS, "/org/freedesktop/DBus", BUS, "Hello")).await?;
            loop {
                let message = bus.next().await?;
                match (message.kind, message.reply_serial) {
                    (Kind::Return, Some(1)) => return Ok(bus),
                    (Kind::Error, Some(1)) => return Err(BusError::Refused),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, opening).await.map_err(|_| BusError::Late)?
    }

    /// The socket tells the daemon our user; it only wants to hear the same from us.
    async fn enter(&mut self) -> Result<(), BusError> {
        let user = std::fs::metadata("/proc/self")?.uid().to_string();
        let user: String = user.bytes().map(|byte| format!("{byte:02x}")).collect();
        self.stream.write_all(format!("\0AUTH EXTERNAL {user}\r\n").as_bytes()).await?;
        let mut line = Vec::new();
        while !line.ends_with(b"\r\n") {
            if line.len() > 512 {
                return Err(BusError::Refused);
            }
            line.push(self.stream.read_u8().await?);
        }
        if !line.starts_with(b"OK ") {
            return Err(BusError::Refused);
        }
        self.stream.write_all(b"BEGIN\r\n").await?;
        Ok(())
    }

    /// Sends a message.
    pub(super) async fn send(&mut self, message: &Message) -> Result<(), BusError> {
        Ok(self.stream.write_all(&message.encode()).await?)
    }

    /// The next message. What has come of one is kept when this is given up.
    pub(super) async fn next(&mut self) -> Result<Message, BusError> {
        loop {
            if let Some((message, taken)) = Message::decode(&self.buffer)? {
                self.buffer.drain(..taken);
                return Ok(message);
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(BusError::Socket(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }
}
