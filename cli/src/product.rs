//! Which product is asked about, how it is set up, and where its installation keeps its state.

use crate::args::{pair, product_code};
use crate::input;
use crate::keys;
use crate::machine::MachineArgs;
use crate::output::{Failure, LOOK, Told, show};
use crate::secrecy::{may_be_key, told, told_path};
use clap::builder::NonEmptyStringValueParser;
use licentia::{Code, Error, Installation, Product, Result, SETTINGS, SITE_SETTINGS, Setting};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The product that a command is about.
#[derive(clap::Args)]
pub struct ProductArgs {
    /// The keys that are trusted: a file or the text, in any form; repeatable, a signed set after
    /// its root
    #[arg(long, required = true, value_name = "KEYS")]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    pub keys: Vec<String>,
    /// The product that asks
    #[arg(long, value_name = "CODE", value_parser = product_code)]
    pub product: String,
    #[command(flatten)]
    pub machine: MachineArgs,
    /// A setting of the product, as in docs/settings.md; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    pub set: Vec<(String, String)>,
}

/// The installation that a command is about.
#[derive(clap::Args)]
pub struct InstallationArgs {
    /// The folder in which the product keeps its licenses and its use
    #[arg(long, value_name = "DIR")]
    pub dir: PathBuf,
    #[command(flatten)]
    pub product: ProductArgs,
}

/// Settings whose value is the name of a file or a variable, and is told.
const NAMES: &[&str] =
    &["license_file", "license_env", "machine_file", "machine_root", "server_ca"];

impl ProductArgs {
    /// The product, set up with those of the settings that are its own.
    pub fn product(&self, is_own: impl Fn(&str) -> bool) -> Result<Product> {
        let mut product = keys::product(&self.product, &self.keys)?;
        if let Some(identity) = self.machine.identity(&self.product)? {
            product.set("machine", &identity)?;
        }
        if let Some(root) = self.machine.root()? {
            let utf8 = || Error::new(Code::InvalidArgument, "--machine-root is not UTF-8");
            product.set("machine_root", root.to_str().ok_or_else(utf8)?)?;
        }
        let kinds: Vec<&str> = self.machine.exclude.iter().map(|kind| kind.word()).collect();
        product.set("machine_exclude", &kinds.join(","))?;
        for (name, value) in self.set.iter().filter(|(name, _)| is_own(name)) {
            if may_be_key(name) {
                return Err(Error::new(Code::InvalidArgument, "there is no setting of that name"));
            }
            if NAMES.contains(&name.as_str()) && is_hidden(value) {
                return Err(no_name(name, value));
            }
            product.set(name, value)?;
        }
        Ok(product)
    }

    /// What may be standard input.
    pub fn inputs(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().chain(&self.machine.machine).map(String::as_str)
    }
}

impl InstallationArgs {
    /// Does something that may change the installation.
    pub fn write<T>(&self, work: impl FnOnce(&Installation) -> Result<T>) -> Told<T> {
        self.connected(|_| Ok(()), work)
    }

    /// Does something with the vendor's server, which `set` may say more of.
    pub fn connected<T>(
        &self,
        set: impl FnOnce(&mut Installation) -> Result<()>,
        work: impl FnOnce(&Installation) -> Result<T>,
    ) -> Told<T> {
        let work = || {
            let mut installation = self.open(|product| product.open(&self.dir))?;
            set(&mut installation)?;
            work(&installation)
        };
        work().map_err(|error| self.failure(error))
    }

    /// Asks the installation something. Nothing in its folder is changed or made.
    pub fn read<T>(&self, work: impl FnOnce(&Installation) -> Result<T>) -> Told<T> {
        let work = || work(&self.open(|product| product.open_to_read(&self.dir))?);
        work().map_err(|error| self.failure(error))
    }

