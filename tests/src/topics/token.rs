//! Attacks on the shape of a signed document.

use crate::case::Case;
use crate::dice::Dice;
use crate::document::{Doc, sign_header};
use crate::signer::{b64, hmac, stranger, vendor};

/// Spellings of `alg`, as JSON, that are not one of the two that are accepted.
const ALGS: &[&str] = &[
    r#""none""#,
    r#""None""#,
    r#""NONE""#,
    r#""nOnE""#,
    r#""""#,
    "null",
    r#"["EdDSA"]"#,
    r#"{"EdDSA":1}"#,
    "1",
    "true",
    r#""HS256""#,
    r#""HS384""#,
    r#""HS512""#,
    r#""RS256""#,
    r#""RS384""#,
    r#""RS512""#,
    r#""ES256""#,
    r#""ES384""#,
    r#""ES512""#,
    r#""ES256K""#,
    r#""PS256""#,
    r#""PS384""#,
    r#""PS512""#,
    r#""eddsa""#,
    r#""EDDSA""#,
    r#""EdDSA ""#,
    r#"" EdDSA""#,
    r#""Ed448""#,
    r#""ed25519""#,
    r#""Ed25519ph""#,
    r#""EdDSA\u0000""#,
    r#""ЕdDSA""#,
    r#""dir""#,
    r#""ML-DSA-65""#,
];

