//! What judging a text may allocate: at most four times its length and 64 KiB, whoever wrote it.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs;
use std::path::Path;

use licentia::json::{FlawKind, VALUES_MAX, parse, scan};
use serde::Deserialize;

thread_local! {
    static LIVE: Cell<usize> = const { Cell::new(0) };
    static PEAK: Cell<usize> = const { Cell::new(0) };
}

/// Counts the bytes this thread holds. `realloc` is the default one: it counts the old block
/// and the new one together, as the worst case is.
struct Counting;

unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.set(LIVE.get().wrapping_add(layout.size()));
        PEAK.set(PEAK.get().max(LIVE.get()));
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE.set(LIVE.get().wrapping_sub(layout.size()));
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// The most bytes held at once while `work` runs, beyond what was held before.
fn peak<T>(work: impl FnOnce() -> T) -> usize {
    LIVE.set(0);
    PEAK.set(0);
    drop(work());
    PEAK.get()
}

/// Reads nothing, so that what is measured is the scan and serde_json, not a caller's type.
#[derive(Deserialize)]
struct Nothing {}

fn check(name: &str, text: &[u8]) {
    let allowed = 4 * text.len() + 64 * 1024;
    let scanned = peak(|| scan(text, usize::MAX).is_ok());
    assert!(scanned <= allowed, "{name}: scan held {scanned} bytes for {}", text.len());
    let parsed = peak(|| parse::<Nothing>(text, usize::MAX).is_ok());
    assert!(parsed <= allowed, "{name}: parse held {parsed} bytes for {}", text.len());
}

#[test]
fn the_allocator_counts() {
    assert_eq!(peak(|| vec![0u8; 1 << 20]), 1 << 20);
    assert_eq!(peak(|| drop(vec![0u8; 1000])) + peak(|| ()), 1000);
    assert!(peak(|| (0..1000u64).collect::<Vec<_>>().push(1)) >= 3 * 8000);
}

#[test]
fn every_text_of_the_suite() {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/jsontestsuite");
    for folder in ["test_parsing", "test_transform"] {
        let Ok(entries) = fs::read_dir(suite.join(folder)) else {
            println!("skipped: JSONTestSuite is not in ../shared/corpora/jsontestsuite");
            return;
        };
        for entry in entries {
            let path = entry.unwrap().path();
            let text = fs::read(&path).unwrap();
            check(&path.display().to_string(), &text);
            check(&path.display().to_string(), &[b"{\"member\":", &text[..], b"}"].concat());
        }
    }
}

/// An object with so many members as fit, each name as short as it can be.
fn members(count: usize, value: &str) -> String {
    let members: Vec<_> = (0..count).map(|n| format!("\"{n:x}\":{value}")).collect();
    format!("{{{}}}", members.join(","))
}

#[test]
fn texts_made_to_make_it_allocate() {
    let most = VALUES_MAX / 2 - 1;
    let texts = [
        ("most members", members(most, "0")),
        ("past the most members", members(most + 2, "0")),
        ("a million members", members(1_000_000, "0")),
        ("a million empty objects", format!("{{\"a\":[{}{{}}]}}", "{},".repeat(1_000_000))),
        ("one name a million times", format!("{{{}\"\":0}}", "\"\":0,".repeat(1_000_000))),
        ("names of escapes", members(most, "\"\\u0061\"").replace("\":", "\\u0061\":")),
        ("open objects full of names", "{\"a\":0,\"b\":0,\"c\":".repeat(16)),
        ("members at every level", nested(&members(500, "0"), 15)),
        ("open brackets", "{\"a\":".to_owned() + &"[".repeat(4 << 20)),
        ("a long string", format!("{{\"a\":\"{}\"}}", "x".repeat(4 << 20))),
        ("a long string of escapes", format!("{{\"a\":\"{}\"}}", "\\u0061".repeat(1 << 20))),
        ("a long name of escapes", format!("{{\"{}\":1}}", "\\u0061".repeat(1 << 20))),
        ("the longest strings", members(1000, &format!("\"{}\"", "\\u0061".repeat(4096)))),
        ("a long number", format!("{{\"a\":{}}}", "9".repeat(4 << 20))),
        ("spaces", " ".repeat(4 << 20)),
    ];
    for (name, text) in &texts {
        check(name, text.as_bytes());
    }
    let verdicts = texts.each_ref().map(|(_, text)| scan(text.as_bytes(), usize::MAX).is_ok());
    assert_eq!(verdicts.iter().filter(|ok| **ok).count(), 4, "{verdicts:?}");
    let past = scan(texts[1].1.as_bytes(), usize::MAX).unwrap_err();
    assert_eq!(past.kind, FlawKind::Values);
}

/// `object`, with itself as one more member, `levels` times.
fn nested(object: &str, levels: usize) -> String {
    let open = object.trim_end_matches('}');
    format!("{}{object}{}", format!("{open},\"in\":").repeat(levels), "}".repeat(levels))
}

/// A license keeps its features, typed, and no more than 1,024 of them, however short they are.
const FEATURES: usize = 1024 * 512;

fn held(name: &str, size: usize, more: usize, work: impl FnOnce()) {
    let (held, allowed) = (peak(work), 4 * size + 64 * 1024 + more);
    assert!(held <= allowed, "{name}: {held} bytes for {size}");
}

#[test]
fn documents_made_to_make_it_allocate() {
    use licentia::{Kind, Product, SecretKey, issue};
    let jwk = r#"{"kty":"X"},"#.repeat(5400);
    let jwks = format!(r#"{{"keys":[{}]}}"#, jwk.trim_end_matches(','));
    held("a set of many keys", jwks.len(), 0, || assert!(licentia::KeySet::parse(&jwks).is_err()));

    let secret = SecretKey::from_seed(&[7; 32]).unwrap();
    let product = Product::new("myapp", &secret.public().to_short()).unwrap();
    let license = |features: &str, must: &str, metadata: &str| {
        let payload = format!(
            r#"{{"iss":"x","aud":"myapp","jti":"1","iat":1,"must":[{must}],"license":{{
            "id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","type":"trial","valid_from":1,
            "valid_until":null,"features":[{features}],"metadata":{metadata}}}}}"#
        );
        issue::sign_bytes(&secret, Kind::License, payload.as_bytes())
    };
    let many = |item: &str, count| vec![item; count].join(",");
    for (name, more, token) in [
        ("features", FEATURES, license(&many(r#"{"id":"a"}"#, 3000), "", "{}")),
        ("words in must", 0, license("", &many(r#""a""#, 9000), "{}")),
        ("metadata", 0, license("", "", &members(4000, "0"))),
    ] {
        held(name, token.len(), more, || assert!(product.verify(token.as_bytes()).is_err()));
    }
}
