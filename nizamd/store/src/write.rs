//! A write: rows, audit entries and the next generation, in one transaction.

use std::collections::HashSet;

use nizam_core::model::Touched;
use tokio::sync::watch;

use crate::Store;
use crate::audit::Actor;
use crate::changes;
use crate::clock;
use crate::db::{Conn, Tx};
use crate::error::StoreResult;
use crate::identities::Identities;
use crate::outbox::{self, Told};
use crate::page::count;

/// What a write that lasts has done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "what was touched must reach the switches"]
pub struct Committed<T> {
    /// What it made.
    pub value: T,
    /// Number of the configuration that it made, or of the newest one if it changed none.
    pub generation: u64,
    /// What images must be made anew.
    pub touched: Vec<Touched>,
}

/// A write that has begun; dropped without [`Write::commit`] it is undone.
pub(crate) struct Write<'s> {
    pub(crate) tx: Tx,
    pub(crate) actor: &'s Actor,
    identities: &'s Identities,
    /// By what others know this process.
    own: &'s str,
    /// The number of the newest event that this process has stored.
    newest: &'s watch::Sender<i64>,
    touched: Vec<Touched>,
    /// What those are told who follow the tenant.
    pub(crate) told: Vec<Told>,
    /// The time of all its rows.
    pub(crate) now: i64,
}

impl Store {
    pub(crate) async fn begin<'s>(&'s self, actor: &'s Actor) -> StoreResult<Write<'s>> {
        let mut write = Write {
            tx: self.db.write().await?,
            actor,
            identities: &self.identities,
            own: &self.own,
            newest: &self.newest,
            touched: Vec::new(),
            told: Vec::new(),
            now: clock::now(),
        };
        // First of all: of two equal requests at once the second waits here, and then sees that it is the second.
        write.remember_request().await?;
        Ok(write)
    }
}

impl Write<'_> {
    /// For one statement.
    pub(crate) fn conn(&mut self) -> Conn<'_> {
        self.tx.conn()
    }

    /// Says which image records must be made anew.
    pub(crate) fn touch(&mut self, touched: impl IntoIterator<Item = Touched>) {
        self.touched.extend(touched);
    }

    /// Makes it last, as the next generation.
    pub(crate) async fn commit<T>(mut self, value: T) -> StoreResult<Committed<T>> {
        let mut seen = HashSet::with_capacity(self.touched.len());
        self.touched.retain(|key| seen.insert(key.clone()));
        // Before the generation: who stores what switches tell has the numbers, and may wait for a tenant that is being deleted, which
        // waits for the generation.
        let last = self.take_numbers().await?;
        let (generation,): (i64,) = on!(self.conn(), c => {
            sqlx::query_as(sql!("UPDATE meta SET generation = generation + 1 WHERE id = 1 RETURNING generation"))
                .fetch_one(c).await?
        });
        let touched = changes::to_text(&self.touched);
        record(self.conn(), generation, touched).await?;
        changes::tell(self.tx.conn(), self.own).await?;
        outbox::write(&mut self.tx, self.own, &self.told, last, generation, self.now).await?;
        let done = self.tx.commit().await;
        // Also where the answer of the database was lost: then it may be committed.
        self.identities.forget();
        done?;
        outbox::wake(self.newest, last);
        Ok(Committed { value, generation: count(generation), touched: self.touched })
    }

    /// Makes it last without a new generation: nothing in it concerns a switch.
    pub(crate) async fn commit_quietly<T>(mut self, value: T) -> StoreResult<Committed<T>> {
        let last = self.take_numbers().await?;
        let generation = generation(self.conn()).await?;
        let of_rows = i64::try_from(generation).unwrap_or(i64::MAX);
        outbox::write(&mut self.tx, self.own, &self.told, last, of_rows, self.now).await?;
        let done = self.tx.commit().await;
        self.identities.forget();
        done?;
        outbox::wake(self.newest, last);
        Ok(Committed { value, generation, touched: Vec::new() })
    }

    /// Takes numbers for what is told, if anything is; gives the last one.
    async fn take_numbers(&mut self) -> StoreResult<i64> {
        if self.told.is_empty() { Ok(0) } else { outbox::take(self.tx.conn(), self.told.len()).await }
    }
}

async fn record(conn: Conn<'_>, generation: i64, touched: Option<String>) -> StoreResult<()> {
    on!(conn, c => {
        sqlx::query(sql!("INSERT INTO changes (generation, touched) VALUES ($1, $2)"))
            .bind(generation).bind(touched).execute(c).await?.rows_affected()
    });
    Ok(())
}

pub(crate) async fn generation(conn: Conn<'_>) -> StoreResult<u64> {
    let (generation,): (i64,) =
        on!(conn, c => sqlx::query_as(sql!("SELECT generation FROM meta WHERE id = 1")).fetch_one(c).await?);
    Ok(count(generation))
}

pub(crate) async fn key_check(conn: Conn<'_>) -> StoreResult<Option<Vec<u8>>> {
    let (sealed,): (Option<Vec<u8>>,) =
        on!(conn, c => sqlx::query_as(sql!("SELECT key_check FROM meta WHERE id = 1")).fetch_one(c).await?);
    Ok(sealed)
}

pub(crate) async fn set_key_check(conn: Conn<'_>, sealed: &[u8]) -> StoreResult<()> {
    on!(conn, c => {
        sqlx::query(sql!("UPDATE meta SET key_check = $1 WHERE id = 1")).bind(sealed).execute(c).await?.rows_affected()
    });
    Ok(())
}
