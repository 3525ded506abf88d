//! The real module in the stand-in host, and its mod_sofia: gateways there follow the images.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

#[path = "standin/client.rs"]
mod client;
#[path = "standin/fixtures/daemon.rs"]
mod daemon;
#[path = "standin/fixtures/loaded.rs"]
mod loaded;
#[path = "standin/fixtures/tenants.rs"]
mod tenants;

use client::Standin;
use daemon::Daemon;
use loaded::{configured, start};
use nizam_core::compile;
use nizam_core::model::TenantStatus;
use nizam_wire::{Builder, Image};
use std::fs;
use std::time::{Duration, Instant};

const SEED: u64 = 0x5EED;

/// A base with one tenant, which has these gateways.
fn base(generation: u64, gateways: &[(u8, &str)]) -> Image {
    let mut builder = Builder::base(generation, SEED);
    let acme = tenants::tenant(1, "acme");
    compile::tenant(&mut builder, &acme).unwrap();
    for (id, name) in gateways {
        tenants::gateway(&mut builder, &acme, *id, Some(name));
    }
    image(builder)
}

fn overlay(generation: u64, fill: impl FnOnce(&mut Builder)) -> Image {
    let mut builder = Builder::overlay(generation, SEED);
    fill(&mut builder);
    image(builder)
}

fn image(builder: Builder) -> Image {
    Image::from_vec(builder.finish().unwrap()).unwrap()
}

