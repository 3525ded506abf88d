//! Whether every line of docs/routing.md has a case.

use std::{collections::BTreeSet, fs, path::Path};

/// No row can have a condition of a kind that nobody knows: the API refuses it.
const IMPOSSIBLE: &str = "Policies 5";

pub(crate) fn every_line_has_a_case() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut demanded = demanded(&fs::read_to_string(root.join("docs/routing.md")).unwrap());
    assert!(demanded.remove(IMPOSSIBLE) && demanded.len() > 50, "{demanded:?}");
    let cases = cases(&root.join("tests/routing"));
    let missing: Vec<_> = demanded.difference(&cases).collect();
    assert!(missing.is_empty(), "lines without a case: {missing:#?}");
}

/// What the document says, line by line: `Inside 3` for an item, `Flows branch` for a row, `Destinations ivr` for a paragraph.
fn demanded(document: &str) -> BTreeSet<String> {
    let mut demanded = BTreeSet::new();
    let (mut heading, mut bullets) = (String::new(), 0);
    for line in document.lines() {
        if line.starts_with('#') {
            line.trim_start_matches(['#', ' ']).clone_into(&mut heading);
            bullets = 0;
            if ["Menus", "What every route begins with"].contains(&heading.as_str()) {
                demanded.insert(heading.clone());
            }
        }
        let item = line.split_once(". ").and_then(|(number, _)| number.parse::<u8>().ok());
        let name = match heading.as_str() {
            "Whose call it is" | "From outside" | "Inside" | "Outbound" if item.is_some() => {
                item.map(|number| number.to_string())
            }
            "Outbound" | "Destinations" => between(line, "**", "**"),
            "Flows" | "Continuations" | "Tenant settings" => between(line, "| `", "`"),
            "Admission" => between(line, "set nizam_refused=", " "),
            "Policies" if line.starts_with("- ") => {
                bullets += 1;
                Some(bullets.to_string())
            }
            _ => None,
        };
        demanded.extend(name.map(|name| format!("{heading} {name}")));
    }
    demanded
}

/// What a line that begins with `open` has up to `close`.
fn between(line: &str, open: &str, close: &str) -> Option<String> {
    let (name, _) = line.strip_prefix(open)?.split_once(close)?;
    Some(name.to_owned())
}

/// The lines that the cases in these files name.
fn cases(dir: &Path) -> BTreeSet<String> {
    let mut named = BTreeSet::new();
    for file in fs::read_dir(dir).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        for case in text.split("cases.case(").skip(1) {
            let lines = case.split('"').nth(1).unwrap_or_default();
            named.extend(lines.split(", ").map(str::to_owned));
        }
    }
    named
}
