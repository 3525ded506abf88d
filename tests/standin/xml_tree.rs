//! The tree of `switch_xml.h` in its C layout, since modules walk it by its pointers.
//!
//! A tag has three lists: all children in order (`child`, `ordered`), the first child of each name (`child`,
//! `sibling`) and further children of one name (`next`). Strings belong to the document's buffer, or to nobody, or,
//! where a flag says so, to the node.

use crate::memory;
use crate::xml_attributes;
use freeswitch_sys::{switch_bool_t, switch_xml, switch_xml_flag_t, switch_xml_t};
use libc::c_char;
use std::ptr::{self, NonNull};
use std::sync::{Mutex, PoisonError};

const ERROR_LEN: usize = 128;

/// The node that has no parent, with what belongs to the whole document.
#[repr(C)]
pub(crate) struct Root {
    node: switch_xml,
    /// What the parser worked in; freed with the tree.
    buffer: *mut c_char,
    error: [u8; ERROR_LEN],
}

/// Guards the count of users of the static document (`REFLOCK`).
static REFERENCES: Mutex<()> = Mutex::new(());

/// A node of a living tree.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Node(NonNull<switch_xml>);

impl Node {
    /// # Safety
    /// `raw` is null or a node made here, of a tree that outlives every use of the result and that no other thread
    /// changes meanwhile.
    pub(crate) unsafe fn from_raw(raw: switch_xml_t) -> Option<Self> {
        NonNull::new(raw).map(Self)
    }

    pub(crate) fn as_ptr(self) -> switch_xml_t {
        self.0.as_ptr()
    }

    fn get(&self) -> &switch_xml {
        // SAFETY: the promise of `from_raw`.
        unsafe { self.0.as_ref() }
    }

    fn get_mut(&mut self) -> &mut switch_xml {
        // SAFETY: the promise of `from_raw`; no reference to the node outlives a method of this module.
        unsafe { self.0.as_mut() }
    }

    fn link(raw: switch_xml_t) -> Option<Self> {
        // SAFETY: links of a living tree lead to its nodes.
        unsafe { Self::from_raw(raw) }
    }

    pub(crate) fn name(&self) -> &[u8] {
        // SAFETY: names live as long as the tree.
        unsafe { memory::bytes(self.get().name) }
    }

    pub(crate) fn is_named(&self) -> bool {
        !self.get().name.is_null()
    }

    pub(crate) fn text(&self) -> &[u8] {
        // SAFETY: text lives as long as the tree.
        unsafe { memory::bytes(self.get().txt) }
    }

    pub(crate) fn off(self) -> usize {
        self.get().off
    }

    pub(crate) fn parent(&self) -> Option<Self> {
        Self::link(self.get().parent)
    }

    pub(crate) fn first_child(&self) -> Option<Self> {
        Self::link(self.get().child)
    }

    /// The next tag at this depth, whatever its name.
    pub(crate) fn ordered(&self) -> Option<Self> {
        Self::link(self.get().ordered)
    }

    fn sibling(&self) -> Option<Self> {
        Self::link(self.get().sibling)
    }

    /// The next tag of this name at this depth.
    pub(crate) fn next(&self) -> Option<Self> {
        Self::link(self.get().next)
    }

    /// The first child of that name; names of tags are case-sensitive.
    pub(crate) fn child(self, name: &[u8]) -> Option<Self> {
        let mut at = self.first_child();
        while let Some(node) = at
            && node.name() != name
        {
            at = node.sibling();
        }
        at
    }

    /// All children of that name.
    pub(crate) fn children(self, name: &[u8]) -> impl Iterator<Item = Self> + use<> {
        std::iter::successors(self.child(name), Node::next)
    }

    pub(crate) fn attr(&self, name: &[u8]) -> Option<&[u8]> {
        // SAFETY: the list lives as long as the node, and this borrows the node.
        unsafe { xml_attributes::find(self.get().attr, name) }
    }

