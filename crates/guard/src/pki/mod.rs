//! The certificate authority of the house, and the life of a device from announced to retired.
//!
//! A certificate alone opens nothing: whoever shows one is a device that stands here, in service,
//! with a certificate that was not revoked; that is asked at every handshake and again whenever
//! something changes. The revocation list is for others (ADR 0012).

mod answer;
mod authority;
mod certificates;
mod enrol;
mod events;
mod heard;
mod judge;
mod keyfile;
mod kinds;
mod life;
mod lives;
mod presented;
mod request;
mod restrictions;
mod zones;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

pub(crate) use certificates::revoke_all;
pub use certificates::{Issued, RevocationReason};
pub(crate) use enrol::IMMEDIATE;
pub use enrol::{Certified, Claim, Code};
pub use events::{SecurityEvent, SecurityLine};
pub use heard::Heard;
pub use judge::{Admitted, Refusal};
pub use kinds::{Rights, kinds};
pub use life::{DeviceState, Step, TRANSITIONS};
pub use lives::{Credential, DeviceTrust, LifeStep};
pub(crate) use lives::{put_state, state_of};
pub use presented::Presented;
pub use restrictions::{Restrictions, Violation};
pub use zones::{LISTENERS, Network, Outside, Zone, Zones};

/// Begins the name of a device in its certificate (a URI of subjectAltName).
pub const DEVICE_URN: &str = "urn:vitalwire:device:";
/// The certificate of our own authority, in the guard's folder.
pub const AUTHORITY_FILE: &str = "authority.pem";
/// Its private key, in the guard's folder.
pub const AUTHORITY_KEY_FILE: &str = "authority.key";
/// The revocation list, in the guard's folder; written when something is revoked.
pub const REVOCATION_FILE: &str = "vitalwire.crl";

