//! How often the tests speak of nothing, and how soon of something: measured on synthetic patients
//! with fixed seeds, so that every run gives the same figures. `cargo test -p baseline --test
//! false_alarms -- --nocapture` prints them; docs/interfaces/baselines.md cites them.

use baseline::{Normal, Settings};

const MINUTE: i64 = 60_000_000;
const HOUR: i64 = 60 * MINUTE;
/// As a ward's policy has it: a slot is half an hour.
const SETTINGS: Settings = Settings {
    half_life_us: 24 * HOUR,
    warm_up_us: 24 * HOUR,
    slots_min: 24,
    spread_min: 0.5,
    circadian: false,
};
const PATIENTS: u64 = 60;
const DAYS: i64 = 10;

/// A generator with a seed (xorshift64*), and normal deviates by summing twelve uniform ones.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() - 6.0
    }
}

#[derive(Debug, Default)]
struct Counted {
    patient_days: f64,
    changes: u32,
    /// Half-hours in which a trend was told.
    trend_slots: u32,
    slots: u32,
    /// Patients in whom a change was found after the shift, and the half-hours that it took.
    found: u32,
    delay_slots: u32,
}

/// Patients whose half-hourly level wanders with the correlation `phi` from one to the next around 80
/// with a standard deviation of 5, every twentieth value a wild one; from day 7 on `shift` higher.
fn run(phi: f64, shift: f64) -> Counted {
    let mut counted = Counted::default();
    for seed in 1..=PATIENTS {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let (mut normal, mut state, mut was, mut found) = (Normal::default(), 0.0, None, false);
        for slot in 0..DAYS * 48 {
            state = phi * state + (1.0 - phi * phi).sqrt() * random.normal();
            let wild = if random.uniform() < 0.05 { 60.0 } else { 0.0 };
            let after = slot - 7 * 48;
            let value = 80.0 + 5.0 * state + wild + if after >= 0 { shift } else { 0.0 };
            let time = slot * 30 * MINUTE;
            normal.observe(&SETTINGS, time, 0, value);
            let change = normal.change(&SETTINGS, time);
            if normal.known(&SETTINGS, time) && (shift == 0.0 || after < 0) {
                counted.slots += 1;
                counted.patient_days += 1.0 / 48.0;
                counted.changes += u32::from(change.is_some() && was.is_none());
                let trend = normal.trend(&SETTINGS, time);
                let spread = normal.usual(&SETTINGS, time, 0).map_or(0.0, |usual| usual.spread);
                counted.trend_slots += u32::from(trend.is_some_and(|trend| trend.holds(spread)));
            }
            if after >= 0 && !found && change.is_some_and(|c| c.direction == baseline::Direction::Up) {
                found = true;
                counted.found += 1;
                counted.delay_slots += after as u32;
            }
            was = change;
        }
    }
    counted
}

#[test]
fn false_alarms_are_as_rare_as_told() {
    for (phi, changes_most, trend_share_most) in [(0.0, 0.03, 0.01), (0.5, 0.2, 0.05)] {
        let counted = run(phi, 0.0);
        let changes = f64::from(counted.changes) / counted.patient_days;
        let trends = f64::from(counted.trend_slots) / f64::from(counted.slots);
        println!(
            "correlation {phi}: {changes:.4} false changes a patient-day, a trend told in {:.2} % of \
             half-hours ({:.0} patient-days)",
            trends * 100.0,
            counted.patient_days
        );
        assert!(changes <= changes_most, "{changes} false changes a patient-day");
        assert!(trends <= trend_share_most, "{trends} of half-hours with a false trend");
    }
}

#[test]
fn shifts_are_found() {
    for (shift, share, hours_most) in [(10.0, 0.98, 8.0), (5.0, 0.6, 20.0)] {
        let counted = run(0.0, shift);
        let found = f64::from(counted.found) / PATIENTS as f64;
        let hours = f64::from(counted.delay_slots) / f64::from(counted.found.max(1)) / 2.0;
        println!("a shift of {} spreads: found in {:.0} %, after {hours:.1} h", shift / 5.0, found * 100.0);
        assert!(found >= share && hours <= hours_most, "{shift}: {found} after {hours} h");
    }
}