    pub(crate) fn attributes(&self) -> Vec<(&[u8], &[u8])> {
        // SAFETY: as in `attr`.
        unsafe { xml_attributes::all(self.get().attr) }
    }

    pub(crate) fn set_attributes(&mut self, list: xml_attributes::List) {
        self.get_mut().attr = list.into_raw();
    }

    /// Sets an attribute to copies of these strings; a former value is replaced.
    pub(crate) fn set_attr(&mut self, name: &[u8], value: &[u8]) {
        // SAFETY: the node owns its list and gets the new one at once.
        let mut list = unsafe { xml_attributes::List::take(self.get().attr) };
        list.set(name, value);
        self.set_attributes(list);
    }

    pub(crate) fn set_name(&mut self, name: *mut c_char) {
        self.get_mut().name = name;
    }

    /// From now on the name is freed with the node.
    pub(crate) fn own_name(&mut self) {
        self.get_mut().flags |= switch_xml_flag_t::SWITCH_XML_NAMEM.0;
    }

    /// Appends text; the first piece is used where it is, in the document's buffer.
    pub(crate) fn append_text(&mut self, piece: *mut c_char) {
        if self.text().is_empty() {
            self.get_mut().txt = piece;
            return;
        }
        // SAFETY: the parser passes a terminated piece of its buffer.
        let whole = [self.text(), unsafe { memory::bytes(piece) }].concat();
        self.release_text();
        self.get_mut().txt = memory::string(&whole);
        self.get_mut().flags |= switch_xml_flag_t::SWITCH_XML_TXTM.0;
    }

    fn release_text(&mut self) {
        if self.has(switch_xml_flag_t::SWITCH_XML_TXTM) {
            // SAFETY: the flag says that the node owns the text, which is replaced or freed with the node.
            unsafe { memory::release(self.get().txt) };
        }
    }

    fn has(self, flag: switch_xml_flag_t) -> bool {
        self.get().flags & flag.0 != 0
    }

    pub(crate) fn root(self) -> Self {
        let mut node = self;
        while let Some(parent) = node.parent() {
            node = parent;
        }
        node
    }

    fn document(self) -> NonNull<Root> {
        self.root().0.cast()
    }

