//! Phones that come and go.

use nizam_store::{Delivered, Page};

use crate::ingest::{ORIGIN, START, delivered, now, numbered};
use crate::support::Fixture;

fn said(action: &str, call_id: &str, contact: &str) -> Delivered {
    let subclass = format!("sofia::{action}");
    let headers = [
        ("Event-Name", "CUSTOM"),
        ("Event-Subclass", &*subclass),
        ("from-user", "1001"),
        ("from-host", "acme.example"),
        ("call-id", call_id),
        ("contact", contact),
    ];
    delivered(&headers, START)
}

/// A phone that is restarted registers with another Call-ID, and FreeSWITCH keeps one registration of a Contact.
#[tokio::test]
async fn a_phone_that_was_restarted_is_the_same_phone() {
    let (desk, mobile) = ("<sip:1001@192.0.2.7>", "<sip:1001@192.0.2.8>");
    let steps = [
        (said("register", "one", desk), 1),
        (said("register", "two", desk), 1),
        (said("register", "three", mobile), 2),
        (said("unregister", "four", desk), 1),
        // The connection broke: the event has no Contact.
        (said("unregister", "three", ""), 0),
        (said("register", "five", mobile), 1),
        (said("expire", "six", mobile), 0),
    ];
    // One batch after the other, and all in one.
    for size in [1, steps.len()] {
        let fixture = Fixture::new().await;
        let tenant = fixture.tenant("acme.example").await.id;
        let numbered = numbered(steps.iter().map(|(event, _)| event.clone()));
        for (batch, after) in numbered.chunks(size).zip(steps.chunks(size)) {
            fixture.store.ingest(ORIGIN, batch, 0).await.unwrap();
            let phones = fixture.store.registrations(tenant, Page::default()).await.unwrap();
            assert_eq!(phones.total, after.last().unwrap().1, "{:?}", phones.rows);
        }
    }
}

/// The switch that had them died, and nobody says that they are gone.
#[tokio::test]
async fn a_phone_whose_registration_ended_a_day_ago_is_forgotten() {
    const HOUR: i64 = 3_600_000_000;
    let fixture = Fixture::new().await;
    let tenant = fixture.tenant("acme.example").await.id;
    let registered = |user: &str, at: i64, seconds: Option<&str>| {
        let mut headers = vec![
            ("Event-Name", "CUSTOM"),
            ("Event-Subclass", "sofia::register"),
            ("from-user", user),
            ("from-host", "acme.example"),
            ("call-id", user),
        ];
        headers.extend(seconds.map(|seconds| ("expires", seconds)));
        delivered(&headers, at)
    };
    let events = [
        registered("1001", now() - 26 * HOUR, Some("3600")),
        registered("1002", now() - 24 * HOUR, Some("3600")),
        registered("1003", now(), Some("3600")),
        registered("1004", now() - 99 * HOUR, None),
    ];
    fixture.store.ingest(ORIGIN, &numbered(events), 0).await.unwrap();
    // What has ended less than a day ago is shown no more, and stays for those who look into it.
    assert_eq!(fixture.store.forget_calls().await.unwrap(), 1);
    assert_eq!(fixture.store.forget_calls().await.unwrap(), 0);
    let phones = fixture.store.registrations(tenant, Page::default()).await.unwrap().rows;
    assert_eq!(phones.iter().map(|phone| &*phone.user).collect::<Vec<_>>(), ["1003", "1004"]);
}
