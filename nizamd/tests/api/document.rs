//! docs/api.md: the reference at its end is what the table of operations and the forms say. `NIZAM_UPDATE=1` writes it anew.

use std::fmt::Write as _;
use std::path::Path;

use nizam_core::validate::{Described, Presence};
use nizamd::http::{Answers, Rate, Route, document, routes};
use serde_json::{Map, Value};

const MARK: &str =
    "<!-- From here on the file is generated: NIZAM_UPDATE=1 cargo test -p nizamd --test api document -->\n";

#[test]
fn the_reference_is_what_the_program_does() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/api.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (written, found) = text.split_once(MARK).expect("docs/api.md has the mark");
    let wanted = reference();
    if std::env::var_os("NIZAM_UPDATE").is_some() {
        std::fs::write(&path, format!("{written}{MARK}{wanted}")).unwrap();
        return;
    }
    assert!(found == wanted, "docs/api.md is not what the program does: run the command that its mark names");
}

fn reference() -> String {
    let document = document();
    let routes = routes();
    let mut groups: Vec<&str> = Vec::new();
    for route in &routes {
        let group = route.id.split('.').next().unwrap();
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    let mut text = String::from("\n## Reference\n");
    for group in groups {
        let _ = write!(text, "\n### {group}\n\n| method | path | operation | |\n|---|---|---|---|\n");
        let of_group: Vec<&Route> =
            routes.iter().filter(|route| route.id.split('.').next() == Some(group)).collect();
        for route in &of_group {
            let method = route.method.as_str().to_ascii_lowercase();
            let who = document["paths"][&route.path][&method]["description"].as_str().unwrap();
            let rate = match route.rate {
                Rate::Free => " Not limited.",
                Rate::Login => " Limited with logins.",
                Rate::Api => "",
            };
            let _ = writeln!(text, "| {} | `{}` | `{}` | {who}{rate} |", route.method, route.path, route.id);
        }
        for route in &of_group {
            lists(&mut text, route);
        }
        for route in &of_group {
            fields(&mut text, route, &of_group);
        }
        example(&mut text, &of_group);
    }
    text
}

/// Filters and orders of a list.
fn lists(text: &mut String, route: &Route) {
    let Answers::Page(_, fields) = route.answers else { return };
    let filters: Vec<String> =
        fields.iter().filter(|field| field.filter).map(|field| format!("`{}`", field.name)).collect();
    let sorts: Vec<String> =
        fields.iter().filter(|field| field.sort).map(|field| format!("`{}`", field.name)).collect();
    if !filters.is_empty() {
        let _ = write!(text, "\n`{}` filters by {}", route.id, filters.join(", "));
        let sorts = if sorts.is_empty() { String::new() } else { format!("{}, ", sorts.join(", ")) };
        let _ = writeln!(text, ", and sorts by {sorts}`created_at`, `updated_at`.");
    }
}

/// The fields of an operation; a change with the fields of the creation is told in a line.
fn fields(text: &mut String, route: &Route, group: &[&Route]) {
    if route.form.is_empty() {
        return;
    }
    let create = group.iter().find(|other| other.id.ends_with(".create"));
    if let (true, Some(create)) = (route.id.ends_with(".update"), create) {
        let required = |route: &Route| names(&route.form, Presence::Required);
        let (here, there) = (required(route), required(create));
        let fixed: Vec<&str> = create
            .form
            .iter()
            .map(|field| field.name)
            .filter(|name| route.form.iter().all(|field| field.name != *name))
            .collect();
        let _ = write!(text, "\n`{}` takes the same fields", route.id);
        let _ = match here.as_slice() {
            [] => write!(text, ", none of them required"),
            same if same == there => Ok(()),
            some => write!(text, ", of which {} are required", quoted(some)),
        };
        if !fixed.is_empty() {
            let _ = write!(text, "; {} cannot be changed", quoted(&fixed));
        }
        let _ = writeln!(text, ". What is left out stays as it is.");
        return;
    }
    let _ = write!(text, "\n`{}`:\n\n| field | | value |\n|---|---|---|\n", route.id);
    for field in &route.form {
        let presence = match field.presence {
            Presence::Required => "required",
            Presence::Optional => "",
            Presence::Nullable => "or null",
        };
        let _ = writeln!(text, "| `{}` | {presence} | {} |", field.name, value(&field.schema));
    }
}

fn names(form: &[Described], presence: Presence) -> Vec<&'static str> {
    form.iter().filter(|field| field.presence == presence).map(|field| field.name).collect()
}

fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// What a value may be, in words.
fn value(schema: &Value) -> String {
    let about = schema["description"].as_str().map(|about| format!("{about} ")).unwrap_or_default();
    let example =
        schema["examples"].get(0).map(|example| format!(", such as `{example}`")).unwrap_or_default();
    let kind = if let Some(names) = schema["enum"].as_array() {
        if names.contains(&Value::Bool(true)) {
            return format!("{about}true or false");
        }
        let names: Vec<String> = names.iter().map(|name| format!("`{}`", name.as_str().unwrap())).collect();
        return format!("{about}{}", names.join(", "));
    } else if schema["type"] == "integer" {
        return format!("{about}{} to {}", schema["minimum"], schema["maximum"]);
    } else if schema["format"] == "uuid" {
        return format!("{about}a UUID");
    } else if schema["type"] == "string" {
        match (schema["minLength"].as_u64(), schema["maxLength"].as_u64()) {
            _ if schema["$comment"].is_string() => schema["$comment"].as_str().unwrap().to_owned(),
            (Some(least), Some(most)) if least > 1 => format!("{least} to {most} characters"),
            (_, Some(most)) => format!("at most {most} characters"),
            _ => "a text".to_owned(),
        }
    } else if schema["type"] == "array" {
        format!("a list of at most {}", schema["maxItems"])
    } else {
        "a list or a map".to_owned()
    };
    // A table has bars between its cells.
    format!("{about}{kind}{example}").replace('|', "\\|")
}

/// A request that makes a row, or the first one with a body.
fn example(text: &mut String, group: &[&Route]) {
    let create = group.iter().find(|route| route.id.ends_with(".create") && !route.form.is_empty());
    let Some(route) = create.or_else(|| group.iter().find(|route| !route.form.is_empty())) else { return };
    let body: Map<String, Value> = route
        .form
        .iter()
        .filter(|field| field.presence == Presence::Required)
        .filter_map(|field| Some((field.name.to_owned(), field.example()?.clone())))
        .collect();
    let path = route.path.replace("{tenant}", "$ID").replace('{', "$").replace('}', "");
    let _ = write!(
        text,
        "\n```\n$ curl -s -X {} -H \"$H\" -H \"$J\" $A{path} \\\n    -d '{}'\n```\n",
        route.method,
        Value::Object(body)
    );
}
