//! Who is shown as the caller.

use super::inert::is_inert;
use super::number::long_digits;
use super::scope::Scope;
use super::walk::Walk;
use crate::model::Extension;
use nizam_core::resource::Record;

fn shown(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty() && is_inert(text))
}

/// Inside the tenant: the extension's name and number, or what is set in their place.
pub(super) fn inside(walk: &mut Walk<'_>, caller: &Extension) {
    let full_name = format!("{} {}", caller.first_name, caller.last_name);
    let name = shown(caller.effective_caller_id_name.as_deref())
        .or_else(|| shown(Some(full_name.trim())))
        .unwrap_or(&caller.number);
    let number = shown(caller.effective_caller_id_number.as_deref()).unwrap_or(&caller.number);
    walk.set_variable("effective_caller_id_name", name);
    walk.set_variable("effective_caller_id_number", number);
}

/// Outside, by the rule of the route; without a route the extension's.
pub(super) fn outside(walk: &mut Walk<'_>, caller: &Extension, route: Option<&Record>) {
    let scope = walk.scope;
    let tenants = shown(scope.text_setting("caller_id_number"));
    let own = match route.map_or("extension", |route| route.text("caller_id")) {
        "tenant" => None,
        "trunk" => route.and_then(|route| shown(Some(route.text("caller_id_number")))),
        _ => shown(caller.outbound_caller_id_number.as_deref()),
    };
    let name = shown(caller.outbound_caller_id_name.as_deref())
        .or_else(|| shown(scope.text_setting("caller_id_name")));
    if let Some(name) = name {
        walk.set_variable("effective_caller_id_name", name);
    }
    let number = own.or(tenants).map_or_else(|| caller.number.clone(), |number| international(scope, number));
    walk.set_variable("effective_caller_id_number", number);
}

/// In E.164 form with `+`, where it is a number of that kind.
fn international(scope: Scope<'_>, number: &str) -> String {
    long_digits(number.as_bytes(), scope.home())
        .map_or_else(|| number.to_owned(), |digits| format!("+{digits}"))
}
