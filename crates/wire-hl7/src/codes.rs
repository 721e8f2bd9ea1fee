//! What OBX-3 and OBX-6 name: metrics by IEEE 11073 (reference id or number), LOINC or the local
//! names that plain monitors use; units by IEEE 11073 or UCUM.
//!
//! Where a reference id and a number disagree the reference id rules: people read names and
//! mistype numbers. A number beside a name that nobody knows is believed only if the name begins
//! with that number's own name.

use std::collections::HashMap;
use std::sync::LazyLock;

use vitals::{Metric, MetricCode, Unit};

use crate::syntax::Field;

/// Local names of metrics, beyond those of the tables. Case, blanks and punctuation don't matter.
#[derive(Debug, Clone, Default)]
pub struct Aliases {
    own: HashMap<String, &'static Metric>,
}

static BUILT_IN: LazyLock<HashMap<String, &'static Metric>> = LazyLock::new(|| {
    include_str!("aliases.csv")
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(','))
        .filter_map(|(name, refid)| Some((key(name), Metric::by_refid(refid)?)))
        .collect()
});

impl Aliases {
    /// Adds a site's own name for a metric; it goes before the built-in ones. False if `refid` is
    /// not in the metric table.
    pub fn add(&mut self, name: &str, refid: &str) -> bool {
        let Some(metric) = Metric::by_refid(refid) else { return false };
        self.own.insert(key(name), metric);
        true
    }

    fn find(&self, name: &str) -> Option<&'static Metric> {
        let key = key(name);
        self.own.get(&key).or_else(|| BUILT_IN.get(&key)).copied()
    }
}

/// One coded element of a CE or CWE field: identifier, text, system.
struct Coded<'a> {
    code: std::borrow::Cow<'a, str>,
    text: std::borrow::Cow<'a, str>,
    system: String,
}

impl<'a> Coded<'a> {
    /// The primary and the alternate element.
    fn both(field: &Field<'a>) -> [Self; 2] {
        [1, 4].map(|first| Self {
            code: field.component(first),
            text: field.component(first + 1),
            system: field.component(first + 2).to_uppercase(),
        })
    }

    fn is_blank(&self) -> bool {
        self.code.is_empty() && self.text.is_empty()
    }

    /// The reference id, in whichever component it stands.
    fn refid(&self) -> Option<&str> {
        [self.text.as_ref(), self.code.as_ref()].into_iter().find(|t| is_refid(t))
    }

    /// The context-free MDC number; also from the partition and code in hexadecimal that one
    /// vendor's monitors send (`0002-4182^HR^MDIL`).
    fn mdc_number(&self) -> Option<u32> {
        if self.system == "MDIL" {
            let (partition, code) = self.code.split_once('-')?;
            let hex = |text| u32::from(u16::from_str_radix(text, 16).unwrap_or(0));
            return Some(hex(partition) * 65_536 + hex(code));
        }
        let is_mdc = self.system.contains("MDC")
            || self.system.contains("11073")
            || self.system.ends_with("2.16.840.1.113883.6.24")
            || self.refid().is_some();
        if is_mdc { self.code.parse().ok() } else { None }
    }
}

/// The metric that OBX-3 names.
pub(crate) fn metric(field: &Field<'_>, aliases: &Aliases) -> Option<&'static Metric> {
    Coded::both(field).iter().filter(|c| !c.is_blank()).find_map(|coded| one_metric(coded, aliases))
}

/// The reference id that OBX-3 gives, whether the tables know it or not.
pub(crate) fn refid(field: &Field<'_>) -> Option<String> {
    Coded::both(field).iter().find_map(|c| c.refid().map(str::to_owned))
}

/// The first MDC number of a coded field.
pub(crate) fn number(field: &Field<'_>) -> Option<u32> {
    Coded::both(field).iter().find_map(Coded::mdc_number)
}

/// The code of the metric that a field names by a reference id of the tables, else by its number.
pub(crate) fn code(field: &Field<'_>) -> Option<u32> {
    let by_name = || refid(field).and_then(|refid| Metric::by_refid(&refid)).map(|metric| metric.code.0);
    by_name().or_else(|| number(field))
}

/// What OBX-6 says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnitSaid {
    /// Nothing: the metric's own unit is meant.
    Nothing,
    /// A unit that the table has.
    Known(Unit),
    /// Something else.
    Unknown,
}

/// The unit that OBX-6 names.
pub(crate) fn unit(field: &Field<'_>) -> UnitSaid {
    if field.is_empty() {
        return UnitSaid::Nothing;
    }
    let both = Coded::both(field);
    let mut said = both.iter().filter(|c| !c.is_blank()).peekable();
    if said.peek().is_none() {
        return UnitSaid::Nothing;
    }
    said.find_map(one_unit).map_or(UnitSaid::Unknown, UnitSaid::Known)
}

