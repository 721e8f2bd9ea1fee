//! The header: fixed fields of ASCII, first of the file, then of all signals, field by field.

use super::MAX_SIGNALS;
use crate::Error;

/// The header as its texts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Fields {
    pub(super) patient: String,
    pub(super) recording: String,
    pub(super) date: String,
    pub(super) time: String,
    /// `EDF+C`, `EDF+D` or nothing.
    pub(super) kind: String,
    /// Number of records, −1 if not known.
    pub(super) records: String,
    /// Seconds of a record.
    pub(super) duration: String,
    pub(super) signals: Vec<Signal>,
}

/// One signal's texts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Signal {
    pub(super) label: String,
    pub(super) transducer: String,
    pub(super) unit: String,
    pub(super) physical_min: String,
    pub(super) physical_max: String,
    pub(super) digital_min: String,
    pub(super) digital_max: String,
    pub(super) prefiltering: String,
    /// Samples in a record.
    pub(super) samples: String,
}

/// Widths of a signal's fields, in their order.
const WIDTHS: [usize; 10] = [16, 80, 8, 8, 8, 8, 8, 80, 8, 32];

impl Signal {
    fn texts(&self) -> [&str; 10] {
        [
            &self.label,
            &self.transducer,
            &self.unit,
            &self.physical_min,
            &self.physical_max,
            &self.digital_min,
            &self.digital_max,
            &self.prefiltering,
            &self.samples,
            "",
        ]
    }
}

impl Fields {
    /// Bytes of the header.
    pub(super) fn length(&self) -> usize {
        256 * (self.signals.len() + 1)
    }

    /// Reads the header at the beginning of a file.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Error> {
        let mut at = 0;
        let Some(head) = bytes.get(..256) else {
            return Err(Error::malformed("EDF header", "is shorter than 256 bytes"));
        };
        if head[0] == 0xff {
            return Err(Error::unsupported("EDF header", "24-bit BDF"));
        }
        let mut field = |width: usize| {
            let text = text(bytes.get(at..at + width).unwrap_or_default());
            at += width;
            text
        };
        if field(8) != "0" {
            return Err(Error::malformed("EDF header", "does not begin with EDF's version, 0"));
        }
        let mut fields = Self { patient: field(80), recording: field(80), date: field(8), time: field(8), ..Self::default() };
        let _header_length = field(8);
        fields.kind = field(44);
        fields.records = field(8);
        fields.duration = field(8);
        let count: usize = number("the number of signals", &field(4))?;
        if count > MAX_SIGNALS {
            return Err(Error::too_large("signals in the EDF header", MAX_SIGNALS as u64));
        }
        if bytes.len() < 256 * (count + 1) {
            return Err(Error::malformed("EDF header", "ends before its last signal"));
        }
        fields.signals = vec![Signal::default(); count];
        let mut column = |width: usize| (0..count).map(|_| field(width)).collect::<Vec<String>>();
        let mut columns = WIDTHS.map(&mut column).into_iter();
        let mut set = |put: fn(&mut Signal, String)| {
            let column = columns.next().unwrap_or_default();
            fields.signals.iter_mut().zip(column).for_each(|(signal, text)| put(signal, text));
        };
        set(|signal, text| signal.label = text);
        set(|signal, text| signal.transducer = text);
        set(|signal, text| signal.unit = text);
        set(|signal, text| signal.physical_min = text);
        set(|signal, text| signal.physical_max = text);
        set(|signal, text| signal.digital_min = text);
        set(|signal, text| signal.digital_max = text);
        set(|signal, text| signal.prefiltering = text);
        set(|signal, text| signal.samples = text);
        Ok(fields)
    }

    /// The header as bytes. Texts that are too long are cut; what is not ASCII becomes `_`.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.length());
        let mut put = |text: &str, width: usize| {
            let plain = text.chars().map(|c| if matches!(c, ' '..='~') { c as u8 } else { b'_' });
            let padded = plain.chain(std::iter::repeat(b' '));
            out.extend(padded.take(width));
        };
        put("0", 8);
        put(&self.patient, 80);
        put(&self.recording, 80);
        put(&self.date, 8);
        put(&self.time, 8);
        put(&self.length().to_string(), 8);
        put(&self.kind, 44);
        put(&self.records, 8);
        put(&self.duration, 8);
        put(&self.signals.len().to_string(), 4);
        for (column, width) in WIDTHS.into_iter().enumerate() {
            for signal in &self.signals {
                put(signal.texts()[column], width);
            }
        }
        out
    }
}

/// A field without the spaces (or zeros) that fill it; bytes beyond ASCII are Latin-1.
fn text(bytes: &[u8]) -> String {
    let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
    text.trim_matches([' ', '\0']).to_owned()
}

/// A field as a number.
pub(super) fn number<T: std::str::FromStr>(what: &str, text: &str) -> Result<T, Error> {
    // `+5` and a decimal comma occur.
    let plain = text.trim().trim_start_matches('+').replace(',', ".");
    plain.parse().map_err(|_| Error::malformed("EDF header", format!("{what} is not a number")))
}

/// `value` as the closest number of at most eight characters without an exponent, as the
/// description of EDF asks; none if it has too many digits before the point.
pub(super) fn eight(value: f64) -> Option<String> {
    let shortest = value.to_string();
    if shortest.len() <= 8 {
        return Some(if shortest == "-0" { "0".to_owned() } else { shortest });
    }
    (0..=6).rev().map(|decimals| format!("{value:.decimals$}")).find(|text| text.len() <= 8).map(|text| {
        let trimmed = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        if trimmed == "-0" { "0".to_owned() } else { trimmed.to_owned() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fit_eight_characters() {
        for (value, expected) in [
            (-163.84, Some("-163.84")),
            (0.1 + 0.2, Some("0.3")),
            (-4.999_694_842_843, Some("-4.99969")),
            (12_345_678.9, Some("12345679")),
            (-1e8, None),
            (1e-9, Some("0")),
            (-1e-9, Some("0")),
            (32_767.0, Some("32767")),
        ] {
            assert_eq!(eight(value).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn headers_come_back() {
        let signal = Signal { label: "ECG II".to_owned(), samples: "500".to_owned(), ..Signal::default() };
        let fields = Fields {
            kind: "EDF+C".to_owned(),
            records: "3".to_owned(),
            signals: vec![signal.clone(), Signal { unit: "mV".to_owned(), ..signal }],
            ..Fields::default()
        };
        let bytes = fields.write();
        assert_eq!((bytes.len(), Fields::read(&bytes)), (768, Ok(fields)));
        assert!(Fields::read(&bytes[..700]).is_err());
        assert!(Fields::read(&[0xff; 256]).is_err());
    }
}
