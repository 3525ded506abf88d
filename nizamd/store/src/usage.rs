//! What tenants use: measurements, and their sums.

use uuid::Uuid;

use crate::Store;
use crate::audit::Actor;
use crate::column::Time;
use crate::error::StoreResult;
use crate::ingest::minutes;
use crate::page::count;
use crate::write::Committed;

/// The measurements of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its name: `call_minutes`.
    pub name: String,
    /// The sum.
    pub total: f64,
    /// The largest.
    pub peak: f64,
    /// The mean.
    pub average: f64,
    /// How many measurements.
    pub count: u64,
}

impl Store {
    /// The measurements of a tenant between two days, `YYYY-MM-DD`, both included.
    pub async fn usage(&self, tenant_id: Uuid, from: &str, to: &str) -> StoreResult<Vec<Metric>> {
        let mut reader = self.db.reader().await?;
        let rows: Vec<(String, f64, f64, f64, i64)> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT metric, sum(value), max(value), avg(value), count(*) FROM usage_records \
                 WHERE tenant_id = $1 AND recorded_date >= $2 AND recorded_date <= $3 GROUP BY metric ORDER BY metric"
            ))
            .bind(tenant_id).bind(from).bind(to).fetch_all(c).await?
        });
        let metric = |(name, total, peak, average, n)| Metric { name, total, peak, average, count: count(n) };
        Ok(rows.into_iter().map(metric).collect())
    }

    /// Measures what a tenant has on a day, and gives how many measurements that are.
    pub async fn collect_usage(
        &self,
        actor: &Actor,
        tenant_id: Uuid,
        day: &str,
    ) -> StoreResult<Committed<u64>> {
        let mut write = self.begin(actor).await?;
        let now = write.now;
        let (storage, devices, extensions): (i64, i64, i64) = on!(write.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT (SELECT CAST(COALESCE(sum(file_size), 0) AS bigint) FROM recordings WHERE tenant_id = $1), \
                 (SELECT count(*) FROM device_profiles WHERE tenant_id = $1), \
                 (SELECT count(*) FROM extensions WHERE tenant_id = $1 AND is_active = TRUE)"
            ))
            .bind(tenant_id).fetch_one(c).await?
        });
        let measured = [
            ("recording_storage_bytes", storage),
            ("active_devices", devices),
            ("active_extensions", extensions),
        ];
        for (metric, value) in measured {
            // Beyond 2^53 bytes of recordings the last digits do not matter.
            #[expect(clippy::cast_precision_loss, reason = "a measurement")]
            let value = value as f64;
            on!(write.conn(), c => {
                sqlx::query(sql!(
                    "INSERT INTO usage_records (id, tenant_id, metric, value, recorded_date, created_at, updated_at) \
                     VALUES ($1, $2, $3, $4, $5, $6, $6)"
                ))
                .bind(Uuid::now_v7()).bind(tenant_id).bind(metric).bind(value).bind(day).bind(Time(now))
                .execute(c).await?.rows_affected()
            });
        }
        write.commit_quietly(measured.len() as u64).await
    }

    /// Seconds that the CDRs of a tenant bill, once a call, for calls that began in that time, microseconds since 1970.
    pub async fn billed_seconds(&self, tenant_id: Uuid, from: i64, to: i64) -> StoreResult<u64> {
        let mut reader = self.db.reader().await?;
        let (first,): (i64,) = on!(reader.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT CAST(COALESCE(sum(billsec), 0) AS bigint) FROM call_detail_records \
                 WHERE tenant_id = $1 AND leg = 'a' AND start_stamp >= $2 AND start_stamp < $3"
            ))
            .bind(tenant_id).bind(Time(from)).bind(Time(to)).fetch_one(c).await?
        });
        // Calls that went on when their first leg had ended.
        let handed_on: Vec<(String,)> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT DISTINCT later.call_id FROM call_detail_records AS later JOIN call_detail_records AS first \
                 ON first.call_id = later.call_id AND first.tenant_id = later.tenant_id AND first.leg = 'a' \
                 AND first.end_stamp < later.end_stamp AND first.start_stamp >= $2 AND first.start_stamp < $3 \
                 WHERE later.tenant_id = $1 AND later.leg = 'b' AND later.billsec > 0 AND later.start_stamp >= $2"
            ))
            .bind(tenant_id).bind(Time(from)).bind(Time(to)).fetch_all(c).await?
        });
        let since = Time(from);
        let mut rest = 0;
        for part in handed_on.chunks(1000) {
            let calls: Vec<&str> = part.iter().map(|(call,)| &**call).collect();
            let legs = minutes::legs(reader.conn(), &calls, since).await?;
            let others = minutes::others(reader.conn(), &legs, since).await?;
            let own = minutes::by_call(legs).into_iter().filter(|((tenant, _), _)| *tenant == tenant_id);
            rest +=
                own.filter_map(|(_, legs)| minutes::count(&legs, &others)).map(|call| call.rest).sum::<i64>();
        }
        Ok(count(first + rest))
    }
}
