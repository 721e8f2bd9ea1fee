//! Device profiles of IHE beyond monitors: pump events (PCD-10), implants (PCD-09), device management
//! and location; and infusion orders (PCD-03) as they go out. The messages are our own, after the
//! structures that the profiles publish.

use vitals::{DeviceId, DeviceTime, Identifier, Patient, PatientId, ReceiveTime, Unit, Value};
use wire_hl7::build::Envelope;
use wire_hl7::order::{InfusionOrder, OrderAnswer, OrderError, OrderState, Quantity, answer};
use wire_hl7::{Inbound, Options, read};

fn one(text: &str) -> Inbound {
    let mut received = read(text.replace('\n', "\r").as_bytes(), ReceiveTime(0), &Options::default());
    assert_eq!(received.messages.len(), 1, "{text}");
    received.messages.remove(0)
}

/// One line a measurement: device, metric, value.
fn lines(inbound: &Inbound) -> Vec<String> {
    let readings = inbound.message.readings();
    let line = |(_, reading, m): (u16, &vitals::Reading, &vitals::Measurement)| {
        let value = match &m.value {
            Value::Numeric(number) => number.to_string(),
            Value::Enumeration(state, text) => format!("{state}:{text}"),
            Value::Text(text) => text.clone(),
            other => format!("{other:?}"),
        };
        format!("{} {} {value}", reading.device, m.metric.refid())
    };
    readings.map(line).collect()
}

fn problems(inbound: &Inbound) -> Vec<String> {
    inbound.message.problems.iter().map(|p| format!("{} {}", p.path, p.kind.name())).collect()
}

#[test]
fn a_pump_begins_to_deliver() {
    let inbound = one(include_str!("data/pcd10-delivery-start.hl7"));
    assert_eq!(problems(&inbound), Vec::<String>::new());
    assert_eq!(inbound.message.origin.profile, "ihe-pcd-10");
    assert_eq!(
        lines(&inbound),
        [
            "P6013 VW_PUMP_EVENT 1:MDC_EVT_PUMP_DELIV_START",
            "P6013 MDC_PUMP_STAT 1:pump-status-infusing",
            "P6013 MDC_FLOW_FLUID_PUMP_CURRENT 75",
            "P6013 MDC_DEV_PUMP_ACTIVE_SOURCES pump-source-info-primary",
            "P6013 MDC_DEV_PUMP_CURRENT_DELIVERY_STATUS 1:pump-delivery-status-delivering",
            "P6013 MDC_DEV_PUMP_PROGRAM_DELIVERY_MODE pump-program-delivery-mode-continuous",
            "P6013 MDC_FLOW_FLUID_PUMP 75",
            "P6013 MDC_VOL_FLUID_TBI 250",
            "P6013 MDC_TIME_PD_REMAIN 200",
            "P6013 MDC_DRUG_NAME_TYPE Dopamine",
        ]
    );
}

#[test]
fn an_implant_s_follow_up() {
    let inbound = one(include_str!("data/pcd09-follow-up.hl7"));
    assert_eq!(problems(&inbound), Vec::<String>::new());
    assert_eq!(inbound.message.origin.profile, "ihe-pcd-09");
    assert_eq!(
        lines(&inbound),
        [
            "model-X1-serial-1234-6e78770a MDC_IDC_MSMT_BATTERY_VOLTAGE 2.95",
            "model-X1-serial-1234-6e78770a MDC_IDC_MSMT_BATTERY_REMAINING_LONGEVITY 84",
            "model-X1-serial-1234-6e78770a MDC_IDC_MSMT_LEADCHNL_RA_PACING_THRESHOLD_AMPLITUDE 0.75",
            "model-X1-serial-1234-6e78770a MDC_IDC_MSMT_LEADCHNL_RA_IMPEDANCE_VALUE 512",
            "model-X1-serial-1234-6e78770a VW_DOCUMENT application/pdf, 9 bytes",
            "model-X1-serial-1234-6e78770a MDC_IDC_DEV_TYPE ICD",
        ]
    );
}

/// A message with one row for each term of implants that `vitals` has, as a maker's server would write it.
fn every_term() -> (Vec<&'static vitals::Metric>, String) {
    let terms: Vec<_> = vitals::Metric::all().filter(|metric| metric.refid.starts_with("MDC_IDC_")).collect();
    let mut text = String::from(
        "MSH|^~\\&|IMPLANTS|CLINIC|||20260101120100+0000||ORU^R01^ORU_R01|92|P|2.6|||AL|NE||UNICODE UTF-8|||IHE_PCD_009^IHE PCD\n\
         PID|||MODEL:X1/SERIAL:1234^^^MAKER^U~4711^^^HOSP^MR\nOBR|1||s-9||||20260101093000+0000\n",
    );
    for (at, term) in terms.iter().enumerate() {
        let (kind, value, unit) = match term.kind {
            vitals::metric::MetricKind::Numeric => ("NM", "1.5", term.unit.ucum()),
            _ if term.refid.contains("_DTM") || term.refid.ends_with("_DT") => ("DTM", "20260101093000+0000", ""),
            _ => ("CWE", "^MDC_IDC_ENUM_BRADY_MODE_DDDR^MDC", ""),
        };
        let (number, code, name) = (at + 1, term.code.0, term.refid);
        text.push_str(&format!("OBX|{number}|{kind}|{code}^{name}^MDC|1|{value}|{unit}^{unit}^UCUM|||||F\n"));
    }
    (terms, text)
}

