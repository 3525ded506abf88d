//! What can be done next with a row that was made: links from the answer to the operations that take its id.

use serde_json::{Map, Value, json};
use warp::http::Method;

use super::super::route::Route;

/// The links of the answer, by the names of the operations that they lead to.
pub(super) fn links(route: &Route, routes: &[Route]) -> Map<String, Value> {
    if route.method != Method::POST || route.answers.status() != 201 {
        return Map::new();
    }
    let id = match &*route.id {
        "queues.join" => "$request.body#/agent_id",
        "users.create" => "$response.body#/id",
        _ => "$response.body#/data/id",
    };
    let above: Map<String, Value> = parameters(&route.path)
        .map(|name| (name.to_owned(), json!(format!("$request.path.{name}"))))
        .collect();
    routes
        .iter()
        // Calls are not made with what is below which they are.
        .filter(|next| !next.id.starts_with("calls."))
        .filter_map(|next| {
            let name = parameter_below(&route.path, &next.path)?;
            let mut parameters = above.clone();
            parameters.insert(name.to_owned(), json!(id));
            Some((next.id.to_string(), json!({"operationId": &*next.id, "parameters": parameters})))
        })
        .collect()
}

/// The one parameter that a path has beyond that of the collection it is below.
fn parameter_below<'p>(collection: &str, path: &'p str) -> Option<&'p str> {
    let (name, rest) = path.strip_prefix(collection)?.strip_prefix("/{")?.split_once('}')?;
    (!rest.contains('{')).then_some(name)
}

/// The names of the parameters of a path.
pub(super) fn parameters(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

#[cfg(test)]
mod tests {
    use super::super::super::routes::routes;
    use super::*;

    #[test]
    fn every_link_fills_in_the_path_that_it_leads_to() {
        let routes = routes();
        for route in &routes {
            for (name, link) in links(route, &routes) {
                let next = routes.iter().find(|next| *next.id == *name).unwrap();
                let wanted: Vec<&str> = parameters(&next.path).collect();
                let filled = link["parameters"].as_object().unwrap();
                assert_eq!(filled.len(), wanted.len(), "{} to {name}", route.id);
                assert!(wanted.iter().all(|name| filled.contains_key(*name)), "{} to {name}", route.id);
            }
        }
    }

    #[test]
    fn what_is_made_can_be_read_changed_and_deleted() {
        let routes = routes();
        let of = |id: &str| links(routes.iter().find(|route| *route.id == *id).unwrap(), &routes);
        for thing in ["tenants", "users", "extensions", "dids", "webhooks"] {
            let links = of(&format!("{thing}.create"));
            for action in ["show", "update", "delete"] {
                assert!(links.contains_key(&format!("{thing}.{action}")), "{thing}.{action}");
            }
        }
        assert!(of("tenants.create").contains_key("extensions.create"));
        assert_eq!(of("users.create")["users.show"]["parameters"]["user"], "$response.body#/id");
        assert_eq!(of("queues.join")["queues.leave"]["parameters"]["queue"], "$request.path.queue");
        assert!(of("auth.login").is_empty() && of("extensions.bulk").is_empty());
    }
}
