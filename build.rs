//! Builds the two variadic C functions of the stand-in host, and lets the modules that it opens see its symbols.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=tests/standin/variadic.c");
    cc::Build::new()
        .file("tests/standin/variadic.c")
        .warnings_into_errors(true)
        .compile("nizam_standin_variadic");
    // A module is opened against the symbols of the program itself, and an executable exports none unless told.
    println!("cargo:rustc-link-arg-bin=nizam-standin=-rdynamic");
}
