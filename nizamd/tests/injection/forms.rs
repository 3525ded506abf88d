//! The harmless requests: every text field of every form is in one of them. What an operation's description has and these do
//! not have fails the test.

use reqwest::Method;
use serde_json::{Value, json};

use crate::accounts;
use crate::flows;
use crate::form::{Form, Made, Reach};
use crate::site::Site;
use crate::town::Town;

/// All of them, each about a tenant of its own.
pub(crate) async fn forms(site: &Site) -> Vec<Form> {
    let mut forms = Vec::new();
    for make in [
        tenant,
        provisioned,
        settings,
        places,
        extension,
        many,
        did,
        group,
        menu,
        menu_map,
        hours,
        holiday,
        gateway,
        route,
        policy,
        queue,
        agent,
        device,
        webhook,
        prompt,
    ] {
        let town = Town::build(site, &format!("t{}", forms.len())).await;
        forms.push(make(&town));
    }
    for make in [flows::flow, flows::flow_ways, flows::flow_names] {
        let town = Town::build(site, &format!("t{}", forms.len())).await;
        forms.push(make(&town));
    }
    let town = Town::build(site, "accounts").await;
    forms.extend(accounts::accounts(site, &town).await);
    forms.extend(accounts::webhooks(site, &town).await);
    forms
}

fn tenant(town: &Town) -> Form {
    let body = json!({"name": "q-name", "domain": "q-made.test", "slug": "q-slug", "status": "active"});
    Form { reach: &[("domain", Reach::Host)], ..Form::new(town, "tenants.create", "/tenants".into(), body) }
}

fn provisioned(town: &Town) -> Form {
    let body = json!({
        "name": "q-provided", "domain": "q-provided.test", "slug": "q-provided", "settings": {
            "q-key-of-settings": "q-setting", "timezone": "Europe/Berlin", "country": "DE", "emergency_numbers": ["12345"],
            "caller_id_number": "q-tenant-number", "caller_id_name": "q-tenant-name", "tts_engine": "q-engine", "tts_voice": "q-voice",
        },
    });
    let form = Form::new(town, "tenants.provision", "/tenants/provision".into(), body);
    Form { slow: true, ..form.unread() }
}

fn settings(town: &Town) -> Form {
    let body = json!({"settings": {
        "caller_id_number": "q-tenant-number", "caller_id_name": "q-tenant-name", "tts_engine": "q-engine", "tts_voice": "q-voice",
        "q": {"q-key-inside": ["q-deep", {"password": "q-password"}]},
    }});
    Form {
        method: Method::PUT,
        made: Made::There,
        fixed: &[],
        reach: &[("settings.caller_id_number", Reach::Number)],
        ..Form::new(town, "settings.update", format!("/tenants/{}/settings", town.tenant), body)
    }
}

/// Settings that choose how numbers and times are read.
fn places(town: &Town) -> Form {
    let body = json!({"settings": {
        "timezone": "Europe/Berlin", "country": "DE", "emergency_numbers": ["12345"], "class_limits": {"premium": 1},
        "ring_timeout": "30",
    }});
    Form {
        method: Method::PUT,
        made: Made::There,
        decides: &["*"],
        ..Form::new(town, "settings.update", format!("/tenants/{}/settings", town.tenant), body)
    }
}

fn an_extension() -> Value {
    json!({
        "extension": "q7777", "password": "q-password", "directory_first_name": "q-first", "directory_last_name": "q-last",
        "effective_caller_id_name": "q-inside-name", "effective_caller_id_number": "q-inside-number",
        "outbound_caller_id_name": "q-outside-name", "outbound_caller_id_number": "q-outside-number",
        "voicemail_enabled": true, "voicemail_pin": "47114711", "cidr": "203.0.113.0/24", "toll_allow": ["local", "national"],
    })
}

fn extension(town: &Town) -> Form {
    Form {
        reach: &[("outbound_caller_id_number", Reach::Number), ("cidr", Reach::Host)],
        number: Some("extension"),
        ..Form::row(town, "extensions.create", an_extension())
    }
}

fn many(town: &Town) -> Form {
    let body = json!({"extensions": [an_extension()]});
    let form = Form::new(town, "extensions.bulk", format!("/tenants/{}/extensions/bulk", town.tenant), body);
    form.unread()
}

fn did(town: &Town) -> Form {
    let body = json!({
        "number": "+15559990000", "description": "q-about", "destination_type": "extension", "destination_id": town.other,
    });
    Form {
        decides: &["destination_type", "destination_id"],
        number: Some("number"),
        ..Form::row(town, "dids.create", body)
    }
}

fn group(town: &Town) -> Form {
    let body = json!({
        "name": "q-name", "number": "q7600", "strategy": "sequential", "members": [town.caller, town.other],
        "fallback_destination_type": "voicemail", "fallback_destination_id": town.caller,
    });
    Form { number: Some("number"), ..Form::row(town, "ring-groups.create", body) }
}

