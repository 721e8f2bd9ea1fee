//! The comments of a Rust file: the compiler's tokens leave them out.

/// One comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Comment {
    pub(super) text: String,
    /// Line of its begin, from 1.
    pub(super) line: usize,
}

/// Finds the comments; what stands in strings is none.
pub(super) fn scan(text: &str) -> Vec<Comment> {
    let mut found = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while !rest.is_empty() {
        let (length, comment) = next(rest);
        let (piece, after) = rest.split_at(length);
        if comment {
            found.push(Comment { text: piece.to_owned(), line });
        }
        line += piece.matches('\n').count();
        rest = after;
    }
    found
}

/// Length of the piece that `text` begins with, and whether it is a comment.
fn next(text: &str) -> (usize, bool) {
    if text.starts_with("//") {
        return (text.find('\n').unwrap_or(text.len()), true);
    }
    if text.starts_with("/*") {
        return (block(text), true);
    }
    if let Some(length) = raw_string(text) {
        return (length, false);
    }
    let mut characters = text.chars();
    let first = characters.next().map_or(0, char::len_utf8);
    match text.as_bytes()[0] {
        b'"' => (1 + string(&text[1..], '"'), false),
        // A character, and not the begin of a lifetime.
        b'\'' if text[1..].starts_with('\\') || text[1..].chars().nth(1) == Some('\'') => {
            (1 + string(&text[1..], '\''), false)
        }
        // A name whole, so that its end is not taken for a raw string's begin.
        byte if byte.is_ascii_alphabetic() || byte == b'_' => {
            let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
            let end = end.unwrap_or(text.len());
            let literal = matches!(&text[..end], "b" | "c") && text[end..].starts_with(['"', '\'']);
            (if literal { 1 } else { end }, false)
        }
        _ => (first, false),
    }
}

/// Bytes up to and with the closing sign.
fn string(text: &str, close: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if character == '\\' {
            escaped = true;
        } else if character == close {
            return at + character.len_utf8();
        }
    }
    text.len()
}

/// Length of a raw string that begins here.
fn raw_string(text: &str) -> Option<usize> {
    let begin = ["r", "br", "cr"].iter().find(|begin| {
        text.strip_prefix(**begin).is_some_and(|rest| rest.trim_start_matches('#').starts_with('"'))
    })?;
    let rest = &text[begin.len()..];
    let hashes = rest.len() - rest.trim_start_matches('#').len();
    let open = begin.len() + hashes + 1;
    let close = format!("\"{}", "#".repeat(hashes));
    let end = text[open..].find(&close).map_or(text.len(), |at| open + at + close.len());
    Some(end)
}

/// Length of a block comment, which may hold others.
fn block(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let step = if text[at..].starts_with("/*") {
            depth += 1;
            2
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            2
        } else {
            text[at..].chars().next().map_or(1, char::len_utf8)
        };
        at += step;
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<(usize, String)> {
        scan(text).into_iter().map(|comment| (comment.line, comment.text)).collect()
    }

    #[test]
    fn comments_are_found_and_strings_are_not() {
        let expect = |line, text: &str| (line, text.to_owned());
        assert_eq!(texts("//! a\nfn b() {} // c"), [expect(1, "//! a"), expect(2, "// c")]);
        assert_eq!(texts("/* a /* b */\n c */ d // e"), [
            expect(1, "/* a /* b */\n c */"),
            expect(2, "// e")
        ]);
        for none in [
            r#"let a = "// b \" // c";"#,
            "let a = r#\"// \" b\"#;",
            "let a = b\"// b\"; let c = '\"'; let d = '\\''; let e = b'\"';",
            "fn a<'b>(c: &'b str) { d(\"// e\") }",
            "let letter = \"// a\";",
        ] {
            assert_eq!(texts(none), [], "{none}");
        }
        assert_eq!(texts("let a = 'b'; // c\nlet bar = 1; // d").len(), 2);
    }
}