#[test]
fn every_term_of_implants_lands() {
    let (terms, text) = every_term();
    let inbound = one(&text);
    assert_eq!(problems(&inbound), Vec::<String>::new());
    assert!(terms.len() >= 300, "{} terms", terms.len());
    let found: Vec<_> = inbound.message.readings().map(|(_, _, m)| m).collect();
    assert_eq!(found.len(), terms.len());
    for (term, measurement) in terms.iter().zip(found) {
        assert_eq!(measurement.metric, term.code, "{}", term.refid);
        match &measurement.value {
            Value::Numeric(number) => assert_eq!(*number, 1.5, "{}", term.refid),
            Value::Text(text) => {
                assert!(["DDDR", "2026-01-01T09:30:00Z"].contains(&text.as_str()), "{}: {text}", term.refid);
            }
            other => panic!("{}: {other:?}", term.refid),
        }
    }
    // What it says of itself is in the registry, too, under the id that its readings have.
    let Some(vitals::Content::Directory(vitals::DirectoryEvent::Device(implant))) = inbound.message.content.first() else {
        panic!("what the implant is");
    };
    let ids: Vec<_> = inbound.message.readings().map(|(_, reading, _)| &reading.device).collect();
    assert!(ids.iter().all(|id| **id == implant.id));
    assert_eq!((implant.model.as_str(), implant.serial.as_str(), implant.manufacturer.as_str()), ("DDDR", "DDDR", "DDDR"));
    // The implant stands beside its patient and is none.
    let patients: Vec<_> = inbound.message.content.iter().filter_map(|part| match part {
        vitals::Content::Reading(reading) => reading.patient.as_ref().map(|patient| patient.identifiers.len()),
        _ => None,
    }).collect();
    assert_eq!(patients, [1]);
}

#[test]
fn a_device_s_own_affairs_and_where_it_is() {
    let inbound = one(include_str!("data/pcd15-device.hl7"));
    assert_eq!(problems(&inbound), Vec::<String>::new());
    assert_eq!(
        lines(&inbound),
        [
            "P6013 MDC_ATTR_ID_MODEL SP-1",
            "P6013 MDC_ATTR_POWER_STAT onBattery",
            "P6013 MDC_ID_PROD_SPEC_FW 1.1.13",
            "P6013 MDC_ATTR_TIME_BATT_REMAIN 312",
            "P6013 MDC_ATTR_VAL_BATT_CHARGE 52",
            "P6013 VW_DEVICE_PLACE ICU-2-23",
        ]
    );
}

#[test]
fn a_tag_s_place_stands_beside_what_it_tells_of() {
    let head = "MSH|^~\\&|RTLS|HOSP|||20260101120100+0000||ORU^R01^ORU_R01|96|P|2.6|||AL|NE||UNICODE UTF-8|||IHE_PCD_015^IHE PCD\n\
        OBR|1|0^RTLS|5^RTLS|69135^MDC_OBS_MEM^MDC|||20260101120059+0000\n";
    // A device by PRT-10, where it is by PRT-9; a person's place is nobody's business.
    let place = "PRT|1|UC||EQUIP^Equipment^HL70912|||||ICU^2^23|TAG7\nPRT|2|UC||AAP|n17^Muster^Kim||||ICU^2^24\n";
    for (rest, expected) in [
        (place.to_owned(), vec!["TAG7 VW_DEVICE_PLACE ICU-2-23"]),
        (format!("{place}{place}"), vec!["TAG7 VW_DEVICE_PLACE ICU-2-23"]),
        (
            format!("OBX|1|NM|67996^MDC_ATTR_VAL_BATT_CHARGE^MDC|1|52|262688^MDC_DIM_PERCENT^MDC|||||F\n{place}"),
            vec!["TAG7 MDC_ATTR_VAL_BATT_CHARGE 52", "TAG7 VW_DEVICE_PLACE ICU-2-23"],
        ),
        ("OBX|1|ST|68045^MDC_ATTR_LOCATION^MDC|1|Theatre 3||||||F|||||||TAG7\n".to_owned(), vec!["TAG7 VW_DEVICE_PLACE Theatre 3"]),
    ] {
        let inbound = one(&format!("{head}{rest}"));
        assert_eq!(problems(&inbound), Vec::<String>::new(), "{rest}");
        assert_eq!(lines(&inbound), expected, "{rest}");
    }
}

