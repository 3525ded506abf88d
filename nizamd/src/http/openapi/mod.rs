//! The OpenAPI 3.1 document, made from the table of operations: what it says of an operation is what the operation does.

mod links;
mod operation;
mod schema;

use serde_json::{Map, Value, json};
use warp::http::Method;

use super::route::Route;
use super::routes::routes;

/// The document of every operation.
pub fn document() -> Value {
    document_of(&routes())
}

fn document_of(routes: &[Route]) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in routes {
        let entry = paths.entry(route.path.clone()).or_insert_with(|| json!({}));
        let Some(methods) = entry.as_object_mut() else { continue };
        let parameters = operation::path_parameters(&route.path);
        if !parameters.is_empty() {
            methods.insert("parameters".to_owned(), Value::Array(parameters));
        }
        let described = operation::describe(route, routes);
        if route.method == Method::PUT {
            let mut same = described.clone();
            if let Some(map) = same.as_object_mut() {
                map.insert("operationId".to_owned(), json!(format!("{}.patch", route.id)));
            }
            methods.insert("patch".to_owned(), same);
        }
        methods.insert(route.method.as_str().to_ascii_lowercase(), described);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "NIZAM",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The REST API of nizamd. PATCH stands for PUT, HEAD for GET; `/api` is another name of `/api/v1`. \
                Blanks at the ends of a text that is no password are cut off before it is looked at: schemas say what must be left.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "tags": operation::tags(routes),
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": schema::all(),
        },
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every `$ref` in a value.
    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                for (key, value) in map {
                    match (key.as_str(), value) {
                        ("$ref", Value::String(name)) => drop(found.insert(name.clone())),
                        _ => references(value, found),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn every_schema_is_there_and_used() {
        let document = document();
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        let schemas: BTreeSet<String> = document["components"]["schemas"]
            .as_object()
            .unwrap()
            .keys()
            .map(|name| format!("#/components/schemas/{name}"))
            .collect();
        assert_eq!(found, schemas);
    }

    #[test]
    fn every_operation_is_described() {
        let routes = routes();
        let document = document_of(&routes);
        for route in &routes {
            let method = route.method.as_str().to_ascii_lowercase();
            let described = &document["paths"][&route.path][&method];
            assert_eq!(described["operationId"], &*route.id);
            assert!(described["responses"].get(route.answers.status().to_string()).is_some(), "{}", route.id);
            assert!(described["summary"].as_str().is_some_and(|text| text.len() > 3), "{}", route.id);
        }
    }
}
