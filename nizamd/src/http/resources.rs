//! Operations on the resources of tenants: the same five for each.

use nizam_core::resource::{Purpose, Record, Resource, Values};
use nizam_core::validate::Fields;
use serde_json::{Value, json};
use warp::http::{Method, StatusCode};

use super::answers::Answers;
use super::call::Call;
use super::extras::{self, Extras};
use super::failure::Failure;
use super::gate::{Member, member, no_fields, record};
use super::paginate;
use super::present::Shown;
use super::reply::{Outcome, Reply};
use super::route::Route;

/// List, create, show, update and delete. What is made of a file is made by an operation of its own.
pub(super) fn routes(resource: &'static Resource) -> Vec<Route> {
    let all = format!("/tenants/{{tenant}}/{}", resource.path);
    let one = format!("{all}/{{{}}}", resource.parameter);
    let id = |operation: &str| format!("{}.{operation}", resource.path);
    let access = resource.access;
    let (model, fields) = (resource.model, resource.fields);
    let create = move |f: &mut Fields<'_>| resource.read(Purpose::Create, f);
    let update = move |f: &mut Fields<'_>| resource.read(Purpose::Update, f);
    let routes = vec![
        Route::new(
            Method::GET,
            all.clone(),
            id("list"),
            Answers::Page(model, fields),
            member(access.view, no_fields, move |call, member, ()| list(resource, call, member)),
        )
        .keeps(),
        Route::new(
            Method::POST,
            all,
            id("create"),
            if model == "Webhook" { Answers::CreatedBare("NewWebhook") } else { Answers::Created(model) },
            member(access.create, create, move |call, member, values| make(resource, call, member, values)),
        ),
        Route::new(
            Method::GET,
            one.clone(),
            id("show"),
            Answers::Data(model),
            record(resource, access.view, no_fields, move |call, _, record, ()| show(resource, call, record)),
        )
        .keeps(),
        Route::new(
            Method::PUT,
            one.clone(),
            id("update"),
            Answers::Data(model),
            record(resource, access.update, update, move |call, member, record, values| {
                change(resource, call, member, record, values)
            }),
        ),
        Route::new(
            Method::DELETE,
            one,
            id("delete"),
            Answers::Nothing,
            record(resource, access.delete, no_fields, move |call, member, record, ()| {
                remove(resource, call, member, record)
            }),
        ),
    ];
    routes.into_iter().filter(|route| !(resource.by_upload && route.method == Method::POST)).collect()
}

async fn list(resource: &'static Resource, call: Call, member: Member) -> Outcome {
    let query = paginate::query(&call.input, resource.fields)?;
    let listed = call.app.store.records(resource, member.tenant().id, &query).await?;
    let extras = extras::of(resource, &call, &listed.rows.iter().collect::<Vec<_>>()).await?;
    Ok(paginate::reply(&call.request, query.page, &listed, |record| shown(resource, &call, record, &extras)))
}

/// Makes a row.
async fn make(resource: &'static Resource, call: Call, member: Member, values: Values) -> Outcome {
    if resource.model == "Webhook" {
        return super::webhooks::create(call, member, values).await;
    }
    if !member.is_admin() {
        resource.reserved(None, &values)?;
    }
    let committed = call.app.store.create_record(&call.actor(), resource, member.tenant().id, values).await?;
    let saved = &committed.value;
    let extras = extras::of(resource, &call, &[&saved.record]).await?;
    let mut body = json!({"data": shown(resource, &call, &saved.record, &extras)});
    warn(&mut body, &saved.warnings);
    let reply = Reply::created(&body).etag(saved.record.version);
    Ok(call.written(reply, committed).await)
}

async fn show(resource: &'static Resource, call: Call, record: Record) -> Outcome {
    let extras = extras::of(resource, &call, &[&record]).await?;
    let reply = Reply::data(StatusCode::OK, shown(resource, &call, &record, &extras));
    let reply = reply.etag(record.version);
    // What stands beside the fields of a row changes without it.
    Ok(if extras.is_empty() { reply.unless_known(&call.request) } else { reply })
}

async fn change(
    resource: &'static Resource,
    call: Call,
    member: Member,
    old: Record,
    mut values: Values,
) -> Outcome {
    if !member.is_admin() {
        reserved(resource, &old)?;
        resource.reserved(Some(&old.values), &values)?;
        // What is as it was stays as it is, whatever an administrator makes of it meanwhile.
        values.retain(|name, _| resource.field(name).is_none_or(|field| !field.for_admins));
    }
    if resource.model == "Webhook" {
        super::webhooks::before_change(&call.app, &mut values)?;
    }
    let expected = call.expected()?;
    let tenant = member.tenant().id;
    let store = &call.app.store;
    let committed = store.update_record(&call.actor(), resource, tenant, old.id, values, &expected).await?;
    let saved = &committed.value;
    let extras = extras::of(resource, &call, &[&saved.record]).await?;
    let mut body = json!({"data": shown(resource, &call, &saved.record, &extras)});
    warn(&mut body, &saved.warnings);
    let reply = Reply::ok(&body).etag(saved.record.version);
    Ok(call.written(reply, committed).await)
}

async fn remove(resource: &'static Resource, call: Call, member: Member, old: Record) -> Outcome {
    if !member.is_admin() {
        reserved(resource, &old)?;
    }
    let expected = call.expected()?;
    let tenant = member.tenant().id;
    let committed = call.app.store.delete_record(&call.actor(), resource, tenant, old.id, &expected).await?;
    Ok(call.written(Reply::no_content(), committed).await)
}

/// Refuses what only an administrator may do to a row that other tenants depend on.
fn reserved(resource: &Resource, old: &Record) -> Result<(), Failure> {
    if resource.is_reserved(&old.values) {
        let text = format!("{} is shared: only an administrator may change or delete it.", resource.label);
        return Err(Failure::Answer(StatusCode::FORBIDDEN, text));
    }
    Ok(())
}

/// The row as the request wants to see it.
fn shown<'r>(resource: &'static Resource, call: &Call, record: &'r Record, extras: &'r Extras) -> Shown<'r> {
    // The template of a device profile can be long, and comes only where it is asked for.
    let template = resource.field("template").is_some() && call.input.has("include_template");
    Shown {
        resource,
        record,
        also: if template { &["template"] } else { &[] },
        extra: extras.get(&record.id),
    }
}

/// Says beside the data what is not wrong, but will not work as it stands.
fn warn(body: &mut Value, warnings: &[nizam_core::lint::Warning]) {
    if let (false, Some(map)) = (warnings.is_empty(), body.as_object_mut()) {
        map.insert("warnings".to_owned(), json!(warnings));
    }
}
