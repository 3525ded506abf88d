//! Sockets of the Pusher protocol: who hears what, each event once and in order, and what becomes of those who may not.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use nizam_core::model::{Permission, PermissionSet, Role};
use nizam_store::{Actor, Store};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};
use uuid::Uuid;

use crate::streams::{begun, ingest, stored};
use crate::support::{Answer, Api, Person};

/// Nothing here takes as long.
const LONG: Duration = Duration::from_secs(40);

/// A client that does what the protocol asks of it.
struct Client {
    stream: WebSocketStream<TcpStream>,
    id: String,
}

/// What a client hears.
#[derive(Debug)]
enum Heard {
    Message { event: String, channel: String, data: Value },
    Closed(u16),
}

impl Heard {
    #[track_caller]
    fn is(&self, name: &str) -> &Value {
        match self {
            Self::Message { event, data, .. } if event == name => data,
            other => panic!("{other:?} instead of {name}"),
        }
    }

    #[track_caller]
    fn is_error(&self, code: u16) {
        assert_eq!(self.is("pusher:error")["code"], code, "{self:?}");
    }
}

impl Client {
    /// Connects to a path, with so much room for what it does not read.
    async fn at(api: &Api, path: &str, room: Option<u32>) -> Self {
        let host = api.base.strip_prefix("http://").unwrap();
        let socket = TcpSocket::new_v4().unwrap();
        if let Some(room) = room {
            socket.set_recv_buffer_size(room).unwrap();
        }
        let stream = socket.connect(host.parse().unwrap()).await.unwrap();
        let (stream, _) = client_async(format!("ws://{host}{path}"), stream).await.unwrap();
        Self { stream, id: String::new() }
    }

    async fn new(api: &Api) -> Self {
        Self::with_room(api, None).await
    }

    async fn with_room(api: &Api, room: Option<u32>) -> Self {
        let path = "/app/nizam?protocol=7&client=js&version=8.4.0&flash=false";
        let mut client = Self::at(api, path, room).await;
        let welcome = client.next().await;
        let data = welcome.is("pusher:connection_established");
        assert_eq!(data["activity_timeout"], 3);
        data["socket_id"].as_str().unwrap().clone_into(&mut client.id);
        client
    }

    async fn say(&mut self, text: impl Into<String>) {
        self.stream.send(Message::text(text.into())).await.unwrap();
    }

    async fn tell(&mut self, event: &str, data: Value) {
        self.say(json!({"event": event, "data": data}).to_string()).await;
    }

    /// What comes next; pings are answered.
    async fn next(&mut self) -> Heard {
        loop {
            let message = tokio::time::timeout(LONG, self.stream.next()).await.unwrap();
            let text = match message {
                Some(Ok(Message::Text(text))) => text,
                Some(Ok(Message::Close(frame))) => {
                    return Heard::Closed(frame.map_or(1005, |frame| frame.code.into()));
                }
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => return Heard::Closed(1006),
            };
            let mut message: Value = serde_json::from_str(&text).unwrap();
            if message["event"] == "pusher:ping" {
                self.tell("pusher:pong", json!({})).await;
                continue;
            }
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let data = serde_json::from_str(message["data"].as_str().unwrap()).unwrap();
            message["data"] = Value::Null;
            return Heard::Message {
                event: text(&message["event"]),
                channel: text(&message["channel"]),
                data,
            };
        }
    }

    async fn authorise(&self, api: &Api, who: &Person, channel: &str) -> Answer {
        let body = json!({"socket_id": self.id, "channel_name": channel});
        api.post("//broadcasting/auth", who, body).await
    }

    /// Subscribes with what was answered, and these fields.
    async fn ask(&mut self, channel: &str, authorisation: &Value, more: Value) -> Heard {
        let mut data = authorisation.clone();
        data["channel"] = json!(channel);
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.tell("pusher:subscribe", data).await;
        self.next().await
    }

    async fn subscribe(&mut self, api: &Api, who: &Person, channel: &str) {
        let authorisation = self.authorise(api, who, channel).await.is(200).json();
        let heard = self.ask(channel, &authorisation, json!({})).await;
        assert_eq!(heard.is("pusher_internal:subscription_succeeded"), &json!({}));
    }

    /// Until it is closed, with which code.
    async fn closed(&mut self) -> u16 {
        loop {
            if let Heard::Closed(code) = self.next().await {
                return code;
            }
        }
    }
}

struct Two {
    api: Arc<Api>,
    admin: Person,
    member: Person,
    ours: Uuid,
    theirs: Uuid,
}

