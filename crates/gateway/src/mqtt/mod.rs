//! MQTT 3.1.1 and 5.0 server in this process.
//!
//! A publish goes two ways: through the profiles into the journal, and to whoever subscribed.
//! Both happen once: PUBACK and PUBREC leave after the journal has committed (DU-1), subscribers
//! get a message after that too. One task serves one connection; it reads a burst, queues it,
//! and answers what has become durable with one write. When the journal has no room the task
//! stops reading, so the sender is slowed by its own socket (DU-3).
//!
//! The order of the files is the way of a packet: [`server`](self) accepts, `handshake` says who
//! is there, `connection` moves bytes, `inbound` acts on packets, `ingest` makes messages of
//! publishes, `window` keeps what is not answered yet, `broker` delivers, `registry` keeps
//! sessions, `afterlife` carries out wills and ends sessions.
//!
//! Sessions live in memory: after a restart a client is told that there is none and subscribes
//! again; what it had not been acknowledged it sends again. Configuration and commands that are
//! retained go through [`RetainedMemory`] and survive.

mod afterlife;
mod broker;
mod config;
mod connection;
mod handshake;
mod inbound;
mod ingest;
mod pace;
mod registry;
mod server;
mod window;

pub use broker::{RetainedMemory, RetainedRecord};
pub use config::{MqttConfig, MqttLimits, MqttTls};
pub use registry::ClientInfo;
pub use server::{MqttServer, serve};
