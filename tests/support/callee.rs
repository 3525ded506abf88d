//! Phones and carriers that wait for calls: a sipp that does the same with each, and writes down what it got.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{process::Process, sipp, transcript, transcript::Message, wait::until};

const SOON: Duration = Duration::from_secs(30);

/// What a callee does with calls.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// Takes them.
    Answer,
    /// Takes them after so many milliseconds.
    AnswerAfter(u32),
    /// Takes them after so many milliseconds, and hangs up a second and a half later.
    Leave(u32),
    /// Takes them after so many milliseconds, and hands each on when it is told to.
    Refer(u32),
    /// Lets it ring.
    Ring,
    /// Refuses them with that status.
    Refuse(u16),
    /// Sends them to that port of 127.0.0.2, by a 302.
    Redirect(u16),
    /// Does not take calls, but registrations of gateways.
    Registrar,
}

/// A running callee.
pub(crate) struct Callee {
    process: Process,
    dir: PathBuf,
    port: u16,
    /// So many calls were looked at.
    seen: usize,
}

impl Callee {
    pub(super) fn start(dir: &Path, port: u16, manner: Manner) -> Self {
        let (scenario, value) = match manner {
            Manner::Answer => ("answer", 0),
            Manner::AnswerAfter(milliseconds) => ("answer", milliseconds),
            Manner::Leave(milliseconds) => ("leave", milliseconds),
            Manner::Refer(milliseconds) => ("refer", milliseconds),
            Manner::Ring => ("ring", 0),
            Manner::Refuse(status) => ("refuse", status.into()),
            Manner::Redirect(port) => ("redirect", port.into()),
            Manner::Registrar => ("registrar", 0),
        };
        fs::create_dir_all(dir).unwrap();
        let text = sipp::scenario(scenario);
        let text =
            ["@RING@", "@STATUS@"].iter().fold(text, |text, name| text.replace(name, &value.to_string()));
        fs::write(dir.join("scenario.xml"), text).unwrap();
        let command = sipp::traced(dir, "127.0.0.1", port);
        let process = Process::start("sipp", command, &dir.join("screen"));
        let mut callee = Self { process, dir: dir.to_owned(), port, seen: 0 };
        until("sipp listens", SOON, || {
            callee.process.assert_alive();
            std::net::UdpSocket::bind(("127.0.0.1", port)).is_err().then_some(())
        });
        callee
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// What went over the wire so far.
    pub(crate) fn messages(&self) -> Vec<Message> {
        transcript::read(&self.dir.join("messages.log"))
    }

    /// The calls so far: the first message of each.
    pub(crate) fn calls(&self) -> Vec<Message> {
        let mut calls: Vec<Message> = Vec::new();
        for message in self.messages().into_iter().filter(|message| !message.sent && message.is("INVITE")) {
            if !calls.iter().any(|call| call.header("Call-ID") == message.header("Call-ID")) {
                calls.push(message);
            }
        }
        calls
    }

    /// Waits for the next call that was not looked at yet.
    #[track_caller]
    pub(crate) fn next_call(&mut self) -> Message {
        let seen = self.seen;
        let call = until("a call comes", SOON, || self.calls().into_iter().nth(seen));
        self.seen += 1;
        call
    }

    /// Waits until a call of it is given up by the other side.
    pub(crate) fn await_cancel(&self, call: &Message) {
        until("the call is given up", SOON, || {
            let messages = self.messages();
            messages
                .iter()
                .any(|message| message.is("CANCEL") && message.header("Call-ID") == call.header("Call-ID"))
                .then_some(())
        });
    }

    /// Hands a call on, to that Refer-To.
    pub(crate) fn hand_on(&self, call: &Message, target: &str) {
        sipp::hand_on(self.port, call.header("Call-ID"), target);
    }

    /// Fails if there is a call that was not looked at.
    #[track_caller]
    pub(crate) fn expect_no_call(&self) {
        let calls = self.calls();
        assert_eq!(calls.len(), self.seen, "{:#?}", calls.get(self.seen..));
    }
}
