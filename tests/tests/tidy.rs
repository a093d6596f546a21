//! Style is a test: each message names what to write instead.

use licentia_tests::paths;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;
use std::{fs, iter};

const LINE_MAX: usize = 100;
const FUNCTION_MAX: usize = 70;
const FILE_MAX: usize = 600;
const TOP_MAX: usize = 19;

/// Files that hold code, by their endings.
const CODE: &[&str] = &["rs", "c", "h", "cpp", "hpp", "py", "pyi", "js", "mjs", "cjs", "ts", "mts"];

/// Folders whose Rust may be unsafe: the C boundary, and what measures it.
const UNSAFE: &[&str] = &["ffi/", "bench/"];

/// Files that a tool writes.
const GENERATED: &[&str] = &["include/licentia.h", "include/licentia_testing.h"];

/// A file of the repository.
struct File {
    path: String,
    text: String,
}

impl File {
    fn ending(&self) -> &str {
        self.path.rsplit_once('.').map_or("", |(_, ending)| ending)
    }

    fn is_code(&self) -> bool {
        CODE.contains(&self.ending()) && !GENERATED.contains(&&*self.path)
    }

    /// Whether it is run by tests only.
    fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs")
    }

    /// Its lines with their numbers.
    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(index, line)| (index + 1, line))
    }
}

/// What git tracks, and what it would: a new file is judged before it is added.
fn files() -> Vec<File> {
    let list = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
    let output = Command::new("git").args(list).current_dir(paths::root()).output().unwrap();
    assert!(output.status.success(), "git ls-files: {}", String::from_utf8_lossy(&output.stderr));
    let names: BTreeSet<String> =
        String::from_utf8(output.stdout).unwrap().split_terminator('\0').map(Into::into).collect();
    let read = |path: String| {
        let text = fs::read_to_string(paths::root().join(&path)).ok()?;
        Some(File { path, text })
    };
    names.into_iter().filter_map(read).collect()
}

