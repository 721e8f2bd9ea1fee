//! What a forest learns, and that it is the same on any number of threads.

use super::*;

const SETTINGS: Settings =
    Settings { trees: 60, rate: 0.2, depth: 4, leaves: 8, lambda: 1.0, child: 1.0, features: 1.0, seed: 7 };

/// Rows of three features, of which the first two decide together and the third is noise; some values are missing.
fn rows(count: usize) -> (Table, Vec<Example>) {
    let mut draw = Draw::new(3);
    let rows: Vec<[f32; 3]> = (0..count).map(|_| [0; 3].map(|_| draw.unit() as f32)).collect();
    let mut table = Table::new((0..3).map(|feature| Bins::of(rows.iter().map(|row| row[feature]))).collect());
    let mut examples = Vec::new();
    for row in rows {
        let event = (row[0] > 0.5) != (row[1] > 0.5);
        let hidden = draw.unit() < 0.1;
        table.push(&[row[0], if hidden { f32::NAN } else { row[1] }, row[2]]);
        examples.push(Example { event, weight: 1.0, keep: 0.7 });
    }
    (table, examples)
}

#[test]
fn what_two_features_decide_together_is_learned() {
    let (table, mut examples) = rows(12_000);
    for example in &mut examples[9_000..] {
        example.keep = 0.0;
    }
    let forest = grow(&table, &examples, &[0, 1, 2], &SETTINGS, 2, |_| ());
    let right = (9_000..12_000).filter(|at| (forest.margins[*at] > 0.0) == examples[*at].event).count();
    assert!(right > 2_700, "{right} of 3,000 rows that taught nothing were told right");
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let (table, examples) = rows(20_000);
    let one = grow(&table, &examples, &[0, 1, 2], &SETTINGS, 1, |_| ());
    let three = grow(&table, &examples, &[0, 1, 2], &SETTINGS, 3, |_| ());
    assert_eq!(one, three);
}

#[test]
fn features_that_are_not_allowed_are_not_asked() {
    let (table, examples) = rows(5_000);
    let forest = grow(&table, &examples, &[2], &SETTINGS, 1, |_| ());
    assert!(forest.trees.iter().flat_map(|tree| &tree.0).all(|node| node.children[0] == 0 || node.feature == 2));
}
