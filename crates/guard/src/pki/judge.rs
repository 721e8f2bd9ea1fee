//! May this device come in, with this certificate, at this moment: asked at every handshake and
//! again whenever something changes.

use rusqlite::{OptionalExtension, params};
use vitals::{DeviceId, ReceiveTime};

use super::{DEVICE_URN, DeviceState, Outside, Presented, certificates};
use crate::Guard;

/// Why a device is refused. The names are counted, audited and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// Nobody knows it.
    Unknown,
    /// It is known, but not in service.
    NotInService(DeviceState),
    /// Its certificate was revoked.
    Revoked,
    /// Its certificate is over, or not begun.
    Expired,
    /// Its certificate is of an authority that is not ours.
    OtherAuthority,
    /// Its certificate bears our authority's name and was never issued.
    NotIssued,
    /// It shows no certificate where one is needed.
    NoCertificate,
    /// The certificate is broken, or for something else than clients.
    BadCertificate,
    /// It was heard in another zone than its own.
    WrongZone,
    /// Its password is wrong.
    BadPassword,
    /// The guard itself failed: nobody is let in.
    Failed,
}

impl Refusal {
    /// Lower kebab-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::NotInService(DeviceState::Announced) => "announced",
            Self::NotInService(DeviceState::Claimed) => "claimed",
            Self::NotInService(DeviceState::Verified) => "verified",
            Self::NotInService(DeviceState::Active) => "not-in-service",
            Self::NotInService(DeviceState::Suspended) => "suspended",
            Self::NotInService(DeviceState::Retired) => "retired",
            Self::Revoked => "revoked",
            Self::Expired => "expired",
            Self::OtherAuthority => "other-authority",
            Self::NotIssued => "not-issued",
            Self::NoCertificate => "no-certificate",
            Self::BadCertificate => "bad-certificate",
            Self::WrongZone => "wrong-zone",
            Self::BadPassword => "bad-password",
            Self::Failed => "failed",
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A device that may come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// Its credentials and rights, as a text that changes with them and opens nothing.
    pub standing: String,
    /// The zone that it belongs to; empty: any.
    pub zone: String,
    /// Whether a password opens for it: weaker than a certificate.
    pub weak: bool,
}

impl Guard {
    /// Whether a device is in service.
    ///
    /// # Errors
    /// Why not.
    pub fn admit_device(&self, id: &DeviceId) -> Result<Admitted, Refusal> {
        let Some(people) = &self.inner.people else {
            return Ok(Admitted { standing: String::new(), zone: String::new(), weak: true });
        };
        let found = people.database.with(|connection| {
            let mut query = connection.prepare_cached(
                "SELECT state, zone, kind, metrics, device.password FROM device_life life
                 LEFT JOIN device ON device.id = life.id WHERE life.id = ?1",
            )?;
            let texts = query.query_row(params![id.as_str()], |row| {
                let text = |n| row.get::<_, String>(n);
                Ok((text(0)?, text(1)?, text(2)?, text(3)?, row.get::<_, Option<String>>(4)?))
            });
            let key = crate::psk::fingerprint(connection, id)?;
            Ok(texts.optional()?.map(|texts| (texts, key)))
        });
        let found = found.map_err(|error| {
            tracing::error!(%error, "device refused, for the account database failed");
            Refusal::Failed
        })?;
        let ((state, zone, kind, metrics, password), key) = found.ok_or(Refusal::Unknown)?;
        match DeviceState::from_name(&state) {
            Some(DeviceState::Active) => {}
            Some(state) => return Err(Refusal::NotInService(state)),
            None => return Err(Refusal::Failed),
        }
        let weak = password.as_deref().is_some_and(|kept| !kept.is_empty());
        let standing = format!("{zone}|{kind}|{metrics}|{}|{key}", password.unwrap_or_default());
        Ok(Admitted { standing, zone, weak })
    }

    /// Whether a certificate, whose chain and key a handshake has proved, is one to let in: the
    /// device that it is of, or none when it names nobody who is known here.
    ///
    /// # Errors
    /// Why not.
    pub fn judge(&self, shown: &Presented, now: ReceiveTime) -> Result<Option<DeviceId>, Refusal> {
        if !shown.holds(now) {
            return Err(Refusal::Expired);
        }
        if shown.is_withdrawn() {
            return Err(Refusal::OtherAuthority);
        }
        let Some(people) = &self.inner.people else {
            return Ok(device_names(shown).next());
        };
        let failed = |error: crate::GuardError| {
            tracing::error!(%error, "certificate refused, for the account database failed");
            Refusal::Failed
        };
        let known = people.database.with(|connection| certificates::known(connection, &shown.fingerprint));
        let known = known.map_err(failed)?;
        if known.as_ref().is_some_and(|(_, revoked)| *revoked) {
            return Err(Refusal::Revoked);
        }
        if let Some((device, _)) = &known {
            let id = DeviceId::sanitised(device);
            return self.admit_device(&id).map(|_| Some(id));
        }
        if self.has_authority() {
            let authority = self.authority(now).map_err(failed)?;
            if authority.ours && authority.subject == shown.issuer {
                return Err(Refusal::NotIssued);
            }
        }
        let mut refused = None;
        for id in device_names(shown) {
            match self.admit_device(&id) {
                Ok(_) => {
                    self.record_certificate(&id, shown);
                    return Ok(Some(id));
                }
                Err(Refusal::Unknown) => {}
                Err(refusal) => refused = Some(refusal),
            }
        }
        refused.map_or(Ok(None), Err)
    }

    /// The zone in which a device of `own` zone is heard.
    ///
    /// # Errors
    /// [`Refusal::WrongZone`].
    pub fn heard_in_zone(
        &self,
        own: &str,
        source: Option<std::net::IpAddr>,
        listener: &str,
    ) -> Result<String, Refusal> {
        let settings = self.trust();
        match settings.zones.at(source, listener) {
            Ok(zone) if own.is_empty() || zone == own || settings.zones.0.is_empty() => Ok(zone.to_owned()),
            Ok(_) | Err(Outside) => Err(Refusal::WrongZone),
        }
    }
}

/// The devices that a certificate may be of: our own kind of name first.
fn device_names(shown: &Presented) -> impl Iterator<Item = DeviceId> {
    let ours = shown.names.iter().filter_map(|name| name.strip_prefix(DEVICE_URN));
    let plain = shown.names.iter().filter(|name| !name.contains(':')).map(String::as_str);
    ours.chain(plain).filter_map(|name| DeviceId::new(name).ok())
}
