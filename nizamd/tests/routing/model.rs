//! Everything that some tenants own, as the API keeps it.

use nizam_core::resource::Record;
use serde_json::{Map, Value, json};
use uuid::Uuid;

/// Some tenants with all their rows.
#[derive(Clone)]
pub(crate) struct Model {
    /// When the image is made: seconds since 1970, UTC.
    pub(crate) made_at: i64,
    /// The configuration's number.
    pub(crate) generation: u64,
    pub(crate) tenants: Vec<Tenant>,
    pub(crate) extensions: Vec<Extension>,
    pub(crate) dids: Vec<Record>,
    pub(crate) ring_groups: Vec<Record>,
    pub(crate) ivrs: Vec<Record>,
    pub(crate) time_conditions: Vec<Record>,
    pub(crate) policies: Vec<Record>,
    pub(crate) flows: Vec<Record>,
    pub(crate) queues: Vec<Record>,
    pub(crate) agents: Vec<Record>,
    pub(crate) memberships: Vec<Membership>,
    pub(crate) holidays: Vec<Record>,
    pub(crate) gateways: Vec<Record>,
    pub(crate) outbound_routes: Vec<Record>,
    pub(crate) prompts: Vec<Record>,
}

/// A tenant.
#[derive(Clone)]
pub(crate) struct Tenant {
    pub(crate) id: Uuid,
    pub(crate) domain: String,
    pub(crate) settings: Map<String, Value>,
    /// As in the API.
    pub(crate) status: &'static str,
    pub(crate) is_active: bool,
    /// 0 = unlimited.
    pub(crate) max_concurrent_calls: i64,
    /// 0 = unlimited.
    pub(crate) max_calls_per_minute: i64,
}

/// An extension.
#[derive(Clone)]
pub(crate) struct Extension {
    pub(crate) id: Uuid,
    pub(crate) tenant_id: Uuid,
    pub(crate) number: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) effective_caller_id_name: Option<String>,
    pub(crate) effective_caller_id_number: Option<String>,
    pub(crate) outbound_caller_id_name: Option<String>,
    pub(crate) outbound_caller_id_number: Option<String>,
    pub(crate) voicemail_enabled: bool,
    pub(crate) is_active: bool,
    /// Names of classes; none for those that need no leave.
    pub(crate) toll_allow: Option<Vec<&'static str>>,
    /// 0 = unlimited.
    pub(crate) max_channels: i64,
    /// None: as long as the tenant says.
    pub(crate) ring_timeout: Option<i64>,
}

/// An agent that answers for a queue.
#[derive(Clone, Copy)]
pub(crate) struct Membership {
    pub(crate) queue_id: Uuid,
    pub(crate) agent_id: Uuid,
    /// The lowest is asked first.
    pub(crate) priority: i64,
}

impl Model {
    /// A model without rows.
    pub(crate) fn empty(made_at: i64) -> Self {
        Self {
            made_at,
            generation: 1,
            tenants: Vec::new(),
            extensions: Vec::new(),
            dids: Vec::new(),
            ring_groups: Vec::new(),
            ivrs: Vec::new(),
            time_conditions: Vec::new(),
            policies: Vec::new(),
            flows: Vec::new(),
            queues: Vec::new(),
            agents: Vec::new(),
            memberships: Vec::new(),
            holidays: Vec::new(),
            gateways: Vec::new(),
            outbound_routes: Vec::new(),
            prompts: Vec::new(),
        }
    }

    /// The rows of each resource that is kept as records, by the name of its table.
    pub(crate) fn records(&self) -> [(&'static str, &Vec<Record>); 12] {
        [
            ("dids", &self.dids),
            ("ring_groups", &self.ring_groups),
            ("ivrs", &self.ivrs),
            ("time_conditions", &self.time_conditions),
            ("call_routing_policies", &self.policies),
            ("call_flows", &self.flows),
            ("queues", &self.queues),
            ("agents", &self.agents),
            ("holidays", &self.holidays),
            ("gateways", &self.gateways),
            ("outbound_routes", &self.outbound_routes),
            ("prompts", &self.prompts),
        ]
    }

    /// The same, to change them.
    pub(crate) fn records_mut(&mut self) -> [&mut Vec<Record>; 12] {
        [
            &mut self.dids,
            &mut self.ring_groups,
            &mut self.ivrs,
            &mut self.time_conditions,
            &mut self.policies,
            &mut self.flows,
            &mut self.queues,
            &mut self.agents,
            &mut self.holidays,
            &mut self.gateways,
            &mut self.outbound_routes,
            &mut self.prompts,
        ]
    }

    /// For people who look for a fault.
    pub(crate) fn to_json(&self) -> Value {
        let mut all = Map::new();
        all.insert("made_at".into(), json!(self.made_at));
        all.insert("generation".into(), json!(self.generation));
        all.insert("tenants".into(), self.tenants.iter().map(Tenant::to_json).collect());
        all.insert("extensions".into(), self.extensions.iter().map(Extension::to_json).collect());
        for (table, rows) in self.records().into_iter().filter(|(_, rows)| !rows.is_empty()) {
            all.insert(table.into(), rows.iter().map(record_to_json).collect());
        }
        let members = self.memberships.iter();
        let members =
            members.map(|m| json!({"queue_id": m.queue_id, "agent_id": m.agent_id, "priority": m.priority}));
        all.insert("queue_members".into(), members.collect());
        Value::Object(all)
    }
}

impl Tenant {
    fn to_json(&self) -> Value {
        json!({
            "id": self.id, "domain": self.domain, "settings": self.settings, "status": self.status,
            "is_active": self.is_active, "max_concurrent_calls": self.max_concurrent_calls,
            "max_calls_per_minute": self.max_calls_per_minute,
        })
    }
}

impl Extension {
    fn to_json(&self) -> Value {
        json!({
            "id": self.id, "tenant_id": self.tenant_id, "extension": self.number,
            "directory_first_name": self.first_name, "directory_last_name": self.last_name,
            "effective_caller_id_name": self.effective_caller_id_name,
            "effective_caller_id_number": self.effective_caller_id_number,
            "outbound_caller_id_name": self.outbound_caller_id_name,
            "outbound_caller_id_number": self.outbound_caller_id_number,
            "voicemail_enabled": self.voicemail_enabled, "is_active": self.is_active,
            "toll_allow": self.toll_allow, "max_channels": self.max_channels, "ring_timeout": self.ring_timeout,
        })
    }
}

fn record_to_json(record: &Record) -> Value {
    let mut all = record.values.clone();
    all.insert("id".into(), json!(record.id));
    all.insert("tenant_id".into(), json!(record.tenant_id));
    all.insert("created_at".into(), json!(record.created_at));
    Value::Object(all)
}
