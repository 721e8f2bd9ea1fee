//! What it costs to ask what is known of a patient, and what their consents say.
//!
//! `cargo run --release -p guard --example facts_cost`

use std::hint::black_box;
use std::time::Instant;

use guard::{
    Account, Category, Document, DocumentKind, Guard, Kind, Provision, Purpose, Recipient, Stance,
};
use vitals::{PatientId, ReceiveTime, Role};

/// Patients with a consent.
const PATIENTS: usize = 10_000;
/// Questions.
const ASKED: u32 = 2_000_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let guard = Guard::open(folder.path())?;
    let patients: Vec<PatientId> =
        (0..PATIENTS).map(|n| PatientId::from_identifier("cost", &n.to_string())).collect();
    let refusal = Provision {
        categories: vec![Category::Waveforms],
        recipients: vec![Recipient::Role("pharmacist".to_owned()), Recipient::Unit("ICU".to_owned())],
        purposes: vec![Purpose::Treat],
        ..Provision::base(false)
    };
    let rules = Provision { exceptions: vec![refusal; 4], ..Provision::base(true) };
    for (n, patient) in patients.iter().enumerate().step_by(100) {
        let document = Document {
            kind: DocumentKind::Consent,
            id: format!("c-{n}"),
            patient: patient.clone(),
            status: "active".to_owned(),
            json: "{}".to_owned(),
            rules: Some(rules.clone()),
        };
        guard.put_consent(&document, "cost", ReceiveTime(0))?;
    }
    let account = Account::new("paul", Role::Pharmacist, Kind::Person);
    let ask = |what: &str, question: &mut dyn FnMut(&PatientId)| {
        let begun = Instant::now();
        for n in 0..ASKED as usize {
            question(&patients[(n * 7_919) % PATIENTS]);
        }
        let each = begun.elapsed() / ASKED;
        println!("{what}: {} ns", each.as_nanos());
    };
    ask("facts of a patient", &mut |patient| {
        black_box(guard.patient_facts(patient));
    });
    let of = guard.patient_facts(&patients[0]);
    ask("what a consent of five rules lets see", &mut |_| {
        black_box(of.consented(&account, None, ReceiveTime(1), Stance::default()));
    });
    Ok(())
}
