//! A model whose probabilities are off is calibrated anew on a site's patients: forest and inputs stay, the probabilities
//! come true on patients that the fit has not seen, the card says so, and too few patients are refused.

mod common;

use predict::Model;
use predict::model::File;
use training::cohort::{self, Stay};
use training::evaluate::{Figure, Options};
use training::made::{Ready, make, text};
use training::measure::Alerts;
use training::recalibrate::{Local, RecalibrationError, Site};
use training::recipe::Recipe;

const OPTIONS: Options = Options { draws: 10, threads: 2, alerts: Alerts::DOCUMENTED };

fn patients(count: usize, seed: u64) -> Vec<Stay> {
    let folder = tempfile::tempdir().expect("a folder for a test");
    common::write(folder.path(), count, seed);
    cohort::read(&[folder.path().to_owned()], 2).expect("records are right")
}

fn recipe() -> Recipe {
    let mut recipe = Recipe::of("sepsis").expect("a recipe");
    recipe.settings.trees = 5;
    recipe.settings.child = 2.0;
    recipe.settings.lambda = 2.0;
    recipe.settings.rate = 0.2;
    recipe
}

/// A model whose probabilities are far off: log-odds too timid, and all of them raised.
fn bent(recipe: &Recipe) -> File {
    let ready = Ready::new(recipe, patients(150, 2), 2).expect("hourly records");
    let mut file = make(recipe, &ready, &["folder 1".to_owned()], OPTIONS, |_| ()).file;
    file.calibration.slope *= 0.4;
    file.calibration.intercept += 1.0;
    file.calibration.curve.clear();
    file
}

fn read(file: &File) -> Model {
    Model::read(text(file).expect("a model is JSON").as_bytes()).expect("a model")
}

fn site() -> Site {
    Site { words: "Made-up intensive care, 2026".to_owned(), date: "2026-11-22".to_owned() }
}

fn value(figures: &[Figure], name: &str, on: &str) -> f64 {
    let found = figures.iter().find(|figure| figure.name == name && figure.on.starts_with(on));
    found.unwrap_or_else(|| panic!("no {name} on {on}")).interval.value
}

#[test]
fn what_was_off_comes_true_and_the_card_says_so() {
    let recipe = recipe();
    let file = bent(&recipe);
    let model = read(&file);
    let stays = patients(420, 3);
    let local = Local::new(&model, &recipe, &stays, 2).expect("hourly records");
    let (fresh, figures) = local.recalibrate(file.clone(), &site(), OPTIONS).expect("enough patients");
    for (name, far, near) in [("calibration slope", 0.8, 0.3), ("observed to expected", 0.2, 0.1)] {
        let [before, after] = ["as it is", "calibrated anew"].map(|on| (value(&figures, name, on) - 1.0).abs());
        assert!(before > far && after < near, "{name}: off by {before} before and {after} after");
    }
    for name in ["Brier score", "expected calibration error"] {
        assert!(value(&figures, name, "calibrated") < value(&figures, name, "as it is"), "{name}");
    }
    assert_eq!((&fresh.forest, &fresh.features, &fresh.requires), (&file.forest, &file.features, &file.requires));
    let local_model = read(&fresh);
    assert!(local_model.version().starts_with("1.0.0-site-20261122+"), "{}", local_model.version());
    for told in [&fresh.population, &fresh.calibration.fitted, &fresh.doubt.fitted, &fresh.thresholds[0].chosen, &fresh.card.training] {
        assert!(told.contains("Made-up intensive care, 2026"), "{told}");
    }
    assert!(fresh.card.training.contains(model.version()) && fresh.calibration.fitted.contains("420 patients"), "{}", fresh.card.training);
    let on: Vec<&str> = fresh.card.figures.iter().map(|figure| figure.on.as_str()).collect();
    assert!(on[0].starts_with("patients of the site: as it is") && on[on.len() - 1].starts_with("before the calibration"), "{on:?}");
    let written = text(&fresh).expect("a model is JSON");
    assert!(stays.iter().all(|stay| !written.contains(&stay.id)), "no record is named");
    let again = Local::new(&model, &recipe, &stays, 1).expect("hourly records");
    let one = Options { threads: 1, ..OPTIONS };
    assert_eq!(text(&again.recalibrate(file, &site(), one).expect("enough").0).expect("JSON"), written, "the same bytes");
    let twice = Local::new(&local_model, &recipe, &stays, 1).map(|_| ()).expect_err("calibrated anew already");
    assert!(matches!(twice, RecalibrationError::Again(_)));
}

#[test]
fn too_few_patients_are_refused_with_how_many_are_needed() {
    let recipe = recipe();
    let file = bent(&recipe);
    let (model, stays) = (read(&file), patients(120, 4));
    let local = Local::new(&model, &recipe, &stays, 2).expect("hourly records");
    let error = local.recalibrate(file, &site(), OPTIONS).expect_err("some fifty events are too few");
    assert!(error.to_string().contains("at least 100 with it and 100 without"), "{error}");
    let figures = local.by_size(&[60, 5_000], OPTIONS);
    assert!(figures.iter().any(|figure| figure.on.contains("60 patients")) && !figures.iter().any(|figure| figure.on.contains("5000")));
    let other = Recipe::of("mortality-48h").expect("a recipe");
    assert!(matches!(Local::new(&model, &other, &stays, 1).map(|_| ()), Err(RecalibrationError::OtherData(_))));
}
