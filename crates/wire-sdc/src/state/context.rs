//! What a device belongs to now: patient, place, operator and the like.

use markup::Element;

use crate::basic::{Birth, CodedValue, InstanceIdentifier, Quantity, Timestamp};
use crate::shape::{ElementField, Fault, Shape, shape};
use crate::words::{ContextAssociation, PatientType, Sex};
use crate::PM;

shape! {
    /// What all contexts' states have; `handle` is their own.
    ContextState {
        elem category: Option<CodedValue> = "Category",
        elem validators: Vec<InstanceIdentifier> = "Validator",
        elem identifications: Vec<InstanceIdentifier> = "Identification",
        attr handle: String = "Handle",
        attr association: Option<ContextAssociation> = "ContextAssociation",
        attr binding_version: Option<u64> = "BindingMdibVersion",
        attr unbinding_version: Option<u64> = "UnbindingMdibVersion",
        attr bound_since: Option<Timestamp> = "BindingStartTime",
        attr bound_until: Option<Timestamp> = "BindingEndTime",
    }
    /// A person's name.
    PersonName {
        elem given: Option<String> = "Givenname",
        elem middle: Vec<String> = "Middlename",
        elem family: Option<String> = "Familyname",
        elem birth: Option<String> = "Birthname",
        elem title: Option<String> = "Title",
    }
    /// What is known of a patient.
    PatientData {
        base name: PersonName = "BaseDemographics",
        elem sex: Option<Sex> = "Sex",
        elem kind: Option<PatientType> = "PatientType",
        elem born: Option<Birth> = "DateOfBirth",
        elem height: Option<Quantity> = "Height",
        elem weight: Option<Quantity> = "Weight",
        elem race: Option<CodedValue> = "Race",
    }
    /// Which patient.
    PatientContextState {
        base context: ContextState = "AbstractContextState",
        elem data: Option<PatientData> = "CoreData",
    }
    /// A place in a hospital.
    LocationDetail {
        attr point_of_care: Option<String> = "PoC",
        attr room: Option<String> = "Room",
        attr bed: Option<String> = "Bed",
        attr facility: Option<String> = "Facility",
        attr building: Option<String> = "Building",
        attr floor: Option<String> = "Floor",
    }
    /// Which place.
    LocationContextState {
        base context: ContextState = "AbstractContextState",
        elem detail: Option<LocationDetail> = "LocationDetail",
    }
    /// Which person at the device.
    OperatorContextState {
        base context: ContextState = "AbstractContextState",
        elem name: Option<PersonName> = "OperatorDetails",
    }
    /// Which work.
    WorkflowContextState {
        base context: ContextState = "AbstractContextState",
        elem detail: Option<WorkflowDetail> = "WorkflowDetail",
    }
    /// Which group of devices.
    EnsembleContextState {
        base context: ContextState = "AbstractContextState",
    }
    /// With what.
    MeansContextState {
        base context: ContextState = "AbstractContextState",
    }
}

/// An order or its result: kept as it came, for nothing here concludes from it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct WorkflowDetail {
    /// Identifiers of the patient whom it is about.
    pub patient: Vec<InstanceIdentifier>,
    /// The rest of its elements.
    pub rest: Vec<Element>,
}

impl Shape for WorkflowDetail {
    fn read(element: &Element) -> Result<Self, Fault> {
        let patient = match element.find(PM, "Patient") {
            Some(patient) => ElementField::get(patient, PM, "Identification")?,
            None => Vec::new(),
        };
        Ok(Self { patient, rest: element.children.clone() })
    }

    fn write(&self, element: &mut Element) {
        element.children.extend(self.rest.iter().cloned());
    }
}
