//! Rules for single texts. Each gives the text as it is to be stored, or says what is wrong, and knows how to describe
//! itself as a JSON Schema.

use std::net::{IpAddr, Ipv4Addr};

/// What a text must be like.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The label of the field and the text, to the text that is stored or the message.
    pub(crate) check: fn(&str, &str) -> Result<String, String>,
    /// Fewest characters.
    pub least: usize,
    /// Most characters.
    pub most: usize,
    /// A pattern that every good text matches, as JSON Schema has it (ECMA-262).
    pub pattern: Option<&'static str>,
    /// Whether the pattern counts the characters, too: those that are left when blanks at the ends are cut off.
    pub counts: bool,
    /// A format of JSON Schema.
    pub format: Option<&'static str>,
    /// A good text.
    pub example: &'static str,
}

impl Rule {
    /// A rule for texts of so many characters. `check` itself must keep to that, too.
    pub(crate) const fn checked(
        check: fn(&str, &str) -> Result<String, String>,
        least: usize,
        most: usize,
        example: &'static str,
    ) -> Self {
        Self { check, least, most, pattern: None, counts: false, format: None, example }
    }

    pub(crate) const fn pattern(self, pattern: &'static str) -> Self {
        Self { pattern: Some(pattern), ..self }
    }

    /// The same with a pattern that also counts.
    pub(crate) const fn counted(self, pattern: &'static str) -> Self {
        Self { pattern: Some(pattern), counts: true, ..self }
    }

    pub(crate) const fn format(self, format: &'static str) -> Self {
        Self { format: Some(format), ..self }
    }

    /// The same rule with another example.
    pub(crate) const fn such_as(self, example: &'static str) -> Self {
        Self { example, ..self }
    }
}

/// Any text that cannot become something else on its way through XML and FreeSWITCH.
pub(crate) const PLAIN: Rule = Rule::checked(plain, 1, LONGEST, "Reception").counted(HARMLESS);
/// The name of a socket; what is none would make the signature of another name (as pusher-http-php had it once).
pub(crate) const SOCKET: Rule = Rule::checked(socket, 3, 64, "1234.5678").pattern("^[0-9]+[.][0-9]+$");
/// The name of a channel, with the characters of the Pusher protocol.
pub(crate) const CHANNEL: Rule =
    Rule::checked(channel, 1, 200, "private-tenant.0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b.events")
        .pattern("^#?[-a-zA-Z0-9_=@,.;]+$");
/// Any text that no one interprets: it is hashed, or only compared.
pub(crate) const OPAQUE: Rule = Rule::checked(opaque, 1, 1024, "correct horse battery staple");
/// A new password of a user.
pub(crate) const USER_PASSWORD: Rule = Rule::checked(user_password, 8, 1024, "correct horse battery staple");
/// A SIP password.
pub(crate) const SIP_PASSWORD: Rule =
    Rule::checked(sip_password, 8, 128, "kx9TqLw2ZrB7vNsE").pattern(HARMLESS_PASSWORD);
/// The number of an extension, also the SIP user name and a directory of the voicemail.
pub(crate) const NUMBER: Rule =
    Rule::checked(number, 1, 64, "1001").pattern("^[.]*[A-Za-z0-9_+*#-][A-Za-z0-9._+*#-]*$");
/// A PIN for voicemail.
pub(crate) const PIN: Rule = Rule::checked(pin, 4, 8, "4711").pattern("^[0-9]{4,8}$");
/// The domain of a tenant.
pub(crate) const TENANT_DOMAIN: Rule = Rule::checked(tenant_domain, 1, 253, "acme.example").pattern(
    r"^([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)+[A-Za-z_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$",
);
/// One network in CIDR notation.
pub(crate) const CIDR: Rule = Rule::checked(cidr, 1, 43, "192.0.2.0/24").pattern(
    r"^((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])/(3[0-2]|[12]?[0-9])$",
);
/// A name in addresses.
pub(crate) const SLUG: Rule = Rule::checked(slug, 1, LONGEST, "acme").counted(r"^\s*[\w-]{1,255}\s*$");
/// An e-mail address.
pub(crate) const EMAIL: Rule =
    Rule::checked(email, 3, LONGEST, "alice@example.org").format("email").pattern(HARMLESS_KEY);

