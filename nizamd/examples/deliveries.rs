//! How many deliveries of webhooks are made a second, for measurements: `deliveries DATABASE_URL COUNT` fills a fresh database with that
//! many, tells a receiver in this process, and prints `webhooks.deliveries_per_second N`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use nizam_core::model::{NewTenant, Slug, TenantStatus};
use nizam_core::resource::{Purpose, WEBHOOK};
use nizam_core::validate::{Fields, Input};
use nizam_store::{Actor, Key, Keyring, Store};
use nizamd::webhook::{Courier, Deliverer, Receivers};
use serde_json::{Value, json};
use sqlx::types::Json;
use sqlx::{PgConnection, QueryBuilder, SqliteConnection};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use uuid::Uuid;

const TENANTS: u32 = 2;
const WEBHOOKS: usize = 4;
/// Events of a call, which each webhook is told in order.
const EVENTS: i64 = 4;
/// Rows of one statement.
const ROWS: usize = 500;

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, count] = arguments.as_slice() else { anyhow::bail!("deliveries DATABASE_URL COUNT") };
    let count: u64 = count.parse().context("COUNT")?;
    nizamd::tls::provide();
    let store = Arc::new(Store::open(url, Keyring::new(&Key::random().context("no random numbers")?)).await?);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let hook = format!("http://{}/hook", listener.local_addr()?);
    let received = Arc::new(AtomicU64::new(0));
    tokio::spawn(serve(listener, Arc::clone(&received)));
    let mut filled = 0;
    for n in 0..TENANTS {
        let tenant = store.create_tenant(&Actor::default(), tenant(n)).await?.value.id;
        let mut webhooks = Vec::new();
        for _ in 0..WEBHOOKS {
            webhooks.push(webhook(&store, tenant, &hook).await?);
        }
        let events = i64::try_from(count / u64::from(TENANTS))? / i64::try_from(WEBHOOKS)?;
        let rows = rows(tenant, &webhooks, events, i64::from(n) * events);
        filled += u64::try_from(rows.1.len())?;
        fill(url, &rows.0, &rows.1).await?;
    }
    let (stop, stopped) = watch::channel(false);
    let courier = Courier::new("127.0.0.1".parse().map_err(anyhow::Error::msg)?)?;
    let receivers = Arc::new(Receivers::new(courier)?);
    let deliverer = Deliverer::new(Arc::clone(&store), receivers, Arc::new(Notify::new()));
    let began = Instant::now();
    let delivering = tokio::spawn(deliverer.run(stopped));
    while received.load(Ordering::Relaxed) < filled || store.deliveries_waiting().await? > 0 {
        ensure!(began.elapsed() < Duration::from_mins(10), "it does not come to an end");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let took = began.elapsed().as_secs_f64();
    #[expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "this is what it is for")]
    {
        println!("webhooks.deliveries_per_second {:.0}", filled as f64 / took);
    }
    let _running = stop.send(true);
    delivering.await?;
    ensure!(received.load(Ordering::Relaxed) == filled, "something was told twice");
    store.close().await;
    Ok(())
}

fn tenant(n: u32) -> NewTenant {
    NewTenant {
        name: format!("Example Company {n}"),
        domain: format!("t{n}.bench.test"),
        slug: Slug::Given(format!("t{n}")),
        status: TenantStatus::Active,
        max_extensions: 0,
        max_concurrent_calls: 0,
        max_dids: 0,
        max_ring_groups: 0,
        max_calls_per_minute: 0,
        is_active: true,
    }
}

async fn webhook(store: &Store, tenant: Uuid, url: &str) -> Result<Uuid> {
    let body = json!({"url": url, "events": ["call.answered"], "secret": "a secret of sixteen or more"});
    let Value::Object(body) = body else { anyhow::bail!("no object") };
    let values = WEBHOOK.read(Purpose::Create, &mut Fields::new(&Input::of(body)));
    let values = values.map_err(|errors| anyhow::anyhow!("{}", errors.message()))?;
    Ok(store.create_record(&Actor::default(), &WEBHOOK, tenant, values).await?.value.record.id)
}

struct Event {
    id: Uuid,
    tenant: Uuid,
    call: String,
    payload: Value,
    sequence: i64,
}

struct Delivery {
    webhook: Uuid,
    event: Uuid,
    call: String,
    sequence: i64,
}

