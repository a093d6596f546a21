//! What a careless host does, and what comes of it: an error, and nothing else.

use crate::declared::{Function, Parameter, functions, todays_header};
use crate::fixtures::fixtures;
use crate::library::{library, read, run, source};
use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// What a good call gives for a parameter. A new one in the header needs a line here.
fn good(function: &Function, parameter: &Parameter) -> &'static str {
    let of_installation = function.name.starts_with("licentia_installation");
    let of_exchange = function.name.starts_with("licentia_exchange");
    match (&*parameter.kind, &*parameter.name) {
        ("const char *", "code") => "PRODUCT",
        ("const char *", "keys") => "all.keys.text",
        ("const char *", "name") if of_installation => "\"license\"",
        ("const char *", "value") if of_installation => "all.ok.text",
        ("const char *", "name" | "value") if of_exchange => "\"accept\"",
        ("const char *", "name") => "\"clock\"",
        ("const char *", "value") => "IN_FORCE",
        ("const char *", "feature") => metered(&function.name),
        ("const char *", "directory") => "folder",
        ("const char *", "what") => "\"license\"",
        ("const char *", "argument") => "NULL",
        ("const char *", "holder") => "\"ann\"",
        ("uint32_t", "borrow_days") => "0",
        ("const char *", "key") => "\"host-1\"",
        ("const char *", "method") => "\"GET\"",
        ("const char *", "target") => "\"/api/license\"",
        ("uint32_t", "rights") => "LICENTIA_MAY_READ",
        ("size_t", "index") => "0",
        ("const void *", "data") => "all.ok.text",
        ("size_t", "data_len") => "all.ok.size",
        ("uint64_t", "amount" | "level") => "1",
        ("int64_t", "at") => "LICENTIA_NOW",
        ("int", "status") => "0",
        ("licentia_product *" | "const licentia_product *", _) => "product",
        ("licentia_installation *" | "const licentia_installation *", _) => "installation",
        ("const licentia_license *", _) => "license",
        ("licentia_exchange *" | "const licentia_exchange *", _) => "exchange",
        ("const licentia_seat *", _) => "seat",
        ("licentia_seat **", _) => "&new_seat",
        ("licentia_product **", _) => "&new_product",
        ("licentia_license **", _) => "&new_license",
        ("licentia_installation **", _) => "&new_installation",
        ("licentia_exchange **", _) => "&new_exchange",
        ("char **", _) => "&new_text",
        ("const char **", "value") => "&value",
        ("size_t *", "body_len") => "&body_len",
        ("bool *", "removed") => "&removed",
        ("uint64_t *", "used") => "&used",
        ("uint64_t *", "limit") => "&limit",
        ("int64_t *", "resets_at") => "&resets_at",
        ("licentia_error *", _) => "&error",
        // Only NULL is passed to what releases; the hosts release what they made.
        ("licentia_license *" | "licentia_seat *" | "char *", _) => "NULL",
        (kind, name) => panic!("say what a good {kind} called {name} is"),
    }
}

/// A feature with the meter that a function is for.
fn metered(function: &str) -> &'static str {
    match function.trim_start_matches("licentia_installation_") {
        "record" | "record_later" | "usage" => "\"hits\"",
        "record_level" => "\"users\"",
        "record_key" => "\"hosts\"",
        _ => "\"reports\"",
    }
}

/// What a good call comes to where no server is configured. The seat is held here already.
fn good_status(function: &str) -> &'static str {
    match function {
        "licentia_installation_call" | "licentia_installation_sync" => "LICENTIA_NO_TRANSPORT",
        "licentia_seat_renew" | "licentia_seat_release" => "LICENTIA_NO_TRANSPORT",
        _ => "LICENTIA_OK",
    }
}

/// Whether NULL is as good as anything.
fn is_optional(parameter: &Parameter) -> bool {
    let optional = ["argument", "removed", "used", "limit", "resets_at", "body_len"];
    let kinds = ["licentia_error *", "const char **"];
    kinds.contains(&&*parameter.kind) || optional.contains(&&*parameter.name)
}

