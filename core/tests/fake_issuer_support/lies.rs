//! Lies about the form, the keys and the values of an answer to a sync.

use super::*;
use licentia::issue::Ledger;
use serde_json::json;

const MOST: u64 = 9_007_199_254_740_991;

fn text(text: impl Into<String>) -> Told {
    Ok(text.into().into_bytes())
}

/// What is no answer at all, or one that was damaged on its way.
pub fn of_form() -> Vec<Lie> {
    use Code::*;
    let of = |what, code, tell: fn(&mut House, &Request) -> Told| {
        lie("sync", what, code, move |house, request, _| tell(house, request))
    };
    vec![
        of("nothing", Malformed, |_, _| text("")),
        of("blanks", Malformed, |_, _| text(" \n\t ")),
        of("a page to sign in", Malformed, |_, _| text("<html>sign in</html>")),
        of("no text", Malformed, |_, _| Ok(vec![0xff; 1_000])),
        of("a byte more than there may be", TooLarge, |_, _| Ok(vec![b'a'; 2 * 256 * 1024 + 1])),
        of("a megabyte", TooLarge, |_, _| Ok(vec![b'a'; 1 << 20])),
        of("as many bytes as there may be", Malformed, |_, _| Ok(vec![b'a'; 512 * 1024])),
        of("unsigned claims", Malformed, |house, request| {
            let answer = house.said(request);
            text(payload(&house.sign(&answer)))
        }),
        of("half of it", Malformed, |house, request| {
            let all = parts(house, request).join(".");
            text(&all[..all.len() / 2])
        }),
        of("all but a letter", Malformed, |house, request| {
            let all = parts(house, request).join(".");
            text(&all[..all.len() - 1])
        }),
        of("a letter more", Malformed, |house, request| {
            text(parts(house, request).join(".") + "A")
        }),
        of("twice", Malformed, |house, request| {
            let all = parts(house, request).join(".");
            text(format!("{all}{all}"))
        }),
        of("with padding", Malformed, |house, request| text(parts(house, request).join(".") + "=")),
        of("four parts", Malformed, |house, request| {
            text(parts(house, request).join(".") + ".e30")
        }),
        of("no signature", Malformed, |house, request| {
            let [header, payload, _] = parts(house, request);
            text(format!("{header}.{payload}."))
        }),
        of("no payload", BadSignature, |house, request| {
            let [header, _, signature] = parts(house, request);
            text(format!("{header}..{signature}"))
        }),
        of("as JSON", Malformed, |house, request| {
            let [protected, payload, signature] = parts(house, request);
            let all = json!({"protected": protected, "payload": payload, "signature": signature});
            text(all.to_string())
        }),
        of("an array", Malformed, |house, request| {
            torn(house, request, |text| format!("[{text}]"))
        }),
        of("a brace more", Malformed, |house, request| torn(house, request, |text| text + "}")),
        of("deep", Malformed, |house, request| {
            torn(house, request, |text| {
                let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
                text.replacen('{', &format!("{{\"deep\":{deep},"), 1)
            })
        }),
        of("a request", WrongKind, |_, _| {
            let product = product_at("test", NOW);
            let it = Site::new(&product);
            text(it.request("sync", None).unwrap())
        }),
    ]
}

