//! The command line.

mod admin;
mod check;
mod demo;
mod gateway_status;
mod key;
mod token;

use std::ffi::OsString;
use std::future::Future;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use nizam_store::masked;

use crate::config::Config;
use crate::fatal::Fatal;
use crate::{http, logging, opening, serve};

/// How long what still runs at the end may take.
const LEFT: Duration = Duration::from_secs(1);

/// The control daemon of NIZAM.
#[derive(Parser)]
#[command(name = "nizamd", version)]
struct Cli {
    /// The configuration file [default: /etc/nizam/nizamd.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE", env = "NIZAM_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Answers the REST API and feeds the switches, until SIGTERM
    Serve,
    /// Makes the database, or brings its schema up to date
    Migrate,
    /// Admins of the API
    #[command(subcommand)]
    Admin(Admin),
    /// The key that encrypts secrets in the database
    #[command(subcommand)]
    Key(KeyCommand),
    /// Bearer tokens
    #[command(subcommand)]
    Token(Token),
    /// Makes a tenant to try things with, and prints its passwords
    SeedDemo,
    /// Says of every gateway in force whether it is up; fails if one is down
    GatewayStatus,
    /// Counts CDRs and call events anew, after rows of theirs were written or deleted by hand
    RecountCalls,
    /// Prints the OpenAPI document of the REST API
    Openapi,
    /// Says whether the configuration is right, and which values are in force
    CheckConfig,
}

#[derive(Subcommand)]
enum Admin {
    /// Makes an admin, and prints a bearer token
    Create {
        /// E-mail address, also the login
        #[arg(long)]
        email: String,
        /// Password, at least 8 characters
        #[arg(long)]
        password: String,
        /// Name for people
        #[arg(long, default_value = "Administrator")]
        name: String,
    },
}

#[derive(Subcommand)]
enum KeyCommand {
    /// Seals every secret in the database with a new key; nizamd must not run meanwhile
    Rotate,
}

#[derive(Subcommand)]
enum Token {
    /// Makes a bearer token for a user, and prints it
    Create {
        /// E-mail address of the user
        #[arg(long)]
        email: String,
        /// What the token is called
        #[arg(long, default_value = "command line")]
        name: String,
    },
}

/// Runs the command that the arguments name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Nobody may be listening.
            let _printed = error.print();
            return if error.use_stderr() { ExitCode::from(2) } else { ExitCode::SUCCESS };
        }
    };
    match execute(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fatal) => {
            let _printed = writeln!(std::io::stderr(), "nizamd: {fatal}");
            fatal.exit_code()
        }
    }
}

fn execute(cli: Cli) -> Result<(), Fatal> {
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())));
    let (config, warnings) = Config::load(cli.config.as_deref(), variables)?;
    logging::start(&config)?;
    for warning in &warnings {
        tracing::warn!("{warning}");
    }
    match cli.command {
        Command::Serve => block_on(serve::serve(config)),
        Command::Migrate => block_on(async {
            opening::store(&config).await?.close().await;
            print(&format!("the database {} is up to date", masked(&config.database_url)))
        }),
        Command::Admin(Admin::Create { email, password, name }) => {
            block_on(admin::create(&config, email, password, name))
        }
        Command::Key(KeyCommand::Rotate) => block_on(key::rotate(&config)),
        Command::Token(Token::Create { email, name }) => block_on(token::create(&config, &email, &name)),
        Command::SeedDemo => block_on(demo::seed(&config)),
        Command::GatewayStatus => block_on(gateway_status::show(&config)),
        Command::RecountCalls => block_on(async {
            opening::there(&config)?;
            let store = opening::store(&config).await?;
            let counts = store.recount_calls().await?;
            store.close().await;
            print(&format!("CDRs and call events are counted anew: {counts} counts by tenant and day"))
        }),
        Command::Openapi => print(&format!("{:#}", http::document())),
        Command::CheckConfig => check::show(&config),
    }
}

fn block_on(work: impl Future<Output = Result<(), Fatal>>) -> Result<(), Fatal> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|e| Fatal::new(format!("cannot start threads: {e}")))?;
    let done = runtime.block_on(Box::pin(work));
    // A lookup of a name that hangs cannot be stopped, and keeps nobody from ending.
    runtime.shutdown_timeout(LEFT);
    done
}

/// Prints a line of the result.
fn print(line: &str) -> Result<(), Fatal> {
    writeln!(std::io::stdout(), "{line}").map_err(|e| Fatal::new(format!("cannot print: {e}")))
}
