//! The one table of operations.

use std::future::ready;

use nizam_core::model::Permission as P;
use nizam_core::resource::{
    AGENT, CALL_ROUTING_POLICY, EXTENSION_LIST, PROMPT, QUEUE, RESOURCES, TENANT_LIST, USER_LIST, WEBHOOK,
};
use nizam_core::validate as form;
use warp::http::Method;

use super::answers::Answers::{self, Bare, Created, CreatedBare, Data, Flat, Nothing, Page, Text};
use super::gate::{
    Entry, Order, admin, admin_first, admin_in_tenant, admin_of_tenant, admin_of_user, channel, member,
    member_first, member_with, no_fields, own_or_admin, public, record, signed_in, tenant, user, user_with,
};
use super::reply::Reply;
use super::route::{Rate, Route};
use super::{account, bulk, health, operator, resources, settings, tokens};

/// Every operation of the API.
pub fn routes() -> Vec<Route> {
    let mut routes = signing_in();
    routes.extend(tenants());
    routes.extend(extensions());
    routes.extend(users());
    routes.extend(queues());
    routes.extend(integrations());
    routes.extend(reports());
    routes.extend(calls());
    routes.extend(control());
    routes.extend(RESOURCES.iter().copied().flat_map(resources::routes));
    routes.extend(files());
    routes
}

fn signing_in() -> Vec<Route> {
    vec![
        get("/health", "health", Bare("Health"), public(no_fields, health::show)).rate(Rate::Free),
        get(
            "/openapi.json",
            "openapi",
            Bare("OpenApi"),
            public(no_fields, |_, ()| ready(Ok(Reply::ok(&super::openapi::document())))),
        )
        .rate(Rate::Free),
        post(
            "/auth/register",
            "auth.register",
            CreatedBare("SignedIn"),
            public(form::registration, account::register),
        )
        .rate(Rate::Login),
        post("/auth/login", "auth.login", Bare("SignedIn"), public(form::login, account::login))
            .rate(Rate::Login),
        post("/auth/logout", "auth.logout", Nothing, signed_in(account::logout)),
        get("/auth/me", "auth.me", Bare("Me"), signed_in(account::me)),
        get("/auth/tokens", "tokens.list", Bare("Tokens"), user(no_fields, tokens::list)),
        post("/auth/tokens", "tokens.create", CreatedBare("NewToken"), user(form::new_token, tokens::create)),
        delete("/auth/tokens/{token}", "tokens.delete", user(no_fields, tokens::delete)),
    ]
}

fn tenants() -> Vec<Route> {
    vec![
        get(
            "/tenants",
            "tenants.list",
            Page("Tenant", TENANT_LIST),
            user_with(P::TenantsView, super::tenants::list),
        )
        .keeps(),
        post(
            "/tenants",
            "tenants.create",
            Created("Tenant"),
            admin(P::TenantsCreate, form::new_tenant, super::tenants::create),
        ),
        get(
            "/tenants/{tenant}",
            "tenants.show",
            Data("Tenant"),
            tenant(P::TenantsView, super::tenants::show),
        )
        .keeps(),
        put(
            "/tenants/{tenant}",
            "tenants.update",
            Data("Tenant"),
            admin_of_tenant(
                P::TenantsUpdate,
                Order::FieldsFirst,
                form::change_tenant,
                super::tenants::update,
            ),
        ),
        delete(
            "/tenants/{tenant}",
            "tenants.delete",
            admin_of_tenant(P::TenantsDelete, Order::FieldsFirst, no_fields, super::tenants::delete),
        ),
        get(
            "/tenants/{tenant}/settings",
            "settings.show",
            Data("Settings"),
            tenant(P::TenantsView, settings::show),
        ),
        put(
            "/tenants/{tenant}/settings",
            "settings.update",
            Data("Settings"),
            admin_of_tenant(P::TenantsUpdate, Order::PermissionFirst, form::settings, settings::update),
        ),
    ]
}

