//! A Rust file with what the rules need to know of it: its tokens, its comments, and which of its
//! lines are tests.

use std::ops::RangeInclusive;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::comments::{self, Comment};
use super::tokens::{self, Token};

/// Where in a crate a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Part of what runs.
    Program,
    /// A program beside the crate: `examples`, a fuzz target.
    Beside,
    /// Tests, benches, and the conformance suites that every backend's tests run.
    Test,
}

/// One function.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) lines: usize,
}

/// One file.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) path: String,
    pub(super) place: Place,
    pub(super) text: String,
    pub(super) comments: Vec<Comment>,
    pub(super) tokens: Vec<Token>,
    /// Imports with their full path.
    pub(super) imports: Vec<(String, usize)>,
    pub(super) functions: Vec<Function>,
    /// Lines of items that only tests are built with.
    test_lines: Vec<RangeInclusive<usize>>,
    /// Files of modules that only tests are built with.
    test_modules: Vec<String>,
    /// Why it is not Rust, if it is not.
    pub(super) broken: Option<(String, usize)>,
}

impl Source {
    pub(super) fn new(path: &str, krate: &str, text: String) -> Self {
        let in_tests = ["/tests/", "/benches/", "/conformance"].iter().any(|part| path.contains(part));
        let place = if in_tests {
            Place::Test
        } else if path.contains("/examples/") || krate == "fuzz" {
            Place::Beside
        } else {
            Place::Program
        };
        let mut source = Self {
            path: path.to_owned(),
            place,
            comments: comments::scan(&text),
            text,
            tokens: Vec::new(),
            imports: Vec::new(),
            functions: Vec::new(),
            test_lines: Vec::new(),
            test_modules: Vec::new(),
            broken: None,
        };
        match syn::parse_file(&source.text) {
            Ok(file) => {
                source.tokens = tokens::flatten(&source.text);
                source.visit_file(&file);
            }
            Err(error) => source.broken = Some((error.to_string(), error.span().start().line)),
        }
        source
    }

    /// Whether a line is built for tests only.
    pub(super) fn is_test(&self, line: usize) -> bool {
        self.place == Place::Test || self.test_lines.iter().any(|range| range.contains(&line))
    }

    /// Leaves the item out of what runs if its attributes say so; says whether they do.
    fn note_test(&mut self, attributes: &[syn::Attribute], whole: proc_macro2::Span) -> bool {
        let only_tests = attributes.iter().any(is_test_attribute);
        if only_tests {
            let begin = attributes.iter().map(|a| a.span().start().line).min();
            let begin = begin.unwrap_or(whole.start().line).min(whole.start().line);
            self.test_lines.push(begin..=whole.end().line);
        }
        only_tests
    }

    fn note_function(&mut self, name: &syn::Ident, whole: proc_macro2::Span) {
        let line = whole.start().line;
        let lines = whole.end().line - line + 1;
        self.functions.push(Function { name: name.to_string(), line, lines });
    }
}

/// `#[test]`, `#[tokio::test]`, `#[cfg(test)]`, `#[cfg(any(test, …))]`; not `#[cfg(not(test))]`.
fn is_test_attribute(attribute: &syn::Attribute) -> bool {
    if attribute.path().segments.last().is_some_and(|last| last.ident == "test") {
        return true;
    }
    let syn::Meta::List(list) = &attribute.meta else { return false };
    let words = tokens::of_stream(list.tokens.clone());
    let named = |word: &str| words.iter().any(|token| token.text == word);
    list.path.is_ident("cfg") && named("test") && !named("not")
}

impl<'ast> Visit<'ast> for Source {
    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if self.note_test(&item.attrs, item.span()) && item.content.is_none() {
            let folder = self.path.rsplit_once('/').map_or("", |(folder, _)| folder);
            let own = self.path.trim_end_matches(".rs");
            for folder in [folder, own] {
                self.test_modules.push(format!("{folder}/{}.rs", item.ident));
                self.test_modules.push(format!("{folder}/{}/mod.rs", item.ident));
            }
        }
        visit::visit_item_mod(self, item);
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.note_test(&item.attrs, item.span());
        self.note_function(&item.sig.ident, item.span());
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.note_test(&item.attrs, item.span());
        self.note_function(&item.sig.ident, item.span());
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.note_test(&item.attrs, item.span());
        visit::visit_item_impl(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.note_test(&item.attrs, item.span());
        flatten_use(&item.tree, "", &mut self.imports);
    }
}

fn flatten_use(tree: &syn::UseTree, prefix: &str, found: &mut Vec<(String, usize)>) {
    let joined = |name: &syn::Ident| {
        if prefix.is_empty() { name.to_string() } else { format!("{prefix}::{name}") }
    };
    match tree {
        syn::UseTree::Path(path) => flatten_use(&path.tree, &joined(&path.ident), found),
        syn::UseTree::Name(name) => found.push((joined(&name.ident), name.span().start().line)),
        syn::UseTree::Rename(name) => found.push((joined(&name.ident), name.span().start().line)),
        syn::UseTree::Glob(star) => found.push((format!("{prefix}::*"), star.span().start().line)),
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                flatten_use(tree, prefix, found);
            }
        }
    }
}

/// Files that another file takes in for tests only are tests.
pub(super) fn mark_test_modules(sources: &mut [Source]) {
    let modules: Vec<String> =
        sources.iter().flat_map(|source| source.test_modules.clone()).collect();
    for source in sources {
        if modules.contains(&source.path) {
            source.place = Place::Test;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::new("crates/a/src/lib.rs", "a", text.to_owned())
    }

    #[test]
    fn test_lines_are_told_apart() {
        let source = source(
            "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() {}\n}\n#[cfg(not(test))]\nfn c() {}\n#[tokio::test]\nasync fn d() {}\n",
        );
        let tests: Vec<usize> = (1..=9).filter(|line| source.is_test(*line)).collect();
        assert_eq!(tests, [2, 3, 4, 5, 8, 9]);
    }

    #[test]
    fn a_file_taken_in_for_tests_is_a_test() {
        let mut sources = vec![
            Source::new("crates/a/src/frame/mod.rs", "a", "#[cfg(test)]\nmod tests;".to_owned()),
            Source::new("crates/a/src/frame/tests.rs", "a", "fn a() {}".to_owned()),
            Source::new("crates/a/src/tests.rs", "a", "fn a() {}".to_owned()),
        ];
        mark_test_modules(&mut sources);
        let places: Vec<Place> = sources.iter().map(|source| source.place).collect();
        assert_eq!(places, [Place::Program, Place::Test, Place::Program]);
    }

    #[test]
    fn imports_are_spelled_out() {
        let source = source("use std::{fs, time::{Duration, Instant as Now}};\nuse tokio::*;");
        let imports: Vec<&str> = source.imports.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(imports, ["std::fs", "std::time::Duration", "std::time::Instant", "tokio::*"]);
    }
}
