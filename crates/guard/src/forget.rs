//! Forgetting patients who were erased: whatever names one goes, but the audit trail, which names
//! them by an opaque id only.

use vitals::PatientId;

use crate::{Guard, GuardError};

/// Tables with a column of this name say something about the patient in it.
const COLUMN: &str = "patient";

impl Guard {
    /// Deletes every row that names one of these patients: care team, caregivers, consents, grants,
    /// their own accounts. Gives how many, by table. A trial has none.
    ///
    /// # Errors
    /// [`GuardError::Database`]; then nothing was deleted.
    pub fn forget_patients(&self, patients: &[PatientId]) -> Result<Vec<(String, u64)>, GuardError> {
        let Ok(people) = self.people() else { return Ok(Vec::new()) };
        let deleted = people.database.with(|connection| {
            let change = connection.transaction()?;
            let mut deleted = Vec::new();
            for table in tables(&change)? {
                let mut rows = 0;
                for patient in patients {
                    let sql = format!("DELETE FROM \"{table}\" WHERE {COLUMN} = ?1");
                    rows += change.execute(&sql, [patient.as_str()])?;
                }
                if rows > 0 {
                    deleted.push((table, rows as u64));
                }
            }
            change.commit()?;
            // What was deleted is overwritten in the file; here in the log, too.
            let _: i64 = connection
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
            Ok(deleted)
        })?;
        people.database.changed();
        Ok(deleted)
    }

    /// How many rows still name one of these patients, by table.
    ///
    /// # Errors
    /// [`GuardError::Database`]
    pub fn left_of_patients(&self, patients: &[PatientId]) -> Result<Vec<(String, u64)>, GuardError> {
        let Ok(people) = self.people() else { return Ok(Vec::new()) };
        people.database.with(|connection| {
            let mut left = Vec::new();
            for table in tables(connection)? {
                let mut rows = 0_i64;
                for patient in patients {
                    let sql = format!("SELECT count(*) FROM \"{table}\" WHERE {COLUMN} = ?1");
                    rows += connection.query_row(&sql, [patient.as_str()], |row| row.get::<_, i64>(0))?;
                }
                left.push((table, rows as u64));
            }
            Ok(left)
        })
    }
}

fn tables(connection: &rusqlite::Connection) -> Result<Vec<String>, GuardError> {
    let mut ask = connection.prepare(
        "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
         WHERE m.type = 'table' AND c.name = ?1 ORDER BY m.name",
    )?;
    let names = ask.query_map([COLUMN], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}
