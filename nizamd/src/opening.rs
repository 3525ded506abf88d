//! Opening what a command works on: the state directory, the key, the database.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use nizam_store::{Key, Keyring, Store, StoreError};

use crate::broadcast::{Broadcaster, Pace};
use crate::config::Config;
use crate::fatal::Fatal;

/// Takes the state directory for this daemon alone, for as long as the answer lives: two that write one snapshot, and hear
/// of each other's writes late, would both be wrong.
pub fn lock(config: &Config) -> Result<File, Fatal> {
    state_dir(&config.state_dir)?;
    let path = config.state_dir.join("nizamd.lock");
    let fatal = |e| Fatal::new(format!("cannot lock {}: {e}", path.display()));
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path).map_err(fatal)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Fatal::new(format!(
            "another nizamd serves from {}: stop it, or set NIZAM_STATE_DIR to another directory",
            config.state_dir.display()
        ))),
        Err(TryLockError::Error(e)) => Err(fatal(e)),
    }
}

/// Refuses to serve a new, empty database in the place of one that was there: all tenants would be gone from the
/// switches at once, and from the snapshot.
pub fn not_lost(config: &Config) -> Result<(), Fatal> {
    let Some(file) = Store::file(&config.database_url).filter(|file| !file.exists()) else { return Ok(()) };
    if !config.snapshot_dir.join("stack").exists() {
        return Ok(());
    }
    Err(Fatal::new(format!(
        "the database {} is missing, but {} shows that there was one: restore it, or run `nizamd migrate` to begin with an \
         empty one",
        file.display(),
        config.snapshot_dir.display()
    )))
}

/// Refuses to look into a database that is not there: an empty one would be made, and all would seem to be well.
pub fn there(config: &Config) -> Result<(), Fatal> {
    match Store::file(&config.database_url).filter(|file| !file.exists()) {
        None => Ok(()),
        Some(file) => Err(Fatal::new(format!(
            "there is no database {}; check NIZAM_DATABASE_URL (key database_url)",
            file.display()
        ))),
    }
}

/// Opens the database, and makes directory, key and database where there are none.
pub async fn store(config: &Config) -> Result<Store, Fatal> {
    state_dir(&config.state_dir)?;
    let keys = Keys::find(config)?;
    Store::open(&config.database_url, Keyring::of(&keys.keys)).await.map_err(|error| {
        if let (StoreError::WrongKey, true, Some(path)) = (&error, keys.made, &keys.file) {
            // A key for a database that has another one would only hide that the right one is missing.
            let _gone = std::fs::remove_file(path);
        }
        explain(error)
    })
}

/// What all sockets have in common. Where its secret is not configured it is made of the key of the database, which all nodes have.
pub fn broadcaster(config: &Config) -> Result<Broadcaster, Fatal> {
    let secret = if let Some(secret) = &config.broadcast_secret {
        secret.reveal().to_owned()
    } else {
        let keys = Keys::find(config)?;
        let first = keys.keys.first().ok_or_else(|| Fatal::new("there is no key"))?;
        first.derive("broadcast").to_string()
    };
    Ok(Broadcaster::new(config.broadcast_key.clone(), secret, Pace::default()))
}

fn explain(error: StoreError) -> Fatal {
    match error {
        StoreError::Url(_) => Fatal::config(format!("NIZAM_DATABASE_URL (key database_url): {error}")),
        StoreError::File(..) | StoreError::Unusable(..) => {
            Fatal::new(format!("{error}; check NIZAM_DATABASE_URL, and that this user may write there"))
        }
        other => Fatal::new(other.to_string()),
    }
}

/// Makes the state directory, and sees that it can be written.
fn state_dir(path: &Path) -> Result<(), Fatal> {
    let fatal = |e| {
        Fatal::new(format!(
            "cannot write to the state directory {}: {e}; make it writable for this user, or set NIZAM_STATE_DIR",
            path.display()
        ))
    };
    DirBuilder::new().recursive(true).mode(0o750).create(path).map_err(fatal)?;
    let probe = path.join(format!(".probe-{}", std::process::id()));
    File::create(&probe).map_err(fatal)?;
    std::fs::remove_file(probe).map_err(fatal)
}

/// The keys of the database; the first one seals.
pub struct Keys {
    /// The keys.
    pub keys: Vec<Key>,
    /// The file that they are in, where this program may write it.
    pub file: Option<PathBuf>,
    made: bool,
}

impl Keys {
    /// The keys: from the configuration, else from the credential, else from their file, which is made if there is none.
    pub fn find(config: &Config) -> Result<Self, Fatal> {
        if let Some(text) = &config.app_key {
            let keys = parse(text.reveal()).ok_or_else(|| {
                Fatal::new(
                    "NIZAM_APP_KEY (key app_key) must be 32 bytes in base64, or several such keys with commas between them; \
                     `openssl rand -base64 32` prints such a key",
                )
            })?;
            return Ok(Self { keys, file: None, made: false });
        }
        if let Some(directory) = std::env::var_os("CREDENTIALS_DIRECTORY") {
            let path = Path::new(&directory).join("app-key");
            if path.exists() {
                return Ok(Self { keys: read(&path)?, file: None, made: false });
            }
        }
        let path = config.state_dir.join("app.key");
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => {
                let key = random()?;
                save(file, std::slice::from_ref(&key))
                    .map_err(|e| Fatal::new(format!("cannot write the key {}: {e}", path.display())))?;
                Ok(Self { keys: vec![key], file: Some(path), made: true })
            }
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                Ok(Self { keys: read(&path)?, file: Some(path), made: false })
            }
            Err(e) => Err(Fatal::new(format!("cannot write the key {}: {e}", path.display()))),
        }
    }

    /// Writes the file anew, in one step: after a crash it is either the old one or the new one.
    pub fn write(&self, keys: &[Key]) -> Result<(), Fatal> {
        let Some(path) = &self.file else { return Ok(()) };
        let fatal = |e| Fatal::new(format!("cannot write the key {}: {e}", path.display()));
        let part = path.with_extension("key.part");
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part);
        save(file.map_err(fatal)?, keys).map_err(fatal)?;
        std::fs::rename(&part, path).map_err(fatal)?;
        let directory = path.parent().unwrap_or(Path::new("."));
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(fatal)
    }
}

/// A new key.
pub fn random() -> Result<Key, Fatal> {
    Key::random().ok_or_else(|| Fatal::new("the system gives no random numbers for a key"))
}

/// Keys with commas or lines between them.
fn parse(text: &str) -> Option<Vec<Key>> {
    let parts = text.split([',', '\n']).map(str::trim).filter(|part| !part.is_empty());
    let keys: Option<Vec<Key>> = parts.map(Key::parse).collect();
    keys.filter(|keys| !keys.is_empty())
}

fn save(mut file: File, keys: &[Key]) -> std::io::Result<()> {
    for key in keys {
        file.write_all(key.to_text().as_bytes())?;
        file.write_all(b"\n")?;
    }
    // The database must not outlive its key.
    file.sync_all()
}

fn read(path: &Path) -> Result<Vec<Key>, Fatal> {
    let text = std::fs::read_to_string(path)
        .map_err(|e| Fatal::new(format!("cannot read the key {}: {e}", path.display())))?;
    parse(&text).ok_or_else(|| {
        Fatal::new(format!("the key {} is not 32 bytes in base64; restore it from a backup", path.display()))
    })
}
