//! The module while it is loaded.

use crate::config::{Config, Mode};
use crate::host::{
    self, Answer, Command, Completions, Core, EventBinding, Hooks, Level, Question, XmlBinding, log,
    set_level, would_log,
};
use crate::lookup::{self, Manner};
use crate::worker::Worker;
use arc_swap::ArcSwapOption;
use crossbeam_channel::{Receiver, Sender, bounded};
use nizam_engine::command::{self, Facts};
use nizam_engine::link::{Client, Identity, LinkNote, Workers};
use nizam_engine::spool::{Settings, Spool, SpoolError, SpoolNote};
use nizam_engine::{DialplanQuestion, Engine, Route};
use nizam_wire::link::{Api, GATEWAY, RECORDINGS};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, Builder, JoinHandle};
use std::time::{Duration, Instant};

/// The loaded module. Statics outlive an unload, because the library stays mapped.
static MODULE: ArcSwapOption<Module> = ArcSwapOption::const_empty();

/// First release with the gate against commands in SIP MESSAGE requests.
const SAFE_RELEASE: (u32, u32, u32) = (1, 11, 3);

struct Module {
    engine: Arc<Engine>,
    core: Core,
    config: Config,
    shadow: AtomicBool,
    debug: AtomicBool,
    loaded: Instant,
    client: Arc<Client>,
    worker: Arc<Worker>,
    commands: Arc<Workers>,
    reread: Sender<()>,
    running: Mutex<Option<Running>>,
}

/// What must be undone at unload.
struct Running {
    xml: XmlBinding,
    event: EventBinding,
    hooks: Hooks,
    completions: Completions,
    threads: Vec<JoinHandle<()>>,
}

impl Module {
    fn mode(&self) -> Mode {
        if self.shadow.load(Ordering::Relaxed) { Mode::Shadow } else { Mode::Authoritative }
    }

    fn manner(&self) -> Manner {
        Manner { mode: self.mode(), debug: self.debug.load(Ordering::Relaxed) }
    }

    fn facts(&self) -> Facts {
        Facts {
            module_version: env!("CARGO_PKG_VERSION").to_owned(),
            freeswitch_version: self.core.version.clone(),
            switch_name: self.core.switch_name.clone(),
            mode: self.mode().as_str(),
            socket: self.config.socket.display().to_string(),
            snapshot: self.config.snapshot.display().to_string(),
            uptime: self.loaded.elapsed(),
            panics: host::panics(),
            debug: self.debug.load(Ordering::Relaxed),
        }
    }

    /// Has all threads end; those that run commands have ended then.
    fn halt(&self) {
        if let Some(spool) = self.engine.spool.load_full() {
            spool.stop();
        }
        self.client.stop();
        self.worker.stop();
        self.commands.stop();
    }

    /// Takes what may change while loaded from a file that was read again.
    fn take(&self, config: &Config) {
        set_level(config.level);
        let shadow = config.mode == Mode::Shadow;
        if self.shadow.swap(shadow, Ordering::Relaxed) != shadow {
            self.worker.gateways();
        }
        let kept = |config: &Config| {
            (
                config.socket.clone(),
                config.snapshot.clone(),
                config.gateway_profile.clone(),
                config.events.clone(),
            )
        };
        if kept(config) != kept(&self.config) {
            log(
                Level::Warning,
                "nizam.conf.xml: socket, snapshot, gateway-profile and where events are kept change with the next load of mod_nizam",
            );
        }
    }
}

