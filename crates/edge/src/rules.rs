//! What an edge sends of what it takes in: everything, or less by rule. Alerts, what people did, and
//! whatever was not understood always go.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use vitals::time::SECOND;
use vitals::{Content, DeviceId, Message, MetricCode};

/// Devices and metrics of which is remembered when one was last sent.
const REMEMBERED: usize = 100_000;

/// Which waveforms are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WaveRule {
    /// All.
    #[default]
    All,
    /// Those around alerts.
    AroundAlerts,
    /// None.
    None,
}

/// How urgent an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Urgency {
    /// Low.
    #[default]
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
}

/// What is sent. A rule that is not known here, of a centre that is newer, is not followed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rules {
    /// Which waveforms.
    pub waveforms: WaveRule,
    /// How far around an alert waveforms and all numerics are sent, seconds before and after.
    pub around_alerts_s: u32,
    /// Around alerts at least so urgent. Alerts themselves are all sent.
    pub around_priority: Urgency,
    /// Of a metric of a device a value is sent at most this often; 0: every one.
    pub numerics_every_s: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self { waveforms: WaveRule::All, around_alerts_s: 60, around_priority: Urgency::Low, numerics_every_s: 0 }
    }
}

/// When which metric of which device was last sent.
#[derive(Debug, Default)]
pub(crate) struct Rhythm {
    sent: HashMap<(DeviceId, MetricCode), i64>,
}

impl Rhythm {
    /// Whether a message of numerics at `at` (microseconds) is to be sent: it holds a metric that was
    /// not sent lately, or something besides values.
    pub(crate) fn wants(&mut self, message: &Message, at: i64, rules: &Rules) -> bool {
        let every = i64::from(rules.numerics_every_s) * SECOND;
        let only_values = message.problems.is_empty()
            && !message.content.is_empty()
            && message.content.iter().all(|content| matches!(content, Content::Reading(_)));
        if every == 0 || !only_values {
            return true;
        }
        let due = message.readings().any(|(_, reading, measurement)| {
            let key = (reading.device.clone(), measurement.metric);
            self.sent.get(&key).is_none_or(|sent| !(0..every).contains(&at.saturating_sub(*sent)))
        });
        if due {
            if self.sent.len() > REMEMBERED {
                self.sent.clear();
            }
            for (_, reading, measurement) in message.readings() {
                self.sent.insert((reading.device.clone(), measurement.metric), at);
            }
        }
        due
    }
}
