//! Pages of a list, in the envelope that clients know.

use std::borrow::Cow;

use nizam_core::resource::{Field, Kind};
use nizam_core::validate::{Errors, Input};
use nizam_store::{Listed, Page, Query};
use serde::Serialize;
use serde_json::{Value, json};
use warp::http::StatusCode;

use super::reply::Reply;
use super::request::Request;

const PER_PAGE: u64 = 15;
const MOST_PER_PAGE: u64 = 100;

/// The page that is asked for; what is no page is the first.
pub(super) fn page(input: &Input) -> Page {
    page_of(input, PER_PAGE)
}

/// The same for a list of which a page has so many rows unless the request says otherwise.
pub(super) fn page_of(input: &Input, per_page: u64) -> Page {
    let number = |field| input.query_text(field).and_then(|text| text.parse().ok()).filter(|&n| n > 0);
    Page {
        number: number("page").unwrap_or(1),
        size: number("per_page").unwrap_or(per_page).min(MOST_PER_PAGE),
    }
}

/// The part of a list that is asked for: which page of which rows in which order. Fields that are marked for it filter and
/// sort.
pub(super) fn query(input: &Input, fields: &'static [Field]) -> Result<Query, Errors> {
    let mut errors = Errors::default();
    let mut filters = Vec::new();
    for field in fields.iter().filter(|field| field.filter) {
        let Some(text) = input.query_text(field.name) else { continue };
        match wanted(field, text) {
            Ok(value) => filters.push((field, value)),
            Err(message) => errors.push(field.name, message),
        }
    }
    let sort = input.query_text("sort").map(|text| match text.strip_prefix('-') {
        Some(name) => (name, true),
        None => (text, false),
    });
    let sort = match sort {
        None => None,
        Some((name, descending)) => {
            let known = sorts(fields).find(|known| *known == name);
            if known.is_none() {
                errors.push("sort", "The selected sort is invalid.");
            }
            known.map(|known| (known, descending))
        }
    };
    if errors.is_empty() { Ok(Query { page: page(input), filters, sort }) } else { Err(errors) }
}

/// A text that a list is filtered by, and that any text may be.
pub(super) fn text(input: &Input, field: &'static str, errors: &mut Errors) -> Option<String> {
    let text = input.query_text(field)?;
    searchable(field, text).map_err(|message| errors.push(field, message)).ok()?;
    Some(text.to_owned())
}

/// Any text may be looked for, but a database cannot compare every character, and no column is longer.
fn searchable(field: &str, text: &str) -> Result<(), String> {
    let label = field.replace('_', " ");
    if text.chars().any(char::is_control) {
        return Err(format!("The {label} field must not contain control characters."));
    }
    if text.chars().count() > 255 {
        return Err(format!("The {label} field must not be greater than 255 characters."));
    }
    Ok(())
}

