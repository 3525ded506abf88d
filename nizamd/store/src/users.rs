//! Users of the API.

use nizam_core::model::{NewUser, Role, User};
use uuid::Uuid;

use crate::Store;
use crate::audit::Actor;
use crate::column::Time;
use crate::error::{StoreError, StoreResult};
use crate::write::Committed;

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

    /// Puts a user into a tenant, or out of any.
    pub async fn set_user_tenant(
        &self,
        actor: &Actor,
        id: i64,
        tenant: Option<Uuid>,
    ) -> StoreResult<Committed<()>> {
        let mut write = self.begin(actor).await?;
        let now = write.now;
        let changed = on!(write.conn(), c => {
            sqlx::query(sql!("UPDATE users SET tenant_id = $2, updated_at = $3, version = version + 1 WHERE id = $1"))
                .bind(id).bind(tenant).bind(Time(now)).execute(c).await?.rows_affected()
        });
        if changed == 0 {
            return Err(StoreError::NotFound);
        }
        write.commit_quietly(()).await
    }
}

/// What makes an address unique.
fn email_key(email: &str) -> String {
    email.to_lowercase()
}