/// Starts everything. Nothing is left behind by an error.
pub(crate) fn start() -> Result<(), String> {
    let core = Core::read();
    let config = Config::read();
    set_level(config.level);
    log(Level::Notice, &format!("mod_nizam {} in FreeSWITCH {}", env!("CARGO_PKG_VERSION"), core.version));
    warn_of_old_release(&core.version);
    let engine = Arc::new(Engine::default());
    let said = engine.load_snapshot(&config.snapshot);
    log(Level::Notice, &said);
    if config.mode == Mode::Shadow {
        log(Level::Notice, "mode is shadow: nothing is answered, what would have been is logged");
    }
    let identity = Identity {
        switch_name: core.switch_name.clone(),
        core_uuid: core.uuid.clone(),
        freeswitch_version: core.version.clone(),
        module_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    match spool(&settings(&core, &config)) {
        Ok(spool) => engine.spool.store(Some(Arc::new(spool))),
        Err(error) => {
            log(Level::Error, &format!("events are not kept, and no CDRs are made of calls: {error}"));
        }
    }
    let commands = Workers::start(Box::new(run_command))
        .map_err(|error| format!("no thread could be started: {error}"))?;
    let commands = Arc::new(commands);
    let worker = Arc::<Worker>::default();
    let asked = Arc::clone(&worker);
    let note = move |note: LinkNote<'_>| match note {
        LinkNote::Info(text) => log(Level::Notice, text),
        LinkNote::Warning(text) => log(Level::Warning, text),
        LinkNote::Gateways => asked.gateways(),
    };
    let client = Client::new(Arc::clone(&engine), config.socket.clone(), identity, Box::new(note));
    let client = Arc::new(client.with_commands(Arc::clone(&commands) as _));
    // What the snapshot gave, mod_sofia may not know yet.
    worker.gateways();
    let (reread, reread_asked) = bounded(1);
    let module = Arc::new(Module {
        engine,
        core,
        shadow: AtomicBool::new(config.mode == Mode::Shadow),
        debug: AtomicBool::new(false),
        loaded: Instant::now(),
        client,
        worker,
        commands,
        reread,
        running: Mutex::new(None),
        config,
    });
    MODULE.store(Some(Arc::clone(&module)));
    let running = run(&module, &reread_asked).inspect_err(|_| {
        MODULE.store(None);
        module.halt();
    })?;
    *module.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(running);
    Ok(())
}

fn run(module: &Arc<Module>, reread_asked: &Receiver<()>) -> Result<Running, String> {
    let xml = XmlBinding::new()?;
    let event = match EventBinding::reload_xml() {
        Ok(event) => event,
        Err(error) => {
            xml.unbind();
            return Err(error);
        }
    };
    let threads = threads(module, reread_asked);
    match threads {
        Ok(threads) => {
            Ok(Running { xml, event, hooks: Hooks::new(), completions: Completions::new(), threads })
        }
        Err(error) => {
            event.unbind();
            xml.unbind();
            Err(format!("no thread could be started: {error}"))
        }
    }
}

fn threads(module: &Arc<Module>, reread_asked: &Receiver<()>) -> std::io::Result<Vec<JoinHandle<()>>> {
    let mut threads =
        vec![link_thread(module)?, worker_thread(module)?, config_thread(reread_asked.clone())?];
    if let Some(spool) = module.engine.spool.load_full() {
        threads.push(spool_thread(module, spool)?);
    }
    Ok(threads)
}

/// Moves events from memory to the disk.
fn spool_thread(module: &Arc<Module>, spool: Arc<Spool>) -> std::io::Result<JoinHandle<()>> {
    let client = Arc::clone(&module.client);
    Builder::new().name("nizam-spool".into()).spawn(move || {
        spool.run(&|| client.wake(), &|note| match note {
            SpoolNote::Info(text) => log(Level::Notice, &text),
            SpoolNote::Warning(text) => log(Level::Warning, &text),
        });
    })
}

/// Makes the place where events are kept. What was unloaded a moment ago may still have it, for as long as an answer takes.
fn spool(settings: &Settings) -> Result<Spool, SpoolError> {
    for _ in 0..20 {
        if let Ok(spool) = Spool::new(settings.clone()) {
            return Ok(spool);
        }
        thread::sleep(Duration::from_millis(50));
    }
    Spool::new(settings.clone())
}

/// Where events are kept.
fn settings(core: &Core, config: &Config) -> Settings {
    let events = &config.events;
    let beside = || config.snapshot.parent().unwrap_or(&config.snapshot).join("spool");
    let directory = events.directory.clone().unwrap_or_else(beside);
    let ring = events.ring.clone().unwrap_or_else(|| Settings::usual_ring(&core.switch_name, &directory));
    Settings { ring, ring_size: events.ring_size, directory, limit: events.limit, core: core.uuid.clone() }
}

fn link_thread(module: &Arc<Module>) -> std::io::Result<JoinHandle<()>> {
    let client = Arc::clone(&module.client);
    Builder::new().name("nizam-link".into()).spawn(move || client.run())
}