/// What a list can be sorted by, with a minus sign before it for the other direction.
pub(super) fn sorts(fields: &'static [Field]) -> impl Iterator<Item = &'static str> {
    let own = fields.iter().filter(|field| field.sort).map(|field| field.name);
    own.chain(["created_at", "updated_at"])
}

/// The value that a filter asks for.
fn wanted(field: &Field, text: &str) -> Result<Value, String> {
    match field.kind {
        Kind::Text(_) => searchable(field.name, text).map(|()| json!(text)),
        Kind::Flag if text == "true" => Ok(json!(true)),
        Kind::Flag if text == "false" => Ok(json!(false)),
        _ => {
            let mut errors = Errors::default();
            let value = field.check(&json!(text), &mut errors);
            if errors.is_empty() { Ok(value) } else { Err(errors.message()) }
        }
    }
}

/// The page with its links, which keep every other parameter of the query.
pub(super) fn reply<'l, T, S: Serialize>(
    request: &Request,
    page: Page,
    listed: &'l Listed<T>,
    present: impl Fn(&'l T) -> S,
) -> Reply {
    let place = Place::of(request, page, listed);
    let links = Ends { first: place.first, last: place.last, next: place.next, prev: place.previous };
    let meta = Meta {
        current_page: page.number,
        from: place.from,
        last_page: place.pages,
        links: place.links,
        path: place.path,
        per_page: page.size,
        to: place.to,
        total: listed.total,
    };
    Reply::json(StatusCode::OK, &Envelope { data: listed.rows.iter().map(present).collect(), links, meta })
}

/// The page in the flat form that some lists have for clients.
pub(super) fn flat<T>(request: &Request, page: Page, listed: &Listed<T>, present: fn(&T) -> Value) -> Reply {
    let place = Place::of(request, page, listed);
    Reply::ok(&json!({
        "current_page": page.number,
        "data": listed.rows.iter().map(present).collect::<Vec<_>>(),
        "first_page_url": place.first,
        "from": place.from,
        "last_page": place.pages,
        "last_page_url": place.last,
        "links": place.links,
        "next_page_url": place.next,
        "path": place.path,
        "per_page": page.size,
        "prev_page_url": place.previous,
        "to": place.to,
        "total": listed.total,
    }))
}

/// Where a page is in its list, and the ways to the others.
struct Place {
    path: String,
    pages: u64,
    first: String,
    last: String,
    previous: Option<String>,
    next: Option<String>,
    from: Option<u64>,
    to: Option<u64>,
    links: Vec<Link>,
}

/// A way to a page, as buttons under a list show it.
#[derive(Serialize)]
struct Link {
    active: bool,
    label: Cow<'static, str>,
    page: Option<u64>,
    url: Option<String>,
}

impl Place {
    fn of<T>(request: &Request, page: Page, listed: &Listed<T>) -> Self {
        let path = request.origin().concat() + &request.path;
        let kept: Vec<&str> = request
            .query
            .split('&')
            .filter(|pair| !pair.is_empty() && pair.split('=').next() != Some("page"))
            .collect();
        let url = |number: u64| {
            let separator = if kept.is_empty() { "" } else { "&" };
            format!("{path}?{}{separator}page={number}", kept.join("&"))
        };
        let pages = listed.total.div_ceil(page.size).max(1);
        let current = page.number;
        let previous = (current > 1).then(|| current - 1);
        let next = (current < pages).then(|| current + 1);
        let link = |label, page: Option<u64>, active| Link { active, label, page, url: page.map(url) };
        let mut links = vec![link("&laquo; Previous".into(), previous, false)];
        links.extend(window(current, pages).into_iter().map(|slot| match slot {
            Some(number) => link(number.to_string().into(), Some(number), number == current),
            None => link("...".into(), None, false),
        }));
        links.push(link("Next &raquo;".into(), next, false));
        let first_row = (current - 1).saturating_mul(page.size).saturating_add(1);
        let rows = listed.rows.len() as u64;
        Self {
            pages,
            first: url(1),
            last: url(pages),
            previous: previous.map(url),
            next: next.map(url),
            from: (rows > 0).then_some(first_row),
            to: (rows > 0).then(|| first_row + rows - 1),
            links,
            path,
        }
    }
}

#[derive(Serialize)]
struct Envelope<S> {
    data: Vec<S>,
    links: Ends,
    meta: Meta,
}

#[derive(Serialize)]
struct Ends {
    first: String,
    last: String,
    next: Option<String>,
    prev: Option<String>,
}

#[derive(Serialize)]
struct Meta {
    current_page: u64,
    from: Option<u64>,
    last_page: u64,
    links: Vec<Link>,
    path: String,
    per_page: u64,
    to: Option<u64>,
    total: u64,
}

/// The page numbers that are shown, `None` for a gap: all of up to 13, else both ends and those around the current one.
fn window(current: u64, last: u64) -> Vec<Option<u64>> {
    let some = |range: std::ops::RangeInclusive<u64>| range.map(Some);
    if last < 14 {
        some(1..=last).collect()
    } else if current <= 7 {
        some(1..=10).chain([None]).chain(some(last - 1..=last)).collect()
    } else if current > last - 7 {
        some(1..=2).chain([None]).chain(some(last - 9..=last)).collect()
    } else {
        some(1..=2)
            .chain([None])
            .chain(some(current - 3..=current + 3))
            .chain([None])
            .chain(some(last - 1..=last))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use warp::http::{HeaderMap, Method};

    fn request(query: &str) -> Request {
        Request {
            method: Method::GET,
            path: "/api/v1/x".into(),
            query: query.into(),
            headers: HeaderMap::new(),
            body: Vec::new(),
            peer: std::net::Ipv4Addr::LOCALHOST.into(),
        }
    }

    fn envelope(query: &str, listed: &Listed<u8>) -> Value {
        let reply = reply(&request(query), asked(query), listed, |n| json!(n));
        serde_json::from_slice(&reply.body).unwrap()
    }

    fn asked(query: &str) -> Page {
        page(&Input::default().with_query(query))
    }

    #[test]
    fn what_is_no_page_is_the_first() {
        for query in ["", "page=0", "page=-1", "page=x", "page[]=2", "page=1e9"] {
            assert_eq!(asked(query), Page { number: 1, size: 15 }, "{query}");
        }
        assert_eq!(asked("page=3&per_page=1000"), Page { number: 3, size: 100 });
    }

    #[test]
    fn links_keep_the_filters() {
        let listed = Listed { rows: vec![1, 2], total: 5 };
        let query = "per_page=2&page=2&q=a%20b";
        let body = envelope(query, &listed);
        assert_eq!(body["links"]["next"], "http://localhost/api/v1/x?per_page=2&q=a%20b&page=3");
        assert_eq!(body["links"]["prev"], "http://localhost/api/v1/x?per_page=2&q=a%20b&page=1");
        assert_eq!(body["meta"]["from"], 3);
        assert_eq!(body["meta"]["to"], 4);
        assert_eq!(body["meta"]["last_page"], 3);
        assert_eq!(body["meta"]["links"].as_array().unwrap().len(), 5);
        assert_eq!(body["meta"]["links"][2]["active"], true);
    }

    #[test]
    fn past_the_end_there_is_nothing() {
        let listed: Listed<u8> = Listed { rows: vec![], total: 5 };
        let query = format!("page={}", u64::MAX);
        let body = envelope(&query, &listed);
        assert_eq!(body["data"], json!([]));
        assert_eq!(body["meta"]["from"], Value::Null);
        assert_eq!(body["links"]["next"], Value::Null);
    }

    #[test]
    fn long_lists_have_gaps() {
        let text = |current, last| {
            let slots = window(current, last).into_iter();
            slots.map(|s| s.map_or("…".into(), |n| n.to_string())).collect::<Vec<String>>().join(" ")
        };
        assert_eq!(text(1, 1), "1");
        assert_eq!(text(1, 20), "1 2 3 4 5 6 7 8 9 10 … 19 20");
        assert_eq!(text(10, 20), "1 2 … 7 8 9 10 11 12 13 … 19 20");
        assert_eq!(text(20, 20), "1 2 … 11 12 13 14 15 16 17 18 19 20");
    }
}