fn menu(town: &Town) -> Form {
    let body = json!({
        "name": "q-name", "number": "q7700", "greet_long": "q-long.wav", "greet_short": "q-short.wav", "direct_dial": true,
        "options": [
            {"digit": "1", "destination_type": "extension", "destination_id": town.other, "label": "q-label", "q-key": "q-more"},
        ],
        "timeout_destination_type": "extension", "timeout_destination_id": town.other,
    });
    Form {
        reach: &[
            ("greet_long", Reach::Prompt),
            ("greet_short", Reach::Prompt),
            ("options.0.digit", Reach::Text),
        ],
        decides: &["options.0.digit"],
        number: Some("number"),
        ..Form::row(town, "ivrs.create", body)
    }
}

/// The other form in which menus are sent.
fn menu_map(town: &Town) -> Form {
    let body = json!({"name": "q-name", "options": {"5555555555": {"type": "extension", "id": town.other}}});
    Form {
        fixed: &["options.5555555555.type", "options.5555555555.id"],
        decides: &["options.5555555555"],
        ..Form::row(town, "ivrs.create", body)
    }
}

fn hours(town: &Town) -> Form {
    let body = json!({
        "name": "q-name",
        "conditions": [
            {"wday": "mon-fri", "time_from": "09:00", "time_to": "09:00", "mday": "1-15", "mon": "1-12"},
            {"time_from": "09:00", "time_to": "09:00", "holiday_id": town.holiday},
        ],
        "match_destination_type": "extension", "match_destination_id": town.other,
        "no_match_destination_type": "extension", "no_match_destination_id": town.other,
    });
    Form {
        decides: &["match_destination_id", "no_match_destination_id"],
        ..Form::row(town, "time-conditions.create", body)
    }
}

fn holiday(town: &Town) -> Form {
    let body = json!({"name": "q-name", "dates": [{"date": "02-03", "name": "q-holiday"}, "02-04"]});
    Form { reaches: false, ..Form::row(town, "holidays.create", body) }
}

fn gateway(town: &Town) -> Form {
    let body = json!({
        "name": "q-name", "host": "q-host.test", "username": "q-user", "password": "q-secret", "realm": "q-realm", "transport": "tcp",
        "inbound_codecs": ["q-in1", "q-in2"], "outbound_codecs": ["q-out"], "addresses": ["203.0.113.7"],
    });
    Form {
        reach: &[("host", Reach::Host), ("username", Reach::UriUser)],
        ..Form::row(town, "gateways.create", body)
    }
}

fn route(town: &Town) -> Form {
    let body = json!({
        "name": "q-name", "patterns": ["8888."], "class": "local", "prepend": "*55*", "gateways": [town.gateway], "caller_id": "trunk",
        "caller_id_number": "*66*",
    });
    Form {
        decides: &["patterns.0"],
        reach: &[("caller_id_number", Reach::Number)],
        ..Form::row(town, "outbound-routes.create", body)
    }
}

fn policy(town: &Town) -> Form {
    let body = json!({
        "name": "q-name", "description": "q-about",
        "conditions": [
            {"type": "caller_id_pattern", "params": {"pattern": "q-pattern"}}, {"type": "blacklist", "params": {"numbers": ["q-number"]}},
            {"type": "geo_prefix", "params": {"prefixes": ["q-prefix"]}}, {"type": "time_of_day", "params": {"start": "09:00", "end": "09:00"}},
            {"type": "day_of_week", "params": {"days": ["mon"]}},
        ],
        "match_destination_type": "extension", "match_destination_id": town.other,
        "no_match_destination_type": "extension", "no_match_destination_id": town.other,
    });
    Form {
        decides: &["conditions.1.params.numbers.0"],
        ..Form::row(town, "call-routing-policies.create", body)
    }
}

fn queue(town: &Town) -> Form {
    let body = json!({
        "name": "q-name", "strategy": "ring_all", "overflow_action": "extension", "overflow_destination": "q-nobody",
        "music_on_hold": "q-music.wav",
    });
    Form { reach: &[("music_on_hold", Reach::Prompt)], ..Form::row(town, "queues.create", body) }
}

fn agent(town: &Town) -> Form {
    let body = json!({"name": "q-name", "extension_id": town.other, "role": "agent", "state": "available"});
    Form { reaches: false, ..Form::row(town, "agents.create", body) }
}

fn device(town: &Town) -> Form {
    let body = json!({
        "name": "q-name", "vendor": "q-vendor", "mac_address": "00:15:65:a1:b2:99", "template": "q-template", "extension_id": town.other,
    });
    Form { reaches: false, ..Form::row(town, "device-profiles.create", body) }
}

fn webhook(town: &Town) -> Form {
    let body = json!({
        "url": "https://hooks.example.org/x", "events": ["call.hangup"], "secret": "q-secret-q-secret-q", "description": "q-about",
        "format": "cloudevents",
    });
    Form { reaches: false, ..Form::row(town, "webhooks.create", body) }
}

fn prompt(town: &Town) -> Form {
    let content = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQIAAAAAAA==";
    let body = json!({"name": "q-name", "file_name": "q-file.wav", "content": content});
    Form { reaches: false, ..Form::row(town, "prompts.create", body) }
}
