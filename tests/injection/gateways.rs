//! Gateways whose logins are hostile.

use std::time::Duration;

use serde_json::{Value, json};

use super::Found;
use super::taken::taken;
use crate::support::{Site, until};

/// So many: mod_sofia reads all of them again for each new one.
const MOST: usize = 40;

/// The names by which mod_sofia knows them, and their realms.
pub(crate) struct Gateways(Vec<(String, String)>);

impl Gateways {
    /// For some of the texts.
    pub(crate) fn make(site: &Site, tenant: &str, texts: &[String]) -> Self {
        let path = format!("/tenants/{tenant}/gateways");
        let some = texts.iter().step_by(texts.len() / MOST);
        let made = some.zip(0..).map(|(text, n)| {
            let body = json!({
                "name": format!("gateway {n}"), "host": "192.0.2.1", "register": false, "username": text, "password": text, "realm": text,
            });
            let (made, body) = taken(site, &path, body, |body: &mut Value, field| {
                body.as_object_mut().unwrap().remove(field).expect("the field was sent");
            });
            let realm = body["realm"].as_str().unwrap_or_default().trim();
            (format!("{}-1", made["id"].as_str().unwrap()), realm.to_owned())
        });
        Self(made.collect())
    }

    /// What mod_sofia has.
    pub(crate) fn look_up(&self, site: &mut Site, found: &mut Found) {
        for (name, realm) in &self.0 {
            let status = until("mod_sofia has the gateway", Duration::from_mins(1), || {
                let status = site.switch.api(&format!("sofia status gateway {name}"));
                status.contains("Realm").then_some(status)
            });
            let line = status.lines().find(|line| line.starts_with("Realm")).unwrap_or_default();
            let has = line.split_once('\t').map_or("", |(_, value)| value);
            // Without one mod_sofia takes what it is told of the proxy.
            let want = if realm.is_empty() { "192.0.2.1:5060;transport=udp" } else { realm };
            found.compare(&format!("realm of {name}"), want, has);
        }
    }
}
