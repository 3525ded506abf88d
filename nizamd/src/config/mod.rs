//! The configuration: a TOML file, and variables `NIZAM_…` that stand above it.

mod environment;
mod file;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use crate::app::FOLLOWERS;
use crate::broadcast::{KEY, SOCKETS};
use crate::fatal::Fatal;
use crate::http::{Bounds, CONNECTIONS, LOGINS, ORIGINATES};
use crate::webhook::{CONCURRENCY, Networks, Policy};
use environment::Environment;
use file::File;

/// Where the file is unless the command line says otherwise; it need not exist.
pub const DEFAULT_FILE: &str = "/etc/nizam/nizamd.toml";

/// Everything that can be configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Address and port of the REST API.
    pub listen: SocketAddr,
    /// The Unix socket to which the module in FreeSWITCH connects.
    pub socket: PathBuf,
    /// Where nizamd keeps what must last.
    pub state_dir: PathBuf,
    /// Where the newest image is kept for modules that start without nizamd.
    pub snapshot_dir: PathBuf,
    /// The database, `sqlite:PATH` or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.
    pub database_url: String,
    /// The key of the secrets in the database, where it is configured and not in a file of its own.
    pub app_key: Option<Secret>,
    /// How many requests a minute are allowed.
    pub bounds: Bounds,
    /// Connections at once.
    pub connections: usize,
    /// Connections that one address may have at once; 0: as many as there are.
    pub connections_per_address: u32,
    /// Streams of events that a tenant may have at once.
    pub streams_per_tenant: u32,
    /// Calls that may be made for a tenant at once; 0: as many as switches make.
    pub originates_per_tenant: u32,
    /// Attempts of one webhook at once.
    pub webhook_concurrency: u32,
    /// Sockets that a tenant may have at once.
    pub sockets_per_tenant: u32,
    /// The key by which programs of the Pusher protocol name this installation.
    pub broadcast_key: String,
    /// What signs their authorisations, where it is configured and not made of the key of the database.
    pub broadcast_secret: Option<Secret>,
    /// Networks that webhooks may reach although they are not public.
    pub webhook_networks: Networks,
    /// Whom webhooks tell again, and when.
    pub webhook_policy: Policy,
    /// Addresses of proxies in front of nizamd, whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Whether anybody may register.
    pub registration: Registration,
    /// What is logged, a filter as of `tracing`.
    pub log: String,
    /// How it is logged.
    pub log_format: LogFormat,
    /// The connection with the module.
    pub link: Link,
}

/// A secret that nobody guesses.
const SHORTEST_SECRET: usize = 16;

/// Few of all: it takes many addresses that hold theirs to keep others out.
const CONNECTIONS_PER_ADDRESS: usize = 175;

/// The connection with the module in FreeSWITCH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Names of the users whose FreeSWITCH may connect; the own user always may.
    pub allow_users: Vec<String>,
}

