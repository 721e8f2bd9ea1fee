//! HTTP: FHIR, the application API, live push, metrics, the pages.
//!
//! Routes ask [`live::Live`] for what is true now and the store for what was concluded; what they
//! change goes through the journal, as everything else does. No rule, score or query lives here.

pub mod dto;
pub mod state;
mod trace;
mod deeds;
pub mod error;
pub mod access;
mod caller;
pub mod viewer;
pub mod origin;
pub mod rules;
pub mod app;
pub mod audit;
pub mod burden;
pub mod live_stream;
pub mod outside;
pub mod sign_on;
pub mod fhir;
pub mod fhir_access;
mod identity;
mod inlets;
pub mod laboratory;
pub mod fhir_backend;
pub mod view;
mod privacy;
mod smart;
mod trust;
mod commands;
pub mod edges;
pub mod fleet;
pub mod foresight;
mod waves;
mod worklist;
mod assets;
mod document;
mod ready;
mod extract;
mod measures;
mod router;

pub use router::{openapi, router};
pub use state::Api;
