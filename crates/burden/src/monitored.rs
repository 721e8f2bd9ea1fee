//! Bed-days: for how long anybody was monitored, and where.

use std::collections::BTreeMap;

/// A device was on a patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Worn {
    /// Opaque id.
    pub patient: String,
    /// Since, in microseconds.
    pub from: i64,
    /// Until; none: still.
    pub to: Option<i64>,
}

/// A patient lay in a bed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// Opaque id.
    pub patient: String,
    /// Since, in microseconds.
    pub from: i64,
    /// Until; none: still.
    pub to: Option<i64>,
    /// Care unit.
    pub unit: String,
    /// Bed.
    pub bed: String,
}

/// Time monitored at one bed.
#[derive(Debug, Clone, PartialEq)]
pub struct Monitored {
    /// Care unit; empty when nobody knows.
    pub unit: String,
    /// Bed; empty when nobody knows.
    pub bed: String,
    /// Days, of 24 hours each.
    pub days: f64,
}

/// For how long patients with at least one device lay in each bed from `from` until `to`. Time for
/// which no bed is known is told under an empty one.
#[must_use]
pub fn monitored(worn: &[Worn], stays: &[Stay], from: i64, to: i64) -> Vec<Monitored> {
    let mut by_patient: BTreeMap<&str, Vec<(i64, i64)>> = BTreeMap::new();
    for one in worn {
        let (start, end) = (one.from.max(from), one.to.unwrap_or(to).min(to));
        if start < end {
            by_patient.entry(&one.patient).or_default().push((start, end));
        }
    }
    let mut stayed: BTreeMap<&str, Vec<&Stay>> = BTreeMap::new();
    for stay in stays {
        stayed.entry(&stay.patient).or_default().push(stay);
    }
    let mut beds: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for (patient, times) in by_patient {
        let mut places = stayed.remove(patient).unwrap_or_default();
        places.sort_by_key(|stay| stay.from);
        for (start, end) in joined(times) {
            // Where two stays overlap, the later one says where somebody is.
            let mut at = start;
            for (index, stay) in places.iter().enumerate() {
                let next = places.get(index + 1).map_or(i64::MAX, |next| next.from);
                let until = stay.to.unwrap_or(i64::MAX).min(next).min(end);
                let since = stay.from.max(at);
                if since < until {
                    *beds.entry(("", "")).or_default() += since - at;
                    *beds.entry((&stay.unit, &stay.bed)).or_default() += until - since;
                    at = until;
                }
            }
            *beds.entry(("", "")).or_default() += end - at;
        }
    }
    let told = beds.into_iter().filter(|(_, us)| *us > 0);
    told.map(|((unit, bed), us)| Monitored {
        unit: unit.to_owned(),
        bed: bed.to_owned(),
        days: us as f64 / 86_400e6,
    })
    .collect()
}

/// Times without overlap, in order.
fn joined(mut times: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    times.sort_unstable();
    let mut out: Vec<(i64, i64)> = Vec::with_capacity(times.len());
    for (from, to) in times {
        match out.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => out.push((from, to)),
        }
    }
    out
}
