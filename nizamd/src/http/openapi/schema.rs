//! The schemas of answers.

use nizam_core::resource::{Field, Kind, RESOURCES, Resource};
use nizam_core::validate::Presence;
use serde_json::{Map, Value, json};

/// What is no resource.
const OTHERS: &str = include_str!("schemas.json");

/// Every schema, by its name.
pub(super) fn all() -> Map<String, Value> {
    // The file is a part of the program, and a test reads it.
    let mut schemas: Map<String, Value> = serde_json::from_str(OTHERS).unwrap_or_default();
    for resource in RESOURCES.iter().copied() {
        schemas.insert(resource.model.to_owned(), of(resource));
    }
    schemas
}

/// A row of a resource as answers show it.
fn of(resource: &Resource) -> Value {
    let mut properties = Map::new();
    properties.insert("id".to_owned(), json!({"type": "string", "format": "uuid"}));
    properties.insert("tenant_id".to_owned(), json!({"type": "string", "format": "uuid"}));
    let shown = resource.fields.iter().filter(|field| field.shown);
    properties.extend(shown.map(|field| (field.name.to_owned(), of_field(field))));
    for time in ["created_at", "updated_at"] {
        properties.insert(time.to_owned(), json!({"type": "string", "format": "date-time"}));
    }
    let required: Vec<&String> = properties.keys().collect();
    json!({"type": "object", "required": required, "properties": properties})
}

fn of_field(field: &Field) -> Value {
    let mut schema = match field.kind {
        Kind::Text(_) | Kind::Secret(_) => json!({"type": "string"}),
        Kind::Integer(..) => json!({"type": "integer"}),
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Choice(names) => json!({"type": "string", "enum": names}),
        Kind::Id(_) => json!({"type": "string", "format": "uuid"}),
        Kind::Json(_) => json!({"type": ["array", "object"]}),
        Kind::Time => json!({"type": "string", "format": "date-time"}),
    };
    let presence = field.on_create.or(field.on_update).unwrap_or(Presence::Nullable);
    if presence == Presence::Nullable {
        schema = json!({"anyOf": [schema, {"type": "null"}]});
    }
    if let (false, Some(map)) = (field.about.is_empty(), schema.as_object_mut()) {
        map.insert("description".to_owned(), json!(field.about));
    }
    schema
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_can_be_read() {
        assert!(serde_json::from_str::<Map<String, Value>>(OTHERS).unwrap().len() > 20);
    }
}
