//! SenML packs (RFC 8428) as JSON and as CBOR, with IEEE 11073 reference ids as names.

use std::fmt::Write as _;

/// One value of a pack.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Value<'a> {
    /// Reference id.
    pub name: &'a str,
    /// UCUM unit; empty to leave it out.
    pub unit: &'a str,
    /// The value.
    pub value: f64,
}

/// MIME type of the JSON form.
pub const JSON: &str = "application/senml+json";
/// MIME type of the CBOR form.
pub const CBOR: &str = "application/senml+cbor";

/// A JSON pack whose values are all of one time, in microseconds since 1970.
#[must_use]
pub fn json(time_us: i64, values: &[Value<'_>]) -> Vec<u8> {
    let mut text = String::with_capacity(40 + values.len() * 56);
    text.push('[');
    for (at, v) in values.iter().enumerate() {
        text.push_str(if at == 0 { "{" } else { ",{" });
        if at == 0 {
            let (whole, part) = (time_us.div_euclid(1_000_000), time_us.rem_euclid(1_000_000));
            let _ = write!(text, "\"bt\":{whole}.{part:06},");
        }
        let _ = write!(text, "\"n\":\"{}\",", v.name);
        if !v.unit.is_empty() {
            let _ = write!(text, "\"u\":\"{}\",", v.unit);
        }
        let _ = write!(text, "\"v\":{}}}", v.value);
    }
    text.push(']');
    text.into_bytes()
}

/// A pack of one text, as JSON. Neither name nor text may hold quotes or backslashes.
#[must_use]
pub fn text_json(time_us: i64, name: &str, text: &str) -> Vec<u8> {
    let (whole, part) = (time_us.div_euclid(1_000_000), time_us.rem_euclid(1_000_000));
    format!("[{{\"bt\":{whole}.{part:06},\"n\":\"{name}\",\"vs\":\"{text}\"}}]").into_bytes()
}

/// The same pack as CBOR (labels of RFC 8428 table 6: bt −3, n 0, u 1, v 2).
#[must_use]
pub fn cbor(time_us: i64, values: &[Value<'_>]) -> Vec<u8> {
    let mut out = Vec::with_capacity(20 + values.len() * 48);
    head(&mut out, 4, values.len() as u64);
    for (at, v) in values.iter().enumerate() {
        let pairs = 2 + u64::from(at == 0) + u64::from(!v.unit.is_empty());
        head(&mut out, 5, pairs);
        if at == 0 {
            head(&mut out, 1, 2);
            float(&mut out, time_us as f64 / 1e6);
        }
        head(&mut out, 0, 0);
        text(&mut out, v.name);
        if !v.unit.is_empty() {
            head(&mut out, 0, 1);
            text(&mut out, v.unit);
        }
        head(&mut out, 0, 2);
        if v.value.fract() == 0.0 && (0.0..1e9).contains(&v.value) {
            head(&mut out, 0, v.value as u64);
        } else {
            float(&mut out, v.value);
        }
    }
    out
}

/// Initial byte and argument of a CBOR item (RFC 8949 section 3).
fn head(out: &mut Vec<u8>, major: u8, argument: u64) {
    let major = major << 5;
    match argument {
        0..24 => out.push(major | argument as u8),
        24..0x100 => out.extend([major | 24, argument as u8]),
        0x100..0x1_0000 => {
            out.push(major | 25);
            out.extend((argument as u16).to_be_bytes());
        }
        _ => {
            out.push(major | 27);
            out.extend(argument.to_be_bytes());
        }
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    head(out, 3, text.len() as u64);
    out.extend(text.as_bytes());
}

fn float(out: &mut Vec<u8>, value: f64) {
    out.push(0xfb);
    out.extend(value.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: [Value<'_>; 2] = [
        Value { name: "MDC_ECG_HEART_RATE", unit: "/min", value: 72.0 },
        Value { name: "MDC_TEMP_BODY", unit: "", value: 36.9 },
    ];

    #[test]
    fn json_is_what_rfc_8428_says() {
        assert_eq!(
            String::from_utf8(json(1_700_000_000_250_000, &VALUES)).expect("text"),
            "[{\"bt\":1700000000.250000,\"n\":\"MDC_ECG_HEART_RATE\",\"u\":\"/min\",\"v\":72},\
             {\"n\":\"MDC_TEMP_BODY\",\"v\":36.9}]"
        );
    }

    #[test]
    fn cbor_says_the_same() {
        let bytes = cbor(1_700_000_000_250_000, &VALUES);
        // array(2), map(4), -3: float64 …, 0: text(18) …
        assert_eq!(&bytes[..4], &[0x82, 0xa4, 0x22, 0xfb]);
        assert_eq!(bytes[4..12], 1_700_000_000.25_f64.to_be_bytes());
        assert_eq!(&bytes[12..14], &[0x00, 0x72]);
    }
}
