//! The static document, the last source of every lookup: what `freeswitch.xml` is in FreeSWITCH.

use crate::identity;
use crate::log;
use crate::memory;
use crate::xml_parse;
use crate::xml_tree::Node;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

struct Main(Option<Node>);

// SAFETY: the static document is only read after it was put here, and freed when its count of users is zero.
unsafe impl Send for Main {}

static MAIN: Mutex<Main> = Mutex::new(Main(None));

/// A reference to the static document, to be freed like any tree (`switch_xml_root`).
pub(crate) fn root() -> Option<Node> {
    let main = MAIN.lock().unwrap_or_else(PoisonError::into_inner);
    main.0.inspect(|root| root.add_reference())
}

/// Reads the files of a directory: `*.conf.xml` become section `configuration`, `directory.xml` and `dialplan.xml`
/// what is in their sections.
pub(crate) fn load(dir: Option<&Path>) -> Result<(), String> {
    let mut text = b"<document type=\"freeswitch/xml\"><section name=\"configuration\">".to_vec();
    if let Some(dir) = dir {
        let explain = |error: io::Error| format!("{}: {error}", dir.display());
        let mut names = Vec::new();
        for entry in fs::read_dir(dir).map_err(explain)? {
            names.push(entry.map_err(explain)?.path());
        }
        names.sort();
        for path in names.iter().filter(|path| path.to_string_lossy().ends_with(".conf.xml")) {
            text.extend(read(path)?);
        }
    }
    text.extend_from_slice(b"</section>");
    for section in ["directory", "dialplan"] {
        text.extend_from_slice(format!("<section name=\"{section}\">").as_bytes());
        if let Some(path) =
            dir.map(|dir| dir.join(section).with_extension("xml")).filter(|path| path.is_file())
        {
            text.extend(read(&path)?);
        }
        text.extend_from_slice(b"</section>");
    }
    text.extend_from_slice(b"</document>");
    // SAFETY: a fresh C string, given away.
    let root = unsafe { xml_parse::parse(memory::string(&text)) };
    if !root.error().is_empty() {
        let error = String::from_utf8_lossy(root.error()).into_owned();
        root.free();
        return Err(format!("static XML: {error}"));
    }
    root.make_static();
    replace(Some(root));
    Ok(())
}

/// Drops the static document, once its last user is done.
pub(crate) fn unload() {
    replace(None);
}

fn replace(root: Option<Node>) {
    let old = std::mem::replace(&mut MAIN.lock().unwrap_or_else(PoisonError::into_inner).0, root);
    if let Some(old) = old {
        old.free();
    }
}

/// One file as the preprocessor leaves it: lines with `<include>` or `<?` are dropped whole, `$${name}` is replaced
/// (`switch_xml.c:preprocess`). Files are not included here.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        if line.contains("X-PRE-PROCESS") {
            log::line(
                log::WARNING,
                &format!("{}: the stand-in has no X-PRE-PROCESS: {line}", path.display()),
            );
        } else if !["<include>", "</include>", "<?"].iter().any(|mark| line.contains(mark)) {
            out.push_str(&expand(line));
            out.push('\n');
        }
    }
    Ok(out.into_bytes())
}

fn expand(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("$${") {
        let Some((name, following)) = after.split_once('}') else {
            break;
        };
        out.push_str(before);
        out.push_str(&identity::variable(name).unwrap_or_default());
        rest = following;
    }
    out.push_str(rest);
    out
}
