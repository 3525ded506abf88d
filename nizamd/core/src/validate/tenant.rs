//! The fields of a tenant.

use super::rule::{PLAIN, SLUG, TENANT_DOMAIN};
use super::settings::initial_settings;
use super::{Errors, Fields};
use crate::model::{NewTenant, Slug, TenantChange, TenantStatus};

/// The fields of a new tenant. Without a slug it is made from the name.
pub fn new_tenant(f: &mut Fields<'_>) -> Result<NewTenant, Errors> {
    let name = f.text("name", PLAIN);
    let domain = f.text("domain", TENANT_DOMAIN);
    let slug = match f.nullable("slug", SLUG) {
        Some(slug) => Slug::Given(slug),
        None if f.is_wrong("slug") => Slug::Given(String::new()),
        None if name.is_empty() => {
            f.missing("slug");
            Slug::Given(String::new())
        }
        None => Slug::FromName(slug_of(&name)),
    };
    let new = NewTenant {
        name,
        domain,
        slug,
        status: status(f).unwrap_or(TenantStatus::Active),
        max_extensions: f.count("max_extensions").unwrap_or(0),
        max_concurrent_calls: f.count("max_concurrent_calls").unwrap_or(0),
        max_dids: f.count("max_dids").unwrap_or(0),
        max_ring_groups: f.count("max_ring_groups").unwrap_or(0),
        max_calls_per_minute: f.count("max_calls_per_minute").unwrap_or(0),
        is_active: f.flag("is_active").unwrap_or(true),
    };
    f.finish(new)
}

/// The fields of a change to a tenant: what is absent keeps its value.
pub fn change_tenant(f: &mut Fields<'_>) -> Result<TenantChange, Errors> {
    let change = TenantChange {
        name: f.text_change("name", PLAIN),
        domain: f.text_change("domain", TENANT_DOMAIN),
        slug: f.text_change("slug", SLUG),
        status: status(f),
        max_extensions: f.count("max_extensions"),
        max_concurrent_calls: f.count("max_concurrent_calls"),
        max_dids: f.count("max_dids"),
        max_ring_groups: f.count("max_ring_groups"),
        max_calls_per_minute: f.count("max_calls_per_minute"),
        is_active: f.flag("is_active"),
    };
    f.finish(change)
}

/// What a tenant is to be set up with, all at once.
#[derive(Clone, Debug, PartialEq)]
pub struct Provision {
    /// Name for people.
    pub name: String,
    /// SIP domain; without one it is made from the slug.
    pub domain: Option<String>,
    /// Name in addresses; without one it is made from the name.
    pub slug: Option<String>,
    /// Most extensions, calls at once, DIDs, ring groups and calls in a minute.
    pub most: [i64; 5],
    /// The settings that it begins with.
    pub settings: serde_json::Map<String, serde_json::Value>,
}

/// The fields of a tenant that is set up all at once.
pub fn provision(f: &mut Fields<'_>) -> Result<Provision, Errors> {
    let name = f.text("name", PLAIN);
    let domain = f.nullable("domain", TENANT_DOMAIN);
    let slug = f.nullable("slug", SLUG);
    let most = [
        ("max_extensions", 10),
        ("max_concurrent_calls", 5),
        ("max_dids", 5),
        ("max_ring_groups", 3),
        ("max_calls_per_minute", 0),
    ];
    let most = most.map(|(field, default)| f.count(field).unwrap_or(default));
    let settings = initial_settings(f);
    f.finish(Provision { name, domain, slug, most, settings })
}

fn status(f: &mut Fields<'_>) -> Option<TenantStatus> {
    f.choice("status", TenantStatus::NAMES).and_then(TenantStatus::parse)
}

/// The slug that a name makes: `Acme & Söhne` is `acme-söhne`.
pub fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars().flat_map(char::to_lowercase) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug: String = slug.trim_end_matches('-').chars().take(200).collect();
    if slug.is_empty() { "tenant".to_owned() } else { slug }
}

#[cfg(test)]
mod tests {
    use super::super::Input;
    use super::*;

    fn input(json: &str) -> Input {
        Input::json(json.as_bytes()).unwrap()
    }

    fn new(json: &str) -> Result<NewTenant, Errors> {
        new_tenant(&mut Fields::new(&input(json)))
    }

    #[test]
    fn nothing_names_all_three() {
        let errors = new("[]").unwrap_err();
        assert!(errors.has("name") && errors.has("domain") && errors.has("slug"));
    }

    #[test]
    fn the_slug_comes_from_the_name() {
        let tenant = new(r#"{"name":"Acme & Co.","domain":"A.example"}"#).unwrap();
        assert_eq!(tenant.slug, Slug::FromName("acme-co".into()));
        assert_eq!(tenant.domain, "a.example");
        assert_eq!(slug_of("!!!"), "tenant");
        assert!(new(r#"{"name":"x","domain":"x","slug":"a b"}"#).unwrap_err().has("slug"));
    }

    #[test]
    fn a_change_of_nothing_is_one() {
        let input = Input::json(b"[]").unwrap();
        assert_eq!(change_tenant(&mut Fields::new(&input)), Ok(TenantChange::default()));
        let input = Input::json(br#"{"name":null,"status":"gone","max_dids":"x"}"#).unwrap();
        let errors = change_tenant(&mut Fields::new(&input)).unwrap_err();
        assert!(errors.has("name") && errors.has("status") && errors.has("max_dids"));
    }
}