fn file(path: &str) -> String {
    fs::read_to_string(paths::root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn none(found: Vec<String>) {
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

/// Arrows of the server that would point the wrong way: the first does not know the second.
const APART: &[(&str, &str)] = &[
    ("server/src/store/", "crate::api::"),
    ("server/src/store/", "axum"),
    ("server/src/listen/", "crate::api"),
    ("server/src/listen/", "crate::store"),
];

#[test]
fn rooms_of_the_server_know_only_what_is_below_them() {
    let wrong = |file: File| {
        let of = APART.iter().filter(|(room, _)| file.path.starts_with(room)).copied();
        let names = of.filter(|(_, other)| file.text.contains(other));
        names
            .map(|(_, other)| format!("{}: move what it takes from {other} below", file.path))
            .collect::<Vec<_>>()
    };
    none(files().into_iter().flat_map(wrong).collect());
}

/// Of two schemas with one name, the document of the API has one, for both.
#[test]
fn schemas_of_the_server_have_names_of_their_own() {
    let mut names = BTreeSet::new();
    let mut twice = Vec::new();
    for file in files().into_iter().filter(|file| file.path.starts_with("server/src/")) {
        for part in file.text.split("ToSchema)]").skip(1) {
            let declared = part.split(['{', '(', ';']).next().unwrap_or_default();
            let name =
                declared.split_whitespace().skip_while(|it| !["struct", "enum"].contains(it));
            let name = name.skip(1).map(|name| name.split('<').next().unwrap()).next();
            let Some(name) = name else { continue };
            if !names.insert(name.to_string()) {
                twice.push(format!("{}: {name} is another schema, too: rename one", file.path));
            }
        }
    }
    assert!(names.len() > 50, "{names:?}");
    none(twice);
}

#[test]
fn lines_of_code_are_short() {
    let long = |file: &File| -> Vec<String> {
        let over = |line: &str| line.chars().count().checked_sub(LINE_MAX).filter(|more| *more > 0);
        let say = |(number, more)| {
            format!("{}:{number}: {more} characters too long: break the line", file.path)
        };
        file.lines().filter_map(|(at, line)| Some((at, over(line)?))).map(say).collect()
    };
    let judged = |file: &&File| file.is_code();
    none(files().iter().filter(judged).flat_map(long).collect());
}

#[test]
fn files_of_code_are_short() {
    let long = |file: &File| {
        let lines = file.text.lines().count();
        (lines > FILE_MAX).then(|| {
            format!("{}: {lines} lines, over {FILE_MAX}: split it by what it is about", file.path)
        })
    };
    none(files().iter().filter(|file| file.is_code()).filter_map(long).collect());
}

#[test]
fn functions_can_be_seen_whole() {
    let long = |file: &File| -> Vec<String> {
        let over = |(_, length): &(usize, usize)| *length > FUNCTION_MAX;
        let say = |(at, length)| {
            let what = "take a part out that has a name of its own";
            format!("{}:{at}: a function of {length} lines, over {FUNCTION_MAX}: {what}", file.path)
        };
        functions(file).into_iter().filter(over).map(say).collect()
    };
    let all = files();
    let code: Vec<&File> = all.iter().filter(|file| file.is_code()).collect();
    // A rule that sees no functions would always hold.
    let seen: usize = code.iter().map(|file| functions(file).len()).sum();
    assert!(seen > 300, "only {seen} functions were found");
    none(code.into_iter().flat_map(long).collect());
}

/// Where the functions of a file begin and how many lines they have, judged by how formatters
/// indent: a function ends with the first line that is indented like its own.
fn functions(file: &File) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = file.text.lines().collect();
    let is_start = |line: &str| match file.ending() {
        "rs" => line.trim_start().split("fn ").next().is_some_and(is_modifiers) && has_fn(line),
        "py" | "pyi" => line.trim_start().trim_start_matches("async ").starts_with("def "),
        "c" | "h" => line.contains('(') && !line.starts_with([' ', '#', '/', '}', '*']),
        _ => is_brace_function(line),
    };
    let python = file.ending().starts_with("py");
    let mut found = Vec::new();
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| is_start(line)) {
        let indent = line.len() - line.trim_start().len();
        let ends = |line: &&str| {
            let text = line.trim_start();
            let shallow = !text.is_empty() && line.len() - text.len() <= indent;
            shallow && (python || text.starts_with('}') || text.ends_with(';'))
        };
        let inside = lines[at + 1..].iter().take_while(|line| !ends(line)).count();
        let one_line = !python && line.trim_end().ends_with(['}', ';']);
        found.push((at + 1, if one_line { 1 } else { inside + if python { 1 } else { 2 } }));
    }
    found
}

fn has_fn(line: &str) -> bool {
    line.split("fn ").nth(1).is_some_and(|rest| rest.contains(['(', '<']))
}

fn is_modifiers(text: &str) -> bool {
    let word = |word: &str| {
        matches!(word, "const" | "async" | "unsafe" | "extern" | "\"C\"") || word.starts_with("pub")
    };
    text.split_whitespace().all(word)
}

/// A line that opens a function in C++ or JavaScript.
fn is_brace_function(line: &str) -> bool {
    let text = line.trim();
    let first = text.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
    let other = [
        "if",
        "for",
        "while",
        "switch",
        "else",
        "do",
        "try",
        "catch",
        "namespace",
        "class",
        "struct",
        "enum",
        "extern",
        "import",
        "export",
        "describe",
        "test",
    ];
    text.ends_with('{') && text.contains('(') && !other.contains(&first) && !text.starts_with('}')
}

/// `core` promises that nothing a customer can send makes it panic.
#[test]
fn the_core_does_not_unwrap() {
    let all = files();
    let core: Vec<&File> = all.iter().filter(|file| file.path.starts_with("core/src/")).collect();
    let test_only = test_modules(&core);
    let mut found = Vec::new();
    let product = |file: &&&File| !file.is_test() && !test_only.contains(&*file.path);
    for file in core.iter().filter(product) {
        for (at, line) in product_lines(file) {
            for (word, instead) in [(".unwrap()", "`?`"), (".expect(\"", "`ok_or_else(…)?`")] {
                if line.contains(word) {
                    found.push(format!("{}:{at}: {word}: write {instead}", file.path));
                }
            }
        }
    }
    assert!(core.len() > 20 && test_only.len() < core.len() / 2, "the core is in core/src");
    none(found);
}

/// The lines before the tests of a file that are not comments.
fn product_lines(file: &File) -> impl Iterator<Item = (usize, &str)> {
    let lines: Vec<&str> = file.text.lines().collect();
    let is_tests = |pair: &[&str]| {
        pair[0].starts_with("#[cfg(")
            && pair[0].contains("test")
            && pair[1].starts_with("mod ")
            && pair[1].ends_with('{')
    };
    let end = lines.windows(2).position(is_tests).unwrap_or(lines.len());
    file.lines().take(end).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Files that are modules for tests only, because their `mod` line says so.
fn test_modules(files: &[&File]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in files {
        let lines: Vec<&str> = file.text.lines().collect();
        for pair in lines.windows(2) {
            let name = pair[1].strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';'));
            let for_tests = pair[0].starts_with("#[cfg(") && pair[0].contains("test");
            let Some(name) = name.filter(|_| for_tests) else { continue };
            let path = Path::new(&file.path);
            let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
            let folder = match stem {
                "lib" | "main" | "mod" => path.with_file_name(""),
                _ => path.with_extension(""),
            };
            found.insert(folder.join(format!("{name}.rs")).to_string_lossy().into_owned());
        }
    }
    found
}

