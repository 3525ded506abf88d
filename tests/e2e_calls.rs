//! Telephones on a real FreeSWITCH that knows its tenants from mod_nizam alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise"
)]

mod support;

use std::{fs, net::UdpSocket, path::Path, time::Duration};

use support::{Caller, Manner, Phone, Site, require, share_of_tone, until, write_silence};

const ALL: [&str; 3] = ["freeswitch", "sipp", "baresip"];
const SIP: [&str; 2] = ["freeswitch", "sipp"];
const SOON: Duration = Duration::from_secs(20);

#[test]
fn two_tenants_with_the_same_number_register_each_with_its_own_password() {
    if !require(&SIP) {
        return;
    }
    let mut site = Site::start();
    let (alpha, beta) = (site.tenant("alpha.test"), site.tenant("beta.test"));
    let of_alpha = site.extension(&alpha, "alpha.test", "1001", false);
    let of_beta = site.extension(&beta, "beta.test", "1001", false);

    site.register(&of_alpha, 200);
    site.register(&of_beta, 200);
    // FreeSWITCH writes its table of registrations behind the answers.
    until("both are registered", SOON, || {
        let registered = site.switch.api("show registrations");
        ["1001,alpha.test,", "1001,beta.test,"].iter().all(|who| registered.contains(who)).then_some(())
    });

    let mut thief = of_alpha.clone();
    thief.password.clone_from(&of_beta.password);
    site.register(&thief, 403);
    let mut stranger = of_alpha.clone();
    stranger.number = "1999".to_owned();
    site.register(&stranger, 403);
    // Its own name and password for somebody else's address: mod_sofia would take it, and its calls would go astray.
    for address in ["1001@beta.test", "1002@alpha.test"] {
        site.register_as(&of_alpha, address, 403);
    }
    site.register_as(&of_alpha, "1001@ALPHA.test", 200);
    let registered = site.switch.api("show registrations");
    assert_eq!(registered.matches("1001,beta.test,").count(), 1, "{registered}");
    let mut nowhere = of_alpha;
    nowhere.domain = "nowhere.test".to_owned();
    site.register(&nowhere, 403);
    site.switch.stop();
}

#[test]
fn whoever_is_called_does_not_send_the_call_elsewhere() {
    if !require(&SIP) {
        return;
    }
    let mut site = Site::start();
    let tenant = site.tenant("redirect.test");
    let [a, b] = ["1001", "1002"].map(|number| site.extension(&tenant, "redirect.test", number, false));
    let elsewhere = UdpSocket::bind("127.0.0.2:0").unwrap();
    elsewhere.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    let mut phone = site.phone_that(&b, Manner::Redirect(elsewhere.local_addr().unwrap().port()));
    let mut heard = [0; 4096];
    let mut call = site.call(&Caller::phone(&a), "1002");
    phone.next_call();
    let answer = elsewhere.recv(&mut heard);
    assert!(answer.is_err(), "{}", String::from_utf8_lossy(&heard));
    let status = call.status();
    println!("the caller is told {status}");
    assert!(status >= 300);

    // The trap is one: without the variable the call does leave.
    site.switch.api("global_setvar outbound_redirect_fatal=false");
    let call = site.call(&Caller::phone(&a), "1002");
    phone.next_call();
    let length = elsewhere.recv(&mut heard).unwrap();
    assert!(heard[..length].starts_with(b"INVITE sip:+4990012345@127.0.0.2"));
    drop(call);
}

