//! One tenant and what it owns. A row that is deleted or inactive is not there.

use super::number::Home;
use crate::call::Call;
use crate::model::{Extension, Model, Tenant};
use nizam_core::resource::Record;
use serde_json::Value;
use uuid::Uuid;

/// Whether a row is not switched off.
pub(super) fn is_there(row: &Record) -> bool {
    *row.value("is_active") != Value::Bool(false)
}

/// One tenant of a model.
#[derive(Clone, Copy)]
pub(super) struct Scope<'m> {
    pub(super) model: &'m Model,
    pub(super) row: &'m Tenant,
}

impl<'m> Scope<'m> {
    /// Every tenant.
    pub(super) fn all(model: &'m Model) -> impl Iterator<Item = Self> {
        model.tenants.iter().map(move |row| Self { model, row })
    }

    /// The tenant with that domain; case does not count in a domain.
    pub(super) fn of_domain(model: &'m Model, domain: &[u8]) -> Option<Self> {
        Self::all(model).find(|scope| scope.domain().as_bytes().eq_ignore_ascii_case(domain))
    }

    /// The tenant with that id.
    pub(super) fn of_id(model: &'m Model, id: Uuid) -> Option<Self> {
        Self::all(model).find(|scope| scope.id() == id)
    }

    pub(super) fn id(self) -> Uuid {
        self.row.id
    }

    pub(super) fn domain(self) -> &'m str {
        &self.row.domain
    }

    /// Terminated or inactive.
    pub(super) fn is_closed(self) -> bool {
        !self.row.is_active || self.row.status == "terminated"
    }

    pub(super) fn is_suspended(self) -> bool {
        !self.is_closed() && self.row.status == "suspended"
    }

    /// A setting; null where there is none.
    pub(super) fn setting(self, name: &str) -> &'m Value {
        self.row.settings.get(name).unwrap_or(&Value::Null)
    }

    /// A setting that is a text and not empty.
    pub(super) fn text_setting(self, name: &str) -> Option<&'m str> {
        self.setting(name).as_str().filter(|text| !text.is_empty())
    }

    /// How numbers are dialled where the tenant is at home.
    pub(super) fn home(self) -> Option<Home> {
        nizam_core::home(self.text_setting("country")?)
    }

    /// The rows of this tenant among these that are there, the oldest first.
    pub(super) fn own(self, rows: &'m [Record]) -> Vec<&'m Record> {
        let mut own: Vec<&Record> =
            rows.iter().filter(|row| row.tenant_id == self.id() && is_there(row)).collect();
        own.sort_by_key(|row| row.id);
        own
    }

    /// The row with that id, if it is there.
    pub(super) fn row_of(self, rows: &'m [Record], id: Uuid) -> Option<&'m Record> {
        self.own(rows).into_iter().find(|row| row.id == id)
    }

    fn extensions(self) -> impl Iterator<Item = &'m Extension> {
        let own = move |row: &&Extension| row.tenant_id == self.id() && row.is_active;
        self.model.extensions.iter().filter(own)
    }

    /// The active extension with that id.
    pub(super) fn extension(self, id: Uuid) -> Option<&'m Extension> {
        self.extensions().find(|row| row.id == id)
    }

    /// The active extension with that number, without regard to case.
    pub(super) fn extension_numbered(self, number: &[u8]) -> Option<&'m Extension> {
        self.extensions().find(|row| row.number.as_bytes().eq_ignore_ascii_case(number))
    }

    /// Who calls, if it is one of the tenant's active extensions.
    pub(super) fn caller(self, call: &Call) -> Option<&'m Extension> {
        let domain = call.caller_domain.as_deref()?;
        if !self.domain().as_bytes().eq_ignore_ascii_case(domain) {
            return None;
        }
        self.extension_numbered(call.caller.as_deref()?)
    }
}
