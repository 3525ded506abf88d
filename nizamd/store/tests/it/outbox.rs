//! Whatever is written of the configuration is told once, in its transaction, in one order with what happens to calls.

use nizam_core::model::{CallEvent, TenantChange, TenantStatus};
use nizam_core::resource::{DID, HOLIDAY, Purpose, QUEUE, RESOURCES, RING_GROUP, Resource, Values};
use nizam_core::validate::{Fields, Input};
use nizam_store::{Expected, Store, StoreError};
use nizam_test_postgres::Database;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::calls::Raw;
use crate::ingest::{ORIGIN, call, now, numbered};
use crate::random::{Known, Random, edit};
use crate::support::{Fixture, actor, change, new_extension};

pub(crate) fn of(resource: &Resource, body: Value) -> Values {
    let Value::Object(body) = body else { unreachable!() };
    resource.read(Purpose::Create, &mut Fields::new(&Input::of(body))).unwrap()
}

/// What was told since that event; the numbers go on without a gap, and are those of the counter.
async fn since(store: &Store, last: &mut i64) -> Vec<CallEvent> {
    let events = store.all_events_stored_after(*last, 100_000).await.unwrap();
    let newest = store.newest_event().await.unwrap();
    let numbers: Vec<i64> = events.iter().map(|event| event.sequence).collect();
    assert_eq!(numbers, (*last + 1..=newest).collect::<Vec<_>>());
    assert_eq!(*store.stored().borrow(), newest, "those who wait in this process are woken");
    *last = newest;
    events
}

/// Their names and payloads.
fn told(events: &[CallEvent]) -> Vec<(&str, &Value)> {
    events.iter().map(|event| (&*event.event_type, &event.payload)).collect()
}

#[tokio::test]
async fn each_write_tells_what_the_contract_says() {
    let fixture = Fixture::new().await;
    let (store, mut last) = (&fixture.store, 0);
    let tenant = fixture.tenant("acme.example").await.id;
    assert_eq!(since(store, &mut last).await, [], "of a new tenant nobody can have asked to be told");

    let made = store.create_extension(&actor(), tenant, new_extension("1001")).await.unwrap();
    let id = made.value.id;
    let events = since(store, &mut last).await;
    let payload = json!({"extension_id": id, "extension": "1001"});
    assert_eq!(told(&events), [("extension.created", &payload)]);
    let event = &events[0];
    assert_eq!(
        (event.tenant_id, &*event.call_uuid, event.call_id.as_ref()),
        (tenant, &*id.to_string(), None)
    );
    assert_eq!(event.generation, i64::try_from(made.generation).ok());
    assert_eq!((&*event.schema_version, event.occurred_at), ("1.0", made.value.created_at));
    assert_eq!(store.event(tenant, event.id).await.unwrap().as_ref(), Some(event));
    assert_eq!(
        store.event(Uuid::now_v7(), event.id).await.unwrap(),
        None,
        "of another tenant it is not there"
    );
    assert_eq!(store.call_event(tenant, event.id).await.unwrap(), None);

    // What is refused is told to nobody.
    let double = store.create_extension(&actor(), tenant, new_extension("1001")).await;
    assert!(matches!(double, Err(StoreError::Invalid(_))));
    let many = vec![new_extension("1002"), new_extension("1001")];
    store.insert_extensions(&actor(), tenant, many).await.unwrap_err();
    let stale = Expected::Versions(vec![77]);
    store.update_extension(&actor(), tenant, id, change("1003"), &stale).await.unwrap_err();
    store.delete_extension(&actor(), tenant, Uuid::now_v7(), &Expected::Anything).await.unwrap_err();
    assert_eq!(since(store, &mut last).await, []);

    store.update_extension(&actor(), tenant, id, change("1009"), &Expected::Anything).await.unwrap();
    let agent =
        of(RESOURCES.iter().find(|r| r.model == "Agent").unwrap(), json!({"name": "A", "extension_id": id}));
    let agent = store
        .create_record(&actor(), RESOURCES.iter().find(|r| r.model == "Agent").unwrap(), tenant, agent)
        .await
        .unwrap()
        .value
        .record
        .id;
    let queue = of(&QUEUE, json!({"name": "Q", "strategy": "ring_all"}));
    let queue = store.create_record(&actor(), &QUEUE, tenant, queue).await.unwrap().value.record.id;
    for _ in 0..2 {
        store.join_queue(&actor(), tenant, queue, agent, 1).await.unwrap();
    }
    store.leave_queue(&actor(), tenant, queue, agent).await.unwrap();
    let number =
        of(&DID, json!({"number": "+4930123", "destination_type": "extension", "destination_id": id}));
    let did = store.create_record(&actor(), &DID, tenant, number).await.unwrap().value.record.id;
    let confirmed = Values::from_iter([("confirmed".to_owned(), json!(true))]);
    store.update_record(&actor(), &DID, tenant, did, confirmed, &Expected::Anything).await.unwrap();
    store.delete_extension(&actor(), tenant, id, &Expected::Anything).await.unwrap();
    let (extension, queued) = (
        json!({"extension_id": id, "extension": "1009"}),
        |action| json!({"resource": "queue", "id": queue, "action": action}),
    );
    let number = json!({"did_id": did, "number": "+4930123"});
    let want = [
        ("extension.updated", &extension),
        ("routing.updated", &queued("created")),
        ("routing.updated", &queued("updated")),
        ("routing.updated", &queued("updated")),
        ("did.created", &number),
        ("did.updated", &number),
        ("extension.deleted", &extension),
    ];
    assert_eq!(told(&since(store, &mut last).await), want);

    // A tenant that ends gives its numbers up: that is told of each.
    let ended = TenantChange { status: Some(TenantStatus::Terminated), ..TenantChange::default() };
    store.update_tenant(&actor(), tenant, ended, &Expected::Anything).await.unwrap();
    let changed = json!({"tenant_id": tenant, "changed": ["status"]});
    assert_eq!(
        told(&since(store, &mut last).await),
        [("did.updated", &number), ("tenant.updated", &changed)]
    );
    store.delete_record(&actor(), &DID, tenant, did, &Expected::Anything).await.unwrap();
    assert_eq!(told(&since(store, &mut last).await), [("did.deleted", &number)]);

    // Many at once are told one by one; with the tenant its events go.
    let many = (0..2500).map(|n| new_extension(&format!("{}", 20_000 + n))).collect();
    let made = store.insert_extensions(&actor(), tenant, many).await.unwrap().value;
    let events = since(store, &mut last).await;
    let want: Vec<Value> =
        made.iter().map(|(id, number)| json!({"extension_id": id, "extension": number})).collect();
    assert_eq!(events.iter().map(|event| event.payload.clone()).collect::<Vec<_>>(), want);
    let holidays =
        (0..3).map(|n| of(&HOLIDAY, json!({"name": format!("h{n}"), "dates": ["12-25"]}))).collect();
    store.create_records(&actor(), &HOLIDAY, tenant, "rows", holidays).await.unwrap();
    assert_eq!(since(store, &mut last).await.len(), 3);
    store.delete_tenant(&actor(), tenant, &Expected::Anything).await.unwrap();
    assert_eq!(store.newest_event().await.unwrap(), last);
    assert_eq!(store.all_events_stored_after(0, 10).await.unwrap(), []);
}

