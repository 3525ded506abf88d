//! What routing reads arrives on the switches: records of every kind, files of prompts, a new base where too much was touched.

use nizam_core::resource::{DID, GATEWAY, PROMPT, Purpose, Resource, Values};
use nizam_core::validate::NewPrompt;
use nizam_core::validate::{Fields, Input, Settings};
use nizam_wire::image::{Kind, ONLY, PLATFORM, Scope};
use nizam_wire::record::{Did, Ids, Routing};
use serde_json::{Value, json};
use uuid::Uuid;

use super::*;

impl Daemon {
    fn scope(&self) -> Scope {
        self.tenant.id.into_bytes()
    }

    /// Makes a row, and gives its id once it is live.
    async fn make(&self, resource: &'static Resource, body: Value) -> Uuid {
        let values = values(resource, body);
        let made = self.store.create_record(&ACTOR, resource, self.tenant.id, values).await.unwrap();
        let (saved, live) = self.live(made).await;
        assert!(live);
        saved.record.id
    }

    async fn settings(&self, settings: Value) {
        let Value::Object(map) = settings else { panic!("no map") };
        let put = self.store.put_settings(&ACTOR, self.tenant.id, Settings::Map(map), &Expected::Anything);
        assert!(self.live(put.await.unwrap()).await.1);
    }

    async fn upload(&self, name: &str, content: &[u8]) -> Uuid {
        let new = NewPrompt { name: name.into(), file_name: None, duration_ms: 1, content: content.to_vec() };
        let made = self.store.create_prompt(&ACTOR, self.tenant.id, new).await.unwrap();
        let (record, live) = self.live(made).await;
        assert!(live);
        record.id
    }
}

fn values(resource: &Resource, body: Value) -> Values {
    let Value::Object(map) = body else { panic!("no map") };
    resource.read(Purpose::Create, &mut Fields::new(&Input::of(map))).unwrap()
}

impl Switch {
    fn record(&self, kind: Kind, scope: &Scope, key: &[u8]) -> Option<Vec<u8>> {
        self.engine.live.load().get(kind, scope, key).map(<[u8]>::to_vec)
    }
}

