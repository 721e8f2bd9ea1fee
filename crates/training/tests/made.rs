//! A model made of made-up patients: the same bytes again, a file that is read, figures that are plausible.

mod common;

use predict::Model;
use training::applied::said;
use training::cohort;
use training::evaluate::{Figure, Options, Said, evaluate, ways};
use training::learn::Lessons;
use training::measure::Alerts;
use training::made::{Ready, make, text};
use training::recipe::Recipe;

fn small(id: &str) -> Recipe {
    let mut recipe = Recipe::of(id).expect("a recipe");
    recipe.settings.trees = 12;
    recipe.settings.child = 2.0;
    recipe.settings.lambda = 2.0;
    recipe.settings.rate = 0.2;
    recipe
}

fn value(figures: &[Figure], of: &str, name: &str, on: &str) -> f64 {
    let found = figures.iter().find(|figure| figure.of == of && figure.name == name && figure.on == on);
    found.unwrap_or_else(|| panic!("no {name} of {of} on {on}")).interval.value
}

#[test]
fn the_same_patients_give_the_same_file_on_any_number_of_threads() {
    let folder = tempfile::tempdir().expect("a folder for a test");
    common::write(folder.path(), 150, 1);
    let recipe = small("deterioration-vitals");
    let texts: Vec<String> = [1, 3]
        .into_iter()
        .map(|threads| {
            let stays = cohort::read(&[folder.path().to_owned()], threads).expect("records are right");
            let ready = Ready::new(&recipe, stays, threads).expect("hourly records");
            let made = make(&recipe, &ready, &["folder 1".to_owned()], Options { draws: 10, threads, alerts: Alerts::default() }, |_| ());
            text(&made.file).expect("a model is JSON")
        })
        .collect();
    assert_eq!(texts[0], texts[1]);
    let model = Model::read(texts[0].as_bytes()).expect("what was made is a model");
    assert_eq!(model.id(), "deterioration-vitals");
}

#[test]
fn a_model_of_sepsis_is_better_than_scores_on_patients_it_never_saw() {
    let (here, there) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    common::write(here.path(), 250, 2);
    common::write(there.path(), 120, 3);
    let recipe = small("sepsis");
    let options = Options { draws: 10, threads: 2, alerts: Alerts::default() };
    let stays = cohort::read(&[here.path().to_owned()], 2).expect("records are right");
    let ready = Ready::new(&recipe, stays, 2).expect("hourly records");
    let mut told = Vec::new();
    let made = make(&recipe, &ready, &["folder 1".to_owned()], options, |percent| told.push(percent));
    assert!(told.windows(2).all(|two| two[0] <= two[1]) && told.last() == Some(&99));
    let model = Model::read(text(&made.file).expect("a model is JSON").as_bytes()).expect("a model");
    let others = cohort::read(&[there.path().to_owned()], 2).expect("records are right");
    let lessons = Lessons::new(recipe.task, &others).expect("hourly records");
    let said = said(&model, &others, 2);
    assert!(said.judged.contains(&true));
    let figures = evaluate("sepsis", recipe.task, &others, &lessons, &said, &["there".to_owned()], options);
    let counted = |said| ways("sepsis", recipe.task, &others, &lessons, said, &["there".to_owned()], options);
    let finds = |figures: &[Figure], way: &str| value(figures, &format!("sepsis, counted: {way}"), "sensitivity at NEWS2's alerts", "all");
    let all = counted(&said);
    let documented = value(&figures, "sepsis at the alerts of NEWS2 ≥ 5", "sensitivity 6 h ahead", "all");
    assert!((finds(&all, "as documented") - documented).abs() < 1e-12);
    assert!(finds(&all, "warned 6 to 12 h ahead") <= documented && finds(&all, "in alarm 6 h before") > 0.0);
    let silent = Said { judged: vec![false; said.judged.len()], ..said.clone() };
    assert!(Alerts::WAYS.iter().all(|(way, _)| finds(&counted(&silent), way).abs() < 1e-12), "who refuses warns of nothing");
    for (figures, whose) in [(&made.figures, "its own, by cross-validation"), (&figures, "others'")] {
        let auroc = value(figures, "sepsis", "AUROC", "all");
        assert!(auroc > 0.8, "AUROC {auroc} on {whose}");
        assert!(value(figures, "sepsis", "utility", "all") > value(figures, "NEWS2", "utility", "all"), "{whose}");
        let slope = value(figures, "sepsis", "calibration slope", "all");
        assert!((0.2..5.0).contains(&slope), "slope {slope} on {whose}");
    }
}

#[test]
fn a_model_of_one_data_set_is_not_made_of_another() {
    let folder = tempfile::tempdir().expect("a folder for a test");
    common::write(folder.path(), 3, 4);
    let stays = cohort::read(&[folder.path().to_owned()], 1).expect("records are right");
    assert!(Ready::new(&small("mortality-48h"), stays, 1).is_none());
}
