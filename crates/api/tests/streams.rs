//! SE-1 on what flows: the live stream and the waveform socket carry patients of one's own alone, to
//! accounts of a unit, and carry them no longer once unit, care team, consent or emergency is over.

mod waves_support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use futures_util::StreamExt;
use guard::{Account, Document, DocumentKind, Kind, Member, Opening, Provision, Reason, Span};
use parking_lot::Mutex;
use vitals::{
    Action, Actor, Bed, DeviceId, DirectoryEvent, Encounter, EncounterId, EncounterStatus, HumanName, Location, Patient,
    PatientId, Role,
};
use waves_support::{House, LONG, frames, house, now};

const ECG: &str = "MDC_ECG_ELEC_POTL_II";

/// Puts somebody into a bed of a unit, with a monitor on that is heard; or moves them there.
async fn admit(house: &House, name: &'static str, unit: &str) -> PatientId {
    let id = PatientId::from_identifier("urn:mrn", name);
    let bed = Location::from_bed(Bed { unit: unit.into(), room: name.into(), bed: "A".into() });
    let named = HumanName { family: format!("Family-{name}"), given: "Ada".into() };
    let stay = Encounter {
        id: EncounterId::new(&format!("e-{name}")).expect("an id"),
        patient: id.clone(),
        status: EncounterStatus::InProgress,
        class: "IMP".into(),
        location: Some(bed.id.clone()),
        start: Some(vitals::EffectiveTime(now().0 - 3_600_000_000)),
        end: None,
        document: None,
    };
    let person = Patient { name: named, ..Patient::unknown(id.clone()) };
    for event in [DirectoryEvent::Location(bed), DirectoryEvent::Patient(person), DirectoryEvent::Encounter(stay)] {
        act(house, Action::Directory(event)).await;
    }
    let end = Instant::now() + LONG;
    let lies = |seen: &engine::PatientView| seen.location.as_ref().is_some_and(|place| place.bed.unit == unit);
    while house.api.live.patient(&id).is_none_or(|seen| !lies(&seen)) {
        assert!(Instant::now() < end, "{name} lies in {unit}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    id
}

async fn act(house: &House, action: Action) {
    house.api.act(Actor { name: "kim".into(), role: Role::Nurse }, action).await.expect("taken");
}

/// Puts a monitor on, which sends a second of ECG.
async fn monitor(house: &House, device: &'static str, patient: &PatientId) -> u32 {
    let since = Some(vitals::EffectiveTime(now().0 - 60_000_000));
    act(house, Action::Associate { device: DeviceId::sanitised(device), patient: patient.clone(), since }).await;
    send(house, device).await;
    house.series(patient, ECG).await
}

async fn send(house: &House, device: &'static str) {
    for frame in frames(device, ECG, 500, 2, now().0 - 1_000_000) {
        house.send(&frame).await;
    }
}

/// Something about a patient happens, which the live stream tells those who may know.
fn stir(house: &House, patient: &PatientId) {
    house.api.live.changes().push(live::Change::Patient(patient.clone()));
}

fn nurse(house: &House, name: &str, unit: &str) -> (Account, String) {
    let mut account = Account::new(name, Role::Nurse, Kind::Service);
    account.units = [unit].into_iter().collect();
    let token = house.guard.add_service(&account).expect("added");
    (account, token)
}

/// One who looks at the live stream.
struct Looker(Arc<Mutex<String>>);

impl Looker {
    async fn new(house: &House, token: &str) -> Self {
        let answer = house.answer(Request::get("/api/v1/live"), token, Body::empty()).await;
        assert_eq!(answer.status(), 200);
        let (text, mut body) = (Arc::new(Mutex::new(String::new())), answer.into_body().into_data_stream());
        let kept = Arc::clone(&text);
        tokio::spawn(async move {
            while let Some(Ok(bytes)) = body.next().await {
                kept.lock().push_str(&String::from_utf8_lossy(&bytes));
            }
            kept.lock().push_str("[over]");
        });
        let looker = Self(text);
        looker.until("the ward", |text| text.contains("event: ward")).await;
        looker
    }

    /// Waits for something in what came since the last time, and gives all of that.
    async fn until(&self, what: &str, holds: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + LONG;
        loop {
            if holds(&self.0.lock()) {
                return std::mem::take(&mut *self.0.lock());
            }
            assert!(Instant::now() < end, "in vain: {what}; {}", self.0.lock());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What came of one patient, up to and with the next change of another, whom they see.
    async fn of(&self, house: &House, patient: &PatientId, seen: &PatientId) -> String {
        for _ in 0..3 {
            stir(house, patient);
        }
        stir(house, seen);
        self.until("a change of one's own patient", |text| text.contains(seen.as_str())).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_live_stream_tells_of_ones_own_patients_until_they_are_no_longer() {
    let house = house().await;
    tokio::spawn(Arc::clone(&house.api.broadcast).run(house.api.clone()));
    let (own, other) = (admit(&house, "own", "ICU").await, admit(&house, "other", "ER").await);
    monitor(&house, "m-own", &own).await;
    monitor(&house, "m-other", &other).await;
    let (account, token) = nurse(&house, "nora", "ICU");
    let looker = Looker::new(&house, &token).await;
    let hears = |text: &str| text.contains(other.as_str()) || text.contains("Family-other");
    assert!(!hears(&looker.of(&house, &other, &own).await), "another unit's patient");

    // In the care team, and out of it.
    let (role, team, period) = ("primary".to_owned(), String::new(), Span::default());
    house.guard.put_team_member(&other, &Member { account: "nora".into(), role, team, period }).expect("put in");
    assert!(looker.of(&house, &other, &own).await.contains("Family-other"));
    house.guard.remove_team_member(&other, "nora").expect("taken out");
    let told = looker.of(&house, &other, &own).await;
    assert!(told.contains("event: gone") && !told.contains("Family-other"), "{told}");
    assert!(!hears(&looker.of(&house, &other, &own).await));

    // Opened in an emergency, and closed.
    let words = "collapsed in the corridor".to_owned();
    let opening = Opening { patient: other.clone(), unit: "ER".into(), reason: Reason::Emergency, words, minutes: 10 };
    let open = house.guard.open_patient(&account, &opening, now()).expect("opened");
    assert!(looker.of(&house, &other, &own).await.contains("Family-other"));
    let path = format!("/api/v1/break-glass/{}", open.id);
    assert_eq!(house.ask(Request::delete(&path), &token, Body::empty()).await.0, 200);
    let told = looker.until("that they are gone", |text| text.contains("event: gone")).await;
    assert!(!told.contains("Family-other"), "{told}");
    assert!(!hears(&looker.of(&house, &other, &own).await));

    // Moved into the unit, and out of it.
    admit(&house, "other", "ICU").await;
    looker.until("whom they have got", |text| text.contains("Family-other")).await;
    admit(&house, "other", "ER").await;
    looker.until("that they are gone", |text| text.contains("event: gone") && text.contains(other.as_str())).await;
    assert!(!hears(&looker.of(&house, &other, &own).await));

    // A consent that refuses takes even one's own patient out of the stream.
    let third = admit(&house, "third", "ICU").await;
    looker.until("the third", |text| text.contains("Family-third")).await;
    let (id, json) = ("c-1".to_owned(), "{}".to_owned());
    let (kind, status, rules) = (DocumentKind::Consent, "active".to_owned(), Some(Provision::base(false)));
    let consent = Document { kind, id, patient: third.clone(), status, json, rules };
    house.guard.put_consent(&consent, "third", now()).expect("kept");
    let told = looker.of(&house, &third, &own).await;
    assert!(told.contains("event: gone") && !told.contains("Family-third"), "{told}");
    assert!(!looker.of(&house, &third, &own).await.contains(third.as_str()));

    // And the account's end is the stream's.
    house.guard.remove_user("nora").expect("removed");
    looker.until("the end", |text| text.ends_with("[over]")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn patients_caregivers_and_whoever_sees_no_names_have_no_stream() {
    let house = house().await;
    let patient = admit(&house, "own", "ICU").await;
    for role in [Role::Patient, Role::Caregiver, Role::Researcher, Role::Operations, Role::Engineer, Role::SecurityOfficer] {
        let mut account = Account::new(role.name(), role, Kind::Service);
        account.patient = (role == Role::Patient).then(|| patient.clone());
        let token = house.guard.add_service(&account).expect("added");
        let (status, _) = house.ask(Request::get("/api/v1/live"), &token, Body::empty()).await;
        assert_eq!(status, 403, "{role:?}");
        let bearer = format!("Bearer {token}");
        let refused = house.viewer(&[("authorization", &bearer)]).await;
        assert_eq!(refused.err(), Some(403), "{role:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_frame_of_anothers_patient_passes_and_none_after_access_ended() {
    let house = house().await;
    let (own, other) = (admit(&house, "own", "ICU").await, admit(&house, "other", "ER").await);
    let series = [monitor(&house, "m-own", &own).await, monitor(&house, "m-other", &other).await];
    let (account, token) = nurse(&house, "nora", "ICU");
    let bearer = format!("Bearer {token}");
    let mut viewer = house.viewer(&[("authorization", &bearer)]).await.expect("let in");
    viewer.watch(&[(1, &own, series[0]), (2, &other, series[1])], 300.0).await;
    viewer.until("one's own", |viewer| !viewer.samples(1).is_empty()).await;
    for _ in 0..3 {
        send(&house, "m-other").await;
        let before = viewer.samples(1).len();
        send(&house, "m-own").await;
        viewer.until("one's own", |viewer| viewer.samples(1).len() > before).await;
    }
    assert!(viewer.waves.iter().all(|wave| wave.view == 1), "no frame of the other");
    assert!(viewer.texts.iter().all(|text| !text.to_string().contains(other.as_str())));
    // One's own patient under another's series number is nobody's channel.
    viewer.watch(&[(3, &own, series[1])], 300.0).await;
    viewer.until("the refusal", |viewer| viewer.texts.iter().any(|text| text["view"] == 3 && text["state"] == "gone")).await;
    assert!(viewer.waves.iter().all(|wave| wave.view != 3));

    let end = |round: usize| {
        let (house, other, account) = (&house, other.clone(), account.clone());
        async move {
            let guard = &house.guard;
            match round {
                0 => assert!(guard.remove_team_member(&other, "nora").expect("taken out")),
                1 => {
                    let open = guard.emergencies(vitals::ReceiveTime(0), 1).expect("read").remove(0);
                    guard.close_patient(&account.name, &open.id, now()).expect("closed").expect("open");
                }
                2 => drop(admit(house, "other", "ER").await),
                _ => {
                    let (kind, status, rules) = (DocumentKind::Consent, "active".to_owned(), Some(Provision::base(false)));
                    let (id, json) = ("c-1".to_owned(), "{}".to_owned());
                    guard.put_consent(&Document { kind, id, patient: other, status, json, rules }, "x", now()).expect("kept");
                }
            }
        }
    };
    for round in 0..4 {
        match round {
            0 | 3 => {
                let (role, team, period) = ("primary".to_owned(), String::new(), Span::default());
                house.guard.put_team_member(&other, &Member { account: "nora".into(), role, team, period }).expect("put in");
            }
            1 => {
                let words = "collapsed in the corridor".to_owned();
                let (unit, reason) = ("ER".into(), Reason::Emergency);
                let opening = Opening { patient: other.clone(), unit, reason, words, minutes: 10 };
                house.guard.open_patient(&account, &opening, now()).expect("opened");
            }
            _ => drop(admit(&house, "other", "ICU").await),
        }
        let mut viewer = house.viewer(&[("authorization", &bearer)]).await.expect("let in");
        viewer.watch(&[(7, &other, series[1])], 300.0).await;
        viewer.until("whom they may see now", |viewer| !viewer.samples(7).is_empty()).await;
        end(round).await;
        let code = loop {
            if let Some(code) = viewer.next().await {
                break code;
            }
        };
        assert_eq!(code, 1008, "round {round}: ended for the right was gone");
        // Whoever comes back gets nothing.
        let mut again = house.viewer(&[("authorization", &bearer)]).await.expect("let in");
        again.watch(&[(8, &other, series[1]), (9, &own, series[0])], 300.0).await;
        again.until("one's own", |viewer| !viewer.samples(9).is_empty()).await;
        assert!(again.waves.iter().all(|wave| wave.view != 8), "round {round}");
    }
}
