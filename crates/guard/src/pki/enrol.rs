//! From a claim to a certificate: one-time codes, enrolment, renewal.

use rusqlite::{OptionalExtension, TransactionBehavior, params};
use vitals::time::HOUR;
use vitals::{DeviceId, ReceiveTime};

use super::authority::Signed;
use super::lives::{put_state, state_of};
use super::{DeviceState, Presented, Refusal, Step, TrustError, answer, authority, certificates, request};
use crate::{Guard, GuardError, secret};

/// How long an enrolment code holds, microseconds.
const CODE_HOLDS: i64 = 24 * HOUR;

pub(crate) const IMMEDIATE: TransactionBehavior = TransactionBehavior::Immediate;

/// What a person says of a device that they claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The zone that it belongs to; empty: any.
    pub zone: String,
    /// What kind of device it is; empty: not said.
    pub kind: String,
    /// What it may say beside what its kind may.
    pub metrics: Vec<String>,
    /// Whether it goes into service as soon as it has proved its key; if not, a person puts it there.
    pub activates: bool,
    /// Why.
    pub why: String,
}

impl Default for Claim {
    fn default() -> Self {
        Self {
            zone: String::new(),
            kind: String::new(),
            metrics: Vec::new(),
            activates: true,
            why: String::new(),
        }
    }
}

/// A one-time enrolment code; shown once.
#[derive(Clone, PartialEq, Eq)]
pub struct Code {
    /// Five groups of four characters.
    pub text: String,
    /// Until when it holds.
    pub until: ReceiveTime,
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Code").field("until", &self.until).finish_non_exhaustive()
    }
}

/// A device's new certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    /// The certificate (DER).
    pub der: Vec<u8>,
    /// Its serial number, hexadecimal.
    pub serial: String,
    /// Until when it holds.
    pub until: ReceiveTime,
    /// Where the device is in its life now.
    pub state: DeviceState,
}

impl Certified {
    /// The certificate as PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        authority::pem("CERTIFICATE", &self.der)
    }

    /// The answer of enrolment over secure transport: certs-only, base64.
    ///
    /// # Errors
    /// [`GuardError`] when it can't be encoded.
    pub fn certs_only(&self) -> Result<String, GuardError> {
        answer::certs_only(std::slice::from_ref(&self.der))
    }
}

impl Guard {
    /// Takes responsibility for a device, heard or not, and gives the code that it enrols with.
    ///
    /// # Errors
    /// [`TrustError::Step`] when it is claimed already; [`TrustError::Refused`] when zone, kind or
    /// a metric is not known.
    pub fn claim_device(
        &self,
        id: &DeviceId,
        claim: &Claim,
        who: &str,
        now: ReceiveTime,
    ) -> Result<Code, GuardError> {
        self.check_rights(&claim.zone, &claim.kind, &claim.metrics)?;
        let text = secret::setup_code()?;
        let code = self.people()?.database.with(|connection| {
            let change = connection.transaction_with_behavior(IMMEDIATE)?;
            let from = state_of(&change, id)?;
            let to = from.unwrap_or(DeviceState::Announced).after(Step::Claim);
            let step = Step::Claim;
            let to = to.ok_or(TrustError::Step { from: from.unwrap_or(DeviceState::Announced), step })?;
            put_state(&change, id, from, to, (who, &claim.why), now)?;
            change.execute(
                "UPDATE device_life SET zone = ?1, kind = ?2, metrics = ?3, activates = ?4 WHERE id = ?5",
                params![claim.zone, claim.kind, claim.metrics.join(" "), claim.activates, id.as_str()],
            )?;
            let code = put_code(&change, id, text, now)?;
            change.commit()?;
            Ok(code)
        })?;
        self.trust_changed();
        Ok(code)
    }

    /// Gives another code, in place of any before: for a device whose code was lost, or whose key.
    ///
    /// # Errors
    /// [`TrustError::Refused`] unless the device is claimed, verified or active.
    pub fn new_code(&self, id: &DeviceId, now: ReceiveTime) -> Result<Code, GuardError> {
        let text = secret::setup_code()?;
        self.people()?.database.with(|connection| {
            let change = connection.transaction_with_behavior(IMMEDIATE)?;
            may_enrol(state_of(&change, id)?)?;
            let code = put_code(&change, id, text, now)?;
            change.commit()?;
            Ok(code)
        })
    }

