//! Random rows and random edits of them.

use std::collections::BTreeMap;

use nizam_core::model::{TenantChange, TenantStatus, Touched};
use nizam_core::resource::{AGENT, PROMPT, Purpose, QUEUE, RESOURCES, Resource, Values};
use nizam_core::validate::NewPrompt;
use nizam_core::validate::{Fields, Input, Settings};
use nizam_store::{Expected, Joined, Store, StoreError, StoreResult};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{actor, change, new_extension, new_tenant};

/// xorshift64: the same edits for the same seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(most).unwrap()).unwrap()
    }

    fn chance(&mut self, one_in: usize) -> bool {
        self.below(one_in) == 0
    }

    pub(crate) fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

/// What there is: the ids of tenants, and those of their rows by table.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) tenants: Vec<Uuid>,
    rows: BTreeMap<(Uuid, &'static str), Vec<Uuid>>,
}

impl Known {
    fn add(&mut self, tenant: Uuid, table: &'static str, id: Uuid) {
        self.rows.entry((tenant, table)).or_default().push(id);
    }

    fn rows(&self, tenant: Uuid, table: &'static str) -> &[Uuid] {
        self.rows.get(&(tenant, table)).map_or(&[], Vec::as_slice)
    }

    fn forget(&mut self, tenant: Uuid, table: &'static str, id: Uuid) {
        self.rows.entry((tenant, table)).or_default().retain(|known| *known != id);
    }

    fn some(&self, random: &mut Random, tenant: Uuid, table: &'static str) -> Uuid {
        let rows = self.rows(tenant, table);
        // Now and then one that is not there.
        if rows.is_empty() || random.chance(12) { Uuid::now_v7() } else { random.one(rows) }
    }

    fn destination(&self, random: &mut Random, tenant: Uuid) -> (&'static str, Uuid) {
        let (kind, table) = random.one(&[
            ("extension", "extensions"),
            ("voicemail", "extensions"),
            ("ring_group", "ring_groups"),
            ("ivr", "ivrs"),
            ("time_condition", "time_conditions"),
            ("call_routing_policy", "call_routing_policies"),
            ("call_flow", "call_flows"),
            ("queue", "queues"),
        ]);
        (kind, self.some(random, tenant, table))
    }
}

/// What an edit was of, and what it touched.
pub(crate) struct Edit {
    pub(crate) what: &'static str,
    pub(crate) touched: Vec<Touched>,
}

/// One edit. None if it was refused: it named what is not there, or took what is taken.
pub(crate) async fn edit(store: &Store, known: &mut Known, random: &mut Random) -> Option<Edit> {
    let tenant = random.one(&known.tenants);
    let edited = match random.below(20) {
        0 => of_tenant(store, known, random, tenant).await,
        1 => settings(store, random, tenant).await,
        2..=5 => of_extension(store, known, random, tenant).await,
        6 => member(store, known, random, tenant).await,
        7 => state(store, known, random, tenant).await,
        _ => {
            let resource = random.one(RESOURCES);
            of_resource(store, known, random, tenant, resource).await
        }
    };
    match edited {
        Ok(edit) => Some(edit),
        Err(StoreError::Invalid(_) | StoreError::NotFound | StoreError::Quota { .. }) => None,
        Err(error) => panic!("{error}"),
    }
}

async fn of_tenant(store: &Store, known: &mut Known, random: &mut Random, id: Uuid) -> StoreResult<Edit> {
    let what = "Tenant";
    if known.tenants.len() < 3 || random.chance(4) {
        let made = store.create_tenant(&actor(), new_tenant(&format!("{}.example", Uuid::now_v7()))).await?;
        known.tenants.push(made.value.id);
        return Ok(Edit { what, touched: made.touched });
    }
    if random.chance(5) {
        let gone = store.delete_tenant(&actor(), id, &Expected::Anything).await?;
        known.tenants.retain(|known| *known != id);
        return Ok(Edit { what: "TenantGone", touched: gone.touched });
    }
    let change = TenantChange {
        domain: random.chance(2).then(|| format!("{}.example", Uuid::now_v7())),
        status: Some(random.one(&[TenantStatus::Active, TenantStatus::Suspended, TenantStatus::Terminated])),
        max_calls_per_minute: Some(i64::try_from(random.below(3)).unwrap()),
        is_active: Some(!random.chance(3)),
        ..TenantChange::default()
    };
    let touched = store.update_tenant(&actor(), id, change, &Expected::Anything).await?.touched;
    Ok(Edit { what, touched })
}