#[test]
fn two_phones_hear_each_other_and_the_absent_one_has_a_mailbox() {
    if !require(&ALL) {
        return;
    }
    let mut site = Site::start();
    let tenant = site.tenant("calls.test");
    let [a, b, absent, mailbox] = [("1001", false), ("1002", false), ("1003", false), ("1004", true)]
        .map(|(number, voicemail)| site.extension(&tenant, "calls.test", number, voicemail));
    let (mut one, mut two) = (site.phone(0, &a, 440), site.phone(1, &b, 1000));

    site.switch.api("nizam debug on");
    talk(&mut one, &mut two, "1002", "calls.test");
    // By the module's own dialplan, which is asked first.
    let log = site.switch.log();
    assert!(
        log.contains("hunt 1002 in calls.test from 127.0.0.1: answered a route"),
        "{}",
        site.switch.log_tail()
    );
    assert!(!log.contains("dialplan 1002 in calls.test"), "the registry was asked as well");

    site.invite(&a, "1777", 404);
    site.invite(&a, &absent.number, 480);

    one.dial(&mailbox.number, "calls.test");
    one.await_event("CALL_ESTABLISHED", SOON);
    let folder = site.switch.mailbox("calls.test", &mailbox.number);
    // The recording starts after the greeting; a second and a half of it is beyond the shortest message that is kept.
    until("a message of some seconds is being recorded", Duration::from_secs(40), || {
        newest_wav(&folder).filter(|(_, bytes)| *bytes > 5 * 16_000)
    });
    one.hang_up();
    one.await_event("CALL_CLOSED", SOON);
    let counted = until("the mailbox counts the message", SOON, || {
        let counted = site.switch.api("vm_boxcount 1004@calls.test");
        (counted.trim() != "0").then_some(counted)
    });
    assert_eq!(counted.trim(), "1");
    let (message, _) = newest_wav(&folder).expect("the message is still there");
    let heard = share_of_tone(&message, 440.0);
    assert!(heard > 0.8, "the message holds the caller's tone: {heard}");

    site.nizamd.rest().suspend(&tenant);
    site.invite(&a, "1002", 403);
    // No orderly stop here: see `Switch::stop` about voicemail.
    assert!(site.switch.api("status").contains("is ready"));
}

#[test]
fn a_phone_is_told_of_its_voicemail_when_it_registers_and_when_that_changes() {
    if !require(&SIP) {
        return;
    }
    let mut site = Site::start();
    let tenant = site.tenant("mwi.test");
    let [a, b] = ["1001", "1002"].map(|number| site.extension(&tenant, "mwi.test", number, true));
    let message = site.home().join("message.wav");
    write_silence(&message, 3);
    let leave = |site: &mut Site| {
        let left = site.switch.api(&format!("voicemail_inject 1001@mwi.test {}", message.display()));
        assert!(left.contains("+OK"), "{left}");
    };
    leave(&mut site);
    let (mut own, mut neighbour) = (site.listener(&a), site.listener(&b));
    own.await_message(&["NOTIFY ", "Messages-Waiting: yes", "sip:1001@mwi.test", "Voice-Message: 1/0"]);
    neighbour.await_message(&["NOTIFY ", "Messages-Waiting: no", "sip:1002@mwi.test"]);
    leave(&mut site);
    own.await_message(&["NOTIFY ", "Messages-Waiting: yes", "Voice-Message: 2/0"]);
    // No orderly stop here: see `Switch::stop` about voicemail.
    assert!(site.switch.api("status").contains("is ready"));
}

#[test]
fn a_changed_password_is_in_force_for_the_very_next_register() {
    if !require(&SIP) {
        return;
    }
    let mut site = Site::start();
    let tenant = site.tenant("rotate.test");
    let mut account = site.extension(&tenant, "rotate.test", "1001", false);
    site.register(&account, 200);
    for round in 0..100 {
        let old = account.clone();
        account.password = format!("rotated-{round}-{}", site.switch.api("create_uuid").trim());
        site.nizamd.rest().change_password(&tenant, &account.id, &account.number, &account.password);
        // Which of the two comes first alternates, so that each is the very next one fifty times.
        if round % 2 == 0 {
            site.register(&account, 200);
            site.register(&old, 403);
        } else {
            site.register(&old, 403);
            site.register(&account, 200);
        }
    }
    site.switch.stop();
}

#[test]
fn registered_phones_call_without_nizamd_and_after_a_restart_of_the_switch() {
    if !require(&ALL) {
        return;
    }
    let mut site = Site::start();
    let tenant = site.tenant("alone.test");
    let [a, b] = ["1001", "1002"].map(|number| site.extension(&tenant, "alone.test", number, false));
    // The last edit too must be in the snapshot.
    let mut late = site.extension(&tenant, "alone.test", "1003", false);
    site.register(&late, 200);
    late.password = "the-last-edit-of-all".to_owned();
    site.nizamd.rest().change_password(&tenant, &late.id, &late.number, &late.password);

    site.nizamd.kill();
    site.nizamd.lose_database();
    for state in ["nizamd dead", "switch restarted"] {
        println!("{state}");
        {
            let (mut one, mut two) = (site.phone(0, &a, 440), site.phone(1, &b, 1000));
            talk(&mut one, &mut two, "1002", "alone.test");
        }
        site.register(&late, 200);
        site.invite(&a, "1777", 404);
        site.switch.stop();
        site.switch.start();
    }
    site.switch.stop();
}