/// Whether anybody may register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// Anybody; without a tenant the new user can do nothing yet.
    Open,
    /// Nobody; admins make the users.
    Closed,
}

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A text that is not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Config {
    /// Reads the file, if there is one, and the variables. Also gives warnings.
    pub fn load(
        file: Option<&Path>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(Self, Vec<String>), Fatal> {
        let file = match file {
            Some(path) => File::read(path)?,
            None if Path::new(DEFAULT_FILE).exists() => File::read(Path::new(DEFAULT_FILE))?,
            None => File::default(),
        };
        let mut environment = Environment::new(variables);
        let config = Self::merge(file, &mut environment)?;
        Ok((config, environment.unknown()))
    }

    fn merge(file: File, env: &mut Environment) -> Result<Self, Fatal> {
        let bounds = bounds(&file, env)?;
        let webhook_policy = policy(file.webhook_schedule.as_deref(), file.webhook_retry_4xx, env)?;
        let state_dir: PathBuf =
            env.text("STATE_DIR").or(file.state_dir).unwrap_or_else(|| "/var/lib/nizam".to_owned()).into();
        let snapshot_dir = env.text("SNAPSHOT_DIR").or(file.snapshot_dir).map(PathBuf::from);
        let database_url = env.text("DATABASE_URL").or(file.database_url);
        let allow_users = env
            .list("LINK_ALLOW_USERS")
            .or_else(|| file.link.and_then(|link| link.allow_users))
            .unwrap_or_else(|| vec!["root".to_owned(), "freeswitch".to_owned()]);
        Ok(Self {
            listen: choose(
                env.text("LISTEN").or(file.listen),
                "127.0.0.1:8080",
                "NIZAM_LISTEN (key listen)",
                |text| text.parse().map_err(|_| "it must be ADDRESS:PORT, such as 127.0.0.1:8080".to_owned()),
            )?,
            socket: env
                .text("SOCKET")
                .or(file.socket)
                .unwrap_or_else(|| "/run/nizam/nizam.sock".to_owned())
                .into(),
            snapshot_dir: snapshot_dir.unwrap_or_else(|| state_dir.join("snapshot")),
            database_url: database_url
                .unwrap_or_else(|| format!("sqlite:{}", state_dir.join("nizam.db").display())),
            app_key: env.text("APP_KEY").or(file.app_key).map(Secret),
            bounds,
            connections: choose(
                env.text("CONNECTIONS").or(file.connections.map(|n| n.to_string())),
                &CONNECTIONS.to_string(),
                "NIZAM_CONNECTIONS (key connections)",
                |text| match text.parse() {
                    Ok(connections @ 10..=1_000_000) => Ok(connections),
                    _ => Err("it must be a number from 10 to 1000000".to_owned()),
                },
            )?,
            connections_per_address: count(
                env,
                "CONNECTIONS_PER_ADDRESS",
                file.connections_per_address,
                CONNECTIONS_PER_ADDRESS,
            )?,
            streams_per_tenant: count(env, "STREAMS_PER_TENANT", file.streams_per_tenant, FOLLOWERS)?,
            originates_per_tenant: originates(env, file.originates_per_tenant)?,
            webhook_concurrency: webhook_concurrency(
                env.text("WEBHOOK_CONCURRENCY").or(file.webhook_concurrency.map(|n| n.to_string())),
            )?,
            sockets_per_tenant: count(env, "SOCKETS_PER_TENANT", file.sockets_per_tenant, SOCKETS)?,
            broadcast_key: choose(
                env.text("BROADCAST_KEY").or(file.broadcast_key),
                KEY,
                "NIZAM_BROADCAST_KEY (key broadcast_key)",
                broadcast_key,
            )?,
            broadcast_secret: env
                .text("BROADCAST_SECRET")
                .or(file.broadcast_secret)
                .map(broadcast_secret)
                .transpose()?,
            webhook_networks: choose(
                env.text("WEBHOOK_NETWORKS").or(file.webhook_networks.map(|list| list.join(","))),
                "",
                "NIZAM_WEBHOOK_NETWORKS (key webhook_networks)",
                str::parse,
            )?,
            webhook_policy,
            trusted_proxies: choose(
                env.text("TRUSTED_PROXIES").or(file.trusted_proxies.map(|list| list.join(","))),
                "",
                "NIZAM_TRUSTED_PROXIES (key trusted_proxies)",
                addresses,
            )?,
            registration: choose(
                env.text("REGISTRATION").or(file.registration),
                "open",
                "NIZAM_REGISTRATION (key registration)",
                |text| match text {
                    "open" => Ok(Registration::Open),
                    "closed" => Ok(Registration::Closed),
                    _ => Err("it must be open or closed".to_owned()),
                },
            )?,
            // warp logs every connection that a client drops as an error.
            log: env
                .text("LOG")
                .or(file.log)
                .unwrap_or_else(|| "info,warp=off,rustls_platform_verifier=off".to_owned()),
            log_format: choose(
                env.text("LOG_FORMAT").or(file.log_format),
                "text",
                "NIZAM_LOG_FORMAT (key log_format)",
                |text| match text {
                    "text" => Ok(LogFormat::Text),
                    "json" => Ok(LogFormat::Json),
                    _ => Err("it must be text or json".to_owned()),
                },
            )?,
            link: Link { allow_users },
            state_dir,
        })
    }
}

fn webhook_concurrency(text: Option<String>) -> Result<u32, Fatal> {
    let name = "NIZAM_WEBHOOK_CONCURRENCY (key webhook_concurrency)";
    choose(text, &CONCURRENCY.to_string(), name, |text| match text.parse() {
        Ok(attempts @ 1..=64) => Ok(attempts),
        _ => Err("it must be a number from 1 to 64".to_owned()),
    })
}

fn bounds(file: &File, env: &mut Environment) -> Result<Bounds, Fatal> {
    Ok(Bounds {
        requests: choose(
            env.text("RATE_LIMIT").or(file.rate_limit.map(|n| n.to_string())),
            "60",
            "NIZAM_RATE_LIMIT (key rate_limit)",
            a_minute,
        )?,
        logins: choose(
            env.text("LOGIN_RATE_LIMIT").or(file.login_rate_limit.map(|n| n.to_string())),
            &LOGINS.to_string(),
            "NIZAM_LOGIN_RATE_LIMIT (key login_rate_limit)",
            a_minute,
        )?,
        admins: choose(
            env.text("RATE_LIMIT_ADMINS").or(file.rate_limit_admins.map(|on| on.to_string())),
            "true",
            "NIZAM_RATE_LIMIT_ADMINS (key rate_limit_admins)",
            |text| text.parse().map_err(|_| "it must be true or false".to_owned()),
        )?,
    })
}

fn policy(
    schedule: Option<&[String]>,
    retry_4xx: Option<bool>,
    env: &mut Environment,
) -> Result<Policy, Fatal> {
    let default = Policy::default();
    Ok(Policy {
        schedule: choose(
            env.text("WEBHOOK_SCHEDULE").or(schedule.map(|list| list.join(","))),
            &default.schedule.to_string(),
            "NIZAM_WEBHOOK_SCHEDULE (key webhook_schedule)",
            str::parse,
        )?,
        retry_4xx: choose(
            env.text("WEBHOOK_RETRY_4XX").or(retry_4xx.map(|on| on.to_string())),
            &default.retry_4xx.to_string(),
            "NIZAM_WEBHOOK_RETRY_4XX (key webhook_retry_4xx)",
            |text| text.parse().map_err(|_| "it must be true or false".to_owned()),
        )?,
    })
}

fn a_minute(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "it must be a number of requests a minute, or 0".to_owned())
}

