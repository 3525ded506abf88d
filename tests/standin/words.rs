//! The words of a command line: separated by blanks, percent-encoded where they must be.

use std::ffi::CString;

/// Decodes `%41`; a percent sign that no two digits follow is itself. Bytes need not be UTF-8.
pub(crate) fn decode(word: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(word.len());
    let mut rest = word.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits =
            after.get(..2).filter(|_| byte == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        let decoded = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        if let Some(value) = decoded.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            out.push(value);
            rest = after.get(2..).unwrap_or_default();
        } else {
            out.push(byte);
            rest = after;
        }
    }
    out
}

/// A decoded word for C, which cannot have a null in it.
pub(crate) fn c_string(word: &str) -> Result<CString, String> {
    CString::new(decode(word)).map_err(|_| format!("{word}: a null byte ends a C string"))
}

/// As [`c_string`]; `-` stands for a null pointer.
pub(crate) fn c_string_or_null(word: &str) -> Result<Option<CString>, String> {
    if word == "-" { Ok(None) } else { c_string(word).map(Some) }
}

/// A number.
pub(crate) fn number<T: std::str::FromStr>(word: &str) -> Result<T, String> {
    word.parse().map_err(|_| format!("{word}: not a number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_byte_can_be_sent() {
        assert_eq!(decode("a%20b%ff%22%2"), b"a b\xff\"%2");
        assert_eq!(decode("100%zz"), b"100%zz");
        assert_eq!(decode("%+1"), b"%+1");
        assert!(c_string("a%00b").is_err());
    }
}