/// The tables of this part.
pub(crate) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS device_life (
    id TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    since_us INTEGER NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL,
    zone TEXT NOT NULL DEFAULT '',
    kind TEXT NOT NULL DEFAULT '',
    metrics TEXT NOT NULL DEFAULT '', -- separated by spaces
    activates INTEGER NOT NULL DEFAULT 1 -- goes into service when it has proved its key
) STRICT;
CREATE TABLE IF NOT EXISTS device_step (
    n INTEGER PRIMARY KEY,
    id TEXT NOT NULL,
    at_us INTEGER NOT NULL,
    was TEXT NOT NULL,
    became TEXT NOT NULL,
    who TEXT NOT NULL,
    why TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS device_step_of ON device_step (id, n);
CREATE TABLE IF NOT EXISTS device_heard (
    id TEXT PRIMARY KEY,
    first_us INTEGER NOT NULL,
    last_us INTEGER NOT NULL,
    count INTEGER NOT NULL,
    source TEXT NOT NULL,
    door TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS enrolment (
    id TEXT PRIMARY KEY,
    code TEXT NOT NULL, -- fingerprint
    until_us INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS certificate (
    fingerprint TEXT PRIMARY KEY, -- SHA-256 of the DER, hexadecimal
    serial TEXT NOT NULL,
    device TEXT NOT NULL,
    ours INTEGER NOT NULL,
    from_us INTEGER NOT NULL,
    until_us INTEGER NOT NULL,
    how TEXT NOT NULL,
    revoked_us INTEGER,
    reason TEXT,
    revoked_by TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS certificate_of ON certificate (device, until_us);
CREATE INDEX IF NOT EXISTS certificate_serial ON certificate (serial);
CREATE TABLE IF NOT EXISTS security_event (
    n INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    device TEXT NOT NULL,
    zone TEXT NOT NULL,
    first_us INTEGER NOT NULL,
    last_us INTEGER NOT NULL,
    count INTEGER NOT NULL,
    evidence TEXT NOT NULL,
    taken_by TEXT,
    taken_us INTEGER,
    note TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS security_event_open ON security_event (kind, device, zone) WHERE taken_us IS NULL;
-- Devices that had credentials before devices had a life were in service.
INSERT OR IGNORE INTO device_life (id, state, since_us, who, why)
    SELECT id, 'active', 0, 'unknown', 'had credentials before' FROM device;
";

/// What can go wrong with trust in devices, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// A step that is not legal from where the device is.
    #[error("a device that is {from} cannot {step}: its steps are {legal}", from = .from.name(), step = .step.name(), legal = legal(*.from))]
    Step {
        /// Where it is.
        from: DeviceState,
        /// What was asked for.
        step: Step,
    },
    /// The enrolment code is wrong, used up, too old, or another device's.
    #[error("this enrolment code does not hold for this device: it works once, for a day; ask for a new one")]
    BadCode,
    /// A request for a certificate that is not granted.
    #[error("request for a certificate refused: {0}")]
    BadRequest(String),
    /// Something that a person asked for is not possible.
    #[error("{0}")]
    Refused(String),
    /// The authority can't be used.
    #[error("the certificate authority cannot be used: {0}")]
    Authority(String),
}

fn legal(from: DeviceState) -> String {
    let steps: Vec<_> = from.steps().map(Step::name).collect();
    if steps.is_empty() { "none; remove it, then it may be claimed anew".to_owned() } else { steps.join(", ") }
}

impl From<rcgen::Error> for TrustError {
    fn from(error: rcgen::Error) -> Self {
        Self::Authority(error.to_string())
    }
}

/// How trust in devices is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustSettings {
    /// The site's authority, certificate and key, in place of one of our own.
    pub authority: Option<(PathBuf, PathBuf)>,
    /// How long certificates hold, days.
    pub days: u32,
    /// The zones.
    pub zones: Zones,
}

impl Default for TrustSettings {
    fn default() -> Self {
        Self { authority: None, days: 90, zones: Zones::default() }
    }
}

/// What this part keeps in memory.
pub(crate) struct Pki {
    folder: PathBuf,
    settings: RwLock<Arc<TrustSettings>>,
    authority: Mutex<Option<Arc<authority::Authority>>>,
    heard: Mutex<heard::Ears>,
    events: Mutex<events::Waiting>,
    restrictions: RwLock<Arc<Restrictions>>,
    /// Certificates of others that are in the table already.
    recorded: Mutex<HashSet<[u8; 32]>>,
    /// The last change that was seen.
    seen: Mutex<u64>,
    moved: watch::Sender<u64>,
}

impl Pki {
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            settings: RwLock::default(),
            authority: Mutex::default(),
            heard: Mutex::default(),
            events: Mutex::default(),
            restrictions: RwLock::default(),
            recorded: Mutex::default(),
            seen: Mutex::new(u64::MAX),
            moved: watch::Sender::new(0),
        }
    }
}

impl crate::Guard {
    /// Says how trust in devices is configured; in force at once.
    pub fn set_trust(&self, settings: TrustSettings) {
        *self.inner.pki.settings.write() = Arc::new(settings);
        *self.inner.pki.authority.lock() = None;
        self.look_again();
    }

    /// How trust in devices is configured.
    #[must_use]
    pub fn trust(&self) -> Arc<TrustSettings> {
        Arc::clone(&self.inner.pki.settings.read())
    }

    /// Moves when accounts, devices or certificates may have changed: whoever serves somebody for
    /// long waits for this and asks again who that is.
    #[must_use]
    pub fn moved(&self) -> watch::Receiver<u64> {
        self.inner.pki.moved.subscribe()
    }

    /// Looks whether another process, or another part of this one, changed something. To be called
    /// a few times a second: takes microseconds.
    pub fn look_for_changes(&self) {
        let now = self.changes();
        let mut seen = self.inner.pki.seen.lock();
        if *seen == now {
            return;
        }
        *seen = now;
        drop(seen);
        self.load_restrictions();
        self.look_again();
    }

    /// Lets everybody ask again, though nothing changed: time went by.
    pub fn look_again(&self) {
        self.inner.pki.moved.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// Something about devices or certificates changed: all are told at once.
    pub(crate) fn trust_changed(&self) {
        if let Ok(people) = self.people() {
            people.database.changed();
        }
        self.load_restrictions();
        self.look_again();
    }

    /// Keeps what was counted in memory: heard devices and security events. To be called every
    /// second or so, and at the end.
    pub fn settle_trust(&self) {
        self.settle_events();
        self.settle_heard();
    }
}

/// A text for people, bounded, without control characters.
fn plain(text: &str, most: usize) -> String {
    text.chars().filter(|c| !c.is_control()).take(most).collect::<String>().trim().to_owned()
}
