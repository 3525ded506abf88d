//! Which gateways mod_sofia shall have, and what to tell it when they change.
//!
//! mod_sofia asks the directory for gateways only when a profile starts or is scanned again, and keeps one until it is
//! told that it is gone (`mod_sofia.c:cmd_profile`). A changed gateway has another name (`nizam_wire::record::Gateway`).

use crate::{Element, Layers};
use nizam_wire::Kind;
use nizam_wire::image::{PLATFORM, Scope};
use nizam_wire::record::{Gateway, State};
use std::collections::{BTreeSet, HashMap};

/// Whether the gateways may be others after a change of stacks. Looks at what is new only, and not at records.
pub fn may_differ(before: &Layers, after: &Layers) -> bool {
    let (old, new) = (before.images(), after.images());
    let is_new = |id: u64| !old.iter().any(|image| image.id() == id);
    if new.last().map(|base| base.id()) != old.last().map(|base| base.id()) {
        return true;
    }
    // A tenant that is closed has no gateways any more.
    new.iter().filter(|image| is_new(image.id())).any(|image| {
        [Kind::Gateway, Kind::Domain].iter().any(|kind| image.scope(&PLATFORM, *kind).next().is_some())
    })
}

/// The gateways of each tenant.
pub(crate) fn by_tenant(layers: &Layers) -> HashMap<Scope, Vec<Gateway<'_>>> {
    let mut all: HashMap<Scope, Vec<Gateway<'_>>> = HashMap::new();
    for entry in layers.scope(&PLATFORM, Kind::Gateway) {
        if let Some(gateway) = entry.value.and_then(|value| Gateway::decode(value).ok()) {
            all.entry(gateway.tenant).or_default().push(gateway);
        }
    }
    all
}

/// The names that mod_sofia shall have: those of all tenants that are not closed.
pub fn names(layers: &Layers) -> BTreeSet<String> {
    let mut gateways = by_tenant(layers);
    if gateways.is_empty() {
        return BTreeSet::new();
    }
    layers
        .tenants()
        .filter(|tenant| tenant.state != State::Closed)
        .flat_map(|tenant| gateways.remove(&tenant.id).unwrap_or_default())
        .filter(|gateway| is_name(gateway.name))
        .map(|gateway| gateway.name.to_owned())
        .collect()
}

/// The names in an answer of the directory.
pub fn named_in(answer: &Element) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    collect(answer, &mut names);
    names
}

/// As deep as answers are.
fn collect(element: &Element, names: &mut BTreeSet<String>) {
    if element.name == "gateway" {
        let own = element.attributes.iter().find(|(name, _)| *name == "name").map(|(_, value)| value);
        names.extend(own.filter(|name| is_name(name)).cloned());
        return;
    }
    for child in &element.children {
        collect(child, names);
    }
}

/// Whether a text can be a name in a command: that of a gateway, or of a profile. `_all_` stands for all of them there.
pub fn is_name(text: &str) -> bool {
    let inert = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !text.is_empty() && text.len() <= 128 && text.bytes().all(inert) && !text.eq_ignore_ascii_case("_all_")
}

/// One command of mod_sofia.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The profile reads its gateways again, and takes those that it has not yet.
    Rescan,
    /// The gateway is unregistered and forgotten.
    Kill(String),
}

impl Step {
    /// The argument of the command `sofia`.
    pub fn argument(&self, profile: &str) -> String {
        match self {
            Self::Rescan => format!("profile {profile} rescan"),
            Self::Kill(name) => format!("profile {profile} killgw {name}"),
        }
    }

    /// Whether what the command printed says that it is done.
    pub fn is_done(&self, printed: &str) -> bool {
        match self {
            Self::Rescan => printed.contains("+OK"),
            Self::Kill(_) => printed.contains("+OK") || printed.contains("-ERR no such gateway"),
        }
    }
}

/// What is known of the gateways that mod_sofia has.
#[derive(Debug)]
pub struct Told {
    /// Those that answers of ours named: it may have them. A profile reads them by itself when it starts.
    given: BTreeSet<String>,
    /// Those that were there when it was last scanned: it has them.
    read: BTreeSet<String>,
}

impl Told {
    /// Nothing.
    pub const fn nothing() -> Self {
        Self { given: BTreeSet::new(), read: BTreeSet::new() }
    }

