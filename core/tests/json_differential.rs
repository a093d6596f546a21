//! The strict scan against a second opinion, on texts nobody wrote. `LICENTIA_SOAK=100` tries a
//! hundred times as many.

mod json_oracle;

use std::cell::Cell;

use json_oracle::{Tree, allows};
use licentia::json::scan;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::Value;

const CAP: usize = 1 << 20;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[ab]{0,2}",
        2 => "\\PC{0,6}",
        1 => "[\u{0}-\u{20}\"\\\\/\u{7f}-\u{a0}\u{d7ff}\u{e000}\u{feff}\u{ffff}\u{10ffff}]{0,4}",
        1 => (4090usize..4100).prop_map(|len| "x".repeat(len)),
    ]
}

fn integer() -> impl Strategy<Value = i128> {
    prop_oneof![
        4 => -3i128..1000,
        2 => any::<i64>().prop_map(i128::from),
        2 => (-3i128..4).prop_map(|n| n + (1 << 53)),
        1 => (-3i128..4).prop_map(|n| n - (1 << 53)),
        1 => any::<i128>(),
    ]
}

fn tree() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::Bool),
        integer().prop_map(Tree::Integer),
        text().prop_map(Tree::Text),
    ];
    let inner = leaf.prop_recursive(18, 48, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Tree::Array),
            prop::collection::vec((text(), inner), 0..4).prop_map(Tree::Object),
        ]
    });
    prop_oneof![
        9 => prop::collection::vec((text(), inner.clone()), 0..5).prop_map(Tree::Object),
        1 => inner,
    ]
}

/// Writes a tree with white space and escapes as `style` says, byte by byte.
struct Writer<'a> {
    out: String,
    style: std::iter::Cycle<std::slice::Iter<'a, u8>>,
}

impl Writer<'_> {
    fn write(tree: &Tree, style: &[u8]) -> String {
        let mut writer = Writer { out: String::new(), style: style.iter().cycle() };
        writer.value(tree);
        writer.out
    }

    fn pick(&mut self, of: u8) -> u8 {
        self.style.next().map_or(0, |byte| byte % of)
    }

    fn mark(&mut self, mark: &str) {
        self.out.push_str(mark);
        let space = ["", "", "", " ", "\n", "\t\r"][self.pick(6) as usize];
        self.out.push_str(space);
    }

    fn value(&mut self, tree: &Tree) {
        match tree {
            Tree::Null => self.mark("null"),
            Tree::Bool(value) => self.mark(&value.to_string()),
            Tree::Integer(value) => self.mark(&value.to_string()),
            Tree::Float => self.mark("0.5"),
            Tree::Text(text) => self.string(text),
            Tree::Array(items) => {
                self.mark("[");
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        self.mark(",");
                    }
                    self.value(item);
                }
                self.mark("]");
            }
            Tree::Object(members) => {
                self.mark("{");
                for (i, (name, value)) in members.iter().enumerate() {
                    if i > 0 {
                        self.mark(",");
                    }
                    self.string(name);
                    self.mark(":");
                    self.value(value);
                }
                self.mark("}");
            }
        }
    }

    fn string(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            if c < ' ' || c == '"' || c == '\\' || self.pick(4) == 0 {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    self.out.push_str(&format!("\\u{unit:04x}"));
                }
            } else {
                self.out.push(c);
            }
        }
        self.mark("\"");
    }
}

/// What a mutation puts into a text.
const PIECES: &[&[u8]] = &[
    b"",
    b",",
    b":",
    b"\"",
    b"\\",
    b"{",
    b"}",
    b"[",
    b"]",
    b"0",
    b"-",
    b".0",
    b"e1",
    b"-0",
    b"01",
    b"\"a\":1,",
    b"\"\\u0061\":1,",
    b"\"a\":",
    b"\\u0000",
    b"\\ud800",
    b"\\udc00",
    b"\0",
    b"\n",
    b"\xff",
    b"\xc3",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"null",
    b"{\"a\":[",
    b"9007199254740992",
    b"/**/",
    b" ",
];

