//! A form, tried with one string after the other.

use std::net::IpAddr;

use reqwest::Method;
use serde_json::Value;

use crate::compare::{Swap, Swaps};
use crate::document::Node;
use crate::form::{Form, Made};
use crate::leaf::Leaf;
use crate::lookup::{self, Place, Seen};
use crate::site::{Answer, Site, id_of};
use crate::tally::Tally;

/// A form that was tried with harmless texts, and is then with others.
pub(crate) struct Trial<'s> {
    site: &'s Site,
    form: Form,
    leaves: Vec<Leaf>,
    harmless: Vec<Seen>,
    pub(crate) tally: Tally,
}

/// Numbers that lead elsewhere before anything is looked up.
const SPECIAL: [&str; 6] = ["112", "911", "999", "000", "*97", "*98"];
/// More rounds than fields that are checked one after the other.
const ROUNDS: usize = 8;

impl<'s> Trial<'s> {
    /// Tries it with harmless texts.
    pub(crate) async fn begin(site: &'s Site, form: Form) -> Self {
        let leaves = form.leaves();
        let mut tally = Tally::default();
        let resource = form.operation.split('.').next().unwrap();
        tally.fields.extend(
            leaves
                .iter()
                .map(|leaf| format!("{resource} {}{}", leaf.name(), if leaf.is_key { " (key)" } else { "" })),
        );
        let mut this = Self { site, form, leaves, harmless: Vec::new(), tally };
        let made = this.site.send(this.form.method.clone(), &this.form.path, Some(&this.form.body)).await;
        assert!(made.status < 300 || this.is_nobodys(&made), "{}: {made:?}", this.form.operation);
        if this.form.reaches {
            this.harmless = this.ask(&made, &this.form.body).unwrap();
        }
        this.forget(&made).await;
        this
    }

    /// Whether it is about a call: there is none, and no switch that could make one. What may be in a command, its own tests say
    /// (`nizamd/core/src/control.rs`).
    fn is_nobodys(&self, answer: &Answer) -> bool {
        let of_call = self.form.operation.starts_with("calls.") && matches!(answer.status, 404 | 503);
        // Nothing has happened that a webhook could be told of.
        of_call || self.form.operation == "webhooks.redeliver" && answer.status == 422
    }

    /// Tries it with that string.
    pub(crate) async fn run(&mut self, text: &str) {
        let site = self.site;
        let tried = if self.form.operation == "dids.create" {
            let _alone = site.public.write().await;
            self.try_with(text).await
        } else {
            let _shared = site.public.read().await;
            self.try_with(text).await
        };
        if let Err(why) = tried {
            self.tally.others.push(format!("{} with {text:?}: {why}", self.form.operation));
        }
    }

    async fn try_with(&mut self, text: &str) -> Result<(), String> {
        let mut with: Vec<Leaf> = self.leaves.clone();
        for _ in 0..ROUNDS {
            if with.is_empty() {
                return Ok(());
            }
            let mut body = self.form.body.clone();
            for leaf in with.iter().filter(|leaf| !leaf.is_key).chain(with.iter().filter(|leaf| leaf.is_key))
            {
                leaf.put(&mut body, text);
            }
            let answer = self.site.send(self.form.method.clone(), &self.form.path, Some(&body)).await;
            if answer.status < 300 {
                self.tally.accepted += with.len();
                let found = self.look(&answer, &body, &with, text).await;
                self.forget(&answer).await;
                return found;
            }
            if self.is_nobodys(&answer) {
                self.tally.refused += with.len();
                return Ok(());
            }
            if !(400..500).contains(&answer.status) {
                return Err(format!("{answer:?}"));
            }
            if self.form.operation == "auth.login" && answer.status == 401 {
                self.tally.refused += with.len();
                return Ok(());
            }
            // Nobody learns of a channel whether it is there.
            if self.form.operation == "broadcasting.auth" && answer.status == 403 {
                self.tally.refused += with.len();
                return Ok(());
            }
            // The operation's one field names what is not there.
            if self.form.operation == "queues.join" && answer.status == 404 {
                self.tally.refused += with.len();
                return Ok(());
            }
            let errors = answer.errors();
            let (named, rest): (Vec<_>, Vec<_>) =
                with.into_iter().partition(|leaf| leaf.is_named(&errors, text));
            if named.is_empty() {
                return Err(format!("no field is named: {answer:?}"));
            }
            self.tally.refused += named.len();
            with = rest;
        }
        Err(format!("still refused: {with:?}"))
    }

    /// Whether a row that was taken is what was given, here and for FreeSWITCH.
    async fn look(&mut self, made: &Answer, body: &Value, with: &[Leaf], text: &str) -> Result<(), String> {
        let shown = match self.form.made {
            Made::Nothing => return Ok(()),
            Made::Row => self.site.get(&format!("{}/{}", self.form.path, id_of(made.row()))).await,
            Made::There => self.site.get(&self.form.path).await,
        };
        if shown.status != 200 {
            return Err(format!("read back: {shown:?}"));
        }
        for leaf in with {
            self.read_back(leaf, shown.row(), text)?;
        }
        if !self.form.reaches {
            return Ok(());
        }
        let seen = self.ask(made, body)?;
        self.tally.lookups += seen.len();
        let number = self.form.number.is_some_and(|name| with.iter().any(|leaf| leaf.name() == name));
        let elsewhere = number && SPECIAL.contains(&text.trim().trim_start_matches('+'));
        // Without a text a row is another row.
        if text.trim().is_empty() || elsewhere || with.iter().any(|leaf| self.form.is_decided_by(leaf)) {
            return Ok(());
        }
        let swaps = Swaps::new(
            with.iter()
                .map(|leaf| Swap {
                    harmless: leaf.harmless.clone(),
                    text: stored(leaf, text),
                    reach: self.form.reach(leaf),
                })
                .collect(),
        );
        for ((name, harmless), (_, hostile)) in self.harmless.iter().zip(&seen) {
            let difference = match (harmless, hostile) {
                (None, None) => None,
                (Some(harmless), Some(hostile)) => swaps.differ(harmless, hostile),
                (None, Some(other)) => Some(format!("not ours before, and now {other:?}")),
                (Some(_), None) => Some("not ours".to_owned()),
            };
            if let Some(difference) = difference {
                return Err(format!("{name}: {difference}"));
            }
        }
        Ok(())
    }

