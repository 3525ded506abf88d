//! The bindings against the headers of a FreeSWITCH that is installed here: a C program prints sizes, offsets and enum
//! values as the C compiler sees them, and each must be what Rust was given.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]

use freeswitch_sys::*;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::mem::{offset_of, size_of};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// A C expression, and what Rust says about the same thing.
type Fact = (String, i64);

/// `struct NAME { fields }`: the offsets, and with `sized` also the size.
macro_rules! layout {
    ($facts:ident, sized $name:ident { $($field:ident),* $(,)? }) => {
        $facts.push((concat!("sizeof(struct ", stringify!($name), ")").to_owned(), number(size_of::<$name>())));
        layout!($facts, $name { $($field),* });
    };
    ($facts:ident, $name:ident { $($field:ident),* $(,)? }) => {
        $($facts.push((
            concat!("offsetof(struct ", stringify!($name), ", ", stringify!($field), ")").to_owned(),
            number(offset_of!($name, $field)),
        ));)*
    };
}

/// A C enum: its size and some of its values.
macro_rules! values {
    ($facts:ident, $name:ident { $($value:ident),* $(,)? }) => {
        $facts.push((concat!("sizeof(", stringify!($name), ")").to_owned(), number(size_of::<$name>())));
        $($facts.push((stringify!($value).to_owned(), i64::from($name::$value.0)));)*
    };
}

fn number(size: usize) -> i64 {
    size.try_into().unwrap()
}

fn structs() -> Vec<Fact> {
    let mut facts = Vec::new();
    // Its end grew in 1.10.7 and FreeSWITCH allocates it, so the size is of no concern.
    layout!(
        facts,
        switch_xml { name, attr, txt, free_path, off, next, sibling, ordered, child, parent, flags, refs }
    );
    layout!(facts, sized switch_event {
        event_id, priority, owner, subclass_name, headers, last_header, body, bind_user_data, event_user_data, key,
        next, flags,
    });
    layout!(facts, sized switch_event_header { name, value, array, idx, hash, next });
    layout!(facts, sized switch_stream_handle {
        read_function, write_function, raw_write_function, data, end, data_size, data_len, alloc_len, alloc_chunk,
        param_event,
    });
    layout!(facts, sized switch_loadable_module_function_table { switch_api_version, load, shutdown, runtime, flags });
    layout!(facts, sized switch_loadable_module_interface {
        module_name, dialplan_interface, application_interface, api_interface, rwlock, refs, pool,
    });
    layout!(facts, sized switch_api_interface {
        interface_name, desc, function, syntax, rwlock, refs, reflock, parent, next,
    });
    layout!(facts, sized switch_application_interface {
        interface_name, application_function, long_desc, short_desc, syntax, flags, rwlock, refs, reflock, parent, next,
    });
    layout!(facts, sized switch_dialplan_interface {
        interface_name, hunt_function, rwlock, refs, reflock, parent, next,
    });
    layout!(facts, sized switch_console_callback_match { head, end, count, dynamic });
    layout!(facts, sized switch_console_callback_match_node { val, next });
    facts
}

fn enums() -> Vec<Fact> {
    let mut facts = vec![("SWITCH_API_VERSION".to_owned(), i64::from(SWITCH_API_VERSION))];
    values!(
        facts,
        switch_status_t {
            SWITCH_STATUS_SUCCESS,
            SWITCH_STATUS_FALSE,
            SWITCH_STATUS_GENERR,
            SWITCH_STATUS_MEMERR,
            SWITCH_STATUS_NOUNLOAD,
        }
    );
    values!(
        facts,
        switch_module_interface_name_t {
            SWITCH_DIALPLAN_INTERFACE,
            SWITCH_APPLICATION_INTERFACE,
            SWITCH_API_INTERFACE,
        }
    );
    values!(
        facts,
        switch_log_level_t {
            SWITCH_LOG_ALERT,
            SWITCH_LOG_CRIT,
            SWITCH_LOG_ERROR,
            SWITCH_LOG_WARNING,
            SWITCH_LOG_NOTICE,
            SWITCH_LOG_INFO,
            SWITCH_LOG_DEBUG,
        }
    );
    values!(facts, switch_bool_t { SWITCH_FALSE, SWITCH_TRUE });
    values!(facts, switch_text_channel_t { SWITCH_CHANNEL_ID_LOG, SWITCH_CHANNEL_ID_SESSION });
    // The other bits of this type were renumbered in 1.10.9.
    values!(facts, switch_stack_t { SWITCH_STACK_BOTTOM, SWITCH_STACK_TOP });
    values!(facts, switch_event_flag_t { EF_UNIQ_HEADERS });
    values!(
        facts,
        switch_xml_section_enum_t {
            SWITCH_XML_SECTION_CONFIG,
            SWITCH_XML_SECTION_DIRECTORY,
            SWITCH_XML_SECTION_DIALPLAN,
            SWITCH_XML_SECTION_LANGUAGES,
            SWITCH_XML_SECTION_CHATPLAN,
            SWITCH_XML_SECTION_CHANNELS,
        }
    );
    // Ids below 72 are the same in all releases; the others must be asked for by name.
    values!(
        facts,
        switch_event_types_t {
            SWITCH_EVENT_CUSTOM,
            SWITCH_EVENT_CHANNEL_CREATE,
            SWITCH_EVENT_CHANNEL_HANGUP_COMPLETE,
            SWITCH_EVENT_RELOADXML,
            SWITCH_EVENT_REQUEST_PARAMS,
        }
    );
    facts
}

