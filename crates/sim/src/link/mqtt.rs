//! A publishing MQTT 5 client at QoS 1: a window of unacknowledged packets, which are sent again
//! after a reconnection.

use std::collections::VecDeque;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{ANSWER_WITHIN, closed};
use crate::error::SimError;
use crate::wire::mqtt::{self, Answer, Connect};

/// How to connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttOptions {
    /// `host:port`.
    pub address: String,
    /// Client id.
    pub client_id: String,
    /// Account and password, if authentication is on.
    pub credentials: Option<(String, String)>,
    /// Topic and payload of the will.
    pub will: Option<(String, Vec<u8>)>,
    /// Most unacknowledged publishes; the server's receive maximum may lower it.
    pub window: u16,
}

/// A connection with what it has not been acknowledged for.
#[derive(Debug)]
pub struct MqttLink {
    options: MqttOptions,
    stream: TcpStream,
    window: usize,
    next_id: u16,
    outgoing: Vec<u8>,
    incoming: Vec<u8>,
    unacknowledged: VecDeque<(u16, Vec<u8>)>,
    /// What is followed, and what came of it.
    follows: Option<String>,
    inbox: VecDeque<Vec<u8>>,
    /// Publishes that the server has taken.
    pub acknowledged: u64,
    /// Publishes that the server has refused with a reason code of 0x80 or more.
    pub refused: u64,
}

impl MqttLink {
    /// Connects and waits for the CONNACK.
    ///
    /// # Errors
    /// [`SimError::Network`] or, when the server says no, [`SimError::Refused`].
    pub async fn connect(options: MqttOptions) -> Result<Self, SimError> {
        let (stream, window, incoming) = open(&options).await?;
        Ok(Self {
            options,
            stream,
            window,
            next_id: 0,
            outgoing: Vec::new(),
            incoming,
            unacknowledged: VecDeque::new(),
            follows: None,
            inbox: VecDeque::new(),
            acknowledged: 0,
            refused: 0,
        })
    }

    /// Connects again after a failure and sends what is unacknowledged once more, marked as
    /// duplicates.
    ///
    /// # Errors
    /// As [`Self::connect`].
    pub async fn reconnect(&mut self) -> Result<(), SimError> {
        (self.stream, self.window, self.incoming) = open(&self.options).await?;
        self.outgoing.clear();
        if let Some(filter) = &self.follows {
            self.outgoing.extend(mqtt::subscribe(u16::MAX, filter));
        }
        for (_, packet) in &mut self.unacknowledged {
            packet[0] |= 0x08;
        }
        // One more than the window may be kept: it waits for the first acknowledgement.
        for (_, packet) in self.unacknowledged.iter().take(self.window) {
            self.outgoing.extend(packet);
        }
        self.flush().await?;
        if let Some((_, last)) = self.unacknowledged.get(self.window) {
            let last = last.clone();
            while self.unacknowledged.len() > self.window {
                self.receive().await?;
            }
            self.outgoing.extend(last);
        }
        self.flush().await
    }

    /// Follows one filter from now on, also on later connections.
    ///
    /// # Errors
    /// [`SimError::Network`].
    pub async fn follow(&mut self, filter: String) -> Result<(), SimError> {
        self.outgoing.extend(mqtt::subscribe(u16::MAX, &filter));
        self.follows = Some(filter);
        self.flush().await
    }

    /// The next payload of what is followed; waits as long as it takes. May be given up at any time;
    /// [`Self::flush`] acknowledges what was heard.
    ///
    /// # Errors
    /// [`SimError::Network`].
    pub async fn hear(&mut self) -> Result<Vec<u8>, SimError> {
        loop {
            if let Some(payload) = self.inbox.pop_front() {
                return Ok(payload);
            }
            match self.stream.read_buf(&mut self.incoming).await {
                Ok(0) => return Err(self.lost(closed("closed by the server"))),
                Ok(_) => self.take_in()?,
                Err(error) => return Err(self.lost(error)),
            }
        }
    }

    /// Shows the server that this end is there.
    ///
    /// # Errors
    /// [`SimError::Network`].
    pub async fn ping(&mut self) -> Result<(), SimError> {
        self.outgoing.extend(mqtt::PING);
        self.flush().await
    }

    /// Queues one publish; writes and waits for acknowledgements while the window is full.
    ///
    /// # Errors
    /// [`SimError::Network`]; the publish is then kept and [`Self::reconnect`] sends it again.
    pub async fn publish(
        &mut self,
        topic: &str,
        content_type: &str,
        payload: &[u8],
    ) -> Result<(), SimError> {
        // The last number is the subscription's.
        self.next_id = if self.next_id >= u16::MAX - 1 { 1 } else { self.next_id + 1 };
        let packet = mqtt::publish(topic, self.next_id, content_type, payload);
        let room = self.make_room().await;
        self.unacknowledged.push_back((self.next_id, packet));
        room?;
        if let Some((_, packet)) = self.unacknowledged.back() {
            self.outgoing.extend(packet);
        }
        if self.outgoing.len() > 32_768 {
            self.flush().await?;
        }
        Ok(())
    }