fn extensions() -> Vec<Route> {
    vec![
        get(
            "/tenants/{tenant}/extensions",
            "extensions.list",
            Page("Extension", EXTENSION_LIST),
            member(P::ExtensionsView, no_fields, super::extensions::list),
        )
        .keeps(),
        post(
            "/tenants/{tenant}/extensions",
            "extensions.create",
            Created("Extension"),
            member(P::ExtensionsCreate, form::new_extension, super::extensions::create),
        ),
        get(
            "/tenants/{tenant}/extensions/{extension}",
            "extensions.show",
            Data("Extension"),
            member_with(P::ExtensionsView, no_fields, super::extensions::show),
        )
        .keeps(),
        put(
            "/tenants/{tenant}/extensions/{extension}",
            "extensions.update",
            Data("Extension"),
            member_with(P::ExtensionsUpdate, form::change_extension, super::extensions::update),
        ),
        delete(
            "/tenants/{tenant}/extensions/{extension}",
            "extensions.delete",
            member_with(P::ExtensionsDelete, no_fields, super::extensions::delete),
        ),
        post(
            "/tenants/{tenant}/extensions/bulk",
            "extensions.bulk",
            Created("Made"),
            member(P::ExtensionsCreate, form::new_extensions, bulk::extensions),
        )
        .large(),
        post(
            "/tenants/{tenant}/extensions/import",
            "extensions.import",
            Created("Made"),
            member(P::ExtensionsCreate, no_fields, bulk::import_extensions),
        )
        .large()
        .csv(),
        get(
            "/tenants/{tenant}/extensions/export",
            "extensions.export",
            Text("text/csv; charset=utf-8"),
            member(P::ExtensionsView, no_fields, |call, member, ()| {
                ready(Ok(bulk::export_extensions(&call, &member)))
            }),
        ),
    ]
}

fn users() -> Vec<Route> {
    vec![
        get(
            "/users",
            "users.list",
            Page("User", USER_LIST),
            admin(P::UsersView, no_fields, super::users::list),
        ),
        post(
            "/users",
            "users.create",
            CreatedBare("User"),
            admin_first(P::UsersCreate, form::new_user, super::users::create),
        ),
        get("/users/{user}", "users.show", Data("User"), own_or_admin(P::UsersView, super::users::show)),
        put(
            "/users/{user}",
            "users.update",
            Data("User"),
            admin_of_user(P::UsersUpdate, form::change_user, super::users::update),
        ),
        delete(
            "/users/{user}",
            "users.delete",
            admin_of_user(P::UsersDelete, no_fields, super::users::delete),
        ),
        get(
            "/users/{user}/permissions",
            "users.permissions",
            Bare("Granted"),
            own_or_admin(P::UsersView, super::users::granted),
        ),
        post(
            "/users/{user}/permissions/grant",
            "users.grant",
            Bare("GrantedNow"),
            admin_of_user(P::UsersUpdate, form::permissions, super::users::grant),
        ),
        post(
            "/users/{user}/permissions/revoke",
            "users.revoke",
            Bare("GrantedNow"),
            admin_of_user(P::UsersUpdate, form::permissions, super::users::revoke),
        ),
        get(
            "/permissions",
            "permissions.list",
            Bare("Permissions"),
            admin(P::UsersView, no_fields, |_, _, ()| ready(Ok(super::users::permissions()))),
        ),
    ]
}