/// Names of header members that other systems know, with a value.
const MEMBERS: &[(&str, &str)] = &[
    ("jku", r#""http://127.0.0.1:9/keys""#),
    ("x5u", r#""http://127.0.0.1:9/chain""#),
    ("x5c", r#"["MIIB"]"#),
    ("x5t", r#""AAAA""#),
    ("x5t#S256", r#""AAAA""#),
    ("crit", r#"["exp"]"#),
    ("crit", "[]"),
    ("b64", "false"),
    ("b64", "true"),
    ("zip", r#""DEF""#),
    ("cty", r#""JWT""#),
    ("enc", r#""A128GCM""#),
    ("nonce", r#""x""#),
    ("url", r#""x""#),
    ("iat", "1"),
    ("", "null"),
    ("Alg", r#""none""#),
    ("__proto__", "{}"),
];

/// Values of `kid`, as JSON, and what they come to.
const KIDS: &[(&str, &str)] = &[
    (r#""""#, "unknown_key"),
    (r#""../../../../etc/passwd""#, "unknown_key"),
    (r#""/dev/zero""#, "unknown_key"),
    (r#""' OR 1=1 --""#, "unknown_key"),
    (r#""$(id)""#, "unknown_key"),
    (r#""%s%s%n""#, "unknown_key"),
    (r#""*""#, "unknown_key"),
    (r#""\n\r""#, "unknown_key"),
    (r#""\u202e""#, "unknown_key"),
    (r#""__proto__""#, "unknown_key"),
    (r#""AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA""#, "unknown_key"),
    (r#""a\u0000b""#, "malformed"),
    ("null", "malformed"),
    ("0", "malformed"),
    ("true", "malformed"),
    ("[]", "malformed"),
    ("{}", "malformed"),
];

pub fn cases() -> Vec<Case> {
    let mut cases = vec![Case::verify("good", Doc::license().sign())];
    cases.extend(algorithms());
    cases.extend(header_members());
    cases.extend(header_shapes());
    cases.extend(key_names());
    cases.extend(parts());
    cases.extend(respellings());
    cases.extend(signatures());
    cases.extend(flips());
    cases
}

fn header(alg: &str, kid: &str, typ: &str) -> String {
    format!(r#"{{"alg":{alg},"kid":{kid},"typ":{typ}}}"#)
}

fn quoted_kid() -> String {
    format!("\"{}\"", vendor().kid())
}

const ALG: &str = r#""EdDSA""#;
const TYP: &str = r#""lic+jwt""#;

fn algorithms() -> Vec<Case> {
    let kid = quoted_kid();
    let under = |alg: &str| sign_header(header(alg, &kid, TYP));
    let mut cases: Vec<Case> = ALGS
        .iter()
        .map(|alg| Case::verify(format!("alg {alg}"), under(alg)).fails("malformed"))
        .collect();
    for alg in [ALG, r#""Ed25519""#, r#""\u0045dDSA""#] {
        cases.push(Case::verify(format!("alg {alg} is ours"), under(alg)));
    }
    // The public key as an HMAC secret, in each form that a confused verifier might use.
    let secrets = [
        ("bytes", vendor().public().to_vec()),
        ("text", vendor().x().into_bytes()),
        ("short", vendor().short().into_bytes()),
    ];
    for (form, secret) in secrets {
        let signed =
            format!("{}.{}", b64(header(r#""HS256""#, &kid, TYP)), b64(Doc::license().payload()));
        let token = format!("{signed}.{}", b64(hmac(&secret, signed.as_bytes())));
        cases.push(Case::verify(format!("HS256 with the key's {form}"), token).fails("malformed"));
    }
    let bare =
        format!("{}.{}.", b64(header(r#""none""#, &kid, TYP)), b64(Doc::license().payload()));
    cases.push(Case::verify("alg none without a signature", bare).fails("malformed"));
    cases
}

fn header_members() -> Vec<Case> {
    let mut cases = Vec::new();
    for (index, (name, value)) in MEMBERS.iter().enumerate() {
        let header =
            format!(r#"{{"alg":{ALG},"{name}":{value},"kid":{},"typ":{TYP}}}"#, quoted_kid());
        let name = format!("header with {name} ({})", index + 1);
        cases.push(Case::verify(name, sign_header(header)).fails("malformed"));
    }
    // The attacker's own key comes along in the header, under its own name and under ours.
    for (whose, kid) in [("its own", stranger().kid()), ("the vendor's", vendor().kid())] {
        let header =
            format!(r#"{{"alg":{ALG},"jwk":{},"kid":"{kid}","typ":{TYP}}}"#, stranger().jwk(""));
        let token = stranger().jws(header.as_bytes(), Doc::license().payload().as_bytes());
        let name = format!("header with jwk under {whose} kid");
        cases.push(Case::verify(name, token).fails("malformed"));
    }
    cases
}

fn header_shapes() -> Vec<Case> {
    let kid = quoted_kid();
    let members = [format!("\"alg\":{ALG}"), format!("\"kid\":{kid}"), format!("\"typ\":{TYP}")];
    let mut cases = Vec::new();
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let inner = order.map(|at| members[at].clone()).join(",");
        let name = format!("header in the order {order:?}");
        cases.push(Case::verify(name, sign_header(format!("{{{inner}}}"))));
    }
    let [alg, kid_member, typ] = &members;
    let good = format!("{{{alg},{kid_member},{typ}}}");
    cases.push(Case::verify(
        "header with white space",
        sign_header(format!(" {{\n {alg} ,\t{kid_member},{typ}\r\n}} ")),
    ));
    for (name, text) in [
        ("without alg", format!("{{{kid_member},{typ}}}")),
        ("without kid", format!("{{{alg},{typ}}}")),
        ("without typ", format!("{{{alg},{kid_member}}}")),
        ("with typ null", format!("{{{alg},{kid_member},\"typ\":null}}")),
        ("with typ an array", format!("{{{alg},{kid_member},\"typ\":[{TYP}]}}")),
        ("empty object", "{}".into()),
        ("empty", String::new()),
        ("array", format!("[{ALG},{kid},{TYP}]")),
        ("array in the order of the members", format!("[{ALG},{kid},{TYP},null]")),
        ("string", format!("\"{}\"", vendor().kid())),
        ("null", "null".into()),
        ("alg twice", format!("{{{alg},{alg},{kid_member},{typ}}}")),
        ("alg twice, once escaped", format!("{{\"\\u0061lg\":\"none\",{alg},{kid_member},{typ}}}")),
        ("kid twice", format!("{{{alg},{kid_member},{kid_member},{typ}}}")),
        ("typ twice", format!("{{{alg},{kid_member},{typ},{typ}}}")),
        ("trailing text", format!("{good}x")),
        ("two objects", format!("{good}{good}")),
        ("trailing comma", format!("{{{alg},{kid_member},{typ},}}")),
        ("comment", format!("/* */{good}")),
        ("byte order mark", format!("\u{feff}{good}")),
        ("single quotes", good.replace('"', "'")),
    ] {
        cases.push(Case::verify(format!("header: {name}"), sign_header(text)).fails("malformed"));
    }
    let mut latin = good.clone().into_bytes();
    latin.insert(2, 0xe4);
    cases.push(Case::verify("header: not UTF-8", sign_header(latin)).fails("malformed"));
    let padded = |to: usize| format!("{good}{}", " ".repeat(to - good.len()));
    cases.push(Case::verify("header of 1024 bytes", sign_header(padded(1024))));
    cases.push(Case::verify("header of 1025 bytes", sign_header(padded(1025))).fails("too_large"));
    cases
}

fn key_names() -> Vec<Case> {
    let mut cases: Vec<Case> = KIDS
        .iter()
        .map(|(kid, slug)| {
            Case::verify(format!("kid {kid}"), sign_header(header(ALG, kid, TYP))).fails(slug)
        })
        .collect();
    let kid = vendor().kid();
    for (name, other) in [
        ("in lower case", kid.to_lowercase()),
        ("with a space", format!("{kid} ")),
        ("padded", format!("{kid}=")),
        ("one short", kid[..42].to_string()),
        ("one long", format!("{kid}A")),
        ("of another key", stranger().kid()),
        ("that is the key itself", vendor().x()),
        ("of 900 bytes", "k".repeat(900)),
    ] {
        let token = sign_header(header(ALG, &format!("\"{other}\""), TYP));
        cases.push(Case::verify(format!("kid {name}"), token).fails("unknown_key"));
    }
    let long = sign_header(header(ALG, &format!("\"{}\"", "k".repeat(5000)), TYP));
    cases.push(Case::verify("kid of 5000 bytes", long).fails("too_large"));
    cases
}

fn parts() -> Vec<Case> {
    let token = Doc::license().sign();
    let parts: Vec<&str> = token.split('.').collect();
    let (h, p, s) = (parts[0], parts[1], parts[2]);
    let flattened = format!(r#"{{"protected":"{h}","payload":"{p}","signature":"{s}"}}"#);
    let general =
        format!(r#"{{"payload":"{p}","signatures":[{{"protected":"{h}","signature":"{s}"}}]}}"#);
    let texts = [
        ("empty", String::new()),
        ("one part", h.to_string()),
        ("only a dot", ".".into()),
        ("only two dots", "..".into()),
        ("two parts", format!("{h}.{p}")),
        ("four parts", format!("{token}.{s}")),
        ("five parts, as encryption has", format!("{h}....")),
        ("a dot in front", format!(".{token}")),
        ("a dot at the end", format!("{token}.")),
        ("two dots in a row", format!("{h}..{p}.{s}")),
        ("no header", format!(".{p}.{s}")),
        ("no signature", format!("{h}.{p}.")),
        ("parts exchanged", format!("{p}.{h}.{s}")),
        ("flattened JSON", flattened),
        ("general JSON", general),
        ("payload not encoded", format!("{h}.{}.{s}", "eyJ9{}")),
        ("a slash for a dot", format!("{h}/{p}/{s}")),
        ("two licenses", format!("{token}{token}")),
        ("a word", "license".into()),
        ("a URL", "https://acme.example/license.lic".into()),
    ];
    let case = |(name, text): (&str, String)| Case::verify(format!("parts: {name}"), text);
    texts.into_iter().map(|it| case(it).fails("malformed")).collect()
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The same bytes in other characters: all the unused bits at the end of a part.
fn respellings() -> Vec<Case> {
    let token = Doc::license().set("/jti", "t~~?").sign();
    let parts: Vec<&str> = token.split('.').collect();
    let mut cases = Vec::new();
    for (index, part) in ["header", "payload", "signature"].into_iter().enumerate() {
        let with = |spelled: String| {
            let mut parts: Vec<String> = parts.iter().map(|part| part.to_string()).collect();
            parts[index] = spelled;
            parts.join(".")
        };
        let text = parts[index];
        for pad in ["=", "==", "%3D"] {
            let name = format!("{part} with {pad}");
            cases.push(Case::verify(name, with(format!("{text}{pad}"))).fails("malformed"));
        }
        let plus = text.replace('-', "+").replace('_', "/");
        if plus != text {
            cases.push(Case::verify(format!("{part} with + and /"), with(plus)).fails("malformed"));
        }
        let unused = [0, 0, 4, 2][text.len() % 4];
        let last = text.bytes().last().unwrap_or_default();
        let at = ALPHABET.iter().position(|letter| *letter == last).unwrap_or_default();
        for bits in 1..1 << unused {
            let other = char::from(ALPHABET[at | bits]);
            let spelled = format!("{}{other}", &text[..text.len() - 1]);
            let name = format!("{part} ends in unused bits {bits}");
            cases.push(Case::verify(name, with(spelled)).fails("malformed"));
        }
        let short = with(text[..text.len() - 1].to_string());
        cases.push(Case::verify(format!("{part} one character short"), short).fails("malformed"));
    }
    cases
}

/// The order of the base point, little-endian (RFC 8032, section 5.1).
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

/// The same signature with S + L: the equation still holds.
fn plus_order(signature: [u8; 64]) -> [u8; 64] {
    let mut out = signature;
    let mut carry = 0;
    for (byte, add) in out[32..].iter_mut().zip(ORDER) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    out
}

fn signatures() -> Vec<Case> {
    let token = Doc::license().sign();
    let (signed, _) = token.rsplit_once('.').expect("a signature");
    let (header, payload) = signed.split_once('.').expect("a payload");
    let good = vendor().sign(signed.as_bytes());
    let with = |signature: &[u8]| format!("{signed}.{}", b64(signature));
    let mut identity = [0; 64];
    identity[0] = 1;
    let mut half = good;
    half[32..].fill(0);
    let mut high = good;
    high[63] |= 0xe0;
    let payload_text = Doc::license().payload();
    let other = Doc::license().set("/license/features/1/max", 16);
    let theirs = stranger().sign(signed.as_bytes());
    let mut cases = Vec::new();
    for (name, bytes) in [
        ("zeros", [0; 64]),
        ("ones", [0xff; 64]),
        ("the identity and zero", identity),
        ("S is zero", half),
        ("S with its top bits set", high),
        ("S plus the group order", plus_order(good)),
        ("another key's", theirs),
        ("over the payload alone", vendor().sign(payload.as_bytes())),
        ("over the payload's bytes", vendor().sign(payload_text.as_bytes())),
        ("over the header alone", vendor().sign(header.as_bytes())),
        ("over a text with a line end", vendor().sign(format!("{signed}\n").as_bytes())),
        ("over nothing", vendor().sign(b"")),
    ] {
        cases.push(Case::verify(format!("signature: {name}"), with(&bytes)).fails("bad_signature"));
    }
    for length in [0, 1, 32, 63, 65, 96, 128] {
        let mut bytes = good.to_vec();
        bytes.resize(length, 0);
        let name = format!("signature of {length} bytes");
        cases.push(Case::verify(name, with(&bytes)).fails("malformed"));
    }
    let swapped = format!("{header}.{}.{}", b64(other.payload()), b64(good));
    cases.push(Case::verify("payload of another license", swapped).fails("bad_signature"));
    let bare = format!("{header}..{}", b64(good));
    cases.push(Case::verify("no payload under the signature", bare).fails("bad_signature"));
    cases.push(
        Case::verify("no payload", vendor().jws(vendor().header("lic+jwt").as_bytes(), b""))
            .fails("malformed"),
    );
    let spaced = format!("{header}.{}.{}", b64(format!("{payload_text} ")), b64(good));
    cases.push(Case::verify("payload with a space more", spaced).fails("bad_signature"));
    let exchanged = sign_header(Doc::license().payload());
    cases.push(Case::verify("the payload as header", exchanged).fails("malformed"));
    cases
}

fn flips() -> Vec<Case> {
    let payload = Doc::license().payload().into_bytes();
    let header = vendor().header("lic+jwt");
    let token = Doc::license().sign();
    let (signed, _) = token.rsplit_once('.').expect("a signature");
    let signature = vendor().sign(signed.as_bytes());
    let mut dice = Dice(1);
    let mut cases = Vec::new();
    for _ in 0..16 {
        let (byte, bit) = (dice.below(payload.len()), dice.below(8));
        let mut bent = payload.clone();
        bent[byte] ^= 1 << bit;
        let token = format!("{}.{}.{}", b64(&header), b64(bent), b64(signature));
        let name = format!("payload byte {byte}, bit {bit} flipped");
        cases.push(Case::verify(name, token).fails("bad_signature"));
        let (byte, bit) = (dice.below(64), dice.below(8));
        let mut bent = signature;
        bent[byte] ^= 1 << bit;
        let name = format!("signature byte {byte}, bit {bit} flipped");
        cases.push(Case::verify(name, format!("{signed}.{}", b64(bent))).fails("bad_signature"));
    }
    cases
}
