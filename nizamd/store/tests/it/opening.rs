use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use nizam_store::{CallEventFilter, CdrFilter, Key, Keyring, Page, Store, StoreError};
use sqlx::AssertSqlSafe;

use nizam_test_postgres::{Database, there_is_postgres};

use crate::support::{Fixture, actor, new_extension};

#[tokio::test]
async fn what_was_written_is_there_after_opening_again() {
    let fixture = Fixture::new().await;
    let tenant = fixture.tenant("a.example").await;
    let made = fixture.store.create_extension(&actor(), tenant.id, new_extension("1001")).await.unwrap();
    fixture.store.close().await;
    let store = Store::open(&fixture.url, Keyring::new(&fixture.key)).await.unwrap();
    assert_eq!(store.generation().await.unwrap(), made.generation);
    assert_eq!(store.extension(tenant.id, made.value.id).await.unwrap(), Some(made.value));
}

#[tokio::test]
async fn rows_of_an_earlier_version_are_counted_and_found() {
    let directory = tempfile::tempdir().unwrap();
    let url = Database::chosen().fresh(directory.path());
    let (name, tenant) = match Database::chosen() {
        Database::Sqlite => ("sqlite", "x'0190a1b2c3d47e5f8a9b0c1d2e3f4a5b'"),
        Database::Postgres => ("postgres", "'0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b'"),
    };
    // The schema as it was before there were counts.
    let earlier = directory.path().join("earlier");
    std::fs::create_dir(&earlier).unwrap();
    let migrations = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations").join(name);
    for file in std::fs::read_dir(migrations).unwrap() {
        let file = file.unwrap();
        if *file.file_name() < *"0006" {
            std::fs::copy(file.path(), earlier.join(file.file_name())).unwrap();
        }
    }
    let migrator = sqlx::migrate::Migrator::new(earlier).await.unwrap();
    let mut rows = vec![format!(
        "INSERT INTO tenants (id, name, domain, slug, created_at, updated_at) \
         VALUES ({tenant}, 'A', 'a.example', 'a', TIME, TIME)"
    )];
    for n in 0..70 {
        rows.push(format!(
            "INSERT INTO call_detail_records (id, tenant_id, uuid, caller_id_number, destination_number, start_stamp, \
             hangup_cause, direction, read_codec, write_codec, created_at, updated_at) \
             VALUES (ID{n:02}, {tenant}, 'leg-{n}', '1', '2', TIME{n:02}, 'NO_ANSWER', 'local', 'PCMU', NULL, TIME, TIME)"
        ));
        rows.push(format!(
            "INSERT INTO call_events (id, tenant_id, call_uuid, event_type, payload, occurred_at, created_at, updated_at) \
             VALUES (ID{n:02}, {tenant}, 'leg-{n}', 'call.hangup', '{{}}', TIME{n:02}, TIME, TIME)"
        ));
    }
    // A row each 14 hours, and what either database calls a time and an id.
    let text = rows.join(";\n");
    let text = (0..70).fold(text, |text, n| {
        let (id, at) = (format!("ID{n:02}"), format!("TIME{n:02}"));
        match Database::chosen() {
            Database::Sqlite => text
                .replace(&id, &format!("x'0190a1b2c3d47e5f8a9b0c1d2e3f00{n:02}'"))
                .replace(&at, &(1_767_268_800_000_000_i64 + n * 50_400_000_000).to_string()),
            Database::Postgres => text
                .replace(&id, &format!("'0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f00{n:02}'"))
                .replace(&at, &format!("timestamptz '2026-01-01 12:00+00' + {n} * interval '14 hours'")),
        }
    });
    match Database::chosen() {
        Database::Sqlite => {
            let pool = sqlx::SqlitePool::connect(&format!("{url}?mode=rwc")).await.unwrap();
            migrator.run(&pool).await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(text.replace("TIME", "0"))).execute(&pool).await.unwrap();
            pool.close().await;
        }
        Database::Postgres => {
            let pool = sqlx::PgPool::connect(&url).await.unwrap();
            migrator.run(&pool).await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(text.replace("TIME", "now()"))).execute(&pool).await.unwrap();
            pool.close().await;
        }
    }
    let store = Store::open(&url, Keyring::new(&Key::random().unwrap())).await.unwrap();
    let tenant = uuid::Uuid::from_u128(0x0190_a1b2_c3d4_7e5f_8a9b_0c1d_2e3f_4a5b);
    let page = Page { number: 5, size: 15 };
    for _ in 0..2 {
        let listed = store.cdrs(tenant, &CdrFilter::default(), page).await.unwrap();
        assert_eq!((listed.total, listed.rows.len()), (70, 10));
        assert_eq!(listed.rows.last().map(|cdr| &*cdr.uuid), Some("leg-0"));
        let events = store.call_events(tenant, &CallEventFilter::default(), page).await.unwrap();
        assert_eq!((events.total, events.rows.len()), (70, 10));
        assert_eq!(store.codec_metrics(tenant).await.unwrap().codecs, [("PCMU".to_owned(), 70)]);
        store.keep_months().await.unwrap();
    }
}

