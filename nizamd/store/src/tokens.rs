//! Bearer tokens.

use std::sync::Arc;
use std::time::Instant;

use nizam_core::model::{Abilities, PermissionSet, Token, User};
use sqlx::types::Json;
use subtle::ConstantTimeEq as _;

use crate::Store;
use crate::audit::Actor;
use crate::clock;
use crate::column::Time;
use crate::error::StoreResult;
use crate::identities::TokenKey;
use crate::permissions::granted;
use crate::secret::{TokenSecret, hash};
use crate::users::UserRow;
use crate::write::Committed;

/// A token as a request presents it: `ID|SECRET`, or a secret alone.
pub struct Presented<'a> {
    id: Option<i64>,
    secret: &'a str,
}

/// Who presents a token that is good.
#[derive(Clone, Debug)]
pub struct Authentic {
    /// The token.
    pub token: Token,
    /// Its user.
    pub user: User,
    /// What the user was granted.
    pub granted: PermissionSet,
}

impl Authentic {
    /// Whether the token's time is over.
    fn is_over(&self) -> bool {
        self.token.expires_at.is_some_and(|end| end <= clock::now())
    }
}

#[derive(sqlx::FromRow)]
struct TokenRow {
    token_id: i64,
    token_user: i64,
    token_name: String,
    abilities: Json<Vec<String>>,
    last_used_at: Option<Time>,
    expires_at: Option<Time>,
    token_created: Time,
    token_updated: Time,
}

#[derive(sqlx::FromRow)]
struct AuthenticRow {
    #[sqlx(flatten)]
    token: TokenRow,
    hash: Vec<u8>,
    #[sqlx(flatten)]
    user: UserRow,
}

impl TokenRow {
    fn into_token(self) -> Token {
        Token {
            abilities: Abilities::new(self.abilities.0),
            id: self.token_id,
            user_id: self.token_user,
            name: self.token_name,
            last_used_at: self.last_used_at.map(|time| time.0),
            expires_at: self.expires_at.map(|time| time.0),
            created_at: self.token_created.0,
            updated_at: self.token_updated.0,
        }
    }
}

impl<'a> Presented<'a> {
    /// Reads what came after `Bearer`.
    pub fn parse(text: &'a str) -> Option<Self> {
        let this = match text.split_once('|') {
            Some((id, secret)) => Self { id: Some(id.parse().ok()?), secret },
            None => Self { id: None, secret: text },
        };
        (!this.secret.is_empty() && this.secret.len() <= 255).then_some(this)
    }
}

macro_rules! select_authentic {
    ($rest:literal) => {
        concat!(
            "SELECT t.id AS token_id, t.user_id AS token_user, t.name AS token_name, t.abilities, t.last_used_at, \
             t.expires_at, t.created_at AS token_created, t.updated_at AS token_updated, t.token AS hash, \
             u.id, u.name, u.email, u.email_verified_at, u.tenant_id, u.role, u.restricted, u.version, u.created_at, u.updated_at \
             FROM personal_access_tokens t JOIN users u ON u.id = t.user_id ",
            $rest
        )
    };
}

impl Store {
    /// Makes a token; the secret is in the answer and nowhere else.
    pub async fn create_token(
        &self,
        actor: &Actor,
        user_id: i64,
        name: &str,
        abilities: &Abilities,
        expires_at: Option<i64>,
    ) -> StoreResult<(Committed<Token>, TokenSecret)> {
        let secret = TokenSecret::random()?;
        let mut write = self.begin(actor).await?;
        let now = write.now;
        let (id,): (i64,) = on!(write.conn(), c => {
            sqlx::query_as(sql!("INSERT INTO personal_access_tokens (user_id, name, token, abilities, expires_at, created_at, updated_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $6) RETURNING id"))
            .bind(user_id)
            .bind(name)
            .bind(secret.hash().as_slice())
            .bind(Json(abilities.names()))
            .bind(expires_at.map(Time))
            .bind(Time(now))
            .fetch_one(c)
            .await?
        });
        let token = Token {
            id,
            user_id,
            name: name.to_owned(),
            abilities: abilities.clone(),
            last_used_at: None,
            expires_at,
            created_at: now,
            updated_at: now,
        };
        Ok((write.commit_quietly(token).await?, secret))
    }

