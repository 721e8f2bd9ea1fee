//! Work on the repository itself. `cargo xtask tidy` checks the house rules that a machine can
//! check; the test in `tests/workspace.rs` runs the same, so `cargo test --workspace` covers them.
//!
//! `cargo xtask sbom` and `cargo xtask provenance` say what the program is made of.
//!
//! What is absent: anything that the program needs to run.

pub mod supply;
pub mod tidy;
