//! The threads that run the daemon's commands.
//!
//! An `originate` lasts as long as the phone rings, and a `uuid_record` as long as the disk of the recordings likes, which may be another
//! machine's. So each has a thread of its own, and the others, which are done in milliseconds, never wait for one.

use super::commands::{Answer, Commands};
use nizam_wire::link::{Api, Command};
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// Threads for what is quick.
const QUICK: usize = 4;

/// Most originates at once.
const ORIGINATES: usize = 64;

/// Most recordings that are begun or ended at once.
const RECORDINGS: usize = 16;

/// Most commands that wait.
const WAITING: usize = 256;

/// Longest argument.
const MOST_ARGUMENT: usize = 8 << 10;

/// Has FreeSWITCH run a command; comes back when it is done.
type Run = dyn Fn(Api, &str) -> Result<String, String> + Send + Sync;

/// The threads.
pub struct Workers(Arc<Inner>);

struct Inner {
    run: Box<Run>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Task>,
    threads: Vec<JoinHandle<()>>,
    originates: Vec<JoinHandle<()>>,
    recordings: Vec<JoinHandle<()>>,
    stop: bool,
}

struct Task {
    command: Command,
    answer: Answer,
    until: Instant,
}

impl Workers {
    /// Starts them.
    pub fn start(run: Box<Run>) -> std::io::Result<Self> {
        let workers = Self(Arc::new(Inner { run, state: Mutex::default(), changed: Condvar::new() }));
        for _ in 0..QUICK {
            let inner = Arc::clone(&workers.0);
            let thread = Builder::new().name("nizam-command".into()).spawn(move || inner.work());
            workers.0.state.lock().threads.push(thread.inspect_err(|_| workers.stop())?);
        }
        Ok(workers)
    }

    /// Ends them, after the commands that run. What waits is answered with an error.
    pub fn stop(&self) {
        let mut state = self.0.state.lock();
        state.stop = true;
        let waiting = std::mem::take(&mut state.waiting);
        let mut threads = std::mem::take(&mut state.threads);
        threads.append(&mut state.originates);
        threads.append(&mut state.recordings);
        drop(state);
        self.0.changed.notify_all();
        for task in waiting {
            task.answer.give(Err(STOPPING.to_owned()));
        }
        for thread in threads {
            // A panic was told by the hook.
            let _ = thread.join();
        }
    }
}

const STOPPING: &str = "mod_nizam is being unloaded";

impl Commands for Workers {
    fn take(&self, command: Command, answer: Answer) {
        if let Err(reason) = check(&command.argument) {
            return answer.give(Err(reason.to_owned()));
        }
        let until = Instant::now() + Duration::from_millis(command.deadline.into());
        let mut state = self.0.state.lock();
        if state.stop {
            return answer.give(Err(STOPPING.to_owned()));
        }
        let State { waiting, originates, recordings, .. } = &mut *state;
        let own = match command.api {
            Api::Originate => {
                Some((originates, ORIGINATES, "nizam-originate", "calls are being made already"))
            }
            Api::Record => {
                Some((recordings, RECORDINGS, "nizam-record", "recordings are being begun or ended already"))
            }
            _ => None,
        };
        if let Some((threads, most, name, busy)) = own {
            threads.retain(|thread| !thread.is_finished());
            if threads.len() >= most {
                return answer.give(Err(format!("{most} {busy}")));
            }
            let inner = Arc::clone(&self.0);
            let task = Task { command, answer, until };
            // Without a thread the answer goes with the task, and the daemon's own limit of time ends the wait.
            let thread = Builder::new().name(name.into()).spawn(move || inner.one(task));
            threads.extend(thread.ok());
        } else if waiting.len() >= WAITING {
            answer.give(Err(format!("{WAITING} commands are waiting already")));
        } else {
            waiting.push_back(Task { command, answer, until });
            drop(state);
            self.0.changed.notify_one();
        }
    }
}

impl Inner {
    fn work(&self) {
        let mut state = self.state.lock();
        while !state.stop {
            match state.waiting.pop_front() {
                Some(task) => {
                    drop(state);
                    self.one(task);
                    state = self.state.lock();
                }
                None => self.changed.wait(&mut state),
            }
        }
    }

    fn one(&self, Task { command, answer, until }: Task) {
        if Instant::now() >= until {
            return answer.give(Err("it could not begin in time, and was not run".to_owned()));
        }
        answer.give((self.run)(command.api, &command.argument));
    }
}

