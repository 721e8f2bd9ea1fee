//! Judging a patient: scores computed again, models asked, conditions and alerts stepped, derived values kept.

use vitals::{
    EffectiveTime, MetricCode, PatientId, Point, Quality, ReadingRef, SeriesId, SeriesKey,
};

use crate::effect::Effect;
use crate::patient::{ChosenBy, Surroundings};
use crate::{Engine, Step};

impl Engine {
    /// Judges a patient on the patient's clock: scores, conditions, alerts; and sets the timer.
    pub(crate) fn judge_patient(&mut self, id: &PatientId, cx: &mut Step, out: &mut Vec<Effect>) {
        let age = self.age_of(id);
        let policy = self.policy.clone();
        self.hold_for_edge(id);
        let Some(patient) = self.patients.get_mut(id) else { return };
        let chosen_for = patient.chosen_by.as_ref().and_then(|by| by.age_years);
        if grown(chosen_for, age) {
            let unit = patient.chosen_by.take().and_then(|by| by.unit);
            patient.configure(&policy, ChosenBy { unit, age_years: age });
            self.unsettle_normals(id);
        }
        self.follow_normals(id, cx, out);
        let Some(patient) = self.patients.get_mut(id) else { return };
        for (metric, value) in patient.rescore(age) {
            self.keep_derived(id, metric, value, cx, out);
        }
        self.foresee(id, cx, out);
        let Some(patient) = self.patients.get_mut(id) else { return };
        let mut changes = Vec::new();
        let chosen = patient.chosen_by.clone();
        let mut surroundings = Surroundings {
            normals: self.normals.get(id).map(|normals| &**normals),
            chooser: crate::normal::chooser_of(chosen.as_ref()),
            policy: &policy,
            offset: cx.offset,
            next_episode: &mut cx.next_episode,
        };
        patient.judge(&mut surroundings, &mut changes);
        let news = !changes.is_empty();
        self.push_alerts(id, changes, out);
        self.look_after(id, (news, false), cx, out);
        self.touch_patient(id);
        self.set_patient_timer(id);
    }

    /// Keeps a score as a value of its own, with us as the device.
    fn keep_derived(
        &mut self,
        id: &PatientId,
        metric: MetricCode,
        value: f64,
        cx: &mut Step,
        out: &mut Vec<Effect>,
    ) {
        let reading = self.keep_value(id, metric, value, cx, out);
        if let Some(patient) = self.patients.get_mut(id) {
            patient.scores.kept(metric, reading);
        }
    }

    /// Keeps a value of ours of the patient as of the patient's clock; gives its name.
    pub(crate) fn keep_value(
        &mut self,
        id: &PatientId,
        metric: MetricCode,
        value: f64,
        cx: &mut Step,
        out: &mut Vec<Effect>,
    ) -> ReadingRef {
        let series = self.derived_series(id, metric, 0, out);
        let (clock, recorded) = self.patients.get(id).map_or((self.now.0, false), |p| (p.clock, p.recorded));
        let recorded = if recorded { Quality::RECORDED } else { Quality::empty() };
        let index = cx.next_derived;
        cx.next_derived = cx.next_derived.saturating_add(1);
        out.push(Effect::Point(
            series,
            Point {
                time: EffectiveTime(clock),
                received: self.now,
                value,
                offset: cx.offset,
                index,
                quality: Quality::DERIVED | recorded,
            },
        ));
        ReadingRef { series, offset: cx.offset, index }
    }

    /// The series of what we ourselves conclude of a patient; `channel` says of which waveform, 0
    /// of the patient as a whole.
    pub(crate) fn derived_series(
        &mut self,
        id: &PatientId,
        metric: MetricCode,
        channel: u32,
        out: &mut Vec<Effect>,
    ) -> SeriesId {
        let known = self.patients.get(id).and_then(|patient| {
            let mut derived = patient.derived.iter();
            derived.find(|(m, c, _)| *m == metric && *c == channel).map(|(.., series)| *series)
        });
        if let Some(series) = known {
            return series;
        }
        let device = self.self_device.clone();
        self.announce(&device, out).known = true;
        let series = self.new_series();
        if let Some(patient) = self.patients.get_mut(id) {
            patient.derived.push((metric, channel, series));
        }
        let key = SeriesKey { subject: Some(id.clone()), device, metric, channel };
        out.push(Effect::SeriesOpened(series, key));
        series
    }
}

/// Whether rules by age are to be chosen again: a day older, or of another age than was known.
fn grown(chosen_for: Option<f64>, age: Option<f64>) -> bool {
    match (chosen_for, age) {
        (Some(before), Some(now)) => (now - before).abs() * 365.2425 >= 1.0,
        (before, now) => before.is_some() != now.is_some(),
    }
}
