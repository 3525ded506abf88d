//! Calls that are there now: making, seeing and changing them. Each channel is proved to be the tenant's before it is touched.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use nizam_core::control::{Control, Leg, Switch, fits_dial_string};
use nizam_core::model::Tenant;
use nizam_core::validate::Errors;
use nizam_core::validate::control::NewCall;
use nizam_store::Actor;
use nizam_wire::link::Api;
use serde_json::{Value, json};
use uuid::Uuid;
use warp::http::StatusCode;
use warp::http::header::RETRY_AFTER;

use super::call::Call;
use super::failure::{Failure, problem};
use super::gate::Member;
use super::reply::{Outcome, Reply};
use crate::app::App;
use crate::link::CommandError;

/// How long FreeSWITCH may take for what it does at once.
const DEADLINE: Duration = Duration::from_secs(5);
/// How long after its answer FreeSWITCH begins or ends music on hold at the latest: it looks for what it is to do between two packets of sound
/// (`switch_ivr_multi_threaded_bridge`).
const MUSIC: Duration = Duration::from_millis(300);
/// How long a phone may ring that a call is made from.
const RINGING: Duration = Duration::from_secs(70);
/// How long a client waits to hear that a call could not be made at all.
const AT_ONCE: Duration = Duration::from_millis(700);

pub(super) async fn originate(call: Call, member: Member, form: NewCall) -> Outcome {
    let tenant = member.tenant();
    let missing = || Failure::Answer(StatusCode::NOT_FOUND, "Extension not found or inactive.".to_owned());
    let found = call.app.store.extension_by_number(tenant.id, &form.extension).await?;
    let extension = found.filter(|extension| extension.is_active).ok_or_else(missing)?;
    let names =
        [form.caller_id_name, extension.effective_caller_id_name, Some(extension.directory_first_name)];
    let number = form.caller_id_number.or(extension.effective_caller_id_number);
    let number = number.filter(|number| !number.contains(' ') && fits_dial_string(number));
    let number = number.unwrap_or_else(|| extension.extension.clone());
    let name =
        names.into_iter().flatten().find(|name| fits_dial_string(name)).unwrap_or_else(|| number.clone());
    let channel = Uuid::new_v4();
    let control = Control::Originate {
        channel,
        extension: extension.extension,
        destination: form.destination,
        caller: (name, number),
    };
    ring(&call, tenant, channel, &control, "Call originated.").await
}

/// Has a phone ring, and answers when that has begun or failed.
async fn ring(call: &Call, tenant: &Tenant, channel: Uuid, control: &Control, message: &str) -> Outcome {
    let (api, argument) = control.command(tenant.id, &tenant.domain);
    let (app, actor) = (Arc::clone(&call.app), call.actor());
    let Some(share) = app.ringing.begin(tenant.id) else {
        let most = app.ringing.most();
        let text = format!(
            "{most} calls of this tenant are being made already: wait until one is answered or ends."
        );
        let mut reply = problem(StatusCode::TOO_MANY_REQUESTS, text);
        reply.header(RETRY_AFTER, "5");
        return Ok(reply);
    };
    let ringing = tokio::spawn(async move {
        let _share = share;
        command(&app, &actor, None, api, argument, RINGING).await
    });
    let response = match tokio::time::timeout(AT_ONCE, ringing).await {
        // It rings.
        Err(_) => format!("+OK {channel}"),
        Ok(Ok(answer)) => answer?,
        Ok(Err(error)) => return Err(Failure::Broken(error.to_string())),
    };
    Ok(commanded(message, &response, channel))
}

pub(super) async fn status(call: Call, member: Member, (): ()) -> Outcome {
    let own = call.app.store.channels(member.tenant().id).await?;
    let switches: BTreeSet<&String> = own.values().collect();
    let mut channels = Vec::new();
    if switches.is_empty() && !call.app.publisher.switches().iter().any(|switch| switch.connected) {
        return Err(failure(&CommandError::NoSwitch));
    }
    for name in switches {
        let shown = call.app.publisher.command(
            Some(name.clone()),
            Api::Show,
            "channels as json".to_owned(),
            DEADLINE,
        );
        let text = shown.await.map_err(|error| failure(&error))?;
        let parsed: Value = serde_json::from_str(text.trim()).unwrap_or_default();
        let rows = parsed.get("rows").and_then(Value::as_array).cloned().unwrap_or_default();
        // A switch has the channels of all tenants.
        channels.extend(rows.into_iter().filter(|row| {
            row.get("uuid").and_then(Value::as_str).is_some_and(|uuid| own.get(uuid) == Some(name))
        }));
    }
    Ok(Reply::ok(&json!({"count": channels.len(), "channels": channels})))
}

pub(super) async fn hangup(call: Call, member: Member, (channel, cause): (Option<Uuid>, String)) -> Outcome {
    let change = |channel| Control::Hangup { channel, cause };
    run(&call, &member, channel, change, "Hangup command sent.").await
}

pub(super) async fn transfer(
    call: Call,
    member: Member,
    (channel, leg, destination): (Option<Uuid>, Leg, String),
) -> Outcome {
    let change = |channel| Control::Transfer { channel, leg, destination };
    run(&call, &member, channel, change, "Transfer command sent.").await
}

pub(super) async fn hold(call: Call, member: Member, (channel, to): (Option<Uuid>, Switch)) -> Outcome {
    let message = match to {
        Switch::On => "Hold hold command sent.",
        Switch::Off => "Hold unhold command sent.",
        Switch::Toggle => "Hold toggle command sent.",
    };
    let held = run(&call, &member, channel, |channel| Control::Hold { channel, to }, message).await;
    // Music on hold begins, and ends, a moment after FreeSWITCH says so. A call that is taken back before its music has begun has it for ever, and
    // then no end either.
    if held.is_ok() {
        tokio::time::sleep(MUSIC).await;
    }
    held
}

