//! Users of the API.

use std::borrow::Cow;

use nizam_core::model::{NewUser, Role, User, UserChange};
use nizam_core::resource::{USER_LIST, email_key};
use nizam_core::validate::Errors;
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::Store;
use crate::audit::Actor;
use crate::column::Time;
use crate::db::Conn;
use crate::error::{StoreError, StoreResult};
use crate::page::{Expected, Listed, Query};
use crate::records::row::{bind, compared};
use crate::records::statement::Source;
use crate::tenants;
use crate::write::{Committed, Write};

macro_rules! select_users {
    ($more:literal, $rest:literal) => {
        concat!(
            "SELECT id, name, email, email_verified_at, tenant_id, role, restricted, version, created_at, updated_at",
            $more,
            " FROM users ",
            $rest
        )
    };
}

/// The list of users: all of them, or those of that tenant.
pub(crate) const USERS: Source = Source {
    select: Cow::Borrowed(select_users!("", "")),
    table: "users",
    scope: "(tenant_id = $1 OR $1 IS NULL)",
    count: None,
    order: ("id", false),
    fields: USER_LIST,
};

#[derive(sqlx::FromRow)]
pub(crate) struct UserRow {
    id: i64,
    name: String,
    email: String,
    email_verified_at: Option<Time>,
    tenant_id: Option<Uuid>,
    role: String,
    restricted: bool,
    version: i64,
    created_at: Time,
    updated_at: Time,
}

impl UserRow {
    pub(crate) fn into_user(self) -> StoreResult<User> {
        Ok(User {
            role: Role::parse(&self.role).ok_or(StoreError::Damaged { table: "users", what: "role" })?,
            id: self.id,
            name: self.name,
            email: self.email,
            tenant_id: self.tenant_id,
            restricted: self.restricted,
            email_verified_at: self.email_verified_at.map(|time| time.0),
            version: self.version,
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
        })
    }
}

#[derive(sqlx::FromRow)]
struct WithPassword {
    #[sqlx(flatten)]
    user: UserRow,
    password: String,
}

impl Store {
    /// Makes a user.
    pub async fn create_user(&self, actor: &Actor, new: NewUser) -> StoreResult<Committed<User>> {
        let mut write = self.begin(actor).await?;
        tenant_exists(&mut write, new.tenant_id).await?;
        let now = write.now;
        let (id,): (i64,) = on!(write.conn(), c => {
            sqlx::query_as(sql!("INSERT INTO users (name, email, email_key, password, tenant_id, role, created_at, updated_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $7) RETURNING id"))
            .bind(&new.name)
            .bind(&new.email)
            .bind(email_key(&new.email))
            .bind(&new.password_hash)
            .bind(new.tenant_id)
            .bind(new.role.as_str())
            .bind(Time(now))
            .fetch_one(c)
            .await?
        });
        let user = User {
            id,
            name: new.name,
            email: new.email,
            tenant_id: new.tenant_id,
            role: new.role,
            restricted: false,
            email_verified_at: None,
            version: 1,
            created_at: now,
            updated_at: now,
        };
        write.commit_quietly(user).await
    }

