//! Bytes that are no text: halves of surrogate pairs, and what is no UTF-8.

use crate::form::Form;
use crate::site::Site;

/// What stands between the quotes of a JSON text.
const BYTES: [&[u8]; 12] = [
    b"\\ud800",
    b"x\\udfffy",
    b"\\ud800\\ud800",
    b"\\udc00\\ud800",
    b"\\ud83d",
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\x80",
    b"a\xe2\x82",
    b"\\u12",
];

/// None of it is taken, in any form.
pub(crate) async fn refused(site: &Site, forms: &[Form]) {
    for form in forms {
        let Some(leaf) = form.leaves().into_iter().find(|leaf| !leaf.is_key) else { continue };
        let mut body = form.body.clone();
        leaf.put(&mut body, "@@@");
        let text = body.to_string();
        let (before, after) = text.split_once("@@@").unwrap();
        for bytes in BYTES {
            let sent = [before.as_bytes(), bytes, after.as_bytes()].concat();
            let answer = site.raw(form.method.clone(), &form.path, Some(sent)).await;
            assert_eq!(answer.status, 400, "{} {bytes:?}: {answer:?}", form.operation);
        }
    }
}