fn worker_thread(module: &Arc<Module>) -> std::io::Result<JoinHandle<()>> {
    let module = Arc::clone(module);
    Builder::new().name("nizam-worker".into()).spawn(move || {
        module.worker.run(&module.engine, &module.config.gateway_profile, || module.mode());
    })
}

/// Reads the configuration again where FreeSWITCH's event thread must not wait for it. Ends with its sender.
fn config_thread(asked: Receiver<()>) -> std::io::Result<JoinHandle<()>> {
    Builder::new().name("nizam-config".into()).spawn(move || {
        for () in asked {
            let config = Config::read();
            if let Some(module) = MODULE.load().as_ref() {
                module.take(&config);
            }
        }
    })
}

/// Runs a command of the daemon, which does not know where this FreeSWITCH keeps recordings, and may only look at gateways.
fn run_command(api: Api, argument: &str) -> Result<String, String> {
    let command = Command::Daemon(api);
    match api {
        Api::Gateway => host::run(command, &format!("{GATEWAY} {argument}")),
        Api::Record => {
            let directory = host::recordings().ok_or("FreeSWITCH has no recordings_dir")?;
            host::run(command, &argument.replace(RECORDINGS, &directory))
        }
        _ => host::run(command, argument),
    }
}

/// Stops everything; when this returns, no code of ours runs in FreeSWITCH.
pub(crate) fn stop() {
    let Some(module) = MODULE.load_full() else { return };
    let running = module.running.lock().unwrap_or_else(PoisonError::into_inner).take();
    module.worker.stop();
    if let Some(Running { xml, event, hooks, completions, threads }) = running {
        hooks.unbind();
        module.halt();
        event.unbind();
        xml.unbind();
        completions.remove();
        MODULE.store(None);
        // The configuration thread ends when the last sender is gone.
        drop(module);
        for thread in threads {
            if thread.join().is_err() {
                log(Level::Error, "a thread of mod_nizam ended with a panic");
            }
        }
    }
    log(Level::Notice, "mod_nizam stopped");
}

/// Answers a lookup.
pub(crate) fn answer(question: &Question<'_>) -> Answer {
    match MODULE.load().as_ref() {
        None => Answer::Pass,
        Some(module) => lookup::answer(&module.engine, module.manner(), question),
    }
}

/// Routes a call.
pub(crate) fn route(question: &DialplanQuestion<'_>) -> Option<Route> {
    MODULE.load().as_ref().and_then(|module| lookup::hunt(&module.engine, module.manner(), question))
}

/// Runs a command.
pub(crate) fn command(line: &str) -> String {
    let Some(module) = MODULE.load_full() else { return "-ERR mod_nizam is not loaded\n".to_owned() };
    let reply = command::run(&module.engine, &module.facts(), line);
    if let Some(debug) = reply.debug {
        module.debug.store(debug, Ordering::Relaxed);
        if debug && !would_log(Level::Notice) {
            set_level(Level::Notice);
        }
    }
    reply.text
}

/// The domains in the images, for completion.
pub(crate) fn domains() -> Vec<String> {
    const MOST: usize = 500;
    MODULE.load().as_ref().map_or_else(Vec::new, |module| module.engine.domains(MOST))
}

/// Does that with the place where events are kept, if there is one. Runs on FreeSWITCH's event threads, so it waits for nothing.
pub(crate) fn with_spool(keep: impl FnOnce(&Spool)) {
    if let Some(module) = MODULE.load().as_ref()
        && let Some(spool) = module.engine.spool.load().as_ref()
    {
        keep(spool);
    }
}

/// FreeSWITCH read its files again. Runs on its event thread, so it only leaves a note; one is enough.
pub(crate) fn configuration_changed() {
    if let Some(module) = MODULE.load().as_ref() {
        let _ = module.reread.try_send(());
    }
}

/// CVE-2026-116779: before 1.11.3 an inbound SIP MESSAGE can run API commands.
fn warn_of_old_release(version: &str) {
    let mut numbers =
        version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    let release = (next(), next(), next());
    if release < SAFE_RELEASE {
        log(
            Level::Warning,
            &format!(
                "FreeSWITCH {version} is older than 1.11.3: inbound SIP MESSAGE can run API commands (CVE-2026-116779). \
                 Upgrade, or keep SIP away from strangers and set auth-messages in every sofia profile"
            ),
        );
    }
}
