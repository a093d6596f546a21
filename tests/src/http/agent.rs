//! A site as the agent serves it.

use crate::document::Doc;
use crate::http::client::token;
use crate::http::golden::folder;
use crate::http::script;
use crate::http::sites::Site;
use crate::signer::vendor;
use crate::{paths, runners};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

/// The command that serves a site; `None` = it is not built, which is said.
///
/// # Panics
/// If its files cannot be written.
pub fn command(site: &Site) -> Option<Command> {
    let mut command = Command::new(runners::ready("cli")?.get_program());
    let home = paths::target().join("http/agents");
    fs::create_dir_all(&home).expect("a folder for agents");
    let (config, product) =
        (home.join(format!("{}.toml", site.name)), home.join(format!("{}.product", site.name)));
    fs::write(&config, configuration(site)).expect("a configuration");
    fs::write(&product, product_file(site)).expect("a product file");
    command.arg("agent").arg("--config").arg(config).arg("--product").arg(product);
    for kind in script::kinds() {
        command.env(variable(kind.name), token(kind.name));
    }
    Some(command)
}

/// A product file with the settings of a site's product.
fn product_file(site: &Site) -> String {
    let keys: Value = serde_json::from_str(&vendor().jwks("")).expect("a key set");
    Doc::license()
        .typ("lic-product+jwt")
        .cut("/license")
        .set("/product", json!({"keys": keys["keys"], "settings": site.set}))
        .sign()
}

fn configuration(site: &Site) -> String {
    let mut text = String::from("listen = \"127.0.0.1:0\"\n");
    let mut state = folder("agent", site);
    if site.files.is_none() {
        // It makes a folder that is not there, but not two.
        state.push("state");
    }
    let _ = writeln!(text, "state = {:?}", state.display().to_string());
    text.push_str("[site]\n");
    for (name, value) in &site.site {
        let _ = writeln!(text, "{name} = {value:?}");
    }
    for kind in script::kinds() {
        let Some(rights) = kind.rights else { continue };
        let words = ["read", "write", "delete"].into_iter().enumerate();
        let granted: Vec<&str> =
            words.filter(|(bit, _)| rights.bits() >> bit & 1 == 1).map(|(_, word)| word).collect();
        let sort = if rights.bits() & 256 == 0 { "person" } else { "service" };
        let _ = writeln!(
            text,
            "[[tokens]]\nname = {:?}\nkind = {sort:?}\nrights = {granted:?}\nenv = {:?}",
            kind.name,
            variable(kind.name)
        );
    }
    text
}

fn variable(who: &str) -> String {
    format!("TOKEN_{}", who.to_uppercase())
}
