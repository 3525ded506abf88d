//! The argument of a step, as FreeSWITCH takes it.

/// Whether FreeSWITCH runs a step with exactly this argument.
///
/// A NUL ends a C string, control characters are bent by its XML parser, at `<!` it stops escaping
/// (`switch_xml.c:switch_xml_ampencode`), and a step with `\'` in its argument is dropped without a word to the caller
/// (`switch_caller.c:switch_caller_extension_add_application`).
pub fn is_taken(argument: &str) -> bool {
    !argument.bytes().any(|byte| byte.is_ascii_control())
        && ["<!", "\\'"].iter().all(|bent| !argument.contains(bent))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_freeswitch_would_bend_or_drop_is_not_taken() {
        for good in ["", "user/1001@acme.example", "${originate_disposition}", "a'b\"c<d>&é", "a\\b", "!"] {
            assert!(is_taken(good), "{good:?}");
        }
        for bad in ["a\0b", "a\nb", "\u{7f}", "a<!b", "it\\'s"] {
            assert!(!is_taken(bad), "{bad:?}");
        }
    }
}