fn queues() -> Vec<Route> {
    vec![
        get(
            "/tenants/{tenant}/queues/{queue}/members",
            "queues.members",
            Bare("QueueMembers"),
            record(&QUEUE, P::QueuesView, no_fields, super::queues::members),
        ),
        post(
            "/tenants/{tenant}/queues/{queue}/members",
            "queues.join",
            CreatedBare("Message"),
            record(&QUEUE, P::QueuesManage, form::membership, super::queues::join),
        ),
        delete(
            "/tenants/{tenant}/queues/{queue}/members/{agent}",
            "queues.leave",
            record(&QUEUE, P::QueuesManage, no_fields, super::queues::leave),
        ),
        get(
            "/tenants/{tenant}/queues/{queue}/metrics/realtime",
            "queues.realtime",
            Data("QueueRealtime"),
            record(&QUEUE, P::QueuesMetrics, no_fields, super::queues::realtime),
        ),
        post(
            "/tenants/{tenant}/queues/{queue}/metrics/aggregate",
            "queues.aggregate",
            Data("QueueMetric"),
            record(&QUEUE, P::QueuesMetrics, form::period, super::queues::aggregate),
        ),
        get(
            "/tenants/{tenant}/queues/{queue}/metrics/history",
            "queues.history",
            Flat("QueueMetric"),
            record(&QUEUE, P::QueuesMetrics, no_fields, super::queues::history),
        ),
        post(
            "/tenants/{tenant}/agents/{agent}/state",
            "agents.state",
            Data("Agent"),
            record(&AGENT, P::AgentsManage, form::agent_state, super::queues::set_state),
        ),
        get(
            "/tenants/{tenant}/agent-states",
            "agents.states",
            Data("AgentStates"),
            member(P::AgentsView, no_fields, super::queues::states),
        ),
        get(
            "/tenants/{tenant}/wallboard",
            "wallboard",
            Data("Wallboard"),
            member(P::WallboardView, no_fields, super::queues::wallboard),
        ),
    ]
}

fn integrations() -> Vec<Route> {
    vec![
        post(
            "/broadcasting/auth",
            "broadcasting.auth",
            Bare("ChannelAuthorisation"),
            channel(super::broadcasting::authorise),
        )
        .reads(),
        get(
            "/tenants/{tenant}/webhooks/{webhook}/delivery-attempts",
            "webhooks.attempts",
            Page("DeliveryAttempt", &[]),
            record(&WEBHOOK, P::WebhooksView, no_fields, super::webhooks::attempts),
        ),
        get(
            "/tenants/{tenant}/webhooks/{webhook}/delivery-stats",
            "webhooks.stats",
            Data("DeliveryStats"),
            record(&WEBHOOK, P::WebhooksView, no_fields, super::webhooks::stats),
        ),
        post(
            "/tenants/{tenant}/webhooks/{webhook}/rotate-secret",
            "webhooks.rotate-secret",
            Bare("NewWebhook"),
            record(&WEBHOOK, P::WebhooksUpdate, form::rotation, super::webhooks::rotate),
        ),
        post(
            "/tenants/{tenant}/webhooks/{webhook}/test",
            "webhooks.test",
            Data("WebhookTest"),
            record(&WEBHOOK, P::WebhooksUpdate, no_fields, super::webhooks::test),
        ),
        post(
            "/tenants/{tenant}/webhooks/{webhook}/redeliver",
            "webhooks.redeliver",
            Data("Redriven"),
            record(&WEBHOOK, P::WebhooksUpdate, form::redelivery, super::webhooks::redeliver),
        ),
        post(
            "/tenants/{tenant}/webhooks/{webhook}/redrive",
            "webhooks.redrive",
            Data("Redriven"),
            record(&WEBHOOK, P::WebhooksUpdate, form::redrive, super::webhooks::redrive),
        ),
        post(
            "/tenants/{tenant}/call-routing-policies/{call_routing_policy}/evaluate",
            "call-routing-policies.evaluate",
            Bare("Evaluation"),
            record(
                &CALL_ROUTING_POLICY,
                P::CallRoutingPoliciesView,
                form::evaluation,
                |call, member, record, form| {
                    ready(super::evaluate::evaluate(&call, &member, &record, form).map_err(Into::into))
                },
            ),
        )
        .reads(),
        post(
            "/tenants/{tenant}/routes/explain",
            "routes.explain",
            Data("Explained"),
            member(P::CallRoutingPoliciesView, form::explanation, super::explain::explain),
        )
        .reads(),
        get(
            "/tenants/{tenant}/routes/lint",
            "routes.lint",
            Data("Findings"),
            member(P::CallRoutingPoliciesView, no_fields, super::lint::lint),
        ),
        post(
            "/tenants/{tenant}/prompts",
            "prompts.create",
            Created("Prompt"),
            member(P::IvrsCreate, form::new_prompt, super::prompts::upload),
        )
        .large(),
        get(
            "/tenants/{tenant}/prompts/{prompt}/content",
            "prompts.content",
            Text("audio/wav"),
            record(&PROMPT, P::IvrsView, no_fields, super::prompts::download),
        ),
    ]
}

