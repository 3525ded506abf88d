//! Finds the operation of a request.

use std::sync::Arc;

use warp::http::Method;

use super::route::Route;

/// The bases under which every operation is, the longer one first.
const BASES: &[&str] = &["/api/v1", "/api"];

/// What a method and a path come to.
pub(super) enum Found<'r> {
    /// An operation, and the parameters of its path.
    Operation(&'r Route, Parameters),
    /// The path exists, for these methods.
    OtherMethods(Vec<String>),
    /// Nothing.
    Nothing,
}

/// The parameters of a path, decoded.
#[derive(Debug, Default)]
pub(super) struct Parameters(Vec<(Arc<str>, String)>);

impl Parameters {
    /// The parameter with that name; empty if there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| **known == *name).map_or("", |(_, value)| value)
    }
}

/// Every operation, by the number of parts of its path.
pub(super) struct Router {
    routes: Vec<Vec<(Vec<Part>, Route)>>,
}

/// A part of a path.
enum Part {
    Fixed(String),
    Parameter(Arc<str>),
}

impl Router {
    pub(super) fn new(routes: Vec<Route>) -> Self {
        let mut this = Self { routes: Vec::new() };
        for route in routes {
            let pattern = parts(&route.path);
            let length = pattern.len();
            if this.routes.len() <= length {
                this.routes.resize_with(length + 1, Vec::new);
            }
            if let Some(same_length) = this.routes.get_mut(length) {
                same_length.push((pattern, route));
            }
        }
        this
    }

    pub(super) fn find(&self, method: &Method, path: &str) -> Found<'_> {
        for base in BASES {
            let Some(rest) = path.strip_prefix(base).filter(|rest| rest.starts_with('/')) else { continue };
            let parts: Vec<&str> = rest.trim_start_matches('/').trim_end_matches('/').split('/').collect();
            let same_length = self.routes.get(parts.len()).into_iter().flatten();
            let mut matching: Vec<(&Route, Parameters)> =
                same_length.filter_map(|(pattern, route)| Some((route, matched(pattern, &parts)?))).collect();
            // A fixed part counts before a parameter: `/tenants/provision` is no tenant.
            let fewest = matching.iter().map(|(_, parameters)| parameters.0.len()).min().unwrap_or(0);
            matching.retain(|(_, parameters)| parameters.0.len() == fewest);
            if let Some(at) = matching.iter().position(|(route, _)| route.answers(method)) {
                let (route, parameters) = matching.swap_remove(at);
                return Found::Operation(route, parameters);
            }
            if !matching.is_empty() {
                let methods = matching.iter().flat_map(|(route, _)| route.methods());
                return Found::OtherMethods(methods.map(str::to_owned).collect());
            }
        }
        Found::Nothing
    }
}

fn parts(path: &str) -> Vec<Part> {
    let part = |part: &str| match part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
        Some(name) => Part::Parameter(name.into()),
        None => Part::Fixed(part.to_owned()),
    };
    path.trim_start_matches('/').split('/').map(part).collect()
}

/// The parameters, if the parts fit the pattern.
fn matched(pattern: &[Part], parts: &[&str]) -> Option<Parameters> {
    let mut parameters = Parameters::default();
    for (want, &part) in pattern.iter().zip(parts) {
        match want {
            Part::Parameter(name) if !part.is_empty() => parameters.0.push((Arc::clone(name), decode(part))),
            Part::Fixed(fixed) if fixed == part => {}
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
                let values: Vec<String> = parameters.0.into_iter().map(|(_, value)| value).collect();
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
        let routes = routes();
        let mut names: Vec<&str> = routes.iter().map(|route| &*route.id).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
