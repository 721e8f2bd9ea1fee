//! What descriptors and states are made of: texts, codes, identifiers, ranges, durations, lists.

use jiff::civil;
use markup::Element;

use crate::shape::{ElementField, Fault, Shape, Simple, shape, textual};
use crate::words::{CalibrationState, CalibrationType, TextWidth};

/// A point of time: milliseconds since 1970-01-01T00:00:00Z (`Timestamp`).
pub type Timestamp = u64;

/// A length of time in nanoseconds (`xsd:duration` of days, hours, minutes and seconds; the
/// standard's durations have no months).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span {
    /// Nanoseconds.
    pub nanos: i64,
}

impl Span {
    /// From whole seconds.
    #[must_use]
    pub const fn from_secs(seconds: i64) -> Self {
        Self { nanos: seconds.saturating_mul(1_000_000_000) }
    }

    /// From whole milliseconds.
    #[must_use]
    pub const fn from_millis(ms: i64) -> Self {
        Self { nanos: ms.saturating_mul(1_000_000) }
    }
}

impl Simple for Span {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (sign, text) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let text = text.strip_prefix('P')?;
        let (date, clock) = match text.split_once('T') {
            Some((_, "")) => return None,
            Some((date, clock)) => (date, clock),
            None if text.is_empty() => return None,
            None => (text, ""),
        };
        let mut nanos = 0_i64;
        for (mut rest, units) in [(date, &[('D', 86_400_i64)][..]), (clock, &[('H', 3_600), ('M', 60), ('S', 1)])] {
            for (unit, seconds) in units {
                if let Some((number, tail)) = rest.split_once(*unit) {
                    nanos = nanos.checked_add(scaled(number, *seconds, *unit == 'S')?)?;
                    rest = tail;
                }
            }
            if !rest.is_empty() {
                return None;
            }
        }
        Some(Self { nanos: sign * nanos })
    }

    fn text(&self) -> String {
        let sign = if self.nanos < 0 { "-" } else { "" };
        let nanos = self.nanos.unsigned_abs();
        let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
        match format!("{rest:09}").trim_end_matches('0') {
            "" => format!("{sign}PT{seconds}S"),
            fraction => format!("{sign}PT{seconds}.{fraction}S"),
        }
    }
}

/// `number` × `seconds` in nanoseconds; only seconds have a fraction, cut at the nanosecond.
fn scaled(number: &str, seconds: i64, fraction_allowed: bool) -> Option<i64> {
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) if fraction_allowed && !fraction.is_empty() => (whole, fraction),
        Some(_) => return None,
        None => (number, ""),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !(fraction.is_empty() || digits(fraction)) {
        return None;
    }
    let cut = &fraction[..fraction.len().min(9)];
    let below = format!("{cut:0<9}").parse::<i64>().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(seconds)?.checked_mul(1_000_000_000)?.checked_add(below)
}

/// A list of handles.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Handles(pub Vec<String>);

impl Simple for Handles {
    fn parse(text: &str) -> Option<Self> {
        Some(Self(text.split_ascii_whitespace().map(str::to_owned).collect()))
    }

    fn text(&self) -> String {
        self.0.join(" ")
    }
}

/// A list of numbers, such as the samples of a waveform.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Numbers(pub Vec<f64>);

impl Simple for Numbers {
    fn parse(text: &str) -> Option<Self> {
        text.split_ascii_whitespace().map(f64::parse).collect::<Option<_>>().map(Self)
    }

    fn text(&self) -> String {
        self.0.iter().map(f64::to_string).collect::<Vec<_>>().join(" ")
    }
}

/// A text in a language, or a reference to one that the localisation service has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LocalizedText {
    /// The text; may be empty where there is a reference.
    pub text: String,
    /// Reference for the localisation service (`@Ref`).
    pub reference: Option<String>,
    /// Language (`@Lang`, such as `en-US`).
    pub lang: Option<String>,
    /// Version of the text in the localisation service.
    pub version: Option<u64>,
    /// How wide the text is meant to be.
    pub width: Option<TextWidth>,
}

impl LocalizedText {
    /// A text in a language.
    #[must_use]
    pub fn new(text: impl Into<String>, lang: &str) -> Self {
        Self { text: text.into(), lang: Some(lang.to_owned()), ..Self::default() }
    }

