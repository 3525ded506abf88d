//! Hostile strings in what FreeSWITCH asks: numbers, callers, users, contexts, menus.

use nizam_engine::{Channel, DialplanQuestion, DirectoryQuestion};
use serde_json::json;

use crate::document::Node;
use crate::lookup::{dialplan, directory, menu};
use crate::site::Site;
use crate::tally::Tally;
use crate::town::Town;

/// A channel on which every variable is the string.
struct Everywhere<'t>(&'t [u8]);

impl Channel for Everywhere<'_> {
    fn variable(&self, _: &str) -> Option<&[u8]> {
        Some(self.0)
    }
}

/// Asks with each string. What comes back has nothing of it in it but what a number is made of.
pub(crate) async fn ask(site: &Site, strings: &[String], sum: &mut Tally) {
    let town = Town::build(site, "asked").await;
    let (domain, engine) = (town.domain.as_bytes(), &site.engine);
    let at = |kind: &str| format!("/tenants/{}/{kind}", town.tenant);
    let all = json!({"name": "all", "patterns": ["X.", "*.", "#.", "+."], "gateways": [town.gateway]});
    site.make(&at("outbound-routes"), all).await;
    let did = json!({"number": "+15559990000", "destination_type": "call_flow", "destination_id": town.flow});
    site.make(&at("dids"), did).await;
    for text in strings {
        let bytes = text.as_bytes();
        let channel = Everywhere(bytes);
        let plain = DialplanQuestion {
            context: Some(domain),
            number: Some(b"7002"),
            caller: Some(b"7001"),
            caller_domain: Some(domain),
            caller_number: Some(b"7001"),
            now: 1_893_758_400,
            ..DialplanQuestion::default()
        };
        let public = DialplanQuestion {
            context: Some(b"public"),
            number: Some(b"+15559990000"),
            caller: None,
            ..plain
        };
        let prefixed = ["nizam:", text].concat();
        let step = format!("nizam:flow:{}:{text}", town.flow);
        let direct = format!("nizam:direct:{}:{text}", town.menu);
        let waiting = format!("nizam:queue:{}:{text}", town.queue);
        let calls = [
            ("number", DialplanQuestion { number: Some(bytes), ..plain }),
            ("number without a caller", DialplanQuestion { number: Some(bytes), caller: None, ..plain }),
            ("continuation", DialplanQuestion { number: Some(prefixed.as_bytes()), ..plain }),
            ("step", DialplanQuestion { number: Some(step.as_bytes()), ..plain }),
            ("waiting", DialplanQuestion { number: Some(waiting.as_bytes()), ..plain }),
            ("direct", DialplanQuestion { number: Some(direct.as_bytes()), ..plain }),
            ("caller number", DialplanQuestion { caller_number: Some(bytes), ..plain }),
            ("caller", DialplanQuestion { caller: Some(bytes), ..plain }),
            ("domain of the caller", DialplanQuestion { caller_domain: Some(bytes), ..plain }),
            ("context", DialplanQuestion { context: Some(bytes), ..plain }),
            ("variables", DialplanQuestion { channel: &channel, admitted: Some(bytes), ..plain }),
            ("number from outside", DialplanQuestion { number: Some(bytes), ..public }),
            ("gateway", DialplanQuestion { gateway: Some(bytes), ..public }),
            ("address", DialplanQuestion { address: Some(bytes), ..public }),
            ("caller number from outside", DialplanQuestion { caller_number: Some(bytes), ..public }),
        ];
        for (what, question) in calls {
            sum.lookups += 1;
            let found = dialplan(engine, &question)
                .and_then(|root| root.map_or(Ok(()), |root| is_free_of(&root, text)));
            sum.others.extend(found.err().map(|why| format!("{text:?} as {what}: {why}")));
        }
        let user = DirectoryQuestion::user(b"7001", domain);
        let lookups = [
            ("user", DirectoryQuestion { user: Some(bytes), ..user }),
            ("domain", DirectoryQuestion { domain: Some(bytes), ..user }),
            ("key", DirectoryQuestion { key: Some(bytes), ..user }),
            ("alias", DirectoryQuestion { user: Some(bytes), key: Some(b"number-alias"), ..user }),
            ("action", DirectoryQuestion { action: Some(bytes), ..user }),
            ("tag", DirectoryQuestion { tag: Some(bytes), ..user }),
            ("purpose", DirectoryQuestion { purpose: Some(bytes), key: None, ..user }),
            ("group", DirectoryQuestion { group_name: Some(bytes), key: None, ..user }),
            ("calling function", DirectoryQuestion { calling_function: Some(bytes), key: None, ..user }),
            (
                "to and from",
                DirectoryQuestion {
                    action: Some(b"sip_auth"),
                    method: Some(b"REGISTER"),
                    to_user: Some(bytes),
                    to_host: Some(bytes),
                    from_user: Some(bytes),
                    from_host: Some(bytes),
                    ..user
                },
            ),
            ("method", DirectoryQuestion { action: Some(b"sip_auth"), method: Some(bytes), ..user }),
        ];
        for (what, question) in lookups {
            sum.lookups += 1;
            let found = directory(engine, &question)
                .and_then(|root| root.map_or(Ok(()), |root| is_free_of(&root, text)));
            sum.others.extend(found.err().map(|why| format!("{text:?} as {what}: {why}")));
        }
        sum.lookups += 1;
        if let Some(found) = menu(engine, bytes).transpose() {
            sum.others.push(format!("{text:?} as a menu: {found:?}"));
        }
    }
}

/// Whether nothing of a text is in an answer, but what names and numbers are made of.
fn is_free_of(root: &Node, text: &str) -> Result<(), String> {
    let word = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+*#_".contains(&byte));
    // A few characters are in many answers by themselves.
    if word || text.chars().count() < 4 {
        return Ok(());
    }
    if let Some((name, value)) = root.attributes.iter().find(|(_, value)| value.contains(text)) {
        return Err(format!("{name}={value:?}"));
    }
    root.children.iter().try_for_each(|child| is_free_of(child, text))
}
