//! Rules for every file: how it begins, how long it gets, and what has no place in what runs.

use super::Finding;
use super::source::{Place, Source};
use super::tokens;

/// Longest file, lines.
const FILE_LINES_MAX: usize = 500;
/// Files that are longer still, and how long they may be: the list only gets shorter.
const LONGER: [(&str, usize); 3] = [
    ("crates/alert/src/condition.rs", 560),
    ("crates/alert/src/episode.rs", 560),
    ("crates/gateway/src/mqtt/connection.rs", 600),
];
/// Longest function of the program, lines.
const FUNCTION_LINES_MAX: usize = 100;

/// Words for work that is not done.
const MARKERS: [&str; 3] = ["TODO", "FIXME", "XXX"];

/// Checks a file.
pub(super) fn check(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    let at = |line| (source.path.as_str(), line);
    if let Some((reason, line)) = &source.broken {
        findings.push(Finding::new(
            at(*line),
            format!("not readable as Rust: {reason}"),
            "what can't be read can't be checked",
            "mend it",
        ));
        return findings;
    }
    if !source.text.trim_start().starts_with("//!") {
        findings.push(Finding::new(
            at(1),
            "no `//!` at the top",
            "a reader must know what lives in a file, and what deliberately does not",
            "begin the file with a `//!` comment that says it",
        ));
    }
    let lines = source.text.lines().count();
    let longer = LONGER.iter().find(|(path, _)| *path == source.path);
    let most = longer.map_or(FILE_LINES_MAX, |(_, most)| *most);
    if lines > most {
        findings.push(Finding::new(
            at(1),
            format!("{lines} lines, more than {most}"),
            "a file has one subject and can be read in one go",
            "move one of its subjects to a file of its own",
        ));
    }
    findings.extend(long_functions(source));
    findings.extend(unfinished(source));
    findings.extend(dangerous(source));
    findings
}

fn long_functions(source: &Source) -> Vec<Finding> {
    let long = |function: &&super::source::Function| {
        function.lines > FUNCTION_LINES_MAX && !source.is_test(function.line)
    };
    let finding = |function: &super::source::Function| {
        Finding::new(
            (&source.path, function.line),
            format!("`{}` has {} lines, more than {FUNCTION_LINES_MAX}", function.name, function.lines),
            "a function fits one screen",
            "give one of its steps a name and a function of its own",
        )
    };
    source.functions.iter().filter(long).map(finding).collect()
}

fn unfinished(source: &Source) -> Vec<Finding> {
    const WHY: &str = "what is not done belongs in an issue, where somebody finds it";
    let mut findings = Vec::new();
    for comment in &source.comments {
        for (offset, line) in comment.text.lines().enumerate() {
            let words = || line.split(|c: char| !c.is_alphanumeric() && c != '_');
            if let Some(marker) = MARKERS.iter().find(|marker| words().any(|word| word == **marker)) {
                findings.push(Finding::new(
                    (&source.path, comment.line + offset),
                    format!("`{marker}` in a comment"),
                    WHY,
                    "do it, or open an issue and take the word out",
                ));
            }
        }
    }
    for name in ["todo", "unimplemented", "dbg"] {
        for line in tokens::find(&source.tokens, &[name, "!", "("]) {
            findings.push(Finding::new(
                (&source.path, line),
                format!("`{name}!`"),
                WHY,
                "write what belongs there",
            ));
        }
    }
    findings
}

fn dangerous(source: &Source) -> Vec<Finding> {
    let mut findings = Vec::new();
    for line in tokens::find(&source.tokens, &["unsafe"]) {
        findings.push(Finding::new(
            (&source.path, line),
            "`unsafe`",
            "the platform promises memory safety; nothing here needs to give it up",
            "write it without",
        ));
    }
    if source.place == Place::Test {
        return findings;
    }
    for line in tokens::find(&source.tokens, &[".", "unwrap", "(", ")"]) {
        if !source.is_test(line) {
            findings.push(Finding::new(
                (&source.path, line),
                "`unwrap()` outside tests",
                "it ends the program, and says nothing of why it thought it could not",
                "return the error, or `expect(\"why this cannot fail\")` where it truly cannot",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_at(path: &str, text: &str, expected: &[&str]) {
        let source = Source::new(path, "a", text.to_owned());
        let found: Vec<String> = check(&source)
            .into_iter()
            .map(|finding| format!("{} {}", finding.line, finding.what))
            .collect();
        assert_eq!(found, expected, "{text}");
    }

    #[track_caller]
    fn check_text(text: &str, expected: &[&str]) {
        check_at("crates/a/src/lib.rs", &format!("//! A.\n{text}"), expected);
    }

    #[test]
    fn files_begin_with_what_they_are() {
        check_at("crates/a/src/lib.rs", "//! A.\n", &[]);
        check_at("crates/a/src/lib.rs", "// A.\nfn a() {}\n", &["1 no `//!` at the top"]);
        check_at("crates/a/tests/b.rs", "fn a() {}\n", &["1 no `//!` at the top"]);
        check_at("crates/a/src/lib.rs", "//! A.\nfn (", &[
            "2 not readable as Rust: cannot parse string into token stream",
        ]);
    }

    #[test]
    fn files_and_functions_have_a_length() {
        check_text(&"//\n".repeat(499), &[]);
        check_text(&"//\n".repeat(500), &["1 501 lines, more than 500"]);
        let body = "//\n".repeat(99);
        check_text(&format!("fn a() {{\n{body}}}"), &["2 `a` has 101 lines, more than 100"]);
        check_text(&format!("struct A;\nimpl A {{\nfn b() {{\n{body}}}\n}}"), &[
            "4 `b` has 101 lines, more than 100",
        ]);
        check_text(&format!("#[cfg(test)]\nmod tests {{\nfn a() {{\n{body}}}\n}}"), &[]);
    }

    #[test]
    fn nothing_is_left_for_later() {
        let marker = ["TO", "DO"].concat();
        check_text(&format!("// a\n/* b\n {marker}: c */"), &["4 `TODO` in a comment"]);
        check_text(&format!("const A: &str = \"{marker}\"; // A{marker}"), &[]);
        check_text("fn a() { todo!() }", &["2 `todo!`"]);
        check_text("fn todo() { todo() }", &[]);
    }

    #[test]
    fn what_ends_the_program_or_gives_up_safety() {
        check_text("fn a() {\n b().unwrap();\n}", &["3 `unwrap()` outside tests"]);
        check_text("fn a() { assert!(b().unwrap()); }", &["2 `unwrap()` outside tests"]);
        check_text("fn a() { b().unwrap_or(1); }", &[]);
        check_text("#[cfg(test)]\nmod tests { fn a() { b().unwrap(); } }", &[]);
        check_at("crates/a/tests/b.rs", "//! A.\nfn a() { b().unwrap(); }", &[]);
        check_text("fn a() { unsafe { b() } }", &["2 `unsafe`"]);
        check_at("crates/a/tests/b.rs", "//! A.\nunsafe fn a() {}", &["2 `unsafe`"]);
    }
}
