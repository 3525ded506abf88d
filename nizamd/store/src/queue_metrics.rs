//! How queues do.

use uuid::Uuid;

use crate::Store;
use crate::audit::Actor;
use crate::column::Time;
use crate::error::StoreResult;
use crate::page::{Listed, Page, count};
use crate::write::Committed;

/// What happened in a queue in a stretch of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueCounts {
    /// Callers who are waiting now.
    pub waiting: u64,
    /// Callers who joined.
    pub offered: u64,
    /// Those who were answered.
    pub answered: u64,
    /// Those who hung up before.
    pub abandoned: u64,
    /// Seconds that those who were answered waited, together.
    pub waited: u64,
    /// The longest of these waits, in seconds.
    pub longest_wait: u64,
    /// Those who were answered within the threshold of the queue.
    pub in_time: u64,
    /// Active agents of the queue.
    pub agents: u64,
    /// Those of them who are busy.
    pub busy_agents: u64,
}

/// The figures of a queue for an hour or a day.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueMetric {
    /// Key of the row.
    pub id: Uuid,
    /// The tenant.
    pub tenant_id: Uuid,
    /// The queue.
    pub queue_id: Uuid,
    /// `hourly` or `daily`.
    pub period: String,
    /// When it began, microseconds since 1970.
    pub period_start: i64,
    /// Callers who joined, who were answered, who hung up before.
    pub calls: [u64; 3],
    /// Average wait, longest wait, service level, abandon rate, agent occupancy.
    pub figures: [f64; 5],
    /// Microseconds since 1970, UTC.
    pub created_at: i64,
    /// Microseconds since 1970, UTC.
    pub updated_at: i64,
}

#[derive(sqlx::FromRow)]
struct MetricRow {
    id: Uuid,
    tenant_id: Uuid,
    queue_id: Uuid,
    period: String,
    period_start: Time,
    calls_offered: i64,
    calls_answered: i64,
    calls_abandoned: i64,
    average_wait_time: f64,
    max_wait_time: f64,
    service_level: f64,
    abandon_rate: f64,
    agent_occupancy: f64,
    created_at: Time,
    updated_at: Time,
}

impl MetricRow {
    fn into_metric(self) -> QueueMetric {
        QueueMetric {
            id: self.id,
            tenant_id: self.tenant_id,
            queue_id: self.queue_id,
            period: self.period,
            period_start: self.period_start.0,
            calls: [count(self.calls_offered), count(self.calls_answered), count(self.calls_abandoned)],
            figures: [
                self.average_wait_time,
                self.max_wait_time,
                self.service_level,
                self.abandon_rate,
                self.agent_occupancy,
            ],
            created_at: self.created_at.0,
            updated_at: self.updated_at.0,
        }
    }
}

#[derive(sqlx::FromRow)]
struct CountsRow {
    waiting: i64,
    offered: i64,
    answered: i64,
    abandoned: i64,
    waited: i64,
    longest_wait: i64,
    in_time: i64,
    agents: i64,
    busy_agents: i64,
}

