//! Units: UCUM codes with their IEEE 11073-10101 counterparts, and conversion between them.
//!
//! The table is `units.csv` beside this file. A unit's number in it is written to journals and
//! stores: numbers are added, never changed or reused. A factor and an offset lead to the
//! dimension's base unit: `base = value × factor + offset`. The last column lists other spellings
//! of the unit, separated by spaces: `MDC_…` is a reference id, `#` and six digits a nomenclature
//! code, anything else a code that devices send in place of the UCUM one.
//!
//! Units convert only within one dimension. Mass and amount of a substance (mg/dL and mmol/L) are
//! two: what lies between them depends on the substance, see [`crate::Analyte`].

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// A unit of measure: a row of the table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Unit(u16);

struct Row {
    ucum: &'static str,
    display: &'static str,
    mdc: u32,
    refid: &'static str,
    dimension: &'static str,
    factor: f64,
    offset: f64,
}

struct Table {
    rows: HashMap<u16, Row>,
    by_ucum: HashMap<&'static str, u16>,
    /// Codes in lower case; none where two units differ in case only (`Mg` and `mg`).
    by_lower: HashMap<String, Option<u16>>,
    by_mdc: HashMap<u32, u16>,
    by_refid: HashMap<&'static str, u16>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table {
        rows: HashMap::new(),
        by_ucum: HashMap::new(),
        by_lower: HashMap::new(),
        by_mdc: HashMap::new(),
        by_refid: HashMap::new(),
    };
    for line in include_str!("units.csv").lines().skip(1).filter(|l| !l.is_empty()) {
        let f: Vec<&'static str> = line.split(',').collect();
        let number = |text: &str| text.parse::<f64>().expect("units.csv holds numbers");
        let id: u16 = f[0].parse().expect("units.csv: the id is a number");
        let row = Row {
            ucum: f[1],
            display: f[2],
            mdc: f[3].parse().unwrap_or(0),
            refid: f[4],
            dimension: f[5],
            factor: number(f[6]),
            offset: number(f[7]),
        };
        table.spelling(row.ucum, id);
        for alias in f[8].split(' ').filter(|a| !a.is_empty()) {
            let code = alias.strip_prefix('#').filter(|c| c.len() == 6);
            if let Some(code) = code.and_then(|c| c.parse().ok()) {
                table.by_mdc.insert(code, id);
            } else if alias.starts_with("MDC_") {
                table.by_refid.insert(alias, id);
            } else {
                table.spelling(alias, id);
            }
        }
        if row.mdc != 0 {
            table.by_mdc.insert(row.mdc, id);
        }
        if !row.refid.is_empty() {
            table.by_refid.insert(row.refid, id);
        }
        table.rows.insert(id, row);
    }
    table
});

impl Table {
    fn spelling(&mut self, code: &'static str, id: u16) {
        self.by_ucum.insert(code, id);
        self.by_lower
            .entry(code.to_lowercase())
            .and_modify(|other| *other = other.filter(|other| *other == id))
            .or_insert(Some(id));
    }
}

impl Unit {
    /// No unit: the UCUM unity `1`.
    pub const NONE: Self = Self(0);
    /// `/min`
    pub const PER_MINUTE: Self = Self(1);
    /// `%`
    pub const PERCENT: Self = Self(2);
    /// `mm[Hg]`
    pub const MMHG: Self = Self(3);
    /// `Cel`
    pub const CELSIUS: Self = Self(4);
    /// `mV`
    pub const MILLIVOLT: Self = Self(5);

    /// The unit with this UCUM code, or one of the spellings that devices send instead
    /// (`bpm`, `mmHg`, `degC`). Where nothing is spelled exactly so, case is disregarded (HL7's
    /// ISO+ codes: `MMHG`, `MG/DL`) if that leaves one unit only and the code has two letters or
    /// more.
    #[must_use]
    pub fn from_ucum(code: &str) -> Option<Self> {
        if let Some(id) = TABLE.by_ucum.get(code) {
            return Some(Self(*id));
        }
        let lower = (code.len() > 1).then(|| code.to_lowercase())?;
        TABLE.by_lower.get(&lower).copied().flatten().map(Self)
    }

