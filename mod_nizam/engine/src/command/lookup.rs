//! `nizam lookup …`: the answers that FreeSWITCH would get.

use crate::{DialplanQuestion, DirectoryAnswer, DirectoryQuestion, Engine};

/// Params whose values are not printed.
const SECRETS: [&str; 3] = ["password", "vm-password", "reverse-auth-pass"];

pub(super) fn directory(engine: &Engine, address: &str) -> String {
    let Some((user, domain)) =
        address.rsplit_once('@').filter(|(user, domain)| !user.is_empty() && !domain.is_empty())
    else {
        return format!("-ERR not of the form USER@DOMAIN: {address}\n");
    };
    let question = DirectoryQuestion::user(user.as_bytes(), domain.as_bytes());
    let mut document = Vec::new();
    let said = match engine.directory(&question, &mut document) {
        DirectoryAnswer::Found | DirectoryAnswer::List(_) => "+OK found",
        DirectoryAnswer::Unknown => "+OK no such user",
        DirectoryAnswer::Refused => {
            "-ERR the record holds a value that FreeSWITCH would bend; answered as unknown"
        }
        DirectoryAnswer::NotOurs => "+OK not one of ours: FreeSWITCH asks its other sources",
    };
    let generation = engine.live.load().generation();
    format!("{said} (generation {generation})\n{}\n", without_secrets(&String::from_utf8_lossy(&document)))
}

pub(super) fn dialplan(engine: &Engine, context: &str, number: &str, caller: Option<&str>) -> String {
    let question = DialplanQuestion {
        context: Some(context.as_bytes()),
        number: Some(number.as_bytes()),
        caller: caller.map(str::as_bytes),
        caller_domain: caller.map(|_| context.as_bytes()),
        ..DialplanQuestion::default()
    };
    let Some(route) = engine.dialplan(&question) else {
        return "+OK not one of ours: FreeSWITCH asks its other sources\n".to_owned();
    };
    let mut text = ["+OK ", route.outcome.name(), "\n"].concat();
    for action in route.actions() {
        text.push_str(&[action.application, " ", action.data].concat());
        text.push('\n');
    }
    text
}

/// The document with the values of secret params struck out.
fn without_secrets(document: &str) -> String {
    let mut text = document.to_owned();
    for name in SECRETS {
        let start = format!("name=\"{name}\" value=\"");
        if let Some((before, rest)) = text.split_once(&start)
            && let Some((_, after)) = rest.split_once('"')
        {
            text = [before, &start, "***\"", after].concat();
        }
    }
    text
}
