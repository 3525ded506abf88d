//! The table that a run prints, and the faults that it found.

/// Figures with their names, in the order in which they were noted.
#[derive(Default)]
pub(crate) struct Figures {
    lines: Vec<(String, String)>,
    faults: Vec<String>,
}

impl Figures {
    /// Notes a figure.
    pub(crate) fn note(&mut self, name: &str, figure: impl std::fmt::Display) {
        self.lines.push((name.to_owned(), figure.to_string()));
    }

    /// Notes how many there are of what must not be, with the first few of them.
    pub(crate) fn none(&mut self, name: &str, found: &[impl AsRef<str>]) {
        self.note(name, found.len());
        if !found.is_empty() {
            let some: Vec<&str> = found.iter().take(5).map(AsRef::as_ref).collect();
            self.faults.push(format!("{name}: {}, such as {}", found.len(), some.join("; ")));
        }
    }

    /// Notes a number that must be that one.
    pub(crate) fn equal(&mut self, name: &str, found: usize, want: usize) {
        self.note(name, found);
        if found != want {
            self.faults.push(format!("{name}: {found}, and it should be {want}"));
        }
    }

    /// Notes a number that must not be above that one.
    pub(crate) fn at_most(&mut self, name: &str, found: usize, most: usize) {
        self.note(name, found);
        if found > most {
            self.faults.push(format!("{name}: {found}, and at most {most} can be explained"));
        }
    }

    /// Notes how often something happened without which the run has shown nothing.
    pub(crate) fn some(&mut self, name: &str, found: u64) {
        self.note(name, found);
        if found == 0 {
            self.faults.push(format!("{name}: never, so that this run has shown nothing"));
        }
    }

    /// Prints the table, and fails if there is a fault.
    pub(crate) fn conclude(&self, title: &str) {
        let width = self.lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        println!("{title}");
        for (name, figure) in &self.lines {
            println!("  {name:width$}  {figure}");
        }
        assert!(self.faults.is_empty(), "{title}: these differ:\n  {}", self.faults.join("\n  "));
        println!("{title}: no difference");
    }
}
