//! What becomes of calls: whether every walk ends, and whether all ends occur.

use crate::call::Call;
use crate::interpreter::Step;

/// Applications behind which nothing is done any more.
const LAST: &[&str] = &["respond", "hangup", "voicemail", "transfer"];

/// What FreeSWITCH replaces in steps of ours.
const REPLACED: &[&str] = &["${originate_disposition}", "${recordings_dir}", "${uuid}", "\\d+"];

/// What is wrong with the steps of a call, whatever they are.
pub(crate) fn fault(steps: &[Step]) -> Option<String> {
    let Some(((last, _), before)) = steps.split_last() else { return Some("no steps".to_owned()) };
    if !LAST.contains(&last.as_str()) {
        return Some(format!("ends with {last}"));
    }
    for (application, argument) in before {
        if LAST.contains(&application.as_str()) {
            return Some(format!("goes on behind {application} {argument}"));
        }
    }
    steps.iter().find(|(_, argument)| !is_inert(argument)).map(|(application, argument)| {
        format!("FreeSWITCH makes something else of {application} {argument:?}")
    })
}

fn is_inert(argument: &str) -> bool {
    let rest = REPLACED.iter().fold(argument.to_owned(), |rest, known| rest.replace(known, ""));
    !rest.contains(['$', '\\']) && !rest.contains("<!") && !rest.chars().any(char::is_control)
}

/// Every way in which a call can end; each must occur.
pub(crate) const OUTCOMES: &[&str] = &[
    "not ours",
    "404",
    "404 ambiguous",
    "403 closed",
    "403 suspended",
    "403 policy",
    "403 class",
    "503 no gateway",
    "503 no gateway, emergency",
    "loop",
    "nowhere after an answer",
    "extension rings",
    "extension rings, then its mailbox",
    "extension rings, then a flow goes on",
    "ring group rings",
    "ring group rings, then elsewhere",
    "mailbox",
    "mailbox is asked",
    "menu, then a destination",
    "menu, then the end",
    "queue",
    "queue without agents",
    "flow asks for digits",
    "flow or queue ends",
    "flow ends with a cause",
    "outbound",
    "outbound, class bounded",
    "emergency",
];

/// How a call ended.
pub(crate) fn outcome(steps: Option<&[Step]>) -> &'static str {
    let Some(steps) = steps else { return "not ours" };
    let any = |application: &str, beginning: &str| {
        steps.iter().any(|(name, argument)| name == application && argument.starts_with(beginning))
    };
    let Some((last, argument)) = steps.last() else { return "no steps" };
    let is_emergency = any("event", "Event-Name=CUSTOM,Event-Subclass=nizam::emergency");
    match (last.as_str(), argument.as_str()) {
        ("respond", "404") if any("set", "nizam_refused=ambiguous") => "404 ambiguous",
        ("respond", "404") => "404",
        ("respond", "403") if any("set", "nizam_refused=suspended") => "403 suspended",
        ("respond", "403") if any("set", "nizam_refused=policy") => "403 policy",
        ("respond", "403") if any("set", "nizam_refused=class") => "403 class",
        ("respond", "403") => "403 closed",
        ("respond", "503") if is_emergency => "503 no gateway, emergency",
        ("respond", _) => "503 no gateway",
        ("hangup", "EXCHANGE_ROUTING_ERROR") => "loop",
        ("hangup", "UNALLOCATED_NUMBER") => "nowhere after an answer",
        ("hangup", "${originate_disposition}") if is_emergency => "emergency",
        ("hangup", "${originate_disposition}")
            if any("limit", "hash") && any("set", "nizam_refused=class_limit") =>
        {
            "outbound, class bounded"
        }
        ("hangup", "${originate_disposition}") if any("bridge", "[leg_progress_timeout=8]sofia/") => {
            "outbound"
        }
        ("hangup", "${originate_disposition}") if !any("set", "dialed_extension") => "ring group rings",
        ("hangup", "${originate_disposition}") if any("bridge", "{") => "ring group rings, then elsewhere",
        ("hangup", "${originate_disposition}") => "extension rings",
        ("hangup", _) if any("set", "dialed_extension") => "extension rings, then a flow goes on",
        ("hangup", "NORMAL_CLEARING") if any("ivr", "") => "menu, then the end",
        ("hangup", "NORMAL_CLEARING") => "flow or queue ends",
        ("hangup", _) => "flow ends with a cause",
        ("voicemail", argument) if argument.starts_with("check ") => "mailbox is asked",
        ("voicemail", _) if any("set", "dialed_extension") => "extension rings, then its mailbox",
        ("voicemail", _) => "mailbox",
        ("transfer", _) if any("ivr", "") => "menu, then a destination",
        ("transfer", _) if any("set", "playback_timeout_sec") => "queue without agents",
        ("transfer", argument) if argument.starts_with("nizam:queue:") => "queue",
        ("transfer", _) => "flow asks for digits",
        _ => "no end",
    }
}

/// Every kind of number that steps lead to; each must be dialled.
pub(crate) const CONTINUATIONS: &[&str] = &[
    "nizam:extension",
    "nizam:voicemail",
    "nizam:ring_group",
    "nizam:time_condition",
    "nizam:call_routing_policy",
    "nizam:ivr",
    "nizam:queue",
    "nizam:call_flow",
    "nizam:flow",
    "nizam:direct",
];

/// Which kind of number that steps lead to was dialled.
pub(crate) fn continuation(call: &Call) -> Option<&'static str> {
    let begins = |kind: &&&str| call.number().starts_with(format!("{kind}:").as_bytes());
    CONTINUATIONS.iter().find(begins).copied()
}
