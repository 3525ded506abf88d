//! Files of uploaded prompts. Whatever image names one, its file is there before the image goes live.

use std::collections::HashSet;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nizam_core::compile::{Row, prompt_path};
use nizam_core::resource::Record;
use nizam_core::{Kind, model::Touched};
use nizam_store::{Store, StoreError};
use tracing::{error, warn};
use uuid::Uuid;

/// The directory of all prompts: below it one for each tenant, in that `ID-VERSION.wav`.
#[derive(Clone, Debug)]
pub(super) struct Prompts {
    directory: PathBuf,
}

/// A prompt of which the files of other versions are wanted no more, or none if it is gone.
pub(super) struct Outdated {
    tenant_id: Uuid,
    id: Uuid,
    version: Option<i64>,
}

impl Prompts {
    pub(super) fn new(directory: &Path) -> Self {
        // The switch has another working directory.
        let directory = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
        Self { directory }
    }

    /// The directory, as images name it.
    pub(super) fn directory(&self) -> String {
        self.directory.display().to_string()
    }

    /// Writes the files of the prompts among these rows. A row whose file cannot be written is left out: the switches stay
    /// with what they have. Gives what is outdated once the rest is live.
    pub(super) async fn write(
        &self,
        store: &Store,
        rows: &mut Vec<Row>,
    ) -> Result<Vec<Outdated>, StoreError> {
        let mut outdated = Vec::new();
        let mut failed = HashSet::new();
        for row in rows.iter() {
            match row {
                Row::Record { kind: Kind::Prompt, record } => {
                    if self.put(store, record).await? {
                        let (tenant_id, id, version) = (record.tenant_id, record.id, Some(record.version));
                        outdated.push(Outdated { tenant_id, id, version });
                    } else {
                        failed.insert(record.id);
                    }
                }
                Row::Gone(Touched::Row { kind: Kind::Prompt, tenant_id, id }) => {
                    outdated.push(Outdated { tenant_id: *tenant_id, id: *id, version: None });
                }
                Row::Gone(Touched::TenantGone(tenant_id)) => {
                    outdated.push(Outdated { tenant_id: *tenant_id, id: Uuid::nil(), version: None });
                }
                _ => {}
            }
        }
        rows.retain(
            |row| !matches!(row, Row::Record { kind: Kind::Prompt, record } if failed.contains(&record.id)),
        );
        Ok(outdated)
    }

    /// Writes the file of a prompt, unless it is there. False if that cannot be done.
    pub(super) async fn put(&self, store: &Store, record: &Record) -> Result<bool, StoreError> {
        let path = PathBuf::from(prompt_path(&self.directory(), record));
        if path.exists() {
            return Ok(true);
        }
        let Some(content) = store.prompt_content(record.tenant_id, record.id).await? else {
            error!(prompt = %record.id, "a prompt has no content; it is left out");
            return Ok(false);
        };
        let to = path.clone();
        let written = tokio::task::spawn_blocking(move || save(&to, &content)).await;
        match written.unwrap_or_else(|gone| Err(io::Error::other(gone))) {
            Ok(()) => Ok(true),
            Err(error) => {
                error!(prompt = %record.id, path = %path.display(), %error, "a prompt cannot be written; it is left out");
                Ok(false)
            }
        }
    }

    /// Removes files that no image names any more.
    pub(super) fn remove(&self, outdated: &[Outdated]) {
        for prompt in outdated {
            let directory = self.directory.join(prompt.tenant_id.to_string());
            if prompt.id.is_nil() {
                told(&directory, std::fs::remove_dir_all(&directory));
                continue;
            }
            let begin = format!("{}-", prompt.id);
            // A newer one may have come meanwhile.
            let version = |name: &str| name.strip_prefix(&begin)?.strip_suffix(".wav")?.parse::<i64>().ok();
            let last = prompt.version.unwrap_or(i64::MAX);
            remove_files(&directory, |name| version(name).is_some_and(|version| version < last));
        }
    }

    /// Removes every file but these, before anything is published.
    pub(super) fn keep(&self, files: &HashSet<String>) {
        let Ok(tenants) = std::fs::read_dir(&self.directory) else { return };
        for tenant in tenants.flatten() {
            let directory = tenant.path();
            remove_files(&directory, |name| !files.contains(&directory.join(name).display().to_string()));
            // Fails as long as there is a file in it.
            let _not_empty = std::fs::remove_dir(&directory);
        }
    }
}

fn remove_files(directory: &Path, old: impl Fn(&str) -> bool) {
    let Ok(files) = std::fs::read_dir(directory) else { return };
    for file in files.flatten() {
        if file.file_name().to_str().is_some_and(&old) {
            told(&file.path(), std::fs::remove_file(file.path()));
        }
    }
}

fn told(path: &Path, removed: io::Result<()>) {
    if let Err(error) = removed
        && error.kind() != ErrorKind::NotFound
    {
        warn!(path = %path.display(), %error, "an old prompt cannot be removed");
    }
}

/// Writes a file in one step; FreeSWITCH reads it as one of the group.
fn save(path: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o750).create(directory)?;
    }
    let part = path.with_extension("part");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o640).open(&part)?;
    file.write_all(content)?;
    file.sync_all()?;
    std::fs::rename(part, path)
}
