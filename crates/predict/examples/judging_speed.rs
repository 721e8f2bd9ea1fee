//! How long a prediction takes: features of a stay, margin, explanation in words, everything.
//!
//! `cargo run --release -p predict --example judging_speed [MODEL.json]` prints microseconds. Without a file the model is made
//! of as many random trees as a large one has: 300 trees of depth 6 over 300 features.

use std::hint::black_box;
use std::time::Instant;

use predict::feature;
use predict::forest::{Answers, Explainer, Flat, Forest, Node, Tree, Way};
use predict::history::HOUR_US;
use predict::model::{Calibration, Card, Distribution, Doubt, FORMAT, File, Input, Outcome, Requires};
use predict::{History, Model, Person, Scratch, Variable};

/// SplitMix64 (Steele and others 2014).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }
}

/// A tree whose questions split about in the middle of what `rows` hold.
fn tree(numbers: &mut Numbers, rows: &[Vec<f32>], depth: usize) -> Tree {
    let mut nodes = vec![Node::Leaf { value: 0.0 }];
    let mut open = vec![(0, 0)];
    while let Some((at, level)) = open.pop() {
        if level == depth {
            nodes[at] = Node::Leaf { value: numbers.below(2001) as f32 / 1e5 - 0.01 };
            continue;
        }
        let feature = numbers.below(rows[0].len());
        let threshold = rows[numbers.below(rows.len())][feature];
        let threshold = if threshold.is_nan() { 0.0 } else { threshold };
        let low = nodes.len();
        nodes[at] = Node::Split { feature: feature as u16, threshold, missing: Way::Low, low: low as u16 };
        nodes.extend([Node::Leaf { value: 0.0 }; 2]);
        open.extend([(low, level + 1), (low + 1, level + 1)]);
    }
    Tree { nodes }
}

fn stay(numbers: &mut Numbers, hours: i64) -> History {
    let mut history = History::new(Person { age: 60.0, male: 1.0, ..Person::UNKNOWN }, 0);
    for hour in 0..hours {
        for variable in Variable::ALL {
            if variable.kind() == predict::Kind::Vital || numbers.below(8) == 0 {
                let (from, to) = variable.usual();
                let value = from + (to - from) * (numbers.below(150) as f32 / 100.0 - 0.25);
                history.observe(variable, hour * HOUR_US, value);
            }
        }
    }
    history
}

fn random(numbers: &mut Numbers, stays: &[History]) -> Vec<u8> {
    let mut features = feature::all();
    while features.len() > 300 {
        features.remove(numbers.below(features.len()));
    }
    let plan = feature::Plan::of(features.clone());
    let mut windows = feature::Windows::default();
    let rows: Vec<Vec<f32>> = stays
        .iter()
        .map(|stay| {
            let mut row = Vec::new();
            plan.fill(stay, &mut windows, &mut row);
            row
        })
        .collect();
    let trees = (0..300).map(|_| tree(numbers, &rows, 6)).collect();
    let input = |(at, feature): (usize, &feature::Feature)| Input {
        name: feature.to_string(),
        reference: Some(rows[0][at]).filter(|value| !value.is_nan()),
        distribution: Distribution::of(&mut rows.iter().map(|row| row[at]).collect()),
    };
    let file = File {
        format: FORMAT.to_owned(),
        id: "speed".to_owned(),
        version: "1.0.0".to_owned(),
        title: "Random".to_owned(),
        outcome: Outcome { words: String::new(), definition: String::new(), horizon_h: 1.0 },
        population: String::new(),
        intended_use: String::new(),
        requires: Requires { checks: Vec::new(), unusual_most: u16::MAX },
        calibration: Calibration::none(),
        doubt: Doubt { level: 0.9, event_from: 0.5, none_up_to: 0.5, fitted: String::new() },
        thresholds: Vec::new(),
        card: Card::default(),
        features: features.iter().enumerate().map(input).collect(),
        forest: Forest { base: 0.0, trees },
    };
    serde_json::to_vec(&file).expect("numbers are finite")
}

fn main() {
    let mut numbers = Numbers(1);
    let stays: Vec<History> = (0..64).map(|at| stay(&mut numbers, 4 + at)).collect();
    let bytes = match std::env::args().nth(1) {
        Some(path) => std::fs::read(path).expect("the model's file can be read"),
        None => random(&mut numbers, &stays),
    };
    let model = Model::read(&bytes).expect("a model");
    let forest = serde_json::from_slice::<File>(&bytes).expect("a model").forest;
    let plan = feature::Plan::new(model.features()).expect("features");
    let reference: Vec<f32> = model.inputs().iter().map(|input| input.reference.unwrap_or(f32::NAN)).collect();
    let flat = Flat::new(&forest, &reference).expect("a forest");
    let mut scratch = Scratch::default();
    let mut windows = feature::Windows::default();
    let mut row = Vec::new();
    let rows: Vec<Vec<f32>> = stays.iter().map(|stay| {
        plan.fill(stay, &mut windows, &mut row);
        row.clone()
    }).collect();
    println!("{}: {} trees, {} features, {} bytes", model.id(), forest.trees.len(), rows[0].len(), bytes.len());
    println!("said: {:?}", model.predict(&stays[40], &mut scratch).because.iter().map(|b| &b.text).collect::<Vec<_>>());
    time("features", stays.len(), || stays.iter().for_each(|stay| plan.fill(stay, &mut windows, black_box(&mut row))));
    let mut answers = Answers::default();
    time("margin", rows.len(), || rows.iter().for_each(|row| {
        answers.fill(row);
        black_box(flat.margin(&answers));
    }));
    let (mut explainer, mut shares) = (Explainer::default(), Vec::new());
    time("shapley", rows.len(), || rows.iter().for_each(|row| {
        answers.fill(row);
        explainer.explain(&flat, &answers, black_box(&mut shares));
    }));
    time("judge", stays.len(), || rows.iter().for_each(|row| { black_box(model.judge_with(row, &mut scratch)); }));
    time("predict", stays.len(), || stays.iter().for_each(|stay| { black_box(model.predict(stay, &mut scratch)); }));
}

/// Prints the median of 200 rounds, in microseconds for one of `each`.
fn time(what: &str, each: usize, mut round: impl FnMut()) {
    let mut times: Vec<f64> = (0..200)
        .map(|_| {
            let started = Instant::now();
            round();
            started.elapsed().as_secs_f64() * 1e6 / each as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("{what}: {:.1} µs (least {:.1}, 99% {:.1})", times[100], times[0], times[198]);
}
