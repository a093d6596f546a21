//! Keys: their forms, what is refused, several of them, their states and times.

use crate::case::{Case, DAY, NOW};
use crate::document::Doc;
use crate::signer::{Signer, b64, jwks, second, stranger, vendor};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// When the plain license was signed.
const IAT: i64 = NOW - 10 * DAY;

pub fn cases() -> Vec<Case> {
    let mut cases = forms();
    cases.extend(bad_texts());
    cases.extend(bad_members());
    cases.extend(weak_points());
    cases.extend(several());
    cases.extend(states_and_times());
    cases.extend(signed_sets());
    cases.extend(signed_set_flaws());
    cases
}

fn plain() -> String {
    Doc::license().sign()
}

fn forms() -> Vec<Case> {
    let signer = vendor();
    let crlf = signer.pem().replace('\n', "\r\n");
    let full = format!(
        r#""kid":"{}","use":"sig","alg":"EdDSA","key_ops":["verify"],"state":"active""#,
        signer.kid()
    );
    [
        ("short", signer.short()),
        ("short with white space around", format!("\n {} \r\n", signer.short())),
        ("JWKS", signer.jwks("")),
        ("JWKS with every member", signer.jwks(&full)),
        ("JWKS with alg Ed25519", signer.jwks(r#""alg":"Ed25519""#)),
        ("JWKS with unknown members", signer.jwks(r#""x5c":["MIIB"],"color":"red""#)),
        ("JWKS with more around", format!(r#"{{"issued":1,"keys":[{}]}}"#, signer.jwk(""))),
        ("a single JWK", signer.jwk("")),
        ("a byte order mark before JSON", format!("\u{feff}{}", signer.jwks(""))),
        ("a byte order mark before the short form", format!("\u{feff}{}", signer.short())),
        ("a byte order mark before PEM", format!("\u{feff}{}", signer.pem())),
        ("PEM", signer.pem()),
        ("PEM with CRLF", crlf),
        ("two PEM blocks", second().pem() + &signer.pem()),
        ("two PEM blocks with an empty line", format!("{}\n{}", signer.pem(), second().pem())),
    ]
    .into_iter()
    .map(|(name, keys)| Case::verify(format!("form: {name}"), plain()).keys(keys))
    .collect()
}

fn bad_texts() -> Vec<Case> {
    let signer = vendor();
    let (x, short, pem, jwk) = (signer.x(), signer.short(), signer.pem(), signer.jwk(""));
    let private = pem.replace("PUBLIC", "PRIVATE");
    let many = |count: u8| {
        let key = |seed| Signer::of([seed; 32]).jwk("");
        jwks(&(1..=count).map(key).collect::<Vec<_>>())
    };
    let mut cases: Vec<Case> = [
        ("empty", String::new()),
        ("white space", " \n".into()),
        ("two byte order marks inside", format!("{short}\u{feff}\u{feff}")),
        ("a word", "vendor".into()),
        ("the key alone", x.clone()),
        ("another algorithm", format!("x25519:{x}")),
        ("short in upper case", format!("ED25519:{x}")),
        ("short and cut", short[..short.len() - 1].into()),
        ("short and too long", format!("{short}A")),
        ("short and padded", format!("{short}=")),
        ("short with a space", short.replace(':', ": ")),
        ("short twice", format!("{short}\n{short}")),
        ("short with unused bits", format!("{}p", &short[..short.len() - 1])),
        ("short in hexadecimal", format!("ed25519:{}", "d7".repeat(32))),
        ("PEM and cut", pem.replace("-----END PUBLIC KEY-----", "")),
        ("PEM of a private key", private),
        ("PEM of a certificate", pem.replace("PUBLIC KEY", "CERTIFICATE")),
        ("PEM of an X25519 key", pem.replace("MCowBQYDK2Vw", "MCowBQYDK2Vu")),
        ("PEM with text after it", format!("{pem}and more")),
        ("PEM, the same key twice", format!("{pem}{pem}")),
        ("not JSON", "{keys}".into()),
        ("an object without a key", "{}".into()),
        ("an array of keys", format!("[{jwk}]")),
        ("JWKS without keys", r#"{"keys":[]}"#.into()),
        ("JWKS with keys null", r#"{"keys":null}"#.into()),
        ("JWKS with keys an object", format!(r#"{{"keys":{jwk}}}"#)),
        ("JWKS with a key as an array", r#"{"keys":[["OKP","Ed25519"]]}"#.into()),
        ("JWKS with the same key twice", jwks(&[jwk.clone(), jwk.clone()])),
        ("JWKS with keys twice", format!(r#"{{"keys":[{jwk}],"keys":[{jwk}]}}"#)),
        ("JWKS with trailing text", format!("{}x", signer.jwks(""))),
        ("JWKS with a float", signer.jwks(r#""n":1.5"#)),
        ("65 keys", many(65)),
    ]
    .into_iter()
    .map(|(name, keys)| Case::product(format!("text: {name}"), keys).fails("invalid_key"))
    .collect();
    cases.push(Case::product("text: 64 keys", many(64)));
    let big = |size: usize| format!("{short}{}", " ".repeat(size - short.len()));
    cases.push(Case::product("text: 65536 bytes", big(65_536)));
    cases.push(Case::product("text: 65537 bytes", big(65_537)).fails("too_large"));
    cases
}

fn bad_members() -> Vec<Case> {
    let (x, good) = (vendor().x(), vendor().jwk(""));
    let other_kid = format!(r#""kid":"{}""#, stranger().kid());
    let extra = [
        r#""d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A""#,
        r#""k":"AAAA""#,
        r#""p":"AAAA""#,
        r#""q":"AAAA""#,
        r#""oth":[]"#,
        r#""use":"enc""#,
        r#""use":7"#,
        r#""alg":"HS256""#,
        r#""alg":"none""#,
        r#""alg":"ES256""#,
        r#""key_ops":["sign"]"#,
        r#""key_ops":["verify","sign"]"#,
        r#""key_ops":[]"#,
        r#""key_ops":"verify""#,
        r#""kid":"vendor""#,
        r#""kid":7"#,
        &other_kid,
        r#""state":"revoked""#,
        r#""state":"Active""#,
        r#""state":"retired""#,
        r#""state":1"#,
        r#""roles":"license""#,
        r#""roles":[1]"#,
        r#""nbf":-1"#,
        r#""exp":253402300800"#,
        r#""nbf":"1""#,
        r#""exp":true"#,
        r#""x":"AAAA""#,
    ];
    let mut cases: Vec<Case> = extra
        .iter()
        .map(|more| {
            Case::product(format!("JWK with {more}"), vendor().jwks(more)).fails("invalid_key")
        })
        .collect();
    for (name, jwk) in [
        ("without kty", good.replace(r#""kty":"OKP","#, "")),
        ("without crv", good.replace(r#""crv":"Ed25519","#, "")),
        ("without x", r#"{"kty":"OKP","crv":"Ed25519"}"#.into()),
        ("with kty RSA", good.replace("OKP", "RSA")),
        ("with kty EC", good.replace("OKP", "EC")),
        ("with kty oct", good.replace("OKP", "oct")),
        ("with kty okp", good.replace("OKP", "okp")),
        ("with crv Ed448", good.replace("Ed25519", "Ed448")),
        ("with crv X25519", good.replace("Ed25519", "X25519")),
        ("with crv P-256", good.replace("Ed25519", "P-256")),
        ("with x padded", good.replace(&x, &format!("{x}="))),
        ("with x cut", good.replace(&x, &x[..42])),
        ("with x of 33 bytes", good.replace(&x, &format!("{x}A"))),
        ("with x empty", good.replace(&x, "")),
        ("with x null", good.replace(&format!("\"{x}\""), "null")),
        ("with x a number", good.replace(&format!("\"{x}\""), "7")),
        ("with x in unused bits", good.replace(&x, &format!("{}p", &x[..42]))),
    ] {
        let keys = jwks(std::slice::from_ref(&jwk));
        cases.push(Case::product(format!("JWK {name}"), keys).fails("invalid_key"));
        if name == "with crv Ed448" {
            let keys = jwks(&[second().jwk(""), jwk]);
            let name = "a good JWK beside a bad one";
            cases.push(Case::product(name, keys).fails("invalid_key"));
        }
    }
    cases
}

/// The 14 encodings of the eight points of small order, and others that are no usable point.
fn weak_points() -> Vec<Case> {
    let point = |first: u8, fill: u8, last: u8| {
        let mut bytes = [fill; 32];
        (bytes[0], bytes[31]) = (first, last);
        bytes
    };
    let mut eight = [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98,
        0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53,
        0xfc, 0x05,
    ];
    let mut minus_eight = eight.map(|byte: u8| !byte);
    // p - y: the complement is 2^256 - 1 - y, and p is 2^255 - 19.
    (minus_eight[0], minus_eight[31]) = (minus_eight[0] - 18, minus_eight[31] & 0x7f);
    let mut weak = Vec::new();
    for sign in [0, 0x80] {
        weak.push(("order 1", point(1, 0, sign)));
        weak.push(("order 2", point(0xec, 0xff, 0x7f | sign)));
        weak.push(("order 4", point(0, 0, sign)));
        weak.push(("order 4 as p", point(0xed, 0xff, 0x7f | sign)));
        weak.push(("order 1 as p + 1", point(0xee, 0xff, 0x7f | sign)));
        eight[31] = eight[31] & 0x7f | sign;
        minus_eight[31] = minus_eight[31] & 0x7f | sign;
        weak.push(("order 8", eight));
        weak.push(("order 8, the other", minus_eight));
    }
    assert_eq!(weak.len(), 14);
    let mut cases = Vec::new();
    for (name, bytes) in weak {
        let sign = bytes[31] >> 7;
        let keys = format!("ed25519:{}", b64(bytes));
        let name = format!("weak: {name}, sign {sign}");
        cases.push(Case::product(name, keys).fails("weak_key"));
    }
    let identity = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, b64(point(1, 0, 0)));
    let beside = jwks(&[vendor().jwk(""), identity]);
    cases.push(Case::product("weak: beside a good one", beside).fails("weak_key"));
    for (name, bytes) in [
        ("2 is no y on the curve", point(2, 0, 0)),
        ("p + 3, the other spelling of 3", point(0xf0, 0xff, 0x7f)),
        ("p + 18, the last other spelling", point(0xff, 0xff, 0x7f)),
        ("all ones", [0xff; 32]),
    ] {
        let keys = format!("ed25519:{}", b64(bytes));
        cases.push(Case::product(format!("no point: {name}"), keys).fails("invalid_key"));
    }
    cases
}

fn several() -> Vec<Case> {
    let both = jwks(&[stranger().jwk(""), vendor().jwk("")]);
    let theirs = || Doc::license().sign_by(&stranger());
    let mixed =
        vendor().jws(stranger().header("lic+jwt").as_bytes(), Doc::license().payload().as_bytes());
    vec![
        Case::verify("by an unknown key", theirs()).fails("unknown_key"),
        Case::verify("by the first of two", theirs()).keys(&both),
        Case::verify("by the second of two", plain()).keys(&both),
        Case::verify("by one under the other's kid", mixed).keys(both).fails("bad_signature"),
        Case::verify("by a key trusted later", theirs()).trust(stranger().short()),
        Case::verify("by the first key after another was trusted", plain())
            .trust(stranger().short()),
        Case::trusting("the same key again", vendor().short()),
        Case::trusting("the same key again in another form", vendor().pem()),
        Case::trusting("the same key on other terms", vendor().jwks(r#""roles":["root"]"#))
            .fails("invalid_key"),
        Case::trusting("no key", "nothing").fails("invalid_key"),
        Case::trusting("nothing", "").fails("invalid_key"),
        Case::trusting("a private key", vendor().jwks(r#""d":"AAAA""#)).fails("invalid_key"),
    ]
}

fn states_and_times() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut with = |name: &str, more: String, slug: &str| {
        let case = Case::verify(name, plain()).keys(vendor().jwks(&more));
        cases.push(if slug == "ok" { case } else { case.fails(slug) });
    };
    with("active", r#""state":"active""#.into(), "ok");
    with("compromised", r#""state":"compromised""#.into(), "key_compromised");
    let late = format!(r#""state":"compromised","exp":{}"#, NOW + DAY);
    with("compromised, in its time", late, "key_compromised");
    for (name, nbf, slug) in [
        ("nbf at iat - 1", IAT - 1, "ok"),
        ("nbf at iat", IAT, "ok"),
        ("nbf at iat + 1", IAT + 1, "key_not_yet_valid"),
        ("nbf at 0", 0, "ok"),
        ("nbf at the end of time", 253_402_300_799, "key_not_yet_valid"),
    ] {
        with(name, format!(r#""nbf":{nbf}"#), slug);
    }
    for (name, exp, slug) in [
        ("exp at iat - 1", IAT - 1, "key_retired"),
        ("exp at iat", IAT, "key_retired"),
        ("exp at iat + 1", IAT + 1, "ok"),
        ("exp at 0", 0, "key_retired"),
    ] {
        with(name, format!(r#""exp":{exp}"#), slug);
        with(&format!("retired, {name}"), format!(r#""state":"retired","exp":{exp}"#), slug);
    }
    let inside = format!(r#""nbf":{},"exp":{}"#, IAT, IAT + 1);
    with("the one second of its time", inside, "ok");
    let upside = format!(r#""nbf":{},"exp":{}"#, IAT + 1, IAT);
    with("a time that ends before it begins", upside, "key_not_yet_valid");
    cases
}

/// A signed set replaces the one before it and never makes a root.
fn signed_sets() -> Vec<Case> {
    let root = || vendor().jwks(r#""roles":["root"]"#);
    let set = |epoch: u64, keys: &[String]| Doc::key_set(epoch, keys).sign();
    let theirs = || Doc::license().sign_by(&second());
    let compromised = second().jwk(r#""state":"compromised""#);
    let retired = vendor().jwk(&format!(r#""state":"retired","exp":{IAT}"#));
    let by_second = Doc::key_set(2, &[stranger().jwk("")]).sign_by(&second());
    let wrapped = set(1, &[second().jwk("")]).replace('.', ".\r\n");
    vec![
        Case::verify("set: names a license key", theirs())
            .keys(root())
            .trust(set(1, &[second().jwk("")])),
        Case::verify("set: with line ends from a mail", theirs()).keys(root()).trust(wrapped),
        Case::verify("set: as a blob", theirs())
            .keys(root())
            .trust(STANDARD.encode(set(1, &[second().jwk("")]) + "\n")),
        Case::verify("set: behind a byte order mark", theirs())
            .keys(root())
            .trust(format!("\u{feff}{}", set(1, &[second().jwk("")]))),
        Case::verify("set: the pinned key stays", plain()).trust(set(1, &[second().jwk("")])),
        Case::verify("set: without it, unknown", theirs()).keys(root()).fails("unknown_key"),
        Case::verify("set: replaces the one before", theirs())
            .trust(set(1, &[second().jwk("")]))
            .trust(set(2, &[stranger().jwk("")]))
            .fails("unknown_key"),
        Case::verify("set: compromises a key of the one before", theirs())
            .trust(set(1, &[second().jwk("")]))
            .trust(set(2, &[compromised]))
            .fails("key_compromised"),
        Case::verify("set: compromises the pinned key", plain())
            .trust(set(1, &[vendor().jwk(r#""state":"compromised""#)]))
            .fails("key_compromised"),
        Case::verify("set: retires the pinned key before it signed", plain())
            .trust(set(1, &[retired]))
            .fails("key_retired"),
        Case::verify("set: cannot give a pinned key a role", plain())
            .keys(root())
            .trust(set(1, &[vendor().jwk(r#""roles":["license"]"#)]))
            .fails("unknown_key"),
        Case::trusting("set: cannot make a root", set(1, &[second().jwk(r#""roles":["root"]"#)]))
            .trust(by_second.clone())
            .fails("unknown_key"),
        Case::trusting("set: by a key that is not pinned", by_second).fails("unknown_key"),
        Case::trusting("set: the same epoch again", set(5, &[second().jwk("")]))
            .trust(set(5, &[second().jwk("")]))
            .fails("older_than_installed"),
        Case::trusting("set: an older epoch", set(5, &[second().jwk("")]))
            .trust(set(4, &[second().jwk("")]))
            .fails("older_than_installed"),
        Case::trusting("set: a later epoch", set(5, &[second().jwk("")]))
            .trust(set(7, &[second().jwk("")])),
        Case::trusting("set: epoch 2^53-1", set((1 << 53) - 1, &[second().jwk("")])),
    ]
}

fn signed_set_flaws() -> Vec<Case> {
    let good = || Doc::key_set(1, &[second().jwk("")]);
    let weak = format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, b64([0; 32]));
    let signed = good().sign();
    let (head, _) = signed.rsplit_once('.').expect("a signature");
    let mut cases = vec![
        Case::trusting("set: altered", format!("{head}.{}", b64([7; 64]))).fails("bad_signature"),
        Case::trusting("set: two parts", head).fails("malformed"),
        Case::trusting("set: by a compromised root", good().sign())
            .keys(vendor().jwks(r#""state":"compromised""#))
            .fails("key_compromised"),
        Case::trusting("set: before its root's time", good().sign())
            .keys(vendor().jwks(&format!(r#""nbf":{}"#, IAT + 1)))
            .fails("key_not_yet_valid"),
        Case::trusting("set: after its root's time", good().sign())
            .keys(vendor().jwks(&format!(r#""exp":{IAT}"#)))
            .fails("key_retired"),
        Case::trusting("set: must", good().set("/must", vec!["threshold"]).sign()).fails("too_new"),
        Case::trusting(
            "set: must before all else",
            good().set("/must", vec!["x"]).cut("/keys").sign(),
        )
        .fails("too_new"),
    ];
    for (name, claim, text, slug) in [
        ("no keys", "/keys", "[]", "invalid_key"),
        ("a bad key", "/keys", r#"[{"kty":"RSA"}]"#, "invalid_key"),
        ("a weak key", "/keys", &format!("[{weak}]"), "weak_key"),
        ("keys an object", "/keys", "{}", "malformed"),
        ("epoch 0", "/epoch", "0", "malformed"),
        ("epoch -1", "/epoch", "-1", "malformed"),
        ("epoch a text", "/epoch", r#""1""#, "malformed"),
        ("iat -1", "/iat", "-1", "malformed"),
        ("iat past 9999", "/iat", "253402300800", "malformed"),
        ("aud an array", "/aud", r#"["myapp"]"#, "malformed"),
        ("iss empty", "/iss", r#""""#, "malformed"),
        ("a name twice", "/epoch", r#"1,"epoch":2"#, "malformed"),
    ] {
        let set = good().raw(claim, text).sign();
        cases.push(Case::trusting(format!("set: {name}"), set).fails(slug));
    }
    for claim in ["/iss", "/aud", "/iat", "/epoch", "/keys"] {
        let set = good().cut(claim).sign();
        cases.push(Case::trusting(format!("set: without {claim}"), set).fails("malformed"));
    }
    cases
}
