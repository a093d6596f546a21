//! `inspect`: what a file says, and whether anybody signed it.

use crate::args::product_code;
use crate::facts;
use crate::input::{self, DOCUMENT_BYTES};
use crate::keys;
use crate::machine;
use crate::output::{Answer, BAD, Fields, GOOD, LOOK, Outcome, pretty, rows, show};
use crate::product_file::told;
use crate::secrecy::PRIVATE;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::builder::NonEmptyStringValueParser;
use licentia::issue::{Request, check_document, is_request, read_request, unpack_request};
use licentia::machine::Report;
use licentia::peek::{Unverified, peek};
use licentia::{Code, Error, KeySet, Kind, Product, Result, issue, rfc3339};
use serde_json::Value;

/// Show what is in a license, another signed document, a request or a machine report
///
/// With --keys, the signature is checked, and a license is shown even if it has ended or is for
/// another machine. Without, everything is shown as what it is: a claim that anybody can write.
/// A product file brings its own keys, and is shown with the one that signed it. A request is
/// signed with a key of the installation's own, which is checked; a report is not signed. All that
/// is in them is shown.
#[derive(clap::Args)]
pub struct Args {
    /// Check the signature with these keys: a file or the text, in any form; repeatable, a signed
    /// set after its root
    #[arg(long, value_name = "KEYS", value_parser = NonEmptyStringValueParser::new())]
    keys: Vec<String>,
    /// Refuse it unless it is for this product [default: whichever it is for]
    #[arg(long, value_name = "CODE", value_parser = product_code, requires = "keys")]
    product: Option<String>,
    /// The document, in any form
    #[arg(value_name = "FILE")]
    file: String,
}

/// Shows a document.
pub fn run(args: &Args) -> Outcome {
    input::one_stdin(args.keys.iter().chain([&args.file]).map(String::as_str))?;
    let data = input::document(&args.file, DOCUMENT_BYTES)?;
    let start = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&data).trim_ascii_start();
    if std::str::from_utf8(start).is_ok_and(is_key) {
        let what = "it is a key: `licentia key show` shows it";
        return Err(Error::new(Code::WrongKind, what).into());
    }
    if start.starts_with(b"{") {
        return Ok(report(&data)?);
    }
    if is_request(&data) {
        return Ok(request(&data)?);
    }
    let seen = peek(&data)?;
    if args.keys.is_empty() {
        return Ok(match seen.kind {
            Some(Kind::Product) => own_word(&data, &seen),
            _ => unverified(&seen),
        });
    }
    let product = keys::product(&args.code(&seen)?, &args.keys)?;
    match seen.kind {
        Some(Kind::KeySet) => Ok(key_set(product, &data, &seen)?),
        Some(Kind::Sync | Kind::Revocations | Kind::Lease | Kind::Clock) => {
            let kind = check_document(&product, &data)?;
            Ok(checked(kind, &format!("a {} that a trusted key signed", kind.name()), &seen))
        }
        Some(Kind::Product) => {
            check_document(&product, &data)?;
            let said = format!("{GOOD}signature checked{GOOD:#}: a product file");
            let said = format!("{said} that a trusted root key signed");
            Ok(product_file(&data, "good", &said)?)
        }
        _ => Ok(license(&product, &data)?),
    }
}

impl Args {
    /// The product to hold it to. One that it names itself proves nothing, and is not meant to.
    fn code(&self, seen: &Unverified) -> Result<String> {
        if let Some(code) = &self.product {
            return Ok(code.clone());
        }
        let payload = value(&seen.payload);
        let code = payload["aud"].as_str().and_then(|code| product_code(code).ok());
        code.ok_or_else(|| Error::new(Code::Malformed, "it does not name the product it is for"))
    }
}

fn is_key(text: &str) -> bool {
    text.contains(PRIVATE) || KeySet::parse(text).is_ok()
}

fn value(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_default()
}

fn report(data: &[u8]) -> Result<Answer> {
    let text = String::from_utf8_lossy(data);
    let report = Report::from_json(text.trim_start_matches('\u{feff}')).map_err(|error| {
        let what = format!("it is JSON, but no machine report: {}", error.detail());
        Error::new(error.code(), what)
    })?;
    let fields = Fields::default().with("kind", "machine report").with("signature", "none");
    let json = value(&report.to_json());
    let text = format!("a machine report (reports are not signed)\n{}", machine::table(&report));
    Ok(Answer { fields: fields.with("report", json), text, notes: Vec::new() })
}

/// A request, whole: what leaves the customer's machine is for the customer to see.
fn request(data: &[u8]) -> Result<Answer> {
    let json = value(&unpack_request(data)?);
    let (signature, said, told) = match read_request(data) {
        Ok(request) => {
            let (signature, said) = match &request.signer {
                Some(_) => ("good", "a request that its installation signed"),
                None => ("none", "a request that nobody signed"),
            };
            (signature, said, rows(&summary(&request)))
        }
        // What it holds can be seen, if not answered.
        Err(error) if error.code() == Code::TooNew => {
            ("not checked", "a request", format!("{}\n", show(error.detail())))
        }
        Err(error) => return Err(error),
    };
    let text = format!("{said}\n{told}\nall that is in it:\n{}\n", pretty(&json));
    let fields = Fields::default().with("kind", "request").with("signature", signature);
    Ok(Answer { fields: fields.with("request", json), text, notes: Vec::new() })
}