/// Waits until mod_sofia has these gateways.
fn until_gateways(host: &mut Standin, expected: &str) {
    let start = Instant::now();
    while host.ask("sofia gateways") != expected {
        assert!(
            start.elapsed() < Duration::from_mins(1),
            "{} instead of {expected}",
            host.ask("sofia gateways")
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn gateways_come_and_go_with_the_images() {
    let dir = configured("authoritative");
    let mut daemon = Daemon::listen(&dir.path().join("nizam.sock"));
    let mut host = start(&dir);
    daemon.welcome();
    // Its own first look, when it comes up: what the snapshot has.
    host.ask("sofia start external");
    assert_eq!(host.ask("sofia gateways"), "acme-carrier");

    let first = base(8, &[(5, "acme-carrier.2"), (6, "acme-other.1")]);
    daemon.publish(8, &[&first]);
    until_gateways(&mut host, "acme-carrier.2 acme-other.1");
    let asked = host.ask("sofia asked");
    assert!(asked.ends_with("profile external rescan; profile external killgw acme-carrier"), "{asked}");

    // Nothing about gateways: nothing is asked.
    let acme = tenants::tenant(1, "acme");
    let second = overlay(9, |builder| {
        builder.put(nizam_wire::Kind::Network, acme.id.into_bytes(), b"1001", Some(b"192.0.2.0/24")).unwrap();
    });
    daemon.publish(9, &[&second, &first]);
    // Only one is gone: no rescan.
    let third = overlay(10, |builder| tenants::gateway(builder, &acme, 6, None));
    daemon.publish(10, &[&third, &second, &first]);
    until_gateways(&mut host, "acme-carrier.2");
    assert_eq!(host.ask("sofia asked"), format!("{asked}; profile external killgw acme-other.1"));

    // A tenant that is closed has no trunks.
    let mut closed = tenants::tenant(1, "acme");
    closed.status = TenantStatus::Terminated;
    let fourth = overlay(11, |builder| compile::tenant(builder, &closed).unwrap());
    daemon.publish(11, &[&fourth, &third, &second, &first]);
    until_gateways(&mut host, "");
    assert_eq!(host.ask("unload"), "mod_nizam shut down, still mapped");
    assert!(host.quit());
}

#[test]
fn what_changed_while_the_module_was_away_is_caught_up() {
    let dir = configured("authoritative");
    let mut daemon = Daemon::listen(&dir.path().join("nizam.sock"));
    let mut host = start(&dir);
    host.ask("sofia start external");
    daemon.welcome();
    daemon.publish(8, &[&base(8, &[(5, "a.1"), (6, "b.1")])]);
    until_gateways(&mut host, "a.1 b.1");
    host.ask("unload");
    // Here mod_sofia restarts without us, and finds no gateways; one that is no longer wanted it has all the same.
    host.ask("sofia start external");
    assert_eq!(host.ask("sofia gateways"), "");
    host.ask(&format!("load {}", client::module().display()));
    daemon.welcome();
    daemon.publish(9, &[&base(9, &[(5, "a.1")])]);
    until_gateways(&mut host, "a.1");
    // Once more without a restart: what goes meanwhile is taken away.
    host.ask("unload");
    assert_eq!(host.ask("sofia gateways"), "a.1");
    fs::remove_dir_all(dir.path().join("snapshot")).unwrap();
    host.ask(&format!("load {}", client::module().display()));
    daemon.welcome();
    daemon.publish(10, &[&base(10, &[(5, "a.2")])]);
    until_gateways(&mut host, "a.2");
    assert!(host.quit());
}

#[test]
fn mod_sofia_may_come_up_later_and_under_another_name() {
    let dir = configured("authoritative");
    let file = dir.path().join("nizam.conf.xml");
    let text = fs::read_to_string(&file).unwrap();
    let param = |value: &str| format!("<settings><param name=\"gateway-profile\" value=\"{value}\"/>");
    fs::write(&file, text.replace("<settings>", &param("trunks"))).unwrap();
    let mut host = start(&dir);
    assert_eq!(host.ask("sofia asked"), "");
    host.ask("sofia start trunks");
    let start = Instant::now();
    while host.ask("sofia asked") != "profile trunks rescan" {
        assert!(start.elapsed() < Duration::from_mins(1), "{}", host.ask("sofia asked"));
        std::thread::sleep(Duration::from_millis(10));
    }
    host.ask("unload");
    // What could be two words of a command is no name.
    fs::write(&file, text.replace("<settings>", &param("trunks restart"))).unwrap();
    host.ask("reloadxml");
    host.ask(&format!("load {}", client::module().display()));
    let log = host.ask("log");
    assert!(log.contains("param gateway-profile = \"trunks restart\" ignored: it must be the name"), "{log}");
    assert!(host.quit());
}

#[test]
fn an_unload_waits_for_the_command_that_runs() {
    let dir = configured("authoritative");
    let mut daemon = Daemon::listen(&dir.path().join("nizam.sock"));
    let mut host = start(&dir);
    host.ask("sofia start external");
    host.ask("sofia slow 1000");
    daemon.welcome();
    daemon.publish(8, &[&base(8, &[(5, "a.1"), (6, "b.1")])]);
    let start = Instant::now();
    while !host.ask("sofia asked").contains("rescan") {
        assert!(start.elapsed() < Duration::from_mins(1));
        std::thread::sleep(Duration::from_millis(10));
    }
    // Lookups and calls go on meanwhile.
    assert!(host.ask("hunt nizam acme.example 4711").contains("respond 404"));
    assert_eq!(host.ask("unload"), "mod_nizam shut down, still mapped");
    // No further command after that: what is gone stays, until the module is loaded again.
    assert!(!host.ask("sofia asked").contains("killgw"));
    assert!(host.ask("leftovers").split(' ').all(|left| left.ends_with("=0")));
    host.ask("sofia slow 0");
    host.ask(&format!("load {}", client::module().display()));
    daemon.welcome();
    daemon.publish(9, &[&base(9, &[(5, "a.1")])]);
    until_gateways(&mut host, "a.1");
    assert!(host.quit());
}

#[test]
fn shadow_leaves_gateways_alone_until_it_is_over() {
    let dir = configured("shadow");
    let mut daemon = Daemon::listen(&dir.path().join("nizam.sock"));
    let mut host = start(&dir);
    host.ask("sofia start external");
    daemon.welcome();
    daemon.publish(8, &[&base(8, &[(5, "a.1")])]);
    assert_eq!(host.ask("sofia asked"), "");
    let file = dir.path().join("nizam.conf.xml");
    fs::write(&file, fs::read_to_string(&file).unwrap().replace("shadow", "authoritative")).unwrap();
    host.ask("reloadxml");
    until_gateways(&mut host, "a.1");
    assert_eq!(host.ask("sofia asked"), "profile external rescan");
    assert!(host.quit());
}
