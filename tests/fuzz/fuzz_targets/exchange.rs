#![no_main]
//! Any request by anybody: it is answered, with a status and headers that answers have, and
//! whoever has no rights changes nothing and is told nothing but the public status.

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use licentia::{
    Answer, Caller, Claims, Exchange, Feature, Installation, Product, Rights, SecretKey, issue,
};

const STATUSES: &[u16] = &[200, 202, 204, 400, 401, 403, 404, 405, 413, 414, 415, 422, 502];

/// What anybody may ask.
const PUBLIC: &[&str] = &["/api/license", "/api/license/openapi.json"];

static SITE: LazyLock<Site> = LazyLock::new(Site::new);

struct Site {
    it: Installation,
    token: String,
}

impl Site {
    /// In a folder that is left to the system: the process is killed, not ended.
    fn new() -> Site {
        let key = SecretKey::from_seed(&[7; 32]).unwrap();
        let mut product = Product::new("myapp", &key.public().to_short()).unwrap();
        product.set("clock", "1800000000").unwrap();
        product.set("machine", "test").unwrap();
        let folder = std::env::temp_dir().join(format!("licentia-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let mut it = product.open(&folder).unwrap();
        it.set("instance", "https://play.acme.example").unwrap();
        let mut claims: Claims =
            issue::draft("https://acme.example", "myapp", 1_800_000_000).unwrap();
        claims.license.kind = "node_locked".into();
        claims.license.id = "7c9e6679-7425-40de-944b-e07fc1f90ae7".into();
        claims.license.features = vec![Feature::new("reports")];
        let token = issue::sign(&key, &claims).unwrap();
        it.apply(token.as_bytes()).unwrap();
        Site { it, token }
    }
}

fuzz_target!(|input: &[u8]| {
    let Some((form, rest)) = input.split_first() else { return };
    let Some((mut exchange, target)) = exchange(rest) else { return };
    let bits = rights(*form);
    if let Some(rights) = bits {
        exchange.set_caller(Caller::new("somebody", rights).unwrap());
    }
    if form >> 7 == 1 {
        exchange.add_header("content-type", "application/json");
    }
    let before = SITE.it.status(None).unwrap();
    let answer = SITE.it.handle(&exchange);
    check(&answer);
    assert_eq!(answer.status() == 404, !SITE.it.serves(&target) && target.len() <= 8192);
    if bits.is_none_or(|rights| !rights.has(Rights::WRITE) && !rights.has(Rights::DELETE)) {
        assert_eq!(SITE.it.status(None).unwrap(), before);
    }
    let path = target.split(['?', '#']).next().unwrap();
    let is_public = PUBLIC.iter().any(|public| path.ends_with(public));
    if bits.is_none_or(|rights| rights == Rights::NONE) && !is_public {
        assert!(answer.status() >= 400, "{exchange:?}: {answer:?}");
    }
    // A license that was removed comes back, so that there is one to look at.
    SITE.it.apply(SITE.token.as_bytes()).unwrap();
});

/// Text as a request is sent: `METHOD TARGET`, headers, an empty line, a body. `TOKEN` in the body
/// is a license.
fn exchange(bytes: &[u8]) -> Option<(Exchange, String)> {
    let end = bytes.windows(2).position(|two| two == b"\n\n").unwrap_or(bytes.len());
    let (head, body) = bytes.split_at(end);
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let (method, target) = lines.next()?.split_once(' ')?;
    let mut exchange = Exchange::new(method, target).ok()?;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        exchange.add_header(name, value);
    }
    let body = body.get(2..).unwrap_or_default();
    exchange.set_body(match std::str::from_utf8(body) {
        Ok(text) => text.replace("TOKEN", &SITE.token).into_bytes(),
        Err(_) => body.to_vec(),
    });
    Some((exchange, target.to_string()))
}

/// A stranger, or one of the combinations of rights.
fn rights(form: u8) -> Option<Rights> {
    let bits = u32::from(form & 0xf);
    let service = if form & 0x10 == 0 { 0 } else { Rights::SERVICE.bits() };
    Rights::from_bits((bits & 7) | service).ok().filter(|_| bits < 8)
}

fn check(answer: &Answer) {
    assert!(STATUSES.contains(&answer.status()), "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    for (name, value) in answer.headers() {
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{answer:?}");
        assert!(!value.bytes().any(|byte| byte.is_ascii_control()), "{answer:?}");
    }
    let body = answer.body();
    assert!(!body.windows(SITE.token.len()).any(|it| it == SITE.token.as_bytes()));
}
