//! Records of both Challenges, right and wrong ones.

use super::*;

const HEADER: &str = "HR|O2Sat|Temp|SBP|MAP|DBP|Resp|EtCO2|BaseExcess|HCO3|FiO2|pH|PaCO2|SaO2|AST|BUN|Alkalinephos|Calcium|Chloride|Creatinine|Bilirubin_direct|Glucose|Lactate|Magnesium|Phosphate|Potassium|Bilirubin_total|TroponinI|Hct|Hgb|PTT|WBC|Fibrinogen|Platelets|Age|Gender|Unit1|Unit2|HospAdmTime|ICULOS|SepsisLabel";

/// A line with heart rate, inspired oxygen, hour of stay and label.
fn line(heart: &str, oxygen: &str, hour: u32, label: u8) -> String {
    let mut fields = vec!["NaN"; 34];
    (fields[0], fields[10]) = (heart, oxygen);
    format!("{}|71.5|1|NaN|NaN|-3.5|{hour}|{label}", fields.join("|"))
}

fn folder(files: &[(&str, String)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder for a test");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("files are in folders")).expect("folders are made");
        std::fs::write(path, text).expect("files are written");
    }
    folder
}

#[test]
fn records_of_2019_become_stays() {
    let text = [HEADER.to_owned(), line("NaN", "NaN", 1, 0), line("88", "0.4", 2, 0), line("90", "NaN", 3, 1)].join("\n");
    let folder = folder(&[("p000002.psv", text.clone()), ("p000001.psv", text)]);
    let stays = read(&[folder.path().to_owned()], 2).expect("the records are right");
    assert_eq!(stays.iter().map(|stay| stay.id.as_str()).collect::<Vec<_>>(), ["p000001", "p000002"]);
    let stay = &stays[0];
    assert_eq!(stay.moments, [0, 60, 120]);
    assert_eq!(stay.fate, Fate::Sepsis(vec![false, false, true]));
    assert_eq!(stay.onset(), Some(8));
    assert!((stay.person.age - 71.5).abs() < 1e-6 && stay.person.medical.is_nan());
    let mut seen = Vec::new();
    stay.replay(|_, history| {
        seen.push([Variable::HeartRate, Variable::InspiredOxygen].map(|variable| history.track(variable).last()));
    });
    assert!(seen[0][0].is_nan() && seen[0][1].is_nan(), "nothing of later hours is known");
    assert_eq!(seen[2], [90.0, 40.0]);
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let text = [HEADER.to_owned(), line("88", "NaN", 1, 0), "1|2".to_owned()].join("\n");
    let folder = folder(&[("p1.psv", text)]);
    let error = read(&[folder.path().to_owned()], 1).expect_err("a short line");
    assert!(error.to_string().ends_with("p1.psv, line 3: not 41 columns"), "{error}");
    let empty = tempfile::tempdir().expect("a folder for a test");
    assert!(matches!(read(&[empty.path().to_owned()], 1), Err(CohortError::Nothing(_))));
}

#[test]
fn records_of_2012_become_stays() {
    let outcomes = "RecordID,SAPS-I,SOFA,Length_of_stay,Survival,In-hospital_death\n7,1,1,5,-1,1\n";
    let record = "Time,Parameter,Value\n00:00,RecordID,7\n00:00,Age,54\n00:00,Gender,0\n00:00,Height,-1\n00:00,ICUType,4\n\
                  00:00,Weight,-1\n01:30,NISysABP,110\n00:07,FiO2,0.5\n47:10,Urine,60\n";
    let folder = folder(&[("Outcomes-a.txt", outcomes.to_owned()), ("set-a/7.txt", record.to_owned())]);
    for path in [folder.path().to_owned(), folder.path().join("set-a")] {
        let stays = read(&[path], 1).expect("the records are right");
        assert_eq!(stays.len(), 1);
        assert_eq!((&stays[0].fate, stays[0].moments.as_slice()), (&Fate::Died(true), &[2_880][..]));
        assert!(stays[0].person.height.is_nan() && (stays[0].person.surgical - 1.0).abs() < 1e-6);
        let values: Vec<(u32, Variable)> = stays[0].values.iter().map(|value| (value.minute, value.variable)).collect();
        assert_eq!(values, [(7, Variable::InspiredOxygen), (90, Variable::Systolic), (2_830, Variable::Urine)]);
    }
}

#[test]
fn records_are_found_in_folders_and_those_that_cannot_be_read_are_counted() {
    let good = [HEADER.to_owned(), line("88", "NaN", 1, 0), line("90", "NaN", 2, 0)].join("\n");
    let folder = folder(&[
        ("training_setA/training/p1.psv", good.clone()),
        ("training_setA/training/p2.psv", String::new()),
        ("training_setB/p3.psv", good.replace("\n", "\r\n")),
        ("training_setB/p4.psv", "\u{0}garbage\n1|2".to_owned()),
        ("training_setB/p5.psv", good.replacen("EtCO2|", "", 1)),
        ("training_setB/p6.psv", good.replacen("|0\n", "|NaN\n", 1)),
        ("training_setB/p7.psv", HEADER.to_owned()),
        ("notes/readme.txt", "not a record".to_owned()),
    ]);
    std::fs::write(folder.path().join("training_setB/p8.psv"), [0xff, 0xfe, 0x00]).expect("a file is written");
    let cohort = gather(&[folder.path().to_owned()], 2).expect("some records are right");
    assert_eq!(cohort.folders, ["training_setA/training", "training_setB"]);
    let stays: Vec<(&str, usize)> = cohort.stays.iter().map(|stay| (stay.id.as_str(), stay.source)).collect();
    assert_eq!(stays, [("p1", 0), ("p3", 1)]);
    let why: Vec<String> = cohort.left_out.iter().map(CohortError::what).collect();
    assert_eq!(why[..5], [
        "the file is empty",
        "the columns are not those of the Challenge 2019",
        "the column EtCO2 is missing",
        "SepsisLabel is neither 0 nor 1",
        "no hours",
    ]);
    assert!(why.len() == 6 && why[5].contains("UTF-8"), "{why:?}");
    let first = cohort.whole().expect_err("what must be whole is refused");
    assert!(first.to_string().ends_with("p2.psv, line 1: the file is empty"), "{first}");
    let both = [folder.path().join("training_setA"), folder.path().join("training_setB")];
    assert_eq!(gather(&both, 1).expect("the same").folders, ["training_setA/training", "training_setB"]);
}

#[test]
fn where_no_record_can_be_read_the_first_says_why() {
    let folder = folder(&[("a/p1.psv", String::new()), ("a/p2.psv", String::new())]);
    let error = gather(&[folder.path().to_owned()], 1).expect_err("nothing to judge");
    assert!(error.to_string().starts_with("none of 2 records can be read; the first: "), "{error}");
}
