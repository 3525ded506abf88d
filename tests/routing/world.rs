//! A site with a tenant, and short words for what the cases do with it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Account, Call, Callee, Caller, Events, Manner, Site, Told, until};

/// Longer than anything that a case waits for.
pub(super) const SOON: Duration = Duration::from_secs(40);

/// The site, its events, and the tenant that most cases are about.
pub(super) struct World {
    pub(super) site: Site,
    pub(super) events: Events,
    pub(super) tenant: String,
    pub(super) domain: &'static str,
}

impl World {
    pub(super) fn start(domain: &'static str, settings: &Value) -> Self {
        let site = Site::start();
        let events = site.switch.events();
        let tenant = site.tenant(domain);
        if settings.as_object().is_some_and(|settings| !settings.is_empty()) {
            site.nizamd.rest().settings(&tenant, settings);
        }
        Self { site, events, tenant, domain }
    }

    /// An extension of the tenant, with these further fields.
    pub(super) fn extension(&self, number: &str, more: &Value) -> Account {
        self.site.extension_with(&self.tenant, self.domain, number, more)
    }

    /// An extension with a phone.
    pub(super) fn phone(&self, number: &str, manner: Manner, more: &Value) -> (Account, Callee) {
        let account = self.extension(number, more);
        let phone = self.site.phone_that(&account, manner);
        (account, phone)
    }

    /// A row of the tenant; its id.
    pub(super) fn make(&self, kind: &str, body: &Value) -> String {
        self.site.nizamd.rest().create(&self.tenant, kind, body)
    }

    pub(super) fn delete(&self, kind: &str, id: &str) {
        self.site.nizamd.rest().delete(&self.tenant, kind, id);
    }

    /// Dials.
    pub(super) fn dial(&self, caller: &Caller, number: &str) -> Call {
        self.site.call(caller, number)
    }

    /// Dials, and waits until the call is over.
    pub(super) fn call(&self, caller: &Caller, number: &str) -> Told {
        self.dial(caller, number).told(&self.events)
    }

    /// Dials, and waits until the call is taken; the call and its channel.
    pub(super) fn talk(&self, caller: &Caller, number: &str) -> (Call, String) {
        let mut call = self.dial(&caller.clone().holding(50_000), number);
        assert_eq!(call.status(), 200);
        let uuid = call.uuid(&self.events);
        (call, uuid)
    }

    /// Sends a channel to a number in a context.
    pub(super) fn transfer(&self, uuid: &str, number: &str, context: &str) {
        let answer = self.api(&format!("uuid_transfer {uuid} {number} XML {context}"));
        assert!(answer.contains("+OK"), "{answer}");
    }

    /// Ends a call.
    pub(super) fn end(&self, call: Call) -> Told {
        let uuid = call.uuid(&self.events);
        self.api(&format!("uuid_kill {uuid}"));
        call.told(&self.events)
    }

    /// A command of the switch.
    pub(super) fn api(&self, command: &str) -> String {
        self.site.switch.try_api(command).unwrap()
    }

    /// A DID of the tenant that leads there.
    pub(super) fn did(&self, number: &str, kind: &str, id: &str) -> String {
        self.make("dids", &json!({"number": number, "destination_type": kind, "destination_id": id}))
    }

    /// A flow that is dialled by its internal number.
    pub(super) fn flow(&self, number: &str, nodes: &Value) -> String {
        self.make("call-flows", &json!({"name": format!("flow {number}"), "number": number, "nodes": nodes}))
    }

    /// A ring group that is dialled by its internal number.
    pub(super) fn group(&self, number: &str, members: &[&Account], more: &Value) -> String {
        let members: Vec<&str> = members.iter().map(|member| member.id.as_str()).collect();
        let body = json!({"name": format!("group {number}"), "number": number, "members": members});
        self.make("ring-groups", &merged(body, more))
    }

    /// A queue with agents, each with its extension and state.
    pub(super) fn queue(&self, name: &str, more: &Value, agents: &[(&Account, &str)]) -> Queue {
        let id = self.make("queues", &merged(json!({"name": name}), more));
        let agents = agents.iter().zip(0..).map(|((account, state), priority)| {
            let body = json!({"extension_id": account.id, "name": account.number, "state": state});
            let agent = self.make("agents", &body);
            self.post(&format!("queues/{id}/members"), &json!({"agent_id": agent, "priority": priority}));
            agent
        });
        let agents = agents.collect();
        Queue { id, agents }
    }

    /// Does something with a row of the tenant.
    pub(super) fn post(&self, path: &str, body: &Value) {
        self.site.nizamd.rest().call(
            &reqwest::Method::POST,
            &format!("/tenants/{}/{path}", self.tenant),
            body,
        );
    }

    /// A gateway of the tenant whose carrier listens at that port; its id.
    pub(super) fn gateway(&self, name: &str, port: u16, more: &Value) -> String {
        let body = json!({"name": name, "host": "127.0.0.1", "port": port, "register": false});
        self.make("gateways", &merged(body, more))
    }

    /// Waits until mod_sofia has a gateway, or has it no more; what it says of it.
    pub(super) fn await_gateway(&self, id: &str, there: bool) -> String {
        until("mod_sofia has what there is of gateways", SOON, || {
            let all = self.api("sofia status gateway");
            let line = all.lines().find(|line| line.contains(id)).map(str::to_owned);
            (line.is_some() == there).then(|| line.unwrap_or_default())
        })
    }
}

/// A queue and its agents, in order of their priority.
pub(super) struct Queue {
    pub(super) id: String,
    pub(super) agents: Vec<String>,
}

/// A body with further fields.
pub(super) fn merged(mut body: Value, more: &Value) -> Value {
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// A destination as rows name it, with that prefix.
pub(super) fn destination(prefix: &str, kind: &str, id: &str) -> Value {
    json!({format!("{prefix}destination_type"): kind, format!("{prefix}destination_id"): id})
}
