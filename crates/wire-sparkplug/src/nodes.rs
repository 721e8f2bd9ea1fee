//! What messages mean after those before them. A birth gives names and data types to aliases and
//! starts the sequence; data carry on; a death ends it, if it is of the same birth (`bdSeq`).

use std::collections::{BTreeSet, HashMap};

use crate::payload::{Metric, Payload, Value};
use crate::topic::{Kind, Topic};
use crate::SparkplugError;

/// Most nodes that are remembered; births beyond are read, but not remembered.
pub const NODES_MAX: usize = 10_000;
/// Most names that one node may have.
const NAMES_MAX: usize = 50_000;

/// Every node that was heard of.
#[derive(Debug, Clone, Default)]
pub struct Nodes {
    nodes: HashMap<(String, String), Node>,
    /// Those whose birth is missing, since somebody last asked.
    unborn: BTreeSet<(String, String)>,
}

/// One node since its birth.
#[derive(Debug, Clone, Default)]
struct Node {
    alive: bool,
    birth: Option<u64>,
    next: u64,
    /// What an alias stands for: name and data type. Aliases are the node's, whichever device uses them.
    aliases: HashMap<u64, (String, u64)>,
    /// Data types by device (empty: the node) and name.
    types: HashMap<(String, String), u64>,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Sequence number.
    pub seq: Option<u64>,
    /// When it was sent, in milliseconds since 1970.
    pub timestamp_ms: Option<u64>,
    /// Metrics with their names.
    pub metrics: Vec<Named>,
    /// What is amiss.
    pub notes: Vec<Note>,
}

/// A metric whose name is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    /// Name.
    pub name: String,
    /// Value, with its sign; none: there is none now.
    pub value: Option<Value>,
    /// As a number, where it is one.
    pub number: Option<f64>,
    /// When it was measured, in milliseconds since 1970; the message's time if it has none.
    pub timestamp_ms: Option<u64>,
    /// It was kept while there was no connection.
    pub historical: bool,
}

/// What is amiss with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// Messages are missing: the number that was due, and the one that came.
    Gap {
        /// Due.
        due: u64,
        /// Came.
        came: u64,
    },
    /// The node's birth was not heard: aliases have no names.
    Unborn,
    /// An alias that no birth gave.
    Alias(u64),
    /// A death of a birth before the present one: the node lives.
    OldDeath,
    /// More than is remembered.
    Full,
}

impl Nodes {
    /// Group and name of the nodes that sent what only their birth explains, since this was last asked: a
    /// host lets them be born again ([`rebirth`]).
    pub fn take_unborn(&mut self) -> Vec<(String, String)> {
        std::mem::take(&mut self.unborn).into_iter().collect()
    }

    /// Takes a message.
    ///
    /// # Errors
    /// [`SparkplugError`]; nothing is then changed.
    pub fn take(&mut self, topic: &Topic<'_>, bytes: &[u8]) -> Result<Told, SparkplugError> {
        let payload = Payload::decode(bytes)?;
        let mut told = Told { seq: payload.seq, timestamp_ms: payload.timestamp_ms, metrics: Vec::new(), notes: Vec::new() };
        let key = (topic.group.to_owned(), topic.node.to_owned());
        if matches!(topic.kind, Kind::NodeCommand | Kind::DeviceCommand) {
            return Ok(told);
        }
        if topic.kind == Kind::NodeBirth {
            if self.nodes.len() >= NODES_MAX && !self.nodes.contains_key(&key) {
                told.notes.push(Note::Full);
            } else {
                self.nodes.insert(key.clone(), Node { alive: true, birth: birth_number(&payload), ..Node::default() });
            }
        }
        let mut unknown = Node::default();
        let node = self.nodes.get_mut(&key).unwrap_or(&mut unknown);
        if topic.kind == Kind::NodeDeath {
            if node.birth == birth_number(&payload) { node.alive = false } else { told.notes.push(Note::OldDeath) }
            return Ok(told);
        }
        if !node.alive {
            told.notes.push(Note::Unborn);
        }
        node.count(payload.seq, topic.kind, &mut told.notes);
        let device = topic.device.unwrap_or_default();
        let births = matches!(topic.kind, Kind::NodeBirth | Kind::DeviceBirth);
        for metric in payload.metrics {
            if births {
                node.learn(device, &metric, &mut told.notes);
            }
            match node.named(device, metric, payload.timestamp_ms) {
                Ok(named) => told.metrics.push(named),
                Err(note) if !told.notes.contains(&note) => told.notes.push(note),
                Err(_) => {}
            }
        }
        let explained = !told.notes.iter().any(|note| matches!(note, Note::Unborn | Note::Alias(_)));
        if explained {
            self.unborn.remove(&key);
        } else if topic.kind != Kind::NodeBirth && self.unborn.len() < NODES_MAX {
            self.unborn.insert(key);
        }
        Ok(told)
    }
}

