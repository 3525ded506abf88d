//! Hostile strings: what somebody would put into a text who wants it to become something else on its way to FreeSWITCH, to a
//! phone or to the database. They are the same in every run: those of `corpus.txt`, a JSON text a line, and those that are made
//! here.

/// What a string that is executed would make.
pub(crate) const CANARY: &str = "nizam-canary";

/// All of them, each once.
pub(crate) fn corpus() -> Vec<String> {
    let lines = include_str!("corpus.txt").lines().filter(|line| !line.starts_with('#'));
    let written =
        lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}")));
    let mut all: Vec<String> = Vec::new();
    for text in
        written.chain(expansions()).chain(legs()).chain(controls()).chain(line_breaks()).chain(lengths())
    {
        if !all.contains(&text) {
            all.push(text);
        }
    }
    all
}

/// Every text in every frame; `@` is its place.
fn framed(frames: &[&str], texts: &[&str]) -> Vec<String> {
    let texts = texts.iter().map(|text| text.replace("CANARY", CANARY)).collect::<Vec<_>>();
    frames.iter().flat_map(|frame| texts.iter().map(|text| frame.replace('@', text))).collect()
}

/// What FreeSWITCH expands, or almost does.
fn expansions() -> Vec<String> {
    framed(
        &["${@}", "a ${@} b", "$${@}", "\\${@}", "$\\{@}", "#{@}", "$(@)", "`@`", "%{@}", "${${@}}"],
        &["domain", "system(touch CANARY)", "expand(x)", "create_uuid()", "uuid"],
    )
    .into_iter()
    .chain(["@{domain}", "@{system(touch nizam-canary)}"].map(str::to_owned))
    .collect()
}

/// What begins and steers legs of a dial string, inside of a name.
fn legs() -> Vec<String> {
    framed(
        &["@", "x@", "@x", "Sales @ Team"],
        &["{a=b,c=d}", "[a=b]", ",user/1001", "|user/1001", ":_:error/x", "' , '", "^^!a!b"],
    )
}

/// Every control character inside of a text.
fn controls() -> Vec<String> {
    let all = (0..0x20_u8).chain(0x7f..0xa0).map(char::from);
    all.map(|c| format!("con{c}trol")).collect()
}

/// Headers and commands on a line of their own.
fn line_breaks() -> Vec<String> {
    framed(
        &["x\r\n@", "x\n@", "x\r@", "x%0d%0a@", "x\\r\\n@", "x\u{2028}@", "x\u{85}@"],
        &["X-Evil: 1", "Contact: <sip:a@b>", "\r\nINVITE sip:x SIP/2.0", "api system touch CANARY"],
    )
}

/// At and beyond every bound.
fn lengths() -> Vec<String> {
    let of = |(text, characters): (&str, usize)| text.chars().cycle().take(characters).collect::<String>();
    let plain = [63, 100, 101, 128, 129, 253, 254, 255, 256, 1024, 2048, 2049, 4096].map(|n| of(("x", n)));
    let full = ["é", "😀", "&", "\"", "<", "'", "\\", "a b ", "9", ",", "%"].map(|text| of((text, 255)));
    let over = [
        ("😀", 256),
        ("9", 64),
        ("9", 65),
        ("9", 4096),
        ("${x}", 4096),
        ("<a>", 4096),
        ("<!", 4096),
        ("[", 4096),
    ]
    .map(of);
    let odd = [("日", 1365), ("../", 4096), ("a.", 253), ("%n", 2000), ("\u{202e}", 85)].map(of);
    plain.into_iter().chain(full).chain(over).chain(odd).collect()
}
