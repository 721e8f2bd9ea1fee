//! Codes of annotations: what is marked (WFDB's `ecgcodes.h`; the mnemonics are those that
//! annotation editors show).

/// Normal beat.
pub const NORMAL: u8 = 1;
/// Beat with left bundle branch block.
pub const LEFT_BUNDLE: u8 = 2;
/// Beat with right bundle branch block.
pub const RIGHT_BUNDLE: u8 = 3;
/// Aberrated atrial premature beat.
pub const ABERRATED_ATRIAL: u8 = 4;
/// Premature ventricular contraction.
pub const VENTRICULAR: u8 = 5;
/// Fusion of a ventricular and a normal beat.
pub const FUSION: u8 = 6;
/// Nodal (junctional) premature beat.
pub const NODAL_PREMATURE: u8 = 7;
/// Atrial premature beat.
pub const ATRIAL_PREMATURE: u8 = 8;
/// Premature or ectopic supraventricular beat.
pub const SUPRAVENTRICULAR: u8 = 9;
/// Ventricular escape beat.
pub const VENTRICULAR_ESCAPE: u8 = 10;
/// Nodal (junctional) escape beat.
pub const NODAL_ESCAPE: u8 = 11;
/// Paced beat.
pub const PACED: u8 = 12;
/// Beat that can't be classified.
pub const UNKNOWN: u8 = 13;
/// Change of signal quality.
pub const NOISE: u8 = 14;
/// Isolated artefact that looks like a beat.
pub const ARTEFACT: u8 = 16;
/// Comment.
pub const NOTE: u8 = 22;
/// Measurement.
pub const MEASURE: u8 = 23;
/// Beat with bundle branch block of a side not stated.
pub const BUNDLE: u8 = 25;
/// Pacemaker spike.
pub const PACER: u8 = 26;
/// Change of rhythm; the text names it (`(AFIB`).
pub const RHYTHM: u8 = 28;
/// Learning beat.
pub const LEARN: u8 = 30;
/// Ventricular flutter wave.
pub const FLUTTER: u8 = 31;
/// Start of ventricular flutter or fibrillation.
pub const FLUTTER_START: u8 = 32;
/// End of ventricular flutter or fibrillation.
pub const FLUTTER_END: u8 = 33;
/// Atrial escape beat.
pub const ATRIAL_ESCAPE: u8 = 34;
/// Supraventricular escape beat.
pub const SUPRAVENTRICULAR_ESCAPE: u8 = 35;
/// Non-conducted P wave.
pub const NON_CONDUCTED_P: u8 = 37;
/// Fusion of a paced and a normal beat.
pub const PACED_FUSION: u8 = 38;
/// R-on-T premature ventricular contraction.
pub const R_ON_T: u8 = 41;

/// Mnemonics by code; a space where there is none.
const SYMBOLS: &[u8; 42] = b" NLRaVFJASEj/Q~ | sT*D\"=pB^t+u?![]en@xf()r";

/// What annotation editors show for a code: one character (`N`, `V`, `+`); none for codes without.
#[must_use]
pub fn symbol(code: u8) -> Option<char> {
    SYMBOLS.get(usize::from(code)).map(|byte| char::from(*byte)).filter(|symbol| *symbol != ' ')
}

/// The code with this mnemonic.
#[must_use]
pub fn from_symbol(symbol: char) -> Option<u8> {
    let at = SYMBOLS.iter().position(|byte| char::from(*byte) == symbol)?;
    (symbol != ' ').then_some(at as u8)
}

/// Whether the code marks a beat (a QRS complex). Flutter waves are none.
#[must_use]
pub const fn is_beat(code: u8) -> bool {
    matches!(code, 1..=13 | 25 | 30 | 34 | 35 | 38 | 41)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_and_codes_are_inverse() {
        for (code, expected) in [
            (NORMAL, 'N'),
            (VENTRICULAR, 'V'),
            (SUPRAVENTRICULAR, 'S'),
            (PACED, '/'),
            (UNKNOWN, 'Q'),
            (NOISE, '~'),
            (ARTEFACT, '|'),
            (NOTE, '"'),
            (BUNDLE, 'B'),
            (PACER, '^'),
            (RHYTHM, '+'),
            (LEARN, '?'),
            (FLUTTER, '!'),
            (FLUTTER_START, '['),
            (FLUTTER_END, ']'),
            (ATRIAL_ESCAPE, 'e'),
            (SUPRAVENTRICULAR_ESCAPE, 'n'),
            (NON_CONDUCTED_P, 'x'),
            (PACED_FUSION, 'f'),
            (R_ON_T, 'r'),
        ] {
            assert_eq!(symbol(code), Some(expected), "{code}");
            assert_eq!(from_symbol(expected), Some(code));
        }
        assert_eq!(symbol(0), None);
        assert_eq!(symbol(200), None);
        assert_eq!((0..=255).filter(|code| is_beat(*code)).count(), 19);
    }
}
