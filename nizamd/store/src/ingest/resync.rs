//! The phones that a switch has, against those that it told of.
//!
//! Events tell of each registration. Some may be missing all the same: dropped from a spool that was full, or told to a database that was
//! restored from an earlier day.

use std::collections::HashSet;

use nizam_core::call::{Registration, Wanted};
use uuid::Uuid;

use super::{known, live_rows};
use crate::Store;
use crate::error::StoreResult;

/// What was not as the switch has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resynced {
    /// Phones that no row told of.
    pub came: usize,
    /// Rows of which there was no phone.
    pub gone: usize,
}

impl Store {
    /// Makes the rows of a switch those that it shows. A row stays as it is where its phone is there: events know more of it.
    pub async fn resync_registrations(&self, switch: &str, shown: &[Registration]) -> StoreResult<Resynced> {
        let mut tx = self.db.write().await?;
        let rows: Vec<(String, String, String)> = on!(tx.conn(), c => {
            sqlx::query_as(sql!("SELECT domain, user_name, call_id FROM registrations WHERE switch_name = $1"))
                .bind(switch).fetch_all(c).await?
        });
        let there: HashSet<&str> = rows.iter().map(|(_, _, call_id)| &**call_id).collect();
        let live: HashSet<&str> = shown.iter().map(|phone| &*phone.call_id).collect();
        // FreeSWITCH may show but one of several phones of a user (`multiple-registrations` in `switch.conf.xml`).
        let users: HashSet<(&str, &str)> = shown.iter().map(|phone| (&*phone.domain, &*phone.user)).collect();
        let wanted =
            Wanted { domains: shown.iter().map(|phone| phone.domain.clone()).collect(), ..Wanted::default() };
        let domains = known::read(&mut tx, &wanted, switch).await?.domains;
        let mut changes: Vec<(Registration, Option<Uuid>)> = Vec::new();
        for phone in shown.iter().filter(|phone| !there.contains(&*phone.call_id)) {
            let tenant = domains.get(&phone.domain).copied();
            changes.extend(tenant.map(|tenant| (phone.clone(), Some(tenant))));
        }
        let came = changes.len();
        for (domain, user, call_id) in &rows {
            if !live.contains(&**call_id) && !users.contains(&(&**domain, &**user)) {
                let (domain, user, call_id) = (domain.clone(), user.clone(), call_id.clone());
                changes.push((Registration { domain, user, call_id, ..Registration::default() }, None));
            }
        }
        live_rows::registrations(&mut tx, switch, &changes).await?;
        tx.commit().await?;
        Ok(Resynced { came, gone: changes.len() - came })
    }
}
