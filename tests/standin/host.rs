//! `nizam-standin`: enough of FreeSWITCH to run `mod_nizam.so` on a machine that has none.
//!
//! It exports the `switch_*` functions that the module calls, opens the module as FreeSWITCH does, and asks it what
//! FreeSWITCH and its modules would ask. Whatever calls into the module runs on a thread with a stack of 240 KiB.
//!
//! ```text
//! nizam-standin [--conf DIR]           DIR/*.conf.xml, DIR/directory.xml, DIR/dialplan.xml: the static XML
//!               [--release R]          whose event numbers to have: 1.10.0, 1.10.12 (default), 1.11.2
//!               [--name SWITCHNAME]    default "standin"
//!               [--event-threads N]    default 1
//!               [--event-queue N]      default 20000
//!               [--var NAME=VALUE]...  global variables
//! ```
//!
//! # Commands
//!
//! One a line on stdin. Words are separated by blanks and may be percent-encoded, so that any byte but null can be
//! sent. The answer is one line on stdout: `-ERR TEXT`, `+OK TEXT`, or `+BODY LENGTH TEXT`, which is followed by LENGTH
//! bytes and a line end. The log goes to stderr. The end of stdin is `quit`.
//!
//! ```text
//! load PATH                              open a module and run its load function
//! unload                                 withdraw its interfaces and run its shutdown function
//! leftovers                              how much is bound; all zero after a clean unload
//! api COMMAND [ARGS]                     run a command (ARGS are passed as they are)
//! complete LINE                          what could replace the last word of LINE
//! locate SECTION TAG KEY VALUE [PARAMS]  any lookup; "-" for a null pointer
//! user KEY USER DOMAIN [PARAMS]          switch_xml_locate_user_merged; KEY may be "id:number-alias"
//! plain-user KEY USER DOMAIN [PARAMS]    switch_xml_locate_user, not merged
//! dialplan CONTEXT NUMBER [HEADERS]      the context that a call would run in mod_dialplan_xml
//! hunt DIALPLAN CONTEXT NUMBER [HEADERS]     the steps of a call in a dialplan of the module; HEADERS as above, where
//!                                        Hunt-… are fields of the profile and variable_… those of the channel
//! execute DIALPLAN CONTEXT NUMBER [HEADERS]  the same, as execute_extension hunts
//! sofia start PROFILE|stop               mod_sofia comes up, or goes
//! sofia slow MS                          its scans take so long
//! sofia gateways|asked                   the gateways that it has; what its command was asked
//! parse DOCUMENT                         parse, write, parse again; the errors of both, and the result
//! walk gateways DOMAIN|all               lists, read as those do who ask for them
//! walk network-list|directory DOMAIN
//! walk group GROUP DOMAIN
//! walk users [DOMAIN]
//! walk voicemail USER|_all_ DOMAIN
//! event NAME [SUBCLASS] [HEADERS]        fire an event
//! hangups N HEADERS                      how long the callbacks take for N CHANNEL_HANGUP_COMPLETE with so many headers
//! drain                                  wait until all events were delivered
//! reloadxml                              read the static XML again and tell everybody
//! log [clear]                            the lines logged so far
//! hammer THREADS SECONDS USER DOMAIN     lookups from many threads
//! lookups N USER DOMAIN                  N lookups on one thread
//! cycle N THREADS USER DOMAIN            load and unload the module loaded last N times under lookups and events
//! quit
//!
//! PARAMS   nothing | "-" for no event at all | [@EVENT[,FILE[,FUNCTION]]] HEADERS
//! HEADERS  name=value...; name[]=value adds to a list, name[] alone adds a null element
//! ```
//!
//! `wrong` in a report counts users that were not asked for, `errors` answers that were no XML, `lost` lookups that
//! found nobody although the module was loaded from their beginning to their end.

#![expect(
    clippy::multiple_unsafe_ops_per_block,
    reason = "one promise of the caller often covers all strings of a call, or all fields of a struct"
)]

mod command;
mod console;
mod dispatch;
mod event;
mod event_name;
mod hangup;
mod header;
mod hunt;
mod identity;
mod interface;
mod lists;
mod load;
mod locate;
mod lock;
mod log;
mod memory;
mod module;
mod options;
mod session;
mod sofia;
mod stack;
mod static_xml;
mod stream;
mod user;
mod words;
mod xml_attributes;
mod xml_calls;
mod xml_entities;
mod xml_parse;
mod xml_tree;
mod xml_write;

use std::io::{self, BufRead, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nizam-standin: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> Result<(), String> {
    options::read(std::env::args().skip(1))?;
    static_xml::load(options::get().conf.as_deref())?;
    let dispatch = dispatch::start()?;
    let mut input = io::stdin().lock();
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = input.read_until(b'\n', &mut line).map_err(|error| format!("stdin: {error}"))?;
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end_matches(['\n', '\r']);
        if length == 0 || text == "quit" {
            break;
        }
        if !text.is_empty() {
            print(command::run(text)).map_err(|error| format!("stdout: {error}"))?;
        }
    }
    if module::is_loaded() {
        let outcome = stack::run_on_small_stack(module::unload)?;
        log::line(log::INFO, &outcome.unwrap_or_else(|error| error));
    }
    dispatch.stop()?;
    static_xml::unload();
    Ok(())
}

fn print(outcome: command::Outcome) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match outcome {
        Ok(command::Answer { text, body: None }) => writeln!(out, "+OK {text}")?,
        Ok(command::Answer { text, body: Some(body) }) => {
            writeln!(out, "+BODY {} {text}", body.len())?;
            out.write_all(&body)?;
            writeln!(out)?;
        }
        Err(error) => writeln!(out, "-ERR {}", error.replace('\n', " "))?,
    }
    out.flush()
}
