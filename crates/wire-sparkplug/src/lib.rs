//! Sparkplug B (Eclipse Sparkplug 3.0) without I/O: what a topic says ([`topic`]), what a payload
//! holds ([`payload`]), and what both mean after the births that came before ([`nodes`]): names for
//! aliases, data types, sequence numbers that are missing, and which death is whose.
//!
//! What is absent: commands to nodes, and what a metric's name means (`mapping`'s profiles say so).

mod nodes;
mod payload;
mod protobuf;
mod topic;

pub use nodes::{NODES_MAX, Named, Nodes, Note, Told, rebirth};
pub use payload::{Metric, Payload, Value};
pub use topic::{Kind, Topic};

/// Why a message can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SparkplugError {
    /// The topic is none of Sparkplug's.
    #[error("a topic is spBv1.0/<group>/<type>/<node>[/<device>]")]
    Topic,
    /// The bytes are no protobuf, from this byte on.
    #[error("not a Sparkplug payload at byte {0}")]
    Protobuf(usize),
    /// More metrics than are taken.
    #[error("more than {0} metrics in one message")]
    Metrics(usize),
}
