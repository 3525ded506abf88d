//! Finds the operation of a request.

use std::collections::HashMap;
use std::sync::Arc;

use warp::http::Method;

use super::route::Route;

/// The bases under which every operation is, the longer one first.
const BASES: &[&str] = &["/api/v1", "/api"];

/// Operations that programs look for without a base as well: Prometheus, pusher-js.
const BARE: &[&str] = &["/metrics", "/broadcasting/auth"];

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

/// Every operation, in a tree of the parts of their paths: finding one costs the length of its path, however many there are.
pub(super) struct Router {
    root: Node,
}

/// A part of some paths, and what can follow it.
#[derive(Default)]
struct Node {
    fixed: HashMap<String, Node>,
    parameter: Option<Box<Node>>,
    /// The operations whose path ends here.
    ends: Vec<End>,
}

/// An operation, and which parts of its path are parameters.
struct End {
    route: Route,
    parameters: Vec<(usize, Arc<str>)>,
}

impl Router {
    pub(super) fn new(routes: Vec<Route>) -> Self {
        let mut root = Node::default();
        for route in routes {
            let mut parameters = Vec::new();
            let mut node = &mut root;
            for (place, part) in route.path.trim_start_matches('/').split('/').enumerate() {
                node = match part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                    Some(name) => {
                        parameters.push((place, name.into()));
                        node.parameter.get_or_insert_default()
                    }
                    None => node.fixed.entry(part.to_owned()).or_default(),
                };
            }
            node.ends.push(End { route, parameters });
        }
        Self { root }
    }

    pub(super) fn find(&self, method: &Method, path: &str) -> Found<'_> {
        for base in BASES {
            let below = path.strip_prefix(base).or_else(|| BARE.contains(&path).then_some(path));
            let Some(rest) = below.filter(|rest| rest.starts_with('/')) else { continue };
            let parts: Vec<&str> = rest.trim_start_matches('/').trim_end_matches('/').split('/').collect();
            let Some(node) = self.root.find(&parts) else { continue };
            let Some(end) = node.ends.iter().find(|end| end.route.answers(method)) else {
                let methods = node.ends.iter().flat_map(|end| end.route.methods());
                return Found::OtherMethods(methods.map(str::to_owned).collect());
            };
            let value = |place: &usize| parts.get(*place).copied().map_or_else(String::new, decode);
            let parameters = end.parameters.iter().map(|(place, name)| (Arc::clone(name), value(place)));
            return Found::Operation(&end.route, Parameters(parameters.collect()));
        }
        Found::Nothing
    }
}

impl Node {
    /// Where a path with these parts ends, if an operation has such a path. A fixed part counts before a parameter:
    /// `/tenants/provision` is no tenant.
    fn find(&self, parts: &[&str]) -> Option<&Self> {
        let Some((&part, rest)) = parts.split_first() else {
            return (!self.ends.is_empty()).then_some(self);
        };
        let fixed = self.fixed.get(part).and_then(|node| node.find(rest));
        fixed.or_else(|| self.parameter.as_ref().filter(|_| !part.is_empty())?.find(rest))
    }
}

/// Undoes percent-encoding; what is no UTF-8 can be no id, and is only shown.
fn decode(part: &str) -> String {
    if !part.contains('%') {
        return part.to_owned();
    }
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
        // A fixed part counts, unless the rest does not follow it.
        assert_eq!(found(&Method::GET, "/api/tenants/provision"), "POST");
        assert_eq!(found(&Method::GET, "/api/tenants/provision/extensions"), "extensions.list provision");
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
