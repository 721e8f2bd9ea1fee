//! Explanations are exact: equal to the definition of the Shapley value, by trying all subsets of features (FE-5).

mod common;

use common::Numbers;
use predict::forest::{Answers, Explainer, Flat, Forest};

/// The definition: a feature's share is what it changes when it joins, over all orders of joining.
fn by_definition(forest: &Forest, row: &[f32], reference: &[f32]) -> Vec<f64> {
    let width = row.len();
    let factorial = |n: usize| (1..=n).map(|k| k as f64).product::<f64>();
    let margin = |members: usize| {
        let mixed: Vec<f32> =
            (0..width).map(|at| if members >> at & 1 == 1 { row[at] } else { reference[at] }).collect();
        forest.margin(&mixed)
    };
    let margins: Vec<f64> = (0..1usize << width).map(margin).collect();
    let share = |feature: usize| {
        let without = (0..1usize << width).filter(|members| members >> feature & 1 == 0);
        without
            .map(|members| {
                let size = members.count_ones() as usize;
                let weight = factorial(size) * factorial(width - size - 1) / factorial(width);
                weight * (margins[members | 1 << feature] - margins[members])
            })
            .sum()
    };
    (0..width).map(share).collect()
}

#[test]
fn equal_to_the_definition_on_a_thousand_small_forests() {
    for seed in 0..1_000 {
        let mut numbers = Numbers(seed);
        let width = 2 + numbers.below(7);
        let trees = (0..1 + numbers.below(4)).map(|_| numbers.tree(width, 6)).collect();
        let forest = Forest { base: 0.25, trees };
        let reference: Vec<f32> = (0..width).map(|_| numbers.value()).collect();
        let row: Vec<f32> = (0..width).map(|_| numbers.value()).collect();
        let flat = Flat::new(&forest, &reference).expect("a sound forest");
        let mut answers = Answers::default();
        answers.fill(&row);
        assert_eq!(flat.margin(&answers).to_bits(), forest.margin(&row).to_bits(), "seed {seed}");
        let mut shares = Vec::new();
        let margin = Explainer::default().explain(&flat, &answers, &mut shares);
        assert_eq!(margin.to_bits(), forest.margin(&row).to_bits(), "seed {seed}");
        for (feature, (found, expected)) in shares.iter().zip(by_definition(&forest, &row, &reference)).enumerate() {
            assert!((found - expected).abs() < 1e-9, "seed {seed} feature {feature}: {found} {expected}");
        }
        let moved = forest.margin(&row) - flat.reference_margin();
        assert!((shares.iter().sum::<f64>() - moved).abs() < 1e-9, "seed {seed}");
    }
}

#[test]
fn deep_paths_sum_up() {
    for seed in 0..50 {
        let mut numbers = Numbers(seed);
        let width = 40;
        let forest = Forest { base: 0.0, trees: (0..3).map(|_| numbers.tree(width, 12)).collect() };
        let reference = vec![f32::NAN; width];
        let row: Vec<f32> = (0..width).map(|_| numbers.value()).collect();
        let flat = Flat::new(&forest, &reference).expect("a sound forest");
        let mut answers = Answers::default();
        answers.fill(&row);
        let mut shares = Vec::new();
        Explainer::default().explain(&flat, &answers, &mut shares);
        let moved = forest.margin(&row) - flat.reference_margin();
        assert!((shares.iter().sum::<f64>() - moved).abs() < 1e-9, "seed {seed}");
    }
}
