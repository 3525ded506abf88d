//! Who is shown as the caller.

use super::inert::is_inert;
use super::number::long_digits;
use super::scope::Scope;
use super::walk::Walk;
use crate::model::Extension;
use nizam_core::resource::Record;

/// A text that is not empty.
fn given(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

/// Shows it, if a step may hold it.
fn show(walk: &mut Walk<'_>, name: &str, value: &str) {
    if is_inert(value) {
        walk.set_variable(name, value);
    }
}

/// Inside the tenant: the extension's name and number, or what is set in their place.
pub(super) fn inside(walk: &mut Walk<'_>, caller: &Extension) {
    let full_name = format!("{} {}", caller.first_name, caller.last_name);
    let name = given(caller.effective_caller_id_name.as_deref()).unwrap_or(full_name.trim());
    let number = given(caller.effective_caller_id_number.as_deref()).unwrap_or(&caller.number);
    show(walk, "effective_caller_id_name", name);
    show(walk, "effective_caller_id_number", number);
}

/// Outside, by the rule of the route; without a route the extension's.
pub(super) fn outside(walk: &mut Walk<'_>, caller: &Extension, route: Option<&Record>) {
    let scope = walk.scope;
    let own = match route.map_or("extension", |route| route.text("caller_id")) {
        "tenant" => None,
        "trunk" => route.and_then(|route| given(Some(route.text("caller_id_number")))),
        _ => given(caller.outbound_caller_id_number.as_deref()),
    };
    let names = [given(caller.outbound_caller_id_name.as_deref()), scope.text_setting("caller_id_name")];
    let name = names.into_iter().flatten().find(|name| is_inert(name));
    let number = own.or_else(|| scope.text_setting("caller_id_number"));
    let number = international(scope, number.unwrap_or(&caller.number));
    show(walk, "effective_caller_id_name", name.unwrap_or(&number));
    show(walk, "effective_caller_id_number", &number);
}

/// In E.164 form with `+`, where it is a number of that kind.
fn international(scope: Scope<'_>, number: &str) -> String {
    long_digits(number.as_bytes(), scope.home())
        .map_or_else(|| number.to_owned(), |digits| format!("+{digits}"))
}