/// The daemon makes arguments of what it has checked. This is the last look: nothing that FreeSWITCH would expand, nothing that
/// ends a line, and nothing that begins another call inside of one (`switch_ivr_originate.c:switch_ivr_originate`).
fn check(argument: &str) -> Result<(), &'static str> {
    if argument.len() > MOST_ARGUMENT {
        Err("refused: the argument is too long")
    } else if argument.chars().any(char::is_control) {
        Err("refused: a control character in the argument")
    } else if argument.contains("${") {
        Err("refused: ${ in the argument")
    } else if argument.contains(":_:") {
        Err("refused: :_: in the argument")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::bell::Bell;
    use super::super::commands::Replies;
    use super::*;
    use nizam_wire::link::MAX_ANSWER;
    use std::sync::mpsc;

    fn command(id: u64, api: Api, argument: &str, deadline: u32) -> Command {
        Command { id, api, argument: argument.to_owned(), deadline }
    }

    struct Desk {
        workers: Workers,
        replies: Arc<Replies>,
        bell: Arc<Bell>,
    }

    impl Desk {
        fn new(run: Box<Run>) -> Self {
            let workers = Workers::start(run).unwrap();
            Self { workers, replies: Arc::default(), bell: Arc::default() }
        }

        fn take(&self, command: Command) {
            let answer = Answer::new(1, command.id, Arc::clone(&self.replies), Arc::clone(&self.bell));
            self.workers.take(command, answer);
        }

        fn given(&self) -> Vec<(u64, Result<String, String>)> {
            let start = Instant::now();
            loop {
                let given: Vec<_> = self.replies.take(1).collect();
                if !given.is_empty() {
                    return given;
                }
                assert!(start.elapsed() < Duration::from_mins(1));
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }

    #[test]
    fn a_call_that_rings_delays_no_other_command() {
        let (go, held) = mpsc::channel::<()>();
        let held = Mutex::new(held);
        let desk = Desk::new(Box::new(move |api, argument| {
            if api == Api::Originate {
                let _ = held.lock().recv();
            }
            Ok(format!("{} {argument}", api.name()))
        }));
        for id in 0..ORIGINATES as u64 {
            desk.take(command(id, Api::Originate, "x", 10_000));
        }
        desk.take(command(100, Api::Originate, "x", 10_000));
        assert_eq!(desk.given(), [(100, Err("64 calls are being made already".to_owned()))]);
        desk.take(command(101, Api::Kill, "uuid", 10_000));
        assert_eq!(desk.given(), [(101, Ok("uuid_kill uuid".to_owned()))]);
        drop(go);
        desk.workers.stop();
        let mut ids: Vec<u64> = desk.given().into_iter().map(|(id, _)| id).collect();
        ids.sort_unstable();
        assert_eq!(ids, (0..ORIGINATES as u64).collect::<Vec<_>>());
        desk.take(command(7, Api::Kill, "uuid", 10_000));
        assert_eq!(desk.given(), [(7, Err(STOPPING.to_owned()))]);
    }

    #[test]
    fn a_disk_of_recordings_that_hangs_delays_no_other_command() {
        let (go, held) = mpsc::channel::<()>();
        let held = Mutex::new(held);
        let desk = Desk::new(Box::new(move |api, argument| {
            if api == Api::Record {
                let _ = held.lock().recv();
            }
            Ok(format!("{} {argument}", api.name()))
        }));
        for id in 0..RECORDINGS as u64 {
            desk.take(command(id, Api::Record, "x", 10_000));
        }
        desk.take(command(100, Api::Record, "x", 10_000));
        let busy = "16 recordings are being begun or ended already";
        assert_eq!(desk.given(), [(100, Err(busy.to_owned()))]);
        for (id, api) in [(101, Api::Kill), (102, Api::Hold), (103, Api::Transfer)] {
            desk.take(command(id, api, "uuid", 10_000));
            assert_eq!(desk.given(), [(id, Ok(format!("{} uuid", api.name())))]);
        }
        drop(go);
        desk.workers.stop();
    }

    #[test]
    fn what_begins_too_late_is_not_run_and_hostile_arguments_are_refused() {
        let (go, held) = mpsc::channel::<()>();
        let held = Mutex::new(held);
        let desk = Desk::new(Box::new(move |_, argument| {
            if argument == "slow" {
                let _ = held.lock().recv();
            }
            Ok(argument.to_owned())
        }));
        for id in 0..QUICK as u64 {
            desk.take(command(id, Api::Show, "slow", 10_000));
        }
        desk.take(command(50, Api::Show, "late", 1));
        std::thread::sleep(Duration::from_millis(5));
        drop(go);
        let mut given = Vec::new();
        while given.len() <= QUICK {
            given.extend(desk.given());
        }
        let late = given.iter().find(|(id, _)| *id == 50).unwrap();
        assert_eq!(late.1, Err("it could not begin in time, and was not run".to_owned()));
        for hostile in ["a\nb", "a\0b", "${system(id)}", "{a='x:_:user/1'}user/2", &"x".repeat(9000)] {
            desk.take(command(1, Api::Transfer, hostile, 10_000));
            let given = desk.given();
            assert!(given[0].1.as_ref().is_err_and(|reason| reason.starts_with("refused: ")), "{given:?}");
        }
        desk.take(command(2, Api::Transfer, "u dest XML ctx", 0));
        assert!(desk.given()[0].1.is_err(), "no time at all");
        desk.workers.stop();
    }

    #[test]
    fn answers_of_an_earlier_connection_and_long_ones_are_not_sent() {
        let (replies, bell) = (Arc::<Replies>::default(), Arc::<Bell>::default());
        let answer = |connection| Answer::new(connection, 1, Arc::clone(&replies), Arc::clone(&bell));
        answer(1).give(Ok("old".to_owned()));
        answer(2).give(Ok("x".repeat(MAX_ANSWER + 1)));
        let given: Vec<_> = replies.take(2).collect();
        assert!(given.len() == 1 && given[0].1.is_err());
    }
}
