//! The end-to-end check sum of the CGM and insulin delivery services (E2E-CRC): CRC-CCITT with
//! the polynomial x¹⁶+x¹²+x⁵+1, started at 0xFFFF, least significant bit first, as CGM Service 1.0
//! §3.1 describes it. It goes over every byte before it and is sent little-endian.

use crate::bytes::{Fault, GattError, Reader, Writer};

/// The check sum over `bytes`.
#[must_use]
pub fn e2e_crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xffff, |sum, byte| {
        (0..8).fold(
            sum ^ u16::from(*byte),
            |sum, _| {
                if sum & 1 == 1 { sum >> 1 ^ 0x8408 } else { sum >> 1 }
            },
        )
    })
}

/// If exactly a check sum is left, reads and compares it with what stands before, from `start`.
/// Says whether there was one.
pub(crate) fn take_crc(reader: &mut Reader<'_>, start: usize) -> Result<bool, GattError> {
    if reader.left() != 2 {
        return Ok(false);
    }
    let expected = e2e_crc(reader.since(start));
    let at = reader.clone();
    if reader.u16("e2e-crc")? == expected {
        Ok(true)
    } else {
        Err(at.error("e2e-crc", Fault::Checksum))
    }
}

/// If exactly a counter and a check sum over all before it are left (the insulin delivery
/// service's E2E-protection), reads and compares them; the counter.
pub(crate) fn take_protection(reader: &mut Reader<'_>) -> Result<Option<u8>, GattError> {
    if reader.left() != 3 {
        return Ok(None);
    }
    let counter = reader.u8("e2e-counter")?;
    take_crc(reader, 0)?;
    Ok(Some(counter))
}

/// Appends a counter and a check sum, if there is a counter.
pub(crate) fn put_protection(writer: &mut Writer, counter: Option<u8>) {
    if let Some(counter) = counter {
        writer.put([counter]);
        put_crc(writer, 0);
    }
}

/// Appends the check sum over what has been written since `start`.
pub(crate) fn put_crc(writer: &mut Writer, start: usize) {
    let sum = e2e_crc(&writer.bytes[start..]);
    writer.put(sum.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_sums() {
        // The check value of this CRC in the usual catalogues (CRC-16/MCRF4XX).
        assert_eq!(e2e_crc(b"123456789"), 0x6f91);
        assert_eq!(e2e_crc(&[]), 0xffff);
    }
}
