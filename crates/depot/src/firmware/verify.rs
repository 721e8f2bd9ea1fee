//! Whether metadata may be trusted: signatures, thresholds, versions, times.
//!
//! The `tuf` crate checks signatures, thresholds, the chain of roots and most times. It leaves to its network
//! client, or open, what stands here: hashes of metadata, versions within metadata that go back, an
//! expired snapshot, the same version with other content (TUF 5.4.3, 5.5.2, 5.5.5, 5.6).

use chrono::{DateTime, Utc};
use serde_json::Value;
use tuf::Error;
use tuf::crypto::HashAlgorithm;
use tuf::database::Database;
use tuf::metadata::{Metadata, RawSignedMetadata};

use super::pouf::Json;
use super::{Target, sha256};

/// Why firmware was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No root is trusted yet.
    #[error("no root is trusted yet: `vitalwire firmware trust ROOT.json` first, with a root from its maker")]
    NoRoot,
    /// A file of the metadata is missing.
    #[error("{0} is missing in what was handed over")]
    Missing(&'static str),
    /// Signatures are wrong, or too few.
    #[error("{0}: not signed by enough of the keys that its role has")]
    Signature(String),
    /// Older than what was trusted before.
    #[error("{0}: older than what was trusted before (rollback)")]
    Rollback(String),
    /// Out of date: somebody keeps newer metadata away, or it is time for new one.
    #[error("{0}: expired (freeze, or an old copy)")]
    Expired(String),
    /// The parts do not belong together.
    #[error("{0}: not the one that the metadata above it names (mix of old and new)")]
    Mismatch(String),
    /// An image is not what was signed.
    #[error("image {0}: not what was signed")]
    Image(String),
    /// It can't be read.
    #[error("{0}: {1}")]
    Unreadable(String, String),
}

/// A target of signed metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Its path in the metadata.
    pub path: String,
    /// Bytes.
    pub length: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
    /// For which maker's devices, as signed (`custom.manufacturer`).
    pub manufacturer: String,
    /// For which model (`custom.model`).
    pub model: String,
    /// Which version (`custom.version`).
    pub version: String,
}

impl Signed {
    /// As a campaign takes it.
    #[must_use]
    pub fn target(&self) -> Target {
        Target {
            path: self.path.clone(),
            length: self.length,
            sha256: self.sha256.clone(),
            manufacturer: self.manufacturer.clone(),
            model: self.model.clone(),
            version: self.version.clone(),
        }
    }
}

/// What was trusted last.
#[derive(Debug, Clone)]
pub(super) struct Trusted {
    pub(super) root: Vec<u8>,
    pub(super) timestamp: Option<Vec<u8>>,
    pub(super) snapshot: Option<Vec<u8>>,
    pub(super) targets: Option<Vec<u8>>,
}

/// What is handed over.
pub(super) struct Delivered {
    /// Successors of the trusted root, in order.
    pub(super) roots: Vec<Vec<u8>>,
    pub(super) timestamp: Vec<u8>,
    pub(super) snapshot: Vec<u8>,
    pub(super) targets: Vec<u8>,
}

impl Trusted {
    pub(super) fn root_version(&self) -> Result<u64, Refusal> {
        version(&self.root, "root.json")
    }

    /// Names and bytes.
    pub(super) fn files(&self) -> impl Iterator<Item = (&'static str, &[u8])> {
        let others = [("timestamp.json", &self.timestamp), ("snapshot.json", &self.snapshot), ("targets.json", &self.targets)];
        let others = others.into_iter().filter_map(|(name, bytes)| Some((name, bytes.as_deref()?)));
        std::iter::once(("root.json", self.root.as_slice())).chain(others)
    }

    /// The targets; their signature is checked again, their times are not.
    pub(super) fn signed(&self) -> Result<Vec<Signed>, Refusal> {
        let (Some(timestamp), Some(snapshot), Some(targets)) = (&self.timestamp, &self.snapshot, &self.targets) else {
            return Ok(Vec::new());
        };
        let mut database = root(&self.root)?;
        let then = DateTime::<Utc>::UNIX_EPOCH;
        update(&mut database, timestamp, snapshot, targets, &then)?;
        Ok(list(&database))
    }
}

