//! What is known of a call that is to be routed.

/// The channel that is routed, for what a walk asks only now and then.
pub trait Channel {
    /// The value of a variable.
    fn variable(&self, name: &str) -> Option<&[u8]>;
}

/// A channel without variables.
#[derive(Clone, Copy, Debug)]
pub struct NoChannel;

impl Channel for NoChannel {
    fn variable(&self, _: &str) -> Option<&[u8]> {
        None
    }
}

/// What is known of a call that is to be routed. Bytes, not text: much of it comes from a SIP message.
#[derive(Clone, Copy)]
pub struct DialplanQuestion<'a> {
    /// `Hunt-Context`: the tenant's domain for its own phones.
    pub context: Option<&'a [u8]>,
    /// `Hunt-Destination-Number`.
    pub number: Option<&'a [u8]>,
    /// `Hunt-Caller-ID-Number`.
    pub caller_number: Option<&'a [u8]>,
    /// `Hunt-Network-Addr`: the IP address that the call comes from.
    pub address: Option<&'a [u8]>,
    /// `variable_user_name`: the authenticated user who calls.
    pub caller: Option<&'a [u8]>,
    /// `variable_domain_name`: that user's domain.
    pub caller_domain: Option<&'a [u8]>,
    /// `variable_nizam_gateway`: the id of the gateway that the call comes from.
    pub gateway: Option<&'a [u8]>,
    /// `variable_nizam_admitted`: the limits have counted the call before.
    pub admitted: Option<&'a [u8]>,
    /// `variable_nizam_path`: what the call has passed before.
    pub path: Option<&'a [u8]>,
    /// The rest of the channel.
    pub channel: &'a dyn Channel,
    /// The time, seconds since 1970, UTC.
    pub now: i64,
}

impl Default for DialplanQuestion<'_> {
    fn default() -> Self {
        Self {
            context: None,
            number: None,
            caller_number: None,
            address: None,
            caller: None,
            caller_domain: None,
            gateway: None,
            admitted: None,
            path: None,
            channel: &NoChannel,
            now: 0,
        }
    }
}
