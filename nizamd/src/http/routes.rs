//! The one table of operations.

use std::future::ready;

use nizam_core::model::Permission as P;
use nizam_core::resource::{EXTENSION_LIST, RESOURCES};
use nizam_core::validate as form;
use warp::http::Method;

use super::answers::Answers::{self, Bare, Created, CreatedBare, Data, Nothing, Page, Text};
use super::gate::{
    Entry, Order, admin, admin_of_tenant, member, member_with, no_fields, public, signed_in, tenant, user,
    user_with,
};
use super::route::{Rate, Route};
use super::{account, bulk, health, resources, settings, tokens};

/// Every operation of the API.
pub fn routes() -> Vec<Route> {
    let mut routes = signing_in();
    routes.extend(tenants());
    routes.extend(extensions());
    routes.extend(RESOURCES.iter().copied().flat_map(resources::routes));
    routes.extend(files());
    routes
}

fn signing_in() -> Vec<Route> {
    vec![
        get("/health", "health", Bare("Health"), public(no_fields, health::show)).rate(Rate::Free),
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
        get("/tenants", "tenants.list", Page("Tenant", &[]), user_with(P::TenantsView, super::tenants::list)),
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
        ),
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
        ),
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
        ),
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