/// A text of several lines, such as a template.
pub(crate) const LINES: Rule = Rule::checked(lines, 1, 65_536, "account.1.user_name = {{EXTENSION}}")
    .pattern(r"^[^\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]*$");
/// The number of a DID: in E.164 form or as people write it.
pub(crate) const DID_NUMBER: Rule =
    Rule::checked(did_number, 1, 32, "+15551001001").pattern(r"^\+?[0-9 ().\-]*[0-9][0-9 ().\-]*$");
/// What a caller presses in a menu.
pub(crate) const DIGITS: Rule = Rule::checked(digits, 1, 10, "1").pattern("^[0-9*#]{1,10}$");
/// A prompt: a file of the switch, or a phrase.
pub(crate) const PROMPT: Rule = PLAIN.such_as("ivr/welcome.wav");
/// A host name or an IP address.
pub(crate) const HOST: Rule = Rule::checked(domain, 1, 253, "sip.carrier.example").pattern(
    r"^([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*[A-Za-z_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$",
);
/// An IP address.
pub(crate) const ADDRESS: Rule = Rule::checked(address, 2, 45, "192.0.2.10").pattern(
    r"^((25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])\.){3}(25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])$",
);
/// An address of the web.
pub(crate) const URL: Rule = Rule::checked(url, 1, 2048, "https://hooks.example.org/nizam")
    .pattern("^[hH][tT][tT][pP][sS]?://.+")
    .format("uri");
/// A secret that signs.
pub(crate) const SIGNING_SECRET: Rule =
    Rule::checked(signing_secret, 16, 255, "3WdGwO8hC5v0mQzR2sLk9T").counted(HARMLESS_SECRET);
/// An address of a network card, in any of its spellings.
pub(crate) const MAC: Rule =
    Rule::checked(mac, 12, 17, "00:15:65:a1:b2:c3").pattern("^([0-9A-Fa-f]{2}[:.-]?){5}[0-9A-Fa-f]{2}$");
/// A pattern of dialled numbers: digits, `+`, `*`, `#`, X for any digit, Z for 1-9, N for 2-9, a final `.` for any rest.
pub(crate) const DIAL_PATTERN: Rule =
    Rule::checked(dial_pattern, 1, 64, "1NXXNXXXXXX").pattern(r"^[0-9XZN+*#]+\.?$");
/// Digits that a gateway wants before a number.
pub(crate) const PREPEND: Rule = Rule::checked(prepend, 1, 32, "00").pattern("^[0-9+*#]+$");
/// The name of a codec.
pub(crate) const CODEC: Rule = Rule::checked(codec, 1, 32, "PCMA").pattern("^[A-Za-z0-9._@-]+$");
/// The password of a gateway: what the carrier gave out, however short.
pub(crate) const GATEWAY_PASSWORD: Rule =
    Rule::checked(plain, 1, LONGEST, "kx9TqLw2ZrB7vNsE").pattern(PLAIN_PASSWORD);
/// A number or the beginning of one; `*` stands for any rest.
pub(crate) const CALLER_PATTERN: Rule = Rule::checked(plain, 1, LONGEST, "+1555*").counted(HARMLESS);
/// A time: RFC 3339, or a time or a date of UTC. Whether it is one, whoever has a calendar says.
pub(crate) const TIME_TEXT: Rule =
    Rule::checked(plain, 1, LONGEST, "2036-12-25T09:00:00Z").format("date-time");
/// The id of a node of a flow.
pub(crate) const NODE: Rule = Rule::checked(node, 1, 100, "welcome").counted(HARMLESS_NODE);

/// A text that [`harmless`] takes, as a pattern: so many characters after the first that is no blank. What may not follow
/// each other is looked at where it stands, so that a program can make texts from the pattern and not only test them.
macro_rules! harmless {
    ($before:literal, $many:literal, $after:literal, $backslash:literal) => {
        concat!(
            "^",
            $before,
            r"(?:[^\s\u0000-\u001f\u007f-\u009f<$\\]|<(?!!)|\$(?!\{)|",
            $backslash,
            r")(?:[^\u0000-\u001f\u007f-\u009f<$\\]|<(?!!)|\$(?!\{)|",
            $backslash,
            ")",
            $many,
            $after,
            "$"
        )
    };
}

