//! Calls: a session, its channel and its caller profile, and the steps that a dialplan makes of them. Modules only ever
//! hold pointers to these.

use crate::identity;
use crate::log;
use crate::memory::{self, Pool};
use freeswitch_sys::{
    switch_bool_t, switch_caller_extension_t, switch_caller_profile_t, switch_channel_t,
    switch_core_session_t,
};
use libc::{c_char, c_int};
use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::ptr;
use std::sync::{Mutex, PoisonError};

/// Texts by name. Names are told apart without regard to case, as FreeSWITCH does.
type Texts = BTreeMap<Vec<u8>, CString>;

fn find<'a>(texts: &'a Texts, name: &[u8]) -> Option<&'a CStr> {
    texts.get(&name.to_ascii_lowercase()).map(CString::as_c_str)
}

/// Who calls whom.
#[derive(Clone, Default)]
pub(crate) struct Profile(Texts);

impl Profile {
    pub(crate) fn set(&mut self, field: &str, value: CString) {
        self.0.insert(field.to_ascii_lowercase().into_bytes(), value);
    }

    fn as_ptr(&self) -> *mut switch_caller_profile_t {
        ptr::from_ref(self).cast_mut().cast()
    }
}

/// A call. Boxed by whoever makes it: the module holds its address, and its channel's.
#[derive(Default)]
pub(crate) struct Session {
    channel: Channel,
    /// What lives as long as the call.
    pool: Pool,
    #[expect(clippy::vec_box, reason = "the module holds the address")]
    extensions: Mutex<Vec<Box<Extension>>>,
}

#[derive(Default)]
struct Channel {
    profile: Profile,
    /// That of `execute_extension`, while it hunts (`switch_channel_set_hunt_caller_profile`).
    hunted: Option<Profile>,
    variables: Texts,
    /// The session that this is a part of.
    session: Option<ptr::NonNull<Session>>,
}

/// One application with its argument.
pub(crate) type Step = (String, String);

#[derive(Default)]
struct Extension {
    steps: Mutex<Vec<Step>>,
}

impl Session {
    pub(crate) fn new(profile: Profile) -> Box<Self> {
        let mut session = Box::<Self>::default();
        session.channel.profile = profile;
        session.channel.session = Some(ptr::NonNull::from(&*session));
        session
    }

    pub(crate) fn set_variable(&mut self, name: &[u8], value: CString) {
        self.channel.variables.insert(name.to_ascii_lowercase(), value);
    }

    /// Hunts in the place of the channel's own profile with a copy of it that has these fields: what
    /// `switch_core_session_execute_exten` does. The answer is that profile.
    pub(crate) fn execute(&mut self, fields: [(&str, CString); 2]) -> *mut switch_caller_profile_t {
        let mut profile = self.channel.profile.clone();
        for (field, value) in fields {
            profile.set(field, value);
        }
        self.channel.hunted.insert(profile).as_ptr()
    }

    pub(crate) fn as_ptr(&self) -> *mut switch_core_session_t {
        ptr::from_ref(self).cast_mut().cast()
    }

    /// The steps of an extension that was made for this call.
    pub(crate) fn steps(&self, extension: *mut switch_caller_extension_t) -> Option<Vec<Step>> {
        let extensions = self.extensions.lock().unwrap_or_else(PoisonError::into_inner);
        let known =
            extensions.iter().find(|known| ptr::addr_eq(ptr::from_ref::<Extension>(known), extension))?;
        Some(known.steps.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

impl Channel {
    fn current(&self) -> &Profile {
        self.hunted.as_ref().unwrap_or(&self.profile)
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn switch_core_session_get_channel(
    session: *mut switch_core_session_t,
) -> *mut switch_channel_t {
    // SAFETY: modules pass on the session that they were called for.
    let session = unsafe { session.cast::<Session>().as_ref() };
    session.map_or(ptr::null_mut(), |session| ptr::from_ref(&session.channel).cast_mut().cast())
}

#[unsafe(no_mangle)]
unsafe extern "C" fn switch_channel_get_caller_profile(
    channel: *mut switch_channel_t,
) -> *mut switch_caller_profile_t {
    // SAFETY: modules pass the channel of the session that they were called for.
    unsafe { channel.cast::<Channel>().as_ref() }
        .map_or(ptr::null_mut(), |channel| channel.current().as_ptr())
}

#[unsafe(no_mangle)]
unsafe extern "C" fn switch_caller_get_field_by_name(
    profile: *mut switch_caller_profile_t,
    name: *const c_char,
) -> *const c_char {
    // SAFETY: modules pass a profile of the session that they were called for, and a C string.
    let (profile, name) = unsafe { (profile.cast::<Profile>().as_ref(), memory::bytes(name)) };
    profile.and_then(|profile| find(&profile.0, name)).map_or(ptr::null(), CStr::as_ptr)
}

/// What the channel does not have, the profile and then the global variables may. Copies live as long as the call;
/// global variables are always copied.
#[unsafe(no_mangle)]
unsafe extern "C" fn switch_channel_get_variable_dup(
    channel: *mut switch_channel_t,
    name: *const c_char,
    dup: switch_bool_t,
    idx: c_int,
) -> *const c_char {
    // SAFETY: modules pass the channel of the session that they were called for, and a C string.
    let (channel, name) = unsafe { (channel.cast::<Channel>().as_ref(), memory::bytes(name)) };
    let Some(channel) = channel.filter(|_| !name.is_empty() && idx == -1) else {
        return ptr::null();
    };
    // SAFETY: the session that the channel is a part of.
    let Some(session) = channel.session.map(|session| unsafe { session.as_ref() }) else {
        return ptr::null();
    };
    let own = find(&channel.variables, name).or_else(|| find(&channel.current().0, name));
    match own {
        Some(value) if dup == switch_bool_t::SWITCH_FALSE => value.as_ptr(),
        Some(value) => session.pool.string(value.to_bytes()),
        None => identity::variable(&String::from_utf8_lossy(name))
            .map_or(ptr::null(), |value| session.pool.string(value.as_bytes()).cast_const()),
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn switch_caller_extension_new(
    session: *mut switch_core_session_t,
    _name: *const c_char,
    _number: *const c_char,
) -> *mut switch_caller_extension_t {
    // SAFETY: modules pass on the session that they were called for.
    let Some(session) = (unsafe { session.cast::<Session>().as_ref() }) else {
        return ptr::null_mut();
    };
    let mut extensions = session.extensions.lock().unwrap_or_else(PoisonError::into_inner);
    extensions.push(Box::default());
    extensions.last().map_or(ptr::null_mut(), |made| ptr::from_ref::<Extension>(made).cast_mut().cast())
}

/// A step with `\'` in its argument is dropped, as in FreeSWITCH.
#[unsafe(no_mangle)]
unsafe extern "C" fn switch_caller_extension_add_application(
    _session: *mut switch_core_session_t,
    extension: *mut switch_caller_extension_t,
    application: *const c_char,
    data: *const c_char,
) {
    // SAFETY: modules pass an extension that the function above gave them, and C strings.
    let (extension, application, data) =
        unsafe { (extension.cast::<Extension>().as_ref(), memory::bytes(application), memory::bytes(data)) };
    let Some(extension) = extension else {
        return;
    };
    let [application, data] = [application, data].map(|text| String::from_utf8_lossy(text).into_owned());
    if data.contains("\\'") {
        log::line(
            log::WARNING,
            &format!("App not added, Invalid character sequence in data string [{data}]"),
        );
        return;
    }
    extension.steps.lock().unwrap_or_else(PoisonError::into_inner).push((application, data));
}