/// A root that has signed itself.
pub(super) fn root(bytes: &[u8]) -> Result<Database<Json>, Refusal> {
    Database::from_trusted_root(&RawSignedMetadata::new(bytes.to_vec())).map_err(|e| refusal("root.json", &e))
}

/// Checks what is handed over against what is trusted: what is to be trusted from now on, and the
/// targets.
pub(super) fn verify(trusted: &Trusted, new: &Delivered, now_us: i64) -> Result<(Trusted, Vec<Signed>), Refusal> {
    let now = DateTime::from_timestamp_micros(now_us)
        .ok_or_else(|| Refusal::Unreadable("clock".to_owned(), "impossible time".to_owned()))?;
    let mut database = root(&trusted.root)?;
    let (keys_before, mut newest) = (role_keys(&trusted.root), trusted.root.clone());
    for bytes in &new.roots {
        let name = format!("{}.root.json", database.trusted_root().version() + 1);
        let raw = RawSignedMetadata::new(bytes.clone());
        database.update_root(&raw).map_err(|e| refusal(&name, &e))?;
        newest.clone_from(bytes);
    }
    if database.trusted_root().expires() <= &now {
        return Err(Refusal::Expired("root.json".to_owned()));
    }
    // Versions go on from what was trusted, unless the keys that vouched for them were replaced
    // (TUF 5.3.11: recovery from a fast-forward attack).
    let kept = |role: &str| keys_before.get(role) == role_keys(&newest).get(role);
    if kept("timestamp") && kept("snapshot") {
        no_older(&trusted.timestamp, &new.timestamp, "timestamp.json")?;
        no_older(&trusted.snapshot, &new.snapshot, "snapshot.json")?;
        no_older_parts(trusted, new)?;
    }
    no_older(&trusted.targets, &new.targets, "targets.json")?;
    update(&mut database, &new.timestamp, &new.snapshot, &new.targets, &now)?;
    let expired = |metadata: Option<&DateTime<Utc>>| metadata.is_none_or(|expires| expires <= &now);
    if expired(database.trusted_snapshot().map(|s| s.expires())) {
        return Err(Refusal::Expired("snapshot.json".to_owned()));
    }
    if expired(database.trusted_targets().map(|t| t.expires())) {
        return Err(Refusal::Expired("targets.json".to_owned()));
    }
    let next = Trusted {
        root: newest,
        timestamp: Some(new.timestamp.clone()),
        snapshot: Some(new.snapshot.clone()),
        targets: Some(new.targets.clone()),
    };
    Ok((next, list(&database)))
}

fn update(
    database: &mut Database<Json>,
    timestamp: &[u8],
    snapshot: &[u8],
    targets: &[u8],
    now: &DateTime<Utc>,
) -> Result<(), Refusal> {
    let raw = RawSignedMetadata::new(timestamp.to_vec());
    let known = database.update_timestamp(now, &raw).map_err(|e| refusal("timestamp.json", &e))?;
    let of_snapshot = known.map(|timestamp| (timestamp.snapshot().length(), timestamp.snapshot().hashes().clone()));
    if let Some((length, hashes)) = of_snapshot {
        named(snapshot, length, hashes.get(&HashAlgorithm::Sha256), "snapshot.json")?;
    }
    let raw = RawSignedMetadata::new(snapshot.to_vec());
    database.update_snapshot(now, &raw).map_err(|e| refusal("snapshot.json", &e))?;
    let of_targets = database.trusted_snapshot().and_then(|snapshot| {
        let described = snapshot.meta().get(&tuf::metadata::MetadataPath::targets())?;
        Some((described.length(), described.hashes().get(&HashAlgorithm::Sha256).cloned()))
    });
    let (length, hash) = of_targets.ok_or_else(|| Refusal::Mismatch("targets.json".to_owned()))?;
    named(targets, length, hash.as_ref(), "targets.json")?;
    let raw = RawSignedMetadata::new(targets.to_vec());
    database.update_targets(now, &raw).map_err(|e| refusal("targets.json", &e))?;
    Ok(())
}

