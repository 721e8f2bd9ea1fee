//! Tidy, code generation, packaging.

fn main() {}
