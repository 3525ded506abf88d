//! What headers say of a leg where that is more than their text.

use super::claim::gateway_id;
use super::said::Said;
use serde_json::{Map, Value, json};

/// What a channel says of SIP at its end, and what it is called.
pub(super) const SIP: [(&str, &str); 10] = [
    ("variable_sip_call_id", "call_id"),
    ("variable_sip_from_uri", "from"),
    ("variable_sip_to_uri", "to"),
    ("variable_sip_req_uri", "request_uri"),
    ("variable_sip_user_agent", "user_agent"),
    ("variable_sip_network_ip", "network_ip"),
    ("variable_sip_network_port", "network_port"),
    ("variable_sip_term_status", "status"),
    ("variable_proto_specific_hangup_cause", "protocol_cause"),
    ("variable_sip_hangup_phrase", "phrase"),
];

/// What it says of its media (`set_stats` in `switch_core_media.c`).
pub(super) const MEDIA: [(&str, &str); 10] = [
    ("variable_rtp_use_codec_rate", "codec_rate"),
    ("variable_local_media_ip", "local_ip"),
    ("variable_local_media_port", "local_port"),
    ("variable_remote_media_ip", "remote_ip"),
    ("variable_remote_media_port", "remote_port"),
    ("variable_rtp_audio_in_packet_count", "packets_in"),
    ("variable_rtp_audio_out_packet_count", "packets_out"),
    ("variable_rtp_audio_in_jitter_max_variance", "jitter_max_variance"),
    ("variable_rtp_audio_in_quality_percentage", "quality_percentage"),
    ("variable_dtmf_type", "dtmf"),
];

/// Those of these headers that there are.
pub(super) fn facts(said: Said<'_>, names: &[(&str, &str)]) -> Map<String, Value> {
    names.iter().filter_map(|(header, name)| Some(((*name).to_owned(), json!(said.text(header)?)))).collect()
}

/// The number that was dialled. Of a leg to a phone FreeSWITCH says `1002%acme.example`, as `user/` dials it (`sofia_contact`).
pub(super) fn destination(said: Said<'_>) -> Option<String> {
    let number = said.text("Caller-Destination-Number")?;
    let made = said.text("Call-Direction").as_deref() == Some("outbound");
    let user = number.rsplit_once('%').filter(|_| made).map(|(user, _)| user.to_owned());
    Some(user.unwrap_or(number))
}

/// The gateway's row, whose id its name on the switch begins with; what else the operator has set up keeps its name.
pub(super) fn row_of_gateway(name: String) -> String {
    gateway_id(&name).map_or(name, |id| id.to_string())
}

/// Percent of the packets that were lost. FreeSWITCH tells the lost for each that came, and reckons that anew only every five seconds
/// (`check_jitter`, `burstr_calculate` in `switch_rtp.c`): of a shorter stream it is known only if nothing was wrong with it.
pub(super) fn loss(said: Said<'_>) -> Option<f64> {
    let rate = said.real("variable_rtp_audio_in_jitter_loss_rate").filter(|rate| *rate >= 0.0)?;
    if rate > 0.0 {
        return Some((10_000.0 * rate / (1.0 + rate)).round() / 100.0);
    }
    let packets = said.real("variable_rtp_audio_in_packet_count").unwrap_or_default();
    let interval = said.real("variable_rtp_audio_in_mean_interval").unwrap_or_default();
    let reckoned = packets * interval > 5000.0 || said.number("variable_rtp_audio_in_flaw_total") == Some(0);
    reckoned.then_some(0.0)
}

/// The channel that made this one. Later `Other-Type` says who talks to whom, which a transfer changes.
pub(super) fn originator(said: Said<'_>, name: &str) -> Option<String> {
    said.first(&["variable_originating_leg_uuid", "variable_originator"]).or_else(|| {
        let made = name == "CHANNEL_CREATE" && said.text("Other-Type").as_deref() == Some("originator");
        said.text("Other-Leg-Unique-ID").filter(|_| made)
    })
}