    /// Writes what is queued.
    ///
    /// # Errors
    /// [`SimError::Network`].
    pub async fn flush(&mut self) -> Result<(), SimError> {
        let written = self.stream.write_all(&self.outgoing).await;
        self.outgoing.clear();
        written.map_err(SimError::network("MQTT send", &self.options.address))
    }

    /// Writes what is queued and waits until everything is acknowledged.
    ///
    /// # Errors
    /// [`SimError::Network`].
    pub async fn drain(&mut self) -> Result<(), SimError> {
        self.flush().await?;
        while !self.unacknowledged.is_empty() {
            self.receive().await?;
        }
        Ok(())
    }

    /// How many publishes are unacknowledged.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.unacknowledged.len()
    }

    /// Says goodbye, so that the will is not published.
    pub async fn goodbye(mut self) {
        let _ = self.stream.write_all(&mqtt::DISCONNECT).await;
        let _ = self.stream.shutdown().await;
    }

    async fn make_room(&mut self) -> Result<(), SimError> {
        if self.unacknowledged.len() >= self.window {
            self.flush().await?;
        }
        while self.unacknowledged.len() >= self.window {
            self.receive().await?;
        }
        Ok(())
    }

    async fn receive(&mut self) -> Result<(), SimError> {
        let read = timeout(ANSWER_WITHIN, self.stream.read_buf(&mut self.incoming)).await;
        match read {
            Ok(Ok(0)) => Err(self.lost(closed("closed by the server"))),
            Ok(Ok(_)) => self.take_in(),
            Ok(Err(error)) => Err(self.lost(error)),
            Err(_) => Err(self.lost(closed("no answer within 30 s"))),
        }
    }

    fn lost(&self, source: std::io::Error) -> SimError {
        SimError::Network { what: "MQTT acknowledgement", address: self.options.address.clone(), source }
    }

    /// Acts on every whole packet that was read; what is to be answered is queued.
    fn take_in(&mut self) -> Result<(), SimError> {
        let mut at = 0;
        while let Some((answer, length)) = mqtt::parse(&self.incoming[at..]) {
            if let Some((id, payload)) = mqtt::delivered(&self.incoming[at..at + length]) {
                self.inbox.push_back(payload.to_vec());
                self.outgoing.extend(id.map(mqtt::puback).into_iter().flatten());
            }
            at += length;
            match answer {
                Answer::Acknowledged { packet_id, reason } => self.settle(packet_id, reason),
                Answer::Disconnected(reason) => {
                    return Err(SimError::Refused {
                        what: "the MQTT connection".to_owned(),
                        reason: format!("DISCONNECT with reason code {reason:#04x}"),
                    });
                }
                _ => {}
            }
        }
        self.incoming.drain(..at);
        Ok(())
    }

    fn settle(&mut self, packet_id: u16, reason: u8) {
        // Acknowledgements come in order, nearly always: the first is the one.
        let Some(at) = self.unacknowledged.iter().position(|(id, _)| *id == packet_id) else {
            return;
        };
        self.unacknowledged.remove(at);
        if reason < 0x80 {
            self.acknowledged += 1;
        } else {
            self.refused += 1;
        }
    }
}

async fn open(options: &MqttOptions) -> Result<(TcpStream, usize, Vec<u8>), SimError> {
    let failed = || SimError::network("MQTT connect", &options.address);
    let mut stream = TcpStream::connect(&options.address).await.map_err(failed())?;
    let _ = stream.set_nodelay(true);
    let connect = Connect {
        client_id: &options.client_id,
        user: options.credentials.as_ref().map(|(user, _)| user.as_str()),
        password: options.credentials.as_ref().map(|(_, password)| password.as_str()),
        will: options.will.as_ref().map(|(topic, payload)| (topic.as_str(), payload.as_slice())),
        keep_alive_s: 60,
    };
    stream.write_all(&connect.encode()).await.map_err(failed())?;
    let mut incoming = Vec::with_capacity(4_096);
    loop {
        let read = timeout(ANSWER_WITHIN, stream.read_buf(&mut incoming)).await;
        match read {
            Ok(Ok(0)) => return Err(failed()(closed("closed before CONNACK"))),
            Ok(Ok(_)) => {}
            Ok(Err(error)) => return Err(failed()(error)),
            Err(_) => return Err(failed()(closed("no CONNACK within 30 s"))),
        }
        let Some((answer, length)) = mqtt::parse(&incoming) else { continue };
        incoming.drain(..length);
        return match answer {
            Answer::Connected { reason: 0, receive_maximum } => {
                let window = usize::from(options.window.min(receive_maximum).max(1));
                Ok((stream, window, incoming))
            }
            Answer::Connected { reason, .. } | Answer::Disconnected(reason) => {
                Err(SimError::Refused {
                    what: "the MQTT connection".to_owned(),
                    reason: format!("reason code {reason:#04x}"),
                })
            }
            _ => Err(failed()(closed("the first answer was no CONNACK"))),
        };
    }
}
