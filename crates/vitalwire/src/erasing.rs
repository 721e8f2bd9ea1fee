//! What an erasure needs beyond engine and store: whose keys entries are sealed with, and what is
//! done once a patient's rows are gone.

use std::path::PathBuf;

use guard::Guard;
use journal::{Appender, Whose};
use live::Live;
use runtime::{EraseHook, STRAYS};
use serde_json::json;
use store::{ErasureRow, Reader};
use vitals::{DeviceId, EpisodeId, PatientId};

use crate::clock::clock;
use crate::sealed::Sealed;

/// Knows on whom devices are and whose alerts are, as of now.
pub(crate) struct Knowing {
    pub(crate) live: Live,
    pub(crate) reader: Reader,
}

impl Whose for Knowing {
    fn on(&self, device: &DeviceId) -> Option<PatientId> {
        self.live.on(device)
    }

    fn alert(&self, episode: EpisodeId) -> Option<PatientId> {
        let patients = self.live.patients();
        let open = patients.iter().find(|view| view.alerts.iter().any(|alert| alert.id == episode));
        open.map(|view| view.patient.id.clone())
            .or_else(|| self.reader.alert(episode).ok().flatten()?.patient)
    }
}

/// Destroys the patient's keys, forgets them among the accounts, renews the keyring's copy, and has
/// the journal cut if entries in it are about them that are not sealed for them.
pub(crate) fn hook(
    sealed: &Sealed,
    guard: &Guard,
    appender: &Appender,
    reader: &Reader,
    copy: Option<PathBuf>,
) -> EraseHook {
    let (vault, guard) = (sealed.vault.clone(), guard.clone());
    let (appender, reader) = (appender.clone(), reader.clone());
    EraseHook::new(move |row: &ErasureRow| {
        let (records, now) = (&row.erasure.records, clock());
        let accounts = guard.forget_patients(records).map_err(|error| error.to_string())?;
        let (mut keys, mut copied) = (Vec::new(), None);
        if let Some(vault) = &vault {
            // Again after a crash: what is destroyed stays destroyed, and is named again.
            let before = records.iter().flat_map(|record| vault.tombs(record));
            keys.extend(before.flat_map(|tomb| tomb.numbers));
            keys.extend(vault.destroy(records, now).map_err(|error| error.to_string())?);
            if let Some(copy) = &copy {
                vault.copy_to(copy).map_err(|error| error.to_string())?;
                copied = Some(copy.display().to_string());
            }
        }
        let stray = last_stray(&reader, records)?;
        let cut = stray.is_some_and(|last| last >= appender.first_offset()) || vault.is_none();
        if cut {
            appender.cut();
        }
        let proof = json!({
            "finished_ms": now.millis(),
            "keys_destroyed": keys,
            "keyring_copy": copied,
            "accounts": accounts.into_iter().collect::<std::collections::BTreeMap<_, _>>(),
            "journal_cut_behind": if vault.is_none() { Some(row.erasure.offset) } else { stray.filter(|_| cut) },
        });
        serde_json::to_vec(&proof).map_err(|error| error.to_string())
    })
}

/// The last entry that is about one of these and not sealed with their key.
pub(crate) fn last_stray(reader: &Reader, records: &[PatientId]) -> Result<Option<u64>, String> {
    let mut last = None;
    for record in records {
        let found = reader.kv(STRAYS, record.as_str()).map_err(|error| error.to_string())?;
        let found = found.and_then(|bytes| Some(u64::from_le_bytes(bytes.try_into().ok()?)));
        last = last.max(found);
    }
    Ok(last)
}

/// Has the journal cut where an erasure before the last start asked for it and it was not done yet.
pub(crate) fn resume(appender: &Appender, reader: &Reader) -> Result<(), String> {
    let first = appender.first_offset();
    for row in reader.erasures(None).map_err(|error| error.to_string())? {
        let behind = behind(&row);
        if behind.is_some_and(|last| last >= first) {
            appender.cut();
        }
    }
    Ok(())
}

/// The entry behind which the journal was to be cut for an erasure.
pub(crate) fn behind(row: &ErasureRow) -> Option<u64> {
    let proof: serde_json::Value = serde_json::from_slice(row.proof.as_ref()?).ok()?;
    proof["journal_cut_behind"].as_u64()
}
