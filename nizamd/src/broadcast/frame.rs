//! Messages of the Pusher protocol, version 7: JSON objects with an `event`, and `data` that may be a JSON text inside of the text.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// What a client says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    Ping,
    Pong,
    Subscribe(Subscribe),
    Unsubscribe(Named),
    Resume(Resume),
    /// An event that it tells other clients of.
    OfClient,
}

/// A channel that is to be heard.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Subscribe {
    pub(super) channel: String,
    #[serde(default)]
    pub(super) auth: String,
    #[serde(default)]
    pub(super) channel_data: String,
    pub(super) since: Option<i64>,
}

/// A channel.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Named {
    pub(super) channel: String,
}

/// A channel, and the last event that was heard on it.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Resume {
    pub(super) channel: String,
    pub(super) sequence: i64,
}

#[derive(Deserialize)]
struct Message {
    event: String,
    #[serde(default)]
    data: Value,
}

impl Said {
    /// Reads a message; the error is for the client.
    pub(super) fn read(text: &str) -> Result<Self, &'static str> {
        let message: Message = serde_json::from_str(text).map_err(|_| "Invalid message format")?;
        let data = match message.data {
            Value::String(inside) if message.event.starts_with("pusher:") => {
                serde_json::from_str(&inside).unwrap_or(Value::Null)
            }
            other => other,
        };
        match &*message.event {
            "pusher:ping" => Ok(Self::Ping),
            "pusher:pong" => Ok(Self::Pong),
            "pusher:subscribe" => {
                of(data, "pusher:subscribe needs a channel and its auth").map(Self::Subscribe)
            }
            "pusher:unsubscribe" => of(data, "pusher:unsubscribe needs a channel").map(Self::Unsubscribe),
            "pusher:resume" => of(data, "pusher:resume needs a channel and a sequence").map(Self::Resume),
            name if name.starts_with("client-") => Ok(Self::OfClient),
            _ => Err("There is no such event here"),
        }
    }
}

fn of<T: serde::de::DeserializeOwned>(data: Value, wrong: &'static str) -> Result<T, &'static str> {
    serde_json::from_value(data).map_err(|_| wrong)
}

/// A message to a client.
pub(super) fn message(event: &str, channel: Option<&str>, data: &impl Serialize) -> Utf8Bytes {
    #[derive(Serialize)]
    struct Message<'a> {
        event: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        channel: Option<&'a str>,
        data: String,
    }
    // Our own values in memory: this cannot fail.
    let data = serde_json::to_string(data).unwrap_or_default();
    serde_json::to_string(&Message { event, channel, data }).unwrap_or_default().into()
}

/// Says what is wrong; `channel` as it was sent.
pub(super) fn error(code: u16, text: &str, channel: Option<&str>) -> Utf8Bytes {
    message("pusher:error", channel, &json!({"code": code, "message": text}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_clients_send_is_read() {
        let want = Said::Subscribe(Subscribe {
            channel: "c".into(),
            auth: "k:s".into(),
            channel_data: "{}".into(),
            since: None,
        });
        let data = r#"{"channel":"c","auth":"k:s","channel_data":"{}"}"#;
        let inside = serde_json::to_string(data).unwrap();
        for data in [data, &inside] {
            assert_eq!(
                Said::read(&format!(r#"{{"event":"pusher:subscribe","data":{data}}}"#)).as_ref(),
                Ok(&want)
            );
        }
        assert_eq!(Said::read(r#"{"event":"pusher:ping","data":{}}"#), Ok(Said::Ping));
        assert_eq!(Said::read(r#"{"event":"pusher:pong"}"#), Ok(Said::Pong));
        assert_eq!(Said::read(r#"{"event":"client-typing","channel":"c","data":"x"}"#), Ok(Said::OfClient));
    }

    #[test]
    fn what_is_no_message_is_told_so() {
        for text in [
            "",
            "x",
            "[]",
            "{}",
            "null",
            r#"{"event":7}"#,
            r#"{"event":"other"}"#,
            r#"{"event":"pusher:subscribe"}"#,
            r#"{"event":"pusher:subscribe","data":"x"}"#,
            r#"{"event":"pusher:subscribe","data":{"channel":["c"]}}"#,
            r#"{"event":"pusher:resume","data":{"channel":"c","sequence":"x"}}"#,
            &"[".repeat(60_000),
        ] {
            assert!(Said::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn data_is_a_text_inside_of_the_text() {
        let text = message("e", Some("c"), &json!({"a": "\"é"}));
        assert_eq!(text.as_str(), r#"{"event":"e","channel":"c","data":"{\"a\":\"\\\"é\"}"}"#);
    }
}
