//! The parser: destructive and in place, so that a tree points into its document (`switch_xml_parse_str`).
//!
//! Not here: document type declarations with an internal subset, and UTF-16. Both are errors.

use crate::memory;
use crate::xml_attributes::List;
use crate::xml_entities::{self, Kind};
use crate::xml_tree::Node;
use freeswitch_sys::{switch_bool_t, switch_xml_t};
use libc::c_char;
use std::{ptr, slice};

/// Takes a string over, or a copy of it, and answers with a tree; an error is in the tree. The answer is null for an
/// empty string, which then still belongs to the caller.
#[unsafe(no_mangle)]
unsafe extern "C" fn switch_xml_parse_str_dynamic(text: *mut c_char, dup: switch_bool_t) -> switch_xml_t {
    // SAFETY: a C string of the caller.
    let bytes = unsafe { memory::bytes(text) };
    if bytes.is_empty() {
        return ptr::null_mut();
    }
    let buffer = if dup == switch_bool_t::SWITCH_FALSE { text } else { memory::string(bytes) };
    // SAFETY: by the contract of this function the string came from malloc and is given away, or it is our copy.
    unsafe { parse(buffer) }.as_ptr()
}

/// # Safety
/// `buffer` is a C string from the C heap, given away.
pub(crate) unsafe fn parse(buffer: *mut c_char) -> Node {
    // SAFETY: a C string; the slice ends before its null, which nothing moves.
    let len = unsafe { memory::bytes(buffer) }.len();
    // SAFETY: given away by the caller, so this is the only user.
    let text = unsafe { slice::from_raw_parts_mut(buffer.cast::<u8>(), len + 1) };
    let root = Node::new_document(ptr::null_mut());
    root.own_buffer(buffer);
    let mut parser = Parser { text, at: 0, current: Some(root) };
    if let Err(problem) = parser.document() {
        let before = parser.text.get(..problem.at).unwrap_or_default();
        let line = before.split(|byte| *byte == b'\n').count();
        root.set_error(&format!("[error near line {line}]: {}", problem.what));
    }
    root
}

struct Problem {
    at: usize,
    what: String,
}

struct Parser<'a> {
    /// The document and its final null.
    text: &'a mut [u8],
    at: usize,
    /// The innermost open tag; none after the root was closed.
    current: Option<Node>,
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

