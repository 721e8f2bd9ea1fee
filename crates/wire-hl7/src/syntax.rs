//! The structure of a message: separators, segments, fields, repetitions, components, escapes.
//!
//! Everything borrows from the text and nothing is split before it is asked for, so a segment of
//! ten million separators costs no more than its bytes. No meaning is given to anything here.
//!
//! Source: HL7 v2.5.1 chapter 2, sections 2.5 to 2.7.

use std::borrow::Cow;
use std::fmt;

/// Fields beyond this one are not read: no segment of HL7 v2.8 has as many.
const MAX_FIELDS: usize = 80;

/// The separators that a message declares in MSH-1 and MSH-2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Separators {
    /// Between fields: `|`.
    pub field: char,
    /// Between components: `^`.
    pub component: char,
    /// Between repetitions: `~`.
    pub repetition: char,
    /// Around escape sequences: `\`.
    pub escape: char,
    /// Between subcomponents: `&`.
    pub subcomponent: char,
}

impl Default for Separators {
    fn default() -> Self {
        Self { field: '|', component: '^', repetition: '~', escape: '\\', subcomponent: '&' }
    }
}

impl Separators {
    /// Reads them from a header segment (MSH, BHS, FHS). Encoding characters that are left out are
    /// the usual ones; a fifth (truncation, v2.7) is allowed. None if the segment has no separator
    /// or uses a letter, a digit or a control character as one.
    #[must_use]
    pub fn of_header(line: &str) -> Option<Self> {
        let mut chars = line.chars().skip(3);
        let field = chars.next().filter(|c| usable(*c))?;
        let mut separators = Self { field, ..Self::default() };
        let slots = [
            &mut separators.component,
            &mut separators.repetition,
            &mut separators.escape,
            &mut separators.subcomponent,
        ];
        for slot in slots {
            match chars.next() {
                Some(c) if c == field => break,
                Some(c) if usable(c) => *slot = c,
                Some(_) => return None,
                None => break,
            }
        }
        Some(separators)
    }

    /// Resolves escape sequences: `\F\ \S\ \T\ \R\ \E\ \P\`, `\X..\` (bytes of UTF-8, else
    /// Latin-1), `\.br\` and its kin (a line break); highlighting is dropped; what is not an
    /// escape sequence stays as it is.
    #[must_use]
    pub fn unescape<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if !text.contains(self.escape) {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once(self.escape) {
            out.push_str(before);
            let sequence = after.split_once(self.escape);
            match sequence.filter(|(name, _)| self.resolve(name, &mut out)) {
                Some((_, behind)) => rest = behind,
                None => {
                    out.push(self.escape);
                    rest = after;
                }
            }
        }
        out.push_str(rest);
        Cow::Owned(out)
    }

    /// Replaces separators and line ends by escape sequences.
    #[must_use]
    pub fn escape<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let special =
            |c: char| self.name_of(c).is_some() || matches!(c, '\r' | '\n' | '\x0b' | '\x1c');
        if !text.contains(special) {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len() + 8);
        for c in text.chars() {
            match self.name_of(c) {
                Some(name) => out.extend([self.escape, name, self.escape]),
                None if special(c) => {
                    out.extend([self.escape, 'X']);
                    out.push_str(&format!("{:02X}", c as u32));
                    out.push(self.escape);
                }
                None => out.push(c),
            }
        }
        Cow::Owned(out)
    }

    fn name_of(&self, c: char) -> Option<char> {
        match c {
            c if c == self.field => Some('F'),
            c if c == self.component => Some('S'),
            c if c == self.subcomponent => Some('T'),
            c if c == self.repetition => Some('R'),
            c if c == self.escape => Some('E'),
            _ => None,
        }
    }

    /// Appends what the escape sequence means; false if it is none.
    fn resolve(&self, name: &str, out: &mut String) -> bool {
        match name {
            "F" => out.push(self.field),
            "S" => out.push(self.component),
            "T" => out.push(self.subcomponent),
            "R" => out.push(self.repetition),
            "E" => out.push(self.escape),
            "P" => out.push('#'),
            "H" | "N" => {}
            _ if name.starts_with('X') => return hexadecimal(&name[1..], out),
            _ if name.starts_with('.') && name.len() <= 6 => out.push('\n'),
            _ => return false,
        }
        true
    }
}

