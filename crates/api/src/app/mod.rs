//! `/api/v1`: what the pages and scripts use. One file a subject.

pub mod alerts;
pub mod decisions;
pub mod devices;
pub mod erasure;
pub mod model;
pub mod own_normal;
pub mod patients;
pub mod policy;
pub mod profiles;
pub mod quarantine;
pub mod readings;
pub mod scan;
pub mod trends;
pub mod ward;
