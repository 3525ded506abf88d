//! Random tenants and calls: few names and few numbers, so that they meet, and some of everything that can be wrong.

mod call;
mod destination;
mod dialled;
mod extension;
mod flow;
mod menu;
mod moment;
mod number;
mod outbound;
mod policy;
mod queue;
mod ring_group;
mod schedule;
mod tenant;
mod text;

use crate::model::Model;
use crate::random::Random;
use nizam_core::resource::Record;
use serde_json::{Value, json};
use uuid::Uuid;

pub(crate) use call::call;

/// How many rows of a hundred are inactive.
const INACTIVE: usize = 8;

/// The ids that a tenant's rows will have: they name each other.
#[derive(Clone)]
struct Ids {
    tenant: Uuid,
    extensions: Vec<Uuid>,
    ring_groups: Vec<Uuid>,
    ivrs: Vec<Uuid>,
    time_conditions: Vec<Uuid>,
    policies: Vec<Uuid>,
    flows: Vec<Uuid>,
    queues: Vec<Uuid>,
    holidays: Vec<Uuid>,
    gateways: Vec<Uuid>,
    prompts: Vec<Uuid>,
    /// Ids of rows of other tenants.
    foreign: Vec<Uuid>,
}

impl Ids {
    fn new(random: &Random) -> Self {
        let ids = |least: i64, most: i64| -> Vec<Uuid> {
            let count = random.within(least, most);
            (0..count).map(|_| random.uuid()).collect()
        };
        Self {
            extensions: ids(3, 7),
            ring_groups: ids(0, 3),
            ivrs: ids(0, 2),
            time_conditions: ids(1, 4),
            policies: ids(0, 3),
            flows: ids(1, 3),
            queues: ids(1, 2),
            holidays: ids(1, 2),
            gateways: ids(0, 3),
            prompts: ids(0, 2),
            foreign: Vec::new(),
            tenant: ids(1, 1)[0],
        }
    }

    /// The ids of the rows of a kind of destination.
    fn of_kind(&self, kind: &str) -> &[Uuid] {
        match kind {
            "extension" | "voicemail" => &self.extensions,
            "ring_group" => &self.ring_groups,
            "ivr" => &self.ivrs,
            "time_condition" => &self.time_conditions,
            "call_routing_policy" => &self.policies,
            "call_flow" => &self.flows,
            _ => &self.queues,
        }
    }
}

/// Two or three tenants with what they own.
pub(crate) fn model(random: &Random) -> Model {
    // Some second of 2026.
    let made_at = 1_767_225_600 + random.within(0, 31_536_000);
    let mut model = Model { generation: random.bits() % 1_000_000, ..Model::empty(made_at) };
    let count = random.within(2, 3);
    let mut all: Vec<Ids> = (0..count).map(|_| Ids::new(random)).collect();
    let rows = |ids: &Ids| {
        [ids.extensions.clone(), ids.ring_groups.clone(), ids.flows.clone(), ids.holidays.clone()]
    };
    let foreign: Vec<Vec<Uuid>> = all.iter().map(|ids| rows(ids).concat()).collect();
    for (at, ids) in all.iter_mut().enumerate() {
        ids.foreign = foreign
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at)
            .flat_map(|(_, f)| f.clone())
            .collect();
        model.tenants.push(tenant::row(random, ids.tenant, at));
    }
    for ids in &all {
        outbound::gateways(random, &mut model, ids);
    }
    for (at, ids) in all.iter().enumerate() {
        extension::rows(random, &mut model, ids);
        number::dids(random, &mut model, ids, at);
        ring_group::rows(random, &mut model, ids);
        menu::rows(random, &mut model, ids);
        menu::prompts(random, &mut model, ids);
        schedule::holidays(random, &mut model, ids);
        schedule::time_conditions(random, &mut model, ids);
        policy::rows(random, &mut model, ids);
        flow::rows(random, &mut model, ids);
        queue::rows(random, &mut model, ids);
        outbound::routes(random, &mut model, ids);
    }
    model
}

/// A row with these values; it is inactive now and then.
fn record(random: &Random, ids: &Ids, id: Uuid, made_at: i64, values: Value) -> Record {
    let Value::Object(mut values) = values else { panic!("the values of a row are a map") };
    values.insert("is_active".to_owned(), json!(!random.percent(INACTIVE)));
    let created_at = made_at * 1_000_000 - random.within(0, 10) * 400_000;
    Record {
        id,
        tenant_id: ids.tenant,
        version: random.within(1, 3),
        values,
        created_at,
        updated_at: created_at,
    }
}

/// The internal number of a ring group, a menu or a flow. No other row of the tenant has it.
fn internal_number(random: &Random, model: &Model, ids: &Ids) -> Value {
    let number = random.one(&["600", "601", "602", "700", "Sales", "sos"]);
    let mut others = [&model.ring_groups, &model.ivrs, &model.flows].into_iter().flatten();
    let is_taken =
        others.any(|row| row.tenant_id == ids.tenant && row.text("number").eq_ignore_ascii_case(number));
    if is_taken || random.percent(30) { Value::Null } else { json!(number) }
}
