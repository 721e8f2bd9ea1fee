//! HTTP: FHIR, the application API, live push, metrics, the pages.

pub mod dto;
pub mod fhir;
