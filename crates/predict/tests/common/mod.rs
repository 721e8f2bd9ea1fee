//! Small models and stays for tests.
#![allow(dead_code, reason = "each test file uses some of it")]

use predict::forest::{Forest, Node, Tree, Way};
use predict::history::HOUR_US;
use predict::model::{Calibration, Card, Distribution, Doubt, FORMAT, File, Input, Outcome, Requires};
use predict::{History, Model, Person, Variable};

/// A model's file with these features and trees: not calibrated, sure above and below one half, asking for nothing.
pub fn file(names: &[&str], trees: Vec<Tree>) -> File {
    let anything = Distribution {
        missing: 0.5,
        low: Some(-1e9),
        high: Some(1e9),
        edges: vec![0.0],
        shares: vec![0.5, 0.5],
    };
    let input = |name: &&str| Input { name: (*name).to_owned(), reference: None, distribution: anything.clone() };
    File {
        format: FORMAT.to_owned(),
        id: "test".to_owned(),
        version: "1.0.0".to_owned(),
        title: "Test".to_owned(),
        outcome: Outcome { words: "an event".to_owned(), definition: "made up".to_owned(), horizon_h: 12.0 },
        population: "nobody".to_owned(),
        intended_use: "tests".to_owned(),
        requires: Requires { checks: Vec::new(), unusual_most: u16::MAX },
        calibration: Calibration::none(),
        doubt: Doubt { level: 0.9, event_from: 0.5, none_up_to: 0.5, fitted: "not fitted".to_owned() },
        thresholds: Vec::new(),
        card: Card::default(),
        features: names.iter().map(input).collect(),
        forest: Forest { base: 0.0, trees },
    }
}

/// The file as a model.
pub fn model(file: &File) -> Model {
    Model::read(&bytes(file)).expect("a sound file is read")
}

pub fn bytes(file: &File) -> Vec<u8> {
    serde_json::to_vec(file).expect("a file is written")
}

/// One question: up to `threshold` and missing add `low`, above adds `high`.
pub fn stump(feature: u16, threshold: f32, low: f32, high: f32) -> Tree {
    let split = Node::Split { feature, threshold, missing: Way::Low, low: 1 };
    Tree { nodes: vec![split, Node::Leaf { value: low }, Node::Leaf { value: high }] }
}

/// A stay of values at hours, with an age of 60 years.
pub fn stay(values: &[(Variable, f64, f32)]) -> History {
    let mut history = History::new(Person { age: 60.0, ..Person::UNKNOWN }, 0);
    for (variable, hour, value) in values {
        assert!(history.observe(*variable, (hour * HOUR_US as f64) as i64, *value), "{variable:?} {value}");
    }
    history
}

/// Numbers from a seed (SplitMix64), for tables of tests.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.draw() % limit as u64) as usize
    }

    /// -1 to 1 in steps of a quarter, so that values often meet thresholds; sometimes missing.
    pub fn value(&mut self) -> f32 {
        if self.below(6) == 0 { f32::NAN } else { self.below(9) as f32 / 4.0 - 1.0 }
    }

    /// A tree of at most `depth` questions in a row about `width` features.
    pub fn tree(&mut self, width: usize, depth: usize) -> Tree {
        let mut nodes = vec![Node::Leaf { value: 0.0 }];
        let mut open = vec![(0usize, 0usize)];
        while let Some((at, level)) = open.pop() {
            if level == depth || (level > 0 && self.below(5) == 0) {
                nodes[at] = Node::Leaf { value: self.below(2001) as f32 / 1000.0 - 1.0 };
                continue;
            }
            let low = nodes.len() as u16;
            let missing = if self.below(2) == 0 { Way::Low } else { Way::High };
            let threshold = self.below(9) as f32 / 4.0 - 1.0;
            nodes[at] = Node::Split { feature: self.below(width) as u16, threshold, missing, low };
            nodes.extend([Node::Leaf { value: 0.0 }; 2]);
            open.extend([(usize::from(low), level + 1), (usize::from(low) + 1, level + 1)]);
        }
        Tree { nodes }
    }
}