#[tokio::test]
async fn another_key_is_refused() {
    let fixture = Fixture::new().await;
    let error = Store::open(&fixture.url, Keyring::new(&Key::random().unwrap())).await.unwrap_err();
    assert!(matches!(error, StoreError::WrongKey), "{error}");
}

#[tokio::test]
async fn a_newer_schema_is_refused() {
    let fixture = Fixture::on(Database::Sqlite).await;
    fixture.store.close().await;
    let pool = sqlx::SqlitePool::connect(&fixture.url).await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
         VALUES (9999, 'later', TRUE, x'00', 0)",
    )
    .execute(&pool)
    .await
    .unwrap();
    pool.close().await;
    let error = Store::open(&fixture.url, Keyring::new(&fixture.key)).await.unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 9999, .. }), "{error}");
    assert!(error.to_string().contains("run the newer nizamd"));
}

#[tokio::test]
async fn what_is_no_database_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let url = Database::Sqlite.fresh(directory.path());
    std::fs::write(directory.path().join("nizam.db"), "no database".repeat(1000)).unwrap();
    let error = Store::open(&url, Keyring::new(&Key::random().unwrap())).await.unwrap_err();
    assert!(matches!(error, StoreError::Unusable(..)), "{error:?}");
    let error = Store::open("mysql:x", Keyring::new(&Key::random().unwrap())).await.unwrap_err();
    assert!(matches!(error, StoreError::Url(_)));
}

#[tokio::test]
async fn only_the_owner_reads_the_file() {
    let fixture = Fixture::on(Database::Sqlite).await;
    fixture.tenant("a.example").await;
    for file in std::fs::read_dir(fixture.directory.path()).unwrap() {
        let file = file.unwrap();
        let mode = file.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?}", file.path());
    }
}

#[tokio::test]
async fn no_secret_is_in_the_file() {
    let fixture = Fixture::on(Database::Sqlite).await;
    let tenant = fixture.tenant("a.example").await;
    fixture.store.create_extension(&actor(), tenant.id, new_extension("1001")).await.unwrap();
    fixture.store.insert_extensions(&actor(), tenant.id, vec![new_extension("1002")]).await.unwrap();
    fixture.store.close().await;
    let mut bytes = std::fs::read(fixture.path()).unwrap();
    let found = |text: &str, bytes: &[u8]| bytes.windows(text.len()).any(|w| w == text.as_bytes());
    assert!(found("1002", &bytes), "the search finds what is there");
    if let Ok(wal) = std::fs::read(fixture.directory.path().join("nizam.db-wal")) {
        bytes.extend(wal);
    }
    for secret in ["Pa55-1001-secret", "Pa55-1002-secret", "90210734"] {
        assert!(!found(secret, &bytes), "{secret}");
    }
}

#[tokio::test]
async fn two_processes_may_open_it_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let url = Database::chosen().fresh(directory.path());
    let key = Key::random().unwrap();
    let open = || Store::open(&url, Keyring::new(&key));
    let (one, two) = tokio::join!(open(), open());
    assert_eq!(one.unwrap().generation().await.unwrap(), 0);
    assert_eq!(two.unwrap().generation().await.unwrap(), 0);
}

#[tokio::test]
async fn every_statement_prepares_on_both() {
    let sqlite = Fixture::on(Database::Sqlite).await.store.prepare_statements().await.unwrap();
    assert!(sqlite > 100, "{sqlite} statements");
    println!("{sqlite} statements prepared on SQLite");
    if there_is_postgres() {
        let postgres = Fixture::on(Database::Postgres).await.store.prepare_statements().await.unwrap();
        println!("{postgres} statements prepared on PostgreSQL");
        assert!(postgres > 100, "{postgres} statements");
    }
}

#[tokio::test]
async fn only_what_others_write_is_heard() {
    if !there_is_postgres() {
        return;
    }
    let fixture = Fixture::on(Database::Postgres).await;
    let other = Store::open(&fixture.url, Keyring::new(&fixture.key)).await.unwrap();
    let (mut heard, mut heard_there) =
        (fixture.store.listen().await.unwrap().unwrap(), other.listen().await.unwrap().unwrap());
    let own = fixture.tenant("a.example").await;
    heard_there.heard().await.unwrap();
    let theirs = other.create_extension(&actor(), own.id, new_extension("1001")).await.unwrap();
    // Of the two writes this is the second one: the first would leave the generation where it was.
    heard.heard().await.unwrap();
    assert_eq!(fixture.store.changes_after(0).await.unwrap().last().unwrap().generation, theirs.generation);
    let more = tokio::time::timeout(std::time::Duration::from_millis(100), heard.heard()).await;
    assert!(more.is_err(), "the own write is heard as well");
}
