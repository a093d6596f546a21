//! The worked example of docs/format.md, section 7, is what the code does.
//! `LICENTIA_BLESS=1 cargo test -p licentia --test example` rewrites it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use licentia::{Kind, Product, SecretKey, issue};
use std::{env, fs, path::Path};

/// RFC 8037, appendix A.1, `d`.
const SEED: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
    0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];

const PAYLOAD: &str = concat!(
    r#"{"iss":"https://licenses.acme.example","aud":"myapp","jti":"1","iat":1763769600,"#,
    r#""license":{"id":"7c9e6679-7425-40de-944b-e07fc1f90ae7","type":"subscription","#,
    r#""valid_from":1763769600,"valid_until":1766361600,"#,
    r#""features":[{"id":"reports"},{"id":"exports","meter":"count","per":"month","max":500}]}}"#,
);

fn section(key: &SecretKey, token: &str) -> String {
    let [header, payload, signature]: [&str; 3] =
        token.split('.').collect::<Vec<_>>().try_into().unwrap();
    let blob = STANDARD.encode(token);
    let public = key.public();
    let short = public.to_short();
    let x = short.trim_start_matches("ed25519:");
    let thumbprint = format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#);
    let header_json =
        format!(r#"{{"alg":"EdDSA","kid":"{}","typ":"{}"}}"#, public.kid(), Kind::License.typ());
    format!(
        "The private key's seed (`d`): `nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A`  \n\
         The public key: `{}`  \n\
         The text whose SHA-256 is the `kid`: `{thumbprint}`\n\n\
         The header, {} bytes:\n\n```\n{header_json}\n```\n\n\
         The payload, {} bytes:\n\n```\n{PAYLOAD}\n```\n\n\
         In base64url, the header is\n\n```\n{header}\n```\n\n\
         and the payload\n\n```\n{payload}\n```\n\n\
         What is signed is these two with a `.` between them, {} bytes. The signature in \
         base64url:\n\n```\n{signature}\n```\n\n\
         The license is the three with `.` between them, {} bytes:\n\n```\n{token}\n```\n\n\
         The same as a blob:\n\n```\n{blob}\n```\n",
        short,
        header_json.len(),
        PAYLOAD.len(),
        header.len() + 1 + payload.len(),
        token.len(),
    )
}

#[test]
fn the_documented_example_is_what_the_code_does() {
    let key = SecretKey::from_seed(&SEED).unwrap();
    let token = issue::sign_bytes(&key, Kind::License, PAYLOAD.as_bytes());
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/format.md");
    let page = fs::read_to_string(&path).unwrap();
    const OPEN: &str = "<!-- example: written by core/tests/example.rs -->\n";
    const CLOSE: &str = "<!-- /example -->";
    let (before, rest) = page.split_once(OPEN).unwrap();
    let (_, after) = rest.split_once(CLOSE).unwrap();
    let wanted = format!("{before}{OPEN}\n{}\n{CLOSE}{after}", section(&key, &token));
    if env::var_os("LICENTIA_BLESS").is_some() && page != wanted {
        fs::write(&path, &wanted).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap() == wanted, "docs/format.md, section 7 is stale");

    let mut product = Product::new("myapp", &key.public().to_short()).unwrap();
    product.set("clock", "1763769600").unwrap();
    for coat in [token.clone(), STANDARD.encode(&token)] {
        let license = product.verify(coat.as_bytes()).unwrap();
        assert_eq!(license.json(), PAYLOAD);
        assert_eq!((license.allows("reports"), license.limit("exports")), (true, 500));
    }
}

#[test]
fn the_full_example_is_a_license() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/format.md"))
        .unwrap();
    let (_, rest) = page.split_once("### 3.8").unwrap();
    let (_, rest) = rest.split_once("```json\n").unwrap();
    let (payload, _) = rest.split_once("```").unwrap();
    let key = SecretKey::from_seed(&SEED).unwrap();
    let token = issue::sign_bytes(&key, Kind::License, payload.as_bytes());
    let mut product = Product::new("myapp", &key.public().to_short()).unwrap();
    product.set("clock", "1763769600").unwrap();
    let license = product.inspect(token.as_bytes()).unwrap();
    assert_eq!(license.serial(), "LIC-MYAPP-A1B2C3D4");
    let written = serde_json::to_value(license.claims()).unwrap();
    let signed: serde_json::Value = serde_json::from_str(payload).unwrap();
    assert_eq!(written, signed, "a documented member has no place in the types");
}
