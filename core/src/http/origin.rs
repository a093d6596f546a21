//! Whether a browser sends a request from the product's own pages.

use super::call::Call;
use super::refusal::Refusal;
use super::url::without_own_port;

/// Refuses what a browser says another site made it send (Fetch Metadata; RFC 6454, section 7).
/// That writes have to be JSON keeps those out already, unless the host lets other sites in.
///
/// An `origin` is compared only where the site has said what it is called: behind a proxy, the
/// `host` of a request may be any.
pub(crate) fn check(call: &Call<'_>) -> Result<(), Refusal> {
    let exchange = call.exchange;
    let mut sites = exchange.headers("sec-fetch-site").flat_map(pieces).peekable();
    if sites.peek().is_some() {
        return if sites.any(|site| site == "cross-site") { Err(refusal()) } else { Ok(()) };
    }
    let Some(instance) = call.it.instance() else { return Ok(()) };
    let Some(own) = Origin::of(&instance) else { return Ok(()) };
    let asked = || exchange.headers("x-forwarded-host").chain(exchange.headers("host"));
    let is_own = |origin: &str| {
        let Some(from) = Origin::of(origin) else { return false };
        from.authority == own.authority
            || asked().flat_map(pieces).any(|host| authority(&from.scheme, host) == from.authority)
    };
    if exchange.headers("origin").all(is_own) { Ok(()) } else { Err(refusal()) }
}

fn refusal() -> Refusal {
    let what = "Another site has sent this request: open the page of this product, and send it \
                from there";
    Refusal::new(403, "cross_site", what)
}

/// Where a page comes from. Whether it came over TLS is not compared: a proxy may have taken that
/// off.
struct Origin {
    scheme: String,
    authority: String,
}

impl Origin {
    /// Of a URL; `None` = it is none.
    fn of(url: &str) -> Option<Origin> {
        let (scheme, rest) = url.trim().split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let host = rest.split(['/', '?', '#']).next()?;
        let host = host.rsplit('@').next().filter(|host| !host.is_empty())?;
        Some(Origin { authority: authority(&scheme, host), scheme })
    }
}

/// A host and its port, as browsers write them.
fn authority(scheme: &str, host: &str) -> String {
    without_own_port(scheme, &host.to_ascii_lowercase()).to_string()
}

/// What proxies have written behind one another.
fn pieces(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim)
}
