//! Rules for single texts. Each gives the text as it is to be stored, or says what is wrong.

use std::net::{IpAddr, Ipv4Addr};

/// A rule: the label of the field and the text, to the text that is stored or the message.
pub(super) type Rule = fn(&str, &str) -> Result<String, String>;

/// Longest text of a column, in characters.
const LONGEST: usize = 255;

/// The name of a field as messages have it.
pub(super) fn label(field: &str) -> String {
    field.replace('_', " ")
}

/// Any text that cannot become something else on its way through XML and FreeSWITCH.
pub(super) fn plain(label: &str, text: &str) -> Result<String, String> {
    shorter(label, text, LONGEST)?;
    harmless(label, text)?;
    // In a dial string `\'` ends a quoted value although the quote is escaped.
    if text.contains("\\'") {
        return Err(format!("The {label} field must not contain <!, ${{ or \\'."));
    }
    Ok(text.to_owned())
}

/// Any text that no one interprets: it is hashed, or only compared.
pub(super) fn opaque(label: &str, text: &str) -> Result<String, String> {
    shorter(label, text, 1024)?;
    Ok(text.to_owned())
}

/// A new password of a user.
pub(super) fn user_password(label: &str, text: &str) -> Result<String, String> {
    longer(label, text, 8)?;
    opaque(label, text)
}

/// A SIP password.
pub(super) fn sip_password(label: &str, text: &str) -> Result<String, String> {
    longer(label, text, 8)?;
    shorter(label, text, 128)?;
    harmless(label, text)?;
    Ok(text.to_owned())
}

/// The number of an extension, also the SIP user name and a directory of the voicemail.
pub(super) fn number(label: &str, text: &str) -> Result<String, String> {
    shorter(label, text, 64)?;
    let known = |c: char| c.is_ascii_alphanumeric() || "._+*#-".contains(c);
    if !text.chars().all(known) {
        return Err(format!("The {label} field must only contain letters, digits and . _ + * # -"));
    }
    if text.chars().all(|c| c == '.') {
        return Err(format!("The {label} field must not be dots only."));
    }
    Ok(text.to_owned())
}

/// What makes a number unique in its tenant: SIP phones and people do not agree on case.
pub fn extension_key(number: &str) -> String {
    number.to_ascii_lowercase()
}

/// A PIN for voicemail.
pub(super) fn pin(label: &str, text: &str) -> Result<String, String> {
    if (4..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err(format!("The {label} field must be between 4 and 8 digits."))
    }
}

/// A SIP domain: a host name (RFC 1123) or an IP address, in lower case.
pub(super) fn domain(label: &str, text: &str) -> Result<String, String> {
    let wrong = || format!("The {label} field must be a host name or an IP address.");
    shorter(label, text, 253)?;
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    let is_label = |part: &str| {
        (1..=63).contains(&part.len())
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !part.starts_with('-')
            && !part.ends_with('-')
    };
    let mut last = "";
    for part in text.split('.') {
        if !is_label(part) {
            return Err(wrong());
        }
        last = part;
    }
    // A name that ends in a number is a mistyped IPv4 address.
    if last.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    Ok(text.to_ascii_lowercase())
}

/// The domain of a tenant: more than one label, or an address. It is also the name of the tenant's context, and a single
/// word may be one that the switch has already: a tenant `public` would get the calls of strangers.
pub(super) fn tenant_domain(label: &str, text: &str) -> Result<String, String> {
    let domain = domain(label, text)?;
    if domain.contains(['.', ':']) {
        Ok(domain)
    } else {
        Err(format!("The {label} field must be a host name with a dot, or an IP address."))
    }
}

/// One network in CIDR notation.
pub(super) fn cidr(label: &str, text: &str) -> Result<String, String> {
    let wrong = || format!("The {label} field must be a network such as 192.0.2.0/24 or 2001:db8::/32.");
    let (address, bits) = text.split_once('/').ok_or_else(wrong)?;
    let address: IpAddr = address.parse().map_err(|_| wrong())?;
    let most = if address.is_ipv4() { Ipv4Addr::BITS } else { std::net::Ipv6Addr::BITS };
    if bits.is_empty() || bits.len() > 3 || !bits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong());
    }
    let bits: u32 = bits.parse().map_err(|_| wrong())?;
    if bits > most {
        return Err(wrong());
    }
    Ok(format!("{address}/{bits}"))
}

/// A name in addresses.
pub(super) fn slug(label: &str, text: &str) -> Result<String, String> {
    shorter(label, text, LONGEST)?;
    if text.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_') {
        Ok(text.to_owned())
    } else {
        Err(format!("The {label} field must only contain letters, numbers, dashes, and underscores."))
    }
}