/// A call with NULL in the places that `null` picks, and what has to come of it.
fn call(function: &Function, null: impl Fn(&Parameter) -> bool) -> String {
    let value = |one: &Parameter| if null(one) { "NULL" } else { good(function, one) };
    let values: Vec<_> = function.takes.iter().map(value).collect();
    let call = format!("{}({})", function.name, values.join(", "));
    let needed = |one: &Parameter| one.is_pointer() && !is_optional(one);
    let refused = function.takes.iter().any(|one| needed(one) && null(one));
    match &*function.gives {
        "void" => format!("{call};"),
        "licentia_status" if refused => {
            let word = if null(function.takes.last().unwrap()) { "UNSET" } else { "SET" };
            format!("REFUSED_{word}({call});")
        }
        "licentia_status" => format!("EXPECT({}, {call}); clean();", good_status(&function.name)),
        "const void *" if refused => format!("CHECK(*(const char *){call} == '\\0');"),
        "const void *" => format!("CHECK(*(const char *){call} != '\\0');"),
        "const char *" if refused => format!("CHECK({call}[0] == '\\0');"),
        "const char *" => format!("CHECK({call}[0] != '\\0');"),
        _ if function.name == "licentia_installation_gate" => gate(&call, refused),
        _ if refused => format!("CHECK(!{call});"),
        _ => format!("CHECK({call});"),
    }
}

/// The one answer of which zero is the best.
fn gate(call: &str, refused: bool) -> String {
    match refused {
        true => format!("CHECK({call} == 500); after_refusal({call:?});"),
        false => format!("CHECK({call} == 0 && !new_text); clean();"),
    }
}

/// NULL for every pointer of every function, one at a time, and for all of them at once.
fn null_calls() -> String {
    let mut calls = String::new();
    for function in functions(&todays_header()) {
        let mut add = |call: String| writeln!(calls, "  {call}").unwrap();
        if function.gives != "void" {
            add(call(&function, |_| false));
        }
        for pointer in function.takes.iter().filter(|one| one.is_pointer()) {
            add(call(&function, |one| one.name == pointer.name));
        }
        add(call(&function, |one| one.is_pointer()));
    }
    calls
}

#[test]
fn null_for_every_pointer_of_every_function() {
    let calls = null_calls();
    assert!(calls.lines().count() > 120, "{calls}");
    let file = library().place("null_generated.c");
    fs::write(&file, read(source("null.c")).replace("/* CALLS */", &calls)).unwrap();
    let host = library().host("null", &file, &[]);
    run(Command::new(host).arg(fixtures()));
}

/// The programs that misuse products and licenses, installations, seats, and exchanges.
fn hosts() -> &'static [PathBuf; 4] {
    static HOSTS: OnceLock<[PathBuf; 4]> = OnceLock::new();
    let names = ["misuse", "misuse_installation", "misuse_seat", "misuse_exchange"];
    let built = || names.map(|name| library().host(name, &source(&format!("{name}.c")), &[]));
    HOSTS.get_or_init(built)
}

fn misuse(case: &str) {
    for host in hosts() {
        run(Command::new(host).arg(fixtures()).arg(case));
    }
}

#[test]
fn buffers_are_not_read_past_their_end_or_before_their_start() {
    misuse("guard");
}

#[test]
fn lengths_that_lie_are_refused_unread() {
    misuse("length");
}

#[test]
fn on_failure_the_out_pointer_is_null_and_nothing_near_it_changes() {
    misuse("out");
}

#[test]
fn a_handle_of_another_type_is_refused() {
    misuse("type");
}

#[test]
fn a_freed_handle_grants_nothing() {
    misuse("freed");
}

#[test]
fn text_that_is_not_utf8_is_refused_and_says_where() {
    misuse("utf8");
}

#[test]
fn messages_end_in_nul_within_their_size() {
    let [products, ..] = hosts();
    run(Command::new(products).arg(fixtures()).arg("message"));
}
