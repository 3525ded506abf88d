//! Texts of callers that mean something to FreeSWITCH, XML or a shell.

use std::{fs, path::Path};

use serde_json::json;

use super::world::World;
use crate::support::{Caller, Cases, Manner};

pub(crate) fn run() {
    let mut world = World::start("hostile.test", &json!({"country": "DE"}));
    let mut cases = Cases::default();
    let home = world.site.home().to_owned();
    // In the directory of the switch. FreeSWITCH takes slashes out of names by itself.
    let trap = home.join("fs/trap");
    let touch = "${system(touch trap)}";
    let phone = Caller::phone(&world.extension("1001", &json!({})));
    let (desk, mut desk_phone) = world.phone("1002", Manner::Answer, &json!({}));
    world.did("+49301234567", "extension", &desk.id);
    let carrier = world.site.callee(Manner::Answer);
    let gateway = world.gateway("live", carrier.port(), &json!({}));
    world.await_gateway(&gateway, true);
    world.route("all", &["X.", "*.", "+."], &[&gateway], &json!({}));

    let long = "9".repeat(4096);
    let numbers = [
        "\"quoted\"",
        "it's",
        "a&b",
        "<exten>",
        "]]><action application=\"system\" data=\"x\"/>",
        "${domain_name}",
        "$${domain}",
        "{origination_caller_id_number=1}1002",
        "[leg_timeout=1]1002",
        "1002,user/1001@hostile.test",
        "1002|user/1001",
        "1002\r\nX-Injected: 1",
        "1002\n",
        "\\'1002",
        "1002\\n",
        "1002@hostile.test",
        "user/1002@hostile.test",
        "sofia/gateway/x/1002",
        "gw+1002",
        "1002%0a",
        "%s%n%d",
        "1002 XML hostile.test",
        "1002;fs_path=sip:127.0.0.1",
        "\u{1f4de}",
        touch,
        long.as_str(),
    ];
    cases.case(
        "Rules of the road 5",
        "hostile numbers dialled by a phone lead nowhere, and into nothing",
        || {
            for number in numbers {
                let told = world.call(&phone, number);
                told.expect(404, &["respond 404"]);
                unchanged(&told, number);
            }
            desk_phone.expect_no_call();
            carrier.expect_no_call();
        },
    );
    cases.case("Rules of the road 5", "hostile numbers from outside lead nowhere, and into nothing", || {
        let stranger = Caller::outside("127.0.0.9", "+4915112345678");
        for number in numbers {
            let told = world.call(&stranger, number);
            assert_eq!(told.status, 404, "{number:?}: {told:#?}");
            unchanged(&told, number);
        }
        desk_phone.expect_no_call();
    });
    cases.case("Rules of the road 5", "a caller's name and number stay text on the other phone", || {
        let stranger = Caller::outside("127.0.0.9", "+4915112345678").named(touch);
        world.call(&stranger, "+49301234567").expect(200, &["bridge user/1002@hostile.test"]);
        let from = desk_phone.next_call().header("From").to_owned();
        // FreeSWITCH itself makes every $ of a caller's name a %.
        assert!(from.starts_with("\"%{system(touch trap)}\" <sip:+4915112345678@"), "{from}");
        let stranger = Caller::outside("127.0.0.9", &crate::support::escaped(touch));
        // No address can be made of that number: the call fails, and nothing else happens.
        let told = world.call(&stranger, "+49301234567");
        assert!(told.status >= 400 && told.did("bridge user/1002@hostile.test"), "{told:#?}");
        desk_phone.expect_no_call();
        // Inside the name is what the row says.
        world.call(&phone.clone().named(touch), "1002").expect(200, &["bridge user/1002@hostile.test"]);
        let from = desk_phone.next_call().header("From").to_owned();
        assert!(!from.contains("system"), "{from}");
    });
    cases.case("Rules of the road 5", "none of it was done", || {
        assert!(!trap.exists());
        let found = files(&home).into_iter().filter(|file| file.ends_with("trap")).count();
        assert_eq!(found, 0);
        assert!(world.api("status").contains("is ready"));
    });
    cases.finish();
    world.site.switch.stop();
}

/// Fails if a step of the call has the number in it.
#[track_caller]
fn unchanged(told: &crate::support::Told, number: &str) {
    let holds = |data: &str| data.contains(number) || data.contains("1002") || data.contains("system");
    assert!(!told.steps.iter().any(|step| holds(&step.data)), "{number:?}: {told:#?}");
}

fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    entries
        .flat_map(|path| if path.is_dir() && !path.is_symlink() { files(&path) } else { vec![path] })
        .collect()
}
