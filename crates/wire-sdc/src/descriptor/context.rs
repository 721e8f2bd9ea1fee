//! Contexts: what a device belongs to for a while.

use crate::shape::shape;

shape! {
    /// The patient.
    PatientContextDescriptor {}
    /// The place.
    LocationContextDescriptor {}
    /// A group of devices that work together.
    EnsembleContextDescriptor {}
    /// The person at the device.
    OperatorContextDescriptor {}
    /// The work that is being done.
    WorkflowContextDescriptor {}
    /// What it is done with.
    MeansContextDescriptor {}
}