    /// Every unit, by number.
    pub fn all() -> impl Iterator<Item = Self> {
        let mut ids: Vec<u16> = TABLE.rows.keys().copied().collect();
        ids.sort_unstable();
        ids.into_iter().map(Self)
    }

    /// What the unit measures, in our own words (`pressure`); units convert within one only.
    #[must_use]
    pub fn dimension(self) -> &'static str {
        TABLE.rows.get(&self.0).map_or("ratio", |row| row.dimension)
    }

    /// The unit with this context-free IEEE 11073-10101 code (partition 4, such as 264864 for
    /// `MDC_DIM_BEAT_PER_MIN`).
    #[must_use]
    pub fn from_mdc(code: u32) -> Option<Self> {
        TABLE.by_mdc.get(&code).map(|id| Self(*id))
    }

    /// The unit with this IEEE 11073-10101 reference id (`MDC_DIM_PERCENT`).
    #[must_use]
    pub fn from_refid(refid: &str) -> Option<Self> {
        TABLE.by_refid.get(refid).map(|id| Self(*id))
    }

    /// The UCUM code.
    #[must_use]
    pub fn ucum(self) -> &'static str {
        TABLE.rows.get(&self.0).map_or("1", |row| row.ucum)
    }

    /// What people read: `mmHg`, `°C`, `/min`; empty for no unit.
    #[must_use]
    pub fn display(self) -> &'static str {
        TABLE.rows.get(&self.0).map_or("", |row| row.display)
    }

    /// The context-free IEEE 11073-10101 code; 0 where there is none.
    #[must_use]
    pub fn mdc(self) -> u32 {
        TABLE.rows.get(&self.0).map_or(0, |row| row.mdc)
    }

    /// The IEEE 11073-10101 reference id; empty where there is none.
    #[must_use]
    pub fn refid(self) -> &'static str {
        TABLE.rows.get(&self.0).map_or("", |row| row.refid)
    }

    /// Converts `value` from this unit to `to`; none when they measure different things.
    #[must_use]
    pub fn convert(self, value: f64, to: Self) -> Option<f64> {
        if self == to {
            return Some(value);
        }
        let (from, to) = (TABLE.rows.get(&self.0)?, TABLE.rows.get(&to.0)?);
        (from.dimension == to.dimension)
            .then(|| (value * from.factor + from.offset - to.offset) / to.factor)
    }
}

