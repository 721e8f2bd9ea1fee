//! What devices may not say, ready in memory for every message: metrics outside of their rights,
//! and anything at all when they are not in service. It holds at every door and whoever brings the
//! message: the device itself, a gateway, a record system.

use std::collections::HashMap;
use std::sync::Arc;

use vitals::{Content, DeviceId, Message, MetricCode, Problem, ProblemKind, Value};

use super::{DeviceState, Rights};
use crate::{Guard, GuardError};

/// What is held back: only devices that are limited are in it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Restrictions {
    devices: HashMap<DeviceId, Limit>,
}

#[derive(Debug, Clone, PartialEq)]
struct Limit {
    /// None: in service.
    out: Option<DeviceState>,
    rights: Rights,
}

/// Something that was held back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Whose words.
    pub device: DeviceId,
    /// `forbidden-metric` or `not-in-service`: the kind of the security event.
    pub kind: &'static str,
    /// What, for people.
    pub what: String,
}

impl Restrictions {
    /// Whether nothing is held back.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.devices.is_empty()
    }

    /// Takes out of a message what its devices may not say; what was taken is told as problems,
    /// which bring the message into quarantine, whole.
    pub fn keep_within(&self, message: &mut Message) -> Vec<Violation> {
        if self.devices.is_empty() {
            return Vec::new();
        }
        let mut violations: Vec<Violation> = Vec::new();
        message.content.retain_mut(|content| {
            if let Content::Alarm(alarm) = content {
                let Some(limit) = self.devices.get(&alarm.device) else { return true };
                if let Some(outside) = alarm.source.filter(|code| !limit.rights.allow(*code)) {
                    violations.push(violation(&alarm.device, outside));
                    return false;
                }
                let out = limit.out;
                violations.extend(out.map(|state| Violation {
                    device: alarm.device.clone(),
                    kind: "not-in-service",
                    what: format!("an alarm of a device that is {}", state.name()),
                }));
                return out.is_none();
            }
            let Content::Reading(reading) = content else { return true };
            let Some(limit) = self.devices.get(&reading.device) else { return true };
            if let Some(state) = limit.out {
                violations.push(Violation {
                    device: reading.device.clone(),
                    kind: "not-in-service",
                    what: format!("readings of a device that is {}", state.name()),
                });
                return false;
            }
            reading.measurements.retain(|measurement| {
                let parts = match &measurement.value {
                    Value::Compound(parts) => parts.as_slice(),
                    _ => &[],
                };
                let all = parts.iter().map(|(code, _)| *code).chain([measurement.metric]);
                let Some(outside) = all.into_iter().find(|code| !limit.rights.allow(*code)) else { return true };
                violations.push(violation(&reading.device, outside));
                false
            });
            !reading.measurements.is_empty()
        });
        violations.dedup();
        for violation in violations.iter().take(20) {
            message.problems.push(Problem {
                kind: ProblemKind::Forbidden,
                path: violation.device.to_string(),
                detail: format!("{}: change the device's rights on the page Trust if it should", violation.what),
            });
        }
        violations
    }
}

fn violation(device: &DeviceId, code: MetricCode) -> Violation {
    let name = code.refid();
    Violation { device: device.clone(), kind: "forbidden-metric", what: format!("{name} is not among what it may say") }
}

impl Guard {
    /// What is held back at this moment; cheap.
    #[must_use]
    pub fn restrictions(&self) -> Arc<Restrictions> {
        Arc::clone(&self.inner.pki.restrictions.read())
    }

    pub(super) fn load_restrictions(&self) {
        match self.read_restrictions() {
            Ok(read) => *self.inner.pki.restrictions.write() = Arc::new(read),
            Err(GuardError::Trial) => {}
            // What held before goes on holding.
            Err(error) => tracing::error!(%error, "the rights of devices were not read"),
        }
    }

    fn read_restrictions(&self) -> Result<Restrictions, GuardError> {
        let rows = self.people()?.database.with(|connection| {
            let mut query = connection.prepare_cached(
                "SELECT id, state, kind, metrics FROM device_life
                 WHERE state NOT IN ('active', 'announced') OR kind <> '' OR metrics <> ''",
            )?;
            let rows = query.query_map([], |row| {
                let text = |n| row.get::<_, String>(n);
                Ok((text(0)?, text(1)?, text(2)?, text(3)?))
            })?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        })?;
        let mut devices = HashMap::with_capacity(rows.len());
        for (id, state, kind, metrics) in rows {
            let state = DeviceState::from_name(&state).unwrap_or(DeviceState::Retired);
            let out = Some(state).filter(|s| !matches!(s, DeviceState::Active | DeviceState::Announced));
            let metrics: Vec<String> = metrics.split_whitespace().map(str::to_owned).collect();
            // A kind that a newer program knew: nothing, rather than everything.
            let rights = Rights::of(&kind, &metrics).unwrap_or_else(|_| Rights::nothing());
            devices.insert(DeviceId::sanitised(&id), Limit { out, rights });
        }
        Ok(Restrictions { devices })
    }
}
