//! Less of a model and a call, as long as something stays as it is.

use crate::call::Call;
use crate::model::Model;
use serde_json::Value;

/// Pairs of fields that may both be null.
const OPTIONAL: &[&str] =
    &["fallback_destination", "match_destination", "no_match_destination", "timeout_destination"];
/// Fields that may be null.
const NULLABLE: &[&str] = &["number", "prepend", "caller_id_number", "music_on_hold", "overflow_destination"];

/// Drops rows, entries of lists, settings and parts of the call one by one for as long as `stays`.
pub(crate) fn shrink(
    mut model: Model,
    mut call: Call,
    stays: impl Fn(&Model, &Call) -> bool,
) -> (Model, Call) {
    loop {
        let mut changed = false;
        let mut at = 0;
        loop {
            let (mut less, mut shorter) = (model.clone(), call.clone());
            match change(&mut less, &mut shorter, at) {
                Change::Made if stays(&less, &shorter) => {
                    (model, call) = (less, shorter);
                    changed = true;
                }
                Change::Made | Change::None => at += 1,
                Change::NoMore => break,
            }
        }
        if !changed {
            return (model, call);
        }
    }
}

enum Change {
    Made,
    /// There is nothing to take away here.
    None,
    NoMore,
}

/// Takes away whatever is at this position; positions count through the rows, then through the call.
fn change(model: &mut Model, call: &mut Call, at: usize) -> Change {
    let mut left = at;
    let removed = remove(&mut model.tenants, &mut left)
        || remove(&mut model.extensions, &mut left)
        || remove(&mut model.memberships, &mut left)
        || model.records_mut().into_iter().any(|rows| remove(rows, &mut left));
    if removed {
        return Change::Made;
    }
    for tenant in &mut model.tenants {
        let names: Vec<String> = tenant.settings.keys().cloned().collect();
        if let Some(name) = names.get(left) {
            tenant.settings.remove(name);
            return Change::Made;
        }
        left -= names.len();
        for bound in [&mut tenant.max_concurrent_calls, &mut tenant.max_calls_per_minute] {
            if reached(&mut left) {
                return made(std::mem::take(bound) != 0);
            }
        }
    }
    for extension in &mut model.extensions {
        let texts = [
            &mut extension.effective_caller_id_name,
            &mut extension.effective_caller_id_number,
            &mut extension.outbound_caller_id_name,
            &mut extension.outbound_caller_id_number,
        ];
        for text in texts {
            if reached(&mut left) {
                return made(text.take().is_some());
            }
        }
        if reached(&mut left) {
            return made(extension.ring_timeout.take().is_some());
        }
    }
    for values in model.records_mut().into_iter().flatten().map(|row| &mut row.values) {
        for name in OPTIONAL {
            if reached(&mut left) {
                let null = |value: &mut Value| !std::mem::take(value).is_null();
                let kind = values.get_mut(&format!("{name}_type")).is_some_and(null);
                return made(values.get_mut(&format!("{name}_id")).is_some_and(null) || kind);
            }
        }
        for name in NULLABLE {
            if reached(&mut left) {
                return made(values.get_mut(*name).is_some_and(|value| !std::mem::take(value).is_null()));
            }
        }
        for list in values.values_mut().filter_map(Value::as_array_mut).filter(|list| list.len() > 1) {
            if remove(list, &mut left) {
                return Change::Made;
            }
        }
    }
    of_call(call, left)
}

fn of_call(call: &mut Call, mut left: usize) -> Change {
    let parts = [
        &mut call.caller_number,
        &mut call.address,
        &mut call.caller,
        &mut call.caller_domain,
        &mut call.gateway,
        &mut call.admitted,
    ];
    for part in parts {
        if reached(&mut left) {
            return made(part.take().is_some());
        }
    }
    let name = call.variables.keys().nth(left).cloned();
    match name {
        Some(name) => made(call.variables.remove(&name).is_some()),
        None => Change::NoMore,
    }
}

fn made(changed: bool) -> Change {
    if changed { Change::Made } else { Change::None }
}

/// Removes the item at the position, if it is in this list.
fn remove<T>(list: &mut Vec<T>, left: &mut usize) -> bool {
    if *left < list.len() {
        list.remove(*left);
        return true;
    }
    *left -= list.len();
    false
}

/// Whether this is the position.
fn reached(left: &mut usize) -> bool {
    let is_it = *left == 0;
    *left = left.wrapping_sub(1);
    is_it
}

#[test]
fn only_what_matters_is_left() {
    let random = crate::random::Random::of(1, 1);
    let model = crate::generate::model(&random);
    let call = crate::generate::call(&random, &model);
    let wanted = model.extensions[1].id;
    let (model, call) = shrink(model, call, |model, _| model.extensions.iter().any(|row| row.id == wanted));
    assert_eq!(model.extensions.len(), 1);
    assert_eq!(model.tenants.len() + model.records().iter().map(|(_, rows)| rows.len()).sum::<usize>(), 0);
    assert!(call.caller.is_none() && call.variables.is_empty());
}
