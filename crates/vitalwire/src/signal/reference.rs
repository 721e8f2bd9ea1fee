//! What the experts marked: beats, episodes, and where beats do not count.

use record::Annotation;
use record::wfdb::code;
use signal::BeatClass;
use signal::evaluate::{Episodes, Mark, Scope, Span};

/// The truth about a record.
pub(super) struct Reference {
    pub beats: Vec<Mark>,
    pub scope: Scope,
    pub fibrillation: Episodes,
    pub ventricular_tachycardia: Episodes,
    pub ventricular_fibrillation: Episodes,
}

/// The class that ANSI/AAMI EC57:2012, table 3, puts a beat of an annotation code in; none for what is no
/// beat.
fn class(annotation: u8) -> Option<BeatClass> {
    Some(match annotation {
        code::NORMAL | code::LEFT_BUNDLE | code::RIGHT_BUNDLE | code::BUNDLE | code::NODAL_ESCAPE
        | code::ATRIAL_ESCAPE => BeatClass::Normal,
        code::ABERRATED_ATRIAL | code::NODAL_PREMATURE | code::ATRIAL_PREMATURE | code::SUPRAVENTRICULAR
        | code::SUPRAVENTRICULAR_ESCAPE => BeatClass::Supraventricular,
        code::VENTRICULAR | code::VENTRICULAR_ESCAPE | code::R_ON_T => BeatClass::Ventricular,
        code::FUSION => BeatClass::Fusion,
        code::PACED | code::PACED_FUSION => BeatClass::Paced,
        code::UNKNOWN | code::LEARN => BeatClass::Unclassifiable,
        _ => return None,
    })
}

impl Reference {
    /// Out of the annotations of a record that lasts `end_us`; what is before `from_us` does not count.
    pub fn new(annotations: &[Annotation], from_us: i64, end_us: i64) -> Self {
        let flutter = flutter(annotations, end_us);
        let named = |names: &[&str]| Episodes::new(rhythm(annotations, names, end_us), from_us);
        let mut ventricular = rhythm(annotations, &["(VFL", "(VF"], end_us);
        ventricular.extend(&flutter);
        Self {
            beats: beats(annotations),
            scope: Scope { from_us, excluded: flutter },
            fibrillation: named(&["(AFIB"]),
            ventricular_tachycardia: named(&["(VT"]),
            ventricular_fibrillation: Episodes::new(ventricular, from_us),
        }
    }
}

/// The annotations that are beats.
pub(super) fn beats(annotations: &[Annotation]) -> Vec<Mark> {
    let mark = |a: &Annotation| class(a.code).map(|class| Mark { time_us: a.time_us(), class });
    annotations.iter().filter_map(mark).collect()
}

/// From each start of ventricular flutter or fibrillation to its end.
fn flutter(annotations: &[Annotation], end_us: i64) -> Vec<Span> {
    let mut spans = Vec::new();
    let mut start = None;
    for annotation in annotations {
        match annotation.code {
            code::FLUTTER_START => start = Some(annotation.time_us()),
            code::FLUTTER_END => {
                spans.extend(start.take().map(|from_us| Span { from_us, to_us: annotation.time_us() }));
            }
            _ => {}
        }
    }
    spans.extend(start.map(|from_us| Span { from_us, to_us: end_us }));
    spans
}

/// From each rhythm mark of one of these names to the next rhythm mark.
fn rhythm(annotations: &[Annotation], names: &[&str], end_us: i64) -> Vec<Span> {
    let marks: Vec<&Annotation> = annotations.iter().filter(|a| a.code == code::RHYTHM).collect();
    let ends = marks.iter().skip(1).map(|mark| mark.time_us()).chain([end_us]);
    marks
        .iter()
        .zip(ends)
        .filter(|(mark, _)| names.contains(&mark.text.trim_end_matches('\0').trim()))
        .map(|(mark, to_us)| Span { from_us: mark.time_us(), to_us })
        .collect()
}
