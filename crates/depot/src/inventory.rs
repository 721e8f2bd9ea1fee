//! Which devices there are.

use fleet::firmware::{Minimum, Verdict, judge};
use fleet::inventory::Item;
use serde::{Deserialize, Serialize};

use crate::tables::{ITEM, MINIMUMS};
use crate::{Depot, DepotError};

/// Most devices.
const ITEMS_MAX: usize = 100_000;

/// Where an entry comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The device itself, or its FHIR record.
    Heard,
    /// A list that was imported.
    List,
    /// A person wrote it.
    Hand,
}

/// A device in the inventory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// What is known of it.
    pub item: Item,
    /// Who said so last.
    pub source: Source,
    /// When it came into the inventory, microseconds since 1970.
    pub first_us: i64,
    /// When it was last heard or changed.
    pub last_us: i64,
}

impl Depot {
    /// Every device, by id.
    ///
    /// # Errors
    /// [`DepotError`] when the database fails.
    pub fn inventory(&self) -> Result<Vec<Entry>, DepotError> {
        self.with(|kept| Ok(kept.items.values().cloned().collect()))
    }

    /// One device.
    ///
    /// # Errors
    /// [`DepotError`] when the database fails.
    pub fn device(&self, device: &str) -> Result<Option<Entry>, DepotError> {
        self.with(|kept| Ok(kept.items.get(device).cloned()))
    }

    /// Takes in what devices say of themselves: it goes before what lists and people wrote where it
    /// says something, for a device knows its firmware best. Writes only what is new; how many.
    ///
    /// # Errors
    /// [`DepotError`] when the database fails.
    pub fn heard_items(&self, items: &[Item], now_us: i64) -> Result<usize, DepotError> {
        self.put_items(items, Source::Heard, now_us)
    }

    /// Puts devices into the inventory, from a list or by hand: empty texts leave what was known.
    /// How many were new or changed.
    ///
    /// # Errors
    /// [`DepotError`] when the database fails, or there are too many.
    pub fn put_items(&self, items: &[Item], source: Source, now_us: i64) -> Result<usize, DepotError> {
        self.with(|kept| {
            let mut changed = Vec::new();
            for item in items {
                let known = kept.items.get(&item.device);
                let mut item = item.clone();
                if let Some(known) = known {
                    item.complete(&known.item);
                    if known.item == item {
                        continue;
                    }
                }
                let first_us = known.map_or(now_us, |known| known.first_us);
                changed.push(Entry { item, source, first_us, last_us: now_us });
            }
            let new = changed.iter().filter(|e| !kept.items.contains_key(&e.item.device)).count();
            if kept.items.len() + new > ITEMS_MAX {
                return Err(DepotError::Wrong(format!("the inventory holds {ITEMS_MAX} devices")));
            }
            kept.connection.execute_batch("BEGIN IMMEDIATE")?;
            let written: Result<(), DepotError> =
                changed.iter().try_for_each(|entry| kept.put(ITEM, &entry.item.device, entry));
            kept.connection.execute_batch(if written.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
            written?;
            let count = changed.len();
            kept.items.extend(changed.into_iter().map(|entry| (entry.item.device.clone(), entry)));
            Ok(count)
        })
    }

    /// Takes a device out of the inventory; one that is heard comes back by itself.
    ///
    /// # Errors
    /// [`DepotError::Unknown`], or the database fails.
    pub fn remove_item(&self, device: &str) -> Result<(), DepotError> {
        self.with(|kept| {
            kept.items.remove(device).ok_or(DepotError::Unknown("device"))?;
            kept.delete(ITEM, device)
        })
    }

    /// The firmware policy.
    ///
    /// # Errors
    /// [`DepotError`] when the database fails.
    pub fn minimums(&self) -> Result<Vec<Minimum>, DepotError> {
        self.with(|kept| Ok(kept.minimums.clone()))
    }

    /// Puts another firmware policy in force.
    ///
    /// # Errors
    /// [`DepotError::Wrong`] when a version can't be compared with any.
    pub fn set_minimums(&self, minimums: Vec<Minimum>) -> Result<(), DepotError> {
        for minimum in &minimums {
            if fleet::version::Version::read(&minimum.version).is_none() {
                return Err(DepotError::Wrong("a minimum has no version that can be read".to_owned()));
            }
            if minimum.model.trim().is_empty() || minimum.manufacturer.trim().is_empty() {
                return Err(DepotError::Wrong("a minimum needs manufacturer and model".to_owned()));
            }
        }
        self.with(|kept| {
            kept.put(MINIMUMS, "all", &minimums)?;
            kept.minimums = minimums;
            Ok(())
        })
    }

    /// What the firmware policy says of a device.
    ///
    /// # Errors
    /// [`DepotError`] when the database fails.
    pub fn verdict(&self, item: &Item) -> Result<Verdict, DepotError> {
        self.with(|kept| Ok(judge(&kept.minimums, &item.manufacturer, &item.model, &item.firmware)))
    }
}