/// [`plain`] as a pattern; blanks around it are cut off.
const HARMLESS: &str = harmless!(r"\s*", "{0,254}", r"\s*", r"\\(?!')");
/// [`node`] as a pattern.
const HARMLESS_NODE: &str = harmless!(r"\s*", "{0,99}", r"\s*", r"\\(?!')");
/// The key of a map that [`plain`] takes.
pub(crate) const PLAIN_KEY: &str = r"^(?:[^\u0000-\u001f\u007f-\u009f<$\\]|<(?!!)|\$(?!\{)|\\(?!')){1,255}$";
/// The key of a map that [`harmless`] takes.
pub(crate) const HARMLESS_KEY: &str = r"^(?:[^\u0000-\u001f\u007f-\u009f<$]|<(?!!)|\$(?!\{))*$";
/// [`sip_password`] as a pattern; a blank at its ends belongs to it.
const HARMLESS_PASSWORD: &str = harmless!(r"[^\S\u0000-\u001f\u007f-\u009f]*", "{7,127}", "", r"\\");
/// [`plain`] as a pattern for a password; a blank at its ends belongs to it.
const PLAIN_PASSWORD: &str = harmless!(r"[^\S\u0000-\u001f\u007f-\u009f]*", "{0,254}", "", r"\\(?!')");
/// [`signing_secret`] as a pattern.
const HARMLESS_SECRET: &str = harmless!(r"\s*", "{15,254}", r"\s*", r"\\(?!')");

/// Longest text of a column, in characters.
const LONGEST: usize = 255;

/// The name of a field as messages have it.
pub(crate) fn label(field: &str) -> String {
    field.replace('_', " ")
}

fn socket(label: &str, text: &str) -> Result<String, String> {
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let good = text.len() <= 64 && text.split_once('.').is_some_and(|(a, b)| digits(a) && digits(b));
    if good { Ok(text.to_owned()) } else { Err(format!("The {label} field must be the id of a socket.")) }
}

fn channel(label: &str, text: &str) -> Result<String, String> {
    let name = text.strip_prefix('#').unwrap_or(text);
    let good = (1..=200).contains(&text.len())
        && !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=@,.;".contains(&byte));
    if good { Ok(text.to_owned()) } else { Err(format!("The {label} field must be the name of a channel.")) }
}

/// Any text that cannot become something else on its way through XML and FreeSWITCH.
pub(crate) fn plain(label: &str, text: &str) -> Result<String, String> {
    shorter(label, text, LONGEST)?;
    harmless(label, text)?;
    // In a dial string `\'` ends a quoted value although the quote is escaped.
    if text.contains("\\'") {
        return Err(format!("The {label} field must not contain <!, ${{ or \\'."));
    }
    Ok(text.to_owned())
}

/// Any text that no one interprets: it is hashed, or only compared.
fn opaque(label: &str, text: &str) -> Result<String, String> {
    shorter(label, text, 1024)?;
    Ok(text.to_owned())
}

/// A new password of a user.
fn user_password(label: &str, text: &str) -> Result<String, String> {
    longer(label, text, 8)?;
    opaque(label, text)
}

/// A SIP password.
fn sip_password(label: &str, text: &str) -> Result<String, String> {
    longer(label, text, 8)?;
    shorter(label, text, 128)?;
    harmless(label, text)?;
    Ok(text.to_owned())
}

/// The number of an extension, also the SIP user name and a directory of the voicemail.
fn number(label: &str, text: &str) -> Result<String, String> {
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

fn lines(label: &str, text: &str) -> Result<String, String> {
    shorter(label, text, 65_536)?;
    if text.chars().any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) {
        return Err(format!("The {label} field must not contain control characters."));
    }
    Ok(text.to_owned())
}

fn did_number(label: &str, text: &str) -> Result<String, String> {
    shorter(label, text, 32)?;
    let rest = text.strip_prefix('+').unwrap_or(text);
    let known = |c: char| c.is_ascii_digit() || " ().-".contains(c);
    if rest.chars().all(known) && rest.contains(|c: char| c.is_ascii_digit()) {
        Ok(text.to_owned())
    } else {
        Err(format!("The {label} field must be a telephone number such as +15551001001."))
    }
}

/// What makes the number of a DID unique in its tenant: its spelling does not count.
pub fn did_key(number: &str) -> String {
    number.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect()
}

fn digits(label: &str, text: &str) -> Result<String, String> {
    if (1..=10).contains(&text.len()) && text.chars().all(|c| c.is_ascii_digit() || "*#".contains(c)) {
        Ok(text.to_owned())
    } else {
        Err(format!("The {label} field must be 1 to 10 of the digits 0-9, * and #."))
    }
}

