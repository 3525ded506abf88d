//! Call flows: a graph of steps.

use super::clock;
use super::inert::{is_inert, is_one_word};
use super::plan::Outcome;
use super::trace::Trace;
use super::walk::{Place, Visit, Walk, decimal, text_of};
use nizam_wire::Kind;
use nizam_wire::path::Object;
use nizam_wire::record::{Branches, Collect, DestinationKind, Flow, Prompt, Step, StepAction, When};
use uuid::Uuid;

/// What is played where a prompt is needed and there is none.
pub(super) const SILENCE: &str = "silence_stream://250";
/// The variable in which `digits` cases look.
const DIGITS: &str = "digits";

impl<'a, T: Trace> Walk<'a, T> {
    /// A flow as a destination: its first step.
    pub(super) fn flow(&mut self, id: [u8; 16], fallback: Option<Place>) -> Option<Visit> {
        if self.find_step(&id, 0).is_none() {
            return self.missing("call_flow", &id, fallback);
        }
        self.reaches(Outcome::To(DestinationKind::Flow));
        self.trace.note("call_flow", Some(id), format_args!("begins"));
        self.pass(Object::Flow, &id, "");
        self.answer();
        Some(Visit { place: Place::Step(id, 0), fallback: None })
    }

    /// A lookup in the middle of a flow: the decision of that step, for which the call was sent here.
    pub(super) fn resume(&mut self, id: [u8; 16], index: u16) -> Option<Visit> {
        let Some(step) = self.find_step(&id, index) else { return self.missing("call_flow", &id, None) };
        self.reaches(Outcome::To(DestinationKind::Flow));
        let StepAction::Collect(Collect { variable, branches: Some(branches), .. }) = step.action else {
            return Some(Visit { place: Place::Step(id, index), fallback: None });
        };
        let next = self.pressed(variable, &branches);
        self.trace.note("call_flow", Some(id), format_args!("step {}: after what was pressed", step.name));
        self.decided(&id, next);
        self.follow(id, next)
    }

    /// Notes for the CDR to which step a decision has led.
    fn decided(&mut self, id: &[u8; 16], next: Option<u16>) {
        let step = next.and_then(|next| self.find_step(id, next));
        self.pass(Object::Flow, id, step.map_or("end", |step| step.name));
    }