#[test]
fn unsafe_has_one_address() {
    let mut found = Vec::new();
    let outside = |file: &File| !UNSAFE.iter().any(|folder| file.path.starts_with(folder));
    let judged = |file: &&File| file.ending() == "rs" && outside(file) && !file.is_test();
    for file in files().iter().filter(judged) {
        for (at, line) in product_lines(file) {
            let code = line.split("//").next().unwrap_or_default();
            let mut words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
            if words.any(|word| word == "unsafe") {
                let instead = "do it in ffi/, or with a crate that does";
                found.push(format!("{}:{at}: unsafe: {instead}", file.path));
            }
        }
    }
    none(found);
    assert!(file("core/src/lib.rs").contains("\n#![forbid(unsafe_code)]\n"), "forbid it in core");
}

#[test]
fn every_document_has_one_title() {
    let mut found = Vec::new();
    for file in files().iter().filter(|file| file.ending() == "md") {
        let titles = outside_code(&file.text).filter(|line| line.starts_with("# ")).count();
        if titles != 1 {
            found.push(format!("{}: {titles} titles: one line starts with `# `", file.path));
        }
    }
    none(found);
}

/// The lines of a Markdown text that are in no fenced block.
fn outside_code(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    text.lines().filter(move |line| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !inside && !fence
    })
}

#[test]
fn the_top_is_small_and_on_the_map() {
    let all = files();
    let first = |file: &'_ File| file.path.split('/').next().unwrap_or_default().to_string();
    // What `ls` shows: tools' own files start with a dot.
    let top: BTreeSet<String> = all.iter().map(first).filter(|it| !it.starts_with('.')).collect();
    assert!(top.len() <= TOP_MAX, "{} entries at the top, over {TOP_MAX}: {top:?}", top.len());
    let readme = file("README.md");
    let mapped: BTreeSet<&str> = readme
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("/`").map(|(name, _)| name))
        .collect();
    let folders: BTreeSet<&str> = all
        .iter()
        .filter_map(|file| file.path.split_once('/').map(|(name, _)| name))
        .filter(|name| !name.starts_with('.'))
        .collect();
    let mut found = Vec::new();
    for name in folders.difference(&mapped) {
        found.push(format!("{name}/: give it a row in the map of README.md, or move it"));
    }
    for name in mapped.difference(&folders) {
        found.push(format!("README.md: there is no {name}/: take its row out"));
    }
    none(found);
}

/// A fenced block after `<!-- path -->` is that file, whole. `LICENTIA_BLESS=1` copies it there.
#[test]
fn quoted_code_is_the_file_it_names() {
    let mut found = Vec::new();
    let mut quotes = 0;
    for document in files().iter().filter(|file| file.ending() == "md") {
        let (text, names) = quoting(document);
        quotes += names.len();
        if text == document.text {
            continue;
        }
        if std::env::var_os("LICENTIA_BLESS").is_some() {
            fs::write(paths::root().join(&document.path), text).unwrap();
            continue;
        }
        let names = names.join(", ");
        found.push(format!("{}: the blocks differ from {names}: run `make bless`", document.path));
    }
    assert!(quotes >= 4, "README.md quotes the four quickstarts");
    none(found);
}

/// A document with its blocks as they should be, and the files it quotes.
fn quoting(document: &File) -> (String, Vec<String>) {
    let mut names = Vec::new();
    let mut text = String::new();
    let mut lines = document.text.lines();
    while let Some(line) = lines.next() {
        text += &format!("{line}\n");
        let path = line.strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
        let Some(path) = path.filter(|path| path.starts_with("examples/")) else { continue };
        let fence = lines.next().unwrap_or_default();
        lines.by_ref().find(|line| line.starts_with("```"));
        text += &format!("{fence}\n{}```\n", file(path));
        names.push(path.to_string());
    }
    (text, names)
}

