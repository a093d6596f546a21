//! An installation: what holds here and now.

use crate::call::{answer, call};
use crate::handle::{Handle, exclusive, free, give, peek, shared};
use crate::product::licentia_product;
use crate::status::{licentia_error, licentia_status};
use crate::text::{bytes, c_text, feature_id, out, put, text};
use licentia_core::{Access, Installation, Result};
use std::ffi::{c_char, c_int, c_void};

/// The time at which a call is made, where one is asked for.
pub const LICENTIA_NOW: i64 = i64::MIN;

/// What gate answers when it cannot tell.
const CANNOT_TELL: c_int = 500;

/// What holds here and now: one copy of the product in one place, with its licenses, its use and
/// its sense of time, kept in a folder. It follows the clock, renewals, removals and limits, also
/// those that another process brings about. This is what a program asks for as long as it runs.
pub struct licentia_installation(());

impl Handle for licentia_installation {
    type Held = Installation;
    const TAG: u64 = u64::from_be_bytes(*b"install1");
    const NAME: &'static str = "installation";
}

/// Opens the installation that is kept in a folder. The folder has to exist and belongs to
/// licentia alone; keep it through restarts and updates of your program. Any number of processes
/// may have it open. A folder that is damaged, full or cannot be reached does not fail here:
/// licentia_installation_status says what is wrong with it, what would be written there fails
/// with that status, and licenses from elsewhere work. Of the product, the installation keeps a
/// copy as it is now; only a clock that is set later reaches it.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_product_open(
    product: *const licentia_product,
    directory: *const c_char,
    installation: *mut *mut licentia_installation,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe {
        call(error, || {
            let installation = out(installation, "installation")?;
            let opened = shared(product)?.open(text(directory, "directory")?)?;
            installation.fill(give(opened));
            Ok(())
        })
    }
}

/// Sets one of the settings of an installation in docs/settings.md by name: "license_file", for
/// a license that comes with your configuration; "instance"; and so on. An unknown name fails,
/// and the message says which name is nearest.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_set(
    installation: *mut licentia_installation,
    name: *const c_char,
    value: *const c_char,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe {
        call(error, || {
            let installation = exclusive(installation)?;
            installation.set(text(name, "name")?, text(value, "value")?)
        })
    }
}

/// Whether `feature` may be used at this moment: licentia_installation_access is at least
/// LICENTIA_WARN. Ask before each piece of work, and do not keep the answer: it may change within
/// a second, either way, and asking costs less than a system call.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_allows(
    installation: *const licentia_installation,
    feature: *const c_char,
) -> bool {
    answer(false, || unsafe { Some(peek(installation)?.allows(feature_id(feature)?)) })
}

/// What may be done with `feature` at this moment: LICENTIA_DENY, LICENTIA_READ_ONLY,
/// LICENTIA_WARN or LICENTIA_ALLOW. Compare it with >=.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_access(
    installation: *const licentia_installation,
    feature: *const c_char,
) -> c_int {
    let access = || unsafe { Some(peek(installation)?.access(feature_id(feature)?)) };
    answer(Access::Deny, access) as c_int
}

/// The same for a web server, with the refusal ready to send: returns zero if `feature` may be
/// used, and then leaves `*body` NULL. Otherwise returns the HTTP status to answer with, and
/// writes the JSON to send with it, which licentia_string_free releases. Returns 500 with `*body`
/// NULL where it cannot tell. Put it before what the product does, and not before the pages on
/// which a license is installed.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_gate(
    installation: *const licentia_installation,
    feature: *const c_char,
    body: *mut *mut c_char,
) -> c_int {
    answer(CANNOT_TELL, || unsafe {
        let body = out(body, "body").ok()?;
        let Some(refusal) = peek(installation)?.gate(feature_id(feature)?) else {
            return Some(0);
        };
        body.fill(c_text(refusal.body).ok()?.into_raw());
        Some(c_int::from(refusal.status))
    })
}

