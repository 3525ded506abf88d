//! Which codecs the calls of a tenant used.

use uuid::Uuid;

use crate::Store;
use crate::error::StoreResult;
use crate::page::count;

/// Figures of codecs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodecMetrics {
    /// Codecs and how many CDRs have them, the most frequent first.
    pub codecs: Vec<(String, u64)>,
    /// CDRs whose two directions had different codecs.
    pub mismatches: u64,
    /// All CDRs.
    pub cdrs: u64,
}

impl Store {
    /// The codecs in the CDRs of a tenant.
    pub async fn codec_metrics(&self, tenant_id: Uuid) -> StoreResult<CodecMetrics> {
        let mut tx = self.db.snapshot().await?;
        let codecs: Vec<(String, i64)> = on!(tx.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT codec, CAST(sum(cdrs) AS bigint) AS found FROM cdr_counts WHERE tenant_id = $1 AND codec <> '' \
                 GROUP BY codec HAVING sum(cdrs) > 0 ORDER BY found DESC, codec"
            ))
            .bind(tenant_id).fetch_all(c).await?
        });
        let (cdrs, mismatches): (i64, i64) = on!(tx.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT CAST(COALESCE(sum(cdrs), 0) AS bigint), \
                 CAST(COALESCE(sum(CASE WHEN mismatched = TRUE THEN cdrs END), 0) AS bigint) FROM cdr_counts \
                 WHERE tenant_id = $1"
            ))
            .bind(tenant_id).fetch_one(c).await?
        });
        let codecs = codecs.into_iter().map(|(codec, calls)| (codec, count(calls))).collect();
        Ok(CodecMetrics { codecs, mismatches: count(mismatches), cdrs: count(cdrs) })
    }
}
