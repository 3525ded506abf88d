//! The path of a call: which rows of its tenant led it where it is, in one variable of its channel (`nizam_path`), which its CDR keeps.
//!
//! Words with a blank between them: `g12`, the generation of the configuration that what follows was read from; `did:ID` or `tc:ID/no_match`,
//! a row by the code of its kind and its id (32 hexadecimal digits), and what was decided there; at the end `+` where there was no more room.
//! FreeSWITCH takes every character of it as it is.

use uuid::Uuid;

/// Most bytes of a path.
pub const MOST: usize = 512;
/// Most bytes of what was decided at a row.
const MOST_BRANCH: usize = 32;
/// The last word of a path that was cut.
const CUT: &str = "+";

/// The kind of a row that calls pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// A DID.
    Did,
    /// An extension that rings.
    Extension,
    /// The mailbox of an extension.
    Voicemail,
    /// A ring group.
    RingGroup,
    /// A menu.
    Ivr,
    /// A time condition.
    TimeCondition,
    /// A call routing policy.
    Policy,
    /// A call flow.
    Flow,
    /// A queue.
    Queue,
    /// An outbound route.
    OutboundRoute,
}

impl Object {
    const ALL: [Self; 10] = [
        Self::Did,
        Self::Extension,
        Self::Voicemail,
        Self::RingGroup,
        Self::Ivr,
        Self::TimeCondition,
        Self::Policy,
        Self::Flow,
        Self::Queue,
        Self::OutboundRoute,
    ];

    /// What clients call it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Did => "did",
            Self::Extension => "extension",
            Self::Voicemail => "voicemail",
            Self::RingGroup => "ring_group",
            Self::Ivr => "ivr",
            Self::TimeCondition => "time_condition",
            Self::Policy => "call_routing_policy",
            Self::Flow => "call_flow",
            Self::Queue => "queue",
            Self::OutboundRoute => "outbound_route",
        }
    }

    /// What it is called in a path.
    fn code(self) -> &'static str {
        match self {
            Self::Did => "did",
            Self::Extension => "ext",
            Self::Voicemail => "vm",
            Self::RingGroup => "rg",
            Self::Ivr => "ivr",
            Self::TimeCondition => "tc",
            Self::Policy => "pol",
            Self::Flow => "flow",
            Self::Queue => "que",
            Self::OutboundRoute => "out",
        }
    }
}

/// A row that a call passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed<'t> {
    /// The generation of the configuration that it was read from.
    pub generation: Option<u64>,
    /// Its kind.
    pub object: Object,
    /// Its id.
    pub id: Uuid,
    /// What was decided there; none where nothing was, or not yet.
    pub branch: Option<&'t str>,
}

/// A word of a path.
enum Word<'t> {
    Generation(u64),
    Row(Object, Uuid, Option<&'t str>),
    Cut,
}

fn word(text: &str) -> Option<Word<'_>> {
    if text == CUT {
        return Some(Word::Cut);
    }
    let Some((code, rest)) = text.split_once(':') else {
        let digits = text.strip_prefix('g').filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?;
        return digits.parse().ok().map(Word::Generation);
    };
    let object = Object::ALL.into_iter().find(|object| object.code() == code)?;
    let (id, branch) = rest.split_once('/').map_or((rest, None), |(id, branch)| (id, Some(branch)));
    let id = Uuid::try_parse(id).ok().filter(|_| id.len() == 32)?;
    branch.is_none_or(is_branch).then_some(Word::Row(object, id, branch))
}

fn is_branch(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-*#".contains(&byte);
    (1..=MOST_BRANCH).contains(&text.len()) && text.bytes().all(plain)
}

/// The rows of a path, in the order in which the call passed them. Words that are none of ours are left out.
pub fn read(text: &str) -> impl Iterator<Item = Passed<'_>> {
    let mut generation = None;
    text.split(' ').filter_map(word).filter_map(move |word| match word {
        Word::Generation(number) => {
            generation = Some(number);
            None
        }
        Word::Row(object, id, branch) => Some(Passed { generation, object, id, branch }),
        Word::Cut => None,
    })
}

