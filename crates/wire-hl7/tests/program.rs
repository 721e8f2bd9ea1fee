//! Commands as infusion orders (PCD-03), and pump events that name one (PCD-10).

use vitals::{
    CommandClass, CommandId, CommandOrder, CommandParameter, CommandStep, CommandValue, DeviceId, DeviceTime,
    Identifier, Patient, PatientId, ReadBack, ReceiveTime,
};
use wire_hl7::build::Envelope;
use wire_hl7::order::OrderError;
use wire_hl7::program::{OURSELVES, Programmed, order};
use wire_hl7::{Options, read};

fn patient() -> Patient {
    let mut patient = Patient::unknown(PatientId::from_identifier("HOSP", "4711"));
    patient.identifiers = vec![Identifier { system: "HOSP".into(), value: "4711".into(), kind: "MR".into() }];
    patient.birth_date = Some("1950-03-02".into());
    patient
}

fn number(name: &str, value: f64, unit: &str) -> CommandParameter {
    CommandParameter { name: name.into(), value: CommandValue::Number(value), unit: unit.into() }
}

fn drug(text: &str) -> CommandParameter {
    CommandParameter { name: "drug".into(), value: CommandValue::Choice(text.into()), unit: String::new() }
}

fn command(parameters: Vec<CommandParameter>) -> CommandOrder {
    CommandOrder {
        id: CommandId::new("c-0f3a").expect("valid"),
        device: DeviceId::new("P6013").expect("valid"),
        patient: PatientId::from_identifier("HOSP", "4711"),
        name: "program".into(),
        class: CommandClass::Therapy,
        parameters,
        two_person: true,
        expires: ReceiveTime(0),
        answer_us: 0,
        read_back: ReadBack::Answer,
    }
}

#[test]
fn a_command_becomes_an_order_that_names_it() {
    let asked = command(vec![drug("Dopamine [3628 RXNORM]"), number("rate", 5.25, "mL/h"), number("volume", 50.0, "mL")]);
    let order = order(&asked, patient(), None, "paula").expect("an order");
    let text = order.message(&Envelope::new(OURSELVES, "c-0f3a", DeviceTime(0))).expect("a message");
    for part in ["ORC|RE|c-0f3a^VITALWIRE|", "|3628^Dopamine^RXNORM|50||", "|5.25|265266^MDC_DIM_MILLI_L_PER_HR^MDC", "|paula"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn what_is_no_infusion_order_is_refused_before_anything_is_written() {
    let (rate, volume) = (number("rate", 5.0, "mL/h"), number("volume", 50.0, "mL"));
    let dose = number("dose-rate", 5.0, "ug/kg/min");
    for (parameters, expected) in [
        (vec![rate.clone(), volume.clone()], OrderError::Missing("the drug")),
        (vec![drug("D"), rate.clone()], OrderError::Missing("the volume")),
        (vec![drug("D"), volume.clone()], OrderError::Missing("rate or dose")),
        (vec![drug("D"), volume.clone(), number("rate", 5.0, "mL/min")], OrderError::Unit("rate")),
        (vec![drug("D"), volume.clone(), number("rate", 0.0, "mL/h")], OrderError::Number("the rate")),
        (vec![drug("D"), volume.clone(), number("bolus", 5.0, "mL")], OrderError::Parameter),
        (vec![drug("D"), volume, dose], OrderError::Missing("the weight, which this dose needs")),
    ] {
        assert_eq!(order(&command(parameters), patient(), None, "paula"), Err(expected));
    }
    let asked = command(vec![drug("D"), rate, number("volume", 50.0, "mL")]);
    let nobody = Patient::unknown(PatientId::from_identifier("HOSP", "4711"));
    assert_eq!(order(&asked, nobody, None, "paula"), Err(OrderError::Identity));
}

/// What an event says, with parts of it exchanged.
fn event(changes: &[(&str, &str)]) -> Option<Programmed> {
    let mut text = String::from(
        "MSH|^~\\&|PUMPS|ICU|VITALWIRE|H|20260101120100+0000||ORU^R42^ORU_R01|81|P|2.6|||AL|NE\r\
         PID|||4711^^^HOSP^MR\r\
         OBR|1|c-0f3a^VITALWIRE|1^PUMPS|3628^Dopamine HCl^RXNORM|||20260101120059+0000\r\
         OBX|1||69985^MDC_DEV_PUMP_INFUS_MDS^MDC|1.0.0.0|||||||X|||||||P6013\r\
         OBX|2|CWE|68487^MDC_ATTR_EVT_COND^MDC|1.1.0.1|^MDC_EVT_PUMP_DELIV_START^MDC||||||R\r\
         OBX|3|NM|157784^MDC_FLOW_FLUID_PUMP^MDC|1.1.2.3|5.25|265266^MDC_DIM_MILLI_L_PER_HR^MDC|||||R\r\
         OBX|4|NM|157884^MDC_VOL_FLUID_TBI^MDC|1.1.2.4|50|263762^MDC_DIM_MILLI_L^MDC|||||R\r",
    );
    for (from, to) in changes {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let received = read(text.as_bytes(), ReceiveTime(1_767_268_860_000_000), &Options::default());
    let inbound = received.messages.into_iter().next().expect("one");
    assert!(!inbound.message.content.is_empty(), "the event itself is taken in all the same: {text}");
    inbound.programmed
}

#[test]
fn an_infusion_that_starts_reads_back_what_the_pump_was_set_to() {
    let said = event(&[]).expect("it names an order of ours");
    assert_eq!((said.command.as_str(), said.device.as_str()), ("c-0f3a", "P6013"));
    let CommandStep::Done { read_back } = said.step else { panic!("done") };
    let find = |name: &str| read_back.iter().find(|(n, _)| n == name).map(|(_, value)| value.clone());
    assert_eq!(find("rate"), Some(CommandValue::Number(5.25)));
    assert_eq!(find("volume"), Some(CommandValue::Number(50.0)));
    assert_eq!(find("drug"), Some(CommandValue::Choice("Dopamine HCl [3628 RXNORM]".into())));
    assert_eq!(find("dose-rate"), None);
}

#[test]
fn only_an_event_that_names_our_order_says_what_became_of_it() {
    let cleared = event(&[("MDC_EVT_PUMP_DELIV_START", "MDC_EVT_PUMP_AUTO_PROG_CLEARED")]).expect("it names it");
    assert!(matches!(cleared.step, CommandStep::Failed { .. }));
    for changes in [
        ("c-0f3a^VITALWIRE", "c-0f3a^EHR"),
        ("c-0f3a^VITALWIRE", "c-0f3a"),
        ("c-0f3a^VITALWIRE", "^VITALWIRE"),
        ("MDC_EVT_PUMP_DELIV_START", "MDC_EVT_PUMP_DELIV_STOP"),
        ("MDC_EVT_PUMP_DELIV_START", "MDC_EVT_PUMP_VOL_COUNTERS_CLEARED"),
        ("ORU^R42", "ORU^R01"),
        ("|81|P|", "|81|T|"),
        ("|81|P|", "|81|P^A|"),
        ("OBX|4|", "OBR|2|c-0f3a^VITALWIRE||3628\rOBX|4|"),
    ] {
        assert_eq!(event(&[changes]), None, "{changes:?}");
    }
}
