//! The stand-in host must export every function of FreeSWITCH that the module imports: a module is opened with
//! `RTLD_NOW`, so one that is missing keeps it from loading.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[path = "standin/client.rs"]
mod client;

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

fn symbols(file: &Path, which: &str) -> BTreeSet<String> {
    let output = Command::new("nm").args(["-D", which]).arg(file).output().unwrap();
    assert!(output.status.success(), "nm {}: {}", file.display(), String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let names = text.lines().filter_map(|line| line.split_whitespace().last());
    names.filter(|name| name.starts_with("switch_")).map(str::to_owned).collect()
}

#[test]
fn the_stand_in_exports_what_the_module_imports() {
    let module = client::module();
    let wanted = symbols(&module, "--undefined-only");
    assert!(!wanted.is_empty(), "{} imports nothing from FreeSWITCH; is it the module?", module.display());
    let exported = symbols(&client::program(), "--defined-only");
    let missing: Vec<_> = wanted.difference(&exported).collect();
    assert!(missing.is_empty(), "the stand-in host does not export {missing:?}");
}
