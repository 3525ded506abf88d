//! Writing XML that FreeSWITCH reads back as it was meant.

use std::fmt;

/// Where an answer is written: a `Vec`, or C memory that FreeSWITCH will own.
pub trait Sink {
    /// Appends bytes.
    fn put(&mut self, bytes: &[u8]);
    /// Forgets what was appended.
    fn clear(&mut self);
}

impl Sink for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }

    fn clear(&mut self) {
        Self::clear(self);
    }
}

/// A value that FreeSWITCH would not read back as it is. The answer is given up, never bent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unwritable;

impl fmt::Display for Unwritable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value holds a control character or `<!`")
    }
}

/// What becomes of a byte in an attribute value.
fn escape(byte: u8) -> Option<&'static [u8]> {
    Some(match byte {
        b'&' => b"&amp;",
        b'<' => b"&lt;",
        b'>' => b"&gt;",
        b'"' => b"&quot;",
        _ => return None,
    })
}

/// 1 for a byte that cannot be copied as it is.
const SPECIAL: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0_u8;
    loop {
        if matches!(byte, b'&' | b'<' | b'>' | b'"') || byte.is_ascii_control() {
            #[expect(clippy::indexing_slicing, reason = "a byte indexes a table of 256")]
            {
                table[byte as usize] = 1;
            }
        }
        if byte == u8::MAX {
            break table;
        }
        byte += 1;
    }
};

fn is_special(byte: u8) -> bool {
    SPECIAL.get(usize::from(byte)) != Some(&0)
}

/// Whether a text can be copied as it is: nearly all of them. Without a branch a byte, because this is most of what
/// a lookup computes.
fn is_plain(text: &[u8]) -> bool {
    text.iter().fold(0, |any, &byte| any | SPECIAL.get(usize::from(byte)).copied().unwrap_or(1)) == 0
}

/// Appends the text of an attribute value.
///
/// Refused are control characters, which FreeSWITCH's parser turns into blanks or drops, and `<!`: on it
/// `switch_xml.c:switch_xml_ampencode` stops escaping the rest of the value, so that the copy which
/// `switch_xml_locate_user_merged` makes is cut off or gains attributes.
pub fn text(out: &mut impl Sink, value: &str) -> Result<(), Unwritable> {
    let mut rest = value.as_bytes();
    if is_plain(rest) {
        out.put(rest);
        return Ok(());
    }
    while let Some(at) = rest.iter().position(|&byte| is_special(byte)) {
        let (plain, special) = rest.split_at_checked(at).ok_or(Unwritable)?;
        let (&byte, behind) = special.split_first().ok_or(Unwritable)?;
        if byte == b'<' && behind.first() == Some(&b'!') {
            return Err(Unwritable);
        }
        out.put(plain);
        out.put(escape(byte).ok_or(Unwritable)?);
        rest = behind;
    }
    out.put(rest);
    Ok(())
}

/// Appends a text that is ours, and needs no escape.
pub fn literal(out: &mut impl Sink, text: &'static str) {
    out.put(text.as_bytes());
}

/// Appends ` name="value"`.
pub fn attribute(out: &mut impl Sink, name: &str, value: &str) -> Result<(), Unwritable> {
    out.put(b" ");
    out.put(name.as_bytes());
    out.put(b"=\"");
    text(out, value)?;
    out.put(b"\"");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(value: &str) -> Result<String, Unwritable> {
        let mut out = Vec::new();
        text(&mut out, value).map(|()| String::from_utf8_lossy(&out).into_owned())
    }

    #[test]
    fn markup_is_escaped_and_the_rest_left_alone() {
        assert_eq!(written(r#"a&b<c>d"e'f"#).unwrap(), "a&amp;b&lt;c&gt;d&quot;e'f");
        assert_eq!(written("Zoë ${x}").unwrap(), "Zoë ${x}");
        assert_eq!(written("").unwrap(), "");
        assert_eq!(written(&"x\"".repeat(1 << 15)).unwrap().len(), (1 << 15) * 7);
    }

    #[test]
    fn what_freeswitch_would_bend_is_refused() {
        for bad in ["a<!b", "<!", "\0", "line\nbreak", "tab\t", "\u{7f}", "x\r"] {
            assert_eq!(written(bad), Err(Unwritable), "{bad:?}");
        }
    }
}
