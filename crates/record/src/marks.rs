//! Annotations as plain texts, for formats that have nothing but texts: `Beat V`, `Rhythm (AFIB`,
//! `Signal quality c`, and anything else as it is.

use crate::wfdb::code;

const BEAT: &str = "Beat ";
const RHYTHM: &str = "Rhythm ";
const QUALITY: &str = "Signal quality";
const OTHER: &str = "Mark ";

/// The text of an annotation with this code and text.
pub(crate) fn to_text(kind: u8, text: &str) -> String {
    let with = |head: String| if text.is_empty() { head } else { format!("{head} {text}") };
    match (kind, code::symbol(kind)) {
        (code::NOTE, _) => text.to_owned(),
        (code::RHYTHM, _) => format!("{RHYTHM}{text}"),
        (code::NOISE, _) => with(QUALITY.to_owned()),
        (kind, Some(symbol)) if code::is_beat(kind) => with(format!("{BEAT}{symbol}")),
        (_, Some(symbol)) => with(format!("{OTHER}{symbol}")),
        (kind, None) => with(format!("{OTHER}{kind}")),
    }
}

/// Code and text of an annotation that is written as `text`.
pub(crate) fn from_text(text: &str) -> (u8, String) {
    let note = || (code::NOTE, text.to_owned());
    if let Some(rest) = text.strip_prefix(RHYTHM) {
        return (code::RHYTHM, rest.to_owned());
    }
    if let Some(rest) = text.strip_prefix(QUALITY) {
        return if rest.is_empty() || rest.starts_with(' ') { (code::NOISE, rest.trim_start().to_owned()) } else { note() };
    }
    let Some(rest) = text.strip_prefix(BEAT).or_else(|| text.strip_prefix(OTHER)) else { return note() };
    let (head, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let mut letters = head.chars();
    let symbol = letters.next().filter(|_| letters.next().is_none()).and_then(code::from_symbol);
    match symbol.or_else(|| head.parse().ok()) {
        Some(kind) if text.starts_with(OTHER) || code::is_beat(kind) => (kind, rest.to_owned()),
        _ => note(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back() {
        for (kind, text, expected) in [
            (code::NORMAL, "", "Beat N"),
            (code::VENTRICULAR, "wide", "Beat V wide"),
            (code::RHYTHM, "(AFIB", "Rhythm (AFIB"),
            (code::NOISE, "", "Signal quality"),
            (code::NOISE, "c", "Signal quality c"),
            (code::PACER, "", "Mark ^"),
            (42, "x", "Mark 42 x"),
            (code::NOTE, "Patient moves", "Patient moves"),
        ] {
            assert_eq!(to_text(kind, text), expected);
            assert_eq!(from_text(expected), (kind, text.to_owned()));
        }
        for text in ["Beat it", "Beat +", "Mark Twain wrote", "Signal qualityless", ""] {
            assert_eq!(from_text(text), (code::NOTE, text.to_owned()));
        }
    }
}
