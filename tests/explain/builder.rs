//! Random rows of one tenant.

use serde_json::{Map, Value, json};

use super::Dice;
use super::home::Home;
use super::town::CALLERS;
use crate::support::{Account, Site};

const KINDS: [&str; 8] = [
    "extension",
    "voicemail",
    "ring_group",
    "time_condition",
    "call_routing_policy",
    "ivr",
    "queue",
    "call_flow",
];
/// An id that nothing has.
const NOTHING: &str = "01a20aae-2581-7493-8338-95384ee213be";

/// A tenant and what can be dialled in it.
pub(super) struct Tenant {
    pub(super) id: String,
    pub(super) accounts: Vec<Account>,
    /// As digits of E.164.
    pub(super) dids: Vec<String>,
    pub(super) numbers: Vec<String>,
    /// Destinations: kind and id.
    pub(super) targets: Vec<(&'static str, String)>,
    pub(super) home: &'static Home,
}

/// Makes the rows of one tenant. Later ones lead to earlier ones, and one pair to each other.
pub(super) struct Builder<'a> {
    site: &'a Site,
    dice: &'a mut Dice,
    /// Where carriers listen.
    ports: &'a [u16],
    pub(super) gateways: Vec<String>,
    pub(super) tenant: Tenant,
}

impl<'a> Builder<'a> {
    pub(super) fn new(
        site: &'a Site,
        dice: &'a mut Dice,
        home: &'static Home,
        n: usize,
        ports: &'a [u16],
    ) -> Self {
        let domain = format!("town{n}.test");
        let rest = site.nizamd.rest();
        let id = rest.create_tenant(&domain);
        // High enough for all calls, and low enough to be there.
        let limits = json!({"max_concurrent_calls": 900 * dice.below(2), "max_calls_per_minute": 9000 * dice.below(2)});
        rest.change_tenant(&id, &limits);
        let mut settings =
            json!({"ring_timeout": 5, "caller_id_number": format!("+{}000000", home.international)});
        if let Some(country) = home.country {
            settings["country"] = json!(country);
        }
        if dice.chance(50) {
            settings["class_limits"] = json!({"international": 100});
        }
        rest.settings(&id, &settings);
        let tenant = Tenant {
            id,
            accounts: Vec::new(),
            dids: Vec::new(),
            numbers: Vec::new(),
            targets: Vec::new(),
            home,
        };
        let mut builder = Self { site, dice, ports, gateways: Vec::new(), tenant };
        builder.extensions(&domain);
        builder
    }

    fn extensions(&mut self, domain: &str) {
        for n in 0..8 {
            let number = format!("20{n:02}");
            let mut more = json!({
                "voicemail_enabled": self.dice.chance(40), "voicemail_pin": "4711",
                "max_channels": 500 * self.dice.below(2),
            });
            if self.dice.chance(50) {
                let classes = self.dice.some(&["local", "national", "international", "premium", "mobile"], 4);
                more["toll_allow"] = json!(classes);
            }
            if self.dice.chance(30) {
                more["outbound_caller_id_number"] =
                    json!(format!("+{}{n}00000", self.tenant.home.international));
                more["effective_caller_id_name"] = json!(format!("Name of {n}"));
            }
            let account = self.site.extension_with(&self.tenant.id, domain, &number, &more);
            match self.dice.below(4) {
                0 | 1 => self.site.register_at(&account, self.ports[0]),
                2 => self.site.register_at(&account, self.ports[1]),
                _ => {}
            }
            self.tenant.targets.push(("extension", account.id.clone()));
            self.tenant.targets.push(("voicemail", account.id.clone()));
            self.tenant.accounts.push(account);
        }
        // Nobody calls as this one; it only leads nowhere.
        let inactive =
            self.site.extension_with(&self.tenant.id, domain, "2099", &json!({"is_active": false}));
        self.tenant.targets.push(("extension", inactive.id));
        self.tenant.numbers.push("2099".to_owned());
    }

    pub(super) fn fill(&mut self) {
        for n in 0..4 {
            self.group(n);
            self.time_condition(n);
        }
        for n in 0..3 {
            self.queue(n);
            self.menu(n);
            self.policy(n);
            self.flow(n);
        }
        self.circle();
        self.outbound();
        self.blacklist();
        for _ in 0..16 {
            self.did();
        }
    }

    fn make(&mut self, kind: &str, body: &Value) -> String {
        self.site.nizamd.rest().create(&self.tenant.id, kind, body)
    }

