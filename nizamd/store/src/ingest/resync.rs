//! The phones that a switch has, against those that it told of.
//!
//! Events tell of each registration. Some may be missing all the same: dropped from a spool that was full, or told to a database that was
//! restored from an earlier day.
//!
//! What FreeSWITCH shows is the core's list, which has less than mod_sofia's: one phone of a user, or with `multiple-registrations` in
//! `switch.conf.xml` one of all that have the same Contact, whosever they are (`switch_core_sqldb.c:switch_core_add_registration`). So a
//! phone that is not shown may be there all the same. Its row ends when the registration does.

use std::collections::HashSet;

use nizam_core::call::{Registration, Wanted};
use uuid::Uuid;

use super::{known, live_rows};
use crate::Store;
use crate::error::StoreResult;

/// Phones of one transaction: others write meanwhile.
const TOGETHER: usize = 500;

/// What was not as the switch has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resynced {
    /// Phones that no row told of; gateways that are otherwise than their row, or have none.
    pub came: usize,
    /// Rows of phones that are shown with another Call-ID; of gateways that are not there.
    pub gone: usize,
}

/// A row: the domain, the user, the Call-ID and the Contact.
type Row = (String, String, String, Option<String>);

impl Store {
    /// Adds the phones that a switch shows and no row tells of. A row stays as it is where its phone is there: events know more of it. Those of users (domain
    /// and name) that changed since the switch was asked (`since`) are left alone.
    pub async fn resync_registrations(
        &self,
        switch: &str,
        shown: &[Registration],
        since: &HashSet<(String, String)>,
    ) -> StoreResult<Resynced> {
        let mut tx = self.db.write().await?;
        let rows: Vec<Row> = on!(tx.conn(), c => {
            sqlx::query_as(sql!("SELECT domain, user_name, call_id, contact FROM registrations WHERE switch_name = $1"))
                .bind(switch).fetch_all(c).await?
        });
        let wanted =
            Wanted { domains: shown.iter().map(|phone| phone.domain.clone()).collect(), ..Wanted::default() };
        let domains = known::read(&mut tx, &wanted, switch).await?.domains;
        tx.commit().await?;
        let there: HashSet<(&str, &str, &str)> =
            rows.iter().map(|(domain, user, call_id, _)| (&**domain, &**user, &**call_id)).collect();
        let live: HashSet<(&str, &str, &str)> = shown.iter().map(key).collect();
        let contacts: HashSet<(&str, &str, &str)> = shown.iter().filter_map(contact_key).collect();
        let untouched = |domain: &str, user: &str| !since.contains(&(domain.to_owned(), user.to_owned()));
        let mut changes: Vec<(Registration, Option<Uuid>)> = Vec::new();
        for (domain, user, call_id, contact) in &rows {
            let alive = live.contains(&(&**domain, &**user, &**call_id));
            // One that was restarted is shown with another Call-ID.
            let again =
                contact.as_deref().map(bare).is_some_and(|c| contacts.contains(&(&**domain, &**user, c)));
            if !alive && again && untouched(domain, user) {
                let (domain, user, call_id) = (domain.clone(), user.clone(), call_id.clone());
                changes.push((Registration { domain, user, call_id, ..Registration::default() }, None));
            }
        }
        let gone = changes.len();
        for phone in shown.iter().filter(|phone| !there.contains(&key(phone))) {
            let tenant =
                domains.get(&phone.domain).copied().filter(|_| untouched(&phone.domain, &phone.user));
            changes.extend(tenant.map(|tenant| (phone.clone(), Some(tenant))));
        }
        for part in changes.chunks(TOGETHER) {
            let mut tx = self.db.write().await?;
            live_rows::registrations(&mut tx, switch, part).await?;
            tx.commit().await?;
        }
        Ok(Resynced { came: changes.len() - gone, gone })
    }
}

fn key(phone: &Registration) -> (&str, &str, &str) {
    (&phone.domain, &phone.user, &phone.call_id)
}

fn contact_key(phone: &Registration) -> Option<(&str, &str, &str)> {
    Some((&phone.domain, &phone.user, bare(phone.contact.as_deref()?)))
}

/// A Contact without the name and the brackets around its URI.
fn bare(contact: &str) -> &str {
    let inside = contact.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    inside.map_or(contact, |(uri, _)| uri)
}
