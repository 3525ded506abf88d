//! Where rows lead.

use nizam_wire::record::{Destination, DestinationKind};
use nizam_wire::{Builder, Kind};
use serde_json::Value;
use uuid::Uuid;

use super::{BuildError, delete};
use crate::resource::{Record, Reference};

/// The destination with that name of its kind and that id.
pub fn destination(kind: &str, id: Uuid) -> Option<Destination> {
    Some(Destination { kind: DestinationKind::parse(kind)?, id: id.into_bytes() })
}

/// The destination in the fields `…destination_type` and `…destination_id` that begin like this: `match_`.
pub(super) fn of(record: &Record, begin: &str) -> Option<Destination> {
    let text = |end: &str| record.value(&format!("{begin}destination_{end}")).as_str();
    destination(text("type")?, uuid(text("id")?)?)
}

/// The destination that a reference names.
pub(super) fn of_reference(reference: &Reference) -> Option<Destination> {
    destination(reference.target.name(), reference.id)
}

/// The ids in a list.
pub(super) fn ids(value: &Value) -> impl Iterator<Item = [u8; 16]> {
    let items = value.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().filter_map(|item| uuid(item.as_str()?)).map(Uuid::into_bytes)
}

pub(super) fn uuid(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok()
}

/// Adds what has an internal number.
pub(super) fn number(
    builder: &mut Builder,
    tenant_id: Uuid,
    number: &str,
    to: Option<Destination>,
) -> Result<(), BuildError> {
    let scope = tenant_id.into_bytes();
    match to {
        Some(to) => builder.put(Kind::Number, scope, number.as_bytes(), Some(&to.encode())),
        None => delete(builder, Kind::Number, scope, number.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::Target;

    #[test]
    fn both_sides_have_the_same_names() {
        for kind in DestinationKind::ALL {
            let target = Target::destination(kind.name()).unwrap();
            assert_eq!(target.name(), kind.name());
        }
        let known = Target::ALL.iter().filter(|target| Target::destination(target.name()).is_some());
        assert_eq!(known.count(), DestinationKind::ALL.len());
    }
}
