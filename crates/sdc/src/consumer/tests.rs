//! What a small device's states become.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use vitals::{AlarmPriority, AlarmState, Content, DeviceAlarm, DeviceId, Metric, ProblemKind, Quality, Reading, Unit, Value};
use wire_sdc::Mdib;
use wire_sdc::message::{SetRequest, Setting};

use super::map::{Mapper, Said};
use super::operate::check;
use super::settings::{Known, Settings};
use super::{OperateError, SafetyContext, Seen, alarms, context};

/// A monitor with a heart rate, a private number, a waveform, an alert, an operation and contexts.
fn mdib(states: &str) -> Mdib {
    let text = format!(
        r#"<m:Mdib xmlns:m="{}" xmlns:p="{}" xmlns:xsi="{}" SequenceId="urn:uuid:1" MdibVersion="4">
        <p:MdDescription><p:Mds Handle="mds"><p:Type Code="69965"><p:ConceptDescription Lang="en">Monitor</p:ConceptDescription></p:Type>
          <p:AlertSystem Handle="as"><p:AlertCondition Handle="ac" Kind="Phy" Priority="Hi"><p:Source>hr</p:Source></p:AlertCondition>
            <p:AlertSignal Handle="sig" ConditionSignaled="ac" Manifestation="Aud" Latching="true"/></p:AlertSystem>
          <p:Sco Handle="sco"><p:Operation xsi:type="p:SetValueOperationDescriptor" Handle="set" OperationTarget="own"/></p:Sco>
          <p:SystemContext Handle="sc"><p:PatientContext Handle="pc"/><p:LocationContext Handle="lc"/></p:SystemContext>
          <p:Clock Handle="clock"/>
          <p:Vmd Handle="vmd"><p:Channel Handle="ch">
            <p:Metric xsi:type="p:NumericMetricDescriptor" Handle="hr" Resolution="1" MetricCategory="Msrmt" MetricAvailability="Cont"><p:Type Code="147842"/><p:Unit Code="264864"/></p:Metric>
            <p:Metric xsi:type="p:NumericMetricDescriptor" Handle="own" Resolution="1" MetricCategory="Set" MetricAvailability="Intr"><p:Type Code="67108880"/><p:Unit Code="262656"/></p:Metric>
            <p:Metric xsi:type="p:RealTimeSampleArrayMetricDescriptor" Handle="ecg" Resolution="1" SamplePeriod="PT0.004S" MetricCategory="Msrmt" MetricAvailability="Cont"><p:Type Code="131330"/><p:Unit Code="266418"/></p:Metric>
          </p:Channel></p:Vmd></p:Mds></p:MdDescription><p:MdState>{states}</p:MdState></m:Mdib>"#,
        wire_sdc::MSG, wire_sdc::PM, markup::XSI,
    );
    let tree = markup::read(text.as_bytes(), &markup::Limits::default()).expect("it is XML");
    let (mdib, faults) = Mdib::read(&tree).expect("an MDIB");
    assert_eq!(faults, []);
    mdib
}

pub(super) fn settings() -> Settings {
    Settings {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        address: None,
        certificate: PathBuf::new(),
        key: PathBuf::new(),
        authority: PathBuf::new(),
        devices: Vec::new(),
        discovery: None,
        allowed: Vec::new(),
        metrics: Default::default(),
        patient_roots: [(String::from("urn:oid:1.2.3"), String::from("HOSPITAL"))].into(),
        locations: true,
        expires: Duration::from_secs(30),
        language: String::from("en"),
    }
}

