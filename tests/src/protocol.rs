//! The line protocol of the runners: tests/runners/README.md.

use crate::case::{Case, Deed};

/// Escapes bytes into visible ASCII without `%`, `=` and the tab.
pub fn escape(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for byte in bytes {
        match byte {
            b'%' | b'=' | 0..=b' ' | 0x7f..=0xff => out.push_str(&format!("%{byte:02X}")),
            _ => out.push(char::from(*byte)),
        }
    }
    out
}

/// The bytes behind an escaped text; `None` if it is none.
pub fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = text.bytes();
    let mut out = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let digits = [bytes.next()?, bytes.next()?];
        out.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
    }
    Some(out)
}

/// A case as one line, without the line feed.
pub fn request(case: &Case) -> String {
    let mut fields = Vec::new();
    let mut add = |verb: &str, value: &[u8]| fields.push(format!("{verb}={}", escape(value)));
    add("product", case.product.as_bytes());
    add("keys", case.keys.as_bytes());
    for keys in &case.trust {
        add("trust", keys.as_bytes());
    }
    for (name, value) in &case.set {
        add(&format!("set={}", escape(name.as_bytes())), value.as_bytes());
    }
    let data = case.data().unwrap_or_default();
    match case.deed {
        Deed::Product | Deed::Trust => {}
        Deed::Verify => add("verify", &data),
        Deed::Inspect => add("inspect", &data),
    }
    if let Some(facts) = &case.facts {
        for feature in facts.allows.keys() {
            add("ask", feature.as_bytes());
        }
    }
    for later in &case.later {
        add("set=clock", later.clock.as_bytes());
        for feature in later.allows.keys() {
            add("ask", feature.as_bytes());
        }
    }
    fields.join("\t")
}

/// A word the answer to an `ask` ends with: a limit, or `unlimited`.
pub fn limit_word(limit: Option<u64>) -> String {
    limit.map_or("unlimited".into(), |limit| limit.to_string())
}

/// The answer to an `ask`.
pub fn grant(feature: &str, allows: bool, limit: Option<u64>) -> String {
    let yes = if allows { "yes" } else { "no" };
    format!("grant={}={yes}={}", escape(feature.as_bytes()), limit_word(limit))
}

/// What a license that passed says of itself.
pub fn facts(serial: &str, customer: &str, expires: Option<i64>, json: &str) -> String {
    let expires = expires.map_or("never".into(), |at| at.to_string());
    format!(
        "serial={}\tcustomer={}\texpires={expires}\tjson={}",
        escape(serial.as_bytes()),
        escape(customer.as_bytes()),
        escape(json.as_bytes())
    )
}

/// Why an answer is not what the case expects; `None` if it is.
pub fn judge(case: &Case, answer: &str) -> Option<String> {
    let mut fields = answer.split('\t');
    let verdict = fields.next().unwrap_or_default();
    if verdict != case.expect {
        let rest: String = fields.next().unwrap_or_default().chars().take(200).collect();
        return Some(format!("expected {}, got {verdict} {rest}", case.expect));
    }
    if case.expect != "ok" {
        return judge_message(fields.next());
    }
    let Some(wanted) = &case.facts else {
        return fields.next().map(|more| format!("unexpected: {more}"));
    };
    let head = facts(&wanted.serial, &wanted.customer, wanted.expires, "");
    let asks = std::iter::once((&wanted.allows, &wanted.limits))
        .chain(case.later.iter().map(|later| (&later.allows, &later.limits)));
    let mut expected: Vec<String> = head.split('\t').map(str::to_string).collect();
    for (allows, limits) in asks {
        for (id, yes) in allows {
            expected.push(grant(id, *yes, limits.get(id).copied().flatten()));
        }
    }
    let found: Vec<&str> = fields.collect();
    if found.len() != expected.len() {
        return Some(format!("{} facts, not {}", found.len(), expected.len()));
    }
    let differ = |pair: &(&str, String)| pair.0 != pair.1 && pair.1 != "json=";
    let bad = found.into_iter().zip(expected).find(differ);
    bad.map(|(found, expected)| format!("expected {expected}, got {found}"))
}

/// Every message names what to do: `what was found: remedy`.
fn judge_message(message: Option<&str>) -> Option<String> {
    let text = message.and_then(unescape).and_then(|bytes| String::from_utf8(bytes).ok());
    match text {
        Some(text) if text.contains(": ") && text.len() <= 251 => None,
        Some(text) => Some(format!("the message is {text:?}")),
        None => Some("there is no message".into()),
    }
}
