//! Sample arrays as bytes.

use pco::ChunkConfig;
use pco::standalone::{simple_compress, simple_decompress};
use vitals::{Rate, SampleArray};

use super::Damaged;
use super::plain::{get, put};

/// Encodes a sample array without loss.
#[must_use]
pub fn encode_samples(array: &SampleArray) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, u64::from(array.rate.numerator()));
    put(&mut out, u64::from(array.rate.denominator()));
    let config = ChunkConfig::default().with_compression_level(4);
    let packed = simple_compress(&array.values(), &config).expect("the configuration is valid");
    out.extend_from_slice(&packed);
    out
}

/// Decodes what [`encode_samples`] made.
///
/// # Errors
/// [`Damaged`]
pub fn decode_samples(bytes: &[u8]) -> Result<SampleArray, Damaged> {
    let mut rest = bytes;
    let mut rate = || u32::try_from(get(&mut rest)?).map_err(|_| Damaged);
    let (rate_numerator, rate_denominator) = (rate()?, rate()?);
    let samples = simple_decompress(rest).map_err(|_| Damaged)?;
    let rate = Rate::new(rate_numerator, rate_denominator).ok_or(Damaged)?;
    Ok(SampleArray::from_values(rate, samples))
}