/// Whether a file is the one that the metadata above names, where that gives length or hash.
fn named(bytes: &[u8], length: Option<usize>, hash: Option<&tuf::crypto::HashValue>, name: &str) -> Result<(), Refusal> {
    let right_length = length.is_none_or(|length| length == bytes.len());
    let right_hash = hash.is_none_or(|hash| hex(hash.value()) == sha256(bytes));
    if right_length && right_hash { Ok(()) } else { Err(Refusal::Mismatch(name.to_owned())) }
}

/// A later version, or the same file.
fn no_older(old: &Option<Vec<u8>>, new: &[u8], name: &str) -> Result<(), Refusal> {
    let Some(old) = old else { return Ok(()) };
    let (before, now) = (version(old, name)?, version(new, name)?);
    match now.cmp(&before) {
        std::cmp::Ordering::Less => Err(Refusal::Rollback(name.to_owned())),
        std::cmp::Ordering::Equal if signed(old) != signed(new) => Err(Refusal::Mismatch(name.to_owned())),
        _ => Ok(()),
    }
}

/// The versions that timestamp and snapshot name do not go back, and no file is left out (TUF
/// 5.4.3.2, 5.5.5).
fn no_older_parts(trusted: &Trusted, new: &Delivered) -> Result<(), Refusal> {
    let pairs = [(&trusted.timestamp, &new.timestamp, "timestamp.json"), (&trusted.snapshot, &new.snapshot, "snapshot.json")];
    for (old, new, name) in pairs {
        let Some(old) = old else { continue };
        let (old, new) = (signed(old), signed(new));
        for (part, before) in old["meta"].as_object().into_iter().flatten() {
            let now = new["meta"][part]["version"].as_u64();
            if now.is_none_or(|now| now < before["version"].as_u64().unwrap_or(0)) {
                return Err(Refusal::Rollback(format!("{part} in {name}")));
            }
        }
    }
    Ok(())
}

fn list(database: &Database<Json>) -> Vec<Signed> {
    let Some(targets) = database.trusted_targets() else { return Vec::new() };
    let mut all: Vec<Signed> = targets
        .targets()
        .iter()
        .filter_map(|(path, described)| {
            let custom = |key: &str| {
                described.custom().get(key).and_then(Value::as_str).unwrap_or("").chars().take(200).collect::<String>()
            };
            Some(Signed {
                path: path.to_string(),
                length: described.length(),
                // Without a SHA-256 it can't be checked, so it is not offered.
                sha256: hex(described.hashes().get(&HashAlgorithm::Sha256)?.value()),
                manufacturer: custom("manufacturer"),
                model: custom("model"),
                version: custom("version"),
            })
        })
        .collect();
    all.sort_by(|a, b| a.path.cmp(&b.path));
    all
}

/// The part of a file that its signatures cover.
fn signed(bytes: &[u8]) -> Value {
    let document: Value = serde_json::from_slice(bytes).unwrap_or_default();
    document["signed"].clone()
}

fn version(bytes: &[u8], name: &str) -> Result<u64, Refusal> {
    let version = signed(bytes)["version"].as_u64();
    version.ok_or_else(|| Refusal::Unreadable(name.to_owned(), "no version".to_owned()))
}

/// Which keys each role has.
fn role_keys(root: &[u8]) -> std::collections::BTreeMap<String, Value> {
    let roles = signed(root)["roles"].clone();
    roles.as_object().into_iter().flatten().map(|(role, of)| (role.clone(), of.clone())).collect()
}

fn refusal(name: &str, error: &Error) -> Refusal {
    let name = name.to_owned();
    match error {
        Error::ExpiredMetadata { .. } => Refusal::Expired(name),
        Error::AttemptedMetadataRollBack { .. } => Refusal::Rollback(name),
        Error::WrongMetadataVersion { .. } => Refusal::Mismatch(name),
        Error::MetadataMissingSignatures { .. }
        | Error::BadSignature(_)
        | Error::MetadataThresholdMustBeGreaterThanZero(_) => Refusal::Signature(name),
        other => Refusal::Unreadable(name, other.to_string().chars().take(200).collect()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