/// An e-mail address: enough of RFC 5321 to tell one from a typing error.
pub fn email(label: &str, text: &str) -> Result<String, String> {
    shorter(label, text, LONGEST)?;
    let wrong = || format!("The {label} field must be a valid email address.");
    let (local, host) = text.rsplit_once('@').ok_or_else(wrong)?;
    let odd = |c: char| c.is_control() || c.is_whitespace() || "()<>[]\\,;:\"@".contains(c);
    if local.is_empty()
        || local.len() > 64
        || local.contains(odd)
        || local.starts_with('.')
        || local.ends_with('.')
        || local.contains("..")
    {
        return Err(wrong());
    }
    if host.parse::<IpAddr>().is_ok() || domain(label, host).is_err() {
        return Err(wrong());
    }
    plain(label, text)
}

fn longer(label: &str, text: &str, least: usize) -> Result<(), String> {
    if text.chars().count() < least {
        return Err(format!("The {label} field must be at least {least} characters."));
    }
    Ok(())
}

fn shorter(label: &str, text: &str, most: usize) -> Result<(), String> {
    if text.chars().count() > most {
        return Err(format!("The {label} field must not be greater than {most} characters."));
    }
    Ok(())
}

/// `<!` starts what FreeSWITCH's parser takes for a declaration (`switch_xml.c`), `${` is expanded by its channels.
pub(super) fn harmless(label: &str, text: &str) -> Result<(), String> {
    if text.chars().any(char::is_control) {
        return Err(format!("The {label} field must not contain control characters."));
    }
    if text.contains("<!") || text.contains("${") {
        return Err(format!("The {label} field must not contain <!, ${{ or \\'."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains() {
        for (text, want) in [
            ("Demo.NIZAM.local", "demo.nizam.local"),
            ("a", "a"),
            ("192.0.2.1", "192.0.2.1"),
            ("2001:DB8:0::1", "2001:db8::1"),
            ("1.example", "1.example"),
        ] {
            assert_eq!(domain("domain", text).as_deref(), Ok(want));
        }
        let long = "a".repeat(64);
        for text in [
            "",
            ".",
            "..",
            "a..b",
            "-a",
            "a-",
            "a b",
            "a/b",
            "1.2.3",
            "1.2.3.400",
            "a.",
            "é.x",
            "[::1]",
            &long,
        ] {
            assert!(domain("domain", text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_tenants_domain_is_no_name_of_a_context() {
        for text in ["public", "default", "all", "a"] {
            assert!(tenant_domain("domain", text).is_err(), "{text}");
        }
        for text in ["a.test", "192.0.2.1", "2001:db8::1"] {
            assert_eq!(tenant_domain("domain", text).as_deref(), Ok(text));
        }
    }

    #[test]
    fn numbers() {
        for text in ["1001", "*97", "+1555", "a.b-c_d#", "A"] {
            assert!(number("extension", text).is_ok(), "{text:?}");
        }
        let long = "1".repeat(65);
        for text in [".", "..", "a b", "1/2", "é", "a@b", "${x}", "1\n", "'", &long] {
            assert!(number("extension", text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn networks() {
        assert_eq!(cidr("cidr", "192.0.2.0/24").as_deref(), Ok("192.0.2.0/24"));
        assert_eq!(cidr("cidr", "2001:DB8::/32").as_deref(), Ok("2001:db8::/32"));
        for text in
            ["192.0.2.0", "192.0.2.0/33", "::/129", "x/8", "192.0.2.0/", "192.0.2.0/+8", "192.0.2.0/8,::/0"]
        {
            assert!(cidr("cidr", text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn texts_that_would_become_something_else() {
        for text in ["<!--", "${uuid}", "it\\'s", "a\0b", "a\u{7f}", "a\u{85}", &"x".repeat(256)] {
            assert!(plain("name", text).is_err(), "{text:?}");
        }
        assert!(plain("name", "O'Brien & \"Söhne\" <x> \\ $1 {2}").is_ok());
    }

    #[test]
    fn passwords_and_pins() {
        assert!(sip_password("password", "p'\"\\'<>&x").is_ok());
        assert!(sip_password("password", "1234567").is_err());
        assert!(sip_password("password", &"x".repeat(129)).is_err());
        assert!(sip_password("password", "12345678${").is_err());
        assert!(pin("voicemail_pin", "0123").is_ok() && pin("voicemail_pin", "12345678").is_ok());
        for text in ["123", "123456789", "12a4", "１２３４"] {
            assert!(pin("voicemail_pin", text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn addresses() {
        for text in ["a@b", "first.last+tag@example.org", "jürgen@example.org"] {
            assert!(email("email", text).is_ok(), "{text:?}");
        }
        for text in ["", "a", "@b", "a@", "a b@c", "a@b c", "a@@b", "a..b@c", "a@1.2.3.4", "<a@b>", "a@b\n"] {
            assert!(email("email", text).is_err(), "{text:?}");
        }
    }
}
