//! Payloads that are signed by the right key and are not strict JSON.

use crate::case::Case;
use crate::document::{Doc, sign_payload};
use crate::signer::vendor;

/// Values of an unknown member that are refused: every value is scanned, known or not.
const VALUES: &[(&str, &str)] = &[
    ("a name twice", r#"{"a":1,"a":1}"#),
    ("a name twice, once escaped", r#"{"a":1,"\u0061":2}"#),
    ("a name twice, both escaped", r#"{"\u0061":1,"\u0061":2}"#),
    ("a name twice by a surrogate pair", r#"{"😀":1,"\ud83d\ude00":2}"#),
    ("a name twice in an array", r#"[[{"b":1,"b":2}]]"#),
    ("an empty name twice", r#"{"":1,"":2}"#),
    ("an escaped slash twice", r#"{"/":1,"\/":2}"#),
    ("NUL in a text", r#""pro\u0000x""#),
    ("NUL in a name", r#"{"\u0000":1}"#),
    ("a lone high surrogate", r#""\ud800""#),
    ("a lone low surrogate", r#""\udc00""#),
    ("surrogates in the wrong order", r#""\udc00\ud800""#),
    ("a high surrogate and a letter", r#""\ud800\u0061""#),
    ("a lone surrogate in a name", r#"{"\udfff":1}"#),
    ("a fraction", "1.5"),
    ("a whole fraction", "1.0"),
    ("an exponent", "1e3"),
    ("an exponent with a sign", "1E-2"),
    ("minus zero", "-0"),
    ("minus zero as a fraction", "-0.0"),
    ("2^53", "9007199254740992"),
    ("-2^53", "-9007199254740992"),
    ("2^63", "9223372036854775808"),
    ("2^64", "18446744073709551616"),
    ("a number of 400 digits", "DIGITS"),
    ("a leading zero", "01"),
    ("a plus", "+1"),
    ("a bare minus", "-"),
    ("a hexadecimal number", "0x10"),
    ("NaN", "NaN"),
    ("Infinity", "Infinity"),
    ("-Infinity", "-Infinity"),
    ("a trailing dot", "1."),
    ("a leading dot", ".5"),
    ("True", "True"),
    ("nil", "nil"),
    ("undefined", "undefined"),
    ("a text in single quotes", "'a'"),
    ("an unknown escape", r#""\x41""#),
    ("a short escape", r#""\u00""#),
    ("a trailing comma in an array", "[1,]"),
    ("a trailing comma in an object", r#"{"a":1,}"#),
    ("a missing comma", "[1 2]"),
    ("a missing colon", r#"{"a" 1}"#),
    ("a name without quotes", "{a:1}"),
    ("a number as a name", "{1:1}"),
    ("a comment", "1/*x*/"),
    ("a line comment", "1//x\n"),
    ("an open array", "[1"),
    ("a bracket too many", "1]"),
    ("nothing", ""),
    ("a tab in a text", "\"\t\""),
    ("a line feed in a text", "\"\n\""),
    ("a no-break space between values", "\u{a0}1"),
];

/// Values of an unknown member that pass.
const GOOD: &[(&str, &str)] = &[
    ("2^53-1", "9007199254740991"),
    ("-(2^53-1)", "-9007199254740991"),
    ("zero", "0"),
    ("null", "null"),
    ("nested objects", r#"{"a":{"a":{"a":[{"a":1},{"a":2}]}}}"#),
    ("every escape", r#""\"\\\/\b\f\n\r\t\u00e4\ud83d\ude00""#),
    ("DEL and U+FFFF", "\"\u{7f}\u{ffff}\""),
    ("names that differ in case", r#"{"a":1,"A":2}"#),
    ("names that differ in composition", "{\"\u{e4}\":1,\"a\u{308}\":2}"),
    ("names that are not words", r#"{"":1," ":2,"__proto__":3,"constructor":4}"#),
    ("white space", " [ 1 ,\t{ } ,\r\n[ ] ] "),
];

/// Members that are objects or arrays, given as the other.
const EXCHANGED: &[(&str, &str)] = &[
    ("/license", "[]"),
    ("/license/customer", r#"["Test License"]"#),
    ("/license/customer", "[]"),
    ("/license/product", "[null,null]"),
    ("/license/features", "{}"),
    ("/license/features", r#"{"pro":true}"#),
    ("/license/features/0", r#"["pro"]"#),
    ("/license/features/0", r#"["pro",null,null,null,null,null,null,null]"#),
    ("/license/features/0", r#""pro""#),
    ("/license/features/0", "null"),
    ("/license/binding", "[null,null,null]"),
    ("/license/binding", "[]"),
    ("/license/notice", "[30,2]"),
    ("/license/stages", "[null,null,null]"),
    ("/license/metadata", "[]"),
    ("/license/metadata", r#"[["a",1]]"#),
    ("/must", "{}"),
];

pub fn cases() -> Vec<Case> {
    let plain = Doc::license();
    let digits = "9".repeat(400);
    let value = |text: &str| plain.clone().raw("/x", &text.replace("DIGITS", &digits)).sign();
    let mut cases: Vec<Case> = VALUES
        .iter()
        .map(|(name, text)| Case::verify(*name, value(text)).fails("malformed"))
        .collect();
    cases.extend(
        GOOD.iter().map(|(name, text)| Case::verify(format!("passes: {name}"), value(text))),
    );
    for (index, (pointer, text)) in EXCHANGED.iter().enumerate() {
        let license = plain.clone().raw(pointer, text).sign();
        let name = format!("exchanged {}: {pointer} is {text}", index + 1);
        cases.push(Case::verify(name, license).fails("malformed"));
    }
    cases.extend(duplicates());
    cases.extend(roots());
    cases.extend(sizes());
    cases
}

/// The same claim twice, where the first or the last value would change the verdict.
fn duplicates() -> Vec<Case> {
    let payload = Doc::license().payload();
    let twice = |name: &str, from: &str, to: &str| {
        assert!(payload.contains(from), "{from} is in the payload");
        Case::verify(name, sign_payload(payload.replacen(from, to, 1))).fails("malformed")
    };
    vec![
        twice("aud twice", r#""aud":"myapp""#, r#""aud":"other","aud":"myapp""#),
        twice("aud twice, the same", r#""aud":"myapp""#, r#""aud":"myapp","aud":"myapp""#),
        twice("aud twice, escaped", r#""aud":"myapp""#, r#""\u0061ud":"other","aud":"myapp""#),
        twice("valid_until twice", r#""valid_until":"#, r#""valid_until":null,"valid_until":"#),
        twice("max twice", r#""max":15"#, r#""max":15,"max":9999"#),
        twice("id of a feature twice", r#"{"id":"pro"}"#, r#"{"id":"pro","id":"gold"}"#),
        twice("license twice", r#""license":{"#, r#""license":{},"license":{"#),
        twice("must twice", r#"{"aud""#, r#"{"must":[],"must":["x"],"aud""#),
    ]
}

/// What surrounds or replaces the object.
fn roots() -> Vec<Case> {
    let payload = Doc::license().payload();
    let bytes = payload.as_bytes();
    let texts: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("white space", b" \n".to_vec()),
        ("an array around", format!("[{payload}]").into_bytes()),
        ("a text around", serde_json::Value::from(payload.as_str()).to_string().into_bytes()),
        ("null", b"null".to_vec()),
        ("true", b"true".to_vec()),
        ("a number", b"7".to_vec()),
        ("an empty array", b"[]".to_vec()),
        ("an empty object", b"{}".to_vec()),
        ("a byte order mark", [b"\xef\xbb\xbf", bytes].concat()),
        ("trailing text", [bytes, b"x"].concat()),
        ("two objects", [bytes, b"{}"].concat()),
        ("a trailing comma", [bytes, b","].concat()),
        ("a trailing NUL", [bytes, b"\0"].concat()),
        ("one byte short", bytes[..bytes.len() - 1].to_vec()),
        ("half", bytes[..bytes.len() / 2].to_vec()),
        ("a record separator in front", [b"\x1e", bytes].concat()),
        ("UTF-16", payload.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("text that is no JSON", b"iss=acme&aud=myapp".to_vec()),
    ];
    let mut cases: Vec<Case> = texts
        .into_iter()
        .map(|(name, text)| {
            Case::verify(format!("root: {name}"), sign_payload(text)).fails("malformed")
        })
        .collect();
    for (name, bad) in [
        ("a byte that is not UTF-8", &b"\xff"[..]),
        ("Latin-1", b"\xe4"),
        ("an overlong slash", b"\xc0\xaf"),
        ("an overlong NUL", b"\xc0\x80"),
        ("a surrogate in UTF-8", b"\xed\xa0\x80"),
        ("beyond U+10FFFF", b"\xf4\x90\x80\x80"),
        ("a cut character", b"\xe2\x82"),
        ("a bare NUL", b"\0"),
    ] {
        let at = payload.find("Test License").expect("a customer");
        let text = [&bytes[..at], bad, &bytes[at..]].concat();
        cases.push(Case::verify(format!("text: {name}"), sign_payload(text)).fails("malformed"));
    }
    let spaced = format!("\r\n\t {payload} \n\n");
    cases.push(Case::verify("root: white space around", sign_payload(spaced)));
    cases
}

/// Depth, texts, values and bytes at their limits and one past them.
fn sizes() -> Vec<Case> {
    let value = |text: &str| Doc::license().raw("/x", text).sign();
    let nested = |levels: usize| value(&format!("{}{}", "[".repeat(levels), "]".repeat(levels)));
    let objects =
        |levels: usize| value(&format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels)));
    let text = |length: usize| value(&format!("\"{}\"", "a".repeat(length)));
    let name = |length: usize| value(&format!("{{\"{}\":1}}", "a".repeat(length)));
    let escaped = |length: usize| value(&format!("\"{}\"", "\\u0061".repeat(length)));
    // The plain license has some values and names of its own; the array adds itself and its items.
    let own = count(&Doc::license().payload()) + 2;
    let values = |total: usize| value(&format!("[{}0]", "0,".repeat(total - own - 1)));
    // The longest payload whose token is not too large, and one byte more.
    let longest = (0..).take_while(|more| token_bytes(40_000 + more) <= 65_536).count() + 39_999;
    vec![
        Case::verify("16 levels", nested(15)),
        Case::verify("17 levels", nested(16)).fails("malformed"),
        Case::verify("17 levels of objects", objects(16)).fails("malformed"),
        Case::verify("3000 levels", nested(3000)).fails("malformed"),
        Case::verify("a text of 4096 bytes", text(4096)),
        Case::verify("a text of 4097 bytes", text(4097)).fails("too_large"),
        Case::verify("a text of 4096 bytes, escaped", escaped(4096)),
        Case::verify("a text of 4097 bytes, escaped", escaped(4097)).fails("too_large"),
        Case::verify("a name of 4096 bytes", name(4096)),
        Case::verify("a name of 4097 bytes", name(4097)).fails("too_large"),
        Case::verify("16384 values and names", values(16_384)),
        Case::verify("16385 values and names", values(16_385)).fails("too_large"),
        Case::verify("the largest license", of_bytes(longest)),
        Case::verify("a byte larger than the largest", of_bytes(longest + 1)).fails("too_large"),
    ]
}

/// How long the token is, whose payload has so many bytes.
fn token_bytes(payload: usize) -> usize {
    let encoded = |bytes: usize| (bytes * 4).div_ceil(3);
    encoded(vendor().header("lic+jwt").len()) + encoded(payload) + encoded(64) + 2
}

/// A license with a payload of so many bytes, in texts of fewer than 4,096.
fn of_bytes(payload: usize) -> String {
    const TEXTS: usize = 13;
    let empty = Doc::license().raw("/x", "[]").payload().len();
    let letters = payload - empty - (TEXTS * 3 - 1);
    let each = letters / TEXTS;
    let mut texts = vec!["a".repeat(each); TEXTS];
    texts[0].push_str(&"a".repeat(letters - each * TEXTS));
    let doc = Doc::license().set("/x", texts);
    assert_eq!(doc.payload().len(), payload);
    doc.sign()
}

/// Values and names in a text that has no escapes and no structure inside its strings.
fn count(payload: &str) -> usize {
    fn of(value: &serde_json::Value) -> usize {
        match value {
            serde_json::Value::Array(items) => 1 + items.iter().map(of).sum::<usize>(),
            serde_json::Value::Object(members) => {
                1 + members.values().map(|value| 1 + of(value)).sum::<usize>()
            }
            _ => 1,
        }
    }
    of(&serde_json::from_str(payload).expect("a payload"))
}
