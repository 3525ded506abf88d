//! Whether every text of every form is tried, by the description that the API gives of itself.

use std::collections::BTreeSet;

use nizamd::http::routes;
use serde_json::Value;

use crate::form::Form;

/// Operations that read the same fields with the same code as the one that makes a row.
fn is_same(operation: &str) -> bool {
    operation.ends_with(".update") && operation != "settings.update"
}

/// Fails if an operation has a text that no form has.
pub(crate) fn of(forms: &[Form]) {
    let mut missing = Vec::new();
    for route in routes().iter().filter(|route| !route.form.is_empty() && !is_same(&route.id)) {
        let mine: Vec<&Form> = forms.iter().filter(|form| form.operation == &*route.id).collect();
        if mine.is_empty() {
            missing.push(route.id.to_string());
            continue;
        }
        let tried: BTreeSet<String> =
            mine.iter().flat_map(|form| form.leaves()).map(|leaf| shape(&leaf.path)).collect();
        for field in &route.form {
            let mut texts = Vec::new();
            collect(&field.schema, field.name, &mut texts);
            missing.extend(
                texts
                    .into_iter()
                    .filter(|text| !tried.contains(text))
                    .map(|text| format!("{} {text}", route.id)),
            );
        }
    }
    missing.sort();
    missing.dedup();
    assert!(missing.is_empty(), "texts that are not tried: {missing:#?}");
}

/// A path without the positions in lists.
fn shape(path: &[String]) -> String {
    let step = |step: &String| {
        if step.parse::<usize>().is_ok_and(|n| n < 100) { "*".to_owned() } else { step.clone() }
    };
    path.iter().map(step).collect::<Vec<_>>().join(".")
}

/// The texts that a schema has. Keys and values of free maps are tried in forms, and are not told by schemas.
fn collect(schema: &Value, path: &str, texts: &mut Vec<String>) {
    let is = |kind: &str| match &schema["type"] {
        Value::String(one) => one == kind,
        Value::Array(kinds) => kinds.iter().any(|one| one == kind),
        _ => false,
    };
    if is("string") {
        texts.push(path.to_owned());
    }
    for list in ["anyOf", "oneOf", "allOf"] {
        for one in schema[list].as_array().into_iter().flatten() {
            collect(one, path, texts);
        }
    }
    if schema["items"].is_object() {
        collect(&schema["items"], &format!("{path}.*"), texts);
    }
    for (name, one) in schema["properties"].as_object().into_iter().flatten() {
        collect(one, &format!("{path}.{name}"), texts);
    }
}
