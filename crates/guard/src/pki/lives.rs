//! Where every device is in its life, and who brought it there.

use rusqlite::{Connection, OptionalExtension, Row, params};
use vitals::{DeviceId, ReceiveTime};

use super::certificates::{Issued, issued};
use super::heard::Heard;
use super::{DeviceState, Rights, Step, TrustError, plain};
use crate::{Guard, GuardError};

/// Longest reason kept, characters.
const WHY: usize = 300;
/// Steps of one device that are shown.
const STEPS_MAX: i64 = 200;

/// How a device proves who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    /// Not at all yet.
    None,
    /// With a name and password or token: weaker, for whoever hears it has it.
    Password,
    /// With a key that both sides know, over DTLS.
    Key,
    /// With a certificate and its key.
    Certificate,
}

impl Credential {
    /// Lower-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Password => "password",
            Self::Key => "key",
            Self::Certificate => "certificate",
        }
    }
}

/// What is known of trust in a device.
#[derive(Debug, Clone, PartialEq)]
pub struct DeviceTrust {
    /// The device.
    pub id: DeviceId,
    /// How far it is.
    pub state: DeviceState,
    /// Since when.
    pub since: ReceiveTime,
    /// Who brought it there.
    pub who: String,
    /// Why.
    pub why: String,
    /// The zone that it belongs to; empty: any that is configured.
    pub zone: String,
    /// What kind of device it is; empty: not said.
    pub kind: String,
    /// What it may say beside what its kind may.
    pub metrics: Vec<String>,
    /// Whether it goes into service when it has proved its key.
    pub activates: bool,
    /// How it proves who it is.
    pub credential: Credential,
    /// Its newest certificate that was not revoked.
    pub certificate: Option<Issued>,
    /// Until when its enrolment code holds, if it has one.
    pub code_until: Option<ReceiveTime>,
    /// Where and how often it was refused for not being known or in service.
    pub heard: Option<Heard>,
}

/// One step of a life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LifeStep {
    /// When.
    pub at: ReceiveTime,
    /// Where it was; empty when it was not known.
    pub was: String,
    /// Where it came.
    pub became: String,
    /// Who did it.
    pub who: String,
    /// Why.
    pub why: String,
}

impl Guard {
    /// Every device that is known or was heard, by id.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn trusted_devices(&self) -> Result<Vec<DeviceTrust>, GuardError> {
        self.settle_heard();
        self.people()?.database.with(|connection| {
            let mut query = connection.prepare(&format!("{SELECT} ORDER BY life.id"))?;
            let rows = query.query_map([], device)?.collect::<Result<Vec<_>, _>>()?;
            rows.into_iter().map(|found| with_certificate(connection, found)).collect()
        })
    }

    /// One device, if it is known or was heard.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn trusted_device(&self, id: &DeviceId) -> Result<Option<DeviceTrust>, GuardError> {
        self.settle_heard();
        self.people()?.database.with(|connection| {
            let sql = format!("{SELECT} WHERE life.id = ?1");
            let found = connection.query_row(&sql, [id.as_str()], device).optional()?;
            found.map(|found| with_certificate(connection, found)).transpose()
        })
    }

    /// The steps of a device's life, newest first.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn life_of(&self, id: &DeviceId) -> Result<Vec<LifeStep>, GuardError> {
        self.people()?.database.with(|connection| {
            let mut query = connection.prepare(
                "SELECT at_us, was, became, who, why FROM device_step WHERE id = ?1 ORDER BY n DESC LIMIT ?2",
            )?;
            let step = |row: &Row<'_>| {
                Ok(LifeStep {
                    at: ReceiveTime(row.get(0)?),
                    was: row.get(1)?,
                    became: row.get(2)?,
                    who: row.get(3)?,
                    why: row.get(4)?,
                })
            };
            let rows = query.query_map(params![id.as_str(), STEPS_MAX], step)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
    }

    /// Tells of a device that is to come: it is listed, and refused until somebody claims it.
    ///
    /// # Errors
    /// [`GuardError::Exists`] when it is known already.
    pub fn announce_device(
        &self,
        id: &DeviceId,
        who: &str,
        why: &str,
        now: ReceiveTime,
    ) -> Result<(), GuardError> {
        self.people()?.database.with(|connection| {
            let change = connection.transaction_with_behavior(super::enrol::IMMEDIATE)?;
            if state_of(&change, id)?.is_some() {
                return Err(GuardError::Exists(id.to_string()));
            }
            put_state(&change, id, None, DeviceState::Announced, (who, why), now)?;
            Ok(change.commit()?)
        })?;
        self.trust_changed();
        Ok(())
    }

    /// Moves a device on. Whoever calls this has asked [`Guard::allows`] and written the record.
    /// Retiring revokes its certificates and takes its password away. Sessions that are no
    /// longer allowed end at once.
    ///
    /// # Errors
    /// [`TrustError::Step`] when the step is not legal from where the device is;
    /// [`GuardError::Unknown`].
    pub fn move_device(
        &self,
        id: &DeviceId,
        step: Step,
        who: &str,
        why: &str,
        now: ReceiveTime,
    ) -> Result<DeviceState, GuardError> {
        let became = self.people()?.database.with(|connection| {
            let change = connection.transaction_with_behavior(super::enrol::IMMEDIATE)?;
            let from = state_of(&change, id)?.ok_or_else(|| GuardError::Unknown(id.to_string()))?;
            let to = from.after(step).ok_or(TrustError::Step { from, step })?;
            put_state(&change, id, Some(from), to, (who, why), now)?;
            if to == DeviceState::Retired {
                super::certificates::revoke_all(&change, id, "cessation-of-operation", who, now)?;
                change.execute("UPDATE device SET password = '' WHERE id = ?1", [id.as_str()])?;
                change.execute("DELETE FROM device_key WHERE id = ?1", [id.as_str()])?;
                change.execute("DELETE FROM enrolment WHERE id = ?1", [id.as_str()])?;
            }
            change.commit()?;
            Ok(to)
        })?;
        if became == DeviceState::Retired {
            self.write_revocation_list(now);
        }
        self.trust_changed();
        Ok(became)
    }

    /// Says what a device may say and where it belongs: zone, kind, metrics beside the kind's.
    ///
    /// # Errors
    /// [`TrustError::Refused`] when zone, kind or a metric is not known; [`GuardError::Unknown`].
    pub fn set_device_rights(
        &self,
        id: &DeviceId,
        zone: &str,
        kind: &str,
        metrics: &[String],
    ) -> Result<(), GuardError> {
        self.check_rights(zone, kind, metrics)?;
        self.people()?.database.with(|connection| {
            let sql = "UPDATE device_life SET zone = ?1, kind = ?2, metrics = ?3 WHERE id = ?4";
            match connection.execute(sql, params![zone, kind, metrics.join(" "), id.as_str()])? {
                0 => Err(GuardError::Unknown(id.to_string())),
                _ => Ok(()),
            }
        })?;
        self.trust_changed();
        Ok(())
    }

    pub(super) fn check_rights(
        &self,
        zone: &str,
        kind: &str,
        metrics: &[String],
    ) -> Result<(), GuardError> {
        if !self.trust().zones.knows(zone) {
            return Err(TrustError::Refused("no zone of that name is configured".to_owned()).into());
        }
        let spaced = metrics.iter().any(|metric| metric.contains(char::is_whitespace));
        if spaced || metrics.len() > 200 {
            return Err(TrustError::Refused("up to 200 metrics, without spaces in them".to_owned()).into());
        }
        Rights::of(kind, metrics).map(drop).map_err(|why| TrustError::Refused(why).into())
    }
}

