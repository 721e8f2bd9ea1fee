//! Units: UCUM codes with their IEEE 11073-10101 counterparts, and conversion between them.
//!
//! The table is `units.csv` beside this file. A unit's number in it is written to journals and
//! stores: numbers are added, never changed or reused. A factor and an offset lead to the
//! dimension's base unit: `base = value × factor + offset`.

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
    by_mdc: HashMap<u32, u16>,
    by_refid: HashMap<&'static str, u16>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table {
        rows: HashMap::new(),
        by_ucum: HashMap::new(),
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
        table.by_ucum.insert(row.ucum, id);
        for alias in f[8].split(' ').filter(|a| !a.is_empty()) {
            table.by_ucum.insert(alias, id);
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
    /// (`bpm`, `mmHg`, `degC`).
    #[must_use]
    pub fn from_ucum(code: &str) -> Option<Self> {
        TABLE.by_ucum.get(code).map(|id| Self(*id))
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

    #[test]
    fn converts_what_devices_send() {
        check(98.6, "[degF]", "Cel", 37.0);
        check(310.15, "K", "Cel", 37.0);
        check(16.0, "kPa", "mm[Hg]", 120.009_852_135_305);
        check(60.0, "/min", "Hz", 1.0);
        check(0.97, "1", "%", 97.0);
    }

    #[test]
    fn different_dimensions_do_not_convert() {
        assert_eq!(Unit::MMHG.convert(1.0, Unit::CELSIUS), None);
    }
}