#[test]
fn the_switch_answers_its_own_questions_about_users_and_domains() {
    if !require(&["freeswitch"]) {
        return;
    }
    let mut site = Site::start();
    let tenant = site.tenant("ask.test");
    for number in ["1001", "1002"] {
        site.extension(&tenant, "ask.test", number, number == "1002");
    }
    let fs = &mut site.switch;

    let domain = fs.api("xml_locate directory domain name ask.test");
    assert!(domain.contains("<domain name=\"ask.test\""), "{domain}");
    assert_eq!(fs.api("domain_exists ask.test").trim(), "true");
    assert_eq!(fs.api("domain_exists ASK.TEST").trim(), "true");
    assert_eq!(fs.api("domain_exists other.test").trim(), "false");
    assert_eq!(fs.api("user_exists id 1001 ask.test").trim(), "true");
    assert_eq!(fs.api("user_exists id 1999 ask.test").trim(), "false");
    assert_eq!(fs.api("user_exists id 1001 other.test").trim(), "false");
    assert_eq!(fs.api("user_data 1001@ask.test var user_context").trim(), "ask.test");
    assert_eq!(fs.api("user_data 1001@ask.test attr id").trim(), "1001");
    // Nothing printed: the event socket says so in words of its own.
    assert!(fs.api("user_data 1999@ask.test var user_context").starts_with("-ERR no reply"));
    let group = fs.api("group_call default@ask.test");
    assert!(group.contains("1001") && group.contains("1002"), "{group}");
    let users = fs.api("list_users domain ask.test");
    assert!(users.contains("1001|ask.test") && users.contains("1002|ask.test"), "{users}");
    assert!(fs.api("reloadacl").contains("+OK"));
    let rescan = fs.api("sofia profile internal rescan");
    assert!(rescan.contains("+OK"), "{rescan}");
    let lookup = fs.api("nizam lookup directory 1001@ask.test");
    assert!(lookup.starts_with("+OK"), "{lookup}");
    let dialplans = fs.api("show dialplan");
    assert!(dialplans.lines().any(|line| line == "dialplan,nizam,mod_nizam"), "{dialplans}");
    let route = fs.api("nizam lookup dialplan ask.test 1002");
    assert!(route.starts_with("+OK"), "{route}");
    fs.stop();
}

/// Lets `one` call `two`, and proves by what each recorded that both heard the other.
fn talk(one: &mut Phone, two: &mut Phone, number: &str, domain: &str) {
    one.dial(number, domain);
    one.await_event("CALL_ESTABLISHED", SOON);
    two.await_event("CALL_ESTABLISHED", SOON);
    for phone in [&*one, &*two] {
        until("some seconds of the other's voice arrived", SOON, || {
            fs::metadata(phone.heard()).ok().filter(|file| file.len() > 3 * 16_000)
        });
    }
    one.hang_up();
    one.await_event("CALL_CLOSED", SOON);
    two.await_event("CALL_CLOSED", SOON);
    // One plays 440 Hz, two plays 1000 Hz.
    for (phone, other, own) in [(one, 1000.0, 440.0), (two, 440.0, 1000.0)] {
        let (theirs, mine) = (share_of_tone(&phone.heard(), other), share_of_tone(&phone.heard(), own));
        assert!(theirs > 0.8, "the other's tone is {theirs} of what was heard");
        assert!(mine < 0.1, "the own tone is {mine} of what was heard");
    }
}

/// The newest recording in a mailbox, and its length.
fn newest_wav(folder: &Path) -> Option<(std::path::PathBuf, u64)> {
    let files = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let recordings = files.filter(|file| file.to_string_lossy().ends_with(".wav"));
    recordings
        .filter_map(|file| Some((file.clone(), fs::metadata(&file).ok()?.len())))
        .max_by_key(|(_, bytes)| *bytes)
}
