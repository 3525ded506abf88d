//! One operation of the document.

use nizam_core::resource::Field;
use nizam_core::validate::{Presence, object_example, object_schema};
use serde_json::{Map, Value, json};
use warp::http::Method;

use super::super::answers::Answers;
use super::super::gate::Gate;
use super::super::paginate;
use super::super::route::{Rate, Route};
use super::links;

/// What is said of an operation, one of these.
pub(super) fn describe(route: &Route, routes: &[Route]) -> Value {
    let mut operation = Map::new();
    let mut put = |key: &str, value: Value| drop(operation.insert(key.to_owned(), value));
    put("operationId", json!(&*route.id));
    put("summary", json!(summary(route)));
    put("tags", json!([tag(route)]));
    put("description", json!(gate(route.gate)));
    let parameters = parameters(route);
    if !parameters.is_empty() {
        put("parameters", Value::Array(parameters));
    }
    if let Some(body) = body(route) {
        put("requestBody", body);
    }
    put("responses", Value::Object(responses(route, routes)));
    if route.gate == Gate::Public {
        put("security", json!([]));
    }
    Value::Object(operation)
}

/// The groups of operations.
pub(super) fn tags(routes: &[Route]) -> Value {
    let mut names: Vec<String> = routes.iter().map(tag).collect();
    names.sort();
    names.dedup();
    json!(names.into_iter().map(|name| json!({"name": name})).collect::<Vec<_>>())
}

/// The parameters in a path.
pub(super) fn path_parameters(path: &str) -> Vec<Value> {
    links::parameters(path)
        .map(|name| {
            let schema = match name {
                "token" | "user" => or_empty(&json!({"type": "integer", "minimum": 1, "maximum": i64::MAX})),
                // A channel may have been given any id.
                "call" => json!({"type": "string", "minLength": 1, "maxLength": 255}),
                _ => json!({"type": "string", "format": "uuid"}),
            };
            json!({"name": name, "in": "path", "required": true, "schema": schema})
        })
        .collect()
}

fn tag(route: &Route) -> String {
    route.id.split('.').next().unwrap_or_default().to_owned()
}

/// `extensions.list` is "List extensions".
pub(super) fn summary(route: &Route) -> String {
    let (thing, action) = route.id.split_once('.').unwrap_or((&route.id, "show"));
    let thing = thing.replace('-', " ");
    let mut action = action.replace(['-', '.'], " ");
    if let Some(first) = action.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    format!("{action} {thing}")
}

/// Who may, for people.
pub(super) fn gate(gate: Gate) -> String {
    match gate {
        Gate::Public => "For everybody.".to_owned(),
        Gate::SignedIn => "For every good token.".to_owned(),
        Gate::User => "For every user, with a token that reads or writes.".to_owned(),
        Gate::UserWith(p) => format!("Needs `{}`.", p.slug()),
        Gate::Admin(p) => format!("For admins, with a token that allows `{}`.", p.slug()),
        Gate::OwnOr(p) => format!("For the user, and for admins with a token that allows `{}`.", p.slug()),
        Gate::Tenant(p) => format!("Needs `{}`, for users of the tenant, in whatever state it is.", p.slug()),
        Gate::Member(p) => {
            format!("Needs `{}`, for users of the tenant, which must be operational.", p.slug())
        }
        Gate::MemberAdmin(p) => {
            format!("For admins, with a token that allows `{}`; the tenant must be operational.", p.slug())
        }
        Gate::Channel => {
            "Needs the permission of the channel, for users of its tenant, which must be operational: \
             `call_events.view` for events and calls, `queues.view` for the contact center."
                .to_owned()
        }
    }
}

