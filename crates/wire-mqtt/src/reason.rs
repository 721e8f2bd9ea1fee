//! Reason codes (MQTT 5.0, 2.4) and the one error type of this crate.

/// A reason code as sent in acknowledgements and DISCONNECT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Reason(pub u8);

impl Reason {
    /// Success; also "granted QoS 0" and "normal disconnection".
    pub const SUCCESS: Self = Self(0x00);
    /// DISCONNECT that asks for the will to be published.
    pub const WITH_WILL: Self = Self(0x04);
    /// Accepted, but nobody subscribed.
    pub const NO_SUBSCRIBERS: Self = Self(0x10);
    /// UNSUBACK: there was no such subscription.
    pub const NO_SUBSCRIPTION: Self = Self(0x11);
    /// Something else went wrong.
    pub const UNSPECIFIED: Self = Self(0x80);
    /// The bytes can't be read as a packet.
    pub const MALFORMED: Self = Self(0x81);
    /// A packet that must not come now, or not with these properties.
    pub const PROTOCOL_ERROR: Self = Self(0x82);
    /// Valid, but not possible here.
    pub const IMPLEMENTATION: Self = Self(0x83);
    /// Unknown protocol version.
    pub const UNSUPPORTED_VERSION: Self = Self(0x84);
    /// Client id refused.
    pub const CLIENT_ID: Self = Self(0x85);
    /// User name or password refused.
    pub const BAD_CREDENTIALS: Self = Self(0x86);
    /// Not allowed.
    pub const NOT_AUTHORISED: Self = Self(0x87);
    /// Too many clients.
    pub const SERVER_BUSY: Self = Self(0x89);
    /// Banned.
    pub const BANNED: Self = Self(0x8a);
    /// The server stops.
    pub const SHUTTING_DOWN: Self = Self(0x8b);
    /// Enhanced authentication is not offered.
    pub const BAD_METHOD: Self = Self(0x8c);
    /// Nothing was heard for one and a half keep-alive intervals.
    pub const KEEP_ALIVE: Self = Self(0x8d);
    /// Another connection uses this client id now.
    pub const TAKEN_OVER: Self = Self(0x8e);
    /// Topic filter refused.
    pub const BAD_FILTER: Self = Self(0x8f);
    /// Topic name refused.
    pub const BAD_TOPIC: Self = Self(0x90);
    /// PUBREL, PUBREC or PUBCOMP for an unknown packet id.
    pub const PACKET_ID_UNKNOWN: Self = Self(0x92);
    /// More unacknowledged publishes than allowed.
    pub const RECEIVE_MAXIMUM: Self = Self(0x93);
    /// Topic alias 0, too large or not set before.
    pub const BAD_ALIAS: Self = Self(0x94);
    /// Packet larger than allowed.
    pub const TOO_LARGE: Self = Self(0x95);
    /// A limit of the installation is reached.
    pub const QUOTA: Self = Self(0x97);
    /// Ended by an administrator.
    pub const ADMINISTRATIVE: Self = Self(0x98);

    /// Whether it tells of a failure.
    #[must_use]
    pub const fn is_error(self) -> bool {
        self.0 >= 0x80
    }
}

/// Why a packet, topic or filter is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum MqttError {
    /// The bytes can't be read as a packet.
    #[error("malformed packet: {0}")]
    Malformed(&'static str),
    /// A readable packet that the protocol forbids here.
    #[error("protocol error: {0}")]
    Protocol(&'static str),
    /// Another protocol version than 3.1, 3.1.1 and 5.0.
    #[error("unsupported protocol version: use MQTT 3.1.1 or 5.0")]
    UnsupportedVersion,
    /// Larger than the limit announced in CONNACK.
    #[error("packet too large: raise max_packet_bytes or send smaller messages")]
    TooLarge,
    /// Topic name refused.
    #[error("invalid topic name: {0}")]
    Topic(&'static str),
    /// Topic filter refused.
    #[error("invalid topic filter: {0}")]
    Filter(&'static str),
    /// Topic alias refused.
    #[error("invalid topic alias: {0}")]
    Alias(&'static str),
    /// More unacknowledged publishes than announced in CONNACK.
    #[error("receive maximum exceeded: wait for acknowledgements")]
    ReceiveMaximum,
}

impl MqttError {
    /// The reason code that tells the client.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::Malformed(_) => Reason::MALFORMED,
            Self::Protocol(_) => Reason::PROTOCOL_ERROR,
            Self::UnsupportedVersion => Reason::UNSUPPORTED_VERSION,
            Self::TooLarge => Reason::TOO_LARGE,
            Self::Topic(_) => Reason::BAD_TOPIC,
            Self::Filter(_) => Reason::BAD_FILTER,
            Self::Alias(_) => Reason::BAD_ALIAS,
            Self::ReceiveMaximum => Reason::RECEIVE_MAXIMUM,
        }
    }

    /// Lower-case name for counting.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Protocol(_) => "protocol-error",
            Self::UnsupportedVersion => "unsupported-version",
            Self::TooLarge => "packet-too-large",
            Self::Topic(_) => "bad-topic",
            Self::Filter(_) => "bad-filter",
            Self::Alias(_) => "bad-alias",
            Self::ReceiveMaximum => "receive-maximum",
        }
    }
}
