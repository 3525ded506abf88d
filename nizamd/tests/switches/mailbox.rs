//! A PIN that is changed by phone: in the database, and nowhere else.

use crate::ACTOR;
use crate::site::{Module, Site, call, numbered, record_of};
use nizam_core::model::{ExtensionChange, NewExtension};
use nizam_store::{Expected, Page};
use nizam_wire::link::{Api, Command, Incarnation, ModuleEvent};
use uuid::Uuid;

const LIFE: Incarnation = Incarnation([1; 16]);

fn chosen(user: &str, domain: &str, pin: &str) -> Vec<u8> {
    record_of(
        "vm::maintenance",
        1_785_153_600_000_000,
        &[
            ("VM-Action", "change-password"),
            ("VM-User", user),
            ("VM-Domain", domain),
            ("VM-User-Password", pin),
        ],
    )
}

/// The command that comes next.
#[track_caller]
fn command(module: &mut Module) -> Command {
    match module.next() {
        ModuleEvent::Command(command) => command,
        other => panic!("{other:?}"),
    }
}

/// mod_voicemail is told to keep something else than a PIN for that mailbox, and does.
#[track_caller]
fn forgets(module: &mut Module, mailbox: &str) {
    let command = command(module);
    assert_eq!(command.api, Api::MailboxPassword);
    let kept = command
        .argument
        .strip_prefix(&format!("default {mailbox} "))
        .unwrap_or_else(|| panic!("{command:?}"));
    assert!(kept.len() > 40 && kept.starts_with("nobody-") && !kept.contains(' '), "{kept}");
    module.session.reply(command.id, Ok("-OK\n".to_owned()));
    module.flush();
}

async fn pin(site: &Site, id: Uuid) -> Option<String> {
    site.store.extension(site.tenant, id).await.unwrap().unwrap().voicemail_pin
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pin_that_is_changed_by_phone_is_in_the_database_once() {
    let site = Site::start().await;
    let new =
        NewExtension { voicemail_pin: Some("4711".into()), ..crate::new_extension("1001", "some-password") };
    let id = site.store.create_extension(&ACTOR, site.tenant, new).await.unwrap().value.id;
    let before = site.store.generation().await.unwrap();
    let mut module = site.module("fs1", "c1");
    module.send(LIFE, &numbered(1, [chosen("1001", "ACME.example", "815815")]));
    // mod_voicemail has to forget it: what it keeps would be good beside what the mailbox gets later.
    forgets(&mut module, "acme.example 1001");
    assert_eq!(pin(&site, id).await.as_deref(), Some("815815"));
    assert!(site.store.generation().await.unwrap() > before, "switches get it");
    module.acknowledged(LIFE, 1);
    let told = site.store.events_of_channel(site.tenant, "1001").await.unwrap();
    assert_eq!(told.iter().map(|event| &*event.event_type).collect::<Vec<_>>(), ["voicemail.pin_changed"]);
    assert!(!told[0].payload.to_string().contains("815815"));

    // By REST it gets another one; the event comes once more, as after an acknowledgement that was lost.
    let row = site.store.extension(site.tenant, id).await.unwrap().unwrap();
    assert_eq!((&*row.extension, &*row.password), ("1001", "some-password"));
    let change = ExtensionChange { voicemail_pin: Some(Some("0000".into())), ..ExtensionChange::none(&row) };
    let changed = site.store.update_extension(&ACTOR, site.tenant, id, change, &Expected::Anything);
    assert_eq!(changed.await.unwrap().value.voicemail_pin.as_deref(), Some("0000"));
    drop(module);
    let mut module = site.module("fs1", "c1");
    module.send(LIFE, &numbered(1, [chosen("1001", "acme.example", "815815")]));
    forgets(&mut module, "acme.example 1001");
    module.acknowledged(LIFE, 1);
    assert_eq!(pin(&site, id).await.as_deref(), Some("0000"));

    // What is no PIN, no mailbox and no tenant's changes nothing, and stops nothing. mod_voicemail
    // keeps none of the tenant's; a mailbox of the operator's own domain is left alone.
    let odd = [
        ("1001", "acme.example", "12"),
        ("1002", "acme.example", "1234"),
        ("1001", "nobody.example", "1234"),
    ];
    module.send(LIFE, &numbered(2, odd.map(|(user, domain, pin)| chosen(user, domain, pin))));
    for mailbox in ["acme.example 1001", "acme.example 1002"] {
        forgets(&mut module, mailbox);
    }
    module.acknowledged(LIFE, 4);
    assert_eq!(pin(&site, id).await.as_deref(), Some("0000"));

    // The connection ends before mod_voicemail has forgotten, and a call was told behind: all of it is told again, and nothing is lost.
    module.send(LIFE, &numbered(5, [chosen("1001", "acme.example", "222222")]));
    let _unanswered = command(&mut module);
    module.send(LIFE, &numbered(6, call("u1")));
    drop(module);
    let mut module = site.module("fs1", "c1");
    module.send(LIFE, &numbered(5, [chosen("1001", "acme.example", "222222")]));
    module.send(LIFE, &numbered(6, call("u1")));
    forgets(&mut module, "acme.example 1001");
    module.acknowledged(LIFE, 8);
    assert_eq!(pin(&site, id).await.as_deref(), Some("222222"));
    assert_eq!(site.cdrs().await.len(), 1);
    let told = site.store.events_of_channel(site.tenant, "1001").await.unwrap();
    assert_eq!(told.iter().filter(|event| event.event_type == "voicemail.pin_changed").count(), 3);
    let trail = site.store.audit_entries(site.tenant, Page { number: 1, size: 100 }).await.unwrap();
    assert!(trail.total > 2 && !format!("{trail:?}").contains("222222"));
}
