//! The module while it is loaded.

use crate::config::{Config, Mode};
use crate::host::{
    self, Answer, Completions, Core, EventBinding, Level, Question, XmlBinding, log, set_level, would_log,
};
use crate::lookup::{self, Manner};
use crate::worker::Worker;
use arc_swap::ArcSwapOption;
use crossbeam_channel::{Receiver, Sender, bounded};
use nizam_engine::command::{self, Facts};
use nizam_engine::link::{Client, Identity, LinkNote};
use nizam_engine::{DialplanQuestion, Engine, Route};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Instant;

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
    reread: Sender<()>,
    running: Mutex<Option<Running>>,
}

/// What must be undone at unload.
struct Running {
    xml: XmlBinding,
    event: EventBinding,
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

    /// Takes what may change while loaded from a file that was read again.
    fn take(&self, config: &Config) {
        set_level(config.level);
        let shadow = config.mode == Mode::Shadow;
        if self.shadow.swap(shadow, Ordering::Relaxed) != shadow {
            self.worker.gateways();
        }
        let kept = |config: &Config| {
            (config.socket.clone(), config.snapshot.clone(), config.gateway_profile.clone())
        };
        if kept(config) != kept(&self.config) {
            log(
                Level::Warning,
                "nizam.conf.xml: socket, snapshot and gateway-profile change with the next load of mod_nizam",
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
    let worker = Arc::<Worker>::default();
    let asked = Arc::clone(&worker);
    let note = move |note: LinkNote<'_>| match note {
        LinkNote::Info(text) => log(Level::Notice, text),
        LinkNote::Warning(text) => log(Level::Warning, text),
        LinkNote::Gateways => asked.gateways(),
    };
    let client = Arc::new(Client::new(Arc::clone(&engine), config.socket.clone(), identity, Box::new(note)));
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
        reread,
        running: Mutex::new(None),
        config,
    });
    MODULE.store(Some(Arc::clone(&module)));
    let running = run(&module, &reread_asked).inspect_err(|_| {
        MODULE.store(None);
        module.client.stop();
        module.worker.stop();
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
    let threads = link_thread(module)
        .and_then(|link| Ok(vec![link, worker_thread(module)?, config_thread(reread_asked.clone())?]));
    match threads {
        Ok(threads) => Ok(Running { xml, event, completions: Completions::new(), threads }),
        Err(error) => {
            event.unbind();
            xml.unbind();
            Err(format!("no thread could be started: {error}"))
        }
    }
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

/// Stops everything; when this returns, no code of ours runs in FreeSWITCH.
pub(crate) fn stop() {
    let Some(module) = MODULE.load_full() else { return };
    let running = module.running.lock().unwrap_or_else(PoisonError::into_inner).take();
    module.client.stop();
    module.worker.stop();
    if let Some(Running { xml, event, completions, threads }) = running {
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
