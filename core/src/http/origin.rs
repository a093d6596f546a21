//! Whether a browser sends a request from the product's own pages.

use super::call::Call;
use super::refusal::Refusal;

/// Refuses what a browser says another site made it send (Fetch Metadata; RFC 6454, section 7).
/// That writes have to be JSON keeps those out already, unless the host lets other sites in.
///
/// An `origin` is compared only where the site has said what it is called: behind a proxy, the
/// `host` of a request may be any.
pub(crate) fn check(call: &Call<'_>) -> Result<(), Refusal> {
    let exchange = call.exchange;
    let mut sites = exchange.headers("sec-fetch-site").peekable();
    if sites.peek().is_some() {
        return if sites.any(|site| site == "cross-site") { Err(refusal()) } else { Ok(()) };
    }
    let place = call.it.instance();
    let Some(instance) = place.as_deref().and_then(authority) else { return Ok(()) };
    let forwarded = exchange.headers("x-forwarded-host").chain(exchange.headers("host"));
    let own: Vec<&str> = forwarded.chain([instance]).collect();
    let is_own = |origin: &str| {
        authority(origin).is_some_and(|from| own.iter().any(|own| own.eq_ignore_ascii_case(from)))
    };
    if exchange.headers("origin").all(is_own) { Ok(()) } else { Err(refusal()) }
}

fn refusal() -> Refusal {
    let what = "Another site has sent this request: open the page of this product, and send it \
                from there";
    Refusal::new(403, "cross_site", what)
}

/// The host and port of a URL.
fn authority(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    rest.split('/').next().filter(|authority| !authority.is_empty())
}
