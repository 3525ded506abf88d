//! Authorising a socket for a channel.

use nizam_core::validate::Hearing;
use warp::http::StatusCode;

use super::call::Call;
use super::gate::Listener;
use super::reply::{Outcome, Reply};
use crate::broadcast::Ticket;

pub(super) async fn authorise(call: Call, listener: Listener, asked: Hearing) -> Outcome {
    let ticket = Ticket { token: listener.token(), since: asked.since };
    let authorisation = call.app.broadcaster.authorise(&asked.socket_id, listener.channel(), ticket);
    Ok(Reply::json(StatusCode::OK, &authorisation))
}