async fn settings(store: &Store, random: &mut Random, id: Uuid) -> StoreResult<Edit> {
    let setting = match random.below(3) {
        0 => json!({"country": random.one(&["DE", "US", "FR"])}),
        1 => json!({"timezone": random.one(&["Europe/Berlin", "Asia/Tokyo", "UTC"])}),
        _ => json!({"caller_id_number": "+4930", "class_limits": {"premium": random.below(3)}}),
    };
    let Value::Object(map) = setting else { panic!("no map") };
    let put = store.put_settings(&actor(), id, Settings::Map(map), &Expected::Anything).await?;
    Ok(Edit { what: "Settings", touched: put.touched })
}

async fn of_extension(
    store: &Store,
    known: &mut Known,
    random: &mut Random,
    tenant: Uuid,
) -> StoreResult<Edit> {
    let what = "Extension";
    let number = format!("1{}", random.below(40));
    let id = known.some(random, tenant, "extensions");
    if known.rows(tenant, "extensions").len() < 4 || random.chance(3) {
        let mut new = new_extension(&number);
        new.cidr = random.chance(2).then(|| "192.0.2.0/24".to_owned());
        new.is_active = !random.chance(4);
        let made = store.create_extension(&actor(), tenant, new).await?;
        known.add(tenant, "extensions", made.value.id);
        return Ok(Edit { what, touched: made.touched });
    }
    if random.chance(3) {
        let gone = store.delete_extension(&actor(), tenant, id, &Expected::Anything).await?;
        known.forget(tenant, "extensions", id);
        return Ok(Edit { what: "ExtensionGone", touched: gone.touched });
    }
    let mut change = change(&number);
    change.is_active = Some(!random.chance(3));
    change.cidr = random.chance(2).then_some(None);
    let changed = store.update_extension(&actor(), tenant, id, change, &Expected::Anything).await?;
    Ok(Edit { what, touched: changed.touched })
}

async fn member(store: &Store, known: &Known, random: &mut Random, tenant: Uuid) -> StoreResult<Edit> {
    let queue = known.some(random, tenant, QUEUE.table);
    let agent = known.some(random, tenant, AGENT.table);
    let touched = if random.chance(3) {
        store.leave_queue(&actor(), tenant, queue, agent).await?.touched
    } else {
        let priority = i64::try_from(random.below(3)).unwrap();
        match store.join_queue(&actor(), tenant, queue, agent, priority).await? {
            Joined::New(committed) => committed.touched,
            Joined::Before | Joined::NoAgent => Vec::new(),
        }
    };
    Ok(Edit { what: "Member", touched })
}

async fn state(store: &Store, known: &Known, random: &mut Random, tenant: Uuid) -> StoreResult<Edit> {
    let agent = known.some(random, tenant, AGENT.table);
    let (state, now) = (random.one(&["available", "paused"]), 1_790_000_000_000_000);
    let set = store.set_agent_state(&actor(), tenant, agent, state, None, now).await?;
    Ok(Edit { what: "Agent", touched: set.touched })
}

