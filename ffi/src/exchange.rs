//! One HTTP request to the license API, and its answer.

use crate::call::{answer, call};
use crate::handle::{Handle, exclusive, free, give, peek, shared};
use crate::installation::licentia_installation;
use crate::status::{licentia_error, licentia_status};
use crate::text::{beginning, c_text, foreign, out, put, text};
use licentia_core::{Answer, Caller, Exchange, Result, Rights, limits};
use std::ffi::{CStr, CString, c_char, c_int, c_void};

/// The longest body of a request to the license API, in bytes. Read no more than one byte past
/// it: what is longer is answered with 413, and the rest of it is of no interest.
pub const LICENTIA_BODY_MAX: usize = 131072;

const _: () = assert!(LICENTIA_BODY_MAX == limits::BODY_MAX);

/// One HTTP request to the license API, and its answer. Make one for each request, and use it in
/// one thread at a time.
pub struct licentia_exchange(());

/// A request, and its answer as C reads it once there is one.
pub(crate) struct Exchanged {
    request: Exchange,
    answer: Option<Told>,
}

struct Told {
    status: c_int,
    headers: Vec<(CString, CString)>,
    /// With a NUL at its end, which is none of it.
    body: Vec<u8>,
}

impl Told {
    fn new(answer: &Answer) -> Result<Told> {
        let header = |(name, value): (&str, &str)| Ok((c_text(name)?, c_text(value)?));
        let headers = answer.headers().map(header).collect::<Result<_>>()?;
        let body = [answer.body(), &[0]].concat();
        Ok(Told { status: c_int::from(answer.status()), headers, body })
    }
}

impl Handle for licentia_exchange {
    type Held = Exchanged;
    const TAG: u64 = u64::from_be_bytes(*b"exchang1");
    const NAME: &'static str = "exchange";
}

/// Begins an exchange with the first line of a request. `method` and `target` are as they were
/// sent, and the target has its query and is still escaped. What no web server lets through is
/// LICENTIA_INVALID_ARGUMENT: answer 400.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_exchange_new(
    method: *const c_char,
    target: *const c_char,
    exchange: *mut *mut licentia_exchange,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe {
        call(error, || {
            let exchange = out(exchange, "exchange")?;
            let request = Exchange::new(text(method, "method")?, text(target, "target")?)?;
            exchange.fill(give(Exchanged { request, answer: None }));
            Ok(())
        })
    }
}

/// Notes a header of the request. Give all there are: those that mean something here are few, and
/// the others are left out. A second one of the same name counts too. `value` may have any bytes:
/// a server hands on what it was sent.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_exchange_set_header(
    exchange: *mut licentia_exchange,
    name: *const c_char,
    value: *const c_char,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe {
        call(error, || {
            let exchange = exclusive(exchange)?;
            let (name, value) = (foreign(name, "name")?, foreign(value, "value")?);
            exchange.request.add_header(&name, &value);
            Ok(())
        })
    }
}

/// Takes the body of the request, whole, in place of one that was given before. Of one that is
/// longer than LICENTIA_BODY_MAX, only the beginning is kept: it is answered with 413.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_exchange_set_body(
    exchange: *mut licentia_exchange,
    data: *const c_void,
    data_len: usize,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe {
        call(error, || {
            let exchange = exclusive(exchange)?;
            let kept = beginning(data, data_len, LICENTIA_BODY_MAX + 1, "data")?;
            exchange.request.set_body(kept);
            Ok(())
        })
    }
}

/// Says who is asking, after you made sure of it: your login is the only one there is. `name` is
/// what you call them, 1 to 256 bytes; `rights` are LICENTIA_MAY_READ and its like, added with |.
/// An administrator has all three. A bit that means nothing is LICENTIA_INVALID_ARGUMENT. Without
/// this call a stranger is asking, who learns the public status and nothing else.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_exchange_set_caller(
    exchange: *mut licentia_exchange,
    name: *const c_char,
    rights: u32,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe {
        call(error, || {
            let exchange = exclusive(exchange)?;
            let caller = Caller::new(text(name, "name")?, Rights::from_bits(rights)?)?;
            exchange.request.set_caller(caller);
            Ok(())
        })
    }
}

/// Whether licentia_installation_handle has something at `target`, by any method: for a server
/// that has pages of its own. The setting "mount" says below which path the license API is.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_serves(
    installation: *const licentia_installation,
    target: *const c_char,
) -> bool {
    answer(false, || unsafe { Some(peek(installation)?.serves(text(target, "target").ok()?)) })
}

/// Answers a request to the license API: whatever is wrong with it is an answer too. Send the
/// status, every header and the body just as they are, and add none but those that your server
/// adds to every answer. It may wait for a disk, and takes 96 KiB of stack. Call it from as many
/// threads as you like, each with an exchange of its own.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_installation_handle(
    installation: *const licentia_installation,
    exchange: *mut licentia_exchange,
    error: *mut licentia_error,
) -> licentia_status {
    unsafe {
        call(error, || {
            let (installation, exchange) = (shared(installation)?, exclusive(exchange)?);
            exchange.answer = Some(Told::new(&installation.handle(&exchange.request))?);
            Ok(())
        })
    }
}

/// The HTTP status of the answer; 0 as long as there is none.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_exchange_status(exchange: *const licentia_exchange) -> c_int {
    answer(0, || unsafe { Some(told(exchange)?.status) })
}

/// The name of a header of the answer, in lower case, and through `value` its value. `index`
/// counts from 0; behind the last one, both are "". They are borrowed from the exchange until it
/// is handled again or released.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_exchange_header(
    exchange: *const licentia_exchange,
    index: usize,
    value: *mut *const c_char,
) -> *const c_char {
    unsafe { put(value, EMPTY.as_ptr()) };
    answer(EMPTY.as_ptr(), || unsafe {
        let (name, found) = told(exchange)?.headers.get(index)?;
        put(value, found.as_ptr());
        Some(name.as_ptr())
    })
}

/// The body of the answer, and through `body_len` its length in bytes. It is never NULL, and a
/// NUL comes after it, which is not counted. It is borrowed as the headers are.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_exchange_body(
    exchange: *const licentia_exchange,
    body_len: *mut usize,
) -> *const c_void {
    unsafe { put(body_len, 0) };
    answer(EMPTY.as_ptr().cast(), || unsafe {
        let told = told(exchange)?;
        put(body_len, told.body.len() - 1);
        Some(told.body.as_ptr().cast())
    })
}

/// Releases an exchange, and what was borrowed from it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn licentia_exchange_free(exchange: *mut licentia_exchange) {
    answer((), || {
        unsafe { free(exchange) };
        None
    });
}

/// What stands where there is nothing.
const EMPTY: &CStr = c"";

/// The answer, if there is one.
unsafe fn told<'a>(exchange: *const licentia_exchange) -> Option<&'a Told> {
    unsafe { peek(exchange)? }.answer.as_ref()
}
