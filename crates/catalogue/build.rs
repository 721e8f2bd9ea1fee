//! A session that is added or changed is a reason to build again.

fn main() {
    println!("cargo:rerun-if-changed=../../tests/sessions");
}