/// Which events an edit must have told, by name and how many; `None`: any number of that name beside the others.
fn expected(what: &str, new_tenant: bool, nothing: bool) -> (&'static str, usize) {
    match what {
        "Extension" | "ExtensionGone" => ("extension.", 1),
        "Did" => ("did.", 1),
        "RingGroup" | "Ivr" | "TimeCondition" | "Holiday" | "Gateway" | "OutboundRoute"
        | "CallRoutingPolicy" | "CallFlow" | "Queue" => ("routing.", 1),
        "Member" => ("routing.", usize::from(!nothing)),
        "Settings" => ("tenant.", 1),
        "Tenant" => ("tenant.", usize::from(!new_tenant)),
        _ => ("", 0),
    }
}

#[tokio::test]
async fn random_writes_are_told_once_each_and_those_that_are_refused_are_not() {
    let edits = if Database::chosen() == Database::Sqlite { 600 } else { 300 };
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let mut known = Known::default();
    for name in ["a.example", "b.example", "c.example"] {
        known.tenants.push(fixture.tenant(name).await.id);
    }
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let (mut last, mut done, mut refused, mut all) = (0, 0, 0, 0);
    while done < edits {
        let tenants = known.tenants.len();
        let edited = edit(store, &mut known, &mut random).await;
        let events = since(store, &mut last).await;
        let Some(edit) = edited else {
            assert_eq!(events, [], "what is refused is told to nobody");
            refused += 1;
            continue;
        };
        let (name, count) = expected(edit.what, known.tenants.len() > tenants, edit.touched.is_empty());
        let generation = store.generation().await.unwrap();
        let (of_it, others): (Vec<&CallEvent>, Vec<&CallEvent>) =
            events.iter().partition(|event| !name.is_empty() && event.event_type.starts_with(name));
        assert_eq!(of_it.len(), count, "{}: {events:?}", edit.what);
        assert!(events.iter().all(|event| event.generation == i64::try_from(generation).ok()));
        // Beside that only numbers are told that somebody has confirmed, and that are others where the tenant is now.
        let beside = matches!(edit.what, "Tenant" | "Settings");
        assert!(
            others.iter().all(|event| beside && event.event_type == "did.updated"),
            "{}: {events:?}",
            edit.what
        );
        all += events.len();
        done += 1;
    }
    println!("outbox: {done} writes told {all} events, {refused} that were refused none");
    assert!(refused > 20 && all > edits / 2);
}

