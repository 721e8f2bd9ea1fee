//! Work on the repository itself. `cargo xtask tidy` checks the house rules that a machine can
//! check; the test in `tests/workspace.rs` runs the same, so `cargo test --workspace` covers them.
//!
//! What is absent: anything that the program needs to run.

pub mod tidy;
