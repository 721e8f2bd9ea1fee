//! How patients, encounters, places and devices stand in the directory table.

use vitals::{
    Device, Encounter, EncounterStatus, LinkState, Location, LocationKind, Patient, PatientId,
    ReceiveTime,
};

use crate::sqlite::directory::{Columns, Listed, json, parse};
use crate::{DeviceRow, EncounterRow, LocationRow, PatientRow, StoreError};

impl Listed for PatientRow {
    const KIND: &'static str = "patient";

    fn columns(&self) -> (Columns<'_>, Option<&[u8]>) {
        let name = &self.patient.name;
        let columns = Columns {
            id: self.patient.id.as_str(),
            name: format!("{} {}", name.family, name.given).trim().to_owned(),
            status: if self.merged_into.is_some() {
                "merged"
            } else {
                "active"
            },
            // By this the records that were merged into one are found.
            patient: self.merged_into.as_ref().map(|survivor| survivor.as_str()),
            location: None,
            updated: self.updated,
            version: self.version,
            identifiers: &self.patient.identifiers,
        };
        (columns, self.patient.document.as_deref())
    }

    fn body(&self) -> Result<Vec<u8>, StoreError> {
        json(&(
            Patient {
                document: None,
                ..self.patient.clone()
            },
            &self.merged_into,
        ))
    }

    fn from_body(
        body: &[u8],
        document: Option<Vec<u8>>,
        updated: ReceiveTime,
        version: u64,
    ) -> Option<Self> {
        let (patient, merged_into): (Patient, Option<PatientId>) = parse(body)?;
        Some(Self {
            patient: Patient {
                document,
                ..patient
            },
            merged_into,
            updated,
            version,
        })
    }
}

impl Listed for EncounterRow {
    const KIND: &'static str = "encounter";

    fn columns(&self) -> (Columns<'_>, Option<&[u8]>) {
        let encounter = &self.encounter;
        let columns = Columns {
            id: encounter.id.as_str(),
            name: encounter.id.to_string(),
            status: match encounter.status {
                EncounterStatus::Planned => "planned",
                EncounterStatus::InProgress => "in-progress",
                EncounterStatus::Finished => "finished",
                EncounterStatus::Cancelled => "cancelled",
            },
            patient: Some(encounter.patient.as_str()),
            location: encounter
                .location
                .as_ref()
                .map(|location| location.as_str()),
            updated: self.updated,
            version: self.version,
            identifiers: &[],
        };
        (columns, encounter.document.as_deref())
    }

    fn body(&self) -> Result<Vec<u8>, StoreError> {
        json(&Encounter {
            document: None,
            ..self.encounter.clone()
        })
    }

    fn from_body(
        body: &[u8],
        document: Option<Vec<u8>>,
        updated: ReceiveTime,
        version: u64,
    ) -> Option<Self> {
        let encounter: Encounter = parse(body)?;
        Some(Self {
            encounter: Encounter {
                document,
                ..encounter
            },
            updated,
            version,
        })
    }
}

impl Listed for LocationRow {
    const KIND: &'static str = "location";

    fn columns(&self) -> (Columns<'_>, Option<&[u8]>) {
        let columns = Columns {
            id: self.location.id.as_str(),
            name: self.location.name.clone(),
            status: match self.location.kind {
                LocationKind::Bed => "bed",
                LocationKind::Room => "room",
                LocationKind::Unit => "unit",
                LocationKind::Home => "home",
                LocationKind::Other => "other",
            },
            patient: None,
            location: None,
            updated: self.updated,
            version: self.version,
            identifiers: &[],
        };
        (columns, self.location.document.as_deref())
    }

    fn body(&self) -> Result<Vec<u8>, StoreError> {
        json(&Location {
            document: None,
            ..self.location.clone()
        })
    }

    fn from_body(
        body: &[u8],
        document: Option<Vec<u8>>,
        updated: ReceiveTime,
        version: u64,
    ) -> Option<Self> {
        let location: Location = parse(body)?;
        Some(Self {
            location: Location {
                document,
                ..location
            },
            updated,
            version,
        })
    }
}

impl Listed for DeviceRow {
    const KIND: &'static str = "device";

    fn columns(&self) -> (Columns<'_>, Option<&[u8]>) {
        let columns = Columns {
            id: self.device.id.as_str(),
            name: self.device.name.clone(),
            status: match self.link {
                Some(LinkState::Online) => "online",
                Some(LinkState::Offline) => "offline",
                Some(LinkState::Lost) => "lost",
                None => "unknown",
            },
            patient: None,
            location: self
                .device
                .location
                .as_ref()
                .map(|location| location.as_str()),
            updated: self.updated,
            version: self.version,
            identifiers: &self.device.identifiers,
        };
        (columns, self.device.document.as_deref())
    }

    fn body(&self) -> Result<Vec<u8>, StoreError> {
        let device = Device {
            document: None,
            ..self.device.clone()
        };
        json(&(device, self.link, self.last_heard))
    }

    fn from_body(
        body: &[u8],
        document: Option<Vec<u8>>,
        updated: ReceiveTime,
        version: u64,
    ) -> Option<Self> {
        let (device, link, last_heard): (Device, _, _) = parse(body)?;
        let device = Device { document, ..device };
        Some(Self {
            device,
            link,
            last_heard,
            updated,
            version,
        })
    }
}