pub(super) async fn recording(call: Call, member: Member, (channel, to): (Option<Uuid>, Switch)) -> Outcome {
    let (channel, switch) = owned(&call, &member, channel).await?;
    let (tenant, actor) = (member.tenant(), call.actor());
    let record = async |on| {
        let (api, argument) = Control::Record { channel, on }.command(tenant.id, &tenant.domain);
        ask(&call.app, &actor, Some(switch.clone()), api, argument, DEADLINE).await
    };
    // Once, though a toggle may take two commands.
    call.app.store.once(&actor).await?;
    let mut on = to == Switch::On;
    let mut response = record(on).await?;
    if to == Switch::Toggle && !response.starts_with("+OK") {
        // FreeSWITCH cannot be asked whether a call is recorded: stopping what is not recorded is an error, and then it begins.
        on = true;
        response = record(on).await?;
    }
    let message = if on { "Recording start command sent." } else { "Recording stop command sent." };
    Ok(commanded(message, &response, channel))
}

pub(super) async fn park(call: Call, member: Member, channel: Option<Uuid>) -> Outcome {
    run(&call, &member, channel, |channel| Control::Park { channel }, "Park command sent.").await
}

pub(super) async fn dtmf(call: Call, member: Member, (channel, digits): (Option<Uuid>, String)) -> Outcome {
    run(&call, &member, channel, |channel| Control::Dtmf { channel, digits }, "DTMF command sent.").await
}

pub(super) async fn bridge(
    call: Call,
    member: Member,
    (channel, other): (Option<Uuid>, Option<Uuid>),
) -> Outcome {
    let (one, other) = (owned(&call, &member, channel).await?, owned(&call, &member, other).await?);
    if one.0 == other.0 {
        // FreeSWITCH takes it, and the channel hangs on itself.
        return Err(Errors::one("other_uuid", "The other uuid field must be another channel.").into());
    }
    if one.1 != other.1 {
        let text = "The two calls are on different switches.";
        return Err(Failure::Answer(StatusCode::CONFLICT, text.to_owned()));
    }
    let other = other.0;
    run(&call, &member, channel, |channel| Control::Bridge { channel, other }, "Bridge command sent.").await
}

pub(super) async fn eavesdrop(
    call: Call,
    member: Member,
    (channel, extension): (Option<Uuid>, String),
) -> Outcome {
    let tenant = member.tenant();
    let (channel, _) = owned(&call, &member, channel).await?;
    let found = call.app.store.extension_by_number(tenant.id, &extension).await?;
    let missing = || Failure::Answer(StatusCode::NOT_FOUND, "Extension not found or inactive.".to_owned());
    let extension = found.filter(|extension| extension.is_active).ok_or_else(missing)?.extension;
    let listener = Uuid::new_v4();
    let control = Control::Eavesdrop { channel, listener, extension };
    ring(&call, tenant, listener, &control, "Eavesdrop command sent.").await
}

/// The channel and its switch, if it is one of the tenant's.
async fn owned(call: &Call, member: &Member, channel: Option<Uuid>) -> Result<(Uuid, String), Failure> {
    let missing = || Failure::NotFound("Call");
    let channel = channel.ok_or_else(missing)?;
    let switch = call.app.store.channel_switch(member.tenant().id, channel).await?;
    Ok((channel, switch.ok_or_else(missing)?))
}

/// Has a switch do something: once, however often the client sends it with one Idempotency-Key.
async fn command(
    app: &App,
    actor: &Actor,
    switch: Option<String>,
    api: Api,
    argument: String,
    deadline: Duration,
) -> Result<String, Failure> {
    app.store.once(actor).await?;
    ask(app, actor, switch, api, argument, deadline).await
}

/// Has a switch do something, for a request whose Idempotency-Key is written.
async fn ask(
    app: &App,
    actor: &Actor,
    switch: Option<String>,
    api: Api,
    argument: String,
    deadline: Duration,
) -> Result<String, Failure> {
    let answer = app.publisher.command(switch, api, argument, deadline).await;
    if answer == Err(CommandError::NoSwitch) {
        app.store.not_done(actor).await?;
    }
    answer.map_err(|error| failure(&error))
}

/// Does something to a channel of the tenant, and tells what FreeSWITCH said.
async fn run(
    call: &Call,
    member: &Member,
    channel: Option<Uuid>,
    control: impl FnOnce(Uuid) -> Control,
    message: &str,
) -> Outcome {
    let (channel, switch) = owned(call, member, channel).await?;
    let tenant = member.tenant();
    let (api, argument) = control(channel).command(tenant.id, &tenant.domain);
    let response = command(&call.app, &call.actor(), Some(switch), api, argument, DEADLINE).await?;
    Ok(commanded(message, &response, channel))
}

fn commanded(message: &str, response: &str, channel: Uuid) -> Reply {
    Reply::ok(&json!({"message": message, "response": response.trim(), "call_uuid": channel}))
}

/// What a client is told whose command did not reach FreeSWITCH, or got no answer.
fn failure(error: &CommandError) -> Failure {
    let text = match error {
        CommandError::NoSwitch => "Unable to connect to FreeSWITCH.".to_owned(),
        error => format!("Unable to connect to FreeSWITCH: {error}."),
    };
    Failure::Answer(StatusCode::SERVICE_UNAVAILABLE, text)
}
