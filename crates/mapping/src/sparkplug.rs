//! Sparkplug B as a tree that profiles read: names in place of aliases, numbers with their signs.
//!
//! ```json
//! {"group": "icu", "type": "DDATA", "node": "gw", "device": "bed-4", "id": "gw.bed-4", "seq": 3,
//!  "timestamp": 1700000000000, "metrics": {"Vitals/HR": {"value": 72, "time": 1700000000000}},
//!  "list": [{"name": "Vitals/HR", "value": 72, "time": 1700000000000, "historical": false}]}
//! ```

use std::sync::{Mutex, PoisonError};

use serde_json::{Map, Value, json};
use vitals::{Problem, ProblemKind};
use wire_sparkplug::{Kind, Named, Nodes, Note, Topic};

use crate::{RawMessage, problem};

/// Begins every topic of Sparkplug B.
pub(crate) const ROOT: &str = "spBv1.0/";
/// Says which hosts listen; is of no device.
const STATE: &str = "spBv1.0/STATE/";

/// What a message says.
pub(crate) struct Read {
    /// The tree; none for messages that hold no measurements: deaths, commands, states of hosts.
    pub(crate) tree: Option<Value>,
    /// What is amiss.
    pub(crate) problems: Vec<Problem>,
}

/// Reads a message after those before it, and remembers it if `remember` says so.
///
/// # Errors
/// A sentence on what is wrong.
pub(crate) fn read(nodes: &Mutex<Nodes>, raw: &RawMessage<'_>, remember: bool) -> Result<Read, String> {
    if raw.topic.starts_with(STATE) {
        return Ok(Read { tree: None, problems: Vec::new() });
    }
    let topic = Topic::parse(raw.topic).map_err(|error| error.to_string())?;
    let mut known = nodes.lock().unwrap_or_else(PoisonError::into_inner);
    let told = if remember { known.take(&topic, raw.payload) } else { known.clone().take(&topic, raw.payload) };
    drop(known);
    let told = told.map_err(|error| error.to_string())?;
    let problems = told.notes.iter().map(of_note).collect();
    let births_or_data = matches!(topic.kind, Kind::NodeBirth | Kind::NodeData | Kind::DeviceBirth | Kind::DeviceData);
    if !births_or_data {
        return Ok(Read { tree: None, problems });
    }
    let id = topic.device.map_or_else(|| topic.node.to_owned(), |device| format!("{}.{device}", topic.node));
    let metrics: Map<String, Value> = told.metrics.iter().map(|metric| (metric.name.clone(), of_metric(metric))).collect();
    let list: Vec<Value> = told.metrics.iter().map(|metric| {
        let mut tree = of_metric(metric);
        tree["name"] = Value::from(metric.name.clone());
        tree
    }).collect();
    let tree = json!({
        "group": topic.group, "type": topic.kind.name(), "node": topic.node, "device": topic.device, "id": id,
        "seq": told.seq, "timestamp": told.timestamp_ms, "metrics": metrics, "list": list,
    });
    Ok(Read { tree: Some(tree), problems })
}

fn of_metric(metric: &Named) -> Value {
    use wire_sparkplug::Value as Sent;
    let value = match (&metric.value, metric.number) {
        (Some(Sent::Boolean(flag)), _) => Value::from(*flag),
        (Some(Sent::Text(text)), _) => Value::from(text.clone()),
        (_, Some(number)) if number.fract() == 0.0 && number.abs() < 9e15 => Value::from(number as i64),
        (_, Some(number)) => Value::from(number),
        (Some(Sent::Bytes(bytes)), _) => Value::from(bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
        _ => Value::Null,
    };
    json!({"value": value, "time": metric.timestamp_ms, "historical": metric.historical})
}

fn of_note(note: &Note) -> Problem {
    let (path, detail) = match note {
        Note::Gap { due, came } => ("seq", format!("messages are missing: number {due} was due, {came} came")),
        Note::Unborn => ("type", "the node's birth was not heard: let it be born again (Node Control/Rebirth)".to_owned()),
        Note::Alias(alias) => ("alias", format!("no birth gave the alias {alias} a name")),
        Note::OldDeath => ("bdSeq", "a death of a former birth: the node lives".to_owned()),
        Note::Full => ("type", "more nodes or names than are remembered".to_owned()),
    };
    problem(ProblemKind::Missing, path, detail)
}
