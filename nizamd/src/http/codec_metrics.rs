//! Which codecs the calls of a tenant used, and which its gateways offer.

use nizam_core::resource::GATEWAY;
use nizam_store::{Page, Query};
use serde_json::{Value, json};

use super::call::Call;
use super::gate::Member;
use super::reply::{Outcome, Reply};

/// Most gateways in an answer.
const MOST: u64 = 1000;

pub(super) async fn show(call: Call, member: Member) -> Outcome {
    let (store, tenant) = (&call.app.store, member.tenant().id);
    let metrics = store.codec_metrics(tenant).await?;
    let active = GATEWAY.field("is_active").map(|field| (field, json!(true)));
    let page = Page { number: 1, size: MOST };
    let query = Query { page, filters: active.into_iter().collect(), sort: None };
    let gateways = store.records(&GATEWAY, tenant, &query).await?;
    let known: u64 = metrics.codecs.iter().map(|(_, calls)| calls).sum();
    let distribution = |(codec, calls): &(String, u64)| json!({"codec": codec, "count": calls, "percentage": percent(*calls, known)});
    let gateway = |record: &nizam_core::resource::Record| {
        json!({
            "id": record.id,
            "name": record.value("name"),
            "inbound_codecs": record.value("inbound_codecs"),
            "outbound_codecs": record.value("outbound_codecs"),
            "allow_transcoding": record.value("allow_transcoding"),
        })
    };
    Ok(Reply::ok(&json!({"data": {
        "codec_distribution": metrics.codecs.iter().map(distribution).collect::<Vec<Value>>(),
        "codec_mismatch_count": metrics.mismatches,
        "codec_mismatch_rate": percent(metrics.mismatches, metrics.cdrs),
        "active_gateways": gateways.total,
        "gateways": gateways.rows.iter().map(gateway).collect::<Vec<Value>>(),
    }})))
}

/// A part of a whole in percent, to two digits.
#[expect(clippy::cast_precision_loss, reason = "a percentage of calls needs no more than 52 bits")]
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { (part as f64 * 10_000.0 / whole as f64).round() / 100.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_have_two_digits() {
        assert_eq!(
            [percent(0, 0), percent(1, 3), percent(3, 3)].map(|n| json!(n)),
            [json!(0.0), json!(33.33), json!(100.0)]
        );
    }
}
