//! The tokens of the caller.

use jiff::Timestamp;
use nizam_core::validate::{Errors, NewToken};
use serde_json::{Value, json};

use super::call::Call;
use super::failure::Failure;
use super::gate::Caller;
use super::reply::{Outcome, Reply};
use super::{instant, present};

pub(super) async fn list(call: Call, caller: Caller, (): ()) -> Outcome {
    let tokens = call.app.store.tokens(caller.who().user.id).await?;
    Ok(Reply::ok(&json!({"data": tokens.iter().map(present::token).collect::<Vec<Value>>()})))
}

pub(super) async fn create(call: Call, caller: Caller, new: NewToken) -> Outcome {
    let who = caller.who();
    let expires_at = new.expires_at.as_deref().map(end).transpose()?;
    // What a token may do ends with it, and not with one that it has made.
    let last = who.token.expires_at;
    let later = last.is_some_and(|last| expires_at.is_some_and(|end| end > last));
    if later || !who.token.abilities.include(&new.abilities) {
        return Err(Failure::unauthorized());
    }
    let expires_at = expires_at.or(last);
    let (committed, secret) = call
        .app
        .store
        .create_token(&call.actor(), who.user.id, &new.name, &new.abilities, expires_at)
        .await?;
    let token = &committed.value;
    let body = json!({"data": present::token(token), "plainTextToken": secret.token(token.id)});
    Ok(call.written(Reply::created(&body), committed).await)
}

pub(super) async fn delete(call: Call, caller: Caller, (): ()) -> Outcome {
    let text = call.parameter("token");
    let id: i64 = text.parse().map_err(|_| Failure::no_model("PersonalAccessToken", text))?;
    let committed = call.app.store.delete_token(&call.actor(), caller.who().user.id, id).await?;
    // A token of another user and one that is not there are the same.
    if !committed.value {
        return Err(Failure::forbidden());
    }
    Ok(call.written(Reply::no_content(), committed).await)
}

/// A time in the future.
fn end(text: &str) -> Result<i64, Errors> {
    let time = instant::parse(text)
        .ok_or_else(|| Errors::one("expires_at", "The expires at field must be a valid date."))?;
    if time <= Timestamp::now() {
        return Err(Errors::one("expires_at", "The expires at field must be a date after now."));
    }
    Ok(time.as_microsecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_in_the_future() {
        for text in
            ["2999-01-02T03:04:05Z", "2999-01-02T03:04:05.5+02:00", "2999-01-02 03:04:05", "2999-01-02"]
        {
            assert!(end(text).is_ok(), "{text}");
        }
        for text in ["2001-01-01", "tomorrow", "2999-13-01", "1", "99999-01-01"] {
            assert!(end(text).is_err(), "{text}");
        }
    }
}