    /// Certifies the key of a request (PKCS#10, DER or PEM) for a device with its code. The code
    /// is used up, a password that the device had no longer opens, certificates that it had before
    /// are revoked as superseded.
    ///
    /// # Errors
    /// [`TrustError::BadCode`], [`TrustError::BadRequest`].
    pub fn enrol_device(
        &self,
        id: &DeviceId,
        code: &str,
        csr: &[u8],
        now: ReceiveTime,
    ) -> Result<Certified, GuardError> {
        let kept = secret::fingerprint(secret::typed_code(code).as_bytes());
        let holds = |connection: &rusqlite::Connection| -> Result<(), GuardError> {
            let sql = "SELECT code, until_us FROM enrolment WHERE id = ?1";
            let found = connection
                .query_row(sql, [id.as_str()], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))
                .optional()?;
            let good = found.is_some_and(|(hex, until)| {
                // Hashes compare in constant time.
                blake3::Hash::from_hex(hex).is_ok_and(|own| own == kept) && now.micros() < until
            });
            if good { Ok(()) } else { Err(TrustError::BadCode.into()) }
        };
        // A wrong code learns nothing of what else would be wrong.
        self.people()?.database.with(|connection| holds(connection))?;
        let request = request::read(csr, id)?;
        let signed = self.authority(now)?.device(id, &request.key, self.trust().days, now)?;
        self.keep_certificate(id, signed, "enrolled with a code", now, |change| {
            holds(change)?;
            change.execute("DELETE FROM enrolment WHERE id = ?1", [id.as_str()])?;
            certificates::revoke_all(change, id, "superseded", id.as_str(), now)
        })
    }

    /// Certifies a device's next key, asked for with its present certificate.
    ///
    /// # Errors
    /// [`TrustError::Refused`] when the certificate is no device's, or the device not in service;
    /// [`TrustError::BadRequest`].
    pub fn renew_device(
        &self,
        presented: &Presented,
        csr: &[u8],
        now: ReceiveTime,
    ) -> Result<Certified, GuardError> {
        let refused = |refusal: Refusal| TrustError::Refused(format!("renewal refused: {refusal}"));
        let device = self.judge(presented, now).map_err(refused)?;
        let id = device.ok_or(refused(Refusal::Unknown))?;
        let request = request::read(csr, &id)?;
        let signed = self.authority(now)?.device(&id, &request.key, self.trust().days, now)?;
        self.keep_certificate(&id, signed, "renewed with its certificate", now, |_| Ok(()))
    }

    /// Makes a key and a certificate for a device that cannot enrol by itself: an engineer carries
    /// both to it. The key (PEM) is kept nowhere here.
    ///
    /// # Errors
    /// [`TrustError::Refused`] unless the device is claimed, verified or active.
    pub fn certify_device(&self, id: &DeviceId, now: ReceiveTime) -> Result<(Certified, String), GuardError> {
        let key = rcgen::KeyPair::generate().map_err(TrustError::from)?;
        let signed = self.authority(now)?.device(id, &key, self.trust().days, now)?;
        let made = self.keep_certificate(id, signed, "made by an engineer", now, |change| {
            change.execute("DELETE FROM enrolment WHERE id = ?1", [id.as_str()])?;
            Ok(())
        })?;
        Ok((made, key.serialize_pem()))
    }

    /// Puts a certificate that was signed into the table, and the device where it belongs then.
    fn keep_certificate(
        &self,
        id: &DeviceId,
        signed: Signed,
        how: &str,
        now: ReceiveTime,
        also: impl FnOnce(&rusqlite::Connection) -> Result<(), GuardError>,
    ) -> Result<Certified, GuardError> {
        let mut revoked = false;
        let state = self.people()?.database.with(|connection| {
            let change = connection.transaction_with_behavior(IMMEDIATE)?;
            let mut state = may_enrol(state_of(&change, id)?)?;
            also(&change)?;
            revoked = change.changes() > 0;
            certificates::put(&change, id, &signed, how)?;
            change.execute(
                "INSERT INTO device (id, password) VALUES (?1, '') ON CONFLICT (id) DO UPDATE SET password = ''",
                [id.as_str()],
            )?;
            let sql = "SELECT activates FROM device_life WHERE id = ?1";
            let activates: bool = change.query_row(sql, [id.as_str()], |row| row.get(0))?;
            let steps = [(Step::Verify, true), (Step::Activate, activates)];
            for (step, wanted) in steps {
                if let Some(to) = state.after(step).filter(|_| wanted && state != DeviceState::Suspended) {
                    put_state(&change, id, Some(state), to, (id.as_str(), how), now)?;
                    state = to;
                }
            }
            change.execute("DELETE FROM device_heard WHERE id = ?1", [id.as_str()])?;
            change.commit()?;
            Ok(state)
        })?;
        if revoked {
            self.write_revocation_list(now);
        }
        self.trust_changed();
        let until = ReceiveTime(signed.until_us);
        Ok(Certified { der: signed.der, serial: signed.serial, until, state })
    }

    /// The authority's certificate as enrolment over secure transport gives it: certs-only, base64.
    ///
    /// # Errors
    /// [`GuardError`] when there is no authority.
    pub fn authority_certs_only(&self, now: ReceiveTime) -> Result<String, GuardError> {
        answer::certs_only(&[self.authority_der(now)?])
    }

    /// The bytes of a base64 body; none when it is none.
    #[must_use]
    pub fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
        answer::from_base64(text)
    }
}

/// Whether a device in this state may get a certificate.
fn may_enrol(state: Option<DeviceState>) -> Result<DeviceState, GuardError> {
    use DeviceState::{Active, Claimed, Verified};
    match state {
        Some(state @ (Claimed | Verified | Active)) => Ok(state),
        Some(state) => Err(TrustError::Refused(format!("a device that is {} gets no certificate", state.name())).into()),
        None => Err(TrustError::Refused("no such device was claimed".to_owned()).into()),
    }
}

fn put_code(
    connection: &rusqlite::Connection,
    id: &DeviceId,
    text: String,
    now: ReceiveTime,
) -> Result<Code, GuardError> {
    let until = now.plus(CODE_HOLDS);
    let kept = secret::fingerprint(secret::typed_code(&text).as_bytes());
    connection.execute(
        "INSERT OR REPLACE INTO enrolment (id, code, until_us) VALUES (?1, ?2, ?3)",
        params![id.as_str(), kept.to_hex().as_str(), until.micros()],
    )?;
    Ok(Code { text, until })
}
