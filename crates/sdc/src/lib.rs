//! IEEE 11073 SDC at work: devices of others taken in (`consumer`), devices of ours offered to other
//! systems (`provider`).
//!
//! What is absent: the standard's messages and types, which are in `wire-dpws` and `wire-sdc`, and
//! every decision on who may see what, which is the guard's.
#![forbid(unsafe_code)]

pub mod consumer;
pub mod provider;
