//! Who lies where with what, drawn from the seed.

use jiff::civil::Date;
use vitals::{DeviceId, LocationId, PatientId, Sex};

use super::config::WardConfig;
use super::people;
use crate::random::Random;
use crate::scenario::Scenario;

/// Assigning authority of the ward's record numbers.
pub(super) const AUTHORITY: &str = "VWSIM";

/// Trouble of the heart and of electrodes, for beds whose monitors send waveforms. Those of the
/// default mix come first.
const ELECTRICAL: [(Scenario, f64); 6] = [
    (Scenario::VentricularTachycardia, 60.0),
    (Scenario::Bigeminy, 0.0),
    (Scenario::Pacemaker, 0.0),
    (Scenario::LeadOff, 45.0),
    (Scenario::Asystole, 150.0),
    (Scenario::VentricularFibrillation, 300.0),
];

/// How a bedside device speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Personality {
    /// Monitor, MQTT, SenML JSON at 1 Hz.
    MonitorJson,
    /// Monitor, MQTT, SenML CBOR at 1 Hz.
    MonitorCbor,
    /// Monitor, PCD-01 over MLLP every five seconds.
    MonitorHl7,
    /// Patch on the patient, MQTT, its own JSON at 1 Hz.
    Wearable,
}

/// A bed and the device that belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct BedPlan {
    /// Unit.
    pub unit: String,
    /// Room.
    pub room: String,
    /// Bed in the room.
    pub bed: String,
    /// Location id that the platform makes of these.
    pub location: LocationId,
    /// Its device.
    pub device: DeviceId,
    /// How the device speaks.
    pub personality: Personality,
    /// Whether there is an arterial line and a capnograph.
    pub intensive: bool,
}

/// A patient.
#[derive(Debug, Clone, PartialEq)]
pub struct Resident {
    /// Record number.
    pub mrn: String,
    /// Patient id that the platform makes of it.
    pub id: PatientId,
    /// Family name.
    pub family: String,
    /// Given name.
    pub given: String,
    /// ISO date of birth.
    pub birth_date: String,
    /// Age, years.
    pub age_years: f64,
    /// Sex.
    pub sex: Sex,
    /// What happens to the patient or the device.
    pub scenario: Scenario,
    /// When it begins, s on the wall.
    pub starts_s: f64,
}

/// The whole ward as drawn from the seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Beds; the last one is free at first.
    pub beds: Vec<BedPlan>,
    /// Who lies in the beds, in the same order, then who is at home.
    pub residents: Vec<Resident>,
}

/// The default mix: what happens first stands first, so that a small ward has it too.
const MIX: [(Scenario, f64); 12] = [
    (Scenario::OpioidDepression, 30.0),
    (Scenario::Sepsis, 10.0),
    (Scenario::Bleeding, 120.0),
    (Scenario::Copd, 200.0),
    (Scenario::Recovery, 0.0),
    (Scenario::AtrialFibrillation, 90.0),
    (Scenario::SensorOff, 60.0),
    (Scenario::MotionArtefact, 20.0),
    (Scenario::WrongClock, 0.0),
    (Scenario::NetworkLoss, 150.0),
    (Scenario::BatteryDying, 100.0),
    (Scenario::Sepsis, 420.0),
];

impl Plan {
    /// Draws the ward.
    #[must_use]
    pub fn draw(config: &WardConfig) -> Self {
        let root = Random::new(config.seed);
        let beds = draw_beds(config, &mut root.fork("beds"));
        let scenarios = draw_scenarios(config, &beds, &mut root.fork("scenarios"));
        let residents = scenarios
            .into_iter()
            .enumerate()
            .map(|(index, (scenario, starts_s))| {
                let mut random = root.fork(&format!("resident {index}"));
                draw_resident(index, config.seed, scenario, starts_s, &mut random)
            })
            .collect();
        Self { beds, residents }
    }
}