fn order() -> InfusionOrder {
    let mut patient = Patient::unknown(PatientId::from_identifier("HOSP", "4711"));
    patient.identifiers = vec![Identifier { system: "HOSP".into(), value: "4711".into(), kind: "MR".into() }];
    patient.birth_date = Some("1950-03-02".into());
    let unit = |ucum: &str| Unit::from_ucum(ucum).expect("a unit of the table");
    InfusionOrder {
        id: "ord-17".into(),
        patient,
        bed: None,
        pump: DeviceId::new("P6013").expect("valid"),
        drug: ["D1".into(), "Dopamine".into(), "L".into()],
        concentration: Some(Quantity { value: 4.0, unit: unit("mg/mL") }),
        rate: Some(Quantity { value: 5.25, unit: unit("mL/h") }),
        dose_rate: Some(Quantity { value: 5.0, unit: unit("ug/kg/min") }),
        volume: Quantity { value: 50.0, unit: unit("mL") },
        weight_kg: Some(70.0),
        ordered_by: "dr.house".into(),
    }
}

#[test]
fn an_order_is_written_when_all_of_it_is_right() {
    let at = DeviceTime(1_767_268_800_000_000);
    let text = order().message(&Envelope::new("VITALWIRE", "c-1", at)).expect("an order");
    let rxg = text.split('\r').find(|line| line.starts_with("RXG")).expect("an RXG");
    let fields: Vec<&str> = rxg.split('|').collect();
    assert_eq!(fields[4], "D1^Dopamine^L");
    assert_eq!((fields[5], fields[7]), ("50", "263762^MDC_DIM_MILLI_L^MDC"));
    assert_eq!(fields[15], "5", "{rxg}");
    assert!(fields[16].contains("MDC_DIM_MICRO_G_PER_KG_PER_MIN"), "{rxg}");
    assert_eq!((fields[17], fields[18].split('^').nth(1)), ("4", Some("MDC_DIM_MILLI_G_PER_ML")));
    for part in ["RGV^O15^RGV_O15|c-1|", "ORC|RE|ord-17^VITALWIRE|", "PID|||4711^^^HOSP^MR||", "1.1.0.0|||||||X|||||||P6013\r"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn an_order_with_anything_wrong_is_none() {
    let unit = |ucum: &str| Unit::from_ucum(ucum).expect("a unit of the table");
    let check = |expected: OrderError, spoil: &dyn Fn(&mut InfusionOrder)| {
        let mut order = order();
        spoil(&mut order);
        assert_eq!(order.check(), Err(expected));
    };
    check(OrderError::Identity, &|o| o.patient.birth_date = None);
    check(OrderError::Identity, &|o| o.patient.identifiers.clear());
    check(OrderError::Missing("the drug"), &|o| o.drug[1].clear());
    check(OrderError::Missing("the order's number"), &|o| o.id.clear());
    check(OrderError::Missing("rate or dose"), &|o| (o.rate, o.dose_rate) = (None, None));
    check(OrderError::Number("the volume"), &|o| o.volume.value = 0.0);
    check(OrderError::Number("the rate"), &|o| o.rate = Some(Quantity { value: f64::NAN, unit: unit("mL/h") }));
    check(OrderError::Number("rate or volume"), &|o| o.volume.value = 1e6);
    check(OrderError::Unit("the volume"), &|o| o.volume.unit = unit("mg"));
    check(OrderError::Unit("the rate"), &|o| o.rate = Some(Quantity { value: 5.25, unit: unit("mg/mL") }));
    check(OrderError::Contradiction, &|o| o.rate = Some(Quantity { value: 52.5, unit: unit("mL/h") }));
    check(OrderError::Missing("the weight, which this dose needs"), &|o| o.weight_kg = None);
    check(OrderError::Number("the weight"), &|o| o.weight_kg = Some(7_000.0));
    check(OrderError::Missing("the concentration, which a dose needs"), &|o| o.concentration = None);
}

#[test]
fn answers_end_an_order_once() {
    let said = |code: &str, rest: &str| answer(format!("MSH|^~\\&|P|||||RRG^O16^RRG_O16|9|P|2.6\rMSA|{code}|c-1{rest}\r").as_bytes(), "c-1");
    assert_eq!(said("CA", ""), Some(OrderAnswer::Received));
    assert_eq!(said("AA", ""), Some(OrderAnswer::Accepted));
    assert_eq!(said("AE", "|pump is infusing"), Some(OrderAnswer::Refused("pump is infusing".into())));
    assert_eq!(said("XX", ""), None);
    assert_eq!(answer(b"MSH|^~\\&|P\rMSA|AA|c-2\r", "c-1"), None, "an answer to something else");
    assert_eq!(answer(b"\xff\xfe", "c-1"), None);
    let sent = OrderState::default;
    assert_eq!(sent().answered(OrderAnswer::Received).answered(OrderAnswer::Accepted), OrderState::Accepted);
    assert_eq!(sent().answered(OrderAnswer::Received).gave_up(), OrderState::InDoubt);
    assert_eq!(sent().gave_up().answered(OrderAnswer::Accepted), OrderState::InDoubt, "a person looks");
    assert_eq!(sent().answered(OrderAnswer::Accepted).answered(OrderAnswer::Refused("late".into())), OrderState::Accepted);
    assert!(OrderState::InDoubt.is_end() && !sent().is_end());
}
