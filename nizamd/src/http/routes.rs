//! The one table of operations.

use nizam_core::model::Permission as P;
use nizam_core::validate as form;
use warp::http::Method;

use super::gate::{
    Order, admin, admin_of_tenant, member, member_with, no_fields, public, signed_in, tenant, user, user_with,
};
use super::route::{Rate, Route};
use super::{account, extensions, health, settings, tenants, tokens};

/// Every operation of the API.
pub fn routes() -> Vec<Route> {
    let get = |path, id, entry| Route::new(Method::GET, path, id, entry);
    let post = |path, id, entry| Route::new(Method::POST, path, id, entry);
    let put = |path, id, entry| Route::new(Method::PUT, path, id, entry);
    let delete = |path, id, entry| Route::new(Method::DELETE, path, id, entry);
    vec![
        get("/health", "health", public(no_fields, health::show)).rate(Rate::Free),
        post("/auth/register", "auth.register", public(form::registration, account::register))
            .rate(Rate::Login),
        post("/auth/login", "auth.login", public(form::login, account::login)).rate(Rate::Login),
        post("/auth/logout", "auth.logout", signed_in(account::logout)),
        get("/auth/me", "auth.me", signed_in(account::me)),
        get("/auth/tokens", "tokens.list", user(no_fields, tokens::list)),
        post("/auth/tokens", "tokens.create", user(form::new_token, tokens::create)),
        delete("/auth/tokens/{token}", "tokens.delete", user(no_fields, tokens::delete)),
        get("/tenants", "tenants.list", user_with(P::TenantsView, tenants::list)),
        post("/tenants", "tenants.create", admin(P::TenantsCreate, form::new_tenant, tenants::create)),
        get("/tenants/{tenant}", "tenants.show", tenant(P::TenantsView, tenants::show)),
        put(
            "/tenants/{tenant}",
            "tenants.update",
            admin_of_tenant(P::TenantsUpdate, Order::FieldsFirst, form::change_tenant, tenants::update),
        ),
        delete(
            "/tenants/{tenant}",
            "tenants.delete",
            admin_of_tenant(P::TenantsDelete, Order::FieldsFirst, no_fields, tenants::delete),
        ),
        get("/tenants/{tenant}/settings", "settings.show", tenant(P::TenantsView, settings::show)),
        put(
            "/tenants/{tenant}/settings",
            "settings.update",
            admin_of_tenant(P::TenantsUpdate, Order::PermissionFirst, form::settings, settings::update),
        ),
        get(
            "/tenants/{tenant}/extensions",
            "extensions.list",
            member(P::ExtensionsView, no_fields, extensions::list),
        ),
        post(
            "/tenants/{tenant}/extensions",
            "extensions.create",
            member(P::ExtensionsCreate, form::new_extension, extensions::create),
        ),
        get(
            "/tenants/{tenant}/extensions/{extension}",
            "extensions.show",
            member_with(P::ExtensionsView, no_fields, extensions::show),
        ),
        put(
            "/tenants/{tenant}/extensions/{extension}",
            "extensions.update",
            member_with(P::ExtensionsUpdate, form::change_extension, extensions::update),
        ),
        delete(
            "/tenants/{tenant}/extensions/{extension}",
            "extensions.delete",
            member_with(P::ExtensionsDelete, no_fields, extensions::delete),
        ),
    ]
}
