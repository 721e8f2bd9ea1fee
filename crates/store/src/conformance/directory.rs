//! Who and what there is, and who was on whom.

use vitals::{
    Association, AssociationBasis, Bed, Device, DeviceId, EffectiveTime, Encounter, EncounterId,
    EncounterStatus, HumanName, Identifier, LinkState, Location, Patient, PatientId, ReceiveTime,
};

use crate::{
    AssociationQuery, AssociationRow, Commit, DeviceRow, DirectoryKind, DirectoryQuery, DirectoryRow,
    EncounterRow, LocationRow, Page, PatientRow, Span, Store,
};

pub(super) fn patient(id: &str, family: &str, mrn: &str, updated: i64) -> PatientRow {
    let mut patient = Patient::unknown(PatientId::new(id).expect("a valid id"));
    patient.name = HumanName {
        family: family.to_owned(),
        given: "Ada".to_owned(),
    };
    patient.identifiers = vec![Identifier {
        system: "urn:mrn".to_owned(),
        value: mrn.to_owned(),
        kind: "MR".to_owned(),
    }];
    patient.document = Some(b"{}".to_vec());
    PatientRow {
        patient,
        merged_into: None,
        updated: ReceiveTime(updated),
        version: updated.unsigned_abs(),
    }
}

/// Found by id, identifier, name, status, patient, place and time of change.
pub(super) fn people_places_devices(store: &mut impl Store) {
    let bed = Bed {
        unit: "ICU".to_owned(),
        room: "1".to_owned(),
        bed: "A".to_owned(),
    };
    let location = Location::from_bed(bed);
    let mut retired = patient("p2", "Smythe", "12", 20);
    retired.merged_into = Some(PatientId::new("p1").expect("a valid id"));
    let encounter = EncounterRow {
        encounter: Encounter {
            id: EncounterId::new("e1").expect("a valid id"),
            patient: PatientId::new("p1").expect("a valid id"),
            status: EncounterStatus::InProgress,
            class: "IMP".to_owned(),
            location: Some(location.id.clone()),
            start: Some(EffectiveTime(5)),
            end: None,
            document: None,
        },
        updated: ReceiveTime(11),
        version: 1,
    };
    let mut device = Device::announced(DeviceId::new("m1").expect("a valid id"));
    device.location = Some(location.id.clone());
    let device = DeviceRow {
        device,
        link: Some(LinkState::Online),
        last_heard: Some(ReceiveTime(9)),
        updated: ReceiveTime(12),
        version: 3,
    };
    let place = LocationRow {
        location: location.clone(),
        updated: ReceiveTime(1),
        version: 1,
    };
    let smith = patient("p1", "Smith", "11", 10);
    let commit = Commit {
        directory: vec![
            DirectoryRow::Patient(patient("p1", "Smit", "99", 5)),
            DirectoryRow::Patient(smith.clone()),
            DirectoryRow::Patient(retired.clone()),
            DirectoryRow::Encounter(encounter.clone()),
            DirectoryRow::Location(place.clone()),
            DirectoryRow::Device(device.clone()),
        ],
        ..Commit::default()
    };
    store.commit(&commit).expect("a commit succeeds");
    let reader = store.reader();
    let history =
        |kind, id| reader.directory_history(kind, id).expect("history can be read");
    let versions =
        [smith.clone(), patient("p1", "Smit", "99", 5)].map(DirectoryRow::Patient);
    assert_eq!(history(DirectoryKind::Patient, "p1"), versions);
    assert_eq!(history(DirectoryKind::Device, "m1"), [DirectoryRow::Device(device.clone())]);
    assert_eq!(history(DirectoryKind::Device, "m2"), []);
    let any = DirectoryQuery::default;
    let check = |query: DirectoryQuery, expected: &[&PatientRow]| {
        let found = reader.patients(&query).expect("patients can be read");
        assert_eq!(found.rows.iter().collect::<Vec<_>>(), expected, "{query:?}");
        assert_eq!(found.total, expected.len() as u64, "{query:?}");
    };
    check(any(), &[&smith, &retired]);
    check(
        DirectoryQuery {
            newest_first: true,
            ..any()
        },
        &[&retired, &smith],
    );
    check(
        DirectoryQuery {
            ids: vec!["p2".into(), "p9".into()],
            ..any()
        },
        &[&retired],
    );
    check(
        DirectoryQuery {
            patient: Some(smith.patient.id.clone()),
            ..any()
        },
        &[&retired],
    );
    check(
        DirectoryQuery {
            name: Some("SMITH".into()),
            ..any()
        },
        &[&smith],
    );
    check(
        DirectoryQuery {
            status: vec!["merged".into()],
            ..any()
        },
        &[&retired],
    );
    let by = |system: Option<&str>, value: &str| DirectoryQuery {
        identifier: Some((system.map(str::to_owned), value.to_owned())),
        ..any()
    };
    check(by(Some("urn:mrn"), "11"), &[&smith]);
    check(by(None, "12"), &[&retired]);
    check(by(Some("urn:other"), "11"), &[]);
    check(by(None, "99"), &[]);
    let since = Span {
        from: Some(11),
        to: None,
    };
    check(
        DirectoryQuery {
            updated: since,
            ..any()
        },
        &[&retired],
    );
    let page = DirectoryQuery {
        page: Page { skip: 1, limit: 1 },
        ..any()
    };
    let part = reader.patients(&page).expect("patients can be read");
    assert_eq!((part.rows.len(), part.total), (1, 2));

    let here = DirectoryQuery {
        location: Some(location.id),
        ..any()
    };
    assert_eq!(
        reader
            .encounters(&here)
            .expect("encounters can be read")
            .rows,
        [encounter.clone()]
    );
    assert_eq!(
        reader.devices(&here).expect("devices can be read").rows,
        [device]
    );
    let of_p1 = DirectoryQuery {
        patient: Some(smith.patient.id.clone()),
        ..any()
    };
    assert_eq!(
        reader
            .encounters(&of_p1)
            .expect("encounters can be read")
            .rows,
        [encounter]
    );
    let beds = DirectoryQuery {
        status: vec!["bed".into()],
        ..any()
    };
    assert_eq!(
        reader.locations(&beds).expect("places can be read").rows,
        [place]
    );
}

