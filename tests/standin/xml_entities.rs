//! Character references, both ways: decoding as `switch_xml_decode` does, encoding as `switch_xml_ampencode` does,
//! with its faults, since every user that a module answers with goes through both.

use crate::log;

/// What is being decoded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    /// White space becomes blanks.
    Attribute,
    /// CDATA: only line ends are normalised.
    Verbatim,
}

const ENTITIES: [(&[u8], u8); 5] =
    [(b"&lt;", b'<'), (b"&gt;", b'>'), (b"&quot;", b'"'), (b"&apos;", b'\''), (b"&amp;", b'&')];

/// Decodes in place and answers with the new length: a reference is never shorter than what it stands for.
pub(crate) fn decode(text: &mut [u8], kind: Kind) -> usize {
    let source = text.to_vec();
    let mut rest = source.as_slice();
    let mut decoded = Vec::with_capacity(source.len());
    while let Some((&byte, after)) = rest.split_first() {
        if kind != Kind::Verbatim
            && byte == b'&'
            && let Some(used) = reference(rest, &mut decoded)
        {
            rest = rest.get(used..).unwrap_or_default();
            continue;
        }
        rest = after;
        match byte {
            b'\r' => {
                rest = rest.strip_prefix(b"\n").unwrap_or(rest);
                decoded.push(if kind == Kind::Attribute { b' ' } else { b'\n' });
            }
            b'\t'..=b'\x0c' if kind == Kind::Attribute => decoded.push(b' '),
            _ => decoded.push(byte),
        }
    }
    for (target, byte) in text.iter_mut().zip(&decoded) {
        *target = *byte;
    }
    decoded.len()
}

/// Decodes the reference that `text` begins with and answers with its length; unknown ones stay as they are.
fn reference(text: &[u8], decoded: &mut Vec<u8>) -> Option<usize> {
    for (entity, byte) in ENTITIES {
        if text.starts_with(entity) {
            decoded.push(byte);
            return Some(entity.len());
        }
    }
    let number = text.strip_prefix(b"&#")?;
    let end = number.iter().position(|byte| *byte == b';')?;
    let digits = number.get(..end)?;
    let (digits, radix) = match digits.strip_prefix(b"x") {
        Some(digits) => (digits, 16),
        None => (digits, 10),
    };
    if !digits.first()?.is_ascii_hexdigit() {
        return None;
    }
    let code = u32::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()?;
    if code == 0 || code > 0x7fff_ffff {
        return None;
    }
    push_code(code, decoded);
    Some(end + 3)
}

/// UTF-8 in its first definition (RFC 2279): up to six bytes, surrogates not excluded.
#[expect(clippy::cast_possible_truncation, reason = "masked to what fits a byte")]
fn push_code(code: u32, decoded: &mut Vec<u8>) {
    if code < 0x80 {
        decoded.push(code as u8);
        return;
    }
    let bits = 32 - code.leading_zeros();
    let following = (bits - 2) / 5;
    decoded.push((0xff_u32 << (7 - following)) as u8 | (code >> (6 * following)) as u8);
    for index in (0..following).rev() {
        decoded.push(0x80 | ((code >> (6 * index)) & 0x3f) as u8);
    }
}

/// Writes text, or with `attribute` the value of an attribute.
///
/// `<!` ends all escaping for the rest of the value, so that a quote after it ends the attribute. Bytes above 0x7f
/// become numbers, and what is no UTF-8 is dropped.
pub(crate) fn encode(text: &[u8], attribute: bool, out: &mut Vec<u8>) {
    let mut utf8 = Utf8::default();
    for (index, &byte) in text.iter().enumerate() {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' if text.get(index + 1) == Some(&b'!') => {
                out.extend_from_slice(text.get(index..).unwrap_or_default());
                return;
            }
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'"' if attribute => out.extend_from_slice(b"&quot;"),
            b'\n' if attribute => out.extend_from_slice(b"&#xA;"),
            b'\t' if attribute => out.extend_from_slice(b"&#x9;"),
            b'\r' => out.extend_from_slice(b"&#xD;"),
            b'"' | b'\n' | b'\t' => out.push(byte),
            _ => utf8.push(byte, out),
        }
    }
}

#[derive(Default)]
struct Utf8 {
    expected: u8,
    code: u32,
}

impl Utf8 {
    fn push(&mut self, byte: u8, out: &mut Vec<u8>) {
        if self.expected > 0 {
            if byte >> 6 != 0b10 {
                log::line(log::WARNING, "Invalid UTF-8 character to ampersand, skip it");
                self.expected = 0;
                return;
            }
            self.code = self.code << 6 | u32::from(byte & 0x3f);
            self.expected -= 1;
            if self.expected == 0 {
                out.extend_from_slice(format!("&#x{:X};", self.code).as_bytes());
            }
            return;
        }
        match byte.leading_ones() {
            0 => out.push(byte),
            2 => (self.expected, self.code) = (1, u32::from(byte & 0x1f)),
            3 => (self.expected, self.code) = (2, u32::from(byte & 0x0f)),
            4.. => (self.expected, self.code) = (3, u32::from(byte & 0x07)),
            _ => log::line(log::WARNING, "Invalid UTF-8 first character, skip it"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str, kind: Kind) -> String {
        let mut bytes = text.as_bytes().to_vec();
        let len = decode(&mut bytes, kind);
        String::from_utf8(bytes[..len].to_vec()).unwrap()
    }

    fn encoded(text: &[u8]) -> String {
        let mut out = Vec::new();
        encode(text, true, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn references_are_decoded_once() {
        assert_eq!(decoded("&amp;lt; &lt;&#65;&#x42;&#xE9;", Kind::Text), "&lt; <AB\u{e9}");
        assert_eq!(decoded("&unknown; &#; &#x; &#0; &", Kind::Text), "&unknown; &#; &#x; &#0; &");
    }

    #[test]
    fn white_space_is_normalised_in_attributes_only() {
        assert_eq!(decoded("a\r\nb\tc&#10;d", Kind::Attribute), "a b c\nd");
        assert_eq!(decoded("a\r\nb\rc\t&lt;", Kind::Text), "a\nb\nc\t<");
        assert_eq!(decoded("a\r\n&lt;", Kind::Verbatim), "a\n&lt;");
    }

    #[test]
    fn encoding_has_the_faults_of_the_host() {
        assert_eq!(encoded(b"a\"b<c>&\n"), "a&quot;b&lt;c&gt;&amp;&#xA;");
        assert_eq!(encoded(b"a<!b\" x=\"&"), "a<!b\" x=\"&");
        assert_eq!(encoded("\u{e9}\u{20ac}\u{1f600}".as_bytes()), "&#xE9;&#x20AC;&#x1F600;");
        assert_eq!(encoded(b"a\x80b\xc3Xc"), "abc");
    }
}
