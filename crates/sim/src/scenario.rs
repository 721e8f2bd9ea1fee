//! Named courses of illness and of device trouble, each a pure function of the time since it began.

use serde::{Deserialize, Serialize};

use crate::body::Drives;
use crate::waveform::Rhythm;

/// What happens to a patient or to the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scenario {
    /// Nothing.
    Stable,
    /// Infection to septic shock over four hours, then treated.
    Sepsis,
    /// Loss of 48% of the blood over an hour and a half, then transfused.
    Bleeding,
    /// Opioid overdose over forty minutes, then antagonised.
    OpioidDepression,
    /// Chronic lung disease that retains CO2: lives at 88 to 92%, with an exacerbation.
    Copd,
    /// Fast atrial fibrillation in attacks.
    AtrialFibrillation,
    /// The oximeter falls off the finger and is put back.
    SensorOff,
    /// Movement makes jumps that no body makes.
    MotionArtefact,
    /// The monitor's battery runs out; it is plugged in again.
    BatteryDying,
    /// The network is gone; the device stores its readings and sends them late in a burst.
    NetworkLoss,
    /// The device's clock is hours off and drifts.
    WrongClock,
    /// A septic patient getting better.
    Recovery,
    /// The heart stops for 25 s of every 5 min.
    Asystole,
    /// A ventricular tachycardia for 30 s of every 4 min.
    VentricularTachycardia,
    /// The ventricles fibrillate for 30 s of every 5 min, until shocked.
    VentricularFibrillation,
    /// The ECG electrodes are off for 60 s of every 4 min.
    LeadOff,
    /// Every second beat comes from a ventricle, for 3 of every 4 min.
    Bigeminy,
    /// A ventricular pacemaker at 70/min.
    Pacemaker,
}

impl Scenario {
    /// Every scenario.
    pub const ALL: [Self; 18] = [
        Self::Stable,
        Self::Sepsis,
        Self::Bleeding,
        Self::OpioidDepression,
        Self::Copd,
        Self::AtrialFibrillation,
        Self::SensorOff,
        Self::MotionArtefact,
        Self::BatteryDying,
        Self::NetworkLoss,
        Self::WrongClock,
        Self::Recovery,
        Self::Asystole,
        Self::VentricularTachycardia,
        Self::VentricularFibrillation,
        Self::LeadOff,
        Self::Bigeminy,
        Self::Pacemaker,
    ];

