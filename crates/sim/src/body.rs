//! One patient's physiology: heart, pressures, ventilation, oxygen, temperature and mind move as
//! one body, in steps of one second.
//!
//! A model for demonstrations and tests, not for treatment. Its parts are textbook relations:
//! mean pressure is flow times resistance with a baroreflex around it; arterial carbon dioxide is
//! production over alveolar ventilation; oxygen follows the alveolar gas equation, Severinghaus'
//! saturation curve (J Appl Physiol 1979;46:599) and a shunt. Devices and their faults are not
//! here: this is what is true of the patient.

use vitals::Sex;

use crate::random::Random;

/// What a person is like at rest and in health.
#[derive(Debug, Clone, PartialEq)]
pub struct Constitution {
    /// Age in years.
    pub age_years: f64,
    /// Sex.
    pub sex: Sex,
    /// Resting heart rate, beats a minute.
    pub heart_rate: f64,
    /// Mean arterial pressure, mmHg.
    pub mean_pressure: f64,
    /// Stroke volume, ml.
    pub stroke_volume: f64,
    /// Pulse pressure, mmHg.
    pub pulse_pressure: f64,
    /// Breaths a minute.
    pub resp_rate: f64,
    /// Core temperature, °C.
    pub temperature: f64,
    /// Arterial CO2 that breathing settles at, mmHg.
    pub paco2: f64,
    /// Alveolar-arterial oxygen difference, mmHg.
    pub oxygen_gradient: f64,
    /// Lung disease with chronic retention (NEWS2 SpO2 scale 2).
    pub copd: bool,
}

impl Constitution {
    /// A person of this age and sex, with the scatter that people have.
    #[must_use]
    pub fn new(age_years: f64, sex: Sex, copd: bool, random: &mut Random) -> Self {
        let child = age_years < 16.0;
        let youth = (16.0 - age_years).max(0.0) / 16.0;
        let old = ((age_years - 40.0) / 40.0).clamp(0.0, 1.2);
        let female = if sex == Sex::Female { 1.0 } else { 0.0 };
        Self {
            age_years,
            sex,
            heart_rate: 70.0 + 4.0 * female + 55.0 * youth + 4.0 * random.normal(),
            mean_pressure: if child {
                85.0 - 25.0 * youth
            } else {
                88.0 + 6.0 * old - 2.0 * female + 3.0 * random.normal()
            },
            stroke_volume: 75.0 - 8.0 * female - 45.0 * youth,
            pulse_pressure: 42.0 + 14.0 * old - 12.0 * youth + 2.0 * random.normal(),
            resp_rate: 14.5 + 14.0 * youth + if copd { 4.0 } else { 0.0 } + random.normal(),
            temperature: 36.8 + 0.12 * random.normal(),
            paco2: if copd { 51.0 } else { 39.5 } + random.normal(),
            oxygen_gradient: 6.0 + 6.0 * old + if copd { 16.0 } else { 0.0 },
            copd,
        }
    }
}

/// What illness and treatment do to the body at a moment: the scenario's handle on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drives {
    /// Circulating volume as a fraction of normal.
    pub blood_volume: f64,
    /// Vascular resistance as a factor: below 1 is vasodilation.
    pub resistance: f64,
    /// Strength of the heart as a factor.
    pub contractility: f64,
    /// Systemic infection, 0 none to 1 overwhelming: fever, fast breathing, confusion.
    pub infection: f64,
    /// Drive to breathe as a factor; opioids lower it.
    pub respiratory_drive: f64,
    /// Fraction of blood passing the lungs without meeting air, beyond the normal 2%.
    pub shunt: f64,
    /// Inspired oxygen fraction; more than 0.21 is supplemental oxygen.
    pub inspired_oxygen: f64,
    /// How far atrial fibrillation has the rate: 0 sinus rhythm, 1 fast fibrillation.
    pub fibrillation: f64,
    /// Sedation by drugs, 0 to 1.
    pub sedation: f64,
    /// Moving about, 0 at rest to 1 walking.
    pub activity: f64,
}

impl Default for Drives {
    fn default() -> Self {
        Self {
            blood_volume: 1.0,
            resistance: 1.0,
            contractility: 1.0,
            infection: 0.0,
            respiratory_drive: 1.0,
            shunt: 0.0,
            inspired_oxygen: 0.21,
            fibrillation: 0.0,
            sedation: 0.0,
            activity: 0.0,
        }
    }
}