/// The payload that asks a node to be born again (Sparkplug 3.0, section 6.4.22: `Node Control/Rebirth`),
/// for the topic of its commands. `now_ms` is when it is sent, in milliseconds since 1970.
#[must_use]
pub fn rebirth(now_ms: u64) -> Vec<u8> {
    let metric = Metric {
        name: Some("Node Control/Rebirth".to_owned()),
        timestamp_ms: Some(now_ms),
        datatype: Some(BOOLEAN),
        value: Some(Value::Boolean(true)),
        ..Metric::default()
    };
    Payload { timestamp_ms: Some(now_ms), metrics: vec![metric], seq: None }.encode()
}

/// The number of the data type of truth.
const BOOLEAN: u64 = 11;

impl Node {
    /// Compares a sequence number with the one that was due, and goes on from it.
    fn count(&mut self, seq: Option<u64>, kind: Kind, notes: &mut Vec<Note>) {
        let Some(came) = seq else { return };
        if self.alive && kind != Kind::NodeBirth && came != self.next {
            notes.push(Note::Gap { due: self.next, came });
        }
        self.next = came.wrapping_add(1) % 256;
    }

    fn learn(&mut self, device: &str, metric: &Metric, notes: &mut Vec<Note>) {
        let Some(name) = &metric.name else { return };
        if self.types.len() >= NAMES_MAX {
            if !notes.contains(&Note::Full) {
                notes.push(Note::Full);
            }
            return;
        }
        let datatype = metric.datatype.unwrap_or(0);
        self.types.insert((device.to_owned(), name.clone()), datatype);
        if let Some(alias) = metric.alias {
            self.aliases.insert(alias, (name.clone(), datatype));
        }
    }

    fn named(&self, device: &str, metric: Metric, sent: Option<u64>) -> Result<Named, Note> {
        let known = metric.alias.and_then(|alias| self.aliases.get(&alias));
        let name = metric.name.or_else(|| known.map(|(name, _)| name.clone()));
        let name = name.ok_or(Note::Alias(metric.alias.unwrap_or(0)))?;
        let of_name = || self.types.get(&(device.to_owned(), name.clone())).copied();
        let datatype = metric.datatype.or_else(|| known.map(|(_, kind)| *kind)).or_else(of_name).unwrap_or(0);
        let number = metric.value.as_ref().and_then(|value| number(value, datatype));
        let timestamp_ms = metric.timestamp_ms.or(sent);
        Ok(Named { name, value: metric.value, number, timestamp_ms, historical: metric.historical })
    }
}

/// The number of a birth, which its death repeats.
fn birth_number(payload: &Payload) -> Option<u64> {
    let metric = payload.metrics.iter().find(|metric| metric.name.as_deref() == Some("bdSeq"))?;
    match metric.value {
        Some(Value::Long(number)) => Some(number),
        Some(Value::Int(number)) => Some(u64::from(number)),
        _ => None,
    }
}

/// A value as a number: data types 1 to 4 have a sign (Sparkplug 3.0, section 6.4.16).
fn number(value: &Value, datatype: u64) -> Option<f64> {
    let found = match (value, datatype) {
        (Value::Int(bits), 1) => f64::from(*bits as u8 as i8),
        (Value::Int(bits), 2) => f64::from(*bits as u16 as i16),
        (Value::Int(bits), 3) => f64::from(*bits as i32),
        (Value::Int(bits), _) => f64::from(*bits),
        (Value::Long(bits), 4) => *bits as i64 as f64,
        (Value::Long(bits), _) => *bits as f64,
        (Value::Float(number), _) => number.to_string().parse().ok()?,
        (Value::Double(number), _) => *number,
        (Value::Boolean(flag), _) => f64::from(u8::from(*flag)),
        (Value::Text(_) | Value::Bytes(_), _) => return None,
    };
    found.is_finite().then_some(found)
}
