//! The two scores of PhysioNet's Challenge 2012 (Silva and others, Comput Cardiol 39 (2012) 245-248).

/// Score 1: the smaller of sensitivity and positive predictivity of a binary prediction; 0 when nothing is predicted.
/// Each patient is (died, predicted to die, how often counted).
#[must_use]
pub fn binary_score(patients: impl Iterator<Item = (bool, bool, f64)>) -> f64 {
    let (mut hit, mut died, mut said) = (0.0, 0.0, 0.0);
    for (event, predicted, times) in patients {
        hit += if event && predicted { times } else { 0.0 };
        died += if event { times } else { 0.0 };
        said += if predicted { times } else { 0.0 };
    }
    if hit > 0.0 { hit / f64::max(died, said) } else { 0.0 }
}

/// Score 2: the Hosmer-Lemeshow statistic over tenths of patients by risk, divided by how far apart the mean risks of the
/// highest and the lowest tenth are. Patients are (risk, died); those left over by the division are not counted, as in
/// the Challenge. It grows with the number of patients: the Challenge's sets have 4,000.
#[must_use]
#[allow(clippy::cast_precision_loss, reason = "thousands of patients")]
pub fn lemeshow(patients: &[(f64, bool)]) -> f64 {
    let mut sorted = patients.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let tenth = sorted.len() / 10;
    let size = tenth as f64;
    let (mut sum, mut means) = (0.0, Vec::new());
    for part in sorted.chunks_exact(tenth.max(1)).take(10) {
        let deaths = part.iter().filter(|(_, died)| *died).count() as f64;
        let mean = part.iter().map(|(risk, _)| risk).sum::<f64>() / size;
        sum += (deaths - size * mean).powi(2) / (size * mean * (1.0 - mean) + 0.001);
        means.push(mean);
    }
    match (means.first(), means.last()) {
        (Some(lowest), Some(highest)) => sum / (highest - lowest),
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn score_one_is_the_smaller_of_both() {
        let said = [(true, true), (true, false), (true, true), (false, true), (false, false), (false, true)];
        assert!((binary_score(said.into_iter().map(|(died, said)| (died, said, 1.0))) - 0.5).abs() < 1e-12);
        assert!(binary_score([(true, false, 1.0)].into_iter()).abs() < 1e-12);
    }

    #[test]
    fn score_two_of_a_case_worked_by_hand() {
        // Twenty patients, two a tenth, with a risk of 5, 15, … 95 % each tenth; in the upper five tenths one of two died.
        let patients: Vec<(f64, bool)> =
            (0..20).map(|at| (f64::from(at / 2 * 10 + 5) / 100.0, at >= 10 && at % 2 == 0)).collect();
        let tenth = |p: f64, deaths: f64| (deaths - 2.0 * p) * (deaths - 2.0 * p) / (2.0 * p * (1.0 - p) + 0.001);
        let low: f64 = [0.05, 0.15, 0.25, 0.35, 0.45].iter().map(|p| tenth(*p, 0.0)).sum();
        let high: f64 = [0.55, 0.65, 0.75, 0.85, 0.95].iter().map(|p| tenth(*p, 1.0)).sum();
        assert!((lemeshow(&patients) - (low + high) / 0.9).abs() < 1e-9);
    }
}