impl Two {
    async fn new() -> Self {
        let api = Arc::new(Api::new().await);
        let admin = api.admin().await;
        let ours = api.tenant(&admin, "ours").await;
        let theirs = api.tenant(&admin, "theirs").await;
        let member = api.person(Role::User, Some(ours)).await;
        Self { api, admin, member, ours, theirs }
    }

    fn channel(&self, kind: &str) -> String {
        format!("private-tenant.{}.{kind}", self.ours)
    }
}

async fn newest(store: &Store) -> i64 {
    store.newest_event().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_hears_what_happens_in_its_tenant_and_nothing_else() {
    const EVENTS: usize = 600;
    let two = Two::new().await;
    let Two { api, member, ours, .. } = &two;
    let (events, calls, one) = (two.channel("events"), two.channel("calls"), two.channel("calls.answered"));
    let mut client = Client::new(api).await;
    for channel in [&events, &calls, &one, &two.channel("contact-center")] {
        client.subscribe(api, member, channel).await;
    }
    let (mine, other) = (begun("ours.example", 0, EVENTS), begun("theirs.example", 0, EVENTS));
    for (mine, other) in mine.chunks(37).zip(other.chunks(37)) {
        ingest(&api.store, "fs2", other).await;
        ingest(&api.store, "fs1", mine).await;
    }
    let want = api.store.events_stored_after(*ours, 0, 100_000).await.unwrap();
    assert_eq!(want.len(), EVENTS);
    let (mut of_events, mut of_calls, mut of_one) = (Vec::new(), Vec::new(), 0);
    while of_events.len() + of_calls.len() + of_one < EVENTS * 2 + EVENTS / 3 {
        let Heard::Message { event, channel, data } = client.next().await else { panic!("it is closed") };
        assert_eq!(data["data"]["tenant_id"], json!(ours), "nothing of others");
        if channel == events {
            let stored = &want[of_events.len()];
            assert_eq!((&*event, &data["id"]), (&*stored.event_type, &json!(stored.id)));
            assert_eq!(data["data"], stored.payload);
            assert_eq!((&data["event_type"], &data["schema_version"]), (&json!(event), &json!("1.0")));
            of_events.push(data["sequence"].as_i64().unwrap());
        } else if channel == calls {
            let name = ["call.started", "call.answered", "call.hangup"][of_calls.len() % 3];
            assert_eq!(event, name);
            assert_eq!(format!("call.{}", data["event_type"].as_str().unwrap()), name);
            of_calls.push(data["sequence"].as_i64().unwrap());
        } else {
            assert_eq!((&channel, &*event), (&one, "call.answered"));
            of_one += 1;
        }
    }
    assert_eq!(of_events, stored(&api.store, *ours).await);
    assert_eq!(of_calls, of_events);
    // What is heard no more is told no more.
    client.tell("pusher:unsubscribe", json!({"channel": events})).await;
    client.tell("pusher:ping", json!({})).await;
    client.next().await.is("pusher:pong");
    ingest(&api.store, "fs1", &begun("ours.example", EVENTS, EVENTS + 1)).await;
    let Heard::Message { channel, .. } = client.next().await else { panic!("it is closed") };
    assert_eq!(channel, calls);
}

#[tokio::test]
async fn who_may_not_is_refused_and_everything_else_goes_on() {
    let two = Two::new().await;
    let Two { api, admin, member, ours, theirs } = &two;
    let calls = two.channel("calls");
    let mut client = Client::new(api).await;
    let foreign = format!("private-tenant.{theirs}.calls");
    client.authorise(api, member, &foreign).await.says(403, "Forbidden.");
    let nobody = format!("private-tenant.{}.calls", Uuid::now_v7());
    for who in [member, admin] {
        client.authorise(api, who, &nobody).await.says(403, "Forbidden.");
    }
    client.authorise(api, admin, &foreign).await.is(200);
    for channel in
        [format!("presence-tenant.{ours}.calls"), format!("tenant.{ours}.calls"), two.channel("other")]
    {
        client.authorise(api, member, &channel).await.is(403);
    }
    let restricted = api.person(Role::User, Some(*ours)).await;
    let set: PermissionSet = [Permission::CdrsView].into_iter().collect();
    let _granted = api.store.grant(&Actor::default(), restricted.id, set).await.unwrap();
    client.authorise(api, &restricted, &calls).await.says(403, "This action is unauthorized.");
    for socket in ["", "1", "1.", "1.2.3", "a.b", "1.2:x", "1.2\n:private-tenant", "\u{661}.2"] {
        let body = json!({"socket_id": socket, "channel_name": calls});
        api.post("/broadcasting/auth", member, body).await.names(&["socket_id"]);
    }
    for channel in ["", "private tenant", "a:b", "a\nb", "#", &"a".repeat(201)] {
        let body = json!({"socket_id": "1.2", "channel_name": channel});
        api.post("/broadcasting/auth", member, body).await.names(&["channel_name"]);
    }
    // As laravel-echo sends it, in both places.
    for path in ["//broadcasting/auth", "/broadcasting/auth", "//api/broadcasting/auth"] {
        let form = [("socket_id", &client.id), ("channel_name", &calls)];
        let request = api.client.post(api.url(path)).bearer_auth(&member.token).form(&form);
        let answer = crate::support::answer(request).await;
        let auth = answer.is(200).json()["auth"].as_str().unwrap().to_owned();
        let (key, signature) = auth.split_once(':').unwrap();
        assert_eq!((key, signature.len()), ("nizam", 64));
    }
    api.send(reqwest::Method::POST, "//broadcasting/auth", None, Some(json!({}))).await.is(401);

    let good = client.authorise(api, member, &calls).await.is(200).json();
    let of_admin = client.authorise(api, admin, &foreign).await.is(200).json();
    let other = Client::new(api).await;
    let of_other = other.authorise(api, member, &calls).await.is(200).json();
    let with = |name: &str, value: &str| {
        let mut changed = good.clone();
        changed[name] = json!(value);
        changed
    };
    let forged = [
        json!({}),
        with("auth", ""),
        with("auth", &good["auth"].as_str().unwrap().replace("nizam:", "other:")),
        with("auth", &format!("nizam:{}", "0".repeat(64))),
        with("channel_data", ""),
        with("channel_data", &good["channel_data"].as_str().unwrap().replace("\"token\":", "\"token\":1")),
        of_other,
        of_admin,
    ];
    for authorisation in forged {
        client.ask(&calls, &authorisation, json!({})).await.is_error(4009);
    }
    for channel in [&foreign, &format!("presence-tenant.{ours}.calls"), "x", ""] {
        client.ask(channel, &good, json!({})).await.is_error(4009);
    }
    for text in ["", "x", "[]", "{}", "null", "{\"event\":1}", "\u{0}", &"[".repeat(60_000)] {
        client.say(text).await;
        client.next().await.is_error(4200);
    }
    client.stream.send(Message::binary(vec![0, 159, 146, 150])).await.unwrap();
    client.next().await.is_error(4200);
    client.say(json!({"event": "client-typing", "channel": calls, "data": {}}).to_string()).await;
    client.next().await.is_error(4301);
    client.tell("pusher:resume", json!({"channel": calls, "sequence": 0})).await;
    client.next().await.is_error(4302);
    client.ask(&calls, &good, json!({})).await.is("pusher_internal:subscription_succeeded");
    client.say("x".repeat((64 << 10) + 1)).await;
    assert_eq!(client.closed().await, 1009);
}

#[tokio::test]
async fn what_is_no_application_or_protocol_is_told_by_its_code() {
    let api = Api::new().await;
    for (path, code) in [
        ("/app/other?protocol=7", 4001),
        ("/app/?protocol=7", 4001),
        ("/app/nizam/more?protocol=7", 4005),
        ("/app/nizam?protocol=4", 4007),
        ("/app/nizam?protocol=x", 4007),
        ("/app/nizam", 4008),
    ] {
        let mut client = Client::at(&api, path, None).await;
        client.next().await.is_error(code);
        assert_eq!(client.closed().await, code, "{path}");
    }
    let plain = api.send(reqwest::Method::GET, "//app/nizam?protocol=7", None, None).await;
    assert_eq!(plain.is(426).header("sec-websocket-version"), "13");
    api.send(reqwest::Method::POST, "//app/nizam?protocol=7", None, None).await.is(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_resumes_misses_nothing_and_hears_nothing_twice() {
    const EVENTS: usize = 1500;
    let two = Two::new().await;
    let Two { api, member, ours, .. } = &two;
    let events = two.channel("events");
    let mine = Arc::new(begun("ours.example", 0, EVENTS));
    ingest(&api.store, "fs1", &mine[..300]).await;
    // The rest comes while they resume.
    let storing = {
        let (api, mine) = (Arc::clone(api), Arc::clone(&mine));
        tokio::spawn(async move {
            for part in mine[300..].chunks(29) {
                ingest(&api.store, "fs1", part).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
    };
    let (mut seen, mut visits) = (Vec::new(), 0);
    while seen.len() < EVENTS {
        let last = seen.last().copied().unwrap_or(0);
        let mut client = Client::new(api).await;
        // Each of the three ways.
        let mut body = json!({"socket_id": client.id, "channel_name": events});
        if visits % 3 == 0 {
            body["since"] = json!(last);
        }
        let authorisation = api.post("/broadcasting/auth", member, body).await.is(200).json();
        let more = if visits % 3 == 1 { json!({"since": last}) } else { json!({}) };
        client.ask(&events, &authorisation, more).await.is("pusher_internal:subscription_succeeded");
        if visits % 3 == 2 {
            client.tell("pusher:resume", json!({"channel": events, "sequence": last})).await;
        }
        let (mut heard, mut resumed) = (Vec::new(), false);
        let wanted = 60 + 97 * (visits % 5);
        while !resumed || (heard.len() < wanted && seen.len() + heard.len() < EVENTS) {
            match client.next().await {
                Heard::Message { event, data, .. } if event == "pusher:resumed" => {
                    assert_eq!(data["from"], last);
                    resumed = true;
                }
                Heard::Message { data, .. } => heard.push(data["sequence"].as_i64().unwrap()),
                Heard::Closed(code) => panic!("closed: {code}"),
            }
        }
        // What came between a subscription and `pusher:resume` is told before what was earlier, and not again.
        if visits % 3 == 2 {
            heard.sort_unstable();
        }
        seen.extend(heard);
        visits += 1;
    }
    storing.await.unwrap();
    assert_eq!(seen, stored(&api.store, *ours).await);
    println!("sockets: {EVENTS} events in {visits} visits, each once and in order");
    // One that is yet to come is of another database.
    let mut client = Client::new(api).await;
    let authorisation = client.authorise(api, member, &events).await.is(200).json();
    let future = newest(&api.store).await + 1;
    client
        .ask(&events, &authorisation, json!({"since": future}))
        .await
        .is("pusher_internal:subscription_succeeded");
    client.next().await.is_error(4302);
}

#[tokio::test]
async fn who_may_no_more_is_closed() {
    let two = Two::new().await;
    let Two { api, admin, ours, .. } = &two;
    let calls = two.channel("calls");
    for what in ["token", "permission", "tenant"] {
        let person = api.person(Role::User, Some(*ours)).await;
        let mut client = Client::new(api).await;
        client.subscribe(api, &person, &calls).await;
        let kept = client.authorise(api, &person, &calls).await.is(200).json();
        match what {
            "token" => {
                let gone = api.send(reqwest::Method::POST, "/auth/logout", Some(&person.token), None).await;
                gone.is(204);
            }
            "permission" => {
                let set: PermissionSet = [Permission::CdrsView].into_iter().collect();
                let _granted = api.store.grant(&Actor::default(), person.id, set).await.unwrap();
            }
            _ => {
                let suspended = json!({"status": "suspended"});
                api.put(&format!("/tenants/{ours}"), admin, suspended).await.is(200);
            }
        }
        assert_eq!(client.closed().await, 4009, "{what}");
        // What was signed before is good no more either.
        let mut again = Client::new(api).await;
        again.ask(&calls, &kept, json!({})).await.is_error(4009);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_subscribes_on_and_on_waits_in_between() {
    let two = Two::new().await;
    let calls = two.channel("calls");
    let mut client = Client::new(&two.api).await;
    let signed = client.authorise(&two.api, &two.member, &calls).await.is(200).json();
    let name = json!({"channel": calls});
    for _ in 0..200 {
        client.ask(&calls, &signed, json!({})).await.is("pusher_internal:subscription_succeeded");
        client.tell("pusher:unsubscribe", name.clone()).await;
    }
    let began = std::time::Instant::now();
    for _ in 0..5 {
        client.ask(&calls, &signed, json!({})).await.is("pusher_internal:subscription_succeeded");
    }
    assert!(began.elapsed() >= Duration::from_millis(500), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_has_its_sockets_and_one_who_does_not_read_loses_its_place() {
    const EVENTS: usize = 3000;
    let two = Two::new().await;
    let Two { api, member, admin, theirs, .. } = &two;
    let events = two.channel("events");
    let mut unread = Client::with_room(api, Some(4096)).await;
    unread.subscribe(api, member, &events).await;
    let mut others = Vec::new();
    for _ in 0..4 {
        let mut client = Client::new(api).await;
        client.subscribe(api, member, &events).await;
        others.push(client);
    }
    let mut sixth = Client::new(api).await;
    let authorisation = sixth.authorise(api, member, &events).await.is(200).json();
    sixth
        .tell("pusher:subscribe", {
            let mut data = authorisation;
            data["channel"] = json!(events);
            data
        })
        .await;
    assert_eq!(sixth.closed().await, 4100);
    let mut elsewhere = Client::new(api).await;
    elsewhere.subscribe(api, admin, &format!("private-tenant.{theirs}.events")).await;
    // Those that read take everything.
    let readers: Vec<_> = others
        .into_iter()
        .map(|mut client| {
            tokio::spawn(async move {
                let mut heard = 0;
                while heard < EVENTS {
                    client.next().await.is_event();
                    heard += 1;
                }
                client
            })
        })
        .collect();
    for part in begun("ours.example", 0, EVENTS).chunks(100) {
        ingest(&api.store, "fs1", part).await;
    }
    for reader in readers {
        drop(reader.await.unwrap());
    }
    let place = async {
        loop {
            let mut all = Vec::new();
            for _ in 0..5 {
                let mut client = Client::new(api).await;
                let own = client.authorise(api, member, &events).await.is(200).json();
                if let Heard::Message { .. } = client.ask(&events, &own, json!({})).await {
                    all.push(client);
                }
            }
            if all.len() == 5 {
                return;
            }
            drop(all);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(LONG, place).await.expect("all places are free again");
}

impl Heard {
    #[track_caller]
    fn is_event(&self) {
        assert!(matches!(self, Self::Message { event, .. } if event.starts_with("call.")), "{self:?}");
    }
}

#[tokio::test]
async fn a_client_that_does_not_answer_is_closed_and_so_are_all_at_the_end() {
    let two = Two::new().await;
    let Two { api, member, .. } = &two;
    let mut silent = Client::new(api).await;
    silent.subscribe(api, member, &two.channel("events")).await;
    let code = async {
        loop {
            match silent.stream.next().await {
                Some(Ok(Message::Close(frame))) => return u16::from(frame.unwrap().code),
                Some(Ok(_)) => {}
                other => panic!("{other:?}"),
            }
        }
    };
    assert_eq!(tokio::time::timeout(LONG, code).await.unwrap(), 4201);
    let mut one = Client::new(api).await;
    one.subscribe(api, member, &two.channel("events")).await;
    let mut without = Client::new(api).await;
    api.hub.close();
    assert_eq!((one.closed().await, without.closed().await), (4200, 4200));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_of_the_configuration_are_told_to_those_who_may_see_what_changed() {
    let two = Two::new().await;
    let Two { api, admin, ours, .. } = &two;
    let events = two.channel("events");
    let narrow = api.person(Role::User, Some(*ours)).await;
    let grant = async |permissions: &[Permission]| {
        let set: PermissionSet = permissions.iter().copied().collect();
        let _granted = api.store.grant(&Actor::default(), narrow.id, set).await.unwrap();
    };
    grant(&[Permission::CallEventsView]).await;
    let mut all = Client::new(api).await;
    all.subscribe(api, admin, &events).await;
    let mut few = Client::new(api).await;
    few.subscribe(api, &narrow, &events).await;
    let number =
        json!({"number": "+4930123456", "destination_type": "extension", "destination_id": Uuid::nil()});
    let did = api.post(&format!("/tenants/{ours}/dids"), admin, number).await.is(201).json();
    let told = all.next().await;
    assert_eq!(told.is("did.created")["data"]["did_id"], did["data"]["id"]);
    ingest(&api.store, "fs1", &begun("ours.example", 0, 1)).await;
    all.next().await.is("call.created");
    few.next().await.is("call.created");
    // Nor is it told later: what one may not see is not in what was, either.
    let mut later = Client::new(api).await;
    let authorisation = later.authorise(api, &narrow, &events).await.is(200).json();
    later
        .ask(&events, &authorisation, json!({"since": 0}))
        .await
        .is("pusher_internal:subscription_succeeded");
    later.next().await.is("call.created");
    later.next().await.is("pusher:resumed");
    grant(&[Permission::CallEventsView, Permission::DidsView]).await;
    let mut more = Client::new(api).await;
    more.subscribe(api, &narrow, &events).await;
    let path = format!("/tenants/{ours}/dids/{}", did["data"]["id"].as_str().unwrap());
    api.delete(&path, admin).await.is(204);
    more.next().await.is("did.deleted");
    all.next().await.is("did.deleted");
}
