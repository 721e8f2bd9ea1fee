//! FHIR R4 JSON in and out: resources, searches, outcomes.
//!
//! The only crate that knows how FHIR looks. In: JSON is validated against the specification's
//! own tables and becomes `vitals` nouns and problems. Out: stored readings and what the platform
//! knows of patients, encounters, places and devices become resources. Searches are parsed here
//! and answered elsewhere.
//!
//! Deliberately absent: XML, any other release, FHIRPath evaluation, sockets, files and clocks.

pub mod outcome;
pub mod time;
pub mod reference;
pub mod validate;
pub mod code;
pub mod observation;
pub mod directory;
pub mod names;
pub mod project;
pub mod panel;
pub mod record;
pub mod guide;
pub mod bits;
pub mod dress;
pub mod containment;
pub mod device_metric;
mod device_property;
pub mod device_request;
pub mod bundle;
pub mod patch;
pub mod search;
pub mod capability;
pub mod consent;
pub mod care_team;
pub mod risk_assessment;

mod definition;
mod invariant;
mod primitive;
mod samples;

pub use directory::Kind;
pub use definition::is_resource_type;
pub use outcome::{Issue, IssueCode, Severity, outcome};
pub use panel::Panel;
pub use project::Stored;
pub use record::Record;
pub use validate::{parse, validate};
