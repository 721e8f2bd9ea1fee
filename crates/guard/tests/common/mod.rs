//! Records to write.

use guard::{Outcome, Permission, Record};
use vitals::{PatientId, ReceiveTime, Role};

pub fn record(n: u64) -> Record {
    Record {
        at: ReceiveTime(1_700_000_000_000_000 + n as i64),
        actor: format!("nurse-{n}"),
        role: Some(Role::Nurse),
        action: Permission::SeePatients.into(),
        route: "GET /api/v1/patients/{id}".to_owned(),
        subject: Some(PatientId::from_identifier("urn:test", &n.to_string())),
        outcome: Outcome::Allowed,
        detail: String::new(),
        ..Record::default()
    }
}
