//! An MLLP client (HL7 v2 transport, MLLP release 1): frames out, acknowledgements in.

use std::collections::VecDeque;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{ANSWER_WITHIN, closed};
use crate::error::SimError;
use crate::wire::hl7::Acknowledgement;

/// First byte of a frame.
pub const START: u8 = 0x0b;
/// Last two bytes of a frame.
pub const END: [u8; 2] = [0x1c, 0x0d];

/// A connection with the messages that await their acknowledgement, which come in order.
#[derive(Debug)]
pub struct MllpLink {
    address: String,
    stream: TcpStream,
    incoming: Vec<u8>,
    unacknowledged: VecDeque<Vec<u8>>,
    /// Messages that the server has taken (AA or CA).
    pub acknowledged: u64,
    /// Messages that the server has answered with an error or rejection.
    pub refused: u64,
}

impl MllpLink {
    /// Connects.
    ///
    /// # Errors
    /// [`SimError::Network`].
    pub async fn connect(address: &str) -> Result<Self, SimError> {
        let stream = open(address).await?;
        Ok(Self {
            address: address.to_owned(),
            stream,
            incoming: Vec::with_capacity(4_096),
            unacknowledged: VecDeque::new(),
            acknowledged: 0,
            refused: 0,
        })
    }

    /// Connects again and repeats what was not acknowledged, with the same control ids.
    ///
    /// # Errors
    /// [`SimError::Network`].
    pub async fn reconnect(&mut self) -> Result<(), SimError> {
        self.stream = open(&self.address).await?;
        self.incoming.clear();
        let frames: Vec<u8> = self.unacknowledged.iter().flatten().copied().collect();
        self.stream
            .write_all(&frames)
            .await
            .map_err(SimError::network("MLLP send", &self.address))
    }

    /// Sends one message without waiting for its acknowledgement.
    ///
    /// # Errors
    /// [`SimError::Network`]; the message is kept for [`Self::reconnect`].
    pub async fn send(&mut self, message: &[u8]) -> Result<(), SimError> {
        let frame = frame(message);
        let written = self.stream.write_all(&frame).await;
        self.unacknowledged.push_back(frame);
        written.map_err(SimError::network("MLLP send", &self.address))
    }

    /// Waits for the next acknowledgement.
    ///
    /// # Errors
    /// [`SimError::Network`], also when the answer has no MSA.
    pub async fn acknowledgement(&mut self) -> Result<Acknowledgement, SimError> {
        loop {
            if let Some(end) = self.incoming.windows(2).position(|pair| pair == END) {
                let text: Vec<u8> = self.incoming.drain(..end + 2).collect();
                let text = String::from_utf8_lossy(&text);
                let failed = SimError::network("MLLP acknowledgement", &self.address);
                let ack = Acknowledgement::parse(text.trim_start_matches('\u{b}'))
                    .ok_or_else(|| failed(closed("the answer has no MSA segment")))?;
                self.unacknowledged.pop_front();
                if ack.accepted() {
                    self.acknowledged += 1;
                } else {
                    self.refused += 1;
                }
                return Ok(ack);
            }
            let failed = SimError::network("MLLP acknowledgement", &self.address);
            match timeout(ANSWER_WITHIN, self.stream.read_buf(&mut self.incoming)).await {
                Ok(Ok(0)) => return Err(failed(closed("closed by the server"))),
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(failed(error)),
                Err(_) => return Err(failed(closed("no answer within 30 s"))),
            }
        }
    }

    /// How many messages await their acknowledgement.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.unacknowledged.len()
    }
}

/// A message as a frame.
#[must_use]
pub fn frame(message: &[u8]) -> Vec<u8> {
    let mut frame = Vec::with_capacity(message.len() + 3);
    frame.push(START);
    frame.extend(message);
    frame.extend(END);
    frame
}

async fn open(address: &str) -> Result<TcpStream, SimError> {
    let stream =
        TcpStream::connect(address).await.map_err(SimError::network("MLLP connect", address))?;
    let _ = stream.set_nodelay(true);
    Ok(stream)
}
