//! Many extensions at once.

use std::collections::HashSet;

use nizam_core::model::{AuditAction, Extension, NewExtension};
use nizam_core::touch;
use nizam_core::validate::{Errors, extension_key};
use serde_json::json;
use sqlx::QueryBuilder;
use sqlx::types::Json;
use uuid::Uuid;

use crate::Store;
use crate::audit::{Actor, Entry, Of, Values};
use crate::column::Time;
use crate::constraint::EXTENSION_TAKEN;
use crate::error::{StoreError, StoreResult};
use crate::extensions::{Sealed, add_to_count};
use crate::numbers;
use crate::write::{Committed, Write};

/// Rows of one statement: 20 parameters each, of at most 32,766 in SQLite.
const ROWS: usize = 500;

const INSERT: &str = "INSERT INTO extensions (id, tenant_id, extension_key, extension, password, directory_first_name, \
    directory_last_name, effective_caller_id_name, effective_caller_id_number, outbound_caller_id_name, \
    outbound_caller_id_number, voicemail_enabled, voicemail_pin, cidr, toll_allow, max_channels, ring_timeout, is_active, \
    created_at, updated_at) ";

impl Store {
    /// Makes extensions in one transaction, all or none, with one audit entry for all. Gives their ids and numbers.
    pub async fn insert_extensions(
        &self,
        actor: &Actor,
        tenant_id: Uuid,
        new: Vec<NewExtension>,
    ) -> StoreResult<Committed<Vec<(Uuid, String)>>> {
        all_different(&new)?;
        let rows = new.len();
        let (first, last) = match (new.first(), new.last()) {
            (Some(first), Some(last)) => (first.extension.clone(), last.extension.clone()),
            _ => (String::new(), String::new()),
        };
        let mut write = self.begin(actor).await?;
        add_to_count(&mut write, tenant_id, i64::try_from(rows).unwrap_or(i64::MAX)).await?;
        all_free(&mut write, tenant_id, &new).await?;
        let now = write.now;
        let mut made = Vec::with_capacity(rows);
        let mut new = new.into_iter();
        loop {
            let chunk = new
                .by_ref()
                .take(ROWS)
                .map(|row| {
                    let extension = row.into_extension(Uuid::now_v7(), tenant_id, now);
                    let sealed = Sealed::of(&extension, &self.keys)?;
                    Ok((extension, sealed))
                })
                .collect::<StoreResult<Vec<(Extension, Sealed)>>>()?;
            if chunk.is_empty() {
                break;
            }
            made.extend(chunk.iter().map(|(extension, _)| (extension.id, extension.extension.clone())));
            write.touch(chunk.iter().flat_map(|(extension, _)| touch::extension(None, Some(extension))));
            on!(write.conn(), c => {
                let mut insert = QueryBuilder::new(INSERT);
                insert.push_values(chunk, |mut row, (extension, sealed)| {
                    let toll_allow = extension.class_names().map(Json);
                    row.push_bind(extension.id)
                        .push_bind(extension.tenant_id)
                        .push_bind(extension_key(&extension.extension))
                        .push_bind(extension.extension)
                        .push_bind(sealed.password)
                        .push_bind(extension.directory_first_name)
                        .push_bind(extension.directory_last_name)
                        .push_bind(extension.effective_caller_id_name)
                        .push_bind(extension.effective_caller_id_number)
                        .push_bind(extension.outbound_caller_id_name)
                        .push_bind(extension.outbound_caller_id_number)
                        .push_bind(extension.voicemail_enabled)
                        .push_bind(sealed.voicemail_pin)
                        .push_bind(extension.cidr)
                        .push_bind(toll_allow)
                        .push_bind(extension.max_channels)
                        .push_bind(extension.ring_timeout)
                        .push_bind(extension.is_active)
                        .push_bind(Time(extension.created_at))
                        .push_bind(Time(extension.updated_at));
                });
                insert.build().execute(c).await?.rows_affected()
            });
        }
        let summary: Values = [("count", json!(rows)), ("first", json!(first)), ("last", json!(last))]
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect();
        let action = AuditAction::Created;
        write
            .audit(Entry {
                tenant_id,
                action,
                kind: "Extension",
                of: Of::Many(made.clone()),
                old: None,
                new: Some(summary),
            })
            .await?;
        write.commit(made).await
    }
}

/// Two rows with one number would both fail on the same constraint, without saying which.
fn all_different(new: &[NewExtension]) -> StoreResult<()> {
    let mut seen = HashSet::with_capacity(new.len());
    let mut errors = Errors::default();
    for (i, row) in new.iter().enumerate() {
        if !seen.insert(extension_key(&row.extension)) {
            errors.push(&format!("extensions.{i}.extension"), EXTENSION_TAKEN);
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(StoreError::Invalid(errors)) }
}

/// Says of every number that is taken which row wants it.
async fn all_free(write: &mut Write<'_>, tenant_id: Uuid, new: &[NewExtension]) -> StoreResult<()> {
    let mut errors = Errors::default();
    for (chunk, rows) in new.chunks(ROWS).enumerate() {
        let wanted: Vec<&str> = rows.iter().map(|row| row.extension.as_str()).collect();
        let taken = numbers::taken(write.conn(), tenant_id, &wanted).await?;
        for (i, row) in rows.iter().enumerate() {
            if taken.contains(&extension_key(&row.extension)) {
                errors.push(&format!("extensions.{}.extension", chunk * ROWS + i), EXTENSION_TAKEN);
            }
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(StoreError::Invalid(errors)) }
}