/// Events of calls, a hundred at a time, and who is to be told of them.
fn rows(tenant: Uuid, webhooks: &[Uuid], events: i64, before: i64) -> (Vec<Event>, Vec<Delivery>) {
    let event = |n: i64| {
        let call = format!("{tenant}-{}-{}", n / (100 * EVENTS), n % 100);
        let payload = json!({
            "call_uuid": call, "direction": "inbound", "caller_id_number": "+15551001000", "caller_id_name": "Amina Yilmaz",
            "destination_number": "1002", "timestamp": "2026-07-27T12:00:00+00:00", "tenant_id": tenant, "context": "t0.bench.test",
            "metadata": {"sip_user_agent": "Example Phone 1.2.3", "network_ip": "192.0.2.7", "codec": "opus", "gateway": null},
        });
        Event { id: Uuid::now_v7(), tenant, call, payload, sequence: before + n + 1 }
    };
    let events: Vec<Event> = (0..events).map(event).collect();
    let told = events.iter().flat_map(|event| {
        webhooks.iter().map(|webhook| Delivery {
            webhook: *webhook,
            event: event.id,
            call: event.call.clone(),
            sequence: event.sequence,
        })
    });
    let told = told.collect();
    (events, told)
}

/// The same rows in the words of either database: a time is the time now.
macro_rules! fill {
    ($conn:expr, $now:literal, $events:expr, $deliveries:expr) => {{
        for rows in $events.chunks(ROWS) {
            let mut insert = QueryBuilder::new(
                "INSERT INTO call_events (id, tenant_id, call_uuid, event_type, payload, sequence, occurred_at, created_at, updated_at) ",
            );
            insert.push_values(rows, |mut row, event| {
                row.push_bind(event.id).push_bind(event.tenant).push_bind(&event.call).push("'call.answered'");
                row.push_bind(Json(&event.payload)).push_bind(event.sequence).push($now).push($now).push($now);
            });
            insert.build().persistent(false).execute(&mut $conn).await?;
        }
        for rows in $deliveries.chunks(ROWS) {
            let mut insert = QueryBuilder::new(
                "INSERT INTO webhook_deliveries (id, webhook_id, event_id, event_type, order_key, sequence, due_at, created_at) ",
            );
            insert.push_values(rows, |mut row, told| {
                row.push_bind(Uuid::now_v7()).push_bind(told.webhook).push_bind(told.event).push("'call.answered'");
                row.push_bind(&told.call).push_bind(told.sequence).push($now).push($now);
            });
            insert.build().persistent(false).execute(&mut $conn).await?;
        }
    }};
}

async fn fill(url: &str, events: &[Event], deliveries: &[Delivery]) -> Result<()> {
    use sqlx::Connection as _;
    if url.starts_with("sqlite:") {
        let mut conn = SqliteConnection::connect(url).await?;
        sqlx::query("BEGIN IMMEDIATE").execute(&mut conn).await?;
        fill!(conn, "CAST(unixepoch('subsec') * 1000000 AS INTEGER)", events, deliveries);
        sqlx::query("COMMIT").execute(&mut conn).await?;
    } else {
        let mut conn = PgConnection::connect(url).await?;
        fill!(conn, "now()", events, deliveries);
    }
    Ok(())
}

/// A receiver that takes everything.
async fn serve(listener: TcpListener, received: Arc<AtomicU64>) {
    while let Ok((stream, _)) = listener.accept().await {
        let received = Arc::clone(&received);
        tokio::spawn(async move {
            // It ends when the other side goes.
            let _gone = answer(stream, &received).await;
        });
    }
}

async fn answer(mut stream: TcpStream, received: &AtomicU64) -> Result<()> {
    let mut bytes = Vec::with_capacity(4096);
    loop {
        let end = loop {
            if let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                let text =
                    String::from_utf8_lossy(bytes.get(..head).unwrap_or_default()).to_ascii_lowercase();
                let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
                let end = head + 4 + length.context("content-length")?.parse::<usize>()?;
                if bytes.len() >= end {
                    break end;
                }
            }
            if stream.read_buf(&mut bytes).await? == 0 {
                return Ok(());
            }
        };
        bytes.drain(..end);
        received.fetch_add(1, Ordering::Relaxed);
        stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await?;
    }
}