fn reports() -> Vec<Route> {
    vec![
        get(
            "/admin/dashboard",
            "admin.dashboard",
            Data("Dashboard"),
            admin(P::TenantsView, no_fields, super::reports::dashboard),
        ),
        get(
            "/metrics",
            "metrics",
            Text(crate::metrics::MEDIA_TYPE),
            admin(P::TenantsView, no_fields, operator::metrics),
        )
        .rate(Rate::Free),
        get(
            "/admin/stray-events",
            "admin.stray-events",
            Flat("StrayEvent"),
            admin(P::TenantsView, no_fields, operator::strays),
        ),
        get(
            "/admin/quarantined-events",
            "admin.quarantined-events",
            Flat("QuarantinedEvent"),
            admin(P::TenantsView, no_fields, operator::quarantine),
        ),
        post(
            "/tenants/provision",
            "tenants.provision",
            Created("Provisioned"),
            admin_first(P::TenantsCreate, form::provision, super::provision::create),
        ),
        get(
            "/tenants/{tenant}/stats",
            "tenants.stats",
            Data("TenantStats"),
            tenant(P::TenantsView, super::reports::stats),
        ),
        get(
            "/tenants/{tenant}/codec-metrics",
            "codec-metrics.show",
            Data("CodecMetrics"),
            member(P::TenantsView, no_fields, |call, member, ()| super::codec_metrics::show(call, member)),
        ),
        get(
            "/tenants/{tenant}/usage/summary",
            "usage.summary",
            Data("UsageSummary"),
            member(P::TenantsView, no_fields, super::usage::summary),
        ),
        post(
            "/tenants/{tenant}/usage/collect",
            "usage.collect",
            Created("UsageCollected"),
            admin_in_tenant(P::TenantsUpdate, no_fields, super::usage::collect),
        ),
        get(
            "/tenants/{tenant}/usage/reconcile",
            "usage.reconcile",
            Data("UsageReconciled"),
            member(P::TenantsView, no_fields, super::usage::reconcile),
        ),
        get(
            "/tenants/{tenant}/audit-logs",
            "audit-logs.list",
            Flat("AuditLog"),
            member(P::AuditLogsView, no_fields, super::trail::list),
        ),
        get(
            "/tenants/{tenant}/audit-logs/{audit_log}",
            "audit-logs.show",
            Data("AuditLog"),
            member(P::AuditLogsView, no_fields, super::trail::show),
        ),
    ]
}

/// Calls that are there now.
fn control() -> Vec<Route> {
    use form::control;
    vec![
        post(
            "/tenants/{tenant}/calls/originate",
            "calls.originate",
            Bare("Commanded"),
            member_first(P::CallsOriginate, control::new_call, super::calls::originate),
        ),
        get(
            "/tenants/{tenant}/calls/status",
            "calls.status",
            Bare("Channels"),
            member_first(P::CallsViewStatus, no_fields, super::calls::status),
        ),
        post(
            "/tenants/{tenant}/calls/hangup",
            "calls.hangup",
            Bare("Commanded"),
            member_first(P::CallsControl, control::hangup, super::calls::hangup),
        ),
        post(
            "/tenants/{tenant}/calls/transfer",
            "calls.transfer",
            Bare("Commanded"),
            member_first(P::CallsControl, control::transfer, super::calls::transfer),
        ),
        post(
            "/tenants/{tenant}/calls/hold",
            "calls.hold",
            Bare("Commanded"),
            member_first(P::CallsControl, control::hold, super::calls::hold),
        ),
        post(
            "/tenants/{tenant}/calls/recording",
            "calls.recording",
            Bare("Commanded"),
            member_first(P::CallsControl, control::recording, super::calls::recording),
        ),
        post(
            "/tenants/{tenant}/calls/park",
            "calls.park",
            Bare("Commanded"),
            member_first(P::CallsControl, control::park, super::calls::park),
        ),
        post(
            "/tenants/{tenant}/calls/dtmf",
            "calls.dtmf",
            Bare("Commanded"),
            member_first(P::CallsControl, control::dtmf, super::calls::dtmf),
        ),
        post(
            "/tenants/{tenant}/calls/bridge",
            "calls.bridge",
            Bare("Commanded"),
            member_first(P::CallsControl, control::bridge, super::calls::bridge),
        ),
        post(
            "/tenants/{tenant}/calls/eavesdrop",
            "calls.eavesdrop",
            Bare("Commanded"),
            member_first(P::CallsControl, control::eavesdrop, super::calls::eavesdrop),
        ),
    ]
}