/// Level of consciousness on the ACVPU scale; the numbers are those of `VW_CONSCIOUSNESS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Consciousness {
    /// Alert.
    Alert = 0,
    /// Newly confused.
    Confused = 1,
    /// Responds to voice.
    Voice = 2,
    /// Responds to pain.
    Pain = 3,
    /// Unresponsive.
    Unresponsive = 4,
}

/// What is true of the patient now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vitals {
    /// Electrical heart rate, /min.
    pub heart_rate: f64,
    /// Pulse that reaches the finger, /min.
    pub pulse_rate: f64,
    /// Systolic arterial pressure, mmHg.
    pub systolic: f64,
    /// Diastolic arterial pressure, mmHg.
    pub diastolic: f64,
    /// Mean arterial pressure, mmHg.
    pub mean: f64,
    /// Breaths a minute.
    pub resp_rate: f64,
    /// Peripheral oxygen saturation, %.
    pub spo2: f64,
    /// End-tidal carbon dioxide, mmHg.
    pub etco2: f64,
    /// Core temperature, °C.
    pub temperature: f64,
    /// Level of consciousness.
    pub consciousness: Consciousness,
    /// Inspired oxygen fraction.
    pub inspired_oxygen: f64,
}

/// Slow random walks around zero, so that a stable patient is not a straight line.
#[derive(Debug, Clone)]
struct Wander {
    heart: f64,
    pressure: f64,
    breath: f64,
    oxygen: f64,
}

/// A living body.
#[derive(Debug, Clone)]
pub struct Body {
    person: Constitution,
    random: Random,
    /// Sympathetic tone, −0.4 to 1.
    tone: f64,
    heart_rate: f64,
    mean: f64,
    stroke_volume: f64,
    /// Ventilation as a factor of rest.
    ventilation: f64,
    paco2: f64,
    /// Saturation in the arteries and, seconds later, at the finger; 0 to 1.
    saturation: f64,
    finger: f64,
    temperature: f64,
    wander: Wander,
    drives: Drives,
}

impl Body {
    /// A body at rest, in health.
    #[must_use]
    pub fn new(person: Constitution, random: Random) -> Self {
        let mut body = Self {
            tone: 0.0,
            heart_rate: person.heart_rate,
            mean: person.mean_pressure,
            stroke_volume: person.stroke_volume,
            ventilation: 1.0,
            paco2: person.paco2,
            saturation: 0.96,
            finger: 0.96,
            temperature: person.temperature,
            wander: Wander { heart: 0.0, pressure: 0.0, breath: 0.0, oxygen: 0.0 },
            drives: Drives::default(),
            person,
            random,
        };
        for _ in 0..120 {
            body.step(&Drives::default(), 12.0);
        }
        body
    }

    /// Who lives in it.
    #[must_use]
    pub const fn person(&self) -> &Constitution {
        &self.person
    }

    /// Lives one second under `drives` at `hour` of the day (0 to 24).
    pub fn step(&mut self, drives: &Drives, hour: f64) {
        self.drives = *drives;
        self.wander_on();
        // Lowest at four in the morning, as body temperature and heart rate are.
        let circadian = ((hour - 16.0) / 24.0 * std::f64::consts::TAU).cos();
        let fever_target = self.person.temperature
            + 0.25 * circadian
            + 2.3 * drives.infection
            - 0.8 * (1.0 - drives.blood_volume);
        self.temperature += (fever_target - self.temperature) / 1_500.0;
        self.breathe(drives);
        self.circulate(drives, circadian);
    }

    /// What is true now.
    #[must_use]
    pub fn vitals(&self) -> Vitals {
        let pulse_pressure =
            self.person.pulse_pressure * self.stroke_volume / self.person.stroke_volume;
        let mean = self.mean + self.wander.pressure;
        // A weak circulation carries less CO2 to the lungs: end-tidal falls below arterial.
        let flow = self.flow_ratio().min(1.0);
        Vitals {
            heart_rate: self.heart_rate,
            pulse_rate: self.heart_rate * (1.0 - 0.12 * self.drives.fibrillation),
            systolic: mean + pulse_pressure * 2.0 / 3.0,
            diastolic: mean - pulse_pressure / 3.0,
            mean,
            resp_rate: self.resp_rate(),
            spo2: (100.0 * self.finger).clamp(0.0, 100.0),
            etco2: ((self.paco2 - 4.0) * (0.45 + 0.55 * flow)).max(3.0),
            temperature: self.temperature,
            consciousness: self.consciousness(),
            inspired_oxygen: self.drives.inspired_oxygen,
        }
    }

