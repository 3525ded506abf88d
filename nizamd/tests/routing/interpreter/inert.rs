//! Texts that FreeSWITCH takes as they are.

/// Whether a text may stand in a step.
pub(super) fn is_inert(text: &str) -> bool {
    !text.contains(['$', '\\']) && !text.contains("<!") && !text.chars().any(char::is_control)
}