/// One segment.
#[derive(Debug, Clone)]
pub struct Segment<'a> {
    /// Its name: `OBX`.
    pub name: &'a str,
    /// The how many-th of its name in the message, from 1.
    pub sequence: u32,
    separators: Separators,
    fields: Vec<&'a str>,
}

impl<'a> Segment<'a> {
    /// Splits one line; none if it does not begin with a segment name and a field separator.
    #[must_use]
    pub fn parse(line: &'a str, separators: Separators) -> Option<Self> {
        let name = line.get(..3).filter(|n| n.bytes().all(|b| b.is_ascii_alphanumeric()))?;
        let body = &line[3..];
        if body.is_empty() {
            return Some(Self { name, sequence: 1, separators, fields: Vec::new() });
        }
        let body = body.strip_prefix(separators.field)?;
        let fields = body.split(separators.field).take(MAX_FIELDS).collect();
        Some(Self { name, sequence: 1, separators, fields })
    }

    /// Field number `number` as HL7 counts (in header segments the field separator itself is
    /// field 1); one that is not there is empty.
    #[must_use]
    pub fn field(&self, number: usize) -> Field<'a> {
        let first = if matches!(self.name, "MSH" | "BHS" | "FHS") { 2 } else { 1 };
        let raw = number.checked_sub(first).and_then(|at| self.fields.get(at)).copied();
        Field { raw: raw.unwrap_or(""), separators: self.separators }
    }

    /// The same segment with these fields empty; not for header segments.
    #[must_use]
    pub(crate) fn without(&self, fields: &[usize]) -> Self {
        let mut rest = self.clone();
        for number in fields {
            if let Some(field) = number.checked_sub(1).and_then(|at| rest.fields.get_mut(at)) {
                *field = "";
            }
        }
        rest
    }

    /// The separators it was split with.
    #[must_use]
    pub fn separators(&self) -> Separators {
        self.separators
    }

    /// The place of a field of this segment.
    #[must_use]
    pub fn at(&self, field: u16) -> Place {
        Place::new(self.name, self.sequence, field)
    }
}

/// One field, or one repetition of one.
#[derive(Debug, Clone, Copy)]
pub struct Field<'a> {
    /// As it stands in the message.
    pub raw: &'a str,
    separators: Separators,
}

impl<'a> Field<'a> {
    /// Whether it holds nothing but separators and blanks, or the HL7 null `""`.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let s = &self.separators;
        let hollow =
            |c: char| c == ' ' || c == s.component || c == s.repetition || c == s.subcomponent;
        self.raw == "\"\"" || self.raw.chars().all(hollow)
    }

    /// Its repetitions: one at least.
    pub fn repetitions(&self) -> impl Iterator<Item = Field<'a>> + use<'a> {
        let separators = self.separators;
        self.raw.split(separators.repetition).map(move |raw| Field { raw, separators })
    }

    /// The raw components of the first repetition.
    pub fn components(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let first = self.raw.split(self.separators.repetition).next().unwrap_or("");
        first.split(self.separators.component)
    }

    /// Component `number` (from 1) of the first repetition with escapes resolved, trimmed; the HL7
    /// null is empty.
    #[must_use]
    pub fn component(&self, number: usize) -> Cow<'a, str> {
        self.clean(self.raw_component(number))
    }

    /// Subcomponent `part` (from 1) of component `number` of the first repetition.
    #[must_use]
    pub fn subcomponent(&self, number: usize, part: usize) -> Cow<'a, str> {
        let component = self.raw_component(number);
        let raw = component.split(self.separators.subcomponent).nth(part.saturating_sub(1));
        self.clean(raw.unwrap_or(""))
    }

    /// The whole first repetition with escapes resolved, trimmed.
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        self.clean(self.raw.split(self.separators.repetition).next().unwrap_or(""))
    }

    fn raw_component(&self, number: usize) -> &'a str {
        self.components().nth(number.saturating_sub(1)).unwrap_or("")
    }

    fn clean(&self, raw: &'a str) -> Cow<'a, str> {
        let raw = raw.trim_matches(' ');
        if raw == "\"\"" { Cow::Borrowed("") } else { self.separators.unescape(raw) }
    }
}

/// A place in a message: segment, which of its name, field, component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Segment name.
    pub segment: String,
    /// The how many-th of its name, from 1.
    pub sequence: u32,
    /// Field; 0: the segment as a whole.
    pub field: u16,
}

