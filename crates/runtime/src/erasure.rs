//! After a patient's rows are deleted: the pages that held them are given back, and whoever keeps
//! keys and accounts does the rest. What a crash left undone is done at the next start.

use std::fmt;
use std::sync::Arc;

use store::{Erasure, ErasureRow, Side, Store};

/// The bucket of entries that are about a patient and not sealed with their key: by patient, the
/// offset of the last one.
pub const STRAYS: &str = "journal-strays";

type Hook = dyn Fn(&ErasureRow) -> Result<Vec<u8>, String> + Send + Sync;

/// What is to be done when the rows of an erased patient are deleted; gives the proof, as JSON. It
/// may be called again for the same erasure when the program ended in between.
#[derive(Clone)]
pub struct EraseHook(Arc<Hook>);

impl EraseHook {
    /// A hook.
    pub fn new(
        hook: impl Fn(&ErasureRow) -> Result<Vec<u8>, String> + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(hook))
    }
}

impl fmt::Debug for EraseHook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EraseHook")
    }
}

/// What finishes erasures.
pub(crate) struct Finishing {
    pub(crate) side: Arc<dyn Side>,
    pub(crate) hook: Option<EraseHook>,
}

impl Finishing {
    /// Finishes what is not finished yet.
    pub(crate) fn left_over(&self, store: &mut dyn Store) {
        let rows = match store.reader().erasures(None) {
            Ok(rows) => rows,
            Err(error) => return tracing::error!("erasure: not finished, tried again at the next start: {error}"),
        };
        for row in rows.into_iter().filter(|row| row.proof.is_none()) {
            if let Err(error) = self.finish(store, &row) {
                tracing::error!(
                    entry = row.erasure.offset,
                    "erasure: not finished, tried again at the next start: {error}"
                );
            }
        }
    }

    fn finish(&self, store: &mut dyn Store, row: &ErasureRow) -> Result<(), String> {
        store.scrub().map_err(|error| error.to_string())?;
        let proof = match &self.hook {
            Some(hook) => (hook.0)(row)?,
            None => b"{}".to_vec(),
        };
        self.side.erasure_done(row.erasure.offset, &proof).map_err(|error| error.to_string())
    }
}

/// An erasure as the store takes it.
pub(crate) fn row(erased: &engine::Erased) -> Erasure {
    Erasure {
        offset: erased.offset,
        patient: erased.patient.clone(),
        records: erased.records.clone(),
        devices: erased.devices.clone(),
        by: erased.by.clone(),
        reason: erased.reason.clone(),
        at: erased.at,
        words: erased.identifiers.iter().map(|identifier| identifier.value.clone()).collect(),
    }
}
