//! Asking the vendor's server, and the seats that it gives.

use crate::call::{answer, call};
use crate::handle::{Handle, free, give, peek, shared};
use crate::installation::licentia_installation;
use crate::status::{licentia_error, licentia_status};
use crate::text::{out, text};
use licentia_core::Seat;
use std::ffi::c_char;

/// A seat of a floating license, held by somebody here until its lease ends, or until its license
/// is gone or withdrawn. A program that dies gives it back by the end of the lease; the next one
/// asks for it again in the name of the same holder.
pub struct licentia_seat(());

impl Handle for licentia_seat {
    type Held = Seat;
    const TAG: u64 = u64::from_be_bytes(*b"seat---1");
    const NAME: &'static str = "seat";
}

/// Asks the vendor's server (the setting "server"), and applies what it signs in answer. `what` and
/// `argument` are as in licentia_installation_request: "activation" with a license key, "renewal",
/// "deactivation", and so on; the argument may be NULL. It waits for the network, no longer than
/// the setting "server_timeout" says: call it from a thread that may wait. LICENTIA_UNREACHABLE
/// says nothing of the license. LICENTIA_REFUSED has what the server said in its message. Whatever
/// it fails with, what was here stays, and holds.
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

/// Reports what was used, and applies what the vendor's server says of the license: a renewal, a
/// suspension, newer keys, withdrawn licenses. What was used is reported once, however often this
/// fails. Call it at the "next_contact" of "issuer" in the status; it is a time after a failure,
/// too. It waits as licentia_installation_call does.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_sync(
    installation: *const licentia_installation,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe { call(error, || shared(installation)?.sync()) }
}

/// Asks the vendor's server for a seat for `holder`, who may be a person, a device or a process: 1
/// to 128 bytes of what can be seen. `borrow_days` is 0, or for how many days, up to 366, the seat
/// is to be used out of the server's reach. Who has one here already keeps it, and it never gets
/// shorter: a program asks each time it starts. LICENTIA_NO_SEAT if all are taken. Unless the
/// server says no, a seat that is held is given also where asking fails; with `borrow_days` only
/// one that was borrowed. It waits as licentia_installation_call does.
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

/// Asks for a longer lease: halfway to licentia_seat_expires is a good time. What is held stays,
/// whatever this fails with, and what is borrowed stays borrowed. A seat that has ended is asked
/// for again. It waits as licentia_installation_call does.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_seat_renew(
    seat: *const licentia_seat,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe { call(error, || shared(seat)?.renew()) }
}

/// The first second for which the seat is not held any more, in seconds since 1970, by the clock of
/// this machine; 0 if it is not held now. It looks at the folder: other processes may have renewed
/// the seat, or given it back.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_seat_expires(seat: *const licentia_seat) -> i64 {
    answer(0, || unsafe { peek(seat)?.expires() })
}

/// Gives the seat back to the server, also one that is borrowed. Good, too, where it is not held
/// any more. If it fails, the seat is held until its lease ends. It waits as
/// licentia_installation_call does.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_seat_release(
    seat: *const licentia_seat,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe { call(error, || shared(seat)?.release()) }
}

/// Releases the handle, asks nobody and waits for nothing: the seat is held until its lease ends,
/// unless licentia_seat_release gave it back. A seat goes by the settings that its installation had
/// when it was asked for, and may be used and freed after it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_seat_free(seat: *mut licentia_seat) {
    answer((), || {
        unsafe { free(seat) };
        None
    });
}
