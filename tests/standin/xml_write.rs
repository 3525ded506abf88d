//! A tree as text (`switch_xml_toxml`), and a tree by way of text, which is how FreeSWITCH copies one.

use crate::memory;
use crate::xml_entities::encode;
use crate::xml_parse;
use crate::xml_tree::Node;

/// The text of a tag and all that is in it.
pub(crate) fn to_text(node: Node) -> Vec<u8> {
    let mut out = Vec::new();
    element(node, 0, &mut out);
    out
}

/// A document of its own with the same content (`switch_xml_dup`): written and parsed again, so what does not survive
/// that is lost, as in FreeSWITCH.
pub(crate) fn duplicate(node: Node) -> Node {
    let text = memory::string(&to_text(node));
    // SAFETY: a fresh C string, given away.
    unsafe { xml_parse::parse(text) }
}

fn element(node: Node, depth: usize, out: &mut Vec<u8>) {
    if out.last() == Some(&b'>') {
        out.push(b'\n');
    }
    indent(depth, out);
    out.push(b'<');
    out.extend_from_slice(node.name());
    let attributes = node.attributes();
    for (index, (name, value)) in attributes.iter().enumerate() {
        // Of attributes of one name only the first is written.
        if attributes.iter().take(index).any(|(earlier, _)| earlier == name) {
            continue;
        }
        out.push(b' ');
        out.extend_from_slice(name);
        out.extend_from_slice(b"=\"");
        encode(value, true, out);
        out.push(b'"');
    }
    out.push(b'>');
    if let Some(first) = node.first_child() {
        children(node, first, depth + 1, out);
    } else {
        encode(node.text(), false, out);
    }
    if out.last() == Some(&b'\n') {
        indent(depth, out);
    }
    out.extend_from_slice(b"</");
    out.extend_from_slice(node.name());
    out.extend_from_slice(b">\n");
}

fn children(parent: Node, first: Node, depth: usize, out: &mut Vec<u8>) {
    let text = parent.text();
    let mut start = 0;
    let mut at = Some(first);
    while let Some(node) = at {
        let end = node.off().min(text.len());
        // FreeSWITCH passes a length, and takes zero for "all": text behind a tag is then written before it too.
        let piece = if end == start { text.get(start..) } else { text.get(start..end) };
        encode(piece.unwrap_or_default(), false, out);
        element(node, depth, out);
        start = end;
        at = node.ordered();
    }
    encode(text.get(start..).unwrap_or_default(), false, out);
}

fn indent(depth: usize, out: &mut Vec<u8>) {
    out.extend(std::iter::repeat_n(b' ', depth * 2));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Node {
        // SAFETY: a fresh C string, given away.
        unsafe { xml_parse::parse(memory::string(text.as_bytes())) }
    }

    fn round(text: &str) -> String {
        let first = parse(text);
        let second = duplicate(first);
        first.free();
        let result = match second.error() {
            b"" => String::from_utf8(to_text(second)).unwrap(),
            error => String::from_utf8(error.to_vec()).unwrap(),
        };
        second.free();
        result
    }

    #[test]
    fn a_copy_has_the_same_tags_attributes_and_text() {
        let document = r#"<!-- c --><a x="1&amp;2" y='"'><b/><c z="&#233;">t&lt;u</c><b x="3" x="4"/></a>"#;
        // White space between tags is content, so a copy of a copy has more of it: so it is in FreeSWITCH 1.10.12.
        let copy = r#"<a x="1&amp;2" y="&quot;">
    <b></b>

    <c z="&#xE9;">t&lt;u</c>

    <b x="3"></b>

</a>
"#;
        assert_eq!(round(document), copy);
    }

    #[test]
    fn a_value_with_less_and_exclamation_injects_an_attribute() {
        let text = round(r#"<user a="x&lt;!y&quot; injected=&quot;1"/>"#);
        assert_eq!(text, "<user a=\"x<!y\" injected=\"1\"></user>\n");
    }

    #[test]
    fn errors_are_in_the_tree() {
        for (text, error) in [
            ("<a>\n<b></a>", "[error near line 2]: unexpected closing tag </a>"),
            ("<a><b>", "[error near line 1]: unclosed tag <b>"),
            ("<a x=\"1></a>", "[error near line 1]: missing \""),
            ("<a></a><b/>", "[error near line 1]: markup outside of root element"),
            ("no tag", "[error near line 1]: root tag missing"),
            ("<a", "[error near line 1]: missing >"),
            ("<a><!-- </a>", "[error near line 1]: unclosed <!--"),
        ] {
            let tree = parse(text);
            assert_eq!(String::from_utf8_lossy(tree.error()), error, "{text}");
            tree.free();
        }
    }

    #[test]
    fn children_are_found_by_name_in_order_whatever_order_they_were_added_in() {
        for offsets in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]] {
            let root = Node::new_document(c"root".as_ptr().cast_mut());
            for off in offsets {
                let name = if off % 2 == 0 { c"even" } else { c"odd" };
                root.add_child(name.as_ptr().cast_mut(), off).set_attr(b"n", off.to_string().as_bytes());
            }
            let all: Vec<usize> =
                std::iter::successors(root.first_child(), Node::ordered).map(Node::off).collect();
            assert_eq!(all, [0, 1, 2, 3]);
            assert_eq!(root.children(b"even").map(Node::off).collect::<Vec<_>>(), [0, 2]);
            assert_eq!(root.children(b"odd").map(Node::off).collect::<Vec<_>>(), [1, 3]);
            assert!(root.child(b"none").is_none());
            root.free();
        }
    }

    #[test]
    fn attributes_are_replaced_not_repeated() {
        let mut root = Node::new_document(c"root".as_ptr().cast_mut());
        root.set_attr(b"a", b"1");
        root.set_attr(b"b", b"2");
        root.set_attr(b"a", b"3");
        assert_eq!(root.attributes(), [(&b"a"[..], &b"3"[..]), (b"b", b"2")]);
        assert_eq!(root.attr(b"A"), None);
        root.free();
    }
}
