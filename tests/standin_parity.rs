//! The stand-in host treats XML as FreeSWITCH does: its answers against those of an installed libfreeswitch, byte for
//! byte. Its faults count too, since a module must not depend on their absence.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]

#[path = "standin/client.rs"]
mod client;

use client::Standin;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::{env, thread};
use tempfile::TempDir;

/// Where FreeSWITCH is installed, if it is: its headers and its library.
fn installed() -> Option<(PathBuf, PathBuf)> {
    let named = env::var_os("FREESWITCH_PREFIX").map(PathBuf::from);
    let prefixes =
        named.into_iter().chain(["/usr/local/freeswitch", "/usr/local", "/usr"].map(PathBuf::from));
    prefixes.map(|prefix| (prefix.join("include/freeswitch"), prefix.join("lib"))).find(|(include, lib)| {
        let libraries = [lib.clone(), lib.join(format!("{}-linux-gnu", env::consts::ARCH))];
        include.join("switch.h").is_file()
            && libraries.iter().any(|lib| lib.join("libfreeswitch.so").is_file())
    })
}

fn witness() -> Option<(TempDir, PathBuf)> {
    let Some((include, lib)) = installed() else {
        client::skip("freeswitch", "stand-in parity: no libfreeswitch installed (set FREESWITCH_PREFIX)");
        return None;
    };
    let dir = tempfile::tempdir().unwrap();
    let program = dir.path().join("parity");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/standin/fixtures/parity.c");
    let mut compiler = Command::new(env::var_os("CC").unwrap_or_else(|| "cc".into()));
    compiler.arg("-isystem").arg(include).arg(source).arg("-o").arg(&program).arg("-L").arg(&lib);
    compiler.arg("-lfreeswitch").arg(format!("-Wl,-rpath,{}", lib.display()));
    assert!(compiler.status().expect("a C compiler is needed: apt-get install build-essential").success());
    Some((dir, program))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn percent(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "%{byte:02x}").unwrap();
        text
    })
}

/// One line for each document that is written to the program.
fn ask_witness(program: &Path, arguments: &[&str], documents: &[Vec<u8>]) -> Vec<String> {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child: Child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let lines: String = documents.iter().map(|document| hex(document) + "\n").collect();
    let writer = thread::spawn(move || stdin.write_all(lines.as_bytes()));
    let answers = BufReader::new(child.stdout.take().unwrap()).split(b'\n');
    let answers = answers.map(|line| String::from_utf8_lossy(&line.unwrap()).into_owned()).collect();
    writer.join().unwrap().unwrap();
    assert!(child.wait().unwrap().success());
    answers
}

/// Documents made of pieces that are legal, nearly legal, and neither, by a generator that always does the same.
fn documents() -> Vec<Vec<u8>> {
    const PIECES: [&[u8]; 21] = [
        b"<a>",
        b"</a>",
        b"<b/>",
        b"<b x=\"1\">",
        b"</b>",
        b"text ",
        b"&lt;",
        b"&amp;",
        b"&#233;",
        b"&lt;!",
        b"\"",
        b"'",
        b"<c y='2' z=\"&quot;q\" y='3'/>",
        b"\n",
        b"<![CDATA[<x>]]>",
        b"<!-- c -->",
        b"\xc3\xa9",
        b"\xff",
        b"<d>t\r\n</d>",
        b"<a t=\"&lt;! &quot;z=&quot;\">",
        b"<e v='&#x20;\t&bogus;&#x1F600;' w u = \"1\" />",
    ];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        // xorshift64: Marsaglia, "Xorshift RNGs".
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(below).unwrap()).unwrap()
    };
    let mut all = Vec::new();
    for _ in 0..2000 {
        let mut document = b"<r>".to_vec();
        for _ in 0..=next(8) {
            document.extend_from_slice(PIECES.get(next(PIECES.len())).unwrap());
        }
        document.extend_from_slice(if next(10) == 0 { b"<f/>" } else { b"</r>" });
        all.push(document);
    }
    all
}

/// The number of the line is not compared: FreeSWITCH counts in a buffer that it has overwritten by then.
fn without_line(text: &str) -> String {
    let errors =
        text.split("[error near line ").map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()));
    errors.collect::<Vec<_>>().join("[error near line ")
}

#[test]
fn documents_are_parsed_and_copied_as_freeswitch_does() {
    let Some((_dir, program)) = witness() else { return };
    let documents = documents();
    let expected = ask_witness(&program, &[], &documents);
    assert_eq!(expected.len(), documents.len());
    let mut host = Standin::start::<&str>(&[]);
    let mut with_error = 0;
    for (document, expected) in documents.iter().zip(expected) {
        let (errors, body) = host.try_ask(&format!("parse {}", percent(document))).unwrap();
        with_error += usize::from(errors != "|");
        let found = without_line(&format!("{errors}|{}", hex(&body)));
        assert_eq!(found, without_line(&expected), "{}", String::from_utf8_lossy(document));
    }
    assert!(
        (200..1800).contains(&with_error),
        "{with_error} of 2000 documents have errors: not a fair mixture"
    );
}

#[test]
fn users_are_found_and_merged_as_freeswitch_does() {
    const DOMAIN: &str = r#"<domain name="D.test"><params><param name="Dial-String" value="d&amp;1"/><param name="x" value="dx"/>
</params><variables><variable name="v" value="&lt;b>"/></variables><groups><group name="g1"><users><user id="p1" type="pointer"/>
</users></group><group name="g2"><params><param name="x" value="gx"/><param name="y" value="q&quot;&#10;z"/></params><variables/>
<users><user id="1001" number-alias="77" cidr="192.0.2.1/32"><params><param name="dial-STRING" value="u"/><param name="password"
value="a&lt;!b"/></params><gateways><gateway name="é"/></gateways>text</user><user id="Bob"><profile-variables><variable
name="pv"/></profile-variables></user><user id="5" type="sip"/></users></group></groups></domain>"#;
    let Some((_dir, program)) = witness() else { return };
    let conf = tempfile::tempdir().unwrap();
    // Lines end where tags may have white space, so the reader of files changes nothing.
    fs::write(conf.path().join("directory.xml"), DOMAIN).unwrap();
    let mut host = Standin::start(&["--conf".as_ref(), conf.path().as_os_str()]);
    for name in ["1001", "77", "bob", "p1", "999", "!x"] {
        let expected = ask_witness(&program, &["user", name], &[DOMAIN.as_bytes().to_vec()]);
        let (_, body) = host.try_ask(&format!("user id {name} d.test")).unwrap();
        assert_eq!(vec![hex(&body)], expected, "user {name}");
    }
}
