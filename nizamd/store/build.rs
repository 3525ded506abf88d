//! The migrations are embedded by a macro, and Cargo does not see that they changed.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
