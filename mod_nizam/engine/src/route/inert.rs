//! Texts that FreeSWITCH takes as they are.

/// Whether FreeSWITCH takes a text as it is in an application's argument: no variable to expand
/// (`switch_channel.c:switch_channel_expand_variables_check`), no escape, and not the `\'` on which
/// `switch_caller.c:switch_caller_extension_add_application` drops the whole step.
pub(super) fn is_inert(text: &str) -> bool {
    !text.bytes().any(|byte| byte == b'$' || byte == b'\\' || byte.is_ascii_control()) && !text.contains("<!")
}

/// Whether a text is inert where blanks and quotes part arguments (`switch_utils.c:switch_separate_string`), or commas and
/// brackets do.
pub(super) fn is_one_word(text: &str) -> bool {
    is_inert(text) && !text.bytes().any(|byte| b" '\",|[]{}<>^".contains(&byte))
}
