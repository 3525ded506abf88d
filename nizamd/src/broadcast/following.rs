//! The tenants that a socket follows: mostly one, more where an admin watches several.

use std::future::{Future as _, pending, poll_fn};
use std::task::Poll;

use nizam_store::StoreResult;
use uuid::Uuid;

use crate::events::{Follower, Hub, Kind, Next, Seat};

/// The tenants that a socket follows.
#[derive(Default)]
pub(super) struct Following(Vec<One>);

struct One {
    tenant: Uuid,
    follower: Follower,
    _seat: Seat,
}

impl Following {
    /// Follows a tenant from now on, unless it does so already; gives the number of the last event that it was handed. `None` if the tenant
    /// has all the sockets that it may have.
    pub(super) async fn follow(&mut self, hub: &Hub, tenant: Uuid) -> StoreResult<Option<i64>> {
        if let Some(one) = self.0.iter().find(|one| one.tenant == tenant) {
            return Ok(Some(one.follower.position()));
        }
        let Some(seat) = hub.seat(tenant, Kind::Socket) else { return Ok(None) };
        let follower = hub.follow(tenant, None).await?;
        let position = follower.position();
        self.0.push(One { tenant, follower, _seat: seat });
        Ok(Some(position))
    }

    /// Follows only those tenants any more.
    pub(super) fn retain(&mut self, wanted: impl Fn(Uuid) -> bool) {
        self.0.retain(|one| wanted(one.tenant));
    }

    /// What comes next of any of them; waits for it, for ever if there is none. It may be given up while it waits.
    pub(super) async fn next(&mut self) -> StoreResult<Next> {
        match &mut *self.0 {
            [] => pending().await,
            [one] => one.follower.next().await,
            many => {
                let mut waiting: Vec<_> = many.iter_mut().map(|one| Box::pin(one.follower.next())).collect();
                poll_fn(|context| {
                    let ready = |next: Poll<_>| if let Poll::Ready(next) = next { Some(next) } else { None };
                    let next = waiting.iter_mut().find_map(|next| ready(next.as_mut().poll(context)));
                    next.map_or(Poll::Pending, Poll::Ready)
                })
                .await
            }
        }
    }
}
