//! Finds the operation of a request.

use std::collections::BTreeMap;

use warp::http::Method;

use super::route::Route;

/// The bases under which every operation is, the longer one first.
const BASES: &[&str] = &["/api/v1", "/api"];

/// What a method and a path come to.
pub(super) enum Found<'r> {
    /// An operation, and the parameters of its path.
    Operation(&'r Route, BTreeMap<&'static str, String>),
    /// The path exists, for these methods.
    OtherMethods(Vec<String>),
    /// Nothing.
    Nothing,
}

/// Every operation.
pub(super) struct Router {
    routes: Vec<Route>,
}

impl Router {
    pub(super) fn new(routes: Vec<Route>) -> Self {
        Self { routes }
    }

    pub(super) fn find(&self, method: &Method, path: &str) -> Found<'_> {
        for base in BASES {
            let Some(rest) = path.strip_prefix(base).filter(|rest| rest.starts_with('/')) else { continue };
            let parts: Vec<&str> = rest.trim_start_matches('/').trim_end_matches('/').split('/').collect();
            let matching =
                self.routes.iter().filter_map(|route| Some((route, parameters(route.path, &parts)?)));
            let mut methods = Vec::new();
            for (route, parameters) in matching {
                if route.answers(method) {
                    return Found::Operation(route, parameters);
                }
                methods.extend(route.methods().into_iter().map(str::to_owned));
            }
            if !methods.is_empty() {
                return Found::OtherMethods(methods);
            }
        }
        Found::Nothing
    }
}

/// The parameters, if the parts fit the pattern.
fn parameters(pattern: &'static str, parts: &[&str]) -> Option<BTreeMap<&'static str, String>> {
    let pattern: Vec<&'static str> = pattern.trim_start_matches('/').split('/').collect();
    if pattern.len() != parts.len() {
        return None;
    }
    let mut parameters = BTreeMap::new();
    for (&want, &part) in pattern.iter().zip(parts) {
        match want.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if !part.is_empty() => {
                parameters.insert(name, decode(part));
            }
            None if want == part => {}
            _ => return None,
        }
    }
    Some(parameters)
}

/// Undoes percent-encoding; what is no UTF-8 can be no id, and is only shown.
fn decode(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    loop {
        match rest {
            [] => break,
            [b'%', high, low, after @ ..] => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    bytes.push(high << 4 | low);
                    rest = after;
                    continue;
                }
                _ => bytes.push(b'%'),
            },
            [byte, ..] => bytes.push(*byte),
        }
        rest = rest.get(1..).unwrap_or_default();
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|n| u8::try_from(n).ok())
}

#[cfg(test)]
mod tests {
    use super::super::routes::routes;
    use super::*;

    fn found(method: &Method, path: &str) -> String {
        match Router::new(routes()).find(method, path) {
            Found::Operation(route, parameters) => {
                let values: Vec<String> = parameters.into_values().collect();
                format!("{} {}", route.id, values.join(","))
            }
            Found::OtherMethods(methods) => methods.join(","),
            Found::Nothing => "nothing".into(),
        }
    }

    #[test]
    fn both_bases_and_every_method() {
        for base in ["/api", "/api/v1"] {
            let path = |rest: &str| format!("{base}{rest}");
            assert_eq!(found(&Method::GET, &path("/tenants/a%2Fb/extensions")), "extensions.list a/b");
            assert_eq!(found(&Method::HEAD, &path("/tenants/x/")), "tenants.show x");
            assert_eq!(found(&Method::PATCH, &path("/tenants/x")), "tenants.update x");
            assert_eq!(found(&Method::PATCH, &path("/tenants")), "GET,HEAD,POST");
        }
        for path in [
            "/",
            "/api",
            "/api/",
            "/api/v1/nothing",
            "/apix/health",
            "/api/v1/tenants//extensions",
            "/api/v2/health",
        ] {
            assert_eq!(found(&Method::GET, path), "nothing", "{path}");
        }
        assert_eq!(found(&Method::GET, "/api/tenants/%ff%zz%4"), "tenants.show \u{fffd}%zz%4");
    }

    #[test]
    fn operations_have_different_names() {
        let mut names: Vec<&str> = routes().iter().map(|route| route.id).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
