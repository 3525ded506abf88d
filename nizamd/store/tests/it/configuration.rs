use std::collections::BTreeSet;

use nizam_core::compile::{Routing, Row};
use nizam_core::model::{NewTenant, Slug, TenantChange, TenantStatus, Touched};
use nizam_core::validate::Settings;
use nizam_store::{Expected, Page, Query, StoreError};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Fixture, actor, change, new_extension, new_tenant};

fn first() -> Query {
    Query { page: Page { number: 1, size: 100 }, ..Query::default() }
}

fn domain(text: &str) -> Touched {
    Touched::Domain(text.to_owned())
}

fn number(tenant_id: Uuid, text: &str) -> Touched {
    Touched::Extension { tenant_id, extension: text.to_owned() }
}

fn invalid(error: StoreError) -> nizam_core::validate::Errors {
    match error {
        StoreError::Invalid(errors) => errors,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn every_write_is_the_next_generation_and_says_what_it_touched() {
    let fixture = Fixture::new().await;
    let store = &fixture.store;
    let made = store.create_tenant(&actor(), new_tenant("a.example")).await.unwrap();
    assert_eq!((made.generation, made.touched), (1, vec![domain("a.example")]));
    let id = made.value.id;

    let rename = TenantChange { domain: Some("b.example".into()), ..TenantChange::default() };
    let renamed = store.update_tenant(&actor(), id, rename, &Expected::Anything).await.unwrap();
    assert_eq!((renamed.generation, renamed.touched), (2, vec![domain("a.example"), domain("b.example")]));
    assert!(renamed.value.updated_at > renamed.value.created_at);

    let suspend = TenantChange { status: Some(TenantStatus::Suspended), ..TenantChange::default() };
    let suspended = store.update_tenant(&actor(), id, suspend, &Expected::Anything).await.unwrap();
    assert_eq!((suspended.generation, suspended.touched), (3, vec![domain("b.example")]));

    let extension = store.create_extension(&actor(), id, new_extension("Desk1")).await.unwrap();
    assert_eq!((extension.generation, extension.touched), (4, vec![number(id, "Desk1")]));
    let moved = store
        .update_extension(&actor(), id, extension.value.id, change("2002"), &Expected::Anything)
        .await
        .unwrap();
    assert_eq!((moved.generation, moved.touched), (5, vec![number(id, "Desk1"), number(id, "2002")]));
    assert_eq!(moved.value.voicemail_pin.as_deref(), Some("90210734"), "what is absent stays");

    let gone = store.delete_extension(&actor(), id, moved.value.id, &Expected::Anything).await.unwrap();
    let by_id = Touched::ExtensionId { tenant_id: id, id: moved.value.id };
    assert_eq!((gone.generation, gone.touched), (6, vec![number(id, "2002"), by_id]));
    store.create_extension(&actor(), id, new_extension("1")).await.unwrap();
    let gone = store.delete_tenant(&actor(), id, &Expected::Anything).await.unwrap();
    assert_eq!((gone.generation, gone.touched), (8, vec![domain("b.example"), Touched::TenantGone(id)]));
    let fresh = store.read_touched(&[number(id, "1")]).await.unwrap();
    assert_eq!(fresh.rows, [Row::Gone(number(id, "1"))]);
}

#[tokio::test]
async fn a_write_that_fails_leaves_no_trace() {
    let fixture = Fixture::new().await;
    let tenant = fixture.tenant("a.example").await;
    fixture.store.create_extension(&actor(), tenant.id, new_extension("desk")).await.unwrap();
    let before = fixture.store.generation().await.unwrap();
    let error = fixture.store.create_extension(&actor(), tenant.id, new_extension("DESK")).await.unwrap_err();
    assert_eq!(invalid(error).message(), "The extension has already been taken for this tenant.");
    let missing = fixture.store.create_extension(&actor(), Uuid::now_v7(), new_extension("1")).await;
    assert!(matches!(missing.unwrap_err(), StoreError::NotFound));
    let new = vec![new_extension("1"), new_extension("Desk")];
    assert!(
        invalid(fixture.store.insert_extensions(&actor(), tenant.id, new).await.unwrap_err())
            .has("extensions.1.extension")
    );
    let new = vec![new_extension("a"), new_extension("b"), new_extension("A")];
    let errors = invalid(fixture.store.insert_extensions(&actor(), tenant.id, new).await.unwrap_err());
    assert!(errors.has("extensions.2.extension"));
    assert_eq!(fixture.store.generation().await.unwrap(), before);
    assert_eq!(fixture.store.extensions(tenant.id, &first()).await.unwrap().total, 1);
    assert_eq!(fixture.store.audit_entries(tenant.id, first().page).await.unwrap().total, 2);
}

#[tokio::test]
async fn domain_and_slug_are_unique() {
    let fixture = Fixture::new().await;
    let first = fixture.tenant("a.example").await;
    let second = fixture.tenant("b.example").await;
    assert_eq!(
        (first.slug.as_str(), second.slug.as_str()),
        ("acme", "acme-2"),
        "a slug from a name gives way"
    );
    let new = NewTenant { slug: Slug::Given("acme".into()), ..new_tenant("a.example") };
    let errors = invalid(fixture.store.create_tenant(&actor(), new).await.unwrap_err());
    assert!(errors.has("domain") && errors.has("slug"));
    let change = TenantChange { domain: Some("a.example".into()), ..TenantChange::default() };
    let errors = invalid(
        fixture
            .store
            .update_tenant(&actor(), second.id, change.clone(), &Expected::Anything)
            .await
            .unwrap_err(),
    );
    assert_eq!(errors.message(), "The domain has already been taken.");
    fixture
        .store
        .update_tenant(&actor(), first.id, change, &Expected::Anything)
        .await
        .expect("its own domain is free");
}

#[tokio::test]
async fn a_quota_holds_when_two_come_at_once() {
    let fixture = Fixture::new().await;
    let new = NewTenant { max_extensions: 5, ..new_tenant("a.example") };
    let tenant = fixture.store.create_tenant(&actor(), new).await.unwrap().value;
    let store = std::sync::Arc::new(fixture.store);
    let tasks: Vec<_> = (0..20)
        .map(|i| {
            let store = store.clone();
            tokio::spawn(async move {
                store.create_extension(&actor(), tenant.id, new_extension(&i.to_string())).await.map(drop)
            })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(()) => made += 1,
            Err(e) => assert_eq!(e.to_string(), "Extension quota exceeded. Maximum allowed: 5"),
        }
    }
    assert_eq!(made, 5);
    let listed = store.extensions(tenant.id, &first()).await.unwrap();
    assert_eq!((listed.total, listed.rows.len()), (5, 5));
    // A place that becomes free can be used.
    store.delete_extension(&actor(), tenant.id, listed.rows[0].id, &Expected::Anything).await.unwrap();
    let two = vec![new_extension("x"), new_extension("y")];
    assert!(matches!(
        store.insert_extensions(&actor(), tenant.id, two).await.unwrap_err(),
        StoreError::Quota { max: 5, .. }
    ));
    store.create_extension(&actor(), tenant.id, new_extension("x")).await.unwrap();
}

#[tokio::test]
async fn another_tenants_extension_is_not_there() {
    let fixture = Fixture::new().await;
    let (a, b) = (fixture.tenant("a.example").await, fixture.tenant("b.example").await);
    let theirs = fixture.store.create_extension(&actor(), b.id, new_extension("1001")).await.unwrap().value;
    fixture
        .store
        .create_extension(&actor(), a.id, new_extension("1001"))
        .await
        .expect("numbers are per tenant");
    assert_eq!(fixture.store.extension(a.id, theirs.id).await.unwrap(), None);
    let update =
        fixture.store.update_extension(&actor(), a.id, theirs.id, change("1"), &Expected::Anything).await;
    assert!(matches!(update.unwrap_err(), StoreError::NotFound));
    let delete = fixture.store.delete_extension(&actor(), a.id, theirs.id, &Expected::Anything).await;
    assert!(matches!(delete.unwrap_err(), StoreError::NotFound));
    assert_eq!(fixture.store.extension(b.id, theirs.id).await.unwrap(), Some(theirs));
}

#[tokio::test]
async fn the_audit_trail_has_all_but_the_secrets() {
    let fixture = Fixture::new().await;
    let tenant = fixture.tenant("a.example").await;
    let made =
        fixture.store.create_extension(&actor(), tenant.id, new_extension("1001")).await.unwrap().value;
    fixture
        .store
        .update_extension(&actor(), tenant.id, made.id, change("1002"), &Expected::Anything)
        .await
        .unwrap();
    fixture.store.delete_extension(&actor(), tenant.id, made.id, &Expected::Anything).await.unwrap();
    let entries = fixture.store.audit_entries(tenant.id, first().page).await.unwrap().rows;
    let actions: Vec<_> = entries.iter().map(|e| (e.action.as_str(), e.auditable_type.as_str())).collect();
    assert_eq!(
        actions,
        [
            ("deleted", "App\\Models\\Extension"),
            ("updated", "App\\Models\\Extension"),
            ("created", "App\\Models\\Extension"),
            ("created", "App\\Models\\Tenant"),
        ]
    );
    let update = &entries[1];
    assert_eq!(update.user_id, Some(7));
    assert_eq!(update.ip_address.as_deref(), Some("192.0.2.1"));
    assert_eq!(update.user_agent.as_ref().unwrap().len(), 255);
    assert_eq!(
        Value::Object(update.new_values.clone().unwrap()),
        json!({"extension": "1002", "password": "[secret]"})
    );
    assert_eq!(
        Value::Object(update.old_values.clone().unwrap()),
        json!({"extension": "1001", "password": "[secret]"})
    );
    let text = format!("{entries:?}");
    assert!(text.contains("+15550100") && !text.contains("Pa55") && !text.contains("90210734"));
}

#[tokio::test]
async fn settings_are_merged() {
    let fixture = Fixture::new().await;
    let tenant = fixture.tenant("a.example").await;
    let put = |value: Value| match value {
        Value::Object(map) => fixture.store.put_settings(
            Box::leak(Box::new(actor())),
            tenant.id,
            Settings::Map(map),
            &Expected::Anything,
        ),
        _ => panic!("no map"),
    };
    put(json!({"a": 1, "b": {"x": 1}})).await.unwrap();
    let committed = put(json!({"b": {"y": 2}})).await.unwrap();
    assert_eq!(Value::Object(committed.value.settings), json!({"a": 1, "b": {"y": 2}}));
    assert_eq!(committed.touched, [domain("a.example")]);
}

#[tokio::test]
async fn what_was_touched_is_read_as_it_is_now() {
    let fixture = Fixture::new().await;
    let tenant = fixture.tenant("a.example").await;
    let made = fixture.store.create_extension(&actor(), tenant.id, new_extension("Desk")).await.unwrap();
    let keys = [
        domain("a.example"),
        domain("x.example"),
        number(tenant.id, "desk"),
        number(tenant.id, "9"),
        number(Uuid::nil(), "Desk"),
    ];
    let fresh = fixture.store.read_touched(&keys).await.unwrap();
    assert_eq!(fresh.generation, made.generation);
    let routing = Routing { tenant: tenant.clone(), policies: vec![], gateways: vec![] };
    let want = [
        Row::Tenant(tenant),
        Row::Routing(routing),
        Row::Gone(keys[1].clone()),
        Row::Extension(made.value),
        Row::Gone(keys[3].clone()),
        Row::Gone(keys[4].clone()),
    ];
    assert_eq!(fresh.rows.len(), want.len());
    assert!(want.iter().all(|row| fresh.rows.contains(row)), "{:?}", fresh.rows);
}

#[tokio::test]
async fn many_rows_in_and_out() {
    let fixture = Fixture::new().await;
    let (a, b) = (fixture.tenant("a.example").await, fixture.tenant("b.example").await);
    let new = |n: usize| (0..n).map(|i| new_extension(&format!("N{i}"))).collect::<Vec<_>>();
    let committed = fixture.store.insert_extensions(&actor(), a.id, new(1234)).await.unwrap();
    assert_eq!((committed.value.len(), committed.generation, committed.touched.len()), (1234, 3, 1234));
    fixture.store.insert_extensions(&actor(), b.id, new(7)).await.unwrap();

    let mut keys = committed.touched;
    keys.push(number(b.id, "n3"));
    keys.push(number(b.id, "N7"));
    keys.push(domain("b.example"));
    let fresh = fixture.store.read_touched(&keys).await.unwrap();
    // A tenant is two rows.
    assert_eq!(fresh.rows.len(), keys.len() + 1);
    let mut numbers: BTreeSet<(Uuid, String)> = BTreeSet::new();
    for row in fresh.rows {
        match row {
            Row::Tenant(tenant) => assert_eq!(tenant.domain, "b.example"),
            Row::Routing(routing) => assert_eq!(routing.tenant.domain, "b.example"),
            Row::Extension(row) => {
                assert_eq!(row.password, format!("Pa55-{}-secret", row.extension));
                numbers.insert((row.tenant_id, row.extension));
            }
            row => assert_eq!(row, Row::Gone(number(b.id, "N7"))),
        }
    }
    assert_eq!(numbers.len(), 1235);
    assert!(numbers.contains(&(a.id, "N1233".into())) && numbers.contains(&(b.id, "N3".into())));

    let (mut tenants, mut extensions) = (0, 0);
    let generation = fixture
        .store
        .export(&mut |row| match row {
            Row::Tenant(_) => {
                assert_eq!(extensions, 0, "tenants come first");
                tenants += 1;
            }
            Row::Extension(row) => {
                assert_eq!(row.voicemail_pin.as_deref(), Some("90210734"));
                extensions += 1;
            }
            Row::Gone(_) => panic!("an export has rows only"),
            _ => {}
        })
        .await
        .unwrap();
    assert_eq!((generation, tenants, extensions), (4, 2, 1241));

    let page = fixture
        .store
        .extensions(a.id, &Query { page: Page { number: 83, size: 15 }, ..Query::default() })
        .await
        .unwrap();
    assert_eq!((page.total, page.rows.len()), (1234, 4));
    let past = fixture
        .store
        .extensions(a.id, &Query { page: Page { number: u64::MAX, size: 15 }, ..Query::default() })
        .await
        .unwrap();
    assert_eq!((past.total, past.rows.len()), (1234, 0));
}

#[tokio::test]
async fn others_learn_what_was_touched() {
    let fixture = Fixture::new().await;
    let other =
        nizam_store::Store::open(&fixture.url, nizam_store::Keyring::new(&fixture.key)).await.unwrap();
    let seen = other.generation().await.unwrap();
    let tenant = fixture.tenant("a.example").await;
    fixture.store.create_extension(&actor(), tenant.id, new_extension("1")).await.unwrap();
    let new = (0..10_001).map(|i| new_extension(&format!("n{i}"))).collect();
    fixture.store.insert_extensions(&actor(), tenant.id, new).await.unwrap();
    let changes = other.changes_after(seen).await.unwrap();
    assert_eq!(changes.iter().map(|c| c.generation).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(changes[0].touched, Some(vec![domain("a.example")]));
    assert_eq!(changes[1].touched, Some(vec![number(tenant.id, "1")]));
    assert_eq!(changes[2].touched, None);
    assert_eq!(other.changes_after(3).await.unwrap(), []);
}