/// A number, 0 or more, of the variable or of the key with the same name.
fn count(env: &mut Environment, name: &str, key: Option<u32>, default: usize) -> Result<u32, Fatal> {
    choose(
        env.text(name).or(key.map(|n| n.to_string())),
        &default.to_string(),
        &format!("NIZAM_{name} (key {})", name.to_ascii_lowercase()),
        |text| text.parse().map_err(|_| "it must be a number, 0 or more".to_owned()),
    )
}

fn originates(env: &mut Environment, key: Option<u32>) -> Result<u32, Fatal> {
    count(env, "ORIGINATES_PER_TENANT", key, ORIGINATES)
}

fn broadcast_key(text: &str) -> Result<String, String> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if (1..=64).contains(&text.len()) && text.bytes().all(good) {
        Ok(text.to_owned())
    } else {
        Err("it must be up to 64 letters, digits, - and _".to_owned())
    }
}

/// What is wrong with a secret is said without the secret.
fn broadcast_secret(text: String) -> Result<Secret, Fatal> {
    if text.len() < SHORTEST_SECRET {
        return Err(Fatal::config(format!(
            "NIZAM_BROADCAST_SECRET (key broadcast_secret) must have {SHORTEST_SECRET} characters at least"
        )));
    }
    Ok(Secret(text))
}

fn addresses(text: &str) -> Result<Vec<IpAddr>, String> {
    let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    let parse = |item: &str| item.parse().map_err(|_| format!("{item} is no IP address"));
    items.map(parse).collect()
}

