//! A bedside device: what it sees of the patient, what is wrong with it, how it says so.

use std::fmt::Write as _;

use vitals::Metric;

use super::plan::{BedPlan, Personality};
use super::state::{Living, Outgoing, Sender, subject};
use super::waves::Recorder;
use crate::body::Vitals;
use crate::random::Random;
use crate::scenario::Trouble;
use crate::wire::{hl7, senml};

/// PCD-01 monitors report this often, s.
const HL7_EVERY_S: u64 = 5;
/// Cuff pressure is taken this often, s on the wall.
const CUFF_EVERY_S: u64 = 60;
/// Messages that a device without network keeps; older ones go first.
const KEPT: usize = 1_800;

/// One value of one metric.
type Reading = (&'static str, Option<f64>);

/// The device of a bed.
#[derive(Debug, Clone)]
pub(super) struct BedDevice {
    random: Random,
    /// Heart rate as shown: monitors average over several beats.
    heart_rate: f64,
    battery: f64,
    /// Whether this patient's pressure has been taken: a new patient's is taken at once.
    cuffed: bool,
    /// Whether it was reachable last second.
    online: bool,
    /// What it could not send.
    kept: Vec<Outgoing>,
    sequence: u64,
    /// What samples the waveforms.
    recorder: Recorder,
}

impl BedDevice {
    pub(super) fn new(mut random: Random) -> Self {
        let battery = random.between(70.0, 100.0);
        let recorder = Recorder::new(&random.fork("recorder"));
        Self {
            random,
            heart_rate: 0.0,
            battery,
            cuffed: false,
            online: true,
            kept: Vec::new(),
            sequence: 0,
            recorder,
        }
    }

    /// One second. `elapsed_s` is wall time since the patient's scenario began.
    #[allow(clippy::too_many_arguments, reason = "one call site, all of it needed")]
    pub(super) fn tick(
        &mut self,
        bed: &BedPlan,
        patient: Option<&mut Living>,
        elapsed_s: f64,
        second: u64,
        now_us: i64,
        out: &mut Vec<(Sender, Outgoing)>,
        index: usize,
    ) {
        let trouble = patient.as_ref().map_or_else(Trouble::default, |p| p.who.scenario.trouble(elapsed_s));
        let reachable = !trouble.dead && !trouble.offline;
        if self.online && !reachable {
            out.push((Sender::Bed(index), Outgoing::Vanish));
        }
        self.online = reachable;
        if trouble.dead {
            self.recorder.stop();
            return;
        }
        // Each device ticks at its own moment of the second.
        let phase_us = (index as i64 * 137_911) % 900_000;
        let time_us = now_us + phase_us + (trouble.clock_offset_s * 1e6) as i64;
        let mut messages = Vec::new();
        match patient {
            Some(patient) => {
                messages.extend(self.measure(bed, patient, &trouble, second + index as u64, time_us));
                if matches!(bed.personality, Personality::MonitorJson | Personality::MonitorCbor) {
                    self.recorder.second(bed, &mut patient.lines, &trouble, time_us, &mut messages);
                }
            }
            None => {
                self.recorder.stop();
                messages.extend(self.idle(bed, time_us).filter(|_| second.is_multiple_of(10)));
            }
        }
        if trouble.offline {
            self.kept.append(&mut messages);
            let over = self.kept.len().saturating_sub(KEPT);
            self.kept.drain(..over);
            return;
        }
        let kept = self.kept.drain(..).chain(messages);
        out.extend(kept.map(|message| (Sender::Bed(index), message)));
    }

    /// A monitor without a patient says that it is there.
    fn idle(&mut self, bed: &BedPlan, time_us: i64) -> Option<Outgoing> {
        self.heart_rate = 0.0;
        self.cuffed = false;
        (bed.personality != Personality::MonitorHl7).then(|| {
            self.encode(bed, None, time_us, &[("MDC_ATTR_VAL_BATT_CHARGE", Some(self.battery.round()))])
        })
    }

    fn measure(
        &mut self,
        bed: &BedPlan,
        patient: &Living,
        trouble: &Trouble,
        second: u64,
        time_us: i64,
    ) -> Option<Outgoing> {
        self.battery = trouble.battery_percent.unwrap_or(self.battery);
        let v = &patient.vitals;
        if self.heart_rate == 0.0 || v.heart_rate == 0.0 {
            self.heart_rate = v.heart_rate;
        }
        self.heart_rate += 0.35 * (v.heart_rate - self.heart_rate);
        if bed.personality == Personality::MonitorHl7 && !second.is_multiple_of(HL7_EVERY_S) {
            return None;
        }
        let mut readings = self.numerics(bed, v, trouble);
        let due = !self.cuffed || second.is_multiple_of(CUFF_EVERY_S);
        if due && bed.personality != Personality::Wearable {
            self.cuffed = true;
            let cuff = 1.5 * self.random.normal();
            readings.push(("MDC_PRESS_BLD_NONINV_SYS", Some((v.systolic + cuff).round())));
            readings.push(("MDC_PRESS_BLD_NONINV_DIA", Some((v.diastolic + cuff).round())));
            readings.push(("MDC_PRESS_BLD_NONINV_MEAN", Some((v.mean + cuff).round())));
        }
        if second.is_multiple_of(30) {
            readings.push(("MDC_ATTR_VAL_BATT_CHARGE", Some(self.battery.round())));
        }
        Some(self.encode(bed, Some(patient), time_us, &readings))
    }

    fn numerics(&mut self, bed: &BedPlan, v: &Vitals, trouble: &Trouble) -> Vec<Reading> {
        let r = &mut self.random;
        let (mut heart, mut spo2, mut pulse) = (self.heart_rate, v.spo2, v.pulse_rate);
        // Without a beat there is no rate to show, and no pulse to measure oxygen by.
        let beats = heart > 0.0;
        if trouble.motion {
            heart = r.between(150.0, 260.0);
            spo2 = r.between(35.0, 75.0);
            pulse = heart * r.between(0.4, 1.0);
        }
        let finger = |value: f64| (!trouble.sensor_off && beats).then(|| value.round());
        let skin = |value: f64| (!trouble.lead_off && beats).then(|| value.round());
        let mut readings = vec![
            ("MDC_ECG_HEART_RATE", skin(heart + 0.5 * r.normal())),
            ("MDC_PULS_OXIM_SAT_O2", finger((spo2 + 0.25 * r.normal()).min(100.0))),
            ("MDC_PULS_OXIM_PULS_RATE", finger(pulse)),
            ("MDC_RESP_RATE", Some((v.resp_rate + 0.3 * r.normal()).round().max(1.0))),
            ("MDC_TEMP_BODY", Some((v.temperature * 10.0).round() / 10.0)),
        ];
        if bed.intensive {
            let line = 0.6 * r.normal();
            readings.extend([
                ("MDC_PRESS_BLD_ART_ABP_SYS", Some((v.systolic + line).round())),
                ("MDC_PRESS_BLD_ART_ABP_DIA", Some((v.diastolic + line).round())),
                ("MDC_PRESS_BLD_ART_ABP_MEAN", Some((v.mean + line).round())),
                ("MDC_AWAY_CO2_ET", Some(v.etco2.round())),
                ("MDC_CONC_AWAY_O2_INSP", Some((v.inspired_oxygen * 100.0).round())),
            ]);
        }
        readings
    }

    fn encode(
        &mut self,
        bed: &BedPlan,
        patient: Option<&Living>,
        time_us: i64,
        readings: &[Reading],
    ) -> Outgoing {
        self.sequence += 1;
        match bed.personality {
            Personality::MonitorHl7 => self.pcd01(bed, patient, time_us, readings),
            Personality::Wearable => wearable(bed, time_us, readings, self.battery),
            Personality::MonitorJson | Personality::MonitorCbor => {
                let values: Vec<senml::Value<'_>> = readings
                    .iter()
                    .filter_map(|(name, value)| {
                        let unit = Metric::by_refid(name).map_or("", |metric| metric.unit.ucum());
                        value.map(|value| senml::Value { name, unit, value })
                    })
                    .collect();
                let json = bed.personality == Personality::MonitorJson;
                Outgoing::Publish {
                    topic: format!("vitalwire/{}/measurements", bed.device),
                    content_type: if json { senml::JSON } else { senml::CBOR },
                    payload: if json {
                        senml::json(time_us, &values)
                    } else {
                        senml::cbor(time_us, &values)
                    },
                }
            }
        }
    }

    fn pcd01(
        &self,
        bed: &BedPlan,
        patient: Option<&Living>,
        time_us: i64,
        readings: &[Reading],
    ) -> Outgoing {
        let values: Vec<hl7::Observation<'_>> = readings
            .iter()
            .filter_map(|(name, value)| {
                Metric::by_refid(name)
                    .map(|metric| hl7::Observation { metric, value: *value })
            })
            .collect();
        let control_id = format!("{}-{}-{}", bed.device, time_us / 1_000, self.sequence);
        let header = hl7::Header {
            application: "VWSIM-MONITOR",
            control_id: &control_id,
            time_us,
            recorded: false,
        };
        let who = patient.map(|patient| subject(&patient.who));
        let at = Some((bed.unit.as_str(), bed.room.as_str(), bed.bed.as_str()));
        Outgoing::Hl7(hl7::pcd01(&header, who.as_ref(), at, bed.device.as_str(), &values))
    }
}

/// The wearable's own JSON: milliseconds, short names, skin temperature in °F.
fn wearable(bed: &BedPlan, time_us: i64, readings: &[Reading], battery: f64) -> Outgoing {
    let find = |name: &str| readings.iter().find(|(n, _)| *n == name).and_then(|(_, value)| *value);
    let mut text = format!("{{\"ts\":{},\"fw\":\"1.4.2\",\"data\":{{", time_us.div_euclid(1_000));
    let mut first = true;
    for (key, value) in [
        ("hr", find("MDC_PULS_OXIM_PULS_RATE")),
        ("spo2", find("MDC_PULS_OXIM_SAT_O2")),
        ("rr", find("MDC_RESP_RATE")),
        ("tempF", find("MDC_TEMP_BODY").map(|c| ((c * 1.8 + 32.0) * 10.0).round() / 10.0)),
        ("batt", Some(battery.round())),
    ] {
        if let Some(value) = value {
            let _ = write!(text, "{}\"{key}\":{value}", if first { "" } else { "," });
            first = false;
        }
    }
    text.push_str("}}");
    Outgoing::Publish {
        topic: format!("wearables/{}/vitals", bed.device),
        content_type: "application/json",
        payload: text.into_bytes(),
    }
}