/// What is kept of calls, and what is so now.
fn calls() -> Vec<Route> {
    vec![
        get(
            "/tenants/{tenant}/cdrs",
            "cdrs.list",
            Page("Cdr", &[]),
            member(P::CdrsView, no_fields, super::cdrs::list),
        ),
        get(
            "/tenants/{tenant}/cdrs/{cdr}",
            "cdrs.show",
            Data("Cdr"),
            member(P::CdrsView, no_fields, super::cdrs::show),
        ),
        get(
            "/tenants/{tenant}/cdrs/export",
            "cdrs.export",
            Text("text/csv; charset=utf-8"),
            member(P::CdrsView, no_fields, super::cdrs::export),
        ),
        get(
            "/tenants/{tenant}/call-events",
            "call-events.list",
            Flat("CallEvent"),
            member(P::CallEventsView, no_fields, super::call_events::list),
        ),
        get(
            "/tenants/{tenant}/call-events/stream",
            "call-events.stream",
            Text("text/event-stream"),
            member(P::CallEventsView, no_fields, super::stream::of_calls),
        ),
        get(
            "/tenants/{tenant}/events/stream",
            "events.stream",
            Text("text/event-stream"),
            member(P::CallEventsView, no_fields, super::stream::of_everything),
        ),
        get(
            "/tenants/{tenant}/call-events/{call}/trace",
            "call-events.trace",
            Bare("CallTrace"),
            member(P::CallEventsView, no_fields, super::trace::show),
        ),
        get(
            "/tenants/{tenant}/call-events/replay/{call_event}",
            "call-events.replay",
            Bare("ReplayedEvent"),
            member(P::CallEventsView, no_fields, super::call_events::replay),
        ),
        post(
            "/tenants/{tenant}/call-events/redispatch/{call_event}",
            "call-events.redispatch",
            Bare("Redispatched"),
            member(P::CallEventsRedispatch, no_fields, super::call_events::redispatch),
        ),
        get(
            "/tenants/{tenant}/registrations",
            "registrations.list",
            Flat("Registration"),
            member(P::ExtensionsView, no_fields, super::live::registrations),
        ),
        get(
            "/tenants/{tenant}/gateways/status",
            "gateways.status",
            Data("GatewayStatuses"),
            member(P::GatewaysView, no_fields, super::live::gateways),
        ),
    ]
}

/// DIDs in files; the rest of what there is to do with DIDs is as for every resource.
fn files() -> Vec<Route> {
    vec![
        post(
            "/tenants/{tenant}/dids/import",
            "dids.import",
            Created("Made"),
            member(P::DidsCreate, no_fields, bulk::import_dids),
        )
        .large()
        .csv(),
        get(
            "/tenants/{tenant}/dids/export",
            "dids.export",
            Text("text/csv; charset=utf-8"),
            member(P::DidsView, no_fields, |call, member, ()| ready(Ok(bulk::export_dids(&call, &member)))),
        ),
    ]
}

fn get(path: &str, id: &str, answers: Answers, entry: Entry) -> Route {
    Route::new(Method::GET, path, id, answers, entry)
}

fn post(path: &str, id: &str, answers: Answers, entry: Entry) -> Route {
    Route::new(Method::POST, path, id, answers, entry)
}

fn put(path: &str, id: &str, answers: Answers, entry: Entry) -> Route {
    Route::new(Method::PUT, path, id, answers, entry)
}

fn delete(path: &str, id: &str, entry: Entry) -> Route {
    Route::new(Method::DELETE, path, id, Nothing, entry)
}
