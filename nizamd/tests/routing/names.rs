//! Names that `docs/routing.md` leaves to whoever makes the image.

use nizam_core::resource::Record;

/// The name of a gateway on the switch: unique over all tenants, and another one with every change.
pub(crate) fn gateway(gateway: &Record) -> String {
    format!("{}-{}", gateway.id, gateway.version)
}

/// The file of an uploaded prompt.
pub(crate) fn prompt(prompt: &Record) -> String {
    format!("/var/lib/nizam/prompts/{}/{}.wav", prompt.tenant_id, prompt.id)
}
