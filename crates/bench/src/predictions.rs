//! What a judgement of the shipped risk models costs, on one core of this process: features of a stay, trees, exact
//! explanation in words, everything. The stays are made up: a bed at a monitor, laboratory values now and then.

use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use predict::history::HOUR_US;
use predict::{History, Judged, Kind, Model, Person, Scratch, Variable};

use crate::Bench;
use crate::report::{Budget, Report};

/// Stays that are judged by turns.
const STAYS: i64 = 64;

/// Measures all models that come with the program.
///
/// # Errors
/// When none comes with it, or one can't be read.
pub fn measure(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let models: Result<Vec<Model>, _> = predict::shipped().iter().map(|(_, bytes)| Model::read(bytes)).collect();
    let models = models.context("a shipped model")?;
    ensure!(!models.is_empty(), "no model comes with this program");
    let stays: Vec<History> = (0..STAYS).map(stay).collect();
    let time = Duration::from_secs_f64(bench.seconds(3.0));
    let mut together = 0.0;
    let mut slowest = 0.0f64;
    for model in &models {
        let (median, judged) = judgement_us(model, &stays, time);
        let count = model.features().count();
        report.note(format!("{}: {median:.1} µs, {count} inputs, {judged} of {STAYS} stays judged", model.id()));
        together += median;
        slowest = slowest.max(median);
    }
    let what = "a judgement of the slowest risk model, with explanation";
    report.against("predict_slowest_us", what, slowest, "µs", Budget::AtMost(50.0));
    let percent = together * 1_000.0 / 60e6 * 100.0;
    let what = "1,000 beds judged by all risk models once a minute, of one core";
    report.against("predict_1000_beds_percent", what, percent, "%", Budget::AtMost(2.0));
    Ok(())
}

/// The median of rounds through all stays, in microseconds for one; how many of them were judged.
fn judgement_us(model: &Model, stays: &[History], time: Duration) -> (f64, usize) {
    let mut scratch = Scratch::default();
    let is_risk = |stay: &&History| matches!(model.predict(stay, &mut Scratch::default()).judged, Judged::Risk { .. });
    let judged = stays.iter().filter(is_risk).count();
    let begun = Instant::now();
    let mut rounds: Vec<f64> = Vec::new();
    while begun.elapsed() < time {
        let round = Instant::now();
        for stay in stays {
            black_box(model.predict(stay, &mut scratch));
        }
        rounds.push(round.elapsed().as_secs_f64() * 1e6 / stays.len() as f64);
    }
    rounds.sort_by(f64::total_cmp);
    (rounds[rounds.len() / 2], judged)
}

/// A stay of two days and some hours, vital signs every hour, values a little beyond the usual on both sides.
fn stay(number: i64) -> History {
    let mut draw = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(number as u64 + 1);
    let mut below = |limit: u64| {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (draw >> 33) % limit
    };
    let person = Person { age: 40.0 + number as f32 / 2.0, male: 1.0, hospital_hours: -2.0, ..Person::UNKNOWN };
    let mut history = History::new(person, 0);
    for hour in 0..48 + number % 8 {
        for variable in Variable::ALL {
            if variable.kind() == Kind::Vital || below(8) == 0 {
                let (from, to) = variable.usual();
                history.observe(variable, hour * HOUR_US, from + (to - from) * (below(150) as f32 / 100.0 - 0.25));
            }
        }
    }
    history
}
