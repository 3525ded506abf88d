//! Uploaded prompts. What they sound like is in a table of its own, so that lists do not read it.

use nizam_core::model::AuditAction;
use nizam_core::resource::{PROMPT, Record};
use nizam_core::touch;
use nizam_core::validate::NewPrompt;
use serde_json::json;
use uuid::Uuid;

use crate::Store;
use crate::audit::Actor;
use crate::error::StoreResult;
use crate::records::{audited, entry, row};
use crate::write::Committed;

impl Store {
    /// Makes a prompt.
    pub async fn create_prompt(
        &self,
        actor: &Actor,
        tenant_id: Uuid,
        new: NewPrompt,
    ) -> StoreResult<Committed<Record>> {
        let mut write = self.begin(actor).await?;
        let now = write.now;
        let values = [
            ("name", json!(new.name)),
            ("file_name", json!(new.file_name)),
            ("size", json!(new.content.len())),
            ("duration_ms", json!(new.duration_ms)),
        ];
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let record =
            Record { id: Uuid::now_v7(), tenant_id, version: 1, values, created_at: now, updated_at: now };
        row::insert(write.conn(), &self.keys, &PROMPT, &record).await?;
        on!(write.conn(), c => {
            sqlx::query(sql!("INSERT INTO prompt_contents (prompt_id, tenant_id, content) VALUES ($1, $2, $3)"))
                .bind(record.id).bind(tenant_id).bind(new.content).execute(c).await?.rows_affected()
        });
        let made = Some(audited(&PROMPT, &record.values));
        write.audit(entry(&PROMPT, &record, AuditAction::Created, None, made)).await?;
        write.touch(touch::record(&PROMPT, None, None, Some(&record)));
        write.commit(record).await
    }

    /// What a prompt sounds like: a file that the switch plays.
    pub async fn prompt_content(&self, tenant_id: Uuid, id: Uuid) -> StoreResult<Option<Vec<u8>>> {
        let mut reader = self.db.reader().await?;
        let row: Option<(Vec<u8>,)> = on!(reader.conn(), c => {
            sqlx::query_as(sql!("SELECT content FROM prompt_contents WHERE tenant_id = $1 AND prompt_id = $2"))
                .bind(tenant_id).bind(id).fetch_optional(c).await?
        });
        Ok(row.map(|(content,)| content))
    }
}
