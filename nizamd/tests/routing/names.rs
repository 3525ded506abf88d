//! Names that `docs/routing.md` leaves to whoever makes the image.

use nizam_core::compile::prompt_path;
use nizam_core::resource::Record;

/// The directory of uploaded prompts.
pub(crate) const PROMPTS: &str = "/var/lib/nizam/prompts";

/// The name of a gateway on the switch: unique over all tenants, and another one with every change.
pub(crate) fn gateway(gateway: &Record) -> String {
    format!("{}-{}", gateway.id, gateway.version)
}

/// The file of an uploaded prompt.
pub(crate) fn prompt(prompt: &Record) -> String {
    prompt_path(PROMPTS, prompt)
}
