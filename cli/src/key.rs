//! `key`: make keys, show their public half, sign key sets.

use crate::args::{ISSUER, product_code, whole};
use crate::input::{self, Present, STDOUT};
use crate::keys::{self, Public};
use crate::output::{Answer, Failure, Fields, Outcome, rows};
use crate::secrecy::told_path;
use clap::builder::NonEmptyStringValueParser;
use clap::{ArgGroup, Subcommand, ValueEnum};
use licentia::json::INTEGER_MAX;
use licentia::{Code, Error, PublicKey, Result, Role, SecretKey, issue};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Make a key, show its public half, or sign a set of keys
#[derive(Subcommand)]
pub enum Command {
    New(NewArgs),
    Show(ShowArgs),
    SignSet(SignSetArgs),
}

impl Command {
    pub fn run(self) -> Outcome {
        match self {
            Command::New(args) => new(&args),
            Command::Show(args) => show(&args),
            Command::SignSet(args) => sign_set(&args),
        }
    }
}

/// Make a key pair: a private key to sign with, and a public one to ship
///
/// Writes NAME.pem, the private key (PKCS#8, readable by its owner only), and NAME.jwks, the
/// public key set that goes into the product. Never writes over a file.
#[derive(clap::Args)]
pub struct NewArgs {
    /// The folder for the two files; made if it does not exist
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What to call the files
    #[arg(long, default_value = "key", value_parser = file_name)]
    name: String,
    /// What the public key set says the key may sign; repeatable [default: everything]
    #[arg(long, value_enum)]
    role: Vec<RoleWord>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RoleWord {
    Root,
    License,
    Server,
}

impl RoleWord {
    fn word(self) -> &'static str {
        match self {
            RoleWord::Root => Role::Root.word(),
            RoleWord::License => Role::License.word(),
            RoleWord::Server => Role::Server.word(),
        }
    }
}

fn file_name(text: &str) -> std::result::Result<String, String> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let plain = !text.starts_with(['.', '-']) && text.len() <= 64 && text.bytes().all(good);
    if plain && !text.is_empty() {
        Ok(text.to_string())
    } else {
        Err("a name is of letters, digits, -, _ and .".into())
    }
}

fn new(args: &NewArgs) -> Outcome {
    make_folder(&args.out)?;
    let private = args.out.join(format!("{}.pem", args.name));
    let public = args.out.join(format!("{}.jwks", args.name));
    for path in [&private, &public] {
        if path.symlink_metadata().is_ok() {
            let so = "a key is never written over: use another --name";
            return Err(input::exists(path, so).into());
        }
    }
    let key = SecretKey::generate()?;
    let set = jwks(key.public(), &args.role)?.to_string() + "\n";
    key.save(&private)?;
    if let Err(error) = input::write(&public, &set, Present::KeepAlways) {
        // It is ours, and half a pair would be in the way of the whole one.
        let _ = std::fs::remove_file(&private);
        return Err(error.into());
    }
    let (kid, short) = (key.public().kid(), key.public().to_short());
    let name = |path: &Path| crate::output::show(&path.display().to_string());
    let text = rows(&[
        ("Key", kid.to_string()),
        ("Public key", short.clone()),
        ("To ship", name(&public)),
        ("To keep secret", name(&private)),
    ]);
    let fields = Fields::default()
        .with("kid", kid)
        .with("public_key", short)
        .with("public_file", public.display().to_string())
        .with("private_file", private.display().to_string());
    Ok(Answer { fields, text, notes: Vec::new() })
}

fn jwks(key: &PublicKey, roles: &[RoleWord]) -> Result<Value> {
    let mut jwk = keys::jwk(key)?;
    if !roles.is_empty() {
        jwk["roles"] = roles.iter().map(|role| role.word()).collect();
    }
    Ok(json!({ "keys": [jwk] }))
}

fn make_folder(path: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| {
        let what = format!("the folder {}: {error}", told_path(path));
        Error::new(input::unwritten_code(&error), what)
    })
}

/// Show the public half of a key, in any form
///
/// The private half is never shown. Without a form, shows what there is to know about each key.
#[derive(clap::Args)]
#[command(group(ArgGroup::new("form").args(["pem", "jwks", "short", "c"])))]
pub struct ShowArgs {
    /// A private key, public keys in any form, or the text of public keys
    #[arg(value_name = "FILE")]
    key: String,
    /// PUBLIC KEY blocks, as OpenSSL reads them
    #[arg(long)]
    pem: bool,
    /// A JSON Web Key Set: the only form that carries roles, states and dates
    #[arg(long)]
    jwks: bool,
    /// ed25519:… and 43 characters
    #[arg(long)]
    short: bool,
    /// A string literal for a C or C++ program
    #[arg(long = "c")]
    c: bool,
}