fn draw_beds(config: &WardConfig, random: &mut Random) -> Vec<BedPlan> {
    let p = config.protocols;
    let mut deck: Vec<Personality> = Vec::new();
    for (personality, share) in [
        (Personality::MonitorJson, p.mqtt_json),
        (Personality::MonitorCbor, p.mqtt_cbor),
        (Personality::MonitorHl7, p.mllp),
        (Personality::Wearable, p.wearable),
    ] {
        deck.extend(std::iter::repeat_n(personality, share));
    }
    random.shuffle(&mut deck);
    // One bed of six is intensive care, in a unit of its own.
    let intensive_beds = config.beds.div_ceil(6);
    (0..=config.beds)
        .map(|index| {
            let intensive = index < intensive_beds;
            let free = index == config.beds;
            let (unit, room) = if intensive {
                ("ICU-2".to_owned(), format!("{}", 201 + index / 2))
            } else {
                let on_floor = index - intensive_beds;
                let floor = 4 + on_floor / 20;
                (format!("{floor}-West"), format!("{}", floor * 100 + 1 + (on_floor % 20) / 2))
            };
            let slot = if intensive { index } else { index - intensive_beds };
            let bed = if slot.is_multiple_of(2) { "A" } else { "B" }.to_owned();
            let personality = match deck[index % deck.len()] {
                Personality::Wearable if intensive || free => Personality::MonitorJson,
                other => other,
            };
            let kind = if personality == Personality::Wearable { "wearable" } else { "monitor" };
            BedPlan {
                location: LocationId::of_bed(&unit, &room, &bed),
                device: DeviceId::sanitised(&format!("{kind}-{room}{bed}")),
                unit,
                room,
                bed,
                personality,
                intensive,
            }
        })
        .collect()
}

/// The scenario of each resident: those in beds, then those at home, who are stable.
fn draw_scenarios(
    config: &WardConfig,
    beds: &[BedPlan],
    random: &mut Random,
) -> Vec<(Scenario, f64)> {
    let mut order: Vec<usize> = (0..config.beds).collect();
    random.shuffle(&mut order);
    let mut drawn = vec![(Scenario::Stable, 0.0); config.beds + config.home_patients];
    for (bed, mixed) in order.iter().zip(MIX.iter().cycle().take(config.beds.div_ceil(2))) {
        // Whoever deteriorates is watched by a whole monitor, not by a patch.
        let patch = beds[*bed].personality == Personality::Wearable;
        drawn[*bed] = if patch { (Scenario::Stable, 0.0) } else { *mixed };
    }
    // One bed of six more, of those left to themselves.
    let waves = |bed: &&usize| matches!(beds[**bed].personality, Personality::MonitorJson | Personality::MonitorCbor);
    let left = order.iter().skip(config.beds.div_ceil(2)).filter(waves);
    for (bed, electrical) in left.zip(ELECTRICAL.iter().cycle().take(config.beds / 6)) {
        drawn[*bed] = *electrical;
    }
    if drawn.iter().all(|(scenario, _)| *scenario == Scenario::Stable) {
        drawn[0] = MIX[0];
    }
    for (bed, scenario, starts_s) in &config.scenarios {
        drawn[*bed] = (*scenario, *starts_s);
    }
    drawn
}

fn draw_resident(
    index: usize,
    seed: u64,
    scenario: Scenario,
    starts_s: f64,
    random: &mut Random,
) -> Resident {
    let sex = if random.chance(0.5) { Sex::Female } else { Sex::Male };
    let age_years = if scenario == Scenario::Copd {
        random.between(58.0, 80.0)
    } else {
        random.between(22.0, 89.0)
    };
    let mrn = format!("SIM{:04}{:04}", seed % 10_000, index + 1);
    Resident {
        id: PatientId::from_identifier(AUTHORITY, &mrn),
        mrn,
        family: people::family(index),
        given: people::given(sex == Sex::Female, random),
        birth_date: birth_date(age_years, random),
        age_years,
        sex,
        scenario,
        starts_s,
    }
}

/// A date of birth for someone of this age at the middle of 2026: fixed, so that one seed gives
/// one ward whenever it runs.
fn birth_date(age_years: f64, random: &mut Random) -> String {
    let year = 2026 - age_years as i16 - 1;
    let month = 1 + random.below(12) as i8;
    let day = 1 + random.below(28) as i8;
    Date::new(year, month, day).map_or_else(|_| "1950-01-01".to_owned(), |date| date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_same_ward_and_another_does_not() {
        let config = WardConfig::default();
        assert_eq!(Plan::draw(&config), Plan::draw(&config));
        assert_ne!(Plan::draw(&config), Plan::draw(&WardConfig { seed: 2, ..config }));
    }

    #[test]
    fn beds_devices_and_people_are_distinct_at_any_size() {
        for beds in [1, 2, 24, 200, 1_000] {
            let plan = Plan::draw(&WardConfig { beds, ..WardConfig::default() });
            let distinct = |names: Vec<String>| {
                let count = names.len();
                names.into_iter().collect::<std::collections::HashSet<_>>().len() == count
            };
            assert!(distinct(plan.beds.iter().map(|b| b.location.to_string()).collect()));
            assert!(distinct(plan.beds.iter().map(|b| b.device.to_string()).collect()));
            assert!(distinct(plan.residents.iter().map(|r| r.id.to_string()).collect()));
            assert!(plan.residents.iter().any(|r| r.scenario == Scenario::OpioidDepression));
        }
    }
}