fn parameters(route: &Route) -> Vec<Value> {
    let mut all = Vec::new();
    let mut query = |name: &str, schema: Value, about: &str| {
        all.push(json!({"name": name, "in": "query", "schema": schema, "description": about}));
    };
    match route.answers {
        Answers::Page(_, fields) => {
            pages(&mut query);
            if !fields.is_empty() {
                let sorts: Vec<String> =
                    paginate::sorts(fields).flat_map(|name| [name.to_owned(), format!("-{name}")]).collect();
                query(
                    "sort",
                    or_empty(&json!({"type": "string", "enum": sorts})),
                    "The order; `-` before a name turns it round.",
                );
            }
            for field in fields.iter().filter(|field| field.filter) {
                query(field.name, filter(field), "Only rows with this value.");
            }
        }
        Answers::Flat(_) => pages(&mut query),
        _ => {}
    }
    if from_a_place(route) {
        let about =
            "Reads from a place on, without counting: empty for the beginning, then what `next_cursor` says.";
        query("cursor", json!({"type": "string", "pattern": "^([0-9]{1,18}\\.[0-9a-f]{32})?$"}), about);
    }
    own(route, &mut query);
    if route.method == Method::POST && route.gate != Gate::Public {
        all.push(json!({
            "name": "Idempotency-Key", "in": "header",
            "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
            "description": "The same request with the same key is done once in 24 hours, and answered again.",
        }));
    }
    // A token and a membership have no versions.
    let versioned = !matches!(&*route.id, "tokens.delete" | "queues.leave");
    if matches!(route.method, Method::PUT | Method::DELETE) && versioned {
        all.push(json!({
            "name": "If-Match", "in": "header", "schema": {"type": "string", "pattern": "^(\\*|\"[0-9]{1,9}\")$"},
            "description": "The entity tag of the row as it was read: 412 if it has changed since.",
        }));
    }
    all
}

/// What an operation reads from its query besides.
fn own(route: &Route, query: &mut impl FnMut(&str, Value, &str)) {
    match &*route.id {
        "cdrs.list" | "cdrs.export" => {
            let direction = json!({"type": "string", "enum": ["inbound", "outbound", "local"]});
            query("direction", or_empty(&direction), "Only such calls.");
            for name in ["uuid", "hangup_cause", "caller_id_number", "destination_number"] {
                query(name, searched(), "Only rows with this value.");
            }
            query("date_from", or_empty(&day()), "Only calls that began at this time or later.");
            query(
                "date_to",
                or_empty(&day()),
                "Only calls that began until this time; a date is its midnight.",
            );
            query(
                "legs",
                or_empty(&json!({"type": "string", "enum": ["1", "0", "true", "false"]})),
                "Every leg of a call, and not only the first.",
            );
        }
        "call-events.list" => {
            query("call_uuid", searched(), "Only events of this channel.");
            query(
                "event_type",
                searched(),
                "Only such events: `call.answered`. The names of webhooks are understood, too.",
            );
            query("from", or_empty(&day()), "From this time on.");
            query("to", or_empty(&day()), "Until this time.");
        }
        "call-events.stream" | "events.stream" => {
            query("call_uuid", searched(), "Only events of this channel.");
            query(
                "event_types",
                searched(),
                "Only such events, with commas between them; the names of webhooks are understood, too.",
            );
            query(
                "since",
                json!({"anyOf": [{"type": "integer", "minimum": 0, "maximum": i64::MAX}, or_empty(&day())]}),
                "What was stored behind that sequence, or happened since then, comes first; an id of an event means the same as \
                 its sequence. Without it, and without a Last-Event-ID, nothing comes that was there before.",
            );
            query(
                "timeout",
                or_empty(&json!({"type": "integer", "minimum": 0, "maximum": 300})),
                "Seconds that the stream lasts; 0 for what is there already.",
            );
        }
        "users.list" => {
            query(
                "tenant_id",
                or_empty(&json!({"type": "string", "format": "uuid"})),
                "Only users of this tenant.",
            );
        }
        "audit-logs.list" => {
            query(
                "action",
                or_empty(&json!({"type": "string", "enum": ["created", "updated", "deleted"]})),
                "Only such entries.",
            );
            query(
                "auditable_type",
                json!({"type": "string", "pattern": "^[A-Za-z\\\\]*$"}),
                "`Extension` or `App\\Models\\Extension`.",
            );
            query(
                "user_id",
                or_empty(&json!({"type": "integer", "minimum": 1, "maximum": i64::MAX})),
                "Only what this user did.",
            );
            query("from", or_empty(&day()), "From this time on.");
            query("to", or_empty(&day()), "Until this time.");
        }
        "queues.history" => {
            query(
                "period",
                or_empty(&json!({"type": "string", "enum": ["hourly", "daily"]})),
                "Only this period.",
            );
        }
        "device-profiles.show" | "device-profiles.list" => {
            query("include_template", json!({}), "Shows the template, too, whatever the value.");
        }
        _ => {}
    }
}

