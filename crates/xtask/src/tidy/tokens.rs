//! A file as one row of tokens, those inside macros included: what a macro is given is not parsed
//! as Rust, but it runs all the same.

use proc_macro2::{TokenStream, TokenTree};

/// One token: a name, a literal, or one sign of punctuation; `::` is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) text: String,
    /// From 1.
    pub(super) line: usize,
}

/// The tokens of a file; empty if it is no Rust.
pub(super) fn flatten(text: &str) -> Vec<Token> {
    text.parse::<TokenStream>().map(of_stream).unwrap_or_default()
}

/// The tokens of a stream.
pub(super) fn of_stream(stream: TokenStream) -> Vec<Token> {
    let mut found = Vec::new();
    collect(stream, &mut found);
    found
}

fn collect(stream: TokenStream, found: &mut Vec<Token>) {
    for tree in stream {
        let line = tree.span().start().line;
        match tree {
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    proc_macro2::Delimiter::Parenthesis => ("(", ")"),
                    proc_macro2::Delimiter::Brace => ("{", "}"),
                    proc_macro2::Delimiter::Bracket => ("[", "]"),
                    proc_macro2::Delimiter::None => ("", ""),
                };
                found.push(Token { text: open.to_owned(), line });
                collect(group.stream(), found);
                let line = group.span_close().end().line;
                found.push(Token { text: close.to_owned(), line });
            }
            TokenTree::Punct(sign) => match found.last_mut() {
                Some(last) if sign.as_char() == ':' && last.text == ":" => last.text.push(':'),
                _ => found.push(Token { text: sign.as_char().to_string(), line }),
            },
            TokenTree::Ident(name) => found.push(Token { text: name.to_string(), line }),
            TokenTree::Literal(literal) => {
                found.push(Token { text: literal.to_string(), line });
            }
        }
    }
}

/// Lines where the row of `texts` stands.
pub(super) fn find<'a>(
    tokens: &'a [Token],
    texts: &'a [&'a str],
) -> impl Iterator<Item = usize> + 'a {
    tokens
        .windows(texts.len())
        .filter(move |window| window.iter().zip(texts).all(|(token, text)| token.text == **text))
        .map(|window| window[0].line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_hide_nothing() {
        let tokens = flatten("fn a() {\n  assert!(\n    b.unwrap());\n  std::fs::read(\".unwrap()\");\n}");
        assert_eq!(find(&tokens, &[".", "unwrap", "(", ")"]).collect::<Vec<_>>(), [3]);
        assert_eq!(find(&tokens, &["std", "::", "fs"]).collect::<Vec<_>>(), [4]);
    }
}
