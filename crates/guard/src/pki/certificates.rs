//! Certificates that were issued or seen, and those revoked: the table that every handshake asks,
//! and the list for others (RFC 5280).

use rcgen::RevokedCertParams;
use rusqlite::{Connection, OptionalExtension, Row, params};
use vitals::{DeviceId, ReceiveTime};

use super::authority::{Signed, date, hex};
use super::presented::sha256;
use super::{REVOCATION_FILE, TrustError, keyfile};
use crate::{Guard, GuardError};

/// Certificates shown at once.
const SHOWN_MAX: i64 = 10_000;

/// A certificate of a device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// Whose.
    pub device: DeviceId,
    /// SHA-256 of it, hexadecimal.
    pub fingerprint: String,
    /// Serial number, hexadecimal.
    pub serial: String,
    /// Whether our authority issued it; if not, it was seen.
    pub ours: bool,
    /// From when it holds.
    pub from: ReceiveTime,
    /// Until when.
    pub until: ReceiveTime,
    /// How it came about, for people.
    pub how: String,
    /// When it was revoked, why and by whom.
    pub revoked: Option<(ReceiveTime, String, String)>,
}

/// Why a certificate is revoked (RFC 5280, 5.3.1): those that a person may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RevocationReason {
    /// Not said.
    Unspecified,
    /// Somebody else may have the key.
    KeyCompromise,
    /// Another certificate takes its place.
    Superseded,
    /// The device is no longer used.
    CessationOfOperation,
    /// It may no longer do what it did.
    PrivilegeWithdrawn,
}

impl RevocationReason {
    /// Every reason.
    pub const ALL: [Self; 5] = [
        Self::Unspecified,
        Self::KeyCompromise,
        Self::Superseded,
        Self::CessationOfOperation,
        Self::PrivilegeWithdrawn,
    ];

    /// Lower kebab-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::KeyCompromise => "key-compromise",
            Self::Superseded => "superseded",
            Self::CessationOfOperation => "cessation-of-operation",
            Self::PrivilegeWithdrawn => "privilege-withdrawn",
        }
    }

    /// The reason of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }

    const fn code(self) -> rcgen::RevocationReason {
        match self {
            Self::Unspecified => rcgen::RevocationReason::Unspecified,
            Self::KeyCompromise => rcgen::RevocationReason::KeyCompromise,
            Self::Superseded => rcgen::RevocationReason::Superseded,
            Self::CessationOfOperation => rcgen::RevocationReason::CessationOfOperation,
            Self::PrivilegeWithdrawn => rcgen::RevocationReason::PrivilegeWithdrawn,
        }
    }
}

impl Guard {
    /// Certificates, of one device or of all; those that end last first.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn certificates(&self, device: Option<&DeviceId>) -> Result<Vec<Issued>, GuardError> {
        self.people()?.database.with(|connection| issued(connection, device))
    }

    /// Revokes a certificate by its serial number or its SHA-256 (hexadecimal, colons or not).
    /// Sessions that were opened with it end at once.
    ///
    /// # Errors
    /// [`GuardError::Unknown`]; [`TrustError::Refused`] when it is revoked already.
    pub fn revoke_certificate(
        &self,
        which: &str,
        reason: RevocationReason,
        who: &str,
        now: ReceiveTime,
    ) -> Result<Issued, GuardError> {
        let which = which.trim().replace(':', "").to_lowercase();
        let revoked = self.people()?.database.with(|connection| {
            let change = connection.transaction_with_behavior(super::enrol::IMMEDIATE)?;
            let sql = format!("{SELECT} WHERE serial = ?1 OR fingerprint = ?1");
            let found = change.query_row(&sql, [&which], read).optional()?;
            let found = found.ok_or(GuardError::Unknown("that serial number".to_owned()))?;
            if found.revoked.is_some() {
                return Err(TrustError::Refused("it is revoked already".to_owned()).into());
            }
            change.execute(
                "UPDATE certificate SET revoked_us = ?1, reason = ?2, revoked_by = ?3 WHERE fingerprint = ?4",
                params![now.micros(), reason.name(), who, found.fingerprint],
            )?;
            change.commit()?;
            Ok(found)
        })?;
        self.trust_changed();
        self.write_revocation_list(now);
        Ok(revoked)
    }

    /// Revokes every certificate of a device; how many there were.
    ///
    /// # Errors
    /// [`GuardError`] when the database fails.
    pub fn revoke_device(
        &self,
        id: &DeviceId,
        reason: RevocationReason,
        who: &str,
        now: ReceiveTime,
    ) -> Result<usize, GuardError> {
        let count = self.people()?.database.with(|connection| {
            revoke_all(connection, id, reason.name(), who, now)?;
            Ok(usize::try_from(connection.changes()).unwrap_or(usize::MAX))
        })?;
        self.trust_changed();
        self.write_revocation_list(now);
        Ok(count)
    }

    /// The list of revoked certificates of our authority that have not expired (DER).
    ///
    /// # Errors
    /// [`GuardError`] when there is no authority, or the database fails.
    pub fn revocation_list(&self, now: ReceiveTime) -> Result<Vec<u8>, GuardError> {
        let revoked = self.people()?.database.with(|connection| {
            let sql = format!("{SELECT} WHERE ours = 1 AND revoked_us IS NOT NULL AND until_us > ?1");
            let mut query = connection.prepare(&sql)?;
            let rows = query.query_map([now.micros()], read)?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        })?;
        let line = |one: Issued| {
            let (at, reason, _) = one.revoked?;
            let reason = RevocationReason::from_name(&reason).map(RevocationReason::code);
            Some(RevokedCertParams {
                serial_number: rcgen::SerialNumber::from_slice(&bytes(&one.serial)?),
                revocation_time: date(at),
                // "Unspecified" is said by saying nothing (RFC 5280, 5.3.1).
                reason_code: reason.filter(|reason| *reason != rcgen::RevocationReason::Unspecified),
                invalidity_date: None,
            })
        };
        self.authority(now)?.list(revoked.into_iter().filter_map(line).collect(), now)
    }

    /// Writes the list beside the authority. Nobody here depends on it: a failure is only told.
    pub(crate) fn write_revocation_list(&self, now: ReceiveTime) {
        if !self.has_authority() {
            return;
        }
        let path = self.inner.pki.folder.join(REVOCATION_FILE);
        let written = self.revocation_list(now).and_then(|list| keyfile::replace(&path, &list));
        if let Err(error) = written {
            tracing::warn!(%error, "the list of revoked certificates was not written");
        }
    }

    /// Keeps a certificate of another authority that a device showed for the first time, so that
    /// it can be seen and revoked.
    pub(super) fn record_certificate(&self, id: &DeviceId, shown: &super::Presented) {
        let Ok(people) = self.people() else { return };
        let mut recorded = self.inner.pki.recorded.lock();
        if !recorded.insert(shown.fingerprint) {
            return;
        }
        drop(recorded);
        let kept = people.database.with(|connection| {
            connection.execute(
                "INSERT OR IGNORE INTO certificate (fingerprint, serial, device, ours, from_us, until_us, how)
                 VALUES (?1, ?2, ?3, 0, ?4, ?5, 'shown by the device')",
                params![hex(&shown.fingerprint), shown.serial, id.as_str(), shown.from_us, shown.until_us],
            )?;
            Ok(())
        });
        if let Err(error) = kept {
            tracing::warn!(%error, "a device's certificate was not recorded");
        }
    }
}