#[tokio::test]
async fn calls_and_the_configuration_are_in_one_order() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let (tenant, other) = (fixture.tenant("acme.example").await.id, fixture.tenant("beta.example").await.id);
    let began = now();
    let mut want = Vec::new();
    let batch =
        numbered((0..12).flat_map(|n| call(if n % 3 == 0 { "beta.example" } else { "acme.example" }, n)));
    for (n, events) in batch.chunks(7).enumerate() {
        store.ingest(ORIGIN, events, 0).await.unwrap();
        let whose = if n % 2 == 0 { tenant } else { other };
        let group = of(&RING_GROUP, json!({"name": format!("g{n}"), "members": [Uuid::now_v7()]}));
        if let Ok(made) = store
            .create_record(
                &actor(),
                &HOLIDAY,
                whose,
                of(&HOLIDAY, json!({"name": format!("h{n}"), "dates": ["12-25"]})),
            )
            .await
        {
            want.push(made.value.record.id.to_string());
        }
        // A member that is not there: refused, or a warning.
        drop(store.create_record(&actor(), &RING_GROUP, whose, group).await);
    }
    let all = store.all_events_stored_after(0, 1000).await.unwrap();
    assert_eq!(
        all.iter().map(|e| e.sequence).collect::<Vec<_>>(),
        (1..=all.last().unwrap().sequence).collect::<Vec<_>>()
    );
    let told: Vec<String> =
        all.iter().filter(|e| e.payload["resource"] == "holiday").map(|e| e.call_uuid.clone()).collect();
    assert_eq!(told, want);
    let mut read = Vec::new();
    while read.len() < all.len() {
        let last = read.last().map_or(0, |event: &CallEvent| event.sequence);
        let page = store.all_events_stored_after(last, 3).await.unwrap();
        assert!(!page.is_empty() && page.len() <= 3);
        read.extend(page);
    }
    assert_eq!(read, all, "page by page");
    for id in [tenant, other] {
        let mine: Vec<CallEvent> = all.iter().filter(|event| event.tenant_id == id).cloned().collect();
        assert_eq!(store.events_stored_after(id, 0, 1000).await.unwrap(), mine);
        for event in &mine {
            assert_eq!(store.event(id, event.id).await.unwrap().as_ref(), Some(event));
        }
        // Calls were earlier by their switch's clock, whenever they were told.
        let since = store.stored_since(id, began).await.unwrap();
        let first = mine.iter().find(|event| event.occurred_at >= began).unwrap();
        assert_eq!(since, first.sequence - 1);
        assert_eq!(store.stored_since(id, 0).await.unwrap(), mine[0].sequence - 1);
        assert_eq!(
            store.stored_since(id, now() + 60_000_000).await.unwrap(),
            store.newest_event().await.unwrap()
        );
    }
}

#[tokio::test]
async fn what_is_told_of_the_configuration_is_kept_as_long_as_calls() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let (tenant, other) = (fixture.tenant("acme.example").await.id, fixture.tenant("beta.example").await.id);
    let settings = nizam_core::validate::Settings::Map(
        [("call_retention_days".to_owned(), json!(3))].into_iter().collect(),
    );
    store.put_settings(&actor(), tenant, settings, &Expected::Anything).await.unwrap();
    for id in [tenant, other] {
        let many = (0..1100).map(|n| new_extension(&format!("{}", 20_000 + n))).collect();
        store.insert_extensions(&actor(), id, many).await.unwrap();
    }
    assert_eq!(store.forget_calls().await.unwrap(), 0);
    let raw = Raw::of(&fixture).await;
    raw.run(format!("UPDATE resource_events SET occurred_at = {}", raw.time(now() - 4 * 86_400_000_000)))
        .await;
    store.create_extension(&actor(), tenant, new_extension("1001")).await.unwrap();
    assert_eq!(store.forget_calls().await.unwrap(), 1101);
    assert_eq!(store.events_stored_after(tenant, 0, 10_000).await.unwrap().len(), 1);
    assert_eq!(
        store.events_stored_after(other, 0, 10_000).await.unwrap().len(),
        1100,
        "who keeps all keeps all"
    );
}
