//! Names of what happened.

/// What a channel's event is stored as.
pub(super) fn of_channel(event: &str) -> Option<&'static str> {
    Some(match event {
        "CHANNEL_CREATE" => "call.created",
        "CHANNEL_PROGRESS" => "call.progress",
        "CHANNEL_PROGRESS_MEDIA" => "call.early_media",
        "CHANNEL_ANSWER" => "call.answered",
        "CHANNEL_BRIDGE" => "call.bridged",
        "CHANNEL_UNBRIDGE" => "call.unbridged",
        "CHANNEL_HOLD" => "call.held",
        "CHANNEL_UNHOLD" => "call.resumed",
        "CHANNEL_HANGUP_COMPLETE" => "call.hangup",
        "CALL_UPDATE" => "call.updated",
        "CHANNEL_UUID" => "call.renamed",
        "RECORD_START" => "recording.started",
        "RECORD_STOP" => "recording.stopped",
        _ => return None,
    })
}

/// The stored name of an event that webhooks and broadcasts know by another one.
pub fn stored_name(name: &str) -> &str {
    match name {
        "call.started" => "call.created",
        "call.bridge" => "call.bridged",
        "registration.registered" | "call.registered" => "device.registered",
        "registration.unregistered" | "call.unregistered" => "device.unregistered",
        other => other,
    }
}