    /// The text for a reader of `lang`: in that language, else in English, else the first that is
    /// not empty. Only the language itself counts, not its region.
    #[must_use]
    pub fn pick<'a>(texts: &'a [Self], lang: &str) -> Option<&'a str> {
        fn base(lang: &str) -> &str {
            lang.split('-').next().unwrap_or(lang)
        }
        let of = |wanted: &str| {
            texts.iter().find(|text| {
                !text.text.trim().is_empty()
                    && text.lang.as_deref().is_some_and(|l| base(l).eq_ignore_ascii_case(base(wanted)))
            })
        };
        let any = || texts.iter().find(|text| !text.text.trim().is_empty());
        of(lang).or_else(|| of("en")).or_else(any).map(|text| text.text.trim())
    }
}

impl Shape for LocalizedText {
    fn read(element: &Element) -> Result<Self, Fault> {
        use crate::shape::AttributeField as Field;
        Ok(Self {
            text: element.text.clone(),
            reference: Field::fetch(element, "Ref")?,
            lang: Field::fetch(element, "Lang")?,
            version: Field::fetch(element, "Version")?,
            width: Field::fetch(element, "TextWidth")?,
        })
    }

    fn write(&self, element: &mut Element) {
        use crate::shape::AttributeField as Field;
        element.text.clone_from(&self.text);
        self.reference.store(element, "Ref");
        self.lang.store(element, "Lang");
        self.version.store(element, "Version");
        self.width.store(element, "TextWidth");
    }
}

/// The coding system that holds where a code names none: IEEE 11073-10101.
pub const MDC: &str = "urn:oid:1.2.840.10004.1.1.1.0.0.1";

/// Other names of the same coding system.
const MDC_TOO: [&str; 3] =
    ["urn:oid:1.3.111.2.11073.10101.1", "2.16.840.1.113883.6.24", "urn:oid:2.16.840.1.113883.6.24"];

shape! {
    /// A code of the same meaning in another coding system.
    Translation {
        attr code: String = "Code",
        attr system: Option<String> = "CodingSystem",
        attr system_version: Option<String> = "CodingSystemVersion",
    }
    /// A code; without a coding system, one of IEEE 11073-10101.
    CodedValue {
        elem system_names: Vec<LocalizedText> = "CodingSystemName",
        elem descriptions: Vec<LocalizedText> = "ConceptDescription",
        elem translations: Vec<Translation> = "Translation",
        attr code: String = "Code",
        attr system: Option<String> = "CodingSystem",
        attr system_version: Option<String> = "CodingSystemVersion",
        attr symbol: Option<String> = "SymbolicCodeName",
    }
    /// An identifier within a root.
    InstanceIdentifier {
        elem kind: Option<CodedValue> = "Type",
        elem names: Vec<LocalizedText> = "IdentifierName",
        attr root: Option<String> = "Root",
        attr extension: Option<String> = "Extension",
    }
    /// A range of values; an end that is missing is open.
    Range {
        attr lower: Option<f64> = "Lower",
        attr upper: Option<f64> = "Upper",
        attr step: Option<f64> = "StepWidth",
        attr relative_accuracy: Option<f64> = "RelativeAccuracy",
        attr absolute_accuracy: Option<f64> = "AbsoluteAccuracy",
    }
    /// A number with its unit.
    Quantity {
        elem unit: CodedValue = "MeasurementUnit",
        attr value: f64 = "MeasuredValue",
    }
    /// Where something is plugged in.
    PhysicalConnector {
        elem labels: Vec<LocalizedText> = "Label",
        attr number: Option<i32> = "Number",
    }
    /// What a calibration gave.
    CalibrationResult {
        elem code: CodedValue = "Code",
        elem value: Quantity = "Value",
    }
    /// How a calibration went.
    CalibrationDocumentation {
        elem texts: Vec<LocalizedText> = "Documentation",
        elem results: Vec<CalibrationResult> = "CalibrationResult",
    }
    /// A calibration, done or due.
    CalibrationInfo {
        elem documentation: Vec<CalibrationDocumentation> = "CalibrationDocumentation",
        attr state: Option<CalibrationState> = "ComponentCalibrationState",
        attr kind: Option<CalibrationType> = "Type",
        attr time: Option<Timestamp> = "Time",
    }
}

