//! One device on MQTT: connects, publishes at QoS 1, reads acknowledgements.

use anyhow::{Context, bail};
use sim::wire::mqtt::{self, Answer, Connect};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connected device.
pub struct Device {
    stream: TcpStream,
    incoming: Vec<u8>,
    topic: String,
    next_id: u16,
    waiting: usize,
}

impl Device {
    /// Connects as the device `id`, which publishes to `vitalwire/ID/KIND`.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn connect(address: &str, id: &str, kind: &str) -> anyhow::Result<Self> {
        let mut stream = TcpStream::connect(address).await.context("cannot connect to MQTT")?;
        stream.set_nodelay(true)?;
        let connect = Connect { client_id: id, ..Connect::default() };
        stream.write_all(&connect.encode()).await?;
        let mut device = Self {
            stream,
            incoming: Vec::new(),
            topic: format!("vitalwire/{id}/{kind}"),
            next_id: 0,
            waiting: 0,
        };
        match device.answer().await? {
            Answer::Connected { reason: 0, .. } => Ok(device),
            other => bail!("the MQTT server answered {other:?}"),
        }
    }

    /// Publishes without waiting.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(&mut self, payload: &[u8]) -> anyhow::Result<()> {
        self.next_id = self.next_id.wrapping_add(1).max(1);
        let packet = mqtt::publish(&self.topic, self.next_id, "", payload);
        self.stream.write_all(&packet).await?;
        self.waiting += 1;
        Ok(())
    }

    /// Says that it is still there: the server ends a connection that is silent for some minutes.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn ping(&mut self) -> anyhow::Result<()> {
        self.stream.write_all(&mqtt::PING).await?;
        Ok(())
    }

    /// Waits until no more than `most` messages are unacknowledged.
    ///
    /// # Errors
    /// When one is refused, or the connection is gone.
    pub async fn settle(&mut self, most: usize) -> anyhow::Result<()> {
        while self.waiting > most {
            match self.answer().await? {
                Answer::Acknowledged { reason, .. } if reason < 0x80 => self.waiting -= 1,
                // The answer to a ping.
                Answer::Other => {}
                other => bail!("the MQTT server answered {other:?}"),
            }
        }
        Ok(())
    }

    async fn answer(&mut self) -> anyhow::Result<Answer> {
        loop {
            if let Some((answer, length)) = mqtt::parse(&self.incoming) {
                self.incoming.drain(..length);
                return Ok(answer);
            }
            if self.stream.read_buf(&mut self.incoming).await? == 0 {
                bail!("the MQTT server closed the connection");
            }
        }
    }
}
