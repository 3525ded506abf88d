//! A request, read to its end.

use std::net::IpAddr;

use nizam_core::validate::Input;
use warp::http::{HeaderMap, Method, StatusCode};

use super::failure::Failure;

/// A request, read to its end.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
    pub(super) peer: IpAddr,
}

impl Request {
    /// A header, where it is a text.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// What came after `Bearer`.
    pub(super) fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.header("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }

    /// The named values of body and query. What changes nothing has no body.
    pub(super) fn input(&self, text: bool) -> Result<Input, Failure> {
        let reads = matches!(self.method, Method::GET | Method::HEAD | Method::DELETE);
        if text && !self.body.is_empty() {
            self.is_csv()?;
        }
        let input =
            if reads || text || self.body.is_empty() { Ok(Input::default()) } else { self.parsed_body()? };
        match input {
            Ok(input) => Ok(input.with_query(&self.query)),
            Err(unreadable) => Err(Failure::bad_request(&unreadable.to_string())),
        }
    }

    fn parsed_body(&self) -> Result<Result<Input, nizam_core::validate::Unreadable>, Failure> {
        let kind = self.header("content-type").unwrap_or("application/json");
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if kind == "application/x-www-form-urlencoded" {
            Ok(Input::form(&self.body))
        } else if kind.ends_with("/json") || kind.ends_with("+json") {
            Ok(Input::json(&self.body))
        } else {
            Err(Failure::unsupported_media_type())
        }
    }

    fn is_csv(&self) -> Result<(), Failure> {
        let kind = self.header("content-type").unwrap_or("text/csv");
        let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if kind == "text/csv" {
            Ok(())
        } else {
            let text = "The body must be text/csv.";
            Err(Failure::Answer(StatusCode::UNSUPPORTED_MEDIA_TYPE, text.to_owned()))
        }
    }

    /// `http://host`, as the client sees it, in its parts.
    pub(super) fn origin(&self) -> [&str; 3] {
        let host = self.header("host").filter(|host| {
            !host.is_empty()
                && host.len() <= 255
                && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b))
        });
        let scheme = match self.header("x-forwarded-proto") {
            Some("https") => "https",
            _ => "http",
        };
        [scheme, "://", host.unwrap_or("localhost")]
    }
}
