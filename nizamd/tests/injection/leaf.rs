//! The texts in a body: where they are, and putting others there.

use serde_json::Value;

/// A text of a body: a value, or the key of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Leaf {
    /// Where it is, in steps from the top.
    pub(crate) path: Vec<String>,
    /// What is there in a harmless body.
    pub(crate) harmless: String,
    pub(crate) is_key: bool,
}

/// Keys that stand for any key begin like this in a harmless body.
const KEYS: [&str; 3] = ["q-key", "5555555555", "premium"];

impl Leaf {
    /// All of a body.
    pub(crate) fn all(body: &Value) -> Vec<Self> {
        let mut leaves = Vec::new();
        collect(body, &mut Vec::new(), &mut leaves);
        leaves
    }

    /// `nodes.0.data.text`
    pub(crate) fn name(&self) -> String {
        self.path.join(".")
    }

    /// Puts another text there.
    pub(crate) fn put(&self, body: &mut Value, text: &str) {
        let (last, above) = self.path.split_last().unwrap();
        let mut place = body;
        for step in above {
            place = child(place, step).unwrap();
        }
        if !self.is_key {
            *child(place, last).unwrap() = Value::from(text);
            return;
        }
        let map = place.as_object_mut().unwrap();
        let value = map.remove(last).unwrap();
        map.insert(text.to_owned(), value);
    }

    /// What is there in an answer.
    pub(crate) fn find<'v>(&self, answer: &'v Value, text: &str) -> Option<&'v Value> {
        let (last, above) = self.path.split_last()?;
        let parent = above.iter().try_fold(answer, |place, step| get(place, step))?;
        get(parent, if self.is_key { text } else { last })
    }

    /// Whether the errors of an answer name it, or what it is in.
    pub(crate) fn is_named(&self, errors: &[&str], text: &str) -> bool {
        let name = self.name();
        let key = self.is_key.then(|| {
            let (_, above) = self.path.split_last().unwrap();
            above.iter().map(String::as_str).chain([text]).collect::<Vec<_>>().join(".")
        });
        errors.iter().any(|error| {
            // What is compared with the password is wrong where that is.
            let error =
                if name == "password_confirmation" && *error == "password" { name.as_str() } else { error };
            let holds = name.strip_prefix(error).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            holds
                || key.as_ref().is_some_and(|key| {
                    error.starts_with(key.as_str()) || key.starts_with(&format!("{error}."))
                })
        })
    }
}

fn collect(value: &Value, path: &mut Vec<String>, leaves: &mut Vec<Leaf>) {
    match value {
        Value::String(text) => {
            leaves.push(Leaf { path: path.clone(), harmless: text.clone(), is_key: false });
        }
        Value::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                path.push(i.to_string());
                collect(item, path, leaves);
                path.pop();
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                path.push(key.clone());
                collect(item, path, leaves);
                if KEYS.iter().any(|known| key.starts_with(known)) {
                    leaves.push(Leaf { path: path.clone(), harmless: key.clone(), is_key: true });
                }
                path.pop();
            }
        }
        _ => {}
    }
}

fn get<'v>(place: &'v Value, step: &str) -> Option<&'v Value> {
    match place {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        Value::Object(map) => map.get(step),
        _ => None,
    }
}

fn child<'v>(place: &'v mut Value, step: &str) -> Option<&'v mut Value> {
    match place {
        Value::Array(items) => items.get_mut(step.parse::<usize>().ok()?),
        Value::Object(map) => map.get_mut(step),
        _ => None,
    }
}