    fn find_step(&self, id: &[u8; 16], index: u16) -> Option<Step<'a>> {
        let flow = Flow::decode(self.record(Kind::Flow, id)?).ok()?;
        flow.steps.iter().nth(usize::from(index))
    }

    /// One step.
    pub(super) fn step(&mut self, id: [u8; 16], index: u16) -> Option<Visit> {
        let Some(step) = self.find_step(&id, index) else { return self.missing("call_flow", &id, None) };
        self.trace.note("call_flow", Some(id), format_args!("step {}", step.name));
        match step.action {
            StepAction::Play(prompt) => self.play(prompt),
            StepAction::Collect(collect) => {
                self.collect(&collect);
                if collect.branches.is_some() {
                    self.transfer_to_step(&id, index);
                    return None;
                }
            }
            StepAction::Branch { cases, otherwise } => {
                if self.collected {
                    self.transfer_to_step(&id, index);
                    return None;
                }
                let case = cases.iter().find(|case| self.holds(&case.when));
                let next = match case {
                    Some(case) => case.next,
                    None => otherwise.or(step.next),
                };
                self.decided(&id, next);
                return self.follow(id, next);
            }
            StepAction::Bridge(to) => {
                let fallback = step.next.map(|next| Place::Step(id, next));
                let Some(to) = to else { return self.nothing(fallback) };
                return Some(Visit { place: Place::At(to), fallback });
            }
            StepAction::Record(seconds) => self.record_caller(seconds),
            StepAction::Notify => self.raise(&id, step.name),
            StepAction::Set { name, value } => {
                if is_one_word(name) && is_inert(value) {
                    self.route.add("set", &["flow_", name, "=", value]);
                    self.set.push((name, value));
                }
            }
            StepAction::Hangup(cause) => {
                self.route.add("hangup", &[cause]);
                return None;
            }
        }
        self.follow(id, step.next)
    }

    fn follow(&mut self, id: [u8; 16], next: Option<u16>) -> Option<Visit> {
        if next.is_none() {
            self.trace.note("call_flow", Some(id), format_args!("ends"));
            self.route.add("hangup", &["NORMAL_CLEARING"]);
        }
        next.map(|next| Visit { place: Place::Step(id, next), fallback: None })
    }

    /// Sends the call to a lookup that knows what was pressed.
    fn transfer_to_step(&mut self, id: &[u8; 16], index: u16) {
        let (mut buffer, mut digits) = (Uuid::encode_buffer(), [0; 20]);
        let number = ["nizam:flow:", text_of(id, &mut buffer), ":", decimal(u64::from(index), &mut digits)];
        self.transfer(&number);
    }

    fn play(&mut self, prompt: Prompt<'a>) {
        if let Some(file) = self.file(prompt) {
            self.route.add("playback", &[file]);
        } else if let Prompt::Say(text) = prompt {
            let (engine, voice) = (self.routing.tts_engine, self.routing.tts_voice);
            let ready = [engine, voice].iter().all(|word| !word.is_empty() && is_one_word(word));
            if ready && is_inert(text) {
                self.route.add("speak", &[engine, "|", voice, "|", text]);
            }
        }
    }

    fn collect(&mut self, collect: &Collect<'a>) {
        let file = self.file(collect.prompt).filter(|file| is_one_word(file));
        if file.is_none() {
            // What cannot stand among the arguments is played before.
            self.play(collect.prompt);
        }
        let (mut a, mut b, mut c, mut d) = ([0; 20], [0; 20], [0; 20], [0; 20]);
        self.route.add(
            "play_and_get_digits",
            &[
                decimal(u64::from(collect.min_digits), &mut a),
                " ",
                decimal(u64::from(collect.max_digits), &mut b),
                " ",
                decimal(u64::from(collect.tries), &mut c),
                " ",
                decimal(u64::from(collect.timeout) * 1000, &mut d),
                " ",
                collect.terminators,
                " ",
                file.unwrap_or(SILENCE),
                " ",
                SILENCE,
                " flow_",
                collect.variable,
                " \\d+",
            ],
        );
        self.collected = true;
    }

    fn record_caller(&mut self, seconds: u16) {
        let (mut id, mut digits) = (Uuid::encode_buffer(), [0; 20]);
        let directory = ["${recordings_dir}/", text_of(&self.tenant.id, &mut id)].concat();
        // FreeSWITCH makes none for a recording, and records nothing where there is none.
        self.route.add("mkdir", &[&directory]);
        self.route.add("record", &[&directory, "/${uuid}.wav ", decimal(u64::from(seconds), &mut digits)]);
    }

    fn raise(&mut self, id: &[u8; 16], step: &str) {
        let (mut tenant, mut flow) = (Uuid::encode_buffer(), Uuid::encode_buffer());
        let step = if is_one_word(step) { step } else { "" };
        self.route.add(
            "event",
            &[
                "Event-Name=CUSTOM,Event-Subclass=nizam::flow,nizam_tenant=",
                text_of(&self.tenant.id, &mut tenant),
                ",nizam_flow=",
                text_of(id, &mut flow),
                ",nizam_step=",
                step,
            ],
        );
    }

    fn holds(&self, when: &When<'_>) -> bool {
        match *when {
            When::Digits(digits) => self.variable_is(DIGITS, digits),
            When::Caller(pattern) => self.caller_number().is_like(pattern),
            When::Time(rules) => clock::any_holds(&self.own, &rules, self.now()),
            When::Variable(name, value) => self.variable_is(name, value),
            When::Never => false,
        }
    }

    fn pressed(&self, variable: &str, branches: &Branches<'_>) -> Option<u16> {
        let step = branches.steps.iter().find(|(digits, _)| self.variable_is(variable, digits));
        step.map_or(branches.otherwise, |(_, next)| next)
    }

    fn variable_is(&self, name: &str, value: &str) -> bool {
        if let Some((_, set)) = self.set.iter().rev().find(|(of, _)| *of == name) {
            return *set == value;
        }
        self.call.channel.variable(&["flow_", name].concat()) == Some(value.as_bytes())
    }
}
