//! How commands reach devices: what a way to a device must be able to do, and the message that
//! those get which speak JSON.

use std::future::Future;
use std::pin::Pin;

use serde_json::{Map, Value, json};
use vitals::{CommandOrder, CommandValue, DeviceId};

/// What became of handing a command over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handed {
    /// It left, or may have: only the device's answer tells more.
    Away,
    /// Not one byte left, for certain.
    Kept(String),
}

/// The handing over, under way.
pub type Handing<'a> = Pin<Box<dyn Future<Output = Handed> + Send + 'a>>;

/// A way to devices: MQTT, an infusion order over HL7, an SDC operation.
///
/// Answers do not come back through it: whoever hears one puts it into the journal as
/// [`vitals::Action::CommandStep`] in the device's name.
pub trait Transport: Send + Sync {
    /// Name, for people and the audit log.
    fn name(&self) -> &'static str;

    /// Whether the device can be reached now.
    fn reaches(&self, device: &DeviceId) -> bool;

    /// Hands a command over, once. `left_ms` is how long it may still be acted on. A transport must
    /// not keep it for a device that is not there, and must not repeat it by itself.
    fn send<'a>(&'a self, order: &'a CommandOrder, left_ms: i64) -> Handing<'a>;
}

/// The message for devices that speak JSON (`docs/interfaces/commands.md`). The patient is named by
/// the platform's own id, which tells nobody who it is.
#[must_use]
pub fn message(order: &CommandOrder) -> Value {
    let parameters: Map<String, Value> = order
        .parameters
        .iter()
        .map(|parameter| {
            let value = match &parameter.value {
                CommandValue::Number(number) if parameter.unit.is_empty() => json!(number),
                CommandValue::Number(number) => json!({ "value": number, "unit": parameter.unit }),
                CommandValue::Choice(text) => json!(text),
                CommandValue::Flag(flag) => json!(flag),
            };
            (parameter.name.clone(), value)
        })
        .collect();
    json!({
        "id": order.id.as_str(),
        "command": order.name,
        "parameters": parameters,
        "patient": order.patient.as_str(),
        "expires_ms": order.expires.millis(),
    })
}
