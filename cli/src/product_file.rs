//! `product`: describe a product in a file, and sign it.

use crate::args::{ISSUER, pair, product_code};
use crate::input::{self, Present};
use crate::key::{default_issuer, deliver};
use crate::keys;
use crate::output::{Fields, LOOK, Outcome, rows, show};
use crate::product_draft as draft;
use clap::Subcommand;
use clap::builder::NonEmptyStringValueParser;
use licentia::issue::sign_product_file;
use licentia::{Code, Error, Product, ProductFile, TrustedKey, issue, rfc3339};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Describe a product in a file that you sign, for a program that serves it, such as an agent
#[derive(Subcommand)]
pub enum Command {
    New(NewArgs),
    Sign(SignArgs),
}

impl Command {
    pub fn run(self) -> Outcome {
        match self {
            Command::New(args) => new(&args),
            Command::Sign(args) => sign(&args),
        }
    }
}

/// Start the draft of a product file: every setting there is, with what it does
///
/// A draft is TOML, to be edited and then signed by `licentia product sign`.
#[derive(clap::Args)]
pub struct NewArgs {
    /// The product it describes
    #[arg(long, value_name = "CODE", value_parser = product_code)]
    product: String,
    /// What people call the product
    #[arg(long, value_name = "TEXT", value_parser = NonEmptyStringValueParser::new())]
    name: Option<String>,
    /// The keys that the product trusts: a file or the text, in any form; repeatable
    #[arg(long, required = true, value_name = "KEYS")]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    keys: Vec<String>,
    /// A setting of the product, as in docs/settings.md; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    set: Vec<(String, String)>,
    /// Write the draft to a new file; - is standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

fn new(args: &NewArgs) -> Outcome {
    input::one_stdin(args.keys.iter().map(String::as_str))?;
    let text = draft::start(&args.product, args.name.as_deref(), &args.keys, &args.set)?;
    let fields = Fields::default().with("product", args.product.as_str());
    let fields = fields.with("draft", text.as_str());
    deliver(text.trim_end(), args.out.as_deref(), Present::KeepAlways, fields)
}

/// Sign a product file, from a draft
///
/// The key is one of those in the draft, with the role `root`: keep it where no server has it, or
/// whoever breaks into the server changes your terms. The program that is given the file follows
/// it; a newer file takes the place of an older one wherever it is put.
#[derive(clap::Args)]
pub struct SignArgs {
    /// The private key that signs it
    #[arg(long, value_name = "FILE", value_parser = NonEmptyStringValueParser::new())]
    key: String,
    /// Who signs it, a URL or a name [default: the key's RFC 9278 name]
    #[arg(long, env = ISSUER, value_name = "TEXT")]
    issuer: Option<String>,
    /// Sign it even if it sets `clock` or `machine`: with it no license ends, or all machines are
    /// the same
    #[arg(long)]
    allow_test: bool,
    /// Write it to a new file; - is standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write over the file if it is there
    #[arg(long, requires = "out")]
    force: bool,
    /// The draft, as `licentia product new` writes one
    #[arg(value_name = "DRAFT", value_parser = NonEmptyStringValueParser::new())]
    draft: String,
}

fn sign(args: &SignArgs) -> Outcome {
    input::one_stdin([args.key.as_str(), args.draft.as_str()])?;
    let terms = draft::read(&args.draft)?;
    let for_tests = draft::for_tests(&terms).join(" and ");
    if !for_tests.is_empty() && !args.allow_test {
        let what = format!("the draft sets {for_tests}, which is for tests: see --allow-test");
        return Err(Error::new(Code::InvalidArgument, what).into());
    }
    let key = keys::secret(&args.key)?;
    let issuer = args.issuer.clone().unwrap_or_else(|| default_issuer(key.public()));
    let signed = sign_product_file(&key, &issuer, issue::now(), &terms)?;
    let file = Product::from_file(signed.as_bytes())?;
    let mut fields = Fields::default().with("product_file", signed.as_str());
    fields.append(members(&file));
    let present = Present::forced(args.force);
    let mut answer = deliver(&signed, args.out.as_deref(), present, fields)?;
    let told = format!("product {}, signed by the key {}", show(&terms.code), file.key_id());
    answer.notes.insert(0, told);
    if !for_tests.is_empty() {
        let note = format!("{LOOK}note:{LOOK:#} it sets {for_tests}: never give it to a customer");
        answer.notes.insert(1, note);
    }
    Ok(answer)
}

/// What a product file says, for `inspect`.
pub fn told(file: &ProductFile) -> (Fields, String) {
    let mut lines = vec![("Product", show(file.product().code()))];
    lines.extend(file.name().map(|name| ("Name", show(name))));
    lines.push(("Issued by", show(file.issuer())));
    lines.push(("Key", file.key_id().to_string()));
    lines.push(("Signed", rfc3339(file.issued_at())));
    lines.push(("Id", show(file.id())));
    for key in file.keys() {
        lines.push(("Trusts", format!("{} ({})", key.key().kid(), told_key(key))));
    }
    for (name, value) in file.settings() {
        lines.push(("Sets", format!("{name} = {}", show(value))));
    }
    (members(file), rows(&lines))
}

fn told_key(key: &TrustedKey) -> String {
    let roles: Vec<&str> = key.roles().iter().map(|role| role.word()).collect();
    let roles = if roles.is_empty() { "no role".to_string() } else { roles.join(", ") };
    format!("{roles}; {}", key.state().word())
}

fn members(file: &ProductFile) -> Fields {
    let settings = file.settings().map(|(name, value)| (name.to_string(), value.into()));
    let settings: Map<String, Value> = settings.collect();
    let keys = file.keys().iter().map(|key| {
        let roles: Vec<&str> = key.roles().iter().map(|role| role.word()).collect();
        json!({ "kid": key.key().kid(), "roles": roles, "state": key.state().word() })
    });
    Fields::default()
        .with("product", file.product().code())
        .with("name", file.name())
        .with("issuer", file.issuer())
        .with("kid", file.key_id())
        .with("issued_at", file.issued_at())
        .with("id", file.id())
        .with("keys", keys.collect::<Vec<_>>())
        .with("settings", settings)
}