    /// The user with that address, and the hash of the password.
    pub async fn user_by_email(&self, email: &str) -> StoreResult<Option<(User, String)>> {
        let mut reader = self.db.reader().await?;
        let row: Option<WithPassword> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(select_users!(", password", "WHERE email_key = $1")))
                .bind(email_key(email)).fetch_optional(c).await?
        });
        row.map(|row| Ok((row.user.into_user()?, row.password))).transpose()
    }

    /// The user with that id.
    pub async fn user(&self, id: i64) -> StoreResult<Option<User>> {
        let mut reader = self.db.reader().await?;
        let row: Option<UserRow> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(select_users!("", "WHERE id = $1"))).bind(id).fetch_optional(c).await?
        });
        row.map(UserRow::into_user).transpose()
    }

    /// The users, the oldest first unless the query says otherwise; only those of a tenant, where there is one.
    pub async fn users(&self, tenant_id: Option<Uuid>, query: &Query) -> StoreResult<Listed<User>> {
        let mut tx = self.db.snapshot().await?;
        let total = USERS.count(tx.conn(), tenant_id, query).await?;
        let sql = AssertSqlSafe(USERS.list(query));
        let rows: Vec<UserRow> = on!(tx.conn(), c => {
            let mut statement = sqlx::query_as(sql).bind(tenant_id);
            for (field, value) in &query.filters {
                statement = bind!(statement, compared(field, value));
            }
            statement.bind(query.page.limit()).bind(query.page.offset()).fetch_all(c).await?
        });
        let rows = rows.into_iter().map(UserRow::into_user).collect::<StoreResult<_>>()?;
        Ok(Listed { rows, total })
    }

    /// Changes a user.
    pub async fn update_user(
        &self,
        actor: &Actor,
        id: i64,
        change: UserChange,
        expected: &Expected,
    ) -> StoreResult<Committed<User>> {
        let mut write = self.begin(actor).await?;
        let old = locked(&mut write, id).await?;
        expected.check(old.version)?;
        tenant_exists(&mut write, change.tenant_id.flatten()).await?;
        let user = User {
            name: change.name.unwrap_or(old.name),
            email: change.email.unwrap_or(old.email),
            role: change.role.unwrap_or(old.role),
            tenant_id: change.tenant_id.unwrap_or(old.tenant_id),
            version: old.version + 1,
            updated_at: write.now,
            ..old
        };
        on!(write.conn(), c => {
            sqlx::query(sql!(
                "UPDATE users SET name = $2, email = $3, email_key = $4, password = COALESCE($5, password), \
                 tenant_id = $6, role = $7, version = $8, updated_at = $9 WHERE id = $1"
            ))
            .bind(id)
            .bind(&user.name)
            .bind(&user.email)
            .bind(email_key(&user.email))
            .bind(change.password_hash)
            .bind(user.tenant_id)
            .bind(user.role.as_str())
            .bind(user.version)
            .bind(Time(user.updated_at))
            .execute(c)
            .await?
            .rows_affected()
        });
        write.commit_quietly(user).await
    }

    /// Deletes a user with all tokens.
    pub async fn delete_user(
        &self,
        actor: &Actor,
        id: i64,
        expected: &Expected,
    ) -> StoreResult<Committed<()>> {
        let mut write = self.begin(actor).await?;
        let old = locked(&mut write, id).await?;
        expected.check(old.version)?;
        on!(write.conn(), c => {
            sqlx::query(sql!("DELETE FROM users WHERE id = $1")).bind(id).execute(c).await?.rows_affected()
        });
        write.commit_quietly(()).await
    }
}

/// The user with that id, whom nobody else changes until the end of the transaction.
async fn locked(write: &mut Write<'_>, id: i64) -> StoreResult<User> {
    let row: Option<UserRow> = match write.conn() {
        Conn::Sqlite(c) => {
            sqlx::query_as(sql!(select_users!("", "WHERE id = $1"))).bind(id).fetch_optional(c).await?
        }
        Conn::Postgres(c) => {
            sqlx::query_as(sql!(postgres select_users!("", "WHERE id = $1 FOR NO KEY UPDATE")))
                .bind(id)
                .fetch_optional(c)
                .await?
        }
    };
    row.map(UserRow::into_user).transpose()?.ok_or(StoreError::NotFound)
}

/// Refuses a tenant that there is not.
async fn tenant_exists(write: &mut Write<'_>, id: Option<Uuid>) -> StoreResult<()> {
    let Some(id) = id else { return Ok(()) };
    match tenants::by_id(write.conn(), id).await? {
        Some(_) => Ok(()),
        None => Err(StoreError::Invalid(Errors::one("tenant_id", "The selected tenant id is invalid."))),
    }
}