fn show(args: &ShowArgs) -> Outcome {
    let public = keys::public(&args.key)?;
    let (name, text) = if args.pem {
        ("pem", pem(&public)?)
    } else if args.jwks {
        ("jwks", public.jwks.to_string() + "\n")
    } else if args.short {
        ("short", short(&public)? + "\n")
    } else if args.c {
        ("c", literal(&short(&public).unwrap_or_else(|_| public.jwks.to_string())) + "\n")
    } else {
        return Ok(all(&public));
    };
    let fields = Fields::default().with(name, text.trim_end());
    Ok(Answer { fields, text, notes: Vec::new() })
}

fn pem(public: &Public) -> Result<String> {
    plain(public)?;
    public.set.keys().iter().map(|trusted| trusted.key().to_pem()).collect()
}

fn short(public: &Public) -> Result<String> {
    plain(public)?;
    match public.set.keys() {
        [only] => Ok(only.key().to_short()),
        more => {
            let what = format!("the set has {} keys, and the short form one", more.len());
            Err(Error::new(Code::InvalidArgument, what))
        }
    }
}

/// A form that would lose a key's terms would trust it more than its vendor does.
fn plain(public: &Public) -> Result<()> {
    if public.has_terms() {
        let what = "the keys have roles, states or dates, which only --jwks carries";
        return Err(Error::new(Code::InvalidArgument, what));
    }
    Ok(())
}

fn all(public: &Public) -> Answer {
    let mut text = String::new();
    let mut list = Vec::new();
    for trusted in public.set.keys() {
        let key = trusted.key();
        if !text.is_empty() {
            text.push('\n');
        }
        let roles: Vec<&str> = trusted.roles().iter().map(|role| role.word()).collect();
        let state = format!("{:?}", trusted.state()).to_lowercase();
        text += &rows(&[
            ("Key", key.kid().to_string()),
            ("Public key", key.to_short()),
            ("May sign as", roles.join(", ")),
            ("State", state.clone()),
        ]);
        let short = key.to_short();
        list.push(json!({ "kid": key.kid(), "short": short, "roles": roles, "state": state }));
    }
    let fields = Fields::default().with("keys", list).with("jwks", public.jwks.clone());
    Answer { fields, text, notes: Vec::new() }
}

fn literal(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Sign a set of keys with a root key, to replace the keys of products that trust the root
///
/// A product that pins the root key takes the set, and every later one with a higher epoch.
#[derive(clap::Args)]
pub struct SignSetArgs {
    /// The root's private key
    #[arg(long, value_name = "FILE", value_parser = NonEmptyStringValueParser::new())]
    key: String,
    /// The product the set is for
    #[arg(long, value_name = "CODE", value_parser = product_code)]
    product: String,
    /// Higher than that of every set before it
    #[arg(long, value_name = "N", value_parser = whole::<u64>("a whole number", 1, INTEGER_MAX))]
    #[arg(allow_negative_numbers = true)]
    epoch: u64,
    /// The keys: a file or the text, in any form
    #[arg(long, value_name = "KEYS", value_parser = NonEmptyStringValueParser::new())]
    keys: String,
    /// Who signs it [default: the root key's RFC 9278 name]
    #[arg(long, env = ISSUER, value_name = "TEXT")]
    issuer: Option<String>,
    /// Write the set to a new file; - is standard output
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

fn sign_set(args: &SignSetArgs) -> Outcome {
    input::one_stdin([args.key.as_str(), args.keys.as_str()])?;
    let key = keys::secret(&args.key)?;
    let public = Public::parse(&keys::text(&args.keys)?)?;
    let issuer = args.issuer.clone().unwrap_or_else(|| default_issuer(key.public()));
    let payload = json!({
        "iss": issuer, "aud": args.product, "iat": issue::now(), "epoch": args.epoch,
        "keys": public.jwks["keys"],
    });
    let set = issue::sign_key_set(&key, &args.product, payload.to_string().as_bytes())?;
    let kids: Vec<&str> = public.set.keys().iter().map(|trusted| trusted.key().kid()).collect();
    let fields = Fields::default().with("epoch", args.epoch).with("kids", kids);
    deliver(&set, args.out.as_deref(), Present::KeepAlways, fields.with("key_set", set.as_str()))
}

/// The name of a key as a URI (RFC 9278): an issuer that is the same as long as the key is.
pub fn default_issuer(key: &PublicKey) -> String {
    format!("urn:ietf:params:oauth:jwk-thumbprint:sha-256:{}", key.kid())
}

/// Gives a signed document: to a file where one is named, else to standard output.
pub fn deliver(
    document: &str,
    out: Option<&Path>,
    present: Present,
    fields: Fields,
) -> std::result::Result<Answer, Failure> {
    let line = format!("{document}\n");
    let Some(path) = out.filter(|path| *path != Path::new(STDOUT)) else {
        return Ok(Answer { fields, text: line, notes: Vec::new() });
    };
    input::write(path, &line, present)?;
    let name = path.display().to_string();
    let notes = vec![format!("written to {}", crate::output::show(&name))];
    Ok(Answer { fields: fields.with("file", name), text: String::new(), notes })
}
