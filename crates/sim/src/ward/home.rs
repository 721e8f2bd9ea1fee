//! A patient at home whose hub posts FHIR Observations.

use vitals::{DeviceId, Metric};

use super::state::{Errand, Living, Outgoing, Sender};
use crate::wire::fhir::{Components, Observation};

/// A hub posts this often, s on the wall.
const EVERY_S: u64 = 20;

/// A hub.
#[derive(Debug, Clone)]
pub(super) struct HomeHub {
    pub(super) patient: usize,
    pub(super) device: DeviceId,
}

impl HomeHub {
    pub(super) fn new(patient: usize) -> Self {
        Self { patient, device: DeviceId::sanitised(&format!("home-hub-{}", patient + 1)) }
    }

    pub(super) fn tick(
        &mut self,
        patient: &Living,
        second: u64,
        now_us: i64,
        out: &mut Vec<(Sender, Outgoing)>,
    ) {
        let due = second + self.patient as u64 * 7;
        if !due.is_multiple_of(EVERY_S) {
            return;
        }
        let v = &patient.vitals;
        let simple = |refid: &str, value: f64| {
            Metric::by_refid(refid).map(|metric| (metric, Components::One(value)))
        };
        // One kind of reading at a time, as people do at home.
        let taken = match (due / EVERY_S) % 3 {
            0 => simple("MDC_PULS_OXIM_SAT_O2", v.spo2.round()),
            1 => simple("MDC_PULS_OXIM_PULS_RATE", v.pulse_rate.round()),
            _ => cuff(v.systolic, v.diastolic, v.mean),
        };
        if let Some((metric, value)) = taken {
            let observation = Observation {
                patient: patient.who.id.as_str(),
                device: self.device.as_str(),
                time_us: now_us,
                metric,
                value,
            };
            let errand = Errand::post("/fhir/Observation", observation.to_json());
            out.push((Sender::Http, Outgoing::Request(errand)));
        }
    }
}

/// A cuff reading as one Observation with components.
pub(super) fn cuff(
    systolic: f64,
    diastolic: f64,
    mean: f64,
) -> Option<(&'static Metric, Components<'static>)> {
    let part = |refid: &str, value: f64| Some((Metric::by_refid(refid)?, value.round()));
    Some((
        Metric::by_refid("MDC_PRESS_BLD_NONINV")?,
        Components::Parts(vec![
            part("MDC_PRESS_BLD_NONINV_SYS", systolic)?,
            part("MDC_PRESS_BLD_NONINV_DIA", diastolic)?,
            part("MDC_PRESS_BLD_NONINV_MEAN", mean)?,
        ]),
    ))
}