impl Place {
    /// A place.
    #[must_use]
    pub fn new(segment: &str, sequence: u32, field: u16) -> Self {
        Self { segment: segment.to_owned(), sequence, field }
    }
}

/// `OBX[3]-5`; segments that a message has once go without a number: `PID-3`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.segment)?;
        let single = matches!(self.segment.as_str(), "MSH" | "EVN" | "PID" | "PV1" | "MRG" | "BTS");
        if !(single && self.sequence == 1) {
            write!(f, "[{}]", self.sequence)?;
        }
        if self.field > 0 {
            write!(f, "-{}", self.field)?;
        }
        Ok(())
    }
}

fn usable(c: char) -> bool {
    !c.is_alphanumeric() && !c.is_control() && !matches!(c, ' ' | '.' | '-' | '+')
}

fn hexadecimal(digits: &str, out: &mut String) -> bool {
    if digits.is_empty() || !digits.len().is_multiple_of(2) || !digits.is_ascii() {
        return false;
    }
    let bytes: Option<Vec<u8>> = (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok())
        .collect();
    let Some(bytes) = bytes else { return false };
    match std::str::from_utf8(&bytes) {
        Ok(text) => out.push_str(text),
        Err(_) => out.extend(bytes.iter().map(|b| char::from(*b))),
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn separators_of_all_versions() {
        let check = |line: &str, expected: Option<&str>| {
            let got = Separators::of_header(line).map(|s| {
                [s.field, s.component, s.repetition, s.escape, s.subcomponent].iter().collect()
            });
            assert_eq!(got, expected.map(str::to_owned), "{line}");
        };
        check(r"MSH|^~\&|A", Some(r"|^~\&"));
        check(r"MSH|^~\&#|A", Some(r"|^~\&"));
        check(r"MSH#*%!$#A", Some("#*%!$"));
        check("MSH|^|A", Some(r"|^~\&"));
        check("MSH|", Some(r"|^~\&"));
        check("MSH", None);
        check("MSHAabcd", None);
        check("MSH\u{1c}^~\\&", None);
    }

    #[test]
    fn escapes() {
        let check = |text: &str, expected: &str| {
            assert_eq!(Separators::default().unescape(text), expected, "{text}");
        };
        check(r"a\F\b\S\c\T\d\R\e\E\f", r"a|b^c&d~e\f");
        check(r"Mü\T\ller", "Mü&ller");
        check(r"\X4D\\XC3BC\ \XFC\", "Mü ü");
        check(r"\H\bold\N\ \.br\next", "bold \nnext");
        check(r"C:\temp", r"C:\temp");
        check(r"\XZZ\ \Zx\", r"\XZZ\ \Zx\");
    }

    #[test]
    fn fields_count_as_hl7_counts() {
        let msh = Segment::parse(r"MSH|^~\&|APP&1^x|FAC", Separators::default()).expect("MSH");
        assert_eq!(msh.field(2).raw, r"^~\&");
        assert_eq!(msh.field(3).component(1), "APP&1");
        assert_eq!(msh.field(3).subcomponent(1, 2), "1");
        assert_eq!(msh.field(99).raw, "");
        assert_eq!(msh.field(0).raw, "");
        let pid = Segment::parse("PID||| 1^^^A~2|\"\"", Separators::default()).expect("PID");
        assert_eq!(pid.field(3).repetitions().count(), 2);
        assert_eq!(pid.field(3).component(1), "1");
        assert!(pid.field(4).is_empty());
        assert_eq!(pid.at(3).to_string(), "PID-3");
        assert_eq!(Place::new("OBX", 3, 5).to_string(), "OBX[3]-5");
    }

    #[test]
    fn lines_that_are_no_segments() {
        for line in ["", "OB", "OBXX|1", "|OBX|", "ÄBC|1", "OBX^1"] {
            assert!(Segment::parse(line, Separators::default()).is_none(), "{line}");
        }
    }

    proptest! {
        #[test]
        fn escaping_is_undone_by_unescaping(text in any::<String>()) {
            let s = Separators::default();
            let escaped = s.escape(&text).into_owned();
            prop_assert!(!escaped.contains(['|', '^', '~', '&', '\r', '\n']));
            prop_assert_eq!(s.unescape(&escaped), text);
        }
    }
}
