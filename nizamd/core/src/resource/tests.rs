use serde_json::json;

use super::*;
use crate::validate::{Input, describe};

fn input(json: &str) -> Input {
    Input::json(json.as_bytes()).unwrap()
}

fn read(resource: &Resource, json: &str) -> Result<Values, Errors> {
    resource.read(Purpose::Create, &mut Fields::new(&input(json)))
}

const ID: &str = "019ab0c4-5a10-7cc3-9d6c-3f6d2e5b7a01";

#[test]
fn names_of_tables_paths_and_fields_are_different() {
    for (i, resource) in RESOURCES.iter().enumerate() {
        for other in RESOURCES.iter().skip(i + 1) {
            assert_ne!(resource.table, other.table);
            assert_ne!(resource.path, other.path);
            assert_ne!(resource.model, other.model);
        }
        for (i, field) in resource.fields.iter().enumerate() {
            assert!(
                resource.fields.iter().skip(i + 1).all(|other| other.name != field.name),
                "{}",
                field.name
            );
        }
        let (order, _) = resource.order;
        assert!(order == "created_at" || resource.field(order).is_some_and(|field| field.sort), "{order}");
    }
}

/// Documents show the examples, tests send them: each must be a good value.
#[test]
fn every_example_is_a_good_value() {
    for resource in RESOURCES {
        for field in resource.fields {
            if matches!(field.kind, Kind::Time) {
                continue;
            }
            let schema = field.schema();
            let examples = schema["examples"].as_array().or_else(|| schema["enum"].as_array()).unwrap();
            for example in examples {
                let mut errors = Errors::default();
                field.check(example, &mut errors);
                assert!(errors.is_empty(), "{} {}: {errors:?}", resource.model, field.name);
            }
        }
    }
}

#[test]
fn a_resource_describes_what_it_reads() {
    let described = describe(|f| drop(RING_GROUP.read(Purpose::Create, f)));
    let names: Vec<&str> = described.iter().map(|field| field.name).collect();
    let fields: Vec<&str> = RING_GROUP.fields.iter().map(|field| field.name).collect();
    assert_eq!(names, fields);
}

#[test]
fn what_is_missing_is_named_and_defaults_are_filled_in() {
    let errors = read(&RING_GROUP, "{}").unwrap_err();
    assert!(errors.has("name") && errors.has("members"));
    let values = read(&RING_GROUP, &format!(r#"{{"name":"Sales","members":["{ID}"]}}"#)).unwrap();
    assert_eq!(values["strategy"], "simultaneous");
    assert_eq!(values["ring_timeout"], 30);
    assert_eq!(values["is_active"], true);
    assert_eq!(values["fallback_destination_id"], serde_json::Value::Null);
    let errors = read(&DEVICE_PROFILE, "{}").unwrap_err();
    assert!(errors.has("name") && errors.has("vendor"));
}

#[test]
fn a_change_holds_only_what_was_sent() {
    let input = Input::json(br#"{"priority":"5"}"#).unwrap();
    let values = CALL_ROUTING_POLICY.read(Purpose::Update, &mut Fields::new(&input)).unwrap();
    assert_eq!(serde_json::Value::Object(values), json!({"priority": 5}));
}

#[test]
fn a_destination_is_whole_or_not_there() {
    let body = format!(r#"{{"name":"x","members":["{ID}"],"fallback_destination_type":"ivr"}}"#);
    let errors = read(&RING_GROUP, &body).unwrap_err();
    assert_eq!(
        errors.message(),
        "The fallback destination id field is required when fallback destination type is present."
    );
}

#[test]
fn menus_in_both_forms() {
    let list = format!(r#"[{{"digit":1,"destination_type":"extension","destination_id":"{ID}"}}]"#);
    let map = format!(r#"{{"1":{{"type":"extension","id":"{ID}"}}}}"#);
    for options in [list, map] {
        let values = read(&IVR, &format!(r#"{{"name":"Main","options":{options}}}"#)).unwrap();
        let references = IVR.references(&values);
        assert_eq!(references.len(), 1);
        assert_eq!(references[0].target, Target::Extension);
        assert_eq!(references[0].id.to_string(), ID);
    }
    let errors = read(&IVR, r#"{"name":"Main","options":[{"digit":"x","destination_type":"nowhere"}]}"#);
    let errors = errors.unwrap_err();
    for field in ["options.0.digit", "options.0.destination_type", "options.0.destination_id"] {
        assert!(errors.has(field), "{field}: {errors:?}");
    }
}

#[test]
fn what_else_a_menu_has_is_kept_but_for_nul() {
    let body = |more: &str| {
        let option =
            format!(r#"{{"digit":"1","destination_type":"extension","destination_id":"{ID}",{more}}}"#);
        format!(r#"{{"name":"Main","options":[{option}]}}"#)
    };
    let values = read(&IVR, &body(r#""label":["a\nb"]"#)).unwrap();
    assert_eq!(values["options"][0]["label"], json!(["a\nb"]));
    for more in [r#""label":["a\u0000b"]"#, r#""label":{"\u0000":1}"#] {
        assert!(read(&IVR, &body(more)).unwrap_err().has("options"), "{more}");
    }
}

#[test]
fn rules_of_time_are_checked() {
    let body = |rule: &str| format!(r#"{{"name":"Hours","conditions":[{rule}]}}"#);
    let values = read(&TIME_CONDITION, &body(r#"{"wday":"mon-fri","time_from":"22:00","time_to":"06:00"}"#));
    assert_eq!(values.unwrap()["conditions"][0]["wday"], "mon-fri");
    for (rule, field) in [
        (r#"{"wday":"someday"}"#, "conditions.0.wday"),
        (r#"{"time_from":"25:00","time_to":"26:00"}"#, "conditions.0.time_to"),
        (r#"{"time_from":"09:00"}"#, "conditions.0.time_to"),
        (r#"{"holiday_id":"x"}"#, "conditions.0.holiday_id"),
        ("7", "conditions.0"),
    ] {
        assert!(read(&TIME_CONDITION, &body(rule)).unwrap_err().has(field), "{rule}");
    }
}

#[test]
fn policies_and_flows_name_the_field_that_is_wrong() {
    let body = r#"{"name":"p","conditions":[{"type":"moon","params":{"x":1}},{"type":"blacklist"}]}"#;
    let errors = read(&CALL_ROUTING_POLICY, body).unwrap_err();
    assert!(errors.has("conditions.0.type") && errors.has("conditions.1.params"), "{errors:?}");
    let body = r#"{"name":"f","nodes":[{"id":"a","type":"dance","data":[]},{"id":"a","type":"hangup","data":{"x":"${y}"}}]}"#;
    let errors = read(&CALL_FLOW, body).unwrap_err();
    for field in ["nodes.0.type", "nodes.0.data", "nodes.1.id", "nodes.1.data"] {
        assert!(errors.has(field), "{field}: {errors:?}");
    }
}
