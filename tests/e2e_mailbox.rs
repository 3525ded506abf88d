//! A mailbox by phone on a real FreeSWITCH: a PIN that is changed there is the mailbox's own from then on, and no other.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise"
)]

mod support;

use std::{thread, time::Duration};

use reqwest::Method;
use serde_json::json;
use support::{Site, require, until};

const SOON: Duration = Duration::from_secs(20);

/// mod_voicemail listens for digits while it plays its prompt, and what is dialled before that is lost.
const PROMPT: Duration = Duration::from_millis(1500);

#[test]
fn a_pin_that_is_changed_by_phone_is_the_only_one() {
    if !require(&["freeswitch", "baresip"]) {
        return;
    }
    let mut site = Site::start();
    let tenant = site.tenant("pin.test");
    let account = site.extension(&tenant, "pin.test", "1001", true);
    let mut phone = site.phone(0, &account, 400);
    // The same comparison as at the phone: of the PIN of the directory, and of the copy that mod_voicemail keeps.
    let opens = |site: &mut Site, pin: &str| {
        let answer = site.switch.api(&format!("vm_fsdb_auth_login default pin.test 1001 {pin}"));
        assert!(["-OK", "-ERR"].contains(&answer.trim()), "{answer}");
        answer.trim() == "-OK"
    };
    assert!(opens(&mut site, "4711"));

    phone.dial("*97", "pin.test");
    phone.await_event("CALL_ESTABLISHED", SOON);
    // The PIN, the settings, another PIN: first one that is none, which is asked for again.
    for digits in ["4711#", "5", "6", "12#", "815815#"] {
        thread::sleep(PROMPT);
        phone.press(digits);
    }
    let extension = format!("/tenants/{tenant}/extensions/{}", account.id);
    let row = until("the PIN is in the database", SOON, || {
        let (_, row) = site.nizamd.rest().attempt(&Method::GET, &extension, &json!({}));
        (row["data"]["voicemail_pin"] != "4711").then_some(row)
    });
    assert_eq!(row["data"]["voicemail_pin"], "815815", "{row}");
    phone.hang_up();
    until("the old PIN opens nothing", SOON, || (!opens(&mut site, "4711")).then_some(()));
    assert!(opens(&mut site, "815815") && !opens(&mut site, "12"));
    let logs = site.nizamd.rest().call(&Method::GET, &format!("/tenants/{tenant}/audit-logs"), &json!({}));
    let change = logs.as_array().unwrap().iter().find(|entry| entry["user_agent"] == "phone, by e2e");
    let change = change.unwrap_or_else(|| panic!("{logs:#}"));
    println!("audit: {change}");
    assert_eq!(change["new_values"]["voicemail_pin"], "[secret]");

    // And by REST yet another one.
    let mut changed = row["data"].clone();
    changed["voicemail_pin"] = json!("2468");
    site.nizamd.rest().change(&tenant, "extensions", &account.id, &changed);
    until("the one chosen by phone opens nothing", SOON, || (!opens(&mut site, "815815")).then_some(()));
    assert!(opens(&mut site, "2468"));
}