/// What is no number is no error here: clients rely on that.
fn pages(query: &mut impl FnMut(&str, Value, &str)) {
    let number = |most: u32| json!({"anyOf": [{"type": "integer", "minimum": 1, "maximum": most}, {}]});
    query("page", number(1_000_000), "From 1; what is no page is the first.");
    query("per_page", number(100), "Rows of a page, at most 100; what is no number is left out.");
}

fn filter(field: &Field) -> Value {
    match field.kind {
        nizam_core::resource::Kind::Text(_) => searched(),
        nizam_core::resource::Kind::Flag => {
            or_empty(&json!({"type": "string", "enum": ["true", "false", "1", "0"]}))
        }
        _ => or_empty(&field.schema()),
    }
}

/// What is trimmed (`White_Space` of Unicode), as a class of a regular expression; `\s` is another one in each language.
const BLANK: &str =
    "[\\u0009-\\u000d \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]";

/// A text that rows are looked for by, of at most 255 characters. Blanks around it are no part of it.
fn searched() -> Value {
    let pattern = format!("^{BLANK}*[^\\u0000-\\u001f\\u007f-\\u009f]{{0,255}}{BLANK}*$");
    json!({"type": "string", "pattern": pattern})
}

/// A time is taken as well, see [`super::super::instant`]; a date is what people send.
fn day() -> Value {
    json!({"type": "string", "format": "date"})
}

/// Whether a list can also be read from a place on.
fn from_a_place(route: &Route) -> bool {
    matches!(&*route.id, "cdrs.list" | "call-events.list" | "audit-logs.list")
}

/// A parameter without a value, or with blanks alone, is none.
fn or_empty(schema: &Value) -> Value {
    json!({"anyOf": [schema, {"type": "string", "pattern": format!("^{BLANK}*$")}]})
}

fn body(route: &Route) -> Option<Value> {
    if route.text {
        let text = json!({"type": "string", "description": "A line of field names, then a line for each row (RFC 4180)."});
        return Some(json!({"required": true, "content": {"text/csv": {"schema": text}}}));
    }
    if route.form.is_empty() {
        return None;
    }
    let mut schema = object_schema(&route.form);
    let settings = &*route.id == "settings.update";
    if let (true, Some(map)) = (settings, schema.as_object_mut()) {
        // The settings may be the whole body; there must be some.
        map.insert("minProperties".to_owned(), json!(1));
    }
    let required = settings || route.form.iter().any(|field| field.presence == Presence::Required);
    if !required {
        // PHP's empty map, and nothing.
        schema = json!({"anyOf": [schema, {"type": "array", "maxItems": 0}, {"type": "null"}]});
    }
    let example = object_example(&route.form);
    Some(
        json!({"required": required, "content": {"application/json": {"schema": schema, "example": example}}}),
    )
}