async fn of_resource(
    store: &Store,
    known: &mut Known,
    random: &mut Random,
    tenant: Uuid,
    resource: &'static Resource,
) -> StoreResult<Edit> {
    let (what, table) = (resource.model, resource.table);
    let id = known.some(random, tenant, table);
    if known.rows(tenant, table).len() < 3 || random.chance(3) {
        let made = if resource.by_upload {
            let name = format!("p{}", random.below(30));
            let new = NewPrompt { name, file_name: None, duration_ms: 1, content: vec![0] };
            let made = store.create_prompt(&actor(), tenant, new).await?;
            (made.value.id, made.touched)
        } else {
            let values = values(known, random, tenant, resource);
            let made = store.create_record(&actor(), resource, tenant, values).await?;
            (made.value.record.id, made.touched)
        };
        known.add(tenant, table, made.0);
        return Ok(Edit { what, touched: made.1 });
    }
    if random.chance(3) {
        let gone = store.delete_record(&actor(), resource, tenant, id, &Expected::Anything).await?;
        known.forget(tenant, table, id);
        let what = if resource.model == AGENT.model { "AgentGone" } else { what };
        return Ok(Edit { what, touched: gone.touched });
    }
    let mut change = if resource.model == PROMPT.model {
        Values::from_iter([("name".to_owned(), json!(format!("p{}", random.below(30))))])
    } else {
        values(known, random, tenant, resource)
    };
    change.retain(|name, _| resource.field(name).is_some_and(|field| field.on_update.is_some()));
    let changed = store.update_record(&actor(), resource, tenant, id, change, &Expected::Anything).await?;
    Ok(Edit { what, touched: changed.touched })
}

/// Good values of a row.
pub(crate) fn values(known: &Known, random: &mut Random, tenant: Uuid, resource: &Resource) -> Values {
    let (mut kind, mut to) = known.destination(random, tenant);
    if resource.model == "Did" && random.chance(2) {
        (kind, to) = ("call_routing_policy", known.some(random, tenant, "call_routing_policies"));
    }
    let extension = known.some(random, tenant, "extensions");
    let number = random.chance(2).then(|| format!("6{}", random.below(20)));
    let mut body = json!({"name": format!("n{}", random.below(30)), "is_active": !random.chance(4)});
    let more = match resource.model {
        "Did" => json!({
            "number": random.one(&["+4930123450", "030123450", "+1212555010", "2125550100", "0049 30 123451", "(030) 123451"])
                .to_owned() + &random.below(4).to_string(),
            "destination_type": kind, "destination_id": to, "confirmed": random.chance(3),
        }),
        "RingGroup" => {
            json!({"number": number, "members": [extension], "ring_timeout": 5 + random.below(50)})
        }
        "Ivr" => json!({
            "number": number, "greet_long": random.one(&["ivr/a.wav", "say:Hi"]), "direct_dial": random.chance(2),
            "options": [{"digit": "1", "destination_type": kind, "destination_id": to}],
        }),
        "CallFlow" => json!({
            "number": number,
            "nodes": [{"id": "a", "type": "bridge", "data": {"destination_type": kind, "destination_id": to}}],
        }),
        "TimeCondition" => json!({
            "conditions": [{"wday": random.one(&["mon", "tue-fri"])}], "match_destination_type": kind,
            "match_destination_id": to,
        }),
        "Holiday" => json!({"dates": [random.one(&["12-25", "2026-05-01"])]}),
        "Gateway" => json!({
            "host": random.one(&["192.0.2.1", "192.0.2.2", "sip.carrier.example"]), "shared": random.chance(3),
            "addresses": random.one(&[json!(null), json!(["192.0.2.2", "2001:db8::1"]), json!([])]),
        }),
        "OutboundRoute" => json!({
            "patterns": [random.one(&["9.", "0.", "1NXX"])], "gateways": [known.some(random, tenant, "gateways")],
            "priority": random.below(3), "class": random.one(&["local", "premium"]),
        }),
        "CallRoutingPolicy" => json!({
            "conditions": [{"type": "blacklist", "params": {"numbers": [random.one(&["+1*", "+2*"])]}}],
            "priority": random.below(3), "match_destination_type": kind, "match_destination_id": to,
        }),
        "Queue" => json!({"strategy": random.one(&["ring_all", "round_robin"])}),
        "Agent" => json!({"extension_id": extension}),
        "DeviceProfile" => json!({"vendor": "yealink"}),
        "Webhook" => json!({"url": "https://hooks.example.org/x", "events": ["call.hangup"]}),
        other => panic!("no values of {other}"),
    };
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let Value::Object(map) = body else { panic!("no map") };
    resource.read(Purpose::Create, &mut Fields::new(&Input::of(map))).unwrap()
}