async fn with_a_switch() -> (Daemon, Switch) {
    let daemon = Daemon::start().await;
    let switch = Switch::start(&daemon.socket(), "fs1");
    until("the switch", || connected(&daemon) == 1).await;
    (daemon, switch)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_did_moves_with_the_country_of_its_tenant() {
    let (daemon, switch) = with_a_switch().await;
    let own = daemon.scope();
    let menu = Uuid::now_v7();
    let body = json!({"number": "030 1234567", "destination_type": "ivr", "destination_id": menu});
    let id = daemon.make(&DID, body).await;
    let did = |digits: &[u8]| {
        let value = switch.record(Kind::Did, &own, digits)?;
        let did = Did::decode(&value).unwrap();
        assert_eq!((did.id, did.destination.id), (id.into_bytes(), menu.into_bytes()));
        let claims = switch.record(Kind::Claim, &PLATFORM, digits).unwrap();
        Some(Ids::decode(&claims).unwrap().0.iter().collect::<Vec<_>>())
    };
    assert_eq!(did(b"0301234567"), Some(vec![own]), "without a home it is what it says");
    daemon.settings(json!({"country": "DE"})).await;
    assert_eq!((did(b"0301234567"), did(b"49301234567")), (None, Some(vec![own])));
    assert_eq!(switch.record(Kind::Claim, &PLATFORM, b"0301234567"), None);
    let value = switch.record(Kind::Routing, &own, ONLY).unwrap();
    assert_eq!(Routing::decode(&value).unwrap().home.unwrap().code, "49");
    let gone = daemon.store.delete_tenant(&ACTOR, daemon.tenant.id, &Expected::Anything).await.unwrap();
    assert!(daemon.live(gone).await.1);
    assert_eq!(switch.record(Kind::Claim, &PLATFORM, b"49301234567"), None);
    assert_eq!(switch.record(Kind::Tenant, &own, ONLY), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_of_a_prompt_is_there_before_its_record_and_gone_after_it() {
    let (daemon, switch) = with_a_switch().await;
    let id = daemon.upload("Welcome", b"RIFF one").await;
    let path = || {
        let value = switch.record(Kind::Prompt, &daemon.scope(), id.as_bytes())?;
        Some(PathBuf::from(String::from_utf8(value).unwrap()))
    };
    let first = path().unwrap();
    assert!(first.is_absolute() && first.ends_with(format!("prompts/{}/{id}-1.wav", daemon.tenant.id)));
    assert_eq!(fs::read(&first).unwrap(), b"RIFF one");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&first), mode(first.parent().unwrap())), (0o640, 0o750));

    let name = Values::from_iter([("name".to_owned(), json!("Hello"))]);
    let renamed =
        daemon.store.update_record(&ACTOR, &PROMPT, daemon.tenant.id, id, name, &Expected::Anything);
    assert!(daemon.live(renamed.await.unwrap()).await.1);
    let second = path().unwrap();
    assert!(second.ends_with(format!("{id}-2.wav")));
    assert_eq!(fs::read(&second).unwrap(), b"RIFF one");
    until("the old file to go", || !first.exists()).await;
    assert!(second.exists());

    let gone = daemon.store.delete_record(&ACTOR, &PROMPT, daemon.tenant.id, id, &Expected::Anything);
    assert!(daemon.live(gone.await.unwrap()).await.1);
    assert_eq!(path(), None);
    until("the file to go", || !second.exists()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_that_starts_writes_the_files_that_are_missing_and_removes_the_others() {
    let (daemon, _switch) = with_a_switch().await;
    let id = daemon.upload("Welcome", b"RIFF").await;
    let directory = daemon.dir.path().join("prompts").join(daemon.tenant.id.to_string());
    let file = directory.join(format!("{id}-1.wav"));
    fs::remove_file(&file).unwrap();
    let others =
        [directory.join(format!("{}-1.wav", Uuid::now_v7())), directory.join(format!("{id}-7.part"))];
    for other in &others {
        fs::write(other, b"x").unwrap();
    }
    daemon.publishing.stop();
    let prompts = daemon.dir.path().join("prompts");
    let snapshot = daemon.dir.path().join("snapshot");
    let again =
        Publishing::start(Arc::clone(&daemon.store), &snapshot, &prompts, Arc::clone(&daemon.switches));
    let _running = again.await.unwrap();
    assert_eq!(fs::read(&file).unwrap(), b"RIFF");
    assert!(others.iter().all(|other| !other.exists()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_that_fits_into_no_image_keeps_no_other_from_the_switches() {
    let (daemon, switch) = with_a_switch().await;
    // The API refuses such a number; a key of an image has 255 bytes at most.
    let wide = new_extension(&"1".repeat(300), "some-password");
    let made = daemon.store.create_extension(&ACTOR, daemon.tenant.id, wide).await.unwrap();
    assert!(daemon.live(made).await.1);
    assert!(daemon.add("1001", "first-password").await.1);
    assert!(switch.answer("1001", "acme.example").is_some());
    // Nor does a daemon that starts stumble over it.
    let everything =
        daemon.publishing.live(daemon.store.generation().await.unwrap(), vec![Touched::Everything]);
    assert!(everything.await);
    assert!(switch.answer("1001", "acme.example").is_some());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_too_much_was_touched_there_is_a_new_base() {
    let (daemon, switch) = with_a_switch().await;
    // Another process wrote this, and nobody said what.
    let gateway = json!({"name": "carrier", "host": "sip.carrier.example", "addresses": ["192.0.2.7"]});
    let values = values(&GATEWAY, gateway);
    let made = daemon.store.create_record(&ACTOR, &GATEWAY, daemon.tenant.id, values).await.unwrap();
    assert_eq!(switch.record(Kind::Address, &PLATFORM, b"192.0.2.7"), None);
    assert!(daemon.publishing.live(made.generation, vec![Touched::Everything]).await);
    assert!(switch.record(Kind::Address, &PLATFORM, b"192.0.2.7").is_some());
    assert_eq!(switch.engine.live.load().images().len(), 1);
    // Edits go on top of it as before.
    assert!(daemon.add("1001", "first-password").await.1);
    assert!(switch.answer("1001", "acme.example").is_some());
}