#[test]
fn bindings_are_what_the_installed_freeswitch_has() {
    let mut facts = structs();
    facts.extend(enums());
    compare(&facts);
}

fn compare(facts: &[Fact]) {
    let Some(include) = installed_headers() else {
        skip("freeswitch-sys layout: no FreeSWITCH headers installed (set FREESWITCH_PREFIX)");
        return;
    };
    let printed = ask_the_c_compiler(&include, facts);
    assert_eq!(printed.len(), facts.len(), "the C program must print one number a fact");
    for ((what, rust), c) in facts.iter().zip(printed) {
        assert_eq!(*rust, c, "{what}: Rust, from {HEADERS}, differs from C, from {}", include.display());
    }
}

fn installed_headers() -> Option<PathBuf> {
    let mut candidates = Vec::new();
    candidates.extend(env::var_os("FREESWITCH_INCLUDE_DIR").map(PathBuf::from));
    candidates
        .extend(env::var_os("FREESWITCH_PREFIX").map(|prefix| Path::new(&prefix).join("include/freeswitch")));
    if let Ok(output) = Command::new("pkg-config").args(["--variable=includedir", "freeswitch"]).output()
        && output.status.success()
    {
        candidates.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    for dir in [
        "/usr/local/freeswitch/include/freeswitch",
        "/usr/include/freeswitch",
        "/usr/local/include/freeswitch",
    ] {
        candidates.push(PathBuf::from(dir));
    }
    candidates.into_iter().find(|dir| dir.join("switch.h").is_file())
}

fn ask_the_c_compiler(include: &Path, facts: &[Fact]) -> Vec<i64> {
    let dir = env::temp_dir().join(format!("freeswitch-sys-layout-{}-{}", std::process::id(), facts.len()));
    fs::create_dir_all(&dir).unwrap();
    let mut program =
        String::from("#include <switch.h>\n#include <stddef.h>\n#include <stdio.h>\nint main(void)\n{\n");
    for (expression, _) in facts {
        writeln!(program, "\tprintf(\"%lld\\n\", (long long) ({expression}));").unwrap();
    }
    program.push_str("\treturn 0;\n}\n");
    fs::write(dir.join("layout.c"), program).unwrap();
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let built = Command::new(compiler)
        .arg("-I")
        .arg(include)
        .arg(dir.join("layout.c"))
        .arg("-o")
        .arg(dir.join("layout"))
        .output()
        .expect("a C compiler is needed: apt-get install build-essential");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let run = Command::new(dir.join("layout")).output().unwrap();
    fs::remove_dir_all(&dir).unwrap();
    String::from_utf8(run.stdout).unwrap().lines().map(|line| line.parse().unwrap()).collect()
}

/// A skip is never silent: it is printed, noted for the summary of the run, and an error where it was forbidden.
fn skip(reason: &str) {
    let required = env::var("NIZAM_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|name| name.trim() == "freeswitch"),
        "NIZAM_REQUIRE=freeswitch, but {reason}"
    );
    eprintln!("skipped: {reason}");
    if let Some(path) = env::var_os("NIZAM_SKIPS") {
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        // One write, so that lines of tests that run at once do not mix.
        file.write_all(format!("{reason}\n").as_bytes()).unwrap();
    }
}