    fn open(&self, open: impl FnOnce(&Product) -> Result<Installation>) -> Result<Installation> {
        input::one_stdin(self.product.inputs())?;
        let folder = self.dir.to_string_lossy();
        if is_hidden(&folder) {
            let what = format!("{} is no folder", told(&folder));
            return Err(Error::new(Code::StateUnavailable, what));
        }
        let product =
            self.product.product(|name| is(SETTINGS, name) && !is(SITE_SETTINGS, name))?;
        self.check_names(&product)?;
        let mut installation = open(&product)?;
        for (name, value) in self.product.set.iter().filter(|(name, _)| is(SITE_SETTINGS, name)) {
            if NAMES.contains(&name.as_str()) && is_hidden(value) {
                return Err(no_name(name, value));
            }
            installation.set(name, value)?;
        }
        Ok(installation)
    }

    /// Fails for a setting that neither a product nor an installation has. Of the two errors, the
    /// one that knows what may have been meant says more.
    fn check_names(&self, product: &Product) -> Result<()> {
        let known = |name: &str| is(SETTINGS, name) || is(SITE_SETTINGS, name);
        let Some((name, value)) = self.product.set.iter().find(|(name, _)| !known(name)) else {
            return Ok(());
        };
        if may_be_key(name) {
            return Err(Error::new(Code::InvalidArgument, "there is no setting of that name"));
        }
        let errors =
            [product.clone().set(name, value), product.open_to_read(&self.dir)?.set(name, value)];
        let error = errors.into_iter().filter_map(Result::err).max_by_key(|it| it.detail().len());
        error.map_or(Ok(()), Err)
    }

    /// The options that name this installation, as they were given, each with its value.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut add = |option: &str, value: &str| {
            words.push(format!("{option} {}", quoted(value)));
        };
        add("--dir", &told_path(&self.dir));
        let product = &self.product;
        // Public keys may be told. What else is as long as a key may be one.
        let given = |keys: &str| keys.starts_with("ed25519:") || !is_hidden(keys);
        for keys in &product.keys {
            add("--keys", if given(keys) { keys } else { "KEYS" });
        }
        add("--product", &product.product);
        let machine = &product.machine;
        if let Some(file) = &machine.machine {
            add("--machine", &told(file));
        }
        if let Some(root) = &machine.machine_root {
            add("--machine-root", &told_path(root));
        }
        let exclude: Vec<&str> = machine.exclude.iter().map(|kind| kind.word()).collect();
        if !exclude.is_empty() {
            add("--exclude", &exclude.join(","));
        }
        for (name, value) in &product.set {
            // A proxy may have a password.
            let is_told = !may_be_key(value) && !value.contains('@');
            let value = if is_told { value } else { "VALUE" };
            add("--set", &format!("{name}={value}"));
        }
        words
    }

    /// Whether nothing was said of what the product itself sets.
    pub fn has_no_terms(&self) -> bool {
        let own = |name: &str| is(SETTINGS, name) && !is(SITE_SETTINGS, name) && name != "clock";
        !self.product.machine.are_given() && !self.product.set.iter().any(|(name, _)| own(name))
    }

    /// An error, and how to make a folder that is not there.
    fn failure(&self, error: Error) -> Failure {
        let missing = error.code() == Code::StateUnavailable;
        let how = self.how_to_make().filter(|_| missing);
        let notes = how.map(|how| format!("{LOOK}note:{LOOK:#} {how}"));
        Failure { notes: notes.into_iter().collect(), ..Failure::from(error) }
    }

    /// How to make the folder, if it is not there.
    pub fn how_to_make(&self) -> Option<String> {
        let missing = self.dir.symlink_metadata().is_err_and(|e| e.kind() == ErrorKind::NotFound);
        let folder = show(&told_path(&self.dir));
        let mkdir = format!("`mkdir {}`", quoted(&folder));
        missing.then(|| format!("make it as the user that the product runs as: {mkdir}"))
    }
}

/// Whether a setting is one of these. One that both have is the installation's.
fn is(settings: &[Setting], name: &str) -> bool {
    settings.iter().any(|setting| setting.name == name)
}

/// Whether an argument is not told, because it may be a key.
fn is_hidden(argument: &str) -> bool {
    may_be_key(argument) && Path::new(argument).symlink_metadata().is_err()
}

/// A word of a command line.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-+@%:,=".contains(c);
    if word.chars().all(plain) {
        word.to_string()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// What a setting names is not there, and is not told.
fn no_name(setting: &str, value: &str) -> Error {
    Error::new(Code::InvalidArgument, format!("the setting {setting}: {}", told(value)))
}
