//! Elements of a document of ours, read naively.

/// An element: its name and its attributes, in order.
pub(crate) type Element = (String, Vec<(String, String)>);

/// The elements with attributes.
pub(crate) fn elements(document: &str) -> Vec<Element> {
    let tags = document.split('<').skip(1).filter_map(|tag| tag.split_once('>')).map(|(tag, _)| tag);
    tags.filter_map(|tag| tag.split_once(' '))
        .map(|(name, rest)| (name.to_owned(), attributes(rest)))
        .collect()
}

fn attributes(mut rest: &str) -> Vec<(String, String)> {
    let mut attributes = Vec::new();
    while let Some((name, behind)) = rest.split_once("=\"") {
        let (value, behind) = behind.split_once('"').expect("an attribute ends");
        attributes.push((name.trim().to_owned(), unescaped(value)));
        rest = behind;
    }
    attributes
}

fn unescaped(value: &str) -> String {
    let entities =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&#39;", "'"), ("&amp;", "&")];
    entities.iter().fold(value.to_owned(), |value, (entity, character)| value.replace(entity, character))
}

#[test]
fn attributes_are_read_as_they_were_meant() {
    let document = r#"<a><b><c x="1" y="&lt;&quot;&amp;lt;"/></b><d z=""></d></a>"#;
    let text = |text: &str| text.to_owned();
    let want = [
        (text("c"), vec![(text("x"), text("1")), (text("y"), text("<\"&lt;"))]),
        (text("d"), vec![(text("z"), text(""))]),
    ];
    assert_eq!(elements(document), want);
}
