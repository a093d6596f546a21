//! A customer with nothing but the command: an installation on a machine of the library, and texts
//! that somebody carries.

use crate::machine_support::Fixture;
use crate::running::Start;
use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// How a text goes from one side to the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// Printed, and pasted into standard input.
    Text,
    File,
    /// An image, and what a reader of QR codes makes of it.
    Qr,
}

/// A folder with the product's keys, a machine, and an installation.
pub struct Customer {
    pub folder: PathBuf,
}

impl Customer {
    pub fn new(folder: &Path, keys: &Value, machine: &str) -> Customer {
        std::fs::create_dir_all(folder.join("state")).unwrap();
        std::fs::write(folder.join("keys.jwks"), keys.to_string()).unwrap();
        Fixture::named(machine).lay_out(&folder.join("machine"));
        Customer { folder: folder.to_path_buf() }
    }

    /// A command about the installation.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = licentia();
        command.current_dir(&self.folder).args(words);
        command.args(["--dir", "state", "--keys", "keys.jwks", "--product", "myapp"]);
        command.args(["--machine-root", "machine"]);
        command
    }

    pub fn run(&self, words: &[&str], input: &[u8]) -> Output {
        finish(self.command(words), input)
    }

    /// What it says with `--json`.
    pub fn json(&self, words: &[&str], input: &[u8]) -> Value {
        told(&self.run(&[words, &["--json"]].concat(), input))
    }

    /// Asks for something, and gives what the vendor gets of it; `None` where a picture cannot
    /// hold it.
    pub fn ask(&self, by: Carrier, words: &[&str]) -> Option<String> {
        carried(by, &self.folder, |more| self.command(&[&["request"], words, more].concat()))
    }

    /// Applies a text.
    pub fn apply(&self, by: Carrier, text: &str) -> Value {
        match by {
            Carrier::File => {
                std::fs::write(self.folder.join("answer"), text).unwrap();
                self.json(&["apply", "answer"], b"")
            }
            _ => self.json(&["apply", "-"], text.as_bytes()),
        }
    }

    pub fn allows(&self) -> bool {
        self.json(&["status"], b"")["in_force"] == true
    }
}

/// The vendor's answer to a text, as the customer gets it; `None` where a picture cannot hold it.
pub fn redeem(place: &Start, by: Carrier, text: &str) -> Option<String> {
    let file = place.data.join("request");
    std::fs::write(&file, text).unwrap();
    carried(by, &place.data, |more| redeems(place, more, &file))
}

/// The vendor's command for a file.
pub fn redeems(place: &Start, more: &[&str], file: &Path) -> Command {
    let mut command = licentia();
    command.arg("redeem").args(more).arg(file);
    command.envs(place.licentia(&[]).get_envs().filter_map(|(name, it)| Some((name, it?))));
    match &place.database {
        Some(url) => command.args(["--database", url]),
        None => command.arg("--data").arg(&place.data),
    };
    command
}

/// What a command prints, by a way.
fn carried(by: Carrier, folder: &Path, run: impl Fn(&[&str]) -> Command) -> Option<String> {
    if by == Carrier::Text {
        return Some(text(&finish(run(&[]), b"")));
    }
    let name = if by == Carrier::Qr { "carried.png" } else { "carried.txt" };
    let path = folder.join(name);
    let _ = std::fs::remove_file(&path);
    let output = finish(run(&["--out", path.to_str().unwrap()]), b"");
    if by == Carrier::File {
        assert!(output.status.success(), "{output:?}");
        return Some(std::fs::read_to_string(path).unwrap());
    }
    let drawn = finish(run(&["--qr"]), b"");
    assert_eq!(drawn.status.code(), output.status.code(), "{drawn:?}");
    if output.status.success() {
        return Some(scan(&path));
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("a QR code holds 2953 characters") && said.contains("use a file"));
    assert!(!path.exists());
    None
}

/// What a reader makes of an image: `zbarimg` where it is installed.
fn scan(image: &Path) -> String {
    let words = ["--quiet", "--raw", "--oneshot"];
    if let Ok(output) = Command::new("zbarimg").args(words).arg(image).output() {
        return text(&output).trim_end().to_string();
    }
    let decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(image).unwrap()));
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let (side, row) = (info.width as usize, info.line_size);
    let bit = |x: usize, y: usize| pixels[y * row + x / 8] >> (7 - x % 8) & 1;
    // Half of the size: a module of the image is eight pixels wide.
    let pixel = |x: usize, y: usize| bit(2 * x, 2 * y) * 255;
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(side / 2, side / 2, pixel);
    // Modules that happen to look like a corner make it see more symbols than there are.
    let read = image.detect_grids().into_iter().filter_map(|grid| Some(grid.decode().ok()?.1));
    let found: Vec<String> = read.collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().unwrap()
}

/// The command, with nothing of what surrounds the test.
pub fn licentia() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_licentia"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LICENTIA_")) {
        command.env_remove(name);
    }
    command
}

pub fn finish(mut command: Command, input: &[u8]) -> Output {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that does not read its input closes it.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// What a command printed that went well.
fn text(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The object that a command printed.
pub fn told(output: &Output) -> Value {
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.success(), told["code"] == "ok", "{told}");
    told
}
