//! A message on its way to subscribers: independent of the connection it came from.

use std::sync::Arc;

use crate::Qos;
use crate::codec::Publish;

/// One published message, shared by everybody who gets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Topic name.
    pub topic: Box<str>,
    /// The bytes.
    pub payload: Box<[u8]>,
    /// Encoded MQTT 5 properties to pass on: payload format, content type, response topic,
    /// correlation data and user properties, in the order sent (3.3.2.3).
    pub properties: Box<[u8]>,
    /// QoS that it was published with.
    pub qos: Qos,
    /// Retain flag that it was published with.
    pub retain: bool,
    /// When it expires, in milliseconds of the caller's clock.
    pub expires_ms: Option<u64>,
    /// Key of the client that published it, for the no-local option.
    pub publisher: u64,
}

impl Publication {
    /// From a packet received at `now_ms`, on its real topic (aliases resolved).
    #[must_use]
    pub fn new(publish: &Publish<'_>, topic: &str, publisher: u64, now_ms: u64) -> Self {
        Self {
            topic: topic.into(),
            payload: publish.payload.into(),
            properties: publish.properties.forwarded().into_boxed_slice(),
            qos: publish.qos,
            retain: publish.retain,
            expires_ms: publish.properties.expiry_s.map(|s| now_ms + u64::from(s) * 1_000),
            publisher,
        }
    }

    /// Roughly how much memory it takes, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        self.topic.len() + self.payload.len() + self.properties.len() + 96
    }

    /// Whether it has expired.
    #[must_use]
    pub fn expired(&self, now_ms: u64) -> bool {
        self.expires_ms.is_some_and(|at| at <= now_ms)
    }
}

/// A publication as one client is to get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// What.
    pub publication: Arc<Publication>,
    /// The lower of the publisher's and the subscription's QoS.
    pub qos: Qos,
    /// Retain flag to send.
    pub retain: bool,
    /// Identifiers of the subscriptions that matched.
    pub identifiers: Box<[u32]>,
}
