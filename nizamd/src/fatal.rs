//! Why nizamd stops: one line that says what happened and what to do, and an exit code.

use std::fmt;
use std::process::ExitCode;

/// The end of a command.
#[derive(Debug)]
pub struct Fatal {
    message: String,
    code: u8,
}

impl Fatal {
    /// Something of the world is in the way: exit code 1.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 1 }
    }

    /// The configuration is wrong: exit code 2.
    pub fn config(message: impl Into<String>) -> Self {
        Self { message: message.into(), code: 2 }
    }

    /// What the process ends with.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }
}

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // One line, whatever an error of the system holds.
        f.write_str(&self.message.replace(['\n', '\r'], " "))
    }
}

impl std::error::Error for Fatal {}

impl From<nizam_store::StoreError> for Fatal {
    fn from(error: nizam_store::StoreError) -> Self {
        Self::new(error.to_string())
    }
}