fn number(handle: &str, value: &str, time: u64, validity: &str) -> String {
    format!(r#"<p:State xsi:type="p:NumericMetricState" DescriptorHandle="{handle}"><p:MetricValue Value="{value}" DeterminationTime="{time}"><p:MetricQuality Validity="{validity}"/></p:MetricValue></p:State>"#)
}

fn said(mapper: &mut Mapper<'_>, mdib: &Mdib) -> Said {
    let mut said = Said::default();
    mapper.metrics(mdib, mdib.states.iter(), &mut said);
    let touched = alarms::touched(mdib, mdib.states.iter());
    alarms::say(mapper, mdib, &touched, &mut said);
    said
}

fn readings(said: &Said) -> Vec<&Reading> {
    fn reading(content: &Content) -> Option<&Reading> {
        match content {
            Content::Reading(reading) => Some(reading),
            _ => None,
        }
    }
    said.content.iter().filter_map(reading).collect()
}

fn device() -> DeviceId {
    DeviceId::sanitised("m1")
}

#[test]
fn a_value_is_taken_once_with_what_it_is_worth() {
    let settings = settings();
    let mut mapper = Mapper::new(&settings, device());
    for (value, time, validity, expected) in [
        ("72", 1_000, "Vld", Some((72.0, Quality::empty()))),
        ("72", 1_000, "Vld", None),
        ("71", 900, "Vld", None),
        ("73", 2_000, "Qst", Some((73.0, Quality::QUESTIONABLE))),
        ("74", 3_000, "Inv", Some((74.0, Quality::INVALID))),
        ("75", 4_000, "Calib", Some((75.0, Quality::CALIBRATING))),
    ] {
        let mdib = mdib(&number("hr", value, time, validity));
        mapper.described(&mdib);
        let said = said(&mut mapper, &mdib);
        let got = readings(&said).first().map(|reading| {
            let one = &reading.measurements[0];
            assert_eq!(one.device_time.map(|t| t.millis()), i64::try_from(time).ok());
            assert_eq!(one.channel, vitals::measurement::channel(5, 1, 1), "VMD, channel and metric, by place");
            match one.value {
                Value::Numeric(value) => (value, one.quality),
                _ => panic!("a number"),
            }
        });
        assert_eq!(got, expected, "{value} {time} {validity}");
    }
}

#[test]
fn a_private_code_is_not_ours_and_is_told_once() {
    // 67108880 is the total of NEWS2 in our own private partition.
    let mdib = |time| mdib(&number("own", "5", time, "Vld"));
    let mut settings = settings();
    let mut mapper = Mapper::new(&settings, device());
    let first = said(&mut mapper, &mdib(1));
    assert_eq!((first.content.len(), first.problems[0].kind, first.untold), (0, ProblemKind::UnknownMetric, 0));
    let second = said(&mut mapper, &mdib(2));
    assert_eq!((second.content.len(), second.problems.len(), second.untold), (0, 0, 1));
    let metric = Metric::by_refid("MDC_RESP_RATE").expect("in the table").code;
    settings.metrics.insert(67_108_880, Known { metric, unit: Unit::from_ucum("/min") });
    let mut mapper = Mapper::new(&settings, device());
    let named = said(&mut mapper, &mdib(1));
    assert_eq!(readings(&named)[0].measurements[0].metric, metric);
}

#[test]
fn samples_have_their_rate_and_unit() {
    let settings = settings();
    let mdib = mdib(r#"<p:State xsi:type="p:RealTimeSampleArrayMetricState" DescriptorHandle="ecg"><p:MetricValue Samples="0.1 -0.2" DeterminationTime="5000"><p:MetricQuality Validity="Vld" Mode="Demo"/></p:MetricValue></p:State>"#);
    let said = said(&mut Mapper::new(&settings, device()), &mdib);
    let one = &readings(&said)[0].measurements[0];
    let Value::SampleArray(array) = &one.value else { panic!("samples") };
    assert_eq!((array.rate.hz(), array.values(), one.quality), (250.0, vec![0.1, -0.2], Quality::TEST));
}

#[test]
fn alarms_follow_condition_and_signal() {
    let settings = settings();
    for (presence, signal, expected) in [
        (true, "On", AlarmState::Active),
        (false, "Latch", AlarmState::Latched),
        (false, "Off", AlarmState::Inactive),
    ] {
        let mdib = mdib(&format!(
            r#"<p:State xsi:type="p:AlertConditionState" DescriptorHandle="ac" ActivationState="On" Presence="{presence}" ActualPriority="Lo"/>
            <p:State xsi:type="p:AlertSignalState" DescriptorHandle="sig" ActivationState="On" Presence="{signal}"/>"#
        ));
        let said = said(&mut Mapper::new(&settings, device()), &mdib);
        let [Content::Alarm(DeviceAlarm { id, state, priority, source, .. })] = said.content.as_slice() else {
            panic!("one alarm")
        };
        assert_eq!((id.as_str(), *state, *priority), ("ac", expected, AlarmPriority::Low));
        assert_eq!(*source, Some(vitals::metric::code::HEART_RATE));
    }
}

fn patient(handle: &str, association: &str, root: &str) -> String {
    format!(r#"<p:State xsi:type="p:PatientContextState" DescriptorHandle="pc" Handle="{handle}" ContextAssociation="{association}"><p:Identification Root="{root}" Extension="4711"/></p:State>"#)
}

#[test]
fn a_patient_counts_only_by_an_identifier_of_this_site() {
    let settings = settings();
    for (contexts, named, problems) in [
        (patient("a", "Assoc", "urn:oid:1.2.3"), true, 0),
        (patient("a", "Pre", "urn:oid:1.2.3"), false, 0),
        (patient("a", "Assoc", "urn:oid:9"), false, 1),
        (patient("a", "Assoc", "urn:oid:1.2.3") + &patient("b", "Assoc", "urn:oid:1.2.3"), false, 1),
        (patient("a", "Dis", "urn:oid:9") + &patient("b", "Assoc", "urn:oid:1.2.3"), true, 0),
    ] {
        let mdib = mdib(&(number("hr", "72", 1, "Vld") + &contexts));
        let said = said(&mut Mapper::new(&settings, device()), &mdib);
        let reading = readings(&said)[0];
        assert_eq!((reading.patient.is_some(), said.problems.len()), (named, problems), "{contexts}");
        assert!(said.problems.iter().all(|p| !p.detail.contains("4711")), "no identifier is repeated");
    }
}

#[test]
fn a_device_has_its_tree_and_its_place() {
    let mut settings = settings();
    let place = r#"<p:State xsi:type="p:LocationContextState" DescriptorHandle="lc" Handle="l1" ContextAssociation="Assoc"><p:LocationDetail PoC="ICU" Room="1" Bed="7"/></p:State>"#;
    for (locations, expected) in [(true, Some("ICU-1-7")), (false, None)] {
        settings.locations = locations;
        let mdib = mdib(place);
        let mut said = Said::default();
        context::devices(&mut Mapper::new(&settings, device()), &mdib, Some("urn:uuid:7"), &mut said);
        let [Content::Directory(vitals::DirectoryEvent::Device(device))] = said.content.as_slice() else {
            panic!("one device")
        };
        assert_eq!((device.name.as_str(), device.components.len()), ("Monitor", 5));
        assert_eq!(device.location.as_ref().map(|place| place.as_str()), expected);
    }
}

#[test]
fn an_operation_is_called_only_as_it_was_seen() {
    let states = |mode: &str| number("own", "5", 1, "Vld") + &format!(
        r#"<p:State xsi:type="p:SetValueOperationState" DescriptorHandle="set" OperatingMode="{mode}"><p:AllowedRange Lower="0" Upper="10"/></p:State>"#);
    let set = |value| SetRequest { operation: String::from("set"), what: Setting::Value(value) };
    let safety = |sequence: &str, seen| SafetyContext { sequence: sequence.to_owned(), seen: Some(Seen::Number(seen)) };
    let now = "urn:uuid:1";
    type Expected = fn(&Result<(), OperateError>) -> bool;
    let cases: [(&str, SetRequest, SafetyContext, Expected); 7] = [
        ("En", set(6.0), safety(now, 5.0), |r| r.is_ok()),
        ("En", set(6.0), safety("urn:uuid:0", 5.0), |r| matches!(r, Err(OperateError::Changed))),
        ("En", set(6.0), safety(now, 4.0), |r| matches!(r, Err(OperateError::OtherValue))),
        ("Dis", set(6.0), safety(now, 5.0), |r| matches!(r, Err(OperateError::Disabled))),
        ("En", set(11.0), safety(now, 5.0), |r| matches!(r, Err(OperateError::Value))),
        ("En", SetRequest { operation: String::from("x"), ..set(6.0) }, safety(now, 5.0), |r| matches!(r, Err(OperateError::NoOperation))),
        ("En", SetRequest { what: Setting::Text(String::new()), ..set(6.0) }, safety(now, 5.0), |r| matches!(r, Err(OperateError::NoOperation))),
    ];
    for (mode, request, safety, expected) in cases {
        let result = check(&mdib(&states(mode)), &request, &safety);
        assert!(expected(&result), "{mode} {request:?} {safety:?}: {result:?}");
    }
}