    fn wander_on(&mut self) {
        let r = &mut self.random;
        let mut walk = |value: &mut f64, tau_s: f64, deviation: f64| {
            *value += -*value / tau_s + deviation * (2.0 / tau_s).sqrt() * r.normal();
        };
        walk(&mut self.wander.heart, 90.0, 2.5);
        walk(&mut self.wander.pressure, 180.0, 2.0);
        walk(&mut self.wander.breath, 60.0, 0.9);
        walk(&mut self.wander.oxygen, 120.0, 0.004);
    }

    fn breathe(&mut self, d: &Drives) {
        let set = self.person.paco2 - 12.0 * d.infection;
        let metabolism = 1.0 + 0.09 * (self.temperature - 37.0).max(-2.0) + 0.8 * d.activity;
        let alveolar = (d.inspired_oxygen * 713.0 - self.paco2 / 0.8).max(15.0);
        let pao2 = (alveolar - self.person.oxygen_gradient).max(12.0);
        let demand = 1.0
            + 0.08 * d.respiratory_drive * (self.paco2 - set)
            + 0.03 * (58.0 - pao2).max(0.0)
            + 0.9 * d.infection
            + 4.5 * (0.88 - self.flow_ratio()).max(0.0)
            + 0.5 * d.activity;
        let target = (d.respiratory_drive * demand).clamp(0.08, 3.5);
        self.ventilation += (target - self.ventilation) / 12.0;
        // Fast shallow breathing and a bad lung waste part of each breath.
        let useful = self.ventilation * (1.0 - 0.8 * d.shunt);
        let settled = (self.person.paco2 * metabolism / useful.max(0.1)).clamp(15.0, 130.0);
        self.paco2 += (settled - self.paco2) / 100.0;
        let shunt = (0.02 + d.shunt).min(0.6);
        let capillary = severinghaus(pao2);
        let target = (capillary - 0.25 * shunt / (1.0 - shunt)).clamp(0.3, 1.0);
        self.saturation += (target - self.saturation) / 10.0;
        let seen = (self.saturation + self.wander.oxygen).min(1.0);
        self.finger += (seen - self.finger) / 14.0;
    }

    fn circulate(&mut self, d: &Drives, circadian: f64) {
        let p = &self.person;
        let error = p.mean_pressure - self.mean;
        let target = (error / 25.0).clamp(-0.4, 1.0);
        self.tone += (target - self.tone) / 8.0;
        let sinus = p.heart_rate * (1.0 + self.tone.max(0.3 * self.tone) + 0.03 * circadian + 0.35 * d.activity)
            + 10.0 * (self.temperature - p.temperature)
            + 14.0 * d.infection
            + 60.0 * (0.88 - self.saturation).max(0.0)
            + self.wander.heart;
        let fibrillating = 138.0 + 20.0 * self.tone;
        let f = d.fibrillation;
        let mut rate = sinus * (1.0 - f) + fibrillating * f;
        // A heart without oxygen slows before it stops.
        rate *= 1.0 - (0.55 - self.saturation).max(0.0);
        self.heart_rate += (rate.clamp(25.0, 215.0) - self.heart_rate) / 5.0;
        if f > 0.0 {
            self.heart_rate += 7.0 * f * self.random.normal();
        }
        let preload = (1.0 - 1.6 * (1.0 - d.blood_volume)).clamp(0.12, 1.15);
        let filling = 1.0 - 0.004 * (self.heart_rate - 140.0).max(0.0) - 0.2 * f;
        let volume = p.stroke_volume * preload * d.contractility * filling;
        self.stroke_volume += (volume - self.stroke_volume) / 4.0;
        let resistance = d.resistance * (1.0 + 0.35 * self.tone);
        let mean = 4.0 + (p.mean_pressure - 4.0) * self.flow_ratio() * resistance;
        self.mean += (mean.clamp(18.0, 190.0) - self.mean) / 3.0;
    }

    /// Cardiac output as a factor of rest.
    fn flow_ratio(&self) -> f64 {
        self.heart_rate * self.stroke_volume / (self.person.heart_rate * self.person.stroke_volume)
    }

    fn resp_rate(&self) -> f64 {
        let depressed = self.drives.respiratory_drive < 0.9;
        let exponent = if depressed { 1.0 } else { 0.75 };
        let rate = self.person.resp_rate * self.ventilation.powf(exponent);
        (rate + self.wander.breath * self.drives.respiratory_drive.min(1.0)).clamp(2.0, 60.0)
    }

