//! The fields of registration, login and tokens.

use serde_json::{Value, json};

use super::form::is_list;
use super::rule::{EMAIL, OPAQUE, PLAIN, TIME_TEXT, USER_PASSWORD};
use super::{Errors, Fields, Presence};
use crate::model::Abilities;

/// The fields of a registration.
#[derive(Clone, PartialEq, Eq)]
pub struct Registration {
    /// Name for people.
    pub name: String,
    /// Address, also the login.
    pub email: String,
    /// The password in clear.
    pub password: String,
}

/// The fields of a login.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The login.
    pub email: String,
    /// The password in clear.
    pub password: String,
}

/// The fields of a new token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// What its owner calls it.
    pub name: String,
    /// What it may be used for.
    pub abilities: Abilities,
    /// When it ends, as it was sent: the caller has the clock and the calendar.
    pub expires_at: Option<String>,
}

/// Most abilities of a token.
const MOST_ABILITIES: usize = 100;

/// Reads a registration.
pub fn registration(f: &mut Fields<'_>) -> Result<Registration, Errors> {
    let name = f.text("name", PLAIN);
    let email = f.text("email", EMAIL);
    let password = f.text("password", USER_PASSWORD);
    f.describe("password_confirmation", Presence::Required, || USER_PASSWORD.schema());
    let confirmation = f.value("password_confirmation").and_then(Value::as_str);
    if !password.is_empty() && confirmation != Some(password.as_str()) {
        f.wrong("password", "The password field confirmation does not match.");
    }
    f.finish(Registration { name, email, password })
}

/// Reads a login.
pub fn login(f: &mut Fields<'_>) -> Result<Login, Errors> {
    let login = Login { email: f.text("email", EMAIL), password: f.text("password", OPAQUE) };
    f.finish(login)
}

/// Reads a new token.
pub fn new_token(f: &mut Fields<'_>) -> Result<NewToken, Errors> {
    let name = f.text("name", PLAIN);
    let abilities = if f.is_describing() || f.has("abilities") { abilities(f) } else { Abilities::all() };
    let expires_at = f.nullable("expires_at", TIME_TEXT);
    f.finish(NewToken { name, abilities, expires_at })
}

fn abilities(f: &mut Fields<'_>) -> Abilities {
    let schema = || json!({"type": "array", "items": PLAIN.schema(), "maxItems": MOST_ABILITIES, "examples": [["read"]]});
    if f.describe("abilities", Presence::Optional, schema) {
        return Abilities::default();
    }
    let items: Vec<&Value> = match f.value("abilities") {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(Value::Object(map)) if is_list(map) => map.values().collect(),
        _ => {
            f.wrong("abilities", "The abilities field must be an array.");
            return Abilities::default();
        }
    };
    if items.len() > MOST_ABILITIES {
        f.wrong("abilities", format!("The abilities field must not have more than {MOST_ABILITIES} items."));
        return Abilities::default();
    }
    let mut names = Vec::with_capacity(items.len());
    for (i, item) in items.into_iter().enumerate() {
        let field = format!("abilities.{i}");
        match item {
            Value::String(text) => match (PLAIN.check)(&field, text) {
                Ok(text) => names.push(text),
                Err(message) => f.wrong(&field, message),
            },
            _ => f.wrong(&field, format!("The {field} field must be a string.")),
        }
    }
    Abilities::new(names)
}

#[cfg(test)]
mod tests {
    use super::super::Input;
    use super::*;

    fn input(json: &str) -> Input {
        Input::json(json.as_bytes()).unwrap()
    }

    #[test]
    fn the_password_is_confirmed() {
        let good = input(
            r#"{"name":"A","email":"a@example.org","password":"12345678","password_confirmation":"12345678"}"#,
        );
        assert!(registration(&mut Fields::new(&good)).is_ok());
        for confirmation in
            ["", r#","password_confirmation":"other""#, r#","password_confirmation":["12345678"]"#]
        {
            let body =
                format!(r#"{{"name":"A","email":"a@example.org","password":"12345678"{confirmation}}}"#);
            let errors = registration(&mut Fields::new(&input(&body))).err().unwrap();
            assert_eq!(errors.message(), "The password field confirmation does not match.");
        }
    }

    #[test]
    fn abilities_default_to_everything() {
        let token = new_token(&mut Fields::new(&input(r#"{"name":"x"}"#))).unwrap();
        assert_eq!(token.abilities, Abilities::all());
        let token = new_token(&mut Fields::new(&input(r#"{"name":"x","abilities":[]}"#))).unwrap();
        assert!(token.abilities.names().is_empty());
        let errors =
            new_token(&mut Fields::new(&input(r#"{"name":"x","abilities":["read",7]}"#))).unwrap_err();
        assert!(errors.has("abilities.1"));
        assert!(new_token(&mut Fields::new(&input(r#"{"name":"x","abilities":"*"}"#))).is_err());
    }
}