impl Parser<'_> {
    fn document(&mut self) -> Result<(), Problem> {
        self.skip(|byte| byte != b'<');
        if self.peek() == 0 {
            return self.fail("root tag missing");
        }
        while self.peek() == b'<' {
            self.end_here();
            self.markup()?;
            self.content();
        }
        match self.current {
            None => Ok(()),
            Some(node) if !node.is_named() => self.fail("root tag missing"),
            Some(node) => {
                let name = String::from_utf8_lossy(node.name()).into_owned();
                self.fail(&format!("unclosed tag <{name}>"))
            }
        }
    }

    /// Everything that begins with `<`, which is behind us.
    fn markup(&mut self) -> Result<(), Problem> {
        match self.peek() {
            b'/' => self.closing_tag(),
            b'?' => self.skip_past(b"?>", "unclosed <?"),
            b'!' if self.rest().starts_with(b"!--") => {
                self.at += 3;
                self.skip_past(b"-->", "unclosed <!--")
            }
            b'!' if self.rest().starts_with(b"![CDATA[") => self.cdata(),
            b'!' if self.rest().starts_with(b"!DOCTYPE") => {
                let end = self.rest().iter().position(|byte| matches!(byte, b'>' | b'['));
                if end.and_then(|end| self.rest().get(end)) == Some(&b'[') {
                    return self.fail("the stand-in has no internal subset of <!DOCTYPE");
                }
                self.skip_past(b">", "unclosed <!DOCTYPE")
            }
            b'_' | b':' | 0x80.. => self.opening_tag(),
            byte if byte.is_ascii_alphabetic() => self.opening_tag(),
            _ => self.fail("unexpected <"),
        }
    }

    fn opening_tag(&mut self) -> Result<(), Problem> {
        let Some(mut current) = self.current else {
            return self.fail("markup outside of root element");
        };
        let name = self.pointer();
        self.skip(|byte| !is_space(byte) && !matches!(byte, b'/' | b'>' | 0));
        while is_space(self.peek()) {
            self.end_here();
        }
        let attributes = self.attributes()?;
        let closes_itself = self.peek() == b'/';
        if closes_itself {
            self.end_here();
        }
        if self.peek() != b'>' {
            attributes.release();
            return self.fail("missing >");
        }
        self.end_here();
        if current.is_named() {
            let off = current.text().len();
            current = current.add_child(name, off);
        } else {
            current.set_name(name);
        }
        current.set_attributes(attributes);
        self.current = if closes_itself { current.parent() } else { Some(current) };
        Ok(())
    }

    fn attributes(&mut self) -> Result<List, Problem> {
        let mut list = List::default();
        while !matches!(self.peek(), 0 | b'/' | b'>') {
            let name = self.pointer();
            self.skip(|byte| !is_space(byte) && !matches!(byte, b'=' | b'/' | b'>' | 0));
            let mut value = c"".as_ptr().cast_mut();
            if self.peek() == b'=' || is_space(self.peek()) {
                self.end_here();
                self.skip(|byte| is_space(byte) || byte == b'=');
                let quote = self.peek();
                if matches!(quote, b'"' | b'\'') {
                    self.at += 1;
                    let start = self.at;
                    value = self.pointer();
                    self.skip(|byte| byte != quote && byte != 0);
                    if self.peek() == 0 {
                        list.release();
                        return self.fail(&format!("missing {}", char::from(quote)));
                    }
                    let end = self.at;
                    self.end_here();
                    self.decode(start, end, Kind::Attribute);
                }
            }
            list.push(name, value);
            while is_space(self.peek()) {
                self.at += 1;
            }
        }
        Ok(list)
    }

    fn closing_tag(&mut self) -> Result<(), Problem> {
        self.at += 1;
        let start = self.at;
        self.skip(|byte| !is_space(byte) && !matches!(byte, b'>' | 0));
        let name = self.text.get(start..self.at).unwrap_or_default();
        let Some(current) = self.current.filter(|node| node.name() == name) else {
            let what = format!("unexpected closing tag </{}>", String::from_utf8_lossy(name));
            return self.fail(&what);
        };
        self.skip(is_space);
        if self.peek() != b'>' {
            return self.fail("missing >");
        }
        self.end_here();
        self.current = current.parent();
        Ok(())
    }

    fn cdata(&mut self) -> Result<(), Problem> {
        self.at += b"![CDATA[".len();
        let start = self.at;
        self.skip_past(b"]]>", "unclosed <![CDATA[")?;
        self.take_text(start, self.at - b"]]>".len(), Kind::Verbatim);
        Ok(())
    }

    /// Text up to the next `<`; what is behind the last tag does not count.
    fn content(&mut self) {
        let start = self.at;
        self.skip(|byte| !matches!(byte, b'<' | 0));
        if self.peek() == b'<' && self.at > start {
            let end = self.at;
            self.take_text(start, end, Kind::Text);
            // Its end lies where the next tag begins; the loop, which looks for that, puts the end back.
            self.put(end, b'<');
        }
    }

    fn take_text(&mut self, start: usize, end: usize, kind: Kind) {
        let Some(mut node) = self.current.filter(|node| node.is_named() && end > start) else {
            return;
        };
        self.put(end, 0);
        self.decode(start, end, kind);
        let piece = self.pointer_at(start);
        node.append_text(piece);
    }

    fn decode(&mut self, start: usize, end: usize, kind: Kind) {
        if let Some(piece) = self.text.get_mut(start..end) {
            let len = xml_entities::decode(piece, kind);
            self.put(start + len, 0);
        }
    }

    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or_default()
    }

    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Stops at the final null at the latest: no condition holds for a null.
    fn skip(&mut self, condition: impl Fn(u8) -> bool) {
        while self.peek() != 0 && condition(self.peek()) {
            self.at += 1;
        }
    }

    fn skip_past(&mut self, end: &[u8], otherwise: &str) -> Result<(), Problem> {
        match self.rest().windows(end.len()).position(|window| window == end) {
            Some(offset) => {
                self.at += offset + end.len();
                Ok(())
            }
            None => self.fail(otherwise),
        }
    }

    fn put(&mut self, index: usize, byte: u8) {
        if let Some(target) = self.text.get_mut(index) {
            *target = byte;
        }
    }

    /// Turns this delimiter into the end of the string before it, and goes on.
    fn end_here(&mut self) {
        self.put(self.at, 0);
        self.at += 1;
    }

    fn pointer(&mut self) -> *mut c_char {
        self.pointer_at(self.at)
    }

    fn pointer_at(&mut self, index: usize) -> *mut c_char {
        self.text.get_mut(index..).map_or(ptr::null_mut(), |rest| rest.as_mut_ptr().cast())
    }

    fn fail<T>(&self, what: &str) -> Result<T, Problem> {
        Err(Problem { at: self.at, what: what.to_owned() })
    }
}
