//! The commands that drive this host, one a line; `main.rs` lists them.

use crate::event::{Caller, Event};
use crate::hunt::{self, Whose};
use crate::locate::{self, Question};
use crate::session::Step;
use crate::user::{self, Wanted};
use crate::words::{c_string, c_string_or_null, decode, number};
use crate::{
    console, dispatch, interface, lists, load, log, memory, module, options, sofia as mod_sofia, stack,
    static_xml, xml_parse, xml_write,
};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// What is printed: a line of text, and for some commands what they found.
pub(crate) struct Answer {
    pub(crate) text: String,
    pub(crate) body: Option<Vec<u8>>,
}

pub(crate) type Outcome = Result<Answer, String>;

/// The module that was loaded last, for `cycle`.
static PATH: Mutex<Option<PathBuf>> = Mutex::new(None);

fn said(text: impl Into<String>) -> Answer {
    Answer { text: text.into(), body: None }
}

fn showed(body: Vec<u8>) -> Answer {
    Answer { text: String::new(), body: Some(body) }
}

/// Runs one line on a thread with a small stack, as FreeSWITCH runs what it calls in modules.
pub(crate) fn run(line: &str) -> Outcome {
    let line = line.to_owned();
    stack::run_on_small_stack(move || choose(&line))?
}

fn choose(line: &str) -> Outcome {
    let (name, rest) = line.split_once(' ').unwrap_or((line, ""));
    let words: Vec<&str> = rest.split(' ').filter(|word| !word.is_empty()).collect();
    Ok(match (name, words.as_slice()) {
        ("load", [path]) => load_module(Path::new(path))?,
        ("unload", []) => said(module::unload()?),
        ("leftovers", []) => said(module::leftovers()),
        ("api", [command, ..]) => {
            let argument = rest.trim_start().strip_prefix(command).unwrap_or_default().trim();
            showed(interface::execute(command, argument)?)
        }
        ("complete", _) => complete(rest),
        ("locate", [section, tag, key, value, params @ ..]) => {
            let question = Question {
                section: c_string(section)?,
                tag: c_string_or_null(tag)?,
                key: c_string_or_null(key)?,
                value: c_string_or_null(value)?,
            };
            let params = parameters(params, &Caller::new("mod_commands.c", "xml_locate_function"))?;
            let found = locate::locate(&question, params.as_ref()).ok_or("not found")?;
            showed(xml_write::to_text(found.node))
        }
        ("user", [key, user, domain, params @ ..]) => {
            let mut params = parameters(params, &Caller::new("sofia_reg.c", "sofia_reg_parse_auth"))?;
            let merged =
                user::locate_merged(&wanted(key, user, domain)?, params.as_mut()).ok_or("no such user")?;
            showed(xml_write::to_text(merged.0))
        }
        ("plain-user", [key, user, domain, params @ ..]) => {
            let mut params = parameters(params, &Caller::new("mod_event_socket.c", "parse_command"))?;
            let found =
                user::locate_user(&wanted(key, user, domain)?, key, params.as_mut()).ok_or("no such user")?;
            let group =
                found.group.and_then(|group| group.attr(b"name").map(<[u8]>::to_vec)).unwrap_or_default();
            let body = xml_write::to_text(found.user);
            drop(found.domain);
            Answer { text: format!("group={}", String::from_utf8_lossy(&group)), body: Some(body) }
        }
        ("parse", [document]) => {
            // SAFETY: a fresh C string, given away.
            let tree = unsafe { xml_parse::parse(memory::string(c_string(document)?.to_bytes())) };
            let copy = xml_write::duplicate(tree);
            let text = [tree.error(), copy.error()].map(String::from_utf8_lossy).join("|");
            let body = xml_write::to_text(copy);
            tree.free();
            copy.free();
            Answer { text, body: Some(body) }
        }
        ("dialplan", [context, number, headers @ ..]) => showed(hunt::xml([context, number], headers)?),
        ("hunt", [dialplan, context, number, headers @ ..]) => {
            steps(hunt::interface(Some(dialplan), Whose::Channel, [context, number], headers)?)
        }
        ("execute", [dialplan, context, number, headers @ ..]) => {
            steps(hunt::interface(Some(dialplan), Whose::Execute, [context, number], headers)?)
        }
        ("sofia", words) => sofia(words)?,
        ("walk", words) => walk(words)?,
        ("event", [name, params @ ..]) => fire(name, params)?,
        ("hangups", [times, headers]) => said(load::hangups(number(times)?, number(headers)?)?),
        ("drain", []) => said(format!("delivered={}", dispatch::drain())),
        ("reloadxml", []) => {
            static_xml::load(options::get().conf.as_deref())?;
            dispatch::fire(Event::new("RELOADXML", &Caller::new("switch_xml.c", "__switch_xml_open_root"))?);
            said("reloaded")
        }
        ("log", []) => showed(log::kept().into_iter().flat_map(|line| (line + "\n").into_bytes()).collect()),
        ("log", ["clear"]) => said(format!("cleared={}", log::clear())),
        ("hammer", [threads, seconds, user, domain]) => {
            said(load::hammer(number(threads)?, number(seconds)?, &wanted("id", user, domain)?)?)
        }
        ("lookups", [times, user, domain]) => {
            said(load::lookups(number(times)?, &wanted("id", user, domain)?)?)
        }
        ("cycle", [times, threads, user, domain]) => {
            let path =
                PATH.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or("load the module first")?;
            if module::is_loaded() {
                module::unload()?;
            }
            said(load::cycle(number(times)?, number(threads)?, &path, &wanted("id", user, domain)?)?)
        }
        _ => return Err(format!("no such command, or not with so many words: {line}")),
    })
}