    fn consciousness(&self) -> Consciousness {
        let d = &self.drives;
        let retention = self.paco2 - self.person.paco2.max(40.0);
        let burden = [
            d.sedation,
            (retention - 18.0) / 40.0,
            (0.84 - self.saturation) / 0.3,
            (64.0 - self.mean) / 28.0,
            d.infection - 0.35,
        ]
        .into_iter()
        .fold(0.0_f64, f64::max);
        match burden {
            b if b < 0.3 => Consciousness::Alert,
            b if b < 0.55 && d.sedation < 0.3 => Consciousness::Confused,
            b if b < 0.75 => Consciousness::Voice,
            b if b < 0.92 => Consciousness::Pain,
            _ => Consciousness::Unresponsive,
        }
    }
}

/// Oxygen saturation (0 to 1) at a partial pressure in mmHg.
fn severinghaus(po2: f64) -> f64 {
    1.0 / (23_400.0 / (po2 * po2 * po2 + 150.0 * po2) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(minutes: u32, copd: bool, drives: Drives) -> Vitals {
        let mut random = Random::new(5);
        let person = Constitution::new(60.0, Sex::Female, copd, &mut random);
        let mut body = Body::new(person, random);
        for _ in 0..minutes * 60 {
            body.step(&drives, 12.0);
        }
        body.vitals()
    }

    fn check(what: &str, value: f64, low: f64, high: f64) {
        assert!((low..=high).contains(&value), "{what}: {value} not in {low}..{high}");
    }

    #[test]
    fn healthy_people_stay_healthy() {
        for age in [2.0, 9.0, 25.0, 50.0, 88.0] {
            let mut random = Random::new(age as u64);
            let person = Constitution::new(age, Sex::Male, false, &mut random);
            let mut body = Body::new(person, random);
            for second in 0..7_200 {
                body.step(&Drives::default(), f64::from(second) / 3_600.0);
                let v = body.vitals();
                check("spo2", v.spo2, 93.0, 100.0);
                check("temperature", v.temperature, 36.0, 37.8);
                check("mean", v.mean, 50.0, 120.0);
                check("etco2", v.etco2, 26.0, 46.0);
                assert_eq!(v.consciousness, Consciousness::Alert);
                if age >= 16.0 {
                    check("heart rate", v.heart_rate, 50.0, 105.0);
                    check("resp rate", v.resp_rate, 8.0, 22.0);
                    check("systolic", v.systolic, 95.0, 165.0);
                }
            }
        }
    }

    #[test]
    fn bleeding_lowers_pressure_and_raises_the_heart_rate() {
        let healthy = after(20, false, Drives::default());
        let bled = after(20, false, Drives { blood_volume: 0.62, ..Drives::default() });
        check("heart rate", bled.heart_rate, healthy.heart_rate + 30.0, 170.0);
        check("systolic", bled.systolic, 50.0, healthy.systolic - 25.0);
        check("resp rate", bled.resp_rate, healthy.resp_rate + 2.0, 40.0);
        check("etco2", bled.etco2, 8.0, healthy.etco2 - 4.0);
    }

    #[test]
    fn opioids_slow_breathing_retain_co2_and_desaturate() {
        let drives = Drives { respiratory_drive: 0.25, sedation: 0.7, ..Drives::default() };
        let v = after(30, false, drives);
        check("resp rate", v.resp_rate, 3.0, 9.0);
        check("spo2", v.spo2, 45.0, 88.0);
        check("etco2", v.etco2, 55.0, 130.0);
        assert!(v.consciousness >= Consciousness::Voice);
        let with_oxygen = after(30, false, Drives { inspired_oxygen: 0.5, ..drives });
        check("spo2 with oxygen", with_oxygen.spo2, v.spo2 + 5.0, 100.0);
    }

    #[test]
    fn copd_lives_at_scale_2() {
        let v = after(30, true, Drives::default());
        check("spo2", v.spo2, 86.0, 93.0);
        assert_eq!(v.consciousness, Consciousness::Alert);
    }

    #[test]
    fn fever_and_fibrillation_speed_the_heart() {
        let healthy = after(90, false, Drives::default());
        let septic = after(90, false, Drives { infection: 0.6, ..Drives::default() });
        check("temperature", septic.temperature, 37.8, 39.5);
        check("heart rate", septic.heart_rate, healthy.heart_rate + 8.0, 150.0);
        let fibrillating = after(20, false, Drives { fibrillation: 1.0, ..Drives::default() });
        check("heart rate", fibrillating.heart_rate, 105.0, 180.0);
        assert!(fibrillating.pulse_rate < fibrillating.heart_rate);
    }
}