impl Store {
    /// What happened in a queue between two times, microseconds since 1970; who waits and who works is as of now.
    pub async fn queue_counts(
        &self,
        queue_id: Uuid,
        threshold: i64,
        from: i64,
        to: i64,
    ) -> StoreResult<QueueCounts> {
        let mut reader = self.db.reader().await?;
        let row: CountsRow = on!(reader.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT \
                 (SELECT count(*) FROM queue_entries WHERE queue_id = $1 AND status = 'waiting') AS waiting, \
                 count(*) AS offered, \
                 count(CASE WHEN status = 'answered' THEN 1 END) AS answered, \
                 count(CASE WHEN status = 'abandoned' THEN 1 END) AS abandoned, \
                 CAST(COALESCE(sum(CASE WHEN status = 'answered' THEN wait_duration END), 0) AS bigint) AS waited, \
                 CAST(COALESCE(max(CASE WHEN status = 'answered' THEN wait_duration END), 0) AS bigint) AS longest_wait, \
                 count(CASE WHEN status = 'answered' AND wait_duration <= $2 THEN 1 END) AS in_time, \
                 (SELECT count(*) FROM queue_members m JOIN agents a ON a.id = m.agent_id \
                  WHERE m.queue_id = $1 AND a.is_active = TRUE) AS agents, \
                 (SELECT count(*) FROM queue_members m JOIN agents a ON a.id = m.agent_id \
                  WHERE m.queue_id = $1 AND a.is_active = TRUE AND a.state = 'busy') AS busy_agents \
                 FROM queue_entries WHERE queue_id = $1 AND join_time >= $3 AND join_time < $4"
            ))
            .bind(queue_id).bind(threshold).bind(Time(from)).bind(Time(to)).fetch_one(c).await?
        });
        Ok(QueueCounts {
            waiting: count(row.waiting),
            offered: count(row.offered),
            answered: count(row.answered),
            abandoned: count(row.abandoned),
            waited: count(row.waited),
            longest_wait: count(row.longest_wait),
            in_time: count(row.in_time),
            agents: count(row.agents),
            busy_agents: count(row.busy_agents),
        })
    }

    /// Keeps the figures of a period; those that were kept before are replaced.
    #[expect(clippy::cast_possible_wrap, reason = "there are not so many calls")]
    pub async fn keep_queue_metric(
        &self,
        actor: &Actor,
        metric: QueueMetric,
    ) -> StoreResult<Committed<QueueMetric>> {
        let mut write = self.begin(actor).await?;
        let now = write.now;
        let [offered, answered, abandoned] = metric.calls.map(|n| n as i64);
        let [average, longest, level, rate, occupancy] = metric.figures;
        let row: MetricRow = on!(write.conn(), c => {
            sqlx::query_as(sql!(
                "INSERT INTO queue_metrics (id, tenant_id, queue_id, period, period_start, calls_offered, calls_answered, \
                 calls_abandoned, average_wait_time, max_wait_time, service_level, abandon_rate, agent_occupancy, \
                 created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14) \
                 ON CONFLICT (queue_id, period, period_start) DO UPDATE SET calls_offered = excluded.calls_offered, \
                 calls_answered = excluded.calls_answered, calls_abandoned = excluded.calls_abandoned, \
                 average_wait_time = excluded.average_wait_time, max_wait_time = excluded.max_wait_time, \
                 service_level = excluded.service_level, abandon_rate = excluded.abandon_rate, \
                 agent_occupancy = excluded.agent_occupancy, updated_at = excluded.updated_at \
                 RETURNING id, tenant_id, queue_id, period, period_start, calls_offered, calls_answered, calls_abandoned, \
                 average_wait_time, max_wait_time, service_level, abandon_rate, agent_occupancy, created_at, updated_at"
            ))
            .bind(Uuid::now_v7())
            .bind(metric.tenant_id)
            .bind(metric.queue_id)
            .bind(&metric.period)
            .bind(Time(metric.period_start))
            .bind(offered)
            .bind(answered)
            .bind(abandoned)
            .bind(average)
            .bind(longest)
            .bind(level)
            .bind(rate)
            .bind(occupancy)
            .bind(Time(now))
            .fetch_one(c)
            .await?
        });
        write.commit_quietly(row.into_metric()).await
    }

    /// The figures of a queue that were kept, the newest first.
    pub async fn queue_metrics(
        &self,
        tenant_id: Uuid,
        queue_id: Uuid,
        period: Option<&str>,
        page: Page,
    ) -> StoreResult<Listed<QueueMetric>> {
        let mut tx = self.db.snapshot().await?;
        let (total,): (i64,) = on!(tx.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT count(*) FROM queue_metrics \
                 WHERE tenant_id = $1 AND queue_id = $2 AND period = COALESCE($3, period)"
            ))
            .bind(tenant_id).bind(queue_id).bind(period).fetch_one(c).await?
        });
        let rows: Vec<MetricRow> = on!(tx.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT id, tenant_id, queue_id, period, period_start, calls_offered, calls_answered, calls_abandoned, \
                 average_wait_time, max_wait_time, service_level, abandon_rate, agent_occupancy, created_at, updated_at \
                 FROM queue_metrics WHERE tenant_id = $1 AND queue_id = $2 AND period = COALESCE($3, period) \
                 ORDER BY period_start DESC, id DESC LIMIT $4 + 0 OFFSET $5"
            ))
            .bind(tenant_id).bind(queue_id).bind(period).bind(page.limit()).bind(page.offset())
            .fetch_all(c).await?
        });
        Ok(Listed { rows: rows.into_iter().map(MetricRow::into_metric).collect(), total: count(total) })
    }
}