fn load_module(path: &Path) -> Outcome {
    let text = module::load(path)?;
    *PATH.lock().unwrap_or_else(PoisonError::into_inner) = Some(path.to_owned());
    Ok(said(text))
}

fn complete(line: &str) -> Answer {
    let mut matches = console::complete(line);
    if !line.contains(' ') {
        matches.extend(interface::names(line));
    }
    showed(matches.into_iter().flat_map(|word| (word + "\n").into_bytes()).collect())
}

fn wanted(key: &str, user: &str, domain: &str) -> Result<Wanted, String> {
    Ok(Wanted { key: key.to_owned(), user: c_string(user)?, domain: c_string(domain)?, ip: None })
}

/// The parameters of a lookup: `-` for none at all; `@EVENT[,FILE[,FUNCTION]]` for another event or caller than the
/// usual; else headers.
fn parameters(words: &[&str], caller: &Caller) -> Result<Option<Event>, String> {
    if words == ["-"] {
        return Ok(None);
    }
    let (kind, words) = match words.split_first() {
        Some((first, rest)) if first.starts_with('@') => (first.trim_start_matches('@'), rest),
        _ => ("REQUEST_PARAMS", words),
    };
    let mut parts = kind.split(',');
    let name = parts.next().unwrap_or_default();
    let file = parts.next().unwrap_or(&caller.file);
    let function = parts.next().unwrap_or(&caller.function);
    let mut event = Event::new(name, &Caller::new(file, function))?;
    headers(&mut event, words)?;
    Ok(Some(event))
}

pub(crate) fn headers(event: &mut Event, words: &[&str]) -> Result<(), String> {
    for word in words {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(c_string(value)?)),
            None => (*word, None),
        };
        if value.is_none() && !name.ends_with("[]") {
            return Err(format!("{word}: a header is name=value; only an element of name[] may be without"));
        }
        event.add_given(&decode(name), value.as_deref().map(std::ffi::CStr::to_bytes));
    }
    Ok(())
}

fn walk(words: &[&str]) -> Outcome {
    let lines = match words {
        ["gateways", domain] => lists::gateways(&c_string(domain)?, "internal"),
        ["network-list", domain] => lists::network_list(&c_string(domain)?),
        ["group", group, domain] => lists::group(&c_string(group)?, &c_string(domain)?),
        ["directory", domain] => lists::directory(&c_string(domain)?),
        ["users"] => lists::users(None),
        ["users", domain] => lists::users(Some(&c_string(domain)?)),
        ["voicemail", user, domain] => lists::voicemail(&c_string(user)?, &c_string(domain)?),
        _ => Err("walk gateways|network-list|group|directory|users|voicemail …".to_owned()),
    }?;
    Ok(showed(lines.into_iter().flat_map(|line| (line + "\n").into_bytes()).collect()))
}

fn steps(steps: Vec<Step>) -> Answer {
    showed(steps.into_iter().flat_map(|(name, data)| format!("{name} {data}\n").into_bytes()).collect())
}

fn sofia(words: &[&str]) -> Outcome {
    Ok(match words {
        ["start", profile] => said(mod_sofia::start(profile)),
        ["stop"] => said(mod_sofia::stop()),
        ["slow", milliseconds] => said(mod_sofia::slow(number(milliseconds)?)),
        ["gateways"] => said(mod_sofia::gateways().join(" ")),
        ["asked"] => said(mod_sofia::asked().join("; ")),
        _ => return Err("sofia start PROFILE|stop|slow MS|gateways|asked".to_owned()),
    })
}

fn fire(name: &str, words: &[&str]) -> Outcome {
    let mut event = Event::new(name, &Caller::new("standin.c", "event"))?;
    let words = match words.split_first() {
        Some((subclass, rest)) if !subclass.contains('=') && !subclass.ends_with("[]") => {
            if !name.eq_ignore_ascii_case("CUSTOM") {
                return Err("only CUSTOM events have a subclass".to_owned());
            }
            event.set_subclass(&decode(subclass));
            rest
        }
        _ => words,
    };
    headers(&mut event, words)?;
    dispatch::fire(event);
    Ok(said("fired"))
}
