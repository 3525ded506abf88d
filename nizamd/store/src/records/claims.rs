//! DIDs whose number an administrator has confirmed. A number of the public network is confirmed for one DID of all tenants
//! at most, in whatever spelling: a unique index over its digits sees to that.

use nizam_core::resource::{Record, Resource, Values};
use nizam_core::validate::Errors;
use nizam_core::{Home, Kind, touch};
use serde_json::json;
use uuid::Uuid;

use crate::error::{StoreError, StoreResult};
use crate::write::Write;

/// Changes a row. A DID that becomes another number is not confirmed, unless the change says so: nobody has looked at that one.
pub(super) fn settle(resource: &Resource, home: Option<&Home<'_>>, record: &mut Record, change: Values) {
    let said = change.contains_key("confirmed");
    let was = record.text("number").to_owned();
    record.values.extend(change);
    if resource.record == Some(Kind::Did)
        && !said
        && touch::digits(&was, home) != touch::digits(record.text("number"), home)
    {
        record.values.insert("confirmed".to_owned(), json!(false));
    }
}

/// Holds the number of a confirmed DID that was just written, and lets go of that of one that is confirmed no more. `old` is
/// what it was before.
pub(super) async fn hold(
    write: &mut Write<'_>,
    resource: &Resource,
    home: Option<&Home<'_>>,
    old: Option<&Record>,
    record: &Record,
) -> StoreResult<()> {
    if resource.record != Some(Kind::Did) {
        return Ok(());
    }
    if record.is("confirmed") {
        let digits = touch::digits(record.text("number"), home).ok_or_else(|| {
            let message =
                "A number that is not of the public network, as the tenant dials it, cannot be confirmed.";
            StoreError::Invalid(Errors::one("confirmed", message))
        })?;
        return put(write, record.id, Some(&digits)).await;
    }
    if old.is_some_and(|old| old.is("confirmed")) {
        return put(write, record.id, None).await;
    }
    Ok(())
}

async fn put(write: &mut Write<'_>, id: Uuid, digits: Option<&str>) -> StoreResult<()> {
    on!(write.conn(), c => {
        sqlx::query(sql!("UPDATE dids SET confirmed_digits = $2 WHERE id = $1"))
            .bind(id).bind(digits).execute(c).await?.rows_affected()
    });
    Ok(())
}
