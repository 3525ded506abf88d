//! A call that was made, against its explanation.

use super::Explained;
use crate::support::{Event, Step};

/// Compares the steps that the channel of these events took with those that were explained; how many were the same.
pub(crate) fn compare(explained: &Explained, events: &[Event], recordings: &str) -> Result<usize, String> {
    let taken: Vec<&Event> = first_lookup(events);
    let Some(why) = difference(explained, &taken, events.last(), recordings) else { return Ok(taken.len()) };
    let steps: Vec<Step> = taken.iter().map(|event| step(event)).collect();
    Err(format!("{why}\nexplained: {:#?}\ntaken: {steps:#?}", explained.actions))
}

fn step(event: &Event) -> Step {
    Step { application: event.get("Application").to_owned(), data: event.get("Application-Data").to_owned() }
}

/// The steps up to the first that sends the call to another lookup.
fn first_lookup(events: &[Event]) -> Vec<&Event> {
    let mut taken: Vec<&Event> = events.iter().filter(|event| event.is("CHANNEL_EXECUTE")).collect();
    let transfer = taken.iter().position(|event| event.get("Application") == "transfer");
    taken.truncate(transfer.map_or(taken.len(), |transfer| transfer + 1));
    taken
}

fn difference(
    explained: &Explained,
    taken: &[&Event],
    end: Option<&Event>,
    recordings: &str,
) -> Option<String> {
    if explained.outcome == "not_ours" {
        // conf/freeswitch/dialplan/public.xml.
        let refused = matches!(taken, [only] if step(only).data == "404 Not Found");
        return (!refused).then(|| "a call that is not ours was not left to public.xml".to_owned());
    }
    for (n, event) in taken.iter().enumerate() {
        let Some(action) = explained.actions.get(n) else {
            return Some(format!("step {n} was not explained"));
        };
        let same = event.get("Application") == action.application
            && event.get("Application-Data") == expanded(&action.data, event, recordings);
        if !same {
            return Some(format!("step {n} is another one"));
        }
    }
    if taken.len() == explained.actions.len() {
        return None;
    }
    let (Some(last), Some(end)) = (taken.last(), end.filter(|end| end.is("CHANNEL_HANGUP_COMPLETE"))) else {
        return Some("nothing was done, or the call has no end".to_owned());
    };
    let (application, cause) = (last.get("Application"), end.get("Hangup-Cause"));
    let hung_up = end.variable("sip_hangup_disposition") == "recv_bye" && cause == "NORMAL_CLEARING";
    let disposition = end.variable("originate_disposition");
    let may_end = match application {
        // It was answered, and the call ended with it; or it failed for a reason that is the callee's, so that no other carrier
        // would help.
        "bridge" if disposition == "SUCCESS" => true,
        "bridge" => {
            let goes_on = last.variable("continue_on_fail");
            goes_on != "true" && !goes_on.split(',').any(|listed| listed == disposition)
        }
        "limit" => !end.variable("nizam_refused").is_empty() && cause == "NORMAL_TEMPORARY_FAILURE",
        "sleep" | "ivr" | "playback" | "speak" | "play_and_get_digits" | "voicemail" | "record" => hung_up,
        _ => false,
    };
    (!may_end).then(|| format!("the call ended at {application} with {cause} ({disposition})"))
}

/// An argument as the switch expands it.
fn expanded(data: &str, event: &Event, recordings: &str) -> String {
    data.replace("${originate_disposition}", event.variable("originate_disposition"))
        .replace("${recordings_dir}", recordings)
        .replace("${uuid}", event.get("Unique-ID"))
}
