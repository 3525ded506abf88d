//! A tenant with phones and a user.

use std::path::PathBuf;

use reqwest::Method;
use serde_json::json;

use crate::support::{Account, Call, Callee, Caller, Manner, Rest, Site};

const PASSWORD: &str = "a-password-for-e2e";

/// A tenant, its user, and who lives there.
pub(crate) struct House {
    pub(crate) tenant: String,
    pub(crate) domain: &'static str,
    /// Somebody who may do everything in this tenant.
    pub(crate) user: Rest,
    /// Where FreeSWITCH keeps recordings.
    pub(crate) recordings: PathBuf,
    caller: Account,
    _phones: [Callee; 2],
}

impl House {
    /// The number of a phone that takes calls. None of these is in the corpus, where they would be dialled.
    pub(crate) const TAKES: &str = "2742";
    /// That of one that refuses them.
    pub(crate) const REFUSES: &str = "2743";
    /// A number that nobody has.
    pub(crate) const NOBODY: &str = "2777";

    /// With three phones, and an extension `own` without one, whose names are hostile.
    pub(crate) fn build(site: &Site, domain: &'static str, own: &str) -> Self {
        let tenant = site.tenant(domain);
        let caller = site.extension(&tenant, domain, "2741", false);
        let phones = [(Self::TAKES, Manner::Answer), (Self::REFUSES, Manner::Refuse(486))];
        let phones = phones
            .map(|(number, manner)| site.phone_that(&site.extension(&tenant, domain, number, false), manner));
        let names = json!({
            "effective_caller_id_name": "x:_:user/2742@other.control.test",
            "effective_caller_id_number": "x:_:user/2742@own.control.test",
        });
        site.extension_with(&tenant, domain, own, &names);
        let user = Self::user(site, &tenant, domain, &[]);
        Self {
            tenant,
            domain,
            user,
            recordings: site.switch.directory("recordings"),
            caller,
            _phones: phones,
        }
    }

    /// Somebody of this tenant who may do nothing but this; everything, if it is nothing.
    fn user(site: &Site, tenant: &str, domain: &str, may: &[&str]) -> Rest {
        let email = format!("{}@{domain}", if may.is_empty() { "everything" } else { may[0] });
        let body = json!({"name": "Clerk", "email": email, "password": PASSWORD, "role": "user", "tenant_id": tenant});
        let (status, made) = site.nizamd.rest().attempt(&Method::POST, "/users", &body);
        assert_eq!(status, 201, "{made}");
        if !may.is_empty() {
            let path = format!("/users/{}/permissions/grant", made["id"]);
            site.nizamd.rest().call(&Method::POST, &path, &json!({"permissions": may}));
        }
        site.nizamd.sign_in(&email, PASSWORD)
    }

    /// Somebody of this tenant who has nothing to do with calls.
    pub(crate) fn gardener(&self, site: &Site) -> Rest {
        Self::user(site, &self.tenant, self.domain, &["extensions.view"])
    }

    /// A call inside, that lasts until somebody ends it.
    pub(crate) fn talk(&self, site: &Site) -> Call {
        let mut call = site.call(&Caller::phone(&self.caller).holding(55_000), Self::TAKES);
        assert_eq!(call.status(), 200);
        call
    }
}
