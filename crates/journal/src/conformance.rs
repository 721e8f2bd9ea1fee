//! The conformance suite that every journal passes.