    /// Who presents that token; `None` if it is unknown, wrong or over.
    pub async fn authenticate(&self, presented: &Presented<'_>) -> StoreResult<Option<Arc<Authentic>>> {
        let hash = hash(presented.secret);
        let key = (presented.id, hash);
        if let Some(authentic) = self.identities.token(&key) {
            return Ok(Some(authentic).filter(|authentic| !authentic.is_over()));
        }
        // Boxed: the query is large, and seldom needed.
        Box::pin(self.look_up(presented, key)).await
    }

    async fn look_up(&self, presented: &Presented<'_>, key: TokenKey) -> StoreResult<Option<Arc<Authentic>>> {
        let (epoch, read, hash) = (self.identities.epoch(), Instant::now(), key.1);
        let mut reader = self.db.reader().await?;
        let row: Option<AuthenticRow> = match presented.id {
            Some(id) => on!(reader.conn(), c => {
                sqlx::query_as(sql!(select_authentic!("WHERE t.id = $1"))).bind(id).fetch_optional(c).await?
            }),
            None => on!(reader.conn(), c => {
                sqlx::query_as(sql!(select_authentic!("WHERE t.token = $1")))
                    .bind(hash.as_slice()).fetch_optional(c).await?
            }),
        };
        let Some(row) = row else { return Ok(None) };
        if !bool::from(row.hash.as_slice().ct_eq(&hash)) {
            return Ok(None);
        }
        let token = row.token.into_token();
        let user = row.user.into_user()?;
        let granted =
            if user.restricted { granted(reader.conn(), user.id).await? } else { PermissionSet::default() };
        let authentic = Arc::new(Authentic { token, user, granted });
        if authentic.is_over() {
            return Ok(None);
        }
        self.identities.keep_token(key, &authentic, epoch, read);
        Ok(Some(authentic))
    }

    /// Who has that token, whoever presents it; `None` if there is none any more, or it is over.
    pub async fn token_in_force(&self, id: i64) -> StoreResult<Option<Arc<Authentic>>> {
        if let Some(authentic) = self.identities.token_in_force(id) {
            return Ok(Some(authentic).filter(|authentic| !authentic.is_over()));
        }
        let (epoch, read) = (self.identities.epoch(), Instant::now());
        let mut reader = self.db.reader().await?;
        let row: Option<AuthenticRow> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(select_authentic!("WHERE t.id = $1"))).bind(id).fetch_optional(c).await?
        });
        let Some(row) = row else { return Ok(None) };
        let token = row.token.into_token();
        let user = row.user.into_user()?;
        let granted =
            if user.restricted { granted(reader.conn(), user.id).await? } else { PermissionSet::default() };
        let authentic = Arc::new(Authentic { token, user, granted });
        if authentic.is_over() {
            return Ok(None);
        }
        self.identities.keep_token_in_force(&authentic, epoch, read);
        Ok(Some(authentic))
    }

    /// The tokens of a user, the oldest first.
    pub async fn tokens(&self, user_id: i64) -> StoreResult<Vec<Token>> {
        let mut reader = self.db.reader().await?;
        let rows: Vec<TokenRow> = on!(reader.conn(), c => {
            sqlx::query_as(sql!("SELECT id AS token_id, user_id AS token_user, name AS token_name, abilities, last_used_at, expires_at, \
                 created_at AS token_created, updated_at AS token_updated \
                 FROM personal_access_tokens WHERE user_id = $1 ORDER BY id"))
            .bind(user_id)
            .fetch_all(c).await?
        });
        Ok(rows.into_iter().map(TokenRow::into_token).collect())
    }

    /// Deletes a token of a user; false if the user has no such token.
    pub async fn delete_token(&self, actor: &Actor, user_id: i64, id: i64) -> StoreResult<Committed<bool>> {
        let mut write = self.begin(actor).await?;
        let gone = on!(write.conn(), c => {
            sqlx::query(sql!("DELETE FROM personal_access_tokens WHERE id = $1 AND user_id = $2"))
                .bind(id).bind(user_id).execute(c).await?.rows_affected()
        });
        write.commit_quietly(gone > 0).await
    }

    /// Notes that a token was used.
    pub async fn touch_token(&self, id: i64) -> StoreResult<()> {
        let mut tx = self.db.write().await?;
        on!(tx.conn(), c => {
            sqlx::query(sql!("UPDATE personal_access_tokens SET last_used_at = $2 WHERE id = $1"))
                .bind(id).bind(Time(clock::now())).execute(c).await?.rows_affected()
        });
        tx.commit().await
    }
}
