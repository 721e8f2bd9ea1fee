//! Which alerts of the present a changed policy would not raise, and which it would besides.

use std::collections::HashMap;

use vitals::PatientId;

use super::present::{Numbers, Seen};
use crate::measure::{Settings, precedes};
use crate::report::{AlertLine, Changes};
use crate::watch::Raised;

/// Alerts by the number of the patient.
pub(super) type ByPatient<'a> = HashMap<u32, Vec<&'a Raised>>;

/// What both sides are looked at with.
pub(super) struct Looking<'a> {
    pub(super) numbers: &'a Numbers,
    pub(super) patients: &'a dyn Fn(u32) -> &'a Seen,
    pub(super) settings: &'a Settings,
    /// Where the past ends.
    pub(super) last: i64,
}

impl Looking<'_> {
    /// The alerts of both.
    pub(super) fn compare(&self, present: &ByPatient<'_>, changed: &ByPatient<'_>) -> Changes {
        let gone = self.only(present, changed);
        let new = self.only(changed, present);
        let all: usize = present.values().map(Vec::len).sum();
        let preceding = |lines: &[(&Raised, bool)]| lines.iter().filter(|(_, preceded)| *preceded).count() as u64;
        Changes {
            kept: (all - gone.len()) as u64,
            gone: gone.len() as u64,
            new: new.len() as u64,
            gone_preceding: preceding(&gone),
            new_preceding: preceding(&new),
            gone_list: self.lines(gone),
            new_list: self.lines(new),
        }
    }

    /// An alert, and whether it preceded an event, as it is told.
    pub(super) fn line(&self, alert: &Raised, preceded: bool) -> AlertLine {
        AlertLine::of(alert, self.numbers.name(alert.patient).map_or("", PatientId::as_str), preceded)
    }

    pub(super) fn preceded(&self, alert: &Raised) -> bool {
        let seen = (self.patients)(alert.patient);
        precedes(alert, &seen.events, seen.last, self.settings)
    }

    /// Alerts of one side beside which the other has none.
    fn only<'r>(&self, one: &ByPatient<'r>, other: &ByPatient<'_>) -> Vec<(&'r Raised, bool)> {
        let mut found = Vec::new();
        for (patient, alerts) in one {
            let others = other.get(patient).map(Vec::as_slice).unwrap_or_default();
            let alone = alerts.iter().filter(|alert| !others.iter().any(|other| self.together(alert, other)));
            found.extend(alone.map(|alert| (*alert, self.preceded(alert))));
        }
        found.sort_unstable_by_key(|(alert, preceded)| (!preceded, alert.begin, alert.id));
        found
    }

    fn together(&self, one: &Raised, other: &Raised) -> bool {
        one.group == other.group && one.begin <= other.until(self.last) && other.begin <= one.until(self.last)
    }

    fn lines(&self, mut alerts: Vec<(&Raised, bool)>) -> Vec<AlertLine> {
        alerts.truncate(self.settings.differing);
        alerts.into_iter().map(|(alert, preceded)| self.line(alert, preceded)).collect()
    }
}
