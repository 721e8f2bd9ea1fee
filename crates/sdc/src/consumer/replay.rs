//! The recorded session of another's provider (`tests/sessions/sdc-monitor`) comes out as its `expected.txt` says.
//! `UPDATE=1 cargo test -p sdc --lib` writes it: read the difference.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use vitals::{Content, DeviceId, DirectoryEvent, Measurement, Value};
use wire_dpws::{Envelope, LIMITS};
use wire_sdc::{LiveMdib, Mdib, Report};

use super::map::{Mapper, Said};
use super::settings::Settings;
use super::{alarms, context};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/sessions/sdc-monitor")
}

/// The messages, in order: the description, then reports.
fn messages() -> Vec<Envelope> {
    let file = |number: u32| fs::read(folder().join(format!("{number}.xml"))).ok();
    let read = |bytes: Vec<u8>| Envelope::read(&bytes, &LIMITS).expect("an envelope");
    (1..).map_while(file).map(read).collect()
}

#[test]
fn a_recorded_session_comes_out_as_expected() {
    let settings = Settings { metrics: Default::default(), ..super::tests::settings() };
    let mut mapper = Mapper::new(&settings, DeviceId::sanitised("monitor"));
    let mut messages = messages().into_iter().filter_map(|envelope| envelope.body);
    let (mdib, faults) = Mdib::read(&messages.next().expect("recorded")).expect("an MDIB");
    assert_eq!(faults, []);
    mapper.described(&mdib);
    let mut said = Said::default();
    context::devices(&mut mapper, &mdib, Some("urn:uuid:11111111-2222-3333-4444-555555555555"), &mut said);
    mapper.metrics(&mdib, mdib.states.iter(), &mut said);
    let mut lines = tell(&said);
    let mut live = LiveMdib::new(mdib);
    for body in messages {
        let (report, faults) = Report::read(&body).expect("a report");
        assert_eq!(faults, []);
        live.apply(&report).expect("no report is missing");
        let mut said = Said::default();
        mapper.metrics(live.mdib(), report.states(), &mut said);
        let conditions = alarms::touched(live.mdib(), report.states());
        alarms::say(&mut mapper, live.mdib(), &conditions, &mut said);
        lines += &tell(&said);
    }
    let expected = folder().join("expected.txt");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&expected, &lines).expect("written");
    }
    assert_eq!(fs::read_to_string(&expected).unwrap_or_default(), lines);
}

fn tell(said: &Said) -> String {
    let mut lines = String::new();
    for content in &said.content {
        match content {
            Content::Reading(reading) => {
                let patient = reading.patient.as_ref().and_then(|patient| patient.identifiers.first());
                let patient = patient.map(|id| format!(", of {}|{}", id.system, id.value)).unwrap_or_default();
                for one in &reading.measurements {
                    let _ = writeln!(lines, "{}{patient}", measured(reading.device.as_str(), one));
                }
            }
            Content::Directory(DirectoryEvent::Device(device)) => {
                let place = device.location.as_ref().map_or("nowhere", |place| place.as_str());
                let (id, parts) = (&device.id, device.components.len());
                let _ = writeln!(lines, "device {id}: {} {}, {parts} parts, at {place}", device.manufacturer, device.model);
            }
            Content::Alarm(alarm) => {
                let about = alarm.source.map(vitals::MetricCode::refid).unwrap_or_default();
                let (state, priority, signal) = (alarm.state, alarm.priority, alarm.signal);
                let _ = writeln!(lines, "alarm {}: {state:?} {priority:?} {signal:?}, {about}, {}", alarm.id, alarm.text);
            }
            other => {
                let _ = writeln!(lines, "{other:?}");
            }
        }
    }
    for problem in &said.problems {
        let _ = writeln!(lines, "problem {} at {}: {}", problem.kind.name(), problem.path, problem.detail);
    }
    lines
}

fn measured(device: &str, one: &Measurement) -> String {
    let value = match &one.value {
        Value::Numeric(number) => number.to_string(),
        Value::SampleArray(array) => format!("{:?} at {} Hz,", array.values(), array.rate.hz()),
        other => format!("{other:?}"),
    };
    let time = one.device_time.map_or_else(|| "without time".to_owned(), |time| format!("at {} ms", time.millis()));
    let quality: String = one.quality.names().iter().map(|name| format!(", {name}")).collect();
    format!("{device} {} = {value} {} {time}{quality}", one.metric.refid(), one.unit.ucum())
}
