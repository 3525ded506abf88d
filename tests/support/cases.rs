//! The cases of a suite: each is named after the lines of a document that it proves, and reported one by one.

use std::{
    any::Any,
    io::Write,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

/// The cases of one test.
#[derive(Default)]
pub(crate) struct Cases {
    failed: Vec<(&'static str, Box<dyn Any + Send>)>,
}

impl Cases {
    /// Runs a case for `lines` of the document. One that fails leaves the others their turn.
    pub(crate) fn case(&mut self, lines: &'static str, name: &'static str, body: impl FnOnce()) {
        let outcome = catch_unwind(AssertUnwindSafe(body));
        let result = if outcome.is_ok() { "ok" } else { "FAILED" };
        // Past the capture of the test harness: whoever runs the suite shall see each.
        drop(writeln!(std::io::stdout(), "routing case {name} {result}"));
        if let Some(list) = std::env::var_os("NIZAM_CASES") {
            let mut list = std::fs::OpenOptions::new().create(true).append(true).open(list).unwrap();
            // One write, so that lines of tests that run at once do not mix.
            list.write_all(format!("{lines}\t{name}\t{result}\n").as_bytes()).unwrap();
        }
        if let Err(panic) = outcome {
            self.failed.push((name, panic));
        }
    }

    /// Fails with the first case that did.
    pub(crate) fn finish(mut self) {
        let names: Vec<_> = self.failed.iter().map(|(name, _)| *name).collect();
        if !self.failed.is_empty() {
            println!("failed: {}", names.join(", "));
            resume_unwind(self.failed.remove(0).1);
        }
    }
}