/// A device that was on a patient.
pub(super) fn on(device: &str, patient: &str, start: i64, end: Option<i64>) -> AssociationRow {
    AssociationRow {
        association: Association {
            device: DeviceId::new(device).expect("a valid id"),
            patient: PatientId::new(patient).expect("a valid id"),
            basis: AssociationBasis::Person("nurse".to_owned()),
            start: EffectiveTime(start),
            end: end.map(EffectiveTime),
        },
        updated: ReceiveTime(1),
    }
}

/// Time-bounded, and replaced by device, patient and start (PA-1).
pub(super) fn associations(store: &mut impl Store) {
    let row = |patient: &str, start, end| on("m1", patient, start, end);
    let rows = [
        row("p1", 0, None),
        row("p1", 0, Some(10)),
        row("p2", 10, None),
    ];
    let directory = rows
        .iter()
        .cloned()
        .map(DirectoryRow::Association)
        .collect();
    store
        .commit(&Commit {
            directory,
            ..Commit::default()
        })
        .expect("a commit succeeds");
    let reader = store.reader();
    let check = |query: AssociationQuery, expected: &[&AssociationRow]| {
        let found = reader
            .associations(&query)
            .expect("associations can be read");
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query:?}");
    };
    let any = AssociationQuery::default;
    check(any(), &[&rows[1], &rows[2]]);
    check(
        AssociationQuery {
            at: Some(EffectiveTime(9)),
            ..any()
        },
        &[&rows[1]],
    );
    check(
        AssociationQuery {
            at: Some(EffectiveTime(10)),
            ..any()
        },
        &[&rows[2]],
    );
    check(
        AssociationQuery {
            lasting: true,
            ..any()
        },
        &[&rows[2]],
    );
    let p1 = Some(rows[0].association.patient.clone());
    check(
        AssociationQuery {
            patient: p1,
            ..any()
        },
        &[&rows[1]],
    );
    let other = Some(DeviceId::new("m2").expect("a valid id"));
    check(
        AssociationQuery {
            device: other,
            ..any()
        },
        &[],
    );
}
