//! Generates the bindings from FreeSWITCH's headers, and notes which headers those were.

#[path = "build/headers.rs"]
mod headers;

use std::error::Error;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::{env, fs};

/// Everything that `mod_nizam` calls. All exist with one prototype from 1.10.0 to 1.11.2; a module is opened with
/// `RTLD_NOW`, so one name that a release lacks would keep the module from loading there.
const FUNCTIONS: &[&str] = &[
    "switch_loadable_module_create_module_interface",
    "switch_loadable_module_create_interface",
    "switch_xml_bind_search_function_ret",
    "switch_xml_unbind_search_function",
    "switch_xml_parse_str_dynamic",
    "switch_xml_error",
    "switch_xml_new",
    "switch_xml_add_child_d",
    "switch_xml_set_attr_d",
    "switch_xml_free",
    "switch_xml_child",
    "switch_xml_attr",
    "switch_xml_attr_soft",
    "switch_xml_open_cfg",
    "switch_event_bind_removable",
    "switch_event_unbind",
    "switch_name_event",
    "switch_event_create_subclass_detailed",
    "switch_event_add_header_string",
    "switch_event_fire_detailed",
    "switch_event_destroy",
    "switch_event_reserve_subclass_detailed",
    "switch_event_free_subclass_detailed",
    "switch_console_set_complete",
    "switch_console_add_complete_func",
    "switch_console_del_complete_func",
    "switch_console_push_match",
    "switch_console_stream_write",
    "switch_console_stream_raw_write",
    "switch_api_execute",
    "switch_core_session_get_channel",
    "switch_channel_get_caller_profile",
    "switch_channel_get_variable_dup",
    "switch_caller_get_field_by_name",
    "switch_caller_extension_new",
    "switch_caller_extension_add_application",
    "switch_log_printf",
    "switch_core_get_variable_dup",
    "switch_core_get_uuid",
    "switch_core_get_switchname",
    "switch_version_full",
];

/// Types that no function of the list mentions.
const TYPES: &[&str] = &[
    "switch_api_interface",
    "switch_application_interface",
    "switch_console_callback_match_node",
    "switch_dialplan_interface",
    "switch_event_flag_t",
    "switch_loadable_module_function_table",
    "switch_loadable_module_interface",
    "switch_stream_handle",
    "switch_text_channel_t",
    "switch_xml_flag_t",
    "switch_xml_section_enum_t",
    "switch_module_flag_enum_t",
];

/// Only ever pointed at: their fields change between releases, and reading one would tie us to a release.
const OPAQUE: &[&str] = &[
    "switch_(asr|chat|chat_application|codec|database|directory|endpoint|file|json_api|limit|management|say|speech|timer)_interface",
    "switch_(caller_extension|caller_profile|channel|codec|core_session|frame|xml_binding|event_node)",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=build");
    let out_dir = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set; run this through cargo")?);
    let headers = headers::find(&out_dir)?;

    let mut builder = bindgen::Builder::default()
        .header_contents("freeswitch.h", "#include <switch.h>\n")
        .clang_args(headers.dirs.iter().map(|dir| format!("-I{}", dir.display())))
        .allowlist_var("SWITCH_API_VERSION")
        .default_enum_style(bindgen::EnumVariation::NewType { is_bitfield: false, is_global: false })
        .formatter(bindgen::Formatter::None)
        .rust_edition(bindgen::RustEdition::Edition2024)
        .generate_comments(false)
        .derive_debug(false)
        .use_core()
        .layout_tests(true);
    for name in FUNCTIONS {
        builder = builder.allowlist_function(name);
    }
    for name in TYPES {
        builder = builder.allowlist_type(name);
    }
    for pattern in OPAQUE {
        builder = builder.opaque_type(pattern);
    }
    let bindings = builder.generate().map_err(|error| format!("headers of {}: {error}", headers.source))?;
    bindings.write_to_file(out_dir.join("bindings.rs"))?;

    let mut origin = String::new();
    writeln!(origin, "/// The headers that these bindings were generated from.")?;
    writeln!(origin, "pub const HEADERS: &str = {:?};", headers.source)?;
    writeln!(origin, "/// Where those headers were when this was built; tests compile C against them.")?;
    writeln!(origin, "pub const INCLUDE_DIRS: &[&str] = &{:?};", headers.dirs)?;
    fs::write(out_dir.join("origin.rs"), origin)?;
    Ok(())
}
