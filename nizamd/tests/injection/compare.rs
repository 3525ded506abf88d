//! What is answered about a row with hostile texts, against what is answered about the same row with harmless ones.

use std::fmt::Write as _;

use nizam_wire::number;

use crate::document::Node;
use crate::form::Reach;

/// A harmless text, and what stands in its place.
#[derive(Clone, Debug)]
pub(crate) struct Swap {
    pub(crate) harmless: String,
    pub(crate) text: String,
    pub(crate) reach: Reach,
}

/// All of a row.
#[derive(Clone, Debug)]
pub(crate) struct Swaps(Vec<Swap>);

/// What is played where there is nothing else to play.
const DEFAULTS: [&str; 2] =
    ["silence_stream://250", "tone_stream://%(400,200,400,450);%(400,2200,400,450);loops=-1"];

/// Whether FreeSWITCH takes a text as it is where it expands arguments.
fn inert(text: &str) -> bool {
    !text.contains(['$', '\\']) && !text.contains("<!") && !text.chars().any(|c| c.is_ascii_control())
}

impl Swap {
    /// What may stand in the place of the harmless text. Where it is a step's, one that is not inert stands nowhere.
    fn alternatives(&self, in_step: bool) -> Vec<String> {
        let text = self.text.as_str();
        let mut all = Vec::new();
        match self.reach {
            Reach::Variable => {
                let sane = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
                all.push(text.chars().take(64).map(sane).collect());
                return all;
            }
            Reach::Or(other) => all.push(other.to_owned()),
            Reach::Prompt => {
                all.extend(DEFAULTS.map(str::to_owned));
                if let Some(words) = text.strip_prefix("say:") {
                    all.push(format!("say:{}", words.trim()));
                }
            }
            Reach::Word if !word(text) => return vec![String::new()],
            Reach::Number if in_step => {
                let public =
                    number::read(text.as_bytes(), None).filter(|number| number.as_bytes().len() >= 7);
                all.extend(public.map(|number| format!("+{}", String::from_utf8_lossy(number.as_bytes()))));
            }
            Reach::UriUser => all.push(escaped(text)),
            Reach::Host => {
                all.extend([text.to_ascii_lowercase(), format!("[{}]", text.to_ascii_lowercase())]);
            }
            _ => {}
        }
        if !in_step || inert(text) {
            all.push(text.to_owned());
        }
        all
    }

    /// Whether the step that it is in may not be there.
    fn vanishes(&self) -> bool {
        !inert(&self.text) || self.reach == Reach::Prompt
    }
}

fn word(text: &str) -> bool {
    inert(text) && !text.contains([' ', '\'', '"', ',', '|', '[', ']', '{', '}', '<', '>', '^'])
}

fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.!~*+".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _infallible = write!(out, "%{byte:02X}");
        }
        out
    })
}

impl Swaps {
    pub(crate) fn new(mut swaps: Vec<Swap>) -> Self {
        // No text is looked for inside of a longer one.
        swaps.sort_by_key(|swap| std::cmp::Reverse(swap.harmless.len()));
        Self(swaps)
    }

    fn inside<'s>(&'s self, value: &'s str) -> impl Iterator<Item = &'s Swap> {
        self.0.iter().filter(move |swap| value.contains(&swap.harmless))
    }

    fn expected(&self, value: &str, in_step: bool) -> Vec<String> {
        let mut all = vec![value.to_owned()];
        for swap in self.inside(value) {
            let alternatives = swap.alternatives(in_step);
            let put = |text: &String| {
                alternatives.iter().map(|other| text.replace(&swap.harmless, other)).collect::<Vec<_>>()
            };
            all = all.iter().flat_map(put).collect();
        }
        // Blanks around a whole name are cut off.
        all.extend(all.clone().iter().map(|text| text.trim().to_owned()));
        all
    }

    /// The first difference that the texts do not account for.
    pub(crate) fn differ(&self, harmless: &Node, hostile: &Node) -> Option<String> {
        if harmless.name != hostile.name {
            return Some(format!("{} instead of {}", hostile.name, harmless.name));
        }
        let in_step = ["action", "menu", "entry"].contains(&harmless.name.as_str());
        let mut attributes = hostile.attributes.iter().peekable();
        for (name, value) in &harmless.attributes {
            let Some((_, found)) = attributes.next_if(|(found, _)| found == name) else {
                if self.inside(value).any(Swap::vanishes) && in_step {
                    continue;
                }
                return Some(format!("{name}={value:?} is not there in {}", hostile.name));
            };
            if !self.expected(value, in_step).contains(found) {
                return Some(format!("{name} of {} is {found:?} instead of {value:?}", hostile.name));
            }
        }
        if let Some((name, value)) = attributes.next() {
            return Some(format!("there is {name}={value:?} in {}", hostile.name));
        }
        self.children(harmless, hostile)
    }

    fn children(&self, harmless: &Node, hostile: &Node) -> Option<String> {
        let mut found = hostile.children.iter().peekable();
        for child in &harmless.children {
            while found.next_if(|node| self.is_played(node)).is_some() {}
            let difference = found
                .peek()
                .map_or_else(|| Some(format!("{child:?} is missing")), |node| self.differ(child, node));
            match difference {
                None => drop(found.next()),
                Some(_) if self.may_vanish(child) => {}
                Some(difference) => return Some(difference),
            }
        }
        while found.next_if(|node| self.is_played(node)).is_some() {}
        found.next().map(|node| format!("there is {node:?}"))
    }

    fn may_vanish(&self, step: &Node) -> bool {
        step.name == "action"
            && step.attributes.iter().any(|(_, value)| self.inside(value).any(Swap::vanishes))
    }

    /// Whether that is a step which plays or speaks a prompt: one that cannot stand among arguments is played before.
    fn is_played(&self, step: &Node) -> bool {
        let (application, data) = (step.attribute("application"), step.attribute("data"));
        self.0.iter().filter(|swap| swap.reach == Reach::Prompt && inert(&swap.text)).any(|swap| {
            match application {
                "playback" => data == swap.text,
                "speak" => {
                    let words = data.strip_prefix("flite|kal|");
                    words.is_some() && swap.text.strip_prefix("say:").map(str::trim) == words
                }
                _ => false,
            }
        })
    }
}
