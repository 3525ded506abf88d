//! A tenant in which there is something of everything that calls need.

use serde_json::json;

use crate::site::Site;

/// The tenant, and the ids of its rows. Its numbers are in no hostile string.
#[derive(Clone, Debug)]
pub(crate) struct Town {
    pub(crate) tenant: String,
    pub(crate) domain: String,
    /// The id of 7001, the extension that calls. It has a mailbox.
    pub(crate) caller: String,
    /// The id of 7002.
    pub(crate) other: String,
    pub(crate) gateway: String,
    pub(crate) queue: String,
    pub(crate) holiday: String,
    /// A flow and a menu that speak.
    pub(crate) flow: String,
    pub(crate) menu: String,
}

/// The country behind the outbound route.
pub(crate) const ABROAD: &str = "00390612345678";

impl Town {
    pub(crate) async fn build(site: &Site, name: &str) -> Self {
        let domain = format!("{name}.injection.test");
        let settings = json!({"tts_engine": "flite", "tts_voice": "kal"});
        let tenant = site.make("/tenants", json!({"name": name, "domain": domain})).await;
        let at = |kind: &str| format!("/tenants/{tenant}/{kind}");
        let put = site.send(reqwest::Method::PUT, &at("settings"), Some(&settings)).await;
        assert_eq!(put.status, 200, "{put:?}");
        let extension = |number: &str| {
            json!({
                "extension": number, "password": "a-good-password", "directory_first_name": "First", "directory_last_name": "Last",
                "voicemail_enabled": true, "voicemail_pin": "0815",
            })
        };
        let caller = site.make(&at("extensions"), extension("7001")).await;
        let other = site.make(&at("extensions"), extension("7002")).await;
        let gateway = json!({"name": "base", "host": "192.0.2.1", "register": false});
        let gateway = site.make(&at("gateways"), gateway).await;
        let route = json!({"name": "base", "patterns": ["0039."], "priority": 0, "gateways": [gateway]});
        site.make(&at("outbound-routes"), route).await;
        // Without it the gateways are tried in the order of their names.
        let route =
            json!({"name": "emergency", "patterns": ["112"], "class": "emergency", "gateways": [gateway]});
        site.make(&at("outbound-routes"), route).await;
        let queue = site.make(&at("queues"), json!({"name": "base"})).await;
        let holiday = site.make(&at("holidays"), json!({"name": "base", "dates": ["02-03"]})).await;
        let words = json!({"id": "a", "type": "play_prompt", "data": {"text": "Words of the base"}});
        let flow = site.make(&at("call-flows"), json!({"name": "base", "nodes": [words]})).await;
        let option = json!({"digit": "1", "destination_type": "extension", "destination_id": other});
        let menu = json!({"name": "base", "greet_long": "say:Words of the base", "options": [option]});
        let menu = site.make(&at("ivrs"), menu).await;
        Self { tenant, domain, caller, other, gateway, queue, holiday, flow, menu }
    }
}
