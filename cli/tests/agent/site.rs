//! A vendor, and the folder of a site with a product file, where an agent can be started.

use licentia::issue::{self, ProductTerms};
use licentia::{KeySet, SecretKey};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// The token of the administrator.
pub const TOKEN: &str = "a token of the administrator";
/// The variable it is in.
pub const VARIABLE: &str = "AGENT_TEST_TOKEN";

/// The administrator's token, as every configuration here has it.
pub const ADMINISTRATOR: &str = r#"
[[tokens]]
name = "root"
kind = "person"
rights = "administrator"
env = "AGENT_TEST_TOKEN"
"#;

pub struct Site {
    folder: TempDir,
    pub key: SecretKey,
}

impl Site {
    /// With `product.lic`, which lets the product work without a license for 30 days.
    pub fn new() -> Site {
        let site =
            Site { folder: tempfile::tempdir().unwrap(), key: SecretKey::generate().unwrap() };
        let product = site.product(&[("grace_days", "30"), ("vendor", "Acme")]);
        site.write("product.lic", product);
        site
    }

    /// A product file.
    pub fn product(&self, settings: &[(&str, &str)]) -> String {
        self.product_of("myapp", settings)
    }

    /// A product file of another product.
    pub fn product_of(&self, code: &str, settings: &[(&str, &str)]) -> String {
        let settings = settings.iter().map(|(name, value)| (name.to_string(), value.to_string()));
        let keys = KeySet::parse(&self.key.public().to_short()).unwrap();
        let settings: BTreeMap<_, _> = settings.collect();
        let terms = ProductTerms { code: code.into(), name: None, keys, settings };
        issue::sign_product_file(&self.key, "acme", issue::now(), &terms).unwrap()
    }

    /// A license without an end.
    pub fn license(&self) -> String {
        let claims = issue::draft("acme", "myapp", issue::now()).unwrap();
        issue::sign(&self.key, &claims).unwrap()
    }

    /// The name of the key.
    pub fn kid(&self) -> String {
        self.key.public().kid().to_string()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    /// Writes `agent.toml`: any port, the product file, the administrator, and what is given.
    /// Keys of the whole file go first: they are `top`.
    pub fn configure(&self, top: &str, tables: &str) {
        let text = format!(
            "listen = \"127.0.0.1:0\"\nproduct_file = \"product.lic\"\n\
             {top}\n{ADMINISTRATOR}\n{tables}"
        );
        self.write("agent.toml", text);
    }

    /// The agent with these arguments, unstarted, in another folder than that of the site.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_licentia"));
        command.current_dir("/").stdin(Stdio::null()).env(VARIABLE, TOKEN).arg("agent");
        command.arg("--config").arg(self.path("agent.toml")).args(args);
        command
    }

    /// Runs it until it ends.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// What it says against its configuration, with the exit status.
    pub fn refusal(&self, args: &[&str]) -> (i32, String) {
        let output = self.run(&[&["--check"], args].concat());
        assert!(output.stdout.is_empty(), "{output:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(text.matches("error: ").count(), 1, "{text}");
        (output.status.code().unwrap(), text)
    }
}
