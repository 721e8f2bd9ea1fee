//! Pure crates: no clock, socket, file, environment, task or chance in what runs. They are given
//! the time and the bytes.

use super::Finding;
use super::source::Source;
use super::tokens;

const WHY: &str = "floors 0 to 2 give the same result for the same input on any machine (EN-1)";

/// Paths that reach outside, and what they are.
const REACHES_OUT: [(&str, &str); 20] = [
    ("std::time::Instant", "a clock"),
    ("std::time::SystemTime", "a clock"),
    ("std::fs", "files"),
    ("std::net", "sockets"),
    ("std::os", "the operating system"),
    ("std::env", "the environment"),
    ("std::process", "processes"),
    ("std::thread", "threads"),
    ("std::io::stdin", "standard input"),
    ("std::io::stdout", "standard output"),
    ("std::io::stderr", "standard error"),
    ("std::hash::RandomState", "chance"),
    ("std::collections::hash_map::RandomState", "chance"),
    ("rand", "chance"),
    ("getrandom", "chance"),
    ("fastrand", "chance"),
    ("tokio", "tasks and sockets"),
    ("mio", "sockets"),
    ("jiff::Timestamp::now", "a clock"),
    ("jiff::Zoned::now", "a clock"),
];

/// Short forms of the same, as they stand behind an import of their parent.
const SHORT: [(&[&str], &str); 6] = [
    (&["Instant", "::", "now"], "a clock"),
    (&["SystemTime", "::", "now"], "a clock"),
    (&["Timestamp", "::", "now"], "a clock"),
    (&["Zoned", "::", "now"], "a clock"),
    (&["thread", "::", "spawn"], "threads"),
    (&["RandomState", "::", "new"], "chance"),
];

/// Macros that write to the terminal.
const PRINTS: [&str; 4] = ["println", "eprintln", "print", "eprint"];

/// Checks a file of a pure crate.
pub(super) fn check(source: &Source) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    let mut add = |line: usize, name: &str, kind: &str| {
        if !source.is_test(line) && !findings.iter().any(|finding| finding.line == line) {
            findings.push(Finding::new(
                (&source.path, line),
                format!("`{name}` in a pure crate: {kind}"),
                WHY,
                "take the value as an argument, or move the code to floor 3 or above",
            ));
        }
    };
    for (import, line) in &source.imports {
        for (path, kind) in REACHES_OUT {
            let inside = |longer: &str, shorter: &str| {
                longer.strip_prefix(shorter).is_some_and(|rest| {
                    rest.is_empty() || rest.starts_with("::")
                })
            };
            if inside(import, path) {
                add(*line, import, kind);
            }
        }
    }
    for (path, kind) in REACHES_OUT {
        let words: Vec<&str> = path.split("::").flat_map(|word| [word, "::"]).collect();
        // A single name counts as a path only with something behind it.
        let words = if path.contains("::") { &words[..words.len() - 1] } else { &words[..] };
        for line in tokens::find(&source.tokens, words) {
            add(line, path, kind);
        }
    }
    for (words, kind) in SHORT {
        for line in tokens::find(&source.tokens, words) {
            add(line, &words.concat(), kind);
        }
    }
    for name in PRINTS {
        for line in tokens::find(&source.tokens, &[name, "!"]) {
            add(line, name, "standard output");
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_text(text: &str, expected: &[&str]) {
        let source = Source::new("crates/score/src/lib.rs", "score", text.to_owned());
        assert!(source.broken.is_none(), "{text}");
        let found: Vec<String> = check(&source)
            .into_iter()
            .map(|finding| format!("{} {}", finding.line, finding.what))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn what_reaches_outside() {
        check_text("use std::time::Instant;", &["1 `std::time::Instant` in a pure crate: a clock"]);
        check_text(
            "use std::{collections::BTreeMap,\n fs};",
            &["2 `std::fs` in a pure crate: files"],
        );
        check_text(
            "fn a() {\n std::env::var(\"b\");\n}",
            &["2 `std::env` in a pure crate: the environment"],
        );
        check_text(
            "use jiff::Timestamp;\nfn a() { Timestamp::now(); }",
            &["2 `Timestamp::now` in a pure crate: a clock"],
        );
        check_text(
            "fn a() { log!(rand::random()); }",
            &["1 `rand` in a pure crate: chance"],
        );
        check_text("use tokio::sync::mpsc;", &[
            "1 `tokio::sync::mpsc` in a pure crate: tasks and sockets",
        ]);
        check_text("fn a() { println!(); }", &["1 `println` in a pure crate: standard output"]);
    }

    #[test]
    fn what_does_not() {
        check_text("use std::time::Duration;\nuse std::io::Read;", &[]);
        check_text("const A: &str = env!(\"CARGO_PKG_VERSION\");", &[]);
        check_text("fn rand() {}\nfn fs() { std::mem::take(&mut fs()); }", &[]);
        check_text("#[cfg(test)]\nmod tests {\n use std::fs;\n fn a() { fs::read(\"b\"); }\n}", &[]);
        check_text("// std::fs\nconst A: &str = \"std::fs\";", &[]);
    }
}