/// Whether a path was longer than what there is of it.
pub fn is_cut(text: &str) -> bool {
    text.split(' ').next_back() == Some(CUT)
}

/// A path that is being made. It allocates nothing, and reads nothing again: it is part of every lookup.
#[derive(Clone, Debug)]
pub struct Path {
    text: [u8; MOST],
    length: usize,
    generation: Option<u64>,
    /// The row that was passed last.
    last: Option<(Object, [u8; 16])>,
    /// Where the branch of that row begins; the end of the text where there is none.
    branch: usize,
    cut: bool,
}

impl Default for Path {
    fn default() -> Self {
        Self { text: [0; MOST], length: 0, generation: None, last: None, branch: 0, cut: false }
    }
}

impl Path {
    /// One that goes on where another ended. A text that is no path is as if there were none: it may be anybody's.
    pub fn after(text: &[u8]) -> Self {
        let mut path = Self::default();
        let (Ok(known), Some(place)) = (std::str::from_utf8(text), path.text.get_mut(..text.len())) else {
            return path;
        };
        let (mut generation, mut last, mut branch) = (None, None, text.len());
        for text in known.split(' ') {
            match word(text) {
                None => return path,
                Some(Word::Generation(number)) => generation = Some(number),
                Some(Word::Row(object, id, decided)) => {
                    last = Some((object, id.into_bytes()));
                    branch = known.len() - decided.map_or(0, str::len);
                }
                Some(Word::Cut) => last = None,
            }
        }
        place.copy_from_slice(text);
        Self { length: text.len(), generation, last, branch, cut: is_cut(known), ..path }
    }

    /// Its text; empty where the call has passed nothing.
    pub fn as_str(&self) -> &str {
        // Only texts were written.
        std::str::from_utf8(self.text.get(..self.length).unwrap_or_default()).unwrap_or_default()
    }

    /// The row that the call passed last, if nothing was decided there yet.
    pub fn open(&self) -> Option<(Object, [u8; 16])> {
        self.last.filter(|_| self.branch == self.length && !self.cut)
    }

    /// The call passes a row; what is decided there may not be known yet, and is then empty. False: that says nothing new.
    pub fn pass(&mut self, generation: u64, object: Object, id: &[u8; 16], branch: &str) -> bool {
        let branch = if is_branch(branch) { branch } else { "" };
        let same = self.last == Some((object, *id))
            && self.text.get(self.branch..self.length) == Some(branch.as_bytes());
        if self.cut || same {
            return false;
        }
        let (mut buffer, mut digits) = (Uuid::encode_buffer(), [0; 20]);
        let text = Uuid::from_bytes(*id).simple().encode_lower(&mut buffer);
        let blank = if self.length == 0 { "" } else { " " };
        let slash = if branch.is_empty() { "" } else { "/" };
        let whole = if self.generation == Some(generation) {
            self.put(&[blank, object.code(), ":", text, slash, branch])
        } else {
            let number = decimal(generation, &mut digits);
            self.put(&[blank, "g", number, " ", object.code(), ":", text, slash, branch])
        };
        if whole {
            self.generation = Some(generation);
            self.last = Some((object, *id));
            self.branch = self.length - branch.len();
        }
        true
    }

    /// What was decided at the row that the call passed last, where that was open. False: there is no such row.
    pub fn decide(&mut self, branch: &str) -> bool {
        if self.open().is_none() || !is_branch(branch) {
            return false;
        }
        if self.put(&["/", branch]) {
            self.branch = self.length - branch.len();
        }
        true
    }

    /// Adds a text, or where there is no room for it the mark that says so.
    fn put(&mut self, pieces: &[&str]) -> bool {
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        // There is always room for the mark.
        let fits = self.length + length + 1 + CUT.len() <= MOST;
        for piece in if fits { pieces } else { &[" ", CUT] } {
            if let Some(place) = self.text.get_mut(self.length..self.length + piece.len()) {
                place.copy_from_slice(piece.as_bytes());
                self.length += piece.len();
            }
        }
        self.cut |= !fits;
        fits
    }
}

