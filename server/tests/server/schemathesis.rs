//! The server keeps to its OpenAPI document, whatever it is sent: schemathesis makes the requests.

use crate::matrix::Kit;
use crate::support::Site;
use crate::support::dice::{seed, times};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Requests to each operation, by default; with `LICENTIA_SOAK` this many times as many.
const EXAMPLES: usize = 4;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The document without a header that takes any text: whatever is tried, it is no wrong one.
fn document(folder: &Path) -> PathBuf {
    let mut document: Value = serde_json::from_str(include_str!("../../openapi.json")).unwrap();
    for operations in document["paths"].as_object_mut().unwrap().values_mut() {
        for operation in operations.as_object_mut().unwrap().values_mut() {
            let parameters = operation["parameters"].as_array_mut().unwrap();
            parameters.retain(|it| it["name"] != "Idempotency-Key");
        }
    }
    let path = folder.join("openapi.json");
    std::fs::write(&path, document.to_string()).unwrap();
    path
}

both! {
    fn the_server_keeps_to_its_document(site: &Site) {
        let program = root().join(".venv/bin/st");
        if !program.exists() {
            println!("skipped: schemathesis (no {}: make python)", program.display());
            return;
        }
        // Something of everything is there to be found.
        Kit::new(site, site.organization, &site.admin(), "myapp");
        let folder = tempfile::tempdir().unwrap();
        let key = site.api_key(site.organization, "admin operator");
        let mut command = Command::new(program);
        command
            .current_dir(folder.path())
            .arg("--config-file")
            .arg(root().join("tests/schemathesis-server.toml"))
            .arg("run")
            .arg(document(folder.path()))
            .args(["--url", &format!("http://{}", site.address)])
            .args(["--checks", "all", "--no-shrink", "--warnings", "off"])
            .args(["--seed", &seed().to_string(), "--max-examples", &times(EXAMPLES).to_string()])
            .args(["--header", &format!("Authorization: Bearer {key}")]);
        let run = command.output().unwrap();
        let told = String::from_utf8_lossy(&run.stdout);
        let well = run.status.success() && told.contains("passed");
        assert!(well, "{}\n{told}{}", run.status, String::from_utf8_lossy(&run.stderr));
    }
}
