//! Whose claims are dead. On SQLite one daemon serves, so that every other's are. On PostgreSQL a process that claims holds a lock by its
//! name on a connection of its own: the server gives it free when the process dies, however it does.

use sqlx::{Connection as _, PgConnection};

use crate::Store;
use crate::clock;
use crate::column::Time;
use crate::db::{Conn, Db, Tx};
use crate::error::StoreResult;

/// A process that claims. As long as it lives, nobody takes its claims for dead.
#[derive(Debug, Default)]
pub struct Claimant {
    connection: Option<PgConnection>,
}

impl Store {
    /// Sees that this process counts as alive, and gives back what dead ones have claimed: at the start, and now and then. Gives how many
    /// deliveries that were.
    pub async fn bury(&self, claimant: &mut Claimant) -> StoreResult<u64> {
        self.live(claimant).await?;
        let mut reader = self.db.reader().await?;
        let others: Vec<(String,)> = on!(reader.conn(), c => {
            sqlx::query_as(sql!("SELECT DISTINCT claimed_by FROM webhook_deliveries WHERE claimed_by IS NOT NULL AND claimed_by <> $1"))
                .bind(&self.own).fetch_all(c).await?
        });
        drop(reader);
        let mut given_back = 0;
        for (other,) in others {
            let mut tx = self.db.write().await?;
            if dead(&mut tx, &other).await? {
                given_back += release(tx.conn(), &other).await?;
            }
            tx.commit().await?;
        }
        Ok(given_back)
    }

    /// Holds the lock of this process, anew if the connection broke.
    async fn live(&self, claimant: &mut Claimant) -> StoreResult<()> {
        let Db::Postgres(pool) = &self.db else { return Ok(()) };
        if let Some(connection) = &mut claimant.connection {
            if connection.ping().await.is_ok() {
                return Ok(());
            }
            claimant.connection = None;
        }
        let mut connection = pool.acquire().await?.detach();
        let (held,): (bool,) =
            sqlx::query_as(sql!(postgres "SELECT pg_try_advisory_lock(hashtextextended($1, 0))"))
                .bind(&self.own)
                .fetch_one(&mut connection)
                .await?;
        // Where it is not, the server has not noticed yet that the connection before is broken: next time.
        claimant.connection = held.then_some(connection);
        Ok(())
    }
}

/// Whether nobody holds the lock by that name.
async fn dead(tx: &mut Tx, name: &str) -> StoreResult<bool> {
    let Conn::Postgres(c) = tx.conn() else { return Ok(true) };
    let (free,): (bool,) =
        sqlx::query_as(sql!(postgres "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))"))
            .bind(name)
            .fetch_one(c)
            .await?;
    Ok(free)
}

async fn release(conn: Conn<'_>, name: &str) -> StoreResult<u64> {
    let now = Time(clock::now());
    Ok(match conn {
        Conn::Sqlite(c) => sqlx::query(
            sql!(sqlite "UPDATE webhook_deliveries SET claimed_by = NULL, due_at = $2 WHERE claimed_by = $1"),
        )
        .bind(name)
        .bind(now)
        .execute(c)
        .await?
        .rows_affected(),
        // Its last transaction may still be on its way: what that holds is left for the next time.
        Conn::Postgres(c) => sqlx::query(sql!(postgres
            "UPDATE webhook_deliveries SET claimed_by = NULL, due_at = $2 WHERE id IN \
             (SELECT id FROM webhook_deliveries WHERE claimed_by = $1 FOR UPDATE SKIP LOCKED)"
        ))
        .bind(name)
        .bind(now)
        .execute(c)
        .await?
        .rows_affected(),
    })
}
