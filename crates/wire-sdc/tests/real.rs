//! Three MDIBs of real test devices parse whole, come back whole, and follow reports.

use std::path::PathBuf;

use markup::{Limits, read, write};
use wire_sdc::basic::Numbers;
use wire_sdc::state::{MetricQuality, NumericMetricState, NumericMetricValue, SampleArrayValue, ValueBase};
use wire_sdc::words::{Modification, Validity};
use wire_sdc::{
    Applied, DescriptionChange, Descriptor, DescriptorKind, Gap, LiveMdib, Mdib, PREFIXES, Part, Report,
    ReportBody, ReportKind, State, StateKind,
};

fn file(name: &str) -> Option<Mdib> {
    let data = std::env::var_os("VITALWIRE_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let Ok(bytes) = std::fs::read(data.join("sdc").join(name)) else {
        println!("skipped: {name} is not in VITALWIRE_DATA/sdc");
        return None;
    };
    let tree = read(&bytes, &Limits::default()).expect("it is XML");
    let (mdib, faults) = Mdib::read(&tree).expect("it is an MDIB");
    assert_eq!(faults, [], "{name}: nothing is left out");
    Some(mdib)
}

#[test]
fn they_parse_whole_and_come_back() {
    for (name, descriptors, states) in [
        ("PlugathonMdibV2.xml", 39, 37),
        ("mdib_two_mds.xml", 53, 43),
        ("reference_mdib.xml", 33, 0),
    ] {
        let Some(mdib) = file(name) else { continue };
        assert_eq!((mdib.descriptors.len(), mdib.states.len()), (descriptors, states), "{name}");
        let written = write(&mdib.write(), &PREFIXES);
        let (again, faults) = Mdib::read(&read(written.as_bytes(), &Limits::default()).expect("XML")).expect("MDIB");
        assert_eq!(faults, []);
        assert_eq!(again.version, mdib.version);
        assert_eq!(again.states, mdib.states);
        // Written in the schema's order, siblings of one kind keep theirs.
        for entry in &mdib.descriptors {
            assert_eq!(again.entry(&entry.descriptor.handle), Some(entry), "{name}");
        }
        for state in &mdib.states {
            assert!(mdib.descriptor(&state.descriptor).is_some(), "{name}: {}", state.descriptor);
        }
    }
}

#[test]
fn the_tree_is_known() {
    let Some(mdib) = file("PlugathonMdibV2.xml") else { return };
    let path = mdib.path("rtsa_metric_0.channel_1.vmd_0.mds_0");
    let handles: Vec<&str> = path.iter().map(|d| d.handle.as_str()).collect();
    assert_eq!(handles[..3], ["mds_0", "vmd_0.mds_0", "channel_1.vmd_0.mds_0"]);
    let DescriptorKind::RealTimeSampleArrayMetric(wave) = &path[3].kind else { panic!("a waveform") };
    assert_eq!(wave.sample_period.nanos, 10_000_000);
    assert_eq!(path[3].code.as_ref().map(|c| c.label("de")), Some("Waveform metric 1"));
    let operation = mdib.descriptor("activate_1.sco.mds_0").expect("it is there");
    let DescriptorKind::ActivateOperation(activate) = &operation.kind else { panic!("an operation") };
    let types: Vec<&str> = activate.arguments.iter().map(|a| a.type_name.as_str()).collect();
    assert_eq!(types, ["string", "decimal", "anyURI"]);
}

fn number(version: u64, value: f64) -> State {
    let quality = MetricQuality { validity: Validity::Valid, ..MetricQuality::default() };
    let base = ValueBase { quality, determined: Some(1_700_000_000_000), ..ValueBase::default() };
    let value = Some(NumericMetricValue { base, value: Some(value) });
    let kind = NumericMetricState { value, ..NumericMetricState::default() };
    State { version: Some(version), ..State::new("numeric_metric_1.channel_1.vmd_0.mds_0", kind) }
}

fn report(mdib: &Mdib, version: u64, body: ReportBody) -> Report {
    let kind = match body {
        ReportBody::Description(_) => ReportKind::DescriptionModification,
        _ => ReportKind::EpisodicMetric,
    };
    let version = wire_sdc::MdibVersion { version, ..mdib.version.clone() };
    let report = Report { kind, version, body };
    let text = write(&report.write(), &PREFIXES);
    let tree = read(text.as_bytes(), &Limits::default()).expect("XML");
    assert_eq!(Report::read(&tree), Ok((report.clone(), Vec::new())), "{text}");
    report
}

