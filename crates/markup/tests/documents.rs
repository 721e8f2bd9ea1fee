//! What is read, what is refused, and that writing and reading undo each other.

use markup::{Element, Error, Limits, read, write};
use proptest::prelude::*;

fn parse(text: &str) -> Result<Element, Error> {
    read(text.as_bytes(), &Limits::default())
}

#[test]
fn names_are_resolved_whatever_the_prefix() {
    let a = parse(r#"<a:x xmlns:a="urn:1" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:type="a:T" k="v"><a:y>1</a:y></a:x>"#);
    let b = parse("<x xmlns=\"urn:1\" xmlns:q='urn:1' xmlns:i='http://www.w3.org/2001/XMLSchema-instance'\n i:type=' q:T ' k='v'>\n <y>1</y>\n</x>");
    assert_eq!(a, b);
    let a = a.expect("it reads");
    assert_eq!(a.type_name(), Some(("urn:1", "T")));
    assert_eq!(a.text_of("urn:1", "y"), Some("1"));
    assert_eq!(a.resolve("a:Q").map(|(ns, local)| (ns.to_string(), local)), Some(("urn:1".to_owned(), "Q")));
    assert_eq!(a.resolve("z:Q"), None);
}

#[test]
fn text_is_unescaped_and_put_together() {
    let x = parse("\u{feff}<?xml version=\"1.0\"?><!-- c --><x a='1&#10;2\n3&amp;'>a&lt;<![CDATA[<&]]>&#x41;<!-- c -->b</x>").expect("it reads");
    assert_eq!((x.text.as_str(), x.attribute("a")), ("a<<&Ab", Some("1\n2 3&")));
}

#[test]
fn what_is_not_accepted_is_refused() {
    let deep = "<x>".repeat(65) + &"</x>".repeat(65);
    let many = format!("<x>{}</x>", "<y/>".repeat(200_000));
    let declared = format!("<x {}/>", (0..70).map(|n| format!("xmlns:p{n}='urn:{n}'")).collect::<Vec<_>>().join(" "));
    type Check = fn(&Error) -> bool;
    let refused: [(&str, Check); 17] = [
        ("", |e| matches!(e, Error::Syntax(_))),
        ("x", |e| matches!(e, Error::Syntax(_))),
        ("<x>", |e| matches!(e, Error::Syntax(_))),
        ("<x></y>", |e| matches!(e, Error::Syntax(_))),
        ("<x/><y/>", |e| matches!(e, Error::Syntax(_))),
        ("<x a='1' a='2'/>", |e| matches!(e, Error::Syntax(_))),
        ("<a:x/>", |e| matches!(e, Error::Prefix(_))),
        ("<!DOCTYPE x [<!ENTITY e 'v'>]><x>&e;</x>", |e| matches!(e, Error::DocumentType(_))),
        ("<x>&e;</x>", |e| matches!(e, Error::DocumentType(_))),
        ("<x a='&e;'/>", |e| matches!(e, Error::DocumentType(_))),
        // Characters that XML does not have, also by their number.
        ("<x a='\u{f}'/>", |e| matches!(e, Error::Syntax(6))),
        ("<x><![CDATA[\u{0}]]></x>", |e| matches!(e, Error::Syntax(12))),
        ("<x>&#15;</x>", |e| matches!(e, Error::Syntax(_))),
        ("<x a='&#xFFFF;'/>", |e| matches!(e, Error::Syntax(_))),
        (&deep, |e| *e == Error::Limit("depth")),
        (&many, |e| *e == Error::Limit("elements")),
        (&declared, |e| *e == Error::Limit("namespace declarations")),
    ];
    for (text, check) in refused {
        let error = parse(text).expect_err(&text[..text.len().min(60)]);
        assert!(check(&error), "{error} for {}", &text[..text.len().min(60)]);
    }
    assert_eq!(read(b"<x/>", &Limits { bytes: 3, ..Limits::default() }), Err(Error::Limit("bytes")));
}

fn tree() -> impl Strategy<Value = Element> {
    let text = "[ -~\u{e4}\u{4e2d}\n\t\r]{0,12}";
    let leaf = ("urn:[abc]", "[a-z]{1,6}", text, proptest::collection::btree_map("[a-z]{1,4}", text, 0..3)).prop_map(
        |(ns, name, text, attributes)| {
            let mut element = Element::with_text(&ns, &name, text);
            for (name, value) in attributes.into_iter().filter(|(name, _)| !name.starts_with("xml")) {
                element.set("", &name, value);
            }
            element
        },
    );
    leaf.prop_recursive(4, 24, 4, |inner| {
        (("urn:[abc]", "[a-z]{1,6}", any::<bool>()), proptest::collection::vec(inner, 1..4)).prop_map(
            |((ns, name, typed), children)| {
                let mut element = Element { children, ..Element::new(&ns, &name) };
                if typed {
                    element.set_type("urn:types", "T");
                }
                element
            },
        )
    })
}

proptest! {
    #[test]
    fn reading_undoes_writing(tree in tree()) {
        for prefixes in [&[][..], &[("pm", "urn:a"), ("msg", "urn:types")][..]] {
            let text = write(&tree, prefixes);
            prop_assert_eq!(&read(text.as_bytes(), &Limits::default()).expect(&text), &tree);
        }
    }

    #[test]
    fn any_text_gets_an_answer(text in "[<>a/='\"&;!\\[\\]:# x-]{0,60}") {
        let _ = parse(&text);
    }
}
