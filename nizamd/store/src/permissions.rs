//! Who was granted what.

use nizam_core::model::{Permission, PermissionSet};

use crate::Store;
use crate::audit::Actor;
use crate::column::Time;
use crate::db::Conn;
use crate::error::{StoreError, StoreResult};
use crate::write::{Committed, Write};

impl Store {
    /// Puts every permission that is known into the table.
    pub(crate) async fn sync_permissions(&self) -> StoreResult<()> {
        let mut tx = self.db.write().await?;
        for permission in Permission::ALL {
            on!(tx.conn(), c => {
                sqlx::query(sql!("INSERT INTO permissions (slug, description, module) VALUES ($1, $2, $3) \
                     ON CONFLICT (slug) DO UPDATE SET description = excluded.description, module = excluded.module"))
                .bind(permission.slug()).bind(permission.description())
                .bind(permission.module())
                .execute(c).await?.rows_affected()
            });
        }
        tx.commit().await
    }

    /// What a user was granted.
    pub async fn granted(&self, user_id: i64) -> StoreResult<PermissionSet> {
        let mut reader = self.db.reader().await?;
        granted(reader.conn(), user_id).await
    }

    /// Grants permissions to a user. From then on the user may do only what was granted.
    pub async fn grant(
        &self,
        actor: &Actor,
        user_id: i64,
        set: PermissionSet,
    ) -> StoreResult<Committed<PermissionSet>> {
        let mut write = self.begin(actor).await?;
        restrict(&mut write, user_id).await?;
        for permission in set.iter() {
            on!(write.conn(), c => {
                sqlx::query(sql!("INSERT INTO permission_user (permission_id, user_id) SELECT id, $2 FROM permissions WHERE slug = $1 \
                     ON CONFLICT DO NOTHING"))
                .bind(permission.slug()).bind(user_id)
                .execute(c).await?.rows_affected()
            });
        }
        let now = granted(write.conn(), user_id).await?;
        write.commit_quietly(now).await
    }

    /// Takes permissions back. Once the last one is gone, the user may do nothing.
    pub async fn revoke(
        &self,
        actor: &Actor,
        user_id: i64,
        set: PermissionSet,
    ) -> StoreResult<Committed<PermissionSet>> {
        let mut write = self.begin(actor).await?;
        restrict(&mut write, user_id).await?;
        for permission in set.iter() {
            on!(write.conn(), c => {
                sqlx::query(sql!("DELETE FROM permission_user WHERE user_id = $2 \
                     AND permission_id IN (SELECT id FROM permissions WHERE slug = $1)"))
                .bind(permission.slug()).bind(user_id)
                .execute(c).await?.rows_affected()
            });
        }
        let now = granted(write.conn(), user_id).await?;
        write.commit_quietly(now).await
    }
}

/// What a user was granted.
pub(crate) async fn granted(conn: Conn<'_>, user_id: i64) -> StoreResult<PermissionSet> {
    let slugs: Vec<(String,)> = on!(conn, c => {
        sqlx::query_as(sql!("SELECT p.slug FROM permission_user g JOIN permissions p ON p.id = g.permission_id WHERE g.user_id = $1"))
        .bind(user_id)
        .fetch_all(c).await?
    });
    Ok(slugs.iter().filter_map(|(slug,)| Permission::parse(slug)).collect())
}

async fn restrict(write: &mut Write<'_>, user_id: i64) -> StoreResult<()> {
    let now = write.now;
    let changed = on!(write.conn(), c => {
        sqlx::query(sql!("UPDATE users SET restricted = TRUE, updated_at = $2 WHERE id = $1"))
            .bind(user_id).bind(Time(now)).execute(c).await?.rows_affected()
    });
    if changed == 0 { Err(StoreError::NotFound) } else { Ok(()) }
}