#[test]
fn reports_are_followed_and_gaps_are_told() {
    let Some(mdib) = file("PlugathonMdibV2.xml") else { return };
    let mut live = LiveMdib::new(mdib.clone());
    let states = |state: State| ReportBody::States(vec![Part { source_mds: None, states: vec![state] }]);
    let value = |live: &LiveMdib| match &live.mdib().state("numeric_metric_1.channel_1.vmd_0.mds_0").map(|s| &s.kind) {
        Some(StateKind::NumericMetric(state)) => state.value.as_ref().and_then(|v| v.value),
        _ => None,
    };
    assert_eq!(live.apply(&report(&mdib, 1, states(number(2, 37.5)))), Ok(Applied::Taken));
    assert_eq!(value(&live), Some(37.5));
    // The same version again, with an older state: it does not replace the newer one.
    assert_eq!(live.apply(&report(&mdib, 1, states(number(1, 36.0)))), Ok(Applied::Taken));
    assert_eq!(live.apply(&report(&mdib, 0, states(number(9, 36.0)))), Ok(Applied::Old));
    assert_eq!(value(&live), Some(37.5));
    assert_eq!(live.apply(&report(&mdib, 3, states(number(3, 38.0)))), Err(Gap::Missed { have: 1, got: 3 }));
    let mut other = report(&mdib, 2, states(number(3, 38.0)));
    other.version.sequence = "urn:uuid:another".to_owned();
    assert_eq!(live.apply(&other), Err(Gap::Sequence));
    let mut stranger = number(1, 1.0);
    stranger.descriptor = "nobody".to_owned();
    assert_eq!(live.apply(&report(&mdib, 2, states(stranger))), Err(Gap::Unknown("nobody".to_owned())));
    assert_eq!(value(&live), Some(37.5), "a gap changes nothing");

    let change = |modification, descriptors| DescriptionChange {
        parent: Some("mds_1".to_owned()),
        modification: Some(modification),
        descriptors,
        ..DescriptionChange::default()
    };
    let vmd = |handle: &str| Descriptor::new(handle, DescriptorKind::Vmd(Default::default()));
    let made = ReportBody::Description(vec![change(Modification::Created, vec![vmd("vmd_9")])]);
    assert_eq!(live.apply(&report(&mdib, 2, made)), Ok(Applied::Taken));
    assert_eq!(live.mdib().path("vmd_9").len(), 2);
    let gone = ReportBody::Description(vec![change(Modification::Deleted, vec![vmd("vmd_0.mds_1")])]);
    assert_eq!(live.apply(&report(&mdib, 3, gone)), Ok(Applied::Taken));
    assert!(live.mdib().descriptor("numeric_metric_0.channel_0.vmd_0.mds_1").is_none(), "with all below it");
    assert!(live.mdib().state("numeric_metric_0.channel_0.vmd_0.mds_1").is_none());
}

#[test]
fn one_bad_state_loses_itself() {
    let text = r#"<m:WaveformStream xmlns:m="http://standards.ieee.org/downloads/11073/11073-10207-2017/message"
        xmlns:p="http://standards.ieee.org/downloads/11073/11073-10207-2017/participant" SequenceId="s" MdibVersion="7">
        <m:State DescriptorHandle="a"><p:MetricValue Samples="1 2.5 -3" DeterminationTime="5"><p:MetricQuality Validity="Vld"/></p:MetricValue></m:State>
        <m:State DescriptorHandle="b"><p:MetricValue Samples="1 1e3"><p:MetricQuality Validity="Vld"/></p:MetricValue></m:State>
        <m:State/></m:WaveformStream>"#;
    let (report, faults) = Report::read(&read(text.as_bytes(), &Limits::default()).expect("XML")).expect("a report");
    let paths: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
    assert_eq!(paths, ["State[b]/MetricValue/@Samples", "@DescriptorHandle"]);
    let states: Vec<&State> = report.states().collect();
    let StateKind::RealTimeSampleArrayMetric(wave) = &states[0].kind else { panic!("a waveform") };
    let value: &SampleArrayValue = wave.value.as_ref().expect("a value");
    assert_eq!((states.len(), value.samples.clone()), (1, Some(Numbers(vec![1.0, 2.5, -3.0]))));
}
