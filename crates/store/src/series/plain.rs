//! Numbers as variable-length bytes, for blocks too small for pco to pay.

use super::Damaged;

/// Appends an unsigned number, seven bits a byte, lowest first.
pub(crate) fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Appends a signed number.
pub(crate) fn put_signed(out: &mut Vec<u8>, number: i64) {
    put(out, ((number << 1) ^ (number >> 63)) as u64);
}

/// Reads what [`put`] wrote.
pub(crate) fn get(bytes: &mut &[u8]) -> Result<u64, Damaged> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(Damaged)?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(Damaged)
}

/// Reads what [`put_signed`] wrote.
pub(crate) fn get_signed(bytes: &mut &[u8]) -> Result<i64, Damaged> {
    let number = get(bytes)?;
    Ok((number >> 1) as i64 ^ -((number & 1) as i64))
}

/// Takes `length` bytes.
pub(crate) fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Result<&'a [u8], Damaged> {
    let (taken, rest) = bytes.split_at_checked(length).ok_or(Damaged)?;
    *bytes = rest;
    Ok(taken)
}

/// Appends a float: small whole numbers and tenths and hundredths short, all others in full.
pub(crate) fn put_float(out: &mut Vec<u8>, value: f64) {
    for (code, scale) in [(1_u64, 1.0), (2, 10.0), (3, 100.0)] {
        let scaled = (value * scale).round();
        let whole = scaled as i64;
        if scaled.abs() < 1e9 && (whole as f64 / scale).to_bits() == value.to_bits() {
            put(out, (((whole << 1) ^ (whole >> 63)) as u64) << 2 | code);
            return;
        }
    }
    out.push(0);
    out.extend_from_slice(&value.to_bits().to_le_bytes());
}

/// Reads what [`put_float`] wrote.
pub(crate) fn get_float(bytes: &mut &[u8]) -> Result<f64, Damaged> {
    let word = get(bytes)?;
    let scale = match word & 3 {
        0 => {
            let (bits, rest) = bytes.split_first_chunk::<8>().ok_or(Damaged)?;
            *bytes = rest;
            return Ok(f64::from_bits(u64::from_le_bytes(*bits)));
        }
        1 => 1.0,
        2 => 10.0,
        _ => 100.0,
    };
    let zigzag = word >> 2;
    let whole = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
    Ok(whole as f64 / scale)
}