fn summary(request: &Request) -> Vec<(&'static str, String)> {
    let machine = match &request.machine {
        None => "not told".to_string(),
        Some(report) => report.id().unwrap_or("nothing that binds").to_string(),
    };
    let license = request.license.as_ref().map_or("none", |license| &license.id);
    let mut rows = vec![
        ("Asks for", show(&request.what)),
        ("Product", show(&request.product)),
        ("Installation", show(&request.installation)),
        ("Machine", machine),
        ("License", show(license)),
        ("Written", format!("{}, by {}", rfc3339(request.at), show(&request.sdk))),
    ];
    if let Some(seat) = &request.seat {
        let days = seat.days.map_or(String::new(), |days| format!(", for {days} days"));
        rows.push(("Seat of", format!("{}{days}", show(&seat.holder))));
    }
    if let Some(signer) = &request.signer {
        rows.push(("Signed by", signer.kid().to_string()));
    }
    rows
}

fn unverified(seen: &Unverified) -> Answer {
    let kind = seen.kind.map_or("document of an unknown kind", Kind::name);
    let (header, payload) = (value(&seen.header), value(&seen.payload));
    let text = format!(
        "{LOOK}UNVERIFIED{LOOK:#}: signature not checked. What follows calls itself a {kind};\n\
         anybody can write that. Check it with --keys.\n\nheader {}\n\npayload {}\n",
        pretty(&header),
        pretty(&payload)
    );
    let fields = Fields::default()
        .with("kind", kind)
        .with("signature", "not checked")
        .with("header", header)
        .with("payload", payload);
    Answer { fields, text, notes: Vec::new() }
}

/// A product file brings its keys along: by itself, its signature says that nobody altered it
/// since, and nothing of whose it is.
fn own_word(data: &[u8], seen: &Unverified) -> Answer {
    let said = format!(
        "{LOOK}signed by a key of its own{LOOK:#}: a product file that nobody altered since, and\n\
         that anybody may have made. Compare the key with the vendor's, or check it with --keys."
    );
    product_file(data, "self", &said).unwrap_or_else(|error| {
        let refused =
            format!("{BAD}refused{BAD:#}: {} ({})", show(&error.to_string()), error.slug());
        Answer { notes: vec![refused], ..unverified(seen) }
    })
}

fn product_file(data: &[u8], signature: &str, said: &str) -> Result<Answer> {
    let file = Product::from_file(data)?;
    let mut fields =
        Fields::default().with("kind", Kind::Product.name()).with("signature", signature);
    let (members, text) = told(&file);
    fields.append(members);
    let mut text = format!("{said}\n{text}");
    if let Some(at) = file.product().fixed_clock() {
        let clock = rfc3339(at);
        text += &format!("\n{LOOK}for tests only{LOOK:#}: its clock stands at {clock}\n");
    }
    Ok(Answer { fields, text, notes: Vec::new() })
}

fn key_set(mut product: Product, data: &[u8], seen: &Unverified) -> Result<Answer> {
    let text = String::from_utf8_lossy(data);
    product.trust(&text)?;
    Ok(checked(Kind::KeySet, "a key set that a trusted root key signed", seen))
}

fn checked(kind: Kind, what: &str, seen: &Unverified) -> Answer {
    let payload = value(&seen.payload);
    let mut text = format!("{GOOD}signature checked{GOOD:#}: {what}\n\n{}\n", pretty(&payload));
    let mut fields = Fields::default().with("kind", kind.name()).with("signature", "good");
    if kind == Kind::Revocations {
        let ids = withdrawn(&payload);
        text += &format!("\nlicenses withdrawn: {}\n", ids.len());
        text.extend(ids.iter().map(|id| format!("  {id}\n")));
        fields = fields.with("licenses", ids);
    }
    Answer { fields: fields.with("payload", payload), text, notes: Vec::new() }
}

/// The ids in a list that was checked, as they are in licenses.
fn withdrawn(payload: &Value) -> Vec<String> {
    let texts = payload["ids"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let bytes: Vec<u8> =
        texts.filter_map(|text| URL_SAFE_NO_PAD.decode(text).ok()).flatten().collect();
    let uuid = |id: &[u8; 16]| {
        let hex: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        let ends = [0..8, 8..12, 12..16, 16..20, 20..32];
        ends.map(|range| &hex[range]).join("-")
    };
    bytes.as_chunks().0.iter().map(uuid).collect()
}

fn license(product: &Product, data: &[u8]) -> Result<Answer> {
    let license = product.inspect(data)?;
    let (verdict, said) = match product.verify(data) {
        Ok(_) => ("ok", format!("{GOOD}valid{GOOD:#}, here and now")),
        Err(error) => {
            let said = show(&error.to_string());
            (error.slug(), format!("{BAD}refused here and now{BAD:#}: {said} ({})", error.slug()))
        }
    };
    let now = issue::now();
    let text = format!(
        "{GOOD}signature checked{GOOD:#}: a license that a trusted key signed\n{said}\n{}",
        facts::text(product, &license, now)
    );
    let mut fields = Fields::default()
        .with("kind", Kind::License.name())
        .with("signature", "good")
        .with("verdict", verdict);
    fields.append(facts::fields(product, &license, now));
    Ok(Answer { fields, text, notes: Vec::new() })
}
