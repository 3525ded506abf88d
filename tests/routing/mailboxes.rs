//! Voicemail, as phones see it.

use std::{fs, time::Duration};

use serde_json::json;

use super::world::{SOON, World};
use crate::support::{Cases, Manner, until};

const DOMAIN: &str = "mailboxes.test";

pub(crate) fn run() {
    let world = World::start(DOMAIN, &json!({}));
    let mut cases = Cases::default();
    let mut caller = world.site.phone(0, &world.extension("1001", &json!({})), 440);
    let mailbox = json!({"voicemail_enabled": true, "voicemail_pin": "4711", "ring_timeout": 5});
    let (_, mut owner_phone) = world.phone("1002", Manner::Ring, &mailbox);

    cases.case("Destinations voicemail", "a message is left, and the phone is told that it waits", || {
        caller.dial("1002", DOMAIN);
        let call = owner_phone.next_call();
        owner_phone.await_cancel(&call);
        caller.await_event("CALL_ESTABLISHED", SOON);
        let folder = world.site.switch.mailbox(DOMAIN, "1002");
        until("a message of some seconds is being recorded", Duration::from_secs(40), || {
            let files = fs::read_dir(&folder).ok()?.filter_map(Result::ok);
            let sizes = files.filter_map(|file| file.metadata().ok()).map(|file| file.len());
            sizes.max().filter(|bytes| *bytes > 5 * 16_000)
        });
        caller.hang_up();
        caller.await_event("CALL_CLOSED", SOON);
        let notify = until("the phone is told", SOON, || {
            let messages = owner_phone.messages().into_iter();
            messages
                .filter(|message| message.is("NOTIFY"))
                .find(|message| message.body.contains("Messages-Waiting: yes"))
        });
        assert_eq!(notify.header("Event"), "message-summary");
        assert!(notify.body.contains("Voice-Message: 1/0"), "{notify:#?}");
        let counted = world.api("vm_boxcount 1002@mailboxes.test");
        assert_eq!(counted.trim(), "1");
    });
    cases.finish();
    // No orderly stop here: see `Switch::stop` about voicemail.
    assert!(world.api("status").contains("is ready"));
}
