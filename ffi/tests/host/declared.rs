//! What the header declares, read back from its text.

use crate::library::{read, repository, source};

pub struct Function {
    /// Its type, such as `const char *`.
    pub gives: String,
    pub name: String,
    pub takes: Vec<Parameter>,
    /// The declaration, without `LICENTIA_API` and the semicolon.
    pub text: String,
}

pub struct Parameter {
    /// Such as `const licentia_product *`.
    pub kind: String,
    pub name: String,
}

impl Parameter {
    pub fn is_pointer(&self) -> bool {
        self.kind.ends_with('*')
    }
}

pub fn todays_header() -> String {
    read(repository().join("include/licentia.h"))
}

/// Every function of a header, in its order.
pub fn functions(header: &str) -> Vec<Function> {
    let code: Vec<&str> = header.lines().map(|line| line.split("//").next().unwrap()).collect();
    let code = code.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    let declarations = code.split("LICENTIA_API ").skip(1);
    // The macro's own definitions are left out.
    declarations.filter(|text| !text.starts_with(['_', '#'])).map(function).collect()
}

fn function(text: &str) -> Function {
    let text = text.split(';').next().unwrap();
    let text = text.trim_start_matches("LICENTIA_MUST_USE ");
    let (head, parameters) = text.split_once('(').unwrap();
    let (gives, name) = split_name(head);
    let parameters = parameters.trim_end_matches(')');
    let takes = parameters.split(',').filter(|one| *one != "void").map(|one| {
        let (kind, name) = split_name(one.trim());
        Parameter { kind, name }
    });
    Function { gives, name, takes: takes.collect(), text: text.to_string() }
}

/// `const char *text` is a `const char *` called `text`.
fn split_name(text: &str) -> (String, String) {
    let start = text.rfind([' ', '*']).unwrap() + 1;
    (text[..start].trim().to_string(), text[start..].to_string())
}

/// The value of every `LICENTIA_X = 1,` of a header.
pub fn constants(header: &str) -> Vec<(String, i32)> {
    let line = |line: &str| {
        let (name, number) = line.trim().strip_suffix(',')?.split_once(" = ")?;
        name.starts_with("LICENTIA_").then(|| (name.to_string(), number.parse().unwrap()))
    };
    header.lines().filter_map(line).collect()
}

#[test]
fn the_header_is_read_right() {
    let functions = functions(&todays_header());
    let find = |name: &str| functions.iter().find(|function| function.name == name).unwrap();
    let verify = find("licentia_product_verify");
    assert_eq!(verify.gives, "licentia_status");
    let takes: Vec<_> = verify.takes.iter().map(|one| (&*one.kind, &*one.name)).collect();
    assert_eq!(
        takes,
        [
            ("const licentia_product *", "product"),
            ("const void *", "data"),
            ("size_t", "data_len"),
            ("licentia_license **", "license"),
            ("licentia_error *", "error"),
        ]
    );
    assert!(find("licentia_version").takes.is_empty());
    assert_eq!(find("licentia_version").gives, "const char *");
    assert!(constants(&todays_header()).contains(&("LICENTIA_EXPIRED".into(), 21)));
}

/// Two tests call functions by hand. They have to call them all.
#[test]
fn no_function_is_left_out() {
    let panics = read(repository().join("ffi/src/panics.rs"));
    let walks = ["walk.h", "walk_installation.h", "walk_seat.h", "walk_exchange.h"];
    let walks = walks.map(|name| read(source(name))).concat();
    for function in functions(&todays_header()) {
        let name = function.name;
        assert!(walks.contains(&format!("{name}(")), "no walk calls {name}");
        // These two give a constant, and have nothing that could panic.
        let constant = ["licentia_version", "licentia_abi"].contains(&&*name);
        let panics = panics.contains(&format!("|| {name}("));
        assert!(panics != constant, "panics.rs does not inject a panic into {name}");
    }
}