fn responses(route: &Route, routes: &[Route]) -> Map<String, Value> {
    let mut all = Map::new();
    let mut done = success(route);
    let links = links::links(route, routes);
    if let (false, Some(map)) = (links.is_empty(), done.as_object_mut()) {
        map.insert("links".to_owned(), Value::Object(links));
    }
    all.insert(route.answers.status().to_string(), done);
    let mut error = |status: u16, about: &str| {
        let schema = if status == 422 { "Invalid" } else { "Problem" };
        let schema = json!({"$ref": format!("#/components/schemas/{schema}")});
        let answer = json!({"description": about, "content": {"application/json": {"schema": schema}}});
        all.insert(status.to_string(), answer);
    };
    error(400, "The body or a header cannot be read.");
    if route.gate != Gate::Public {
        error(401, "No good token.");
        error(403, "The token, the user or the state of the tenant does not allow it.");
    }
    if &*route.id == "auth.login" {
        error(401, "Wrong credentials.");
    }
    if &*route.id == "auth.register" {
        error(403, "Registration is closed.");
    }
    if route.path.contains('{') {
        error(404, "There is no such row.");
    }
    if route.method == Method::POST && route.gate != Gate::Public {
        error(409, "A request with this Idempotency-Key is under way, or its answer is lost.");
    }
    // A token and a membership have no versions.
    let versioned = !matches!(&*route.id, "tokens.delete" | "queues.leave");
    if matches!(route.method, Method::PUT | Method::DELETE) && versioned {
        error(412, "The row has changed since.");
    }
    error(413, "The body is too large.");
    error(415, "The body is of another type.");
    error(422, "A field is wrong, or a quota is used up.");
    if route.rate != Rate::Free {
        error(429, "Too many requests; `Retry-After` says when to try again.");
    }
    if &*route.id == "health" {
        let schema = json!({"$ref": "#/components/schemas/Health"});
        let answer = json!({"description": "Something does not work.", "content": {"application/json": {"schema": schema}}});
        all.insert("503".to_owned(), answer);
    } else {
        error(503, "The database does not answer; `Retry-After` says when to try again.");
    }
    all
}

fn success(route: &Route) -> Value {
    let schema = match route.answers {
        Answers::Data(name) | Answers::Created(name) => json!({
            "type": "object", "required": ["data"],
            "properties": {
                "data": reference(name),
                "warnings": {"type": "array", "items": {"$ref": "#/components/schemas/Warning"}},
            },
        }),
        Answers::Page(name, _) if from_a_place(route) => json!({
            "type": "object", "required": ["data"],
            "properties": {
                "data": {"type": "array", "items": reference(name)},
                "links": {"type": "object"}, "meta": {"type": "object"},
                "per_page": {"type": "integer"}, "next_cursor": {"type": ["string", "null"]},
            },
        }),
        Answers::Page(name, _) => json!({
            "type": "object", "required": ["data", "links", "meta"],
            "properties": {
                "data": {"type": "array", "items": reference(name)},
                "links": {"type": "object"}, "meta": {"type": "object"},
            },
        }),
        Answers::Flat(name) => json!({
            "type": "object", "required": ["data", "per_page"],
            "properties": {
                "data": {"type": "array", "items": reference(name)},
                "total": {"type": "integer"}, "per_page": {"type": "integer"}, "current_page": {"type": "integer"},
                "next_cursor": {"type": ["string", "null"]},
            },
        }),
        Answers::Bare(name) | Answers::CreatedBare(name) => reference(name),
        Answers::Text(kind) => {
            let kind = kind.split(';').next().unwrap_or(kind);
            if kind == "text/event-stream" {
                // Of one event; a stream is any number of them.
                let text = json!({"type": "string"});
                let event = json!({
                    "type": "object", "required": ["event", "data"],
                    "properties": {"id": &text, "event": &text, "data": &text},
                });
                return json!({"description": "Done.", "content": {kind: {"schema": event}}});
            }
            return json!({"description": "Done.", "content": {kind: {"schema": {"type": "string"}}}});
        }
        Answers::Nothing => return json!({"description": "Done."}),
    };
    json!({"description": "Done.", "content": {"application/json": {"schema": schema}}})
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}