/// Writes everything that holds at a time, as a JSON object: the license, every feature, warnings,
/// what will change when, and how the folder and the clock are. `at` is LICENTIA_NOW or seconds
/// since 1970. Changes nothing, on disk neither: root may ask, and the folder may be read-only.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_status(
    installation: *const licentia_installation,
    at: i64,
    json: *mut *mut c_char,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe { call(error, || write(json, "json", || shared(installation)?.status(moment(at)))) }
}

/// Writes why that holds, as a JSON object: what was looked at, what was found, and what to do.
/// Like licentia_installation_status, it changes nothing.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_explain(
    installation: *const licentia_installation,
    at: i64,
    json: *mut *mut c_char,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe { call(error, || write(json, "json", || shared(installation)?.explain(moment(at)))) }
}

/// Takes anything the vendor signed: a license, a key set, a list of revocations, an answer, a
/// clock reset. All of it is checked first, and what is refused changes nothing. It is on disk
/// when this returns; this process follows it at once, and every other within a second. A license
/// that is older than the installed one is LICENTIA_OLDER_THAN_INSTALLED.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_apply(
    installation: *const licentia_installation,
    data: *const c_void,
    data_len: usize,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe { call(error, || shared(installation)?.apply(bytes(data, data_len, "data")?)) }
}

/// The same, and lets a license take the place of a newer one: for an administrator who means to
/// go back.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_apply_older(
    installation: *const licentia_installation,
    data: *const c_void,
    data_len: usize,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe { call(error, || shared(installation)?.apply_older(bytes(data, data_len, "data")?)) }
}

/// Removes the licenses that were applied. `removed`, which may be NULL, says whether there were
/// any. What was used, and when the product was first used, stay.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_remove(
    installation: *const licentia_installation,
    removed: *mut bool,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe {
        call(error, || {
            put(removed, shared(installation)?.remove()?);
            Ok(())
        })
    }
}

/// Writes a text to send to the vendor, by whatever way there is. `what` is "license": a license
/// for this machine is wanted (the request code); "renewal": a newer token of the one in use;
/// "activation": the license that the license key in `argument` stands for, or, with NULL, this
/// machine for the license in use; "deactivation": this machine is to be free of it; "clock": a
/// clock reset, where the clock was wrong; "sync": what was used; "seat": a seat for the holder in
/// `argument` (1 to 128 bytes of what can be seen); "borrow": the same for days without the server,
/// as "30 ann"; or "release": the seat of the holder in `argument` is given back. For the other
/// words `argument` is NULL. The text is signed with a key of this installation. Nothing in it is
/// secret but a license key, and `licentia inspect` shows all of it. Packing it takes 96 KiB of
/// stack, more than any other function does.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_request(
    installation: *const licentia_installation,
    what: *const c_char,
    argument: *const c_char,
    text: *mut *mut c_char,
    error: *mut licentia_error,
) -> licentia_status {
    use crate::text::text as read;
    unsafe {
        call(error, || {
            write(text, "text", || {
                let argument = (!argument.is_null()).then(|| read(argument, "argument"));
                shared(installation)?.request(read(what, "what")?, argument.transpose()?)
            })
        })
    }
}

/// Releases an installation, and makes durable first what licentia_installation_record_later left.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_free(installation: *mut licentia_installation) {
    answer((), || {
        unsafe { free(installation) };
        None
    });
}

/// Hands a text to the caller.
unsafe fn write(
    slot: *mut *mut c_char,
    name: &str,
    make: impl FnOnce() -> Result<String>,
) -> Result<()> {
    unsafe {
        let slot = out(slot, name)?;
        slot.fill(c_text(make()?)?.into_raw());
    }
    Ok(())
}

/// A time as C gives it; `None` = now.
pub(crate) fn moment(at: i64) -> Option<i64> {
    (at != LICENTIA_NOW).then_some(at)
}
