//! Gateways of a real FreeSWITCH whose images a test makes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test stops at the first surprise"
)]

#[path = "standin/fixtures/daemon.rs"]
mod daemon;
mod support;
#[path = "standin/fixtures/tenants.rs"]
mod tenants;

use std::time::{Duration, Instant};

use daemon::Daemon;
use nizam_core::compile;
use nizam_wire::{Builder, Image};
use support::{Lone, Switch, require, until};

const SOON: Duration = Duration::from_secs(40);

/// A base with two tenants of one extension each, of which the first has these gateways.
fn base(generation: u64, gateways: &[(u8, &str)]) -> Image {
    let mut builder = Builder::base(generation, 0x5EED);
    for (n, name) in (1..).zip(["acme", "other"]) {
        let tenant = tenants::tenant(n, name);
        compile::tenant(&mut builder, &tenant).unwrap();
        compile::extension(&mut builder, &tenants::extension(&tenant, name, 1001)).unwrap();
        for (id, gateway) in gateways.iter().filter(|_| name == "acme") {
            tenants::gateway(&mut builder, &tenant, *id, Some(gateway));
        }
    }
    Image::from_vec(builder.finish().unwrap()).unwrap()
}

fn until_gateways(switch: &mut Switch, here: &[&str], gone: &[&str]) {
    until("mod_sofia has the gateways", SOON, || {
        let status = switch.api("sofia status gateway");
        let has = |name: &&str| status.contains(&format!("external::{name}\t"));
        (here.iter().all(has) && !gone.iter().any(has)).then_some(())
    });
}

#[test]
fn gateways_follow_the_images_and_a_reload_of_the_module() {
    if !require(&["freeswitch"]) {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::listen(&home.path().join("nizam.sock"));
    let mut lone = Lone::start(home.path());
    let switch = &mut lone.switch;
    daemon.welcome();
    daemon.publish(1, &[&base(1, &[])]);
    assert!(!switch.api("sofia status gateway").contains("external::"));

    let start = Instant::now();
    daemon.publish(2, &[&base(2, &[(1, "acme-a.1"), (2, "acme-b.1")])]);
    until_gateways(switch, &["acme-a.1", "acme-b.1"], &[]);
    println!("two gateways are there {:?} after they were published", start.elapsed());

    let start = Instant::now();
    daemon.publish(3, &[&base(3, &[(1, "acme-a.2")])]);
    until_gateways(switch, &["acme-a.2"], &["acme-a.1", "acme-b.1"]);
    println!("one is another and one is gone {:?} after that was published", start.elapsed());

    // What happens while the module is not there, is caught up.
    assert!(switch.api("unload mod_nizam").contains("+OK"));
    assert!(switch.api("sofia status gateway").contains("external::acme-a.2"));
    assert!(switch.api("load mod_nizam").contains("+OK"));
    daemon.welcome();
    daemon.publish(4, &[&base(4, &[(3, "acme-c.1")])]);
    until_gateways(switch, &["acme-c.1"], &["acme-a.2"]);
    daemon.publish(5, &[&base(5, &[])]);
    until_gateways(switch, &[], &["acme-c.1"]);
    switch.stop();
}

#[test]
fn a_call_to_a_gateways_contact_says_which_it_is_and_what_was_dialled() {
    if !require(&["freeswitch", "sipp"]) {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::listen(&home.path().join("nizam.sock"));
    let mut lone = Lone::start(home.path());
    daemon.welcome();
    daemon.publish(1, &[&base(1, &[(7, "acme-a.1")])]);
    until_gateways(&mut lone.switch, &["acme-a.1"], &[]);
    lone.switch.api("nizam debug on");
    // No image has this number: FreeSWITCH goes on to its own files, and they say so.
    lone.call_gateway("acme-a.1", "+4930123456", 404);
    let asked = "+4930123456 in public from 127.0.0.1 through gateway-7: answered not ours";
    let log = lone.switch.log();
    for way in ["hunt", "dialplan"] {
        assert!(log.contains(&format!("{way} {asked}")), "{way}: {}", lone.switch.log_tail());
    }
    lone.call_gateway("nobodys", "+4930123457", 404);
    assert!(!lone.switch.log().contains("gw+nobodys in public from 127.0.0.1 through"));
    lone.switch.stop();
}
