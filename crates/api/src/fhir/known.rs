//! Creates of what may be known already. Nobody's name, birth date or sex changes because somebody says
//! "create": R4 has updates for that, and conditional creates for "the one who is there, else a new one".

use serde_json::Value as Json;
use vitals::{DirectoryEvent, HumanName, Patient, PatientId, Sex};
use wire_fhir::{IssueCode, Kind, Record, directory};

use super::Fhir;
use super::answer::{Done, refusal, unavailable};
use super::backend::{BackendError, Hint};

const SOMEBODY: &str = "A patient with this identifier is known under another name, birth date or sex, and stays as \
    they are. Find them (Patient?identifier=…) and look who is meant: update that one, or correct the identifier.";
const SEVERAL: &str = "These identifiers are of more than one patient. Leave one out, or have the records merged (ADT A40).";
const TAKEN: &str = "Another patient has this identifier: update that one (search by the identifier), leave it \
    out, or have the records merged (ADT A40).";

/// What a create comes to.
pub(super) enum Creates {
    /// A record under this id.
    Under(String),
    /// The patient who is there, unchanged.
    There(Box<Record>),
}

impl Fhir {
    /// What creating a resource comes to. A patient with an identifier of somebody who is known is that one, who stays
    /// unchanged, if nothing that is said of them contradicts; one of whom nothing but identifiers is known is filled in.
    ///
    /// # Errors
    /// The refusal, 409, if it contradicts; 503 if the platform can't be asked.
    pub(super) async fn creates(&self, kind: Kind, resource: &Json) -> Result<Creates, Done> {
        let known = self.known(kind, resource).await.map_err(|error| unavailable(&error))?;
        match known.as_slice() {
            [] => Ok(Creates::Under(self.new_id(kind, resource).await.map_err(|error| unavailable(&error))?)),
            [one] => {
                let DirectoryEvent::Patient(there) = &one.event else { return Err(refused(SEVERAL)) };
                match directory::read(kind, resource, there.id.as_str(), kind.name()) {
                    _ if nothing_known(there) => Ok(Creates::Under(there.id.to_string())),
                    Ok(DirectoryEvent::Patient(said)) if agree(&said, there) => Ok(Creates::There(Box::new(one.clone()))),
                    _ => Err(refused(SOMEBODY)),
                }
            }
            _ => Err(refused(SEVERAL)),
        }
    }

    /// The patients who live on and have one of the resource's identifiers.
    async fn known(&self, kind: Kind, resource: &Json) -> Result<Vec<Record>, BackendError> {
        let ours = if kind == Kind::Patient { directory::identifiers(resource) } else { Vec::new() };
        let values: Vec<String> = ours.iter().map(|one| one.value.clone()).filter(|value| !value.is_empty()).collect();
        if values.is_empty() {
            return Ok(Vec::new());
        }
        let mut known: Vec<Record> = Vec::new();
        for found in self.backend.records(kind, Hint::Identifiers(values)).await? {
            let shared = found.identifiers().iter().any(|i| ours.iter().any(|o| o.system == i.system && o.value == i.value));
            let Some((_, id)) = found.name().filter(|_| shared) else { continue };
            if let Some(living) = self.backend.record(kind, id).await?
                && known.iter().all(|one| one.name() != living.name())
            {
                known.push(living);
            }
        }
        Ok(known)
    }

    /// The refusal of a patient under an id of the client's own where another one has an identifier of
    /// theirs: two records would silently become one.
    pub(super) async fn taken(&self, kind: Kind, id: &str, resource: &Json) -> Result<Option<Done>, BackendError> {
        let same = match PatientId::new(id) {
            Ok(id) if kind == Kind::Patient => self.backend.same_person(&id).await?,
            _ => Vec::new(),
        };
        let other = |record: &Record| {
            record.name().is_some_and(|(_, other)| other != id && same.iter().all(|one| one.as_str() != other))
        };
        let known = self.known(kind, resource).await?;
        Ok(known.iter().any(other).then(|| refused(TAKEN)))
    }
}

fn refused(why: &str) -> Done {
    refusal(409, IssueCode::Duplicate, "Patient.identifier", why)
}

/// Whether a patient was only ever announced by a number.
fn nothing_known(patient: &Patient) -> bool {
    patient.name == HumanName::default() && patient.birth_date.is_none() && patient.sex == Sex::Unknown
}

/// Whether nothing of name, birth date and sex is said that is not known so. What is not said contradicts
/// nothing.
fn agree(said: &Patient, known: &Patient) -> bool {
    let same = |said: &str, known: &str| said.trim().to_lowercase() == known.trim().to_lowercase();
    let name = said.name == HumanName::default()
        || (same(&said.name.family, &known.name.family) && same(&said.name.given, &known.name.given));
    let born = said.birth_date.is_none() || said.birth_date == known.birth_date;
    name && born && (said.sex == Sex::Unknown || said.sex == known.sex)
}