    /// Lower kebab-case name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stable => "stable",
            Self::Sepsis => "sepsis",
            Self::Bleeding => "bleeding",
            Self::OpioidDepression => "opioid-depression",
            Self::Copd => "copd",
            Self::AtrialFibrillation => "atrial-fibrillation",
            Self::SensorOff => "sensor-off",
            Self::MotionArtefact => "motion-artefact",
            Self::BatteryDying => "battery-dying",
            Self::NetworkLoss => "network-loss",
            Self::WrongClock => "wrong-clock",
            Self::Recovery => "recovery",
            Self::Asystole => "asystole",
            Self::VentricularTachycardia => "ventricular-tachycardia",
            Self::VentricularFibrillation => "ventricular-fibrillation",
            Self::LeadOff => "lead-off",
            Self::Bigeminy => "bigeminy",
            Self::Pacemaker => "pacemaker",
        }
    }

    /// The scenario of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scenario| scenario.name() == name)
    }

    /// The body's drives `minutes` (of patient time) after the scenario began; before it, negative
    /// minutes, nothing happens. Courses repeat, so that a long demonstration stays alive.
    #[must_use]
    pub fn drives(self, minutes: f64) -> Drives {
        let mut d = Drives::default();
        match self {
            Self::Sepsis => septic(&mut d, course(minutes, 240.0, 150.0, 300.0, 300.0)),
            Self::Recovery => septic(&mut d, (0.8 - minutes.max(0.0) / 500.0).max(0.0)),
            Self::Bleeding => {
                let loss = course(minutes, 90.0, 60.0, 90.0, 400.0);
                d.blood_volume = 1.0 - 0.48 * loss;
            }
            Self::OpioidDepression => {
                let dose = course(minutes, 40.0, 60.0, 15.0, 400.0);
                d.respiratory_drive = 1.0 - 0.78 * dose;
                d.sedation = 0.85 * dose;
            }
            Self::Copd => {
                d.inspired_oxygen = 0.24;
                let exacerbation = course(minutes, 120.0, 90.0, 200.0, 300.0);
                d.shunt = 0.04 + 0.12 * exacerbation;
                d.infection = 0.25 * exacerbation;
            }
            Self::AtrialFibrillation => d.fibrillation = course(minutes, 3.0, 150.0, 5.0, 240.0),
            _ => {}
        }
        d
    }

    /// What drives the heart `seconds` of wall time after the scenario began, in a body under
    /// `drives`. Arrests run in wall time: a heart that stands still for 25 s does so on the screen.
    #[must_use]
    pub fn rhythm(self, seconds: f64, drives: &Drives) -> Rhythm {
        let within = |period: f64, from: f64, to: f64| seconds >= 0.0 && (from..to).contains(&(seconds % period));
        match self {
            Self::AtrialFibrillation if drives.fibrillation > 0.5 => Rhythm::AtrialFibrillation,
            Self::Asystole if within(300.0, 30.0, 55.0) => Rhythm::Asystole,
            Self::VentricularTachycardia if within(240.0, 20.0, 50.0) => Rhythm::VentricularTachycardia,
            Self::VentricularFibrillation if within(300.0, 30.0, 60.0) => Rhythm::VentricularFibrillation,
            Self::Bigeminy if within(240.0, 10.0, 190.0) => Rhythm::Bigeminy,
            Self::Pacemaker if seconds >= 0.0 => Rhythm::Paced,
            _ => Rhythm::Sinus,
        }
    }

    /// Whether it is about the heart's rhythm or the electrodes, which only waveforms show.
    #[must_use]
    pub const fn is_electrical(self) -> bool {
        matches!(
            self,
            Self::Asystole
                | Self::VentricularTachycardia
                | Self::VentricularFibrillation
                | Self::LeadOff
                | Self::Bigeminy
                | Self::Pacemaker
        )
    }

    /// What is wrong with the device, `seconds` of wall time after the scenario began. Device
    /// trouble runs in wall time: a network that is gone for four minutes is gone for four minutes.
    #[must_use]
    pub fn trouble(self, seconds: f64) -> Trouble {
        let mut trouble = Trouble::default();
        if seconds < 0.0 {
            return trouble;
        }
        match self {
            Self::SensorOff => trouble.sensor_off = seconds % 600.0 < 150.0,
            Self::LeadOff => trouble.lead_off = (20.0..80.0).contains(&(seconds % 240.0)),
            Self::MotionArtefact => trouble.motion = seconds % 45.0 < 6.0,
            Self::BatteryDying => {
                let left = 22.0 - (seconds % 900.0) / 20.0;
                trouble.battery_percent = Some(if left > -8.0 { left.max(0.0) } else { 100.0 });
                trouble.dead = left <= 0.0 && left > -8.0;
            }
            Self::NetworkLoss => {
                let phase = seconds % 720.0;
                trouble.offline = phase < 240.0;
            }
            Self::WrongClock => trouble.clock_offset_s = 2.0 * 3_600.0 + 420.0 + seconds / 60.0,
            _ => {}
        }
        trouble
    }
}

/// What is wrong with a device at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Trouble {
    /// The oximeter is off: no SpO2, no pulse.
    pub sensor_off: bool,
    /// The ECG electrodes are off: no heart rate.
    pub lead_off: bool,
    /// Values jump as no body does.
    pub motion: bool,
    /// Charge to show instead of a healthy one, %.
    pub battery_percent: Option<f64>,
    /// The device is out of power: it vanishes and measures nothing.
    pub dead: bool,
    /// The device measures but can't send.
    pub offline: bool,
    /// How far the device's clock is ahead, s.
    pub clock_offset_s: f64,
}

/// Sets what infection does at `i` (0 to 1).
fn septic(d: &mut Drives, i: f64) {
    d.infection = i;
    d.resistance = 1.0 - 0.6 * i;
    d.contractility = 1.0 - 0.22 * i;
    d.blood_volume = 1.0 - 0.17 * i;
    d.shunt = 0.24 * i;
}

