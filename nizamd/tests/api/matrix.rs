//! Who may do what: every operation, for every kind of caller, in every state of the tenant. What is expected comes from
//! the table of operations alone.

use nizam_core::model::{Permission, PermissionSet, Role};
use nizam_store::Actor;
use nizamd::http::{Gate, Route, routes};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::operations::{Body, call};
use crate::resources::World;
use crate::support::{Answer, Api, Person, answer};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Caller {
    NoToken,
    ExpiredToken,
    TokenWithoutAbility,
    OtherTenant,
    NoTenant,
    WithoutPermission,
    WithPermission,
    Admin,
}

const CALLERS: [Caller; 8] = [
    Caller::NoToken,
    Caller::ExpiredToken,
    Caller::TokenWithoutAbility,
    Caller::OtherTenant,
    Caller::NoTenant,
    Caller::WithoutPermission,
    Caller::WithPermission,
    Caller::Admin,
];

/// What a caller gets: the status of success, or that of a refusal.
fn expected(route: &Route, caller: Caller, status: &str) -> u16 {
    use Caller as C;
    let good = match &*route.id {
        // Nobody makes one by REST.
        "cdrs.show" | "call-events.trace" | "call-events.replay" | "call-events.redispatch" => 404,
        // The event stands in a field.
        "webhooks.redeliver" => 422,
        // No switch is connected, and so nobody has a call.
        "calls.status" => 503,
        id if id.starts_with("calls.") => 404,
        _ => route.answers.status(),
    };
    if route.gate == Gate::Public {
        return good;
    }
    if matches!(caller, C::NoToken | C::ExpiredToken) {
        return 401;
    }
    if route.gate == Gate::SignedIn {
        return good;
    }
    let allowed = match route.gate {
        Gate::Public | Gate::SignedIn => true,
        Gate::User => caller != C::TokenWithoutAbility,
        Gate::UserWith(_) => !matches!(caller, C::TokenWithoutAbility | C::WithoutPermission),
        Gate::Admin(_) | Gate::OwnOr(_) => caller == C::Admin,
        Gate::Tenant(_) => matches!(caller, C::WithPermission | C::Admin),
        Gate::Member(_) | Gate::Channel => {
            status == "active" && matches!(caller, C::WithPermission | C::Admin)
        }
        Gate::MemberAdmin(_) => status == "active" && caller == C::Admin,
    };
    if allowed { good } else { 403 }
}

fn permission(gate: Gate) -> Option<Permission> {
    match gate {
        Gate::Public | Gate::SignedIn | Gate::User => None,
        Gate::UserWith(p)
        | Gate::Admin(p)
        | Gate::OwnOr(p)
        | Gate::Tenant(p)
        | Gate::Member(p)
        | Gate::MemberAdmin(p) => Some(p),
        // That of the channel of the request.
        Gate::Channel => Some(Permission::CallEventsView),
    }
}

/// The users of the matrix.
struct Cast {
    admin: Person,
    other: Person,
    nowhere: Person,
    restricted: Person,
}

async fn token(api: &Api, cast: &Cast, caller: Caller, route: &Route, tenant: Uuid) -> (i64, Option<String>) {
    let past = 1_000_000;
    match caller {
        Caller::NoToken => (cast.admin.id, None),
        Caller::ExpiredToken => (cast.admin.id, Some(api.token(cast.admin.id, &["*"], Some(past)).await)),
        Caller::TokenWithoutAbility => {
            (cast.admin.id, Some(api.token(cast.admin.id, &["nothing"], None).await))
        }
        Caller::OtherTenant => (cast.other.id, Some(api.token(cast.other.id, &["*"], None).await)),
        Caller::NoTenant => (cast.nowhere.id, Some(api.token(cast.nowhere.id, &["*"], None).await)),
        Caller::WithoutPermission => {
            (cast.restricted.id, Some(api.token(cast.restricted.id, &["*"], None).await))
        }
        Caller::WithPermission => {
            let user = api.person(Role::User, Some(tenant)).await;
            let set: PermissionSet = permission(route.gate).into_iter().collect();
            let _granted = api.store.grant(&Actor::default(), user.id, set).await.unwrap();
            (user.id, Some(api.token(user.id, &["*"], None).await))
        }
        Caller::Admin => (cast.admin.id, Some(api.token(cast.admin.id, &["*"], None).await)),
    }
}

async fn send(api: &Api, route: &Route, path: &str, body: Body, token: Option<&str>) -> Answer {
    let mut request = api.client.request(route.method.clone(), api.url(path));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    answer(match body {
        Body::None => request,
        Body::Json(body) => request.json(&body),
        Body::Csv(file) => request.header("content-type", "text/csv").body(file),
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_for_every_caller_in_every_state() {
    let api = Api::new().await;
    let mut cast = Cast {
        admin: api.admin().await,
        other: api.person(Role::User, None).await,
        nowhere: api.person(Role::User, None).await,
        restricted: api.person(Role::User, None).await,
    };
    let elsewhere = api.tenant(&cast.admin, "elsewhere").await;
    cast.other = api.person(Role::User, Some(elsewhere)).await;
    let mut cells = 0;
    let mut wrong = Vec::new();
    for status in ["active", "suspended", "terminated"] {
        for route in routes() {
            let name = format!("m{}", crate::operations::unique());
            // The row is made while the tenant works.
            let fresh = World::new(&api, &cast.admin, &name).await;
            cast.restricted = api.person(Role::User, Some(fresh.tenant)).await;
            let _nothing =
                api.store.grant(&Actor::default(), cast.restricted.id, PermissionSet::default()).await;
            for caller in CALLERS {
                let (user, token) = token(&api, &cast, caller, &route, fresh.tenant).await;
                let request = call(&api, &cast.admin, &fresh, &route, user).await;
                set_status(&api, &cast.admin, &fresh, status).await;
                let got = send(&api, &route, &request.path, request.body, token.as_deref()).await;
                let want = expected(&route, caller, status);
                if got.status.as_u16() != want {
                    wrong.push(format!(
                        "{} {caller:?} {status}: {} instead of {want}: {}",
                        route.id, got.status, got.text
                    ));
                }
                cells += 1;
                if &*route.id == "tenants.delete" && got.status.as_u16() == 204 {
                    continue;
                }
                set_status(&api, &cast.admin, &fresh, "active").await;
            }
        }
    }
    println!("permission matrix: {cells} cells");
    assert_eq!(cells, routes().len() * 8 * 3);
    assert!(wrong.is_empty(), "{} of {cells}:\n{}", wrong.len(), wrong.join("\n"));
}

async fn set_status(api: &Api, admin: &Person, world: &World, status: &str) {
    let one = format!("/tenants/{}", world.tenant);
    api.send(Method::PUT, &one, Some(&admin.token), Some(json!({"status": status}))).await.is(200);
}