/// Puts pieces in the place of up to three bytes each.
fn mutate(mut text: Vec<u8>, mutations: &[(prop::sample::Index, usize, usize)]) -> Vec<u8> {
    for (place, taken, piece) in mutations {
        let start = place.index(text.len() + 1);
        let end = text.len().min(start + taken);
        text.splice(start..end, PIECES[*piece].iter().copied());
    }
    text
}

fn runner() -> TestRunner {
    let soak = std::env::var("LICENTIA_SOAK").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    TestRunner::new(Config { cases: 2000 * soak, failure_persistence: None, ..Config::default() })
}

/// Runs the comparison, and holds that neither verdict is rare: else it would prove little.
fn compare(texts: impl Strategy<Value = Vec<u8>>) {
    let (accepted, all) = (Cell::new(0), Cell::new(0));
    let agree = |text: Vec<u8>| {
        let verdict = scan(&text, CAP);
        prop_assert_eq!(verdict.is_ok(), allows(&text, CAP), "{:?}", verdict);
        accepted.set(accepted.get() + u32::from(verdict.is_ok()));
        all.set(all.get() + 1);
        if verdict.is_ok() {
            // Written again by serde_json, it is still taken and still says the same.
            let value: Value = serde_json::from_slice(&text).unwrap();
            let again = serde_json::to_vec_pretty(&value).unwrap();
            prop_assert!(scan(&again, CAP * 4).is_ok());
            prop_assert_eq!(serde_json::from_slice::<Value>(&again).unwrap(), value);
        }
        Ok(())
    };
    runner().run(&texts, agree).unwrap();
    let (accepted, all) = (accepted.get(), all.get());
    assert!(accepted * 20 > all && accepted * 20 < all * 19, "{accepted} of {all} accepted");
}

#[test]
fn agrees_with_a_second_opinion_on_written_trees() {
    let texts = (tree(), prop::collection::vec(any::<u8>(), 1..40));
    compare(texts.prop_map(|(tree, style)| {
        let text = Writer::write(&tree, &style).into_bytes();
        assert_eq!(serde_json::from_slice::<Tree>(&text).ok(), read_back(tree));
        text
    }));
}

/// What serde_json makes of a tree once written: integers beyond 64 bits become floats.
fn read_back(tree: Tree) -> Option<Tree> {
    Some(match tree {
        Tree::Integer(n) if i64::try_from(n).is_err() && u64::try_from(n).is_err() => Tree::Float,
        Tree::Array(items) => Tree::Array(items.into_iter().map(read_back).collect::<Option<_>>()?),
        Tree::Object(members) => Tree::Object(
            members
                .into_iter()
                .map(|(name, value)| Some((name, read_back(value)?)))
                .collect::<Option<_>>()?,
        ),
        other => other,
    })
}

#[test]
fn agrees_with_a_second_opinion_on_damaged_texts() {
    let mutation = (any::<prop::sample::Index>(), 0usize..4, 0..PIECES.len());
    let texts =
        (tree(), prop::collection::vec(any::<u8>(), 1..40), prop::collection::vec(mutation, 0..4));
    compare(texts.prop_map(|(tree, style, mutations)| {
        mutate(Writer::write(&tree, &style).into_bytes(), &mutations)
    }));
}

#[test]
fn agrees_with_a_second_opinion_on_strewn_pieces() {
    let piece = (0..PIECES.len()).prop_map(|i| PIECES[i].to_vec());
    let strewn = prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat());
    let members = prop::collection::vec(("[ab]?", "([0-9]|-1|\"\\\\\"|true|\\[0\\])"), 0..3);
    let sound = members.prop_map(|members| {
        let members: Vec<_> = members.iter().map(|(n, v)| format!("\"{n}\":{v}")).collect();
        format!("{{{}}}", members.join(",")).into_bytes()
    });
    compare(prop_oneof![2 => strewn, 1 => sound]);
}