impl CodedValue {
    /// A code of IEEE 11073-10101.
    #[must_use]
    pub fn mdc(code: u32) -> Self {
        Self { code: code.to_string(), ..Self::default() }
    }

    /// The context-free IEEE 11073-10101 code, if the code or a translation is one.
    #[must_use]
    pub fn mdc_code(&self) -> Option<u32> {
        let own = is_mdc(self.system.as_deref()).then_some(&self.code);
        let others = self.translations.iter().filter(|t| is_mdc(t.system.as_deref())).map(|t| &t.code);
        own.into_iter().chain(others).find_map(|code| code.trim().parse().ok())
    }

    /// What it is called in a language (see [`LocalizedText::pick`]), else its symbol, else the
    /// code itself.
    #[must_use]
    pub fn label(&self, lang: &str) -> &str {
        LocalizedText::pick(&self.descriptions, lang).or(self.symbol.as_deref()).unwrap_or(&self.code)
    }
}

fn is_mdc(system: Option<&str>) -> bool {
    system.is_none_or(|system| system == MDC || MDC_TOO.contains(&system))
}

impl InstanceIdentifier {
    /// An identifier with root and extension.
    #[must_use]
    pub fn new(root: &str, extension: &str) -> Self {
        Self {
            root: Some(root.to_owned()),
            extension: Some(extension.to_owned()),
            ..Self::default()
        }
    }
}

/// An element whose only content is texts of `Description` children.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Described(pub Vec<LocalizedText>);

impl Shape for Described {
    fn read(element: &Element) -> Result<Self, Fault> {
        ElementField::get(element, crate::PM, "Description").map(Self)
    }

    fn write(&self, element: &mut Element) {
        self.0.put(element, crate::PM, "Description");
    }
}

/// A date of birth as the standard allows it: `xsd:dateTime`, `date`, `gYearMonth` or `gYear`, kept
/// as written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Birth(pub String);

impl Birth {
    /// The day, where the text has one.
    #[must_use]
    pub fn date(&self) -> Option<civil::Date> {
        self.0.get(..10)?.parse().ok()
    }
}

impl Simple for Birth {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = text.get(..4)?.bytes().all(|b| b.is_ascii_digit());
        (digits && text.len() <= 40).then(|| Self(text.to_owned()))
    }

    fn text(&self) -> String {
        self.0.clone()
    }
}
textual!(Birth);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, nanos) in [
            ("PT5S", Some(5_000_000_000)),
            ("PT0.01S", Some(10_000_000)),
            ("P1DT2H3M4.5S", Some(93_784_500_000_000)),
            ("-PT1M", Some(-60_000_000_000)),
            ("P0D", Some(0)),
            ("PT0.0000000009S", Some(0)),
            ("P1Y", None),
            ("P1M", None),
            ("PT", None),
            ("P", None),
            ("5", None),
            ("PT1.5M", None),
            ("PTS", None),
            ("PT.5S", None),
            ("PT1S2M", None),
            ("P99999999999D", None),
        ] {
            assert_eq!(Span::parse(text).map(|s| s.nanos), nanos, "{text}");
        }
        assert_eq!(Span::from_millis(10).text(), "PT0.01S");
    }

    #[test]
    fn a_text_is_picked_by_language() {
        let texts = [LocalizedText::new("Herzfrequenz", "de-DE"), LocalizedText::new("Heart rate", "en-US")];
        assert_eq!(LocalizedText::pick(&texts, "de"), Some("Herzfrequenz"));
        assert_eq!(LocalizedText::pick(&texts, "fr"), Some("Heart rate"));
        assert_eq!(LocalizedText::pick(&texts[..1], "fr"), Some("Herzfrequenz"));
        assert_eq!(LocalizedText::pick(&[], "fr"), None);
    }

    #[test]
    fn codes_are_of_the_nomenclature_or_translated() {
        let other = CodedValue {
            code: "8867-4".to_owned(),
            system: Some("urn:oid:2.16.840.1.113883.6.1".to_owned()),
            translations: vec![Translation { code: "147842".to_owned(), ..Translation::default() }],
            ..CodedValue::default()
        };
        assert_eq!(other.mdc_code(), Some(147_842));
        assert_eq!(CodedValue::mdc(147_842).mdc_code(), Some(147_842));
        assert_eq!(CodedValue { translations: Vec::new(), ..other }.mdc_code(), None);
    }
}
