//! Extensions whose names, numbers and passwords are hostile.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Found;
use super::taken::taken;
use crate::support::{Account, Site};

/// One with the text wherever it was taken.
pub(crate) struct Person {
    pub(crate) text: String,
    pub(crate) account: Account,
    /// The text has its own place in the password; nobody logs in as this one.
    pub(crate) has_odd_password: bool,
    /// What FreeSWITCH shall have of it: variables and params.
    pub(crate) variables: BTreeMap<&'static str, String>,
}

/// All of them.
pub(crate) struct People {
    pub(crate) domain: String,
    pub(crate) tenant: String,
    pub(crate) all: Vec<Person>,
    refused: usize,
}

/// The fields that hold the text.
const FIELDS: [&str; 6] = [
    "directory_first_name",
    "directory_last_name",
    "effective_caller_id_name",
    "effective_caller_id_number",
    "outbound_caller_id_name",
    "outbound_caller_id_number",
];
/// Those that an extension must have.
const NEEDED: [&str; 2] = ["directory_first_name", "directory_last_name"];

impl People {
    /// An extension a text.
    pub(crate) fn make(site: &Site, domain: &str, texts: &[String]) -> Self {
        let tenant = site.tenant(domain);
        site.nizamd.rest().change_tenant(&tenant, &json!({"max_extensions": 0}));
        let rows: Vec<Value> = texts.iter().zip(0..).map(|(text, n)| row(text, n)).collect();
        let sent = rows.len() * FIELDS.len();
        let (made, body) =
            taken(site, &format!("/tenants/{tenant}/extensions/bulk"), json!({"extensions": rows}), without);
        let rows = body["extensions"].as_array().unwrap();
        let mut kept = 0;
        let all = rows.iter().zip(made.as_array().unwrap()).zip(texts).map(|((row, made), text)| {
            kept += FIELDS.iter().filter(|field| row[**field].as_str() == Some(text)).count();
            person(row, made, text, (&tenant, domain))
        });
        let all = all.collect();
        Self { domain: domain.to_owned(), tenant, all, refused: sent - kept }
    }

    /// How many of the texts were refused by the API.
    pub(crate) fn refused(&self) -> usize {
        self.refused
    }

    /// Whether FreeSWITCH finds each with these texts.
    pub(crate) fn look_up(&self, site: &mut Site, found: &mut Found) {
        for person in &self.all {
            let address = format!("{}@{}", person.account.number, self.domain);
            for (name, want) in &person.variables {
                let kind = if *name == "password" { "param" } else { "var" };
                let has = site.switch.api(&format!("user_data {address} {kind} {name}"));
                // It has no other way to say that there is none.
                let has = if has == "-ERR no reply\n" { "" } else { &has };
                found.compare(&format!("{name} of {:?}", person.text), want, has);
            }
        }
    }
}

fn row(text: &str, n: usize) -> Value {
    let mut row = json!({"extension": (20_000 + n).to_string(), "password": "a-good-password"});
    let map = row.as_object_mut().unwrap();
    map.extend(FIELDS.iter().map(|field| ((*field).to_owned(), json!(text))));
    if n.is_multiple_of(3) {
        map.insert("password".to_owned(), json!(text));
    }
    if n % 3 == 1 {
        // Then the person's name is shown.
        map.remove("effective_caller_id_name");
    }
    row
}

/// `extensions.7.password`
fn without(body: &mut Value, field: &str) {
    let mut steps = field.split('.').skip(1);
    let row = steps.next().and_then(|n| body["extensions"].get_mut(n.parse::<usize>().ok()?));
    let (map, name) = (row.unwrap().as_object_mut().unwrap(), steps.next().unwrap());
    if NEEDED.contains(&name) {
        map.insert(name.to_owned(), json!("Harmless"));
    } else if name == "password" {
        map.insert(name.to_owned(), json!("a-good-password"));
    } else {
        map.remove(name);
    }
}

fn person(row: &Value, made: &Value, text: &str, (tenant, domain): (&str, &str)) -> Person {
    let of = |name: &str| row[name].as_str().unwrap_or_default().trim().to_owned();
    let number = of("extension");
    let password = row["password"].as_str().unwrap().to_owned();
    let name = of("effective_caller_id_name");
    let full = format!("{} {}", of("directory_first_name"), of("directory_last_name"));
    let shown = of("effective_caller_id_number");
    let variables = [
        ("password", password.clone()),
        ("effective_caller_id_name", if name.is_empty() { full } else { name }),
        ("effective_caller_id_number", if shown.is_empty() { number.clone() } else { shown }),
        ("outbound_caller_id_name", of("outbound_caller_id_name")),
        ("outbound_caller_id_number", of("outbound_caller_id_number")),
    ];
    let account = Account {
        tenant: tenant.to_owned(),
        id: made["id"].as_str().unwrap().to_owned(),
        number,
        domain: domain.to_owned(),
        password: password.clone(),
    };
    Person {
        text: text.to_owned(),
        account,
        has_odd_password: password != "a-good-password",
        variables: variables.into(),
    }
}