#[test]
fn there_is_one_version() {
    let version = env!("CARGO_PKG_VERSION");
    let lock = file("bindings/node/package-lock.json");
    let lock: serde_json::Value = serde_json::from_str(&lock).unwrap();
    let package: serde_json::Value =
        serde_json::from_str(&file("bindings/node/package.json")).unwrap();
    assert_eq!(package["version"], version, "bindings/node/package.json");
    assert_eq!(lock["version"], version, "bindings/node/package-lock.json");
    assert_eq!(lock["packages"][""]["version"], version, "bindings/node/package-lock.json");
    let header = file("include/licentia.h");
    let line = format!("#define LICENTIA_VERSION \"{version}\"\n");
    assert!(header.contains(&line), "include/licentia.h: run `make header`");
    let python = file("bindings/python/pyproject.toml");
    assert!(python.contains("dynamic = [\"version\"]"), "pyproject.toml takes it from Cargo.toml");
    for member in files().iter().filter(|file| file.path.ends_with("Cargo.toml")) {
        let own = member.text.lines().any(|line| line.starts_with("version = "));
        let apart = member.path == "Cargo.toml" || member.text.contains("[workspace]");
        assert!(apart || !own, "{}: write `version.workspace = true`", member.path);
    }
    let workspace = format!("version = \"{version}\"\n");
    assert!(file("Cargo.toml").contains(&workspace), "Cargo.toml");
}

/// Words that belong to one machine, or that a stranger's tools need not know.
fn foreign_words() -> Vec<(String, &'static str)> {
    let relative = "write a path relative to the repository";
    let default = "leave the registry to the tool's own settings";
    // Put together here, so that this file does not have them.
    [
        (["/wo", "rk/"], relative),
        (["/ro", "ot/"], relative),
        (["/ho", "me/"], relative),
        (["crates", ".io"], default),
        (["py", "pi.org"], default),
        (["pythonho", "sted.org"], default),
        (["npm", "js."], default),
        (["licen", "ce"], "write license"),
    ]
    .map(|(word, instead)| (word.concat(), instead))
    .into()
}

/// The one line that every lock file of cargo has.
fn is_cargo_source(file: &File, line: &str) -> bool {
    file.path.ends_with("Cargo.lock") && line.starts_with("source = \"registry+")
}

#[test]
fn nothing_names_a_machine_or_a_registry() {
    let words = foreign_words();
    let mut found = Vec::new();
    for file in &files() {
        for (at, line) in file.lines().filter(|(_, line)| !is_cargo_source(file, line)) {
            for (word, instead) in words.iter().filter(|(word, _)| has_word(line, word)) {
                found.push(format!("{}:{at}: {word}: {instead}", file.path));
            }
        }
    }
    none(found);
}

/// Whether a line has a word, or a path that starts there and not in the middle of another.
fn has_word(line: &str, word: &str) -> bool {
    let inside = |c: char| c.is_alphanumeric() || "._-$})".contains(c);
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !word.starts_with('/') || !before.is_some_and(inside)
    })
}

#[test]
fn the_rules_see_what_breaks_them() {
    let long = iter::repeat_n("    x();\n", 80).collect::<String>();
    for (path, text) in [
        ("a.rs", format!("pub(crate) fn f(\n    a: u8,\n) -> u8 {{\n{long}}}\n")),
        ("a.c", format!("static int f(int a,\n             int b) {{\n{long}}}\n")),
        ("a.py", format!("def f():\n{long}\ndef g():\n    pass\n")),
        ("a.mjs", format!("async function f(a) {{\n{long}}}\n")),
        ("a.hpp", format!("class A {{\n  int f() const {{\n{long}  }}\n}};\n")),
    ] {
        let file = File { path: path.into(), text };
        let longest = functions(&file).into_iter().map(|(_, length)| length).max();
        assert!(longest.is_some_and(|length| (80..90).contains(&length)), "{path}: {longest:?}");
    }
    assert!(has_word("see /opt/x", "/opt/") && !has_word("tests/opt/x", "/opt/"));
    let text = "fn a() { b.unwrap() }\n#[cfg(test)]\nmod tests {\n    c.unwrap()\n}\n";
    let file = File { path: "core/src/a.rs".into(), text: text.into() };
    assert_eq!(product_lines(&file).count(), 1);
    let text = "<!-- examples/c/quickstart.c -->\n```c\nold\n```\nend\n";
    let (quoted, names) = quoting(&File { path: "a.md".into(), text: text.into() });
    assert!(names.len() == 1 && quoted.contains("main(") && !quoted.contains("old"));
    assert!(quoted.ends_with("\n```\nend\n"));
    assert_eq!(outside_code("# a\n```\n# b\n```\n# c\n").count(), 2);
}
