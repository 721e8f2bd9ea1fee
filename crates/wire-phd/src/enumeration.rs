//! Enumerations (IEEE 11073-20601 §6.3.6, annex A.11.3): a state that is a term of the
//! nomenclature, a text, or a string of 16 or 32 bits.

use vitals::MetricCode;

use crate::bytes::{Fault, PhdError, Reader};
use crate::config::{attr, whole};
use crate::terms;

/// Longest text of a state that is kept, bytes.
const TEXT_BYTES: usize = 1_024;

/// One observed state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// A term; its partition is that of the object unless the device says another.
    Term(u16),
    /// Text.
    Text(String),
    /// Bits, and how many there are.
    Bits(u32, u8),
}

/// A state with what else the attribute says: a metric of its own, doubts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The state.
    pub state: State,
    /// The metric, if the attribute names one.
    pub metric: Option<u16>,
    /// Doubts, as a measurement status.
    pub status: u16,
}

/// The state in an attribute; none where the attribute is no enumeration.
///
/// # Errors
/// When it is cut, too long, or a choice that there is not.
pub fn seen(id: u16, bytes: &[u8]) -> Result<Option<Seen>, PhdError> {
    let plain = |state| Some(Seen { state, metric: None, status: 0 });
    Ok(match id {
        attr::ENUM_TERM => plain(State::Term(whole(bytes, |r| r.u16("enum-obs-val-simp-oid"))?)),
        attr::ENUM_TEXT => plain(State::Text(whole(bytes, text)?)),
        attr::ENUM_BITS_16 => {
            plain(State::Bits(u32::from(whole(bytes, |r| r.u16("enum-obs-val-basic-bit-str"))?), 16))
        }
        attr::ENUM_BITS_32 => plain(State::Bits(whole(bytes, |r| r.u32("enum-obs-val-simp-bit-str"))?, 32)),
        attr::ENUM_OBS => Some(whole(bytes, observed)?),
        _ => None,
    })
}

/// `EnumObsValue`: metric, status, and a choice of 1 a term, 2 a text, 16 bits of 32.
fn observed(reader: &mut Reader<'_>) -> Result<Seen, PhdError> {
    let (metric, status) = (reader.u16("metric-id")?, reader.u16("state")?);
    let at = reader.clone();
    let choice = reader.u16("enum-val")?;
    let mut value = reader.counted("enum-val")?;
    let state = match choice {
        1 => State::Term(value.u16("enum-obj-id")?),
        2 => State::Text(text(&mut value)?),
        16 => State::Bits(value.u32("enum-bit-str")?, 32),
        code => return Err(at.error("enum-val", Fault::Code { code: u32::from(code) })),
    };
    value.end("enum-val")?;
    Ok(Seen { state, metric: Some(metric), status })
}

fn text(reader: &mut Reader<'_>) -> Result<String, PhdError> {
    let at = reader.clone();
    let bytes = reader.counted("enum-text-string")?.rest();
    if bytes.len() > TEXT_BYTES {
        return Err(at.error("enum-text-string", Fault::TooLong { extra: bytes.len() - TEXT_BYTES }));
    }
    Ok(String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned())
}

/// The number and the words of a state of `metric`, terms being of `partition`; none for a text.
#[must_use]
pub fn number(state: &State, metric: MetricCode, partition: u16) -> Option<(i32, String)> {
    match state {
        State::Term(term) => {
            let code = MetricCode(u32::from(partition) << 16 | u32::from(*term));
            Some((code.0.cast_signed(), terms::term(code)))
        }
        State::Bits(word, width) => Some((word.cast_signed(), terms::bits(metric, *word, *width))),
        State::Text(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_in_every_shape() {
        let long = [&[4, 1][..], &[b'a'; 1_025]].concat();
        for (id, bytes, state) in [
            (attr::ENUM_TERM, vec![0x03, 0xf9], Some(State::Term(1017))),
            (attr::ENUM_TERM, vec![0x03], None),
            (attr::ENUM_TEXT, vec![0, 3, b'a', b'b', 0], Some(State::Text("ab".into()))),
            (attr::ENUM_TEXT, vec![0, 3, b'a', b'b'], None),
            (attr::ENUM_TEXT, long, None),
            (attr::ENUM_BITS_16, vec![0x80, 1], Some(State::Bits(0x8001, 16))),
            (attr::ENUM_BITS_32, vec![0x80, 0, 0, 1], Some(State::Bits(0x8000_0001, 32))),
            (attr::ENUM_BITS_32, vec![0x80, 0, 0, 1, 0], None),
            (attr::ENUM_OBS, vec![0, 1, 0x40, 0, 0, 1, 0, 2, 0, 9], Some(State::Term(9))),
            (attr::ENUM_OBS, vec![0, 1, 0, 0, 0, 2, 0, 3, 0, 1, b'x'], Some(State::Text("x".into()))),
            (attr::ENUM_OBS, vec![0, 1, 0, 0, 0, 16, 0, 4, 0, 0, 0, 1], Some(State::Bits(1, 32))),
            (attr::ENUM_OBS, vec![0, 1, 0, 0, 0, 3, 0, 2, 0, 9], None),
        ] {
            let read = seen(id, &bytes).ok().flatten().map(|seen| seen.state);
            assert_eq!(read, state, "{id} {bytes:02x?}");
        }
        assert_eq!(seen(attr::NU_BASIC, &[0, 0]), Ok(None));
    }

    #[test]
    fn terms_have_names() {
        let walk = number(&State::Term(1017), MetricCode(8_454_267), 129);
        assert_eq!(walk, Some((8_455_161, "MDC_HF_ACT_WALK".to_owned())));
    }
}
