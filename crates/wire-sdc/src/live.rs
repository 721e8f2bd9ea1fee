//! An MDIB that follows a device's reports, and tells when one was missed.
//!
//! Every report makes one more version. A version that is skipped means that something was lost:
//! the MDIB then no longer is what the device has, and whoever keeps it fetches it again. Reports
//! of versions that the MDIB has already are not applied, but their states may be newer than what
//! is kept: each state has a version of its own, and an older state never replaces a newer one.

use crate::words::Modification;
use crate::{DescriptionChange, Entry, Mdib, MdibVersion, Report, ReportBody, State};

/// Follows a device.
#[derive(Debug, Clone)]
pub struct LiveMdib {
    mdib: Mdib,
}

/// What became of a report that fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It was the next one, or of the present version.
    Taken,
    /// It is older than what is here; nothing changed.
    Old,
}

/// Why the MDIB has to be fetched again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gap {
    /// Versions between the one kept and the report's never came.
    Missed {
        /// The version kept.
        have: u64,
        /// The report's.
        got: u64,
    },
    /// The device counts anew: it was restarted or set up again.
    Sequence,
    /// A report speaks of a descriptor that is not here.
    Unknown(String),
}

impl LiveMdib {
    /// Begins with a fetched MDIB.
    #[must_use]
    pub const fn new(mdib: Mdib) -> Self {
        Self { mdib }
    }

    /// The MDIB as it is now.
    #[must_use]
    pub const fn mdib(&self) -> &Mdib {
        &self.mdib
    }

    /// Takes a report.
    ///
    /// Subscriptions of one device may be several, and a report of one version may come in parts of
    /// several kinds; so a report of the present version is taken as well as one of the next.
    ///
    /// # Errors
    ///
    /// [`Gap`]: nothing was changed, and the MDIB has to be fetched again.
    pub fn apply(&mut self, report: &Report) -> Result<Applied, Gap> {
        let MdibVersion { version, sequence, instance } = &report.version;
        let have = &self.mdib.version;
        if *sequence != have.sequence || *instance != have.instance {
            return Err(Gap::Sequence);
        }
        if *version < have.version {
            return Ok(Applied::Old);
        }
        if *version > have.version.saturating_add(1) {
            return Err(Gap::Missed { have: have.version, got: *version });
        }
        match &report.body {
            ReportBody::States(parts) => {
                let states = || parts.iter().flat_map(|part| &part.states);
                if let Some(state) = states().find(|s| self.mdib.entry(&s.descriptor).is_none()) {
                    return Err(Gap::Unknown(state.descriptor.clone()));
                }
                for state in states() {
                    self.put(state);
                }
            }
            ReportBody::Description(changes) => {
                for change in changes {
                    self.change(change);
                }
            }
            ReportBody::Invoked(_) | ReportBody::Errors(_) => {}
        }
        self.mdib.version.version = *version;
        Ok(Applied::Taken)
    }

    fn put(&mut self, state: &State) {
        match self.mdib.states.iter_mut().find(|known| known.handle() == state.handle()) {
            Some(known) if known.version.unwrap_or(0) > state.version.unwrap_or(0) => {}
            Some(known) => known.clone_from(state),
            None => self.mdib.states.push(state.clone()),
        }
    }

    fn change(&mut self, change: &DescriptionChange) {
        match change.modification.unwrap_or_default() {
            Modification::Created | Modification::Updated => {
                for descriptor in &change.descriptors {
                    let handle = &descriptor.handle;
                    let known = self.mdib.descriptors.iter_mut().find(|e| e.descriptor.handle == *handle);
                    match known {
                        Some(entry) => entry.descriptor.clone_from(descriptor),
                        None => self.mdib.descriptors.push(Entry {
                            parent: change.parent.clone(),
                            descriptor: descriptor.clone(),
                        }),
                    }
                }
                for state in &change.states {
                    self.put(state);
                }
            }
            Modification::Deleted => {
                for descriptor in &change.descriptors {
                    self.remove(&descriptor.handle);
                }
            }
        }
    }

    /// Takes out a descriptor with all below it, and their states.
    fn remove(&mut self, handle: &str) {
        let mut gone = vec![handle.to_owned()];
        let mut next = 0;
        while next < gone.len() {
            let parent = gone[next].clone();
            let children = self.mdib.descriptors.iter().filter(|e| e.parent.as_deref() == Some(&parent));
            let children: Vec<String> = children.map(|e| e.descriptor.handle.clone()).collect();
            gone.extend(children.into_iter().filter(|child| *child != parent));
            next += 1;
            if gone.len() > self.mdib.descriptors.len() + 1 {
                break;
            }
        }
        self.mdib.descriptors.retain(|entry| !gone.contains(&entry.descriptor.handle));
        self.mdib.states.retain(|state| !gone.contains(&state.descriptor));
    }
}