fn url(label: &str, text: &str) -> Result<String, String> {
    shorter(label, text, 2048)?;
    let wrong = || format!("The {label} field must be a valid URL.");
    let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
    let known = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let odd = |c: char| c.is_control() || c.is_whitespace() || "\"<>\\^`{|}".contains(c);
    if !known || host.is_empty() || host.starts_with(':') || text.contains(odd) {
        return Err(wrong());
    }
    Ok(text.to_owned())
}

fn signing_secret(label: &str, text: &str) -> Result<String, String> {
    longer(label, text, 16)?;
    shorter(label, text, LONGEST)?;
    harmless(label, text)?;
    Ok(text.to_owned())
}

fn mac(label: &str, text: &str) -> Result<String, String> {
    let known = text.chars().all(|c| c.is_ascii_hexdigit() || ":.-".contains(c));
    if known && text.len() <= 17 && mac_key(text).len() == 12 {
        Ok(text.to_owned())
    } else {
        Err(format!("The {label} field must be a MAC address such as 00:15:65:a1:b2:c3."))
    }
}

/// The 12 hex digits of a MAC address, by which a phone is known.
pub fn mac_key(text: &str) -> String {
    text.chars().filter(char::is_ascii_hexdigit).map(|c| c.to_ascii_lowercase()).collect()
}

fn dial_pattern(label: &str, text: &str) -> Result<String, String> {
    let body = text.strip_suffix('.').unwrap_or(text);
    let known = |c: char| c.is_ascii_digit() || "XZN+*#".contains(c);
    if !body.is_empty() && text.len() <= 64 && body.chars().all(known) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "The {label} field must be a pattern of digits, +, *, #, X (any digit), Z (1-9), N (2-9), with . at the end for \
             any rest."
        ))
    }
}

fn codec(label: &str, text: &str) -> Result<String, String> {
    let known = |c: char| c.is_ascii_alphanumeric() || "._@-".contains(c);
    if (1..=32).contains(&text.len()) && text.chars().all(known) {
        Ok(text.to_owned())
    } else {
        Err(format!("The {label} field must be the name of a codec such as PCMA or opus@48000h@20i."))
    }
}

/// What makes a name unique in its tenant: case does not count.
pub(crate) fn folded(name: &str) -> String {
    name.to_lowercase()
}

fn prepend(label: &str, text: &str) -> Result<String, String> {
    if (1..=32).contains(&text.len()) && text.chars().all(|c| c.is_ascii_digit() || "+*#".contains(c)) {
        Ok(text.to_owned())
    } else {
        Err(format!("The {label} field must be 1 to 32 digits, +, * or #."))
    }
}

fn node(label: &str, text: &str) -> Result<String, String> {
    shorter(label, text, 100)?;
    plain(label, text)
}

/// What makes a number unique in its tenant: SIP phones and people do not agree on case.
pub fn extension_key(number: &str) -> String {
    number.to_ascii_lowercase()
}

/// A PIN for voicemail.
fn pin(label: &str, text: &str) -> Result<String, String> {
    if nizam_wire::record::is_pin(text.as_bytes()) {
        Ok(text.to_owned())
    } else {
        Err(format!("The {label} field must be between 4 and 8 digits."))
    }
}

/// A SIP domain: a host name (RFC 1123) or an IP address, in lower case.
pub(crate) fn domain(label: &str, text: &str) -> Result<String, String> {
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
fn tenant_domain(label: &str, text: &str) -> Result<String, String> {
    let domain = domain(label, text)?;
    if domain.contains(['.', ':']) {
        Ok(domain)
    } else {
        Err(format!("The {label} field must be a host name with a dot, or an IP address."))
    }
}

/// An IP address, in the one form in which it is compared.
fn address(label: &str, text: &str) -> Result<String, String> {
    match text.parse::<IpAddr>() {
        Ok(address) => Ok(address.to_canonical().to_string()),
        Err(_) => Err(format!("The {label} field must be a valid IP address.")),
    }
}

/// One network in CIDR notation.
fn cidr(label: &str, text: &str) -> Result<String, String> {
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
fn slug(label: &str, text: &str) -> Result<String, String> {
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
pub(crate) fn harmless(label: &str, text: &str) -> Result<(), String> {
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
