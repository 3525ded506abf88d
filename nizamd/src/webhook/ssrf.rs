//! Targets that no webhook may reach, in every form that a URL can have them. A listener on every address of this machine counts who comes.

use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nizam_core::model::CallEvent;
use nizam_core::resource::Record;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use uuid::Uuid;

use super::attempt::{Answer, Courier};
use super::resolver::Resolver;

/// Listens, answers everything with those bytes, and counts.
struct Listener {
    port: u16,
    connections: Arc<AtomicUsize>,
}

impl Listener {
    async fn on(address: &str, answer: String) -> Self {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        let (port, connections) = (listener.local_addr().unwrap().port(), Arc::<AtomicUsize>::default());
        let counting = Arc::clone(&connections);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                counting.fetch_add(1, Ordering::SeqCst);
                let answer = answer.clone();
                tokio::spawn(async move {
                    let _read = stream.read_buf(&mut Vec::new()).await;
                    let _written = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        Self { port, connections }
    }

    /// On every address of this machine, of both kinds where it has both.
    async fn everywhere() -> Self {
        let answer = "HTTP/1.1 204 Done\r\nconnection: close\r\n\r\n".to_owned();
        let all = if std::net::TcpListener::bind("[::]:0").is_ok() { "::" } else { "0.0.0.0" };
        Self::on(all, answer).await
    }

    fn count(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn tell(courier: &Courier, url: &str) -> Answer {
    let values = [("url".to_owned(), json!(url))].into_iter().collect();
    let webhook =
        Record { id: Uuid::nil(), tenant_id: Uuid::nil(), version: 1, values, created_at: 0, updated_at: 0 };
    let event = CallEvent {
        id: Uuid::nil(),
        tenant_id: Uuid::nil(),
        call_uuid: "call-1".into(),
        event_type: "call.created".into(),
        payload: json!({}),
        schema_version: "1.0".into(),
        occurred_at: 0,
        created_at: 0,
        updated_at: 0,
        call_id: None,
        generation: None,
        sequence: 1,
    };
    courier.tell_of(&webhook, &event, "call.created").await
}

fn courier(allowed: &str, told: Option<fn(&str) -> Vec<IpAddr>>) -> Courier {
    let resolver = Resolver::new(allowed.parse().unwrap());
    let resolver = match told {
        Some(told) => resolver.told(told),
        None => resolver,
    };
    Courier::with(resolver, Duration::from_secs(20)).unwrap()
}

/// Every way to write an address of IPv4 as a host.
fn spellings(address: Ipv4Addr) -> Vec<String> {
    let [a, b, c, d] = address.octets();
    let number = address.to_bits();
    let (low_three, low_two) = (number & 0x00ff_ffff, number & 0xffff);
    let (high, low) = (number >> 16, number & 0xffff);
    let wide = |text: &str| -> String {
        text.chars().map(|c| c.to_digit(10).and_then(|n| char::from_u32(0xff10 + n)).unwrap_or(c)).collect()
    };
    let escaped = address.to_string().bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
    vec![
        address.to_string(),
        format!("{address}."),
        number.to_string(),
        format!("0x{number:x}"),
        format!("0X{number:08X}"),
        format!("0{number:o}"),
        format!("{a}.{low_three}"),
        format!("{a}.{b}.{low_two}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
        format!("0{a:o}.{b}.0x{c:x}.{d}"),
        wide(&address.to_string()),
        address.to_string().replace('.', "\u{3002}"),
        escaped,
        format!("[::ffff:{address}]"),
        format!("[::ffff:{high:x}:{low:x}]"),
        format!("[0:0:0:0:0:ffff:{high:x}:{low:x}]"),
        format!("[::{address}]"),
        format!("[::ffff:0:{address}]"),
        format!("[64:ff9b::{address}]"),
        format!("[64:ff9b:1::{address}]"),
        format!("[2002:{high:x}:{low:x}::]"),
        format!("[2002:{high:x}:{low:x}::1]"),
        format!("example.org@{address}"),
        format!("example.org:80@{address}"),
        format!("example.org%40@{address}"),
    ]
}

/// Hosts that lead to nobody of the public internet.
fn hosts() -> Vec<String> {
    let mut hosts: Vec<String> = [
        // This machine, private networks, and where clouds keep what their machines may know of themselves.
        "127.0.0.1",
        "127.8.9.10",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.100.100.200",
        "192.0.0.192",
    ]
    .into_iter()
    .chain(own().as_deref())
    .flat_map(|address| spellings(address.parse().unwrap()))
    .collect();
    let others = [
        "0",
        "0.0.0.0",
        "0.1.2.3",
        "00000000",
        "255.255.255.255",
        "224.0.0.1",
        "240.0.0.1",
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[0000:0000:0000:0000:0000:0000:0000:0001]",
        "[::0.0.0.1]",
        "[fe80::1]",
        "[fe80::1%25lo]",
        "[fe80::1%lo]",
        "[::1%25lo]",
        "[::1%lo]",
        "[fec0::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[ff02::1]",
        "[2001::1]",
        "[2001:db8::1]",
        "[3fff::1]",
        "[100::1]",
        "[5f00::1]",
        // Names.
        "localhost",
        "LOCALHOST",
        "localhost.",
        "loopback.test",
        "loopback.test.",
        "private.test",
        "metadata.test",
        "mixed.test",
        "mixed-six.test",
        "six.test",
        "mapped.test",
        "compatible.test",
        "nat64.test",
        "sixtofour.test",
        "link.test",
        "unique.test",
        "zero.test",
        "none.test",
        "127.0.0.1.nip.test",
        "user:password@loopback.test",
        "xn--lcalhost-e1a.test",
    ];
    hosts.extend(others.map(str::to_owned));
    hosts
}

/// What names lead to, where this test is asked.
fn told(name: &str) -> Vec<IpAddr> {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let addresses: &[&str] = match &*name {
        "localhost" => &["127.0.0.1", "::1"],
        "loopback.test" | "127.0.0.1.nip.test" => &["127.0.0.1"],
        "private.test" => &["10.0.0.1"],
        "metadata.test" => &["169.254.169.254"],
        "mixed.test" => &["8.8.8.8", "127.0.0.1"],
        "mixed-six.test" => &["8.8.8.8", "2606:4700::1111", "::1"],
        "six.test" => &["::1"],
        "mapped.test" => &["::ffff:127.0.0.1"],
        "compatible.test" => &["::127.0.0.1"],
        "nat64.test" => &["64:ff9b::7f00:1"],
        "sixtofour.test" => &["2002:7f00:1::"],
        "link.test" => &["fe80::1"],
        "unique.test" => &["fd00::1"],
        "zero.test" => &["0.0.0.0", "::"],
        _ => &[],
    };
    addresses.iter().map(|address| address.parse().unwrap()).collect()
}

/// An address of this machine that others reach it by, where there is a way out at all.
fn own() -> Option<String> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().ok()?.ip().to_string()).filter(|address| address != "0.0.0.0")
}

/// Whole URLs.
fn urls(port: u16) -> Vec<String> {
    let mut urls: Vec<String> = hosts().iter().map(|host| format!("http://{host}:{port}/hook")).collect();
    urls.extend(
        [
            "HTTP://127.0.0.1:PORT/",
            "https://127.0.0.1:PORT/",
            "http:/127.0.0.1:PORT/",
            "http:127.0.0.1:PORT",
            "http:///127.0.0.1:PORT/",
            r"http:\\127.0.0.1:PORT\",
            r"http://127.0.0.1:PORT\@example.org/",
            "http://127.0.0.1:PORT#@example.org/",
            "http://127.0.0.1:PORT?@example.org/",
            " http://127.0.0.1:PORT/ ",
            "ht\ttp://127.0.0.1:PORT/",
            "http://127.0.\n0.1:PORT/",
            "http://example.org:80@127.0.0.1:PORT@127.0.0.1:PORT/",
            "http://[::1]:PORT@127.0.0.1:PORT/",
            "http://127.0.0.1:0PORT/",
            "http://127.0.0.1%00.example.org:PORT/",
            "http://127.0.0.1%2f.example.org:PORT/",
            "http://[127.0.0.1]:PORT/",
            "http://[::1:PORT/",
            "http://:PORT/",
            "http://",
            "file:///etc/passwd",
            "file://127.0.0.1:PORT/",
            "ftp://127.0.0.1:PORT/",
            "gopher://127.0.0.1:PORT/_",
            "dict://127.0.0.1:PORT/",
            "ldap://127.0.0.1:PORT/",
            "ws://127.0.0.1:PORT/",
            "unix:/run/x.sock",
            "data:text/plain,x",
            "jar:http://127.0.0.1:PORT!/",
            "//127.0.0.1:PORT/",
            "127.0.0.1:PORT",
            "javascript:alert(1)",
            "",
        ]
        .map(|url| url.replace("PORT", &port.to_string())),
    );
    urls
}

#[tokio::test]
async fn no_form_of_a_target_leads_to_a_forbidden_address() {
    let listener = Listener::everywhere().await;
    let mut forms = 0;
    for names in [Some(told as fn(&str) -> Vec<IpAddr>), None] {
        let courier = courier("", names);
        // What the system says of names is a matter of the system; of this machine's own it says what they are.
        let asks_system = |url: &str| !url.contains(".test") || names.is_some();
        for url in urls(listener.port).into_iter().filter(|url| asks_system(url)) {
            let answer = tell(&courier, &url).await;
            let error = answer.error.unwrap_or_else(|| panic!("{url} was told"));
            // Refused, and not only unreachable by chance.
            assert!(!error.starts_with("no ") && !error.starts_with("the connection"), "{url}: {error}");
            forms += usize::from(names.is_some());
        }
    }

    // A receiver that may be reached sends us on to those that may not.
    for status in [301, 302, 303, 307, 308] {
        for to in ["127.0.0.1", "[::1]", "2130706433", "[::ffff:127.0.0.1]"] {
            let to = format!("http://{to}:{}/", listener.port);
            let answer = format!(
                "HTTP/1.1 {status} Away\r\nlocation: {to}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            let away = Listener::on("127.0.0.2", answer).await;
            let answer = tell(&courier("127.0.0.2", None), &format!("http://127.0.0.2:{}/", away.port)).await;
            assert_eq!(answer.status.map(|status| status.as_u16()), Some(status), "{answer:?}");
            assert!(!answer.success());
            forms += 1;
        }
    }
    println!("ssrf: {forms} forms, {} connections", listener.count());
    assert!(forms >= 100);
    assert_eq!(listener.count(), 0);
}

/// Lookups of the name that changes its mind.
static LOOKUPS: AtomicUsize = AtomicUsize::new(0);

fn rebinding(_: &str) -> Vec<IpAddr> {
    let first = LOOKUPS.fetch_add(1, Ordering::SeqCst) == 0;
    vec![if first { "127.0.0.2" } else { "127.0.0.1" }.parse().unwrap()]
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_judged_each_time() {
    let listener = Listener::everywhere().await;
    let courier = courier("127.0.0.2", Some(rebinding));
    let url = format!("http://rebinding.test:{}/", listener.port);
    // What was judged is what is connected to: a second lookup would have led elsewhere.
    let answer = tell(&courier, &url).await;
    assert!(answer.success(), "{answer:?}");
    assert_eq!((LOOKUPS.load(Ordering::SeqCst), listener.count()), (1, 1));
    let answer = tell(&courier, &url).await;
    let want = "rebinding.test has no address that a webhook may reach (webhook_networks)";
    assert_eq!((answer.error.as_deref(), listener.count()), (Some(want), 1));
}

#[tokio::test]
async fn what_is_allowed_is_reached_in_every_form() {
    let listener = Listener::everywhere().await;
    let six = std::net::TcpListener::bind("[::1]:0").is_ok();
    let courier = courier("127.0.0.0/8, ::1", Some(told));
    let mut told = 0;
    for host in spellings(Ipv4Addr::LOCALHOST).into_iter().filter(|host| !host.starts_with('[')) {
        let answer = tell(&courier, &format!("http://{host}:{}/", listener.port)).await;
        assert!(answer.success(), "{host}: {answer:?}");
        told += 1;
    }
    for host in ["[::ffff:127.0.0.1]", "loopback.test", "localhost", "[::1]", "six.test"] {
        if six || !matches!(host, "[::1]" | "six.test" | "localhost") {
            let answer = tell(&courier, &format!("http://{host}:{}/", listener.port)).await;
            assert!(answer.success(), "{host}: {answer:?}");
            told += 1;
        }
    }
    assert_eq!(listener.count(), told);
}
