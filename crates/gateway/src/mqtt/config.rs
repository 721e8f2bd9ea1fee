//! Addresses and limits of the MQTT listener, each with the value that it has unless told.

use std::net::SocketAddr;

use wire_mqtt::retained::RetainedLimits;
use wire_mqtt::session::QueueLimits;
use wire_mqtt::topic::TopicLimits;

use crate::tls::TlsFiles;

/// The listener's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttConfig {
    /// Address of the plain listener.
    pub listen: SocketAddr,
    /// The TLS listener, if there is one.
    pub tls: Option<MqttTls>,
    /// Limits.
    pub limits: MqttLimits,
}

impl Default for MqttConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 1883)),
            tls: None,
            limits: MqttLimits::default(),
        }
    }
}

/// The TLS listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttTls {
    /// Its address; the usual port is 8883.
    pub listen: SocketAddr,
    /// Certificate and key.
    pub files: TlsFiles,
}

/// What clients may ask of the listener.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MqttLimits {
    /// Connections at a time.
    pub connections: usize,
    /// Sessions kept, connected or not.
    pub sessions: usize,
    /// Subscriptions of one client.
    pub subscriptions: usize,
    /// Largest packet from a client, bytes.
    pub packet_bytes: u32,
    /// Topic names and filters.
    pub topic: TopicLimits,
    /// Topic aliases that a client may set.
    pub topic_aliases: u16,
    /// Publishes with QoS 1 and 2 that a client may send before the first is acknowledged.
    pub receive_maximum: u16,
    /// Publishes of one connection that may wait for the journal, QoS 0 included. When reached,
    /// the socket is not read.
    pub in_flight: usize,
    /// Publishes sent to a 3.1.1 client before it acknowledges the first.
    pub send_window: u16,
    /// What waits for one subscriber. What comes on top is dropped and counted; the journal has it.
    pub queue: QueueLimits,
    /// What is retained.
    pub retained: RetainedLimits,
    /// Longest time that a session is kept for a client that is away, seconds.
    pub session_expiry_max_s: u32,
    /// Longest keep alive, seconds; also assigned to version 5 clients that turned theirs off.
    pub keep_alive_max_s: u16,
    /// How long a client may take until CONNECT is complete, TLS included, milliseconds.
    pub connect_timeout_ms: u64,
    /// Devices followed as online or offline on one connection.
    pub devices: usize,
}

impl Default for MqttLimits {
    fn default() -> Self {
        Self {
            connections: 50_000,
            sessions: 100_000,
            subscriptions: 256,
            packet_bytes: 1 << 20,
            topic: TopicLimits::default(),
            topic_aliases: 64,
            receive_maximum: 256,
            in_flight: 1_024,
            send_window: 64,
            queue: QueueLimits::default(),
            retained: RetainedLimits::default(),
            session_expiry_max_s: 7 * 24 * 3_600,
            keep_alive_max_s: 300,
            connect_timeout_ms: 10_000,
            devices: 4_096,
        }
    }
}
