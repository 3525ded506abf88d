//! Linker settings of the module.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // A Rust library must stay mapped: a thread of FreeSWITCH that once ran our code may run a destructor of ours
    // when it ends (SAFETY.md, "Unloading").
    println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
}