    /// A random destination, in fields with that prefix.
    fn target(&mut self, prefix: &str) -> Map<String, Value> {
        let (kind, id) = self.dice.one(&self.tenant.targets).clone();
        fields(prefix, kind, &id)
    }

    fn add(&mut self, kind: &'static str, path: &str, body: &Value) {
        let id = self.make(path, body);
        self.tenant.targets.push((kind, id));
    }

    /// Some extensions.
    fn members(&mut self) -> Vec<String> {
        let ids: Vec<String> = self.tenant.accounts.iter().map(|account| account.id.clone()).collect();
        self.dice.some(&ids, 3)
    }

    fn group(&mut self, n: usize) {
        let number = format!("60{n}");
        let strategy = *self.dice.one(&["simultaneous", "sequential"]);
        let mut body = json!({
            "name": number, "number": number, "strategy": strategy, "ring_timeout": 5, "members": self.members(),
        });
        if self.dice.chance(60) {
            extend(&mut body, self.target("fallback_"));
        }
        self.add("ring_group", "ring-groups", &body);
        self.tenant.numbers.push(number);
    }

    fn time_condition(&mut self, n: usize) {
        let days = self.dice.some(&["mon", "tue", "wed", "thu", "fri", "sat", "sun"], 6).join(",");
        let rule = if self.dice.chance(70) {
            json!({"wday": days})
        } else {
            json!({"time_from": "08:00", "time_to": "20:00"})
        };
        let mut body = json!({"name": format!("time {n}"), "conditions": [rule]});
        if self.dice.chance(90) {
            extend(&mut body, self.target("match_"));
        }
        if self.dice.chance(90) {
            extend(&mut body, self.target("no_match_"));
        }
        self.add("time_condition", "time-conditions", &body);
    }

    fn queue(&mut self, n: usize) {
        let strategy = *self.dice.one(&["ring_all", "round_robin", "least_recent"]);
        let body = json!({"name": format!("queue {n}"), "strategy": strategy, "max_wait_time": 30});
        let id = self.make("queues", &body);
        // An extension has one agent.
        for account in self.tenant.accounts.clone().iter().skip(n * 2).take(2) {
            let state = *self.dice.one(&["available", "available", "offline"]);
            let body = json!({"extension_id": account.id, "name": account.number, "state": state});
            let agent = self.make("agents", &body);
            let body = json!({"agent_id": agent, "priority": self.dice.below(3)});
            let path = format!("/tenants/{}/queues/{id}/members", self.tenant.id);
            self.site.nizamd.rest().call(&reqwest::Method::POST, &path, &body);
        }
        self.tenant.targets.push(("queue", id));
    }

    fn menu(&mut self, n: usize) {
        let number = format!("70{n}");
        let mut option = self.target("");
        option.insert("digit".to_owned(), json!("1"));
        let mut body = json!({"name": number, "number": number, "options": [option], "direct_dial": self.dice.chance(50)});
        if self.dice.chance(50) {
            extend(&mut body, self.target("timeout_"));
        }
        self.add("ivr", "ivrs", &body);
        self.tenant.numbers.push(number);
    }

    /// A policy that a DID leads to, and which so decides on no other calls.
    fn policy(&mut self, n: usize) {
        let pattern = *self.dice.one(&["+49*", "20*", "*", "+1*"]);
        let conditions = json!([{"type": "caller_id_pattern", "params": {"pattern": pattern}}]);
        let mut body = json!({"name": format!("policy {n}"), "conditions": conditions, "is_active": false});
        extend(&mut body, self.target("match_"));
        if self.dice.chance(60) {
            extend(&mut body, self.target("no_match_"));
        }
        let id = self.make("call-routing-policies", &body);
        let number = format!("{}9900{n}", self.tenant.home.international);
        let mut did = json!({"number": format!("+{number}")});
        extend(&mut did, fields("", "call_routing_policy", &id));
        self.make("dids", &did);
        self.site.nizamd.rest().change(
            &self.tenant.id,
            "call-routing-policies",
            &id,
            &json!({"is_active": true}),
        );
        self.tenant.dids.push(number);
        self.tenant.targets.push(("call_routing_policy", id));
    }