const SELECT: &str = "
SELECT life.id, life.state, life.since_us, life.who, life.why, life.zone, life.kind, life.metrics,
       life.activates, device.password, enrolment.until_us,
       heard.first_us, heard.last_us, heard.count, heard.source, heard.door, device_key.id
FROM device_life life
LEFT JOIN device ON device.id = life.id
LEFT JOIN device_key ON device_key.id = life.id
LEFT JOIN enrolment ON enrolment.id = life.id
LEFT JOIN device_heard heard ON heard.id = life.id";

fn device(row: &Row<'_>) -> rusqlite::Result<DeviceTrust> {
    let (id, state): (String, String) = (row.get(0)?, row.get(1)?);
    let password: Option<String> = row.get(9)?;
    let first: Option<i64> = row.get(11)?;
    let heard = match first {
        None => None,
        Some(first) => Some(Heard {
            first: ReceiveTime(first),
            last: ReceiveTime(row.get(12)?),
            count: row.get::<_, i64>(13)?.unsigned_abs(),
            source: row.get(14)?,
            door: row.get(15)?,
        }),
    };
    Ok(DeviceTrust {
        id: DeviceId::sanitised(&id),
        state: DeviceState::from_name(&state).ok_or(rusqlite::Error::InvalidQuery)?,
        since: ReceiveTime(row.get(2)?),
        who: row.get(3)?,
        why: row.get(4)?,
        zone: row.get(5)?,
        kind: row.get(6)?,
        metrics: row.get::<_, String>(7)?.split_whitespace().map(str::to_owned).collect(),
        activates: row.get(8)?,
        credential: match password.as_deref() {
            None | Some("") if row.get::<_, Option<String>>(16)?.is_some() => Credential::Key,
            None => Credential::None,
            Some("") => Credential::Certificate,
            Some(_) => Credential::Password,
        },
        certificate: None,
        code_until: row.get::<_, Option<i64>>(10)?.map(ReceiveTime),
        heard,
    })
}

fn with_certificate(connection: &Connection, found: DeviceTrust) -> Result<DeviceTrust, GuardError> {
    let newest = issued(connection, Some(&found.id))?.into_iter().find(|one| one.revoked.is_none());
    let credential = match found.credential {
        Credential::None if newest.is_some() => Credential::Certificate,
        credential => credential,
    };
    Ok(DeviceTrust { certificate: newest, credential, ..found })
}

/// Where a device is, if it is known.
pub(crate) fn state_of(
    connection: &Connection,
    id: &DeviceId,
) -> Result<Option<DeviceState>, GuardError> {
    let mut query = connection.prepare_cached("SELECT state FROM device_life WHERE id = ?1")?;
    let found: Option<String> = query.query_row([id.as_str()], |row| row.get(0)).optional()?;
    // What we don't know we don't let in.
    Ok(found.map(|name| DeviceState::from_name(&name).unwrap_or(DeviceState::Retired)))
}

/// Puts a device where a step leads, and keeps who did it and why.
pub(crate) fn put_state(
    connection: &Connection,
    id: &DeviceId,
    from: Option<DeviceState>,
    to: DeviceState,
    by: (&str, &str),
    now: ReceiveTime,
) -> Result<(), GuardError> {
    let (who, why) = (plain(by.0, 128), plain(by.1, WHY));
    connection.execute(
        "INSERT INTO device_life (id, state, since_us, who, why) VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT (id) DO UPDATE SET state = excluded.state, since_us = excluded.since_us,
             who = excluded.who, why = excluded.why",
        params![id.as_str(), to.name(), now.micros(), who, why],
    )?;
    connection.execute(
        "INSERT INTO device_step (id, at_us, was, became, who, why) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![id.as_str(), now.micros(), from.map_or("", DeviceState::name), to.name(), who, why],
    )?;
    Ok(())
}
