use serde::Deserialize;

use super::{FlawKind as K, *};

const CAP: usize = 1 << 20;

fn flaw(text: &str) -> Option<(K, usize)> {
    scan(text.as_bytes(), CAP).err().map(|flaw| (flaw.kind, flaw.offset))
}

#[test]
fn takes_what_a_license_is_made_of() {
    for text in [
        "{}",
        " \t\r\n{ } \n",
        r#"{"a":[],"b":{},"c":[1,[2,{"a":3}],null,true,false],"d":"é😀\u00e9\ud83d\ude00\/"}"#,
        r#"{"a":0,"b":-1,"c":9007199254740991,"d":-9007199254740991}"#,
        r#"{"a":{"a":{"a":1}},"b":[{"a":1},{"a":1}],"":"","A":1}"#,
        "{\"\u{7f}\u{80}\u{2028}\u{feff}\":\"\u{ffff}\"}",
    ] {
        assert_eq!(scan(text.as_bytes(), text.len()), Ok(text));
    }
}

#[test]
fn names_each_flaw_and_its_place() {
    for (text, kind, offset) in [
        ("", K::End, 0),
        (" ", K::End, 1),
        ("{", K::End, 1),
        (r#"{"a":1"#, K::End, 6),
        (r#"{"a":"b"#, K::End, 7),
        (r#"{"a":"\"#, K::End, 7),
        (r#"{"a":"\u00"#, K::End, 10),
        (r#"{"a":tru"#, K::End, 8),
        ("}", K::Unexpected, 0),
        ("/**/{}", K::Unexpected, 0),
        ("{,}", K::Unexpected, 1),
        ("{'a':1}", K::Unexpected, 1),
        ("{a:1}", K::Unexpected, 1),
        (r#"{"a"}"#, K::Unexpected, 4),
        (r#"{"a":}"#, K::Unexpected, 5),
        (r#"{"a":1,}"#, K::Unexpected, 7),
        (r#"{"a":1 "b":2}"#, K::Unexpected, 7),
        (r#"{"a":[1,]}"#, K::Unexpected, 8),
        (r#"{"a":[,1]}"#, K::Unexpected, 6),
        (r#"{"a":[1}"#, K::Unexpected, 7),
        (r#"{"a":NaN}"#, K::Unexpected, 5),
        (r#"{"a":nulL}"#, K::Unexpected, 8),
        (r#"{"a":+1}"#, K::Unexpected, 5),
        (r#"{"a":.5}"#, K::Unexpected, 5),
        (r#"{"a":0x1}"#, K::Unexpected, 6),
        ("{}\0", K::Trailing, 2),
        ("{} {}", K::Trailing, 3),
        ("{}//", K::Trailing, 2),
        ("{}\u{a0}", K::Trailing, 2),
        (r#"{"a":01}"#, K::Number, 5),
        (r#"{"a":-}"#, K::Number, 5),
        (r#"{"a":1.}"#, K::Number, 5),
        (r#"{"a":1e}"#, K::Number, 5),
        (r#"{"a":1e+}"#, K::Number, 5),
        ("{\"a\":\"\n\"}", K::Control, 6),
        ("{\"a\":\"\0\"}", K::Control, 6),
        ("{\"a\tb\":1}", K::Control, 3),
        (r#"{"a":"\x"}"#, K::Escape, 6),
        (r#"{"a":"b\u12G4"}"#, K::Escape, 7),
        (r#"{"a":"\ud800\u1"}"#, K::Escape, 12),
        ("\u{feff}{}", K::Mark, 0),
        ("[]", K::Root, 0),
        (" null", K::Root, 1),
        (r#""{}""#, K::Root, 0),
        (r#"{"a":1,"a":1}"#, K::Duplicate, 7),
        (r#"{"a":1,"\u0061":1}"#, K::Duplicate, 7),
        (r#"{"\ud83d\ude00":1,"😀":1}"#, K::Duplicate, 18),
        (r#"{"\n":1,"\u000A":1}"#, K::Duplicate, 8),
        (r#"{"/":1,"\/":1}"#, K::Duplicate, 7),
        (r#"{"":1,"":1}"#, K::Duplicate, 6),
        (r#"{"b":1,"c":1,"a":1,"c":1,"b":1}"#, K::Duplicate, 19),
        (r#"{"x":[{"a":{"b":1},"c":[],"a":2}]}"#, K::Duplicate, 26),
        (r#"{"a":"b\u0000"}"#, K::Nul, 7),
        (r#"{"\u0000":1}"#, K::Nul, 2),
        (r#"{"a":"\ud800"}"#, K::Surrogate, 6),
        (r#"{"a":"\udc00"}"#, K::Surrogate, 6),
        (r#"{"a":"\ud800\u0041"}"#, K::Surrogate, 6),
        (r#"{"a":"\ud800\ud800"}"#, K::Surrogate, 6),
        (r#"{"a":1.0}"#, K::Inexact, 5),
        (r#"{"a":1e3}"#, K::Inexact, 5),
        (r#"{"a":-0}"#, K::NegativeZero, 5),
        (r#"{"a":9007199254740992}"#, K::Range, 5),
    ] {
        assert_eq!(flaw(text), Some((kind, offset)), "{text}");
    }
}

#[test]
fn grammar_is_judged_before_policy_within_one_token() {
    assert_eq!(flaw(r#"{"a":"\u0000\ud800\q"}"#), Some((K::Escape, 18)));
    assert_eq!(flaw(r#"{"a":-00.5}"#), Some((K::Number, 5)));
    assert_eq!(flaw(r#"{"a":1.0.0}"#), Some((K::Unexpected, 8)));
    assert_eq!(flaw(r#"{"a":1.0"#), Some((K::End, 8)));
    assert!(!K::Number.is_policy() && K::Nul.is_policy());
}

#[test]
fn every_control_character_has_to_be_escaped() {
    for control in '\u{0}'..' ' {
        assert_eq!(flaw(&format!("{{\"a\":\"{control}\"}}")), Some((K::Control, 6)));
    }
}

#[test]
fn a_name_is_the_same_however_it_is_spelled() {
    let twice = |a: &str, b: &str| flaw(&format!("{{\"{a}\":1,\"{b}\":2}}")).map(|(kind, _)| kind);
    let planes = ('\u{10000}'..=char::MAX).step_by(61);
    for c in (' '..'\u{10000}').chain(planes).filter(|c| !matches!(c, '"' | '\\')) {
        let units = c.encode_utf16(&mut [0; 2]).iter().map(|u| format!("\\u{u:04x}")).collect();
        let escaped: String = units;
        assert_eq!(twice(&c.to_string(), &escaped), Some(K::Duplicate), "{escaped}");
        assert_eq!(
            twice(&escaped, &escaped.to_uppercase().replace("\\U", "\\u")),
            Some(K::Duplicate)
        );
        assert_eq!(twice(&format!("{c}a"), &escaped), None, "{escaped}");
    }
    for (short, unit) in [
        ('"', 0x22),
        ('\\', 0x5c),
        ('/', 0x2f),
        ('b', 8),
        ('f', 12),
        ('n', 10),
        ('r', 13),
        ('t', 9),
    ] {
        for other in 1..0x80 {
            let expected = (other == unit).then_some(K::Duplicate);
            assert_eq!(twice(&format!("\\{short}"), &format!("\\u{other:04X}")), expected);
        }
    }
}

#[test]
fn the_first_repetition_is_named() {
    let names = "\"b\":1,\"a\":1,".repeat(100);
    assert_eq!(flaw(&format!("{{{names}\"c\":1}}")), Some((K::Duplicate, 13)));
}

#[test]
fn refuses_bytes_that_are_not_utf8() {
    for (bytes, offset) in [
        (&b"{\"a\":\"\xff\"}"[..], 6),
        (b"{\"a\":\"\xc0\x80\"}", 6),
        (b"{\"a\":\"\xed\xa0\x80\"}", 6),
        (b"\xff\xfe{\0}\0", 0),
    ] {
        let expected = Flaw { kind: K::Encoding, offset };
        assert_eq!(scan(bytes, CAP), Err(expected));
    }
}

#[test]
fn limits_hold_at_the_edge() {
    let nested = |n: usize| format!("{}{}", r#"{"a":"#.repeat(n - 1) + "{}", "}".repeat(n - 1));
    assert_eq!(flaw(&nested(16)), None);
    assert_eq!(flaw(&nested(17)), Some((K::Depth, 80)));
    let arrays = |n: usize| format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
    assert_eq!(flaw(&arrays(15)), None);
    assert_eq!(flaw(&arrays(16)), Some((K::Depth, 20)));

    let string = |s: &str| format!("{{\"a\":\"{s}\"}}");
    assert_eq!(flaw(&string(&"x".repeat(4096))), None);
    assert_eq!(flaw(&string(&"x".repeat(4097))), Some((K::LongString, 5)));
    let long = string(&"x".repeat(CAP - 16));
    assert_eq!(scan_long(long.as_bytes(), CAP), Ok(long.as_str()));
    let long = format!(r#"{{"{}":1}}"#, "x".repeat(4097));
    assert_eq!(scan_long(long.as_bytes(), CAP).unwrap_err().kind, K::LongString);
    for (escape, len) in [
        ("\\n", 1),
        ("\\u0001", 1),
        ("\\u007f", 1),
        ("\\u0080", 2),
        ("\\u07FF", 2),
        ("\\u0800", 3),
        ("\\ud7ff", 3),
        ("\\ue000", 3),
        ("\\uffff", 3),
    ] {
        assert_eq!(flaw(&string(&escape.repeat(4096 / len))), None, "{escape}");
        assert_eq!(flaw(&string(&escape.repeat(4096 / len + 1))), Some((K::LongString, 5)));
    }
    assert_eq!(flaw(&string(&"\\ud83d\\ude00".repeat(1024))), None);
    assert_eq!(flaw(&string(&"\\ud83d\\ude00".repeat(1025))), Some((K::LongString, 5)));
    let name = |s: &str| format!("{{\"{s}\":1}}");
    assert_eq!(flaw(&name(&"\\u0041".repeat(4096))), None);
    assert_eq!(flaw(&name(&"\\u0041".repeat(4097))), Some((K::LongString, 1)));

    // The root, the name and the array count too.
    let elements = |n: usize| format!("{{\"a\":[{}0]}}", "0,".repeat(n - 4));
    assert_eq!(flaw(&elements(VALUES_MAX)), None);
    let past = 6 + 2 * (VALUES_MAX - 3);
    assert_eq!(flaw(&elements(VALUES_MAX + 1)), Some((K::Values, past)));

    assert_eq!(scan(b"{}", 2), Ok("{}"));
    assert_eq!(scan(b"{}", 1), Err(Flaw { kind: K::Size, offset: 1 }));
}

#[test]
fn codes_and_phrases() {
    let error = |text: &str, cap| Error::from(scan(text.as_bytes(), cap).unwrap_err());
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(5000));
    assert_eq!(error("{}", 1).code(), Code::TooLarge);
    assert_eq!(error(&long, CAP).code(), Code::TooLarge);
    let twice = error(r#"{"long name":1,"long name":2}"#, CAP);
    assert_eq!(twice.code(), Code::Malformed);
    assert_eq!(twice.detail(), "duplicate member at byte 15");
}

#[derive(Debug, Deserialize, PartialEq)]
struct Outer {
    valid_until: Option<u64>,
    #[serde(default)]
    inner: Option<Object<Inner>>,
    #[serde(default)]
    list: Vec<Object<Inner>>,
}

#[derive(Debug, Deserialize, PartialEq)]
struct Inner {
    id: String,
}

#[test]
fn parses_objects_and_ignores_what_it_does_not_know() {
    let text =
        br#"{"later":{"x":[1]},"valid_until":7,"inner":{"id":"\u0061","z":0},"list":[{"id":""}]}"#;
    let read: Outer = parse(text, CAP).unwrap();
    assert_eq!(read.valid_until, Some(7));
    assert_eq!(read.inner, Some(Object(Inner { id: "a".into() })));
    assert_eq!(read.list.len(), 1);
}

#[test]
fn refuses_an_array_for_an_object_at_every_level() {
    // What a derived struct does without Object: this is why it exists.
    assert!(serde_json::from_str::<Inner>(r#"["a"]"#).is_ok());
    assert!(serde_json::from_str::<Object<Inner>>(r#"["a"]"#).is_err());
    for text in [
        r#"[7,{"id":"a"},[]]"#,
        r#"{"valid_until":7,"inner":["a"]}"#,
        r#"{"valid_until":7,"list":[["a"]]}"#,
        r#"{"valid_until":7,"list":{"id":"a"}}"#,
        r#"{"valid_until":7,"inner":"a"}"#,
    ] {
        let error = parse::<Outer>(text.as_bytes(), CAP).unwrap_err();
        assert_eq!(error.code(), Code::Malformed, "{text}");
    }
}

#[test]
fn says_which_member_is_missing_or_wrong() {
    let detail =
        |text: &str| parse::<Object<Inner>>(text.as_bytes(), CAP).unwrap_err().detail().to_owned();
    assert_eq!(detail("{}"), "the member id is missing");
    assert_eq!(
        detail("{\n \"id\":7}"),
        "invalid type: integer `7`, expected a string, at line 2, byte 7"
    );
}