    fn read_back(&self, leaf: &Leaf, row: &Value, text: &str) -> Result<(), String> {
        let below = Leaf {
            path: leaf.path.iter().filter(|step| *step != "settings").cloned().collect(),
            ..leaf.clone()
        };
        let want = stored(leaf, text);
        let key_above =
            self.leaves.iter().any(|key| key.is_key && leaf.path.starts_with(&key.path) && key != leaf);
        // What no answer shows is not there.
        let Some(found) = below.find(row, &want).filter(|_| !key_above) else {
            let hidden = ["password", "secret", "template", "content"]
                .contains(&leaf.path.last().map_or("", String::as_str));
            return if hidden || key_above || want.is_empty() {
                Ok(())
            } else {
                Err(format!("{} is gone: {row}", leaf.name()))
            };
        };
        if leaf.is_key {
            return Ok(());
        }
        let same = match found {
            Value::Null => want.is_empty(),
            Value::String(found) => *found == want || is_same_host(found, &want),
            Value::Object(map) => map.get("date").is_some_and(|date| *date == want),
            other => *other == want,
        };
        if same { Ok(()) } else { Err(format!("{} is {found} instead of {want:?}", leaf.name())) }
    }

    /// Everything that FreeSWITCH asks, with the ids of the row made the same for every row.
    fn ask(&self, made: &Answer, body: &Value) -> Result<Vec<Seen>, String> {
        let row = made.row();
        let id = if self.form.made == Made::Row { id_of(row) } else { self.form.town.queue.clone() };
        let domain = if self.form.operation == "tenants.create" { row["domain"].as_str() } else { None };
        let number = self.form.number.and_then(|name| body[name].as_str()).unwrap_or("7777").trim();
        let place = Place {
            town: &self.form.town,
            domain: domain.unwrap_or(&self.form.town.domain),
            id: &id,
            number,
            steps: body["nodes"].as_array().map_or(0, Vec::len),
        };
        let seen = lookup::everything(&self.site.engine, &place)?;
        Ok(seen.into_iter().map(|(name, answer)| (name, answer.map(|root| plain(root, &id)))).collect())
    }

    async fn forget(&self, made: &Answer) {
        if self.form.made == Made::Row {
            let path = format!("{}/{}", self.form.path, id_of(made.row()));
            let gone = self.site.send(Method::DELETE, &path, None).await;
            assert_eq!(gone.status, 204, "{path}: {gone:?}");
        } else if self.form.operation == "tenants.provision" {
            let id = made.row()["tenant"]["id"].as_str().unwrap_or_else(|| panic!("{made:?}"));
            assert_eq!(self.site.send(Method::DELETE, &format!("/tenants/{id}"), None).await.status, 204);
        } else if self.form.operation == "extensions.bulk" {
            for row in made.row().as_array().unwrap() {
                let path = format!("/tenants/{}/extensions/{}", self.form.town.tenant, id_of(row));
                assert_eq!(self.site.send(Method::DELETE, &path, None).await.status, 204);
            }
        } else if self.form.operation == "queues.join" {
            let agent = self.form.body["agent_id"].as_str().unwrap();
            self.site.send(Method::DELETE, &format!("{}/{agent}", self.form.path), None).await;
        } else if self.form.operation == "auth.register" {
            let id = id_of(&made.body["user"]);
            assert_eq!(
                self.site.send(Method::DELETE, &format!("/users/{id}"), None).await.status,
                204,
                "{made:?}"
            );
        }
    }
}

/// A text as it is kept (docs/api.md): without blanks at its ends. Passwords and keys of maps are as they were typed.
fn stored(leaf: &Leaf, text: &str) -> String {
    let typed = leaf.is_key || leaf.path.last().is_some_and(|name| name.starts_with("password"));
    if typed && !text.trim().is_empty() || leaf.is_key { text.to_owned() } else { text.trim().to_owned() }
}

/// Whether that is the one form in which a host name or an address is kept.
fn is_same_host(kept: &str, text: &str) -> bool {
    let address = |text: &str| text.parse::<IpAddr>().ok().map(|address| address.to_canonical());
    kept == text.to_ascii_lowercase() || address(kept).is_some_and(|kept| address(text) == Some(kept))
}

/// The same without what differs from row to row and from write to write.
fn plain(root: Node, id: &str) -> Node {
    let simple = id.replace('-', "");
    let change = |value: &str| {
        if value.starts_with("nizam_generation=") {
            return "nizam_generation=N".to_owned();
        }
        if let Some(path) = value.strip_prefix("nizam_path=") {
            let number = |word: &str| {
                word.strip_prefix('g').is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
            };
            let words = path.split(' ').map(|word| if number(word) { "gN" } else { word });
            let path = words.collect::<Vec<_>>().join(" ");
            return format!("nizam_path={}", path.replace(&simple, "ROW"));
        }
        value.replace(id, "ROW").replace(&simple, "ROW")
    };
    let mut root = root.map(&change);
    // The base of a town comes first; of the others there is one.
    root.sort_users(&|id: &str| if id.starts_with("700") { id.to_owned() } else { "~".to_owned() });
    root
}
