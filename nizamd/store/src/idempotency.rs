//! Requests that a client may send again without doing it twice (header `Idempotency-Key`). The key is written in the
//! transaction of the change itself, so that there is never one without the other; the answer follows it, sealed, because
//! it may hold a secret that is shown once.

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::Store;
use crate::audit::Actor;
use crate::clock;
use crate::column::Time;
use crate::error::StoreResult;
use crate::seal::Place;
use crate::write::Write;

/// How long a key is remembered, in microseconds: a day.
const REMEMBERED: i64 = 86_400_000_000;

/// A request that must not be done twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Idempotency {
    /// The key that the client chose.
    pub key: String,
    /// A hash of operation, path and body.
    pub request: [u8; 32],
}

/// What became of an earlier request with the same key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// It was another request.
    Other,
    /// It was done, and this is what was answered: status and body.
    Answered(u16, Vec<u8>),
    /// It was done, and the answer was lost; or it is under way.
    Unanswered,
}

impl Idempotency {
    /// The request with these parts.
    pub fn new(key: &str, parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        Self { key: key.to_owned(), request: hash.finalize().into() }
    }
}

/// Hash of the request, status and sealed answer.
type Kept = (Vec<u8>, Option<i64>, Option<Vec<u8>>);

impl Store {
    /// What became of an earlier request of that user with the same key.
    pub async fn earlier(&self, user_id: i64, request: &Idempotency) -> StoreResult<Option<Earlier>> {
        let mut reader = self.db.reader().await?;
        let row: Option<Kept> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT request, status, answer FROM idempotency_keys \
                 WHERE user_id = $1 AND key = $2 AND created_at > $3"
            ))
            .bind(user_id).bind(&request.key).bind(Time(clock::now() - REMEMBERED))
            .fetch_optional(c).await?
        });
        let Some((hash, status, answer)) = row else { return Ok(None) };
        if hash != request.request {
            return Ok(Some(Earlier::Other));
        }
        let status = status.and_then(|status| u16::try_from(status).ok());
        Ok(Some(match (status, answer) {
            (Some(status), Some(answer)) => {
                let body = self.keys.open(place(user_id, &request.key), &answer)?;
                Earlier::Answered(status, body.into_bytes())
            }
            _ => Earlier::Unanswered,
        }))
    }

    /// Remembers that a request is done which changes nothing here. An error if it was done before.
    pub async fn once(&self, actor: &Actor) -> StoreResult<()> {
        if actor.idempotency.is_none() {
            return Ok(());
        }
        let write = self.begin(actor).await?;
        write.commit_quietly(()).await.map(drop)
    }

    /// Forgets a request that [`Store::once`] remembered and that was certainly not done: it may be sent again.
    pub async fn not_done(&self, actor: &Actor) -> StoreResult<()> {
        let (Some(user_id), Some(request)) = (actor.user_id, &actor.idempotency) else { return Ok(()) };
        let mut tx = self.db.write().await?;
        on!(tx.conn(), c => {
            sqlx::query(sql!("DELETE FROM idempotency_keys WHERE user_id = $1 AND key = $2 AND request = $3 AND status IS NULL"))
                .bind(user_id).bind(&request.key).bind(request.request.as_slice()).execute(c).await?.rows_affected()
        });
        tx.commit().await
    }

    /// Remembers what was answered.
    pub async fn answered(
        &self,
        user_id: i64,
        request: &Idempotency,
        status: u16,
        body: &[u8],
    ) -> StoreResult<()> {
        let sealed = self.keys.seal(place(user_id, &request.key), body)?;
        let mut tx = self.db.write().await?;
        on!(tx.conn(), c => {
            sqlx::query(sql!(
                "UPDATE idempotency_keys SET status = $3, answer = $4 WHERE user_id = $1 AND key = $2 AND request = $5"
            ))
            .bind(user_id)
            .bind(&request.key)
            .bind(i64::from(status))
            .bind(sealed)
            .bind(request.request.as_slice())
            .execute(c)
            .await?;
        });
        tx.commit().await
    }
}

impl Write<'_> {
    /// Writes the key of the request into its transaction.
    pub(crate) async fn remember_request(&mut self) -> StoreResult<()> {
        let (actor, now) = (self.actor, self.now);
        let (Some(user_id), Some(request)) = (actor.user_id, &actor.idempotency) else { return Ok(()) };
        on!(self.conn(), c => {
            sqlx::query(sql!("DELETE FROM idempotency_keys WHERE created_at <= $1"))
                .bind(Time(now - REMEMBERED)).execute(c).await?;
        });
        on!(self.conn(), c => {
            sqlx::query(sql!("INSERT INTO idempotency_keys (user_id, key, request, created_at) VALUES ($1, $2, $3, $4)"))
                .bind(user_id).bind(&request.key).bind(request.request.as_slice()).bind(Time(now))
                .execute(c).await?;
        });
        Ok(())
    }
}

/// Bound to user and key.
pub(crate) fn place(user_id: i64, key: &str) -> Place {
    let hash: [u8; 32] =
        Sha256::new().chain_update(user_id.to_be_bytes()).chain_update(key.as_bytes()).finalize().into();
    let id = hash.first_chunk().map_or_else(Uuid::nil, |half| Uuid::from_bytes(*half));
    Place { table: "idempotency_keys", column: "answer", id }
}
