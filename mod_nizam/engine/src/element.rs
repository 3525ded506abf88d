//! A tree of XML, for the answers that are lists.
//!
//! FreeSWITCH parses a flat list in quadratic time, so the module builds these through the node API instead
//! (`switch_xml.c:switch_xml_insert`).

use crate::{Sink, Unwritable};
use nizam_wire::xml;

/// An element with attributes and children, and no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Element {
    /// Tag.
    pub name: &'static str,
    /// Attributes in order.
    pub attributes: Vec<(&'static str, String)>,
    /// Children in order.
    pub children: Vec<Element>,
}

impl Element {
    /// An empty element.
    pub fn new(name: &'static str) -> Self {
        Self { name, attributes: Vec::new(), children: Vec::new() }
    }

    /// With an attribute.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// With a child.
    #[must_use]
    pub fn child(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// Whether every attribute reaches FreeSWITCH as it is.
    pub fn is_writable(&self) -> bool {
        self.attributes.iter().all(|(_, value)| xml::text(&mut Discard, value).is_ok())
            && self.children.iter().all(Self::is_writable)
    }

    /// The element as text.
    pub fn write(&self, out: &mut impl Sink) -> Result<(), Unwritable> {
        out.put(b"<");
        out.put(self.name.as_bytes());
        for (name, value) in &self.attributes {
            xml::attribute(out, name, value)?;
        }
        if self.children.is_empty() {
            out.put(b"/>");
            return Ok(());
        }
        out.put(b">");
        for child in &self.children {
            child.write(out)?;
        }
        out.put(b"</");
        out.put(self.name.as_bytes());
        out.put(b">");
        Ok(())
    }
}

struct Discard;

impl Sink for Discard {
    fn put(&mut self, _: &[u8]) {}
    fn clear(&mut self) {}
}
