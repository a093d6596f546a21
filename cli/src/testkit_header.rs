//! A kit as a header for C and C++: what is done with it is in `testkit.h`, what is in it is here.

use crate::testkit::{File, Kit, Prepared};
use crate::testkit_folders::bytes;
use licentia::Result;
use std::collections::BTreeMap;
use std::fmt::Write;

const CODE: &str = include_str!("testkit.h");

/// Letters of a line of numbers.
const WIDTH: usize = 96;

/// The header of a kit.
pub fn render(kit: &Kit) -> Result<String> {
    let arguments = format!("--product {} --format header", kit.product);
    Ok(CODE
        .replace("@ARGUMENTS@", &arguments)
        .replace("@PRODUCT@", &text(&kit.product))
        .replace("@KEYS@", &text(&kit.keys))
        .replace("@DATA@\n", &data(kit)?))
}

/// Bytes, files, and the states that refer to them. What is twice in it is written once.
fn data(kit: &Kit) -> Result<String> {
    let mut numbers = BTreeMap::new();
    let mut out = String::new();
    for file in kit.folders.values().flat_map(|files| files.values()) {
        let next = numbers.len();
        if file.base64.is_empty() || numbers.contains_key(file.base64.as_str()) {
            continue;
        }
        numbers.insert(file.base64.as_str(), next);
        out += &array(next, &bytes(file)?);
    }
    for (name, files) in &kit.folders {
        let _ = writeln!(out, "static const licentia_testing_file {} = {{", of("files", name));
        for (name, file) in files {
            out += &row(name, file, numbers.get(file.base64.as_str()), &bytes(file)?);
        }
        out += "    {NULL, 0, NULL, 0}};\n\n";
    }
    for state in &kit.states {
        out += &lists(kit, state);
    }
    out += "/// Every state.\nstatic const licentia_testing_state licentia_testing_states[] = {\n";
    let states: Vec<String> = kit.states.iter().map(entry).collect();
    Ok(out + &states.join(",\n") + "};\n\n")
}

fn array(number: usize, bytes: &[u8]) -> String {
    let mut out = format!("static const unsigned char licentia_testing_bytes_{number}[] = {{\n");
    let mut line = String::new();
    for byte in bytes {
        let word = format!("{byte},");
        if line.len() + word.len() > WIDTH {
            out += &format!("  {line}\n");
            line.clear();
        }
        line += &word;
    }
    out + "  " + line.trim_end_matches(',') + "};\n\n"
}

fn row(name: &str, file: &File, number: Option<&usize>, bytes: &[u8]) -> String {
    let data = number.map_or("NULL".into(), |it| format!("licentia_testing_bytes_{it}"));
    format!("    {{{}, {}, {data}, {}}},\n", text(name), file.size, bytes.len())
}

/// What a state has lists of.
fn lists(kit: &Kit, state: &Prepared) -> String {
    let mut out =
        format!("static const licentia_testing_setting {} = {{\n", of("settings", &state.name));
    let clock = [("clock".to_string(), state.clock.to_string())];
    let settings = kit.settings.iter().chain(&state.settings);
    for (name, value) in clock.iter().map(|(name, value)| (name, value)).chain(settings) {
        let _ = writeln!(out, "    {{{}, {}}},", text(name), text(value));
    }
    out += "    {NULL, NULL}};\n\n";
    let _ =
        writeln!(out, "static const licentia_testing_access {} = {{", of("access", &state.name));
    for (feature, word) in &state.expect.access {
        let _ = writeln!(out, "    {{{}, LICENTIA_{}}},", text(feature), word.to_uppercase());
    }
    out + "    {NULL, 0}};\n\n"
}

fn entry(state: &Prepared) -> String {
    let name = |list| of(list, &state.name).trim_end_matches("[]").to_string();
    let files = format!("licentia_testing_files_{}", state.folder);
    format!(
        "    {{{},\n     {},\n     {}, {},\n     {},\n     {}, {},\n     {}}}",
        text(&state.name),
        text(&state.about),
        state.clock,
        name("settings"),
        files,
        text(&state.expect.reason),
        state.expect.in_force,
        name("access"),
    )
}

fn of(list: &str, name: &str) -> String {
    format!("licentia_testing_{list}_{name}[]")
}

/// A string of C. Everything in a kit is ASCII without control characters.
fn text(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