const SELECT: &str = "SELECT device, fingerprint, serial, ours, from_us, until_us, how, revoked_us, reason, revoked_by FROM certificate";

fn read(row: &Row<'_>) -> rusqlite::Result<Issued> {
    let at: Option<i64> = row.get(7)?;
    let revoked = match at {
        None => None,
        Some(at) => Some((
            ReceiveTime(at),
            row.get::<_, Option<String>>(8)?.unwrap_or_default(),
            row.get::<_, Option<String>>(9)?.unwrap_or_default(),
        )),
    };
    Ok(Issued {
        device: DeviceId::sanitised(&row.get::<_, String>(0)?),
        fingerprint: row.get(1)?,
        serial: row.get(2)?,
        ours: row.get(3)?,
        from: ReceiveTime(row.get(4)?),
        until: ReceiveTime(row.get(5)?),
        how: row.get(6)?,
        revoked,
    })
}

/// Certificates of one device or of all, those that end last first.
pub(super) fn issued(
    connection: &Connection,
    device: Option<&DeviceId>,
) -> Result<Vec<Issued>, GuardError> {
    let sql = match device {
        Some(_) => format!("{SELECT} WHERE device = ?1 ORDER BY until_us DESC, from_us DESC LIMIT ?2"),
        None => format!("{SELECT} WHERE device <> ?1 ORDER BY until_us DESC, from_us DESC LIMIT ?2"),
    };
    let mut query = connection.prepare_cached(&sql)?;
    let rows = query.query_map(params![device.map_or("", DeviceId::as_str), SHOWN_MAX], read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What the table says of a certificate: whose it is, and whether it was revoked.
pub(super) fn known(
    connection: &Connection,
    fingerprint: &[u8; 32],
) -> Result<Option<(String, bool)>, GuardError> {
    let sql = "SELECT device, revoked_us IS NOT NULL FROM certificate WHERE fingerprint = ?1";
    let mut query = connection.prepare_cached(sql)?;
    let found = query.query_row([hex(fingerprint)], |row| Ok((row.get(0)?, row.get(1)?)));
    Ok(found.optional()?)
}

/// Puts a certificate of ours into the table.
pub(super) fn put(
    connection: &Connection,
    id: &DeviceId,
    signed: &Signed,
    how: &str,
) -> Result<(), GuardError> {
    connection.execute(
        "INSERT INTO certificate (fingerprint, serial, device, ours, from_us, until_us, how)
         VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6)",
        params![hex(&sha256(&signed.der)), signed.serial, id.as_str(), signed.from_us, signed.until_us, how],
    )?;
    Ok(())
}

/// Revokes all certificates of a device.
pub(crate) fn revoke_all(
    connection: &Connection,
    id: &DeviceId,
    reason: &str,
    who: &str,
    now: ReceiveTime,
) -> Result<(), GuardError> {
    connection.execute(
        "UPDATE certificate SET revoked_us = ?1, reason = ?2, revoked_by = ?3
         WHERE device = ?4 AND revoked_us IS NULL",
        params![now.micros(), reason, who, id.as_str()],
    )?;
    Ok(())
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let pairs = hex.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
