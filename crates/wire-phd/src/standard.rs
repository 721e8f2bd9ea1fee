//! Standard configurations: those that a specialisation fixes under a number below 0x4000, so that
//! a device need not send them. A device with a number that is not here is asked for its
//! configuration, as the standard foresees; nothing is guessed.

use crate::config::{Configuration, Object, attr};

/// The class of numerics.
const NUMERIC: u16 = 6;
/// The partition of supervisory control and data acquisition.
const SCADA: u16 = 2;

/// One numeric: handle, code, parts if it is compound, unit, and its fixed report.
struct Numeric {
    handle: u16,
    code: u16,
    parts: &'static [u16],
    unit: u16,
    report: &'static [(u16, u16)],
}

const BASIC: &[(u16, u16)] = &[(attr::NU_BASIC, 2)];
const BASIC_AT: &[(u16, u16)] = &[(attr::NU_BASIC, 2), (attr::TIME_ABSOLUTE, 8)];
const SIMPLE_AT: &[(u16, u16)] = &[(attr::NU_SIMPLE, 4), (attr::TIME_ABSOLUTE, 8)];
const PRESSURE_AT: &[(u16, u16)] = &[(attr::NU_COMPOUND_BASIC, 10), (attr::TIME_ABSOLUTE, 8)];

/// The numbers of the configurations that are here, with the specialisation of each.
pub const KNOWN: [(u16, &str); 5] = [
    (0x0190, "IEEE 11073-10404 pulse oximeter"),
    (0x02bc, "IEEE 11073-10407 blood pressure monitor"),
    (0x0320, "IEEE 11073-10408 thermometer"),
    (0x05dc, "IEEE 11073-10415 weighing scale"),
    (0x06a4, "IEEE 11073-10417 glucose meter"),
];

/// The standard configuration of this number, if it is here.
#[must_use]
pub fn standard(id: u16) -> Option<Configuration> {
    let numerics: &[Numeric] = match id {
        // Oxygen saturation in %, pulse rate a minute.
        0x0190 => &[
            Numeric { handle: 1, code: 19_384, parts: &[], unit: 544, report: BASIC },
            Numeric { handle: 10, code: 18_458, parts: &[], unit: 2720, report: BASIC },
        ],
        // Systolic, diastolic, mean in mmHg; pulse rate a minute.
        0x02bc => &[
            Numeric {
                handle: 1,
                code: 18_948,
                parts: &[18_949, 18_950, 18_951],
                unit: 3872,
                report: PRESSURE_AT,
            },
            Numeric { handle: 2, code: 18_474, parts: &[], unit: 2720, report: BASIC_AT },
        ],
        // Body temperature in °C.
        0x0320 => &[Numeric { handle: 1, code: 19_292, parts: &[], unit: 6048, report: SIMPLE_AT }],
        // Weight in kg.
        0x05dc => &[Numeric { handle: 1, code: 57_664, parts: &[], unit: 1731, report: SIMPLE_AT }],
        // Glucose in capillary whole blood, in mg/dL.
        0x06a4 => &[Numeric { handle: 1, code: 29_112, parts: &[], unit: 2130, report: BASIC_AT }],
        _ => return None,
    };
    Some(Configuration { id, objects: numerics.iter().map(Numeric::object).collect() })
}

impl Numeric {
    fn object(&self) -> Object {
        let mut attributes = vec![
            (attr::TYPE, [SCADA, self.code].map(u16::to_be_bytes).concat()),
            (attr::UNIT, self.unit.to_be_bytes().to_vec()),
            (
                attr::VALUE_MAP,
                list(self.report.iter().flat_map(|(id, len)| [*id, *len]), self.report.len()),
            ),
        ];
        if !self.parts.is_empty() {
            attributes
                .push((attr::PHYSIO_LIST, list(self.parts.iter().copied(), self.parts.len())));
        }
        Object { class: NUMERIC, handle: self.handle, attributes }
    }
}

/// A list of integers of 16 bits, with its count and length.
fn list(numbers: impl Iterator<Item = u16>, count: usize) -> Vec<u8> {
    let body: Vec<u8> = numbers.flat_map(u16::to_be_bytes).collect();
    let head = [count as u16, body.len() as u16].map(u16::to_be_bytes).concat();
    [head, body].concat()
}
