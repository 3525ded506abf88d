//! Queues: a call waits with music, and again and again the agents that are available ring.

use super::plan::Outcome;
use super::trace::Trace;
use super::walk::{Place, Visit, Walk, decimal, text_of};
use nizam_wire::Kind;
use nizam_wire::path::Object;
use nizam_wire::record::{Agent, DestinationKind, Extension, Overflow, Queue, QueueStrategy};
use uuid::Uuid;

/// How long agents ring before the call waits anew, in seconds.
const ROUND: i64 = 20;
/// The music where there is no other: the tone of an alternate telephone exchange.
const MUSIC: &str = "tone_stream://%(400,200,400,450);%(400,2200,400,450);loops=-1";

impl<'a, T: Trace> Walk<'a, T> {
    /// A call that has come to a queue, or waits there until that time, in seconds since 1970.
    pub(super) fn queue(
        &mut self,
        id: [u8; 16],
        until: Option<i64>,
        fallback: Option<Place>,
    ) -> Option<Visit> {
        let record = self.record(Kind::Queue, &id).map(Queue::decode);
        let Some(Ok(queue)) = record else { return self.missing("queue", &id, fallback) };
        self.reaches(Outcome::To(DestinationKind::Queue));
        self.pass(Object::Queue, &id, "");
        self.answer();
        let now = self.call.now;
        // Nobody waits longer by dialling what a step of ours would lead to.
        let most = now.saturating_add(i64::from(queue.max_wait));
        let until = until.map_or(most, |until| until.min(most));
        if now >= until {
            self.trace.note("queue", Some(id), format_args!("the call has waited long enough"));
            self.decide("overflow");
            return self.overflow(&queue);
        }
        let agents = self.agents(&queue);
        let music = self.file(queue.music).unwrap_or(MUSIC);
        if agents.is_empty() {
            self.trace.note("queue", Some(id), format_args!("no agent is available: the call waits"));
            self.route.add("set", &["playback_timeout_sec=10"]);
            self.route.add("playback", &[music]);
        } else {
            self.trace.note("queue", Some(id), format_args!("{} agents ring", agents.len()));
            self.route.add("set", &["ringback=", music]);
            self.before_bridge(u64::try_from(ROUND.min(until - now)).unwrap_or(1));
            if queue.strategy == QueueStrategy::RingAll {
                self.bridge_all(&agents);
            } else {
                self.bridge_each(&agents);
            }
        }
        self.wait_on(&id, until);
        None
    }

    /// Sends the call round again. Until when it waits lies in the number: as a variable it would come along to another queue.
    fn wait_on(&mut self, id: &[u8; 16], until: i64) {
        let until = u64::try_from(until).unwrap_or(0);
        let (mut buffer, mut digits) = (Uuid::encode_buffer(), [0; 20]);
        self.transfer(&["nizam:queue:", text_of(id, &mut buffer), ":", decimal(until, &mut digits)]);
    }

    /// The extensions of the agents that are available, in the order in which they ring.
    fn agents(&self, queue: &Queue<'_>) -> Vec<Extension<'a>> {
        let mut agents: Vec<(u32, i64, Extension<'a>)> = queue
            .members
            .iter()
            .filter_map(|(priority, id)| {
                let agent = Agent::decode(self.record(Kind::Agent, &id)?).ok()?;
                let extension = self.extension_by_id(&agent.extension)?;
                agent.available.then_some((priority, agent.since, extension))
            })
            .collect();
        match queue.strategy {
            QueueStrategy::RingAll => {}
            QueueStrategy::LeastRecent => agents.sort_by_key(|(priority, since, _)| (*priority, *since)),
            QueueStrategy::RoundRobin if agents.is_empty() => {}
            QueueStrategy::RoundRobin => {
                let turn =
                    self.call.now.div_euclid(ROUND).rem_euclid(i64::try_from(agents.len()).unwrap_or(1));
                agents.rotate_left(usize::try_from(turn).unwrap_or(0));
            }
        }
        agents.into_iter().map(|(_, _, extension)| extension).collect()
    }

    fn overflow(&mut self, queue: &Queue<'_>) -> Option<Visit> {
        let (to, mailbox) = match queue.overflow {
            Overflow::Hangup => {
                self.route.add("hangup", &["NORMAL_CLEARING"]);
                return None;
            }
            Overflow::Extension(to) => (to, false),
            Overflow::Voicemail(to) => (to, true),
        };
        let by_id = Uuid::try_parse(to).ok().and_then(|id| self.extension_by_id(id.as_bytes()));
        match by_id.or_else(|| self.extension_by_number(to.as_bytes())) {
            Some(extension) if !mailbox => self.ring(&extension, None),
            Some(extension) if extension.voicemail => {
                let number = extension.number;
                self.trace.note("voicemail", Some(extension.id), format_args!("the mailbox of {number}"));
                self.pass(Object::Voicemail, &extension.id, "");
                self.mailbox(extension.number);
                None
            }
            _ => self.nowhere(),
        }
    }
}
