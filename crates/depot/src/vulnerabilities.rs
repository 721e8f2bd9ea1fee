//! What is known against the devices in the inventory, and what people said to it.

use std::collections::BTreeMap;

use fleet::advisory::{self, Finding, Vulnerability};
use fleet::inventory::Known;
use fleet::sbom;
use serde::{Deserialize, Serialize};

use crate::tables::{ACKNOWLEDGED, ADVISORY, ITEM, SBOM};
use crate::{Depot, DepotError};

/// Largest file taken, bytes; most files.
const FILE_MAX: usize = 32 << 20;
const FILES_MAX: usize = 10_000;

/// An imported file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Advisory {
    /// Name of the file.
    pub name: String,
    /// When it was imported, microseconds since 1970.
    pub at_us: i64,
    /// By whom.
    pub by: String,
    /// What it says.
    pub vulnerabilities: Vec<Vulnerability>,
}

/// Somebody has looked at a vulnerability.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// Who.
    pub by: String,
    /// When, microseconds since 1970.
    pub at_us: i64,
    /// Why it may stay as it is.
    pub reason: String,
}

/// A vulnerability of a device, and what a person said to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What and where.
    pub finding: Finding,
    /// What a person said, of this device or of all.
    pub acknowledged: Option<Acknowledged>,
}

impl Depot {
    /// Takes in a file: CSAF 2.0 when it begins as JSON, a table otherwise. A file of the same name is
    /// replaced. How many vulnerabilities it names.
    ///
    /// # Errors
    /// [`DepotError::Wrong`] with what is wrong with it.
    pub fn import_advisory(&self, name: &str, bytes: &[u8], by: &str, now_us: i64) -> Result<usize, DepotError> {
        if bytes.len() > FILE_MAX {
            return Err(DepotError::Wrong("the file is larger than 32 MiB".to_owned()));
        }
        let json = bytes.iter().find(|b| !b.is_ascii_whitespace()) == Some(&b'{');
        let read = match json {
            true => advisory::from_csaf(bytes),
            false => std::str::from_utf8(bytes)
                .map_err(|_| "neither JSON nor UTF-8 text".to_owned())
                .and_then(|text| advisory::from_csv(text, name)),
        };
        let vulnerabilities = read.map_err(DepotError::Wrong)?;
        let count = vulnerabilities.len();
        let advisory = Advisory { name: name.to_owned(), at_us: now_us, by: by.to_owned(), vulnerabilities };
        self.with(|kept| {
            if kept.advisories.len() >= FILES_MAX && !kept.advisories.contains_key(name) {
                return Err(DepotError::Wrong(format!("more than {FILES_MAX} advisories")));
            }
            kept.put(ADVISORY, name, &advisory)?;
            kept.advisories.insert(name.to_owned(), advisory);
            kept.gather();
            Ok(count)
        })
    }

    /// Every imported file, by name.
    ///
    /// # Errors
    /// [`DepotError`] when the database fails.
    pub fn advisories(&self) -> Result<Vec<Advisory>, DepotError> {
        self.with(|kept| Ok(kept.advisories.values().cloned().collect()))
    }

    /// Forgets a file.
    ///
    /// # Errors
    /// [`DepotError::Unknown`], or the database fails.
    pub fn remove_advisory(&self, name: &str) -> Result<(), DepotError> {
        self.with(|kept| {
            kept.advisories.remove(name).ok_or(DepotError::Unknown("advisory"))?;
            kept.gather();
            kept.delete(ADVISORY, name)
        })
    }

    /// Attaches an SBOM (CycloneDX JSON) to devices: its SHA-256, and how many parts it names.
    ///
    /// # Errors
    /// [`DepotError::Wrong`] when it can't be read; [`DepotError::Unknown`] of a device.
    pub fn attach_sbom(&self, bytes: &[u8], devices: &[String]) -> Result<(String, usize), DepotError> {
        if bytes.len() > FILE_MAX {
            return Err(DepotError::Wrong("the file is larger than 32 MiB".to_owned()));
        }
        let sbom = sbom::from_cyclonedx(bytes).map_err(DepotError::Wrong)?;
        let (hash, parts) = (crate::firmware::sha256(bytes), sbom.components.len());
        self.with(|kept| {
            if devices.iter().any(|device| !kept.items.contains_key(device)) {
                return Err(DepotError::Unknown("device"));
            }
            kept.put(SBOM, &hash, &sbom)?;
            kept.sboms.insert(hash.clone(), sbom);
            for device in devices {
                let Some(entry) = kept.items.get_mut(device) else { continue };
                entry.item.sbom.clone_from(&hash);
                let entry = entry.clone();
                kept.put(ITEM, device, &entry)?;
            }
            Ok(())
        })?;
        Ok((hash, parts))
    }

    /// What is known against every device, worst first.
    ///
    /// # Errors
    /// [`DepotError`] when the database fails.
    pub fn vulnerabilities(&self) -> Result<Vec<Found>, DepotError> {
        self.with(|kept| {
            // Devices of one model and version with one SBOM have the same vulnerabilities.
            let mut known: BTreeMap<(&str, &str, &str, &str), Vec<Finding>> = BTreeMap::new();
            let mut found = Vec::new();
            for entry in kept.items.values() {
                let item = &entry.item;
                let key = (item.manufacturer.as_str(), item.model.as_str(), item.firmware.as_str(), item.sbom.as_str());
                let of_kind = known.entry(key).or_insert_with(|| {
                    let sbom = kept.sboms.get(&item.sbom);
                    advisory::matches(Known { item, sbom }, &kept.vulnerabilities)
                });
                for finding in of_kind.iter() {
                    let said = |device: &str| kept.acknowledged.get(&(finding.id.clone(), device.to_owned()));
                    let acknowledged = said(&item.device).or_else(|| said("")).cloned();
                    let finding = Finding { device: item.device.clone(), ..finding.clone() };
                    found.push(Found { finding, acknowledged });
                }
            }
            found.sort_by(|a, b| {
                let order = |f: &Found| (f.acknowledged.is_some(), f.finding.status);
                order(a).cmp(&order(b)).then(b.finding.cvss.unwrap_or(-1.0).total_cmp(&a.finding.cvss.unwrap_or(-1.0)))
            });
            Ok(found)
        })
    }

    /// Says why a vulnerability may stay as it is, on one device, or (`device` empty) on all.
    ///
    /// # Errors
    /// [`DepotError::Unknown`] when no advisory names it; [`DepotError::Wrong`] without a reason.
    pub fn acknowledge(&self, id: &str, device: &str, reason: &str, by: &str, now_us: i64) -> Result<(), DepotError> {
        let reason = reason.trim();
        if reason.is_empty() || reason.chars().count() > 500 {
            return Err(DepotError::Wrong("give a reason of 1 to 500 characters".to_owned()));
        }
        self.with(|kept| {
            if !kept.vulnerabilities.iter().any(|v| v.id == id) {
                return Err(DepotError::Unknown("vulnerability"));
            }
            let said = Acknowledged { by: by.to_owned(), at_us: now_us, reason: reason.to_owned() };
            kept.put(ACKNOWLEDGED, &format!("{id}\n{device}"), &said)?;
            kept.acknowledged.insert((id.to_owned(), device.to_owned()), said);
            Ok(())
        })
    }
}
