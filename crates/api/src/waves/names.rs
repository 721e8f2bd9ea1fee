//! Words of the wire for numbers of the analysis: kebab-case, stable.

use signal::{BeatClass, Reason, Rhythm};

/// The letter of a beat's class; `Q` for a number that is none.
pub(crate) fn beat(code: u8) -> char {
    BeatClass::from_code(code).unwrap_or(BeatClass::Unclassifiable).letter()
}

/// The name of a rhythm; that of an undetermined one for a number that is none.
pub(crate) fn rhythm(code: u8) -> &'static str {
    match Rhythm::from_code(code).unwrap_or(Rhythm::Undetermined) {
        Rhythm::Undetermined => "undetermined",
        Rhythm::Regular => "regular",
        Rhythm::Bradycardia => "bradycardia",
        Rhythm::Tachycardia => "tachycardia",
        Rhythm::AtrialFibrillation => "atrial-fibrillation",
        Rhythm::Bigeminy => "bigeminy",
        Rhythm::Trigeminy => "trigeminy",
        Rhythm::Couplet => "couplet",
        Rhythm::VentricularRun => "ventricular-run",
        Rhythm::Pause => "pause",
        Rhythm::ExtremeBradycardia => "extreme-bradycardia",
        Rhythm::ExtremeTachycardia => "extreme-tachycardia",
        Rhythm::VentricularTachycardia => "ventricular-tachycardia",
        Rhythm::VentricularFibrillation => "ventricular-fibrillation",
        Rhythm::Asystole => "asystole",
    }
}

/// The name of a reason to doubt a signal; `good` for 0, `noise` for a number that is none.
pub(crate) fn reason(code: u8) -> &'static str {
    const NAMES: [(Reason, &str); 7] = [
        (Reason::Flat, "flat"),
        (Reason::Clipped, "clipped"),
        (Reason::BaselineWander, "baseline-wander"),
        (Reason::Motion, "motion"),
        (Reason::Mains, "mains"),
        (Reason::LeadOff, "lead-off"),
        (Reason::Noise, "noise"),
    ];
    if code == 0 {
        return "good";
    }
    NAMES.iter().find(|(reason, _)| reason.code() == code).map_or("noise", |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_words() {
        assert_eq!([1, 2, 3, 4, 5, 6, 0].map(beat), ['N', 'S', 'V', 'P', 'F', 'Q', 'Q']);
        assert_eq!([0, 4, 14, 99].map(rhythm), ["undetermined", "atrial-fibrillation", "asystole", "undetermined"]);
        assert_eq!([0, 1, 6, 7, 99].map(reason), ["good", "flat", "lead-off", "noise", "noise"]);
    }
}
