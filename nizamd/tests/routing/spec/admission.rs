//! "Admission".

use super::*;

#[test]
fn each_bound_is_counted_once_a_call() {
    let mut model = model();
    assert_eq!(steps(&model, &call("nobody")), ["respond 404"], "without a bound");
    model.tenants[0].max_concurrent_calls = 5;
    model.tenants[0].max_calls_per_minute = 60;
    model.extensions[0].max_channels = 2;
    let admission = [
        "set nizam_admitted=true",
        "set nizam_refused=concurrent_calls",
        "limit hash a.test calls 5 !NORMAL_TEMPORARY_FAILURE",
        "set nizam_refused=calls_per_minute",
        "limit hash a.test rate 60/60 !NORMAL_TEMPORARY_FAILURE",
        "set nizam_refused=extension_channels",
        "limit hash a.test channels-100 2 !NORMAL_TEMPORARY_FAILURE",
        "unset nizam_refused",
    ];
    assert_eq!(steps(&model, &call("nobody")), [&admission[..], &["respond 404"]].concat());
    let stranger = Call { caller: None, ..call("nobody") };
    assert_eq!(steps(&model, &stranger), [&admission[..5], &["unset nizam_refused", "respond 404"]].concat());
    let again = Call { admitted: Some(b"true".to_vec()), ..call("nobody") };
    assert_eq!(steps(&model, &again), ["respond 404"]);
    let dialled = call(&format!("nizam:extension:{}", Uuid::from_u128(0x101)));
    assert_eq!(steps(&model, &dialled)[..8], admission, "counted as any other call");
    assert_eq!(steps(&model, &call("*98")).len(), 3, "a mailbox is asked uncounted");
    model.tenants[0].status = "suspended";
    assert_eq!(steps(&model, &call("101")).len(), 2);
}
