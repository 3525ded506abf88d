//! Prompts that are uploaded, and downloaded again.

use nizam_core::resource::{PROMPT, Record};
use nizam_core::validate::NewPrompt;
use serde_json::json;
use tokio::sync::mpsc;

use super::call::Call;
use super::failure::Failure;
use super::gate::Member;
use super::present::Shown;
use super::reply::{Outcome, Reply};

pub(super) async fn upload(call: Call, member: Member, new: NewPrompt) -> Outcome {
    let committed = call.app.store.create_prompt(&call.actor(), member.tenant().id, new).await?;
    let record = &committed.value;
    let shown = Shown { resource: &PROMPT, record, also: &[], extra: None };
    let reply = Reply::created(&json!({"data": shown})).etag(record.version);
    Ok(call.written(reply, committed).await)
}

pub(super) async fn download(call: Call, member: Member, prompt: Record, (): ()) -> Outcome {
    let content = call.app.store.prompt_content(member.tenant().id, prompt.id).await?;
    let content = content.ok_or(Failure::NotFound("Prompt"))?;
    let (sender, rest) = mpsc::channel(1);
    // There is room for one part, and this is the only one.
    let _sent = sender.try_send(Ok(content));
    Ok(Reply::download("audio/wav", &format!("{}.wav", prompt.id), rest))
}