/// A course in minutes: rising, held, falling, at rest, and again. Smooth at its corners.
fn course(minutes: f64, rise: f64, hold: f64, fall: f64, rest: f64) -> f64 {
    if minutes <= 0.0 {
        return 0.0;
    }
    let t = minutes % (rise + hold + fall + rest);
    let level = if t < rise {
        t / rise
    } else if t < rise + hold {
        1.0
    } else {
        (1.0 - (t - rise - hold) / fall).max(0.0)
    };
    level * level * (3.0 - 2.0 * level)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::body::{Body, Constitution, Vitals};
    use crate::random::Random;
    use vitals::Sex;

    /// The worst NEWS2 (2017 chart; scale 1 or 2) in the first `minutes`, without oxygen points.
    fn worst_news2(scenario: Scenario, minutes: u32) -> u32 {
        let mut random = Random::new(11);
        let copd = scenario == Scenario::Copd;
        let mut body = Body::new(Constitution::new(64.0, Sex::Male, copd, &mut random), random);
        let mut worst = 0;
        for second in 0..minutes * 60 {
            body.step(&scenario.drives(f64::from(second) / 60.0), 14.0);
            worst = worst.max(news2(&body.vitals(), copd));
        }
        worst
    }

    fn news2(v: &Vitals, scale_2: bool) -> u32 {
        let band = |value: f64, cells: &[(f64, u32)]| {
            cells.iter().find(|(top, _)| value.round() <= *top).map_or(3, |(_, points)| *points)
        };
        let spo2 = if scale_2 {
            band(v.spo2, &[(83.0, 3), (85.0, 2), (87.0, 1), (f64::MAX, 0)])
        } else {
            band(v.spo2, &[(91.0, 3), (93.0, 2), (95.0, 1), (f64::MAX, 0)])
        };
        spo2 + band(v.resp_rate, &[(8.0, 3), (11.0, 1), (20.0, 0), (24.0, 2)])
            + band(v.systolic, &[(90.0, 3), (100.0, 2), (110.0, 1), (219.0, 0)])
            + band(v.heart_rate, &[(40.0, 3), (50.0, 1), (90.0, 0), (110.0, 1), (130.0, 2)])
            + band(v.temperature * 10.0, &[(350.0, 3), (360.0, 1), (380.0, 0), (390.0, 1), (f64::MAX, 2)])
            + if v.consciousness == crate::body::Consciousness::Alert { 0 } else { 3 }
    }

    #[test]
    fn deteriorations_reach_news2_of_7_and_the_stable_do_not() {
        for (scenario, minutes) in
            [(Scenario::Sepsis, 240), (Scenario::Bleeding, 90), (Scenario::OpioidDepression, 60)]
        {
            let worst = worst_news2(scenario, minutes);
            assert!(worst >= 7, "{scenario:?}: {worst}");
        }
        assert!(worst_news2(Scenario::AtrialFibrillation, 60) >= 2);
        assert!(worst_news2(Scenario::Stable, 240) <= 3);
        assert!(worst_news2(Scenario::Copd, 20) <= 4);
    }

    #[test]
    fn recovery_gets_better() {
        let (sick, well) = (Scenario::Recovery.drives(0.0), Scenario::Recovery.drives(600.0));
        assert!(sick.infection > 0.7 && well.infection == 0.0);
    }

    #[test]
    fn names_read_back() {
        for scenario in Scenario::ALL {
            assert_eq!(Scenario::from_name(scenario.name()), Some(scenario));
        }
    }

    #[test]
    fn device_troubles_begin_and_end() {
        let dead = (0..900).filter(|s| Scenario::BatteryDying.trouble(f64::from(*s)).dead).count();
        assert!((100..300).contains(&dead), "{dead}");
        assert!(Scenario::NetworkLoss.trouble(10.0).offline);
        assert!(!Scenario::NetworkLoss.trouble(300.0).offline);
        assert_eq!(Scenario::Stable.trouble(10.0), Trouble::default());
    }
}
