//! Writing beside the one writer, on a connection of its own.

use parking_lot::Mutex;
use rusqlite::{Connection, TransactionBehavior, params};
use vitals::{Offset, ReceiveTime};

use crate::sqlite::{alert_hours, erase, write, write_rows};
use crate::{AlertHour, KvRow, OutboxRow, Side, StoreError};

/// The connection.
pub(super) struct SqliteSide {
    connection: Mutex<Connection>,
}

impl SqliteSide {
    pub(super) fn new(connection: Connection) -> Self {
        Self {
            connection: Mutex::new(connection),
        }
    }
}

impl Side for SqliteSide {
    fn put(&self, rows: &[KvRow]) -> Result<(), StoreError> {
        let mut connection = self.connection.lock();
        let db = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        write::kv(&db, rows)?;
        Ok(db.commit()?)
    }

    fn keep_alert_hours(&self, hours: &[AlertHour]) -> Result<(), StoreError> {
        let mut connection = self.connection.lock();
        let db = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        alert_hours::keep(&db, hours)?;
        Ok(db.commit()?)
    }

    fn erasure_done(&self, offset: Offset, proof: &[u8]) -> Result<(), StoreError> {
        erase::done(&self.connection.lock(), offset, proof)
    }

    fn outbox_add(&self, rows: &[OutboxRow]) -> Result<(), StoreError> {
        let mut connection = self.connection.lock();
        let db = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        write_rows::outbox(&db, rows)?;
        Ok(db.commit()?)
    }

    fn outbox_done(&self, id: &str) -> Result<(), StoreError> {
        self.connection
            .lock()
            .execute("delete from outbox where id = ?1", [id])?;
        Ok(())
    }

    fn outbox_retry(
        &self,
        id: &str,
        attempts: u32,
        next_at: ReceiveTime,
        error: &str,
    ) -> Result<(), StoreError> {
        self.connection.lock().execute(
            "update outbox set attempts = ?2, next_at = ?3, last_error = ?4 where id = ?1",
            params![id, attempts, next_at.0, error],
        )?;
        Ok(())
    }
}
