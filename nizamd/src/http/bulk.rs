//! Many rows at once: lists in JSON, and files in CSV.

use std::future::Future;
use std::sync::Arc;

use nizam_core::model::{Extension, NewExtension};
use nizam_core::resource::{DID, Purpose, Record};
use nizam_core::validate::{Errors, Fields, describe, new_extension, read_rows};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::call::Call;
use super::csv_file::File;
use super::failure::Failure;
use super::gate::Member;
use super::reply::{CutShort, Outcome, Reply};
use super::{csv_file, present};

/// Rows that an export reads at once.
const PAGE: u32 = 1000;

pub(super) async fn extensions(call: Call, member: Member, new: Vec<NewExtension>) -> Outcome {
    let committed = call.app.store.insert_extensions(&call.actor(), member.tenant().id, new).await?;
    let made = committed.value.iter().map(|(id, number)| json!({"id": id, "extension": number}));
    let reply = Reply::created(&json!({"data": made.collect::<Vec<_>>()}));
    Ok(call.written(reply, committed).await)
}

pub(super) async fn import_extensions(call: Call, member: Member, (): ()) -> Outcome {
    let new = file_rows(&call, "extensions", new_extension)?;
    extensions(call, member, new).await
}

pub(super) async fn import_dids(call: Call, member: Member, (): ()) -> Outcome {
    let rows = file_rows(&call, "dids", |f| DID.read(Purpose::Create, f))?;
    if !member.is_admin() {
        for (i, values) in rows.iter().enumerate() {
            DID.reserved(None, values).map_err(|errors| errors.below(&format!("dids.{i}")))?;
        }
    }
    let store = &call.app.store;
    let committed = store.create_records(&call.actor(), &DID, member.tenant().id, "dids", rows).await?;
    let made = committed.value.iter().map(|did| json!({"id": did.id, "number": did.value("number")}));
    let reply = Reply::created(&json!({"data": made.collect::<Vec<_>>()}));
    Ok(call.written(reply, committed).await)
}

pub(super) fn export_extensions(call: &Call, member: &Member) -> Reply {
    let names: Vec<&'static str> = describe(new_extension).into_iter().map(|field| field.name).collect();
    let (store, tenant) = (Arc::clone(&call.app.store), member.tenant().id);
    export("extensions.csv", names, move |after| {
        let store = Arc::clone(&store);
        async move {
            let rows: Vec<Extension> = store.extensions_after(tenant, after, PAGE).await?;
            Ok(rows.iter().map(|row| (row.id, object(json!(present::extension(row))))).collect())
        }
    })
}

pub(super) fn export_dids(call: &Call, member: &Member) -> Reply {
    let names = DID.fields.iter().map(|field| field.name).collect();
    let (store, tenant) = (Arc::clone(&call.app.store), member.tenant().id);
    export("dids.csv", names, move |after| {
        let store = Arc::clone(&store);
        async move {
            let rows: Vec<Record> = store.records_after(&DID, tenant, after, PAGE).await?;
            Ok(rows.into_iter().map(|row| (row.id, row.values)).collect())
        }
    })
}

/// The rows of the file in the body. Fields that it names and nobody knows are told in a header.
fn file_rows<T>(
    call: &Call,
    name: &str,
    form: impl Fn(&mut Fields<'_>) -> Result<T, Errors>,
) -> Result<Vec<T>, Failure> {
    let File { headers, rows } = csv_file::read(name, &call.request.body)?;
    let known = describe(|f| drop(form(f)));
    let ignored = headers.into_iter().filter(|name| known.iter().all(|field| field.name != name)).collect();
    call.ignore(ignored);
    let (rows, errors) = read_rows(name, rows.into_iter().map(Some), form);
    if errors.is_empty() { Ok(rows) } else { Err(errors.into()) }
}

/// Rows with their ids.
type Rows = Vec<(Uuid, Map<String, Value>)>;

/// A file of all rows, made page by page while it is sent.
fn export<P, O>(file: &str, names: Vec<&'static str>, page: P) -> Reply
where
    P: Fn(Uuid) -> O + Send + 'static,
    O: Future<Output = nizam_store::StoreResult<Rows>> + Send,
{
    let (sender, rest) = mpsc::channel(2);
    tokio::spawn(async move {
        let header: Vec<Value> = names.iter().map(|name| json!(name)).collect();
        let mut text = csv_file::line(header.iter());
        let mut after = Uuid::nil();
        loop {
            let rows = match page(after).await {
                Ok(rows) => rows,
                Err(error) => {
                    tracing::error!(%error, "an export ended early");
                    // The client must not take half a file for a whole one.
                    let _gone = sender.send(Err(CutShort)).await;
                    return;
                }
            };
            let Some((last, _)) = rows.last() else { break };
            after = *last;
            for (_, row) in &rows {
                let cells = names.iter().map(|name| row.get(*name).unwrap_or(&Value::Null));
                text.extend(csv_file::line(cells));
            }
            // An error means that the client has gone.
            if sender.send(Ok(std::mem::take(&mut text))).await.is_err() {
                return;
            }
        }
        let _gone = sender.send(Ok(text)).await;
    });
    Reply::download("text/csv; charset=utf-8", file, rest)
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
