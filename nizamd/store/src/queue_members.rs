//! Which agents answer for which queue.

use std::iter::empty;

use nizam_core::Kind;
use nizam_core::model::{AuditAction, Touched};
use nizam_core::resource::QUEUE;
use uuid::Uuid;

use crate::Store;
use crate::audit::Actor;
use crate::column::Time;
use crate::error::{StoreError, StoreResult};
use crate::outbox::Told;
use crate::page::count;
use crate::tenants;
use crate::write::{Committed, Write};

/// An agent of a queue.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub struct QueueMember {
    /// The agent.
    pub agent_id: Uuid,
    /// The agent's name.
    pub name: String,
    /// `agent` or `supervisor`.
    pub role: String,
    /// What the agent is doing.
    pub state: String,
    /// The lowest is asked first.
    pub priority: i64,
    /// The number of the agent's extension.
    pub extension: String,
}

/// What became of a new member. Where nothing was changed nothing is kept either, not even the key of the request.
#[derive(Debug)]
pub enum Joined {
    /// It is one now.
    New(Committed<()>),
    /// It was one before.
    Before,
    /// The tenant has no such agent.
    NoAgent,
}

impl Store {
    /// The agents of a queue, in the order in which they are asked.
    pub async fn queue_members(&self, tenant_id: Uuid, queue_id: Uuid) -> StoreResult<Vec<QueueMember>> {
        let mut reader = self.db.reader().await?;
        Ok(on!(reader.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT m.agent_id, a.name, a.role, a.state, m.priority, e.extension FROM queue_members m \
                 JOIN queues q ON q.id = m.queue_id JOIN agents a ON a.id = m.agent_id \
                 JOIN extensions e ON e.id = a.extension_id \
                 WHERE q.tenant_id = $1 AND m.queue_id = $2 ORDER BY m.priority, a.name, a.id"
            ))
            .bind(tenant_id).bind(queue_id).fetch_all(c).await?
        }))
    }

    /// How many agents each queue of a tenant has; queues without any are left out.
    pub async fn queue_sizes(&self, tenant_id: Uuid) -> StoreResult<Vec<(Uuid, u64)>> {
        let mut reader = self.db.reader().await?;
        let rows: Vec<(Uuid, i64)> = on!(reader.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT m.queue_id, count(*) FROM queue_members m JOIN queues q ON q.id = m.queue_id \
                 WHERE q.tenant_id = $1 GROUP BY m.queue_id"
            ))
            .bind(tenant_id).fetch_all(c).await?
        });
        Ok(rows.into_iter().map(|(id, n)| (id, count(n))).collect())
    }

    /// Puts an agent of a tenant into a queue of the same tenant.
    pub async fn join_queue(
        &self,
        actor: &Actor,
        tenant_id: Uuid,
        queue_id: Uuid,
        agent_id: Uuid,
        priority: i64,
    ) -> StoreResult<Joined> {
        let mut write = self.begin(actor).await?;
        tenants::lock(write.conn(), tenant_id).await?;
        let now = write.now;
        let (queue, agent): (bool, bool) = on!(write.conn(), c => {
            sqlx::query_as(sql!(
                "SELECT EXISTS (SELECT 1 FROM queues WHERE tenant_id = $1 AND id = $2), \
                 EXISTS (SELECT 1 FROM agents WHERE tenant_id = $1 AND id = $3)"
            ))
            .bind(tenant_id).bind(queue_id).bind(agent_id).fetch_one(c).await?
        });
        if !queue {
            return Err(StoreError::NotFound);
        }
        if !agent {
            return Ok(Joined::NoAgent);
        }
        let new = on!(write.conn(), c => {
            sqlx::query(sql!(
                "INSERT INTO queue_members (id, queue_id, agent_id, priority, created_at, updated_at) \
                 VALUES ($1, $2, $3, $4, $5, $5) ON CONFLICT DO NOTHING"
            ))
            .bind(Uuid::now_v7()).bind(queue_id).bind(agent_id).bind(priority).bind(Time(now))
            .execute(c).await?.rows_affected()
        });
        if new == 0 {
            return Ok(Joined::Before);
        }
        members_changed(&mut write, tenant_id, queue_id);
        Ok(Joined::New(write.commit(()).await?))
    }

    /// Takes an agent out of a queue; it need not be in it.
    pub async fn leave_queue(
        &self,
        actor: &Actor,
        tenant_id: Uuid,
        queue_id: Uuid,
        agent_id: Uuid,
    ) -> StoreResult<Committed<()>> {
        let mut write = self.begin(actor).await?;
        tenants::lock(write.conn(), tenant_id).await?;
        let left = on!(write.conn(), c => {
            sqlx::query(sql!(
                "DELETE FROM queue_members WHERE agent_id = $3 \
                 AND queue_id IN (SELECT id FROM queues WHERE tenant_id = $1 AND id = $2)"
            ))
            .bind(tenant_id).bind(queue_id).bind(agent_id).execute(c).await?.rows_affected()
        });
        if left > 0 {
            members_changed(&mut write, tenant_id, queue_id);
        }
        write.commit(()).await
    }
}

/// A queue has other members. That is not audited, but told.
pub(crate) fn members_changed(write: &mut Write<'_>, tenant_id: Uuid, queue_id: Uuid) {
    write.touch([Touched::Row { tenant_id, kind: Kind::Queue, id: queue_id }]);
    write.told.extend(Told::of(tenant_id, QUEUE.model, AuditAction::Updated, (queue_id, ""), empty()));
}