    pub(crate) fn error(self) -> &'static [u8] {
        // SAFETY: the node without a parent is the first field of a `Root`.
        let root = unsafe { self.document().as_ref() };
        root.error.split(|byte| *byte == 0).next().unwrap_or_default()
    }

    pub(crate) fn error_ptr(self) -> *const c_char {
        // SAFETY: as in `error`.
        unsafe { self.document().as_ref() }.error.as_ptr().cast()
    }

    pub(crate) fn set_error(self, message: &str) {
        // SAFETY: as in `error`; the parser is the only user of the tree.
        let root = unsafe { self.document().as_mut() };
        root.error = [0; ERROR_LEN];
        for (target, byte) in root.error.iter_mut().zip(message.bytes().take(ERROR_LEN - 1)) {
            *target = byte;
        }
    }

    /// From now on the buffer is freed with the tree.
    pub(crate) fn own_buffer(self, buffer: *mut c_char) {
        // SAFETY: as in `error`.
        unsafe { self.document().as_mut() }.buffer = buffer;
    }

    /// Adds a child at an offset in the text. O(1) for offsets that descend, O(n) for such that ascend
    /// (`switch_xml_insert`).
    pub(crate) fn add_child(mut self, name: *mut c_char, off: usize) -> Self {
        let mut child = Self::allocate::<switch_xml>();
        let fields = child.get_mut();
        fields.name = name;
        fields.off = off;
        fields.parent = self.as_ptr();
        let Some(head) = self.first_child() else {
            self.get_mut().child = child.as_ptr();
            return child;
        };
        if head.off() <= off {
            let mut before = last_while(head, Node::ordered, |node| node.off() <= off);
            child.get_mut().ordered = before.get().ordered;
            before.get_mut().ordered = child.as_ptr();
        } else {
            child.get_mut().ordered = head.as_ptr();
            self.get_mut().child = child.as_ptr();
        }
        child.join_name(head);
        child
    }

    /// Links a new child into the lists by name; `head` was the first child so far.
    fn join_name(mut self, head: Self) {
        let mut before: Option<Self> = None;
        let mut first = Some(head);
        while let Some(node) = first
            && node.name() != self.name()
        {
            before = first;
            first = node.sibling();
        }
        if let Some(first) = first
            && first.off() <= self.off()
        {
            let mut before = last_while(first, Node::next, |node| node.off() <= self.off());
            self.get_mut().next = before.get().next;
            before.get_mut().next = self.as_ptr();
            return;
        }
        if let (Some(mut before), Some(first)) = (before, first) {
            before.get_mut().sibling = first.get().sibling;
        }
        self.get_mut().next = first.map_or(ptr::null_mut(), Node::as_ptr);
        if head.off() > self.off() {
            self.get_mut().sibling = head.as_ptr();
        } else {
            let mut before = last_while(head, Node::sibling, |node| node.off() <= self.off());
            self.get_mut().sibling = before.get().sibling;
            before.get_mut().sibling = self.as_ptr();
        }
    }

    fn allocate<T>() -> Self {
        let raw: *mut T = memory::zeroed(1);
        let mut node = Self(NonNull::new(raw.cast()).unwrap_or(NonNull::dangling()));
        node.get_mut().txt = c"".as_ptr().cast_mut();
        node.get_mut().attr = xml_attributes::none();
        node
    }

    /// A document whose root has this name, which is not copied.
    pub(crate) fn new_document(name: *mut c_char) -> Self {
        let mut node = Self::allocate::<Root>();
        node.get_mut().name = name;
        node.get_mut().is_switch_xml_root_t = switch_bool_t::SWITCH_TRUE;
        node
    }

    /// Makes this the static document, which many lookups share, with one reference.
    pub(crate) fn make_static(mut self) {
        self.get_mut().flags |= switch_xml_flag_t::SWITCH_XML_ROOT.0;
        self.get_mut().refs = 1;
    }

    pub(crate) fn add_reference(mut self) {
        let _held = REFERENCES.lock().unwrap_or_else(PoisonError::into_inner);
        self.get_mut().refs += 1;
    }

    /// Drops a reference of the static document, or frees the tree (`switch_xml_free`).
    pub(crate) fn free(mut self) {
        if self.has(switch_xml_flag_t::SWITCH_XML_ROOT) {
            let _held = REFERENCES.lock().unwrap_or_else(PoisonError::into_inner);
            let left = self.get().refs.saturating_sub(1);
            self.get_mut().refs = left;
            if left > 0 {
                return;
            }
        }
        let mut at = Some(self);
        while let Some(mut node) = at {
            at = node.ordered();
            if let Some(child) = node.first_child() {
                child.free();
            }
            if node.parent().is_none() {
                // SAFETY: a node without a parent is a `Root`, whose buffer is null or its own.
                unsafe { memory::release(node.0.cast::<Root>().as_ref().buffer) };
            }
            // SAFETY: the node owned its list and is freed below.
            unsafe { xml_attributes::List::take(node.get().attr) }.release();
            node.release_text();
            if node.has(switch_xml_flag_t::SWITCH_XML_NAMEM) {
                // SAFETY: the flag says that the node owns its name.
                unsafe { memory::release(node.get().name) };
            }
            // SAFETY: the node came from `allocate`, and nothing leads to it any more.
            unsafe { memory::release(node.as_ptr()) };
        }
    }
}

/// The last node of a list up to which all fulfil the condition, which the first one does.
fn last_while(first: Node, step: fn(&Node) -> Option<Node>, holds: impl Fn(&Node) -> bool) -> Node {
    let mut at = first;
    while let Some(following) = step(&at)
        && holds(&following)
    {
        at = following;
    }
    at
}
