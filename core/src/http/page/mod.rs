//! The page of the administrator: what state the license is in, what happens next and when, and
//! what to do. One answer without anything from elsewhere: it is read where there is no network,
//! and without JavaScript.

mod advice;
mod drawing;
mod events;
mod facts;
mod features;
mod headline;
mod outlook;
mod qr;
mod sources;
mod text;
mod view;
mod when;
mod words;

#[cfg(test)]
mod tests;

use super::Answer;
use super::call::Call;
use super::refusal::Refusal;
use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use outlook::Outlook;
use sha2::{Digest, Sha256};
use view::View;

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// What a browser may do with the page: nothing but what is in it, and ask the product itself.
/// Made for each page: a library in somebody else's program keeps no text for later.
fn policy() -> String {
    let hash = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    let (style, script) = (hash(STYLE), hash(SCRIPT));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{script}'; \
         connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'self'"
    )
}

#[derive(Template)]
#[template(path = "page.html", config = "src/http/page/askama.toml")]
struct Page<'a> {
    style: &'static str,
    script: &'static str,
    it: &'a View,
}

/// A page that says why there is none.
#[derive(Template)]
#[template(path = "refusal.html", config = "src/http/page/askama.toml")]
struct RefusalPage<'a> {
    style: &'static str,
    product: &'a str,
    title: &'static str,
    what: &'a str,
}

pub(crate) fn show(call: &Call<'_>) -> Result<Answer, Refusal> {
    let caller = call.caller().ok_or_else(Refusal::unauthorized)?;
    let (known, verdict) = call.verdict();
    let ask = |what: &str| call.it.request(what, None);
    let instance = call.it.instance();
    let outlook = Outlook { known: &known, verdict: &verdict, instance: instance.as_deref() };
    let view = View::new(outlook, caller, &ask);
    Ok(html(200, &Page { style: STYLE, script: SCRIPT, it: &view }))
}

/// A page that says why there is none, and what to do.
pub(crate) fn refusal(call: &Call<'_>, refusal: &Refusal) -> Answer {
    let (title, what) = match refusal.status {
        401 => ("Sign in first", "Sign in to this product, and open this page again."),
        403 => (
            "This page is not yours to see",
            "You are signed in, and may not see the license of this product. Ask an administrator \
             of it for the right to read its licensing.",
        ),
        405 => ("This page can only be read", "Open it with a browser, by its address."),
        _ => ("This page cannot be shown", refusal.detail.as_str()),
    };
    let product = call.it.product().code();
    html(refusal.status, &RefusalPage { style: STYLE, product, title, what })
}

fn html(status: u16, page: &impl Template) -> Answer {
    // Written to a text, a page does not fail.
    let body = page.render().unwrap_or_default();
    Answer::new(status, HTML, body)
        .with("content-security-policy", policy())
        .with("referrer-policy", "no-referrer")
}