    fn flow(&mut self, n: usize) {
        let number = format!("80{n}");
        let names = ["a", "b", "c", "d", "e"];
        let last = Value::Object(fields("", "extension", &self.tenant.accounts[n].id.clone()));
        let mut nodes = Vec::new();
        for (name, after) in names.iter().zip(names.iter().skip(1)) {
            // Now and then back to the start.
            let next = if self.dice.chance(8) { "a" } else { after };
            let (kind, data, next) = match self.dice.below(7) {
                0 => ("play_prompt", json!({"file": "tone_stream://%(100,0,400)"}), json!(next)),
                1 => ("set_variable", json!({"name": "x", "value": self.dice.digits(1)}), json!(next)),
                2 => {
                    let case = json!({"variable": "x", "equals": self.dice.digits(1), "next": "e"});
                    ("branch", json!({"branches": [case], "default": next}), Value::Null)
                }
                3 => ("webhook", json!({"url": "https://hooks.example.org/x"}), json!(next)),
                4 => ("record", json!({"max_seconds": 1}), json!(next)),
                5 => ("collect_input", json!({"timeout": 1}), json!({"1": "d", "default": next})),
                _ => ("bridge", Value::Object(self.target("")), json!(next)),
            };
            nodes.push(json!({"id": name, "type": kind, "data": data, "next": next}));
        }
        nodes.push(json!({"id": "e", "type": "bridge", "data": last, "next": null}));
        self.add("call_flow", "call-flows", &json!({"name": number, "number": number, "nodes": nodes}));
        self.tenant.numbers.push(number);
    }

    /// Two time conditions that lead to each other.
    fn circle(&mut self) {
        let body = |name: &str, to: Map<String, Value>| {
            let mut body = json!({"name": name, "conditions": [{"time_from": "00:00", "time_to": "00:00"}]});
            extend(&mut body, to);
            body
        };
        let to = fields("no_match_", "extension", &self.tenant.accounts[0].id.clone());
        let one = self.make("time-conditions", &body("one", to));
        let other = self.make("time-conditions", &body("other", fields("no_match_", "time_condition", &one)));
        let back = body("one", fields("no_match_", "time_condition", &other));
        self.site.nizamd.rest().change(&self.tenant.id, "time-conditions", &one, &back);
        self.tenant.targets.push(("time_condition", one));
    }

    fn outbound(&mut self) {
        let ports = self.ports.to_vec();
        let gateways: Vec<String> = ports
            .iter()
            .zip(0..)
            .map(|(port, n)| {
                let body = json!({
                    "name": format!("gateway {n}"), "host": "127.0.0.1", "port": port, "register": false,
                });
                self.make("gateways", &body)
            })
            .collect();
        for (patterns, class) in [
            (json!(["0.", "+49."]), "national"),
            (json!(["00.", "+."]), "international"),
            (json!(["0900."]), "premium"),
            (json!(["5XXX", "5XXXXX", "5."]), "local"),
            (json!(["7N."]), "mobile"),
        ] {
            let mut body = json!({
                "name": class, "patterns": patterns, "class": class, "priority": self.dice.below(3),
                "gateways": self.dice.some(&gateways, 3),
                "caller_id": self.dice.one(&["extension", "tenant", "trunk"]),
            });
            if self.dice.chance(40) {
                body["strip"] = json!(1);
                body["prepend"] = json!("99");
            }
            self.make("outbound-routes", &body);
        }
        self.gateways.extend(gateways);
    }

    /// Some callers are refused before anything else.
    fn blacklist(&mut self) {
        let numbers = json!({"numbers": [self.dice.one(&CALLERS), "2007"]});
        let conditions = json!([{"type": "blacklist", "params": numbers}]);
        self.make("call-routing-policies", &json!({"name": "blacklist", "conditions": conditions}));
    }

    fn did(&mut self) {
        let number = format!("{}{}", self.tenant.home.international, 10_000 + self.tenant.dids.len());
        let (kind, id) = if self.dice.chance(10) {
            (*self.dice.one(&KINDS), NOTHING.to_owned())
        } else {
            self.dice.one(&self.tenant.targets).clone()
        };
        let mut body = json!({"number": format!("+{number}")});
        extend(&mut body, fields("", kind, &id));
        self.make("dids", &body);
        self.tenant.dids.push(number);
    }
}

fn fields(prefix: &str, kind: &str, id: &str) -> Map<String, Value> {
    let kind = (format!("{prefix}destination_type"), json!(kind));
    [kind, (format!("{prefix}destination_id"), json!(id))].into_iter().collect()
}

fn extend(body: &mut Value, more: Map<String, Value>) {
    body.as_object_mut().unwrap().extend(more);
}
