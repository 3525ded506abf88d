//! Counting anew.

use crate::Store;
use crate::db::{Conn, Tx};
use crate::error::StoreResult;

impl Store {
    /// Counts all CDRs and call events anew, and gives how many counts there are: for when somebody wrote or deleted rows by hand.
    pub async fn recount_calls(&self) -> StoreResult<u64> {
        let mut tx = self.db.write().await?;
        if let Tx::Postgres(c) = &mut tx {
            // Who has counted is waited for, and seen; who has not yet counted waits until this is committed, and is not seen. In the
            // order in which all write them.
            sqlx::query(
                sql!(postgres "LOCK TABLE cdr_counts, call_event_counts IN SHARE ROW EXCLUSIVE MODE"),
            )
            .execute(&mut **c)
            .await?;
        }
        on!(tx.conn(), c => {
            sqlx::query(sql!("DELETE FROM cdr_counts")).execute(&mut *c).await?;
            sqlx::query(sql!("DELETE FROM call_event_counts")).execute(&mut *c).await?.rows_affected()
        });
        let counts = match tx.conn() {
            Conn::Sqlite(c) => {
                let cdrs = sqlx::query(sql!(sqlite
                    "INSERT INTO cdr_counts SELECT tenant_id, start_stamp / 86400000000, leg, direction, \
                     COALESCE(hangup_cause, ''), COALESCE(negotiated_codec, read_codec, ''), \
                     COALESCE(read_codec <> write_codec, FALSE), count(*) \
                     FROM call_detail_records GROUP BY 1, 2, 3, 4, 5, 6, 7"
                ));
                let events = sqlx::query(sql!(sqlite
                    "INSERT INTO call_event_counts SELECT tenant_id, occurred_at / 86400000000, event_type, count(*) \
                     FROM call_events GROUP BY 1, 2, 3"
                ));
                cdrs.execute(&mut *c).await?.rows_affected() + events.execute(c).await?.rows_affected()
            }
            Conn::Postgres(c) => {
                let cdrs = sqlx::query(sql!(postgres
                    "INSERT INTO cdr_counts SELECT tenant_id, CAST(floor(extract(epoch FROM start_stamp) / 86400) AS bigint), \
                     leg, direction, COALESCE(hangup_cause, ''), COALESCE(negotiated_codec, read_codec, ''), \
                     COALESCE(read_codec <> write_codec, FALSE), count(*) \
                     FROM call_detail_records GROUP BY 1, 2, 3, 4, 5, 6, 7"
                ));
                let events = sqlx::query(sql!(postgres
                    "INSERT INTO call_event_counts \
                     SELECT tenant_id, CAST(floor(extract(epoch FROM occurred_at) / 86400) AS bigint), event_type, count(*) \
                     FROM call_events GROUP BY 1, 2, 3"
                ));
                cdrs.execute(&mut *c).await?.rows_affected() + events.execute(c).await?.rows_affected()
            }
        };
        tx.commit().await?;
        Ok(counts)
    }
}