fn choose<T>(
    text: Option<String>,
    default: &str,
    name: &str,
    parse: impl Fn(&str) -> Result<T, String>,
) -> Result<T, Fatal> {
    let text = text.unwrap_or_else(|| default.to_owned());
    parse(&text).map_err(|what| Fatal::config(format!("{name} is {text:?}; {what}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(toml: &str, variables: &[(&str, &str)]) -> Result<(Config, Vec<String>), String> {
        let file = tempfile::NamedTempFile::new().map_err(|e| e.to_string())?;
        std::fs::write(file.path(), toml).map_err(|e| e.to_string())?;
        let variables = variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        Config::load(Some(file.path()), variables).map_err(|e| {
            assert_eq!(e.exit_code(), std::process::ExitCode::from(2));
            e.to_string().replace(&file.path().display().to_string(), "FILE")
        })
    }

    #[test]
    fn variables_stand_above_the_file() {
        let toml = "listen = \"127.0.0.1:1\"\nstate_dir = \"/s\"\n[link]\nallow_users = [\"a\"]\n";
        let (config, _) = load(toml, &[]).unwrap();
        assert_eq!(config.listen.port(), 1);
        assert_eq!(config.database_url, "sqlite:/s/nizam.db");
        assert_eq!(config.snapshot_dir, Path::new("/s/snapshot"));
        assert_eq!(config.link.allow_users, ["a"]);
        let variables = [
            ("NIZAM_LISTEN", "[::1]:2"),
            ("NIZAM_RATE_LIMIT", "0"),
            ("NIZAM_LINK_ALLOW_USERS", "x, y"),
            ("NIZAM_DATABASE_URL", "sqlite:/d"),
            ("NIZAM_APP_KEY", "geheim"),
        ];
        let (config, warnings) = load(toml, &variables).unwrap();
        assert_eq!((config.listen.port(), config.bounds.requests), (2, 0));
        assert_eq!(config.link.allow_users, ["x", "y"]);
        assert_eq!(config.database_url, "sqlite:/d");
        assert!(warnings.is_empty());
        assert!(!format!("{config:?}").contains("geheim"));
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let error = load("listen = \"127.0.0.1:1\"\n\nlissten = 1\n", &[]).unwrap_err();
        assert!(error.starts_with("FILE:3: unknown key `lissten`"), "{error}");
        let error = load("[link]\nallow = []\n", &[]).unwrap_err();
        assert!(error.starts_with("FILE:2: unknown key `allow`"), "{error}");
        let error = load("listen = 7\n", &[]).unwrap_err();
        assert!(error.starts_with("FILE:1: "), "{error}");
    }

    #[test]
    fn wrong_values_are_named() {
        for (name, value) in [
            ("NIZAM_LISTEN", "8080"),
            ("NIZAM_RATE_LIMIT", "-1"),
            ("NIZAM_LOGIN_RATE_LIMIT", "many"),
            ("NIZAM_RATE_LIMIT_ADMINS", "perhaps"),
            ("NIZAM_TRUSTED_PROXIES", "127.0.0.1,proxy"),
            ("NIZAM_WEBHOOK_CONCURRENCY", "65"),
            ("NIZAM_CONNECTIONS", "9"),
            ("NIZAM_BROADCAST_KEY", "a/b"),
            ("NIZAM_REGISTRATION", "maybe"),
            ("NIZAM_LOG_FORMAT", "xml"),
            ("NIZAM_WEBHOOK_SCHEDULE", "5s, tomorrow"),
            ("NIZAM_WEBHOOK_RETRY_4XX", "now and then"),
        ] {
            let error = load("", &[(name, value)]).unwrap_err();
            assert!(error.contains(name) && error.contains(value), "{error}");
        }
    }

    #[test]
    fn a_secret_is_not_shown() {
        let error = load("", &[("NIZAM_BROADCAST_SECRET", "geheim")]).unwrap_err();
        assert!(error.contains("NIZAM_BROADCAST_SECRET") && !error.contains("geheim"), "{error}");
        let (config, _) = load("broadcast_secret = \"geheim-genug-ist-es\"", &[]).unwrap();
        assert!(config.broadcast_secret.is_some() && !format!("{config:?}").contains("geheim"));
    }

    #[test]
    fn an_unknown_variable_is_a_warning() {
        let (_, warnings) = load("", &[("NIZAM_LISTN", "x"), ("PATH", "/bin")]).unwrap();
        assert_eq!(warnings, ["the variable NIZAM_LISTN is not known and has no effect"]);
    }

    #[test]
    fn the_documented_defaults_are_the_defaults() {
        let documented = include_str!("../../../conf/nizamd.toml");
        let (plain, _) = load("", &[]).unwrap();
        assert_eq!(load(documented, &[]).unwrap().0, plain, "as it is shipped, the file changes nothing");
        // Each commented key, taken in, also changes nothing.
        let keys = documented.lines().filter_map(|line| line.strip_prefix("#"));
        let keys = keys.filter(|line| !line.starts_with(' ') && !line.is_empty() && !line.contains('…'));
        let toml: Vec<&str> = keys.collect();
        assert!(toml.len() >= 10, "{toml:?}");
        assert_eq!(load(&toml.join("\n"), &[]).unwrap().0, plain);
    }
}
