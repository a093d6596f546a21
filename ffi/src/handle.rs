//! What C holds: a pointer to a box that begins with a tag of its type.
//!
//! The tag tells NULL, a misaligned pointer, a handle of another type and, as long as its memory
//! has not been used again, a freed handle. It cannot tell a pointer that was made up.

use licentia_core::{Code, Error, Result};
use std::sync::atomic::{AtomicU64, Ordering};

/// A type that C sees as an opaque struct.
pub(crate) trait Handle {
    /// What is really behind it. Any thread may ask a `const` handle, and any may free it.
    type Held: Send + Sync;
    /// Eight letters that no other type has.
    const TAG: u64;
    /// What it is called in messages.
    const NAME: &'static str;
}

const FREED: u64 = u64::from_be_bytes(*b"!freed!!");

#[repr(C)]
struct Tagged<T> {
    tag: AtomicU64,
    held: T,
}

/// Gives something to C, to be released with [`free`].
pub(crate) fn give<H: Handle>(held: H::Held) -> *mut H {
    Box::into_raw(Box::new(Tagged { tag: AtomicU64::new(H::TAG), held })).cast()
}

/// What a `const` handle holds.
#[inline]
pub(crate) unsafe fn shared<'a, H: Handle>(handle: *const H) -> Result<&'a H::Held> {
    match unsafe { peek(handle) } {
        Some(held) => Ok(held),
        None => Err(unusable::<H>(handle.is_null())),
    }
}

/// What a handle holds, for the one thread that may use it now.
pub(crate) unsafe fn exclusive<'a, H: Handle>(handle: *mut H) -> Result<&'a mut H::Held> {
    unsafe { shared(handle)? };
    Ok(unsafe { &mut (*handle.cast::<Tagged<H::Held>>()).held })
}

/// The same as [`shared`] without an error to make, for answers that cannot fail.
#[inline]
pub(crate) unsafe fn peek<'a, H: Handle>(handle: *const H) -> Option<&'a H::Held> {
    let tagged = handle.cast::<Tagged<H::Held>>();
    let good = !tagged.is_null()
        && tagged.is_aligned()
        && unsafe { (*tagged).tag.load(Ordering::Relaxed) } == H::TAG;
    good.then(|| unsafe { &(*tagged).held })
}

/// Takes a handle back. NULL, and what is not such a handle (any more), is left alone.
pub(crate) unsafe fn free<H: Handle>(handle: *mut H) {
    let tagged = handle.cast::<Tagged<H::Held>>();
    if tagged.is_null() || !tagged.is_aligned() {
        return;
    }
    // One exchange, so that of two threads that free the same handle at once, one does.
    let relaxed = Ordering::Relaxed;
    let tag = unsafe { &(*tagged).tag };
    if tag.compare_exchange(H::TAG, FREED, Ordering::Acquire, relaxed).is_ok() {
        drop(unsafe { Box::from_raw(tagged) });
    }
}

#[cold]
fn unusable<H: Handle>(null: bool) -> Error {
    let what = match null {
        true => format!("{} is NULL", H::NAME),
        false => format!("{0} is not a licentia_{0}, or was freed", H::NAME),
    };
    Error::new(Code::InvalidArgument, what)
}
