//! Character sets of MSH-18 (HL7 table 0211), and the text that bytes in them stand for.
//!
//! Digits, codes and separators are ASCII in every set that HL7 allows but UTF-16, so a wrong
//! declaration can spoil a name but never a number.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// How sure the reading of the bytes is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trust {
    /// As declared, or nothing depended on it.
    Declared,
    /// The declared set is not one that we know; the text was read as UTF-8 or Windows-1252.
    UnknownSet,
    /// The bytes are not valid in the declared set; read as Windows-1252.
    Invalid,
}

/// The bytes as UTF-8 if they are UTF-16, told by a byte order mark or by the zero beside the
/// first letter; none for anything else.
pub(crate) fn utf16_to_utf8(bytes: &[u8]) -> Option<String> {
    let (encoding, text) = match bytes {
        [0xfe, 0xff, rest @ ..] => (UTF_16BE, rest),
        [0xff, 0xfe, rest @ ..] => (UTF_16LE, rest),
        [0, b'M' | b'B' | b'F', 0, ..] => (UTF_16BE, bytes),
        [b'M' | b'B' | b'F', 0, _, 0, ..] => (UTF_16LE, bytes),
        _ => return None,
    };
    Some(encoding.decode_without_bom_handling(text).0.into_owned())
}

/// The text of `bytes` with the character set that MSH-18 declares (empty: none declared).
pub(crate) fn decode<'a>(bytes: &'a [u8], declared: &str) -> (Cow<'a, str>, Trust) {
    if bytes.is_ascii() && !stateful(declared) {
        let (text, _) = UTF_8.decode_without_bom_handling(bytes);
        return (text, if known(declared) { Trust::Declared } else { Trust::UnknownSet });
    }
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    match named(declared) {
        Named::Encoding(encoding) => {
            match encoding.decode_without_bom_handling_and_without_replacement(bytes) {
                Some(text) => (text, Trust::Declared),
                None => (guess(bytes), Trust::Invalid),
            }
        }
        // Systems that say ASCII, or nothing, and send more are common: no reason for a complaint.
        Named::Ascii => (guess(bytes), Trust::Declared),
        Named::Unknown => (guess(bytes), Trust::UnknownSet),
    }
}

/// The bytes of `text` in the declared set, for an answer that its sender can read; text that the
/// set cannot hold becomes UTF-8, and then `false`.
pub(crate) fn encode<'a>(text: &'a str, declared: &str) -> (Cow<'a, [u8]>, bool) {
    if text.is_ascii() {
        return (Cow::Borrowed(text.as_bytes()), true);
    }
    if let Named::Encoding(encoding) = named(declared)
        && encoding.output_encoding() == encoding
    {
        let (bytes, _, lossy) = encoding.encode(text);
        if !lossy {
            return (bytes, true);
        }
    }
    (Cow::Borrowed(text.as_bytes()), false)
}

/// Whether MSH-18 names a set that we know (or none).
pub(crate) fn known(declared: &str) -> bool {
    !matches!(named(declared), Named::Unknown)
}

enum Named {
    Ascii,
    Encoding(&'static Encoding),
    Unknown,
}

fn stateful(declared: &str) -> bool {
    matches!(named(declared), Named::Encoding(e) if e == encoding_rs::ISO_2022_JP)
}

fn guess(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => WINDOWS_1252.decode_without_bom_handling(bytes).0,
    }
}

fn named(declared: &str) -> Named {
    let name: String = declared
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_uppercase())
        .collect();
    let label = match name.as_str() {
        "" | "ASCII" | "USASCII" | "ISOIR6" => return Named::Ascii,
        // A frame that is UTF-16 has become UTF-8 before this is asked.
        "UNICODE" | "UNICODEUTF8" | "UTF8" | "UNICODEUTF16" | "UTF16" | "ISOIR192" => "utf-8",
        "ISOIR87" | "ISOIR159" | "ISOIR14" | "ISO2022JP" => "iso-2022-jp",
        "GB18030" | "GB180302000" => "gb18030",
        "KSX1001" => "euc-kr",
        "BIG5" => "big5",
        "ISOIR100" | "LATIN1" => "iso-8859-1",
        other => {
            let part = other.strip_prefix("ISO").unwrap_or(other).strip_prefix("8859");
            let page = other
                .strip_prefix("WINDOWS")
                .or_else(|| other.strip_prefix("CP"))
                .filter(|page| page.starts_with("125"));
            let label = match (part, page) {
                (Some(part), _) => format!("iso-8859-{part}"),
                (_, Some(page)) => format!("windows-{page}"),
                _ => return Named::Unknown,
            };
            return Encoding::for_label(label.as_bytes()).map_or(Named::Unknown, Named::Encoding);
        }
    };
    Encoding::for_label(label.as_bytes()).map_or(Named::Unknown, Named::Encoding)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], declared: &str, text: &str, trust: Trust) {
        let got = decode(bytes, declared);
        assert_eq!((got.0.as_ref(), got.1), (text, trust), "{declared}");
    }

    #[test]
    fn reads_each_set() {
        check(b"M\xfcller", "8859/1", "Müller", Trust::Declared);
        check("Müller".as_bytes(), "UNICODE UTF-8", "Müller", Trust::Declared);
        check(b"\xa4", "8859/15", "€", Trust::Declared);
        check(b"\xb1", "8859/2", "ą", Trust::Declared);
        check(b"\xc6", "8859/7", "Ζ", Trust::Declared);
        check(b"\xd0", "8859/9", "Ğ", Trust::Declared);
        check(b"\x80", "WINDOWS-1252", "€", Trust::Declared);
        check(b"plain", "ASCII", "plain", Trust::Declared);
        check(b"M\xfcller", "ASCII", "Müller", Trust::Declared);
        check("Müller".as_bytes(), "", "Müller", Trust::Declared);
        check(b"M\xfcller", "UNICODE UTF-8", "Müller", Trust::Invalid);
        check(b"plain", "EBCDIC", "plain", Trust::UnknownSet);
        check(b"M\xfcller", "KLINGON", "Müller", Trust::UnknownSet);
    }

    #[test]
    fn utf16_is_recognised() {
        let little: Vec<u8> = "MSH|ä".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "MSH|ä".encode_utf16().flat_map(u16::to_be_bytes).collect();
        let marked: Vec<u8> = [0xff, 0xfe].into_iter().chain(little.clone()).collect();
        for bytes in [little, big, marked] {
            assert_eq!(utf16_to_utf8(&bytes).as_deref(), Some("MSH|ä"));
        }
        assert_eq!(utf16_to_utf8(b"MSH|^"), None);
    }

    #[test]
    fn answers_go_out_in_the_senders_set() {
        assert_eq!(encode("Müller", "8859/1").0.as_ref(), b"M\xfcller");
        assert!(!encode("Ω", "8859/1").1);
        assert_eq!(encode("Ω", "UNICODE UTF-8").0.as_ref(), "Ω".as_bytes());
    }
}