impl fmt::Debug for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.ucum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: f64, from: &str, to: &str, expected: f64) {
        let from = Unit::from_ucum(from).expect("known unit");
        let to = Unit::from_ucum(to).expect("known unit");
        let got = from.convert(value, to).expect("same dimension");
        assert!((got - expected).abs() < 1e-9 * expected.abs().max(1.0), "{got} != {expected}");
    }

    // Expected values: NIST SP 811 (2008) factors worked by hand, and the definitions of the units.
    #[test]
    fn converts_what_devices_send() {
        check(98.6, "[degF]", "Cel", 37.0);
        check(37.0, "Cel", "[degF]", 98.6);
        check(310.15, "K", "Cel", 37.0);
        check(16.0, "kPa", "mm[Hg]", 120.009_852_135_305_01);
        check(10.0, "cm[H2O]", "mm[Hg]", 7.355_591_352_766_8);
        check(10.0, "mbar", "cm[H2O]", 10.197_162_129_779_283);
        check(760.0, "mm[Hg]", "hPa", 1_013.250_144_354);
        check(60.0, "/min", "Hz", 1.0);
        check(0.97, "1", "%", 97.0);
        check(154.0, "[lb_av]", "kg", 69.853_224_98);
        check(70.0, "[in_i]", "cm", 177.8);
        check(6.0, "[ft_i]", "cm", 182.88);
        check(30.0, "mL/h", "mL/min", 0.5);
        check(5.0, "L/min", "mL/s", 83.333_333_333_333_33);
        check(400.0, "L/min", "L/s", 6.666_666_666_666_667);
        check(13.5, "g/dL", "g/L", 135.0);
        check(50.0, "ng/L", "ng/mL", 0.05);
        check(2.5, "g/L", "mg/dL", 250.0);
        check(250.0, "10*3/uL", "10*9/L", 250.0);
        check(7_500.0, "/uL", "10*9/L", 7.5);
        check(4.5, "10*6/uL", "10*12/L", 4.5);
        check(15.0, "[wood'U]", "dyn.s/cm5", 1_200.0);
        check(0.3, "mg/kg/h", "ug/kg/min", 5.0);
        check(4.0, "ug/min", "mg/h", 0.24);
        check(2.0, "[iU]/min", "U/h", 120.0);
        check(0.5, "ukat/L", "U/L", 30.0);
        check(2_000.0, "kcal", "kJ", 8_368.0);
        check(1.5, "h", "min", 90.0);
        check(1.0, "mV", "uV", 1_000.0);
    }

    #[test]
    fn different_dimensions_do_not_convert() {
        assert_eq!(Unit::MMHG.convert(1.0, Unit::CELSIUS), None);
        for (from, to) in [("mg/dL", "mmol/L"), ("mmol/L", "meq/L"), ("L/min", "L/min/m2")] {
            let (from, to) = (Unit::from_ucum(from), Unit::from_ucum(to));
            let (from, to) = (from.expect("known"), to.expect("known"));
            assert_eq!(from.convert(1.0, to), None, "{from:?} {to:?}");
        }
    }

    #[test]
    fn many_names_lead_to_one_unit() {
        for (name, ucum) in [
            ("MMHG", "mm[Hg]"),
            ("MG/DL", "mg/dL"),
            ("mcg/kg/min", "ug/kg/min"),
            ("BPM", "/min"),
            ("CMH2O", "cm[H2O]"),
            ("ML/HR", "mL/h"),
        ] {
            assert_eq!(Unit::from_ucum(name).map(Unit::ucum), Some(ucum), "{name}");
        }
        assert_eq!(Unit::from_ucum("furlong"), None);
        assert_eq!(Unit::from_ucum("X"), None);
        for (code, ucum) in [
            (264_928, "/min"),
            (264_864, "/min"),
            (264_896, "/min"),
            (266_016, "mm[Hg]"),
            (265_266, "mL/h"),
            (268_192, "Cel"),
            (264_608, "Hz"),
            (266_866, "mmol/L"),
            (264_274, "mg/dL"),
            (265_619, "ug/kg/min"),
        ] {
            assert_eq!(Unit::from_mdc(code).map(Unit::ucum), Some(ucum), "{code}");
        }
        assert_eq!(Unit::from_refid("MDC_DIM_RESP_PER_MIN"), Some(Unit::PER_MINUTE));
        assert_eq!(Unit::from_refid("MDC_DIM_X_L_PER_MIN"), Unit::from_ucum("L/min"));
    }

    #[test]
    fn the_table_is_consistent() {
        let mut seen = std::collections::HashSet::new();
        let mut count = 0;
        for line in include_str!("units.csv").lines().skip(1) {
            let f: Vec<&str> = line.split(',').collect();
            assert_eq!(f.len(), 9, "{line}");
            for name in std::iter::once(f[1]).chain(f[8].split(' ')).filter(|n| !n.is_empty()) {
                assert!(seen.insert(name.to_owned()), "{name} names two units");
            }
            assert!(f[3].is_empty() || seen.insert(format!("#{}", f[3])), "{line}");
            assert!(f[6].parse::<f64>().is_ok_and(|factor| factor > 0.0), "{line}");
            count += 1;
        }
        assert_eq!(Unit::all().count(), count);
        for unit in Unit::all() {
            assert_eq!(Unit::from_ucum(unit.ucum()), Some(unit));
        }
    }
}