fn header(alg: &str, kid: &str, more: &str) -> String {
    use base64::Engine;
    let header = format!(r#"{{"alg":"{alg}","kid":"{kid}","typ":"lic-sync+jwt"{more}}}"#);
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(header)
}

/// What somebody signed who may not, or nobody.
pub fn of_keys() -> Vec<Lie> {
    use Code::*;
    let of = |what, code, tell: fn(&mut House, &Request) -> Told| {
        lie("sync", what, code, move |house, request, _| tell(house, request))
    };
    vec![
        of("a stranger's key", UnknownKey, |_, request| text(forged(request))),
        of("a stranger's key under our name", BadSignature, |house, request| {
            let [_, payload, _] = parts(house, request);
            let strangers = forged(request);
            let signature = strangers.rsplit('.').next().unwrap();
            let kid = key(ANSWERS).public().kid().to_string();
            text(format!("{}.{payload}.{signature}", header("EdDSA", &kid, "")))
        }),
        of("the key of licenses", UnknownKey, |house, request| {
            signed(house, request, (LICENSES, "myapp", ISSUER))
        }),
        of("the root", UnknownKey, |house, request| {
            signed(house, request, (ROOT, "myapp", ISSUER))
        }),
        of("a key that was retired", KeyRetired, |house, request| {
            signed(house, request, (RETIRED, "myapp", ISSUER))
        }),
        of("a key that was stolen", KeyCompromised, |house, request| {
            signed(house, request, (STOLEN, "myapp", ISSUER))
        }),
        of("alg none", Malformed, |house, request| {
            let [_, payload, signature] = parts(house, request);
            let kid = key(ANSWERS).public().kid().to_string();
            text(format!("{}.{payload}.{signature}", header("none", &kid, "")))
        }),
        of("alg HS256", Malformed, |house, request| {
            let [_, payload, signature] = parts(house, request);
            let kid = key(ANSWERS).public().kid().to_string();
            text(format!("{}.{payload}.{signature}", header("HS256", &kid, "")))
        }),
        of("a key in the header", Malformed, |house, request| {
            let [_, payload, signature] = parts(house, request);
            let kid = key(ANSWERS).public().kid().to_string();
            let more = r#","jwk":{"kty":"OKP","crv":"Ed25519","x":"a"}"#;
            text(format!("{}.{payload}.{signature}", header("EdDSA", &kid, more)))
        }),
        of("a demand in the header", Malformed, |house, request| {
            let [_, payload, signature] = parts(house, request);
            let kid = key(ANSWERS).public().kid().to_string();
            text(format!("{}.{payload}.{signature}", header("EdDSA", &kid, r#","crit":["b64"]"#)))
        }),
        of("another answer's signature", BadSignature, |house, request| {
            let [header, payload, _] = parts(house, request);
            let [_, _, signature] = parts(house, request);
            text(format!("{header}.{payload}.{signature}"))
        }),
        of("another answer's payload", BadSignature, |house, request| {
            let [header, _, signature] = parts(house, request);
            let [_, payload, _] = parts(house, request);
            text(format!("{header}.{payload}.{signature}"))
        }),
        of("a bit of the signature", BadSignature, |house, request| {
            let [header, payload, signature] = parts(house, request);
            let first = if signature.starts_with('A') { 'B' } else { 'A' };
            text(format!("{header}.{payload}.{first}{}", &signature[1..]))
        }),
    ]
}

/// What the right key has signed, and can not be. The key was stolen, or a server has a fault.
pub fn of_values() -> Vec<Lie> {
    let mut all = of_numbers();
    all.extend(of_texts());
    all
}

fn of_numbers() -> Vec<Lie> {
    use Code::*;
    let with = |what, code, name: &'static str, value: Value| {
        lie("sync", what, code, move |house, request, _| {
            bent(house, request, |claims| claims[name] = value.clone())
        })
    };
    vec![
        with("number 0", Malformed, "seq", json!(0)),
        with("number -1", Malformed, "seq", json!(-1)),
        with("number 1.5", Malformed, "seq", json!(101.5)),
        with("number 2^53", Malformed, "seq", json!(MOST + 1)),
        with("number 2^53-1, of the year 2255", Malformed, "seq", json!(MOST)),
        with("number 2^64", Malformed, "seq", json!(1e300)),
        with("a number as text", Malformed, "seq", json!("101")),
        with("no number", Malformed, "seq", Value::Null),
        with("epoch -1", Malformed, "epoch", json!(-1)),
        with("no epoch", Malformed, "epoch", Value::Null),
        with("before 1970", Malformed, "server_time", json!(-1)),
        with("after 9999", Malformed, "server_time", json!(253_402_300_800_i64)),
        with("no time", Malformed, "server_time", Value::Null),
        with("signed before 1970", Malformed, "iat", json!(-1)),
        with("a call before 1970", Malformed, "sync_after", json!(-1)),
        with("a call after 9999", Malformed, "next_sync_by", json!(253_402_300_800_i64)),
        lie("sync", "a call after the last", Malformed, |house, request, _| {
            bent(house, request, |it| {
                (it["sync_after"], it["next_sync_by"]) = (json!(NOW + 2), json!(NOW + 1));
            })
        }),
        lie("sync", "a number that was", AlreadyUsed, |house, request, _| {
            let seq = house.seq;
            said(house, request, |it| it.seq = seq)
        }),
        lie("sync", "a lower number", AlreadyUsed, |house, request, _| {
            said(house, request, |it| it.seq = 1)
        }),
        lie("sync", "an earlier epoch", OlderThanInstalled, |house, request, _| {
            said(house, request, |it| it.epoch = 1)
        }),
    ]
}

fn of_texts() -> Vec<Lie> {
    use Code::*;
    let with = |what, code, name: &'static str, value: Value| {
        lie("sync", what, code, move |house, request, _| {
            bent(house, request, |claims| claims[name] = value.clone())
        })
    };
    vec![
        with("a status of tomorrow", TooNew, "status", json!("frozen")),
        with("no status", Malformed, "status", Value::Null),
        with("a demand", TooNew, "must", json!(["obey"])),
        with("a message with a NUL", Malformed, "message", json!("a\u{0}b")),
        with("a message without end", Malformed, "message", json!("a".repeat(1_025))),
        with("an activation that is none", Malformed, "activation", json!("first")),
        with("keys by no digest", Malformed, "keys", json!({"version": 3, "sha256": "AAAA"})),
        with("a list of version 0", Malformed, "revocations", {
            json!({"version": 0, "sha256": sha256("")})
        }),
        with("a machine that is none", Malformed, "machine", json!([])),
        lie("sync", "one member twice", Malformed, |house, request, _| {
            torn(house, request, |text| text.replacen('{', r#"{"status":"ok","#, 1))
        }),
        lie("sync", "one member twice, once in other letters", Malformed, |house, request, _| {
            torn(house, request, |text| text.replacen('{', r#"{"st\u0061tus":"ok","#, 1))
        }),
        lie("sync", "a place without end", Malformed, |house, request, _| {
            bent(house, request, |it| {
                it["ack"] = json!(Ledger { seq: 1, head: "a".repeat(65) });
            })
        }),
    ]
}
