//! Asking the vendor's server, and the seats that it gives.

use crate::call::{answer, call};
use crate::handle::{Handle, free, give, peek, shared};
use crate::installation::licentia_installation;
use crate::status::{licentia_error, licentia_status};
use crate::text::{out, text};
use licentia_core::Seat;
use std::ffi::c_char;

/// A seat of a floating license, held by somebody here until its lease ends. A program that dies
/// gives it back by that.
pub struct licentia_seat(());

impl Handle for licentia_seat {
    type Held = Seat;
    const TAG: u64 = u64::from_be_bytes(*b"seat---1");
    const NAME: &'static str = "seat";
}

/// Asks the vendor's server (the setting "server"), and applies what it signs in answer. `what` and
/// `argument` are as in licentia_installation_request: "activation" with a license key, "renewal",
/// "sync", and so on. Waits for the network, for at most the setting "server_timeout"; call it from
/// a thread that may wait. It starts no thread, raises no signal, and leaves no connection open.
/// LICENTIA_UNREACHABLE says nothing of the license: what was here stays, and holds.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_call(
    installation: *const licentia_installation,
    what: *const c_char,
    argument: *const c_char,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe {
        call(error, || {
            let given = (!argument.is_null()).then(|| text(argument, "argument"));
            shared(installation)?.call(text(what, "what")?, given.transpose()?)
        })
    }
}

/// Reports what was used, and applies what the vendor's server says of the license; fetches keys
/// and withdrawn licenses where there are newer ones. Call it when `issuer.next_contact` of the
/// status has come, or there is none. It waits as licentia_installation_call does.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_sync(
    installation: *const licentia_installation,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe { call(error, || shared(installation)?.sync()) }
}

/// Asks the vendor's server for a seat for `holder`, who may be a person, a device or a process: 1
/// to 128 bytes of what can be seen. `borrow_days` is 0, or for how many days the seat is to be
/// used out of the server's reach. Who has one here already keeps it. Where the server cannot be
/// reached, a seat that is still held is given all the same. LICENTIA_NO_SEAT if all are taken.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_seat(
    installation: *const licentia_installation,
    holder: *const c_char,
    borrow_days: u32,
    seat: *mut *mut licentia_seat,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe {
        call(error, || {
            let seat = out(seat, "seat")?;
            seat.fill(give(shared(installation)?.seat(text(holder, "holder")?, borrow_days)?));
            Ok(())
        })
    }
}

/// Asks for a longer lease. What is held stays, whatever this fails with. Half way to
/// licentia_seat_expires is a good time.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_seat_renew(
    seat: *const licentia_seat,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe { call(error, || shared(seat)?.renew()) }
}

/// The first second for which the seat is not held any more, since 1970; 0 = it is not held.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_seat_expires(seat: *const licentia_seat) -> i64 {
    answer(0, || unsafe { peek(seat)?.expires() })
}

/// Gives the seat back to the server. Good, too, where its lease has ended. If it fails, the seat
/// is held until its lease ends.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_seat_release(
    seat: *const licentia_seat,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe { call(error, || shared(seat)?.release()) }
}

/// Releases the handle, and asks nobody: the seat is held until its lease ends, unless
/// licentia_seat_release gave it back. It may be freed after its installation.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_seat_free(seat: *mut licentia_seat) {
    answer((), || {
        unsafe { free(seat) };
        None
    });
}
