//! The variables `NIZAM_…`.

use std::collections::BTreeMap;

/// Variables that other programs of NIZAM read, and those of the command line.
const OTHERS: &[&str] = &["CONFIG", "BIN_DIR", "SKIPS", "REQUIRE", "TEST_DATABASE"];

/// The variables, without their prefix. Empty ones are as good as absent.
pub(super) struct Environment(BTreeMap<String, String>);

impl Environment {
    pub(super) fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let ours = variables.into_iter().filter_map(|(name, value)| {
            let name = name.strip_prefix("NIZAM_")?;
            Some((name.to_owned(), value))
        });
        Self(ours.collect())
    }

    /// Takes a variable out.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).filter(|value| !value.trim().is_empty())
    }

    /// Takes a list out, with commas between its items.
    pub(super) fn list(&mut self, name: &str) -> Option<Vec<String>> {
        let text = self.text(name)?;
        Some(text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect())
    }

    /// Warnings about what nobody took.
    pub(super) fn unknown(&self) -> Vec<String> {
        let unknown = self.0.keys().filter(|name| !OTHERS.contains(&name.as_str()));
        unknown.map(|name| format!("the variable NIZAM_{name} is not known and has no effect")).collect()
    }
}