    /// It may have started while we did not answer, and have read nothing.
    pub fn doubt(&mut self) {
        self.read.clear();
    }

    /// An answer names these gateways.
    pub fn give(&mut self, names: impl IntoIterator<Item = String>) {
        self.given.extend(names);
    }

    /// What to tell it, so that it has these and no others of ours. New ones come before old ones go.
    pub fn steps(&self, wanted: &BTreeSet<String>) -> Vec<Step> {
        let rescan = (!wanted.is_subset(&self.read)).then_some(Step::Rescan);
        let gone = self.given.difference(wanted).cloned().map(Step::Kill);
        rescan.into_iter().chain(gone).collect()
    }

    /// A step is done: `wanted` is what was there before the first of them.
    pub fn take(&mut self, step: &Step, wanted: &BTreeSet<String>) {
        match step {
            Step::Rescan => self.read.clone_from(wanted),
            Step::Kill(name) => {
                self.given.remove(name);
                self.read.remove(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Origin;
    use nizam_wire::image::ONLY;
    use nizam_wire::record::{PairsBuf, Tenant};
    use nizam_wire::{Builder, Image};
    use std::sync::Arc;

    const ACME: Scope = [1; 16];
    const OTHER: Scope = [2; 16];

    fn tenant(builder: &mut Builder, id: Scope, domain: &str, state: State) {
        let none = PairsBuf::default();
        let record = Tenant {
            id,
            domain,
            state,
            ring_timeout: 30,
            dial_string: "",
            variables: none.as_pairs(),
            variables_xml: "",
        };
        builder.put(Kind::Domain, PLATFORM, domain.as_bytes(), Some(&record.id)).unwrap();
        builder.put(Kind::Tenant, record.id, ONLY, Some(&record.encode())).unwrap();
    }

    fn gateway(builder: &mut Builder, key: u8, tenant: Scope, name: Option<&str>) {
        let none = PairsBuf::default();
        let value = name.map(|name| {
            let (params, variables) = (none.as_pairs(), none.as_pairs());
            Gateway { tenant, shared: false, name, params, variables }.encode()
        });
        builder.put(Kind::Gateway, PLATFORM, &[key; 16], value.as_deref()).unwrap();
    }

    fn image(builder: Builder) -> Arc<Image> {
        Arc::new(Image::from_vec(builder.finish().unwrap()).unwrap())
    }

    fn base() -> Arc<Image> {
        let mut builder = Builder::base(1, 7);
        tenant(&mut builder, ACME, "acme.example", State::Open);
        tenant(&mut builder, OTHER, "other.example", State::Suspended);
        gateway(&mut builder, 1, ACME, Some("acme-1"));
        gateway(&mut builder, 2, OTHER, Some("other-1"));
        gateway(&mut builder, 3, ACME, Some("two words"));
        gateway(&mut builder, 4, ACME, Some("_ALL_"));
        gateway(&mut builder, 5, [9; 16], Some("nobodys"));
        image(builder)
    }

    fn overlay(generation: u64, fill: impl FnOnce(&mut Builder)) -> Arc<Image> {
        let mut builder = Builder::overlay(generation, 7);
        fill(&mut builder);
        image(builder)
    }

    fn layers(images: &[&Arc<Image>]) -> Layers {
        Layers::new(images.iter().map(|image| Arc::clone(image)).collect(), Origin::Daemon)
    }

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    /// Takes all steps, as if each were done; a scan is answered with what is wanted.
    fn follow(told: &mut Told, wanted: &BTreeSet<String>) -> Vec<Step> {
        let steps = told.steps(wanted);
        for step in &steps {
            if *step == Step::Rescan {
                told.give(wanted.iter().cloned());
            }
            told.take(step, wanted);
        }
        steps
    }

    #[test]
    fn names_are_those_of_open_tenants_and_can_stand_in_a_command() {
        let base = base();
        assert_eq!(names(&layers(&[&base])), set(&["acme-1", "other-1"]));
        let edited = overlay(2, |builder| gateway(builder, 1, ACME, Some("acme-2")));
        assert_eq!(names(&layers(&[&edited, &base])), set(&["acme-2", "other-1"]));
        let removed = overlay(3, |builder| gateway(builder, 1, ACME, None));
        assert_eq!(names(&layers(&[&removed, &edited, &base])), set(&["other-1"]));
        let closed = overlay(4, |builder| tenant(builder, OTHER, "other.example", State::Closed));
        assert_eq!(names(&layers(&[&closed, &base])), set(&["acme-1"]));
        assert!(names(&Layers::none()).is_empty());
    }

    #[test]
    fn only_stacks_with_something_new_about_gateways_or_tenants_are_looked_at() {
        let base = base();
        let extension = overlay(2, |builder| {
            builder.put(Kind::Extension, ACME, b"1001", Some(b"x")).unwrap();
        });
        let edited = overlay(3, |builder| gateway(builder, 1, ACME, None));
        let closed = overlay(4, |builder| tenant(builder, ACME, "acme.example", State::Closed));
        let before = layers(&[&base]);
        assert!(!may_differ(&before, &before));
        assert!(!may_differ(&before, &layers(&[&extension, &base])));
        assert!(may_differ(&before, &layers(&[&edited, &base])));
        assert!(may_differ(&before, &layers(&[&closed, &base])));
        assert!(!may_differ(&layers(&[&edited, &base]), &layers(&[&extension, &edited, &base])));
        assert!(may_differ(&Layers::none(), &before));
        assert!(may_differ(&before, &layers(&[&image(Builder::base(9, 7))])), "another base");
    }

    #[test]
    fn new_ones_are_read_before_old_ones_go() {
        let mut told = Told::nothing();
        assert_eq!(told.steps(&set(&[])), [], "nothing to read");
        assert_eq!(follow(&mut told, &set(&["a-1", "b-1"])), [Step::Rescan]);
        assert_eq!(told.steps(&set(&["a-1", "b-1"])), []);
        let steps = follow(&mut told, &set(&["a-2", "b-1"]));
        assert_eq!(steps, [Step::Rescan, Step::Kill("a-1".into())]);
        assert_eq!(follow(&mut told, &set(&["a-2"])), [Step::Kill("b-1".into())], "nothing new: no rescan");
        assert_eq!(follow(&mut told, &set(&["a-2", "c-1", "d-1"])), [Step::Rescan], "two at once are one");
        assert_eq!(told.steps(&set(&["a-2", "c-1", "d-1"])), []);
    }

    #[test]
    fn what_was_not_done_is_still_to_do() {
        let mut told = Told::nothing();
        follow(&mut told, &set(&["a-1"]));
        let wanted = set(&["a-2"]);
        told.take(&Step::Kill("a-1".into()), &wanted);
        assert_eq!(told.steps(&wanted), [Step::Rescan], "the rescan failed");
        follow(&mut told, &wanted);
        told.doubt();
        assert_eq!(told.steps(&wanted), [Step::Rescan], "a switch that started without us has read nothing");
        assert_eq!(told.steps(&set(&[])), [Step::Kill("a-2".into())], "and one that did not still has it");
    }

    #[test]
    fn what_a_profile_read_by_itself_is_taken_away_as_well() {
        let list = |name: &str| {
            let gateway = Element::new("gateway").with("name", name).child(Element::new("param"));
            let user = Element::new("user").with("name", "u").child(Element::new("gateways").child(gateway));
            Element::new("document").child(user)
        };
        let mut told = Told::nothing();
        told.give(named_in(&list("early")));
        told.give(named_in(&list("_all_")));
        assert_eq!(follow(&mut told, &set(&["a-1"])), [Step::Rescan, Step::Kill("early".into())]);
        assert_eq!(told.steps(&set(&["a-1"])), []);
    }

    #[test]
    fn commands_are_those_of_mod_sofia() {
        assert_eq!(Step::Rescan.argument("external"), "profile external rescan");
        assert_eq!(Step::Kill("a-1".into()).argument("trunks"), "profile trunks killgw a-1");
        assert!(Step::Rescan.is_done("Reload XML [Success]\n+OK scan complete\n"));
        assert!(!Step::Rescan.is_done("Invalid Profile [external]"));
        assert!(!Step::Rescan.is_done("INVALID COMMAND!\n"));
        assert!(Step::Kill("a".into()).is_done("-ERR no such gateway.\n"));
        assert!(!Step::Kill("a".into()).is_done("INVALID COMMAND!\n"));
        for bad in ["", "_all_", "_ALL_", "a b", "a;b", "a\nb", "ä", "a/b", &"x".repeat(129)] {
            assert!(!is_name(bad), "{bad:?}");
        }
    }
}
