//! A call that a sipp makes, and what became of it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{
    caller::Caller,
    events::{Event, Events},
    process::Process,
    sipp, transcript,
    transcript::Message,
    wait::until,
};

/// Longer than any call of the suites.
const LONG: Duration = Duration::from_mins(1);

/// A call on its way.
pub(crate) struct Call {
    process: Process,
    dir: PathBuf,
    id: String,
    port: u16,
}

impl Call {
    /// Dials `number` at the switch's SIP port `remote`, from the port `local`.
    pub(super) fn start(
        dir: &Path,
        id: String,
        remote: u16,
        local: u16,
        caller: &Caller,
        number: &str,
    ) -> Self {
        fs::create_dir_all(dir).unwrap();
        fs::write(dir.join("scenario.xml"), caller.script()).unwrap();
        fs::write(dir.join("who.csv"), format!("SEQUENTIAL\n{}", caller.line(number))).unwrap();
        let mut command = sipp::traced(dir, &caller.address, local);
        command.arg(format!("127.0.0.1:{remote}"));
        command.args(["-inf", "who.csv", "-m", "1", "-timeout", "60s", "-cid_str", &id]);
        Self {
            process: Process::start("sipp", command, &dir.join("screen")),
            dir: dir.to_owned(),
            id,
            port: local,
        }
    }

    /// Its SIP Call-ID.
    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// Hands it on, to that Refer-To.
    pub(crate) fn hand_on(&self, target: &str) {
        sipp::hand_on(self.port, &self.id, target);
    }

    /// What went over the wire so far.
    pub(crate) fn messages(&self) -> Vec<Message> {
        transcript::read(&self.dir.join("messages.log"))
    }

    fn final_status(&self) -> Option<u16> {
        let messages = self.messages();
        let answers =
            messages.iter().filter(|message| !message.sent && message.header("CSeq").ends_with("INVITE"));
        answers.filter_map(Message::status).find(|status| *status >= 200 && *status != 407)
    }

    /// Waits for the answer to the call.
    pub(crate) fn status(&mut self) -> u16 {
        until("the call is answered or refused", LONG, || self.final_status())
    }

    /// Waits until the call is over; the answer to it.
    pub(crate) fn over(mut self) -> u16 {
        self.wait()
    }

    /// The same, for whoever still looks at it.
    pub(crate) fn wait(&mut self) -> u16 {
        let ended = self.process.wait(LONG);
        let status = self.final_status();
        let complaint = || format!("{:?}\n{}", self.messages(), self.process.tail());
        assert!(ended.is_some_and(|ended| ended.success()), "sipp: {ended:?} {}", complaint());
        status.unwrap_or_else(|| panic!("no answer: {}", complaint()))
    }

    /// The channel's id.
    pub(crate) fn uuid(&self, events: &Events) -> String {
        let id = self.id.clone();
        events.of_call(&id)
    }

    /// Waits until it is over on both sides, and tells of it.
    pub(crate) fn told(self, events: &Events) -> Told {
        let uuid = self.uuid(events);
        let status = self.over();
        let end = events.wait("the channel's end", |event| {
            event.is("CHANNEL_HANGUP_COMPLETE") && event.get("Unique-ID") == uuid
        });
        Told { status, steps: events.steps(&uuid), end }
    }
}

/// A step that the switch took for a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) application: String,
    pub(crate) data: String,
}

/// What became of a call.
#[derive(Debug)]
pub(crate) struct Told {
    /// The answer that the caller got.
    pub(crate) status: u16,
    /// What the switch did, in order.
    pub(crate) steps: Vec<Step>,
    end: Event,
}

impl Told {
    /// A variable of the channel at its end; empty where it is not set.
    pub(crate) fn variable(&self, name: &str) -> &str {
        self.end.variable(name)
    }

    /// Why the channel ended.
    pub(crate) fn cause(&self) -> &str {
        self.end.get("Hangup-Cause")
    }

    /// Whether a step was taken: `bridge user/1002@`, as far as it is given.
    pub(crate) fn did(&self, step: &str) -> bool {
        self.position(step).is_some()
    }

    /// The position of the first step that begins like that.
    pub(crate) fn position(&self, step: &str) -> Option<usize> {
        self.steps.iter().position(|taken| format!("{} {}", taken.application, taken.data).starts_with(step))
    }

    /// Fails unless the caller got that answer, and these steps were taken in this order.
    #[track_caller]
    pub(crate) fn expect(&self, status: u16, steps: &[&str]) {
        assert_eq!(self.status, status, "{self:#?}");
        let mut rest = self.steps.iter().map(|step| format!("{} {}", step.application, step.data));
        for step in steps {
            assert!(
                rest.any(|taken| taken.starts_with(step)),
                "no {step:?}, or not in this order: {self:#?}"
            );
        }
    }

    /// Fails unless the call was refused with that answer and for that reason.
    #[track_caller]
    pub(crate) fn expect_refused(&self, status: u16, reason: &str) {
        assert_eq!((self.status, self.variable("nizam_refused")), (status, reason), "{self:#?}");
    }
}