/// A number as text, without an allocation.
pub fn decimal(mut number: u64, buffer: &mut [u8; 20]) -> &str {
    let mut at = buffer.len();
    for place in buffer.iter_mut().rev() {
        *place = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        at -= 1;
        if number == 0 {
            break;
        }
    }
    std::str::from_utf8(buffer.get(at..).unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: [u8; 16] = [0xab; 16];
    const TEXT: &str = "abababababababababababababababab";

    #[test]
    fn what_is_written_is_read() {
        let mut path = Path::default();
        assert!(path.pass(12, Object::Did, &ID, "") && path.pass(12, Object::TimeCondition, &ID, "no_match"));
        assert!(path.pass(12, Object::Ivr, &ID, "") && !path.pass(12, Object::Ivr, &ID, ""));
        assert_eq!(path.as_str(), format!("g12 did:{TEXT} tc:{TEXT}/no_match ivr:{TEXT}"));
        let mut path = Path::after(path.as_str().as_bytes());
        assert!(path.decide("3") && !path.decide("4"), "it is decided once");
        assert!(path.pass(13, Object::RingGroup, &ID, "a b"), "and nothing odd is written");
        let want = format!("g12 did:{TEXT} tc:{TEXT}/no_match ivr:{TEXT}/3 g13 rg:{TEXT}");
        assert_eq!(path.as_str(), want);
        let read: Vec<_> = read(&want).map(|p| (p.generation, p.object.name(), p.branch)).collect();
        let some = |object, branch| (Some(12), object, branch);
        let want = [some("did", None), some("time_condition", Some("no_match")), some("ivr", Some("3"))];
        assert_eq!(read, [&want[..], &[(Some(13), "ring_group", None)]].concat());
    }

    #[test]
    fn a_path_that_is_too_long_is_cut_and_says_so() {
        let mut path = Path::default();
        for number in 0..100 {
            path.pass(
                number,
                Object::Flow,
                &[u8::try_from(number).unwrap(); 16],
                "a_step-of-32-characters_aaaaaaaa",
            );
            assert!(path.as_str().len() <= MOST);
        }
        let text = path.as_str().to_owned();
        assert!(is_cut(&text) && text.len() > MOST - 80, "{text}");
        assert!(read(&text).count() > 5 && !is_cut(text.trim_end_matches(" +")));
        let mut path = Path::after(text.as_bytes());
        assert!(!path.pass(100, Object::Did, &ID, "") && !path.decide("x"));
        assert_eq!(path.as_str(), text);
        // Also where only a decision does not fit.
        for room in 0..40 {
            let mut path = Path::default();
            while path.length + 60 + room < MOST {
                path.pass(1, Object::Did, &[u8::try_from(path.length / 4).unwrap(); 16], "");
            }
            while !path.cut {
                path.pass(1, Object::Queue, &[u8::try_from(path.length % 256).unwrap(); 16], "");
                path.decide("overflow");
                assert!(path.as_str().len() <= MOST);
            }
            assert!(is_cut(path.as_str()));
        }
    }

    #[test]
    fn what_is_no_path_is_none() {
        let long = "a".repeat(MOST + 1);
        for text in ["", "x", "g", "did:1", "did:${x}", "g1  g2", "tc:/", "g99999999999999999999999", &long] {
            assert_eq!(Path::after(text.as_bytes()).as_str(), "", "{text}");
        }
        for branch in ["a'b", "", "${x}", "ä", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"] {
            let text = format!("did:{TEXT}/{branch}");
            assert_eq!(Path::after(text.as_bytes()).as_str(), "", "{text}");
            assert_eq!(read(&text).count(), 0);
        }
        assert_eq!(Path::after(b"\xff").as_str(), "");
        assert_eq!(read(&format!("junk ext:{TEXT}")).count(), 1);
    }
}
