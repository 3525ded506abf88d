//! Texts that the API takes, and bytes that anybody may send.

use crate::random::Random;
use serde_json::{Value, json};

/// Names and values of all kinds; some of them no step may hold.
const TEXTS: &[&str] = &[
    "Alice Demo",
    "O'Brien & Söhne",
    "$5 only",
    "back\\slash",
    "a,b|c;d",
    "{x=1}y",
    "<b>bold</b>",
    "\"quoted\"",
    "100%",
    "x=y",
    "#1",
    "日本",
    "$",
    "a\\",
    "^^:x",
    "Reception",
];

/// Prompts: playable ones, and others.
const PROMPTS: &[&str] = &[
    "ivr/welcome.wav",
    "ivr/menu 1.wav",
    "it's.wav",
    "tone_stream://%(100,100,400)",
    "silence_stream://500",
    "local_stream://moh",
    "local_stream://",
    "local_stream://../moh",
    "say:Hello there",
    "say:It's $5",
    "say:",
    "/etc/passwd",
    "../up.wav",
    "a/../b.wav",
    "http://x.example/y.mp3",
    "phrase:x",
    "{a=b}c.wav",
    "shell_stream://id",
    "$x.wav",
    "welcome.wav",
    "Say:no",
];

/// What a stranger dials or says that he is.
const HOSTILE: &[&[u8]] = &[
    b"'",
    b"\"",
    b"${uuid}",
    b"$1",
    b"\\",
    b"100'--",
    b"1\n2",
    b"100\0",
    b"\xff\xfe100",
    b"\xc3\x28",
    b"%00",
    b"<!--",
    b"",
    b" ",
    b"100 ",
    b"+",
    b"*",
    b"#",
    b"abc",
    b"../../etc",
    b"nizam",
    b"nizam:",
    b"nizam:extension",
    b"nizam:extension:",
    b"nizam:extension:x",
    b"nizam:moon:00000000-0000-0000-0000-000000000001",
    b"nizam:flow::",
    b"nizam:direct::1",
    b"nizam:flow:00000000-0000-0000-0000-000000000001:99999999999999999999",
    b"user/100@a.test",
    b"1,2",
    b"100;x=y",
    b"100@a.test",
    "٣٤٥".as_bytes(),
];

/// A text of a row, or null.
pub(super) fn maybe(random: &Random, percent: usize) -> Option<String> {
    random.percent(percent).then(|| random.one(TEXTS).to_owned())
}

/// A text of a row.
pub(super) fn text(random: &Random) -> String {
    random.one(TEXTS).to_owned()
}

/// A prompt, or null.
pub(super) fn prompt(random: &Random, uploaded: &[uuid::Uuid]) -> Value {
    match random.below(10) {
        0 => Value::Null,
        1 | 2 if !uploaded.is_empty() => json!(random.one(uploaded)),
        3 => json!(random.uuid()),
        4..=6 => json!("ivr/welcome.wav"),
        _ => json!(random.one(PROMPTS)),
    }
}

/// Bytes that somebody sends.
pub(super) fn hostile(random: &Random) -> Vec<u8> {
    match random.below(20) {
        0 => vec![b'1'; 4096],
        1 => vec![0xe2; 300],
        2 => b"00".iter().copied().chain(std::iter::repeat_n(b'4', 70)).collect(),
        3 => (0..random.below(40)).map(|_| u8::try_from(random.below(256)).unwrap()).collect(),
        _ => random.one(HOSTILE).to_vec(),
    }
}