fn one_metric(coded: &Coded<'_>, aliases: &Aliases) -> Option<&'static Metric> {
    let number = coded.mdc_number().and_then(|n| MetricCode(n).metric());
    if let Some(refid) = coded.refid() {
        return Metric::by_refid(refid)
            .or_else(|| aliases.find(refid))
            .or_else(|| number.filter(|metric| refid.starts_with(metric.refid)));
    }
    if number.is_some() {
        return number;
    }
    if coded.system == "LN" || coded.system.contains("LOINC") || is_loinc(&coded.code) {
        return Metric::by_loinc(&coded.code);
    }
    aliases.find(&coded.code).or_else(|| aliases.find(&coded.text))
}

fn one_unit(coded: &Coded<'_>) -> Option<Unit> {
    if let Some(refid) = coded.refid() {
        return Unit::from_refid(refid);
    }
    if let Some(number) = coded.mdc_number() {
        return Unit::from_mdc(number).or_else(|| ucum(&coded.text));
    }
    ucum(&coded.code).or_else(|| ucum(&coded.text))
}

fn ucum(text: &str) -> Option<Unit> {
    if text.is_empty() {
        return None;
    }
    let plain = || -> String {
        text.chars().filter(|c| !c.is_whitespace() && *c != '.').collect::<String>().to_lowercase()
    };
    Unit::from_ucum(text).or_else(|| {
        let plain = plain();
        Unit::from_ucum(match plain.as_str() {
            "degc" | "°c" | "deg_c" | "degreec" | "degreesc" | "cel" => "Cel",
            "degf" | "°f" | "deg_f" | "degreef" | "degreesf" => "[degF]",
            "kpa" => "kPa",
            "mm[hg]" => "mm[Hg]",
            other => other,
        })
    })
}

fn is_refid(text: &str) -> bool {
    (text.starts_with("MDC_") || text.starts_with("VW_")) && !text.contains(' ')
}

fn is_loinc(code: &str) -> bool {
    code.split_once('-').is_some_and(|(number, check)| {
        (1..=7).contains(&number.len())
            && check.len() == 1
            && number.bytes().chain(check.bytes()).all(|b| b.is_ascii_digit())
    })
}

/// A name without case, blanks and punctuation.
fn key(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::{Segment, Separators};

    fn check_metric(obx3: &str, expected: Option<&str>) {
        let line = format!("OBX|||{obx3}");
        let segment = Segment::parse(&line, Separators::default()).expect("a segment");
        let found = metric(&segment.field(3), &Aliases::default()).map(|m| m.refid);
        assert_eq!(found, expected, "{obx3}");
    }

    fn check_unit(obx6: &str, expected: UnitSaid) {
        let line = format!("OBX||||||{obx6}");
        let segment = Segment::parse(&line, Separators::default()).expect("a segment");
        assert_eq!(unit(&segment.field(6)), expected, "{obx6}");
    }

    #[test]
    fn metrics_by_every_name() {
        let hr = Some("MDC_ECG_HEART_RATE");
        check_metric("147842^MDC_ECG_HEART_RATE^MDC", hr);
        check_metric("^MDC_ECG_HEART_RATE^MDC", hr);
        check_metric("MDC_ECG_HEART_RATE", hr);
        check_metric("147842^Heart rate^MDC", hr);
        check_metric("147842^^2.16.840.1.113883.6.24", hr);
        check_metric("8867-4^Heart rate^LN", hr);
        check_metric("8867-4", hr);
        check_metric("0002-4182^HR^MDIL", hr);
        check_metric("HR", hr);
        check_metric("heart rate", hr);
        check_metric("X17^HR^L", hr);
        check_metric("X17^unheard of^L^8867-4^Heart rate^LN", hr);
        check_metric("NIBP-S", Some("MDC_PRESS_BLD_NONINV_SYS"));
        check_metric("SpO2", Some("MDC_PULS_OXIM_SAT_O2"));
        check_metric("147842", None);
        check_metric("X17", None);
        check_metric("", None);
    }

    #[test]
    fn the_reference_id_rules() {
        check_metric("150456^MDC_ECG_HEART_RATE^MDC", Some("MDC_ECG_HEART_RATE"));
        check_metric("150456^MDC_PRESS_BLD_UNHEARD_OF^MDC", None);
        check_metric("150456^MDC_PULS_OXIM_SAT_O2_VENDOR^MDC", Some("MDC_PULS_OXIM_SAT_O2"));
    }

    #[test]
    fn units_by_every_name() {
        let per_minute = UnitSaid::Known(Unit::PER_MINUTE);
        check_unit("264864^MDC_DIM_BEAT_PER_MIN^MDC", per_minute);
        check_unit("/min", per_minute);
        check_unit("{beats}/min^^UCUM", per_minute);
        check_unit("BPM", per_minute);
        check_unit("0004-0aa0^bpm^MDIL", per_minute);
        check_unit("264864^^MDC", per_minute);
        check_unit("262688^MDC_DIM_MMHG^MDC", UnitSaid::Known(Unit::MMHG));
        check_unit("mmHg", UnitSaid::Known(Unit::MMHG));
        check_unit("Deg. C", UnitSaid::Known(Unit::CELSIUS));
        check_unit("", UnitSaid::Nothing);
        check_unit("furlong", UnitSaid::Unknown);
        check_unit("262688^MDC_DIM_UNHEARD_OF^MDC", UnitSaid::Unknown);
    }

    #[test]
    fn a_site_adds_its_names() {
        let mut aliases = Aliases::default();
        assert!(aliases.add("Puls (Finger)", "MDC_PULS_OXIM_PULS_RATE"));
        assert!(!aliases.add("x", "MDC_UNHEARD_OF"));
        assert_eq!(aliases.find("PULS FINGER").map(|m| m.label), Some("PR"));
    }
}
