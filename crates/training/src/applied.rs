//! What a finished model says of patients, moment by moment, as at the bedside: by its file and through their histories.

use predict::{Judged, Model, Scratch};

use crate::cohort::{Stay, spread};
use crate::evaluate::Said;
use crate::fit;

/// What the model says. An alarm is a probability from its threshold `alert` on; where it does not judge there is none.
#[must_use]
pub fn said(model: &Model, stays: &[Stay], threads: usize) -> Said {
    let threshold = model.threshold("alert").unwrap_or(f32::INFINITY);
    let pieces: Vec<&[Stay]> = stays.chunks(200).collect();
    let parts = spread(&pieces, threads, |stays| {
        let (mut said, mut scratch) = (Said::default(), Scratch::default());
        for stay in *stays {
            stay.replay(|_, history| {
                let prediction = model.predict(history, &mut scratch);
                let probability = match prediction.judged {
                    Judged::Risk { probability, .. } => Some(probability),
                    Judged::Abstained(_) => None,
                };
                said.margins.push(prediction.margin);
                said.log_odds.push(fit::said(model.calibration(), prediction.margin));
                said.alarms.push(probability.is_some_and(|probability| probability >= threshold));
                said.judged.push(probability.is_some());
            });
        }
        said
    });
    let mut all = Said::default();
    for part in parts {
        all.margins.extend(part.margins);
        all.log_odds.extend(part.log_odds);
        all.alarms.extend(part.alarms);
        all.judged.extend(part.judged);
    }
    all
}
